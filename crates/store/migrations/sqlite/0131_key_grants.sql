-- Permissions for keys that are given one by one. Columns are written from the document in the same
-- statement.
CREATE TABLE kms_grant (
    id       TEXT NOT NULL,
    key_id   TEXT NOT NULL,
    region   TEXT NOT NULL,
    doc      TEXT NOT NULL,
    CONSTRAINT kms_grant_pk PRIMARY KEY (id),
    CONSTRAINT kms_grant_key_fk FOREIGN KEY (key_id) REFERENCES kms_key (id)
) WITHOUT ROWID;
CREATE INDEX kms_grant_by_key ON kms_grant (key_id, id);
