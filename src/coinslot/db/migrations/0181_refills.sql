-- A person at a machine: what lay in its slots, and what lies there now.
CREATE TABLE refill_visits (
    id           uuid PRIMARY KEY,
    merchant_id  uuid NOT NULL REFERENCES merchants,
    outlet_id    text NOT NULL REFERENCES outlets,
    made_by      text NOT NULL,
    note         text NOT NULL DEFAULT '',
    lines        jsonb NOT NULL,  -- slot, expected, before, after, expires_on
    at           timestamptz NOT NULL
);
CREATE INDEX refill_visits_outlet ON refill_visits (outlet_id, at);

-- What was put into a slot at once, and until when it is good. The oldest is sold first, so what is
-- left of each follows from the stock.
CREATE TABLE stock_lots (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    merchant_id  uuid NOT NULL REFERENCES merchants,
    outlet_id    text NOT NULL REFERENCES outlets,
    slot         text NOT NULL,
    pieces       integer NOT NULL CHECK (pieces > 0),
    expires_on   date,
    added_at     timestamptz NOT NULL
);
CREATE INDEX stock_lots_slot ON stock_lots (outlet_id, slot, id);

-- In which order somebody drives to machines.
CREATE TABLE routes (
    merchant_id  uuid NOT NULL REFERENCES merchants,
    name         text NOT NULL CHECK (length(name) BETWEEN 1 AND 60),
    machines     text[] NOT NULL CHECK (cardinality(machines) <= 500),
    made_by      text NOT NULL,
    changed_at   timestamptz NOT NULL,
    PRIMARY KEY (merchant_id, name)
);

-- What is believed of a slot's sales; each day changes it a little. `through` is the last vend that
-- it knows of, `held` what lay there then.
CREATE TABLE slot_demand (
    outlet_id    text NOT NULL REFERENCES outlets,
    slot         text NOT NULL,
    merchant_id  uuid NOT NULL REFERENCES merchants,
    product_id   uuid NOT NULL,
    sales        double precision NOT NULL CHECK (sales > 0),
    days         double precision NOT NULL CHECK (days > 0),
    held         integer NOT NULL,
    through      bigint NOT NULL,
    PRIMARY KEY (outlet_id, slot)
);
CREATE TABLE outlet_demand (
    outlet_id     text PRIMARY KEY REFERENCES outlets,
    merchant_id   uuid NOT NULL REFERENCES merchants,
    weekday_sold  double precision[] NOT NULL CHECK (cardinality(weekday_sold) = 7),
    weekday_days  double precision[] NOT NULL CHECK (cardinality(weekday_days) = 7),
    through_day   date NOT NULL
);

DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['refill_visits', 'stock_lots', 'routes', 'slot_demand',
        'outlet_demand']
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY own ON %I TO coinslot_app'
            ' USING (merchant_id = the_merchant())', t);
        EXECUTE format('CREATE POLICY door ON %I TO coinslot_door USING (true)', t);
        EXECUTE format('CREATE POLICY owner ON %I TO coinslot_owner USING (true)', t);
        EXECUTE format('GRANT SELECT, INSERT ON %I TO coinslot_app', t);
        EXECUTE format('GRANT SELECT ON %I TO coinslot_door', t);
    END LOOP;
END $$;
GRANT UPDATE, DELETE ON routes TO coinslot_app;
GRANT UPDATE, DELETE ON slot_demand TO coinslot_app;
GRANT UPDATE ON outlet_demand TO coinslot_app;
