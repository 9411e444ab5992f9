"""What is not sent, and why: a phone that wants none, a country that a store does not serve, and
the caps against those who have dear numbers called for a share of the price. Nothing is sent before
an order is paid for."""

from datetime import timedelta
from decimal import Decimal
from typing import Final

import asyncpg

from coinslot.context import Context
from coinslot.counter import codes
from coinslot.counter import message_store as store
from coinslot.counter.contacts import prefixes
from coinslot.db.pool import Connection
from coinslot.kit.money import Money
from coinslot.notices.base import Form

PHONES: Final = (Form.SMS, Form.CALL)
_DAY, _HOUR = timedelta(days=1), timedelta(hours=1)


async def refusal(
    conn: Connection, context: Context, row: asyncpg.Record, told: asyncpg.Record | None
) -> str | None:
    """Why this message is not sent; None: it is. In the transaction that begins it, so that of any
    number that begin at once no more than the caps allow are sent."""
    form = Form(row["form"])
    if told is None:
        return "no_address"
    if row["purpose"] == "alarm" and "to_accept" not in (told["open"] or ()):
        return "over"
    life = timedelta()
    if row["purpose"] == "code":
        life = (await codes.lives(conn, context, [row["outlet_id"]]))[row["outlet_id"]]
    if why := _outlived(context, row, told, life):
        return why
    address = {Form.EMAIL: told["email"], Form.PUSH: told["push"]}.get(form, told["phone"])
    if not address:
        return "no_address"
    if form not in PHONES or row["purpose"] == "alarm":  # that one is once in five minutes
        return None
    allowed = prefixes(told["phone_prefixes"], told["currency"])
    if not any(address.startswith(prefix) for prefix in allowed):
        return "country"
    return await _too_many(conn, context, row, told)


def _outlived(
    context: Context, row: asyncpg.Record, told: asyncpg.Record, life: timedelta
) -> str | None:
    """What it tells is not so any more, or it is too late to tell it. `life`: of a code."""
    if row["purpose"] == "history":
        return None if context.now() < told["expires_at"] else "too_late"
    open_ = told["open"] or ()
    if row["purpose"] == "code":
        if not open_ or told["code_version"] != row["code_version"]:
            return "over"
        return None if context.now() < told["code_from"] + life else "too_late"
    if row["purpose"] == "ready" and (
        "to_pick_up" not in open_ or told["code_version"] != row["code_version"]
    ):
        return "over"
    return "too_late" if context.now() >= row["created_at"] + _DAY else None


async def _too_many(
    conn: Connection, context: Context, row: asyncpg.Record, told: asyncpg.Record
) -> str | None:
    windows, now = context.windows, context.now()
    await conn.execute(store.LINE_UP, str(row["merchant_id"]))
    guess = Decimal(Money(windows.message_cents, "USD").decimal())
    spent = await conn.fetchrow(
        store.SPENT, row["id"], row["phone_digest"], row["network"], row["outlet_id"],
        now - _DAY, now - _HOUR, guess,
    )  # fmt: skip
    assert spent is not None
    if spent["phone"] >= _least(told["phone_messages"], windows.phone_messages):
        return "too_many_phone"
    if spent["network"] >= windows.network_messages:
        return "too_many_network"
    if spent["outlet"] >= _least(told["outlet_messages"], windows.outlet_messages):
        return "too_many_outlet"
    most = Decimal(Money(windows.merchant_message_cents, "USD").decimal())
    if spent["money"] + guess > most:
        return "too_dear"
    return None


def _least(own: int | None, most: int) -> int:
    """A store may want fewer than the installation allows, never more."""
    return most if own is None else min(own, most)


def of_calls(phone_digest: str) -> str:
    """Who wants no calls may want text messages."""
    return f"{phone_digest}.calls"


async def opted_out(context: Context, form: Form, phone_digest: str | None) -> bool:
    """Whether the owner of this phone wants none of these. After STOP nothing is sent at all."""
    if phone_digest is None or form not in PHONES:
        return False
    asked = [phone_digest, *([of_calls(phone_digest)] if form is Form.CALL else [])]
    async with context.db.system_connection() as conn:
        return bool(await conn.fetchval(store.OPTED_OUT, asked))


async def opt_out(context: Context, phone_digest: str, told_by: str) -> None:
    async with context.db.system_connection() as conn:
        await conn.execute(store.OPT_OUT, phone_digest, context.now(), told_by)


async def opt_in(context: Context, phone_digest: str) -> None:
    async with context.db.system_connection() as conn:
        await conn.execute(store.OPT_IN, phone_digest, context.now())
