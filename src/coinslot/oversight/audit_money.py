"""The auditor's checks of money: captures, their counters, the ledger, refunds, orders.

Each statement finds the rows that break the sentence that is its name."""

from collections.abc import Mapping

# What was given back, or will be, summed for each capture. A covered refund was ours in name only:
# the gateway had given that money back by itself.
_GIVEN = """
refund AS (
    SELECT r.*, EXISTS (SELECT FROM events e WHERE e.subject_id = r.id AND e.machine = 'refund'
        AND e.event = 'COVERED' AND e.state IS NOT NULL) AS covered
    FROM refunds r
), given AS (
    SELECT c.id AS capture_id,
        coalesce(sum(r.amount_minor) FILTER (WHERE r.origin = 'ours' AND NOT r.covered
            AND r.state IN ('pending', 'owed', 'succeeded')), 0)::bigint AS intended,
        coalesce(sum(r.amount_minor) FILTER (WHERE r.origin = 'ours' AND NOT r.covered
            AND r.state = 'succeeded'), 0)::bigint AS proved,
        coalesce(sum(r.amount_minor) FILTER (WHERE r.origin = 'gateway'
            AND r.state = 'succeeded'), 0)::bigint AS outside,
        coalesce(sum(r.amount_minor) FILTER (WHERE r.reason = 'disputed'
            AND r.state = 'succeeded'), 0)::bigint AS disputed
    FROM captures c LEFT JOIN refund r ON r.capture_id = c.id GROUP BY c.id
)
"""

_UNITS = """
unit AS (
    SELECT f.id, f.capture_id, f.amount_minor, f.settlement, true AS is_unit,
        coalesce(f.settlement = 'refund_due', false) OR EXISTS (SELECT FROM corrections k
            WHERE k.fulfillment_id = f.id) AS gone,
        (SELECT coalesce(sum(w.amount_minor), 0) FROM order_refund_parts w
            WHERE w.fulfillment_id = f.id AND w.outcome = 'taken') AS taken
    FROM fulfillments f
    UNION ALL
    SELECT x.id, c.id, x.amount_minor, x.settlement, false,
        coalesce(x.settlement = 'refund_due', false),
        (SELECT coalesce(sum(w.amount_minor), 0) FROM order_refund_parts w
            WHERE w.extra_id = x.id AND w.outcome = 'taken')
    FROM order_extras x JOIN captures c ON c.order_id = x.order_id AND c.reason IS NULL
), units AS (
    SELECT c.id AS capture_id, count(u.id) FILTER (WHERE u.is_unit) AS units,
        coalesce(sum(u.amount_minor), 0)::bigint AS total,
        coalesce(sum(u.amount_minor - u.taken) FILTER (WHERE u.settlement = 'fulfilled'
            AND NOT u.gone), 0)::bigint AS fulfilled,
        coalesce(sum(CASE WHEN u.gone THEN u.amount_minor - u.taken ELSE 0 END), 0)::bigint
            AS refund_due,
        coalesce(sum(u.taken), 0)::bigint AS goodwill
    FROM captures c LEFT JOIN unit u ON u.capture_id = c.id GROUP BY c.id
)
"""

_ACCOUNTED = """
SELECT id, captured, fulfilled, refund_due, goodwill, surplus, foreign_amount, open FROM captures
WHERE captured <> fulfilled + refund_due + goodwill + surplus + foreign_amount + open
   OR least(fulfilled, refund_due, goodwill, surplus, foreign_amount, open) < 0
"""

# Collected for a merchant's own server: no units of ours, and what is not given back is earned.
_API = """
EXISTS (SELECT FROM payments p WHERE p.id = c.payment_id AND p.source = 'api'
    AND c.reason IS NULL)
"""

_COUNTERS = f"""
WITH {_UNITS}
SELECT c.id, c.fulfilled, u.fulfilled AS units_fulfilled,
    c.refund_due, u.refund_due AS units_refund_due, c.goodwill, u.goodwill AS units_goodwill
FROM captures c JOIN units u ON u.capture_id = c.id
WHERE CASE WHEN {_API} THEN c.fulfilled + c.refund_due <> c.captured OR u.units + c.goodwill > 0
      ELSE (c.fulfilled, c.refund_due, c.goodwill)
          IS DISTINCT FROM (u.fulfilled, u.refund_due, u.goodwill) END
"""

