-- What the guest of an image reads when it boots: the blocks of the snapshot that its root volume is
-- made from, in the order in which the first guest needed them. A hint, which makes later launches
-- faster. By image, since what a snapshot boots into depends on how it is booted; and by snapshot,
-- since a launch may put another one at the root.
CREATE TABLE boot_set (
    image_id    TEXT   NOT NULL,
    snapshot_id TEXT   NOT NULL,
    -- When it was recorded.
    recorded    BIGINT NOT NULL,
    -- A version (one byte, 1), the numbers of the blocks (four bytes each), the CRC-32C of all that
    -- (four bytes); little endian.
    blocks      BLOB   NOT NULL,
    CONSTRAINT boot_set_pk PRIMARY KEY (image_id, snapshot_id),
    CONSTRAINT boot_set_image_fk FOREIGN KEY (image_id) REFERENCES image (id) ON DELETE CASCADE,
    CONSTRAINT boot_set_snapshot_fk FOREIGN KEY (snapshot_id) REFERENCES snapshot (id) ON DELETE CASCADE
);
CREATE INDEX boot_set_by_snapshot ON boot_set (snapshot_id);
