-- People, who may work for several merchants; their second factors, their sessions, and the log of
-- what they did. A row that belongs to a person is seen by that person's transactions only.

CREATE FUNCTION the_person() RETURNS uuid LANGUAGE sql STABLE AS
    $$ SELECT nullif(current_setting('coinslot.person', true), '')::uuid $$;

CREATE TABLE people (
    id             uuid PRIMARY KEY,
    login          text NOT NULL CHECK (length(login) BETWEEN 1 AND 254),
    name           text NOT NULL DEFAULT '',
    password_hash  text,                        -- NULL: there is no password to guess
    version        integer NOT NULL DEFAULT 1,  -- a session of an older version is over
    created_at     timestamptz NOT NULL,
    disabled_at    timestamptz
);
CREATE UNIQUE INDEX people_login ON people (lower(login));

-- `outlets`: where staff works; everyone else works at all of the merchant's outlets.
CREATE TABLE memberships (
    person_id    uuid NOT NULL REFERENCES people,
    merchant_id  uuid NOT NULL REFERENCES merchants,
    role         text NOT NULL CHECK (role IN ('admin', 'operator', 'viewer', 'staff')),
    outlets      text[] NOT NULL DEFAULT '{}',
    version      integer NOT NULL DEFAULT 1,  -- a session of an older version is over
    created_at   timestamptz NOT NULL,
    ended_at     timestamptz,
    PRIMARY KEY (person_id, merchant_id),
    CONSTRAINT staff_has_an_outlet CHECK ((role = 'staff') = (outlets <> '{}'))
);
CREATE INDEX memberships_merchant ON memberships (merchant_id);

-- Whoever runs the installation: a role of its own, of no merchant.
CREATE TABLE installation_admins (
    person_id   uuid PRIMARY KEY REFERENCES people,
    version     integer NOT NULL DEFAULT 1,
    created_at  timestamptz NOT NULL,
    ended_at    timestamptz
);

-- `secret` is sealed (a TOTP key); of a passkey the public key is kept.
CREATE TABLE second_factors (
    id             uuid PRIMARY KEY,
    person_id      uuid NOT NULL REFERENCES people,
    kind           text NOT NULL CHECK (kind IN ('totp', 'passkey')),
    name           text NOT NULL DEFAULT '',
    secret         bytea,
    last_step      bigint NOT NULL DEFAULT 0,  -- of TOTP: a code of this step or before is used up
    credential_id  bytea UNIQUE,
    public_key     bytea,
    sign_count     bigint NOT NULL DEFAULT 0,
    created_at     timestamptz NOT NULL,
    confirmed_at   timestamptz,
    used_at        timestamptz,
    removed_at     timestamptz,
    CONSTRAINT a_factor_has_what_proves_it CHECK (
        CASE kind WHEN 'totp' THEN secret IS NOT NULL
        ELSE credential_id IS NOT NULL AND public_key IS NOT NULL END)
);
CREATE INDEX second_factors_person ON second_factors (person_id);

CREATE TABLE recovery_codes (
    person_id   uuid NOT NULL REFERENCES people,
    digest      text NOT NULL,
    created_at  timestamptz NOT NULL,
    used_at     timestamptz,
    PRIMARY KEY (person_id, digest)
);

-- Where someone is signed in. `for_merchant` is NULL for the installation.
CREATE TABLE sessions (
    id              uuid PRIMARY KEY,
    person_id       uuid NOT NULL REFERENCES people,
    for_merchant    uuid REFERENCES merchants,
    kind            text NOT NULL CHECK (kind IN ('token', 'cookie')),
    secret_hash     bytea UNIQUE,  -- of the cookie; a client with tokens has refresh_tokens
    factors         text[] NOT NULL,
    person_version  integer NOT NULL,
    grant_version   integer NOT NULL,
    address         text NOT NULL,
    agent           text NOT NULL DEFAULT '',
    created_at      timestamptz NOT NULL,
    proved_at       timestamptz NOT NULL,  -- when the person last showed a factor
    used_at         timestamptz NOT NULL,
    expires_at      timestamptz NOT NULL,
    ended_at        timestamptz,
    ended_because   text,
    CONSTRAINT a_cookie_has_a_secret CHECK ((kind = 'cookie') = (secret_hash IS NOT NULL)),
    CONSTRAINT an_end_has_a_reason CHECK ((ended_at IS NULL) = (ended_because IS NULL))
);
CREATE INDEX sessions_person ON sessions (person_id) WHERE ended_at IS NULL;
CREATE INDEX sessions_expired ON sessions (expires_at);

-- One family per session. `successor` is sealed: the same token is answered again for a moment.
CREATE TABLE refresh_tokens (
    hash        bytea PRIMARY KEY,
    person_id   uuid NOT NULL REFERENCES people,
    session_id  uuid NOT NULL REFERENCES sessions,
    issued_at   timestamptz NOT NULL,
    used_at     timestamptz,
    successor   bytea,
    CONSTRAINT a_used_token_has_a_successor CHECK ((used_at IS NULL) = (successor IS NULL))
);
CREATE INDEX refresh_tokens_session ON refresh_tokens (session_id);

