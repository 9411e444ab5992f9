-- Coffee machines: whose telemetry commands them, which order each code on a screen became, and
-- what became of the one command to make it.

-- An account at a vendor of telemetry. `settings` is the vendor's own struct, sealed.
CREATE TABLE coffee_accounts (
    id           uuid PRIMARY KEY,
    merchant_id  uuid NOT NULL REFERENCES merchants,
    vendor       text NOT NULL,
    slug         text NOT NULL UNIQUE,
    settings     bytea NOT NULL,
    version      integer NOT NULL DEFAULT 1,
    created_at   timestamptz NOT NULL
);

-- What an outlet is called by its vendor. A code on a screen names the device alone, so it is
-- unique in the installation. `heard_at`: the last heartbeat that we were told of.
CREATE TABLE coffee_machines (
    outlet_id    text PRIMARY KEY REFERENCES outlets,
    merchant_id  uuid NOT NULL REFERENCES merchants,
    account_id   uuid NOT NULL REFERENCES coffee_accounts,
    device       text NOT NULL UNIQUE,
    heard_at     timestamptz,
    CONSTRAINT a_device_stands_in_an_address CHECK (device ~ '^[^/[:cntrl:]]{1,255}$')
);

-- One order for each order id that a machine gave.
CREATE TABLE coffee_orders (
    order_id       uuid PRIMARY KEY REFERENCES orders,
    merchant_id    uuid NOT NULL REFERENCES merchants,
    outlet_id      text NOT NULL REFERENCES outlets,
    machine_order  text NOT NULL CHECK (length(machine_order) BETWEEN 1 AND 255),
    drink          text NOT NULL,
    size           smallint NOT NULL CHECK (size BETWEEN 0 AND 2),
    CONSTRAINT one_order_per_code UNIQUE (outlet_id, machine_order)
);

-- Beside each unit: what its vendor answered, and who says what came of it.
CREATE TABLE coffee_units (
    id           uuid PRIMARY KEY REFERENCES fulfillments,
    merchant_id  uuid NOT NULL REFERENCES merchants,
    answer       text CHECK (answer IN ('taken', 'unclear', 'refused')),
    told         text NOT NULL DEFAULT '',   -- the vendor's words, for people
    grace_until  timestamptz,                -- until then its customer may say that nothing came
    denied_at    timestamptz,                -- the customer said so
    rule         text CHECK (rule IN ('refund', 'goods', 'person', 'limit')),
    said_by      text                        -- the person who decided
);
CREATE INDEX coffee_units_denied ON coffee_units (merchant_id, denied_at)
    WHERE denied_at IS NOT NULL;

-- What a merchant does where nobody knows whether a cup came; a merchant without a row has the
-- defaults of these columns. Limits are counts of refunds on a customer's word alone, in a day.
CREATE TABLE coffee_rules (
    merchant_id    uuid PRIMARY KEY REFERENCES merchants,
    denied         text NOT NULL DEFAULT 'refund' CHECK (denied IN ('refund', 'goods', 'person')),
    unclear        text NOT NULL DEFAULT 'refund' CHECK (unclear IN ('refund', 'goods', 'person')),
    contact_limit  integer NOT NULL DEFAULT 1 CHECK (contact_limit >= 0),
    browser_limit  integer NOT NULL DEFAULT 1 CHECK (browser_limit >= 0),
    device_limit   integer NOT NULL DEFAULT 3 CHECK (device_limit >= 0),
    day_limit      integer NOT NULL DEFAULT 20 CHECK (day_limit >= 0)
);

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['coffee_accounts', 'coffee_machines', 'coffee_orders',
            'coffee_units', 'coffee_rules'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY own ON %I TO coinslot_app'
            ' USING (merchant_id = the_merchant())', name);
        EXECUTE format('CREATE POLICY door ON %I TO coinslot_door USING (true)', name);
        EXECUTE format('CREATE POLICY owner ON %I TO coinslot_owner USING (true)', name);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE ON %I TO coinslot_app', name);
        EXECUTE format('GRANT SELECT ON %I TO coinslot_door', name);
    END LOOP;
END $$;

-- A merchant that sells nothing for now: its outlets take no new orders.
ALTER TABLE merchants ADD COLUMN paused_at timestamptz;
