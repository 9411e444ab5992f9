-- A capture: one path for all of them, whether a webhook reported it, a poll found it or a page saw
-- it. These functions are in PL/pgSQL also where SQL would do: SQL is planned again at every call.

-- The outcome of `accept_capture`: 'paid', 'returned', 'parked', 'known'.

-- What to add to a gateway's time where our clock is known to be ahead of its. It is only ever
-- added: a deadline that is too late still ends in goods or money; one that has passed before it
-- began would refund every sale. A clock that is behind is limited by "now" already.
CREATE OR REPLACE FUNCTION ahead_of(p_account gateway_accounts, p_windows jsonb)
RETURNS interval LANGUAGE plpgsql STABLE AS $$
DECLARE
    ahead_s float8 := coalesce((p_windows->>'ahead_s')::float8, (SELECT ahead_ms / 1000.0
        FROM clocks WHERE account_id = p_account.id ORDER BY heard_at DESC LIMIT 1));
BEGIN
    RETURN CASE WHEN ahead_s > coalesce((p_windows->>'clock_skew_s')::float8, 5)
        THEN ahead_s * interval '1 second' ELSE interval '0' END;
END $$;

CREATE OR REPLACE FUNCTION accept_capture(p_account gateway_accounts, p_fact jsonb,
    p_windows jsonb, p_now timestamptz) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    c captures%ROWTYPE;
    q qr_codes%ROWTYPE;
    asked uuid;
    of_order boolean;
    at timestamptz := least((p_fact->>'at')::timestamptz, p_now);
    fresh boolean := true;
BEGIN
    -- What it pays, which most often is known. It waits to be matched where it is not.
    SELECT * INTO q FROM qr_codes
        WHERE account_id = p_account.id AND qr_code_id = p_fact->>'qr_code_id';
    IF NOT FOUND AND p_fact->'mark'->>'qr' IS NOT NULL THEN
        SELECT * INTO q FROM qr_codes
            WHERE id = try_uuid(p_fact->'mark'->>'qr') AND account_id = p_account.id;
    END IF;
    asked := CASE WHEN q.id IS NULL THEN attempt_of(p_account, p_fact) ELSE q.attempt_id END;
    IF q.id IS NOT NULL AND asked IS NULL AND sell_at_once(p_account, p_fact, q, p_windows, p_now)
    THEN RETURN 'paid'; END IF;
    INSERT INTO captures (id, merchant_id, account_id, gateway_payment_id, currency, captured, open,
        captured_at, captured_here_at, seen_at, hard_deadline, due_at, payer_reference, qr_id)
    VALUES (uuid7(p_now), p_account.merchant_id, p_account.id, p_fact->>'gateway_payment_id',
        p_fact->'money'->>'currency', (p_fact->'money'->>'amount')::bigint,
        (p_fact->'money'->>'amount')::bigint, at,
        least(at + ahead_of(p_account, p_windows), p_now), p_now,
        p_now + (p_windows->>'capture_s')::float8 * interval '1 second',
        CASE WHEN q.id IS NULL AND asked IS NULL
            THEN p_now + (p_windows->>'match_s')::float8 * interval '1 second' END,
        p_fact->>'payer_reference', q.id)
    ON CONFLICT (account_id, gateway_payment_id) DO NOTHING RETURNING * INTO c;
    IF NOT FOUND THEN
        fresh := false;
        SELECT * INTO STRICT c FROM captures WHERE account_id = p_account.id
            AND gateway_payment_id = p_fact->>'gateway_payment_id' FOR NO KEY UPDATE;
        UPDATE captures SET payer_reference = p_fact->>'payer_reference'
            WHERE id = c.id AND payer_reference IS NULL AND p_fact->>'payer_reference' IS NOT NULL;
        IF c.captured <> (p_fact->'money'->>'amount')::bigint THEN
            PERFORM note_discrepancy('capture_amount_changed', c, NULL, NULL, c.captured, p_now);
        END IF;
        IF c.qr_id IS NOT NULL OR c.payment_id IS NOT NULL OR c.open < c.captured THEN
            RETURN 'known';
        END IF;
    ELSE
        PERFORM book(c, 'gateway', 'obligations', c.captured, 'captured', p_now);
    END IF;
    IF q.id IS NULL AND asked IS NULL THEN
        RETURN CASE WHEN fresh THEN 'parked' ELSE 'known' END;
    END IF;
    IF NOT fresh THEN
        UPDATE captures SET qr_id = q.id, due_at = NULL WHERE id = c.id RETURNING * INTO c;
    END IF;
    IF asked IS NULL THEN RETURN sell_printed(c, q, p_windows, p_now); END IF;
    -- What it was for, its payment says: an order of ours, or the merchant's own server.
    SELECT p.order_id IS NOT NULL INTO STRICT of_order FROM attempts a
        JOIN payments p ON p.id = a.payment_id WHERE a.id = asked;
    IF of_order THEN RETURN pay_placed(c, asked, p_windows, p_now); END IF;
    RETURN collect_api(c, asked, p_now);
