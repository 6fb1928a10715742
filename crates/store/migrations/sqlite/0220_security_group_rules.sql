-- The rules of security groups. What a rule says is unique within its group and direction: the verbs see to it,
-- within the one write transaction that there is at a time.
CREATE TABLE security_group_rule (
    id         TEXT   NOT NULL,
    account    TEXT   NOT NULL,
    region     TEXT   NOT NULL,
    group_id   TEXT   NOT NULL,
    generation BIGINT NOT NULL,
    doc        TEXT   NOT NULL,
    CONSTRAINT security_group_rule_pk PRIMARY KEY (id),
    CONSTRAINT security_group_rule_group_fk FOREIGN KEY (group_id) REFERENCES security_group (id) ON DELETE CASCADE
);
CREATE INDEX security_group_rule_by_owner ON security_group_rule (account, region, id);
CREATE INDEX security_group_rule_by_group ON security_group_rule (group_id);

-- The groups that there are, all of them default ones, get the rules that they were shown with. An id is drawn once, when its
-- row is inserted, and the document made of the row.
INSERT INTO security_group_rule (id, account, region, group_id, generation, doc)
SELECT 'sgr-0' || lower(hex(randomblob(8))), account, region, id, 1, 'in' FROM security_group;
INSERT INTO security_group_rule (id, account, region, group_id, generation, doc)
SELECT 'sgr-0' || lower(hex(randomblob(8))), account, region, id, 1, 'out' FROM security_group;

UPDATE security_group_rule
SET doc = json_object('id', id, 'account', account, 'region', region, 'group_id', group_id, 'is_egress', json('false'),
                      'spec', json_object('protocol', '-1', 'from_port', NULL, 'to_port', NULL,
                                          'peer', json_object('Group', json_object('id', group_id, 'account', account))))
WHERE doc = 'in';
UPDATE security_group_rule
SET doc = json_object('id', id, 'account', account, 'region', region, 'group_id', group_id, 'is_egress', json('true'),
                      'spec', json_object('protocol', '-1', 'from_port', NULL, 'to_port', NULL,
                                          'peer', json_object('Ipv4', '0.0.0.0/0')))
WHERE doc = 'out';
