-- Whose data goes, and when: people who asked to be forgotten, and runs that end what was kept long
-- enough.

-- Orders whose customer asked to be forgotten. The order stays for the books, the person goes: at
-- once where it is over, else when it is. `asked_by` is a member of the merchant.
CREATE TABLE forgotten_orders (
    order_id      uuid PRIMARY KEY REFERENCES orders,
    merchant_id   uuid NOT NULL REFERENCES merchants,
    asked_by      text NOT NULL,
    reason        text NOT NULL,
    asked_at      timestamptz NOT NULL,
    done_at       timestamptz,
    CONSTRAINT who_forgets_says_why CHECK (asked_by <> '' AND reason <> '')
);
CREATE INDEX forgotten_orders_waiting ON forgotten_orders (asked_at) WHERE done_at IS NULL;
ALTER TABLE forgotten_orders ENABLE ROW LEVEL SECURITY;
ALTER TABLE forgotten_orders FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON forgotten_orders TO coinslot_app USING (merchant_id = the_merchant());
CREATE POLICY door ON forgotten_orders TO coinslot_door USING (true);
CREATE POLICY owner ON forgotten_orders TO coinslot_owner USING (true);
GRANT SELECT, INSERT ON forgotten_orders TO coinslot_app;
GRANT UPDATE (done_at) ON forgotten_orders TO coinslot_app;
GRANT SELECT ON forgotten_orders TO coinslot_door;

-- What a privacy page says of a merchant.
CREATE TABLE merchant_privacy (
    merchant_id   uuid PRIMARY KEY REFERENCES merchants,
    controller    text NOT NULL CHECK (length(controller) <= 200),
    address       text NOT NULL CHECK (length(address) <= 400),
    contact       text NOT NULL CHECK (length(contact) <= 254),
    more          text NOT NULL CHECK (length(more) <= 4000),
    updated_at    timestamptz NOT NULL
);
ALTER TABLE merchant_privacy ENABLE ROW LEVEL SECURITY;
ALTER TABLE merchant_privacy FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON merchant_privacy TO coinslot_app USING (merchant_id = the_merchant());
CREATE POLICY door ON merchant_privacy TO coinslot_door USING (true);
CREATE POLICY owner ON merchant_privacy TO coinslot_owner USING (true);
GRANT SELECT, INSERT, UPDATE ON merchant_privacy TO coinslot_app;
GRANT SELECT ON merchant_privacy TO coinslot_door;

-- What the last run of each kind has ended: everything from before `before`.
CREATE TABLE retention_runs (
    what          text PRIMARY KEY,
    before        timestamptz NOT NULL,
    ran_at        timestamptz NOT NULL
);
GRANT SELECT, INSERT, UPDATE ON retention_runs TO coinslot_door;
GRANT SELECT ON retention_runs TO coinslot_app;
