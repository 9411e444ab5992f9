"""Jobs of printers. A job is sent once: that is committed before a byte goes out. Without a result
it is unconfirmed, and only a person prints it again, as a copy; a result that comes late still
counts. Nobody at the board waits for paper."""

import asyncio
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

import asyncpg
from msgspec import Struct
from PIL import Image

from coinslot.context import Context
from coinslot.counter import envelopes, paper, store
from coinslot.counter.tickets import Ticket
from coinslot.db.pool import Connection
from coinslot.events.webhooks.dns import addresses
from coinslot.events.webhooks.safe_http import is_public
from coinslot.pages.peer import is_one_of
from coinslot.people.tokens import hashed

_PROBLEM_CHARS: Final = 200
_CONNECT_S, _ANSWER_S = 3.0, 20.0
_PORT: Final = 9100


class Stage(StrEnum):
    """Where a job stands."""

    DUE = "due"
    SENT = "sent"
    PRINTED = "printed"
    UNCONFIRMED = "unconfirmed"
    FAILED = "failed"


class Printer(Struct, frozen=True, kw_only=True):
    """A printer that comes and asks."""

    id: UUID
    merchant: UUID
    kind: str


def stage_of(job: asyncpg.Record) -> Stage:
    if job["printed_at"] is not None:
        return Stage.PRINTED
    if job["failed_at"] is not None:
        return Stage.FAILED
    if job["doubted_at"] is not None:
        return Stage.UNCONFIRMED
    return Stage.DUE if job["sent_at"] is None else Stage.SENT


# Together with whatever is needed to draw it.
JOB: Final = """
SELECT j.*, p.kind AS printer_kind, p.address, p.width, p.name AS printer, u.name AS outlet,
    coalesce(u.zone, m.zone) AS zone, m.languages[1] AS language,
    coalesce(o.number, w.number) AS number, coalesce(o.paid_at, w.entered_at) AS paid_at,
    o.currency::text, coalesce(c.name, w.name) AS name, c.spot, c.wanted_at, p.stations,
    w.lines AS walk_in_lines, m.name AS merchant, n.amount_minor AS credited, n.taxes,
    n.at AS credited_at, n.void_at, number_of_year(n.year, n.number) AS credit,
    number_of_year(i.year, i.number) AS corrects, x.kind AS extra
FROM counter_prints j JOIN counter_printers p ON p.id = j.printer_id
JOIN outlets u ON u.id = j.outlet_id JOIN merchants m ON m.id = j.merchant_id
LEFT JOIN orders o ON o.id = j.order_id LEFT JOIN counter_orders c ON c.order_id = j.order_id
LEFT JOIN counter_walk_ins w ON w.id = j.walk_in_id
LEFT JOIN counter_credit_notes n ON n.refund_id = j.credit_refund
LEFT JOIN counter_invoices i ON i.order_id = n.order_id
LEFT JOIN order_extras x ON x.id = n.extra_id
WHERE j.id = $1
"""
_PIECES = """
SELECT f.id, f.line_id, f.amount_minor, f.tax_minor, f.settlement, l.name, l.price_minor, n.options,
    n.note
FROM fulfillments f JOIN order_lines l ON l.id = f.line_id JOIN counter_lines n ON n.line_id = l.id
WHERE f.id = ANY ($1) ORDER BY f.line_id, f.id
"""
_EXTRAS = "SELECT kind, amount_minor FROM order_extras WHERE order_id = $1 ORDER BY kind"
# A printer takes one job after the other.
_FIRST = """
SELECT NOT EXISTS (SELECT FROM counter_prints e JOIN counter_prints j ON j.id = $1
    WHERE e.printer_id = j.printer_id AND e.due_at IS NOT NULL
    AND (e.created_at, e.id) < (j.created_at, j.id))
"""
_NEXT = """
SELECT id FROM counter_prints WHERE printer_id = $1 AND due_at IS NOT NULL AND sent_at IS NULL
AND created_at > $2 ORDER BY created_at, id LIMIT 1
"""
_OF_TOKEN = """
SELECT id FROM counter_prints WHERE printer_id = $1 AND token = $2
"""
# Clocks are read before rows are locked: what follows is never earlier than what it follows.
TAKE: Final = """
UPDATE counter_prints SET sent_at = greatest($2, created_at), due_at = $3
WHERE id = $1 AND sent_at IS NULL AND due_at IS NOT NULL RETURNING true
"""
_PRINTED = """
UPDATE counter_prints SET printed_at = greatest($2, sent_at), due_at = NULL
WHERE id = $1 AND sent_at IS NOT NULL AND printed_at IS NULL RETURNING true
"""
_FAILED = """
UPDATE counter_prints SET failed_at = greatest($2, sent_at), problem = $3, due_at = NULL
WHERE id = $1 AND printed_at IS NULL AND failed_at IS NULL RETURNING true
"""
_DOUBTED = """
UPDATE counter_prints SET doubted_at = greatest($2, sent_at), problem = $3, due_at = NULL
WHERE id = $1 AND due_at IS NOT NULL AND sent_at IS NOT NULL
"""
_NEXT_DUE = """
UPDATE counter_prints SET due_at = $2 WHERE id = (SELECT id FROM counter_prints
    WHERE printer_id = $1 AND due_at > $2 AND sent_at IS NULL ORDER BY created_at, id LIMIT 1)
"""
_PUT_OFF = "UPDATE counter_prints SET due_at = $2, problem = $3 WHERE id = $1 AND sent_at IS NULL"
_BY_SECRET = """
UPDATE counter_printers SET asked_at = $2 WHERE secret_hash = $1 AND retired_at IS NULL
RETURNING id, merchant_id, kind
"""


