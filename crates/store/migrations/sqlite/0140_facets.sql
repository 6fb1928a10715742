-- By which snapshots, images and volumes are looked up. A list is what one viewer finds in one region under one facet
-- ("all of account 123456789012 whose volume-id is vol-..."), named by 64 bits of a SHA-256: two lists that share a name cost
-- documents that are read in vain and nothing else, as what is read is judged by its document. Rows are written from the
-- documents, in the same transaction; `crates/store/src/facet.rs` says how. They are in the order of pages.
CREATE TABLE snapshot_facet (
    list BIGINT NOT NULL,
    -- What the key of a page begins with: when the noun was made.
    time BIGINT NOT NULL,
    id   TEXT   NOT NULL,
    CONSTRAINT snapshot_facet_pk PRIMARY KEY (list, time, id)
) WITHOUT ROWID;

CREATE TABLE image_facet (
    list BIGINT NOT NULL,
    time BIGINT NOT NULL,
    id   TEXT   NOT NULL,
    CONSTRAINT image_facet_pk PRIMARY KEY (list, time, id)
) WITHOUT ROWID;

CREATE TABLE volume_facet (
    list BIGINT NOT NULL,
    time BIGINT NOT NULL,
    id   TEXT   NOT NULL,
    CONSTRAINT volume_facet_pk PRIMARY KEY (list, time, id)
) WITHOUT ROWID;

-- How far the rows of nouns are that were there before them. SQL cannot make these rows: a server does when it is
-- started, before anything else, and goes on where it was killed.
CREATE TABLE facet_fill (
    noun   TEXT NOT NULL,
    -- What the rows are made of. Rows of another scheme are made anew.
    scheme TEXT NOT NULL,
    -- The last id that has its rows; none once all have.
    after  TEXT,
    CONSTRAINT facet_fill_pk PRIMARY KEY (noun)
) WITHOUT ROWID;

-- Whom images and snapshots let in is among the rows above.
DROP TABLE image_permission;
DROP TABLE snapshot_permission;

-- To find who has set something in a region.
CREATE INDEX setting_by_name ON setting (name, region);
