-- An order of which anything was handed over is completed, whatever went back beside it. Until here
-- one that had to give back any part failed: what was written under that rule is read by it.

-- Since when a rule holds: it judges entries of the event log behind `after_seq`.
CREATE TABLE rules (
    name       text PRIMARY KEY,
    after_seq  bigint NOT NULL
);
INSERT INTO rules (name, after_seq)
    SELECT 'partly_handed_over_is_completed', coalesce(max(seq), 0) FROM events;