END $$;

CREATE OR REPLACE FUNCTION by_our_clock(p_capture captures) RETURNS timestamptz
LANGUAGE sql IMMUTABLE AS $$ SELECT coalesce(p_capture.captured_here_at, p_capture.captured_at) $$;

-- Why money that is ours buys nothing; NULL where it buys. The same questions in the same order for
-- a printed code, an order and a payment of the merchant's own server. `p_over`: why it could buy
-- nothing whenever it was captured; `p_late`: why not at `p_ends` or after.
CREATE OR REPLACE FUNCTION buys_nothing(p_capture captures, p_amounts bigint[], p_currency text,
    p_over text, p_ends timestamptz, p_late text) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT CASE
        -- The gateway gave some of it back before we knew whose it was. Ours goes back; what is not
        -- ours stays.
        WHEN p_capture.outside > 0 THEN 'refunded_outside'
        WHEN p_capture.currency <> p_currency OR p_capture.captured <> ALL (p_amounts)
            THEN 'amount_mismatch'
        WHEN p_over IS NOT NULL THEN p_over
        WHEN by_our_clock(p_capture) >= p_ends THEN p_late
    END
$$;

CREATE OR REPLACE FUNCTION try_uuid(p_text text) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN p_text ~ '^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$' THEN p_text::uuid END
$$;

-- The attempt that a capture belongs to: of the payment that our mark names, else by what `collect`
-- made at the gateway. Only one that was sent to this very account: a mark can be copied, into a
-- test account too.
CREATE OR REPLACE FUNCTION attempt_of(p_account gateway_accounts, p_fact jsonb)
RETURNS uuid LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN coalesce(
        (SELECT a.id FROM attempts a JOIN payments p ON p.id = a.payment_id
            WHERE p.id = try_uuid(p_fact->'mark'->>'payment') AND a.key IS NOT NULL
            AND p.merchant_id = p_account.merchant_id AND a.account_id = p_account.id
            ORDER BY a.reference IN (p_fact->>'gateway_payment_id', p_fact->>'gateway_order_id')
                DESC NULLS LAST,
                starts_with(encode(sha256(convert_to(a.key, 'UTF8')), 'hex'),
                    p_fact->'mark'->>'charge') DESC NULLS LAST, a.number DESC LIMIT 1),
        (SELECT id FROM attempts WHERE account_id = p_account.id AND reference IN
            (p_fact->>'gateway_payment_id', p_fact->>'gateway_order_id') LIMIT 1));
END $$;

-- All of it goes back: it buys nothing.
CREATE OR REPLACE FUNCTION return_capture(p_capture uuid, p_reason text, p_now timestamptz)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    c captures%ROWTYPE;
    rest bigint;
BEGIN
    SELECT * INTO STRICT c FROM captures WHERE id = p_capture FOR NO KEY UPDATE;
    rest := c.open;
    IF rest = 0 THEN RETURN 'known'; END IF;
    UPDATE captures SET surplus = surplus + rest, open = 0, reason = p_reason, due_at = NULL
        WHERE id = c.id;
    PERFORM book(c, 'obligations', 'refunds_payable', rest, p_reason, p_now);
    PERFORM owe_refund(c.id, NULL, rest, p_reason, p_now);
    RETURN 'returned';
END $$;

-- Not ours: closed without a refund, on the gateway's evidence only.
CREATE OR REPLACE FUNCTION close_foreign(p_capture uuid, p_evidence jsonb, p_now timestamptz)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    c captures%ROWTYPE;
    rest bigint;
BEGIN
    SELECT * INTO STRICT c FROM captures WHERE id = p_capture FOR NO KEY UPDATE;
    rest := c.open;
    IF rest = 0 OR c.qr_id IS NOT NULL OR c.payment_id IS NOT NULL THEN RETURN; END IF;
    UPDATE captures SET foreign_amount = rest, open = 0, reason = 'foreign', due_at = NULL
        WHERE id = c.id;
    PERFORM book(c, 'obligations', 'foreign', rest, 'foreign', p_now);
    PERFORM tell(c.merchant_id, 'capture', c.id, 'FOREIGN', p_evidence, p_now);
END $$;

-- Why a printed QR sells nothing for this money; NULL where it does. A slot that a person took out
-- of sale is paid for in vain from then on.
CREATE OR REPLACE FUNCTION why_not_printed(p_capture captures, p_qr qr_codes, p_outlet outlets,
    p_slot slots) RETURNS text LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN buys_nothing(p_capture, ARRAY[p_qr.amount_minor], p_qr.currency,
        CASE WHEN p_slot.slot IS NULL THEN 'slot_gone'
            ELSE cannot_sell(p_outlet, p_capture.account_id) END,
        least(p_qr.retired_at, p_slot.withheld_at),
        CASE WHEN p_slot.withheld_at < coalesce(p_qr.retired_at, 'infinity') THEN 'slot_withheld'
            ELSE 'qr_retired' END);
