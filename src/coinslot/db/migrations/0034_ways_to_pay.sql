-- How the customers of an outlet may pay: accounts in the order in which they are offered, each
-- with what it shows: a link to the gateway's own page, or a code of its own to scan.
CREATE TABLE ways_to_pay (
    merchant_id  uuid NOT NULL REFERENCES merchants,
    outlet_id    text NOT NULL REFERENCES outlets,
    account_id   uuid NOT NULL REFERENCES gateway_accounts,
    way          text NOT NULL CHECK (way IN ('link', 'code')),
    place        integer,              -- NULL: it is not offered any more
    PRIMARY KEY (outlet_id, account_id, way)
);
ALTER TABLE ways_to_pay ENABLE ROW LEVEL SECURITY;
ALTER TABLE ways_to_pay FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON ways_to_pay TO coinslot_app USING (merchant_id = the_merchant());
CREATE POLICY door ON ways_to_pay TO coinslot_door USING (true);
CREATE POLICY owner ON ways_to_pay TO coinslot_owner USING (true);
GRANT SELECT, INSERT, UPDATE ON ways_to_pay TO coinslot_app;
GRANT SELECT ON ways_to_pay TO coinslot_door;

-- What was offered until now.
INSERT INTO ways_to_pay (merchant_id, outlet_id, account_id, way, place)
SELECT merchant_id, id, account_id, 'code', 1 FROM outlets WHERE account_id IS NOT NULL;

-- An attempt that a page's customer began. An order has several when its customer changes the way.
ALTER TABLE attempts
    ADD COLUMN outlet_id text REFERENCES outlets,
    ADD COLUMN way text CHECK (way IN ('link', 'code')),
    ADD COLUMN page_key text,          -- made with the page: a double tap begins one attempt
    ADD COLUMN network text,           -- a keyed digest, as in `orders`
    ADD COLUMN make_at timestamptz,    -- when the gateway may be asked for it
    ADD COLUMN page_asked_at timestamptz,
    ADD COLUMN retired_at timestamptz; -- to be closed; money captured there later buys nothing
CREATE UNIQUE INDEX attempts_page_key ON attempts (page_key) WHERE page_key IS NOT NULL;
CREATE INDEX attempts_of_pages ON attempts (outlet_id, make_at) WHERE outlet_id IS NOT NULL;

-- A code belongs to an attempt, and an order may have been shown several.
ALTER TABLE qr_codes ADD COLUMN attempt_id uuid REFERENCES attempts;
UPDATE qr_codes q SET attempt_id = (SELECT a.id FROM attempts a WHERE a.payment_id = q.payment_id
    ORDER BY a.number DESC, a.started_at DESC LIMIT 1) WHERE q.payment_id IS NOT NULL;
UPDATE attempts a SET outlet_id = q.outlet_id, way = 'code', network = q.network,
    make_at = coalesce(q.make_at, q.created_at), page_asked_at = q.page_asked_at,
    retired_at = q.retired_at
FROM qr_codes q WHERE q.attempt_id = a.id;
DROP INDEX qr_codes_payment;
CREATE UNIQUE INDEX qr_codes_attempt ON qr_codes (attempt_id) WHERE attempt_id IS NOT NULL;
CREATE INDEX qr_codes_of_payment ON qr_codes (payment_id) WHERE payment_id IS NOT NULL;
ALTER TABLE qr_codes ADD CONSTRAINT a_code_of_a_payment_is_of_an_attempt
    CHECK ((payment_id IS NULL) = (attempt_id IS NULL));
DROP INDEX qr_codes_of_pages;
ALTER TABLE qr_codes DROP COLUMN network, DROP COLUMN make_at, DROP COLUMN page_asked_at;

-- Functions that have other parameters now, or another name.
DROP FUNCTION IF EXISTS api_payment_of(gateway_accounts, jsonb);
DROP FUNCTION IF EXISTS collect_api(captures, uuid, jsonb, timestamptz);
DROP FUNCTION IF EXISTS pay_placed(captures, qr_codes, timestamptz);
DROP FUNCTION IF EXISTS pay_order(captures, uuid, uuid, timestamptz);
DROP FUNCTION IF EXISTS retire_codes(uuid, timestamptz);
