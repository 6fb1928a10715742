-- Scrubs: packs read from end to end, to see whether they still hold what was written. One row for
-- each region that has packs: its last run, or the one under way.
CREATE TABLE scrub (
    region     TEXT   NOT NULL,
    -- When the run was begun. Before the first one: when the region was first seen. The schedule
    -- counts from here.
    begun      BIGINT NOT NULL,
    -- When it ended; NULL while it is under way.
    ended      BIGINT,
    -- How many runs were begun, this one among them.
    runs       BIGINT NOT NULL,
    -- Packs with smaller numbers are done.
    next_pack  BIGINT NOT NULL,
    packs      BIGINT NOT NULL,
    -- How many packs there were when the run was begun or taken up again.
    all_packs  BIGINT NOT NULL,
    blobs      BIGINT NOT NULL,
    bytes      BIGINT NOT NULL,
    -- Snapshots that could not be read when the run ended.
    unreadable BIGINT NOT NULL,
    CONSTRAINT scrub_pk PRIMARY KEY (region)
);

-- What is not what was written. The findings of a file are replaced whenever it is read again.
CREATE TABLE scrub_finding (
    region      TEXT   NOT NULL,
    -- The file, relative to the region's directory.
    file        TEXT   NOT NULL,
    -- Its place among the findings of the file.
    number      BIGINT NOT NULL,
    byte_offset BIGINT NOT NULL,
    byte_length BIGINT NOT NULL,
    -- A sentence.
    fault       TEXT   NOT NULL,
    -- The pack, and the blob that a reader would miss. NULL: no reader looks at these bytes.
    pack        BIGINT,
    domain      BIGINT,
    blob        BLOB,
    found       BIGINT NOT NULL,
    CONSTRAINT scrub_finding_pk PRIMARY KEY (region, file, number)
);
