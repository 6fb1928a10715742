-- Launch templates and their versions, which never change and whose numbers are never used again.
CREATE TABLE launch_template (
    id         TEXT   NOT NULL,
    account    TEXT   NOT NULL,
    region     TEXT   NOT NULL,
    name       TEXT   NOT NULL,
    generation BIGINT NOT NULL,
    doc        TEXT   NOT NULL,
    CONSTRAINT launch_template_pk PRIMARY KEY (id),
    CONSTRAINT launch_template_name UNIQUE (account, region, name)
);

CREATE TABLE launch_template_version (
    template_id TEXT   NOT NULL,
    number      BIGINT NOT NULL,
    doc         TEXT   NOT NULL,
    CONSTRAINT launch_template_version_pk PRIMARY KEY (template_id, number),
    CONSTRAINT launch_template_version_template_fk FOREIGN KEY (template_id) REFERENCES launch_template (id) ON DELETE CASCADE
);
