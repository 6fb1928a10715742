-- Snapshots, and the uploads that make them without a volume.

CREATE TABLE snapshot (
    id         TEXT   NOT NULL,
    account    TEXT   NOT NULL,
    region     TEXT   NOT NULL,
    state      TEXT   NOT NULL,
    -- The volume it was taken of, whether that still exists or not.
    volume_id  TEXT   NOT NULL,
    start_time BIGINT NOT NULL,
    generation BIGINT NOT NULL,
    doc        TEXT   NOT NULL,
    CONSTRAINT snapshot_pk PRIMARY KEY (id)
);
CREATE INDEX snapshot_by_owner ON snapshot (account, region, start_time, id);
CREATE INDEX snapshot_by_volume ON snapshot (volume_id, state);

-- Which images need which snapshots: a snapshot that an image needs cannot be deleted.
CREATE TABLE image_snapshot (
    image_id    TEXT NOT NULL,
    snapshot_id TEXT NOT NULL,
    CONSTRAINT image_snapshot_pk PRIMARY KEY (image_id, snapshot_id),
    CONSTRAINT image_snapshot_snapshot_fk FOREIGN KEY (snapshot_id) REFERENCES snapshot (id)
);
CREATE INDEX image_snapshot_by_snapshot ON image_snapshot (snapshot_id);

-- A snapshot that a client is writing block by block (EBS direct).
CREATE TABLE upload (
    snapshot_id   TEXT   NOT NULL,
    -- When it was begun or last written to: it is given up `timeout` after that.
    last_activity BIGINT NOT NULL,
    -- Microseconds.
    timeout       BIGINT NOT NULL,
    -- 1 once the client has said that it is complete: no block is taken any more.
    sealed        BIGINT NOT NULL,
    -- What the blocks are put over: the content of the parent, as JSON.
    base          TEXT,
    CONSTRAINT upload_pk PRIMARY KEY (snapshot_id),
    CONSTRAINT upload_sealed_is_boolean CHECK (sealed IN (0, 1)),
    CONSTRAINT upload_snapshot_fk FOREIGN KEY (snapshot_id) REFERENCES snapshot (id) ON DELETE CASCADE
);

-- The blocks written so far. The bytes behind a digest are durable before its row exists.
CREATE TABLE upload_block (
    snapshot_id TEXT   NOT NULL,
    block_index BIGINT NOT NULL,
    -- SHA-256 of the block.
    digest      BLOB   NOT NULL,
    CONSTRAINT upload_block_pk PRIMARY KEY (snapshot_id, block_index),
    CONSTRAINT upload_block_upload_fk FOREIGN KEY (snapshot_id) REFERENCES upload (snapshot_id) ON DELETE CASCADE
) WITHOUT ROWID;
