"""What a driver promises that takes money when asked to, shown on each of them."""

from uuid import uuid4

import pytest
from msgspec.structs import replace

from coinslot.gateways.base import (
    Absent,
    Declined,
    Fact,
    Forged,
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
    Unreadable,
)
from coinslot.gateways.collecting import (
    Authorizes,
    Charge,
    Closed,
    Collects,
    Pending,
    Redirect,
    ShowQr,
)
from coinslot.kit.money import Money
from tests.gateways.collectors import Collector
from tests.gateways.kept import leaks
from tests.gateways.mailbox import Delivery

NOWHERE = ["pay_DOESNOTEXIST00", "", "..", "../refunds", "a/b?c#d", "पे", "x" * 300]


async def made(at: Collector, charge: Charge) -> Pending:
    answer = await at.till.collect(charge)
    assert isinstance(answer, Pending), answer
    return answer


async def paid(at: Collector, charge: Charge) -> PaymentFact:
    """Collected, paid, and looked at."""
    pending = await made(at, charge)
    fact = await at.till.look(await at.pay(pending.reference))
    assert isinstance(fact, PaymentFact), fact
    return fact


async def facts_of(at: Collector, delivery: Delivery) -> list[Fact]:
    """What the core learns from a webhook: what it states, or what the gateway says when asked."""
    verdict = at.till.read_webhook(*delivery)
    if isinstance(verdict, Genuine):
        return list(verdict.facts)
    assert isinstance(verdict, Hint), verdict
    looked = await at.till.look(verdict.reference)
    return [looked] if isinstance(looked, PaymentFact) else []


def refund_of(fact: PaymentFact, price: Money | None = None) -> RefundOrder:
    return RefundOrder(
        gateway_payment_id=fact.gateway_payment_id,
        money=price or fact.money,
        key=str(uuid4()),
        mark=Mark(installation="here", refund=str(uuid4())),
        reason="nothing came out",
    )


async def given_back(at: Collector, fact: PaymentFact) -> list[Money]:
    found = await at.till.refunds(fact.gateway_payment_id)
    assert isinstance(found, Refunds), found
    assert found.complete is at.keeps.refunds
    if found.complete:
        return [refund.money for refund in found.facts]
    looked = await at.till.look(fact.gateway_payment_id)
    assert isinstance(looked, PaymentFact)
    assert looked.refunded is not None
    return [looked.refunded]


def later(at: Collector, pending: Pending | PaymentFact) -> Pending | PaymentFact:
    """What a look says of it afterwards."""
    if isinstance(pending, PaymentFact) or at.keeps.actions:
        return pending
    return replace(pending, action=None)


async def test_a_charge_waits_for_its_payer_and_becomes_a_payment(at: Collector) -> None:
    charge = at.charge()
    pending = await made(at, charge)
    assert isinstance(pending.action, Redirect | ShowQr)
    assert await at.till.follow(pending.reference) == later(at, pending)
    payment = await at.pay(pending.reference)
    followed = await at.till.follow(pending.reference)
    assert isinstance(followed, PaymentFact)
    assert (followed.gateway_payment_id, followed.money) == (payment, charge.money)
    assert (followed.taken, followed.mark) == (Taken.CAPTURED, charge.mark)
    assert await at.till.look(payment) == followed
    assert await at.till.look(pending.reference) == followed
    (row,) = await at.books()
    assert (row["reference"], row["captured"]) == (payment, charge.money.minor)


ABSURD = {f"key {n}": "text" for n in range(60)}


@pytest.mark.parametrize(
    "metadata",
    [
        ABSURD,
        {"items[0][id]": "1", "[": "2", "]": "3", "a[]": "4"},
        {"n" * 41: "1", "n" * 255: "2", "": "3", " ": "4"},
        {"long": "x" * 255, "empty": "", "lines": "a\r\nb", "letters": "ключ 🙂"},
        dict.fromkeys(("coinslot", "payment", "refund", "qr", "charge"), "not ours"),
    ],
)
async def test_metadata_that_a_gateway_does_not_take_stops_no_payment(
    at: Collector, metadata: dict[str, str]
) -> None:
    """Only our mark has to be there; the merchant's own stays with us whole."""
    charge = replace(at.charge(), metadata=metadata, description="d" * 255)
    fact = await paid(at, charge)
    assert fact.mark == charge.mark
    found = await at.till.find_charge(charge)
    assert isinstance(found, PaymentFact)
    assert found.gateway_payment_id == fact.gateway_payment_id