END $$;

-- A printed QR: each payment is an order of its own, for one unit of one slot.
CREATE OR REPLACE FUNCTION sell_printed(p_capture captures, p_qr qr_codes, p_windows jsonb,
    p_now timestamptz) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    o_id uuid := uuid7(p_now);
    p_id uuid := uuid7(p_now);
    a_id uuid := uuid7(p_now);
    u outlets%ROWTYPE;
    s slots%ROWTYPE;
    why text;
BEGIN
    SELECT * INTO u FROM outlets WHERE id = p_qr.outlet_id;
    SELECT * INTO s FROM slots WHERE outlet_id = p_qr.outlet_id AND slot = p_qr.slot;
    why := why_not_printed(p_capture, p_qr, u, s);
    IF why IS NOT NULL THEN RETURN return_capture(p_capture.id, why, p_now); END IF;
    INSERT INTO orders (id, merchant_id, outlet_id, state, token, number, source, amount_minor,
        currency, placed_at, price_version, planogram_version)
    VALUES (o_id, p_qr.merchant_id, p_qr.outlet_id, 'placed',
        replace(gen_random_uuid()::text, '-', ''), order_number(o_id), 'printed_qr',
        p_capture.captured, p_capture.currency, p_now, u.price_version, u.planogram_version);
    INSERT INTO order_lines (id, merchant_id, order_id, product_id, slot, sku, name, quantity,
        price_minor, cost_minor)
    SELECT uuid7(p_now), p_qr.merchant_id, o_id, p.id, s.slot, p.sku, p.name, 1,
        p_capture.captured, p.cost_minor
    FROM products p WHERE p.id = s.product_id;
    INSERT INTO payments (id, merchant_id, account_id, order_id, state, amount_minor, currency,
        created_at)
    VALUES (p_id, p_qr.merchant_id, p_qr.account_id, o_id, 'created', p_capture.captured,
        p_capture.currency, p_now);
    INSERT INTO attempts (id, merchant_id, payment_id, account_id, state, started_at)
    VALUES (a_id, p_qr.merchant_id, p_id, p_qr.account_id, 'started', p_now);
    PERFORM pay_order(p_capture, o_id, p_id, a_id, dispatch_window(u, p_windows), p_now);
    RETURN 'paid';
END $$;

-- The same for a capture that nobody told of before, which nearly every one is, in one statement:
-- the rows are inserted as `transition` would leave them. `state_at_once` says which state that is;
-- the job of the order's move, to queue its unit, is done here. False where the capture is known or
-- buys nothing: then nothing was written. `tests/sales/test_sold_at_once.py` compares both ways.
CREATE OR REPLACE FUNCTION sell_at_once(p_account gateway_accounts, p_fact jsonb, p_qr qr_codes,
    p_windows jsonb, p_now timestamptz) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    c captures%ROWTYPE;
    u outlets%ROWTYPE;
    s slots%ROWTYPE;
    o_id uuid := uuid7(p_now);
    p_id uuid := uuid7(p_now);
    a_id uuid := uuid7(p_now);
    item products%ROWTYPE;
    until timestamptz;
    fee_is text;
    txn uuid := gen_random_uuid();
    fee_txn uuid := gen_random_uuid();
