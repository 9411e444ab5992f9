"""What a merchant does where nobody knows whether a cup came: money back, goods, or a person
decides. A customer's word alone gives money back only so often in a day."""

from datetime import timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

import asyncpg
from msgspec import Struct

from coinslot.coffee import store
from coinslot.context import Context
from coinslot.db.pool import Connection
from coinslot.orders.fulfillment import Unit

_DAY: Final = timedelta(days=1)


class Rule(StrEnum):
    """How a doubt ends."""

    REFUND = "refund"
    GOODS = "goods"
    PERSON = "person"
    LIMIT = "limit"  # money back was due, and too often before: a person decides


class Rules(Struct, frozen=True, kw_only=True):
    """One merchant's. The limits are of refunds in a day on customers' words alone."""

    denied: Rule = Rule.REFUND  # the vendor took the command, and the customer got nothing
    unclear: Rule = Rule.REFUND  # nobody knows whether the command arrived
    contact_limit: int = 1
    browser_limit: int = 1
    device_limit: int = 3
    day_limit: int = 20


async def rules_of(conn: Connection, merchant: UUID) -> Rules:
    row = await conn.fetchrow(store.RULES, merchant)
    if row is None:
        return Rules()
    return Rules(
        denied=Rule(row["denied"]), unclear=Rule(row["unclear"]),
        contact_limit=row["contact_limit"], browser_limit=row["browser_limit"],
        device_limit=row["device_limit"], day_limit=row["day_limit"],
    )  # fmt: skip


async def save_rules(conn: Connection, merchant: UUID, rules: Rules) -> None:
    """Raises CheckViolationError for a limit below zero, or LIMIT as a rule."""
    await conn.execute(
        store.SAVE_RULES, merchant, rules.denied.value, rules.unclear.value, rules.contact_limit,
        rules.browser_limit, rules.device_limit, rules.day_limit,
    )  # fmt: skip


async def for_denial(conn: Connection, context: Context, unit: Unit, answer: str | None) -> Rule:
    """What is done about a customer who says that nothing came; inside the transaction that does
    it. Whether the vendor took the command decides which rule counts."""
    rules = await rules_of(conn, unit["merchant_id"])
    rule = rules.denied if answer == "taken" else rules.unclear
    if rule is not Rule.REFUND:
        return rule
    await conn.execute(store.LOCK_DENIALS, str(unit["merchant_id"]))
    who = await conn.fetchrow(store.WHO_ORDERED, unit["order_id"])
    assert who is not None
    before = await conn.fetchrow(
        store.DENIALS, context.now() - _DAY, unit["outlet_id"], who["browser"],
        who["receipt_contact"],
    )  # fmt: skip
    assert before is not None
    return Rule.LIMIT if _too_often(rules, before) else Rule.REFUND


def _too_often(rules: Rules, before: asyncpg.Record) -> bool:
    return bool(
        before["of_contact"] >= rules.contact_limit
        or before["of_browser"] >= rules.browser_limit
        or before["of_device"] >= rules.device_limit
        or before["of_day"] >= rules.day_limit
    )
