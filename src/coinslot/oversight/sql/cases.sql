-- The queue of cases: what the rows say needs a person. Cases open and close by it.

-- What a person looks for: a case's data begins with where the money is. The ids of payments and
-- refunds are the API's; an order's payment has none there.
CREATE OR REPLACE FUNCTION of_account(p_account uuid) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object('merchant', m.slug, 'gateway', a.gateway, 'account', a.slug)
    FROM gateway_accounts a JOIN merchants m ON m.id = a.merchant_id WHERE a.id = p_account
$$;

CREATE OR REPLACE FUNCTION of_payment(p_payment uuid) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT jsonb_strip_nulls(jsonb_build_object('merchant', m.slug, 'payment', p.id,
        'reference', p.reference, 'gateway_payment_id', coalesce(t.gateway_payment_id, t.reference)
        ) || coalesce(of_account(t.account_id), '{}'))
    FROM payments p JOIN merchants m ON m.id = p.merchant_id
        LEFT JOIN LATERAL (SELECT * FROM attempts t WHERE t.payment_id = p.id
            ORDER BY t.number DESC LIMIT 1) t ON true
    WHERE p.id = p_payment
$$;

CREATE OR REPLACE FUNCTION of_capture(p_capture uuid) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT of_account(c.account_id) || jsonb_strip_nulls(jsonb_build_object(
        'gateway_payment_id', c.gateway_payment_id, 'order', c.order_id, 'payment', (SELECT p.id
            FROM payments p WHERE p.id = c.payment_id AND p.source = 'api')))
    FROM captures c WHERE c.id = p_capture
$$;

-- Everything that needs a person now. `since` tells one occasion from the next.
CREATE OR REPLACE FUNCTION wanting(p_now timestamptz) RETURNS TABLE (merchant_id uuid, kind text,
    subject text, since timestamptz, owner text, amount_minor bigint, currency text, data jsonb)
