"""The auditor's checks of the record: states against the tables of moves, due work, webhooks, rows
of one merchant that refer to another's, and codes that can be paid."""

from collections.abc import Mapping

from coinslot.states.attempt_flow import ATTEMPT
from coinslot.states.order_flow import ORDER
from coinslot.states.payment_flow import PAYMENT
from coinslot.states.receipt_flow import RECEIPT
from coinslot.states.refund_flow import REFUND

# A refund that a gateway made by itself is known only once it succeeded.
_INITIAL: Mapping[str, str] = {
    flow.name: f"'{flow.initial}'" for flow in (ORDER, PAYMENT, ATTEMPT, RECEIPT)
} | {REFUND.name: f"CASE origin WHEN 'gateway' THEN 'succeeded' ELSE '{REFUND.initial}' END"}

# `flow`: whose table of moves it is. A unit's is the one of its kind.
_SUBJECTS = "\nUNION ALL ".join(
    [
        f"SELECT '{name}' AS machine, '{name}' AS flow, id, state, version, {initial} AS initial"
        f" FROM {name}s"
        for name, initial in _INITIAL.items()
    ]
    + ["SELECT 'fulfillment', kind, id, state, version, begins_as(kind) FROM fulfillments"]
)

# The log replayed: each move begins where the last one ended, and the row has the final state.
_STATES = f"""
WITH subject AS ({_SUBJECTS}), moved AS (
    SELECT e.*, lag(e.state) OVER (PARTITION BY e.machine, e.subject_id ORDER BY e.seq) AS before
    FROM events e WHERE e.state IS NOT NULL
), ended AS (
    SELECT machine, subject_id, count(*) AS moves, (array_agg(state ORDER BY seq DESC))[1] AS state
    FROM moved GROUP BY machine, subject_id
)
SELECT s.machine, s.id, m.event, m.was, m.state, m.seq
FROM moved m JOIN subject s ON s.machine = m.machine AND s.id = m.subject_id
WHERE m.was IS DISTINCT FROM coalesce(m.before, s.initial)
   OR NOT EXISTS (SELECT FROM transitions t WHERE t.machine = s.flow AND t.state = m.was
                  AND t.event = m.event AND t.next = m.state)
UNION ALL
SELECT s.machine, s.id, 'now', coalesce(e.state, s.initial), s.state, s.version
FROM subject s LEFT JOIN ended e ON e.machine = s.machine AND e.subject_id = s.id
WHERE s.state IS DISTINCT FROM coalesce(e.state, s.initial) OR s.version <> 1 + coalesce(e.moves, 0)
"""

# Working a row moves its `due_at`; a row that stays due for long was not worked.
_OVERDUE = """
SELECT 'orders' AS what, id, due_at FROM orders WHERE due_at < $1
UNION ALL SELECT 'payments', id, due_at FROM payments WHERE due_at < $1
UNION ALL SELECT 'captures', id, due_at FROM captures WHERE due_at < $1
UNION ALL SELECT 'refunds', id, due_at FROM refunds WHERE due_at < $1
UNION ALL SELECT 'receipts', id, due_at FROM receipts WHERE due_at < $1
UNION ALL SELECT 'qr_codes', id, due_at FROM qr_codes WHERE due_at < $1
UNION ALL SELECT 'qr_polls', id, due_at FROM qr_polls WHERE due_at < $1
UNION ALL SELECT 'attempts', id, due_at FROM attempts WHERE due_at < $1
UNION ALL SELECT 'fulfillments', id, due_at FROM fulfillments WHERE due_at < $1
"""

# A row that owes something and has no `due_at` is forgotten.
_FORGOTTEN = """
SELECT 'orders' AS what, id::text, state FROM orders WHERE state = 'placed' AND due_at IS NULL
UNION ALL SELECT 'refunds', id::text, state FROM refunds WHERE state = 'pending' AND due_at IS NULL
UNION ALL SELECT 'fulfillments', id::text, state FROM fulfillments
    WHERE settlement IS NULL AND (due_at IS NULL OR due_at > hard_deadline)
UNION ALL SELECT 'captures', c.id::text, coalesce(c.reason, 'open') FROM captures c
    WHERE c.open > 0 AND c.due_at IS NULL AND NOT EXISTS
        (SELECT FROM fulfillments f WHERE f.capture_id = c.id AND f.settlement IS NULL)
UNION ALL SELECT 'qr_codes', q.id::text, q.stage FROM qr_codes q
    WHERE q.due_at IS NULL AND q.stage <> 'closed' AND NOT (q.stage = 'open'
        AND q.payment_id IS NULL AND q.retired_at IS NULL AND EXISTS (SELECT FROM qr_polls p
            WHERE p.id = q.account_id AND p.due_at IS NOT NULL))
UNION ALL SELECT 'payments', id::text, state FROM payments
    WHERE state = 'processing' AND processing_deadline_at IS NOT NULL AND due_at IS NULL
UNION ALL SELECT 'attempts', id::text, state FROM attempts
    WHERE state IN ('started', 'pending', 'unknown') AND key IS NOT NULL AND due_at IS NULL
UNION ALL SELECT 'inbox', id::text, coalesce(failure, '') FROM inbox
    WHERE verdict IN ('genuine', 'own', 'hint') AND worked_at IS NULL AND due_at IS NULL
"""

# Everything that needs a person is in the queue, or was closed by one.
_UNHEARD = """
SELECT kind, subject, since, owner FROM unheard($1) WHERE since < $1
"""

