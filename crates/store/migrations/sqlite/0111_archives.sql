-- An archived snapshot lies in a domain of its own, so that it shares no block with anything: the
-- scope of a domain names it. SQLite changes no constraint of a table, so the table is made anew.
CREATE TABLE new_domain (
    id         INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    region     TEXT    NOT NULL,
    account    TEXT    NOT NULL,
    key        TEXT    NOT NULL,
    data_key   BLOB,
    -- Empty for the blocks that snapshots and volumes share.
    archive_of TEXT    NOT NULL DEFAULT '',
    CONSTRAINT domain_scope UNIQUE (region, account, key, archive_of)
);
INSERT INTO new_domain (id, region, account, key, data_key)
SELECT id, region, account, key, data_key FROM domain;
-- The highest number that was ever given out goes along: none is used twice.
DELETE FROM sqlite_sequence WHERE name = 'new_domain';
INSERT INTO sqlite_sequence (name, seq) SELECT 'new_domain', seq FROM sqlite_sequence WHERE name = 'domain';
DROP TABLE domain;
ALTER TABLE new_domain RENAME TO domain;
