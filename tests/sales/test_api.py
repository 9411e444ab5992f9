"""A merchant's server takes payments: each call counts once, and nothing is charged twice."""

import asyncio
from uuid import UUID

import pytest
from msgspec.structs import replace

from coinslot.context import leases
from coinslot.gateways import marks
from coinslot.gateways.base import Declined, Mark
from coinslot.kit.money import Money
from coinslot.payments import merchant_api
from coinslot.payments.attempts import PaymentRequest
from coinslot.payments.idempotency import Answer, IdempotentCall, KeyBusyError, KeyReusedError
from tests.sales.stage import Stage
from tests.sales.taking import Taking, confirmed, made, once, taking
from tests.sales.weather import DIES_AFTER, DIES_BEFORE, DONE_AND_LOST, LOST


@pytest.fixture
def gateway(stage: Stage) -> Taking:
    return taking(stage)


def charged(gateway: Taking) -> int:
    """What the gateway itself took, in minor units."""
    return sum(paid.money.minor for paid in gateway.books.payments.values())


async def state(stage: Stage, payment: UUID) -> str:
    return str(await stage.value("SELECT state FROM payments WHERE id = $1", payment))


async def test_made_confirmed_and_collected(stage: Stage, gateway: Taking) -> None:
    payment = await made(stage)
    assert charged(gateway) == 0
    answer = await confirmed(stage, payment)
    assert answer.status == 200
    assert (answer.body["status"], answer.body["amount_captured"]) == ("succeeded", 5000)
    assert [a["status"] for a in answer.body["attempts"]] == ["succeeded"]
    assert charged(gateway) == 5000


async def test_the_same_key_is_answered_alike_and_makes_nothing_anew(
    stage: Stage, gateway: Taking
) -> None:
    first, again = await made(stage), await made(stage)
    assert first == again
    one, other = await confirmed(stage, first), await confirmed(stage, first)
    assert (one.body, one.replayed) == (other.body, False)
    assert other.replayed
    assert charged(gateway) == 5000


async def test_a_key_for_another_body_is_refused(stage: Stage, gateway: Taking) -> None:
    await made(stage, 5000)
    with pytest.raises(KeyReusedError):
        await made(stage, 6000)
    assert await stage.value("SELECT count(*) FROM payments WHERE source = 'api'") == 1


@pytest.mark.parametrize("keys", [["same"] * 100, [f"k{n}" for n in range(100)]])
async def test_a_hundred_confirms_at_once_charge_once(
    stage: Stage, gateway: Taking, keys: list[str]
) -> None:
    payment = await made(stage)
    answers = await asyncio.gather(
        *(confirmed(stage, payment, key) for key in keys), return_exceptions=True
    )
    assert charged(gateway) == 5000
    assert await stage.value("SELECT count(*) FROM attempts WHERE payment_id = $1", payment) == 1
    for answer in answers:
        if isinstance(answer, KeyBusyError):
            continue
        assert isinstance(answer, Answer), answer
        assert answer.body["status"] in ("processing", "succeeded")
    assert await state(stage, payment) == "succeeded"


async def test_a_decline_is_certain_and_may_be_tried_again(stage: Stage, gateway: Taking) -> None:
    payment = await made(stage, 5001)
    answer = await confirmed(stage, payment)
    assert answer.body["status"] == "failed"
    assert answer.body["attempts"][0]["failure"] == "the bank says no"
    again = await confirmed(stage, payment, "c2")
    assert [a["status"] for a in again.body["attempts"]] == ["failed", "failed"]


async def test_a_lost_answer_is_processing_and_found_out_by_looking(
    stage: Stage, gateway: Taking
) -> None:
    payment = await made(stage)
    gateway.fails("collect", DONE_AND_LOST)
    answer = await confirmed(stage, payment)
    assert answer.body["status"] == "processing"
    assert answer.body["processing_deadline_at"] is not None
    stage.later(6)
    await stage.sweep("attempts")
    assert await state(stage, payment) == "succeeded"
    assert charged(gateway) == 5000


async def test_a_call_that_never_arrived_is_sent_again_with_its_key(
    stage: Stage, gateway: Taking
) -> None:
    payment = await made(stage)
    gateway.fails("collect", LOST, LOST)
    await confirmed(stage, payment)
    for _ in range(3):
        stage.later(15)
        await stage.sweep("attempts")
    assert await state(stage, payment) == "succeeded"
    assert charged(gateway) == 5000
    assert len(gateway.charges) == 1


