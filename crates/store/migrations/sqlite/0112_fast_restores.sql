-- Fast restores of a snapshot in a zone, by the account that enabled them.
CREATE TABLE fast_restore (
    account     TEXT   NOT NULL,
    snapshot_id TEXT   NOT NULL,
    zone        TEXT   NOT NULL,
    region      TEXT   NOT NULL,
    doc         TEXT   NOT NULL,
    CONSTRAINT fast_restore_pk PRIMARY KEY (account, snapshot_id, zone),
    CONSTRAINT fast_restore_snapshot_fk FOREIGN KEY (snapshot_id) REFERENCES snapshot (id) ON DELETE CASCADE
) WITHOUT ROWID;
CREATE INDEX fast_restore_by_snapshot ON fast_restore (snapshot_id);
