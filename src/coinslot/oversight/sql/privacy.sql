-- Personal data: what is left of it, and how it goes. Orders, money and consents stay.

-- The receipts of an order: of what paid it, and of what gave it back.
CREATE OR REPLACE FUNCTION receipts_of_order(p_order uuid) RETURNS SETOF receipts
LANGUAGE sql STABLE AS $$
    SELECT r.* FROM receipts r WHERE r.attempt_id IN (SELECT a.id FROM attempts a
            JOIN payments p ON p.id = a.payment_id WHERE p.order_id = p_order)
        OR r.refund_id IN (SELECT f.id FROM refunds f JOIN captures c ON c.id = f.capture_id
            WHERE c.order_id = p_order)
$$;

-- Searches for the orders of a phone or an address that was left with this order. What was agreed
-- to still has its digest when the order has not.
CREATE OR REPLACE FUNCTION searches_of(p_order uuid) RETURNS SETOF counter_lookups
LANGUAGE sql STABLE AS $$
    SELECT l.* FROM counter_lookups l WHERE l.digest <> '' AND (l.merchant_id, l.digest) IN (
        SELECT c.merchant_id, c.address FROM counter_consents c WHERE c.order_id = p_order)
$$;

-- Accounts of a phone or an address that was left with this order.
CREATE OR REPLACE FUNCTION accounts_left_with(p_order uuid) RETURNS SETOF counter_accounts
LANGUAGE sql STABLE AS $$
    SELECT a.* FROM counter_accounts a WHERE a.deleted_at IS NULL
        AND (a.merchant_id, a.digest) IN (
            SELECT c.merchant_id, c.address FROM counter_consents c WHERE c.order_id = p_order)
$$;

-- How much of a customer an order still holds. What only an open receipt still needs does not
-- count: it goes with that.
CREATE OR REPLACE FUNCTION person_left(p_order uuid) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE
    found bigint;
BEGIN
    SELECT (SELECT count(*) FROM counter_orders c WHERE c.order_id = p_order
            AND (c.name <> '' OR c.here_note <> ''))
        + (SELECT count(*) FROM counter_lines l WHERE l.order_id = p_order AND l.note <> '')
        + (SELECT count(*) FROM orders o WHERE o.id = p_order
            AND num_nonnulls(o.receipt_contact, o.browser, o.network) > 0)
        + (SELECT count(*) FROM receipts_of_order(p_order) r
            WHERE r.contact IS NOT NULL AND r.ended_at IS NOT NULL)
        + (SELECT count(*) FROM captures c WHERE c.order_id = p_order
            AND num_nonnulls(c.payer_reference, c.receipt_url) > 0)
        + (SELECT count(*) FROM counter_contacts k WHERE k.order_id = p_order
            AND (num_nonnulls(k.phone, k.email, k.push, k.phone_digest, k.email_digest) > 0
                OR k.network <> ''))
        + (SELECT count(*) FROM counter_messages m WHERE m.order_id = p_order
            AND m.ended_at IS NOT NULL AND (m.phone_digest IS NOT NULL OR m.network <> ''))
        + (SELECT count(*) FROM counter_deliveries d WHERE d.order_id = p_order
            AND (d.address <> '' OR num_nonnulls(d.latitude, d.longitude) > 0))
        + (SELECT count(*) FROM searches_of(p_order) l JOIN forgotten_orders w
            ON w.order_id = p_order AND l.created_at <= w.asked_at)
        + (SELECT count(*) FROM accounts_left_with(p_order) a JOIN forgotten_orders w
            ON w.order_id = p_order AND a.made_at <= w.asked_at)
    INTO found;
    RETURN found;
END $$;

