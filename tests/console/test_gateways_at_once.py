"""Keys and secrets are replaced while money moves: no webhook is refused for it, and a refund that
is under way ends once, with what it began with."""

import asyncio
from uuid import UUID, uuid4

from coinslot.gateways.base import Mark, RefundFact, RefundOrder, Refunds
from coinslot.payments import gateway_accounts
from coinslot.payments.gateway_accounts import AccountChange
from coinslot.people.audit_log import COMMAND_LINE
from tests.console.conftest import signed_in
from tests.console.test_gateways import (
    added,
    event,
    sold_there,
    webhook,
)
from tests.console.test_gateways import at_sandbox as at_sandbox
from tests.gateways.conftest import at_links as at_links
from tests.gateways.conftest import mailbox as mailbox
from tests.gateways.conftest import sandbox_url as sandbox_url
from tests.gateways.razorpay_shop import RazorpayShop
from tests.people.conftest import Staffed


async def rotated(staffed: Staffed, account: UUID, secret: str) -> None:
    context = staffed.stage.context
    known = await gateway_accounts.one(context, staffed.merchant, account)
    wanted = AccountChange(
        merchant=staffed.merchant, account=account, version=known.version,
        typed={"webhook_secrets": secret},
    )  # fmt: skip
    await gateway_accounts.change(context, COMMAND_LINE, wanted)
    context.accounts.changed(account)  # type: ignore[attr-defined]


async def test_no_webhook_is_refused_while_its_secret_is_replaced_again_and_again(
    staffed: Staffed, at_sandbox: RazorpayShop
) -> None:
    account = UUID((await added(await signed_in(staffed, "asha"), at_sandbox)).rpartition("/")[2])
    done = asyncio.Event()

    async def gateway() -> list[int]:
        """It signs with the first secret all the while: retries are signed as the first try was."""
        answers: list[int] = []
        while not done.is_set() or len(answers) < 20:
            number = len(answers)
            answers.append(await webhook(staffed, account, "first webhook secret", event(number)))
        return answers

    sending = asyncio.create_task(gateway())
    for number in range(5):
        await rotated(staffed, account, f"secret number {number}")
    done.set()
    assert set(await sending) == {200}


async def test_a_refund_under_way_ends_once_when_its_keys_are_replaced(
    staffed: Staffed, at_sandbox: RazorpayShop
) -> None:
    account = UUID((await added(await signed_in(staffed, "asha"), at_sandbox)).rpartition("/")[2])
    paid, context = await sold_there(staffed, account, at_sandbox), staffed.stage.context
    before = await context.accounts.by_id(account)
    order = RefundOrder(
        gateway_payment_id=paid.gateway_payment_id, money=paid.money, key=str(uuid4()),
        mark=Mark(installation="test", refund=str(uuid4())),
    )  # fmt: skip
    async with at_sandbox.weather(latency_ms=700):
        refund = asyncio.create_task(before.driver.give_back(order))
        await rotated(staffed, account, "another secret")
        after = await context.accounts.by_id(account)
        made = await refund
    assert after.driver is not before.driver
    assert isinstance(made, RefundFact), made
    again = await after.driver.give_back(order)
    assert isinstance(again, RefundFact)
    assert again.gateway_refund_id == made.gateway_refund_id
    there = await after.driver.refunds(paid.gateway_payment_id)
    assert isinstance(there, Refunds)
    assert len(there.facts) == 1
    await staffed.stage.sweep()
