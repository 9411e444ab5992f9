"""What a day earned, told once it is over to who asked for it. Twice tells nobody twice: a notice
has the day and the person in its key."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final
from uuid import UUID

import asyncpg
from babel.dates import format_date

from coinslot.context import Context
from coinslot.context.rounds import keep_doing
from coinslot.events.notices.alerts import PROFIT
from coinslot.events.notices.plan import Said, Telling
from coinslot.events.notices.preferences import DIGEST, MEMBERS, NOW, choice_of, listener
from coinslot.events.notices.words import Three, text
from coinslot.kit.money import Money
from coinslot.oversight import profit
from coinslot.oversight.day_sums import DAY, day_in
from coinslot.oversight.money import MoneyFilter
from coinslot.oversight.profit import Profit
from coinslot.people.roles import PERMISSIONS

_AFTER: Final = timedelta(hours=1)  # what was booked on a day is committed by then
_CHECK_S: Final = 300.0
_MERCHANTS: Final = """
SELECT m.id, m.zone FROM merchants m WHERE EXISTS (SELECT FROM notice_choices c
    WHERE c.merchant_id = m.id AND c.event = $1 AND (c.mail <> 'off' OR c.push))
ORDER BY m.id
"""
_DAY: Final[Three] = ("{day}: {sums}", "{day}: {sums}", "{day}: {sums}")
_ONE: Final[Three] = (
    "profit {profit}, orders: {orders}, {earned} earned",
    "{orders} ऑर्डर से लाभ {profit}, कमाई {earned}",
    "прибыль {profit}, заказов {orders}, получено {earned}",
)
_MOST: Final[Three] = ("at most {money}", "अधिकतम {money}", "не больше {money}")
_UNKNOWN: Final[Three] = (
    "Not known yet. Fees: {fees}, costs: {costs}, prices of messages: {prices}.",
    "अभी अज्ञात: {fees} शुल्क, {costs} लागत, {prices} संदेशों की क़ीमत।",
    "Пока не известно: комиссий {fees}, себестоимостей {costs}, цен сообщений {prices}.",
)


async def watch(context: Context) -> None:
    """Tell of each day that is over, until cancelled."""
    told: dict[UUID, date] = {}
    await keep_doing(
        lambda: tell(context, told), _CHECK_S, context.failures, failed="profit_not_told"
    )


async def tell(context: Context, told: dict[UUID, date] | None = None) -> int:
    """Queue what is to be told of the last day that is over; how many notices. `told`: up to which
    day each merchant's people were told by this process."""
    told = {} if told is None else told
    async with context.db.system_connection() as conn:
        merchants = await conn.fetch(_MERCHANTS, PROFIT)
    queued = 0
    for merchant in merchants:
        zone = context.zone_of(merchant["zone"])
        last = (context.now() - _AFTER).astimezone(zone).date() - DAY
        if told.get(merchant["id"]) != last:
            day = day_in(last, zone)
            of = MoneyFilter(first=last, last=last, days=(day,))
            found = await profit.profit(context, merchant["id"], of)
            queued += await _tell(context, merchant, found.totals, last)
            told[merchant["id"]] = last
    if queued:
        context.wakes.wake("notices")
    return queued


async def _tell(
    context: Context, merchant: asyncpg.Record, sums: Sequence[Profit], day: date
) -> int:
    """A day without an order is no news."""
    if not sums:
        return 0
    queued, now = 0, context.now()
    async with context.db.system_transaction() as conn:
        for member in await conn.fetch(MEMBERS, merchant["id"]):
            choice = choice_of(member["choices"], member["role"], PROFIT)
            if "money:read" not in PERMISSIONS[member["role"]]:
                continue
            who = listener(member, context.zone_of(member["merchant_zone"]))
            title, more = _said(sums, day, who.language)
            path = f"/console/money/profit?from={day}&to={day}"
            said = Said(purpose=PROFIT, title=title, more=more, path=path, permission="money:read")
            telling = Telling(context, conn, who, said, merchant["id"])
            mark = f"{PROFIT}.{merchant['id'].hex}.{day}"
            if choice.mail in (NOW, DIGEST):
                at = who.hours.free(now) if choice.mail == NOW else who.hours.digest(now)
                queued += await telling.mail(mark, at)
            if choice.push:
                queued += await telling.push(mark, member["browsers"], who.hours.free(now))
    return queued


def _said(sums: Sequence[Profit], day: date, language: str) -> tuple[str, str]:
    """The sentence, and what it leaves out."""
    parts = []
    for one in sums:
        shown = _money(one.profit, one.currency)
        parts.append(
            text(_ONE, language).format(
                orders=one.orders, earned=_money(one.earned, one.currency),
                profit=shown if one.is_known else text(_MOST, language).format(money=shown),
            )
        )  # fmt: skip
    when = str(format_date(day, "d MMM", locale=language))
    title = text(_DAY, language).format(day=when, sums="; ".join(parts))
    if all(one.is_known for one in sums):
        return title, ""
    return title, text(_UNKNOWN, language).format(
        fees=sum(one.no_fee for one in sums), costs=sum(one.no_cost for one in sums),
        prices=sum(one.no_price for one in sums),
    )  # fmt: skip


def _money(minor: int, currency: str) -> str:
    return f"{Money(minor, currency).decimal()} {currency}"