# A capture buys units worth all of it, or says why it buys none and goes back or was never ours.
_PURPOSE = f"""
WITH {_UNITS}
SELECT c.id, c.captured, u.total AS units_total, c.surplus, c.foreign_amount, c.open, c.reason
FROM captures c JOIN units u ON u.capture_id = c.id
WHERE (u.units > 0 AND (c.reason IS NOT NULL OR c.captured <> u.total))
   OR (u.units = 0 AND c.reason IS NULL AND c.open <> c.captured AND NOT {_API})
   OR (u.units = 0 AND c.reason IS NULL AND (c.qr_id IS NOT NULL OR c.payment_id IS NOT NULL)
       AND NOT {_API})
   OR (c.surplus > 0) <> (c.reason IS NOT NULL AND c.reason <> 'foreign')
   OR (c.foreign_amount > 0) <> (coalesce(c.reason, '') = 'foreign')
"""

# Past its deadline, money has become goods or a refund; a unit's own deadline counts where it has
# units.
_BOUND = """
SELECT c.id, c.open, c.hard_deadline, NULL::uuid AS unit_id FROM captures c
WHERE c.open > 0 AND c.hard_deadline < $1
  AND NOT EXISTS (SELECT FROM fulfillments f WHERE f.capture_id = c.id AND f.settlement IS NULL)
UNION ALL
SELECT f.capture_id, f.amount_minor, f.hard_deadline, f.id FROM fulfillments f
WHERE f.settlement IS NULL AND f.hard_deadline < $1
"""

_DEBTS = f"""
WITH {_GIVEN}
SELECT c.id, c.refund_due, c.goodwill, c.surplus, c.refund_intended, g.intended,
    c.outside_used, c.outside,
    g.outside AS outside_refunds
FROM captures c JOIN given g ON g.capture_id = c.id
WHERE c.refund_due + c.goodwill + c.surplus <> c.refund_intended + c.outside_used
   OR c.refund_intended <> g.intended OR c.outside <> g.outside
   OR c.outside_used NOT BETWEEN 0 AND c.outside
"""

_BALANCE = """
SELECT txn, sum(amount)::bigint AS rest, count(*) AS lines FROM ledger
GROUP BY txn, merchant_id, capture_id, currency HAVING sum(amount) <> 0 OR count(*) < 2
"""

# Debits are positive: what the gateway holds; credits negative: what we owe, earned or gave up.
_LEDGER = f"""
WITH {_GIVEN}, expected AS (
    SELECT c.id AS capture_id, side.account, side.amount
    FROM captures c JOIN given g ON g.capture_id = c.id, LATERAL (VALUES
        ('gateway', c.captured - g.proved - c.outside - coalesce(c.fee_minor, 0)),
        ('fees', coalesce(c.fee_minor, 0)),
        ('obligations', c.fulfilled + c.refund_due + c.goodwill + c.surplus + c.foreign_amount
            - c.captured),
        ('sales', - c.fulfilled),
        ('foreign', - c.foreign_amount),
        ('refunds_payable', g.proved + c.outside_used - c.refund_due - c.goodwill - c.surplus),
        ('refunds_outside', c.outside - c.outside_used)
    ) AS side (account, amount)
), booked AS (
    SELECT capture_id, account, sum(amount)::bigint AS amount FROM ledger
    GROUP BY capture_id, account
)
SELECT e.capture_id, e.account, coalesce(b.amount, 0) AS booked, e.amount AS expected
FROM expected e LEFT JOIN booked b USING (capture_id, account)
WHERE coalesce(b.amount, 0) <> e.amount
"""

_EXCESS = f"""
WITH {_GIVEN}
SELECT c.id, c.captured, g.proved, g.outside FROM captures c JOIN given g ON g.capture_id = c.id
WHERE g.proved + g.outside - g.disputed > c.captured  -- a bank may take what was given back before
"""

