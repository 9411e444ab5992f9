"""Whose money is it: ours buys goods or goes back, a stranger's is left alone on evidence only."""

from datetime import datetime, timedelta

import pytest
from msgspec.structs import replace

from coinslot.gateways.base import Declined, Mark, PaymentFact, Taken
from coinslot.kit.money import Money
from coinslot.payments import provision
from tests.sales.stage import Stage
from tests.sales.weather import LOST, in_weather


async def reason(stage: Stage) -> str | None:
    found: str | None = await stage.value(
        "SELECT reason FROM captures ORDER BY seen_at DESC LIMIT 1"
    )
    return found


async def at_gateway(stage: Stage, paid: PaymentFact) -> PaymentFact:
    """The gateway itself knows the payment so."""
    stage.books.payments[paid.gateway_payment_id] = paid
    return paid


@pytest.mark.parametrize(
    "money", [Money(5000, "INR"), Money(3900, "INR"), Money(4000, "EUR"), Money(4, "INR")], ids=str
)
async def test_other_money_than_the_code_asks_for_goes_back_whole(
    stage: Stage, money: Money
) -> None:
    await stage.hello()
    await stage.webhook(
        await at_gateway(stage, replace(await stage.pay(), money=money, refunded=None))
    )
    assert await reason(stage) == "amount_mismatch"
    await stage.sweep()
    assert await stage.value("SELECT count(*) FROM orders") == 0
    assert stage.refunded() == money.minor
    assert not [m for m in stage.line.sent if m["type"] == "OFFER"]


async def test_an_unknown_code_with_our_mark_goes_back(stage: Stage) -> None:
    mark = Mark(installation="test", qr="01930000-0000-7000-8000-00000000dead")
    paid = replace(await stage.pay(), qr_code_id="qr_lost", mark=mark)
    await stage.webhook(await at_gateway(stage, paid))
    stage.later(6)
    await stage.sweep()
    assert await reason(stage) == "unknown_qr"
    assert stage.refunded() == 4000


async def test_our_mark_alone_finds_the_code(stage: Stage) -> None:
    paid = await stage.pay()
    await stage.webhook(replace(paid, qr_code_id=None))
    assert await stage.value("SELECT state FROM orders") == "paid"


async def test_a_mark_that_is_no_uuid_finds_nothing_and_breaks_nothing(stage: Stage) -> None:
    mark = Mark(installation="test", qr="'; DROP TABLE orders --")
    paid = replace(await stage.pay(), qr_code_id=None, mark=mark)
    await stage.webhook(await at_gateway(stage, paid))
    stage.later(6)
    await stage.sweep()
    assert await reason(stage) == "unknown_qr"


@pytest.mark.parametrize("mark", [None, Mark(installation="another", qr="their-qr")])
async def test_a_strangers_payment_is_closed_without_a_refund(
    stage: Stage, mark: Mark | None
) -> None:
    paid = replace(await stage.pay(), qr_code_id=None, mark=mark)
    await stage.webhook(await at_gateway(stage, paid))
    assert await stage.value("SELECT open FROM captures") == 4000
    stage.later(6)
    await stage.sweep()
    assert await reason(stage) == "foreign"
    assert stage.refunded() == 0
    await stage.webhook(paid, event="told again")
    assert await stage.value("SELECT foreign_amount FROM captures") == 4000


async def test_the_record_says_of_which_code_and_order_a_strangers_payment_was(
    stage: Stage,
) -> None:
    paid = replace(await stage.pay(), qr_code_id="qr_theirs", gateway_order_id="o_9", mark=None)
    await stage.webhook(await at_gateway(stage, paid))
    stage.later(6)
    await stage.sweep()
    said = "SELECT data FROM events WHERE event = 'FOREIGN'"
    assert await stage.value(said) == {"qr_code_id": "qr_theirs", "order": "o_9"}


@pytest.mark.parametrize("verb", ["look", "qr_of_payment"])
async def test_nothing_is_called_foreign_while_the_gateway_is_unclear(
    stage: Stage, verb: str
) -> None:
    weather = in_weather(stage)
    weather.fails(verb, *[LOST] * 3)
    paid = replace(await stage.pay(), qr_code_id=None, mark=None)
    await stage.webhook(await at_gateway(stage, paid))
    for _ in range(3):
        stage.later(400)
        await stage.sweep("captures")
        assert await reason(stage) is None
    stage.later(400)
    await stage.sweep("captures")
    assert await reason(stage) == "foreign"