LANGUAGE sql STABLE AS $$
    -- `due_at` finds them by an index; it stays set as long as the outcome is unknown.
    SELECT p.merchant_id, 'payment_unresolved', p.id::text, p.processing_deadline_at, 'operator',
        p.amount_minor, p.currency::text, of_payment(p.id)
    FROM payments p WHERE p.due_at IS NOT NULL AND p.state = 'processing'
        AND p.processing_deadline_at <= p_now
    UNION ALL
    SELECT r.merchant_id, 'refund_owed', r.id::text, r.created_at, 'merchant', r.amount_minor,
        r.currency::text, of_capture(r.capture_id)
            || jsonb_build_object('refund', r.id, 'failure', r.failure)
    FROM refunds r WHERE r.state = 'owed'
    UNION ALL
    SELECT r.merchant_id, 'refund_not_taken_up', r.id::text, r.created_at, 'operator',
        r.amount_minor, r.currency::text, of_capture(r.capture_id)
            || jsonb_build_object('refund', r.id, 'failure', r.failure)
    FROM refunds r WHERE r.due_at IS NOT NULL AND r.state = 'pending'
        AND r.gateway_refund_id IS NULL AND r.created_at <= p_now - interval '1 hour'
        -- Held while the bank decides, which is a case of its own until a person closes it.
        AND NOT EXISTS (SELECT FROM disputes d
            WHERE d.capture_id = r.capture_id AND d.stage = 'open' AND NOT EXISTS (
                SELECT FROM cases k WHERE k.kind = 'dispute_open' AND k.subject = d.id::text
                    AND k.closed_by IS NOT NULL))
    UNION ALL
    SELECT r.merchant_id, 'receipt_' || r.state, r.id::text,
        CASE r.state WHEN 'overdue' THEN coalesce(r.late_at, r.created_at) ELSE r.created_at END,
        'merchant', r.amount_minor, r.currency::text, of_account(r.account_id)
            || jsonb_strip_nulls(jsonb_build_object('receipt', r.id, 'failure', r.failure,
                'refund', r.refund_id, 'gateway_payment_id', coalesce(c.gateway_payment_id,
                    a.gateway_payment_id, a.reference), 'order', p.order_id))
    FROM receipts r LEFT JOIN attempts a ON a.id = r.attempt_id
        LEFT JOIN refunds f ON f.id = r.refund_id LEFT JOIN captures c ON c.id = f.capture_id
        LEFT JOIN payments p ON p.id = coalesce(a.payment_id, c.payment_id)
    WHERE r.state IN ('refused', 'overdue')
    UNION ALL
    SELECT c.merchant_id, 'money_without_a_purpose', c.id::text, c.seen_at, 'operator', c.open,
        c.currency::text, of_capture(c.id)
    FROM captures c WHERE c.due_at IS NOT NULL AND c.open > 0 AND c.hard_deadline <= p_now
    UNION ALL
    SELECT i.merchant_id, 'webhook_not_worked', i.id::text, i.received_at, 'operator', NULL, NULL,
        of_account(i.account_id) || jsonb_build_object('event', i.event, 'failure', i.failure)
    FROM inbox i WHERE i.due_at IS NOT NULL AND i.worked_at IS NULL
        AND i.failure IS DISTINCT FROM 'unexplained' AND i.tries >= 5
        AND coalesce(i.told_at, i.received_at) <= p_now - interval '1 hour'
    UNION ALL
    -- All of one kind are one case: a gateway may write every event in a form not known here.
    SELECT min(i.merchant_id::text)::uuid, 'webhook_not_read', i.account_id || ' '
        || coalesce(i.event, ''), min(i.received_at), 'operator', NULL, NULL,
        of_account(i.account_id) || jsonb_build_object('event', i.event, 'failure', min(i.reason))
    FROM inbox i WHERE i.worked_at IS NULL AND i.verdict = 'unreadable'
    GROUP BY i.account_id, i.event
    UNION ALL
    SELECT n.merchant_id, 'day_not_compared', n.account_id || ' ' || n.day,
        n.day::timestamp AT TIME ZONE 'UTC',
        'operator', NULL, NULL,
        of_account(n.account_id) || jsonb_build_object('day', n.day, 'failure', n.failure)
    FROM reconciliations n WHERE n.done_at IS NULL AND n.tries >= 5
    UNION ALL
    SELECT k.merchant_id, 'clock_differs', k.account_id || ' ' || k.node, k.off_since, 'operator',
        NULL, NULL, of_account(k.account_id)
            || jsonb_build_object('node', k.node, 'ahead_s', round(k.ahead_ms / 1000.0))
    FROM clocks k WHERE k.off_since IS NOT NULL AND k.heard_at > now() - interval '1 hour'
    UNION ALL
    SELECT s.merchant_id, 'stray', s.id::text, s.at, 'operator', NULL, NULL,
        jsonb_build_object('merchant', (SELECT slug FROM merchants m WHERE m.id = s.merchant_id),
            'machine', s.machine, 'id', s.subject_id, 'state', s.state, 'event', s.event)
    FROM strays s
    UNION ALL
    SELECT d.merchant_id, d.kind, d.id::text, d.at, 'merchant', d.amount_minor,
        (SELECT c.currency::text FROM captures c WHERE c.id = d.capture_id),
        coalesce(of_capture(d.capture_id), '{}')
            || jsonb_build_object('unit', d.fulfillment_id, 'refund', d.refund_id)
    FROM discrepancies d WHERE d.closed_at IS NULL
    UNION ALL
    SELECT d.merchant_id, 'dispute_open', d.id::text, d.opened_at, 'merchant', d.amount_minor,
        d.currency::text, of_capture(d.capture_id)
            || jsonb_build_object('reason', d.reason, 'dispute', d.gateway_dispute_id)
    FROM disputes d WHERE d.stage = 'open'
    UNION ALL
    SELECT j.merchant_id, 'machine_floods', j.outlet_id, min(j.refused_at), 'operator', NULL, NULL,
        jsonb_build_object('merchant', m.slug, 'machine', j.outlet_id)
    FROM device_journals j JOIN merchants m ON m.id = j.merchant_id
    WHERE j.refused_at IS NOT NULL GROUP BY j.merchant_id, m.slug, j.outlet_id
    UNION ALL
    SELECT j.merchant_id, 'machine_contradicts', j.outlet_id, max(j.contradicted_at), 'operator',
        NULL, NULL, jsonb_build_object('merchant', m.slug, 'machine', j.outlet_id)
    FROM device_journals j JOIN merchants m ON m.id = j.merchant_id
    WHERE j.contradicted_at IS NOT NULL GROUP BY j.merchant_id, m.slug, j.outlet_id
    UNION ALL
    SELECT f.merchant_id, 'handover_unknown', f.id::text, f.person_since, 'merchant',
        f.amount_minor, f.currency::text, coalesce(of_capture(f.capture_id), '{}')
            || jsonb_build_object('order', f.order_id, 'unit', f.id, 'machine', f.outlet_id,
                'ends_by', f.hard_deadline)
    FROM fulfillments f WHERE f.person_since IS NOT NULL AND f.settlement IS NULL
    UNION ALL
    SELECT r.merchant_id, 'rollout_paused', r.id::text, (r.pause->>'at')::timestamptz, 'operator',
        NULL, NULL, jsonb_build_object('rollout', r.id, 'reason', r.pause->>'reason')
    FROM rollouts r WHERE r.state = 'paused' AND r.pause->>'reason' <> 'person'
    UNION ALL
    SELECT c.merchant_id, 'counter_differs', c.outlet_id, c.differs_since, 'merchant', NULL, NULL,
        jsonb_build_object('merchant', m.slug, 'machine', c.outlet_id, 'counted', c.machine_vends,
            'ours', c.our_vends, 'unsure', c.unsure, 'since', c.since)
    FROM counter_checks c JOIN merchants m ON m.id = c.merchant_id
    WHERE c.differs_since IS NOT NULL
    UNION ALL
    SELECT u.merchant_id, 'machine_silent_in_update', u.id::text, u.attempt_until, 'operator',
        NULL, NULL, jsonb_build_object('rollout', u.rollout_id, 'machine', u.outlet_id)
    FROM machine_updates u WHERE u.state = 'silent' AND u.go_at IS NOT NULL