# What a lost dispute took is on record as a refund of the gateway's, and nothing else is.
_DISPUTES = """
SELECT d.id, d.stage, d.amount_minor, r.state, r.amount_minor AS refunded FROM disputes d
JOIN captures c ON c.id = d.capture_id
FULL JOIN (SELECT * FROM refunds WHERE reason = 'disputed') r
    ON r.gateway_refund_id = d.gateway_dispute_id AND r.account_id = d.account_id
WHERE CASE WHEN d.stage = 'lost' AND d.currency = c.currency AND d.amount_minor > 0
    THEN r.state IS DISTINCT FROM 'succeeded' AND NOT EXISTS (SELECT FROM discrepancies k
         WHERE k.refund_id = r.id) OR r.amount_minor <> d.amount_minor OR r.capture_id <> c.id
    ELSE coalesce(r.state = 'succeeded', false) END
"""

# A refund that was dead and was made after all: under its id there the money is booked.
_REVIVED = """
SELECT r.id, r.capture_id, r.amount_minor, e.data->>'gateway_refund_id' AS gateway_refund_id, e.at
FROM events e JOIN refunds r ON r.id = e.subject_id
JOIN rules l ON l.name = 'a_revived_refund_is_booked' AND e.seq > l.after_seq
WHERE e.machine = 'refund' AND e.event = 'PROVED' AND e.was = 'failed' AND NOT EXISTS (SELECT
    FROM refunds o WHERE o.account_id = r.account_id AND o.origin = 'gateway'
        AND o.capture_id = r.capture_id AND o.amount_minor = r.amount_minor
        AND o.gateway_refund_id = e.data->>'gateway_refund_id')
"""

_LIVE = """
SELECT r.id, r.fulfillment_id, r.part_id, r.replaces, r.state FROM refunds r
WHERE r.state IN ('pending', 'succeeded', 'owed') AND (
    EXISTS (SELECT FROM refunds o WHERE o.id <> r.id
            AND (o.fulfillment_id = r.fulfillment_id OR o.part_id = r.part_id)
            AND o.state IN ('pending', 'succeeded', 'owed'))
    OR EXISTS (SELECT FROM refunds o WHERE o.replaces = r.id))
"""

# What a person gives back of an order: never more than its unit has, in the way that its unit
# allows, and paid by no more than itself.
_PARTS = """
SELECT w.id, w.outcome, w.amount_minor, f.settlement, f.basis,
    'its unit is settled otherwise' AS why
FROM order_refund_parts w JOIN fulfillments f ON f.id = w.fulfillment_id
WHERE NOT coalesce(CASE w.outcome WHEN 'taken' THEN f.settlement = 'fulfilled'
        WHEN 'went_back' THEN f.settlement = 'refund_due' AND f.sent_at IS NOT NULL
        WHEN 'withdrawn' THEN f.basis = 'never_sent'
        ELSE f.settlement IS NULL AND f.sent_at IS NOT NULL END, false)
UNION ALL
SELECT w.id, w.outcome, w.amount_minor, NULL, NULL, 'it is of another order'
FROM order_refund_parts w JOIN order_refunds r ON r.id = w.order_refund_id
JOIN fulfillments f ON f.id = w.fulfillment_id
WHERE f.order_id <> r.order_id OR w.capture_id IS DISTINCT FROM f.capture_id
UNION ALL
SELECT f.id, NULL, sum(w.amount_minor)::bigint, f.settlement, f.basis, 'more than its unit has'
FROM fulfillments f JOIN order_refund_parts w ON w.fulfillment_id = f.id
WHERE w.outcome IS DISTINCT FROM 'went_back' GROUP BY f.id
HAVING sum(w.amount_minor) > f.amount_minor
UNION ALL
SELECT x.id, NULL, sum(w.amount_minor)::bigint, x.settlement, x.basis, 'more than its extra has'
FROM order_extras x JOIN order_refund_parts w ON w.extra_id = x.id
GROUP BY x.id HAVING sum(w.amount_minor) > x.amount_minor
UNION ALL
SELECT w.id, w.outcome, w.amount_minor, x.settlement, x.basis, 'its extra is settled otherwise'
FROM order_refund_parts w JOIN order_refunds r ON r.id = w.order_refund_id
JOIN order_extras x ON x.id = w.extra_id
WHERE x.order_id <> r.order_id OR NOT coalesce(CASE w.outcome
    WHEN 'taken' THEN x.settlement = 'fulfilled' WHEN 'withdrawn' THEN x.basis = 'withdrawn' END,
    false)
UNION ALL
SELECT w.id, w.outcome, w.amount_minor, NULL, NULL, 'paid beside what was taken'
FROM order_refund_parts w JOIN refunds r ON r.part_id = w.id
WHERE NOT (w.outcome IS NOT DISTINCT FROM 'taken'
        OR (w.outcome IS NOT DISTINCT FROM 'withdrawn' AND w.extra_id IS NOT NULL))
    OR r.capture_id <> w.capture_id
    OR r.fulfillment_id IS NOT NULL OR r.amount_minor > w.amount_minor
UNION ALL
SELECT r.id, NULL, NULL, NULL, NULL, 'it gives nothing back' FROM order_refunds r
WHERE NOT EXISTS (SELECT FROM order_refund_parts w WHERE w.order_refund_id = r.id)
"""

