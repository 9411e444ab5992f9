-- An order says under which prices and which planogram it was placed: its machine compares these
-- with what it has. An order of before this says those that its outlet has now.
ALTER TABLE orders ADD COLUMN price_version integer, ADD COLUMN planogram_version integer;
UPDATE orders r SET price_version = o.price_version, planogram_version = o.planogram_version
FROM outlets o WHERE o.id = r.outlet_id
    AND EXISTS (SELECT FROM fulfillments f WHERE f.order_id = r.id AND f.settlement IS NULL);
UPDATE orders r SET price_version = o.price_version, planogram_version = o.planogram_version
FROM outlets o WHERE o.id = r.outlet_id AND r.state = 'placed';
