-- The effects of settling a unit, in the same transaction: counters, ledger, refund, order.

-- Owe a refund of `p_amount` of a capture. What the gateway gave back by itself counts first: our
-- own refund is only for the rest, so that nothing is paid twice. `p_part`: the part of a person's
-- refund that it pays.
CREATE OR REPLACE FUNCTION owe_refund(p_capture uuid, p_unit uuid, p_amount bigint, p_reason text,
    p_now timestamptz, p_part uuid DEFAULT NULL) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    c captures%ROWTYPE;
    covered bigint;
BEGIN
    SELECT * INTO STRICT c FROM captures WHERE id = p_capture FOR NO KEY UPDATE;
    covered := least(c.outside - c.outside_used, p_amount);
    IF covered > 0 THEN
        UPDATE captures SET outside_used = outside_used + covered WHERE id = c.id;
        PERFORM book(c, 'refunds_payable', 'refunds_outside', covered, 'covered_outside', p_now);
    END IF;
    IF p_amount > covered THEN
        UPDATE captures SET refund_intended = refund_intended + p_amount - covered WHERE id = c.id;
        PERFORM make_refund(c, p_unit, NULL, p_amount - covered, p_reason, p_now, p_part);
    END IF;
END $$;

-- One that replaces another is for the same part, and was asked for the same reason.
CREATE OR REPLACE FUNCTION make_refund(p_capture captures, p_unit uuid, p_replaces uuid,
    p_amount bigint, p_reason text, p_now timestamptz, p_part uuid DEFAULT NULL)
RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
    new_id uuid := uuid7(p_now);
    died bigint := 0;
    due timestamptz := p_now;
BEGIN
    -- When one fails after another at the gateway, the next waits longer; the first does not.
    IF p_replaces IS NOT NULL THEN
        SELECT count(*) INTO died FROM refunds
            WHERE capture_id = p_capture.id AND origin = 'ours' AND state = 'failed';
    END IF;
    IF died > 1 THEN
        due := p_now + least(5 * power(2, least(died, 20) - 2), 600) * interval '1 second';
    END IF;
    INSERT INTO refunds (id, merchant_id, account_id, capture_id, fulfillment_id, replaces, origin,
        state, amount_minor, currency, reason, key, created_at, hard_deadline, due_at, part_id,
        asked_reason)
    VALUES (new_id, p_capture.merchant_id, p_capture.account_id, p_capture.id, p_unit, p_replaces,
        'ours', 'pending', p_amount, p_capture.currency, p_reason, 'rf_' || replace(new_id::text,
        '-', ''), p_now, due + interval '60 seconds', due,
        coalesce(p_part, (SELECT part_id FROM refunds WHERE id = p_replaces)),
        coalesce((SELECT o.reason FROM order_refund_parts w JOIN order_refunds o
            ON o.id = w.order_refund_id WHERE w.id = p_part),
            (SELECT asked_reason FROM refunds WHERE id = p_replaces)));
    PERFORM tell(p_capture.merchant_id, 'refund', new_id, 'INTENDED',
        jsonb_build_object('reason', p_reason, 'amount', p_amount), p_now);
    RETURN new_id;
END $$;

-- What the gateway gave back by itself and nothing of ours needs: refunds of ours that wait are
-- paid by it before they are sent.
CREATE OR REPLACE FUNCTION spare_outside(p_capture captures) RETURNS bigint
LANGUAGE sql STABLE AS $$
    SELECT p_capture.outside - p_capture.outside_used - coalesce(sum(amount_minor), 0)::bigint
    FROM refunds WHERE capture_id = p_capture.id AND origin = 'ours' AND state = 'pending'
$$;

-- When the last unit of an order is settled the order ends: completed when anything was handed
-- over, whatever went back beside it. Its extras go the same way.
CREATE OR REPLACE FUNCTION end_order(p_order uuid, p_now timestamptz)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    open_units bigint;
    handed_over bigint;
