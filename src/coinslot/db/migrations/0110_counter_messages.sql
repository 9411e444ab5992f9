-- Counters tell their customers: where to, what they agreed to, and each message as a row that is
-- written before it is sent.

-- What a customer left at checkout, for this order alone. Taken out when it is not needed any more.
CREATE TABLE counter_contacts (
    order_id      uuid PRIMARY KEY REFERENCES orders,
    merchant_id   uuid NOT NULL REFERENCES merchants,
    phone         text CONSTRAINT a_phone_is_written_by_e164 CHECK (phone ~ '^\+[1-9][0-9]{6,14}$'),
    email         text CONSTRAINT an_email_is_an_address
                  CHECK (email ~ '^[^@[:space:]]+@[^@[:space:]]+$' AND length(email) <= 254),
    push          text,                            -- of a browser: its address and two keys
    phone_digest  text,                            -- by which the orders of a phone are found
    email_digest  text,
    network       text NOT NULL DEFAULT '',        -- that it was typed from
    language      text NOT NULL DEFAULT 'en'
);
CREATE INDEX counter_contacts_phone ON counter_contacts (merchant_id, phone_digest);
CREATE INDEX counter_contacts_email ON counter_contacts (merchant_id, email_digest);

-- What a customer agreed to: never changed, never deleted. The address itself stands in
-- counter_contacts; here is its digest, so that taking it out there leaves no person here.
CREATE TABLE counter_consents (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    merchant_id   uuid NOT NULL REFERENCES merchants,
    order_id      uuid NOT NULL REFERENCES orders,
    form          text NOT NULL CHECK (form IN ('phone', 'email', 'push')),
    address       text NOT NULL,                   -- a digest
    text_version  text NOT NULL,
    language      text NOT NULL,
    network       text NOT NULL,
    at            timestamptz NOT NULL
);
CREATE INDEX counter_consents_order ON counter_consents (order_id);

-- A phone that wants no more text messages. It holds for every merchant: they share the sender.
CREATE TABLE message_opt_outs (
    phone_digest  text PRIMARY KEY,
    since         timestamptz NOT NULL,
    ended_at      timestamptz,                     -- its owner wants them again
    told_by       text NOT NULL                    -- the service's refusal, or the person's STOP
);

-- One message to one address. `stage` says how far it has come; `begun_at` is committed before the
-- service is called, and only a look at its list may lead back from there. It holds no text and no
-- code: both are written anew from the order.
CREATE TABLE counter_messages (
    id            uuid PRIMARY KEY,
    merchant_id   uuid NOT NULL REFERENCES merchants,
    outlet_id     text NOT NULL REFERENCES outlets,
    order_id      uuid REFERENCES orders,
    lookup_id     uuid,                            -- of a search for orders, which has no order
    purpose       text NOT NULL
                  CHECK (purpose IN ('code', 'ready', 'cancelled', 'receipt', 'history')),
    form          text NOT NULL CHECK (form IN ('sms', 'call', 'email', 'push')),
    dedup         text NOT NULL UNIQUE,
    code_version  integer,                         -- of the code that it tells
    all_of_it     boolean NOT NULL DEFAULT true,   -- of what goes back: nothing is left
    stage         text NOT NULL DEFAULT 'due' CHECK (stage IN ('due', 'sending', 'unconfirmed',
                  'queued', 'sent', 'delivered', 'failed', 'withheld')),
    proved        boolean NOT NULL DEFAULT false,  -- the phone itself, or its owner, has it
    why           text,                            -- it was withheld, or failed
    error_code    text,                            -- the service's
    reference     text UNIQUE,                     -- the service's id of it
    phone_digest  text,
    network       text NOT NULL DEFAULT '',
    price         numeric,                         -- as the service wrote it
    price_currency text,
    tries         integer NOT NULL DEFAULT 0,
    looks         integer NOT NULL DEFAULT 0,
    created_at    timestamptz NOT NULL,
    begun_at      timestamptz,
    ended_at      timestamptz,
    due_at        timestamptz,
    leased_until  timestamptz,
    lease         integer NOT NULL DEFAULT 0,
    CONSTRAINT a_message_is_of_an_order_or_of_a_search CHECK
        (num_nonnulls(order_id, lookup_id) = 1),
    CONSTRAINT what_was_taken_was_begun CHECK (begun_at IS NOT NULL
        OR stage IN ('due', 'failed', 'withheld')),
    CONSTRAINT a_message_that_was_not_sent_says_why CHECK
        (stage NOT IN ('failed', 'withheld') OR why IS NOT NULL),
    CONSTRAINT a_price_has_a_currency CHECK ((price IS NULL) = (price_currency IS NULL)),
    CONSTRAINT only_what_arrived_is_proved CHECK (NOT proved OR stage = 'delivered')
);
CREATE INDEX counter_messages_due ON counter_messages (merchant_id, due_at, id)
    WHERE due_at IS NOT NULL;
CREATE INDEX counter_messages_order ON counter_messages (order_id);
CREATE INDEX counter_messages_phone ON counter_messages (phone_digest, begun_at);
CREATE INDEX counter_messages_network ON counter_messages (network, begun_at);
CREATE INDEX counter_messages_outlet ON counter_messages (outlet_id, begun_at);
CREATE INDEX counter_messages_merchant ON counter_messages (merchant_id, begun_at);

CREATE TRIGGER lease_is_held BEFORE UPDATE ON counter_messages FOR EACH ROW
    WHEN (current_setting('coinslot.lease', true) LIKE 'counter_messages ' || OLD.id || ' %'
        AND current_setting('coinslot.lease', true)
            <> 'counter_messages ' || OLD.id || ' ' || OLD.lease)
    EXECUTE FUNCTION refuse_lost_lease();

-- Which countries' phones are called and written to, by their prefixes. NULL: by the currency.
ALTER TABLE counter_stores ADD COLUMN phone_prefixes text[];
ALTER TABLE counter_stores ADD COLUMN calls boolean NOT NULL DEFAULT true;  -- when it is ready

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['counter_contacts', 'counter_consents', 'counter_messages'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY own ON %I TO coinslot_app'
            ' USING (merchant_id = the_merchant())', name);
        EXECUTE format('CREATE POLICY door ON %I TO coinslot_door USING (true)', name);
        EXECUTE format('CREATE POLICY owner ON %I TO coinslot_owner USING (true)', name);
        EXECUTE format('GRANT SELECT, INSERT ON %I TO coinslot_app', name);
        EXECUTE format('GRANT SELECT ON %I TO coinslot_door', name);
    END LOOP;
END $$;
GRANT UPDATE (phone, email, push, phone_digest, email_digest, network) ON counter_contacts
    TO coinslot_app, coinslot_door;
GRANT UPDATE (all_of_it, stage, proved, why, error_code, reference, phone_digest, network, price,
    price_currency, tries, looks, begun_at, ended_at, due_at, leased_until, lease)
    ON counter_messages TO coinslot_app;
GRANT UPDATE (due_at, leased_until, lease) ON counter_messages TO coinslot_door;
GRANT SELECT, INSERT, UPDATE ON message_opt_outs TO coinslot_door;

-- What the messages of an order cost, as far as the service has said it.
CREATE VIEW counter_message_costs WITH (security_invoker = true) AS
    SELECT merchant_id, order_id, price_currency AS currency, sum(price) AS amount,
        count(*) AS messages
    FROM counter_messages WHERE price IS NOT NULL AND order_id IS NOT NULL
    GROUP BY merchant_id, order_id, price_currency;
GRANT SELECT ON counter_message_costs TO coinslot_app, coinslot_door;