_CURRENCIES = """
SELECT 'ledger' AS what, l.id::text, l.currency, c.currency AS expected
    FROM ledger l JOIN captures c ON c.id = l.capture_id WHERE l.currency <> c.currency
UNION ALL SELECT 'refunds', r.id::text, r.currency, c.currency
    FROM refunds r JOIN captures c ON c.id = r.capture_id WHERE r.currency <> c.currency
UNION ALL SELECT 'fulfillments', f.id::text, f.currency, c.currency
    FROM fulfillments f JOIN captures c ON c.id = f.capture_id WHERE f.currency <> c.currency
UNION ALL SELECT 'exposures', x.fulfillment_id::text, x.currency, f.currency
    FROM exposures x JOIN fulfillments f ON f.id = x.fulfillment_id WHERE x.currency <> f.currency
UNION ALL SELECT 'payments', p.id::text, p.currency, o.currency
    FROM payments p JOIN orders o ON o.id = p.order_id WHERE p.currency <> o.currency
UNION ALL SELECT 'captures', c.id::text, c.currency, o.currency
    FROM captures c JOIN orders o ON o.id = c.order_id
    WHERE c.reason IS NULL AND c.currency <> o.currency
"""

# One capture of exactly its amount is behind a payment that succeeded, and behind no other.
_COLLECTED = """
SELECT p.id, p.state, p.amount_minor, count(c.id) AS captures, min(c.captured) AS captured
FROM payments p LEFT JOIN captures c ON c.payment_id = p.id AND c.reason IS NULL
WHERE p.source = 'api' GROUP BY p.id
HAVING count(c.id) <> CASE p.state WHEN 'succeeded' THEN 1 ELSE 0 END
    OR min(c.currency) <> p.currency OR (min(c.captured) <> p.amount_minor AND NOT EXISTS (
        SELECT FROM attempts a WHERE a.payment_id = p.id AND min(c.captured) = ANY (a.asked_minor)))
"""

# One capture of exactly its amount buys an order, and every piece of it has a unit. One of nothing
# has no capture.
_PAID = """
WITH o AS (
    SELECT o.id, o.state, o.amount_minor, o.state IN ('paid', 'completed', 'failed') AS bought,
        CASE o.amount_minor WHEN 0 THEN 0 ELSE 1 END AS paid_for,
        (SELECT count(*) FROM fulfillments f WHERE f.order_id = o.id) AS units,
        (SELECT coalesce(sum(l.quantity), 0) FROM order_lines l WHERE l.order_id = o.id) AS pieces,
        (SELECT count(*) FROM captures c WHERE c.order_id = o.id AND c.reason IS NULL
            AND c.captured = o.amount_minor) AS captures,
        (SELECT count(*) FROM captures c WHERE c.order_id = o.id AND c.reason IS NULL) AS unrefused
    FROM orders o
)
SELECT * FROM o WHERE CASE WHEN bought
    THEN units <> pieces OR units = 0 OR captures <> paid_for OR unrefused <> paid_for
    ELSE units > 0 OR unrefused > 0 END
"""

