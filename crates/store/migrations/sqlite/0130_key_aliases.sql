-- Other names of keys. The document is the truth; `key_id` is written from it in the same statement.
CREATE TABLE kms_alias (
    account    TEXT   NOT NULL,
    region     TEXT   NOT NULL,
    name       TEXT   NOT NULL,
    key_id     TEXT   NOT NULL,
    doc        TEXT   NOT NULL,
    CONSTRAINT kms_alias_pk PRIMARY KEY (account, region, name),
    CONSTRAINT kms_alias_key_fk FOREIGN KEY (key_id) REFERENCES kms_key (id)
) WITHOUT ROWID;
CREATE INDEX kms_alias_by_key ON kms_alias (key_id);
