-- A payer's bank claims money back. An open dispute is a case for a person; a lost one is money
-- that went back without us, on the path of every other refund of that kind.

CREATE OR REPLACE FUNCTION note_dispute(p_account gateway_accounts, p_fact jsonb,
    p_now timestamptz) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    c captures%ROWTYPE;
    d disputes%ROWTYPE;
    said text := p_fact->>'stage';
    told timestamptz := (p_fact->>'at')::timestamptz;
    ended timestamptz := CASE WHEN said <> 'open' THEN p_now END;
BEGIN
    SELECT * INTO c FROM captures WHERE account_id = p_account.id
        AND gateway_payment_id = p_fact->>'gateway_payment_id' FOR NO KEY UPDATE;
    IF NOT FOUND THEN RETURN 'refund_of_unknown'; END IF;
    IF c.foreign_amount > 0 THEN RETURN 'foreign'; END IF;
    INSERT INTO disputes (id, merchant_id, account_id, capture_id, gateway_dispute_id, stage,
        amount_minor, currency, reason, opened_at, told_at, ended_at)
    VALUES (uuid7(p_now), c.merchant_id, c.account_id, c.id, p_fact->>'gateway_dispute_id', said,
        (p_fact->'money'->>'amount')::bigint, p_fact->'money'->>'currency', p_fact->>'reason',
        p_now, told, ended)
    ON CONFLICT (account_id, gateway_dispute_id) DO NOTHING RETURNING * INTO d;
    IF FOUND THEN
        PERFORM tell_dispute(d, 'OPENED', p_now);  -- also when its end is the first report
    ELSE
        SELECT * INTO STRICT d FROM disputes WHERE account_id = c.account_id
            AND gateway_dispute_id = p_fact->>'gateway_dispute_id' FOR NO KEY UPDATE;
        -- An end is final except for a later end; "open" again changes nothing.
        IF said = d.stage OR said = 'open'
                OR (d.stage <> 'open' AND (told, said) < (d.told_at, d.stage)) THEN
            RETURN 'known';
        END IF;
        UPDATE disputes SET stage = said, told_at = told, ended_at = ended WHERE id = d.id
            RETURNING * INTO d;
    END IF;
    IF said <> 'open' THEN
        PERFORM tell_dispute(d, upper(said), p_now);
        PERFORM book_dispute(c, d, p_now);
        -- A refund of ours that was held back because of it continues.
        UPDATE refunds SET due_at = p_now WHERE capture_id = c.id AND state = 'pending'
            AND due_at > p_now;
    END IF;
    RETURN 'dispute';
END $$;

CREATE OR REPLACE FUNCTION tell_dispute(p_dispute disputes, p_event text, p_now timestamptz)
RETURNS void LANGUAGE sql AS $$
    SELECT tell(p_dispute.merchant_id, 'dispute', p_dispute.id, p_event,
        jsonb_build_object('capture', p_dispute.capture_id, 'amount', p_dispute.amount_minor,
            'currency', p_dispute.currency, 'reason', p_dispute.reason), p_now)
$$;

-- Lost: the money is gone. Won after it was lost: the money is here again, and what it had paid for
-- us is owed again. In another currency than the payment's it cannot be set off.
CREATE OR REPLACE FUNCTION book_dispute(p_capture captures, p_dispute disputes, p_now timestamptz)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    r refunds%ROWTYPE;
BEGIN
    SELECT * INTO r FROM refunds WHERE account_id = p_dispute.account_id
        AND gateway_refund_id = p_dispute.gateway_dispute_id;
    IF FOUND THEN
        IF p_dispute.stage = 'won' THEN PERFORM regain(p_capture.id, r.amount_minor, p_now); END IF;
        IF p_dispute.stage = 'lost' AND r.state = 'failed' THEN
            PERFORM book_revived_refund(p_capture, r, p_dispute.gateway_dispute_id, 'disputed',
                p_now);  -- it was won meanwhile
        ELSE
            PERFORM transition_refund(r.id, CASE p_dispute.stage WHEN 'lost' THEN 'PROVED'
                ELSE 'FAILED_THERE' END, jsonb_build_object('ended_at', p_now), p_now);
        END IF;
    ELSIF p_dispute.stage = 'lost' AND p_dispute.currency <> p_capture.currency THEN
        PERFORM note_discrepancy('dispute_in_another_currency', p_capture, NULL, NULL, 0, p_now);
    ELSIF p_dispute.stage = 'lost' AND p_dispute.amount_minor > 0 THEN
        PERFORM book_outside_refund(p_capture, p_dispute.gateway_dispute_id,
            p_dispute.amount_minor, 'disputed', p_now);
    END IF;
END $$;

-- What a merchant's own sale lost to an outside refund that is undone is earned again: nobody
-- requested that refund.
CREATE OR REPLACE FUNCTION regain(p_capture uuid, p_minor bigint, p_now timestamptz)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    c captures%ROWTYPE;
    back bigint;
BEGIN
    SELECT * INTO STRICT c FROM captures WHERE id = p_capture FOR NO KEY UPDATE;
    SELECT least(p_minor, coalesce(sum(amount), 0)) INTO back FROM ledger
        WHERE capture_id = c.id AND account = 'sales' AND why IN ('refunded_outside', 'regained');
    IF back <= 0 THEN RETURN; END IF;
    UPDATE captures SET fulfilled = fulfilled + back, refund_due = refund_due - back,
        outside_used = outside_used - back WHERE id = c.id;
    PERFORM book(c, 'refunds_outside', 'sales', back, 'regained', p_now);
END $$;
