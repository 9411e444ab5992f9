"""Sends what a counter's customers are told: each message is a row that is committed before its
service is called, and is sent once. Where no answer came, the service's own list says whether it
was sent; where there is no list it stays unconfirmed, and may be asked for again. The order's page
always shows what a message tells, whatever became of it."""

from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Final

import asyncpg
import structlog
from prometheus_client import Counter

from coinslot.context import Context
from coinslot.counter import message_limits as limits
from coinslot.counter import message_store as store
from coinslot.counter import writing
from coinslot.notices.base import (
    Absent,
    Cause,
    Finds,
    Form,
    Looks,
    Notifier,
    Refused,
    Report,
    Sent,
    Stage,
    Unclear,
    is_newer,
)

log = structlog.get_logger(__name__)

_ENDED = Counter(
    "coinslot_messages_total", "Messages to customers, by their end", ("form", "outcome")
)
TRIES: Final = 5  # of one that provably was not sent
LOOKS_IN_DOUBT: Final = 6
# From the beginning of a call on, before which a list without it proves nothing: the call itself
# ends earlier.
_LISTED_BY: Final = timedelta(seconds=60)
_SKEW: Final = timedelta(seconds=5)
_PAUSES_S: Final = (5, 20, 60, 300, 1800, 7200, 6 * 3600, 12 * 3600)
_BUSY_S: Final = (10, 30, 60, 120, 300)
_ANSWERED_BY: Final = timedelta(seconds=30)  # or whoever sent it has died
_OPEN: Final = ("due", "sending", "unconfirmed")


async def drive(context: Context, row: asyncpg.Record) -> None:
    """A message is due: send it, or find out what became of it."""
    form = Form(row["form"])
    notifier = context.notifiers.get(form)
    if row["stage"] == "due":
        await _send(context, row, form, notifier)
    elif notifier is None:
        await _doubt(context, row, "this process sends nothing of this form")
    elif row["reference"] is None:
        await _look_for(context, row, form, notifier)
    else:
        await _look(context, row, form, notifier)


async def _send(
    context: Context, row: asyncpg.Record, form: Form, notifier: Notifier | None
) -> None:
    if notifier is None:
        await _failed(context, row, "no_service")
        return
    opted_out = await limits.opted_out(context, form, row["phone_digest"])
    async with context.db.as_merchant(row["merchant_id"]) as conn:
        told = await writing.facts(conn, row)
        why = "opted_out" if opted_out else await limits.refusal(conn, context, row, told)
        if why is not None:
            await conn.execute(store.WITHHOLD, row["id"], row["lease"], why, context.now())
            _ENDED.labels(form.value, "withheld").inc()
            log.info("message_withheld", message=str(row["id"]), why=why)
            return
        begun = await conn.fetchrow(
            store.BEGIN, row["id"], row["lease"], context.now(), context.now() + _ANSWERED_BY,
            writing.all_of_it(told),
        )  # fmt: skip
        if begun is None:
            return
        notice = await writing.notice(conn, context, begun, told)
    context.db.check_lease()
    context.db.reached("before_send")
    answer = await notifier.send(form, notice)
    context.db.reached("after_send")
    await _answered(context, begun, answer)


async def _answered(
    context: Context, row: asyncpg.Record, answer: Sent | Refused | Unclear
) -> None:
    match answer:
        case Sent(reference=reference, stage=stage):
            await reported(context, row, Report(reference=reference, stage=stage))
        case Unclear(reason=reason):
            await _doubt(context, row, reason)
        case Refused(cause=Cause.BUSY | Cause.UNREACHED, reason=reason, code=code):
            await _later(context, row, reason, code)
        case Refused(cause=cause, reason=reason, code=code):
            if cause is Cause.OPTED_OUT and row["phone_digest"] is not None:
                await limits.opt_out(context, row["phone_digest"], f"error {code}")
            if cause is Cause.ACCOUNT:
                log.error("messages_not_sent", form=row["form"], code=code, reason=reason)
            await _failed(context, row, cause.value, code)


async def _look_for(context: Context, row: asyncpg.Record, form: Form, notifier: Notifier) -> None:
    """No answer came, or whoever sent it died before it could write it down. It is sent again only
    where the service's list shows that it never was."""
    if not isinstance(notifier, Finds):
        await _doubt(context, row, "no answer came, and there is no list to look at")
        return
    async with context.db.as_merchant(row["merchant_id"]) as conn:
        told = await writing.facts(conn, row)
        notice = await writing.notice(conn, context, row, told)
    found = await notifier.find(form, notice, row["begun_at"] - _SKEW)
    if isinstance(found, Unclear):
        await _doubt(context, row, found.reason)
        return
    own = await _nobodys(context, row, found)
    if own:
        await reported(context, row, own[0])
    elif found or context.now() - row["begun_at"] < _LISTED_BY or row["tries"] > 1:
        await _doubt(context, row, "not in the service's list")
    else:
        await _later(context, row, "it was not in the service's list a minute later", "")