BEGIN
    PERFORM FROM orders WHERE id = p_order FOR NO KEY UPDATE;
    SELECT count(*) FILTER (WHERE settlement IS NULL),
           count(*) FILTER (WHERE settlement = 'fulfilled')
    INTO open_units, handed_over FROM fulfillments WHERE order_id = p_order;
    IF open_units = 0 THEN
        PERFORM settle_extras(p_order, handed_over > 0, p_now);
        PERFORM transition_order(p_order,
            CASE WHEN handed_over > 0 THEN 'HANDED_OVER' ELSE 'GONE_BACK' END,
            jsonb_build_object('ended_at', p_now, 'due_at', NULL), p_now);
        IF handed_over > 0 THEN PERFORM close_receipts(p_order, p_now); END IF;
    END IF;
END $$;

CREATE OR REPLACE FUNCTION fulfillment_hand_over(p_unit uuid, p_now timestamptz)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    u fulfillments%ROWTYPE;
    c captures%ROWTYPE;
BEGIN
    SELECT * INTO STRICT u FROM fulfillments WHERE id = p_unit;
    IF u.capture_id IS NULL THEN  -- its order cost nothing
        PERFORM end_order(u.order_id, p_now);
        RETURN;
    END IF;
    UPDATE captures SET open = open - u.amount_minor, fulfilled = fulfilled + u.amount_minor
        WHERE id = u.capture_id RETURNING * INTO STRICT c;
    PERFORM book(c, 'obligations', 'sales', u.amount_minor, 'handed_over', p_now);
    PERFORM end_refund_parts(u.id, 'taken', p_now);
    SELECT * INTO STRICT c FROM captures WHERE id = c.id;
    IF c.outside > 0 AND spare_outside(c) > 0 THEN
        PERFORM note_discrepancy('refunded_outside_and_handed_over', c, u.id, NULL,
            least(spare_outside(c), u.amount_minor), p_now);
    END IF;
    PERFORM end_order(u.order_id, p_now);
END $$;

CREATE OR REPLACE FUNCTION fulfillment_give_back(p_unit uuid, p_now timestamptz)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    u fulfillments%ROWTYPE;
    c captures%ROWTYPE;
BEGIN
    SELECT * INTO STRICT u FROM fulfillments WHERE id = p_unit;
    IF u.capture_id IS NULL THEN
        PERFORM end_order(u.order_id, p_now);
        RETURN;
    END IF;
    UPDATE captures SET open = open - u.amount_minor, refund_due = refund_due + u.amount_minor
        WHERE id = u.capture_id RETURNING * INTO STRICT c;
    PERFORM book(c, 'obligations', 'refunds_payable', u.amount_minor, u.basis, p_now);
    PERFORM owe_refund(c.id, u.id, u.amount_minor, u.basis, p_now);
    PERFORM end_refund_parts(u.id, 'went_back', p_now);
    PERFORM end_order(u.order_id, p_now);
END $$;

CREATE OR REPLACE FUNCTION fulfillment_expose(p_unit uuid, p_now timestamptz)
RETURNS void LANGUAGE sql AS $$
    INSERT INTO exposures (fulfillment_id, merchant_id, amount_minor, currency, why, at)
    SELECT id, merchant_id, amount_minor, currency, coalesce(failure_code, 'silence'), p_now
    FROM fulfillments WHERE id = p_unit
$$;

-- Evidence against a settlement moves no money. It is recorded, and a person is called: a drop
-- after the money went back is a loss, and a machine that denies its own drop may be an attacker.
CREATE OR REPLACE FUNCTION fulfillment_note_discrepancy(p_unit uuid, p_now timestamptz)
RETURNS void LANGUAGE sql AS $$
    INSERT INTO discrepancies (merchant_id, kind, capture_id, fulfillment_id, amount_minor, at)
    SELECT u.merchant_id, CASE u.settlement WHEN 'fulfilled' THEN 'no_drop_after_fulfilled'
        ELSE 'dropped_after_refund' END, u.capture_id, u.id, u.amount_minor, p_now
    FROM fulfillments u WHERE u.id = p_unit ON CONFLICT DO NOTHING
$$;

-- Refunds.

