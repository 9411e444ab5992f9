"""Writes a message from its order, when it is sent and when it is looked for: the same words each
time. No text and no code is stored."""

from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

import asyncpg
from babel.dates import format_datetime
from babel.numbers import format_currency

from coinslot.context import Context
from coinslot.counter import message_store as store
from coinslot.counter.codes import code_of
from coinslot.counter.message_texts import LOCALES, texts_in
from coinslot.db.pool import Connection
from coinslot.kit.money import Money
from coinslot.notices.base import Form, Notice

_VALID_S: Final = 3600
_PLACE_CHARS: Final = 40


async def facts(conn: Connection, row: asyncpg.Record) -> asyncpg.Record | None:
    """What a message is written from; None: there is nothing to write it from any more."""
    if row["lookup_id"] is not None:
        return await conn.fetchrow(store.HISTORY_TOLD, row["lookup_id"])
    told = store.ALARM_TOLD if row["purpose"] == "alarm" else store.TOLD
    return await conn.fetchrow(told, row["order_id"])


def all_of_it(told: asyncpg.Record | None) -> bool:
    """Of what goes back: nothing of the order is left."""
    return told is None or not (told["open"] or told["some_handed_over"])


async def notice(
    conn: Connection, context: Context, row: asyncpg.Record, told: asyncpg.Record | None
) -> Notice:
    assert told is not None
    form = Form(row["form"])
    to = {Form.EMAIL: told["email"], Form.PUSH: told["push"]}.get(form, told["phone"])
    if row["purpose"] == "history":
        subject, text = _history(context, told, form)
    elif row["purpose"] == "alarm":
        subject, text = "", texts_in(told["language"]).waits.format(counter=told["outlet_name"])
    elif row["purpose"] == "receipt":
        subject, text = await _receipt(conn, context, told)
    else:
        subject, text = _said(context, row, told, form)
    callback = f"{context.public_url}/callbacks/messages/{row['id']}"
    return Notice(
        key=row["id"].hex, to=to or "", text=text, subject=subject, language=told["language"],
        link=_link(context, told), valid_s=_VALID_S, callback=callback,
        **({} if row["purpose"] == "alarm" else
           {"keys_to": callback, "press": texts_in(told["language"]).press}),
    )  # fmt: skip


def _link(context: Context, told: asyncpg.Record) -> str:
    return f"{context.public_url}/o/{told['token']}"


def _said(
    context: Context, row: asyncpg.Record, told: asyncpg.Record, form: Form
) -> tuple[str, str]:
    words, link = texts_in(told["language"]), _link(context, told)
    names = {"place": told["outlet_name"][:_PLACE_CHARS], "number": told["number"], "link": link}
    whole = row["all_of_it"]
    if form in (Form.EMAIL, Form.PUSH):
        if row["purpose"] == "ready":
            title, text = words.ready_title, words.ready_mail
        else:
            title, text = words.cancelled_title if whole else words.partly_title, words.back_mail
        body = text.format(**names)
        return title.format(**names), body if form is Form.PUSH else f"{body}\n{link}\n"
    names["code"] = code_of(context.vault, told["id"], row["code_version"])
    if form is Form.CALL:
        return "", words.spoken.format(**names)
    text = {
        "code": words.code, "ready": words.ready,
        "cancelled": words.cancelled if whole else words.partly,
    }[row["purpose"]]  # fmt: skip
    return "", text.format(**names)


def _history(context: Context, told: asyncpg.Record, form: Form) -> tuple[str, str]:
    words = texts_in(told["language"])
    place = told["outlet_name"][:_PLACE_CHARS]
    if form is Form.SMS:
        return "", words.history.format(place=place, code=code_of(context.vault, told["id"], 0))
    key = context.vault.digest(str(told["id"]), "orders by mail")
    link = f"{context.public_url}/s/{told['token']}/orders/{told['id']}?key={key}"
    said = words.history_mail.format(place=place)
    return words.history_title.format(place=place), f"{said}\n\n{link}\n"


async def _receipt(conn: Connection, context: Context, told: asyncpg.Record) -> tuple[str, str]:
    """What was bought, what it cost, and who sold it."""
    words, language = texts_in(told["language"]), told["language"]
    lines = await conn.fetch(store.RECEIPT_LINES, told["id"])
    extras = await conn.fetch(store.RECEIPT_EXTRAS, told["id"])

    def price(minor: int) -> str:
        amount = Decimal(Money(minor, told["currency"]).decimal())
        return str(format_currency(amount, told["currency"], locale=LOCALES.get(language, "en_GB")))

    zone: ZoneInfo = context.zone_of(told["zone"])
    at = format_datetime(
        told["paid_at"].astimezone(zone), "medium", locale=LOCALES.get(language, "en_GB")
    )
    off = sum(line["off_minor"] for line in lines)
    names = {
        "place": told["outlet_name"], "number": told["number"], "time": at,
        "merchant": told["merchant_name"], "price": price(told["amount_minor"]),
    }  # fmt: skip
    shown = [
        words.receipt_lead.format(**names), "",
        *(f"{line['quantity']} × {line['name']}  {price(line['quantity'] * line['price_minor'])}"
          for line in lines),
        *([f"{words.discount}  {price(-off)}"] if off else ()),
        *(f"{words.extras.get(one['kind'], one['kind'])}  {price(one['amount_minor'])}"
          for one in extras),
        words.receipt_paid.format(**names), words.receipt_seller.format(**names), "",
        _link(context, told),
    ]  # fmt: skip
    return words.receipt_title.format(**names), "\n".join(shown) + "\n"
