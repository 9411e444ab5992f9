-- Audits that the worker made: who asked, when, and what was found. Of the whole installation, so
-- no merchant's; the system login alone reads and writes them.
CREATE TABLE audit_runs (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    asked_by      text NOT NULL,              -- a login; empty: the worker, by itself
    asked_at      timestamptz NOT NULL,
    started_at    timestamptz,
    leased_until  timestamptz,
    tries         integer NOT NULL DEFAULT 0,
    ended_at      timestamptz,
    ok            boolean,
    report        jsonb,
    failure       text,                        -- it could not be made
    CONSTRAINT an_audit_that_ended_says_how CHECK
        ((ended_at IS NULL) = (report IS NULL AND failure IS NULL)
        AND (report IS NULL) = (ok IS NULL))
);
-- Two people who ask at once wait for the same one.
CREATE UNIQUE INDEX audit_runs_one_waits ON audit_runs ((true)) WHERE ended_at IS NULL;
GRANT SELECT, INSERT ON audit_runs TO coinslot_door;
GRANT UPDATE (started_at, leased_until, tries, ended_at, ok, report, failure) ON audit_runs
    TO coinslot_door;

-- Signs the proofs of orders (Ed25519); sealed, made when the first is asked for.
ALTER TABLE installation ADD COLUMN proof_key bytea;
GRANT UPDATE (proof_key) ON installation TO coinslot_door;

-- The worker audits with the system login: it reads what the owner reads.
GRANT SELECT ON rules TO coinslot_door;
