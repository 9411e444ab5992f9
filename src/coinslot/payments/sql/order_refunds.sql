-- Refunds that a person makes of an order: what is left of a unit, and how a part of it is taken.

-- What of a unit's money can still be given back: all that its customer paid for it, less what went
-- back, was taken, or waits to be.
CREATE OR REPLACE FUNCTION left_of(p_unit fulfillments) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN p_unit.settlement = 'refund_due' OR EXISTS (SELECT FROM corrections k
            WHERE k.fulfillment_id = p_unit.id) THEN 0
        ELSE p_unit.amount_minor - coalesce((SELECT sum(w.amount_minor) FROM order_refund_parts w
            WHERE w.fulfillment_id = p_unit.id AND w.outcome IS DISTINCT FROM 'went_back'), 0) END
$$;

-- From what was earned: goodwill, as the goods were handed over. The capture is locked by then, and
-- its sum caps it.
CREATE OR REPLACE FUNCTION take_refund_part(p_part uuid, p_now timestamptz)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    w order_refund_parts%ROWTYPE;
    c captures%ROWTYPE;
BEGIN
    SELECT * INTO STRICT w FROM order_refund_parts WHERE id = p_part;
    UPDATE captures SET fulfilled = fulfilled - w.amount_minor,
        goodwill = goodwill + w.amount_minor WHERE id = w.capture_id RETURNING * INTO STRICT c;
    PERFORM book(c, 'sales', 'refunds_payable', w.amount_minor, 'goodwill', p_now);
    PERFORM owe_refund(c.id, NULL, w.amount_minor, 'asked', p_now, w.id);
END $$;

-- The unit was settled: parts that waited for it are taken, or its money went back anyway.
CREATE OR REPLACE FUNCTION end_refund_parts(p_unit uuid, p_outcome text, p_now timestamptz)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    w order_refund_parts%ROWTYPE;
BEGIN
    FOR w IN SELECT * FROM order_refund_parts WHERE fulfillment_id = p_unit AND outcome IS NULL
            ORDER BY id LOOP
        UPDATE order_refund_parts SET outcome = p_outcome, ended_at = p_now WHERE id = w.id;
        PERFORM tell(w.merchant_id, 'order_refund', w.order_refund_id, 'WAITED', jsonb_build_object(
            'part', w.id, 'unit', p_unit, 'amount', w.amount_minor, 'outcome', p_outcome), p_now);
        IF p_outcome = 'taken' THEN PERFORM take_refund_part(w.id, p_now); END IF;
    END LOOP;
END $$;

-- Money that the gateway had given back for goods that were handed over disagreed with the books,
-- until a person said that it goes back.
CREATE OR REPLACE FUNCTION close_refunded_outside(p_capture uuid, p_by text, p_now timestamptz)
RETURNS void LANGUAGE sql AS $$
    UPDATE discrepancies d SET closed_at = p_now, closed_by = p_by FROM captures c
    WHERE c.id = p_capture AND c.outside = c.outside_used AND d.capture_id = c.id
        AND d.kind = 'refunded_outside_and_handed_over' AND d.closed_at IS NULL
$$;