BEGIN
    c.id := uuid7(p_now);
    c.merchant_id := p_account.merchant_id;
    c.account_id := p_account.id;
    c.gateway_payment_id := p_fact->>'gateway_payment_id';
    c.currency := p_fact->'money'->>'currency';
    c.captured := (p_fact->'money'->>'amount')::bigint;
    c.captured_at := least((p_fact->>'at')::timestamptz, p_now);
    c.captured_here_at := least(c.captured_at + ahead_of(p_account, p_windows), p_now);
    c.outside := 0;
    c.fee_minor := CASE WHEN p_fact->'fee'->>'currency' = c.currency
        THEN (p_fact->'fee'->>'amount')::bigint END;
    fee_is := CASE WHEN c.fee_minor < 0 THEN 'fee_corrected' ELSE 'fee' END;
    SELECT * INTO u FROM outlets WHERE id = p_qr.outlet_id;
    SELECT * INTO s FROM slots WHERE outlet_id = p_qr.outlet_id AND slot = p_qr.slot;
    SELECT * INTO item FROM products WHERE id = s.product_id;
    IF NOT FOUND OR why_not_printed(c, p_qr, u, s) IS NOT NULL THEN RETURN false; END IF;
    until := by_our_clock(c) + dispatch_window(u, p_windows);
    WITH capture AS (
        INSERT INTO captures (id, merchant_id, account_id, gateway_payment_id, payment_id, order_id,
            qr_id, currency, captured, open, captured_at, captured_here_at, seen_at, hard_deadline,
            payer_reference, fee_minor)
        VALUES (c.id, c.merchant_id, c.account_id, c.gateway_payment_id, p_id, o_id, p_qr.id,
            c.currency, c.captured, c.captured, c.captured_at, c.captured_here_at, p_now,
            p_now + (p_windows->>'capture_s')::float8 * interval '1 second',
            p_fact->>'payer_reference', c.fee_minor)
        ON CONFLICT (account_id, gateway_payment_id) DO NOTHING RETURNING id
    ), booked AS (
        INSERT INTO ledger (txn, merchant_id, capture_id, account, currency, amount, why, at)
        SELECT CASE WHEN l.why = 'captured' THEN txn ELSE fee_txn END, c.merchant_id, c.id,
            l.account, c.currency, l.amount, l.why, p_now
        FROM capture, (VALUES ('gateway', c.captured, 'captured'),
            ('obligations', -c.captured, 'captured'), ('fees', c.fee_minor, fee_is),
            ('gateway', -c.fee_minor, fee_is)) AS l (account, amount, why) WHERE l.amount <> 0
    ), placed AS (
        INSERT INTO orders (id, merchant_id, outlet_id, state, version, token, number, source,
            amount_minor, currency, placed_at, paid_at, dispatch_by, price_version,
            planogram_version)
        SELECT o_id, p_qr.merchant_id, p_qr.outlet_id, state_at_once('order', 'PAID'), 2,
            replace(gen_random_uuid()::text, '-', ''), order_number(o_id), 'printed_qr', c.captured,
            c.currency, p_now, c.captured_at, until, u.price_version, u.planogram_version
        FROM capture
    ), line AS (
        INSERT INTO order_lines (id, merchant_id, order_id, product_id, slot, sku, name, quantity,
            price_minor, cost_minor)
        SELECT uuid7(p_now), p_qr.merchant_id, o_id, item.id, s.slot, item.sku, item.name, 1,
            c.captured, item.cost_minor
        FROM capture RETURNING id
    ), payment AS (
        INSERT INTO payments (id, merchant_id, account_id, order_id, state, version, amount_minor,
            currency, created_at)
        SELECT p_id, p_qr.merchant_id, p_qr.account_id, o_id,
            state_at_once('payment', 'CAPTURED'), 2, c.captured, c.currency, p_now FROM capture
    ), attempt AS (
        INSERT INTO attempts (id, merchant_id, payment_id, account_id, state, version,
            gateway_payment_id, started_at)
        SELECT a_id, p_qr.merchant_id, p_id, p_qr.account_id,
            state_at_once('attempt', 'CAPTURED'), 2, c.gateway_payment_id, p_now FROM capture
    ), history AS (
        INSERT INTO events (merchant_id, machine, subject_id, event, was, state, data, at)
        SELECT p_qr.merchant_id, m.machine, m.subject, m.event, first_state(m.machine),
            state_at_once(m.machine, m.event), m.data, p_now
        FROM capture, (VALUES
            ('payment', p_id, 'CAPTURED', '{"due_at": null}'),
            ('attempt', a_id, 'CAPTURED', jsonb_build_object('due_at', NULL, 'failure', NULL,
                'gateway_payment_id', c.gateway_payment_id)),
            ('order', o_id, 'PAID', jsonb_build_object('paid_at', c.captured_at, 'due_at', NULL,
                'dispatch_by', until))) AS m (machine, subject, event, data)
    )
    INSERT INTO fulfillments (id, merchant_id, order_id, line_id, capture_id, outlet_id, kind,
        amount_minor, currency, state, queued_at, dispatch_by, hard_deadline, due_at)
    SELECT uuid7(p_now), p_qr.merchant_id, o_id, line.id, c.id, u.id, u.kind, c.captured,
        c.currency, begins_as(u.kind), p_now, until,
        greatest(until, p_now) + interval '60 seconds', p_now
    FROM line;
    IF NOT FOUND THEN RETURN false; END IF;
    PERFORM tell_kind_queued(u.kind, o_id, p_now);
    RETURN true;
END $$;

-- Money of an attempt to pay an order that was placed on our page. A customer who changes the way
-- to pay retires the attempt before: what was captured there earlier still buys.
CREATE OR REPLACE FUNCTION pay_placed(p_capture captures, p_attempt uuid, p_windows jsonb,
    p_now timestamptz) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    o orders%ROWTYPE;
    a attempts%ROWTYPE;
    u outlets%ROWTYPE;
    withheld timestamptz;
    why text;
