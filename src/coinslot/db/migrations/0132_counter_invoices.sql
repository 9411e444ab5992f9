-- Numbers of what counters sold: consecutive for each merchant and year, and taken inside the
-- transaction that pays the order, so that none is ever left out.

CREATE TABLE counter_invoice_years (
    merchant_id   uuid NOT NULL REFERENCES merchants,
    year          integer NOT NULL,                -- by the clocks of the merchant
    last          integer NOT NULL CHECK (last > 0),
    PRIMARY KEY (merchant_id, year)
);

CREATE TABLE counter_invoices (
    merchant_id   uuid NOT NULL REFERENCES merchants,
    year          integer NOT NULL,
    number        integer NOT NULL CHECK (number > 0),
    order_id      uuid NOT NULL UNIQUE REFERENCES orders,
    at            timestamptz NOT NULL,
    PRIMARY KEY (merchant_id, year, number)
);

INSERT INTO counter_invoices (merchant_id, year, number, order_id, at)
SELECT merchant_id, year, row_number() OVER (PARTITION BY merchant_id, year ORDER BY paid_at, id),
    id, paid_at
FROM (SELECT o.id, o.merchant_id, o.paid_at, date_part('year', o.paid_at AT TIME ZONE
        coalesce(m.zone, 'UTC'))::integer AS year
    FROM orders o JOIN counter_orders USING (merchant_id) JOIN merchants m ON m.id = o.merchant_id
    WHERE counter_orders.order_id = o.id AND o.paid_at IS NOT NULL) paid;
INSERT INTO counter_invoice_years (merchant_id, year, last)
SELECT merchant_id, year, max(number) FROM counter_invoices GROUP BY 1, 2;

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['counter_invoice_years', 'counter_invoices'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY own ON %I TO coinslot_app'
            ' USING (merchant_id = the_merchant())', name);
        EXECUTE format('CREATE POLICY door ON %I TO coinslot_door USING (true)', name);
        EXECUTE format('CREATE POLICY owner ON %I TO coinslot_owner USING (true)', name);
        EXECUTE format('GRANT SELECT ON %I TO coinslot_app, coinslot_door', name);
    END LOOP;
END $$;
GRANT INSERT, UPDATE ON counter_invoice_years TO coinslot_app;
GRANT INSERT ON counter_invoices TO coinslot_app;
