-- Invitations, passwords that are set anew, and the first account of an installation.

-- `merchant_id` is NULL for an invitation to run the installation; `role` is 'installation' then.
CREATE TABLE invitations (
    id           uuid PRIMARY KEY,
    merchant_id  uuid REFERENCES merchants,
    address      text NOT NULL CHECK (length(address) BETWEEN 1 AND 254),  -- the login-to-be
    role         text NOT NULL,
    outlets      text[] NOT NULL DEFAULT '{}',
    token_hash   bytea NOT NULL UNIQUE,
    code_digest  text NOT NULL,
    invited_by   uuid REFERENCES people,  -- NULL: the command line
    created_at   timestamptz NOT NULL,
    expires_at   timestamptz NOT NULL,
    accepted_at  timestamptz,
    accepted_by  uuid REFERENCES people,
    revoked_at   timestamptz,
    CONSTRAINT an_invitation_of_a_merchant_has_its_role CHECK (
        CASE WHEN merchant_id IS NULL THEN role = 'installation' AND outlets = '{}'
        ELSE role IN ('admin', 'operator', 'viewer', 'staff')
            AND (role = 'staff') = (outlets <> '{}') END),
    CONSTRAINT who_accepted_is_known CHECK ((accepted_at IS NULL) = (accepted_by IS NULL))
);
CREATE INDEX invitations_merchant ON invitations (merchant_id, created_at);
CREATE INDEX invitations_address ON invitations (lower(address));

CREATE TABLE password_resets (
    id             uuid PRIMARY KEY,
    person_id      uuid NOT NULL REFERENCES people,
    token_hash     bytea NOT NULL UNIQUE,
    drops_factors  boolean NOT NULL,
    created_at     timestamptz NOT NULL,
    expires_at     timestamptz NOT NULL,
    used_at        timestamptz
);
CREATE INDEX password_resets_person ON password_resets (person_id);

-- Printed by `serve` while nobody runs the installation; worth nothing after that.
CREATE TABLE first_run_tokens (
    hash     bytea PRIMARY KEY,
    made_at  timestamptz NOT NULL
);

DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['invitations', 'password_resets', 'first_run_tokens']
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY door ON %I TO coinslot_door USING (true)', t);
        EXECUTE format('CREATE POLICY owner ON %I TO coinslot_owner USING (true)', t);
        EXECUTE format('GRANT SELECT ON %I TO coinslot_door', t);
    END LOOP;
END $$;
CREATE POLICY own ON invitations TO coinslot_app USING (merchant_id = the_merchant());
CREATE POLICY own ON password_resets TO coinslot_app USING (person_id = the_person());
GRANT SELECT, INSERT, UPDATE (accepted_at, accepted_by, revoked_at) ON invitations TO coinslot_app;
GRANT SELECT, INSERT, UPDATE (used_at) ON password_resets TO coinslot_app;
-- Who runs the installation is of no merchant: the system login writes it, in one transaction.
GRANT INSERT, UPDATE (accepted_at, accepted_by, revoked_at) ON invitations TO coinslot_door;
GRANT INSERT ON first_run_tokens TO coinslot_door;
GRANT INSERT (id, login, name, password_hash, created_at) ON people TO coinslot_door;