async def by_secret(context: Context, secret: str) -> Printer | None:
    """Which printer asks. It is heard now."""
    async with context.db.system_transaction() as conn:
        row = await conn.fetchrow(_BY_SECRET, hashed(secret), context.now())
    if row is None:
        return None
    return Printer(id=row["id"], merchant=row["merchant_id"], kind=row["kind"])


async def next_job(context: Context, printer: Printer) -> str | None:
    """The name of the oldest job that was not sent."""
    async with context.db.as_merchant(printer.merchant) as conn:
        old = context.now() - context.windows.span("print_late_s")
        found = await conn.fetchval(_NEXT, printer.id, old)
        return None if found is None else await _token(conn, found)


async def picture_for(context: Context, printer: Printer, token: str) -> Image.Image | None:
    """The picture of a job, which counts as sent from now on: asked for again, there is none."""
    async with context.db.as_merchant(printer.merchant) as conn:
        job = await conn.fetchval(_OF_TOKEN, printer.id, token)
        if job is None:
            return None
        ticket, width = await _ticket(context, conn, job)
    drawn = await _drawn(ticket, width)
    async with context.db.as_merchant(printer.merchant) as conn:
        taken = await conn.fetchval(TAKE, job, context.now(), context.after("print_answer_s"))
    return drawn if taken else None


async def told(
    context: Context, printer: Printer, token: str, *, printed: bool, problem: str = ""
) -> None:
    """What a printer says became of a job, however late."""
    async with context.db.as_merchant(printer.merchant) as conn:
        job = await conn.fetchval(_OF_TOKEN, printer.id, token)
        if job is not None:
            await _ended(conn, context, job, printed=printed, problem=problem)


async def drive(context: Context, row: asyncpg.Record) -> None:
    """The next step of one job. Of a printer that asks for its jobs it is only to end in time."""
    now = context.now()
    async with context.db.as_merchant(row["merchant_id"]) as conn:
        job = await conn.fetchrow(JOB, row["id"])
        assert job is not None, "a job is never deleted"
        if stage_of(job) not in (Stage.DUE, Stage.SENT):
            return
        if job["sent_at"] is not None:  # whoever sent it died, or its printer says nothing
            await conn.execute(_DOUBTED, job["id"], now, "")
            await _changed(conn, job, context.now())
            return
        late = job["created_at"] + context.windows.span("print_late_s")
        if now >= late:
            problem = job["problem"] or "the printer did not ask for it"
            await _ended(conn, context, job["id"], printed=False, problem=problem)
            return
        first = await conn.fetchval(_FIRST, job["id"])
        if job["printer_kind"] != "escpos" or not first:
            soon = late if first else context.after("print_again_s")
            await conn.execute(_PUT_OFF, job["id"], min(soon, late), job["problem"])
            return
        ticket, width = await _ticket(context, conn, job["id"])
    await _send(context, job, await _drawn(ticket, width))


