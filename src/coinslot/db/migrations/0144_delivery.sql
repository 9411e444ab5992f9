-- Delivery: off until a counter has a zone. A zone is a circle or a polygon, with what it costs to
-- be delivered there, and for how much goods at least.
CREATE TABLE delivery_zones (
    id            uuid PRIMARY KEY,
    merchant_id   uuid NOT NULL REFERENCES merchants,
    outlet_id     text NOT NULL REFERENCES counter_stores,
    name          text NOT NULL CHECK (name <> '' AND length(name) <= 80),
    shape         jsonb NOT NULL,                  -- centre and metres, or corners
    fee_minor     bigint NOT NULL CHECK (fee_minor >= 0),
    least_minor   bigint NOT NULL DEFAULT 0 CHECK (least_minor >= 0),
    ended_at      timestamptz
);
CREATE INDEX delivery_zones_outlet ON delivery_zones (outlet_id) WHERE ended_at IS NULL;

-- Beside an order: where it goes. The address ends when its person is forgotten.
CREATE TABLE counter_deliveries (
    order_id      uuid PRIMARY KEY REFERENCES orders,
    merchant_id   uuid NOT NULL REFERENCES merchants,
    zone_id       uuid NOT NULL REFERENCES delivery_zones,
    address       text NOT NULL CHECK (length(address) <= 300),
    latitude      double precision CHECK (latitude BETWEEN -90 AND 90),
    longitude     double precision CHECK (longitude BETWEEN -180 AND 180)
);

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['delivery_zones', 'counter_deliveries'] LOOP
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
GRANT UPDATE (ended_at) ON delivery_zones TO coinslot_app;
GRANT UPDATE (address, latitude, longitude) ON counter_deliveries TO coinslot_app;
