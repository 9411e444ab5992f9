"""Money that is held: taken once, in whole or in part, or let go; whoever dies or races."""

import asyncio
from uuid import UUID

import pytest
from msgspec.structs import replace

from coinslot.gateways.base import Declined, Mark, PaymentFact, Taken
from coinslot.gateways.collecting import Closed
from coinslot.kit.money import Money
from coinslot.payments import merchant_api
from coinslot.payments.attempts import PaymentRequest
from coinslot.payments.idempotency import Answer, KeyBusyError
from tests.sales.stage import Stage
from tests.sales.taking import Taking, confirmed, once, taking
from tests.sales.weather import DIES_AFTER, DIES_BEFORE, DONE_AND_LOST, LOST

ENDS = {"take": "succeeded", "let_go": "canceled"}


@pytest.fixture
def gateway(stage: Stage) -> Taking:
    return taking(stage)


async def held(stage: Stage, minor: int = 5000) -> UUID:
    """A payment whose money the gateway holds."""
    ask = PaymentRequest(money=Money(minor, "INR"), capture_method="manual")
    made = await merchant_api.create(stage.context, once(stage, "create", "k"), ask)
    payment = UUID(made.body["id"])
    answer = await confirmed(stage, payment)
    assert (answer.body["status"], answer.body["amount_capturable"]) == ("authorized", minor)
    return payment


async def captured(stage: Stage, payment: UUID, minor: int | None = None, key: str = "t") -> Answer:
    return await merchant_api.capture(
        stage.context, once(stage, "capture", key, minor), payment, minor
    )


async def voided(stage: Stage, payment: UUID, key: str = "v") -> Answer:
    return await merchant_api.cancel(stage.context, once(stage, "cancel", key), payment)


def charged(gateway: Taking) -> int:
    paid = gateway.books.payments.values()
    return sum(fact.money.minor for fact in paid if fact.taken is Taken.CAPTURED)


async def state(stage: Stage, payment: UUID) -> str:
    return str(await stage.value("SELECT state FROM payments WHERE id = $1", payment))


async def test_held_money_is_not_taken_until_it_is_asked_for(stage: Stage, gateway: Taking) -> None:
    payment = await held(stage)
    assert charged(gateway) == 0
    for _ in range(2):
        answer = await captured(stage, payment)
        assert (answer.body["status"], answer.body["amount_captured"]) == ("succeeded", 5000)
    assert answer.replayed
    assert charged(gateway) == 5000
    with pytest.raises(merchant_api.RuledOutError, match="succeeded"):
        await captured(stage, payment, key="t2")


async def test_of_a_part_the_rest_is_freed_and_the_part_can_go_back(
    stage: Stage, gateway: Taking
) -> None:
    payment = await held(stage)
    with pytest.raises(merchant_api.RuledOutError):
        await captured(stage, payment, 5001, "more")
    answer = await captured(stage, payment, 3000)
    assert (answer.body["status"], answer.body["amount_captured"]) == ("succeeded", 3000)
    with pytest.raises(merchant_api.RuledOutError):
        await merchant_api.request_refund(
            stage.context, once(stage, "r", "r"), payment, merchant_api.RefundRequest(amount=3001)
        )
    await merchant_api.request_refund(
        stage.context, once(stage, "r", "r2"), payment, merchant_api.RefundRequest()
    )
    await stage.sweep()
    assert stage.refunded() == 3000


async def test_a_part_that_nobody_asked_for_goes_back(stage: Stage, gateway: Taking) -> None:
    payment = await held(stage)
    [fact] = gateway.books.payments.values()
    part = replace(fact, taken=Taken.CAPTURED, money=Money(1234, "INR"))
    gateway.books.payments[fact.gateway_payment_id] = part
    await stage.webhook(part)
    await stage.sweep()
    assert await state(stage, payment) == "authorized"
    assert stage.refunded() == 1234


async def test_what_is_held_can_be_let_go(stage: Stage, gateway: Taking) -> None:
    payment = await held(stage)
    for _ in range(2):
        answer = await voided(stage, payment)
        assert answer.body["status"] == "canceled"
    assert charged(gateway) == 0
    with pytest.raises(merchant_api.RuledOutError, match="canceled"):
        await captured(stage, payment)


async def test_money_taken_late_after_the_void_goes_back(stage: Stage, gateway: Taking) -> None:
    payment = await held(stage)
    [fact] = gateway.books.payments.values()
    await voided(stage, payment)
    late = replace(fact, taken=Taken.CAPTURED)
    gateway.books.payments[fact.gateway_payment_id] = late
    await stage.webhook(late)
    await stage.sweep()
    assert await state(stage, payment) == "canceled"
    assert stage.refunded() == 5000


