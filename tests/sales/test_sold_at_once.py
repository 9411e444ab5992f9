"""A sale by a printed code is one statement that inserts its rows as moves would have left them:
both ways give the same rows, in every situation."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from coinslot.db.pool import RawConnection, connect
from coinslot.gateways.base import Mark, PaymentFact
from coinslot.kit.flow import Flow
from coinslot.kit.money import Money
from coinslot.states import transition
from coinslot.states.order_flow import ORDER
from tests.sales.stage import Stage

TABLES = {
    "captures": "c.id = t.id", "ledger": "t.capture_id = c.id", "refunds": "t.capture_id = c.id",
    "orders": "t.id = c.order_id", "order_lines": "t.order_id = c.order_id",
    "payments": "t.id = c.payment_id", "attempts": "t.payment_id = c.payment_id",
    "fulfillments": "t.capture_id = c.id",
    "vend_units": "t.id IN (SELECT f.id FROM fulfillments f WHERE f.capture_id = c.id)",
    "discrepancies": "t.capture_id = c.id",
    "events": "t.subject_id IN (c.id, c.order_id, c.payment_id) OR t.subject_id IN (SELECT id"
    " FROM attempts WHERE payment_id = c.payment_id UNION SELECT id FROM fulfillments"
    " WHERE capture_id = c.id UNION SELECT id FROM refunds WHERE capture_id = c.id)",
}  # fmt: skip
OWN = {"token", "number", "key", "gateway_payment_id", "seq"}  # each row's own
ORDER_OF = {"ledger": "t.why, t.account", "events": "t.seq"}


async def of(stage: Stage, paid: PaymentFact) -> dict[str, list[dict[str, Any]]]:
    """Every row of a payment's sale; each id by the place at which it is met first."""
    met: dict[str, str] = {}

    def named(text: str) -> str:
        return re.sub(
            r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}",
            lambda found: met.setdefault(found[0], f"id {len(met)}"),
            text.replace(paid.gateway_payment_id, "the payment"),
        )

    async def rows(table: str, which: str) -> list[dict[str, Any]]:
        found = await stage.rows(
            f"SELECT t.* FROM {table} t, captures c WHERE c.gateway_payment_id = $1 AND ({which})"
            f" ORDER BY {ORDER_OF.get(table, '1')}",
            paid.gateway_payment_id,
        )
        return [
            {name: named(str(value)) for name, value in row.items() if name not in OWN}
            for row in found
        ]

    found = {table: await rows(table, which) for table, which in TABLES.items()}
    for line in found["ledger"]:
        del line["id"]
    return found


@asynccontextmanager
async def owner_of(stage: Stage) -> AsyncIterator[RawConnection]:
    owner = stage.owner or await connect(stage.owner_url)
    try:
        yield owner
    finally:
        if stage.owner is None:
            await owner.close()


async def run(stage: Stage, sql: str) -> None:
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        await conn.execute(sql)


Situation = Callable[[Stage, PaymentFact], Awaitable[PaymentFact]]


def told_with(**changed: Any) -> Situation:
    async def differs(stage: Stage, paid: PaymentFact) -> PaymentFact:
        return replace(paid, **changed)

    return differs


def once(sql: str, **changed: Any) -> Situation:
    async def differs(stage: Stage, paid: PaymentFact) -> PaymentFact:
        await run(stage, sql)
        return replace(paid, **changed)

    return differs


def earlier(seconds: float) -> Situation:
    async def differs(stage: Stage, paid: PaymentFact) -> PaymentFact:
        return replace(paid, at=stage.clock.now() - timedelta(seconds=seconds))

    return differs


RETIRED = "UPDATE qr_codes SET stage = 'closed', retired_at = '{}'"
BEHIND = (
    "INSERT INTO clocks (account_id, merchant_id, node, ahead_ms, heard_at)"
    " SELECT account_id, merchant_id, 'x', 9000, now() FROM qr_codes LIMIT 1"
)


async def earlier_by_a_clock_behind(stage: Stage, paid: PaymentFact) -> PaymentFact:
    await run(stage, BEHIND)
    return replace(paid, at=stage.clock.now() - timedelta(seconds=60))


