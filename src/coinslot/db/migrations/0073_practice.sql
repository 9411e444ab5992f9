-- Practice machines, which the installation plays itself: how each is broken, its journal, and
-- which process plays it now.
CREATE TABLE practice_machines (
    outlet_id     text PRIMARY KEY REFERENCES outlets,
    merchant_id   uuid NOT NULL REFERENCES merchants,
    broken        text NOT NULL DEFAULT 'no'
                  CHECK (broken IN ('no', 'jam', 'silent', 'power', 'lie')),
    memory        jsonb NOT NULL DEFAULT '{}',
    player        uuid,
    played_until  timestamptz
);
ALTER TABLE practice_machines ENABLE ROW LEVEL SECURITY;
ALTER TABLE practice_machines FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON practice_machines TO coinslot_app USING (merchant_id = the_merchant());
CREATE POLICY door ON practice_machines TO coinslot_door USING (true);
CREATE POLICY owner ON practice_machines TO coinslot_owner USING (true);
GRANT SELECT, INSERT, UPDATE (broken) ON practice_machines TO coinslot_app;
GRANT SELECT, UPDATE (memory, player, played_until) ON practice_machines TO coinslot_door;

-- Whether an account moves test money only. NULL: saved before this was kept.
ALTER TABLE gateway_accounts ADD COLUMN test_only boolean;

-- A test vend is an order of nothing that a person makes to see a machine work.
ALTER TABLE orders DROP CONSTRAINT orders_source_check;
ALTER TABLE orders ADD CONSTRAINT orders_source_check
    CHECK (source IN ('printed_qr', 'page', 'test_vend'));
ALTER TABLE orders ADD CONSTRAINT a_test_vend_costs_nothing
    CHECK (source <> 'test_vend' OR amount_minor = 0);
