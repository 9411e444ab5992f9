-- Telling people: what is the matter, who wants to hear of it, and what goes out to them.

-- What is the matter now, or was. Of a merchant: found by looking at the rows, so that nothing is
-- missed however long nobody looked. Of a person (`merchant_id` NULL): written with what happened.
-- `told_at` and `end_told_at` are set in the transaction that queues the notices.
CREATE TABLE alerts (
    id           uuid PRIMARY KEY,
    merchant_id  uuid REFERENCES merchants,
    person_id    uuid REFERENCES people,
    kind         text NOT NULL,
    subject      text NOT NULL,
    data         jsonb NOT NULL DEFAULT '{}',
    opened_at    timestamptz NOT NULL,
    back_since   timestamptz,              -- well again since; it ends when that has lasted
    ended_at     timestamptz,
    told_at      timestamptz,
    end_told_at  timestamptz,              -- without `told_at`: it was over before anyone was told
    CONSTRAINT an_alert_is_a_merchants_or_a_persons CHECK
        ((merchant_id IS NULL) <> (person_id IS NULL))
);
CREATE UNIQUE INDEX alerts_open ON alerts (merchant_id, kind, subject) WHERE ended_at IS NULL;
CREATE INDEX alerts_untold ON alerts (opened_at) WHERE end_told_at IS NULL;
CREATE INDEX alerts_told ON alerts (merchant_id, kind, told_at);
CREATE INDEX alerts_ended ON alerts (ended_at) WHERE ended_at IS NOT NULL;

-- How one person is reached. Minutes are of the day in `zone`; no quiet hours where both are NULL.
CREATE TABLE notice_settings (
    person_id             uuid PRIMARY KEY REFERENCES people,
    address        text,          -- confirmed; NULL: the login, where that is an address
    asked_address  text,          -- named, and not confirmed yet
    confirm_hash   bytea UNIQUE,  -- of the link that confirms it
    confirm_until  timestamptz,
    language       text NOT NULL,
    zone           text,          -- NULL: the merchant's
    quiet_from     smallint CHECK (quiet_from BETWEEN 0 AND 1439),
    quiet_to       smallint CHECK (quiet_to BETWEEN 0 AND 1439),
    digest_at      smallint NOT NULL CHECK (digest_at BETWEEN 0 AND 1439),
    CONSTRAINT quiet_hours_begin_and_end CHECK ((quiet_from IS NULL) = (quiet_to IS NULL))
);

CREATE TABLE notice_choices (
    person_id    uuid NOT NULL REFERENCES people,
    merchant_id  uuid NOT NULL REFERENCES merchants,
    event        text NOT NULL,
    mail         text NOT NULL CHECK (mail IN ('now', 'digest', 'off')),
    push         boolean NOT NULL,
    PRIMARY KEY (person_id, merchant_id, event)
);

-- A browser that shows notices. A subscription of an older version of its person is over.
CREATE TABLE push_subscriptions (
    id              uuid PRIMARY KEY,
    person_id       uuid NOT NULL REFERENCES people,
    person_version  integer NOT NULL,
    endpoint        text NOT NULL,
    p256dh          text NOT NULL,
    auth            text NOT NULL,
    agent           text NOT NULL DEFAULT '',
    created_at      timestamptz NOT NULL,
    ended_at        timestamptz,
    ended_because   text,
    CONSTRAINT an_end_has_a_reason CHECK ((ended_at IS NULL) = (ended_because IS NULL))
);
CREATE UNIQUE INDEX push_subscriptions_open ON push_subscriptions (endpoint)
    WHERE ended_at IS NULL;
CREATE INDEX push_subscriptions_person ON push_subscriptions (person_id);

