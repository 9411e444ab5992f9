"""Bank, books and goods side by side: per day and gateway account what the ledger says, what the
gateway paid out, which goods were given, and every difference that is known."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Final
from uuid import UUID

import asyncpg
from msgspec import Struct
from msgspec.structs import replace

from coinslot.context import Context
from coinslot.db.pool import Connection
from coinslot.kit.money import Money
from coinslot.oversight import store
from coinslot.oversight.day_sums import (
    DAY,
    WAIT_STEPS_S,
    Day,
    as_rows,
    days_between,
    readable,
)

LONGEST_DAYS: Final = 400
_SUMS: Final = ("captured", "given_back", "fees", "goods", "owed", "not_ours", "outside")


class MoneyFilter(Struct, frozen=True, kw_only=True):
    """Days of the merchant's zone, both included; of one account, machine or product, or of all."""

    first: date
    last: date
    days: tuple[Day, ...]
    account: UUID | None = None
    outlet: str | None = None
    sku: str | None = None

    @property
    def begun(self) -> datetime:
        return self.days[0].begun

    @property
    def ended(self) -> datetime:
        return self.days[-1].ended


class Asked(Struct, frozen=True, kw_only=True):
    """The filter as somebody asks for it. Without days it is the last `usual` ones."""

    first: date | None = None
    last: date | None = None
    account: UUID | None = None
    outlet: str | None = None
    sku: str | None = None
    usual: int = 30


class Difference(Struct, frozen=True, kw_only=True):
    """A case of the books that is open; or, without a case, a day that is not compared yet."""

    kind: str
    case: int | None = None
    order: str | None = None
    money: Money | None = None
    failure: str | None = None


class MoneyRow(Struct, frozen=True, kw_only=True):
    """A day of an account; the total has no day. captured - given back = goods + owed + not ours
    - outside, always: `owed` is by how much more is owed than before."""

    day: date | None
    account: UUID | None
    gateway: str
    currency: str
    captured: int
    given_back: int
    fees: int
    goods: int
    owed: int
    not_ours: int
    outside: int
    paid_out: int
    differences: tuple[Difference, ...] = ()

    @property
    def kept(self) -> int:
        """What this adds to the balance at the gateway, before payouts."""
        return self.captured - self.given_back - self.fees

    @property
    def balances(self) -> bool:
        earned = self.goods + self.owed + self.not_ours - self.outside
        return self.captured - self.given_back == earned


class MoneyTable(Struct, frozen=True, kw_only=True):
    """The newest day first; a total for each currency. The books of gateways were compared up to
    `compared`, that day included. `left_out`: so many days are not summed yet."""

    rows: tuple[MoneyRow, ...]
    totals: tuple[MoneyRow, ...]
    compared: date | None
    left_out: int = 0


class Choices(Struct, frozen=True, kw_only=True):
    """What a filter may name."""

    accounts: tuple[tuple[str, str], ...]
    outlets: tuple[str, ...]
    products: tuple[tuple[str, str], ...]


async def filter_of(context: Context, merchant: UUID, asked: Asked) -> MoneyFilter:
    """With the days in the merchant's zone: never more than LONGEST_DAYS, and none before there was
    the merchant."""
    async with context.db.as_merchant(merchant) as conn:
        row = await conn.fetchrow("SELECT zone, created_at FROM merchants WHERE id = $1", merchant)
    assert row is not None
    zone = context.zone_of(row["zone"])
    today = context.now().astimezone(zone).date()
    opened = min(row["created_at"].astimezone(zone).date(), today)
    last = max(min(asked.last or today, today), opened)
    first = min(
        max(asked.first or last - (asked.usual - 1) * DAY, opened, last - (LONGEST_DAYS - 1) * DAY),
        last,
    )
    return MoneyFilter(
        first=first, last=last, days=tuple(days_between(first, last, zone)),
        account=asked.account, outlet=asked.outlet, sku=asked.sku,
    )  # fmt: skip


