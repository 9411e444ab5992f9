"""T-Bank's own ways, against the emulated one: SBP, refunds without a list, holds, weather."""

from uuid import uuid4

import pytest
from msgspec.structs import replace

from coinslot.gateways.base import (
    Declined,
    Genuine,
    Hint,
    Mark,
    PaymentFact,
    RefundFact,
    RefundOrder,
    Refunds,
    RefundStage,
    Taken,
    Unclear,
)
from coinslot.gateways.collecting import Closed, Pending, Redirect, ShowQr
from coinslot.gateways.tbank import order_ids
from coinslot.gateways.tbank.fiscal import Receipts
from coinslot.kit.money import Money
from tests.gateways.tbank_shop import TBankShop


def roubles(text: str) -> Money:
    return Money.parse(text, "RUB")


async def begun(at: TBankShop, method: str | None = None, price: str = "40.00") -> Pending:
    pending = await at.till.collect(at.charge(price, method=method))
    assert isinstance(pending, Pending), pending
    return pending


async def paid(at: TBankShop, method: str = "card", price: str = "40.00") -> str:
    return await at.pay((await begun(at, price=price)).reference, method=method)


def refund(payment: str, price: str = "40.00", others: str | None = None) -> RefundOrder:
    return RefundOrder(
        gateway_payment_id=payment,
        money=roubles(price),
        key=str(uuid4()),
        mark=Mark(installation="here", refund=str(uuid4())),
        others=None if others is None else roubles(others),
    )


async def gone(at: TBankShop, payment: str) -> int:
    rows = [row for row in await at.books() if row["reference"] == payment]
    return int(str(rows[0]["refunded"]))


async def test_a_page_is_shown_or_an_sbp_code(at_tbank: TBankShop) -> None:
    page, code = await begun(at_tbank), await begun(at_tbank, "sbp")
    assert isinstance(page.action, Redirect)
    assert isinstance(code.action, ShowQr)
    assert code.action.text
    assert "sum=4000" in code.action.text
    whole_shop = at_tbank.opened(replace(at_tbank.settings, method="sbp"))
    shown = await whole_shop.collect(at_tbank.charge())
    assert isinstance(shown, Pending)
    assert isinstance(shown.action, ShowQr)


async def test_what_is_only_held_is_paid_at_the_page_for_sbp_holds_nothing(
    at_tbank: TBankShop,
) -> None:
    held = await at_tbank.till.collect(replace(at_tbank.charge(method="sbp"), capture=False))
    assert isinstance(held, Pending)
    assert isinstance(held.action, Redirect)


async def test_an_sbp_code_asked_for_again_is_the_same(at_tbank: TBankShop) -> None:
    charge = at_tbank.charge(method="sbp")
    assert await at_tbank.till.collect(charge) == await at_tbank.till.collect(charge)


async def test_a_page_whose_address_was_lost_is_replaced_by_the_code(at_tbank: TBankShop) -> None:
    charge, lost = await at_tbank.in_trouble(at_tbank.charge(), done=True)
    assert isinstance(lost, Unclear)
    again = await at_tbank.till.collect(charge)
    assert isinstance(again, Pending)
    assert isinstance(again.action, ShowQr)
    assert len(await at_tbank.books()) == 1


async def test_without_sbp_a_lost_address_stays_lost(at_tbank: TBankShop) -> None:
    await at_tbank.sign_up(sbp=False)
    charge, _ = await at_tbank.in_trouble(at_tbank.charge(), done=True)
    again = await at_tbank.till.collect(charge)
    assert isinstance(again, Pending)
    assert again.action is None
    declined = await at_tbank.till.collect(at_tbank.charge(method="sbp"))
    assert isinstance(declined, Declined)
    assert (declined.code, declined.permanent) == ("not_enabled", False)


async def test_an_amount_too_small_for_sbp_is_declined(at_tbank: TBankShop) -> None:
    answer = await at_tbank.till.collect(at_tbank.charge("9.99", method="sbp"))
    assert isinstance(answer, Declined)
    assert answer.code == "amount_out_of_range"


