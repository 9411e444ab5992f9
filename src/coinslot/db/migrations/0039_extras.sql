-- What an order costs beside its units, what discounts and included tax are of each unit, and
-- orders that cost nothing.

-- Positive sums beside the units: they are earned with the last unit when at least one was handed
-- over, and go back when none was. Their settlement is set once, like a unit's.
CREATE TABLE order_extras (
    id            uuid PRIMARY KEY,
    merchant_id   uuid NOT NULL REFERENCES merchants,
    order_id      uuid NOT NULL REFERENCES orders,
    kind          text NOT NULL CHECK (kind IN ('tip', 'delivery_fee', 'added_tax')),
    amount_minor  bigint NOT NULL CHECK (amount_minor > 0),
    settlement    text CHECK (settlement IN ('fulfilled', 'refund_due')),
    basis         text CHECK (basis IN
                      ('handed_over', 'not_handed_over', 'delivery_failed', 'withdrawn')),
    settled_at    timestamptz,
    CONSTRAINT an_extra_names_its_basis CHECK ((settlement IS NULL) = (basis IS NULL)
        AND (settlement IS NULL) = (settled_at IS NULL)),
    CONSTRAINT order_extras_kind UNIQUE (order_id, kind)
);
CREATE TRIGGER extra_settled_once BEFORE UPDATE ON order_extras
    FOR EACH ROW EXECUTE FUNCTION settled_once();
ALTER TABLE order_extras ENABLE ROW LEVEL SECURITY;
ALTER TABLE order_extras FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON order_extras TO coinslot_app USING (merchant_id = the_merchant());
CREATE POLICY door ON order_extras TO coinslot_door USING (true);
CREATE POLICY owner ON order_extras TO coinslot_owner USING (true);
GRANT SELECT, INSERT ON order_extras TO coinslot_app;
GRANT UPDATE (settlement, basis, settled_at) ON order_extras TO coinslot_app;
GRANT SELECT ON order_extras TO coinslot_door;

-- A part of a person's refund may be of an extra. What costs nothing may be withdrawn, too.
ALTER TABLE order_refund_parts ADD COLUMN extra_id uuid REFERENCES order_extras;
ALTER TABLE order_refund_parts DROP CONSTRAINT a_part_is_of_a_unit;
ALTER TABLE order_refund_parts ADD CONSTRAINT a_part_is_of_a_unit
    CHECK (num_nonnulls(fulfillment_id, extra_id) = 1);
ALTER TABLE order_refund_parts DROP CONSTRAINT order_refund_parts_amount_minor_check;
ALTER TABLE order_refund_parts ADD CONSTRAINT order_refund_parts_amount_minor_check
    CHECK (amount_minor > 0 OR (amount_minor = 0 AND outcome = 'withdrawn'));
CREATE INDEX order_refund_parts_extra ON order_refund_parts (extra_id);

-- Of each piece: what is paid for it, its share of the discounts taken off, and the tax that is
-- included in that. NULL: its price.
ALTER TABLE order_lines
    ADD COLUMN unit_minor bigint[],
    ADD COLUMN tax_minor bigint[],
    ADD CONSTRAINT every_piece_has_its_sum CHECK (coalesce(cardinality(unit_minor), quantity)
        = quantity AND coalesce(cardinality(tax_minor), quantity) = quantity),
    ADD CONSTRAINT no_piece_costs_more_than_its_price
        CHECK (0 <= ALL (unit_minor) AND price_minor >= ALL (unit_minor));
ALTER TABLE fulfillments ADD COLUMN tax_minor bigint NOT NULL DEFAULT 0;
ALTER TABLE fulfillments ADD CONSTRAINT included_tax_is_a_part_of_its_unit
    CHECK (tax_minor BETWEEN 0 AND amount_minor);

-- What costs nothing is handed over all the same, without payment and capture. Prices of products
-- and slots stay above nothing: goods are given away on purpose, by a discount.
ALTER TABLE orders DROP CONSTRAINT orders_amount_minor_check;
ALTER TABLE orders ADD CONSTRAINT orders_amount_minor_check CHECK (amount_minor >= 0);
ALTER TABLE order_lines DROP CONSTRAINT order_lines_price_minor_check;
ALTER TABLE order_lines ADD CONSTRAINT order_lines_price_minor_check CHECK (price_minor >= 0);
ALTER TABLE fulfillments DROP CONSTRAINT fulfillments_amount_minor_check;
ALTER TABLE fulfillments ADD CONSTRAINT fulfillments_amount_minor_check CHECK (amount_minor >= 0);
ALTER TABLE fulfillments ALTER COLUMN capture_id DROP NOT NULL;
ALTER TABLE fulfillments ADD CONSTRAINT what_costs_money_has_its_capture
    CHECK (capture_id IS NOT NULL OR amount_minor = 0);