# A total that may include a refund of ours waits as long as that refund does. A refund of an
# unknown payment waits until its deadline: mostly it is other people's.
_INBOX = """
SELECT id, account_id, delivery_id, event, received_at, tries, failure FROM inbox
WHERE (verdict IN ('genuine', 'own', 'hint') OR ours) AND worked_at IS NULL
AND coalesce(told_at, received_at) < $1 AND failure IS DISTINCT FROM 'unexplained'
AND NOT (failure IS NOT DISTINCT FROM 'refund_of_unknown' AND due_at >= $1)
"""

_CODES = """
SELECT outlet_id, slot, array_agg(id ORDER BY id) AS qr_ids, 'two live codes' AS why
FROM qr_codes WHERE payment_id IS NULL AND retired_at IS NULL
GROUP BY outlet_id, slot HAVING count(*) > 1
UNION ALL
SELECT min(outlet_id), min(slot), array_agg(id ORDER BY id), 'two codes for one attempt'
FROM qr_codes WHERE attempt_id IS NOT NULL GROUP BY attempt_id HAVING count(*) > 1
UNION ALL
SELECT q.outlet_id, q.slot, ARRAY[q.id], 'sells for an outlet out of service'
FROM qr_codes q JOIN outlets o ON o.id = q.outlet_id
WHERE q.payment_id IS NULL AND q.retired_at IS NULL AND o.decommissioned_at IS NOT NULL
"""

# An order's customer can pay in one way at a time, and in none when the order is not waiting for it
# any more: what is over is retired, and closed at its gateway.
_WAYS = """
SELECT o.id, o.state, array_agg(a.id ORDER BY a.number) AS open FROM orders o
JOIN payments p ON p.order_id = o.id JOIN attempts a ON a.payment_id = p.id
WHERE a.way IS NOT NULL AND a.retired_at IS NULL AND a.state IN ('started', 'pending', 'unknown')
GROUP BY o.id HAVING count(*) > 1 OR o.state <> 'placed'
"""

# Child, the column that names its parent, and the parent.
_FAMILIES = (
    ("attempts", "account_id", "gateway_accounts"),
    ("attempts", "outlet_id", "outlets"),
    ("attempts", "payment_id", "payments"),
    ("captures", "account_id", "gateway_accounts"),
    ("captures", "order_id", "orders"),
    ("captures", "payment_id", "payments"),
    ("captures", "qr_id", "qr_codes"),
    ("corrections", "fulfillment_id", "fulfillments"),
    ("device_events", "outlet_id", "outlets"),
    ("device_journals", "outlet_id", "outlets"),
    ("devices", "outlet_id", "outlets"),
    ("discrepancies", "capture_id", "captures"),
    ("disputes", "account_id", "gateway_accounts"),
    ("disputes", "capture_id", "captures"),
    ("exposures", "fulfillment_id", "fulfillments"),
    ("fulfillments", "capture_id", "captures"),
    ("fulfillments", "order_id", "orders"),
    ("fulfillments", "outlet_id", "outlets"),
    ("vend_units", "id", "fulfillments"),
    ("inbox", "account_id", "gateway_accounts"),
    ("ledger", "capture_id", "captures"),
    ("order_lines", "order_id", "orders"),
    ("order_extras", "order_id", "orders"),
    ("order_refund_parts", "capture_id", "captures"),
    ("order_refund_parts", "extra_id", "order_extras"),
    ("order_refund_parts", "fulfillment_id", "fulfillments"),
    ("order_refund_parts", "order_refund_id", "order_refunds"),
    ("order_refunds", "order_id", "orders"),
    ("order_lines", "product_id", "products"),
    ("orders", "outlet_id", "outlets"),
    ("outlets", "account_id", "gateway_accounts"),
    ("payments", "account_id", "gateway_accounts"),
    ("payments", "order_id", "orders"),
    ("qr_codes", "account_id", "gateway_accounts"),
    ("qr_codes", "attempt_id", "attempts"),
    ("qr_codes", "outlet_id", "outlets"),
    ("receipts", "account_id", "gateway_accounts"),
    ("receipts", "attempt_id", "attempts"),
    ("receipts", "refund_id", "refunds"),
    ("receipts", "replaces", "receipts"),
    ("reconciliations", "account_id", "gateway_accounts"),
    ("refunds", "account_id", "gateway_accounts"),
    ("refunds", "capture_id", "captures"),
    ("refunds", "part_id", "order_refund_parts"),
    ("slots", "outlet_id", "outlets"),
    ("slots", "product_id", "products"),
    ("ways_to_pay", "account_id", "gateway_accounts"),
    ("ways_to_pay", "outlet_id", "outlets"),
)

_MERCHANTS = "\nUNION ALL ".join(
    f"SELECT '{child}.{key}' AS what, c.{key}::text AS parent, c.merchant_id,"
    f" p.merchant_id AS expected FROM {child} c JOIN {parent} p ON p.id = c.{key}"
    f" WHERE c.merchant_id <> p.merchant_id"
    for child, key, parent in _FAMILIES
)

RECORD: Mapping[str, str] = {
    "states_follow_the_tables": _STATES,
    "nothing_is_overdue": _OVERDUE,
    "what_is_owed_is_driven": _FORGOTTEN,
    "every_webhook_is_worked": _INBOX,
    "what_wants_a_person_has_a_case": _UNHEARD,
    "one_live_code_per_slot": _CODES,
    "an_order_is_paid_in_one_way_at_a_time": _WAYS,
    "rows_stay_with_their_merchant": _MERCHANTS,
}
