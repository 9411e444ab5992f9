-- Firmware: the keys that may sign, the builds, and the waves in which machines get one.

-- As the machine says in its HELLO. `build_sequence`: of the build that it runs.
ALTER TABLE devices ADD COLUMN hardware text, ADD COLUMN build_sequence bigint;

-- The public half of a key; the other half never comes here.
CREATE TABLE firmware_keys (
    id            uuid PRIMARY KEY,
    merchant_id   uuid NOT NULL REFERENCES merchants,
    name          text NOT NULL CHECK (length(name) BETWEEN 1 AND 60),
    public_key    bytea NOT NULL CHECK (octet_length(public_key) = 32),
    added_at      timestamptz NOT NULL,
    retired_at    timestamptz,
    UNIQUE (merchant_id, public_key)
);

-- What was signed, as it was signed. The image lies in the storage under its digest.
CREATE TABLE firmware_builds (
    id            uuid PRIMARY KEY,
    merchant_id   uuid NOT NULL REFERENCES merchants,
    key_id        uuid NOT NULL REFERENCES firmware_keys,
    build_version text NOT NULL,
    sequence      bigint NOT NULL CHECK (sequence > 0),
    hardware      text NOT NULL,
    kind          text NOT NULL,
    size          integer NOT NULL CHECK (size > 0),
    sha256        text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    min_from      bigint NOT NULL,
    formats       integer[] NOT NULL CHECK (cardinality(formats) > 0),
    expires_at    timestamptz NOT NULL,
    manifest      text NOT NULL,
    signature     bytea NOT NULL CHECK (octet_length(signature) = 64),
    uploaded_by   text NOT NULL,
    uploaded_at   timestamptz NOT NULL,
    UNIQUE (merchant_id, hardware, kind, sequence)
);

CREATE TABLE rollouts (
    id            uuid PRIMARY KEY,
    merchant_id   uuid NOT NULL REFERENCES merchants,
    build_id      uuid NOT NULL REFERENCES firmware_builds,
    hardware      text NOT NULL,
    kind          text NOT NULL,
    state         text NOT NULL DEFAULT 'draft',
    version       integer NOT NULL DEFAULT 1,
    rules         jsonb NOT NULL,
    machines      text[],                    -- none: every machine of this hardware, later ones too
    stage         integer NOT NULL DEFAULT 0,
    stage_at      timestamptz,
    soak_at       timestamptz,
    soak_until    timestamptz,
    pause         jsonb,                     -- why it is paused, with the numbers
    forgiven      integer NOT NULL DEFAULT 0,  -- failures that a person has seen, and went on
    sampled_at    timestamptz,
    created_by    text NOT NULL,
    created_at    timestamptz NOT NULL,
    started_at    timestamptz,
    ended_at      timestamptz,
    due_at        timestamptz,
    leased_until  timestamptz,
    lease         integer NOT NULL DEFAULT 0
);
CREATE INDEX rollouts_due ON rollouts (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX rollouts_newest ON rollouts (merchant_id, created_at DESC, id DESC);
-- Two waves at once would each be the other's weather.
CREATE UNIQUE INDEX rollouts_one ON rollouts (merchant_id, hardware, kind)
    WHERE state IN ('running', 'soaking', 'paused');

-- `code`: what the machine or we say of how it ended. `boot_before`: the boot that GO was given to.
-- `samples`: how often the machine was looked at in the soak; `unheard`: and was offline then.
CREATE TABLE machine_updates (
    id             uuid PRIMARY KEY,
    merchant_id    uuid NOT NULL REFERENCES merchants,
    rollout_id     uuid NOT NULL REFERENCES rollouts,
    outlet_id      text NOT NULL REFERENCES outlets,
    place          text NOT NULL,
    stage          integer NOT NULL,
    state          text NOT NULL DEFAULT 'waiting',
    version        integer NOT NULL DEFAULT 1,
    attempt        integer NOT NULL DEFAULT 0,
    code           text,
    offered_at     timestamptz,
    attempt_until  timestamptz,
    go_at          timestamptz,
    boot_before    text,
    confirmed_at   timestamptz,
    boots          integer NOT NULL DEFAULT 0,
    boot_seen      text,
    samples        integer NOT NULL DEFAULT 0,
    unheard        integer NOT NULL DEFAULT 0,
    ended_at       timestamptz,
    created_at     timestamptz NOT NULL,
    due_at         timestamptz,
    leased_until   timestamptz,
    lease          integer NOT NULL DEFAULT 0,
    UNIQUE (rollout_id, outlet_id),
    CONSTRAINT nothing_is_installed_without_go CHECK (go_at IS NOT NULL
        OR state NOT IN ('installing', 'trial', 'confirmed', 'rolled_back')),
    CONSTRAINT after_go_there_is_no_other_attempt CHECK (go_at IS NULL
        OR state NOT IN ('waiting', 'offered', 'downloading', 'verified', 'skipped'))
);
CREATE INDEX machine_updates_due ON machine_updates (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX machine_updates_rollout ON machine_updates (rollout_id, state);
CREATE UNIQUE INDEX machine_updates_one ON machine_updates (outlet_id)
    WHERE state IN ('offered', 'downloading', 'verified', 'installing', 'trial');
CREATE INDEX machine_updates_open ON machine_updates (outlet_id)
    WHERE state NOT IN ('confirmed', 'failed', 'rolled_back', 'skipped');

DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['firmware_keys', 'firmware_builds', 'rollouts', 'machine_updates'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY own ON %I TO coinslot_app
            USING (merchant_id = the_merchant())', t);
        EXECUTE format('CREATE POLICY door ON %I TO coinslot_door USING (true)', t);
        EXECUTE format('CREATE POLICY owner ON %I TO coinslot_owner USING (true)', t);
        EXECUTE format('GRANT SELECT, INSERT ON %I TO coinslot_app', t);
        EXECUTE format('GRANT SELECT ON %I TO coinslot_door', t);
    END LOOP;
    FOREACH t IN ARRAY ARRAY['rollouts', 'machine_updates'] LOOP
        EXECUTE format('GRANT UPDATE ON %I TO coinslot_app', t);
        EXECUTE format('GRANT UPDATE (due_at, leased_until, lease) ON %I TO coinslot_door', t);
        EXECUTE format('CREATE TRIGGER lease_is_held BEFORE UPDATE ON %I FOR EACH ROW
            WHEN (current_setting(''coinslot.lease'', true) LIKE %L || OLD.id || '' %%''
                AND current_setting(''coinslot.lease'', true) <> %L || OLD.id || '' '' || OLD.lease)
            EXECUTE FUNCTION refuse_lost_lease()', t, t || ' ', t || ' ');
    END LOOP;
END $$;
GRANT UPDATE (retired_at) ON firmware_keys TO coinslot_app;