async def test_a_key_too_old_is_not_sent_again(stage: Stage, gateway: Taking) -> None:
    payment = await made(stage)
    gateway.fails("collect", LOST)
    await confirmed(stage, payment)
    stage.later(gateway.collect_key_life_s + 1)
    await stage.sweep("attempts")
    assert await state(stage, payment) == "failed"
    assert charged(gateway) == 0


@pytest.mark.parametrize("death", [DIES_BEFORE, DIES_AFTER])
async def test_a_process_that_dies_around_the_call_is_resumed_by_the_same_call(
    stage: Stage, gateway: Taking, death: str
) -> None:
    payment = await made(stage)
    gateway.fails("collect", death)
    with pytest.raises(asyncio.CancelledError):
        await confirmed(stage, payment)
    with pytest.raises(KeyBusyError):
        await confirmed(stage, payment)
    stage.later(61)
    answer = await confirmed(stage, payment)
    assert answer.body["status"] == "succeeded"
    assert charged(gateway) == 5000
    assert len(answer.body["attempts"]) == 1


async def test_what_a_worker_holds_or_has_ended_is_answered_and_not_driven_beside_it(
    stage: Stage, gateway: Taking
) -> None:
    payment = await made(stage)
    gateway.fails("collect", DIES_BEFORE)
    with pytest.raises(asyncio.CancelledError):
        await confirmed(stage, payment)
    stage.later(61)
    attempt = await stage.value("SELECT id FROM attempts")
    async with leases.taken(stage.context, "attempts", UUID(str(attempt))) as held:
        assert held is not None
        answer = await confirmed(stage, payment)
    assert (answer.body["status"], charged(gateway)) == ("processing", 0)
    other = await made(stage, 5001, "m2")
    gateway.fails("collect", DIES_BEFORE)
    with pytest.raises(asyncio.CancelledError):
        await confirmed(stage, other, "c2")
    stage.later(61)
    await stage.sweep("attempts")
    before = await stage.rows("SELECT * FROM attempts ORDER BY id")
    answer = await confirmed(stage, other, "c2")
    assert [one["status"] for one in answer.body["attempts"]] == ["failed"]
    assert await stage.rows("SELECT * FROM attempts ORDER BY id") == before
    assert charged(gateway) == 5000


@pytest.mark.parametrize("death", [DIES_BEFORE, DIES_AFTER])
async def test_a_process_that_dies_around_the_call_is_made_up_for_by_the_sweeper(
    stage: Stage, gateway: Taking, death: str
) -> None:
    payment = await made(stage)
    gateway.fails("collect", death)
    with pytest.raises(asyncio.CancelledError):
        await confirmed(stage, payment)
    stage.later(61)
    await stage.sweep("attempts")
    assert await state(stage, payment) == "succeeded"
    assert charged(gateway) == 5000


async def test_the_payer_acts_and_webhook_and_poll_find_the_same_money(
    stage: Stage, gateway: Taking
) -> None:
    payment = await made(stage, 5010)
    answer = await confirmed(stage, payment)
    assert answer.body["status"] == "requires_action"
    assert answer.body["next_action"] == {
        "type": "redirect", "url": "https://pay.example.test/1",
    }  # fmt: skip
    [key] = gateway.charges
    mark = Mark(installation="test", payment=str(payment))
    fact = gateway.payer_pays(key, mark, Money(5010, "INR"))
    await stage.webhook(fact)
    await stage.webhook(fact, event="again")
    stage.later(10)
    await stage.sweep("attempts")
    assert await state(stage, payment) == "succeeded"
    assert await stage.value("SELECT count(*) FROM captures") == 1


async def test_money_for_another_amount_goes_back(stage: Stage, gateway: Taking) -> None:
    payment = await made(stage, 5010)
    await confirmed(stage, payment)
    [key] = gateway.charges
    mark = Mark(installation="test", payment=str(payment))
    await stage.webhook(gateway.payer_pays(key, mark, Money(4000, "INR")))
    await stage.sweep()
    assert await state(stage, payment) == "requires_action"
    assert stage.refunded() == 4000


