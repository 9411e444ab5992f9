"""The official SDK works against the sandbox as it does against YooKassa."""

import json
from collections.abc import Iterator
from itertools import count
from typing import Any

import httpx
import pytest
from yookassa import Configuration, Payment, Refund
from yookassa.domain.exceptions import (
    BadRequestError,
    InternalServerError,
    NotFoundError,
    ResponseProcessingError,
    UnauthorizedError,
)
from yookassa.domain.notification import WebhookNotificationFactory

from tests.sandbox.receiver import Receiver
from tests.sandbox.running import SandboxProcess, until

numbers = count(1)
WANTED = {
    "amount": {"value": "150.00", "currency": "RUB"},
    "capture": True,
    "confirmation": {"type": "redirect", "return_url": "https://shop.example/thanks"},
    "description": "Cola at the gate",
    "metadata": {"order_id": "ord_1"},
}
BY_SBP = {
    "confirmation": {"type": "qr"},
    "payment_method_data": {"type": "sbp"},
}


class Shop:
    """A shop of the test's own, and its payers."""

    def __init__(self, sandbox: SandboxProcess, url: str | None) -> None:
        self.sandbox = sandbox
        self.account: dict[str, Any] = {
            "account_id": f"{next(numbers) + 100500}",
            "secret_key": "test_secret",
            "webhook_url": url,
        }
        self.change()

    def change(self, **more: object) -> None:
        self.account |= more
        self.ask("accounts", self.account)
        Configuration.configure(
            self.account["account_id"],
            self.account["secret_key"],
            api_url=f"{self.sandbox.base_url}/yookassa/v3",
        )

    def ask(self, door: str, body: object) -> Any:
        return self.sandbox.ask("POST", f"/yookassa/{door}", body)

    def paid(self, **more: object) -> str:
        """A payment, made and paid."""
        made = Payment.create(WANTED | more)
        self.ask("pay", {"reference": made.id})
        return str(made.id)

    def book(self, reference: str) -> dict[str, Any]:
        rows = self.sandbox.ask("GET", "/books")["yookassa"]["payments"]
        return next(row for row in rows if row["reference"] == reference)


@pytest.fixture
def shop(sandbox: SandboxProcess, receiver: Receiver) -> Iterator[Shop]:
    shop = Shop(sandbox, receiver.url)
    yield shop
    shop.change(webhook_url=None)


def partly(reference: str, value: str) -> dict[str, Any]:
    return {"payment_id": reference, "amount": {"value": value, "currency": "RUB"}}


def test_a_payment_is_made_paid_and_found(shop: Shop) -> None:
    made = Payment.create(dict(WANTED), "key-1")
    assert (made.status, made.paid, len(made.id)) == ("pending", False, 36)
    assert made.confirmation.confirmation_url.endswith(f"/yookassa/pay/{made.id}")
    assert Payment.create(dict(WANTED), "key-1").id == made.id

    shop.ask("pay", {"reference": made.id})

    paid = Payment.find_one(made.id)
    assert (paid.status, paid.paid, paid.refundable) == ("succeeded", True, True)
    assert paid.recipient.account_id == shop.account["account_id"]
    assert paid.metadata["order_id"] == "ord_1"
    assert paid.payment_method.type == "bank_card"
    assert paid.confirmation is None
    assert shop.book(made.id)["captured"] == 15_000


def test_an_sbp_payment_shows_a_code_that_opens_the_page_to_pay_on(shop: Shop) -> None:
    made = Payment.create(WANTED | BY_SBP)
    page = made.confirmation.confirmation_data
    assert "SBP" in httpx.get(page).text

    answer = httpx.post(page, data={"method": "sbp", "outcome": ""})

    assert answer.status_code == 303
    assert Payment.find_one(made.id).payment_method.type == "sbp"
    assert "Paid." in httpx.get(page).text


def test_the_page_leads_back_to_the_shop_whatever_the_bank_says(shop: Shop) -> None:
    made = Payment.create(dict(WANTED))
    page = made.confirmation.confirmation_url

    answer = httpx.post(page, data={"method": "bank_card", "outcome": "insufficient_funds"})

    assert answer.headers["location"] == "https://shop.example/thanks"
    ended = Payment.find_one(made.id)
    assert ended.status == "canceled"
    assert ended.cancellation_details.reason == "insufficient_funds"
    assert httpx.post(page, data={"method": "bank_card"}).status_code == 409


