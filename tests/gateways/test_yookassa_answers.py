"""What the YooKassa driver says to odd, cut, false and changed answers; and what it sends."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from coinslot.gateways import listing as listing_of_a_span
from coinslot.gateways import marks, yookassa
from coinslot.gateways.base import (
    Absent,
    Declined,
    Mark,
    PaymentFact,
    RefundFact,
    RefundOrder,
    Refunds,
    RefundStage,
    Taken,
    Unclear,
)
from coinslot.gateways.collecting import Charge, Closed, Pending, Redirect, ShowQr
from coinslot.gateways.receipts import BeingRegistered, NotRegistered, Registered
from coinslot.gateways.yookassa import Receipts
from coinslot.gateways.yookassa.client import MAX_PAGES
from coinslot.gateways.yookassa.parse import receipt_status
from coinslot.kit.clock import SystemClock
from coinslot.kit.ids import uuid7
from coinslot.kit.money import Money
from coinslot.kit.secrets import Secret
from tests.gateways.canned import Asked, Canned, serving, wire_to

ID = "22e12f66-000f-5000-8000-18db351245c7"
MADE = datetime(2026, 1, 1, tzinfo=UTC)
MARK = Mark(installation="here", payment="019b76da-a800-7000-8000-000000000001")
CHARGE = Charge(
    money=Money.parse("150.00", "RUB"),
    key="key-1",
    mark=MARK,
    description="Cola",
    return_url="https://shop.example/thanks",
)
NOTED = {"coinslot": "here", "payment": MARK.payment, "charge": marks.key_sign("key-1")}
PENDING: dict[str, Any] = {
    "id": ID,
    "status": "pending",
    "paid": False,
    "amount": {"value": "150.00", "currency": "RUB"},
    "created_at": "2026-01-01T00:00:00.000Z",
    "confirmation": {"type": "redirect", "confirmation_url": "https://pay.example/1"},
    "metadata": NOTED,
    "recipient": {"account_id": "100500", "gateway_id": "100700"},
    "refundable": False,
    "test": True,
}
SUCCEEDED = PENDING | {
    "status": "succeeded",
    "captured_at": "2026-01-01T00:00:10.000Z",
    "description": "Cola",
    "refunded_amount": {"value": "0.00", "currency": "RUB"},
}
REFUND = {
    "id": "33e12f66-000f-5000-8000-18db351245c7",
    "payment_id": ID,
    "status": "pending",
    "amount": {"value": "50.00", "currency": "RUB"},
    "created_at": "2026-01-01T00:01:00.000Z",
    "metadata": {"coinslot": "here", "refund": "r1"},
}
ORDER = RefundOrder(
    gateway_payment_id=ID,
    money=Money.parse("50.00", "RUB"),
    key="refund-1",
    mark=Mark(installation="here", refund="r1"),
)
RECEIPTS = Receipts(email="till@shop.example", vat_code=11, tax_system_code=2)


def error(status: int, code: str, description: str = "No", parameter: str | None = None) -> Canned:
    said = {"type": "error", "id": "1", "code": code, "description": description}
    return Canned(status, said | ({"parameter": parameter} if parameter else {}))


def listing(*items: object, cursor: str | None = None) -> Canned:
    return Canned(
        200, {"type": "list", "items": items} | ({"next_cursor": cursor} if cursor else {})
    )


@asynccontextmanager
async def answering(
    *answers: Canned, timeout_s: float = 30, **more: Any
) -> AsyncIterator[tuple[yookassa.YooKassa, list[Asked]]]:
    async with serving(*answers) as (url, asked):
        settings = yookassa.Settings(
            shop_id="100500", secret_key=Secret("test_key"), base_url=f"{url}/v3", **more
        )
        wire = wire_to(yookassa.address(settings), timeout_s=timeout_s)
        yield yookassa.YooKassa(settings, wire, SystemClock()), asked
        await wire.close()


ODD = [
    Canned(0),
    Canned(200, b"<html>"),
    Canned(200, {}),
    Canned(200, {"type": "processing", "retry_after": 1800}),
    Canned(202, {"type": "processing", "retry_after": 1800}),
    Canned(500, {"type": "error", "code": "internal_server_error", "description": "?"}),
    Canned(502, b"<html>"),
    Canned(404, b"<html>not ours</html>"),
    Canned(404, {"message": "no such route"}),
    Canned(400, {"error": "a proxy's"}),
    Canned(409, {"type": "error", "code": "busy"}),
    Canned(200, PENDING | {"id": "../x"}),
    Canned(200, PENDING | {"status": "new"}),
    Canned(200, PENDING | {"created_at": "2026-01-01T00:00:00"}),
    Canned(200, PENDING | {"amount": {"value": "150.001", "currency": "RUB"}}),
    Canned(200, PENDING | {"amount": {"value": "-150.00", "currency": "RUB"}}),
    Canned(200, PENDING | {"amount": {"value": 150.0, "currency": "RUB"}}),
    Canned(200, PENDING | {"confirmation": {"type": "redirect"}}),
    Canned(200, PENDING | {"confirmation": {"type": "qr", "confirmation_url": "https://a.b"}}),
    Canned(200, PENDING | {"confirmation": {"type": "redirect", "confirmation_url": "data:x"}}),
]


@pytest.mark.parametrize("odd", ODD)
async def test_an_odd_answer_proves_nothing(odd: Canned) -> None:
    async with answering(odd) as (till, _):
        assert isinstance(await till.collect(CHARGE), Unclear)
        assert isinstance(await till.follow(ID), Unclear)
        assert isinstance(await till.cancel(ID), Unclear)
        assert isinstance(await till.look(ID), Unclear)
        assert isinstance(await till.give_back(ORDER), Unclear)
        assert isinstance(await till.refunds(ID), Unclear)
        assert isinstance(await till.find_charge(CHARGE), Unclear)
        assert isinstance(await till.capture(ID, CHARGE.money, "k"), Unclear)
        assert isinstance(await till.void(ID, "k"), Unclear)


@pytest.mark.parametrize(
    "amount", [{"value": "151.00", "currency": "RUB"}, {"value": "150.00", "currency": "USD"}]
)
async def test_another_amount_than_asked_for_is_never_taken_over(amount: dict[str, str]) -> None:
    async with answering(Canned(200, SUCCEEDED | {"amount": amount})) as (till, _):
        assert isinstance(await till.collect(CHARGE), Unclear)
        assert isinstance(await till.capture(ID, CHARGE.money, "k"), Unclear)
    async with answering(Canned(200, REFUND | {"amount": amount})) as (till, _):
        assert isinstance(await till.give_back(ORDER), Unclear)
    async with answering(listing(SUCCEEDED | {"amount": amount})) as (till, _):
        assert isinstance(await till.find_charge(CHARGE), Unclear)


async def test_an_answer_about_another_payment_is_never_taken_over() -> None:
    other = Canned(200, SUCCEEDED | {"id": "44e12f66-000f-5000-8000-18db351245c7"})
    async with answering(other) as (till, _):
        assert isinstance(await till.look(ID), Unclear)
        assert isinstance(await till.follow(ID), Unclear)
        assert isinstance(await till.capture(ID, CHARGE.money, "k"), Unclear)
        assert isinstance(await till.void(ID, "k"), Unclear)


async def test_a_refund_of_another_payment_is_never_taken_over() -> None:
    other = REFUND | {"payment_id": "44e12f66-000f-5000-8000-18db351245c7"}
    async with answering(Canned(200, other), listing(other)) as (till, _):
        assert isinstance(await till.give_back(ORDER), Unclear)
        assert isinstance(await till.refunds(ID), Unclear)


@pytest.mark.parametrize(
    ("refusal", "code", "permanent"),
    [
        (error(400, "invalid_request", "Bad", "amount"), "invalid_request", True),
        (error(400, "not_supported"), "not_supported", True),
        (error(401, "invalid_credentials"), "unauthorized", False),
        (error(403, "forbidden"), "unauthorized", False),
        (error(404, "not_found"), "absent", True),
        (error(429, "too_many_requests"), "rate_limited", False),
        (Canned(429, b"{}"), "rate_limited", False),
    ],
)
async def test_a_no_in_their_form_is_a_no(refusal: Canned, code: str, permanent: bool) -> None:
    async with answering(refusal) as (till, _):
        for answer in (await till.collect(CHARGE), await till.give_back(ORDER)):
            assert isinstance(answer, Declined)
            assert (answer.code, answer.permanent) == (code, permanent)


@pytest.mark.parametrize("status", [401, 403, 429])
async def test_a_no_for_another_reason_proves_no_absence(status: int) -> None:
    async with answering(error(status, "forbidden")) as (till, _):
        assert isinstance(await till.follow(ID), Unclear)
        assert isinstance(await till.refunds(ID), Unclear)
        assert isinstance(await till.find_charge(CHARGE), Unclear)


async def test_absence_is_said_with_400_or_404_and_a_lost_list_is_none() -> None:
    gone = error(
        400, "invalid_request", "Incorrect payment_id. Payment doesn't exist or access denied."
    )
    for said in (gone, error(404, "not_found")):
        async with answering(said) as (till, _):
            assert await till.look(ID) == Absent()
            assert await till.refunds(ID) == Absent()
            assert isinstance(await till.find_charge(CHARGE), Unclear)


async def test_an_empty_list_of_refunds_proves_that_only_where_the_payment_is_there() -> None:
    async with answering(listing(), Canned(200, SUCCEEDED)) as (till, _):
        assert await till.refunds(ID) == Refunds(())
    async with answering(listing(), error(404, "not_found")) as (till, _):
        assert await till.refunds(ID) == Absent()
    async with answering(listing(), Canned(500, {})) as (till, _):
        assert isinstance(await till.refunds(ID), Unclear)


async def test_a_key_used_for_something_else_may_have_brought_money() -> None:
    reused = error(400, "invalid_request", "Idempotence key duplicated", "Idempotence-Key")
    async with answering(reused) as (till, _):
        assert isinstance(await till.collect(CHARGE), Unclear)
        answer = await till.give_back(ORDER)
        assert isinstance(answer, Declined)
        assert answer.code == "key_reused"


async def test_what_is_sent_for_a_page() -> None:
    charge = replace(CHARGE, metadata={"table": "7", "payment": "x", "k" * 33: "y", "l": "z" * 600})
    async with answering(Canned(200, PENDING)) as (till, asked):
        answer = await till.collect(charge)
    assert answer == Pending(reference=ID, action=Redirect("https://pay.example/1"))
    (call,) = asked
    assert call.line.startswith("POST /v3/payments ")
    assert call.headers["idempotence-key"] == "key-1"
    assert json.loads(call.body) == {
        "amount": {"value": "150.00", "currency": "RUB"},
        "capture": True,
        "confirmation": {"type": "redirect", "return_url": "https://shop.example/thanks"},
        "description": "Cola",
        "metadata": NOTED | {"table": "7", "l": "z" * 512},
    }


async def test_what_is_sent_for_an_sbp_code() -> None:
    said = PENDING | {
        "confirmation": {"type": "qr", "confirmation_data": "https://qr.example/AS1"},
        "payment_method": {"type": "sbp", "id": ID, "saved": False},
    }
    async with answering(Canned(200, said), method="sbp_qr") as (till, asked):
        answer = await till.collect(CHARGE)
    assert answer == Pending(
        reference=ID,
        action=ShowQr(text="https://qr.example/AS1"),
        expires_at=MADE + timedelta(hours=1),
    )
    body = json.loads(asked[0].body)
    assert body["confirmation"]["type"] == "qr"
    assert body["payment_method_data"] == {"type": "sbp"}


async def test_a_charge_says_by_what_it_is_paid_and_the_account_says_it_for_the_rest() -> None:
    async with answering(Canned(200, PENDING), method="sbp") as (till, asked):
        await till.collect(CHARGE)
        await till.collect(replace(CHARGE, method="bank_card", capture=False))
    first, second = (json.loads(call.body) for call in asked)
    assert first["payment_method_data"] == {"type": "sbp"}
    assert second["payment_method_data"] == {"type": "bank_card"}
    assert (first["capture"], second["capture"]) == (True, False)


async def test_a_receipt_has_one_line_named_by_the_charge() -> None:
    async with answering(Canned(200, PENDING), receipts=RECEIPTS) as (till, asked):
        await till.collect(CHARGE)
    assert json.loads(asked[0].body)["receipt"] == {
        "customer": {"email": "till@shop.example"},
        "tax_system_code": 2,
        "items": [
            {
                "description": "Cola",
                "quantity": 1,
                "amount": {"value": "150.00", "currency": "RUB"},
                "vat_code": 11,
                "payment_subject": "commodity",
                "payment_mode": "full_payment",
            }
        ],
    }


async def test_a_refund_in_part_brings_a_receipt_and_a_whole_one_none() -> None:
    whole = replace(ORDER, money=CHARGE.money, key="whole")
    paid = Canned(200, SUCCEEDED)
    back = [Canned(200, REFUND | {"amount": SUCCEEDED["amount"]}), Canned(200, REFUND)]
    async with answering(paid, back[0], paid, back[1], receipts=RECEIPTS) as (till, asked):
        assert isinstance(await till.give_back(whole), RefundFact)
        assert isinstance(await till.give_back(ORDER), RefundFact)
    sent = [json.loads(call.body) for call in asked if call.line.startswith("POST")]
    assert "receipt" not in sent[0]
    (line,) = sent[1]["receipt"]["items"]
    assert (line["description"], line["amount"]["value"]) == ("Cola", "50.00")


async def test_nothing_is_sent_back_with_a_receipt_while_the_payment_cannot_be_read() -> None:
    async with answering(Canned(502, b""), receipts=RECEIPTS) as (till, asked):
        assert isinstance(await till.give_back(ORDER), Unclear)
        assert isinstance(await till.capture(ID, CHARGE.money, "k"), Unclear)
    assert all(call.line.startswith("GET") for call in asked)


async def test_a_payment_is_read_with_its_times_and_its_mark() -> None:
    async with answering(Canned(200, SUCCEEDED)) as (till, _):
        assert await till.look(ID) == PaymentFact(
            gateway_payment_id=ID,
            taken=Taken.CAPTURED,
            money=CHARGE.money,
            at=MADE + timedelta(seconds=10),
            mark=MARK,
            refunded=Money.zero("RUB"),
            description="Cola",
        )


async def test_a_canceled_payment_is_closed_for_its_reason_and_a_look_says_failed() -> None:
    said = PENDING | {
        "status": "canceled",
        "cancellation_details": {"party": "payment_network", "reason": "card_expired"},
    }
    async with answering(Canned(200, said)) as (till, _):
        assert await till.follow(ID) == Closed(reference=ID, reason="card_expired")
        looked = await till.look(ID)
        assert isinstance(looked, PaymentFact)
        assert looked.taken is Taken.FAILED


async def test_a_pending_payment_is_no_fact() -> None:
    async with answering(Canned(200, PENDING)) as (till, _):
        assert isinstance(await till.look(ID), Unclear)


@pytest.mark.parametrize(
    ("status", "stage"),
    [
        ("pending", RefundStage.PENDING),
        ("succeeded", RefundStage.PROCESSED),
        ("canceled", RefundStage.FAILED),
    ],
)
async def test_each_stage_of_a_refund_is_read(status: str, stage: RefundStage) -> None:
    async with answering(Canned(200, REFUND | {"status": status})) as (till, _):
        answer = await till.give_back(ORDER)
    assert isinstance(answer, RefundFact)
    assert (answer.stage, answer.mark) == (stage, ORDER.mark)


async def test_the_search_turns_the_pages_and_starts_where_the_mark_was_made() -> None:
    made = datetime(2026, 3, 1, 12, tzinfo=UTC)
    mark = Mark(installation="here", payment=str(uuid7(made)))
    sign = marks.key_sign(CHARGE.key)
    noted = {"coinslot": "here", "payment": mark.payment, "charge": sign}
    ours = SUCCEEDED | {"metadata": noted}
    lapsed = ours | {"status": "canceled"}
    strange = {"of": "any shape", "metadata": 7}
    pages = [listing(strange, lapsed, cursor="next"), listing(strange, ours)]
    async with answering(*pages) as (till, asked):
        found = await till.find_charge(replace(CHARGE, mark=mark))
    assert isinstance(found, PaymentFact)
    assert "created_at.gte=2026-03-01T11%3A00%3A00.000Z" in asked[0].line
    assert "cursor=next" in asked[1].line


async def test_a_list_that_breaks_off_proves_no_absence() -> None:
    async with answering(listing({}, cursor="next"), Canned(500, {})) as (till, _):
        assert isinstance(await till.find_charge(CHARGE), Unclear)
        assert isinstance(await till.refunds(ID), Unclear)
    async with answering(listing(cursor="for ever")) as (till, asked):
        assert isinstance(await till.find_charge(CHARGE), Unclear)
        # Fewer where the computer is so slow that the time for a list ends first.
        assert MAX_PAGES <= len(asked) <= (listing_of_a_span.HALVINGS + 1) * MAX_PAGES


async def test_what_an_earlier_call_took_or_let_go_is_seen_behind_the_no() -> None:
    no = error(400, "invalid_request", "Payment is not in the waiting_for_capture status.")
    canceled = Canned(200, PENDING | {"status": "canceled"})
    async with answering(no, Canned(200, SUCCEEDED)) as (till, _):
        assert isinstance(await till.capture(ID, CHARGE.money, "k"), PaymentFact)
    async with answering(no, Canned(200, SUCCEEDED)) as (till, _):
        part = Money.parse("100.00", "RUB")
        assert isinstance(await till.capture(ID, part, "k"), Unclear)
    async with answering(no, canceled) as (till, _):
        assert isinstance(await till.capture(ID, CHARGE.money, "k"), Declined)
    async with answering(no, canceled) as (till, _):
        assert isinstance(await till.void(ID, "k"), Closed)
    async with answering(no, Canned(200, SUCCEEDED)) as (till, _):
        assert isinstance(await till.void(ID, "k"), Declined)
    async with answering(no, Canned(500, {})) as (till, _):
        assert isinstance(await till.void(ID, "k"), Unclear)


async def test_money_taken_in_part_has_a_receipt_of_that_part() -> None:
    held = SUCCEEDED | {"status": "waiting_for_capture"}
    part = {"value": "100.00", "currency": "RUB"}
    taken = Canned(200, SUCCEEDED | {"amount": part})
    async with answering(Canned(200, held), taken, receipts=RECEIPTS) as (till, asked):
        await till.capture(ID, Money.parse("100.00", "RUB"), "k")
    body = json.loads(asked[1].body)
    assert body["amount"] == part
    (line,) = body["receipt"]["items"]
    assert (line["description"], line["amount"]) == ("Cola", part)
    async with answering(taken) as (till, asked):
        await till.capture(ID, Money.parse("100.00", "RUB"), "k")
    assert "receipt" not in json.loads(asked[0].body)


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ({"status": "pending"}, BeingRegistered(receipt_id=ID)),
        ({"status": "canceled"}, NotRegistered(receipt_id=ID, reason="canceled")),
        ({"status": "canceled", "cancellation_details": {"reason": ""}},
         NotRegistered(receipt_id=ID, reason="canceled")),
        ({"status": "canceled", "cancellation_details": {"reason": "till_is_closed"}},
         NotRegistered(receipt_id=ID, reason="till_is_closed")),
        ({"status": "succeeded"}, Registered(receipt_id=ID)),
        (
            {
                "status": "succeeded", "fiscal_document_number": "7", "fiscal_attribute": "",
                "fiscal_storage_number": "99", "registered_at": "2026-11-30T12:00:00Z",
            },
            Registered(receipt_id=ID, numbers={
                "document": "7", "storage": "99", "registered_at": "2026-11-30T12:00:00Z",
            }),
        ),
    ],
)  # fmt: skip
def test_a_receipt_is_being_registered_registered_or_given_up_for_a_reason(
    said: dict[str, Any], wanted: object
) -> None:
    assert receipt_status({"id": ID, "type": "payment", **said}) == wanted
