-- Reports on who uses an image. `doc` is the whole report, with its entries once there are some.

CREATE TABLE image_usage_report (
    id          TEXT   NOT NULL,
    account     TEXT   NOT NULL,
    region      TEXT   NOT NULL,
    create_time BIGINT NOT NULL,
    generation  BIGINT NOT NULL,
    doc         TEXT   NOT NULL,
    CONSTRAINT image_usage_report_pk PRIMARY KEY (id)
);
CREATE INDEX image_usage_report_by_owner ON image_usage_report (account, region, create_time, id);
-- Who uses an image, whoever owns it.
CREATE INDEX instance_by_image ON instance (image_id);