async def test_what_a_driver_says_it_takes_goes_along_whole(at: Collector) -> None:
    assert isinstance(at.till, Collects)
    limits = at.till.limits
    name = ("n" * limits.name_chars)[:-3]
    metadata = {f"{name}{n:03}"[: limits.name_chars]: "t" * limits.value_chars
                for n in range(limits.pairs)}  # fmt: skip
    described = "d" * limits.description_chars
    assert limits.flaws(metadata, described) == {}
    assert limits.fitting(metadata) == metadata
    await paid(at, replace(at.charge(), metadata=metadata, description=described))


def test_what_is_more_than_a_driver_takes_is_named_with_its_limit(at: Collector) -> None:
    assert isinstance(at.till, Collects)
    limits = at.till.limits
    many = {f"k{n}": "" for n in range(limits.pairs + 1)}
    assert list(limits.flaws(many, "")) == ["metadata"]
    assert list(limits.flaws({}, "d" * (limits.description_chars + 1))) == ["description"]
    long = {"n" * (limits.name_chars + 1): "", "": "", "t": "x" * (limits.value_chars + 1)}
    assert set(limits.flaws(long, "")) == {f"metadata.{name}" for name in long}
    assert limits.flaws({"coinslot": "x" * 10_000}, "") == {}


async def test_the_same_key_sent_twice_collects_once(at: Collector) -> None:
    charge = at.charge()
    first, again = await made(at, charge), await made(at, charge)
    assert again.reference == first.reference
    payment = await at.pay(first.reference)
    late = await at.till.collect(charge)
    assert isinstance(late, PaymentFact | Pending)
    assert len(await at.books()) == 1
    found = await at.till.find_charge(charge)
    assert isinstance(found, PaymentFact)
    assert found.gateway_payment_id == payment


async def test_a_key_of_another_charge_is_never_taken_over(at: Collector) -> None:
    charge = at.charge("40.00")
    if not at.keeps.keys:
        pytest.skip("another amount is another charge there")
    first = await made(at, charge)
    other = replace(charge, money=Money.parse("50.00", at.currency))
    assert isinstance(await at.till.collect(other), Unclear)
    assert (await made(at, charge)).reference == first.reference


async def test_a_key_short_or_odd_still_makes_one_charge(at: Collector) -> None:
    charge = replace(at.charge(), key=f"№ {uuid4()}")
    assert (await made(at, charge)).reference == (await made(at, charge)).reference


@pytest.mark.parametrize("done", [True, False])
async def test_a_time_out_is_unclear_and_the_mark_tells_what_came_of_it(
    at: Collector, done: bool
) -> None:
    charge, answer = await at.in_trouble(at.charge(), done=done)
    assert isinstance(answer, Unclear)
    found = await at.till.find_charge(charge)
    if not done:
        assert found == Absent()
        return
    assert isinstance(found, Pending | PaymentFact)
    again = await at.till.collect(charge)
    assert isinstance(again, Pending)
    assert await at.till.follow(again.reference) == later(at, found)


async def test_a_charge_of_another_installation_is_not_ours(at: Collector) -> None:
    charge = at.charge()
    await made(at, charge)
    mark = Mark(installation="elsewhere", payment=charge.mark.payment)
    assert await at.till.find_charge(replace(charge, mark=mark)) == Absent()


async def test_another_try_for_the_same_payment_is_not_taken_for_this_one(at: Collector) -> None:
    charge = at.charge()
    first = await made(at, charge)
    again = replace(charge, key=str(uuid4()))
    assert await at.till.find_charge(again) == Absent()
    second = await made(at, again)
    assert second.reference != first.reference
    for one, its in ((charge, first), (again, second)):
        found = await at.till.find_charge(one)
        assert isinstance(found, Pending)
        assert found.reference == its.reference


