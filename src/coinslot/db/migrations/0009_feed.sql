-- What happened, told to others: the cursors of the log's readers, public events, webhooks.

-- Where each reader of the event log stands. It reads by `seq`; feeds/log.py says how no row that
-- commits late is skipped. `since` is where it began: what is older was never its to tell.
CREATE TABLE feed_cursors (
    name          text PRIMARY KEY,
    seq           bigint NOT NULL,
    since         bigint NOT NULL,
    holder        text,
    leased_until  timestamptz,
    CHECK (seq >= since)
);
INSERT INTO feed_cursors (name, seq, since)
    SELECT 'announce', coalesce(max(seq), 0), coalesce(max(seq), 0) FROM events;

-- One change of state that a merchant is told, under the `seq` of its entry in the log: so it is
-- told once, and by a single writer, which commits in order.
CREATE TABLE public_events (
    seq          bigint PRIMARY KEY,
    id           text NOT NULL UNIQUE,
    merchant_id  uuid NOT NULL REFERENCES merchants,
    type         text NOT NULL,
    line         uuid NOT NULL,               -- told in order: its payment, or its order
    data         jsonb NOT NULL,
    at           timestamptz NOT NULL,
    CONSTRAINT public_events_listed UNIQUE (merchant_id, seq)
);

CREATE TABLE webhook_endpoints (
    id               uuid PRIMARY KEY,
    merchant_id      uuid NOT NULL REFERENCES merchants,
    url              text NOT NULL,
    description      text NOT NULL,
    types            text[] NOT NULL,         -- none: every type
    status           text NOT NULL CHECK (status IN ('enabled', 'paused', 'disabled')),
    disabled_reason  text,
    secret           bytea,                   -- sealed; gone when the endpoint is
    secret_set_at    timestamptz NOT NULL,
    old_secret       bytea,                   -- signs too until `old_secret_until`
    old_secret_until timestamptz,
    failing_since    timestamptz,
    not_before       timestamptz,             -- it asked for a pause
    created_at       timestamptz NOT NULL,
    deleted_at       timestamptz,
    CONSTRAINT webhook_endpoints_listed UNIQUE (merchant_id, id)
);

-- What an endpoint is owed: one row for it and the event, due until it is delivered or given up.
-- A key that is checked sees the rows of all merchants: it has to name the merchant too.
CREATE TABLE deliveries (
    id            uuid PRIMARY KEY,
    merchant_id   uuid NOT NULL REFERENCES merchants,
    endpoint_id   uuid NOT NULL,
    seq           bigint NOT NULL,
    line          uuid NOT NULL,
    tries         integer NOT NULL DEFAULT 0, -- since it was last asked for
    tried         integer NOT NULL DEFAULT 0, -- in all
    outcome       text CHECK (outcome IN ('delivered', 'given_up', 'withdrawn')),
    created_at    timestamptz NOT NULL,
    ended_at      timestamptz,
    due_at        timestamptz,
    leased_until  timestamptz,
    UNIQUE (endpoint_id, seq),
    CONSTRAINT deliveries_listed UNIQUE (merchant_id, id),
    CONSTRAINT an_endpoint_is_told_by_its_own_merchant
        FOREIGN KEY (merchant_id, endpoint_id) REFERENCES webhook_endpoints (merchant_id, id),
    CONSTRAINT a_merchant_is_told_its_own_events
        FOREIGN KEY (merchant_id, seq) REFERENCES public_events (merchant_id, seq),
    CONSTRAINT a_delivery_is_due_until_it_ends
        CHECK ((outcome IS NULL) = (due_at IS NOT NULL) AND (outcome IS NULL) = (ended_at IS NULL))
);
CREATE INDEX deliveries_due ON deliveries (endpoint_id, due_at, seq) WHERE outcome IS NULL;
CREATE INDEX deliveries_line ON deliveries (endpoint_id, line, seq) WHERE outcome IS NULL;

CREATE TABLE delivery_tries (
    delivery_id  uuid NOT NULL,
    number       integer NOT NULL,
    merchant_id  uuid NOT NULL REFERENCES merchants,
    status       integer,
    failure      text,
    response     text,                        -- its beginning
    took_ms      integer NOT NULL,
    at           timestamptz NOT NULL,
    PRIMARY KEY (delivery_id, number),
    CONSTRAINT a_try_is_of_its_own_merchants_delivery
        FOREIGN KEY (merchant_id, delivery_id) REFERENCES deliveries (merchant_id, id)
);

DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['public_events', 'webhook_endpoints', 'deliveries', 'delivery_tries']
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY own ON %I TO coinslot_app'
            ' USING (merchant_id = the_merchant())', t);
        EXECUTE format('CREATE POLICY door ON %I TO coinslot_door USING (true)', t);
        EXECUTE format('CREATE POLICY owner ON %I TO coinslot_owner USING (true)', t);
        EXECUTE format('GRANT SELECT ON %I TO coinslot_app, coinslot_door', t);
    END LOOP;
END $$;
GRANT SELECT ON feed_cursors TO coinslot_app;
GRANT SELECT, INSERT, UPDATE ON feed_cursors TO coinslot_door;
GRANT SELECT ON SEQUENCE events_seq_seq TO coinslot_app, coinslot_door;
-- The door announces, for all merchants in one transaction, and leases; the rest is the merchant's.
GRANT INSERT ON public_events, deliveries TO coinslot_door;
GRANT UPDATE (leased_until) ON deliveries TO coinslot_door;
GRANT UPDATE (not_before) ON webhook_endpoints TO coinslot_door;  -- so that it may lock them
GRANT INSERT, UPDATE ON webhook_endpoints TO coinslot_app;
GRANT INSERT ON deliveries, delivery_tries TO coinslot_app;
GRANT UPDATE (tries, tried, outcome, ended_at, due_at, leased_until) ON deliveries TO coinslot_app;

ALTER TABLE api_keys ALTER COLUMN scopes SET DEFAULT
    '{payments:read,payments:write,refunds:write,events:read,webhooks:write}';
UPDATE api_keys SET scopes = scopes
    || CASE WHEN scopes @> '{payments:read}' THEN '{events:read}'::text[] ELSE '{}' END
    || CASE WHEN scopes @> '{payments:write}' THEN '{webhooks:write}'::text[] ELSE '{}' END;
