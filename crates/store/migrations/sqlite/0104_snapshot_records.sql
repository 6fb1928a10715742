-- Snapshots that were completed before there were signatures, and records beside the packs: a job
-- for each of them signs it and writes its record. Later ones get both when they are completed.
INSERT INTO job (kind, subject, payload, step, attempts, not_before, state, error, created, updated)
SELECT 'record-snapshot', id, '{"region":"' || region || '","snapshot":"' || id || '"}',
       0, 0, 0, 'ready', NULL, 0, 0
FROM snapshot
WHERE state = 'completed';
