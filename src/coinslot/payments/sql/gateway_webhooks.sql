-- A webhook is stored before it is believed; its facts are worked in the same call when possible.

CREATE OR REPLACE FUNCTION work_fact(p_account gateway_accounts, p_fact jsonb, p_windows jsonb,
    p_now timestamptz) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    outcome text;
BEGIN
    CASE p_fact->>'type'
    WHEN 'payment' THEN
        IF p_fact->>'taken' = 'captured' THEN
            -- An amount of 0 is no payment: some gateways send it for a mandate, or when all went
            -- back.
            IF (p_fact->'money'->>'amount')::bigint <= 0 THEN RETURN 'nothing'; END IF;
            outcome := take_money(p_account, p_fact, p_windows, p_now);
            PERFORM note_fee(p_account, p_fact, p_now);
            IF p_fact->>'receipt_url' IS NOT NULL THEN
                UPDATE captures SET receipt_url = p_fact->>'receipt_url'
                    WHERE account_id = p_account.id
                    AND gateway_payment_id = p_fact->>'gateway_payment_id'
                    AND receipt_url IS DISTINCT FROM p_fact->>'receipt_url';
            END IF;
            RETURN outcome;
        END IF;
        -- Not captured: it buys nothing, and only tells the customer's page what is going on.
        PERFORM transition_payment(q.payment_id,
                CASE p_fact->>'taken' WHEN 'failed' THEN 'DECLINED' ELSE 'AUTHORIZED' END,
                '{}', p_now)
            FROM qr_codes q WHERE q.account_id = p_account.id AND q.payment_id IS NOT NULL
            AND q.retired_at IS NULL  -- else another way is being tried
            AND (q.qr_code_id = p_fact->>'qr_code_id' OR q.id = try_uuid(p_fact->'mark'->>'qr'));
        PERFORM look_soon(p_account, p_fact, p_now);
        RETURN 'noted';
    WHEN 'refund' THEN
        IF (p_fact->'money'->>'amount')::bigint <= 0 THEN RETURN 'nothing'; END IF;
        RETURN note_refund(p_account, p_fact, p_now);
    WHEN 'dispute' THEN
        RETURN note_dispute(p_account, p_fact, p_now);
    WHEN 'receipt' THEN
        RETURN note_receipt(p_account, p_fact, p_now);
    ELSE
        RETURN 'nothing';
    END CASE;
END $$;

-- A refund may be reported before its payment: it waits, and counts as soon as the payment is
-- known, before anything can be sent to a machine.
CREATE OR REPLACE FUNCTION take_money(p_account gateway_accounts, p_fact jsonb, p_windows jsonb,
    p_now timestamptz) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    outcome text := accept_capture(p_account, p_fact, p_windows, p_now);
    early inbox%ROWTYPE;
BEGIN
    FOR early IN SELECT * FROM inbox WHERE account_id = p_account.id AND due_at IS NOT NULL
            AND failure = 'refund_of_unknown' AND facts @> jsonb_build_array(
                jsonb_build_object('gateway_payment_id', p_fact->>'gateway_payment_id')) LOOP
        PERFORM work_inbox(early.id, p_account, early.facts, p_windows, p_now);
        outcome := 'refunded_outside';
    END LOOP;
    RETURN outcome;
END $$;

-- Works a row, new or stored before. A new one was inserted as worked, since it nearly always is:
-- the row holds the webhook's whole body, and each update of it is written whole.
CREATE OR REPLACE FUNCTION work_inbox(p_inbox bigint, p_account gateway_accounts, p_facts jsonb,
    p_windows jsonb, p_now timestamptz) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    fact jsonb;
    outcome text := 'nothing';
