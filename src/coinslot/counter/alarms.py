"""What is done about a paid order that nobody accepts: boards sound again, people get mail and a
push, the counter's phone is called. When its time is over, its money goes back. Each step is a
moment of a row that is due, and is committed before anything goes out."""

from datetime import datetime
from typing import Final

import asyncpg

from coinslot.context import Context
from coinslot.counter import boards, store
from coinslot.db.pool import Connection
from coinslot.events.notices import preferences
from coinslot.events.notices.alerts import ORDER
from coinslot.events.notices.plan import Said, Telling
from coinslot.events.notices.words import Three, text
from coinslot.notices.base import Form
from coinslot.people.roles import PERMISSIONS

_NEEDS: Final = "board:write"
_STAFF: Final = "staff"
_TITLE: Final[Three] = (
    "An order waits at {counter}: {number}", "{counter} पर ऑर्डर इंतज़ार में: {number}",
    "Заказ ждёт, {counter}: {number}",
)  # fmt: skip
_MORE: Final[Three] = (
    "Nobody has accepted it. Its money goes back at {at}.",
    "किसी ने स्वीकार नहीं किया। {at} पर पैसा लौट जाएगा।",
    "Его никто не принял. В {at} деньги вернутся покупателю.",
)

_HOLD = "SELECT * FROM counter_alarms WHERE id = $1 AND ended_at IS NULL FOR NO KEY UPDATE"
# `until`: when its money goes back; NULL: nothing of it waits to be accepted.
_ABOUT = """
SELECT o.number, u.name AS counter, s.alarm_phone,
    (SELECT min(f.dispatch_by) FROM fulfillments f
        WHERE f.order_id = o.id AND f.state = 'to_accept') AS until,
    coalesce((SELECT max(a.called_at) FROM counter_alarms a WHERE a.outlet_id = o.outlet_id)
        > $2, false) AS called_lately,
    m.languages[1] AS language
FROM orders o JOIN outlets u ON u.id = o.outlet_id JOIN counter_stores s ON s.outlet_id = u.id
JOIN merchants m ON m.id = o.merchant_id WHERE o.id = $1
"""
_END = "UPDATE counter_alarms SET ended_at = $2, due_at = NULL WHERE id = $1"
_STEP = """
UPDATE counter_alarms SET repeated_at = coalesce(repeated_at, $2), told_at = coalesce(told_at, $3),
    called_at = coalesce(called_at, $4), due_at = $5 WHERE id = $1
"""
# A message of the order from now on: it is sent once, and its end and its price are followed.
_CALL = """
INSERT INTO counter_messages (id, merchant_id, outlet_id, order_id, purpose, form, dedup,
    created_at, due_at)
SELECT gen_random_uuid(), merchant_id, outlet_id, id, 'alarm', 'call', 'alarm.' || id::text, $2, $2
FROM counter_alarms WHERE id = $1 ON CONFLICT (dedup) DO NOTHING
"""


async def drive(context: Context, row: asyncpg.Record) -> None:
    """The next step of one alarm, or its end."""
    async with context.db.system_transaction() as conn:
        held = await conn.fetchrow(_HOLD, row["id"])
        if held is None:
            return
        await conn.execute(store.LOCK_STORE, held["outlet_id"])  # of many orders, one calls
        pause = context.now() - context.windows.span("alarm_pause_s")
        about = await conn.fetchrow(_ABOUT, row["id"], pause)
        assert about is not None, "an alarm has its order"
        if about["until"] is None:
            await conn.execute(_END, row["id"], context.now())
            return
        calls = await _step(context, conn, held, about)
    context.wakes.wake("notices", *(["counter_messages"] if calls else []))


async def _step(
    context: Context, conn: Connection, held: asyncpg.Record, about: asyncpg.Record
) -> bool:
    """Whatever its time has come for; whether the phone is called now. Where no board is
    open, nobody waits for anybody to look."""
    now, since = context.now(), held["since"]
    windows = context.windows
    alone = await boards.connected_since(context, conn, held["outlet_id"]) is None
    repeats = held["repeated_at"] is None and now >= since + windows.span("alarm_repeat_s")
    tells = held["told_at"] is None and (
        now >= since + windows.span("alarm_tell_s") or (alone and repeats)
    )
    calls = held["called_at"] is None and now >= since + windows.span("alarm_call_s")
    if repeats:
        await conn.execute(store.BOARD_CHANGED, held["outlet_id"])
    if tells:
        await _tell(context, conn, held, about)
    goes_out = calls and not about["called_lately"] and _can_call(context, about)
    await conn.execute(
        _STEP, held["id"], now if repeats else None, now if tells else None,
        now if goes_out else None, _next(context, held, about),
    )  # fmt: skip
    if goes_out:
        await conn.execute(_CALL, held["id"], now)
    return goes_out


def _next(context: Context, held: asyncpg.Record, about: asyncpg.Record) -> datetime:
    """When it is looked at again: at its next step, at last when its money has gone back."""
    now, since = context.now(), held["since"]
    names = ("alarm_repeat_s", "alarm_tell_s", "alarm_call_s")
    steps = [since + context.windows.span(name) for name in names]
    later = [step for step in steps if step > now]
    until: datetime = about["until"]
    return min(later, default=max(until, now + context.windows.span("alarm_repeat_s")))


def _can_call(context: Context, about: asyncpg.Record) -> bool:
    return about["alarm_phone"] is not None and Form.CALL in context.notifiers


async def _tell(
    context: Context, conn: Connection, held: asyncpg.Record, about: asyncpg.Record
) -> None:
    """Whoever may work at this board, by mail and push, also in their quiet hours."""
    for member in await conn.fetch(preferences.MEMBERS, held["merchant_id"]):
        if _NEEDS not in PERMISSIONS[member["role"]]:
            continue
        if member["role"] == _STAFF and held["outlet_id"] not in member["outlets"]:
            continue
        choice = preferences.choice_of(member["choices"], member["role"], ORDER)
        who = preferences.listener(member, context.zone_of(member["merchant_zone"]))
        at = about["until"].astimezone(who.hours.zone)
        said = Said(
            purpose=ORDER, path="/console/board", permission=_NEEDS,
            title=_words(_TITLE, who.language, about),
            more=text(_MORE, who.language).format(at=f"{at:%H:%M}"),
        )  # fmt: skip
        told = Telling(context, conn, who, said, held["merchant_id"])
        mark = f"{ORDER}.{held['id'].hex}.{held['since']:%H%M%S}"
        if choice.mail != preferences.OFF:
            await told.mail(mark, context.now())
        if choice.push:
            await told.push(mark, member["browsers"], context.now())


def _words(found: Three, language: str, about: asyncpg.Record) -> str:
    return text(found, language).format(counter=about["counter"], number=about["number"])