async def test_the_gateways_own_answer_brings_a_parked_payment_to_its_code(stage: Stage) -> None:
    paid = await stage.pay()
    await stage.webhook(replace(paid, qr_code_id=None, mark=None))
    stage.later(6)
    await stage.sweep("captures")
    assert await stage.value("SELECT state FROM orders") == "paid"


@pytest.mark.parametrize("has_code", [True, False])
async def test_what_a_parked_payment_was_found_by_says_when_it_was_captured(
    stage: Stage, has_code: bool
) -> None:
    """The gateway may say another time when it is asked later: of its last change. That it was
    captured is known by then."""
    paid = await stage.pay()
    parked = replace(paid, qr_code_id=None, mark=None)
    await stage.webhook(parked)
    at = await stage.value("SELECT captured_at FROM captures")
    later = replace(paid, at=paid.at + timedelta(seconds=3), taken=Taken.AUTHORIZED)
    await at_gateway(stage, later if has_code else replace(later, qr_code_id=None))
    stage.later(6)
    await stage.sweep("captures")
    assert await reason(stage) is None
    assert await stage.value("SELECT state FROM orders") == "paid"
    found = await stage.value("SELECT facts->0->>'at' FROM inbox WHERE verdict = 'own'")
    assert datetime.fromisoformat(found) == at


async def test_money_through_a_retired_code_goes_back_and_older_money_buys(stage: Stage) -> None:
    early = await stage.pay()
    stage.later(1)
    await provision.decommission(stage.context, "M01")
    stage.later(1)
    late = await stage.pay()
    await stage.webhook(late)
    assert await reason(stage) == "qr_retired"
    await stage.webhook(early, event="late news")
    assert await stage.value("SELECT count(*) FROM orders") == 1
    stage.later(200)
    await stage.sweep()
    assert await stage.value("SELECT state FROM orders") == "failed"
    assert stage.refunded() == 8000


async def test_decommissioning_closes_the_code_however_often_the_gateway_fails(
    stage: Stage,
) -> None:
    weather = in_weather(stage)
    weather.fails("close_qr", LOST, LOST)
    await provision.decommission(stage.context, "M01")
    await provision.decommission(stage.context, "M01")
    for _ in range(3):
        assert stage.books.qr_codes[stage.qr_code_id].open
        await stage.sweep("qr_codes")
        stage.later(10)
    assert not stage.books.qr_codes[stage.qr_code_id].open
    assert await stage.value("SELECT stage FROM qr_codes") == "closed"


async def test_a_code_that_cannot_be_closed_is_watched_and_its_money_goes_back(
    stage: Stage,
) -> None:
    weather = in_weather(stage)
    weather.fails("close_qr", *[Declined("reusable codes stay open")] * 9)
    await provision.decommission(stage.context, "M01")
    await stage.sweep("qr_codes")
    stage.later(30)
    await stage.pay()  # and no webhook tells of it
    await stage.sweep()
    assert stage.refunded() == 4000


async def test_a_new_price_retires_the_old_code(stage: Stage) -> None:
    old = stage.qr_code_id
    stage.later(1)
    profile = await provision.print_qr(stage.context, "M01", 4500)
    again = await provision.print_qr(stage.context, "M01", 4500)
    assert profile.qr_code_id == again.qr_code_id != old
    stage.later(1)
    await stage.webhook(await stage.pay())
    assert await reason(stage) == "qr_retired"


async def test_a_slot_that_is_gone_gives_the_money_back(stage: Stage) -> None:
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        await conn.execute("UPDATE qr_codes SET slot = 'B9'")
    await stage.webhook(await stage.pay())
    await stage.sweep()
    assert await reason(stage) == "slot_gone"
    assert stage.refunded() == 4000


async def test_a_gateway_whose_clock_is_ahead_lengthens_no_deadline(stage: Stage) -> None:
    paid = await stage.pay()
    now = stage.clock.now()
    await stage.webhook(replace(paid, at=now + timedelta(hours=2)))
    assert await stage.value("SELECT captured_at FROM captures") == now
    assert await stage.value(
        "SELECT dispatch_by FROM fulfillments"
    ) == now + stage.context.windows.span("dispatch_s")
    assert await stage.value("SELECT paid_at FROM orders") == now
    stage.later(stage.context.windows.dispatch_s + 1)
    await stage.sweep()
    assert stage.refunded() == 4000


async def test_a_code_is_retired_from_its_very_second_on(stage: Stage) -> None:
    await provision.decommission(stage.context, "M01")
    await stage.webhook(await stage.pay())
    assert await reason(stage) == "qr_retired"
