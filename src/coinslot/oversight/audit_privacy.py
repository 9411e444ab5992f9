"""The auditor's checks of what was to be forgotten, and of what is kept no longer.

Each statement finds the rows that break the sentence that is its name."""

from collections.abc import Mapping

# A person is gone where it says so; and gone soon after what needed them was over.
_FORGOTTEN = """
SELECT w.order_id, w.asked_at, w.done_at, person_left(w.order_id) AS left_over
FROM forgotten_orders w
WHERE (w.done_at IS NOT NULL AND person_left(w.order_id) > 0)
   OR (w.done_at IS NULL AND w.asked_at < $1::timestamptz - interval '1 day'
       AND may_be_forgotten(w.order_id))
"""

# Nothing is left of what a run says it has ended, and runs go on.
_RETENTION = """
SELECT r.what, r.before, r.ran_at, retention_left(r.what, r.before) AS left_over
FROM retention_runs r
WHERE retention_left(r.what, r.before) > 0 OR r.ran_at < $1::timestamptz - interval '1 day'
"""

PRIVACY: Mapping[str, str] = {
    "who_asked_to_be_forgotten_is_named_nowhere": _FORGOTTEN,
    "what_is_kept_for_a_time_ends_after_it": _RETENTION,
}