async def test_what_t_bank_cannot_take_is_not_sent(at_tbank: TBankShop) -> None:
    dollars = replace(at_tbank.charge(), money=Money.parse("40.00", "USD"))
    vast = replace(at_tbank.charge(), money=Money(order_ids.LARGEST_MINOR + 1, "RUB"))
    for charge in (dollars, vast):
        assert isinstance(await at_tbank.till.collect(charge), Declined)
    assert at_tbank.exchanges == []


async def test_two_stages_told_at_once_come_to_the_same(at_tbank: TBankShop) -> None:
    orders = set()
    for _ in range(8):
        payment = await paid(at_tbank)
        told = await at_tbank.told_until(payment, "CONFIRMED")
        if not any(b'"AUTHORIZED"' in one.body for one in told):
            told += await at_tbank.told_until(payment, "AUTHORIZED")
        verdicts = [at_tbank.till.read_webhook(*one) for one in told]
        assert all(isinstance(verdict, Genuine) for verdict in verdicts)
        orders.add(tuple(v.event for v in verdicts if isinstance(v, Genuine)))
        facts = [fact for v in verdicts if isinstance(v, Genuine) for fact in v.facts]
        taken = {fact.taken for fact in facts if isinstance(fact, PaymentFact)}
        assert taken == {Taken.AUTHORIZED, Taken.CAPTURED}
    assert len(orders) == 2  # both orders were met


async def test_a_refused_card_may_be_followed_by_another(at_tbank: TBankShop) -> None:
    pending = await begun(at_tbank)
    await at_tbank.pay(pending.reference, declined="insufficient_funds")
    refused = await at_tbank.till.follow(pending.reference)
    assert isinstance(refused, PaymentFact)
    assert refused.taken is Taken.FAILED
    told = await at_tbank.told_until(pending.reference, "REJECTED")
    assert isinstance(at_tbank.till.read_webhook(*told[-1]), Genuine)
    await at_tbank.pay(pending.reference)
    followed = await at_tbank.till.follow(pending.reference)
    assert isinstance(followed, PaymentFact)
    assert followed.taken is Taken.CAPTURED


async def test_a_link_that_lapsed_is_closed(at_tbank: TBankShop) -> None:
    pending = await begun(at_tbank)
    await at_tbank.ask("lapse", {"reference": pending.reference})
    assert await at_tbank.till.follow(pending.reference) == Closed(
        reference=pending.reference, reason="DEADLINE_EXPIRED"
    )


async def test_a_refund_made_by_hand_is_hinted_at_and_seen(at_tbank: TBankShop) -> None:
    payment = await paid(at_tbank)
    assert await at_tbank.till.refunds(payment) == Refunds(())
    await at_tbank.ask("refund", {"reference": payment, "amount": 1500})
    delivery = (await at_tbank.told_until(payment, "PARTIAL_REFUNDED"))[-1]
    assert b'"Amount":2500' in delivery.body  # what is left, not what went back
    verdict = at_tbank.till.read_webhook(*delivery)
    assert isinstance(verdict, Hint)
    assert (verdict.event, verdict.reference) == ("PARTIAL_REFUNDED", payment)
    looked = await at_tbank.till.look(payment)
    assert isinstance(looked, PaymentFact)
    assert (looked.money, looked.refunded) == (roubles("40.00"), roubles("15.00"))
    assert await at_tbank.till.refunds(payment) == Refunds((), complete=False)


async def test_a_refund_whose_answer_was_lost_is_made_once(at_tbank: TBankShop) -> None:
    payment = await paid(at_tbank)
    order = refund(payment, "10.00")
    async with at_tbank.answer_lost():
        assert isinstance(await at_tbank.till.give_back(order), Unclear)
    assert await gone(at_tbank, payment) == 1000
    again = await at_tbank.till.give_back(order)
    assert isinstance(again, RefundFact)
    assert (again.money, again.stage) == (order.money, RefundStage.PROCESSED)
    assert await gone(at_tbank, payment) == 1000


async def test_a_key_of_another_refund_is_not_taken_for_this_one(at_tbank: TBankShop) -> None:
    payment = await paid(at_tbank)
    first = refund(payment, "10.00")
    await at_tbank.till.give_back(first)
    other = replace(first, money=roubles("20.00"))
    assert isinstance(await at_tbank.till.give_back(other), Unclear)
    assert await gone(at_tbank, payment) == 1000