BEGIN
    FOR fact IN SELECT * FROM jsonb_array_elements(p_facts) LOOP
        outcome := work_fact(p_account, fact, p_windows, p_now);
    END LOOP;
    IF outcome = 'refund_of_unknown' THEN
        -- Parked. After the deadline we assume that its payment will never be reported.
        UPDATE inbox SET worked_at = NULL, tries = tries + 1, failure = outcome,
            leased_until = NULL,
            due_at = p_now + least(power(2, least(tries, 9)), 300) * interval '1 second'
        WHERE id = p_inbox
            AND p_now < received_at + (p_windows->>'capture_s')::float8 * interval '1 second';
        IF FOUND THEN RETURN outcome; END IF;
    END IF;
    UPDATE inbox SET worked_at = p_now, due_at = NULL, leased_until = NULL, failure = NULL
        WHERE id = p_inbox AND worked_at IS NULL;
    RETURN outcome;
EXCEPTION WHEN OTHERS THEN
    -- The row stays, and is due: nothing that was acknowledged is lost. It is tried ever more
    -- rarely, and a person can end it through its case (`cases close`). What PostgreSQL aborted so
    -- that another transaction could go on is tried again at once.
    UPDATE inbox SET worked_at = NULL, tries = tries + 1, failure = SQLERRM, leased_until = NULL,
        due_at = p_now + CASE WHEN SQLSTATE NOT IN ('40P01', '40001') THEN inbox_pause(tries)
            ELSE interval '0' END WHERE id = p_inbox;
    RETURN 'failed';
END $$;

-- The pause after so many failures: 1 s at first, an hour in the end.
CREATE OR REPLACE FUNCTION inbox_pause(p_tries integer) RETURNS interval
LANGUAGE sql IMMUTABLE AS $$
    SELECT least(power(2, least(p_tries, 12)), 3600) * interval '1 second'
$$;

-- Whether one of these is a reference of something of ours at this account.
CREATE OR REPLACE FUNCTION is_known(p_account uuid, p_names text[]) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM captures WHERE account_id = p_account
            AND gateway_payment_id = ANY (p_names) AND foreign_amount = 0)
        OR EXISTS (SELECT FROM attempts WHERE account_id = p_account AND reference = ANY (p_names))
        OR EXISTS (SELECT FROM attempts WHERE account_id = p_account
            AND gateway_payment_id = ANY (p_names))
        OR EXISTS (SELECT FROM qr_codes WHERE account_id = p_account
            AND qr_code_id = ANY (p_names))
        OR EXISTS (SELECT FROM disputes WHERE account_id = p_account
            AND gateway_dispute_id = ANY (p_names))
        OR EXISTS (SELECT FROM refunds WHERE account_id = p_account
            AND gateway_refund_id = ANY (p_names) AND origin = 'ours')
$$;

-- Makes what these name at this account due now.
CREATE OR REPLACE FUNCTION look_at(p_account uuid, p_names text[], p_now timestamptz)
RETURNS void LANGUAGE sql AS $$
    UPDATE attempts SET due_at = p_now, leased_until = NULL, lease = lease + 1
        WHERE account_id = p_account
        AND (reference = ANY (p_names) OR gateway_payment_id = ANY (p_names))
        AND (due_at > p_now OR leased_until IS NOT NULL)
        AND state IN ('pending', 'unknown') AND wish IS NULL;
    UPDATE qr_codes SET due_at = p_now WHERE account_id = p_account
        AND qr_code_id = ANY (p_names) AND (due_at > p_now OR due_at IS NULL AND stage = 'open');
    UPDATE refunds r SET due_at = p_now WHERE account_id = p_account AND state = 'pending'
        AND due_at > p_now AND (gateway_refund_id = ANY (p_names) OR EXISTS (SELECT FROM captures c
            WHERE c.id = r.capture_id AND c.gateway_payment_id = ANY (p_names)));
$$;

-- Store and work; the outcome is returned, 'again' for a known delivery. A hint that is sent again
-- is asked about again, on its own row.
CREATE OR REPLACE FUNCTION keep_webhook(p jsonb, p_body bytea, p_now timestamptz)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    a gateway_accounts%ROWTYPE;
    row_id bigint;
    names text[];
    ours boolean;
