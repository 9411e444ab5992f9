"""What the auditor asks about updates: whether an outlet sold while its machine changed its code.
It judges by the log alone, in the order in which moves were written down."""

from collections.abc import Mapping
from types import MappingProxyType

_OFF_SALE = """
SELECT u.id, u.outlet_id, u.state, u.go_at FROM machine_updates u
WHERE (u.state IN ('installing', 'trial') OR (u.state = 'silent' AND u.go_at IS NOT NULL))
    AND NOT EXISTS (SELECT FROM outlet_stops s WHERE s.outlet_id = u.outlet_id
        AND s.why = 'update' AND s.until IS NULL)
"""

# From GO to install until the machine was done, had gone back or had started anew without it, each
# time: the log's numbers say what came first. A unit that was open at GO, or was given to the
# machine in between, met changing code.
_SPANS = """
WITH span AS (
    SELECT u.id, u.outlet_id, g.at AS go_at, g.seq AS began, (SELECT min(e.seq) FROM events e
        WHERE e.subject_id = u.id AND e.machine = 'machine_update' AND e.seq > g.seq
        AND (e.state IN ('confirmed', 'rolled_back', 'failed') OR e.event = 'GO_VOID')) AS ended
    FROM machine_updates u JOIN events g ON g.subject_id = u.id AND g.machine = 'machine_update'
        AND g.event = 'GO' AND g.was = 'verified'
)
"""
_GIVEN = f"""
{_SPANS}
SELECT s.id AS update, f.id, f.outlet_id, e.event, e.at FROM span s
JOIN fulfillments f ON f.outlet_id = s.outlet_id
JOIN events e ON e.subject_id = f.id AND e.machine = 'fulfillment' AND e.seq > s.began
    AND (s.ended IS NULL OR e.seq < s.ended) AND e.state IN ('offered', 'going')
    AND e.was <> e.state
UNION ALL
SELECT s.id, f.id, f.outlet_id, 'open at GO', s.go_at FROM span s
JOIN fulfillments f ON f.outlet_id = s.outlet_id
JOIN LATERAL (SELECT e.state FROM events e WHERE e.subject_id = f.id AND e.machine = 'fulfillment'
    AND e.seq < s.began AND e.state IS NOT NULL ORDER BY e.seq DESC LIMIT 1) was
    ON was.state IN ('offered', 'going', 'started', 'in_doubt')
"""

# Confirmed only after the log has its trial: the HELLO of a new boot that said the version.
_TRIED = """
SELECT u.id, u.outlet_id, u.confirmed_at FROM machine_updates u WHERE u.state = 'confirmed'
    AND NOT EXISTS (SELECT FROM events e WHERE e.subject_id = u.id AND e.event = 'NEW_VERSION')
"""

# Nothing new is sold for as long as a roll-out's rules may say at most, and never without an end.
_ROOM = """
SELECT s.outlet_id, s.since, s.until FROM outlet_stops s WHERE s.why = 'before_update'
    AND (s.until IS NULL OR s.until > s.since + interval '1 hour')
"""

ROLLOUT_CHECKS: Mapping[str, str] = MappingProxyType(
    {
        "an_outlet_sells_nothing_while_its_machine_is_updated": _OFF_SALE,
        "no_unit_meets_a_machine_that_is_updated": _GIVEN,
        "what_is_off_sale_before_an_update_sells_again_by_itself": _ROOM,
        "an_update_is_confirmed_by_a_new_boot": _TRIED,
    }
)
