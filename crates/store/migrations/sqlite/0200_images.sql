-- Images. `doc` is the whole noun; the columns repeat what SQL has to see.

CREATE TABLE image (
    id          TEXT   NOT NULL,
    account     TEXT   NOT NULL,
    region      TEXT   NOT NULL,
    name        TEXT   NOT NULL,
    state       TEXT   NOT NULL,
    create_time BIGINT NOT NULL,
    -- When it was deregistered. Such an image is known for a while and then forgotten.
    deregistered BIGINT,
    generation  BIGINT NOT NULL,
    doc         TEXT   NOT NULL,
    CONSTRAINT image_pk PRIMARY KEY (id)
);
CREATE INDEX image_by_owner ON image (account, region, create_time, id);
-- The name of a deregistered image may be given to another.
CREATE UNIQUE INDEX image_name ON image (account, region, name) WHERE deregistered IS NULL;
