-- Volumes. `doc` is the whole noun; the columns repeat what SQL has to see.

CREATE TABLE volume (
    id          TEXT   NOT NULL,
    account     TEXT   NOT NULL,
    region      TEXT   NOT NULL,
    state       TEXT   NOT NULL,
    -- The snapshot it was made from, whether that still exists or not.
    snapshot_id TEXT,
    -- The instance it is attached to.
    instance_id TEXT,
    create_time BIGINT NOT NULL,
    generation  BIGINT NOT NULL,
    doc         TEXT   NOT NULL,
    CONSTRAINT volume_pk PRIMARY KEY (id)
);
CREATE INDEX volume_by_owner ON volume (account, region, create_time, id);
CREATE INDEX volume_by_instance ON volume (instance_id);
