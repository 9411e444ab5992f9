-- Fiscal receipts: what a gateway tells of one by itself.

-- Where refunds have no id of their own, the one of this sum that still waits; the oldest first.
CREATE OR REPLACE FUNCTION receipt_told(p_account gateway_accounts, p_fact jsonb)
RETURNS uuid LANGUAGE sql STABLE AS $$
    SELECT r.id FROM receipts r
    LEFT JOIN attempts a ON a.id = r.attempt_id
    LEFT JOIN refunds f ON f.id = r.refund_id LEFT JOIN captures c ON c.id = f.capture_id
    WHERE r.account_id = p_account.id
        AND (r.kind = 'refund') = (p_fact->>'refund')::boolean
        AND p_fact->>'gateway_payment_id' IN (a.gateway_payment_id, a.reference,
            c.gateway_payment_id)
        AND (p_fact->'money'->>'amount' IS NULL
            OR r.amount_minor = (p_fact->'money'->>'amount')::bigint)
    ORDER BY r.state IN ('registered', 'void'), r.created_at, r.id LIMIT 1
$$;

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

-- Where a receipt went is not needed any more once it is registered, or not needed itself: nor is
-- what its customer typed for it, when no receipt of that order waits.
CREATE OR REPLACE FUNCTION forget_contacts(p_before timestamptz, p_limit integer) RETURNS bigint
LANGUAGE sql AS $$
    WITH gone AS (
        UPDATE receipts SET contact = NULL WHERE id IN (SELECT id FROM receipts
            WHERE contact IS NOT NULL AND ended_at < p_before ORDER BY ended_at LIMIT p_limit
            FOR NO KEY UPDATE SKIP LOCKED)
        RETURNING id
    ), unasked AS (
        UPDATE orders SET receipt_contact = NULL WHERE id IN (SELECT o.id FROM orders o
            WHERE o.receipt_contact IS NOT NULL AND o.ended_at < p_before
            AND NOT EXISTS (SELECT FROM receipts r
                LEFT JOIN refunds f ON f.id = r.refund_id
                LEFT JOIN captures c ON c.id = f.capture_id
                LEFT JOIN attempts a ON a.id = r.attempt_id
                JOIN payments p ON p.id = coalesce(a.payment_id, c.payment_id)
                WHERE p.order_id = o.id AND r.ended_at IS NULL)
            ORDER BY o.ended_at LIMIT p_limit FOR NO KEY UPDATE OF o SKIP LOCKED)
        RETURNING id
    )
    SELECT greatest((SELECT count(*) FROM gone), (SELECT count(*) FROM unasked))
$$;