BEGIN
    PERFORM set_config('coinslot.merchant', p->>'merchant', true);
    SELECT * INTO STRICT a FROM gateway_accounts WHERE id = (p->>'account')::uuid;
    IF p->>'verdict' = 'unreadable' THEN
        names := ARRAY(SELECT jsonb_array_elements_text(p->'names'));
        ours := coalesce((p->>'marked')::boolean, false) OR is_known(a.id, names);
    END IF;
    INSERT INTO inbox (merchant_id, account_id, delivery_id, verdict, event, headers, body, facts,
        reason, reference, ours, received_at, worked_at, due_at)
    VALUES (a.merchant_id, a.id, p->>'delivery_id', p->>'verdict', p->>'event', p->'headers',
        p_body, p->'facts', p->>'reason', p->>'reference', ours, p_now,
        CASE WHEN NOT ours OR p->>'verdict' = 'genuine' THEN p_now END,
        CASE WHEN p->>'verdict' = 'hint' THEN p_now END)
    ON CONFLICT DO NOTHING RETURNING id INTO row_id;
    IF row_id IS NULL AND p->>'verdict' = 'hint' THEN
        UPDATE inbox SET told = told + 1, told_at = p_now, worked_at = NULL, failure = NULL,
            tries = 0, due_at = p_now, leased_until = NULL, lease = lease + 1
            WHERE account_id = a.id
            AND delivery_id = p->>'delivery_id' AND verdict = 'hint';
        RETURN 'hint';
    END IF;
    IF row_id IS NULL THEN RETURN 'again'; END IF;
    IF ours THEN
        PERFORM look_at(a.id, names, p_now);
        RETURN 'unreadable_ours';
    END IF;
    IF p->>'verdict' <> 'genuine' THEN RETURN p->>'verdict'; END IF;
    RETURN work_inbox(row_id, a, p->'facts', p->'windows', p_now);
END $$;

-- What these facts paid for is begun in the same transaction, where its way of selling can do that:
-- {kind, said}, to be sent after the commit, or NULL. Whatever goes wrong with it is undone alone:
-- the payment stands, and a sweep begins what it bought.
CREATE OR REPLACE FUNCTION begin_paid(p jsonb, p_now timestamptz) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
    u record;
    begun jsonb;
BEGIN
    -- One look-up after the other: joined, a plan that was made while there was no order yet reads
    -- all orders for each webhook.
    SELECT l.id, l.kind INTO u FROM outlets l WHERE l.id = (SELECT o.outlet_id FROM orders o
        WHERE o.id = (SELECT c.order_id FROM captures c
            WHERE c.account_id = (p->>'account')::uuid AND c.gateway_payment_id = ANY (ARRAY(
                SELECT f->>'gateway_payment_id' FROM jsonb_array_elements(p->'facts') f))
            AND c.order_id IS NOT NULL LIMIT 1));
    begun := begin_kind(u.kind, u.id, p->'lines', p->'windows', p_now);
    RETURN CASE WHEN begun IS NOT NULL
        THEN jsonb_build_object('kind', u.kind, 'said', begun) END;
EXCEPTION WHEN OTHERS THEN
    RAISE WARNING 'not begun with its payment: %', SQLERRM;
    RETURN NULL;
END $$;

-- One round trip: set the merchant, store, work. `p` holds {account, merchant, delivery_id,
-- verdict, event, headers, facts, reason, windows, names, marked, lines}. Returns {outcome, begun}.
CREATE OR REPLACE FUNCTION take_webhook(p jsonb, p_body bytea, p_now timestamptz)
RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    outcome text := keep_webhook(p, p_body, p_now);
BEGIN
    RETURN jsonb_build_object('outcome', outcome, 'begun',
        CASE WHEN outcome = 'paid' AND p->'lines' <> '[]' THEN begin_paid(p, p_now) END);
END $$;

-- Several that arrived together, in one commit. Each is worked in a subtransaction of its own, so
-- that one that fails leaves the others as they are.
CREATE OR REPLACE FUNCTION take_webhooks(p jsonb[], p_bodies bytea[], p_nows timestamptz[])
RETURNS jsonb[] LANGUAGE plpgsql AS $$
DECLARE
    answers jsonb[] := '{}';
BEGIN
    FOR i IN 1 .. cardinality(p) LOOP
        answers := answers || take_webhook(p[i], p_bodies[i], p_nows[i]);
    END LOOP;
    RETURN answers;
END $$;
