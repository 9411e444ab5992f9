"""How an order's customer pays: the ways that an outlet offers, and an attempt by one of them.

A link leads to the gateway's own page; a code is one that the gateway issues, to be scanned."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

import asyncpg
from msgspec import Struct

from coinslot.channels.base import PRACTICE
from coinslot.context import Context, leases
from coinslot.db.pool import Connection
from coinslot.gateways.base import PrintsQr
from coinslot.gateways.collecting import Collects
from coinslot.gateways.registering import MakesReceipts
from coinslot.kit.ids import uuid7
from coinslot.kit.money import Money
from coinslot.merchants.accounts import Account
from coinslot.outlets.machines import UnknownOutletError
from coinslot.payments import attempts, qr_codes, store

_OURS_FOR = timedelta(seconds=10)  # then the sweeper drives the attempt


class Form(StrEnum):
    """What a customer is shown."""

    LINK = "link"
    CODE = "code"


class Way(Struct, frozen=True, kw_only=True):
    """One button of an order's page."""

    form: Form
    account: UUID
    gateway: str
    title: str  # of the gateway, as customers know it
    receipts: bool = False  # its account has fiscal receipts made: they go to a customer's address

    @property
    def name(self) -> str:
        """What the page's form sends back."""
        return f"{self.form}-{self.account.hex}"


class PageAttempt(Struct, frozen=True, kw_only=True):
    """An attempt that a customer begins. `key` was made with the page; before `make_at` the gateway
    is not asked."""

    way: Way
    key: str | None
    make_at: datetime
    description: str
    return_url: str


class UnfitWayError(Exception):
    """The account cannot be paid in this way, or not in the outlet's currency."""


async def offered(context: Context, merchant: UUID, outlet: str, money: Money) -> list[Way]:
    """The ways that work now, in the order in which they are shown. Links come first: the phone
    that shows the page cannot scan its own screen."""
    async with context.db.as_merchant(merchant) as conn:
        rows = await conn.fetch(store.WAYS_OFFERED, outlet)
    found = []
    for row in rows:
        account = await context.accounts.by_id(row["account_id"])
        works = attempts.breaker_of(context, account).shut_for(context.now()) is None
        may = sells_at(account, row["channel"])
        if works and may and fits(account, row["way"], money):
            found.append(_way(account, Form(row["way"])))
    return sorted(found, key=lambda way: way.form is not Form.LINK)


async def least(context: Context, merchant: UUID, outlet: str, currency: str) -> int:
    """The smallest amount that can be paid there, in minor units, whatever works right now."""
    async with context.db.as_merchant(merchant) as conn:
        rows = await conn.fetch(store.WAYS_OFFERED, outlet)
    drivers = [(await context.accounts.by_id(row["account_id"])).driver for row in rows]
    sums = [one.minimum_minor.get(currency, 1) for one in drivers if currency in one.currencies]
    return min(sums, default=1)


async def listed(context: Context, merchant: UUID, outlet: str) -> list[str]:
    """All that the outlet offers, in its own order, whether it works now or not."""
    async with context.db.as_merchant(merchant) as conn:
        rows = await conn.fetch(store.WAYS_TO_PAY, outlet)
    accounts = [await context.accounts.by_id(row["account_id"]) for row in rows]
    return [
        f"{account.gateway}/{account.slug}:{row['way']}"
        for account, row in zip(accounts, rows, strict=True)
    ]


def fits(account: Account, form: str, money: Money) -> bool:
    """Whether this account can collect this amount in this form at all."""
    if form == Form.LINK:
        can = isinstance(account.driver, Collects)
    else:
        can = isinstance(account.driver, PrintsQr)
    return can and attempts.takes(account, money)


def sells_at(account: Account, channel: str) -> bool:
    """Whether its money may pay at a machine on this channel: at a practice machine only money that
    is not real, and known not to be."""
    return channel != PRACTICE or account.live is False


def _way(account: Account, form: Form) -> Way:
    driver = account.driver
    return Way(
        form=form, account=account.id, gateway=account.gateway, title=driver.title,
        receipts=isinstance(driver, MakesReceipts) and driver.receipt_terms is not None,
    )  # fmt: skip


async def offer(
    context: Context, merchant: UUID, outlet: str, ways: Sequence[tuple[UUID, Form]]
) -> None:
    """From now on the outlet offers these, in this order. Its page shows those that work; attempts
    that have begun go on. Raises UnfitWayError, UnknownOutletError."""
    async with context.db.as_merchant(merchant) as conn:
        row = await conn.fetchrow("SELECT currency, channel FROM outlets WHERE id = $1", outlet)
    if row is None:
        raise UnknownOutletError(f"no outlet has the code {outlet}")
    accounts = [(await context.accounts.by_id(account), form) for account, form in ways]
    refuse_unfit(row["channel"], row["currency"], accounts)
    async with context.db.as_merchant(merchant) as conn:
        await keep(conn, merchant, outlet, ways)


