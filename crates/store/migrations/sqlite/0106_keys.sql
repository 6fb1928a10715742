-- The keys that encrypted volumes and snapshots are kept under. What a key encrypts with is not here:
-- it lies in a file of its own, wrapped under the root key, so that deleting that file is the end
-- of it.
CREATE TABLE kms_key (
    id          TEXT   NOT NULL,
    account     TEXT   NOT NULL,
    region      TEXT   NOT NULL,
    -- 1 for the one behind alias/aws/ebs.
    aws_managed BIGINT NOT NULL,
    create_time BIGINT NOT NULL,
    generation  BIGINT NOT NULL,
    doc         TEXT   NOT NULL,
    CONSTRAINT kms_key_pk PRIMARY KEY (id),
    CONSTRAINT kms_key_aws_managed_is_boolean CHECK (aws_managed IN (0, 1))
);
CREATE INDEX kms_key_by_owner ON kms_key (account, region, create_time, id);

-- Blobs that a run could check only in part, for want of their key.
ALTER TABLE scrub ADD COLUMN unchecked BIGINT NOT NULL DEFAULT 0;

-- Data keys, wrapped under the key that `domain.key` or the volume names; NULL where nothing is
-- encrypted.
ALTER TABLE domain ADD COLUMN data_key BLOB;
ALTER TABLE volume ADD COLUMN data_key BLOB;
