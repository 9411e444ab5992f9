-- Which device showed the code: its machine may be given another one while an order waits, and the
-- cup is of the device at which its customer stands. A code is the device's, too: one order for it,
-- whichever machine of ours the device is by then.
ALTER TABLE coffee_orders ADD COLUMN device text;
UPDATE coffee_orders c SET device = m.device FROM coffee_machines m
    WHERE m.outlet_id = c.outlet_id;
ALTER TABLE coffee_orders ALTER COLUMN device SET NOT NULL;
ALTER TABLE coffee_orders DROP CONSTRAINT one_order_per_code;
ALTER TABLE coffee_orders ADD CONSTRAINT one_order_per_code UNIQUE (device, machine_order);
