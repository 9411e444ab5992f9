"""Over an emulated Stripe and real sockets: who dies at any step, and who races, charges once."""

import asyncio

import pytest

from coinslot.payments.gateway_webhooks import take_webhook
from coinslot.payments.idempotency import KeyBusyError
from coinslot.payments.merchant_api import RuledOutError
from tests.gateways.conftest import at_stripe as at_stripe  # its account, and what it needs
from tests.gateways.conftest import mailbox as mailbox
from tests.gateways.conftest import sandbox_url as sandbox_url
from tests.gateways.stripe_shop import StripeShop
from tests.sales.at_stripe import Asha
from tests.sales.at_stripe import at_stripe as set_up
from tests.sales.stage import Stage

STEPS = 60  # more than any call has


@pytest.fixture
async def asha(stage: Stage, at_stripe: StripeShop) -> Asha:
    return await set_up(stage, at_stripe)


@pytest.mark.parametrize("by", ["the same call", "the sweeper"])
@pytest.mark.parametrize("verb", ["confirm", "capture", "void", "refund"])
async def test_a_death_at_any_step_changes_nothing_in_the_end(
    asha: Asha, verb: str, by: str
) -> None:
    held = verb in ("capture", "void")
    does = {"confirm": asha.confirmed, "capture": asha.captured, "void": asha.voided,
            "refund": asha.given_back}[verb]  # fmt: skip
    ends = {"confirm": (5000, 0), "capture": (3000, 0), "void": (0, 0), "refund": (5000, 2000)}
    for step in range(1, STEPS):
        payment = await asha.made(f"{step}", held=held)
        if verb != "confirm":
            await asha.confirmed(payment)
        died = await asha.dies_at(step, does(payment))
        if died:
            asha.stage.later(61)
            if by == "the sweeper" and await asha.begun(payment, verb):
                await asha.sweep("attempts", "refunds")
            else:
                await does(payment)
        asha.stage.later(21)  # what failed is put off
        await asha.sweep("attempts", "refunds")
        books = await asha.books()
        assert len(books) == step
        assert set(books.values()) == {ends[verb]}, (step, books)
        wanted = "canceled" if verb == "void" else "succeeded"
        assert await asha.state(payment) == wanted
        if not died:
            assert step > 5
            return
    raise AssertionError("the call never ended")


@pytest.mark.parametrize("keys", [["same"] * 30, [f"k{n}" for n in range(30)]])
async def test_confirms_at_once_charge_once(asha: Asha, keys: list[str]) -> None:
    payment = await asha.made("k")
    answers = await asyncio.gather(
        *(asha.confirmed(payment, key) for key in keys), return_exceptions=True
    )
    assert all(not isinstance(a, BaseException) or isinstance(a, KeyBusyError) for a in answers)
    assert await asha.state(payment) == "succeeded"
    assert set((await asha.books()).values()) == {(5000, 0)}


async def test_webhooks_polls_and_calls_that_race_find_the_same_money_once(asha: Asha) -> None:
    """The payer comes back from the page while Stripe tells of it and the sweeper asks."""
    payment = await asha.made("k")
    shown = await asha.confirmed(payment, method=None)
    reference = shown.body["attempts"][0]["gateway_reference"]
    await asha.context.pay(reference)
    told = await asha.context.told(reference)
    asha.stage.later(6)
    deliveries = [
        take_webhook(asha.stage.context, asha.account, headers, body) for headers, body in told * 10
    ]
    answers = await asyncio.gather(
        *deliveries,
        asha.sweep("attempts"),
        asha.voided(payment),
        *(asha.confirmed(payment, f"c{n}") for n in range(5)),
        return_exceptions=True,
    )
    for answer in answers:
        assert not isinstance(answer, BaseException) or isinstance(answer, RuledOutError), answer
    assert await asha.state(payment) == "succeeded"
    assert await asha.stage.value("SELECT count(*) FROM captures") == 1
    made = "SELECT count(*) FROM attempts WHERE payment_id = $1"
    assert await asha.stage.value(made, payment) == 1
    assert set((await asha.books()).values()) == {(5000, 0)}


async def test_a_cancel_that_races_the_payer_ends_in_one_of_both(asha: Asha) -> None:
    """Paid, or canceled and nothing kept."""
    ends = []
    for n in range(6):
        payment = await asha.made(f"k{n}")
        shown = await asha.confirmed(payment, method=None)
        reference = shown.body["attempts"][0]["gateway_reference"]
        await asyncio.gather(
            asha.voided(payment), asha.context.pay(reference), return_exceptions=True
        )
        asha.stage.later(61)
        await asha.sweep("attempts", "inbox", "captures", "refunds")
        ends.append(await asha.state(payment))
    assert set(ends) <= {"succeeded", "canceled"}
    kept = sum(taken - back for taken, back in (await asha.books()).values())
    assert kept == 5000 * ends.count("succeeded")
