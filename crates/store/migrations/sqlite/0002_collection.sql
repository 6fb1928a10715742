-- What garbage collection and scrubbing need to know.

-- SQLite cannot change a check, so the table is made anew.
CREATE TABLE blob_new (
    domain     BIGINT NOT NULL,
    -- 32 bytes, the address within the domain.
    id         BLOB   NOT NULL,
    pack       BIGINT NOT NULL,
    -- Position among the blobs of the pack.
    slot       BIGINT NOT NULL,
    -- Of the stored bytes within the pack.
    byte_offset BIGINT NOT NULL,
    stored_len BIGINT NOT NULL,
    plain_len  BIGINT NOT NULL,
    -- 0: good. 1: bad, its bytes are not what they were; the next upload of the same blob replaces
    -- the row.
    state      BIGINT NOT NULL DEFAULT 0,
    CONSTRAINT blob_pk PRIMARY KEY (domain, id),
    CONSTRAINT blob_state CHECK (state IN (0, 1))
) WITHOUT ROWID;
INSERT INTO blob_new SELECT domain, id, pack, slot, byte_offset, stored_len, plain_len, state FROM blob;
DROP TABLE blob;
ALTER TABLE blob_new RENAME TO blob;

-- By pack, with all that the usage of packs is summed up from. Packs are written one after the
-- other, so this index grows at its end, however random the ids are.
CREATE INDEX blob_by_pack ON blob (pack, slot, stored_len);
CREATE INDEX blob_bad ON blob (domain, id) WHERE state <> 0;

-- Packs in which the last mark found nothing that is needed. Their blobs are no longer stored
-- once and for all: whoever puts one stores it again. A pack without a row is live.
CREATE TABLE condemned_pack (
    pack   BIGINT NOT NULL,
    domain BIGINT NOT NULL,
    -- Since when, in microseconds since the Unix epoch.
    at     BIGINT NOT NULL,
    CONSTRAINT condemned_pack_pk PRIMARY KEY (pack)
) WITHOUT ROWID;

-- Reads that found their blob in a condemned pack: collection has erred, and stands still until
-- an operator has seen it.
CREATE TABLE collection_alarm (
    id     INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    pack   BIGINT  NOT NULL,
    domain BIGINT  NOT NULL,
    blob   BLOB    NOT NULL,
    CONSTRAINT collection_alarm_once UNIQUE (pack, domain, blob)
);
