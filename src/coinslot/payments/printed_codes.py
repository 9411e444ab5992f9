"""The printed codes of a merchant's machines: what each takes, what it says, and which print on a
machine is no longer true."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from msgspec import Struct

from coinslot.context import Context
from coinslot.db.pool import Connection
from coinslot.gateways import wire
from coinslot.gateways.base import PrintsQr
from coinslot.gateways.wire import NoReply
from coinslot.kit import qr
from coinslot.kit.money import Money
from coinslot.payments.provision import WantedCode, want_printed
from coinslot.people.audit_log import Act, Actor, record

CODES_AT_MOST: Final = 200  # of one sheet
_READ_AT_ONCE: Final = 8

Fetch = Callable[[str], Awaitable[bytes | NoReply]]

_LISTED = """
SELECT o.id AS outlet, o.name, o.currency::text, s.slot, p.name AS product, s.price_minor,
    q.id AS code, q.stage, q.amount_minor, q.payable, q.image_url, q.sheet_at,
    o.account_id, old.amount_minor AS old_minor, old.sheet_at AS old_at,
    coalesce(nullif(o.contact, ''), nullif(b.support, ''), m.contact) AS contact,
    coalesce(nullif(b.shown_name, ''), m.name) AS merchant, coalesce(b.nothing_out, '')
        AS nothing_out, p.names, m.languages
FROM outlets o JOIN slots s ON s.outlet_id = o.id JOIN products p ON p.id = s.product_id
JOIN merchants m ON m.id = o.merchant_id LEFT JOIN brands b ON b.merchant_id = m.id
LEFT JOIN qr_codes q ON q.outlet_id = o.id AND q.slot = s.slot AND q.payment_id IS NULL
    AND q.retired_at IS NULL
LEFT JOIN LATERAL (SELECT r.amount_minor, r.sheet_at FROM qr_codes r
    WHERE r.outlet_id = o.id AND r.slot = s.slot AND r.payment_id IS NULL
    AND r.retired_at IS NOT NULL AND r.sheet_at IS NOT NULL AND r.taken_down_at IS NULL
    ORDER BY r.retired_at DESC LIMIT 1) old ON true
WHERE o.merchant_id = $1 AND o.decommissioned_at IS NULL
    AND ($2::text[] IS NULL OR o.id = ANY ($2)) AND ($3::text IS NULL OR o.id > $3)
    AND o.id IN (SELECT id FROM outlets WHERE merchant_id = $1 AND decommissioned_at IS NULL
        AND ($2::text[] IS NULL OR id = ANY ($2)) AND ($3::text IS NULL OR id > $3)
        ORDER BY id LIMIT $4)