async def _send(context: Context, job: asyncpg.Record, picture: Image.Image) -> None:
    """ESC/POS. What was not sent for sure is tried again; what may have been is not."""
    try:
        async with asyncio.timeout(_CONNECT_S):
            reader, writer = await _connected(context, job["address"])
    except (OSError, ValueError) as error:
        return await _later(context, job, str(error) or "the printer was not reached")
    try:
        problem = await _why_not(reader, writer)
        if problem:
            return await _later(context, job, problem)
        async with context.db.as_merchant(job["merchant_id"]) as conn:
            taken = await conn.fetchval(TAKE, job["id"], context.now(),
                                        context.after("print_answer_s"))  # fmt: skip
        if not taken:
            return None
        context.db.reached("before_print")
        is_printed = await _print(reader, writer, picture, job["token"])
    finally:
        writer.close()
    async with context.db.as_merchant(job["merchant_id"]) as conn:
        if is_printed:
            await _ended(conn, context, job["id"], printed=True)
        else:
            await conn.execute(_DOUBTED, job["id"], context.now(), "no answer")
            await _changed(conn, job, context.now())


async def _connected(
    context: Context, address: str
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """To an address that was looked at: a name may lead anywhere, and elsewhere the next time.
    Raises OSError, ValueError."""
    host, _, port = address.rpartition(":")
    hosts = await asyncio.to_thread(addresses, host.strip("[]"), int(port or _PORT))
    if not all(may_be_at(context, one) for one in hosts):
        raise OSError("its address is not in COINSLOT_PRINTER_NETWORKS")
    return await asyncio.open_connection(hosts[0], int(port or _PORT))


def may_be_at(context: Context, host: str) -> bool:
    """Whether a printer may be at this address: a merchant's word makes this server call nothing
    of its own network but where the installation says that printers are."""
    return is_public(host) or is_one_of(host, context.printer_networks)


async def _why_not(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> str:
    try:
        async with asyncio.timeout(_CONNECT_S):
            answers = []
            for question in (envelopes.ASK_PRINTER, envelopes.ASK_PAPER):
                writer.write(question)
                answers.append(await reader.read(1))
    except TimeoutError:
        return ""  # one that does not speak of itself
    except OSError as error:
        return str(error) or "the line was cut"
    return envelopes.stops(*answers)


async def _print(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, picture: Image.Image, token: str
) -> bool:
    """Whether the printer confirms that all of it is on paper."""
    heard = b""
    try:
        async with asyncio.timeout(_ANSWER_S):
            writer.write(envelopes.escpos(picture, token))
            await writer.drain()
            while not envelopes.confirmed(heard, token):
                part = await reader.read(64)
                if not part:
                    return False
                heard += part
    except OSError:  # TimeoutError is one
        return False
    return True


async def _later(context: Context, job: asyncpg.Record, problem: str) -> None:
    """Nothing was sent: again soon, until it is too late to be of use."""
    async with context.db.as_merchant(job["merchant_id"]) as conn:
        again = context.after("print_again_s")
        await conn.execute(_PUT_OFF, job["id"], again, problem[:_PROBLEM_CHARS])


async def _ended(
    conn: Connection, context: Context, job: UUID, *, printed: bool, problem: str = ""
) -> None:
    if printed:
        await conn.execute(_PRINTED, job, context.now())
    else:
        said = problem[:_PROBLEM_CHARS] or "no reason told"
        await conn.execute(_FAILED, job, context.now(), said)
    row = await conn.fetchrow(JOB, job)
    assert row is not None
    await _changed(conn, row, context.now())


async def _changed(conn: Connection, job: asyncpg.Record, now: datetime) -> None:
    """The board shows it, and the printer is free for the next one."""
    await conn.execute(_NEXT_DUE, job["printer_id"], now)
    await conn.execute(store.BOARD_CHANGED, job["outlet_id"])


async def _token(conn: Connection, job: UUID) -> str:
    found: str = await conn.fetchval("SELECT token FROM counter_prints WHERE id = $1", job)
    return found


async def _ticket(context: Context, conn: Connection, job: UUID) -> tuple[Ticket, int]:
    row = await conn.fetchrow(JOB, job)
    assert row is not None
    pieces = await conn.fetch(_PIECES, row["units"])
    extras = await conn.fetch(_EXTRAS, row["order_id"])
    return Ticket(row, pieces, extras, context.zone_of(row["zone"])), row["width"]


async def _drawn(ticket: Ticket, width: int) -> Image.Image:
    """Beside the loop: it takes a tenth of a second."""
    return await asyncio.to_thread(paper.draw, ticket.rows(), width, ticket.code)
