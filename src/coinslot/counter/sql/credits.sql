-- Credit notes: what a refund corrects of its receipt. See migration 0197.

-- Whether this refund, which succeeded, gave money back of what the receipt says: not one that the
-- gateway's own refund paid, which has a note itself, and not what a bank took in a dispute.
CREATE OR REPLACE FUNCTION counter_credited(p_refund refunds) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT p_refund.state = 'succeeded' AND p_refund.reason <> 'disputed'
        AND NOT EXISTS (SELECT FROM events e WHERE e.subject_id = p_refund.id
            AND e.machine = 'refund' AND e.event = 'COVERED' AND e.state IS NOT NULL)
$$;

-- The tax of an order by rate: included in its pieces, or added to them.
CREATE OR REPLACE FUNCTION counter_taxes(p_order uuid)
RETURNS TABLE (bp integer, tax bigint) LANGUAGE sql STABLE AS $$
    SELECT l.tax_bp, sum(f.tax_minor)::bigint
        + CASE WHEN EXISTS (SELECT FROM order_extras e WHERE e.order_id = p_order
                AND e.kind = 'added_tax')
            THEN (2 * sum(f.amount_minor)::bigint * l.tax_bp + 10000) / 20000 ELSE 0 END
    FROM fulfillments f JOIN counter_lines l ON l.line_id = f.line_id
    WHERE f.order_id = p_order GROUP BY l.tax_bp
$$;

-- What is left of it after what stands on its notes.
CREATE OR REPLACE FUNCTION counter_taxes_left(p_order uuid)
RETURNS TABLE (bp integer, tax bigint) LANGUAGE sql STABLE AS $$
    SELECT t.bp, greatest(t.tax - (SELECT coalesce(sum((n.taxes->>t.bp::text)::bigint), 0)::bigint
        FROM counter_credit_notes n WHERE n.order_id = p_order AND n.void_at IS NULL), 0)
    FROM counter_taxes(p_order) t
$$;

-- What of the tax goes back with a refund: of a piece the share of its own, of added tax all of it,
-- of a tip nothing, with the last of the money all that is left; else of each rate its share.
CREATE OR REPLACE FUNCTION counter_credit_taxes(p_note counter_credit_notes) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    paid bigint := (SELECT captured FROM captures WHERE order_id = p_note.order_id
        AND reason IS NULL);
    gone bigint := (SELECT coalesce(sum(amount_minor), 0)::bigint FROM counter_credit_notes
        WHERE order_id = p_note.order_id AND void_at IS NULL);
    kind text := (SELECT e.kind FROM order_extras e WHERE e.id = p_note.extra_id);
    of_unit bigint := (SELECT coalesce(sum(amount_minor), 0)::bigint FROM counter_credit_notes
        WHERE unit_id = p_note.unit_id AND void_at IS NULL);
    unit fulfillments%ROWTYPE;
    own bigint;
    rate integer;
BEGIN
    SELECT * INTO unit FROM fulfillments WHERE id = p_note.unit_id;
    SELECT tax_bp INTO rate FROM counter_lines WHERE line_id = unit.line_id;
    own := tax_left(unit.tax_minor, unit.amount_minor, least(of_unit, unit.amount_minor))
        - tax_left(unit.tax_minor, unit.amount_minor,
            least(of_unit + p_note.amount_minor, unit.amount_minor));
    RETURN (SELECT coalesce(jsonb_object_agg(t.bp::text, s.share), '{}')
        FROM (SELECT x.*, sum(x.tax) OVER () AS taxes FROM counter_taxes_left(p_note.order_id) x) t
        CROSS JOIN LATERAL (SELECT CASE
            WHEN gone + p_note.amount_minor >= paid THEN t.tax
            WHEN unit.id IS NOT NULL THEN CASE WHEN t.bp = rate THEN least(own, t.tax) END
            WHEN kind = 'added_tax' THEN round(t.tax::numeric
                * least(p_note.amount_minor, t.taxes) / nullif(t.taxes, 0))::bigint
            WHEN kind IS NULL THEN round(t.tax::numeric * p_note.amount_minor
                / nullif(paid - gone, 0))::bigint
            END AS share) s WHERE s.share > 0);
END $$;

-- The note of a refund that succeeded, once; of one that failed after that it is void. Numbers are
-- taken one after the other: the row of the year is locked until this is committed.
CREATE OR REPLACE FUNCTION counter_credit(p_refund uuid) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    r refunds%ROWTYPE;
    n counter_credit_notes%ROWTYPE;
    part order_refund_parts%ROWTYPE;
BEGIN
    SELECT * INTO r FROM refunds WHERE id = p_refund;
    SELECT c.order_id INTO n.order_id FROM captures c JOIN counter_orders o USING (order_id)
        WHERE c.id = r.capture_id AND c.reason IS NULL;
    IF n.order_id IS NULL THEN RETURN; END IF;
    IF NOT counter_credited(r) THEN
        UPDATE counter_credit_notes SET void_at = coalesce(r.ended_at, r.created_at)
            WHERE refund_id = r.id AND void_at IS NULL;
        RETURN;
    END IF;
    IF EXISTS (SELECT FROM counter_credit_notes WHERE refund_id = r.id) THEN RETURN; END IF;
    n.merchant_id := r.merchant_id;
    n.refund_id := r.id;
    n.amount_minor := r.amount_minor;
    n.at := coalesce(r.ended_at, r.created_at);
    n.year := date_part('year', n.at AT TIME ZONE coalesce(
        (SELECT zone FROM merchants WHERE id = r.merchant_id), 'UTC'));
    INSERT INTO counter_credit_years AS y (merchant_id, year, last)
        VALUES (n.merchant_id, n.year, 1)
        ON CONFLICT (merchant_id, year) DO UPDATE SET last = y.last + 1
        RETURNING last INTO n.number;
    -- One that the gateway made in place of ours is for what ours is.
    SELECT * INTO r FROM refunds WHERE id = coalesce(r.in_place_of, r.id);
    SELECT * INTO part FROM order_refund_parts WHERE id = r.part_id;
    n.unit_id := coalesce(r.fulfillment_id, part.fulfillment_id);
    n.extra_id := CASE WHEN n.unit_id IS NULL THEN coalesce(part.extra_id,
        (SELECT e.id FROM order_extras e WHERE r.origin = 'ours' AND e.order_id = n.order_id
            AND e.settlement = 'refund_due' AND e.basis = r.reason
            AND e.amount_minor = r.amount_minor AND NOT EXISTS (SELECT FROM counter_credit_notes k
                WHERE k.extra_id = e.id AND k.void_at IS NULL)
            ORDER BY e.id LIMIT 1)) END;
    n.taxes := counter_credit_taxes(n);
    INSERT INTO counter_credit_notes SELECT n.*;
END $$;

-- Refunds that succeeded before there were notes, in their order.
DO $$
DECLARE
    one uuid;
BEGIN
    FOR one IN SELECT r.id FROM counter_orders o JOIN captures c ON c.order_id = o.order_id
            JOIN refunds r ON r.capture_id = c.id WHERE r.state = 'succeeded' AND NOT EXISTS (
                SELECT FROM counter_credit_notes n WHERE n.refund_id = r.id)
            ORDER BY coalesce(r.ended_at, r.created_at), r.id LOOP
        PERFORM counter_credit(one);
    END LOOP;
END $$;
