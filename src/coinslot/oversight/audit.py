"""The auditor: recomputes every invariant from the database and shows the rows that break one.

A check is a query that must return no row. A notice is worth reporting but no breach of ours: what
a gateway or a machine did, and what a person has to look at."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from msgspec import Struct

from coinslot.db.pool import Connection
from coinslot.oversight.audit_guards import GUARDS
from coinslot.oversight.audit_money import MONEY
from coinslot.oversight.audit_notices import NOTICES
from coinslot.oversight.audit_privacy import PRIVACY
from coinslot.oversight.audit_receipts import RECEIPTS
from coinslot.oversight.audit_record import RECORD
from coinslot.oversight.audit_sums import KEPT_SUMS
from coinslot.oversight.audit_told import TELLING
from coinslot.oversight.audit_units import UNITS
from coinslot.rollouts.checks import ROLLOUT_CHECKS

CHECKS: Mapping[str, str] = {
    **MONEY, **KEPT_SUMS, **UNITS, **RECEIPTS, **PRIVACY, **RECORD, **TELLING, **GUARDS,
}  # fmt: skip

NO_MORE: Mapping[str, str] = MappingProxyType({})
GRACE = timedelta(seconds=120)  # what is late by less may be in work at this moment
ROWS_SHOWN = 20

# The last moment at which, as the database shows, some process worked.
_LAST_SIGN_OF_LIFE = """
SELECT greatest((SELECT max(at) FROM events), (SELECT max(at) FROM exchanges),
    (SELECT max(received_at) FROM inbox), (SELECT max(last_seen_at) FROM devices),
    (SELECT max(created_at) FROM qr_codes), (SELECT max(asked_at) FROM qr_codes),
    (SELECT max(asked_at) FROM qr_polls))
"""


class Finding(Struct, frozen=True):
    """The answer to one check or notice: at most ROWS_SHOWN of the rows it is about."""

    name: str
    rows: tuple[Mapping[str, Any], ...]

    @property
    def ok(self) -> bool:
        return not self.rows


class Report(Struct, frozen=True):
    """The result of an audit. It is ok when every check is; notices never fail it."""

    checks: tuple[Finding, ...]
    notices: tuple[Finding, ...] = ()

    @property
    def ok(self) -> bool:
        return all(check.ok for check in self.checks)

    @property
    def red(self) -> frozenset[str]:
        """The names of the checks that do not hold."""
        return frozenset(check.name for check in self.checks if not check.ok)

    def to_json(self) -> dict[str, object]:
        return {
            "ok": self.ok,
            "checks": [{"name": c.name, "ok": c.ok, "rows": list(c.rows)} for c in self.checks],
            "notices": [{"name": n.name, "rows": list(n.rows)} for n in self.notices],
        }


async def audit(
    conn: Connection,
    now: datetime | None = None,
    grace: timedelta = GRACE,
    more: Mapping[str, str] = NO_MORE,
) -> Report:
    """Run every query in one read-only snapshot; `conn` is the owner's.

    `now` is what deadlines are compared with; without it, the database's own time. `more` are the
    checks of the ways of selling."""
    async with conn.transaction(isolation="repeatable_read", readonly=True):
        late = (now or await conn.fetchval("SELECT now()")) - grace
        return Report(
            checks=await answers(conn, {**CHECKS, **ROLLOUT_CHECKS, **more}, late),
            notices=await answers(conn, NOTICES, late),
        )


async def last_sign_of_life(conn: Connection) -> datetime | None:
    """When this installation last did something: lateness of a stopped one is measured from
    then."""
    at: datetime | None = await conn.fetchval(_LAST_SIGN_OF_LIFE)
    return at


async def answers(
    conn: Connection, questions: Mapping[str, str], late: datetime
) -> tuple[Finding, ...]:
    """What each query finds; `late` is the moment before which something is late."""
    return tuple([await _answer(conn, name, sql, late) for name, sql in questions.items()])


async def _answer(conn: Connection, name: str, sql: str, late: datetime) -> Finding:
    """`$1` in a query is the moment before which something is late."""
    bounded = f"SELECT to_jsonb(q) AS row FROM ({sql}) AS q LIMIT {ROWS_SHOWN}"
    found: Iterable[Any] = await conn.fetch(bounded, *((late,) if "$1" in sql else ()))
    return Finding(name, tuple(record["row"] for record in found))