$$;

-- Needed and not in the queue: a case that a person closed stays closed while its reason is the
-- same.
CREATE OR REPLACE FUNCTION unheard(p_now timestamptz) RETURNS TABLE (merchant_id uuid, kind text,
    subject text, since timestamptz, owner text, amount_minor bigint, currency text, data jsonb)
LANGUAGE sql STABLE AS $$
    SELECT w.* FROM wanting(p_now) w WHERE NOT EXISTS (SELECT FROM cases k WHERE k.kind = w.kind
        AND k.subject = w.subject AND k.since = w.since
        AND (k.closed_at IS NULL OR k.closed_by IS NOT NULL))
$$;

-- In the queue and no longer needed.
CREATE OR REPLACE FUNCTION healed(p_now timestamptz) RETURNS SETOF cases
LANGUAGE sql STABLE AS $$
    SELECT k.* FROM cases k WHERE k.closed_at IS NULL AND k.source = 'state'
        AND NOT EXISTS (SELECT FROM wanting(p_now) w WHERE w.kind = k.kind
            AND w.subject = k.subject AND w.since = k.since)
$$;

-- Brings one merchant's queue up to date: how many were opened, and how many closed themselves.
CREATE OR REPLACE FUNCTION keep_cases(p_now timestamptz, OUT opened bigint, OUT closed bigint)
LANGUAGE sql AS $$
    -- One update of a queue at a time: two would write the same cases in different orders.
    SELECT pg_advisory_xact_lock(hashtext('keep_cases'), hashtext(coalesce(the_merchant()::text,
        '')));
    WITH gone AS (
        UPDATE cases k SET closed_at = p_now, how = coalesce((SELECT d.stage FROM disputes d
            WHERE h.kind = 'dispute_open' AND d.id::text = h.subject), 'healed')
        FROM healed(p_now) h WHERE k.id = h.id RETURNING k.id
    ), made AS (
        INSERT INTO cases (merchant_id, source, kind, subject, since, owner, amount_minor,
            currency, data, opened_at)
        SELECT u.merchant_id, 'state', u.kind, u.subject, u.since, u.owner, u.amount_minor,
            u.currency, u.data, p_now
        FROM unheard(p_now) u ON CONFLICT DO NOTHING RETURNING id
    )
    SELECT (SELECT count(*) FROM made), (SELECT count(*) FROM gone)
$$;

