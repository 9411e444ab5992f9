"""The auditor's check of sums that are kept of days: each is summed again from the rows."""

from collections.abc import Mapping

# The days of each merchant as arrays, so that a row finds its day by halving. A day that overlaps
# another is of a zone that its merchant has left, and is about to be summed again.
_DAYS = """
near AS (
    SELECT *, lag(ended) OVER w AS before, lead(begun) OVER w AS after FROM summed_days
    WINDOW w AS (PARTITION BY merchant_id ORDER BY day)
), kept AS (
    SELECT * FROM near WHERE coalesce(before <= begun, true) AND coalesce(after >= ended, true)
), days AS (
    SELECT merchant_id, array_agg(day ORDER BY day) AS day, array_agg(begun ORDER BY day) AS begun,
        array_agg(ended ORDER BY day) AS ended FROM kept GROUP BY merchant_id
)
"""

_SUMS = f"""
WITH {_DAYS}, line AS (
    SELECT d.merchant_id, d.day[p.place] AS day, c.account_id, l.currency, l.account, l.why,
        l.amount
    FROM ledger l JOIN days d ON d.merchant_id = l.merchant_id
        JOIN captures c ON c.id = l.capture_id,
        LATERAL (SELECT width_bucket(l.at, d.begun) AS place) p
    WHERE p.place > 0 AND l.at < d.ended[p.place]
), booked AS (
    SELECT merchant_id, day, account_id, currency, sum(amount) FILTER (WHERE account = 'gateway')
            AS stays,
        coalesce(sum(amount) FILTER (WHERE account = 'gateway' AND why = 'captured'), 0)
            AS captured,
        coalesce(sum(amount) FILTER (WHERE account = 'fees'), 0) AS fees,
        coalesce(-sum(amount) FILTER (WHERE account = 'sales'), 0) AS goods, count(*) AS lines
    FROM line GROUP BY 1, 2, 3, 4
), summed AS (
    SELECT m.merchant_id, m.day, m.account_id, m.currency,
        sum(m.captured - m.given_back - m.fees) AS stays, sum(m.captured) AS captured,
        sum(m.fees) AS fees, sum(m.goods) AS goods, sum(m.lines) AS lines
    FROM money_days m JOIN kept k USING (merchant_id, day) GROUP BY 1, 2, 3, 4
), unit AS (
    SELECT d.merchant_id, d.day[p.place] AS day, f.currency, f.settlement, f.amount_minor
    FROM fulfillments f JOIN days d ON d.merchant_id = f.merchant_id,
        LATERAL (SELECT width_bucket(f.settled_at, d.begun) AS place) p
    WHERE f.settled_at IS NOT NULL AND p.place > 0 AND f.settled_at < d.ended[p.place]
        AND f.order_id NOT IN (SELECT id FROM orders WHERE source = 'test_vend')
), settled AS (
    SELECT merchant_id, day, currency, count(*) FILTER (WHERE settlement = 'fulfilled') AS sold,
        count(*) FILTER (WHERE settlement = 'refund_due') AS failed,
        coalesce(sum(amount_minor) FILTER (WHERE settlement = 'fulfilled'), 0) AS sold_minor,
        coalesce(sum(amount_minor) FILTER (WHERE settlement = 'refund_due'), 0) AS failed_minor
    FROM unit GROUP BY 1, 2, 3
), counted AS (
    SELECT u.merchant_id, u.day, u.currency, sum(u.sold) AS sold, sum(u.failed) AS failed,
        sum(u.sold_minor) AS sold_minor, sum(u.failed_minor) AS failed_minor
    FROM unit_days u JOIN kept k USING (merchant_id, day) GROUP BY 1, 2, 3
)
SELECT merchant_id, day, 'money' AS what, b.lines::text AS rows, s.lines::text AS kept
FROM booked b FULL JOIN summed s USING (merchant_id, day, account_id, currency)
WHERE (b.stays, b.captured, b.fees, b.goods, b.lines)
    IS DISTINCT FROM (s.stays, s.captured, s.fees, s.goods, s.lines)
UNION ALL
SELECT merchant_id, day, 'units', f.sold || '/' || f.failed, c.sold || '/' || c.failed
FROM settled f FULL JOIN counted c USING (merchant_id, day, currency)
WHERE (f.sold, f.failed, f.sold_minor, f.failed_minor)
    IS DISTINCT FROM (c.sold, c.failed, c.sold_minor, c.failed_minor)
"""