async def test_what_went_back_already_is_not_sent_when_the_sums_tell(at_tbank: TBankShop) -> None:
    payment = await paid(at_tbank)
    await at_tbank.ask("refund", {"reference": payment, "amount": 1500})
    answer = await at_tbank.till.give_back(refund(payment, "10.00", others="5.00"))
    assert isinstance(answer, RefundFact)
    assert await gone(at_tbank, payment) == 1500


async def test_an_sbp_refund_is_pending_and_then_proved_without_another(
    at_tbank: TBankShop,
) -> None:
    payment = await paid(at_tbank, "sbp")
    order = refund(payment)
    first = await at_tbank.till.give_back(order)
    assert isinstance(first, RefundFact)
    assert first.stage is RefundStage.PENDING
    assert isinstance(await at_tbank.till.give_back(order), Unclear)  # it is on its way
    assert (await at_tbank.settled(payment)).refunded == order.money
    proved = await at_tbank.till.give_back(order)
    assert isinstance(proved, RefundFact)
    assert proved.stage is RefundStage.PROCESSED
    assert proved.gateway_refund_id == first.gateway_refund_id
    assert await gone(at_tbank, payment) == 4000


async def test_a_part_lost_at_sbp_is_never_sent_twice(at_tbank: TBankShop) -> None:
    payment = await paid(at_tbank, "sbp")
    order = refund(payment, "10.00")
    async with at_tbank.answer_lost():
        assert isinstance(await at_tbank.till.give_back(order), Unclear)
    await at_tbank.settled(payment)
    for _ in range(2):  # nobody says whether these ten roubles were these ten roubles
        assert isinstance(await at_tbank.till.give_back(order), Unclear)
    known = replace(order, others=roubles("0"))
    assert isinstance(await at_tbank.till.give_back(known), RefundFact)
    assert await gone(at_tbank, payment) == 1000


async def test_part_after_part_goes_back_through_sbp_when_the_sums_tell(
    at_tbank: TBankShop,
) -> None:
    payment = await paid(at_tbank, "sbp")
    for price, others, after in (("10.00", "0", "10.00"), ("25.00", "10.00", "35.00")):
        assert isinstance(await at_tbank.till.give_back(refund(payment, price, others)), RefundFact)
        assert (await at_tbank.settled(payment)).refunded == roubles(after)
    assert await gone(at_tbank, payment) == 3500


async def test_a_refund_that_came_back_at_sbp_can_be_sent_again(at_tbank: TBankShop) -> None:
    payment = await paid(at_tbank, "sbp")
    order = refund(payment)
    async with at_tbank.weather(refund_fails_later=1):
        pending = await at_tbank.till.give_back(order)
    assert isinstance(pending, RefundFact)
    assert (await at_tbank.settled(payment)).refunded == roubles("0")
    assert isinstance(await at_tbank.till.give_back(order), RefundFact)
    assert (await at_tbank.settled(payment)).refunded == order.money


async def test_a_refund_that_was_at_work_and_is_no_more_has_failed(at_tbank: TBankShop) -> None:
    """With cards its key would be answered with the payment for ever: a new key has to be sent."""
    payment = await paid(at_tbank)
    first = replace(refund(payment, "10.00"), others=roubles("0"))
    assert isinstance(await at_tbank.till.give_back(first), RefundFact)
    second = replace(refund(payment, "10.00"), others=roubles("10.00"))
    async with at_tbank.weather(refund_fails_later=1):
        taken_up = await at_tbank.till.give_back(second)
    assert isinstance(taken_up, RefundFact)
    assert taken_up.stage is RefundStage.PENDING
    assert (await at_tbank.settled(payment)).refunded == roubles("10.00")
    dead = await at_tbank.till.give_back(replace(second, taken_up=True))
    assert isinstance(dead, RefundFact)
    assert dead.stage is RefundStage.FAILED
    again = await at_tbank.till.give_back(replace(second, key="another"))
    assert isinstance(again, RefundFact)
    assert (await at_tbank.settled(payment)).refunded == roubles("20.00")


