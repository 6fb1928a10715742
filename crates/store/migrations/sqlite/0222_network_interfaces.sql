-- Network interfaces that were made by themselves. The first interface of an instance is part of the instance.
CREATE TABLE network_interface (
    id          TEXT   NOT NULL,
    account     TEXT   NOT NULL,
    region      TEXT   NOT NULL,
    -- What it is attached to.
    instance_id TEXT,
    generation  BIGINT NOT NULL,
    doc         TEXT   NOT NULL,
    CONSTRAINT network_interface_pk PRIMARY KEY (id)
);
CREATE INDEX network_interface_by_owner ON network_interface (account, region, id);
CREATE INDEX network_interface_by_instance ON network_interface (instance_id);

-- Addresses belong to an instance, from launch to termination, or to such an interface.
CREATE TABLE new_private_address (
    subnet_id    TEXT NOT NULL,
    address      TEXT NOT NULL,
    instance_id  TEXT,
    interface_id TEXT,
    CONSTRAINT private_address_pk PRIMARY KEY (subnet_id, address),
    CONSTRAINT private_address_subnet_fk FOREIGN KEY (subnet_id) REFERENCES subnet (id),
    CONSTRAINT private_address_instance_fk FOREIGN KEY (instance_id) REFERENCES instance (id) ON DELETE CASCADE,
    CONSTRAINT private_address_interface_fk FOREIGN KEY (interface_id) REFERENCES network_interface (id) ON DELETE CASCADE
);
INSERT INTO new_private_address (subnet_id, address, instance_id) SELECT subnet_id, address, instance_id FROM private_address;
DROP TABLE private_address;
ALTER TABLE new_private_address RENAME TO private_address;
CREATE INDEX private_address_by_instance ON private_address (instance_id);
CREATE INDEX private_address_by_interface ON private_address (interface_id);
