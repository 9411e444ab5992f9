"""What a merchant decides for one counter: how long staff and customers have, what becomes of what
nobody fetches, and whose phones are called and written to. It holds for orders from then on."""

import re
from collections.abc import Mapping
from typing import Final
from uuid import UUID

import asyncpg
import msgspec
from msgspec import Struct

from coinslot.context import Context, Windows
from coinslot.counter.delivery import Point
from coinslot.counter.flow import COUNTER
from coinslot.counter.store import KEPT
from coinslot.db.pool import Connection
from coinslot.orders import store as orders
from coinslot.people.audit_log import Act, Actor, record

# In seconds: less sells nothing, more keeps a customer's money too long. Customers read the last
# one in whole hours.
TIMES: Final[Mapping[str, tuple[int, int]]] = {
    "dispatch_s": (60, 3600), "prepare_s": (600, 86_400), "pickup_s": (3600, 86_400),
}  # fmt: skip
CAPS: Final = ("outlet_messages", "phone_messages")  # never above those of the installation
HERE_M: Final = (20, 5000)  # how near is near; phones are seldom more exact than the first
COUNTRIES: Final = 60
_PREFIX: Final = re.compile(r"\+[1-9][0-9]{0,5}")

_RULES = """
SELECT s.no_show, s.calls, s.arrivals, s.phone_prefixes, s.outlet_messages, s.phone_messages,
    s.latitude, s.longitude, s.here_m, o.windows AS own,
    windows_at(o) - ARRAY(SELECT jsonb_object_keys(o.windows)) AS others
FROM counter_stores s JOIN outlets o ON o.id = s.outlet_id WHERE s.outlet_id = $1
"""
_HOLD = "SELECT FROM outlets WHERE id = $1 FOR NO KEY UPDATE"
_SET = """
UPDATE counter_stores SET no_show = $2, calls = $3, phone_prefixes = $4, outlet_messages = $5,
    phone_messages = $6, arrivals = $7, latitude = $8, longitude = $9, here_m = $10
WHERE outlet_id = $1
"""


class StaleRulesError(Exception):
    """Somebody else changed them meanwhile."""


class RulesError(ValueError):
    """`field` has what it cannot have."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


class Rules(Struct, frozen=True, kw_only=True):
    """`times`: its own, in seconds. `prefixes`: None for the countries of its currency; none at all
    for nobody. `caps`: its own."""

    times: Mapping[str, float] = {}
    keeps: bool = False
    calls: bool = True
    arrivals: bool = False  # customers may say that they wait outside
    place: Point | None = None  # where it is
    here_m: int | None = None  # so near their phone has to be; None: it is not asked
    prefixes: tuple[str, ...] | None = None
    caps: Mapping[str, int] = {}

    @property
    def seen(self) -> str:
        """For a form: what its page had shown."""
        return msgspec.json.encode(self, order="deterministic").decode()


class Known(Struct, frozen=True, kw_only=True):
    """The rules of a counter, and what holds where it has none of its own."""

    rules: Rules
    usual: Windows


async def rules_of(conn: Connection, context: Context, outlet: str) -> Known | None:
    """None: this is no counter of the merchant's."""
    row = await conn.fetchrow(_RULES, outlet)
    if row is None:
        return None
    return Known(rules=_rules(row), usual=context.windows.at(COUNTER.name, row["others"]))


async def set_rules(  # noqa: PLR0913  who wants what where, and what they had seen
    conn: Connection, context: Context, who: Actor, merchant: UUID, outlet: str, wanted: Rules,
    seen: str,
) -> None:  # fmt: skip
    """Orders that were placed keep what their customers read. Raises RulesError, StaleRulesError
    and LookupError."""
    _check(wanted, context.windows)
    await conn.execute(_HOLD, outlet)
    known = await rules_of(conn, context, outlet)
    if known is None:
        raise LookupError(outlet)
    if known.rules.seen != seen:
        raise StaleRulesError(outlet)
    gone = [name for name in TIMES if name not in wanted.times]
    await conn.execute(orders.SET_OUTLET_WINDOWS, outlet, dict(wanted.times), gone)
    await conn.execute(
        _SET, outlet, KEPT if wanted.keeps else "refund", wanted.calls,
        None if wanted.prefixes is None else list(wanted.prefixes),
        *(wanted.caps.get(name) for name in CAPS), wanted.arrivals,
        None if wanted.place is None else wanted.place.latitude,
        None if wanted.place is None else wanted.place.longitude, wanted.here_m,
    )  # fmt: skip
    before, after = (msgspec.to_builtins(one) for one in (known.rules, wanted))
    act = Act(action="store.rules", merchant=merchant, subject=outlet, before=before, after=after)
    await record(conn, who, act, context.now())


def _check(wanted: Rules, usual: Windows) -> None:
    for name, seconds in wanted.times.items():
        least, most = TIMES[name]
        if not least <= seconds <= most:
            raise RulesError(name)
    for name, most in wanted.caps.items():
        if not 0 <= most <= getattr(usual, name):
            raise RulesError(name)
    least, furthest = HERE_M
    if wanted.here_m is not None and not least <= wanted.here_m <= furthest:
        raise RulesError("here_m")
    if wanted.here_m is not None and wanted.place is None:
        raise RulesError("place")
    prefixes = wanted.prefixes or ()
    if len(prefixes) > COUNTRIES or not all(_PREFIX.fullmatch(one) for one in prefixes):
        raise RulesError("prefixes")


def _rules(row: asyncpg.Record) -> Rules:
    prefixes = row["phone_prefixes"]
    return Rules(
        times={name: row["own"][name] for name in TIMES if name in row["own"]},
        keeps=row["no_show"] == KEPT, calls=row["calls"],
        arrivals=row["arrivals"], here_m=row["here_m"],
        place=None if row["latitude"] is None else Point(row["latitude"], row["longitude"]),
        prefixes=None if prefixes is None else tuple(prefixes),
        caps={name: row[name] for name in CAPS if row[name] is not None},
    )  # fmt: skip