async def test_a_refund_never_seen_at_work_is_no_proof_when_it_is_missing(
    at_tbank: TBankShop,
) -> None:
    payment = await paid(at_tbank)
    order = replace(refund(payment, "10.00"), others=roubles("0"))
    async with at_tbank.weather(refund_fails_later=1):
        await at_tbank.till.give_back(order)  # its answer was lost
    await at_tbank.settled(payment)
    answer = await at_tbank.till.give_back(order)
    assert isinstance(answer, Declined)
    assert not answer.permanent


async def test_an_empty_balance_declines_for_now(at_tbank: TBankShop) -> None:
    await at_tbank.ask("balance", {"account_id": at_tbank.settings.terminal_key, "amount": 0})
    payment = await paid(at_tbank)
    await at_tbank.ask("balance", {"account_id": at_tbank.settings.terminal_key, "amount": 0})
    answer = await at_tbank.till.give_back(refund(payment))
    assert isinstance(answer, Declined)
    assert (answer.code, answer.permanent) == ("insufficient_balance", False)


async def test_a_wrong_password_is_no_proof_of_absence(at_tbank: TBankShop) -> None:
    payment = await paid(at_tbank)
    wrong = at_tbank.opened(replace(at_tbank.settings, terminal_key="nobody"))
    assert isinstance(await wrong.look(payment), Unclear)
    assert isinstance(await wrong.find_charge(at_tbank.charge()), Unclear)
    answer = await wrong.give_back(refund(payment))
    assert isinstance(answer, Unclear | Declined)
    assert not (isinstance(answer, Declined) and answer.permanent)


async def test_what_is_held_is_never_given_back_as_if_it_were_taken(at_tbank: TBankShop) -> None:
    held = await at_tbank.till.collect(replace(at_tbank.charge(), capture=False))
    assert isinstance(held, Pending)
    await at_tbank.pay(held.reference)
    answer = await at_tbank.till.give_back(refund(held.reference))
    assert isinstance(answer, Declined)
    assert (answer.code, answer.permanent) == ("not_captured", False)
    part = await at_tbank.till.capture(held.reference, roubles("10.00"), "k")
    assert isinstance(part, Declined)
    assert isinstance(await at_tbank.till.void(held.reference, "k"), Closed)
    assert isinstance(await at_tbank.till.void(held.reference, "k"), Closed)


async def test_a_receipt_goes_with_a_charge_and_with_a_part_that_goes_back(
    at_tbank: TBankShop,
) -> None:
    await at_tbank.sign_up(receipts=True)
    bare = await at_tbank.till.collect(at_tbank.charge())
    assert isinstance(bare, Declined)
    assert bare.code == "receipt"
    wanted = Receipts(email="shop@example.com", taxation="usn_income")
    till = at_tbank.opened(replace(at_tbank.settings, receipts=wanted))
    pending = await till.collect(at_tbank.charge())
    assert isinstance(pending, Pending)
    await at_tbank.pay(pending.reference)
    assert isinstance(await till.give_back(refund(pending.reference, "10.00")), RefundFact)
    assert isinstance(await till.give_back(refund(pending.reference, "30.00")), RefundFact)


async def test_a_terminal_that_wants_unique_orders_gets_them(at_tbank: TBankShop) -> None:
    await at_tbank.sign_up(unique_orders=True)
    charge = at_tbank.charge()
    first, again = await at_tbank.till.collect(charge), await at_tbank.till.collect(charge)
    assert isinstance(first, Pending)
    assert isinstance(again, Pending)
    assert first.reference == again.reference


@pytest.mark.parametrize("trouble", ["error_5xx", "drop_response"])
async def test_in_bad_weather_nothing_is_claimed(at_tbank: TBankShop, trouble: str) -> None:
    payment, charge = await paid(at_tbank), at_tbank.charge()
    async with at_tbank.weather(**{trouble: 1}):
        assert isinstance(await at_tbank.till.look(payment), Unclear)
        assert isinstance(await at_tbank.till.refunds(payment), Unclear)
        assert isinstance(await at_tbank.till.give_back(refund(payment)), Unclear)
        assert isinstance(await at_tbank.till.find_charge(charge), Unclear)
        assert isinstance(await at_tbank.till.collect(charge), Unclear)
        assert isinstance(await at_tbank.till.cancel(payment), Unclear)
    assert await gone(at_tbank, payment) == 0