async def test_a_payment_called_off_takes_no_money_and_late_money_goes_back(
    stage: Stage, gateway: Taking
) -> None:
    payment = await made(stage, 5010)
    await confirmed(stage, payment)
    answer = await merchant_api.cancel(stage.context, once(stage, "cancel", "x"), payment)
    assert answer.body["status"] == "canceled"
    [key] = gateway.charges
    mark = Mark(installation="test", payment=str(payment))
    await stage.webhook(gateway.payer_pays(key, mark, Money(5010, "INR")))
    await stage.sweep()
    assert await state(stage, payment) == "canceled"
    assert stage.refunded() == 5010


async def test_who_pays_quicker_than_the_cancel_has_paid(stage: Stage, gateway: Taking) -> None:
    payment = await made(stage, 5010)
    await confirmed(stage, payment)
    [key] = gateway.charges
    gateway.payer_pays(key, Mark(installation="test", payment=str(payment)), Money(5010, "INR"))
    with pytest.raises(merchant_api.RuledOutError):
        await merchant_api.cancel(stage.context, once(stage, "cancel", "x"), payment)
    assert await state(stage, payment) == "succeeded"


async def test_what_waits_and_does_not_say_for_whom_can_be_called_off(
    stage: Stage, gateway: Taking
) -> None:
    payment = await made(stage, 5011)
    waiting = await merchant_api.confirm(
        stage.context, once(stage, "confirm", "c"), payment, "card"
    )
    assert waiting.body["status"] == "processing"
    answer = await merchant_api.cancel(stage.context, once(stage, "cancel", "x"), payment)
    assert answer.body["status"] == "canceled"


async def test_refunds_in_parts_stop_at_what_was_collected(stage: Stage, gateway: Taking) -> None:
    payment = await made(stage)
    await confirmed(stage, payment)
    for number, minor in enumerate((1000, 2500)):
        key = once(stage, "refund", f"r{number}", minor)
        answer = await merchant_api.request_refund(
            stage.context, key, payment, merchant_api.RefundRequest(amount=minor)
        )
        assert answer.status == 201
    with pytest.raises(merchant_api.RuledOutError):
        await merchant_api.request_refund(
            stage.context,
            once(stage, "refund", "r9"),
            payment,
            merchant_api.RefundRequest(amount=1501),
        )
    await merchant_api.request_refund(
        stage.context, once(stage, "refund", "rest"), payment, merchant_api.RefundRequest()
    )
    await stage.sweep()
    assert stage.refunded() == 5000


async def test_a_hundred_refunds_at_once_never_exceed_the_payment(
    stage: Stage, gateway: Taking
) -> None:
    payment = await made(stage)
    await confirmed(stage, payment)
    back = merchant_api.RefundRequest(amount=300)
    await asyncio.gather(
        *(
            merchant_api.request_refund(
                stage.context, once(stage, "refund", f"r{n}"), payment, back
            )
            for n in range(100)
        ),
        return_exceptions=True,
    )
    await stage.sweep()
    assert stage.refunded() == 4800  # 16 of them fit


async def test_a_refund_in_the_dashboard_counts_as_asked_for(stage: Stage, gateway: Taking) -> None:
    payment = await made(stage)
    await confirmed(stage, payment)
    [paid] = gateway.books.payments.values()
    await stage.webhook(gateway.refund_in_dashboard(paid, 2000), event="refund")
    with pytest.raises(merchant_api.RuledOutError):
        await merchant_api.request_refund(
            stage.context,
            once(stage, "refund", "r"),
            payment,
            merchant_api.RefundRequest(amount=3001),
        )
    await merchant_api.request_refund(
        stage.context, once(stage, "refund", "r2"), payment, merchant_api.RefundRequest(amount=3000)
    )
    await stage.sweep()
    found = await merchant_api.payment(stage.context, stage.merchant, payment)
    assert found.amount_refunded == 5000


async def test_what_the_dashboard_gave_first_is_not_counted_as_given_twice(
    stage: Stage, gateway: Taking
) -> None:
    payment = await made(stage)
    await confirmed(stage, payment)
    [paid] = gateway.books.payments.values()
    await merchant_api.request_refund(
        stage.context, once(stage, "refund", "r"), payment, merchant_api.RefundRequest(amount=2500)
    )
    await stage.webhook(gateway.refund_in_dashboard(paid, 5000), event="refund")
    await stage.sweep()
    found = await merchant_api.payment(stage.context, stage.merchant, payment)
    assert found.amount_refunded == stage.refunded() == 5000