-- The person goes from an order. What was agreed to stays, as a digest: the merchant has to prove
-- it. A receipt that has not ended needs where it goes, and is ended by a later run.
CREATE OR REPLACE FUNCTION forget_person(p_order uuid) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE counter_orders SET name = '', here_note = ''
        WHERE order_id = p_order AND (name <> '' OR here_note <> '');
    UPDATE counter_lines SET note = '' WHERE order_id = p_order AND note <> '';
    UPDATE orders SET receipt_contact = NULL, browser = NULL, network = NULL WHERE id = p_order;
    UPDATE receipts SET contact = NULL WHERE contact IS NOT NULL AND ended_at IS NOT NULL
        AND id IN (SELECT id FROM receipts_of_order(p_order));
    UPDATE captures SET payer_reference = NULL, receipt_url = NULL
        WHERE order_id = p_order AND num_nonnulls(payer_reference, receipt_url) > 0;
    UPDATE counter_contacts SET phone = NULL, email = NULL, push = NULL, phone_digest = NULL,
        email_digest = NULL, network = '' WHERE order_id = p_order;
    UPDATE counter_messages SET phone_digest = NULL, network = ''
        WHERE order_id = p_order AND ended_at IS NOT NULL;
    UPDATE counter_messages SET phone_digest = NULL, network = ''
        WHERE lookup_id IN (SELECT id FROM searches_of(p_order)) AND ended_at IS NOT NULL;
    UPDATE counter_lookups SET digest = '', network = ''
        WHERE id IN (SELECT id FROM searches_of(p_order));
    UPDATE counter_deliveries SET address = '', latitude = NULL, longitude = NULL,
            driver_token = NULL
        WHERE order_id = p_order;
    -- Not one that was made since: whoever came back after they went has asked for it.
    UPDATE counter_accounts a SET digest = '', name = '', note = '', deleted_at = w.asked_at
        FROM forgotten_orders w WHERE w.order_id = p_order AND a.made_at <= w.asked_at
            AND a.id IN (SELECT id FROM accounts_left_with(p_order));
END $$;

-- Whether everything that still needs the person of an order is over.
CREATE OR REPLACE FUNCTION may_be_forgotten(p_order uuid) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF EXISTS (SELECT FROM orders WHERE id = p_order AND state NOT IN ('completed', 'failed',
            'expired')) OR EXISTS (SELECT FROM receipts_of_order(p_order) WHERE ended_at IS NULL)
    THEN RETURN false; END IF;
    RETURN NOT EXISTS (SELECT FROM counter_messages
        WHERE order_id = p_order AND ended_at IS NULL);
END $$;

-- Calls and text messages that ended before then: that they were made, what they cost and how they
-- ended stays, whom they reached does not.
CREATE OR REPLACE FUNCTION forget_calls(p_before timestamptz, p_limit integer) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH old AS (
        UPDATE counter_messages SET phone_digest = NULL, network = ''
        WHERE id = ANY (ARRAY(SELECT m.id FROM counter_messages m WHERE m.ended_at < p_before
                AND (m.phone_digest IS NOT NULL OR m.network <> '')
            LIMIT p_limit FOR NO KEY UPDATE SKIP LOCKED)) RETURNING 1
    )
    SELECT count(*) FROM old
$$;

