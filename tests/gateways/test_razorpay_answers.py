"""How Razorpay's answers are read: what is a no, what is absence, and what proves nothing."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from coinslot.gateways.base import (
    Absent,
    Declined,
    Mark,
    PaymentFact,
    Payments,
    QrFact,
    RefundFact,
    RefundOrder,
    Taken,
    Unclear,
)
from tests.gateways.canned import Canned, answering, error
from tests.gateways.rigs import fresh_mark, qr_order, rupees

ORDER = RefundOrder(
    gateway_payment_id="pay_TESTTEST000001",
    money=rupees("40.00"),
    key="refund-0000001",
    mark=Mark(installation="here", refund="r1"),
    reason="nothing came out",
)
SINCE = datetime(2026, 1, 1, tzinfo=UTC)
NOT_FOUND = "The id provided does not exist"


def payment(**other: Any) -> dict[str, Any]:
    said = {"id": ORDER.gateway_payment_id, "amount": 4000, "currency": "INR", "notes": []}
    return said | {"status": "captured", "captured": True, "created_at": 1_700_000_000} | other


def refund(**other: Any) -> dict[str, Any]:
    said = {"id": "rfnd_1", "payment_id": ORDER.gateway_payment_id, "amount": 4000}
    said |= {"currency": "INR", "status": "pending", "created_at": 1_700_000_000, "notes": []}
    return said | other


def qr(**other: Any) -> dict[str, Any]:
    said = {"id": "qr_1", "usage": "multiple_use", "status": "active", "payment_amount": 4000}
    return said | {"image_url": "https://rzp.io/i/x", "close_by": None, "notes": []} | other


def listed(*items: Any) -> Canned:
    return Canned(200, {"entity": "collection", "count": len(items), "items": items})


async def given_back(answer: Canned) -> RefundFact | Declined | Unclear:
    async with answering(answer) as (till, _):
        return await till.give_back(ORDER)


@pytest.mark.parametrize(
    ("answer", "code", "permanent"),
    [
        (error(400, "The payment has been fully refunded already."), "fully_refunded", True),
        (
            error(400, "The refund amount provided is greater than amount captured."),
            "exceeds_capture",
            True,
        ),
        (
            error(
                409, "Different request with the same idempotency key has already been processed."
            ),
            "key_reused",
            True,
        ),
        (
            error(
                400, "Your account does not have enough balance to carry out the refund operation."
            ),
            "insufficient_balance",
            False,
        ),
        (
            error(
                400,
                "Refund is not supported by the bank because the payment is more than 6 months old",
            ),
            "too_old",
            True,
        ),
        (error(400, NOT_FOUND), "absent", True),
        (error(404, "nothing here"), "absent", True),
        (error(400, "The amount must be at least INR 1.00"), "", True),
        (error(401, "Authentication failed"), "unauthorized", False),
        (error(429, "Too many requests"), "rate_limited", False),
        (Canned(429, {}), "rate_limited", False),
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
        Canned(500, {"error": {"code": "SERVER_ERROR", "description": "x"}}),
        Canned(502, b"<html>bad gateway</html>"),
        Canned(504, b""),
        Canned(200, b""),
        Canned(200, b"\xff\xfe"),
        Canned(200, b"[" * 90_000),
        Canned(200, b'{"a":' * 90_000),
        Canned(200, []),
        Canned(200, b"null"),
        Canned(200, {}),
        Canned(200, {"error": {"code": "BAD_REQUEST_ERROR", "description": "x"}}),
        Canned(200, refund(amount="4000")),
        Canned(200, refund(amount=40.0)),
        Canned(200, refund(amount=-1)),
        Canned(200, refund(amount=2**70)),
        Canned(200, refund(amount=3999)),
        Canned(200, refund(payment_id="pay_ANOTHER")),
        Canned(200, refund(currency="RUPEES")),
        Canned(200, refund(currency="USD")),
        Canned(200, refund(status="on its way")),
        Canned(200, refund(created_at=10**18)),
        Canned(200, refund(id=None)),
        Canned(302, {"error": {"code": "BAD_REQUEST_ERROR", "description": "x"}}),
        Canned(400, {"message": "from somebody in between"}),
        Canned(400, {"error": "text"}),
        Canned(404, b"<html>not found</html>"),
        error(408, "Request timeout"),
        error(409, "Request with the same idempotency key is being processed."),
        error(409, "Another operation is in progress"),
        error(400, "Payment processing failed", code="GATEWAY_ERROR"),
        Canned(200, refund(), delay_s=0.05),
    ],
    ids=lambda canned: f"{canned.status} {str(canned.body)[:40]}",
)
async def test_what_proves_nothing_is_unclear(answer: Canned) -> None:
    async with answering(answer, timeout_s=1.0) as (till, _):
        assert isinstance(await till.give_back(ORDER), Unclear)


async def test_a_refund_carries_its_key_its_mark_and_basic_authorization() -> None:
    async with answering(Canned(200, refund(notes={"coinslot": "here", "refund": "r1"}))) as (
        till,
        asked,
    ):
        fact = await till.give_back(ORDER)
    assert isinstance(fact, RefundFact)
    assert fact.mark == ORDER.mark
    assert asked[0].line == f"POST /v1/payments/{ORDER.gateway_payment_id}/refund HTTP/1.1"
    assert asked[0].headers["x-refund-idempotency"] == ORDER.key
    assert asked[0].headers["authorization"].startswith("Basic ")
    assert json.loads(asked[0].body) == {
        "amount": 4000,
        "speed": "normal",
        "notes": {"coinslot": "here", "refund": "r1", "reason": "nothing came out"},
    }


@pytest.mark.parametrize(
    ("answer", "absent"),
    [
        (error(400, NOT_FOUND), True),
        (error(404, "nothing here"), True),
        (error(401, "Authentication failed"), False),
        (error(403, "no"), False),
        (error(400, "The requested URL was not found on the server."), False),
        (error(404, "The requested URL was not found on the server."), False),
        (error(400, "something is invalid"), False),
        (error(429, "slow down"), False),
        (error(500, NOT_FOUND), False),
    ],
)
async def test_only_a_plain_unknown_is_absence(answer: Canned, absent: bool) -> None:
    async with answering(answer) as (till, _):
        found = [
            await till.look("pay_1"),
            await till.refunds("pay_1"),
            await till.qr_payments("qr_1", SINCE),
            await till.qr_of_payment("pay_1"),
            await till.find_qr(fresh_mark()),
        ]
    assert {type(answer) for answer in found} == {Absent if absent else Unclear}


@pytest.mark.parametrize(
    ("said", "taken"),
    [
        ({"status": "authorized", "captured": False}, Taken.AUTHORIZED),
        ({"status": "captured"}, Taken.CAPTURED),
        ({"status": "failed", "captured": False}, Taken.FAILED),
        ({"status": "refunded", "captured": True}, Taken.CAPTURED),
        ({"status": "refunded", "captured": False}, Taken.AUTHORIZED),
    ],
)
async def test_a_payment_is_taken_as_far_as_its_status_says(said: Any, taken: Taken) -> None:
    async with answering(Canned(200, payment(**said))) as (till, _):
        fact = await till.look("pay_TESTTEST000001")
    assert isinstance(fact, PaymentFact)
    assert fact.taken is taken
    assert fact.at == datetime.fromtimestamp(1_700_000_000, UTC)


async def test_a_payment_not_paid_yet_is_unclear() -> None:
    async with answering(Canned(200, payment(status="created"))) as (till, _):
        assert isinstance(await till.look("pay_TESTTEST000001"), Unclear)


async def test_what_a_printed_code_says_is_compared_with_what_was_ordered() -> None:
    for other in ({"payment_amount": 400}, {"usage": "single_use"}, {"image_url": ""}):
        async with answering(Canned(200, qr(**other))) as (till, _):
            assert isinstance(await till.print_qr(qr_order()), Unclear)


async def test_a_code_is_looked_for_on_every_page_past_codes_of_any_shape() -> None:
    mark = fresh_mark()
    ours = qr(notes={"coinslot": mark.installation, "qr": mark.qr})
    page = listed(*[{"id": 7, "notes": {"of": "another shop"}}, None, "text", *[qr()] * 97])
    async with answering(page, page, listed(ours)) as (till, asked):
        found = await till.find_qr(mark)
    assert isinstance(found, QrFact)
    assert [one.line.split("skip=")[1].split()[0] for one in asked] == ["0", "100", "200"]


async def test_of_several_codes_the_newest_that_is_open_is_taken() -> None:
    """Razorpay lists the newest first."""
    mark = fresh_mark()
    notes = {"coinslot": mark.installation, "qr": mark.qr}
    codes = [qr(id=f"qr_{n}", notes=notes, status=status) for n, status in enumerate(
        ("closed", "active", "active", "closed"))]  # fmt: skip
    for those, found in ((codes, "qr_1"), ([codes[0], codes[3]], "qr_0")):
        async with answering(listed(*those)) as (till, _):
            said = await till.find_qr(mark)
        assert isinstance(said, QrFact)
        assert said.qr_code_id == found


async def test_a_search_cut_short_is_unclear_rather_than_absent() -> None:
    full = listed(*[qr()] * 100)
    async with answering(full, Canned(502)) as (till, _):
        assert isinstance(await till.find_qr(fresh_mark()), Unclear)
    async with answering(full) as (till, asked):
        assert isinstance(await till.find_qr(fresh_mark()), Unclear)
        assert len(asked) == 50


async def test_an_odd_payment_does_not_hide_the_others_but_leaves_a_gap() -> None:
    async with answering(listed(payment(), payment(id="pay_2", amount=None))) as (till, _):
        found = await till.qr_payments("qr_1", SINCE)
    assert isinstance(found, Payments)
    assert [fact.gateway_payment_id for fact in found.facts] == ["pay_TESTTEST000001"]
    assert not found.complete


async def test_a_list_of_refunds_with_a_gap_proves_nothing() -> None:
    async with answering(listed(refund(), refund(status="?"))) as (till, _):
        assert isinstance(await till.refunds("pay_TESTTEST000001"), Unclear)
