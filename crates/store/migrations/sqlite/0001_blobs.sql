-- Where blobs lie: the index of the block store, in a file of its own (`blobs.db`).

CREATE TABLE blob (
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
    -- 0: live. Others come with garbage collection and scrubbing.
    state      BIGINT NOT NULL DEFAULT 0,
    CONSTRAINT blob_pk PRIMARY KEY (domain, id),
    CONSTRAINT blob_state CHECK (state IN (0))
) WITHOUT ROWID;

-- The next pack number: it is never given out again, also if the pack came to nothing.
CREATE TABLE pack_counter (
    only BIGINT NOT NULL,
    next BIGINT NOT NULL,
    CONSTRAINT pack_counter_pk PRIMARY KEY (only),
    CONSTRAINT pack_counter_has_one_row CHECK (only = 1)
);
INSERT INTO pack_counter (only, next) VALUES (1, 1);
