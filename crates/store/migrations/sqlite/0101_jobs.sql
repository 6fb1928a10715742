-- Work under way. A job is inserted in the transaction that shows its intent to the world (a
-- volume `creating`), and deleted when it is done. Its steps are idempotent: a server that was
-- killed goes on at the step that the row names.

CREATE TABLE job (
    id         INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    kind       TEXT    NOT NULL,
    -- The resource that it works on; there may be several jobs for one.
    subject    TEXT    NOT NULL,
    -- What it needs to know, as JSON; fixed at insertion.
    payload    TEXT    NOT NULL,
    -- The next step to take, or, while undoing, the last one yet to be undone.
    step       BIGINT  NOT NULL,
    -- How often this step was tried.
    attempts   BIGINT  NOT NULL,
    not_before BIGINT  NOT NULL,
    state      TEXT    NOT NULL,
    -- Why the last attempt failed, or why the job is being undone.
    error      TEXT,
    created    BIGINT  NOT NULL,
    updated    BIGINT  NOT NULL,
    -- `failed` jobs have been undone; they stay for people to read.
    CONSTRAINT job_state CHECK (state IN ('ready', 'undoing', 'failed'))
);
CREATE INDEX job_by_due ON job (state, not_before);
CREATE INDEX job_by_subject ON job (subject);