@pytest.mark.parametrize("lost", [LOST, DONE_AND_LOST])
@pytest.mark.parametrize("verb", ["take", "let_go"])
async def test_a_lost_answer_is_looked_behind(
    stage: Stage, gateway: Taking, lost: str, verb: str
) -> None:
    payment = await held(stage)
    gateway.fails(verb, lost)
    doing = captured(stage, payment, 3000) if verb == "take" else voided(stage, payment)
    answer = await doing
    assert answer.body["status"] == "processing"
    for wish in (captured(stage, payment, key="other"), voided(stage, payment, "other")):
        with pytest.raises(merchant_api.RuledOutError, match="processing"):
            await wish
    stage.later(6)
    await stage.sweep("attempts")
    assert await state(stage, payment) == ENDS[verb]
    assert charged(gateway) == (3000 if verb == "take" else 0)


@pytest.mark.parametrize("death", [DIES_BEFORE, DIES_AFTER])
@pytest.mark.parametrize("by", ["the same call", "the sweeper"])
@pytest.mark.parametrize("verb", ["take", "let_go"])
async def test_a_process_that_dies_around_the_call_is_made_up_for(
    stage: Stage, gateway: Taking, death: str, by: str, verb: str
) -> None:
    payment = await held(stage)

    async def call() -> Answer:
        return await (captured(stage, payment) if verb == "take" else voided(stage, payment))

    gateway.fails(verb, death)
    with pytest.raises(asyncio.CancelledError):
        await call()
    with pytest.raises(KeyBusyError):
        await call()
    stage.later(61)
    if by == "the sweeper":
        await stage.sweep("attempts")
    else:
        assert (await call()).body["status"] == ENDS[verb]
    assert await state(stage, payment) == ENDS[verb]
    assert (await call()).body["status"] == ENDS[verb]
    assert charged(gateway) == (5000 if verb == "take" else 0)


async def test_captures_and_voids_that_race_end_in_one_of_both(
    stage: Stage, gateway: Taking
) -> None:
    payment = await held(stage)
    await asyncio.gather(
        *(captured(stage, payment, key=f"t{n}") for n in range(20)),
        *(voided(stage, payment, f"v{n}") for n in range(20)),
        return_exceptions=True,
    )
    stage.later(6)
    await stage.sweep("attempts")
    ends = await state(stage, payment)
    assert (ends, charged(gateway)) in (("succeeded", 5000), ("canceled", 0))


async def test_who_took_it_in_the_dashboard_was_quicker_than_the_void(
    stage: Stage, gateway: Taking
) -> None:
    payment = await held(stage)
    [fact] = gateway.books.payments.values()
    await gateway.capture(fact.gateway_payment_id, fact.money, "dashboard")
    with pytest.raises(merchant_api.RuledOutError):
        await voided(stage, payment)
    assert await state(stage, payment) == "succeeded"


async def test_a_refusal_leaves_the_money_held_and_may_be_asked_again(
    stage: Stage, gateway: Taking
) -> None:
    payment = await held(stage)
    no = Declined("not in parts", "partial_capture")
    gateway.fails("take", no, no)
    for _ in range(2):
        with pytest.raises(merchant_api.RuledOutError, match="not in parts"):
            await captured(stage, payment, 3000)
        assert await state(stage, payment) == "authorized"
    assert gateway.script["take"] == []  # asked anew, under the same key
    assert (await captured(stage, payment, key="t2")).body["amount_captured"] == 5000


async def test_a_hold_that_lapses_is_no_longer_one(stage: Stage, gateway: Taking) -> None:
    payment = await held(stage)
    gateway.lapses()
    with pytest.raises(merchant_api.RuledOutError, match="lapsed"):
        await captured(stage, payment)
    assert await state(stage, payment) == "failed"


async def test_a_hold_that_lapses_is_seen_by_looking(stage: Stage, gateway: Taking) -> None:
    payment = await held(stage)
    gateway.lapses()
    stage.later(60)
    await stage.sweep("attempts")
    assert await state(stage, payment) == "failed"
    again = await confirmed(stage, payment, "c2")
    assert again.body["status"] == "authorized"


async def test_the_payer_who_authorizes_at_the_page_is_seen_at_once(
    stage: Stage, gateway: Taking
) -> None:
    ask = PaymentRequest(money=Money(5010, "INR"), capture_method="manual")
    made = await merchant_api.create(stage.context, once(stage, "create", "k"), ask)
    payment = UUID(made.body["id"])
    assert (await confirmed(stage, payment)).body["status"] == "requires_action"
    stage.later(4000)
    await stage.sweep("attempts")
    [key] = gateway.charges
    mark = Mark(installation="test", payment=str(payment))
    fact = replace(gateway.payer_pays(key, mark, Money(5010, "INR")), taken=Taken.AUTHORIZED)
    gateway.charges[key] = gateway.books.payments[fact.gateway_payment_id] = fact
    await stage.webhook(fact, event="authorized")
    await stage.sweep("attempts")
    assert await state(stage, payment) == "authorized"
    assert (await captured(stage, payment)).body["status"] == "succeeded"
    assert isinstance(gateway.books.payments[fact.gateway_payment_id], PaymentFact)
    assert not isinstance(gateway.charges[key], Closed)