def test_what_is_held_is_captured_in_part_or_let_go(shop: Shop) -> None:
    held, freed = shop.paid(capture=False), shop.paid(capture=False)
    assert Payment.find_one(held).status == "waiting_for_capture"

    taken = Payment.capture(held, {"amount": {"value": "100.00", "currency": "RUB"}})
    assert (taken.status, taken.amount.value) == ("succeeded", 100)
    assert Payment.cancel(freed).cancellation_details.reason == "canceled_by_merchant"

    for again in (held, freed):
        with pytest.raises(BadRequestError):
            Payment.cancel(again)
    pending = Payment.create(dict(WANTED))
    with pytest.raises(BadRequestError):
        Payment.cancel(pending.id)


def test_refunds_in_parts_up_to_the_captured_sum(shop: Shop) -> None:
    reference = shop.paid()

    first = Refund.create(partly(reference, "50.00"), "key-r")
    assert (first.status, Refund.create(partly(reference, "50.00"), "key-r").id) == (
        "succeeded",
        first.id,
    )
    with pytest.raises(BadRequestError):
        Refund.create(partly(reference, "100.01"))
    rest = Refund.create(partly(reference, "100.00"))

    listed = Refund.list({"payment_id": reference})
    assert [one.id for one in listed.items] == [rest.id, first.id]
    assert Refund.find_one(first.id).payment_id == reference
    assert Payment.find_one(reference).refunded_amount.value == 150
    assert shop.book(reference)["refunded"] == 15_000


def test_an_empty_balance_cancels_a_refund_at_once(shop: Shop) -> None:
    reference = shop.paid()
    shop.ask("balance", {"account_id": shop.account["account_id"], "amount": 100})

    refund = Refund.create(partly(reference, "50.00"))

    assert (refund.status, refund.cancellation_details.reason) == ("canceled", "insufficient_funds")
    assert shop.book(reference)["refunded"] == 0


def test_a_key_with_other_data_is_refused(shop: Shop) -> None:
    Payment.create(dict(WANTED), "key-2")

    with pytest.raises(BadRequestError) as refused:
        Payment.create(WANTED | {"description": "Water"}, "key-2")

    said = refused.value.args[0]
    assert (said["description"], said["parameter"]) == (
        "Idempotence key duplicated",
        "Idempotence-Key",
    )
    with pytest.raises(BadRequestError):
        Payment.create(dict(WANTED), "k" * 65)


def test_lists_are_turned_by_a_cursor_and_cut_by_time(shop: Shop) -> None:
    made = [Payment.create(dict(WANTED)) for _ in range(3)]

    first = Payment.list({"limit": 2})
    second = Payment.list({"limit": 2, "cursor": first.next_cursor})

    turned = [one.id for one in [*first.items, *second.items]]
    assert turned == [one.id for one in reversed(made)]
    assert second.next_cursor is None
    assert Payment.list({"status": "succeeded"}).items == []
    since = Payment.list({"created_at.gte": made[1].created_at})
    assert made[0].id not in [one.id for one in since.items]
    assert made[2].id in [one.id for one in since.items]


@pytest.mark.parametrize(
    ("change", "parameter"),
    [
        ({"amount": {"value": "0.00", "currency": "RUB"}}, "amount.value"),
        ({"amount": {"value": "1.00", "currency": "USD"}}, "amount"),
        ({"confirmation": {"type": "redirect"}}, "confirmation.return_url"),
        ({"confirmation": {"type": "qr"}}, "confirmation.type"),
        ({"payment_method_data": {"type": "sbp"}, "capture": False}, "capture"),
        ({"metadata": {str(n): "x" for n in range(17)}}, "metadata"),
        ({"metadata": {"long": "x" * 513}}, "metadata"),
    ],
)
def test_a_wrong_field_is_refused_by_its_name(
    shop: Shop, change: dict[str, Any], parameter: str
) -> None:
    address = f"{shop.sandbox.base_url}/yookassa/v3/payments"
    keys = (shop.account["account_id"], shop.account["secret_key"])
    said = httpx.post(
        address, json=WANTED | change, auth=keys, headers={"Idempotence-Key": "wrong"}
    )
    assert (said.status_code, said.json()["parameter"]) == (400, parameter)


