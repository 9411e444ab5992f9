-- Which paper an order is worth, in the transaction that accepts it or ends a piece of it.

-- A ticket for each printer that prints something of what is being made now. Once for an order,
-- however often it is accepted.
CREATE OR REPLACE FUNCTION counter_print_tickets(p_order uuid, p_now timestamptz)
RETURNS void LANGUAGE sql AS $$
    INSERT INTO counter_prints (id, merchant_id, outlet_id, printer_id, order_id, kind, units,
        token, created_at, due_at)
    SELECT uuid7(p_now), p.merchant_id, p.outlet_id, p.id, p_order, 'ticket',
        array_agg(f.id ORDER BY f.id), left(replace(gen_random_uuid()::text, '-', ''), 24),
        p_now, p_now
    FROM fulfillments f JOIN counter_lines l ON l.line_id = f.line_id
    JOIN counter_items i ON i.id = l.item_id
    JOIN counter_printers p ON p.outlet_id = f.outlet_id AND p.retired_at IS NULL AND p.tickets
        AND (p.stations = '{}' OR i.station = ANY (p.stations))
    WHERE f.order_id = p_order AND f.settlement IS NULL
    GROUP BY p.id
    ON CONFLICT (printer_id, order_id, kind, copy) WHERE kind IN ('ticket', 'receipt') DO NOTHING;
$$;

-- Whoever has a piece on paper whose money went back is told so on paper.
CREATE OR REPLACE FUNCTION counter_print_cancelled(p_unit uuid, p_now timestamptz)
RETURNS void LANGUAGE sql AS $$
    INSERT INTO counter_prints (id, merchant_id, outlet_id, printer_id, order_id, kind, units,
        token, created_at, due_at)
    SELECT uuid7(p_now), t.merchant_id, t.outlet_id, t.printer_id, t.order_id, 'cancelled',
        ARRAY[p_unit], left(replace(gen_random_uuid()::text, '-', ''), 24), p_now, p_now
    FROM counter_prints t WHERE t.kind = 'ticket' AND t.copy = 0
        AND t.order_id = (SELECT order_id FROM fulfillments WHERE id = p_unit
            AND settlement = 'refund_due') AND p_unit = ANY (t.units)
    ON CONFLICT (printer_id, order_id, created_at) WHERE kind = 'cancelled'
        DO UPDATE SET units = counter_prints.units || EXCLUDED.units;
$$;

-- A ticket of an order that staff entered, at each printer that prints something of it; once.
CREATE OR REPLACE FUNCTION counter_print_walk_in(p_walk_in uuid, p_now timestamptz)
RETURNS void LANGUAGE sql AS $$
    INSERT INTO counter_prints (id, merchant_id, outlet_id, printer_id, walk_in_id, kind, token,
        created_at, due_at)
    SELECT uuid7(p_now), p.merchant_id, p.outlet_id, p.id, w.id, 'ticket',
        left(replace(gen_random_uuid()::text, '-', ''), 24), p_now, p_now
    FROM counter_walk_ins w JOIN counter_printers p ON p.outlet_id = w.outlet_id
        AND p.retired_at IS NULL AND p.tickets AND (p.stations = '{}' OR EXISTS (
            SELECT FROM jsonb_array_elements(w.lines) line
            WHERE line->>'station' = ANY (p.stations)))
    WHERE w.id = p_walk_in
    ON CONFLICT (walk_in_id, printer_id, kind, copy) WHERE walk_in_id IS NOT NULL DO NOTHING;
$$;

-- It was cancelled: whoever has it on paper is told so on paper, and what it took is for sale again
-- unless it was made. Rows of items are locked by their ids, as whoever reserves them does.
CREATE OR REPLACE FUNCTION counter_walk_in_cancelled(p_walk_in uuid, p_now timestamptz)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO counter_prints (id, merchant_id, outlet_id, printer_id, walk_in_id, kind, token,
        created_at, due_at)
    SELECT uuid7(p_now), t.merchant_id, t.outlet_id, t.printer_id, t.walk_in_id, 'cancelled',
        left(replace(gen_random_uuid()::text, '-', ''), 24), p_now, p_now
    FROM counter_prints t WHERE t.walk_in_id = p_walk_in AND t.kind = 'ticket' AND t.copy = 0
    ON CONFLICT (walk_in_id, printer_id, kind, copy) WHERE walk_in_id IS NOT NULL DO NOTHING;
    IF (SELECT ready_at IS NOT NULL FROM counter_walk_ins WHERE id = p_walk_in) THEN RETURN; END IF;
    PERFORM FROM counter_items WHERE id IN (SELECT (e->>'item')::uuid FROM counter_walk_ins w,
        jsonb_array_elements(w.taken) e WHERE w.id = p_walk_in) ORDER BY id FOR NO KEY UPDATE;
    UPDATE counter_items i SET stock = i.stock + (e->>'pieces')::integer,
        option_stock = counter_option_stock(i.option_stock, e->'choices')
        FROM counter_walk_ins w, jsonb_array_elements(w.taken) e
        WHERE w.id = p_walk_in AND i.id = (e->>'item')::uuid;
    PERFORM counter_give_back(ARRAY(SELECT (e->>'stock')::uuid FROM counter_walk_ins w,
        jsonb_array_elements(w.taken) e, generate_series(1, (e->>'pieces')::integer)
        WHERE w.id = p_walk_in AND e ? 'stock'));
    UPDATE counter_walk_ins SET taken = '[]' WHERE id = p_walk_in;
END $$;
