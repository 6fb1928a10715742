-- Instances, and what only one of them can have at a time. `doc` is the whole noun.

CREATE TABLE instance (
    id                   TEXT   NOT NULL,
    account              TEXT   NOT NULL,
    region               TEXT   NOT NULL,
    state                TEXT   NOT NULL,
    image_id             TEXT   NOT NULL,
    reservation_id       TEXT   NOT NULL,
    network_interface_id TEXT   NOT NULL,
    launch_time          BIGINT NOT NULL,
    -- When it was terminated. Such an instance is described for a while and then forgotten.
    terminated           BIGINT,
    -- The port on the host's loopback that leads to its port 22. All accounts and regions share
    -- the host.
    ssh_port             BIGINT,
    generation           BIGINT NOT NULL,
    doc                  TEXT   NOT NULL,
    CONSTRAINT instance_pk PRIMARY KEY (id),
    CONSTRAINT instance_ssh_port UNIQUE (ssh_port)
);
CREATE INDEX instance_by_owner ON instance (account, region, launch_time, id);
CREATE INDEX instance_by_state ON instance (state);
CREATE INDEX instance_by_interface ON instance (network_interface_id);
CREATE INDEX instance_by_reservation ON instance (reservation_id);

-- Addresses that instances have, from launch to termination.
CREATE TABLE private_address (
    subnet_id   TEXT NOT NULL,
    address     TEXT NOT NULL,
    instance_id TEXT NOT NULL,
    CONSTRAINT private_address_pk PRIMARY KEY (subnet_id, address),
    CONSTRAINT private_address_subnet_fk FOREIGN KEY (subnet_id) REFERENCES subnet (id),
    CONSTRAINT private_address_instance_fk FOREIGN KEY (instance_id) REFERENCES instance (id) ON DELETE CASCADE
);
CREATE INDEX private_address_by_instance ON private_address (instance_id);
