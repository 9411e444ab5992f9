"""A gateway that hangs holds up its own rows, and nobody else's."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from msgspec.structs import replace

from coinslot.db.due import Share
from coinslot.gateways import razorpay
from coinslot.gateways.base import PaymentFact
from coinslot.gateways.mock import Books, Mock
from coinslot.gateways.mock import Settings as MockSettings
from coinslot.gateways.wire import Exchange, Wire
from coinslot.kit.clock import monotonic_ms
from coinslot.kit.money import Money
from coinslot.kit.secrets import Secret
from coinslot.merchants.accounts import Account
from coinslot.payments import gateway_webhooks, provision
from coinslot.worker.sweep import Pace, Sweeper
from tests.sales.neighbours import chandras_machine
from tests.sales.stage import Stage
from tests.sales.tills import Several
from tests.sales.weather import in_weather

WELL_WITHIN_S = 5.0  # a time-out of the hanging gateway is ten times as long
HANGS_FOR_S = 50.0


class Silent:
    """A server on a real socket that takes connections and never answers."""

    def __init__(self) -> None:
        self.open = self.most = 0
        self.reached = asyncio.Event()

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        self.most = max(self.most, self.open)
        self.reached.set()
        try:
            while await reader.read(4096):
                pass
        except ConnectionError:
            pass
        finally:
            self.open -= 1
            writer.close()


async def _forget(_exchange: Exchange) -> None:
    pass


@asynccontextmanager
async def silent_gateway() -> AsyncIterator[tuple[Silent, Any]]:
    silent = Silent()
    server = await asyncio.start_server(silent.converse, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    settings = razorpay.Settings(key_id="rzp_test_k", key_secret=Secret("shh"), base_url=url)
    wire = Wire.to(
        razorpay.address(settings), timeout_s=HANGS_FOR_S, record=_forget, now_ms=monotonic_ms
    )
    try:
        yield silent, razorpay.Razorpay(settings, wire)
    finally:
        await wire.close()
        server.close()


@asynccontextmanager
async def chandra_hangs(stage: Stage, refunds: int) -> AsyncIterator[Silent]:
    """Chandra owes so many refunds, for longer than Asha owes anything, and her gateway hangs."""
    machine = await chandras_machine(stage)
    async with stage.context.db.as_merchant(machine.merchant_id) as conn:
        account_id = await conn.fetchval("SELECT id FROM gateway_accounts")
    hers = Mock(MockSettings(webhook_secrets=(Secret("hers"),)), Books(stage.clock))
    account = Account(
        id=account_id, merchant_id=machine.merchant_id, gateway="mock", slug="chandra-mock",
        driver=hers,
    )  # fmt: skip
    accounts = Several({stage.account.id: stage.account, account_id: account})
    stage.context.accounts = accounts
    code = (await provision.print_qr(stage.context, "C01", 4000)).qr_code_id
    for number in range(refunds):
        paid = await hers.pay(f"hers_{number}", Money(700, "INR"), qr_code_id=code)
        assert isinstance(paid, PaymentFact)
        headers, body = hers.webhook("payment.captured", paid)
        await gateway_webhooks.take_webhook(stage.context, account, headers, body)
    stage.later(1)
    async with silent_gateway() as (silent, driver):
        accounts.opened[account_id] = replace(account, driver=driver)
        yield silent
        accounts.opened[account_id] = account  # it is back


@asynccontextmanager
async def sweepers(stage: Stage, how_many: int, pace: Pace) -> AsyncIterator[None]:
    """As that many processes."""
    made = [Sweeper(stage.context, "refunds", pace) for _ in range(how_many)]
    running = [asyncio.create_task(one.run()) for one in made]
    try:
        yield
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


PACE = Pace(poll_s=0.05, grace_s=0.01)


@pytest.mark.parametrize("processes", [1, 3])
async def test_anothers_refund_is_made_while_one_gateway_hangs(
    stage: Stage, processes: int
) -> None:
    in_weather(stage)
    async with chandra_hangs(stage, 40) as silent, sweepers(stage, processes, PACE):
        await silent.reached.wait()
        await stage.webhook(await stage.pay(700))
        async with asyncio.timeout(WELL_WITHIN_S):
            while stage.refunded() == 0:
                await stage.value("SELECT count(*) FROM refunds WHERE state = 'succeeded'")
        assert silent.most <= Share().lane


async def test_more_hanging_accounts_than_places_hold_up_nobody_for_long(stage: Stage) -> None:
    """Each of their calls gives its place back after a moment."""
    in_weather(stage)
    pace = Pace(poll_s=0.05, grace_s=0.01, slow_s=0.2, share=Share(lane=20))
    async with chandra_hangs(stage, 30) as silent, sweepers(stage, 1, pace):
        await silent.reached.wait()
        await stage.webhook(await stage.pay(700))
        async with asyncio.timeout(WELL_WITHIN_S):
            while stage.refunded() == 0:
                await stage.value("SELECT count(*) FROM refunds WHERE state = 'succeeded'")
        assert silent.most > 8  # more than the places that a process has


async def test_a_row_that_is_woken_is_worked_at_once(stage: Stage) -> None:
    in_weather(stage)
    async with sweepers(stage, 1, Pace(poll_s=3600)):
        await asyncio.sleep(0)
        await stage.webhook(await stage.pay(700))
        async with asyncio.timeout(WELL_WITHIN_S):
            while stage.refunded() == 0:
                await stage.value("SELECT 1")


async def test_all_that_is_due_is_worked_without_waiting_for_the_next_poll(stage: Stage) -> None:
    """More than there are places: each that ends gives its own back."""
    in_weather(stage)
    for _ in range(11):
        await stage.webhook(await stage.pay(700))
    async with sweepers(stage, 1, Pace(poll_s=3600, slow_s=3600)):
        async with asyncio.timeout(WELL_WITHIN_S):
            while stage.refunded() < 7700:
                await stage.value("SELECT 1")