-- A challenge is signed, not stored; only that it was used is.
CREATE TABLE used_challenges (
    id         uuid PRIMARY KEY,
    person_id  uuid NOT NULL REFERENCES people,
    at         timestamptz NOT NULL
);
CREATE INDEX used_challenges_at ON used_challenges (at);

-- Tries to guess, by a digest of who is guessed at and from where.
CREATE TABLE sign_in_tries (
    subject  text PRIMARY KEY,
    tries    integer NOT NULL,
    since    timestamptz NOT NULL
);
CREATE INDEX sign_in_tries_since ON sign_in_tries (since);

-- `merchant_id` is NULL for what concerns a person or the installation alone, `person_id` for what
-- the command line did.
CREATE TABLE audit_log (
    seq          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    merchant_id  uuid REFERENCES merchants,
    person_id    uuid REFERENCES people,
    session_id   uuid,
    factors      text[] NOT NULL,
    address      text NOT NULL,
    action       text NOT NULL,
    subject      text NOT NULL DEFAULT '',
    before       jsonb,
    after        jsonb,
    reason       text NOT NULL DEFAULT '',
    at           timestamptz NOT NULL
);
CREATE INDEX audit_log_merchant ON audit_log (merchant_id, seq);
CREATE INDEX audit_log_person ON audit_log (person_id, seq);

ALTER TABLE merchants
    ADD COLUMN second_factor_required boolean NOT NULL DEFAULT false,
    ADD COLUMN allowed_networks text[] NOT NULL DEFAULT '{}';  -- none: from anywhere

ALTER TABLE installation ADD COLUMN jwt_secret bytea;  -- sealed; made when no setting names one
GRANT UPDATE (jwt_secret) ON installation TO coinslot_door;

DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['people', 'memberships', 'installation_admins', 'second_factors',
        'recovery_codes', 'sessions', 'refresh_tokens', 'used_challenges', 'sign_in_tries',
        'audit_log']
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY door ON %I TO coinslot_door USING (true)', t);
        EXECUTE format('CREATE POLICY owner ON %I TO coinslot_owner USING (true)', t);
        EXECUTE format('GRANT SELECT ON %I TO coinslot_door', t);
    END LOOP;
    FOREACH t IN ARRAY ARRAY['second_factors', 'recovery_codes', 'sessions', 'refresh_tokens',
        'used_challenges']
    LOOP
        EXECUTE format('CREATE POLICY own ON %I TO coinslot_app USING (person_id = the_person())',
            t);
        EXECUTE format('GRANT SELECT, INSERT ON %I TO coinslot_app', t);
    END LOOP;
END $$;

CREATE POLICY own ON people TO coinslot_app USING (id = the_person());
CREATE POLICY colleagues ON people FOR SELECT TO coinslot_app USING (EXISTS (
    SELECT FROM memberships m WHERE m.person_id = people.id AND m.merchant_id = the_merchant()));
CREATE POLICY own ON memberships TO coinslot_app USING (merchant_id = the_merchant());
CREATE POLICY own ON audit_log TO coinslot_app USING
    (merchant_id = the_merchant() OR (merchant_id IS NULL AND person_id = the_person()));

-- The password's hash is read by the system login alone, before anyone is known.
GRANT SELECT (id, login, name, version, created_at, disabled_at), INSERT,
    UPDATE (name, password_hash, version, disabled_at) ON people TO coinslot_app;
GRANT SELECT, INSERT, UPDATE (role, outlets, version, ended_at) ON memberships TO coinslot_app;
GRANT SELECT, INSERT ON audit_log TO coinslot_app;
GRANT UPDATE (name, last_step, sign_count, confirmed_at, used_at, removed_at) ON second_factors
    TO coinslot_app;
GRANT UPDATE (used_at) ON recovery_codes TO coinslot_app;
GRANT UPDATE (proved_at, used_at, ended_at, ended_because) ON sessions TO coinslot_app;
GRANT UPDATE (used_at, successor) ON refresh_tokens TO coinslot_app;
GRANT UPDATE (used_at) ON sessions TO coinslot_door;
-- The application's login makes nobody an admin of the installation.
GRANT INSERT, UPDATE (version, ended_at) ON installation_admins TO coinslot_door;
GRANT INSERT, UPDATE ON sign_in_tries TO coinslot_door;
GRANT INSERT ON audit_log TO coinslot_door;

-- Nobody could sign in until now: of two logins that differ in case alone, the first stays.
INSERT INTO people (id, login, password_hash, created_at)
SELECT DISTINCT ON (lower(login)) id, login, password_hash, created_at FROM members
ORDER BY lower(login), created_at, id;
INSERT INTO memberships (person_id, merchant_id, role, created_at)
SELECT id, merchant_id, role, created_at FROM members WHERE id IN (SELECT id FROM people);
DROP TABLE members;
