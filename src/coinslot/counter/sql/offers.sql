-- Coupons and points follow what becomes of their order.

-- What an order earns its card now, and what it took off it: of what was handed over and kept, and
-- of the discount on pieces that were. A discount that went back with its pieces returns its share,
-- the last point with the last piece.
CREATE OR REPLACE FUNCTION order_points(p_order uuid)
RETURNS TABLE (card_id uuid, earned bigint, redeemed bigint) LANGUAGE sql STABLE AS $$
    SELECT f.card_id,
        CASE f.kind WHEN 'points' THEN u.kept / f.earn_minor
            ELSE (u.kept >= f.earn_minor)::integer END,
        CASE WHEN o.state = 'expired' OR f.off_minor = 0 THEN 0
            ELSE f.points_used * u.back / f.off_minor - f.points_used END
    FROM order_offers f JOIN orders o ON o.id = f.order_id CROSS JOIN LATERAL (
        SELECT coalesce(sum(n.amount_minor - t.taken) FILTER (WHERE n.settlement = 'fulfilled'), 0)
                ::bigint AS kept,
            coalesce(sum(l.price_minor - n.amount_minor)
                FILTER (WHERE n.settlement = 'refund_due'), 0)::bigint AS back
        FROM fulfillments n JOIN order_lines l ON l.id = n.line_id CROSS JOIN LATERAL (
            SELECT coalesce(sum(w.amount_minor), 0)::bigint AS taken FROM order_refund_parts w
            WHERE w.fulfillment_id = n.id AND w.outcome = 'taken') t
        WHERE n.order_id = f.order_id) u
    WHERE f.order_id = p_order AND f.card_id IS NOT NULL
$$;

-- Appends what is missing to that, under the card's lock, which is the last that is taken. A coupon
-- of an order of which nothing was handed over may be used again.
CREATE OR REPLACE FUNCTION offers_follow(p_order uuid, p_now timestamptz)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    f order_offers%ROWTYPE;
BEGIN
    SELECT * INTO f FROM order_offers WHERE order_id = p_order;
    IF NOT FOUND THEN RETURN; END IF;
    IF f.coupon_id IS NOT NULL AND f.given_back_at IS NULL AND (
            EXISTS (SELECT FROM orders WHERE id = p_order AND state = 'expired')
            OR (EXISTS (SELECT FROM fulfillments WHERE order_id = p_order)
                AND NOT EXISTS (SELECT FROM fulfillments WHERE order_id = p_order
                    AND settlement IS DISTINCT FROM 'refund_due'))) THEN
        UPDATE order_offers SET given_back_at = p_now WHERE order_id = p_order;
    END IF;
    IF f.card_id IS NULL THEN RETURN; END IF;
    PERFORM FROM loyalty_cards WHERE id = f.card_id FOR NO KEY UPDATE;
    INSERT INTO loyalty_entries (merchant_id, card_id, order_id, what, number, points, at)
    SELECT f.merchant_id, f.card_id, p_order, w.what, e.number + 1, w.points - e.points, p_now
    FROM order_points(p_order) p CROSS JOIN LATERAL
            (VALUES ('earned', p.earned), ('redeemed', p.redeemed)) w (what, points)
        CROSS JOIN LATERAL (SELECT coalesce(sum(x.points), 0) AS points,
                coalesce(max(x.number), 0) AS number FROM loyalty_entries x
            WHERE x.order_id = p_order AND x.what = w.what) e
    WHERE w.points <> e.points;
END $$;
