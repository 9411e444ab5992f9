-- $1 orders that ended long ago, as a shop has them: paid, handed over, booked. This makes the
-- $2nd and from there every $3rd, so that several sessions share the work. Run by the superuser
-- with triggers off, for a million orders are thirty million checks of foreign keys.
WITH o AS MATERIALIZED (
    SELECT n, uuid7(at) AS order_id, uuid7(at) AS line_id, uuid7(at) AS payment_id,
        uuid7(at) AS attempt_id, uuid7(at) AS capture_id, uuid7(at) AS unit_id,
        at, q.id AS qr_id, q.outlet_id, q.merchant_id, q.account_id, q.amount_minor, q.currency,
        p.id AS product_id, gen_random_uuid() AS txn_in, gen_random_uuid() AS txn_out,
        (n - 1) / places + 1 AS nth
    FROM (SELECT n, now() - interval '30 days' + n * (interval '29 days' / $1::int) AS at,
                 (SELECT count(*) FROM qr_codes) AS places
          FROM generate_series($2::int, $1::int, $3::int) AS n) AS s
    JOIN (SELECT *, row_number() OVER (ORDER BY outlet_id) - 1 AS place FROM qr_codes) q
        ON q.place = (s.n - 1) % s.places
    CROSS JOIN (SELECT id FROM products LIMIT 1) p
    ORDER BY n  -- rows lie in the order of time, as where they are written one by one
), orders_in AS (
    INSERT INTO orders (id, merchant_id, outlet_id, state, version, token, number, source,
        amount_minor, currency, placed_at, paid_at, ended_at)
    SELECT order_id, merchant_id, outlet_id, 'completed', 3,
        replace(gen_random_uuid()::text, '-', ''), order_number(order_id), 'printed_qr',
        amount_minor, currency, at, at, at
    FROM o
), lines_in AS (
    INSERT INTO order_lines (id, merchant_id, order_id, product_id, slot, sku, name, quantity,
        price_minor, cost_minor)
    SELECT line_id, merchant_id, order_id, product_id, 'A1', 'cola', 'Cola', 1, amount_minor, 0
    FROM o
), payments_in AS (
    INSERT INTO payments (id, merchant_id, account_id, order_id, state, version, amount_minor,
        currency, created_at)
    SELECT payment_id, merchant_id, account_id, order_id, 'succeeded', 2, amount_minor, currency, at
    FROM o
), attempts_in AS (
    INSERT INTO attempts (id, merchant_id, payment_id, account_id, state, version,
        gateway_payment_id, started_at)
    SELECT attempt_id, merchant_id, payment_id, account_id, 'succeeded', 2, 'pay_old' || n, at
    FROM o
), captures_in AS (
    INSERT INTO captures (id, merchant_id, account_id, gateway_payment_id, payment_id, order_id,
        qr_id, currency, captured, fulfilled, open, captured_at, seen_at, hard_deadline)
    SELECT capture_id, merchant_id, account_id, 'pay_old' || n, payment_id, order_id, qr_id,
        currency, amount_minor, amount_minor, 0, at, at, at FROM o
), units_in AS (
    INSERT INTO fulfillments (id, merchant_id, order_id, line_id, capture_id, outlet_id, kind,
        amount_minor, currency, state, version, sent_at, settlement, basis, settled_at, queued_at,
        dispatch_by, hard_deadline)
    SELECT unit_id, merchant_id, order_id, line_id, capture_id, outlet_id, 'vending', amount_minor,
        currency, 'vended', 5, at, 'fulfilled', 'vended', at, at, at, at FROM o
), machine_parts_in AS (
    INSERT INTO vend_units (id, merchant_id, outlet_id, slot, seq, offers, offered_at, journal_id,
        boot_id, lease_end, started_at)
    SELECT unit_id, merchant_id, outlet_id, 'A1', -nth, 1, at, 'j0', 'b0', at, at FROM o
), ledger_in AS (
    INSERT INTO ledger (txn, merchant_id, capture_id, account, currency, amount, why, at)
    SELECT CASE WHEN side.why = 'captured' THEN txn_in ELSE txn_out END, merchant_id, capture_id,
        side.account, currency, side.sign * amount_minor, side.why, at
    FROM o, (VALUES ('gateway', 1, 'captured'), ('obligations', -1, 'captured'),
        ('obligations', 1, 'handed_over'), ('sales', -1, 'handed_over')
    ) AS side (account, sign, why)
), events_in AS (
    INSERT INTO events (merchant_id, machine, subject_id, event, was, state, at)
    SELECT merchant_id, m.machine,
        CASE m.machine WHEN 'order' THEN order_id WHEN 'payment' THEN payment_id
            WHEN 'attempt' THEN attempt_id ELSE unit_id END, m.event, m.was, m.state, at
    FROM o, (VALUES ('payment', 'CAPTURED', 'created', 'succeeded'),
        ('attempt', 'CAPTURED', 'started', 'succeeded'), ('order', 'PAID', 'placed', 'paid'),
        ('fulfillment', 'OFFER', 'queued', 'offered'),
        ('fulfillment', 'ACCEPT', 'offered', 'going'),
        ('fulfillment', 'STARTED', 'going', 'started'),
        ('fulfillment', 'VENDED', 'started', 'vended'),
        ('order', 'HANDED_OVER', 'paid', 'completed')
    ) AS m (machine, event, was, state)
), told AS (
    INSERT INTO device_events (outlet_id, journal_id, event_seq, merchant_id, unit_id, message, at)
    SELECT outlet_id, 'j0', 2 * nth - e, merchant_id, unit_id, '{}', at
    FROM o, generate_series(0, 1) AS e
)
INSERT INTO inbox (merchant_id, account_id, delivery_id, verdict, event, headers, body, facts,
    received_at, worked_at)
SELECT merchant_id, account_id, 'evt_old' || n, 'genuine', 'qr_code.credited',
    '{"content-type": "application/json"}', convert_to(repeat(md5(n::text), 46), 'UTF8'), '[]',
    at, at
FROM o