BEGIN
    SELECT o2.* INTO STRICT o FROM orders o2 WHERE o2.id = (SELECT p.order_id FROM payments p
        JOIN attempts b ON b.payment_id = p.id WHERE b.id = p_attempt) FOR NO KEY UPDATE;
    SELECT * INTO STRICT a FROM attempts WHERE id = p_attempt;
    SELECT * INTO STRICT u FROM outlets WHERE id = o.outlet_id;
    SELECT min(s.withheld_at) INTO withheld FROM order_lines w JOIN slots s ON s.slot = w.slot
        AND s.outlet_id = o.outlet_id WHERE w.order_id = o.id;
    why := buys_nothing(p_capture, ARRAY[o.amount_minor], o.currency,
        CASE o.state WHEN 'placed' THEN NULL WHEN 'expired' THEN 'order_expired'
            ELSE 'paid_twice' END, least(o.expires_at, a.retired_at, withheld),
        CASE WHEN withheld < least(o.expires_at, a.retired_at) THEN 'slot_withheld'
            WHEN a.retired_at < o.expires_at THEN 'way_changed' ELSE 'order_expired' END);
    IF why IS NULL THEN why := cannot_sell(u, p_capture.account_id); END IF;
    IF why IS NULL AND others_were_first(o.id) THEN why := 'sold_out'; END IF;
    IF why IS NULL THEN
        PERFORM pay_order(p_capture, o.id, a.payment_id, a.id, dispatch_window(u, p_windows),
            p_now);
        PERFORM retire_ways(o.id, NULL, p_now);
        RETURN 'paid';
    END IF;
    UPDATE captures SET payment_id = a.payment_id, order_id = o.id WHERE id = p_capture.id;
    IF o.state = 'placed' AND why IN ('order_expired', 'sold_out', 'not_sold_here',
        'practice_machine', 'slot_withheld') THEN
        PERFORM transition_order(o.id, 'DEADLINE',
            jsonb_build_object('ended_at', p_now, 'due_at', NULL), p_now);
    END IF;
    IF why IN ('order_expired', 'sold_out', 'not_sold_here', 'practice_machine', 'slot_withheld',
        'paid_twice') THEN
        PERFORM transition_order(o.id, 'PAID', '{}', p_now);
    END IF;
    -- What `collect` made is paid once, whatever becomes of the money; a code waits for the right
    -- amount.
    IF a.key IS NOT NULL THEN PERFORM attempt_captured(p_capture, a.id, p_now); END IF;
    RETURN return_capture(p_capture.id, why, p_now);
END $$;

CREATE OR REPLACE FUNCTION attempt_captured(p_capture captures, p_attempt uuid, p_now timestamptz)
RETURNS void LANGUAGE sql AS $$
    SELECT transition_attempt(p_attempt, 'CAPTURED', jsonb_build_object('due_at', NULL, 'failure',
        NULL, 'gateway_payment_id', p_capture.gateway_payment_id), p_now)
$$;

-- Why money of this account buys nothing at this outlet; NULL where it does. A program without the
-- outlet's way of selling can hand over nothing: an older one, or one that was built without it. A
-- practice machine has no goods: money that may be real goes back, also where the account was one
-- of test money when the customer was led to it.
CREATE OR REPLACE FUNCTION cannot_sell(p_outlet outlets, p_account uuid) RETURNS text
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN CASE WHEN begins_as(p_outlet.kind) IS NULL THEN 'not_sold_here'
        WHEN p_outlet.channel = 'practice'
            AND (SELECT test_only FROM gateway_accounts WHERE id = p_account) IS NOT TRUE
            THEN 'practice_machine' END;
END $$;

-- Unpaid orders reserve nothing: the first payer gets the last piece. Units are counted under the
-- lock of the slot's row, so that of two who pay at once one is second. Lines of one slot count
-- together.
CREATE OR REPLACE FUNCTION others_were_first(p_order uuid) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    l record;
BEGIN
    FOR l IN SELECT s.outlet_id, s.slot, s.stock, (SELECT sum(m.quantity) FROM order_lines m
            WHERE m.order_id = o.id AND m.slot = s.slot) AS quantity
        FROM order_lines w JOIN orders o ON o.id = w.order_id
        JOIN slots s ON s.outlet_id = o.outlet_id AND s.slot = w.slot
        WHERE w.order_id = p_order ORDER BY s.slot FOR NO KEY UPDATE OF s LOOP
        IF l.stock < l.quantity + (SELECT count(*) FROM fulfillments f
                JOIN order_lines p ON p.id = f.line_id
                WHERE f.outlet_id = l.outlet_id AND p.slot = l.slot AND f.settlement IS NULL) THEN
            RETURN true;
        END IF;
    END LOOP;
    RETURN false;
END $$;

-- The windows of time that hold at an outlet and not everywhere: its own, then those that its
-- merchant set for its kind.
CREATE OR REPLACE FUNCTION windows_at(p_outlet outlets) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT coalesce((SELECT m.windows->p_outlet.kind FROM merchants m
        WHERE m.id = p_outlet.merchant_id), '{}') || p_outlet.windows
$$;

-- From the capture to the last moment at which a unit may be sent: the outlet's window, else the
-- installation's for its kind, else everybody's.
CREATE OR REPLACE FUNCTION dispatch_window(p_outlet outlets, p_windows jsonb)
RETURNS interval LANGUAGE sql STABLE AS $$
    SELECT coalesce(windows_at(p_outlet)->>'dispatch_s',
        p_windows->>(p_outlet.kind || '_dispatch_s'), p_windows->>'dispatch_s')::float8
        * interval '1 second'