SITUATIONS: dict[str, Situation] = {
    "a sale": told_with(),
    "with a fee": told_with(fee=Money(94, "INR")),
    "with no fee": told_with(fee=Money(0, "INR")),
    "with a fee that comes back": told_with(fee=Money(-5, "INR")),
    "with a fee in another currency": told_with(fee=Money(94, "USD")),
    "by a payer with a reference": told_with(payer_reference="412345678901"),
    "paid a minute ago": earlier(60),
    "paid too long ago": earlier(100_000),
    "paid tomorrow": earlier(-86_400),
    "by a clock that is behind": once(BEHIND),
    "a minute ago by a clock that is behind": earlier_by_a_clock_behind,
    "of another amount": told_with(money=Money(3900, "INR")),
    "in another currency": told_with(money=Money(4000, "USD")),
    "at a code that is retired": once(RETIRED.format("2020-01-01")),
    "at a code that is retired later": once(RETIRED.format("2222-01-01")),
    "at a slot out of sale": once("UPDATE slots SET withheld_at = '2020-01-01'"),
    "at a slot that failed": once("UPDATE slots SET out_of_sale_at = '2020-01-01'"),
    "at a slot that is gone": once("UPDATE qr_codes SET slot = 'Z9'"),
    "of a practice machine": once("UPDATE outlets SET channel = 'practice'"),
    "of another kind": once("UPDATE outlets SET kind = 'unknown'"),
    "of the simple dialect": once("UPDATE outlets SET dialect = 'simple'"),
    "with windows of its own": once("UPDATE outlets SET windows = '{\"dispatch_s\": 7}'"),
    "of a merchant with windows": once(
        "UPDATE merchants SET windows = '{\"vending\": {\"dispatch_s\": 9}}'"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SITUATIONS)
async def test_both_ways_to_sell_give_the_same_rows(stage: Stage, name: str) -> None:
    """A capture that was known without its code is sold step by step, by moves."""
    first, second = await stage.pay(), await stage.pay()
    at_once = await SITUATIONS[name](stage, first)
    by_moves = replace(at_once, gateway_payment_id=second.gateway_payment_id, mark=second.mark)
    await stage.webhook(replace(by_moves, qr_code_id=None, mark=None))
    assert await stage.value("SELECT count(*) FROM orders") == 0
    await stage.webhook(at_once)
    await stage.webhook(by_moves, event="qr_code.credited")
    assert await stage.value("SELECT count(*) FROM inbox WHERE worked_at IS NULL") == 0
    found = await of(stage, at_once)
    assert found == await of(stage, by_moves)
    assert len(found["captures"]) == 1
    assert found["events"] or found["refunds"]


async def test_a_code_is_found_by_its_own_id_before_a_mark_that_was_copied(stage: Stage) -> None:
    paid = await stage.pay()
    await stage.webhook(replace(paid, mark=Mark(installation="x", qr=str(UUID(int=7)))))
    assert await stage.value("SELECT count(*) FROM orders WHERE state = 'paid'") == 1


async def test_what_is_told_twice_is_sold_once(stage: Stage) -> None:
    paid = await stage.pay()
    await stage.webhook(paid)
    before = await of(stage, paid)
    await stage.webhook(paid, event="qr_code.credited")
    assert await of(stage, paid) == before
    assert await stage.value("SELECT count(*) FROM orders") == 1


async def test_of_a_sale_that_cannot_be_written_whole_nothing_is_written_but_its_webhook(
    stage: Stage,
) -> None:
    """The kind's own part is written last: what came before it goes with it."""
    paid = await stage.pay()
    async with owner_of(stage) as owner:
        await owner.execute("ALTER TABLE vend_units ADD CONSTRAINT none CHECK (false) NOT VALID")
        try:
            await stage.webhook(paid)
        finally:
            await owner.execute("ALTER TABLE vend_units DROP CONSTRAINT none")
    for table in (*TABLES, "strays"):
        assert await stage.value(f"SELECT count(*) FROM {table}") == 0, table
    (row,) = await stage.rows("SELECT worked_at, due_at, failure FROM inbox")
    assert row["worked_at"] is None
    assert row["due_at"] is not None
    assert "none" in row["failure"]
    stage.later(5)
    await stage.sweep("inbox")
    assert await stage.value("SELECT count(*) FROM vend_units") == 1


def test_a_table_that_asks_for_another_job_refuses_to_sell_at_once() -> None:
    rows = [
        replace(row, jobs=(*row.jobs, "x")) if row.event == "PAID" else row for row in ORDER.rows
    ]
    other = Flow("order", initial="placed", terminal=tuple(ORDER.terminal), rows=tuple(rows))
    flows = [other if flow.name == "order" else flow for flow in transition.FLOWS]
    with pytest.raises(ValueError, match="no PAID of order"):
        transition._at_once(flows)