# What an order costs is the sum of its units and extras; each unit costs what was allotted to it.
_SUMS = """
WITH piece AS (
    SELECT l.order_id, l.id AS line_id, coalesce(l.unit_minor[n], l.price_minor) AS amount,
        coalesce(l.tax_minor[n], 0) AS tax
    FROM order_lines l, generate_series(1, l.quantity) AS n
), line AS (
    SELECT order_id, line_id, array_agg((amount, tax) ORDER BY amount, tax)::text AS pieces
    FROM piece GROUP BY order_id, line_id
)
SELECT o.id, o.amount_minor, p.total, x.total AS extras, 'its units and extras' AS what
FROM orders o,
    LATERAL (SELECT coalesce(sum(amount), 0) AS total FROM piece WHERE order_id = o.id) p,
    LATERAL (SELECT coalesce(sum(amount_minor), 0) AS total FROM order_extras
        WHERE order_id = o.id) x
WHERE o.amount_minor <> p.total + x.total
UNION ALL
SELECT l.order_id, NULL, NULL, NULL, 'a line''s units: ' || l.pieces || ' allotted, ' || u.pieces
FROM line l, LATERAL (SELECT array_agg((f.amount_minor, f.tax_minor)
        ORDER BY f.amount_minor, f.tax_minor)::text AS pieces
    FROM fulfillments f WHERE f.line_id = l.line_id) u
WHERE l.pieces <> u.pieces
"""

# With the last unit, the way that the order went; before it only by a person, or a failed delivery.
_EXTRAS = """
SELECT x.id, x.order_id, x.kind, x.settlement, x.basis, o.state FROM order_extras x
JOIN orders o ON o.id = x.order_id
WHERE NOT coalesce(CASE
    WHEN x.settlement IS NULL THEN o.state IN ('placed', 'paid', 'expired')
    WHEN x.basis = 'handed_over' THEN x.settlement = 'fulfilled' AND o.state = 'completed'
    WHEN x.settlement = 'fulfilled' THEN false
    WHEN x.basis = 'not_handed_over' THEN o.state = 'failed'
    WHEN x.basis = 'delivery_failed' THEN x.kind = 'delivery_fee'
    WHEN x.basis = 'withdrawn' THEN EXISTS (SELECT FROM order_refund_parts w
        WHERE w.extra_id = x.id AND w.outcome = 'withdrawn' AND w.amount_minor = x.amount_minor)
    END, false)
"""

# Anything handed over completes an order. Under the rule of before, all had to be: an order that
# ended then may have failed with a part handed over.
_ENDS = """
WITH o AS (
    SELECT o.id, o.state, count(*) FILTER (WHERE f.settlement IS NULL) AS unsettled,
        count(*) FILTER (WHERE f.settlement = 'fulfilled') AS handed_over,
        count(*) FILTER (WHERE f.settlement = 'refund_due') AS given_back
    FROM orders o JOIN fulfillments f ON f.order_id = o.id GROUP BY o.id
)
SELECT * FROM o WHERE (state = 'paid') <> (unsettled > 0)
   OR (state = 'completed' AND handed_over = 0)
   OR (state = 'failed' AND given_back = 0)
   OR (state = 'failed' AND handed_over > 0 AND EXISTS (SELECT FROM events e, rules r
        WHERE e.subject_id = o.id AND e.event = 'GONE_BACK' AND e.state = 'failed'
            AND r.name = 'partly_handed_over_is_completed' AND e.seq > r.after_seq))
"""

MONEY: Mapping[str, str] = {
    "captures_are_accounted_for": _ACCOUNTED,
    "counters_equal_units_and_surplus": _COUNTERS,
    "every_capture_buys_goods_or_says_why": _PURPOSE,
    "every_capture_is_settled_within_its_bound": _BOUND,
    "every_debt_has_its_refund": _DEBTS,
    "every_ledger_movement_balances": _BALANCE,
    "ledger_agrees_with_captures": _LEDGER,
    "refunds_do_not_exceed_captures": _EXCESS,
    "lost_disputes_are_refunds": _DISPUTES,
    "refunds_made_after_all_are_booked": _REVIVED,
    "one_live_refund_per_unit": _LIVE,
    "refunds_by_people_rest_on_their_units": _PARTS,
    "currencies_agree": _CURRENCIES,
    "paid_orders_have_their_units": _PAID,
    "orders_end_as_their_units_did": _ENDS,
    "orders_are_the_sum_of_units_and_extras": _SUMS,
    "extras_end_as_their_order_did": _EXTRAS,
    "a_payment_succeeds_by_one_capture": _COLLECTED,
}
