"""The Stripe driver against localstripe, which strangers wrote: intents, refunds, its webhook.

It knows no Checkout Sessions, keys, captured amounts or events of refunds, and runs on its own.
"""

import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from msgspec.structs import replace

from coinslot.gateways import stripe
from coinslot.gateways.base import (
    Declined,
    Forged,
    Genuine,
    Mark,
    PaymentFact,
    RefundFact,
    RefundOrder,
    Refunds,
    Taken,
    Unclear,
)
from coinslot.gateways.collecting import Charge, Closed
from coinslot.gateways.wire import Exchange, Wire
from coinslot.kit.clock import SystemClock, monotonic_ms
from coinslot.kit.money import Money
from coinslot.kit.secrets import Secret
from tests.gateways.collectors import fresh_charge
from tests.gateways.mailbox import Mailbox
from tests.ports import free_port
from tests.sandbox.running import until

KEY, SECRET = "sk_test_12345", "whsec_ofLocalstripe"
VISA, DECLINED = "pm_card_visa", "pm_card_chargeCustomerFail"


@pytest.fixture(scope="module")
def localstripe(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    port = free_port()
    command = [sys.executable, "-m", "localstripe", "--from-scratch", "--port", str(port)]
    folder: Path = tmp_path_factory.mktemp("localstripe")
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
        url = f"http://localhost:{port}"
        try:
            until(lambda: _answers(url))
            yield url
        finally:
            process.terminate()
            process.wait(10)


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/v1/refunds", auth=(KEY, "")).status_code == 200
    except httpx.TransportError:
        return False


@pytest.fixture
async def till(localstripe: str) -> AsyncIterator[stripe.Stripe]:
    async def record(_exchange: Exchange) -> None:
        pass

    secrets = (Secret(SECRET),)
    settings = stripe.Settings(
        secret_key=Secret(KEY), webhook_secrets=secrets, base_url=localstripe
    )
    wire = Wire.to(stripe.address(settings), timeout_s=5, record=record, now_ms=monotonic_ms)
    yield stripe.Stripe(settings, wire, SystemClock())
    await wire.close()


def charge(method: str = VISA) -> Charge:
    """Without the words and the way back that localstripe refuses to hear."""
    asked = fresh_charge(Money(4000, "USD"), method)
    return replace(asked, description="", return_url="")


async def paid(till: stripe.Stripe) -> PaymentFact:
    fact = await till.collect(charge())
    assert isinstance(fact, PaymentFact), fact
    return fact


def refund_of(fact: PaymentFact, minor: int) -> RefundOrder:
    return RefundOrder(
        gateway_payment_id=fact.gateway_payment_id,
        money=Money(minor, "USD"),
        key=str(uuid4()),
        mark=Mark(installation="here", refund=str(uuid4())),
    )


async def test_an_intent_confirmed_at_once_is_paid_and_followed(till: stripe.Stripe) -> None:
    asked = charge()
    fact = await till.collect(asked)
    assert isinstance(fact, PaymentFact)
    assert (fact.taken, fact.money, fact.mark) == (Taken.CAPTURED, asked.money, asked.mark)
    assert await till.follow(fact.gateway_payment_id) == fact
    assert await till.look(fact.gateway_payment_id) == fact


async def test_a_declined_instrument_is_declined(till: stripe.Stripe) -> None:
    asked = charge(DECLINED)
    answer = await till.collect(asked)
    assert isinstance(answer, Declined), answer
    assert (answer.code, answer.permanent) == ("card_declined", True)


async def test_a_list_that_cannot_be_asked_for_proves_no_absence(till: stripe.Stripe) -> None:
    """Its lists, unlike Stripe's, know no span of time."""
    asked = charge()
    await till.collect(asked)
    assert await till.find_charge(asked) == Unclear("Unexpected created")


async def test_parts_go_back_and_are_listed_with_our_mark(till: stripe.Stripe) -> None:
    fact = await paid(till)
    orders = [refund_of(fact, 1000), refund_of(fact, 500)]
    for order in orders:
        answer = await till.give_back(order)
        assert isinstance(answer, RefundFact)
        assert (answer.money, answer.mark) == (order.money, order.mark)
    listed = await till.refunds(fact.gateway_payment_id)
    assert isinstance(listed, Refunds)
    assert {one.mark for one in listed.facts} == {order.mark for order in orders}
    looked = await till.look(fact.gateway_payment_id)
    assert isinstance(looked, PaymentFact)
    assert looked.refunded == Money(1500, "USD")


async def test_what_is_held_can_be_let_go(till: stripe.Stripe) -> None:
    held = await till.collect(replace(charge(), capture=False))
    assert isinstance(held, PaymentFact)
    assert held.taken is Taken.AUTHORIZED
    freed = await till.void(held.gateway_payment_id, "let-go")
    assert isinstance(freed, Closed)
    assert isinstance(await till.follow(held.gateway_payment_id), Closed)


async def test_its_webhook_is_genuine_and_of_no_other_secret(
    till: stripe.Stripe, localstripe: str, mailbox: Mailbox
) -> None:
    door = {"url": mailbox.url("localstripe"), "secret": SECRET}
    async with httpx.AsyncClient(base_url=localstripe) as http:
        (await http.post("/_config/webhooks/ours", json=door)).raise_for_status()
    fact = await paid(till)
    delivery = await mailbox.next_for("localstripe")
    while fact.gateway_payment_id.encode() not in delivery.body:
        delivery = await mailbox.next_for("localstripe")
    verdict = till.read_webhook(*delivery)
    assert isinstance(verdict, Genuine)
    (told,) = verdict.facts
    assert isinstance(told, PaymentFact)
    assert (told.gateway_payment_id, told.money) == (fact.gateway_payment_id, fact.money)
    assert told.mark == fact.mark
    altered = delivery.body.replace(b"4000", b"9000")
    assert isinstance(till.read_webhook(delivery.headers, altered), Forged)
