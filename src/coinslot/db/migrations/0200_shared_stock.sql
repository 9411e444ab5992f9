-- Stock that choices of several items take from: oat milk is one stock, whatever it goes into.
CREATE TABLE counter_stocks (
    id            uuid PRIMARY KEY,
    merchant_id   uuid NOT NULL REFERENCES merchants,
    outlet_id     text NOT NULL REFERENCES counter_stores,
    name          text NOT NULL CHECK (name <> '' AND length(name) <= 40),
    stock         integer CONSTRAINT no_shared_stock_is_below_nothing CHECK (stock >= 0),
    sold_out_at   timestamptz,                     -- staff said so, whatever is counted
    CONSTRAINT a_stock_has_one_row UNIQUE (outlet_id, name)
);

-- What one piece of a line took: the id of a stock once for each choice that takes from it.
ALTER TABLE counter_lines ADD COLUMN shared_stocks uuid[] NOT NULL DEFAULT '{}';

ALTER TABLE counter_stocks ENABLE ROW LEVEL SECURITY;
ALTER TABLE counter_stocks FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON counter_stocks TO coinslot_app USING (merchant_id = the_merchant());
CREATE POLICY door ON counter_stocks TO coinslot_door USING (true);
CREATE POLICY owner ON counter_stocks TO coinslot_owner USING (true);
GRANT SELECT, INSERT ON counter_stocks TO coinslot_app;
GRANT UPDATE (stock, sold_out_at) ON counter_stocks TO coinslot_app;
GRANT SELECT ON counter_stocks TO coinslot_door;
