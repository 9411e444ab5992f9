-- What an order costs beside its units: a tip, a delivery fee, added tax.

-- What of an extra can still be given back.
CREATE OR REPLACE FUNCTION left_of_extra(p_extra order_extras) RETURNS bigint
LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN p_extra.settlement = 'refund_due' THEN 0 ELSE p_extra.amount_minor
        - coalesce((SELECT sum(w.amount_minor) FROM order_refund_parts w
            WHERE w.extra_id = p_extra.id), 0) END
$$;

-- Earned, or owed to the payer. The capture is locked by then. `p_part`: of a person's refund.
CREATE OR REPLACE FUNCTION settle_extra(p_extra uuid, p_settlement text, p_basis text,
    p_now timestamptz, p_part uuid DEFAULT NULL) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    e order_extras%ROWTYPE;
    c captures%ROWTYPE;
BEGIN
    UPDATE order_extras SET settlement = p_settlement, basis = p_basis, settled_at = p_now
        WHERE id = p_extra RETURNING * INTO STRICT e;
    UPDATE captures SET open = open - e.amount_minor,
        fulfilled = fulfilled + CASE p_settlement WHEN 'fulfilled' THEN e.amount_minor ELSE 0 END,
        refund_due = refund_due + CASE p_settlement WHEN 'fulfilled' THEN 0 ELSE e.amount_minor END
        WHERE order_id = e.order_id AND reason IS NULL RETURNING * INTO STRICT c;
    PERFORM tell(e.merchant_id, 'order_extra', e.id, 'SETTLED', jsonb_build_object('order',
        e.order_id, 'kind', e.kind, 'settlement', p_settlement, 'basis', p_basis), p_now);
    IF p_settlement = 'fulfilled' THEN
        PERFORM book(c, 'obligations', 'sales', e.amount_minor, p_basis, p_now);
    ELSE
        PERFORM book(c, 'obligations', 'refunds_payable', e.amount_minor, p_basis, p_now);
        PERFORM owe_refund(c.id, NULL, e.amount_minor, p_basis, p_now, p_part);
    END IF;
END $$;

-- The last unit of the order is settled.
CREATE OR REPLACE FUNCTION settle_extras(p_order uuid, p_handed_over boolean, p_now timestamptz)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM settle_extra(id, CASE WHEN p_handed_over THEN 'fulfilled' ELSE 'refund_due' END,
        CASE WHEN p_handed_over THEN 'handed_over' ELSE 'not_handed_over' END, p_now)
    FROM (SELECT id FROM order_extras WHERE order_id = p_order AND settlement IS NULL
          ORDER BY id) e;
END $$;

-- A delivery failed: its fee goes back, whatever becomes of the goods. False: there is none, it is
-- not paid, or it is settled already.
CREATE OR REPLACE FUNCTION delivery_failed(p_order uuid, p_now timestamptz)
RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    fee uuid;
BEGIN
    PERFORM FROM captures WHERE order_id = p_order AND reason IS NULL FOR NO KEY UPDATE;
    IF NOT FOUND THEN RETURN false; END IF;
    SELECT id INTO fee FROM order_extras
        WHERE order_id = p_order AND kind = 'delivery_fee' AND settlement IS NULL;
    IF NOT FOUND THEN RETURN false; END IF;
    PERFORM settle_extra(fee, 'refund_due', 'delivery_failed', p_now);
    RETURN true;
END $$;