async def _nobodys(
    context: Context, row: asyncpg.Record, found: tuple[Report, ...]
) -> list[Report]:
    """Those that are no other message's. A call is told from another to the same phone by its id
    alone: while another is in doubt too, neither is taken for either."""
    async with context.db.system_connection() as conn:
        if row["form"] == "call" and await conn.fetchval(
            store.ANOTHER_IN_DOUBT, row["id"], row["phone_digest"]
        ):
            return []
        known = await conn.fetch(store.KNOWN_REFERENCES, [one.reference for one in found])
    taken = {one["reference"] for one in known}
    return [one for one in found if one.reference not in taken]


async def _look(context: Context, row: asyncpg.Record, form: Form, notifier: Notifier) -> None:
    """What became of it, and what it cost: callbacks may be lost, and tell no price."""
    if not isinstance(notifier, Looks):
        return
    found = await notifier.look(form, row["reference"])
    if isinstance(found, (Absent, Unclear)):
        found = Report(reference=row["reference"], stage=_stage(row["stage"]))
    await reported(context, row, found, looked=True)


async def reported(
    context: Context, row: asyncpg.Record, said: Report, *, looked: bool = False,
    answered: bool = False,
) -> None:  # fmt: skip
    """What the service says of a message, in whatever order that comes: an end stays. `answered`:
    a person pressed a key, so nobody else took the call."""
    form, now = Form(row["form"]), context.now()
    async with context.db.as_merchant(row["merchant_id"]) as conn:
        held = await conn.fetchrow(store.HOLD, row["id"])
        if held is None or held["stage"] in ("withheld", "due"):
            return
        if held["reference"] not in (None, said.reference):
            return  # a callback of another one
        known = _stage(held["stage"])
        new = held["reference"] is None or is_newer(said.stage, known)
        stage = said.stage if new else known
        final = stage in (Stage.DELIVERED, Stage.FAILED)
        looks = held["looks"] + 1 if looked else 0 if new else held["looks"]
        price = held["price"] if held["price"] is not None else _price(said)
        proved = final and stage is Stage.DELIVERED and (answered or _proves(context, form))
        await conn.execute(
            store.REPORTED, held["id"], said.reference, stage.value, said.code or None,
            said.code or None, price, _currency(held, said), now if final else None,
            _again_at(context, form, final=final, priced=price is not None, looks=looks),
            looks, proved,
        )  # fmt: skip
    if final and new:
        _ENDED.labels(form.value, stage.value).inc()


def _again_at(
    context: Context, form: Form, *, final: bool, priced: bool, looks: int
) -> datetime | None:
    """When its service is asked about it next; None: nothing more is to be known."""
    notifier = context.notifiers.get(form)
    powers = None if notifier is None else notifier.powers[form]
    if powers is None or not powers.looks or looks >= len(_PAUSES_S):
        return None
    if final and (priced or not powers.priced):
        return None
    return context.now() + timedelta(seconds=_PAUSES_S[looks])


def _proves(context: Context, form: Form) -> bool:
    notifier = context.notifiers.get(form)
    return notifier is not None and notifier.powers[form].proves_delivery


def _stage(stage: str) -> Stage:
    return Stage.QUEUED if stage in _OPEN else Stage(stage)


def _price(said: Report) -> Decimal | None:
    try:
        return None if said.cost is None else Decimal(said.cost.amount)
    except InvalidOperation:
        return None


def _currency(held: asyncpg.Record, said: Report) -> str | None:
    known: str | None = held["price_currency"]
    if known is not None or said.cost is None or _price(said) is None:
        return known
    return said.cost.currency


async def _later(context: Context, row: asyncpg.Record, reason: str, code: str) -> None:
    """It was not sent, so it may be."""
    if row["tries"] >= TRIES:
        await _failed(context, row, "given_up", code)
        return
    pause = _BUSY_S[min(max(row["tries"], 1), len(_BUSY_S)) - 1]
    async with context.db.as_merchant(row["merchant_id"]) as conn:
        await conn.execute(
            store.NOT_SENT, row["id"], reason[:300], code or None,
            context.now() + timedelta(seconds=pause),
        )  # fmt: skip


async def _doubt(context: Context, row: asyncpg.Record, reason: str) -> None:
    """Nobody knows whether it was sent. After a few looks that is how it ends: explained, and never
    sent a second time by itself."""
    looks, listed = row["looks"], isinstance(context.notifiers.get(Form(row["form"])), Finds)
    ends = looks >= LOOKS_IN_DOUBT or not listed
    due = None if ends else context.now() + timedelta(seconds=_PAUSES_S[min(looks, 3)])
    async with context.db.as_merchant(row["merchant_id"]) as conn:
        await conn.execute(
            store.UNCONFIRMED, row["id"], reason[:300], due, context.now() if ends else None
        )
    if ends:
        _ENDED.labels(row["form"], "unconfirmed").inc()
        log.warning("message_unconfirmed", message=str(row["id"]), reason=reason[:300])


async def _failed(context: Context, row: asyncpg.Record, why: str, code: str = "") -> None:
    async with context.db.as_merchant(row["merchant_id"]) as conn:
        await conn.execute(store.FAILED, row["id"], why, code or None, context.now())
    _ENDED.labels(row["form"], "failed").inc()
    log.warning("message_failed", message=str(row["id"]), why=why, code=code)
