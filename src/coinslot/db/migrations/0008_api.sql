-- Payments that a merchant's own server asks for: it delivers, and no order of ours is behind.

ALTER TABLE payments
    ALTER COLUMN account_id DROP NOT NULL,     -- routed when it is confirmed
    ADD COLUMN source text NOT NULL DEFAULT 'order' CHECK (source IN ('order', 'api')),
    ADD COLUMN reference text,                 -- the merchant's own name for it
    ADD COLUMN description text NOT NULL DEFAULT '',
    ADD COLUMN metadata jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN gateway text,                   -- asked for by name; else the first that can
    ADD COLUMN return_url text,
    ADD CONSTRAINT an_order_or_the_api CHECK ((source = 'order') = (order_id IS NOT NULL));
CREATE INDEX payments_listed ON payments (merchant_id, id) WHERE source = 'api';

-- Its key exists before the gateway is called, and is sent again only within the key's life.
ALTER TABLE attempts
    ADD COLUMN number integer NOT NULL DEFAULT 1,
    ADD COLUMN key text UNIQUE,
    ADD COLUMN key_sent_at timestamptz,
    ADD COLUMN method text,
    ADD COLUMN reference text,                 -- what `collect` made there: session, order, payment
    ADD COLUMN action jsonb,                   -- where the payer goes, or what is scanned
    ADD COLUMN tries integer NOT NULL DEFAULT 0,
    ADD COLUMN due_at timestamptz,
    ADD COLUMN leased_until timestamptz,
    ADD CONSTRAINT attempts_number UNIQUE (payment_id, number);
CREATE INDEX attempts_due ON attempts (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX attempts_reference ON attempts (account_id, reference) WHERE reference IS NOT NULL;

-- A refund that the merchant asked for.
ALTER TABLE refunds ADD COLUMN asked_reason text;

-- One answer per key. `done_at` NULL: it runs, or whoever ran it died; `locked_until` tells which.
CREATE TABLE idempotency_keys (
    merchant_id   uuid NOT NULL REFERENCES merchants,
    endpoint      text NOT NULL,
    key           text NOT NULL,
    request_hash  bytea NOT NULL,
    subject_id    uuid,                        -- what it made, known before any gateway is called
    status        integer,
    body          jsonb,
    started_at    timestamptz NOT NULL,
    locked_until  timestamptz NOT NULL,
    done_at       timestamptz,
    PRIMARY KEY (merchant_id, endpoint, key),
    CONSTRAINT an_answer_is_whole CHECK ((done_at IS NULL) = (status IS NULL))
);
CREATE INDEX idempotency_keys_subject ON idempotency_keys (subject_id);

ALTER TABLE api_keys
    ADD COLUMN name text NOT NULL DEFAULT '',
    ADD COLUMN scopes text[] NOT NULL DEFAULT '{payments:read,payments:write,refunds:write}',
    ADD COLUMN last_used_at timestamptz;

ALTER TABLE idempotency_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE idempotency_keys FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON idempotency_keys TO coinslot_app USING (merchant_id = the_merchant());
CREATE POLICY door ON idempotency_keys TO coinslot_door USING (true);
CREATE POLICY owner ON idempotency_keys TO coinslot_owner USING (true);
GRANT SELECT, INSERT ON idempotency_keys TO coinslot_app;
GRANT UPDATE (subject_id, status, body, locked_until, done_at) ON idempotency_keys TO coinslot_app;
GRANT SELECT ON idempotency_keys TO coinslot_door;
GRANT UPDATE (leased_until, due_at) ON attempts TO coinslot_door;
GRANT UPDATE (last_used_at) ON api_keys TO coinslot_door;
