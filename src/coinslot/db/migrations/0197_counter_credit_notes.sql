-- Credit notes of counters: each refund of what an order paid has a number, consecutive for its
-- merchant and year, and names the receipt that it corrects.

-- The rate that a line was sold at: a menu may change later.
ALTER TABLE counter_lines ADD COLUMN tax_bp integer;
UPDATE counter_lines l SET tax_bp = i.tax_bp FROM counter_items i WHERE i.id = l.item_id;
ALTER TABLE counter_lines ALTER COLUMN tax_bp SET NOT NULL,
    ADD CONSTRAINT a_line_has_a_rate CHECK (tax_bp BETWEEN 0 AND 10000);

CREATE TABLE counter_credit_years (
    merchant_id   uuid NOT NULL REFERENCES merchants,
    year          integer NOT NULL,                -- by the clocks of the merchant
    last          integer NOT NULL CHECK (last > 0),
    PRIMARY KEY (merchant_id, year)
);

-- `taxes`: of the amount, by rate in basis points, without those of which nothing went back. Void:
-- the gateway said later that the money did not arrive; what replaces the refund has its own.
CREATE TABLE counter_credit_notes (
    merchant_id   uuid NOT NULL REFERENCES merchants,
    year          integer NOT NULL,
    number        integer NOT NULL CHECK (number > 0),
    refund_id     uuid NOT NULL UNIQUE REFERENCES refunds,
    order_id      uuid NOT NULL REFERENCES orders,
    unit_id       uuid REFERENCES fulfillments,    -- where the refund is of one
    extra_id      uuid REFERENCES order_extras,
    amount_minor  bigint NOT NULL CHECK (amount_minor > 0),
    taxes         jsonb NOT NULL,
    at            timestamptz NOT NULL,
    void_at       timestamptz,
    PRIMARY KEY (merchant_id, year, number)
);
CREATE INDEX counter_credit_notes_order ON counter_credit_notes (order_id);

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['counter_credit_years', 'counter_credit_notes'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY own ON %I TO coinslot_app'
            ' USING (merchant_id = the_merchant())', name);
        EXECUTE format('CREATE POLICY door ON %I TO coinslot_door USING (true)', name);
        EXECUTE format('CREATE POLICY owner ON %I TO coinslot_owner USING (true)', name);
        EXECUTE format('GRANT SELECT ON %I TO coinslot_app, coinslot_door', name);
    END LOOP;
END $$;

-- At the end of the transaction in which a refund succeeds, whatever said so: by then it is known
-- whether the gateway's own refund paid it. The year is locked after every other row.
CREATE FUNCTION counter_credit_due() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM counter_credit(NEW.id);
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER counter_credit_new AFTER INSERT ON refunds
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (NEW.state = 'succeeded') EXECUTE FUNCTION counter_credit_due();
CREATE CONSTRAINT TRIGGER counter_credit_change AFTER UPDATE OF state ON refunds
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (OLD.state IS DISTINCT FROM NEW.state AND 'succeeded' IN (OLD.state, NEW.state))
    EXECUTE FUNCTION counter_credit_due();
