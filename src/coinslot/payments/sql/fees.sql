-- What the gateway keeps of a capture: booked once, corrected by the difference when it says
-- another figure, never rewritten.

CREATE OR REPLACE FUNCTION book_fee(p_capture captures, p_minor bigint, p_now timestamptz)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    more bigint := p_minor - coalesce(p_capture.fee_minor, 0);
BEGIN
    -- A settlement mostly says the fee that the payment said: its capture is written once for it.
    IF p_capture.fee_minor IS NOT DISTINCT FROM p_minor THEN RETURN; END IF;
    UPDATE captures SET fee_minor = p_minor WHERE id = p_capture.id;
    IF more > 0 THEN
        PERFORM book(p_capture, 'fees', 'gateway', more,
            CASE WHEN p_capture.fee_minor IS NULL THEN 'fee' ELSE 'fee_corrected' END, p_now);
    ELSE
        PERFORM book(p_capture, 'gateway', 'fees', -more, 'fee_corrected', p_now);
    END IF;
END $$;

-- The fee as a payment reports it. Once the gateway has settled the payment, its settlement counts.
CREATE OR REPLACE FUNCTION note_fee(p_account gateway_accounts, p_fact jsonb, p_now timestamptz)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    c captures%ROWTYPE;
BEGIN
    IF p_fact->'fee'->>'amount' IS NULL THEN RETURN; END IF;
    SELECT * INTO c FROM captures WHERE account_id = p_account.id
        AND gateway_payment_id = p_fact->>'gateway_payment_id'
        AND currency = p_fact->'fee'->>'currency' AND settled_at IS NULL
        AND fee_minor IS DISTINCT FROM (p_fact->'fee'->>'amount')::bigint FOR NO KEY UPDATE;
    IF FOUND THEN PERFORM book_fee(c, (p_fact->'fee'->>'amount')::bigint, p_now); END IF;
END $$;

-- The fees as the gateway paid out. A line holds {gateway_payment_id, currency, fee, settlement,
-- at}. A gateway lists the same lines for days: what is on record already is neither locked nor
-- written.
DROP FUNCTION IF EXISTS note_settled(gateway_accounts, jsonb, timestamptz);
CREATE OR REPLACE FUNCTION note_settled_lines(p_account gateway_accounts, p_lines jsonb,
    p_now timestamptz) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    line record;
    noted bigint := 0;
BEGIN
    FOR line IN SELECT c AS capture, l.* FROM jsonb_to_recordset(p_lines) AS l
                (gateway_payment_id text, currency text, fee bigint, settlement text,
                 at timestamptz)
            JOIN captures c ON c.account_id = p_account.id
                AND c.gateway_payment_id = l.gateway_payment_id AND c.currency = l.currency
            WHERE (c.fee_minor, c.settlement, c.settled_at)
                IS DISTINCT FROM (l.fee, l.settlement, l.at)
            ORDER BY c.id FOR NO KEY UPDATE OF c LOOP
        PERFORM book_fee(line.capture, line.fee, p_now);
        UPDATE captures SET settlement = line.settlement, settled_at = line.at
            WHERE id = (line.capture).id;
        noted := noted + 1;
    END LOOP;
    RETURN noted;
END $$;