async def test_another_merchant_sees_nothing(stage: Stage, gateway: Taking) -> None:
    payment = await made(stage)
    stranger = UUID(int=7)
    with pytest.raises(merchant_api.UnknownError):
        await merchant_api.payment(stage.context, stranger, payment)


async def test_a_passing_no_after_a_lost_answer_proves_nothing(
    stage: Stage, gateway: Taking
) -> None:
    """The first call may have charged: no other gateway is asked, and the payment is not failed."""
    payment = await made(stage)
    gateway.fails("collect", DONE_AND_LOST, Declined("too many requests", permanent=False))
    await confirmed(stage, payment)
    stage.later(6)
    await stage.sweep("attempts")
    assert await state(stage, payment) == "processing"
    stage.later(15)
    await stage.sweep("attempts")
    assert await state(stage, payment) == "succeeded"
    assert charged(gateway) == 5000


async def test_each_refund_says_what_others_have_given_back(stage: Stage, gateway: Taking) -> None:
    """Some gateways tell only a sum: without it two parts cannot be told from one made twice."""
    payment = await made(stage)
    await confirmed(stage, payment)
    for minor in (1000, 2500):
        key = once(stage, "refund", f"r{minor}", minor)
        await merchant_api.request_refund(
            stage.context, key, payment, merchant_api.RefundRequest(amount=minor)
        )
        await stage.sweep()
    assert [order.others for order in gateway.sent] == [Money(0, "INR"), Money(1000, "INR")]


@pytest.mark.parametrize(
    ("said", "counts"), [("our-very-long-name", True), ("our-very-odd", False)]
)
async def test_a_mark_in_brief_is_ours_and_one_that_begins_alike_is_not(
    stage: Stage, gateway: Taking, said: str, counts: bool
) -> None:
    stage.context.installation = "our-very-long-name"
    payment = await made(stage, 5010)
    await confirmed(stage, payment)
    mark = Mark(installation=marks.brief(said), payment=str(payment))
    await stage.webhook(gateway.payer_pays("k", mark, Money(5010, "INR")))
    assert await state(stage, payment) == ("succeeded" if counts else "requires_action")


async def test_money_at_an_account_that_was_never_asked_for_it_pays_nothing_and_goes_back(
    stage: Stage, gateway: Taking
) -> None:
    """A mark can be copied, into the metadata of a test account too."""
    payment = await made(stage, 5010)
    mark = Mark(installation=stage.context.installation, payment=str(payment))
    await stage.webhook(gateway.payer_pays("k", mark, Money(5010, "INR")))
    assert await state(stage, payment) == "created"
    stage.later(10)
    await stage.sweep()
    assert stage.refunded() == 5010


@pytest.mark.parametrize("live", [True, False])
async def test_a_key_moves_no_payment_of_the_other_mode(
    stage: Stage, gateway: Taking, live: bool
) -> None:
    ours = replace(once(stage, "create", "k"), live=live)
    ask = PaymentRequest(money=Money(5000, "INR"), live=live)
    made_there = UUID((await merchant_api.create(stage.context, ours, ask)).body["id"])

    def key(endpoint: str) -> IdempotentCall:
        return replace(once(stage, endpoint, endpoint), live=not live)

    with pytest.raises(merchant_api.UnknownError):
        await merchant_api.confirm(stage.context, key("confirm"), made_there, None)
    with pytest.raises(merchant_api.UnknownError):
        await merchant_api.cancel(stage.context, key("cancel"), made_there)
    with pytest.raises(merchant_api.UnknownError):
        await merchant_api.request_refund(
            stage.context, key("refunds"), made_there, merchant_api.RefundRequest()
        )
    assert await state(stage, made_there) == "created"
    assert charged(gateway) == 0


async def test_a_resumed_call_holds_its_key_until_its_own_end(
    stage: Stage, gateway: Taking
) -> None:
    payment = await made(stage)
    gateway.fails("collect", DIES_BEFORE, DIES_BEFORE)
    with pytest.raises(asyncio.CancelledError):
        await confirmed(stage, payment)
    stage.later(61)
    with pytest.raises(asyncio.CancelledError):
        await confirmed(stage, payment)  # resumed now, and running for all that anyone knows
    stage.later(59)
    with pytest.raises(KeyBusyError):
        await confirmed(stage, payment)
    stage.later(2)
    assert (await confirmed(stage, payment)).body["status"] == "succeeded"
    assert charged(gateway) == 5000
