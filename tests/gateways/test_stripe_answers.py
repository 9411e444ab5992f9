"""How Stripe's answers are read: what is a no, what is absence, and what proves nothing."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from coinslot.gateways.base import (
    Absent,
    Declined,
    PaymentFact,
    RefundFact,
    Refunds,
    Taken,
    Unclear,
)
from coinslot.gateways.collecting import Closed, Pending, Redirect
from coinslot.kit.money import Money
from tests.gateways.canned import Canned
from tests.gateways.stripe_canned import (
    BY_CARD,
    CHARGE,
    NOW,
    ORDER,
    answering,
    broken,
    error,
    form,
    intent,
    listed,
    refund,
    session,
)


async def given_back(*answers: Canned) -> RefundFact | Declined | Unclear:
    async with answering(*answers) as (till, _):
        return await till.give_back(ORDER)


@pytest.mark.parametrize(
    ("answer", "code", "permanent"),
    [
        (error(400, code="charge_already_refunded"), "fully_refunded", True),
        (
            error(400, "Refund amount ($5.10) is greater than unrefunded amount on charge ($5.00)"),
            "exceeds_capture",
            True,
        ),
        (error(400, kind="idempotency_error"), "key_reused", True),
        (error(400, code="balance_insufficient"), "insufficient_balance", False),
        (
            error(400, "This PaymentIntent (pi_1) does not have a successful charge to refund."),
            "not_captured",
            False,
        ),
        (error(400, code="resource_missing"), "absent", True),
        (error(404, code="resource_missing"), "absent", True),
        (error(401, "Invalid API Key provided"), "unauthorized", False),
        (error(403), "unauthorized", False),
        (error(429, code="rate_limit"), "rate_limited", False),
        (Canned(429, {}), "rate_limited", False),
        (error(400, code="parameter_unknown"), "parameter_unknown", True),
    ],
)
async def test_a_plain_no_is_declined(answer: Canned, code: str, permanent: bool) -> None:
    said = await given_back(answer)
    assert isinstance(said, Declined), said
    assert (said.code, said.permanent) == (code, permanent)


@pytest.mark.parametrize(
    "answer",
    [
        Canned(0),
        broken(replayed=False),
        Canned(502, b"<html>bad gateway</html>"),
        Canned(200, b""),
        Canned(200, b"\xff\xfe"),
        Canned(200, []),
        Canned(200, {}),
        Canned(200, {"error": {"type": "invalid_request_error"}}),
        Canned(200, refund(amount="4000")),
        Canned(200, refund(amount=3999)),
        Canned(200, refund(payment_intent="pi_2")),
        Canned(200, refund(payment_intent=None)),
        Canned(200, refund(currency="eur")),
        Canned(200, refund(currency="dollars")),
        Canned(200, refund(status="on its way")),
        Canned(302, {"error": {"type": "invalid_request_error", "message": "x"}}),
        Canned(400, {"message": "from somebody in between"}),
        Canned(404, b"<html>not found</html>"),
        error(408),
        error(409, code="idempotency_key_in_use"),
        error(400, kind="api_error"),
    ],
    ids=lambda canned: f"{canned.status} {str(canned.body)[:60]}",
)
async def test_what_proves_nothing_is_unclear(answer: Canned) -> None:
    assert isinstance(await given_back(answer), Unclear)


async def test_a_refund_carries_its_key_its_mark_and_the_pinned_version() -> None:
    async with answering(Canned(200, refund())) as (till, asked):
        fact = await till.give_back(ORDER)
    assert isinstance(fact, RefundFact)
    assert fact.mark == ORDER.mark
    assert asked[0].line == "POST /v1/refunds HTTP/1.1"
    assert asked[0].headers["idempotency-key"] == ORDER.key
    assert asked[0].headers["stripe-version"] == "2026-10-28.endive"
    assert asked[0].headers["authorization"] == "Basic c2tfdGVzdF8xOg=="  # sk_test_1 and nothing
    assert form(asked[0]) == {
        "payment_intent": "pi_1",
        "amount": "4000",
        "metadata[coinslot]": "here",
        "metadata[refund]": "r1",
        "metadata[reason]": "nothing came out",
    }


async def test_a_session_is_asked_for_with_our_mark_on_it_and_on_its_payment() -> None:
    end = NOW + timedelta(hours=1)
    lasting = replace(CHARGE, expires_at=end, capture=False)
    async with answering(Canned(200, session())) as (till, asked):
        pending = await till.collect(lasting)
    assert isinstance(pending, Pending)
    assert (pending.reference, pending.action) == (
        "cs_test_1",
        Redirect("https://checkout.stripe.example/1"),
    )
    said = form(asked[0])
    assert said["line_items[0][price_data][unit_amount]"] == "4000"
    assert said["line_items[0][price_data][currency]"] == "usd"
    assert said["expires_at"] == str(int(end.timestamp()))
    assert said["payment_intent_data[capture_method]"] == "manual"
    for place in ("metadata", "payment_intent_data[metadata]"):
        assert said[f"{place}[payment]"] == CHARGE.mark.payment
        assert said[f"{place}[table]"] == "7"
        assert f"{place}[refund]" not in said  # a name of ours, which the merchant may not use


@pytest.mark.parametrize("other", [{"amount_total": 400}, {"currency": "eur"}, {"metadata": {}}])
async def test_a_session_of_another_amount_or_without_our_mark_is_not_taken_over(
    other: Any,
) -> None:
    async with answering(Canned(200, session(**other))) as (till, _):
        assert isinstance(await till.collect(CHARGE), Unclear)


@pytest.mark.parametrize("other", [{"amount": 400}, {"currency": "eur"}, {"metadata": {}}])
async def test_an_intent_of_another_amount_or_without_our_mark_is_not_taken_over(
    other: Any,
) -> None:
    async with answering(Canned(200, intent(**other))) as (till, _):
        assert isinstance(await till.collect(BY_CARD), Unclear)


@pytest.mark.parametrize(
    ("code", "said"), [("insufficient_funds", "insufficient_funds"), (None, "card_declined")]
)
async def test_a_declined_card_is_a_certain_no(code: str | None, said: str) -> None:
    more = {"code": "card_declined"} | ({"decline_code": code} if code else {})
    async with answering(error(402, "Declined.", "card_error", **more)) as (till, _):
        answer = await till.collect(BY_CARD)
    assert answer == Declined("Declined.", said, permanent=True)


async def test_a_key_of_another_charge_is_unclear_for_something_was_made_under_it() -> None:
    async with answering(error(400, kind="idempotency_error")) as (till, _):
        assert isinstance(await till.collect(CHARGE), Unclear)


async def test_an_end_that_is_too_near_for_them_is_left_to_us() -> None:
    refused = error(400, "at least 30 minutes", param="expires_at")
    charge = replace(CHARGE, expires_at=NOW + timedelta(minutes=31))
    async with answering(refused, listed(), Canned(200, session())) as (till, asked):
        assert isinstance(await till.collect(charge), Pending)
    assert "expires_at" in form(asked[0])
    assert "expires_at" not in form(asked[2])
    assert asked[2].headers["idempotency-key"] == "charge-1-open"
    made = listed(session()), Canned(200, session())  # by an earlier call, while there was time
    async with answering(refused, *made) as (till, asked):
        assert isinstance(await till.collect(charge), Pending)
    assert [one.line.split()[0] for one in asked] == ["POST", "GET", "GET"]


async def test_an_end_that_can_only_be_too_near_is_not_asked_for() -> None:
    async with answering(Canned(200, session())) as (till, asked):
        await till.collect(replace(CHARGE, expires_at=NOW + timedelta(minutes=29)))
    assert "expires_at" not in form(asked[0])


async def test_a_replayed_500_is_read_back_before_another_key_goes_out() -> None:
    nothing = (listed(), Canned(200, intent()))
    async with answering(broken(replayed=True), *nothing, Canned(200, refund())) as (till, asked):
        assert isinstance(await till.give_back(ORDER), RefundFact)
    keys = [one.headers.get("idempotency-key") for one in asked]
    assert keys == ["refund-1", None, None, "refund-1.1"]
    async with answering(broken(replayed=True), listed(refund())) as (till, asked):
        assert isinstance(await till.give_back(ORDER), RefundFact)
    assert len(asked) == 2  # it was done after all
    async with answering(broken(replayed=True), Canned(0)) as (till, asked):
        assert isinstance(await till.give_back(ORDER), Unclear)
    assert len(asked) == 2  # what cannot be read back is not sent again


async def test_a_charge_that_broke_is_searched_before_another_key_goes_out() -> None:
    async with answering(broken(replayed=True), listed(), Canned(200, session())) as (till, asked):
        assert isinstance(await till.collect(CHARGE), Pending)
    assert asked[1].line.startswith("GET /v1/checkout/sessions?")
    since = int((NOW - timedelta(hours=1)).timestamp())
    assert f"created%5Bgte%5D={since}" in asked[1].line
    assert asked[2].headers["idempotency-key"] == "charge-1.1"


async def test_a_search_reads_all_pages_and_strangers_do_not_stop_it() -> None:
    first = listed({"id": "cs_0", "metadata": "odd"}, 7, {"id": "cs_test_0"}, more=True)
    ours = listed(session())
    async with answering(first, ours, Canned(200, session())) as (till, asked):
        found = await till.find_charge(CHARGE)
    assert isinstance(found, Pending)
    assert "starting_after=cs_test_0" in asked[1].line
    for cut in (Canned(500), Canned(200, {"data": 1}), listed(more=True)):
        async with answering(first, cut) as (till, _):
            assert isinstance(await till.find_charge(CHARGE), Unclear)


async def test_another_try_for_the_same_payment_is_not_this_one() -> None:
    again = replace(CHARGE, key="charge-2")
    async with answering(listed(session())) as (till, _):
        assert await till.find_charge(again) == Absent()


@pytest.mark.parametrize(
    ("answer", "absent"),
    [
        (error(404, code="resource_missing"), True),
        (error(404, "Unrecognized request URL (GET: /v1/x)."), False),
        (error(401), False),
        (error(400), False),
        (error(500, code="resource_missing"), False),
        (Canned(404, b"<html>"), False),
    ],
)
async def test_only_a_plain_unknown_is_absence(answer: Canned, absent: bool) -> None:
    async with answering(answer) as (till, _):
        found = [
            await till.look("pi_1"),
            await till.follow("cs_test_1"),
            await till.refunds("pi_1"),
        ]
    assert {type(one) for one in found} == {Absent if absent else Unclear}


@pytest.mark.parametrize(
    ("said", "stands"),
    [
        (session(), Pending),
        (session(payment_intent=intent(status="requires_payment_method",
                                       last_payment_error={"code": "x"})), Pending),
        (session(status="expired", url=None), Closed),
        (session(status="complete", payment_status="paid", payment_intent=intent()), PaymentFact),
        (session(status="complete", payment_intent=intent(status="processing")), Pending),
        (session(status="complete", payment_intent=intent(status="requires_capture")),
         PaymentFact),
        (session(status="complete", payment_intent=intent(status="requires_payment_method")),
         Closed),
        (session(status="complete", payment_status="paid"), Unclear),
        (session(status="complete", payment_status="paid", payment_intent="pi_1"), Unclear),
    ],
)  # fmt: skip
async def test_a_session_stands_where_its_payment_does(said: Any, stands: type) -> None:
    async with answering(Canned(200, said)) as (till, _):
        assert isinstance(await till.follow("cs_test_1"), stands)


@pytest.mark.parametrize(
    ("status", "other", "stands"),
    [
        ("requires_payment_method", {}, Pending),
        ("requires_payment_method", {"last_payment_error": {"code": "x"}}, Taken.FAILED),
        ("requires_confirmation", {}, Pending),
        ("processing", {}, Pending),
        ("requires_capture", {}, Taken.AUTHORIZED),
        ("succeeded", {}, Taken.CAPTURED),
        ("canceled", {}, Closed),
    ],
)
async def test_an_intent_stands_where_its_status_says(
    status: str, other: dict[str, Any], stands: Any
) -> None:
    async with answering(Canned(200, intent(status=status, **other))) as (till, _):
        found = await till.follow("pi_1")
    assert (found.taken if isinstance(found, PaymentFact) else type(found)) is stands


async def test_a_payer_who_must_prove_himself_is_sent_there() -> None:
    leads = {"redirect_to_url": {"url": "https://bank.example"}, "type": "redirect_to_url"}
    said = intent(status="requires_action", next_action=leads)
    async with answering(Canned(200, said)) as (till, _):
        pending = await till.collect(BY_CARD)
    assert isinstance(pending, Pending)
    assert pending.action == Redirect("https://bank.example")


async def test_a_list_of_refunds_with_a_gap_proves_nothing() -> None:
    async with answering(listed(refund(), refund(amount="x"))) as (till, _):
        assert isinstance(await till.refunds("pi_1"), Unclear)
    async with answering(listed(), Canned(200, intent())) as (till, _):
        assert await till.refunds("pi_1") == Refunds(())


async def test_a_capture_of_another_amount_is_unclear() -> None:
    held = Canned(200, intent(status="requires_capture", amount_received=0))
    async with answering(held, Canned(200, intent(amount_received=3000))) as (till, _):
        assert isinstance(await till.capture("pi_1", Money(4000, "USD"), "k"), Unclear)


@pytest.mark.parametrize(
    ("money", "written"),
    [(Money.parse("4000", "JPY"), "4000"), (Money.parse("40.00", "USD"), "4000")],
    ids=str,
)
async def test_an_amount_goes_out_in_the_smallest_unit_of_its_currency(
    money: Money, written: str
) -> None:
    code = money.currency.lower()
    async with answering(*[Canned(200, session(currency=code))] * 2) as (till, asked):
        await till.collect(replace(CHARGE, money=money))
        await till.collect(replace(BY_CARD, money=money))
    assert form(asked[0])["line_items[0][price_data][unit_amount]"] == written
    assert form(asked[0])["line_items[0][price_data][currency]"] == code
    assert (form(asked[1])["amount"], form(asked[1])["currency"]) == (written, code)
    async with answering(Canned(200, refund(currency=code))) as (till, asked):
        await till.give_back(replace(ORDER, money=money))
    assert form(asked[0])["amount"] == written
    held = intent(status="requires_capture", amount_received=0, currency=code)
    async with answering(*[Canned(200, held)] * 2) as (till, asked):
        await till.capture("pi_1", money, "k")
    assert form(asked[1])["amount_to_capture"] == written


async def test_an_amount_comes_in_as_the_smallest_unit_of_its_currency() -> None:
    yen = intent(currency="jpy", latest_charge=None)
    async with answering(Canned(200, yen), Canned(200, refund(currency="jpy"))) as (till, _):
        found = await till.follow("pi_1")
        back = await till.give_back(replace(ORDER, money=Money(4000, "JPY")))
    assert isinstance(found, PaymentFact)
    assert isinstance(back, RefundFact)
    assert str(found.money) == str(back.money) == "4000 JPY"
