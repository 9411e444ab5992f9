-- Orders that staff enter and that are paid at the till: outside our books. And the screen on the
-- wall, whose address holds a secret.

ALTER TABLE counter_stores ADD COLUMN wall text UNIQUE
    DEFAULT replace(gen_random_uuid()::text, '-', '');

-- A pause may end by itself.
ALTER TABLE counter_stores ADD COLUMN paused_until timestamptz;

-- `lines`: names, choices, notes and prices as they were.
CREATE TABLE counter_walk_ins (
    id            uuid PRIMARY KEY,
    merchant_id   uuid NOT NULL REFERENCES merchants,
    outlet_id     text NOT NULL REFERENCES counter_stores,
    number        text NOT NULL,
    name          text NOT NULL DEFAULT '' CHECK (length(name) <= 80),
    lines         jsonb NOT NULL,
    total_minor   bigint NOT NULL CHECK (total_minor >= 0),
    entered_by    text NOT NULL,
    entered_at    timestamptz NOT NULL,
    ready_at      timestamptz,
    handed_at     timestamptz,
    cancelled_at  timestamptz,
    CONSTRAINT a_walk_in_ends_one_way CHECK (handed_at IS NULL OR cancelled_at IS NULL)
);
CREATE INDEX counter_walk_ins_open ON counter_walk_ins (outlet_id, entered_at)
    WHERE handed_at IS NULL AND cancelled_at IS NULL;

ALTER TABLE counter_walk_ins ENABLE ROW LEVEL SECURITY;
ALTER TABLE counter_walk_ins FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON counter_walk_ins TO coinslot_app USING (merchant_id = the_merchant());
CREATE POLICY door ON counter_walk_ins TO coinslot_door USING (true);
CREATE POLICY owner ON counter_walk_ins TO coinslot_owner USING (true);
GRANT SELECT, INSERT, UPDATE ON counter_walk_ins TO coinslot_app;
GRANT SELECT ON counter_walk_ins TO coinslot_door;
