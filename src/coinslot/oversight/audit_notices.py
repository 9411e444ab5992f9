"""Notices of the auditor, which do not fail it: what gateways and machines did, and work for
people.

None of these is a breach of ours; each deserves a look."""

from collections.abc import Mapping

from coinslot.oversight.audit_told import DISABLED, UNTOLD
from coinslot.payments.store import PRINTED_AT_ANOTHER_PRICE

_DISCREPANCIES = """
SELECT id, kind, capture_id, fulfillment_id, refund_id, amount_minor, at FROM discrepancies
WHERE closed_at IS NULL ORDER BY id DESC
"""

_OWED = """
SELECT id, capture_id, amount_minor, currency, failure, created_at FROM refunds
WHERE state = 'owed' ORDER BY created_at
"""

# Submitted late, or not proved yet: mostly a gateway that does not answer.
_LATE = """
SELECT id, capture_id, amount_minor, currency, key_sent_at, tries, failure, hard_deadline
FROM refunds WHERE state = 'pending' AND hard_deadline < $1 ORDER BY hard_deadline
"""

_POLICY = """
SELECT fulfillment_id, amount_minor, currency, why, at FROM exposures ORDER BY at DESC
"""

_STRAYS = """
SELECT id, machine, subject_id, state, event, at FROM strays ORDER BY id DESC
"""

# A machine that reported a drop and later denied it: broken, or its secret was stolen. Closed cases
# count too: one may be a mistake, many of one machine are not.
_CONTRADICTING = """
SELECT f.outlet_id, count(*) AS units, count(*) FILTER (WHERE d.closed_at IS NULL) AS open,
    count(k.fulfillment_id) AS given_back, min(d.at) AS since, max(d.at) AS last
FROM discrepancies d JOIN fulfillments f ON f.id = d.fulfillment_id
    LEFT JOIN corrections k ON k.fulfillment_id = f.id
WHERE d.kind = 'no_drop_after_fulfilled' GROUP BY f.outlet_id ORDER BY units DESC
"""

# Until migration 15 a machine's later word gave the money back by itself.
_UNNAMED = """
SELECT fulfillment_id, why, at FROM corrections WHERE made_by IS NULL ORDER BY at DESC
"""

# The machine's own counter, which nobody can reset, went up by more than the sold units.
_DROPS = """
WITH counted AS (
    SELECT d.outlet_id, d.journal_id, d.event_seq, d.unit_id,
        (d.message->'evidence'->>'counter_before')::bigint AS before,
        (d.message->'evidence'->>'counter_after')::bigint AS after,
        EXISTS (SELECT FROM fulfillments f WHERE f.id = d.unit_id
                AND f.settlement = 'fulfilled') AS sold
    FROM device_events d WHERE d.message->>'type' = 'RESULT'
    AND d.message->'evidence'->>'counter_after' IS NOT NULL
), step AS (
    SELECT c.*, lag(c.after) OVER (PARTITION BY c.outlet_id, c.journal_id ORDER BY c.event_seq)
        AS last
    FROM counted c
)
SELECT outlet_id, journal_id, event_seq, unit_id, coalesce(last, before) AS counted_from,
    after AS counted_to, after - coalesce(last, before) - sold::int AS unpaid
FROM step WHERE after - coalesce(last, before) > sold::int
"""

# The machine sends these again until they can be acknowledged.
_HOLES = """
SELECT j.outlet_id, j.journal_id, j.through, min(d.event_seq) AS next_kept, min(d.at) AS since
FROM device_journals j JOIN device_events d ON d.outlet_id = j.outlet_id
    AND d.journal_id = j.journal_id AND d.event_seq > j.through
WHERE d.at < $1 GROUP BY j.outlet_id, j.journal_id, j.through
"""

# A machine counts on an acknowledgement of ours for lines that are not here.
_SKIPPED = """
SELECT outlet_id, journal_id, through, skipped FROM device_journals WHERE skipped > 0
"""

# Other people's, on the same account, or in an unknown form: nothing in them is ours.
_UNREAD = """
SELECT account_id, event, min(reason) AS reason, count(*) AS times, max(received_at) AS last
FROM inbox WHERE verdict = 'unreadable' AND NOT ours GROUP BY account_id, event ORDER BY last DESC
"""

_ENDED = """
SELECT id, account_id, verdict, event, failure, reason, received_at, worked_at, ended_by
FROM inbox WHERE ended_by IS NOT NULL ORDER BY worked_at DESC
"""

# A machine sent so much about units that were not its own, or about one unit, that not all is
# stored.
_REFUSED = """
SELECT outlet_id, journal_id, through, strange, refused, refused_at FROM device_journals
WHERE refused_at IS NOT NULL
"""

NOTICES: Mapping[str, str] = {
    "open_discrepancies": _DISCREPANCIES,
    "owed_refunds": _OWED,
    "late_refunds": _LATE,
    "settled_by_policy": _POLICY,
    "strays": _STRAYS,
    "webhooks_that_are_not_ours_to_read": _UNREAD,
    "webhooks_ended_by_a_person": _ENDED,
    "drops_nobody_paid_for": _DROPS,
    "journals_with_lines_missing": _HOLES,
    "journals_with_lines_skipped": _SKIPPED,
    "printed_codes_at_another_price": PRINTED_AT_ANOTHER_PRICE,
    "machines_that_contradict_themselves": _CONTRADICTING,
    "money_back_on_a_machines_word_alone": _UNNAMED,
    "journals_with_lines_refused": _REFUSED,
    "changes_not_yet_announced": UNTOLD,
    "disabled_webhook_endpoints": DISABLED,
}
