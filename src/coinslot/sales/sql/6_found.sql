-- What we found by asking: worked like what a webhook told, and kept beside it when it was news.

CREATE OR REPLACE FUNCTION work_found(p_account gateway_accounts, p_fact jsonb, p_by text,
    p_windows jsonb, p_now timestamptz) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    outcome text := work_fact(p_account, p_fact, p_windows, p_now);
    parked boolean := outcome = 'refund_of_unknown';
BEGIN
    -- A list is read again and again: only what changed something is worth a row, and only once.
    IF outcome IN ('paid', 'collected', 'returned', 'parked', 'refund', 'refunded_outside',
            'dispute') OR parked THEN
        INSERT INTO inbox (merchant_id, account_id, delivery_id, verdict, event, headers, body,
            facts, received_at, worked_at, failure, due_at)
        VALUES (p_account.merchant_id, p_account.id, md5(p_fact::text), 'own', p_by, '{}', '',
            jsonb_build_array(p_fact), p_now, CASE WHEN NOT parked THEN p_now END,
            CASE WHEN parked THEN outcome END,
            CASE WHEN parked THEN p_now + interval '5 seconds' END)
        ON CONFLICT (account_id, delivery_id) WHERE verdict = 'own' DO NOTHING;
    END IF;
    RETURN outcome;
END $$;
