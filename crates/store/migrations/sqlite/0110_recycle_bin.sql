-- The retention rules of the Recycle Bin. What is in the bin is said by the documents of snapshots,
-- images and volumes.
CREATE TABLE recycle_bin_rule (
    id         TEXT   NOT NULL,
    account    TEXT   NOT NULL,
    region     TEXT   NOT NULL,
    generation BIGINT NOT NULL,
    doc        TEXT   NOT NULL,
    CONSTRAINT recycle_bin_rule_pk PRIMARY KEY (id)
);
CREATE INDEX recycle_bin_rule_by_owner ON recycle_bin_rule (account, region, id);
