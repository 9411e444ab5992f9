"""The printers of a counter, as its merchant sets them up, and the phone that is called when nobody
accepts an order."""

import re
from datetime import datetime
from ipaddress import ip_address
from typing import Final
from uuid import UUID

import asyncpg
from msgspec import Struct

from coinslot.context import Context
from coinslot.counter.printing import Stage, may_be_at, stage_of
from coinslot.counter.staff import Staff
from coinslot.kit.ids import token, uuid7
from coinslot.people.audit_log import Act, record
from coinslot.people.tokens import hashed

KINDS: Final = ("escpos", "star", "epson")
WIDTHS: Final = (576, 384)  # dots of paper of 80 and 58 mm
PHONE: Final = re.compile(r"\+[1-9][0-9]{6,14}")
# Only ports of printers: nobody makes this server talk to anything else.
_ADDRESS: Final = re.compile(r"([A-Za-z0-9.-]{1,200}|\[[0-9a-fA-F:]{2,45}\]):91[0-9]{2}")
_SECRET_BYTES: Final = 24
_MOST: Final = 20  # of one counter

_LISTED = """
SELECT p.*, u.name AS outlet, l.created_at AS last_at, l.sent_at, l.printed_at, l.doubted_at,
    l.failed_at, l.problem
FROM counter_printers p JOIN outlets u ON u.id = p.outlet_id
LEFT JOIN LATERAL (SELECT * FROM counter_prints j WHERE j.printer_id = p.id
    ORDER BY j.created_at DESC, j.id DESC LIMIT 1) l ON true
WHERE p.retired_at IS NULL AND ($1::text[] IS NULL OR p.outlet_id = ANY ($1))
ORDER BY u.name, p.name, p.id
"""
_ADD = """
INSERT INTO counter_printers (id, merchant_id, outlet_id, name, kind, address, secret_hash, width,
    stations, tickets, created_at)
SELECT $1, s.merchant_id, s.outlet_id, $3, $4, $5, $6, $7, $8, $9, $10 FROM counter_stores s
WHERE s.outlet_id = $2 AND ($11::text[] IS NULL OR s.outlet_id = ANY ($11))
    AND (SELECT count(*) FROM counter_printers p WHERE p.outlet_id = s.outlet_id
        AND p.retired_at IS NULL) < $12
RETURNING id
"""
_RETIRE = """
UPDATE counter_printers SET retired_at = $2 WHERE id = $1 AND retired_at IS NULL
    AND ($3::text[] IS NULL OR outlet_id = ANY ($3)) RETURNING name
"""
_TEST = """
INSERT INTO counter_prints (id, merchant_id, outlet_id, printer_id, kind, token, created_at, due_at)
SELECT uuid7($2), merchant_id, outlet_id, id, 'test',
    left(replace(gen_random_uuid()::text, '-', ''), 24), $2, $2
FROM counter_printers WHERE id = $1 AND retired_at IS NULL
    AND ($3::text[] IS NULL OR outlet_id = ANY ($3)) RETURNING id
"""
_PHONE = """
UPDATE counter_stores SET alarm_phone = $2
WHERE outlet_id = $1 AND ($3::text[] IS NULL OR outlet_id = ANY ($3)) RETURNING true
"""
_STORES = """
SELECT s.outlet_id, s.alarm_phone, u.name,
    ARRAY(SELECT DISTINCT i.station FROM counter_items i WHERE i.outlet_id = s.outlet_id
        AND i.retired_at IS NULL AND i.station <> '' ORDER BY 1) AS stations
FROM counter_stores s JOIN outlets u ON u.id = s.outlet_id
WHERE u.decommissioned_at IS NULL AND ($1::text[] IS NULL OR s.outlet_id = ANY ($1))
ORDER BY u.name, u.id
"""


