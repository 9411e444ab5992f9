"""Printed QR codes: one reusable fixed-amount code per slot, made once however often it is
requested, and closed when its machine is taken out of service."""

import asyncio
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg
from msgspec import Struct
from msgspec.structs import replace

from coinslot.context import Context, leases
from coinslot.db.pool import Connection, Database
from coinslot.gateways import wire
from coinslot.kit.ids import uuid7
from coinslot.kit.money import Money, MoneyRangeError, MoneyTextError
from coinslot.outlets.machines import UnknownOutletError, owner_of
from coinslot.payments import qr_codes
from coinslot.payments.store import PRINTED_AT_ANOTHER_PRICE
from coinslot.payments.ways_to_pay import sells_at

_ASKED_EVERY_S = 0.5
_ASKED_TIMES = 2 * int(leases.TAKEN_S / _ASKED_EVERY_S)


class CannotPrintError(Exception):
    """The outlet cannot have a printed QR: no gateway account, or nothing in its slots."""


class NoPictureError(Exception):
    """The gateway's picture of a code is not available now; ask again later."""


class Profile(Struct, frozen=True, kw_only=True):
    """A machine's payment profile: what its printed QR is and what it sells."""

    outlet: str
    outlet_name: str
    slot: str
    product: str
    merchant_name: str
    languages: tuple[str, ...] = ()  # of the merchant's pages
    contact: str
    provider: str
    qr_code_id: str | None  # None: the gateway has not answered yet; asking again continues
    qr_image_url: str | None
    qr_short_url: str | None
    money: Money
    retired: Money | None = None  # the amount of the code that this one takes the place of


class Priced(Struct, frozen=True):
    """A slot that a code can be printed for."""

    slot: str
    price: Money
    account_id: UUID
    channel: str


class WantedCode(Struct, frozen=True, kw_only=True):
    """The printed code that a slot should have."""

    merchant: UUID
    account_id: UUID
    outlet: str
    slot: str
    money: Money
    due_at: datetime  # when a worker makes it at the gateway


async def amount_of(
    context: Context, outlet: str, slot: str | None, typed: str, *, different: bool = False
) -> int:
    """Minor units of what a person typed for a code of this slot. A price that differs from the
    slot's is more likely a mistake than a wish: it needs `different`.

    Raises UnknownOutletError and CannotPrintError."""
    merchant = await owner_of(context.db, outlet)
    async with context.db.as_merchant(merchant) as conn:
        found = await _priced(conn, outlet, slot)
    try:
        money = Money.typed(typed, found.price.currency)
    except (MoneyTextError, MoneyRangeError) as error:
        raise CannotPrintError(str(error)) from error
    if money.minor <= 0:
        raise CannotPrintError("a code takes more than nothing")
    if not different:
        _same_price(found, money)
    return money.minor


async def _must_sell_at(context: Context, found: Priced) -> None:
    account = await context.accounts.by_id(found.account_id)
    if not sells_at(account, found.channel):
        raise CannotPrintError("a practice machine has no code for money that may be real")


def _same_price(found: Priced, money: Money) -> None:
    if money != found.price:
        raise CannotPrintError(
            f"{money} is not the price of slot {found.slot}, which is {found.price};"
            f" leave --amount out, or say --different-price to sell at {money}"
        )


async def _priced(conn: Connection, outlet: str, slot: str | None) -> Priced:
    """The slot, locked: its price stays what the code takes until the transaction ends."""
    found = await conn.fetchrow(
        "SELECT s.slot, s.price_minor, o.account_id, o.currency, o.channel FROM slots s"
        " JOIN outlets o ON o.id = s.outlet_id JOIN gateway_accounts g ON g.id = o.account_id"
        " WHERE o.id = $1 AND g.disabled_at IS NULL"
        " AND ($2::text IS NULL OR s.slot = $2) AND o.decommissioned_at IS NULL"
        " ORDER BY s.slot LIMIT 1 FOR NO KEY UPDATE OF s",
        outlet,
        slot,
    )
    if found is None:
        raise CannotPrintError("no such slot in service, or no gateway account that is enabled")
    price = Money(found["price_minor"], found["currency"])
    return Priced(found["slot"], price, found["account_id"], found["channel"])


async def print_qr(
    context: Context,
    outlet: str,
    minor: int | None,
    slot: str | None = None,
    *,
    different: bool = True,
) -> Profile:
    """The outlet's printed QR, made now or before. `minor` None takes the slot's price; another
    amount is refused unless it may be `different`.

    Raises UnknownOutletError and CannotPrintError."""
    merchant = await owner_of(context.db, outlet)
    async with context.db.as_merchant(merchant) as conn:
        found = await _priced(conn, outlet, slot)
        await _must_sell_at(context, found)
        amount = found.price.minor if minor is None else minor
        if not different:  # the price may have changed since it was compared
            _same_price(found, Money(amount, found.price.currency))
        wanted = WantedCode(
            merchant=merchant, account_id=found.account_id, outlet=outlet, slot=found.slot,
            money=Money(amount, found.price.currency),
            due_at=context.now() + timedelta(seconds=10),  # made here, or else by a worker
        )  # fmt: skip
        old = await want_printed(conn, wanted, context.now())
        row = await _live(conn, outlet, found.slot)
    if row["stage"] == "wanted":
        for _ in range(_ASKED_TIMES):
            if await qr_codes.drive_now(context, row["id"]):
                break
            await asyncio.sleep(_ASKED_EVERY_S)  # another process makes it, or died while making it
        async with context.db.as_merchant(merchant) as conn:
            row = await _live(conn, outlet, found.slot)
    profile = await _profile(context, row)
    return profile if old is None else replace(profile, retired=Money(old, found.price.currency))