-- What staff entered, with and without what was noted beside it.
CREATE OR REPLACE FUNCTION has_notes(p_lines jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT jsonb_path_exists(p_lines, '$[*].note ? (@ != "")')
$$;
CREATE OR REPLACE FUNCTION without_notes(p_lines jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce(jsonb_agg(line || '{"note": ""}' ORDER BY place), '[]')
    FROM jsonb_array_elements(p_lines) WITH ORDINALITY AS e (line, place)
$$;

-- Logs: codes that were typed wrongly, the networks that orders came from, searches for orders of a
-- phone or an address, when boards were open, and who was named with what staff entered.
CREATE OR REPLACE FUNCTION forget_logs(p_before timestamptz, p_limit integer) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH tries AS (
        DELETE FROM counter_wrong_codes WHERE id = ANY (ARRAY(SELECT id FROM counter_wrong_codes
            WHERE at < p_before ORDER BY id LIMIT p_limit FOR UPDATE SKIP LOCKED)) RETURNING 1
    ), networks AS (
        UPDATE orders SET network = NULL WHERE id = ANY (ARRAY(SELECT id FROM orders
            WHERE network IS NOT NULL AND ended_at < p_before LIMIT p_limit
            FOR NO KEY UPDATE SKIP LOCKED)) RETURNING 1
    ), boards AS (
        DELETE FROM counter_presence WHERE id = ANY (ARRAY(SELECT id FROM counter_presence
            WHERE seen_at < p_before ORDER BY id LIMIT p_limit FOR UPDATE SKIP LOCKED)) RETURNING 1
    ), searches AS (  -- a message may name one: the row stays then
        UPDATE counter_lookups SET digest = '', network = '' WHERE id = ANY (ARRAY(
            SELECT id FROM counter_lookups WHERE created_at < p_before
                AND (digest <> '' OR network <> '')
            ORDER BY id LIMIT p_limit FOR NO KEY UPDATE SKIP LOCKED)) RETURNING 1
    ), entered AS (
        UPDATE counter_walk_ins SET name = '', lines = without_notes(lines) WHERE id = ANY (ARRAY(
            SELECT id FROM counter_walk_ins WHERE entered_at < p_before
                AND (name <> '' OR has_notes(lines))
            ORDER BY id LIMIT p_limit FOR NO KEY UPDATE SKIP LOCKED)) RETURNING 1
    ), signed_in AS (
        DELETE FROM counter_sessions WHERE id = ANY (ARRAY(SELECT id FROM counter_sessions
            WHERE least(ended_at, expires_at) < p_before ORDER BY id LIMIT p_limit
            FOR UPDATE SKIP LOCKED)) RETURNING 1
    )
    SELECT greatest((SELECT count(*) FROM tries), (SELECT count(*) FROM networks),
        (SELECT count(*) FROM boards), (SELECT count(*) FROM searches),
        (SELECT count(*) FROM entered), (SELECT count(*) FROM signed_in))
$$;

-- Records of payments are kept: after that time they name no payer any more.
CREATE OR REPLACE FUNCTION forget_payers(p_before timestamptz, p_limit integer) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH gone AS (
        UPDATE captures SET payer_reference = NULL, receipt_url = NULL
        WHERE id = ANY (ARRAY(SELECT id FROM captures
            WHERE (payer_reference IS NOT NULL OR receipt_url IS NOT NULL)
                AND captured_at < p_before
            LIMIT p_limit FOR NO KEY UPDATE SKIP LOCKED)) RETURNING 1
    )
    SELECT count(*) FROM gone
$$;

-- How much is left of what a run says it has ended.
CREATE OR REPLACE FUNCTION retention_left(p_what text, p_before timestamptz) RETURNS bigint
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN CASE p_what
        WHEN 'call_logs' THEN (SELECT count(*) FROM counter_messages m WHERE m.ended_at < p_before
            AND (m.phone_digest IS NOT NULL OR m.network <> ''))
        WHEN 'logs' THEN (SELECT count(*) FROM counter_wrong_codes WHERE at < p_before)
            + (SELECT count(*) FROM orders WHERE network IS NOT NULL AND ended_at < p_before)
            + (SELECT count(*) FROM counter_presence WHERE seen_at < p_before)
            + (SELECT count(*) FROM counter_lookups WHERE created_at < p_before
                AND (digest <> '' OR network <> ''))
            + (SELECT count(*) FROM counter_walk_ins WHERE entered_at < p_before
                AND (name <> '' OR has_notes(lines)))
            + (SELECT count(*) FROM counter_sessions WHERE least(ended_at, expires_at) < p_before)
        WHEN 'payers' THEN (SELECT count(*) FROM captures WHERE captured_at < p_before
            AND (payer_reference IS NOT NULL OR receipt_url IS NOT NULL))
    END;
END $$;

REVOKE EXECUTE ON FUNCTION forget_calls(timestamptz, integer) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION forget_logs(timestamptz, integer) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION forget_payers(timestamptz, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION forget_calls(timestamptz, integer) TO coinslot_door;
GRANT EXECUTE ON FUNCTION forget_logs(timestamptz, integer) TO coinslot_door;
GRANT EXECUTE ON FUNCTION forget_payers(timestamptz, integer) TO coinslot_door;
