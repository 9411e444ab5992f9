"""The whole way over sockets: an order is paid at the emulated YooKassa or T-Bank, its machine
stays silent, the money goes back, and the till has registered what it should have."""

import asyncio
from typing import Any

from msgspec.structs import replace

from coinslot.gateways.tbank.fiscal import Receipts as OfTBank
from coinslot.gateways.yookassa.fiscal import Receipts as OfYooKassa
from coinslot.payments import gateway_webhooks, ways_to_pay
from coinslot.payments.ways_to_pay import Form
from tests.gateways.tbank_shop import TBankShop
from tests.gateways.yookassa_shop import YooKassaShop
from tests.sales.conftest import stage as stage
from tests.sales.receipting import place, tap
from tests.sales.stage import MockAccounts, Stage

PATIENCE_S, POLL_S = 20, 0.1


async def sells_at(stage: Stage, till: Any) -> None:
    """The stage sells in roubles, through this account."""
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        for table in ("outlets", "products"):
            await conn.execute(f"UPDATE {table} SET currency = 'RUB'")
    stage.account = replace(stage.account, driver=till)
    assert isinstance(stage.context.accounts, MockAccounts)
    stage.context.accounts.account = stage.account
    way = [(stage.account.id, Form.LINK)]
    await ways_to_pay.offer(stage.context, stage.merchant, "M01", way)


async def begun(stage: Stage) -> str:
    """Two cans, at the gateway's page; the reference there."""
    placed = await place(stage, pieces=2, contact="+79161234567", currency="RUB")
    await tap(stage, placed.token)
    return str(await stage.value("SELECT reference FROM attempts"))


async def paid(stage: Stage) -> None:
    """The gateway is asked until it says so."""
    await until(stage, "SELECT count(*) FROM captures", 1, "attempts")


async def given_back(stage: Stage) -> None:
    stage.later(121)
    await stage.sweep()
    await until(
        stage, "SELECT sum(amount_minor)::int FROM refunds WHERE state = 'succeeded'", 8000,
        "refunds",
    )  # fmt: skip


async def until(stage: Stage, sql: str, wanted: int, table: str) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while await stage.value(sql) != wanted:
            await asyncio.sleep(POLL_S)
            stage.later(60)
            await stage.sweep(table)


REGISTERED = "SELECT count(*) FROM receipts WHERE state = 'registered'"


async def no_address_is_kept_in(stage: Stage, *tables: str) -> None:
    for table in tables:
        assert "79161234567" not in str(await stage.rows(f"SELECT * FROM {table}")), table


async def test_at_yookassa_each_receipt_is_registered(
    stage: Stage, at_yookassa: YooKassaShop
) -> None:
    await at_yookassa.sign_up(receipts=True)
    settings = OfYooKassa(email="till@shop.example", vat_code=11, tax_system_code=2)
    await sells_at(stage, at_yookassa.opened(replace(at_yookassa.settings, receipts=settings)))
    await at_yookassa.pay(await begun(stage))
    await paid(stage)
    await given_back(stage)
    await until(stage, REGISTERED, 3, "receipts")
    assert all(row["fiscal"]["document"] for row in await stage.rows("SELECT * FROM receipts"))
    await no_address_is_kept_in(stage, "events", "exchanges", "inbox", "audit_log")


async def test_at_yookassa_a_refused_receipt_does_not_keep_the_money(
    stage: Stage, at_yookassa: YooKassaShop
) -> None:
    await at_yookassa.sign_up(receipts_refused=["refund"])
    settings = OfYooKassa(email="till@shop.example")
    await sells_at(stage, at_yookassa.opened(replace(at_yookassa.settings, receipts=settings)))
    await at_yookassa.pay(await begun(stage))
    await paid(stage)
    await given_back(stage)
    (book,) = await at_yookassa.books()
    assert (book["captured"], book["refunded"]) == (8000, 8000)
    refused = await stage.value("SELECT count(*) FROM receipts WHERE state = 'refused'")
    assert refused == 2
    assert await stage.value("SELECT count(*) FROM refunds WHERE state = 'failed'") == 2
    await until(stage, REGISTERED, 1, "receipts")


async def test_at_tbank_each_receipt_is_told(stage: Stage, at_tbank: TBankShop) -> None:
    await at_tbank.sign_up(receipts=True)
    settings = OfTBank(email="till@shop.example", taxation="usn_income", tax="vat22")
    till = at_tbank.opened(replace(at_tbank.settings, receipts=settings))
    await sells_at(stage, till)
    reference = await begun(stage)
    await at_tbank.pay(reference)
    await paid(stage)
    await given_back(stage)
    async with asyncio.timeout(PATIENCE_S):
        while await stage.value(REGISTERED) != 3:
            for headers, body in await at_tbank.told_until(reference, "RECEIPT"):
                await gateway_webhooks.take_webhook(stage.context, stage.account, headers, body)
    await no_address_is_kept_in(stage, "events", "exchanges", "inbox", "audit_log")
    bodies = await stage.rows("SELECT body FROM inbox")
    assert not any(b"79161234567" in row["body"] for row in bodies)
