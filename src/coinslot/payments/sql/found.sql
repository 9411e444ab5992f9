-- Facts found by asking: worked like a webhook, and stored with the webhooks when they are new.

CREATE OR REPLACE FUNCTION work_found(p_account gateway_accounts, p_fact jsonb, p_by text,
    p_windows jsonb, p_now timestamptz) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    outcome text;
    failed text;
    parked boolean;
BEGIN
    BEGIN
        outcome := work_fact(p_account, p_fact, p_windows, p_now);
        parked := outcome = 'refund_of_unknown';
    EXCEPTION WHEN OTHERS THEN
        -- A fact that our tables refuse must not hide the others of its list: it waits in the
        -- inbox, where it is tried again and a person finds it.
        outcome := 'failed';
        failed := SQLERRM;
        parked := true;
    END;
    -- A list is read again and again: only what changed something is stored, and only once.
    IF outcome IN ('paid', 'collected', 'returned', 'parked', 'refund', 'refunded_outside',
            'dispute') OR parked THEN
        INSERT INTO inbox (merchant_id, account_id, delivery_id, verdict, event, headers, body,
            facts, received_at, worked_at, failure, due_at)
        VALUES (p_account.merchant_id, p_account.id, md5(p_fact::text), 'own', p_by, '{}', '',
            jsonb_build_array(p_fact), p_now, CASE WHEN NOT parked THEN p_now END,
            CASE WHEN parked THEN coalesce(failed, outcome) END,
            CASE WHEN parked THEN p_now + interval '5 seconds' END)
        ON CONFLICT (account_id, delivery_id) WHERE verdict = 'own' DO NOTHING;
    END IF;
    RETURN outcome;
END $$;

-- The same as a transaction of its own, in one round trip.
CREATE OR REPLACE FUNCTION work_found_of(p_merchant uuid, p_account uuid, p_fact jsonb, p_by text,
    p_windows jsonb, p_now timestamptz) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    a gateway_accounts%ROWTYPE;
BEGIN
    PERFORM set_config('coinslot.merchant', p_merchant::text, true);
    SELECT * INTO STRICT a FROM gateway_accounts WHERE id = p_account;
    RETURN work_found(a, p_fact, p_by, p_windows, p_now);
END $$;

-- Whether a gateway counts this refund among its own: not what it had given back before, what a
-- person paid, or what a bank took in a dispute.
CREATE OR REPLACE FUNCTION made_there(p_refund refunds) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT p_refund.state = 'succeeded' AND p_refund.reason <> 'disputed'
        AND NOT EXISTS (SELECT FROM events e WHERE e.subject_id = p_refund.id
            AND e.machine = 'refund' AND e.event IN ('COVERED', 'PAID_BY_HAND')
            AND e.state IS NOT NULL)
$$;

-- Whether the debt behind a refund of ours was paid without it: by hand, or by what the gateway
-- gave back by itself. What became of the call that we once made for it says nothing of that debt.
CREATE OR REPLACE FUNCTION was_paid_otherwise(p_refund refunds) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT p_refund.origin = 'ours' AND p_refund.state = 'succeeded' AND NOT made_there(p_refund)
$$;

-- A gateway without a list of refunds says only how much went back in all. More than we know of
-- was given back outside, unless a refund of ours is under way that may be what it counts.
CREATE OR REPLACE FUNCTION note_sum(p_account gateway_accounts, p_fact jsonb, p_by text,
    p_windows jsonb, p_now timestamptz) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    c captures%ROWTYPE;
    told bigint := (p_fact->'refunded'->>'amount')::bigint;
    booked bigint;
BEGIN
    SELECT * INTO c FROM captures WHERE account_id = p_account.id
        AND gateway_payment_id = p_fact->>'gateway_payment_id' FOR NO KEY UPDATE;
    IF NOT FOUND OR told IS NULL OR c.currency <> p_fact->'refunded'->>'currency' THEN
        RETURN 'known';
    END IF;
    SELECT coalesce(sum(r.amount_minor), 0) INTO booked FROM refunds r
        WHERE r.capture_id = c.id AND made_there(r);
    IF told <= booked THEN RETURN 'known'; END IF;
    IF EXISTS (SELECT FROM refunds WHERE capture_id = c.id AND state = 'pending'
            AND key_sent_at IS NOT NULL) THEN
        RETURN 'unexplained';
    END IF;
    RETURN work_found(p_account, jsonb_build_object('type', 'refund', 'stage', 'processed',
        'gateway_refund_id', c.gateway_payment_id || ':to:' || told,
        'gateway_payment_id', c.gateway_payment_id, 'at', p_now,
        'money', jsonb_build_object('amount', told - booked, 'currency', c.currency)),
        p_by, p_windows, p_now);
END $$;
