-- Whom images and snapshots let in besides their owners. The documents of images and snapshots are the truth; these rows are written
-- from them in the same transaction. A grantee is `all`, an account's number, or the ARN of an
-- organization or organizational unit.
CREATE TABLE image_permission (
    image_id TEXT NOT NULL,
    grantee  TEXT NOT NULL,
    CONSTRAINT image_permission_pk PRIMARY KEY (image_id, grantee),
    CONSTRAINT image_permission_image_fk FOREIGN KEY (image_id) REFERENCES image (id) ON DELETE CASCADE
) WITHOUT ROWID;
CREATE INDEX image_permission_by_grantee ON image_permission (grantee, image_id);

CREATE TABLE snapshot_permission (
    snapshot_id TEXT NOT NULL,
    grantee     TEXT NOT NULL,
    CONSTRAINT snapshot_permission_pk PRIMARY KEY (snapshot_id, grantee),
    CONSTRAINT snapshot_permission_snapshot_fk FOREIGN KEY (snapshot_id) REFERENCES snapshot (id) ON DELETE CASCADE
) WITHOUT ROWID;
CREATE INDEX snapshot_permission_by_grantee ON snapshot_permission (grantee, snapshot_id);

-- The organization and the organizational units that an account belongs to: a JSON list of their ARNs.
ALTER TABLE account ADD COLUMN memberships TEXT NOT NULL DEFAULT '[]';

-- What an account has set for itself in a region, such as the block of public access. JSON.
CREATE TABLE setting (
    account TEXT NOT NULL,
    region  TEXT NOT NULL,
    name    TEXT NOT NULL,
    doc     TEXT NOT NULL,
    CONSTRAINT setting_pk PRIMARY KEY (account, region, name)
) WITHOUT ROWID;