def test_a_shop_with_receipts_needs_one_that_adds_up(shop: Shop) -> None:
    shop.change(receipts=True)
    line = {
        "description": "Cola",
        "quantity": "1",
        "amount": WANTED["amount"],
        "vat_code": 11,
        "payment_subject": "commodity",
        "payment_mode": "full_payment",
    }
    receipt = {"customer": {"email": "till@shop.example"}, "items": [line]}

    with pytest.raises(BadRequestError):
        Payment.create(dict(WANTED))
    cheap = line | {"amount": {"value": "1.00", "currency": "RUB"}}
    with pytest.raises(BadRequestError):
        Payment.create(WANTED | {"receipt": receipt | {"items": [cheap]}})
    assert Payment.create(WANTED | {"receipt": receipt}).receipt_registration == "pending"


def test_a_stranger_and_the_unknown_are_told_so(shop: Shop) -> None:
    reference = shop.paid()
    for unknown in ("00000000-000f-5000-8000-000000000000", "nothing"):
        with pytest.raises(BadRequestError, match="doesn't exist or access denied"):
            Payment.find_one(unknown)
    address = f"{shop.sandbox.base_url}/yookassa/v3"
    Shop(shop.sandbox, None)  # the SDK is the stranger's from here on
    with pytest.raises(BadRequestError, match="doesn't exist or access denied"):
        Payment.find_one(reference)
    Configuration.configure("1", "wrong", api_url=address)
    with pytest.raises(UnauthorizedError):
        Payment.find_one(reference)
    shop.change()
    with pytest.raises(NotFoundError):
        Payment.find_one("a/b")


def test_an_accepted_call_is_finished_by_saying_it_again(shop: Shop) -> None:
    shop.change(holds_back=True)
    with pytest.raises(ResponseProcessingError):
        Payment.create(dict(WANTED), "key-3")
    shop.change(holds_back=False)
    assert Payment.create(dict(WANTED), "key-3").status == "pending"
    assert len(Payment.list().items) == 1


def test_a_500_may_have_been_done_and_the_key_tells(shop: Shop) -> None:
    shop.sandbox.weather(api={"error_5xx": 1}, seed=3)
    answers = []
    for _ in range(6):
        with pytest.raises((InternalServerError, json.JSONDecodeError)) as failed:
            Payment.create(dict(WANTED), "key-4")
        answers.append(failed.type)
    shop.sandbox.weather(api={"error_5xx": 0})
    Payment.create(dict(WANTED), "key-4")
    assert InternalServerError in answers  # theirs, before the effect; the other is a proxy's
    assert len(set(answers)) == 2
    assert len(Payment.list().items) == 1


def test_notifications_are_what_the_sdk_reads(shop: Shop, receiver: Receiver) -> None:
    reference = shop.paid(capture=False)
    Payment.capture(reference)
    Refund.create(partly(reference, "50.00"))
    shop.ask("pay", {"reference": Payment.create(dict(WANTED)).id, "declined": "card_expired"})

    bodies = [json.loads(one.body) for one in receiver.wait(4)]
    told = {body["event"]: WebhookNotificationFactory().create(body).object for body in bodies}

    assert set(told) == {
        "payment.waiting_for_capture",
        "payment.succeeded",
        "refund.succeeded",
        "payment.canceled",
    }
    assert (told["payment.succeeded"].id, told["payment.succeeded"].amount.value) == (
        reference,
        150,
    )
    assert told["refund.succeeded"].payment_id == reference
    assert all("signature" not in name for one in receiver.received for name in one.headers)


@pytest.mark.parametrize(("status", "tries"), [(201, 2), (204, 2), (200, 1)])
def test_only_a_200_ends_the_repetitions(
    shop: Shop, receiver: Receiver, status: int, tries: int
) -> None:
    receiver.answer = lambda _: status if len(receiver.received) == 1 else 200
    shop.paid()
    receiver.wait(tries)
    delivered = until(
        lambda: [
            row
            for row in shop.sandbox.ask("GET", "/yookassa/deliveries")
            if row["account_id"] == shop.account["account_id"] and row["state"] == "delivered"
        ]
    )
    assert [row["attempts"] for row in delivered] == [tries]