@pytest.mark.parametrize("reference", NOWHERE)
async def test_what_the_gateway_does_not_know_is_absent(at: Collector, reference: str) -> None:
    assert await at.till.follow(reference) == Absent()
    assert await at.till.look(reference) == Absent()
    assert await at.till.refunds(reference) == Absent()
    assert isinstance(await at.till.cancel(reference), Declined)
    order = RefundOrder(
        gateway_payment_id=reference,
        money=at.charge().money,
        key=str(uuid4()),
        mark=Mark(installation="here", refund=str(uuid4())),
    )
    assert isinstance(await at.till.give_back(order), Declined)


async def test_a_webhook_states_what_a_look_finds(at: Collector) -> None:
    charge = at.charge()
    pending = await made(at, charge)
    payment = await at.pay(pending.reference)
    told = [fact for one in await at.told(pending.reference) for fact in await facts_of(at, one)]
    captured = [f for f in told if isinstance(f, PaymentFact) and f.taken is Taken.CAPTURED]
    assert captured
    for fact in captured:
        assert (fact.gateway_payment_id, fact.money) == (payment, charge.money)
        assert fact.mark == charge.mark


async def test_a_delivery_repeated_has_the_same_id(at: Collector) -> None:
    pending = await made(at, at.charge())
    await at.pay(pending.reference)
    delivery = (await at.told(pending.reference))[-1]
    assert at.till.read_webhook(*delivery) == at.till.read_webhook(*delivery)


async def test_a_forged_webhook_or_one_of_another_account_states_nothing(at: Collector) -> None:
    pending = await made(at, at.charge())
    await at.pay(pending.reference)
    delivery = (await at.told(pending.reference))[-1]
    assert not isinstance(at.till.read_webhook(*delivery), Forged)
    forgeries = at.forgeries(delivery)
    assert forgeries
    for kind, verdict in forgeries.items():
        another = kind.startswith("of another ")  # signed all the same
        assert isinstance(verdict, Unreadable if another else Forged), kind


async def test_an_altered_amount_is_never_believed(at: Collector) -> None:
    charge = at.charge("40.00")
    pending = await made(at, charge)
    await at.pay(pending.reference)
    headers, body = (await at.told(pending.reference))[-1]
    for was, said in ((b"4000", b"9000"), (b"40.00", b"90.00")):
        if was not in body:
            continue
        verdict = at.till.read_webhook(headers, body.replace(was, said))
        assert isinstance(verdict, Forged | Hint), verdict
        if isinstance(verdict, Hint):  # it names what to ask about; the answer is the true one
            looked = await at.till.look(verdict.reference)
            assert not isinstance(looked, PaymentFact) or looked.money == charge.money


async def test_a_refund_sent_twice_with_one_key_is_one_refund(at: Collector) -> None:
    fact = await paid(at, at.charge())
    order = refund_of(fact)
    first, again = await at.till.give_back(order), await at.till.give_back(order)
    assert isinstance(first, RefundFact)
    assert isinstance(again, RefundFact)
    assert (first.money, first.mark) == (order.money, order.mark)
    assert first.gateway_payment_id == fact.gateway_payment_id
    assert again.gateway_refund_id == first.gateway_refund_id
    assert await given_back(at, fact) == [order.money]
    assert (await at.books())[0]["refunded"] == order.money.minor


async def test_partial_refunds_add_up_and_stop_at_the_capture(at: Collector) -> None:
    fact = await paid(at, at.charge("40.00"))
    for price in ("10.00", "25.00"):
        part = refund_of(fact, Money.parse(price, at.currency))
        assert isinstance(await at.till.give_back(part), RefundFact)
    too_much = await at.till.give_back(refund_of(fact, Money.parse("5.10", at.currency)))
    assert isinstance(too_much, Declined)
    assert too_much.permanent
    looked = await at.till.look(fact.gateway_payment_id)
    assert isinstance(looked, PaymentFact)
    assert (looked.taken, looked.money) == (Taken.CAPTURED, fact.money)
    assert looked.refunded == Money.parse("35.00", at.currency)
    given = await given_back(at, fact)
    assert len(given) == (2 if at.keeps.refunds else 1)
    assert sum(given, Money.zero(at.currency)) == looked.refunded


