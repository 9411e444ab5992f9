-- What customers see first on the pages of a merchant: name, colours, and where to write.
CREATE TABLE brands (
    merchant_id  uuid PRIMARY KEY REFERENCES merchants,
    shown_name   text NOT NULL DEFAULT '',     -- none: the merchant's own
    colour       text CHECK (colour ~ '^#[0-9a-f]{6}$'),  -- of buttons and links, as it was chosen
    ground       text CHECK (ground ~ '^#[0-9a-f]{6}$'),  -- behind the name
    support      text NOT NULL DEFAULT '',     -- where a machine has no contact of its own
    nothing_out  text NOT NULL DEFAULT '',     -- where to write when nothing came out
    changed_at   timestamptz NOT NULL
);
ALTER TABLE brands ENABLE ROW LEVEL SECURITY;
ALTER TABLE brands FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON brands TO coinslot_app USING (merchant_id = the_merchant());
CREATE POLICY door ON brands TO coinslot_door USING (true);
CREATE POLICY owner ON brands TO coinslot_owner USING (true);
GRANT SELECT, INSERT, UPDATE ON brands TO coinslot_app;
GRANT SELECT ON brands TO coinslot_door;
