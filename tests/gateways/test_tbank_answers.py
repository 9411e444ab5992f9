"""T-Bank's odd, cut and false answers: none becomes a fact, and wandering types are no matter."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from coinslot.gateways import tbank
from coinslot.gateways.asking import ABSENT
from coinslot.gateways.base import (
    Absent,
    Declined,
    Mark,
    PaymentFact,
    RefundFact,
    RefundOrder,
    Refunds,
    Taken,
    Unclear,
)
from coinslot.gateways.collecting import Closed, Pending, Redirect
from coinslot.gateways.tbank import build, order_ids
from coinslot.kit.clock import SystemClock
from coinslot.kit.money import Money
from coinslot.kit.secrets import Secret
from tests.gateways.canned import Asked, Canned, serving, wire_to
from tests.gateways.collectors import fresh_charge

FORTY = Money.parse("40.00", "RUB")
CHARGE = fresh_charge(FORTY)
ORDER_ID = order_ids.order_id(CHARGE)
REFUND = RefundOrder(
    gateway_payment_id="700001",
    money=Money.parse("10.00", "RUB"),
    key="refund-1",
    mark=Mark(installation="here", refund="r"),
)
UNKNOWN = Canned(200, {"Success": False, "ErrorCode": "255", "Message": "нет"})


def yes(**more: Any) -> Canned:
    said = {"Success": True, "ErrorCode": "0", "OrderId": ORDER_ID, "PaymentId": "700001"}
    return Canned(200, said | more)


def state(status: str, amount: int = 4000, **more: Any) -> Canned:
    return yes(Status=status, Amount=amount, **more)


@asynccontextmanager
async def answering(*answers: Canned) -> AsyncIterator[tuple[tbank.TBank, list[Asked]]]:
    async with serving(*answers) as (url, asked):
        settings = tbank.Settings(
            terminal_key="TestTerminal", password=Secret("tbank-password-1"), base_url=f"{url}/v2"
        )
        wire = wire_to(tbank.address(settings))
        yield tbank.TBank(settings, wire, SystemClock()), asked
        await wire.close()


async def test_every_call_is_a_post_with_its_token() -> None:
    async with answering(state("NEW")) as (till, asked):
        await till.look("700001")
    assert asked[0].line == "POST /v2/GetState HTTP/1.1"
    said = json.loads(asked[0].body)
    assert said == {
        "TerminalKey": "TestTerminal",
        "PaymentId": "700001",
        "Token": build.token(
            {"TerminalKey": "TestTerminal", "PaymentId": "700001"}, "tbank-password-1"
        ),
    }


@pytest.mark.parametrize(
    "answer",
    [
        Canned(200, b""),
        Canned(200, b"<html>"),
        Canned(200, []),
        Canned(200, {}),
        Canned(200, {"Success": True}),
        Canned(200, {"Success": "yes", "ErrorCode": "0"}),
        Canned(200, {"Success": False, "ErrorCode": "0"}),
        Canned(200, {"Success": True, "ErrorCode": "8888"}),
        Canned(200, {"Success": False, "ErrorCode": "9999", "Message": "внутренняя"}),
        Canned(200, {"Success": False, "ErrorCode": None}),
        Canned(302, {"Success": True, "ErrorCode": "0"}),
        Canned(403, b"{}"),
        Canned(404, b"{}"),
        Canned(429, b"{}"),
        Canned(500, {"Success": False, "ErrorCode": "255"}),
        Canned(0),
        yes(Status="CONFIRMED"),
        state("CONFIRMED", -1),
        yes(Status="CONFIRMED", Amount="many"),
        state("CONFIRMED", PaymentId="700002"),
        state("CONFIRMED", PaymentId=["700001"]),
        state("CONFIRMED", PaymentId="700001\u0000"),
        yes(Status=None, Amount=4000),
        state("SOMETHING_NEW"),
        state("UNKNOWN"),
    ],
)
async def test_what_cannot_be_relied_on_is_unclear(answer: Canned) -> None:
    async with answering(answer) as (till, _):
        assert isinstance(await till.look("700001"), Unclear)
    async with answering(answer) as (till, asked):
        assert not isinstance(await till.give_back(REFUND), RefundFact)
        assert len(asked) == 1  # nothing is sent on such a ground
    async with answering(answer) as (till, _):
        assert isinstance(await till.find_charge(CHARGE), Unclear)
    async with answering(UNKNOWN, answer) as (till, _):
        assert isinstance(await till.collect(CHARGE), Unclear)


async def test_types_wander_and_mean_the_same() -> None:
    for said in (
        state("CONFIRMED"),
        state("CONFIRMED", PaymentId=700001),
        yes(Status="CONFIRMED", Amount="4000", Success="true", ErrorCode=0, Message=None),
    ):
        async with answering(said) as (till, _):
            fact = await till.look("700001")
        assert isinstance(fact, PaymentFact)
        assert (fact.gateway_payment_id, fact.money, fact.taken) == (
            "700001",
            FORTY,
            Taken.CAPTURED,
        )


@pytest.mark.parametrize("code", ["255", "325", "914"])
async def test_only_its_own_words_say_that_something_is_absent(code: str) -> None:
    no = Canned(200, {"Success": False, "ErrorCode": code})
    async with answering(no) as (till, _):
        assert await till.look("1") == Absent()
        assert await till.refunds("1") == Absent()
        assert await till.find_charge(CHARGE) == Absent()
        stopped = await till.cancel("1")
        assert isinstance(stopped, Declined)
        assert stopped.code == ABSENT


@pytest.mark.parametrize("code", ["204", "205", "202", "4", "8", "3001", "252"])
async def test_another_no_proves_nothing(code: str) -> None:
    no = Canned(200, {"Success": False, "ErrorCode": code, "Message": "нет", "Details": "\0"})
    async with answering(no) as (till, _):
        assert isinstance(await till.look("1"), Unclear)
        assert isinstance(await till.find_charge(CHARGE), Unclear)


@pytest.mark.parametrize(
    "made",
    [
        yes(Amount=9000, PaymentURL="https://pay.example/1"),
        yes(Amount=4000, PaymentURL="https://pay.example/1", OrderId="another"),
        yes(Amount=4000),
        yes(Amount=4000, PaymentURL=""),
    ],
)
async def test_a_session_other_than_asked_for_is_unclear(made: Canned) -> None:
    async with answering(UNKNOWN, made) as (till, _):
        assert isinstance(await till.collect(CHARGE), Unclear)


async def test_a_session_as_asked_for_waits_for_its_payer() -> None:
    made = yes(Amount=4000, Status="NEW", PaymentURL="https://pay.example/1")
    async with answering(UNKNOWN, made) as (till, asked):
        answer = await till.collect(CHARGE)
    assert answer == Pending(reference="700001", action=Redirect("https://pay.example/1"))
    assert [one.line.split()[1] for one in asked] == ["/v2/CheckOrder", "/v2/Init"]


def listed(*payments: dict[str, Any]) -> Canned:
    return Canned(
        200, {"Success": True, "ErrorCode": "0", "OrderId": ORDER_ID, "Payments": list(payments)}
    )


def one(payment_id: str, status: str, amount: int = 4000) -> dict[str, Any]:
    return {"PaymentId": payment_id, "Amount": amount, "Status": status, "Success": "true"}


async def test_of_several_payments_of_one_order_the_one_with_money_counts() -> None:
    rows = [one("1", "REJECTED"), one("2", "CONFIRMED"), one("3", "NEW"), one("4", "CANCELED")]
    for order in (rows, rows[::-1]):
        async with answering(listed(*order)) as (till, asked):
            fact = await till.collect(CHARGE)
            assert isinstance(fact, PaymentFact)
            assert (fact.gateway_payment_id, fact.taken) == ("2", Taken.CAPTURED)
            assert len(asked) == 1


@pytest.mark.parametrize("said", [{}, {"Payments": None}, {"Payments": [], "OrderId": "o"}])
async def test_an_order_without_its_payments_is_no_proof_of_absence(said: dict[str, Any]) -> None:
    async with answering(yes(**said)) as (till, _):
        assert isinstance(await till.find_charge(CHARGE), Unclear)


async def test_an_empty_order_is_absent_and_an_ended_one_is_closed() -> None:
    async with answering(listed()) as (till, _):
        assert await till.find_charge(CHARGE) == Absent()
    async with answering(listed(one("1", "CANCELED"))) as (till, _):
        assert isinstance(await till.find_charge(CHARGE), Closed)


async def test_an_order_with_another_amount_is_never_taken_over() -> None:
    async with answering(listed(one("1", "CONFIRMED", 9000))) as (till, asked):
        assert isinstance(await till.collect(CHARGE), Unclear)
        assert len(asked) == 1


@pytest.mark.parametrize(
    "canceled",
    [
        yes(Status="PARTIAL_REFUNDED", OriginalAmount=4000, NewAmount=2000),
        yes(Status="PARTIAL_REFUNDED", OriginalAmount=4000, NewAmount=4000),
        yes(Status="PARTIAL_REFUNDED", OriginalAmount=4000),
        yes(Status="CONFIRMED", OriginalAmount=4000, NewAmount=3000),
        yes(Status="PARTIAL_REFUNDED", OriginalAmount=4000, NewAmount=3000, PaymentId=7),
    ],
)
async def test_a_refund_other_than_asked_for_is_unclear(canceled: Canned) -> None:
    async with answering(state("CONFIRMED"), canceled) as (till, _):
        assert isinstance(await till.give_back(REFUND), Unclear)


async def test_a_refund_carries_its_key_and_no_float() -> None:
    canceled = yes(Status="PARTIAL_REFUNDED", OriginalAmount=4000, NewAmount=3000, PaymentId=700001)
    async with answering(state("CONFIRMED"), canceled) as (till, asked):
        answer = await till.give_back(REFUND)
    assert isinstance(answer, RefundFact)
    assert (answer.money, answer.mark) == (REFUND.money, REFUND.mark)
    said = json.loads(asked[1].body)
    assert (said["Amount"], said["ExternalRequestId"]) == (1000, "refund-1")


async def test_an_amount_that_does_not_shrink_leaves_what_went_back_unknown() -> None:
    """Should GetState go on telling the whole amount, nothing false is concluded from it."""
    async with answering(state("PARTIAL_REFUNDED", 4000)) as (till, _):
        fact = await till.look("700001")
        assert isinstance(fact, PaymentFact)
        assert (fact.money, fact.refunded) == (FORTY, None)
        assert await till.refunds("700001") == Refunds((), complete=False)


@pytest.mark.parametrize("amount", [0, 4000])
async def test_a_whole_refund_is_whole_whatever_amount_is_left_to_read(amount: int) -> None:
    async with answering(state("REFUNDED", amount)) as (till, _):
        fact = await till.look("700001")
    assert isinstance(fact, PaymentFact)
    assert (fact.money, fact.refunded) == (FORTY, FORTY)


async def test_somebody_elses_payment_is_told_as_it_is() -> None:
    async with answering(state("PARTIAL_REFUNDED", 2500, OrderId="shop-7")) as (till, _):
        fact = await till.look("700001")
    assert isinstance(fact, PaymentFact)
    assert (fact.mark, fact.gateway_order_id, fact.refunded) == (None, "shop-7", None)


async def test_a_payer_quicker_than_the_cancellation_has_paid_and_has_it_back() -> None:
    """Between the look and the Cancel the payer paid: T-Bank then gives the money back."""
    canceled = yes(Status="REFUNDED", OriginalAmount=4000, NewAmount=0, PaymentId=700001)
    async with answering(state("NEW"), canceled, state("REFUNDED", 0)) as (till, _):
        fact = await till.cancel("700001")
    assert isinstance(fact, PaymentFact)
    assert (fact.taken, fact.refunded) == (Taken.CAPTURED, FORTY)