$$;

CREATE OR REPLACE FUNCTION pay_order(p_capture captures, p_order uuid, p_payment uuid,
    p_attempt uuid, p_dispatch interval, p_now timestamptz) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE captures SET payment_id = p_payment, order_id = p_order WHERE id = p_capture.id;
    PERFORM transition_payment(p_payment, 'CAPTURED', '{"due_at": null}', p_now);
    PERFORM attempt_captured(p_capture, p_attempt, p_now);
    PERFORM transition_order(p_order, 'PAID', jsonb_build_object('paid_at', p_capture.captured_at,
        'due_at', NULL, 'dispatch_by', by_our_clock(p_capture) + p_dispatch), p_now);
END $$;

-- An order that expires takes its payment with it; what was shown to its customer is closed at the
-- gateways, retried.
CREATE OR REPLACE FUNCTION order_close_payment(p_order uuid, p_now timestamptz)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM transition_payment(id, 'DEADLINE', '{"due_at": null}', p_now)
        FROM payments WHERE order_id = p_order;
    PERFORM retire_ways(p_order, NULL, p_now);
    PERFORM tell_kind_expired(u.kind, o.id, p_now)
        FROM orders o JOIN outlets u ON u.id = o.outlet_id WHERE o.id = p_order;
END $$;

-- What an order's customer may no longer pay by, all of it or all but one attempt: it is closed at
-- its gateway, retried, and a code is not polled steadily any more.
CREATE OR REPLACE FUNCTION retire_ways(p_order uuid, p_but uuid, p_now timestamptz)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE attempts SET retired_at = p_now, tries = 0, leased_until = NULL, lease = lease + 1,
        due_at = CASE WHEN key IS NOT NULL THEN p_now END
    WHERE payment_id IN (SELECT id FROM payments WHERE order_id = p_order)
        AND id IS DISTINCT FROM p_but AND way IS NOT NULL AND retired_at IS NULL
        AND state IN ('started', 'pending', 'unknown');
    UPDATE qr_codes SET retired_at = coalesce(retired_at, p_now), due_at = p_now,
        leased_until = NULL, lease = lease + 1,
        stage = CASE stage WHEN 'open' THEN 'closing' ELSE stage END
    WHERE payment_id IN (SELECT id FROM payments WHERE order_id = p_order)
        AND attempt_id IS DISTINCT FROM p_but AND retired_at IS NULL;
END $$;

-- One unit for each piece paid for, in the first state of its outlet's kind.
CREATE OR REPLACE FUNCTION order_queue_units(p_order uuid, p_now timestamptz)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    o orders%ROWTYPE;
    its_kind text;
BEGIN
    SELECT * INTO STRICT o FROM orders WHERE id = p_order;
    SELECT kind INTO STRICT its_kind FROM outlets WHERE id = o.outlet_id;
    INSERT INTO fulfillments (id, merchant_id, order_id, line_id, capture_id, outlet_id, kind,
        amount_minor, currency, state, queued_at, dispatch_by, hard_deadline, due_at, tax_minor)
    SELECT uuid7(p_now), l.merchant_id, l.order_id, l.id, c.id, o.outlet_id, its_kind,
        coalesce(l.unit_minor[piece], l.price_minor), o.currency, begins_as(its_kind), p_now,
        coalesce(o.dispatch_by, o.expires_at),
        greatest(coalesce(o.dispatch_by, o.expires_at), p_now) + interval '60 seconds', p_now,
        coalesce(l.tax_minor[piece], 0)
    FROM order_lines l LEFT JOIN captures c ON c.order_id = o.id AND c.reason IS NULL,
    generate_series(1, l.quantity) AS piece
    WHERE l.order_id = o.id AND (c.id IS NOT NULL OR o.amount_minor = 0);
    PERFORM tell_kind_queued(its_kind, o.id, p_now);
END $$;

-- Which refund a gateway reports: by its own id for it, else by our mark. A mark can be copied: it
-- counts only on the payment and for the amount that we marked.
CREATE OR REPLACE FUNCTION refund_told(p_account gateway_accounts, p_fact jsonb)
RETURNS uuid LANGUAGE sql VOLATILE AS $$
    SELECT f.id FROM refunds f WHERE f.account_id = p_account.id
        AND (f.gateway_refund_id = p_fact->>'gateway_refund_id'
            OR (f.id = try_uuid(p_fact->'mark'->>'refund') AND f.gateway_refund_id IS NULL
                AND f.amount_minor = (p_fact->'money'->>'amount')::bigint
                AND f.currency = p_fact->'money'->>'currency' AND EXISTS (SELECT FROM captures c
                    WHERE c.id = f.capture_id
                        AND c.gateway_payment_id = p_fact->>'gateway_payment_id')))
    ORDER BY f.gateway_refund_id IS NULL LIMIT 1