async def choices(context: Context, merchant: UUID) -> Choices:
    """The accounts, machines and products of a merchant."""
    async with context.db.as_merchant(merchant) as conn:
        row = await conn.fetchrow(store.FILTER_CHOICES)
    assert row is not None
    return Choices(
        accounts=tuple((one["id"], one["name"]) for one in row["accounts"]),
        outlets=tuple(row["outlets"]),
        products=tuple((one["sku"], one["name"]) for one in row["products"]),
    )


async def money_table(context: Context, merchant: UUID, wanted: MoneyFilter) -> MoneyTable:
    """Everything is read in one transaction."""
    days = as_rows(wanted.days)
    async with context.db.as_merchant(merchant) as conn:
        await conn.execute(store.PLAN_FOR_VALUES)
        read = await readable(conn, wanted.days)
        booked = await conn.fetch(store.MONEY_BY_DAY, read.rows, wanted.account, wanted.outlet)
        paid = await _paid_out(conn, wanted, days)
        found = await _differences(conn, wanted, days)
        accounts = {row["id"]: row for row in await conn.fetch(store.ACCOUNTS_OF_MERCHANT)}
        compared = await conn.fetchval(store.COMPARED_EVERYWHERE, wanted.account)
    paid_out = {_key(row): row["paid_out"] for row in paid}
    sums = {_key(row): row for row in booked}
    keys = {*sums, *paid_out}
    # A day may have a difference, and neither a sale nor a payout.
    there = {(day, account) for day, account, _ in keys}
    keys |= {(*one, accounts[one[1]]["currency"]) for one in found if one not in there}
    rows = [
        _row(key, accounts[key[1]]["name"], sums.get(key), paid_out.get(key, 0), found)
        for key in keys
    ]
    rows.sort(key=lambda row: (row.gateway, row.currency))
    rows.sort(key=lambda row: row.day or wanted.first, reverse=True)
    return MoneyTable(
        rows=tuple(rows), totals=tuple(_totals(rows)), compared=compared, left_out=read.left_out
    )


async def _paid_out(
    conn: Connection, wanted: MoneyFilter, days: list[dict[str, object]]
) -> list[asyncpg.Record]:
    if wanted.outlet is None:
        return await conn.fetch(store.PAID_OUT_BY_DAY, days, wanted.account)
    return await conn.fetch(store.PAID_OUT_OF_MACHINE, days, wanted.account, wanted.outlet)


def _key(row: asyncpg.Record) -> tuple[date, UUID, str]:
    return row["day"], row["account_id"], row["currency"]


def _row(
    key: tuple[date, UUID, str],
    name: str,
    booked: asyncpg.Record | None,
    paid_out: int,
    found: Mapping[tuple[date, UUID], list[Difference]],
) -> MoneyRow:
    sums = {what: 0 if booked is None else booked[what] for what in _SUMS}
    row = MoneyRow(
        day=key[0], account=key[1], gateway=name, currency=key[2], paid_out=paid_out,
        differences=tuple(found.get(key[:2], ())), **sums,
    )  # fmt: skip
    if row.balances:
        return row
    broken = Difference(kind="ledger_differs")
    return replace(row, differences=(*row.differences, broken))


def _totals(rows: Sequence[MoneyRow]) -> list[MoneyRow]:
    totals = []
    for currency in sorted({row.currency for row in rows}):
        of = [row for row in rows if row.currency == currency]
        sums = {what: sum(getattr(row, what) for row in of) for what in (*_SUMS, "paid_out")}
        totals.append(MoneyRow(day=None, account=None, gateway="", currency=currency, **sums))
    return totals


async def _differences(
    conn: Connection, wanted: MoneyFilter, days: list[dict[str, object]]
) -> dict[tuple[date, UUID], list[Difference]]:
    found: dict[tuple[date, UUID], list[Difference]] = {}
    for row in await conn.fetch(store.BREAKS_BY_DAY, days, wanted.account, wanted.outlet):
        money = None
        if row["amount_minor"] is not None and row["currency"]:
            money = Money(row["amount_minor"], row["currency"])
        one = Difference(kind=row["kind"], case=row["id"], order=row["order_id"], money=money)
        found.setdefault((row["day"], row["account_id"]), []).append(one)
    for row in await conn.fetch(store.NOT_COMPARED, wanted.first, wanted.last, wanted.account):
        waits = Difference(kind="not_compared", failure=row["failure"])
        found.setdefault((row["day"], row["account_id"]), []).append(waits)
    return found


