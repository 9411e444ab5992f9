-- What a counter does inside the transactions that pay, expire and settle an order.

-- The messages of one purpose to an order's customer, one for each way that was left at checkout.
-- They are written in the transaction of what they tell; each is there once for its key.
CREATE OR REPLACE FUNCTION counter_tell(p_order uuid, p_purpose text, p_key text, p_now timestamptz)
RETURNS bigint LANGUAGE sql AS $$
    WITH told AS (
        INSERT INTO counter_messages (id, merchant_id, outlet_id, order_id, purpose, form, dedup,
            code_version, phone_digest, network, created_at, due_at)
        SELECT gen_random_uuid(), o.merchant_id, o.outlet_id, o.order_id, p_purpose, w.form,
            concat_ws('.', o.order_id, p_key, w.form), o.code_version,
            CASE WHEN w.form IN ('sms', 'call') THEN k.phone_digest END, k.network, p_now, p_now
        FROM counter_orders o JOIN counter_contacts k USING (order_id)
            JOIN counter_stores s USING (outlet_id)
            CROSS JOIN LATERAL (VALUES
                ('sms', k.phone IS NOT NULL AND p_purpose IN ('code', 'ready', 'cancelled')),
                ('call', k.phone IS NOT NULL AND p_purpose = 'ready' AND s.calls),
                ('email', k.email IS NOT NULL AND p_purpose IN ('receipt', 'ready', 'cancelled')),
                ('push', k.push IS NOT NULL AND p_purpose IN ('ready', 'cancelled'))
            ) w (form, wanted)
        WHERE o.order_id = p_order AND w.wanted
        ON CONFLICT (dedup) DO NOTHING RETURNING 1
    )
    SELECT count(*) FROM told
$$;

-- The number of a receipt or of a credit note, as people read it: of six digits, or of as many as
-- it takes.
CREATE OR REPLACE FUNCTION number_of_year(p_year integer, p_number integer) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT p_year || '-' || lpad(p_number::text, greatest(6, length(p_number::text)), '0')
$$;

-- The next number of its merchant's year; the row of the year is locked until this is committed, so
-- that a number is taken by an order that is paid, and by no other.
CREATE OR REPLACE FUNCTION counter_number(p_order uuid, p_now timestamptz)
RETURNS void LANGUAGE sql AS $$
    WITH o AS (SELECT o.id, o.merchant_id, date_part('year', p_now AT TIME ZONE
            coalesce(m.zone, 'UTC'))::integer AS year
        FROM orders o JOIN merchants m ON m.id = o.merchant_id WHERE o.id = p_order),
    taken AS (INSERT INTO counter_invoice_years AS y (merchant_id, year, last)
        SELECT merchant_id, year, 1 FROM o
        ON CONFLICT (merchant_id, year) DO UPDATE SET last = y.last + 1
        RETURNING merchant_id, year, last)
    INSERT INTO counter_invoices (merchant_id, year, number, order_id, at)
    SELECT t.merchant_id, t.year, t.last, o.id, p_now FROM taken t, o
$$;

-- The row beside each unit. Its code is good from now on; nothing is due before its order has to be
-- accepted, and where it is for later, before staff see it: its time to be accepted runs from then.
CREATE OR REPLACE FUNCTION counter_queued(p_order uuid, p_now timestamptz)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO counter_units (id, merchant_id)
        SELECT id, merchant_id FROM fulfillments WHERE order_id = p_order;
    PERFORM counter_number(p_order, p_now);
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
    PERFORM counter_tell(p_order, 'code', 'code.1', p_now);
    PERFORM counter_tell(p_order, 'receipt', 'receipt', p_now);
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

-- Portions of shared stocks are for sale again, one for each time that an id is in the list. Rows
-- are locked by their ids, after those of items, as whoever reserves them does.
CREATE OR REPLACE FUNCTION counter_give_back(p_stocks uuid[])
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM counter_stocks WHERE id = ANY (p_stocks) ORDER BY id FOR NO KEY UPDATE;
    UPDATE counter_stocks s SET stock = s.stock + b.portions
        FROM (SELECT id, count(*)::integer AS portions FROM unnest(p_stocks) AS id GROUP BY id) b
        WHERE s.id = b.id;
END $$;

