-- The drinks of a merchant's coffee machines, as their vendor had them when it was last asked: what
-- each costs by size, NULL where it was not asked or has no price. A sale asks anew.
CREATE TABLE coffee_drinks (
    merchant_id   uuid NOT NULL REFERENCES merchants,
    drink         text NOT NULL,             -- also the sku of its product
    small_minor   bigint CHECK (small_minor > 0),
    medium_minor  bigint CHECK (medium_minor > 0),
    big_minor     bigint CHECK (big_minor > 0),
    asked_at      timestamptz NOT NULL,
    PRIMARY KEY (merchant_id, drink)
);
INSERT INTO coffee_drinks (merchant_id, drink, asked_at)
    SELECT c.merchant_id, c.drink, max(o.placed_at) FROM coffee_orders c
    JOIN orders o ON o.id = c.order_id
    JOIN products p ON p.merchant_id = c.merchant_id AND p.sku = c.drink
    GROUP BY c.merchant_id, c.drink;
ALTER TABLE coffee_drinks ENABLE ROW LEVEL SECURITY;
ALTER TABLE coffee_drinks FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON coffee_drinks TO coinslot_app USING (merchant_id = the_merchant());
CREATE POLICY door ON coffee_drinks TO coinslot_door USING (true);
CREATE POLICY owner ON coffee_drinks TO coinslot_owner USING (true);
GRANT SELECT, INSERT, UPDATE ON coffee_drinks TO coinslot_app;
GRANT SELECT ON coffee_drinks TO coinslot_door;