$$;

-- A refund that the gateway reports: one of ours advances, any other is booked as it is.
CREATE OR REPLACE FUNCTION note_refund(p_account gateway_accounts, p_fact jsonb, p_now timestamptz)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    r refunds%ROWTYPE;
    c captures%ROWTYPE;
    event text := CASE p_fact->>'stage' WHEN 'processed' THEN 'PROVED' WHEN 'failed'
        THEN 'FAILED_THERE' ELSE 'TAKEN_UP' END;
    theirs text := p_fact->>'gateway_refund_id';
    minor bigint := (p_fact->'money'->>'amount')::bigint;
BEGIN
    -- The outcome of a refund is booked on its capture, whose row comes first in the order of
    -- locks.
    SELECT * INTO c FROM captures WHERE id = coalesce(
        (SELECT capture_id FROM refunds WHERE id = refund_told(p_account, p_fact)),
        (SELECT id FROM captures WHERE account_id = p_account.id
            AND gateway_payment_id = p_fact->>'gateway_payment_id')) FOR NO KEY UPDATE;
    -- The gateway's own report may have come before the answer to our call, and without our mark:
    -- then it was booked as made outside, and it pays ours.
    SELECT o.* INTO r FROM refunds o JOIN refunds f ON f.capture_id = o.capture_id
        WHERE o.account_id = p_account.id AND o.gateway_refund_id = theirs
        AND o.origin = 'gateway' AND o.state = 'succeeded' AND f.origin = 'ours'
        AND f.id = try_uuid(p_fact->'mark'->>'refund') AND f.state IN ('pending', 'owed')
        AND f.amount_minor = minor AND o.amount_minor = minor;
    IF FOUND AND event <> 'FAILED_THERE' THEN
        RETURN cover_by(r, try_uuid(p_fact->'mark'->>'refund'), p_now);
    END IF;
    SELECT * INTO r FROM refunds WHERE id = refund_told(p_account, p_fact) FOR NO KEY UPDATE;
    IF FOUND THEN
        IF r.state = 'failed' AND event = 'PROVED' THEN
            RETURN book_revived_refund(c, r, theirs, 'paid_before', p_now);
        END IF;
        IF r.origin = 'gateway' AND event <> 'FAILED_THERE' THEN RETURN 'known'; END IF;
        IF was_paid_otherwise(r) THEN
            IF event <> 'PROVED' THEN RETURN 'known'; END IF;
            -- It was made there after all: the payer has it beside what paid the debt.
            UPDATE refunds SET gateway_refund_id = NULL WHERE id = r.id;
            RETURN book_outside_refund(c, theirs, minor, 'paid_before', p_now);
        END IF;
        -- Several refunds may fail in turn: each is matched by its own id, never by another's.
        PERFORM transition_refund(r.id, event, jsonb_build_object('gateway_refund_id', theirs,
            'ended_at', CASE event WHEN 'TAKEN_UP' THEN NULL ELSE p_now END,
            'due_at', CASE event WHEN 'TAKEN_UP' THEN p_now + interval '5 seconds' END), p_now);
        RETURN 'refund';
    END IF;
    IF c.id IS NULL THEN RETURN 'refund_of_unknown'; END IF;
    IF c.foreign_amount > 0 THEN RETURN 'foreign'; END IF;
    IF c.currency <> p_fact->'money'->>'currency' THEN RETURN 'refund_in_another_currency'; END IF;
    IF event <> 'PROVED' THEN RETURN 'refund_outside_pending'; END IF;
    RETURN book_outside_refund(c, theirs, minor, 'outside', p_now);
END $$;

-- A refund of ours that was already booked as made outside, under the gateway's id.
CREATE OR REPLACE FUNCTION cover_by(p_outside refunds, p_ours uuid, p_now timestamptz)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    c captures%ROWTYPE;
BEGIN
    SELECT * INTO STRICT c FROM captures WHERE id = p_outside.capture_id FOR NO KEY UPDATE;
    PERFORM FROM refunds WHERE id = p_ours AND state IN ('pending', 'owed') FOR NO KEY UPDATE;
    IF NOT FOUND OR c.outside - c.outside_used < p_outside.amount_minor
        OR EXISTS (SELECT FROM refunds WHERE covered_by = p_outside.id) THEN RETURN 'known'; END IF;
    UPDATE refunds SET in_place_of = p_ours WHERE id = p_outside.id;
    PERFORM transition_refund(p_ours, 'COVERED',
        jsonb_build_object('ended_at', p_now, 'due_at', NULL), p_now);
    RETURN 'refund';
END $$;

