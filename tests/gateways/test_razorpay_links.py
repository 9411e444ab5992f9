"""Razorpay's payment links: what is sent, what is read, and what the gateway does beside."""

from typing import Any

import pytest
from msgspec.structs import replace

from coinslot.gateways import marks, razorpay
from coinslot.gateways.base import Absent, Declined, Genuine, Mark, PaymentFact, Taken, Unclear
from coinslot.gateways.collecting import Authorizes, Charge, Closed, Collects, Pending, Redirect
from coinslot.kit.money import Money
from tests.gateways.canned import Canned, answering, error
from tests.gateways.razorpay_shop import RazorpayShop

MARK = Mark(installation="here", payment="019b76da-a800-7000-8000-000000000001")
CHARGE = Charge(
    money=Money(4000, "INR"), key="at_1", mark=MARK, description="Cola",
    return_url="https://shop.example/thanks", metadata={"table": "7"},
)  # fmt: skip
NOTED = marks.written(MARK) | {"charge": marks.key_sign("at_1"), "table": "7"}
LINK: dict[str, Any] = {
    "id": "plink_1", "amount": 4000, "currency": "INR", "status": "created", "amount_paid": 0,
    "short_url": "https://rzp.io/rzp/x", "notes": NOTED, "expire_by": 0, "reference_id": "at_1",
}  # fmt: skip
PAID: dict[str, Any] = {
    "id": "pay_1", "amount": 4000, "currency": "INR", "status": "captured", "created_at": 1,
    "order_id": "order_1", "notes": NOTED, "amount_refunded": 0,
}  # fmt: skip
FAILED = PAID | {"id": "pay_0", "status": "failed"}


def listing(*items: object) -> Canned:
    return Canned(200, {"items": list(items)})


async def test_a_link_is_asked_for_with_our_reference_and_mark() -> None:
    async with answering(Canned(200, LINK)) as (till, asked):
        pending = await till.collect(CHARGE)
    assert pending == Pending(reference="plink_1", action=Redirect("https://rzp.io/rzp/x"))
    assert asked[0].line.startswith("POST /v1/payment_links")
    for part in (b'"reference_id":"at_1"', b'"coinslot":"here"', b'"accept_partial":false'):
        assert part in asked[0].body.replace(b'": ', b'":')


async def test_of_a_reference_used_before_the_link_is_found() -> None:
    used = error(400, "payment link with given reference_id (at_1) already exists")
    async with answering(used, Canned(200, {"payment_links": [LINK]})) as (till, asked):
        assert isinstance(await till.collect(CHARGE), Pending)
        assert "reference_id=at_1" in asked[1].line
    async with answering(used, Canned(200, {"payment_links": []})) as (till, _):
        assert isinstance(await till.collect(CHARGE), Unclear)
    other = LINK | {"amount": 5000}
    async with answering(used, Canned(200, {"payment_links": [other]})) as (till, _):
        assert isinstance(await till.collect(CHARGE), Unclear)


@pytest.mark.parametrize(
    "other",
    [{"amount": 4001}, {"currency": "USD"}, {"notes": None}, {"notes": {"coinslot": "elsewhere"}}],
)
async def test_another_link_than_asked_for_is_never_taken_over(other: dict[str, Any]) -> None:
    async with answering(Canned(200, LINK | other)) as (till, _):
        assert isinstance(await till.collect(CHARGE), Unclear)


@pytest.mark.parametrize("status", ["paid", "cancelled", "expired", "created"])
async def test_money_counts_whatever_the_link_says(status: str) -> None:
    said = Canned(200, LINK | {"status": status, "order_id": "order_1"})
    async with answering(said, listing(FAILED, PAID)) as (till, _):
        fact = await till.follow("plink_1")
    assert isinstance(fact, PaymentFact)
    assert (fact.gateway_payment_id, fact.taken, fact.mark) == ("pay_1", Taken.CAPTURED, MARK)


async def test_without_money_the_link_itself_counts() -> None:
    for status, ends in (("cancelled", Closed), ("expired", Closed), ("created", Pending),
                         ("paid", Unclear), ("partially_paid", Unclear)):  # fmt: skip
        said = Canned(200, LINK | {"status": status, "order_id": "order_1"})
        async with answering(said, listing(FAILED)) as (till, _):
            assert isinstance(await till.follow("plink_1"), ends), status
    async with answering(Canned(200, LINK | {"status": "cancelled", "order_id": "o"}),
                         Canned(500, {})) as (till, _):  # fmt: skip
        assert isinstance(await till.follow("plink_1"), Unclear)