-- Our refund succeeded by itself: then a refund that the gateway made beside it is a separate one,
-- unless another of ours waits that it may replace.
CREATE OR REPLACE FUNCTION tell_stand_ins(p_done refunds, p_now timestamptz)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    o refunds%ROWTYPE;
BEGIN
    FOR o IN SELECT * FROM refunds f WHERE f.capture_id = p_done.capture_id
            AND f.in_place_of IS NOT NULL AND f.state = 'succeeded'
            AND stands_alone(f, p_done.id) ORDER BY f.id LOOP
        UPDATE refunds SET in_place_of = NULL WHERE id = o.id;
        PERFORM tell(o.merchant_id, 'refund', o.id, 'MADE_OUTSIDE',
            jsonb_build_object('amount', o.amount_minor), p_now);
        PERFORM judge_outside(o.capture_id, o.id, p_now);
    END LOOP;
END $$;

CREATE OR REPLACE FUNCTION refund_book_refund(p_refund uuid, p_now timestamptz)
RETURNS void LANGUAGE sql AS $$
    SELECT book(c, 'refunds_payable', 'gateway', r.amount_minor, 'refunded', p_now)
    FROM refunds r JOIN captures c ON c.id = r.capture_id WHERE r.id = p_refund;
    SELECT tell_stand_ins(r, p_now) FROM refunds r WHERE r.id = p_refund;
$$;

CREATE OR REPLACE FUNCTION stands_alone(p_outside refunds, p_done uuid)
RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT NOT EXISTS (SELECT FROM refunds WHERE covered_by = p_outside.id)
        AND NOT EXISTS (SELECT FROM refunds w WHERE w.capture_id = p_outside.capture_id
            AND w.origin = 'ours' AND w.state IN ('pending', 'owed') AND w.id <> p_done
            AND w.amount_minor = p_outside.amount_minor)
$$;

-- Whether a refund that the gateway made by itself is, to the last minor unit, reported as one of
-- ours.
CREATE OR REPLACE FUNCTION is_told_as_ours(p_refund refunds) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT p_refund.origin = 'gateway' AND p_refund.state = 'succeeded' AND p_refund.amount_minor
        = (SELECT coalesce(sum(amount_minor), 0) FROM refunds WHERE covered_by = p_refund.id)
$$;

-- Which of the gateway's own refunds paid this one of ours: the one that is reserved for it, else
-- the newest that has as much left; none where it took several.
CREATE OR REPLACE FUNCTION cover_of(p_refund refunds) RETURNS uuid LANGUAGE sql STABLE AS $$
    SELECT o.id FROM refunds o WHERE o.capture_id = p_refund.capture_id AND o.origin = 'gateway'
        AND o.state = 'succeeded' AND o.amount_minor >= p_refund.amount_minor + (SELECT
            coalesce(sum(amount_minor), 0) FROM refunds WHERE covered_by = o.id)
    ORDER BY o.in_place_of = p_refund.id DESC NULLS LAST, o.amount_minor = p_refund.amount_minor
        DESC, o.created_at DESC, o.id DESC LIMIT 1
$$;

CREATE OR REPLACE FUNCTION refund_unbook_refund(p_refund uuid, p_now timestamptz)
RETURNS void LANGUAGE sql AS $$
    SELECT book(c, 'gateway',
        CASE r.origin WHEN 'ours' THEN 'refunds_payable' ELSE 'refunds_outside' END,
        r.amount_minor, 'refund_failed', p_now)
    FROM refunds r JOIN captures c ON c.id = r.capture_id WHERE r.id = p_refund
$$;

-- The gateway had given the money back by itself before our refund went out.
CREATE OR REPLACE FUNCTION refund_book_covered(p_refund uuid, p_now timestamptz)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    r refunds%ROWTYPE;
    c captures%ROWTYPE;
BEGIN
    SELECT * INTO STRICT r FROM refunds WHERE id = p_refund;
    UPDATE captures SET refund_intended = refund_intended - r.amount_minor,
        outside_used = outside_used + r.amount_minor
        WHERE id = r.capture_id RETURNING * INTO STRICT c;
    PERFORM book(c, 'refunds_payable', 'refunds_outside', r.amount_minor, 'covered_outside', p_now);
    UPDATE refunds SET covered_by = cover_of(r) WHERE id = r.id;
    PERFORM tell_stand_ins(r, p_now);
