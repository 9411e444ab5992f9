-- What a coffee machine does inside the transaction that pays an order.

-- The cup's own part. The machine waits for the money until its order ends: what is paid at the
-- last moment and cannot be commanded by then goes back.
CREATE OR REPLACE FUNCTION coffee_queued(p_order uuid, p_now timestamptz)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO coffee_units (id, merchant_id)
        SELECT id, merchant_id FROM fulfillments WHERE order_id = p_order;
    UPDATE fulfillments f SET dispatch_by = least(f.dispatch_by, o.ends_by)
        FROM orders o WHERE o.id = p_order AND f.order_id = o.id;
END $$;
