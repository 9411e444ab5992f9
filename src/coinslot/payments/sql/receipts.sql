-- Fiscal receipts: what a gateway tells of one by itself.

-- An order that was paid for in advance ended with goods: its second receipt is to be written. The
-- worker does it, and money waits for none of it.
CREATE OR REPLACE FUNCTION close_receipts(p_order uuid, p_now timestamptz) RETURNS void
LANGUAGE sql AS $$
    UPDATE receipts r SET closes_at = p_now FROM attempts a JOIN payments p ON p.id = a.payment_id
    WHERE p.order_id = p_order AND r.attempt_id = a.id AND r.kind = 'payment'
        AND r.replaces IS NULL AND r.body->'lines' @> '[{"mode": "full_prepayment"}]'
$$;

-- Where refunds have no id of their own, the one of this sum that still waits; the oldest first. Of
-- a payment it may be the second receipt: its lines are settled otherwise. What was told before is
-- told of the same one again.
CREATE OR REPLACE FUNCTION receipt_told(p_account gateway_accounts, p_fact jsonb)
RETURNS uuid LANGUAGE plpgsql STABLE AS $$
DECLARE
    payment text := p_fact->>'gateway_payment_id';
    told bigint := (p_fact->'money'->>'amount')::bigint;
BEGIN
    IF NOT (p_fact->>'refund')::boolean THEN
        RETURN (SELECT r.id FROM attempts a JOIN receipts r ON r.attempt_id = a.id
            WHERE a.account_id = p_account.id
                AND (a.reference = payment OR a.gateway_payment_id = payment)
            ORDER BY coalesce(r.fiscal->>'document' = p_fact->'numbers'->>'document', false) DESC,
                coalesce(nullif(p_fact->>'mode', '') <> (r.body->'lines'->0->>'mode'), false),
                r.amount_minor IS DISTINCT FROM told, r.state IN ('registered', 'void'),
                r.created_at, r.kind = 'closing', r.id LIMIT 1);
    END IF;
    RETURN (SELECT r.id FROM captures c JOIN refunds f ON f.capture_id = c.id
        JOIN receipts r ON r.refund_id = f.id
        WHERE c.account_id = p_account.id AND c.gateway_payment_id = payment
            AND r.amount_minor = coalesce(told, r.amount_minor)
        ORDER BY r.state IN ('registered', 'void'), r.created_at, r.id LIMIT 1);
END $$;

CREATE OR REPLACE FUNCTION note_receipt(p_account gateway_accounts, p_fact jsonb, p_now timestamptz)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    r uuid := receipt_told(p_account, p_fact);
    registered boolean := (p_fact->>'registered')::boolean;
BEGIN
    IF r IS NULL THEN RETURN 'nothing'; END IF;
    PERFORM transition_receipt(r, CASE WHEN registered THEN 'REGISTERED' ELSE 'REFUSED' END,
        jsonb_build_object('due_at', NULL) || CASE WHEN registered
            THEN jsonb_build_object('fiscal', p_fact->'numbers', 'failure', NULL, 'ended_at', p_now)
            ELSE jsonb_build_object('failure', left(p_fact->>'reason', 500)) END, p_now);
    RETURN 'receipt';
END $$;

-- A person closed its case without a number: nobody sends it again.
CREATE OR REPLACE FUNCTION is_given_up(p_receipt uuid, p_before timestamptz) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM cases k WHERE k.subject = p_receipt::text
        AND k.kind IN ('receipt_refused', 'receipt_overdue')
        AND k.closed_by IS NOT NULL AND k.closed_at < p_before)
$$;

CREATE OR REPLACE FUNCTION is_over(p_receipt receipts, p_before timestamptz) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT coalesce(p_receipt.ended_at < p_before, false) OR is_given_up(p_receipt.id, p_before)
$$;

-- Where a receipt went is not needed any more once it is registered, or not needed itself, or a
-- person closed its case: nor is what its customer typed for it, or the merchant's server named,
-- when no receipt of that order or payment waits.
CREATE OR REPLACE FUNCTION forget_contacts(p_before timestamptz, p_limit integer) RETURNS bigint
LANGUAGE sql AS $$
    WITH gone AS (
        UPDATE receipts SET contact = NULL WHERE id = ANY (ARRAY(SELECT r.id FROM receipts r
            WHERE r.contact IS NOT NULL AND (r.ended_at < p_before
                OR (r.state IN ('refused', 'overdue') AND is_given_up(r.id, p_before)))
            ORDER BY r.ended_at LIMIT p_limit FOR NO KEY UPDATE SKIP LOCKED))
        RETURNING id
    ), unasked AS (
        UPDATE orders SET receipt_contact = NULL WHERE id = ANY (ARRAY(SELECT o.id FROM orders o
            WHERE o.receipt_contact IS NOT NULL AND o.ended_at < p_before
            AND NOT EXISTS (SELECT FROM payments p
                JOIN attempts a ON a.payment_id = p.id JOIN receipts r ON r.attempt_id = a.id
                WHERE p.order_id = o.id AND r.ended_at IS NULL AND NOT is_given_up(r.id, p_before))
            AND NOT EXISTS (SELECT FROM captures c
                JOIN refunds f ON f.capture_id = c.id JOIN receipts r ON r.refund_id = f.id
                WHERE c.order_id = o.id AND r.ended_at IS NULL AND NOT is_given_up(r.id, p_before))
            ORDER BY o.ended_at LIMIT p_limit FOR NO KEY UPDATE OF o SKIP LOCKED))
        RETURNING id
    ), unnamed AS (
        UPDATE payments SET receipt_contact = NULL WHERE id = ANY (ARRAY(SELECT p.id FROM payments p
            WHERE p.receipt_contact IS NOT NULL AND p.created_at < p_before
            AND p.state NOT IN ('requires_action', 'processing', 'authorized')
            AND NOT EXISTS (SELECT FROM attempts a JOIN receipts r ON r.attempt_id = a.id
                WHERE a.payment_id = p.id AND NOT is_over(r, p_before))
            AND NOT EXISTS (SELECT FROM captures c
                JOIN refunds f ON f.capture_id = c.id JOIN receipts r ON r.refund_id = f.id
                WHERE c.payment_id = p.id AND NOT is_over(r, p_before))
            ORDER BY p.created_at LIMIT p_limit FOR NO KEY UPDATE OF p SKIP LOCKED))
        RETURNING id
    )
    SELECT greatest((SELECT count(*) FROM gone), (SELECT count(*) FROM unasked),
        (SELECT count(*) FROM unnamed))
$$;