async def want_printed(
    conn: Connection, wanted: WantedCode, now: datetime, *, anew: bool = False
) -> int | None:
    """Record that a slot's printed code takes this much; the caller holds the slot's lock. A code
    of another amount (or any, `anew`) is retired first: money through it goes back from now on.
    Returns the amount of the retired one."""
    old: int | None = await conn.fetchval(
        "UPDATE qr_codes SET retired_at = $4, due_at = $4, leased_until = NULL, lease = lease + 1,"
        " stage = CASE stage WHEN 'open' THEN 'closing' ELSE stage END"
        " WHERE outlet_id = $1 AND slot = $2 AND payment_id IS NULL AND retired_at IS NULL"
        " AND (amount_minor <> $3 OR $5) RETURNING amount_minor",
        wanted.outlet, wanted.slot, wanted.money.minor, now, anew,
    )  # fmt: skip
    await conn.execute(
        "INSERT INTO qr_codes (id, merchant_id, account_id, outlet_id, slot, amount_minor,"
        " currency, created_at, due_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
        " ON CONFLICT DO NOTHING",
        uuid7(now), wanted.merchant, wanted.account_id, wanted.outlet, wanted.slot,
        wanted.money.minor, wanted.money.currency, now, wanted.due_at,
    )  # fmt: skip
    return old


async def at_another_price(db: Database) -> list[str]:
    """A line for each printed code in service whose amount is not what its slot costs."""
    async with db.system_transaction() as conn:
        rows = await conn.fetch(PRINTED_AT_ANOTHER_PRICE)
    return [
        f"{row['outlet_id']}'s printed code takes {Money(row['code_takes'], row['currency'])},"
        f" slot {row['slot']} costs {Money(row['slot_costs'], row['currency'])}"
        for row in rows
    ]


async def picture(profile: Profile) -> bytes:
    """The gateway's own picture of the code. Raises NoPictureError."""
    if profile.qr_image_url is None:
        raise NoPictureError("the gateway has not made the code yet")
    found = await wire.picture(profile.qr_image_url)
    if isinstance(found, wire.NoReply):
        raise NoPictureError(f"no picture at {profile.qr_image_url}: {found.reason}")
    return found


async def sheet_made(context: Context, profile: Profile) -> None:
    """A sheet of this code was made: when it is retired, its print is an old one."""
    merchant = await owner_of(context.db, profile.outlet)
    async with context.db.as_merchant(merchant) as conn:
        await conn.execute(
            "UPDATE qr_codes SET sheet_at = $3 WHERE outlet_id = $1 AND qr_code_id = $2"
            " AND payment_id IS NULL",
            profile.outlet, profile.qr_code_id, context.now(),
        )  # fmt: skip


async def _live(conn: Connection, outlet: str, slot: str) -> asyncpg.Record:
    row = await conn.fetchrow(
        "SELECT * FROM qr_codes WHERE outlet_id = $1 AND slot = $2 AND payment_id IS NULL"
        " AND retired_at IS NULL",
        outlet,
        slot,
    )
    if row is None:
        raise UnknownOutletError(outlet)  # retired between two statements
    return row


async def _profile(context: Context, row: asyncpg.Record) -> Profile:
    account = await context.accounts.by_id(row["account_id"])
    async with context.db.as_merchant(row["merchant_id"]) as conn:
        names = await conn.fetchrow(
            "SELECT o.name, o.contact, m.name AS merchant, m.languages, p.name AS product"
            " FROM outlets o"
            " JOIN merchants m ON m.id = o.merchant_id JOIN slots s ON s.outlet_id = o.id"
            " AND s.slot = $2 JOIN products p ON p.id = s.product_id WHERE o.id = $1",
            row["outlet_id"],
            row["slot"],
        )
    if names is None:
        raise UnknownOutletError(row["outlet_id"])
    return Profile(
        outlet=row["outlet_id"],
        outlet_name=names["name"],
        slot=row["slot"],
        product=names["product"],
        merchant_name=names["merchant"],
        languages=tuple(names["languages"]),
        contact=names["contact"],
        provider=account.gateway,
        qr_code_id=row["qr_code_id"],
        qr_image_url=row["image_url"],
        qr_short_url=row["short_url"],
        money=Money(row["amount_minor"], row["currency"]),
    )


async def decommission(context: Context, outlet: str) -> None:
    """Take a machine out of service: its codes are closed (retried), and later money goes back.

    Raises UnknownOutletError."""
    merchant = await owner_of(context.db, outlet)
    async with context.db.as_merchant(merchant) as conn:
        await close_down(conn, outlet, context.now())
    context.wakes.wake("qr_codes")


async def close_down(conn: Connection, outlet: str, now: datetime) -> None:
    """The outlet is out of service, and its printed codes are to be closed."""
    await conn.execute(
        "UPDATE outlets SET decommissioned_at = coalesce(decommissioned_at, $2) WHERE id = $1",
        outlet,
        now,
    )
    await conn.execute(
        "UPDATE qr_codes SET retired_at = $2, due_at = $2,"
        " leased_until = NULL, lease = lease + 1,"
        " stage = CASE stage WHEN 'open' THEN 'closing' ELSE stage END"
        " WHERE outlet_id = $1 AND retired_at IS NULL AND payment_id IS NULL",
        outlet,
        now,
    )