ORDER BY o.id, s.slot
"""


class SlotCode(Struct, frozen=True, kw_only=True):
    """A slot, and its printed code where it has one."""

    outlet: str
    outlet_name: str
    slot: str
    product: str
    price: Money
    merchant: str
    contact: str
    nothing_out: str
    account_id: UUID | None
    languages: tuple[str, ...] = ()  # of its merchant's pages
    code: UUID | None = None
    stage: str = ""  # wanted, open
    takes: Money | None = None  # the code
    payable: str | None = None
    image_url: str | None = None
    sheet_at: datetime | None = None
    old: Money | None = None  # what a retired code took whose print may still be on the machine
    old_at: datetime | None = None

    @property
    def is_true(self) -> bool:
        """Whether the code takes what the slot costs."""
        return self.takes is None or self.takes == self.price


async def listed(
    conn: Connection,
    merchant: UUID,
    outlets: Sequence[str] | None = None,
    after: str | None = None,
    limit: int = 50,
) -> list[SlotCode]:
    """The slots of some machines, or of a page of all; `limit` counts machines."""
    wanted = None if outlets is None else list(outlets)
    rows = await conn.fetch(_LISTED, merchant, wanted, after, limit)
    return [
        SlotCode(
            outlet=row["outlet"], outlet_name=row["name"], slot=row["slot"],
            product=row["product"], price=Money(row["price_minor"], row["currency"]),
            merchant=row["merchant"], contact=row["contact"], nothing_out=row["nothing_out"],
            account_id=row["account_id"], languages=tuple(row["languages"]), code=row["code"],
            stage=row["stage"] or "",
            takes=_money(row["amount_minor"], row["currency"]), payable=row["payable"],
            image_url=row["image_url"], sheet_at=row["sheet_at"],
            old=_money(row["old_minor"], row["currency"]), old_at=row["old_at"],
        )
        for row in rows
    ]  # fmt: skip


def _money(minor: int | None, currency: str) -> Money | None:
    return None if minor is None else Money(minor, currency)


async def prints(context: Context, codes: Sequence[SlotCode]) -> frozenset[UUID]:
    """Which of their accounts are at a gateway that issues codes to be printed."""
    found = set()
    for account_id in {one.account_id for one in codes if one.account_id is not None}:
        account = await context.accounts.by_id(account_id)
        if isinstance(account.driver, PrintsQr):
            found.add(account_id)
    return frozenset(found)


class WantedSheet(Struct, frozen=True, kw_only=True):
    """These slots (machine and slot) are to have a printed code. A code takes the slot's price; one
    that takes another amount is retired and made anew when `replace`, and else stays: a person
    decided so."""

    merchant: UUID
    slots: Sequence[tuple[str, str]]
    replace: bool


async def want(context: Context, sheet: WantedSheet, who: Actor, act: Act) -> None:
    """A sheet is made of their codes; a worker makes the code that is not there. `act` is who did
    it in the audit log."""
    now, merchant = context.now(), sheet.merchant
    async with context.db.as_merchant(merchant) as conn:
        for outlet, slot in sorted(sheet.slots):
            row = await conn.fetchrow(
                "SELECT s.price_minor, o.currency::text, o.account_id, EXISTS (SELECT FROM qr_codes"
                " WHERE outlet_id = o.id AND slot = s.slot AND payment_id IS NULL"
                " AND retired_at IS NULL) AS has_code FROM slots s"
                " JOIN outlets o ON o.id = s.outlet_id WHERE o.id = $1 AND s.slot = $2"
                " AND o.decommissioned_at IS NULL FOR NO KEY UPDATE OF s",
                outlet,
                slot,
            )
            if row is None or row["account_id"] is None:
                continue
            if sheet.replace or not row["has_code"]:
                money = Money(row["price_minor"], row["currency"])
                wanted = WantedCode(
                    merchant=merchant, account_id=row["account_id"], outlet=outlet, slot=slot,
                    money=money, due_at=now,
                )  # fmt: skip
                await want_printed(conn, wanted, now)
            await conn.execute(
                "UPDATE qr_codes SET sheet_at = $3 WHERE outlet_id = $1 AND slot = $2"
                " AND payment_id IS NULL AND retired_at IS NULL",
                outlet, slot, now,
            )  # fmt: skip
        await record(conn, who, act, now)
    context.wakes.wake("qr_codes")


async def read_codes(
    context: Context, merchant: UUID, codes: Sequence[SlotCode], fetch: Fetch = wire.picture
) -> None:
    """Read from the gateway's pictures what new codes say; it never changes. What cannot be read
    now is read another time."""
    places = asyncio.Semaphore(_READ_AT_ONCE)

    async def read(one: SlotCode) -> tuple[UUID, str] | None:
        if one.code is None or one.payable is not None or not one.image_url:
            return None
        async with places:
            drawn = await fetch(one.image_url)
        if isinstance(drawn, NoReply):
            return None
        payable = await asyncio.to_thread(qr.read, drawn)
        return None if payable is None else (one.code, payable)

    found = [said for said in await asyncio.gather(*map(read, codes)) if said is not None]
    async with context.db.as_merchant(merchant) as conn:
        await conn.executemany(
            "UPDATE qr_codes SET payable = coalesce(payable, $2) WHERE id = $1", found
        )


async def taken_down(conn: Connection, outlet: str, slot: str, now: datetime) -> None:
    """A person says that no old print hangs at this slot any more."""
    await conn.execute(
        "UPDATE qr_codes SET taken_down_at = $3 WHERE outlet_id = $1 AND slot = $2"
        " AND payment_id IS NULL AND retired_at IS NOT NULL AND taken_down_at IS NULL",
        outlet, slot, now,
    )  # fmt: skip