async def test_a_refund_in_the_list_is_the_one_that_was_answered(at: Collector) -> None:
    if not at.keeps.refunds:
        pytest.skip("there is no list of refunds")
    fact = await paid(at, at.charge())
    answer = await at.till.give_back(refund_of(fact))
    listed = await at.till.refunds(fact.gateway_payment_id)
    assert isinstance(answer, RefundFact)
    assert isinstance(listed, Refunds)
    (found,) = listed.facts
    assert found.stage is RefundStage.PROCESSED
    assert replace(found, stage=answer.stage) == answer


async def test_what_is_stopped_can_be_paid_no_more(at: Collector) -> None:
    pending = await made(at, at.charge())
    if not at.stops:  # then it must not be said to be over before it is
        assert await at.till.cancel(pending.reference) == pending
        return
    for _ in range(2):
        assert isinstance(await at.till.cancel(pending.reference), Closed)
    followed = await at.till.follow(pending.reference)
    assert isinstance(followed, Closed)
    assert followed.reference == pending.reference
    with pytest.raises(AssertionError):
        await at.pay(pending.reference)


async def test_a_payer_who_was_quicker_than_the_stop_has_paid(at: Collector) -> None:
    charge = at.charge()
    pending = await made(at, charge)
    payment = await at.pay(pending.reference)
    fact = await at.till.cancel(pending.reference)
    assert isinstance(fact, PaymentFact)
    assert (fact.gateway_payment_id, fact.taken) == (payment, Taken.CAPTURED)
    assert (await at.books())[0]["captured"] == charge.money.minor


async def test_an_instrument_pays_at_once_or_is_declined_for_certain(at: Collector) -> None:
    if at.methods is None:
        pytest.skip("this account takes no instrument")
    good, bad = at.methods
    charge = at.charge(method=good)
    first, again = await at.till.collect(charge), await at.till.collect(charge)
    assert isinstance(first, PaymentFact)
    assert (first.taken, first.money, first.mark) == (Taken.CAPTURED, charge.money, charge.mark)
    assert again == first
    assert isinstance(await at.till.collect(at.charge(method=bad)), Declined)
    assert sum(bool(row["captured"]) for row in await at.books()) == 1


async def test_what_is_held_is_taken_once_or_let_go(at: Collector) -> None:
    till = at.till
    if not isinstance(till, Authorizes):
        pytest.skip("this gateway holds nothing")
    held = await paid(at, replace(at.charge(), capture=False))
    assert held.taken is Taken.AUTHORIZED
    assert isinstance(await at.till.give_back(refund_of(held)), Declined)
    for _ in range(2):
        taken = await till.capture(held.gateway_payment_id, held.money, f"take-{held.mark}")
        assert isinstance(taken, PaymentFact)
        assert (taken.taken, taken.money) == (Taken.CAPTURED, held.money)
    assert isinstance(await till.void(held.gateway_payment_id, "go-late"), Declined)
    free = await paid(at, replace(at.charge(), capture=False))
    assert isinstance(await till.void(free.gateway_payment_id, "go-1"), Closed)
    assert not isinstance(await till.capture(free.gateway_payment_id, free.money, "t"), PaymentFact)
    rows = {row["reference"]: row["captured"] for row in await at.books()}
    assert sum(int(str(taken)) for taken in rows.values()) == held.money.minor


async def test_no_secret_shows_itself_anywhere(at: Collector) -> None:
    fact = await paid(at, at.charge())
    await at.till.give_back(refund_of(fact))
    await at.in_trouble(at.charge(), done=False)
    shown = [str(at.till), repr(at.till), repr(at.settings), str(at.settings)]
    shown += [repr(exchange) for exchange in at.exchanges]
    for secret in at.secrets:
        assert not any(secret in text for text in shown)
    assert leaks(at.exchanges, at.secrets) == []