-- Nobody paid: what the order reserved is for sale again. Rows of items are locked by their ids, as
-- whoever reserves them does.
CREATE OR REPLACE FUNCTION counter_expired(p_order uuid, p_now timestamptz)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM counter_items WHERE id IN (SELECT item_id FROM counter_lines
        WHERE order_id = p_order) ORDER BY id FOR NO KEY UPDATE;
    UPDATE counter_items i SET stock = i.stock + l.pieces,
        option_stock = counter_option_stock(i.option_stock, l.choices)
        FROM (SELECT item_id,
                coalesce(sum(reserved) FILTER (WHERE item_counted), 0)::integer AS pieces,
                counter_reserved_choices(p_order, item_id) AS choices
            FROM counter_lines WHERE order_id = p_order GROUP BY item_id) l
        WHERE i.id = l.item_id;
    PERFORM counter_give_back(ARRAY(SELECT stock FROM counter_lines, unnest(shared_stocks) AS stock,
        generate_series(1, reserved) WHERE order_id = p_order));
    UPDATE counter_lines SET reserved = 0 WHERE order_id = p_order;
    PERFORM offers_follow(p_order, p_now);
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
        PERFORM FROM counter_items WHERE id IN (SELECT item_id FROM counter_lines
            WHERE order_id = u.order_id) ORDER BY id FOR NO KEY UPDATE;
        UPDATE counter_items SET stock = stock + l.item_counted::integer,
            option_stock = counter_option_stock(option_stock,
                (SELECT coalesce(jsonb_object_agg(choice, 1), '{}')
                    FROM unnest(l.counted_choices) AS choice))
            WHERE id = l.item_id;
        PERFORM counter_give_back(l.shared_stocks);
    END IF;
    IF u.settlement = 'refund_due' THEN  -- once for all that goes back in this transaction
        PERFORM counter_tell(u.order_id, 'cancelled', 'cancelled.' || pg_current_xact_id(), p_now);
        PERFORM counter_print_cancelled(p_unit, p_now);
    END IF;
    PERFORM offers_follow(u.order_id, p_now);
END $$;

-- How many decimal places a currency has, by ISO 4217.
CREATE OR REPLACE FUNCTION places_of(p_currency text) RETURNS integer LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN p_currency IN (
        'BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG', 'RWF', 'UGX', 'UYI',
        'VND', 'VUV', 'XAF', 'XOF', 'XPF') THEN 0
    WHEN p_currency IN (
        'BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND') THEN 3
    WHEN p_currency IN ('CLF', 'UYW') THEN 4
    ELSE 2 END
$$;

-- What the messages of an order cost, in minor units of this currency, rounded once for all of
-- them, and how many have no price in it: it comes later, or is in another currency.
CREATE OR REPLACE FUNCTION message_costs(p_order uuid, p_currency text)
RETURNS TABLE (minor bigint, unknown bigint) LANGUAGE sql STABLE AS $$
    SELECT round(coalesce(sum(price) FILTER (WHERE price_currency = p_currency), 0)
            * 10 ^ places_of(p_currency))::bigint,
        count(*) FILTER (WHERE price_currency IS DISTINCT FROM p_currency)
    FROM counter_messages WHERE order_id = p_order AND form IN ('sms', 'call')
        AND (reference IS NOT NULL OR stage IN ('sending', 'unconfirmed'))
$$;

-- What became of the text messages and calls of an order. One that is on its way, or of which
-- nothing was ever heard, counts neither way.
CREATE OR REPLACE FUNCTION message_outcomes(p_order uuid)
RETURNS TABLE (sms_ok bigint, sms_failed bigint, calls_ok bigint, calls_failed bigint)
LANGUAGE sql STABLE AS $$
    SELECT count(*) FILTER (WHERE form = 'sms' AND stage = 'delivered'),
        count(*) FILTER (WHERE form = 'sms' AND stage = 'failed'),
        count(*) FILTER (WHERE form = 'call' AND stage = 'delivered'),
        count(*) FILTER (WHERE form = 'call' AND stage = 'failed')
    FROM counter_messages WHERE order_id = p_order
$$;

-- How often what the order's page shows beside the order changed: its messages are told there.
CREATE OR REPLACE FUNCTION counter_shown(p_order uuid) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT (SELECT count(*) + coalesce(sum(changes), 0) FROM counter_messages
            WHERE order_id = p_order)
        + (SELECT count(left_at) FROM counter_deliveries WHERE order_id = p_order)
        + (SELECT coalesce(sum(here_changes), 0) FROM counter_orders WHERE order_id = p_order)
$$;