# Figures are compared by what each needs no formula for: how many orders, what was taken of them,
# and how they ended. Days of which a change is noted are about to be summed again.
_FIGURES = f"""
WITH {_DAYS.replace("summed_days", "figured_days")}, hold AS (
    SELECT merchant_id, day, begun, ended FROM kept k WHERE NOT EXISTS (
        SELECT FROM figure_changes c WHERE c.merchant_id = k.merchant_id AND c.at >= k.begun
            AND c.at < k.ended)
), ended AS (
    SELECT h.merchant_id, h.day, o.currency::text AS currency, count(*) AS orders,
        coalesce(sum(c.fee), 0) AS fee, coalesce(sum(t.taken), 0) AS taken
    FROM hold h JOIN orders o ON o.merchant_id = h.merchant_id AND o.ended_at >= h.begun
        AND o.ended_at < h.ended AND o.state IN ('completed', 'failed')
        AND o.source <> 'test_vend'
    CROSS JOIN LATERAL (SELECT sum(fee_minor) AS fee FROM captures WHERE order_id = o.id) c
    CROSS JOIN LATERAL (SELECT sum(w.amount_minor) AS taken
        FROM order_refunds r JOIN order_refund_parts w ON w.order_refund_id = r.id
        LEFT JOIN fulfillments f ON f.id = w.fulfillment_id
        WHERE r.order_id = o.id AND w.outcome = 'taken' AND NOT EXISTS (SELECT FROM corrections k
            WHERE k.fulfillment_id = f.id)) t
    GROUP BY 1, 2, 3
), placed AS (
    SELECT h.merchant_id, h.day, o.currency::text AS currency, count(*) AS orders,
        count(*) FILTER (WHERE o.state = 'completed') AS handed_over,
        count(*) FILTER (WHERE o.state = 'failed') AS given_back
    FROM hold h JOIN orders o ON o.merchant_id = h.merchant_id AND o.placed_at >= h.begun
        AND o.placed_at < h.ended AND o.source <> 'test_vend'
    GROUP BY 1, 2, 3
), profit AS (
    SELECT f.merchant_id, f.day, f.currency::text AS currency,
        sum((f.sums->>'orders')::bigint) AS orders, sum((f.sums->>'fee')::bigint) AS fee,
        sum((f.sums->>'goodwill')::bigint) AS taken
    FROM figure_days f JOIN hold USING (merchant_id, day) WHERE f.report = 'profit' GROUP BY 1, 2, 3
), sales AS (
    SELECT f.merchant_id, f.day, f.currency::text AS currency,
        sum((f.sums->>'placed')::bigint) AS orders,
        sum((f.sums->>'handed_over')::bigint) AS handed_over,
        sum((f.sums->>'given_back')::bigint) AS given_back
    FROM figure_days f JOIN hold USING (merchant_id, day) WHERE f.report = 'sales' GROUP BY 1, 2, 3
), of_products AS (
    SELECT h.merchant_id, h.day, o.currency::text AS currency, l.sku, t.what,
        count(DISTINCT o.id) AS orders
    FROM hold h JOIN orders o ON o.merchant_id = h.merchant_id AND o.source <> 'test_vend'
    CROSS JOIN LATERAL (VALUES ('sales', o.placed_at), ('profit',
        CASE WHEN o.state IN ('completed', 'failed') THEN o.ended_at END)) AS t (what, at)
    JOIN order_lines l ON l.order_id = o.id
    WHERE t.at >= h.begun AND t.at < h.ended GROUP BY 1, 2, 3, 4, 5
), products AS (
    SELECT f.merchant_id, f.day, f.currency::text AS currency, f.sku, f.report AS what,
        sum(coalesce(f.sums->>'placed', f.sums->>'orders')::bigint) AS orders
    FROM product_figure_days f JOIN hold USING (merchant_id, day) GROUP BY 1, 2, 3, 4, 5
)
SELECT merchant_id, day, 'profit' AS what, e.orders::text AS rows, p.orders::text AS kept
FROM ended e FULL JOIN profit p USING (merchant_id, day, currency)
WHERE (e.orders, e.fee, e.taken) IS DISTINCT FROM (p.orders, p.fee, p.taken)
UNION ALL
SELECT merchant_id, day, 'sales', o.orders::text, s.orders::text
FROM placed o FULL JOIN sales s USING (merchant_id, day, currency)
WHERE (o.orders, o.handed_over, o.given_back)
    IS DISTINCT FROM (s.orders, s.handed_over, s.given_back)
UNION ALL
SELECT merchant_id, day, what || ' of ' || sku, o.orders::text, p.orders::text
FROM of_products o FULL JOIN products p USING (merchant_id, day, currency, sku, what)
WHERE o.orders IS DISTINCT FROM p.orders
"""

KEPT_SUMS: Mapping[str, str] = {
    "kept_sums_of_days_are_those_of_the_rows": _SUMS,
    "kept_figures_of_days_are_those_of_the_orders": _FIGURES,
}
