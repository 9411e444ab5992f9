-- Boards behind counters: when one was open at a counter, and what each order's staff knew of it.

-- What staff see of a counter changed without a move of an order: a tick, a pause, sold out.
ALTER TABLE counter_stores ADD COLUMN board_changes bigint NOT NULL DEFAULT 0;

-- A time during which at least one board was open at this counter. Spans may overlap.
CREATE TABLE counter_presence (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    merchant_id   uuid NOT NULL REFERENCES merchants,
    outlet_id     text NOT NULL REFERENCES counter_stores,
    began_at      timestamptz NOT NULL,
    seen_at       timestamptz NOT NULL,
    CONSTRAINT presence_begins_before_it_ends CHECK (began_at <= seen_at)
);
CREATE INDEX counter_presence_outlet ON counter_presence (outlet_id, seen_at);

-- Two of the three acknowledgements of an order; the third is its acceptance. `reached_at`: an open
-- board shows it. `seen_at`: somebody touched a board that showed it.
ALTER TABLE counter_orders ADD COLUMN reached_at timestamptz;
ALTER TABLE counter_orders ADD COLUMN seen_at timestamptz;

ALTER TABLE counter_presence ENABLE ROW LEVEL SECURITY;
ALTER TABLE counter_presence FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON counter_presence TO coinslot_app USING (merchant_id = the_merchant());
CREATE POLICY door ON counter_presence TO coinslot_door USING (true);
CREATE POLICY owner ON counter_presence TO coinslot_owner USING (true);
GRANT SELECT, INSERT, UPDATE ON counter_presence TO coinslot_app;
GRANT SELECT ON counter_presence TO coinslot_door;
