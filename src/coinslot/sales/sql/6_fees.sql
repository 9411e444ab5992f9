-- What the gateway keeps of a capture: booked once, corrected by the difference when it says
-- another figure, never rewritten.

CREATE OR REPLACE FUNCTION book_fee(p_capture captures, p_minor bigint, p_now timestamptz)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    more bigint := p_minor - coalesce(p_capture.fee_minor, 0);
BEGIN
    IF p_capture.fee_minor IS NOT DISTINCT FROM p_minor THEN RETURN; END IF;
    UPDATE captures SET fee_minor = p_minor WHERE id = p_capture.id;
    IF more > 0 THEN
        PERFORM book(p_capture, 'fees', 'gateway', more,
            CASE WHEN p_capture.fee_minor IS NULL THEN 'fee' ELSE 'fee_corrected' END, p_now);
    ELSIF more < 0 THEN
        PERFORM book(p_capture, 'gateway', 'fees', -more, 'fee_corrected', p_now);
    END IF;
END $$;

-- As a payment tells it. Once the gateway has settled the payment, its settlement counts.
CREATE OR REPLACE FUNCTION note_fee(p_account gateway_accounts, p_fact jsonb, p_now timestamptz)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    c captures%ROWTYPE;
BEGIN
    IF p_fact->'fee'->>'amount' IS NULL THEN RETURN; END IF;
    SELECT * INTO c FROM captures WHERE account_id = p_account.id
        AND gateway_payment_id = p_fact->>'gateway_payment_id'
        AND currency = p_fact->'fee'->>'currency' AND settled_at IS NULL FOR UPDATE;
    IF FOUND THEN PERFORM book_fee(c, (p_fact->'fee'->>'amount')::bigint, p_now); END IF;
END $$;

-- As the gateway paid it out: `p_line` holds {gateway_payment_id, currency, fee, settlement, at}.
CREATE OR REPLACE FUNCTION note_settled(p_account gateway_accounts, p_line jsonb,
    p_now timestamptz) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    c captures%ROWTYPE;
BEGIN
    SELECT * INTO c FROM captures WHERE account_id = p_account.id
        AND gateway_payment_id = p_line->>'gateway_payment_id'
        AND currency = p_line->>'currency' FOR UPDATE;
    IF NOT FOUND THEN RETURN false; END IF;
    PERFORM book_fee(c, (p_line->>'fee')::bigint, p_now);
    UPDATE captures SET settlement = p_line->>'settlement',
        settled_at = (p_line->>'at')::timestamptz WHERE id = c.id;
    RETURN true;
END $$;
