"""What is told of a payment is its own: its case, its tries, what it holds, what went back."""

from uuid import UUID

from coinslot.kit.money import Money
from coinslot.oversight import cases
from coinslot.payments import merchant_api
from coinslot.payments.attempts import PaymentRequest
from tests.sales.stage import Stage
from tests.sales.taking import confirmed, made, once, taking
from tests.sales.weather import LOST


async def test_each_case_names_its_own_payment_and_its_last_try(stage: Stage) -> None:
    gateway = taking(stage)
    gateway.fails("collect", *[LOST] * 20)
    gateway.fails("find_charge", *[LOST] * 200)
    payments = [await made(stage, 5000 + n, f"k{n}") for n in (20, 30)]
    for number, payment in enumerate(payments):
        await confirmed(stage, payment, f"c{number}")
    stage.later(stage.context.windows.processing_s + 1)
    await cases.update(stage.context)
    found = {case.subject: case for case in await cases.listed(stage.context)}
    assert {UUID(subject) for subject in found} == set(payments)
    for payment, minor in zip(payments, (5020, 5030), strict=True):
        case = found[str(payment)]
        assert case.amount == minor
        assert case.data["payment"] == str(payment)


async def test_a_statement_says_what_is_held_only_while_it_is(stage: Stage) -> None:
    taking(stage)
    ask = PaymentRequest(money=Money(5000, "INR"), capture_method="manual")
    payment = UUID(
        (await merchant_api.create(stage.context, once(stage, "create", "k"), ask)).body["id"]
    )

    async def amounts() -> tuple[int, int, int]:
        said = await merchant_api.payment(stage.context, stage.merchant, payment)
        return said.amount_capturable, said.amount_captured, said.amount_refunded

    assert await amounts() == (0, 0, 0)
    await confirmed(stage, payment)
    assert await amounts() == (5000, 0, 0)
    await merchant_api.capture(stage.context, once(stage, "capture", "t"), payment, 3000)
    assert await amounts() == (0, 3000, 0)
    await merchant_api.request_refund(
        stage.context, once(stage, "back", "b"), payment, merchant_api.RefundRequest(amount=1000)
    )
    await stage.sweep()
    assert await amounts() == (0, 3000, 1000)


async def test_a_statement_names_the_gateway_of_the_last_try(stage: Stage) -> None:
    taking(stage)
    payment = await made(stage, 5001)  # declined
    for key in ("c1", "c2"):
        await confirmed(stage, payment, key)
    said = await merchant_api.payment(stage.context, stage.merchant, payment)
    assert [(a.gateway, a.status) for a in said.attempts] == [("mock", "failed")] * 2
    assert said.gateway == "mock"
    assert said.next_action is None


async def test_another_merchants_refunds_and_sums_are_not_among_these(stage: Stage) -> None:
    taking(stage)
    one, other = [await made(stage, 5000, key) for key in ("k1", "k2")]
    for number, payment in enumerate((one, other)):
        await confirmed(stage, payment, f"c{number}")
    await merchant_api.request_refund(
        stage.context, once(stage, "back", "b"), one, merchant_api.RefundRequest(amount=1000)
    )
    assert len(await merchant_api.refunds(stage.context, stage.merchant, one)) == 1
    assert await merchant_api.refunds(stage.context, stage.merchant, other) == []
    assert (await merchant_api.payment(stage.context, stage.merchant, other)).amount_refunded == 0