-- A dead refund that was made there after all: the payer has the money. Ours that follows it is
-- paid by it; where that was made too, the money went back twice.
CREATE OR REPLACE FUNCTION book_revived_refund(p_capture captures, p_dead refunds,
    p_gateway_refund text, p_reason text, p_now timestamptz) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM transition_refund(p_dead.id, 'PROVED',
        jsonb_build_object('gateway_refund_id', p_gateway_refund), p_now);
    UPDATE refunds SET gateway_refund_id = NULL WHERE id = p_dead.id;
    RETURN book_outside_refund(p_capture, p_gateway_refund, p_dead.amount_minor, p_reason, p_now);
END $$;

-- Money that the gateway gave back by itself. Units that were not sent yet are withdrawn first; not
-- where it pays what one of ours was to pay: what else was bought is handed over.
CREATE OR REPLACE FUNCTION book_outside_refund(p_capture captures, p_gateway_refund text,
    p_minor bigint, p_reason text, p_now timestamptz) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    new_id uuid := uuid7(p_now);
    c captures%ROWTYPE;
    twin uuid;  -- one of ours that this may be, or may make needless: the merchant waits for that
BEGIN
    SELECT id INTO twin FROM refunds r WHERE capture_id = p_capture.id AND origin = 'ours'
        AND state IN ('pending', 'owed') AND gateway_refund_id IS NULL AND amount_minor = p_minor
        AND NOT EXISTS (SELECT FROM refunds o WHERE o.in_place_of = r.id AND o.state = 'succeeded')
        ORDER BY created_at, id LIMIT 1;
    INSERT INTO refunds (id, merchant_id, account_id, capture_id, origin, state, amount_minor,
        currency, reason, key, gateway_refund_id, created_at, ended_at, hard_deadline, in_place_of)
    VALUES (new_id, p_capture.merchant_id, p_capture.account_id, p_capture.id, 'gateway',
        'succeeded', p_minor, p_capture.currency, p_reason, 'gw_' || p_gateway_refund
            || CASE WHEN EXISTS (SELECT FROM refunds WHERE key = 'gw_' || p_gateway_refund)
                THEN ':' || new_id ELSE '' END,  -- the second life of one that died
        p_gateway_refund, p_now, p_now, p_now, twin);
    UPDATE captures SET outside = outside + p_minor WHERE id = p_capture.id RETURNING * INTO c;
    PERFORM book(c, 'refunds_outside', 'gateway', p_minor, 'refunded_outside', p_now);
    PERFORM tell(c.merchant_id, 'refund', new_id,
        CASE WHEN twin IS NULL THEN 'MADE_OUTSIDE' ELSE 'STANDS_IN' END,
        jsonb_strip_nulls(jsonb_build_object('amount', p_minor, 'refund', twin)), p_now);
    IF twin IS NULL THEN
        PERFORM transition_fulfillment(id, 'WITHDRAWN', '{"basis": "never_sent"}', p_now)
            FROM (SELECT id FROM fulfillments WHERE capture_id = c.id AND settlement IS NULL
                  AND sent_at IS NULL ORDER BY id FOR NO KEY UPDATE) u;
    END IF;
    PERFORM cover_owed(c.id, p_now);
    IF twin IS NULL THEN PERFORM judge_outside(c.id, new_id, p_now); END IF;
    RETURN 'refunded_outside';
END $$;

-- Not needed for what is owed: it was as good as requested here, or the goods were handed over too,
-- or the money went back twice.
CREATE OR REPLACE FUNCTION judge_outside(p_capture uuid, p_refund uuid, p_now timestamptz)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    c captures%ROWTYPE;
    surplus bigint;
BEGIN
    IF EXISTS (SELECT FROM refunds WHERE id = p_refund AND reason = 'paid_before') THEN
        -- Nobody asked for this one: what is left of a merchant's sale is not given up for it.
        SELECT * INTO STRICT c FROM captures WHERE id = p_capture;
        surplus := c.outside - c.outside_used - (SELECT coalesce(sum(amount_minor), 0) FROM refunds
            WHERE capture_id = c.id AND origin = 'ours' AND state = 'pending'
                AND gateway_refund_id IS NULL);  -- these it pays
        IF surplus > 0 THEN
            PERFORM note_discrepancy('refunded_twice', c, NULL, p_refund, surplus, p_now);
        END IF;
        RETURN;
    END IF;
    PERFORM forgo_outside(p_capture, p_now);
    SELECT * INTO STRICT c FROM captures WHERE id = p_capture;
    IF c.fulfilled > 0 AND spare_outside(c) > 0 THEN
        PERFORM note_discrepancy('refunded_outside_and_handed_over', c, NULL, NULL,
            least(spare_outside(c), c.fulfilled), p_now);
    END IF;
    surplus := c.outside - c.outside_used - c.fulfilled - c.open - (SELECT
        coalesce(sum(amount_minor), 0) FROM refunds
        WHERE capture_id = c.id AND origin = 'ours' AND state = 'pending');
    IF surplus > 0 THEN
        PERFORM note_discrepancy('refunded_twice', c, NULL, p_refund, surplus, p_now);
    END IF;
END $$;
