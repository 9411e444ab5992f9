-- What a counter does inside the transactions that pay, expire and settle an order.

-- The row beside each unit. Its code is good from now on; nothing is due before its order has to be
-- accepted, and where it is for later, before staff see it: its time to be accepted runs from then.
CREATE OR REPLACE FUNCTION counter_queued(p_order uuid, p_now timestamptz)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO counter_units (id, merchant_id)
        SELECT id, merchant_id FROM fulfillments WHERE order_id = p_order;
    UPDATE counter_orders SET code_from = p_now WHERE order_id = p_order;
    UPDATE fulfillments f SET dispatch_by = f.dispatch_by + (c.begin_at - p_now),
        hard_deadline = f.hard_deadline + (c.begin_at - p_now) FROM counter_orders c
        WHERE c.order_id = p_order AND f.order_id = p_order AND c.begin_at > p_now;
    UPDATE fulfillments f SET due_at = least(f.dispatch_by, f.hard_deadline,
        CASE WHEN c.begin_at > p_now THEN c.begin_at END) FROM counter_orders c
        WHERE c.order_id = p_order AND f.order_id = p_order;
    INSERT INTO counter_alarms (id, merchant_id, outlet_id, since, due_at)
        SELECT order_id, merchant_id, outlet_id, greatest(p_now, begin_at),
            greatest(p_now, begin_at) FROM counter_orders WHERE order_id = p_order;
END $$;

-- The stock of choices after a change, of those that are counted.
CREATE OR REPLACE FUNCTION counter_option_stock(p_stock jsonb, p_change jsonb)
RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce(jsonb_object_agg(key,
        value::integer + coalesce((p_change->key)::integer, 0)), '{}')
    FROM jsonb_each(p_stock)
$$;

-- What the lines of an order took of an item's choices.
CREATE OR REPLACE FUNCTION counter_reserved_choices(p_order uuid, p_item uuid)
RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT coalesce(jsonb_object_agg(choice, pieces), '{}') FROM (
        SELECT choice, sum(reserved) AS pieces FROM counter_lines,
            unnest(counted_choices) AS choice
        WHERE order_id = p_order AND item_id = p_item GROUP BY choice) c
$$;

-- Nobody paid: what the order reserved is for sale again. Rows of items are locked by their ids, as
-- whoever reserves them does.
CREATE OR REPLACE FUNCTION counter_expired(p_order uuid, p_now timestamptz)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM counter_items WHERE id IN (SELECT item_id FROM counter_lines
        WHERE order_id = p_order AND reserved > 0) ORDER BY id FOR NO KEY UPDATE;
    UPDATE counter_items i SET stock = i.stock + l.pieces,
        option_stock = counter_option_stock(i.option_stock, l.choices)
        FROM (SELECT item_id,
                coalesce(sum(reserved) FILTER (WHERE item_counted), 0)::integer AS pieces,
                counter_reserved_choices(p_order, item_id) AS choices
            FROM counter_lines WHERE order_id = p_order GROUP BY item_id) l
        WHERE i.id = l.item_id;
    UPDATE counter_lines SET reserved = 0 WHERE order_id = p_order AND reserved > 0;
END $$;

-- A piece whose money went back before staff began it is for sale again. One that they had begun is
-- made, or half made.
CREATE OR REPLACE FUNCTION counter_settled(p_unit uuid, p_now timestamptz)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    l counter_lines%ROWTYPE;
    u fulfillments%ROWTYPE;
BEGIN
    SELECT * INTO STRICT u FROM fulfillments WHERE id = p_unit;
    UPDATE counter_lines SET reserved = reserved - 1 WHERE line_id = u.line_id AND reserved > 0
        RETURNING * INTO l;
    IF FOUND AND u.settlement = 'refund_due' AND NOT EXISTS (SELECT FROM counter_units
            WHERE id = p_unit AND accepted_at IS NOT NULL) THEN
        UPDATE counter_items SET stock = stock + l.item_counted::integer,
            option_stock = counter_option_stock(option_stock,
                (SELECT coalesce(jsonb_object_agg(choice, 1), '{}')
                    FROM unnest(l.counted_choices) AS choice))
            WHERE id = l.item_id;
    END IF;
END $$;

-- What the messages of an order cost, in minor units of this currency, rounded once for all of
-- them, and how many have no price in it yet. Nobody sends any yet.
CREATE OR REPLACE FUNCTION message_costs(p_order uuid, p_currency text)
RETURNS TABLE (minor bigint, unknown bigint) LANGUAGE sql STABLE AS $$
    SELECT 0::bigint, 0::bigint
$$;
