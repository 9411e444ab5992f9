-- What orders earned and how they ended, summed by day and outlet once the day is over, so that a
-- page about a year does not read each of its orders. Unlike a ledger, figures of an order change
-- after it ended: a fee is stated, a message gets its price, something is given back. Each such
-- change is noted here, and the days of its order are summed again.

-- Which days are summed, and from which orders: those of `begun` up to, and not with, `ended`.
CREATE TABLE figured_days (
    merchant_id  uuid NOT NULL REFERENCES merchants,
    day          date NOT NULL,
    begun        timestamptz NOT NULL,
    ended        timestamptz NOT NULL,
    figured_at   timestamptz NOT NULL,
    PRIMARY KEY (merchant_id, day),
    CONSTRAINT a_day_ends_after_it_begins CHECK (begun < ended)
);

-- `profit` and `profit_items` of orders that ended on the day, `sales` and `sale_items` of those
-- that were placed on it. `accounts` are those that took the payments, for profit alone; `sku` and
-- `name` are of items.
CREATE TABLE figure_days (
    merchant_id  uuid NOT NULL REFERENCES merchants,
    day          date NOT NULL,
    report       text NOT NULL,
    outlet_id    text NOT NULL,
    accounts     uuid[] NOT NULL,
    sku          text NOT NULL,
    name         text NOT NULL,
    currency     char(3) NOT NULL,
    sums         jsonb NOT NULL,
    PRIMARY KEY (merchant_id, report, day, outlet_id, accounts, sku, currency),
    CONSTRAINT a_known_report CHECK (report IN ('profit', 'profit_items', 'sales', 'sale_items'))
);

-- Something of an order that is over changed; `at` is when it was placed, or when it ended. Lines
-- are added and taken out, never found and left: a line that is being taken out hides none.
CREATE TABLE figure_changes (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    merchant_id  uuid NOT NULL REFERENCES merchants,
    at           timestamptz NOT NULL
);
CREATE INDEX figure_changes_at ON figure_changes (merchant_id, at);

DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['figured_days', 'figure_days', 'figure_changes'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY own ON %I TO coinslot_app'
            ' USING (merchant_id = the_merchant())', t);
        EXECUTE format('CREATE POLICY door ON %I TO coinslot_door USING (true)', t);
        EXECUTE format('CREATE POLICY owner ON %I TO coinslot_owner USING (true)', t);
        EXECUTE format('GRANT SELECT, INSERT, DELETE ON %I TO coinslot_app', t);
        EXECUTE format('GRANT SELECT ON %I TO coinslot_door', t);
    END LOOP;
END $$;

-- Of an order that is not over nothing is noted: its days are not summed before it is.
CREATE FUNCTION figures_change() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE
    changed uuid;
BEGIN
    IF TG_TABLE_NAME = 'orders' THEN
        INSERT INTO figure_changes (merchant_id, at) SELECT NEW.merchant_id, t.at
            FROM (VALUES (OLD.placed_at), (OLD.ended_at), (NEW.ended_at)) AS t (at)
            WHERE t.at IS NOT NULL;
        RETURN NULL;
    ELSIF TG_TABLE_NAME = 'attempts' THEN
        changed := (SELECT order_id FROM payments WHERE id = NEW.payment_id);
    ELSIF TG_TABLE_NAME = 'corrections' THEN
        changed := (SELECT order_id FROM fulfillments WHERE id = NEW.fulfillment_id);
    ELSIF TG_TABLE_NAME = 'order_refund_parts' THEN
        changed := (SELECT order_id FROM order_refunds WHERE id = NEW.order_refund_id);
    ELSE
        changed := NEW.order_id;
    END IF;
    INSERT INTO figure_changes (merchant_id, at) SELECT o.merchant_id, t.at
        FROM orders o CROSS JOIN LATERAL (VALUES (o.placed_at), (o.ended_at)) AS t (at)
        WHERE o.id = changed AND o.ended_at IS NOT NULL;
    RETURN NULL;
END $$;

CREATE TRIGGER figures_change AFTER UPDATE ON orders FOR EACH ROW
    WHEN (OLD.ended_at IS NOT NULL AND (OLD.state, OLD.ended_at, OLD.amount_minor)
        IS DISTINCT FROM (NEW.state, NEW.ended_at, NEW.amount_minor))
    EXECUTE FUNCTION figures_change();
CREATE TRIGGER figures_change AFTER UPDATE ON fulfillments FOR EACH ROW
    WHEN (OLD.settlement IS NOT NULL AND OLD.settlement IS DISTINCT FROM NEW.settlement)
    EXECUTE FUNCTION figures_change();
CREATE TRIGGER figures_change AFTER UPDATE ON order_extras FOR EACH ROW
    WHEN (OLD.settlement IS DISTINCT FROM NEW.settlement) EXECUTE FUNCTION figures_change();
CREATE TRIGGER figures_change AFTER INSERT ON corrections FOR EACH ROW
    EXECUTE FUNCTION figures_change();
CREATE TRIGGER figures_change AFTER INSERT OR UPDATE OF outcome ON order_refund_parts FOR EACH ROW
    EXECUTE FUNCTION figures_change();
CREATE TRIGGER figures_begin AFTER INSERT ON captures FOR EACH ROW
    WHEN (NEW.order_id IS NOT NULL) EXECUTE FUNCTION figures_change();
CREATE TRIGGER figures_change AFTER UPDATE ON captures FOR EACH ROW
    WHEN (NEW.order_id IS NOT NULL AND (OLD.order_id, OLD.fee_minor, OLD.outside, OLD.outside_used)
        IS DISTINCT FROM (NEW.order_id, NEW.fee_minor, NEW.outside, NEW.outside_used))
    EXECUTE FUNCTION figures_change();
CREATE TRIGGER figures_change AFTER UPDATE ON attempts FOR EACH ROW
    WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION figures_change();
CREATE TRIGGER figures_change AFTER UPDATE ON counter_orders FOR EACH ROW
    WHEN (OLD.wrong IS DISTINCT FROM NEW.wrong) EXECUTE FUNCTION figures_change();
CREATE TRIGGER figures_begin AFTER INSERT ON counter_messages FOR EACH ROW
    WHEN (NEW.order_id IS NOT NULL) EXECUTE FUNCTION figures_change();
CREATE TRIGGER figures_change AFTER UPDATE ON counter_messages FOR EACH ROW
    WHEN (NEW.order_id IS NOT NULL
        AND (OLD.stage, OLD.reference, OLD.price, OLD.price_currency)
            IS DISTINCT FROM (NEW.stage, NEW.reference, NEW.price, NEW.price_currency))
    EXECUTE FUNCTION figures_change();

-- A day of orders is read without reading all that there ever were.
CREATE INDEX orders_placed_at ON orders USING brin (placed_at) WITH (pages_per_range = 16);
