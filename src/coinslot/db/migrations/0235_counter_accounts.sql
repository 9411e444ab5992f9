-- A customer who stays signed in: an account of the phone or the address that a code proved, with a
-- name and a note if they want. Nobody has one who did not ask for it.
CREATE TABLE counter_accounts (
    id            uuid PRIMARY KEY,
    merchant_id   uuid NOT NULL REFERENCES merchants,
    form          text NOT NULL CHECK (form IN ('sms', 'email')),
    digest        text NOT NULL,               -- of the phone or the address; empty once deleted
    name          text NOT NULL DEFAULT '' CHECK (length(name) <= 80),
    note          text NOT NULL DEFAULT '' CHECK (length(note) <= 200),
    card_version  integer NOT NULL DEFAULT 0,  -- of the token that its card has
    made_at       timestamptz NOT NULL,
    deleted_at    timestamptz,
    CONSTRAINT a_deleted_account_names_nobody
        CHECK (deleted_at IS NULL OR (digest, name, note) = ('', '', ''))
);
CREATE UNIQUE INDEX counter_accounts_contact ON counter_accounts (merchant_id, form, digest)
    WHERE deleted_at IS NULL;

-- A browser that is signed in. Its token is kept as a digest, and it ends by itself.
CREATE TABLE counter_sessions (
    id            uuid PRIMARY KEY,
    merchant_id   uuid NOT NULL REFERENCES merchants,
    account_id    uuid NOT NULL REFERENCES counter_accounts,
    token_digest  text NOT NULL UNIQUE,
    began_at      timestamptz NOT NULL,
    expires_at    timestamptz NOT NULL,
    ended_at      timestamptz,
    CONSTRAINT a_session_ends_after_it_began CHECK (expires_at > began_at)
);
CREATE INDEX counter_sessions_account ON counter_sessions (account_id);

DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['counter_accounts', 'counter_sessions'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY own ON %I TO coinslot_app'
            ' USING (merchant_id = the_merchant())', t);
        EXECUTE format('CREATE POLICY door ON %I TO coinslot_door USING (true)', t);
        EXECUTE format('CREATE POLICY owner ON %I TO coinslot_owner USING (true)', t);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE ON %I TO coinslot_app', t);
        EXECUTE format('GRANT SELECT ON %I TO coinslot_door', t);
    END LOOP;
END $$;
