"""How a merchant sells, where that is not as everywhere in the installation: how long outlets of
a kind are given, and how many orders may wait for their payment."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

import asyncpg
from msgspec import Struct
from msgspec.structs import replace

from coinslot.context import Context, Windows
from coinslot.orders import fulfillment, store
from coinslot.people.audit_log import Act, Actor, record
from coinslot.people.authentication import RuleError

# What a person may choose: less sells nothing, more keeps a customer's money or a machine too long.
# The last three are seconds, the first two counts.
LIMITS: Final[Mapping[str, tuple[int, int]]] = {
    "browser_orders": (1, 50), "network_orders": (1, 1000), "order_s": (120, 7200),
    "unpaid_s": (60, 86_400),
}  # fmt: skip
WINDOWS: Final[Mapping[str, tuple[int, int]]] = {
    "dispatch_s": (30, 3600), "in_doubt_s": (60, 86_400),
}  # fmt: skip


class SellingRules(Struct, frozen=True, kw_only=True):
    """`windows` by kind and name, in seconds; `limits` by name. What is missing is as everywhere.
    `version` is that of all settings of the merchant."""

    windows: Mapping[str, Mapping[str, float]] = {}
    limits: Mapping[str, float] = {}
    version: int = 1


async def rules_of(context: Context, merchant: UUID) -> SellingRules:
    """As they are."""
    async with context.db.as_merchant(merchant) as conn:
        row = await conn.fetchrow(store.SELLING_RULES, merchant)
    assert row is not None
    return _rules(row)


async def kinds_of(context: Context, merchant: UUID) -> set[str]:
    """Which ways of selling the merchant has outlets of; all that there are, while it has none."""
    async with context.db.as_merchant(merchant) as conn:
        rows = await conn.fetch(store.KINDS_OF_MERCHANT)
    return {row["kind"] for row in rows} & context.kinds.keys() or set(context.kinds)


async def set_rules(context: Context, who: Actor, merchant: UUID, wanted: SellingRules) -> None:
    """Whoever orders from now on is sold to under them; what is paid keeps what it was paid under.
    `wanted.version` is that of the page on which somebody typed. Raises RuleError: bad_window,
    stale_settings."""
    _check(context, wanted)
    async with context.db.as_merchant(merchant) as conn:
        row = await conn.fetchrow(f"{store.SELLING_RULES} FOR NO KEY UPDATE", merchant)
        assert row is not None
        before = _rules(row)
        if before.version != wanted.version:
            raise RuleError("stale_settings", "Somebody else changed them meanwhile.")
        kinds = {**before.windows, **wanted.windows}  # others keep theirs
        windows = {kind: dict(own) for kind, own in kinds.items() if own}
        await conn.execute(store.SET_SELLING_RULES, merchant, windows, dict(wanted.limits))
        act = Act(
            action="selling.changed", merchant=merchant, subject=str(merchant),
            before={"windows": before.windows, "limits": before.limits},
            after={"windows": windows, "limits": wanted.limits},
        )  # fmt: skip
        await record(conn, who, act, context.now())


def under(windows: Windows, limits: Mapping[str, Any]) -> Windows:
    """The installation's windows with a merchant's limits in their place."""
    return replace(windows, **{name: limits[name] for name in LIMITS if name in limits})


def _check(context: Context, wanted: SellingRules) -> None:
    for kind, own in wanted.windows.items():
        known = fulfillment.handler(context, kind).windows & WINDOWS.keys()
        for name, seconds in own.items():
            _within(name, seconds, WINDOWS[name] if name in known else None)
    for name, value in wanted.limits.items():
        _within(name, value, LIMITS.get(name))


def _within(name: str, value: float, bounds: tuple[int, int] | None) -> None:
    if bounds is None:
        raise RuleError("bad_window", f"There is no {name}.")
    if not bounds[0] <= value <= bounds[1]:
        raise RuleError("bad_window", f"{name}: {bounds[0]} to {bounds[1]}, not {value:g}.")


def _rules(row: asyncpg.Record) -> SellingRules:
    return SellingRules(
        windows=row["windows"], limits=row["limits"], version=row["settings_version"]
    )