async def test_an_odd_link_is_unclear() -> None:
    for odd in ({"status": "sleeping"}, {"amount": "4000"}, {"id": 7}):
        async with answering(Canned(200, LINK | odd)) as (till, _):
            assert isinstance(await till.collect(CHARGE), Unclear)
            assert isinstance(await till.follow("plink_1"), Unclear)
            assert isinstance(await till.cancel("plink_1"), Unclear)
    async with answering(Canned(200, {"payment_links": [LINK | {"amount": "x"}]})) as (till, _):
        assert isinstance(await till.find_charge(CHARGE), Unclear)
    async with answering(error(401, "Authentication failed")) as (till, _):
        assert isinstance(await till.find_charge(CHARGE), Unclear)
        assert isinstance(await till.collect(CHARGE), Declined)


async def test_what_a_link_cannot_do_is_declined_unsent() -> None:
    async with answering(Canned(200, LINK)) as (till, asked):
        assert isinstance(await till.collect(replace(CHARGE, method="card_1")), Declined)
        assert isinstance(await till.collect(replace(CHARGE, capture=False)), Declined)
        assert asked == []
        assert isinstance(till, Collects)
        assert not isinstance(till, Authorizes)


async def test_a_long_key_and_many_pairs_fit() -> None:
    many = {f"n{n}": "v" * 400 for n in range(30)}
    key = "k" * 60
    noted = marks.written(MARK) | {"charge": marks.key_sign(key)}
    async with answering(Canned(200, LINK | {"notes": noted})) as (till, asked):
        assert isinstance(await till.collect(replace(CHARGE, key=key, metadata=many)), Pending)
    assert marks.key_sign(key).encode() in asked[0].body
    assert asked[0].body.count(b"v" * 256) == 12


async def test_a_decline_leaves_the_link_open_for_another_try(at_links: RazorpayShop) -> None:
    pending = await at_links.till.collect(at_links.charge())
    assert isinstance(pending, Pending)
    await at_links.pay(pending.reference, outcome="failed")
    assert isinstance(await at_links.till.follow(pending.reference), Pending)
    payment = await at_links.pay(pending.reference)
    fact = await at_links.till.follow(pending.reference)
    assert isinstance(fact, PaymentFact)
    assert fact.gateway_payment_id == payment


async def test_who_pays_a_link_that_was_cancelled_has_paid(at_links: RazorpayShop) -> None:
    pending = await at_links.till.collect(at_links.charge())
    assert isinstance(pending, Pending)
    assert isinstance(await at_links.till.cancel(pending.reference), Closed)
    await at_links.pay(pending.reference, late=True)
    fact = await at_links.till.follow(pending.reference)
    assert isinstance(fact, PaymentFact)
    assert fact.taken is Taken.CAPTURED


async def test_each_of_its_events_names_the_payment_and_our_mark(at_links: RazorpayShop) -> None:
    charge = at_links.charge()
    pending = await at_links.till.collect(charge)
    assert isinstance(pending, Pending)
    payment = await at_links.pay(pending.reference)
    told = [at_links.till.read_webhook(*one) for one in await at_links.told(pending.reference)]
    events = {one.event: one.facts for one in told if isinstance(one, Genuine)}
    assert {"payment.captured", "order.paid", "payment_link.paid"} <= set(events)
    for name in ("payment.captured", "order.paid", "payment_link.paid"):
        [fact] = events[name]
        assert isinstance(fact, PaymentFact)
        assert (fact.gateway_payment_id, fact.mark) == (payment, charge.mark)


async def test_of_another_account_it_is_absent(at_links: RazorpayShop) -> None:
    pending = await at_links.till.collect(at_links.charge())
    assert isinstance(pending, Pending)
    for reference in ("plink_nobody00000000", "plink_", "plink_../x"):
        assert await at_links.till.follow(reference) == Absent()
    stranger = replace(at_links.settings, key_id="rzp_test_unknown")
    assert isinstance(await at_links.opened(stranger).follow(pending.reference), Unclear)
    assert isinstance(at_links.till, razorpay.Razorpay)
