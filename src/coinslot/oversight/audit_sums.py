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

KEPT_SUMS: Mapping[str, str] = {"kept_sums_of_days_are_those_of_the_rows": _SUMS}
