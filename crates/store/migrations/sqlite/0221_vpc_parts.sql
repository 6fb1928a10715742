-- What comes with a VPC and has an id and tags of its own: its main route table, its network access control list, the
-- gateway of a default VPC; and the DHCP options of each region, which have no VPC.
CREATE TABLE vpc_part (
    id         TEXT   NOT NULL,
    account    TEXT   NOT NULL,
    region     TEXT   NOT NULL,
    vpc_id     TEXT,
    generation BIGINT NOT NULL,
    doc        TEXT   NOT NULL,
    CONSTRAINT vpc_part_pk PRIMARY KEY (id),
    CONSTRAINT vpc_part_vpc_fk FOREIGN KEY (vpc_id) REFERENCES vpc (id) ON DELETE CASCADE
);
CREATE INDEX vpc_part_by_owner ON vpc_part (account, region, id);

-- The VPCs that there are, all of them default ones, get theirs under ids made of their own.
INSERT INTO vpc_part (id, account, region, vpc_id, generation, doc)
SELECT replace(id, 'vpc-', prefix), account, region, iif(kind = 'DhcpOptions', NULL, id), 1,
       json_object('id', replace(id, 'vpc-', prefix), 'kind', kind, 'account', account, 'region', region,
                   'vpc_id', iif(kind = 'DhcpOptions', NULL, id))
FROM vpc, (SELECT 'RouteTable' AS kind, 'rtb-' AS prefix UNION ALL SELECT 'NetworkAcl', 'acl-'
           UNION ALL SELECT 'InternetGateway', 'igw-' UNION ALL SELECT 'DhcpOptions', 'dopt-');