-- Merchants of whom something is unheard or has healed; for the system login, which sees every
-- merchant. What is wanted is planned and read once for both.
CREATE OR REPLACE FUNCTION queues_out_of_date(p_now timestamptz) RETURNS SETOF uuid
LANGUAGE sql STABLE AS $$
    WITH wanted AS MATERIALIZED (SELECT w.merchant_id, w.kind, w.subject, w.since
        FROM wanting(p_now) w)
    SELECT w.merchant_id FROM wanted w WHERE NOT EXISTS (SELECT FROM cases k
        WHERE k.kind = w.kind AND k.subject = w.subject AND k.since = w.since
            AND (k.closed_at IS NULL OR k.closed_by IS NOT NULL))
    UNION
    SELECT k.merchant_id FROM cases k WHERE k.closed_at IS NULL AND k.source = 'state'
        AND NOT EXISTS (SELECT FROM wanted w WHERE w.kind = k.kind AND w.subject = k.subject
            AND w.since = k.since)
$$;

-- A person has dealt with it. False: it was closed before.
CREATE OR REPLACE FUNCTION close_case(p_case bigint, p_by text, p_how text, p_note text,
    p_now timestamptz) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    k cases%ROWTYPE;
BEGIN
    UPDATE cases SET closed_at = p_now, closed_by = p_by, how = p_how, note = p_note
        WHERE id = p_case AND closed_at IS NULL RETURNING * INTO k;
    IF NOT FOUND THEN RETURN false; END IF;
    -- Its webhooks are closed too: they are not worked any more.
    UPDATE inbox i SET worked_at = p_now, due_at = NULL, leased_until = NULL, lease = lease + 1,
        ended_by = p_by
        WHERE i.worked_at IS NULL AND i.verdict <> 'forged' AND CASE k.kind
            WHEN 'webhook_not_worked' THEN i.id::text = k.subject
            WHEN 'webhook_not_read' THEN i.verdict = 'unreadable'
                AND i.account_id || ' ' || coalesce(i.event, '') = k.subject
            ELSE false END;
    UPDATE discrepancies d SET closed_at = p_now, closed_by = p_by
        WHERE d.id::text = k.subject AND d.kind = k.kind AND d.closed_at IS NULL;
    RETURN true;
END $$;

-- A machine denied its own drop, and a person who looked into it believes the later report: the
-- money goes back after all, on a row of its own beside the settlement. False: the case was closed
-- before, or the money went back before.
CREATE OR REPLACE FUNCTION refund_case(p_case bigint, p_by text, p_note text, p_now timestamptz)
RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    d discrepancies%ROWTYPE;
    u fulfillments%ROWTYPE;
    c captures%ROWTYPE;
    rest bigint;
BEGIN
    SELECT d2.* INTO d FROM cases k JOIN discrepancies d2 ON d2.id::text = k.subject
        WHERE k.id = p_case AND k.kind = d2.kind AND d2.kind = 'no_drop_after_fulfilled';
    IF NOT FOUND OR d.capture_id IS NULL THEN RETURN false; END IF;  -- or it cost nothing
    SELECT * INTO STRICT c FROM captures WHERE id = d.capture_id FOR NO KEY UPDATE;
    SELECT * INTO STRICT u FROM fulfillments WHERE id = d.fulfillment_id;
    rest := left_of(u);  -- a part may have been refunded by a person before
    IF rest = 0 OR NOT close_case(p_case, p_by, 'refunded', p_note, p_now) THEN
        RETURN false;
    END IF;
    INSERT INTO corrections (fulfillment_id, merchant_id, why, at, made_by, note)
    VALUES (u.id, u.merchant_id, d.kind, p_now, p_by, p_note) ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN RETURN false; END IF;
    UPDATE captures SET fulfilled = fulfilled - rest, refund_due = refund_due + rest
        WHERE id = c.id RETURNING * INTO STRICT c;
    PERFORM book(c, 'sales', 'refunds_payable', rest, 'corrected', p_now);
    PERFORM owe_refund(c.id, u.id, rest, 'corrected', p_now);
    PERFORM tell(u.merchant_id, 'fulfillment', u.id, 'CORRECTED',
        jsonb_build_object('by', p_by, 'note', p_note, 'case', p_case), p_now);
    RETURN true;
END $$;
