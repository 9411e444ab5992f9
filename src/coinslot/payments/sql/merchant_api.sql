-- Payments of a merchant's own server: the capture is the merchant's, and goes back on request.

-- Not captured yet, or not at all: the report proves little, so the attempt is due at once. A
-- worker that asks the gateway now asked too early: its answer does not count.
CREATE OR REPLACE FUNCTION look_soon(p_account gateway_accounts, p_fact jsonb, p_now timestamptz)
RETURNS void LANGUAGE sql AS $$
    UPDATE attempts SET due_at = p_now, leased_until = NULL, lease = lease + 1
    WHERE payment_id = (SELECT payment_id FROM attempts WHERE id = attempt_of(p_account, p_fact))
        AND account_id = p_account.id AND key IS NOT NULL
        AND (due_at > p_now OR leased_until IS NOT NULL)
        AND state IN ('pending', 'unknown') AND wish IS NULL
$$;

CREATE OR REPLACE FUNCTION collect_api(p_capture captures, p_attempt uuid, p_now timestamptz)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    p payments%ROWTYPE;
    c captures%ROWTYPE;
    why text;
BEGIN
    SELECT * INTO STRICT p FROM payments
        WHERE id = (SELECT payment_id FROM attempts WHERE id = p_attempt) FOR NO KEY UPDATE;
    UPDATE captures SET payment_id = p.id WHERE id = p_capture.id RETURNING * INTO c;
    -- The attempt captured the money, whatever becomes of it.
    PERFORM attempt_captured(c, p_attempt, p_now);
    -- Less than its amount counts when we asked for just that part of what was held.
    why := buys_nothing(c, p.amount_minor || ARRAY(SELECT unnest(a.asked_minor) FROM attempts a
            WHERE a.payment_id = p.id AND a.account_id = c.account_id), p.currency,
        CASE p.state WHEN 'canceled' THEN 'payment_canceled' WHEN 'succeeded' THEN 'paid_twice' END,
        NULL, NULL);
    IF why IS NOT NULL THEN RETURN return_capture(c.id, why, p_now); END IF;
    UPDATE captures SET fulfilled = captured, open = 0 WHERE id = c.id;
    PERFORM book(c, 'obligations', 'sales', c.captured, 'collected', p_now);
    PERFORM transition_payment(p.id, 'CAPTURED', '{"due_at": null}', p_now);
    RETURN 'collected';
END $$;

-- The merchant requests a refund; NULL where that much is not left. Refunds requested at the same
-- time wait for the capture's lock.
CREATE OR REPLACE FUNCTION ask_refund(p_payment uuid, p_amount bigint, p_reason text,
    p_now timestamptz) RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
    c captures%ROWTYPE;
    amount bigint;
    made uuid;
BEGIN
    SELECT * INTO c FROM captures WHERE payment_id = p_payment AND reason IS NULL FOR NO KEY UPDATE;
    amount := coalesce(p_amount, c.fulfilled);
    IF c.id IS NULL OR amount <= 0 OR amount > c.fulfilled THEN RETURN NULL; END IF;
    UPDATE captures SET fulfilled = fulfilled - amount, refund_due = refund_due + amount,
        refund_intended = refund_intended + amount WHERE id = c.id;
    PERFORM book(c, 'sales', 'refunds_payable', amount, 'asked', p_now);
    made := make_refund(c, NULL, NULL, amount, 'asked', p_now);
    UPDATE refunds SET asked_reason = p_reason WHERE id = made;
    RETURN made;
END $$;

-- The merchant refunded it in the gateway's dashboard: that counts as a request here.
CREATE OR REPLACE FUNCTION forgo_outside(p_capture uuid, p_now timestamptz)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    c captures%ROWTYPE;
    gone bigint;
BEGIN
    SELECT * INTO STRICT c FROM captures WHERE id = p_capture FOR NO KEY UPDATE;
    gone := least(c.outside - c.outside_used, c.fulfilled);
    IF NOT EXISTS (SELECT FROM payments WHERE id = c.payment_id AND source = 'api') THEN
        RETURN;
    END IF;
    UPDATE captures SET fulfilled = fulfilled - gone, refund_due = refund_due + gone,
        outside_used = outside_used + gone WHERE id = c.id;
    PERFORM book(c, 'sales', 'refunds_payable', gone, 'refunded_outside', p_now);
    PERFORM book(c, 'refunds_payable', 'refunds_outside', gone, 'covered_outside', p_now);
END $$;

-- Keys whose payment has ended and whose answer is old; a login may delete them only through this.
CREATE OR REPLACE FUNCTION prune_keys(p_before timestamptz, p_at_most integer)
RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH gone AS (
        DELETE FROM idempotency_keys WHERE ctid = ANY (ARRAY(
            SELECT k.ctid FROM idempotency_keys k
            WHERE coalesce(k.done_at, k.started_at) < p_before AND k.locked_until < p_before
                AND NOT EXISTS (SELECT FROM payments p WHERE p.id IN (k.subject_id,
                        try_uuid(split_part(k.endpoint, '/', 3)))
                    AND p.state NOT IN ('succeeded', 'canceled', 'failed'))
            LIMIT p_at_most FOR UPDATE SKIP LOCKED))
        RETURNING 1)
    SELECT count(*) FROM gone
$$;
-- Webhooks that ended long ago, with their tries; the log of events keeps what happened.
CREATE OR REPLACE FUNCTION prune_deliveries(p_before timestamptz, p_at_most integer)
RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH old AS MATERIALIZED (
        SELECT id FROM deliveries WHERE ended_at < p_before
        ORDER BY ended_at LIMIT p_at_most FOR UPDATE SKIP LOCKED
    ), tried AS (
        DELETE FROM delivery_tries t USING old WHERE t.delivery_id = old.id
    ), gone AS (
        DELETE FROM deliveries d USING old WHERE d.id = old.id RETURNING 1
    )
    SELECT count(*) FROM gone
$$;
REVOKE EXECUTE ON FUNCTION prune_deliveries(timestamptz, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION prune_deliveries(timestamptz, integer) TO coinslot_door;
REVOKE EXECUTE ON FUNCTION prune_keys(timestamptz, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION prune_keys(timestamptz, integer) TO coinslot_door;