class PrinterError(ValueError):
    """What a printer cannot be: `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class NewPrinter(Struct, frozen=True, kw_only=True):
    """A printer as it is set up. `address`: host and port, of one that listens."""

    outlet: str
    name: str
    kind: str
    address: str = ""
    width: int = 576
    stations: tuple[str, ...] = ()
    tickets: bool = True


class Listed(Struct, frozen=True, kw_only=True):
    """A printer, and what became of its newest job."""

    id: UUID
    outlet: str
    name: str
    kind: str
    address: str
    width: int
    stations: tuple[str, ...]
    tickets: bool
    asked_at: datetime | None
    last_at: datetime | None
    stage: Stage | None
    problem: str


class Place(Struct, frozen=True, kw_only=True):
    """A counter: its phone, and the stations that its menu names."""

    outlet: str
    name: str
    phone: str
    stations: tuple[str, ...]


async def listed(context: Context, who: Staff) -> list[Listed]:
    async with context.db.as_merchant(who.merchant) as conn:
        rows = await conn.fetch(_LISTED, who.outlets)
    return [_listed(row) for row in rows]


async def places(context: Context, who: Staff) -> list[Place]:
    async with context.db.as_merchant(who.merchant) as conn:
        rows = await conn.fetch(_STORES, who.outlets)
    return [
        Place(
            outlet=row["outlet_id"], name=row["name"], phone=row["alarm_phone"] or "",
            stations=tuple(row["stations"]),
        )
        for row in rows
    ]  # fmt: skip


async def add(context: Context, who: Staff, new: NewPrinter) -> str:
    """The secret of its address, shown this once; empty for one that listens. Raises
    PrinterError."""
    if new.kind not in KINDS or new.width not in WIDTHS or not new.name.strip():
        raise PrinterError("printer_unknown_kind")
    listens = new.kind == "escpos"
    if listens and not _ADDRESS.fullmatch(new.address):
        raise PrinterError("printer_address")
    host = new.address.rpartition(":")[0].strip("[]")
    if listens and _is_literal(host) and not may_be_at(context, host):
        raise PrinterError("printer_network")
    secret = "" if listens else token(_SECRET_BYTES)
    now = context.now()
    async with context.db.as_merchant(who.merchant) as conn:
        made = await conn.fetchval(
            _ADD, uuid7(now), new.outlet, new.name.strip(), new.kind,
            new.address if listens else "", None if listens else hashed(secret), new.width,
            list(new.stations), new.tickets, now, who.outlets, _MOST,
        )  # fmt: skip
        if made is None:
            raise PrinterError("printer_no_room")
        after = {"kind": new.kind, "address": new.address, "stations": list(new.stations)}
        act = Act(action="printer.added", merchant=who.merchant, subject=new.name, after=after)
        await record(conn, who.actor, act, now)
    return secret


async def retire(context: Context, who: Staff, printer: UUID) -> None:
    """It gets nothing more. Raises PrinterError."""
    async with context.db.as_merchant(who.merchant) as conn:
        name = await conn.fetchval(_RETIRE, printer, context.now(), who.outlets)
        if name is None:
            raise PrinterError("printer_unknown")
        act = Act(action="printer.retired", merchant=who.merchant, subject=name)
        await record(conn, who.actor, act, context.now())


async def test(context: Context, who: Staff, printer: UUID) -> None:
    """One piece of paper. Raises PrinterError."""
    async with context.db.as_merchant(who.merchant) as conn:
        if await conn.fetchval(_TEST, printer, context.now(), who.outlets) is None:
            raise PrinterError("printer_unknown")
        act = Act(action="printer.tested", merchant=who.merchant, subject=str(printer))
        await record(conn, who.actor, act, context.now())
    context.wakes.wake("counter_prints")


async def call_there(context: Context, who: Staff, outlet: str, phone: str) -> None:
    """This phone is called when nobody accepts an order; empty: none is. Raises PrinterError."""
    digits = re.sub(r"[ ()-]", "", phone)
    if digits and not PHONE.fullmatch(digits):
        raise PrinterError("printer_phone")
    async with context.db.as_merchant(who.merchant) as conn:
        if not await conn.fetchval(_PHONE, outlet, digits or None, who.outlets):
            raise PrinterError("printer_unknown")
        act = Act(action="store.phone", merchant=who.merchant, subject=outlet,
                  after={"phone": digits})  # fmt: skip
        await record(conn, who.actor, act, context.now())


def _is_literal(host: str) -> bool:
    """An address, and no name: those are looked at whenever they are connected to."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _listed(row: asyncpg.Record) -> Listed:
    return Listed(
        id=row["id"], outlet=row["outlet"], name=row["name"], kind=row["kind"],
        address=row["address"], width=row["width"], stations=tuple(row["stations"]),
        tickets=row["tickets"], asked_at=row["asked_at"], last_at=row["last_at"],
        stage=None if row["last_at"] is None else stage_of(row), problem=row["problem"] or "",
    )  # fmt: skip
