-- Tasks that replace the root volumes of instances, also those that are over.
CREATE TABLE replace_root_task (
    id          TEXT   NOT NULL,
    account     TEXT   NOT NULL,
    region      TEXT   NOT NULL,
    instance_id TEXT   NOT NULL,
    start_time  BIGINT NOT NULL,
    generation  BIGINT NOT NULL,
    doc         TEXT   NOT NULL,
    CONSTRAINT replace_root_task_pk PRIMARY KEY (id)
);
CREATE INDEX replace_root_task_by_owner ON replace_root_task (account, region, start_time, id);
CREATE INDEX replace_root_task_by_instance ON replace_root_task (instance_id, start_time);
