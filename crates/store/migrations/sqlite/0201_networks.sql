-- The network of each account in each region. `doc` is the whole noun.

CREATE TABLE vpc (
    id         TEXT   NOT NULL,
    account    TEXT   NOT NULL,
    region     TEXT   NOT NULL,
    generation BIGINT NOT NULL,
    doc        TEXT   NOT NULL,
    CONSTRAINT vpc_pk PRIMARY KEY (id)
);
CREATE INDEX vpc_by_owner ON vpc (account, region, id);

CREATE TABLE subnet (
    id         TEXT   NOT NULL,
    account    TEXT   NOT NULL,
    region     TEXT   NOT NULL,
    vpc_id     TEXT   NOT NULL,
    generation BIGINT NOT NULL,
    doc        TEXT   NOT NULL,
    CONSTRAINT subnet_pk PRIMARY KEY (id),
    CONSTRAINT subnet_vpc_fk FOREIGN KEY (vpc_id) REFERENCES vpc (id)
);
CREATE INDEX subnet_by_owner ON subnet (account, region, id);

CREATE TABLE security_group (
    id         TEXT   NOT NULL,
    account    TEXT   NOT NULL,
    region     TEXT   NOT NULL,
    vpc_id     TEXT   NOT NULL,
    name       TEXT   NOT NULL,
    generation BIGINT NOT NULL,
    doc        TEXT   NOT NULL,
    CONSTRAINT security_group_pk PRIMARY KEY (id),
    CONSTRAINT security_group_name UNIQUE (vpc_id, name),
    CONSTRAINT security_group_vpc_fk FOREIGN KEY (vpc_id) REFERENCES vpc (id)
);
CREATE INDEX security_group_by_owner ON security_group (account, region, id);
