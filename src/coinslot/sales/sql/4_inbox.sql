-- A webhook is kept before it is believed; what it says is worked in the same call when it can be.

CREATE OR REPLACE FUNCTION work_fact(p_account gateway_accounts, p_fact jsonb, p_windows jsonb,
    p_now timestamptz) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    outcome text;
BEGIN
    CASE p_fact->>'type'
    WHEN 'payment' THEN
        IF p_fact->>'taken' = 'captured' THEN
            outcome := take_money(p_account, p_fact, p_windows, p_now);
            PERFORM note_fee(p_account, p_fact, p_now);
            RETURN outcome;
        END IF;
        -- Not captured buys nothing; it only tells the customer's page what is going on.
        PERFORM move_payment(q.payment_id,
                CASE p_fact->>'taken' WHEN 'failed' THEN 'DECLINED' ELSE 'AUTHORIZED' END,
                '{}', p_now)
            FROM qr_codes q WHERE q.account_id = p_account.id AND q.payment_id IS NOT NULL
            AND (q.qr_code_id = p_fact->>'qr_code_id' OR q.id = try_uuid(p_fact->'mark'->>'qr'));
        PERFORM look_soon(p_account, p_fact, p_now);
        RETURN 'noted';
    WHEN 'refund' THEN
        RETURN note_refund(p_account, p_fact, p_now);
    WHEN 'dispute' THEN
        RETURN note_dispute(p_account, p_fact, p_now);
    ELSE
        RETURN 'nothing';
    END CASE;
END $$;

-- A refund may be told before its payment is: it waits, and counts as soon as the payment is known,
-- before anything can be sent to a machine.
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
        -- Parked. Past the deadline it is a payment that nobody will tell us of.
        UPDATE inbox SET tries = tries + 1, failure = outcome, leased_until = NULL,
            due_at = p_now + least(power(2, least(tries, 9)), 300) * interval '1 second'
        WHERE id = p_inbox
            AND p_now < received_at + (p_windows->>'capture_s')::float8 * interval '1 second';
        IF FOUND THEN RETURN outcome; END IF;
    END IF;
    UPDATE inbox SET worked_at = p_now, due_at = NULL, leased_until = NULL, failure = NULL
        WHERE id = p_inbox;
    RETURN outcome;
EXCEPTION WHEN OTHERS THEN
    -- The row stands, and is due: nothing that was acknowledged is lost. A person is called by the
    -- sweeper when it keeps failing.
    UPDATE inbox SET tries = tries + 1, failure = SQLERRM, leased_until = NULL,
        due_at = p_now + least(power(2, least(tries, 9)), 300) * interval '1 second'
        WHERE id = p_inbox;
    RETURN 'failed';
END $$;

-- One round trip: set the merchant, keep, work. `p` holds {account, merchant, delivery_id, verdict,
-- event, headers, facts, reason, windows}. Answers what became of it; 'again' for one seen before.
CREATE OR REPLACE FUNCTION take_webhook(p jsonb, p_body bytea, p_now timestamptz)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    a gateway_accounts%ROWTYPE;
    row_id bigint;
BEGIN
    PERFORM set_config('coinslot.merchant', p->>'merchant', true);
    SELECT * INTO STRICT a FROM gateway_accounts WHERE id = (p->>'account')::uuid;
    INSERT INTO inbox (merchant_id, account_id, delivery_id, verdict, event, headers, body, facts,
        reason, reference, received_at, due_at)
    VALUES (a.merchant_id, a.id, p->>'delivery_id', p->>'verdict', p->>'event', p->'headers',
        p_body, p->'facts', p->>'reason', p->>'reference', p_now,
        CASE WHEN p->>'verdict' IN ('genuine', 'hint') THEN p_now END)
    ON CONFLICT (account_id, delivery_id) WHERE verdict = 'genuine' DO NOTHING
    RETURNING id INTO row_id;
    IF row_id IS NULL THEN RETURN 'again'; END IF;
    IF p->>'verdict' <> 'genuine' THEN RETURN p->>'verdict'; END IF;
    RETURN work_inbox(row_id, a, p->'facts', p->'windows', p_now);
END $$;

-- Several that came at once, in one commit: what became of each. Each is worked in a subtransaction
-- of its own, so that one that fails leaves the others as they are.
CREATE OR REPLACE FUNCTION take_webhooks(p jsonb[], p_bodies bytea[], p_nows timestamptz[])
RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
    outcomes text[] := '{}';
BEGIN
    FOR i IN 1 .. cardinality(p) LOOP
        outcomes := outcomes || take_webhook(p[i], p_bodies[i], p_nows[i]);
    END LOOP;
    RETURN outcomes;
END $$;