END $$;

-- Only a part of it: a smaller refund with its own key asks for the rest.
CREATE OR REPLACE FUNCTION refund_make_smaller(p_refund uuid, p_now timestamptz)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    r refunds%ROWTYPE;
    c captures%ROWTYPE;
    covered bigint;
BEGIN
    SELECT * INTO STRICT r FROM refunds WHERE id = p_refund;
    SELECT * INTO STRICT c FROM captures WHERE id = r.capture_id FOR NO KEY UPDATE;
    covered := least(c.outside - c.outside_used, r.amount_minor - 1);
    UPDATE captures SET refund_intended = refund_intended - covered,
        outside_used = outside_used + covered WHERE id = c.id;
    PERFORM book(c, 'refunds_payable', 'refunds_outside', covered, 'covered_outside', p_now);
    PERFORM make_refund(c, r.fulfillment_id, r.id, r.amount_minor - covered, r.reason, p_now);
END $$;

-- A person must not pay what the gateway has given back by itself since.
CREATE OR REPLACE FUNCTION cover_owed(p_capture uuid, p_now timestamptz)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    r refunds%ROWTYPE;
    free bigint;
BEGIN
    FOR r IN SELECT * FROM refunds WHERE capture_id = p_capture AND origin = 'ours'
            AND state = 'owed' ORDER BY created_at, id LOOP
        SELECT outside - outside_used INTO STRICT free FROM captures WHERE id = p_capture;
        EXIT WHEN free = 0;
        PERFORM transition_refund(r.id,
            CASE WHEN free >= r.amount_minor THEN 'COVERED' ELSE 'PARTLY_COVERED' END,
            jsonb_build_object('ended_at', p_now, 'due_at', NULL), p_now);
    END LOOP;
END $$;

-- The old refund is provably dead: a new refund with a new key replaces it. Where the dead one was
-- the gateway's own and had covered an obligation of ours, that obligation is open again.
CREATE OR REPLACE FUNCTION refund_try_anew(p_refund uuid, p_now timestamptz)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    r refunds%ROWTYPE;
    c captures%ROWTYPE;
    ours refunds%ROWTYPE;
    uncovered bigint;
BEGIN
    SELECT * INTO STRICT r FROM refunds WHERE id = p_refund;
    SELECT * INTO STRICT c FROM captures WHERE id = r.capture_id FOR NO KEY UPDATE;
    IF r.origin = 'ours' THEN
        PERFORM make_refund(c, r.fulfillment_id, r.id, r.amount_minor, r.reason, p_now);
        RETURN;
    END IF;
    uncovered := greatest(c.outside_used - (c.outside - r.amount_minor), 0);
    UPDATE captures SET outside = outside - r.amount_minor, outside_used = outside_used - uncovered,
        refund_intended = refund_intended + uncovered WHERE id = c.id;
    IF uncovered > 0 THEN
        PERFORM book(c, 'refunds_outside', 'refunds_payable', uncovered, 'uncovered', p_now);
    END IF;
    -- Those of ours that it had paid failed with it, each with a refund that replaces it.
    FOR ours IN SELECT * FROM refunds WHERE covered_by = r.id AND state = 'succeeded' ORDER BY id
    LOOP
        CONTINUE WHEN ours.amount_minor > uncovered;
        PERFORM transition_refund(ours.id, 'UNCOVERED', jsonb_build_object('ended_at', p_now),
            p_now);
        uncovered := uncovered - ours.amount_minor;
    END LOOP;
    IF uncovered > 0 THEN
        PERFORM make_refund(c, NULL, NULL, uncovered, 'outside_refund_failed', p_now);
    END IF;
END $$;

CREATE OR REPLACE FUNCTION refund_note_discrepancy(p_refund uuid, p_now timestamptz)
RETURNS void LANGUAGE sql AS $$
    SELECT note_discrepancy('dead_refund_paid', c, NULL, r.id, r.amount_minor, p_now)
    FROM refunds r JOIN captures c ON c.id = r.capture_id WHERE r.id = p_refund
$$;
