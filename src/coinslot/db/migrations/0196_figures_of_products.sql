-- Figures of the orders that have a product, kept by product: a page about one product read each
-- order of the year. `profit` of orders that ended on the day, `sales` of those placed on it; an
-- order counts as a whole, once for each of its products.
CREATE TABLE product_figure_days (
    merchant_id  uuid NOT NULL REFERENCES merchants,
    day          date NOT NULL,
    report       text NOT NULL,
    outlet_id    text NOT NULL,
    accounts     uuid[] NOT NULL,
    sku          text NOT NULL,
    currency     char(3) NOT NULL,
    sums         jsonb NOT NULL,
    PRIMARY KEY (merchant_id, report, sku, day, outlet_id, accounts, currency),
    CONSTRAINT a_report_of_a_product CHECK (report IN ('profit', 'sales'))
);
CREATE INDEX product_figure_days_day ON product_figure_days (merchant_id, day);
ALTER TABLE product_figure_days ENABLE ROW LEVEL SECURITY;
ALTER TABLE product_figure_days FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON product_figure_days TO coinslot_app USING (merchant_id = the_merchant());
CREATE POLICY door ON product_figure_days TO coinslot_door USING (true);
CREATE POLICY owner ON product_figure_days TO coinslot_owner USING (true);
GRANT SELECT, INSERT, DELETE ON product_figure_days TO coinslot_app;
GRANT SELECT ON product_figure_days TO coinslot_door;

-- Days that were kept before have none: they are summed again. A new database has no days yet, and
-- makes their table later.
DO $$
BEGIN
    IF to_regclass('figured_days') IS NOT NULL THEN
        DELETE FROM figure_days;
        DELETE FROM figured_days;
    END IF;
END $$;
