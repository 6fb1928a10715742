-- Key pairs: the public half, and what it is called. The private half is never kept.

CREATE TABLE key_pair (
    id         TEXT   NOT NULL,
    account    TEXT   NOT NULL,
    region     TEXT   NOT NULL,
    name       TEXT   NOT NULL,
    generation BIGINT NOT NULL,
    doc        TEXT   NOT NULL,
    CONSTRAINT key_pair_pk PRIMARY KEY (id),
    CONSTRAINT key_pair_name UNIQUE (account, region, name)
);
