-- Who owns things. Times are microseconds since the Unix epoch, everywhere.

CREATE TABLE account (
    -- Twelve digits.
    id       TEXT   NOT NULL,
    name     TEXT,
    -- 1 for the account that may make others: the first one.
    operator BIGINT NOT NULL,
    created  BIGINT NOT NULL,
    CONSTRAINT account_pk PRIMARY KEY (id),
    CONSTRAINT account_operator_is_boolean CHECK (operator IN (0, 1))
);

-- Signatures are HMACs, so the secret itself has to be kept. The file is its owner's alone.
CREATE TABLE access_key (
    id      TEXT   NOT NULL,
    account TEXT   NOT NULL,
    secret  TEXT   NOT NULL,
    created BIGINT NOT NULL,
    CONSTRAINT access_key_pk PRIMARY KEY (id),
    CONSTRAINT access_key_account_fk FOREIGN KEY (account) REFERENCES account (id)
);
CREATE INDEX access_key_by_account ON access_key (account);

-- Keys that the server drew for itself, such as the one that seals page tokens. Hexadecimal.
CREATE TABLE server_secret (
    name  TEXT NOT NULL,
    value TEXT NOT NULL,
    CONSTRAINT server_secret_pk PRIMARY KEY (name)
);

-- Scopes of deduplication: one for each region, account and key. `key` is empty for blocks that
-- are not encrypted. Numbers are written into packs, so one is never given out twice.
CREATE TABLE domain (
    id      INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    region  TEXT    NOT NULL,
    account TEXT    NOT NULL,
    key     TEXT    NOT NULL,
    CONSTRAINT domain_scope UNIQUE (region, account, key)
);

-- Idempotency tokens: what a create call was asked and what it made, written in the transaction
-- that made it.
CREATE TABLE token (
    account   TEXT   NOT NULL,
    region    TEXT   NOT NULL,
    operation TEXT   NOT NULL,
    token     TEXT   NOT NULL,
    -- SHA-256 over the request, hexadecimal.
    request   TEXT   NOT NULL,
    -- The id of what was made.
    result    TEXT   NOT NULL,
    created   BIGINT NOT NULL,
    CONSTRAINT token_pk PRIMARY KEY (account, region, operation, token)
);
CREATE INDEX token_by_age ON token (created);
