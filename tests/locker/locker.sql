-- What a locker does inside the transaction that pays an order or settles a unit.

-- The locker's part of each unit of an order that was just paid.
CREATE OR REPLACE FUNCTION locker_queued(p_order uuid, p_now timestamptz)
RETURNS void LANGUAGE sql AS $$
    INSERT INTO locker_units (id, merchant_id, outlet_id)
    SELECT id, merchant_id, outlet_id FROM fulfillments WHERE order_id = p_order
$$;

-- What was taken is not there any more.
CREATE OR REPLACE FUNCTION locker_settled(p_unit uuid, p_now timestamptz)
RETURNS void LANGUAGE sql AS $$
    UPDATE slots s SET stock = greatest(s.stock - 1, 0)
    FROM fulfillments f JOIN order_lines l ON l.id = f.line_id
    WHERE f.id = p_unit AND f.settlement = 'fulfilled'
        AND s.outlet_id = f.outlet_id AND s.slot = l.slot
$$;