class UnitSums(Struct, frozen=True, kw_only=True):
    """Units that were settled: of a day, a machine or a product, in one currency."""

    key: str
    currency: str
    sold: int = 0
    sold_minor: int = 0
    failed: int = 0
    failed_minor: int = 0
    waits: tuple[int, ...] = ()

    def within_s(self, share: float) -> int | None:
        """So many seconds had passed at most, for this share of units, when they were settled;
        None where none was, or where it took longer than the longest step."""
        total, seen = sum(self.waits), 0
        for count, step in zip(self.waits, (*WAIT_STEPS_S, None), strict=False):
            seen += count
            if total and seen >= share * total:
                return step
        return None


class Report(Struct, frozen=True, kw_only=True):
    """Sums of the units, each way of looking at them."""

    days: tuple[UnitSums, ...]
    machines: tuple[UnitSums, ...]
    products: tuple[UnitSums, ...]
    totals: tuple[UnitSums, ...]
    left_out: int = 0  # days that are not summed yet


async def report(context: Context, merchant: UUID, wanted: MoneyFilter) -> Report:
    """Days without a unit have a line of zeros, in every currency that there is."""
    async with context.db.as_merchant(merchant) as conn:
        await conn.execute(store.PLAN_FOR_VALUES)
        read = await readable(conn, wanted.days)
        rows = await conn.fetch(store.UNITS_BY_EACH, read.rows, wanted.outlet, wanted.sku)
    days = _every_day(wanted, [row for row in rows if row["day"] is not None])
    return Report(
        days=days,
        machines=_largest_first([_sums(r, r["outlet_id"]) for r in rows if r["outlet_id"]]),
        products=_largest_first([_sums(r, r["sku"]) for r in rows if r["sku"]]),
        totals=tuple(
            _total([day for day in days if day.currency == currency])
            for currency in sorted({day.currency for day in days})
        ),
        left_out=read.left_out,
    )  # fmt: skip


async def sales(context: Context, merchant: UUID, wanted: MoneyFilter) -> tuple[UnitSums, ...]:
    """Of each day, without how long it took."""
    async with context.db.as_merchant(merchant) as conn:
        await conn.execute(store.PLAN_FOR_VALUES)
        read = await readable(conn, wanted.days)
        rows = await conn.fetch(store.SALES_BY_DAY, read.rows)
    return _every_day(wanted, rows)


def _every_day(wanted: MoneyFilter, rows: Sequence[asyncpg.Record]) -> tuple[UnitSums, ...]:
    found = {(row["day"], row["currency"]): _sums(row, row["day"].isoformat()) for row in rows}
    return tuple(
        found.get((one.day, currency), UnitSums(key=one.day.isoformat(), currency=currency))
        for one in wanted.days
        for currency in sorted({row["currency"] for row in rows})
    )


def _sums(row: asyncpg.Record, key: str) -> UnitSums:
    return UnitSums(
        key=key, currency=row["currency"], sold=row["sold"], sold_minor=row["sold_minor"],
        failed=row["failed"], failed_minor=row["failed_minor"], waits=tuple(row.get("waits", ())),
    )  # fmt: skip


def _total(days: Sequence[UnitSums]) -> UnitSums:
    waits = [day.waits for day in days if day.waits]
    return UnitSums(
        key="", currency=days[0].currency, sold=sum(day.sold for day in days),
        sold_minor=sum(day.sold_minor for day in days), failed=sum(day.failed for day in days),
        failed_minor=sum(day.failed_minor for day in days),
        waits=tuple(map(sum, zip(*waits, strict=True))),
    )  # fmt: skip


def _largest_first(sums: Sequence[UnitSums]) -> tuple[UnitSums, ...]:
    return tuple(sorted(sums, key=lambda one: (-one.sold_minor, one.key, one.currency)))
