"""What the people who run coffee machines see and do: machines with their accounts, orders with
their statuses, rules, and what only a person can decide."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from coinslot.channels.tmetr.build import CURRENCY
from coinslot.coffee import store
from coinslot.coffee.rules import Rules, rules_of
from coinslot.coffee.statuses import Status
from coinslot.coffee.vendors import OpenVendors
from coinslot.context import Context
from coinslot.gateways.collecting import Collects
from coinslot.kit.money import Money

_CHUNK: Final = 1000


class MachineLine(Struct, frozen=True, kw_only=True):
    """One coffee machine."""

    code: str
    name: str
    place: str
    device: str
    account: str  # at the vendor
    heard_at: datetime | None = None
    out_of_service: bool = False
    contact: str = ""
    windows: Mapping[str, float] = {}  # its own, and its merchant's


class OrderLine(Struct, frozen=True, kw_only=True):
    """One coffee order. `denied_at`: its customer says that nothing came. `open`: it is not
    settled, and a person may decide."""

    id: UUID
    number: str
    machine: str
    device: str
    machine_order: str
    drink: str
    size: str
    money: Money
    status: Status
    placed_at: datetime
    basis: str | None = None
    told: str = ""
    denied_at: datetime | None = None
    open: bool = False


class Choices(Struct, frozen=True, kw_only=True):
    """What a new machine may be set up with: by name and id."""

    vendors: Sequence[tuple[UUID, str]]
    gateways: Sequence[tuple[UUID, str]]


class Asked(Struct, frozen=True, kw_only=True):
    """What is looked for: a word of an order, one status, and when it was placed."""

    text: str = ""
    status: Status | None = None
    since: datetime | None = None
    until: datetime | None = None
    before: UUID | None = None
    limit: int = 50


class DrinkKnown(Struct, frozen=True, kw_only=True):
    """A drink as it was last asked for or sold; `prices` by size."""

    drink: str
    name: str
    prices: Sequence[Money | None]
    asked_at: datetime
    retired: bool


class MachinePage(Struct, frozen=True, kw_only=True):
    """One machine, to be looked at and changed. `ways`: the accounts at which its customers may
    pay. `waiting`: units that are not settled."""

    line: MachineLine
    account_id: UUID
    ways: Sequence[UUID]
    waiting: int


async def machines(
    context: Context, merchant: UUID, text: str = "", after: str = "", limit: int | None = None
) -> list[MachineLine]:
    """Those whose code, device, name or place has the text in it, by their codes."""
    async with context.db.as_merchant(merchant) as conn:
        rows = await conn.fetch(store.MACHINES, text, after, limit)
    return [MachineLine(**dict(row)) for row in rows]


async def machine(context: Context, merchant: UUID, code: str) -> MachinePage | None:
    async with context.db.as_merchant(merchant) as conn:
        row = await conn.fetchrow(store.MACHINE_PAGE, code)
    if row is None:
        return None
    known = dict(row)
    account, ways, waiting = (known.pop(name) for name in ("account_id", "ways", "waiting"))
    line = MachineLine(**known)
    return MachinePage(line=line, account_id=account, ways=ways, waiting=waiting)


async def drinks_known(
    context: Context, merchant: UUID, text: str = "", after: str = "", limit: int | None = None
) -> list[DrinkKnown]:
    """Those whose id or name has the text in it, by their ids."""
    async with context.db.as_merchant(merchant) as conn:
        rows = await conn.fetch(store.DRINKS, text, after, limit)
    return [
        DrinkKnown(
            drink=row["drink"], name=row["name"], asked_at=row["asked_at"], retired=row["retired"],
            prices=[
                None if row[size] is None else Money(row[size], CURRENCY)
                for size in ("small_minor", "medium_minor", "big_minor")
            ],
        )
        for row in rows
    ]  # fmt: skip


async def orders(context: Context, merchant: UUID, asked: Asked) -> list[OrderLine]:
    """The newest first."""
    status = None if asked.status is None else asked.status.value
    async with context.db.as_merchant(merchant) as conn:
        rows = await conn.fetch(
            store.ORDERS, asked.text, status, asked.before, asked.limit, asked.since, asked.until
        )
    return [_line(dict(row)) for row in rows]


async def chunks(
    context: Context, merchant: UUID, asked: Asked
) -> AsyncIterator[Sequence[OrderLine]]:
    """All of them, however many; so many are held at once."""
    asked = replace(asked, before=None, limit=_CHUNK)
    while found := await orders(context, merchant, asked):
        yield found
        asked = replace(asked, before=found[-1].id)


async def to_decide(context: Context, merchant: UUID) -> list[OrderLine]:
    """What waits for a person, the oldest first."""
    async with context.db.as_merchant(merchant) as conn:
        rows = await conn.fetch(store.TO_DECIDE)
    return [_line(dict(row)) for row in rows]


def _line(row: dict[str, object]) -> OrderLine:
    money = Money(int(str(row.pop("amount_minor"))), str(row.pop("currency")))
    status = Status(str(row.pop("status")))
    return OrderLine(money=money, status=status, **row)  # type: ignore[arg-type]


async def choices(context: Context, merchant: UUID) -> Choices:
    async with context.db.as_merchant(merchant) as conn:
        vendors = await conn.fetch(store.ACCOUNTS)
        rows = await conn.fetch("SELECT id FROM gateway_accounts ORDER BY created_at, id")
    accounts = [await context.accounts.by_id(row["id"]) for row in rows]
    return Choices(
        vendors=[(row["id"], row["slug"]) for row in vendors],
        gateways=[
            (one.id, f"{one.driver.title} ({one.slug})")
            for one in accounts
            if isinstance(one.driver, Collects) and CURRENCY in one.driver.currencies
        ],
    )


class AccountLine(Struct, frozen=True, kw_only=True):
    """An account at a vendor, without its secrets. `broker`: where its commands go by MQTT."""

    name: str
    host: str
    broker: str = ""
    machines: int


async def accounts(context: Context, vendors: OpenVendors, merchant: UUID) -> list[AccountLine]:
    async with context.db.as_merchant(merchant) as conn:
        rows = await conn.fetch(store.ACCOUNTS)
    found = []
    for row in rows:
        kept = vendors.settings_of(context.vault, row)
        broker = f"{kept.mqtt.host}:{kept.mqtt.port} {kept.mqtt.topic}" if kept.mqtt else ""
        found.append(
            AccountLine(name=row["slug"], host=kept.host, broker=broker, machines=row["machines"])
        )
    return found


async def rules(context: Context, merchant: UUID) -> Rules:
    async with context.db.as_merchant(merchant) as conn:
        return await rules_of(conn, merchant)