-- One notice to one address or browser: due until it is sent, withdrawn, or given up. `channel` is
-- the lane: a service that does not answer delays its own alone. `sealed` is a body with a secret
-- in it, and gone when the notice is.
CREATE TABLE notices (
    id            uuid PRIMARY KEY,
    merchant_id   uuid REFERENCES merchants,
    person_id     uuid REFERENCES people,
    purpose       text NOT NULL,
    channel       text NOT NULL,
    target        text NOT NULL,
    dedup         text NOT NULL UNIQUE,
    permission    text NOT NULL DEFAULT '', -- whoever lost one of these meanwhile is not told
    subject       text NOT NULL,
    body          text NOT NULL,
    sealed        bytea,
    link          text NOT NULL DEFAULT '',
    language      text NOT NULL DEFAULT 'en',
    created_at    timestamptz NOT NULL,
    expires_at    timestamptz NOT NULL,
    tries         integer NOT NULL DEFAULT 0,
    outcome       text CHECK (outcome IN ('sent', 'withdrawn', 'given_up')),
    failure       text,
    ended_at      timestamptz,
    due_at        timestamptz,
    leased_until  timestamptz,
    lease         integer NOT NULL DEFAULT 0,
    CONSTRAINT a_notice_is_due_until_it_ends
        CHECK ((outcome IS NULL) = (due_at IS NOT NULL) AND (outcome IS NULL) = (ended_at IS NULL)),
    CONSTRAINT no_secret_outlives_its_notice CHECK (outcome IS NULL OR sealed IS NULL)
);
CREATE INDEX notices_due ON notices (channel, due_at, id) WHERE due_at IS NOT NULL;
CREATE INDEX notices_person ON notices (person_id, id);
CREATE INDEX notices_merchant ON notices (merchant_id, id) WHERE person_id IS NULL;
CREATE INDEX notices_ended ON notices (ended_at) WHERE ended_at IS NOT NULL;

CREATE TRIGGER lease_is_held BEFORE UPDATE ON notices FOR EACH ROW
    WHEN (current_setting('coinslot.lease', true) LIKE 'notices ' || OLD.id || ' %'
        AND current_setting('coinslot.lease', true) <> 'notices ' || OLD.id || ' ' || OLD.lease)
    EXECUTE FUNCTION refuse_lost_lease();

-- From which network someone signed in: a new one is told to them.
ALTER TABLE sessions ADD COLUMN network text NOT NULL DEFAULT '';

-- The key that signs calls to push services; sealed, made when it is first needed.
ALTER TABLE installation ADD COLUMN push_key bytea;
GRANT UPDATE (push_key) ON installation TO coinslot_door;

DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['alerts', 'notice_settings', 'notice_choices', 'push_subscriptions',
        'notices']
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY door ON %I TO coinslot_door USING (true)', t);
        EXECUTE format('CREATE POLICY owner ON %I TO coinslot_owner USING (true)', t);
        EXECUTE format('GRANT SELECT ON %I TO coinslot_app, coinslot_door', t);
    END LOOP;
    FOREACH t IN ARRAY ARRAY['notice_settings', 'push_subscriptions'] LOOP
        EXECUTE format('CREATE POLICY own ON %I TO coinslot_app USING (person_id = the_person())',
            t);
        EXECUTE format('GRANT INSERT ON %I TO coinslot_app', t);
    END LOOP;
END $$;
CREATE POLICY own ON alerts TO coinslot_app USING
    (merchant_id = the_merchant() OR (merchant_id IS NULL AND person_id = the_person()));
CREATE POLICY own ON notice_choices TO coinslot_app USING
    (person_id = the_person() AND merchant_id = the_merchant());
GRANT INSERT ON alerts, notice_choices TO coinslot_app;
-- Mail to an address that is nobody's yet belongs to the merchant that invites.
CREATE POLICY own ON notices TO coinslot_app USING
    (person_id = the_person() OR (person_id IS NULL AND merchant_id = the_merchant()));
GRANT INSERT ON notices TO coinslot_app;
GRANT UPDATE ON notice_settings TO coinslot_app;
GRANT UPDATE (mail, push) ON notice_choices TO coinslot_app;
GRANT UPDATE (ended_at, ended_because, person_version, p256dh, auth, agent) ON push_subscriptions
    TO coinslot_app;
GRANT INSERT, UPDATE (back_since, ended_at, told_at, end_told_at) ON alerts TO coinslot_door;
GRANT UPDATE (ended_at, ended_because) ON push_subscriptions TO coinslot_door;
GRANT UPDATE (address, asked_address, confirm_hash, confirm_until) ON notice_settings
    TO coinslot_door;
GRANT INSERT, UPDATE (subject, body, permission, sealed, target, tries, outcome, failure,
    ended_at, due_at, leased_until, lease) ON notices TO coinslot_door;