def refuse_unfit(channel: str, currency: str, ways: Sequence[tuple[Account, Form]]) -> None:
    """Raises UnfitWayError for a way that an outlet on this channel cannot offer."""
    for account, form in ways:
        if not sells_at(account, channel):
            raise UnfitWayError(
                f"at a practice machine {account.gateway}/{account.slug} may move real money"
            )
        if not fits(account, form, Money(2**53, currency)):
            raise UnfitWayError(
                f"{account.gateway}/{account.slug} cannot be paid by {form} in {currency}"
            )


async def keep(
    conn: Connection, merchant: UUID, outlet: str, ways: Sequence[tuple[UUID, Form]]
) -> None:
    """Within the caller's transaction, which has found them fit."""
    await conn.execute(store.LOCK_OUTLET_ROW, outlet)
    await conn.execute("UPDATE ways_to_pay SET place = NULL WHERE outlet_id = $1", outlet)
    await conn.executemany(
        store.ADD_WAY,
        [
            (merchant, outlet, account, form.value, place)
            for place, (account, form) in enumerate(ways, 1)
        ],
    )


async def begin(
    conn: Connection, context: Context, order: asyncpg.Record, wanted: PageAttempt
) -> UUID:
    """The order's payment, an attempt with its key, and the row of its code where it is one: all of
    it is committed before the gateway is called. An attempt before it is retired: it is closed at
    its gateway, and what is still paid there goes back.

    `order` is its row, locked, with the slot. Raises GatewayUnavailableError."""
    now, merchant, way = context.now(), order["merchant_id"], wanted.way
    payment = await _payment(conn, context, order, wanted)
    await attempts.confirm(conn, context, payment)
    attempts.enter(context, await context.accounts.by_id(way.account))
    made = uuid7(now)
    due = now + _OURS_FOR if wanted.make_at <= now else wanted.make_at
    await conn.execute(
        "INSERT INTO attempts (id, merchant_id, payment_id, account_id, state, number, way, key,"
        " page_key, outlet_id, network, make_at, started_at, due_at)"
        " SELECT $1, $2, $3, $4, 'started', 1 + count(*), $5, $6, $7, $8, $9, $10, $11, $12"
        " FROM attempts WHERE payment_id = $3",
        made, merchant, payment, way.account, way.form.value,
        attempts.key_of(made) if way.form is Form.LINK else None, wanted.key, order["outlet_id"],
        order["network"], wanted.make_at, now, due if way.form is Form.LINK else None,
    )  # fmt: skip
    await conn.execute("SELECT retire_ways($1, $2, $3)", order["id"], made, now)
    if way.form is Form.CODE:
        await conn.execute(
            "INSERT INTO qr_codes (id, merchant_id, account_id, outlet_id, slot, payment_id,"
            " attempt_id, amount_minor, currency, created_at, due_at)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
            uuid7(now), merchant, way.account, order["outlet_id"], order["slot"], payment, made,
            order["amount_minor"], order["currency"], now, due,
        )  # fmt: skip
    return made


async def _payment(
    conn: Connection, context: Context, order: asyncpg.Record, wanted: PageAttempt
) -> UUID:
    known: UUID | None = await conn.fetchval(
        "SELECT id FROM payments WHERE order_id = $1 FOR NO KEY UPDATE", order["id"]
    )
    if known is not None:
        return known
    made = uuid7(context.now())
    await conn.execute(
        "INSERT INTO payments (id, merchant_id, order_id, state, amount_minor, currency,"
        " description, return_url, created_at) VALUES ($1, $2, $3, 'created', $4, $5, $6, $7, $8)",
        made, order["merchant_id"], order["id"], order["amount_minor"], order["currency"],
        wanted.description, wanted.return_url, context.now(),
    )  # fmt: skip
    return made


async def close_now(context: Context, merchant: UUID, attempt: UUID) -> bool:
    """The time of its order is over: the gateway closes a link here and now, before what the order
    reserved is for sale again. A code is asked about, and closed by its own row. False: a worker
    holds it."""
    async with context.db.as_merchant(merchant) as conn:
        code = await conn.fetchval("SELECT id FROM qr_codes WHERE attempt_id = $1", attempt)
    if code is not None:
        return await drive_now(context, merchant, attempt)
    async with leases.taken(context, "attempts", attempt) as mine:
        if mine is None:
            return False
        await attempts.close(*mine)
    return True


async def drive_now(context: Context, merchant: UUID, attempt: UUID) -> bool:
    """Make it, or ask what became of it, here and now. False: a worker holds it."""
    async with context.db.as_merchant(merchant) as conn:
        code: UUID | None = await conn.fetchval(
            "SELECT id FROM qr_codes WHERE attempt_id = $1", attempt
        )
    if code is not None:
        return await qr_codes.drive_now(context, code)
    async with leases.taken(context, "attempts", attempt) as mine:
        if mine is None:
            return False
        await attempts.drive(*mine)
    return True
