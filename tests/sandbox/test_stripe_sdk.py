"""The official Stripe SDK, as the judge of the emulated Stripe and of its webhooks."""

import json
import threading
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
import stripe

from tests.sandbox.receiver import Received, Receiver
from tests.sandbox.running import SandboxProcess, until

SECRET = "whsec_ofTheSandbox"
PRICE = {"currency": "usd", "unit_amount": 4000, "product_data": {"name": "Cola"}}
CHECKOUT: dict[str, Any] = {
    "mode": "payment",
    "line_items": [{"quantity": 1, "price_data": PRICE}],
    "success_url": "https://shop.example/thanks?s={CHECKOUT_SESSION_ID}",
    "metadata": {"order": "o1"},
    "payment_intent_data": {"metadata": {"order": "o1"}},
}


class Shop:
    """An account, its client, and its payer."""

    def __init__(self, sandbox: SandboxProcess, receiver: Receiver) -> None:
        self.sandbox, self.receiver = sandbox, receiver
        self.key, self.account_id = f"sk_test_{uuid4().hex}", f"acct_{uuid4().hex[:16]}"
        self.base = f"{sandbox.base_url}/stripe"
        self.sign_up()
        self.client = stripe.StripeClient(
            self.key, base_addresses={"api": self.base}, max_network_retries=0
        )
        self.v1 = self.client.v1

    def sign_up(self, **more: Any) -> None:
        account = {
            "account_id": self.account_id,
            "secret_key": self.key,
            "webhook_url": self.receiver.url,
            "webhook_secret": SECRET,
        }
        self.sandbox.ask("POST", "/stripe/accounts", account | more)

    def pay(self, reference: str, outcome: str = "paid") -> str:
        body = {"reference": reference, "outcome": outcome}
        return str(self.sandbox.ask("POST", "/stripe/pay", body)["reference"])

    def checkout(self, **more: Any) -> Any:
        return self.v1.checkout.sessions.create(params={**CHECKOUT, **more})  # type: ignore[arg-type]

    def intent(self, method: str = "pm_card_visa", **more: Any) -> Any:
        asked = {"amount": 4000, "currency": "usd", "payment_method": method, "confirm": True}
        asked |= {"return_url": "https://shop.example/back"}
        return self.v1.payment_intents.create(params=asked | more)  # type: ignore[arg-type]

    def paid(self) -> str:
        return self.pay(self.checkout().id)

    def post(self, path: str, form: dict[str, Any], key: str) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.key}", "Idempotency-Key": key}
        return httpx.post(f"{self.base}/v1/{path}", data=form, headers=headers)

    def told(self, name: str) -> Received:
        """The first delivery of an event."""

        def found() -> Received | None:
            said = [one for one in self.receiver.received if f'"type":"{name}"' in one.body]
            return said[0] if said else None

        delivery: Received = until(found)
        return delivery


@pytest.fixture
def merchant(sandbox: SandboxProcess, receiver: Receiver) -> Iterator[Shop]:
    merchant = Shop(sandbox, receiver)
    yield merchant
    merchant.sign_up(webhook_url=None)  # nothing must knock on the door of a later test


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


def test_a_session_is_made_paid_and_read_with_its_intent(merchant: Shop) -> None:
    session = merchant.checkout(client_reference_id="order-1")
    assert (session.status, session.payment_status) == ("open", "unpaid")
    assert (session.amount_total, session.currency) == (4000, "usd")
    assert session.payment_intent is None
    assert session.metadata.to_dict() == {"order": "o1"}
    assert session.id.startswith("cs_test_")
    paid = merchant.pay(session.id)
    read = merchant.v1.checkout.sessions.retrieve(
        session.id, params={"expand": ["payment_intent.latest_charge"]}
    )
    assert (read.status, read.payment_status, read.url) == ("complete", "paid", None)
    intent: Any = read.payment_intent
    assert (intent.id, intent.status, intent.amount_received) == (paid, "succeeded", 4000)
    assert intent.latest_charge.captured
    assert intent.metadata.to_dict() == {"order": "o1"}
    items = merchant.v1.checkout.sessions.line_items.list(session.id)
    assert [item.description for item in items.data] == ["Cola"]


def test_a_session_ended_can_be_paid_no_more(merchant: Shop) -> None:
    session = merchant.checkout()
    assert merchant.v1.checkout.sessions.expire(session.id).status == "expired"
    with pytest.raises(stripe.InvalidRequestError, match="can be expired"):
        merchant.v1.checkout.sessions.expire(session.id)
    answer = httpx.post(f"{merchant.base}/pay", json={"reference": session.id})
    assert answer.status_code == 409
    merchant.told("checkout.session.expired")


def test_a_declined_card_leaves_the_session_open(merchant: Shop) -> None:
    session = merchant.checkout()
    intent = merchant.pay(session.id, "declined")
    read = merchant.v1.payment_intents.retrieve(intent)
    assert read.status == "requires_payment_method"
    assert read.last_payment_error is not None
    assert read.last_payment_error.decline_code == "generic_decline"
    with pytest.raises(stripe.InvalidRequestError, match="Checkout Session"):
        merchant.v1.payment_intents.cancel(intent)
    assert merchant.pay(session.id) == intent


def test_money_that_arrives_later_settles_the_session_later(merchant: Shop) -> None:
    session = merchant.checkout()
    merchant.pay(session.id, "delayed")
    completed = json.loads(merchant.told("checkout.session.completed").body)
    assert completed["data"]["object"]["payment_status"] == "unpaid"
    settled = json.loads(merchant.told("checkout.session.async_payment_succeeded").body)
    assert settled["data"]["object"]["payment_status"] == "paid"
    bounced = merchant.checkout()
    merchant.pay(bounced.id, "delayed_failed")
    merchant.told("checkout.session.async_payment_failed")
    assert merchant.v1.checkout.sessions.retrieve(bounced.id).payment_status == "unpaid"


def test_an_intent_is_confirmed_declined_or_asks_who_pays(merchant: Shop) -> None:
    assert merchant.intent().status == "succeeded"
    with pytest.raises(stripe.CardError) as declined:
        merchant.intent("pm_card_chargeDeclinedInsufficientFunds")
    assert declined.value.code == "card_declined"
    assert declined.value.error is not None
    assert declined.value.error.decline_code == "insufficient_funds"
    asks = merchant.intent("pm_card_authenticationRequired")
    assert asks.status == "requires_action"
    assert asks.next_action.redirect_to_url.url.startswith(merchant.base)
    assert merchant.pay(asks.id) == asks.id
    assert merchant.v1.payment_intents.retrieve(asks.id).status == "succeeded"
    with pytest.raises(stripe.InvalidRequestError, match="No such PaymentMethod"):
        merchant.intent("pm_card_ofChandra")


def test_what_is_held_is_captured_in_part_or_canceled(merchant: Shop) -> None:
    held = merchant.intent(capture_method="manual")
    assert (held.status, held.amount_capturable) == ("requires_capture", 4000)
    taken = merchant.v1.payment_intents.capture(held.id, params={"amount_to_capture": 3000})
    assert (taken.status, taken.amount_received) == ("succeeded", 3000)
    with pytest.raises(stripe.InvalidRequestError) as again:
        merchant.v1.payment_intents.capture(held.id)
    assert again.value.code == "payment_intent_unexpected_state"
    freed = merchant.v1.payment_intents.cancel(merchant.intent(capture_method="manual").id)
    assert freed.status == "canceled"


def test_refunds_in_parts_stop_at_the_capture(merchant: Shop) -> None:
    paid = merchant.paid()
    refund = merchant.v1.refunds.create(params={"payment_intent": paid, "amount": 1000})
    assert (refund.status, refund.amount, refund.payment_intent) == ("succeeded", 1000, paid)
    with pytest.raises(stripe.InvalidRequestError, match="greater than unrefunded"):
        merchant.v1.refunds.create(params={"payment_intent": paid, "amount": 3001})
    rest = merchant.v1.refunds.create(params={"payment_intent": paid})
    assert rest.amount == 3000
    with pytest.raises(stripe.InvalidRequestError) as over:
        merchant.v1.refunds.create(params={"payment_intent": paid})
    assert over.value.code == "charge_already_refunded"
    listed = merchant.v1.refunds.list(params={"payment_intent": paid})
    assert [one.id for one in listed.data] == [rest.id, refund.id]
    charge = json.loads(merchant.told("charge.refunded").body)["data"]["object"]
    assert (charge["amount_refunded"], charge["refunded"]) == (1000, False)


def test_lists_are_paged_and_bounded_in_time(merchant: Shop) -> None:
    made = [merchant.checkout().id for _ in range(5)]
    listed = merchant.v1.checkout.sessions.list(params={"limit": 2})
    assert listed.has_more
    assert [one.id for one in listed.auto_paging_iter()] == made[::-1]
    later = merchant.v1.checkout.sessions.list(params={"created": {"gte": 4_000_000_000}})
    assert later.data == []
    paid = merchant.pay(made[0])
    events = merchant.v1.events.list(params={"type": "payment_intent.succeeded"})
    assert [event.data.object["id"] for event in events.data] == [paid]
    assert merchant.v1.events.retrieve(events.data[0].id).type == "payment_intent.succeeded"


def test_the_sdk_believes_every_webhook_and_no_altered_one(merchant: Shop) -> None:
    paid = merchant.paid()
    delivery = merchant.told("checkout.session.completed")
    for one in merchant.receiver.received:
        stripe.Webhook.construct_event(one.body, one.headers["stripe-signature"], SECRET)
    told = json.loads(delivery.body)
    assert told["data"]["object"]["payment_intent"] == paid
    assert told["api_version"] == stripe.api_version
    altered = delivery.body.replace("4000", "9000")
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(altered, delivery.headers["stripe-signature"], SECRET)


def test_a_refused_webhook_comes_again_signed_anew(
    sandbox: SandboxProcess, receiver: Receiver
) -> None:
    refusals = iter([500, 302])
    receiver.answer = lambda _: next(refusals, 200)
    merchant = Shop(sandbox, receiver)
    merchant.sign_up(events=["checkout.session.completed"])
    merchant.paid()
    first, _, third = receiver.wait(3)
    assert first.body == third.body
    for one in (first, third):
        stripe.Webhook.construct_event(one.body, one.headers["stripe-signature"], SECRET)
    merchant.sign_up(webhook_url=None)


def test_a_key_replays_its_first_answer_and_no_other_request(merchant: Shop) -> None:
    paid, key = merchant.paid(), f"key-{uuid4()}"
    form = {"payment_intent": paid, "amount": 1000}
    first, again = merchant.post("refunds", form, key), merchant.post("refunds", form, key)
    assert first.json() == again.json()
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    other = merchant.post("refunds", form | {"amount": 2000}, key)
    assert (other.status_code, other.json()["error"]["type"]) == (400, "idempotency_error")
    with pytest.raises(stripe.IdempotencyError):
        merchant.v1.refunds.create(
            params={"payment_intent": paid, "amount": 3000}, options={"idempotency_key": key}
        )
    assert len(merchant.v1.refunds.list(params={"payment_intent": paid}).data) == 1


def test_a_decline_is_replayed_and_a_refused_form_is_not(merchant: Shop) -> None:
    key = f"key-{uuid4()}"
    form = {"amount": 4000, "currency": "usd", "confirm": "true"}
    declined = form | {"payment_method": "pm_card_chargeDeclined"}
    first, again = (merchant.post("payment_intents", declined, key) for _ in range(2))
    assert (first.status_code, again.status_code) == (402, 402)
    assert again.json() == first.json()
    other = f"key-{uuid4()}"
    assert merchant.post("payment_intents", form | {"amount": "x"}, other).status_code == 400
    mended = merchant.post("payment_intents", form | {"payment_method": "pm_card_visa"}, other)
    assert mended.status_code == 200


def test_an_execution_that_broke_is_replayed_too(merchant: Shop) -> None:
    tries = [({"payment_intent": merchant.paid()}, f"key-{uuid4()}") for _ in range(6)]
    merchant.sandbox.weather(api={"error_5xx": 1}, seed=1)
    broken = [merchant.post("refunds", form, key).status_code for form, key in tries]
    merchant.sandbox.weather(api={"error_5xx": 0})
    assert set(broken) == {500, 502}  # broken before the effect; or done, and the answer lost
    for status, (form, key) in zip(broken, tries, strict=True):
        again = merchant.post("refunds", form, key)
        assert again.headers["idempotent-replayed"] == "true"
        assert again.status_code == (500 if status == 500 else 200)
        if status == 500:
            assert merchant.post("refunds", form, f"key-{uuid4()}").status_code == 200


def test_a_key_in_use_is_a_conflict(merchant: Shop) -> None:
    paid, key = merchant.paid(), f"key-{uuid4()}"
    merchant.sandbox.weather(api={"latency_ms": 400})
    together = threading.Barrier(2)
    statuses: list[int] = []

    def ask() -> None:
        together.wait()
        statuses.append(merchant.post("refunds", {"payment_intent": paid}, key).status_code)

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    merchant.sandbox.weather(api={"latency_ms": 0})
    assert sorted(statuses) == [200, 409]


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"mode": "subscription"},
        {"mode": "payment", "success_url": "x"},
        {"mode": "payment", "success_url": "x", "line_items[0][quantity]": "1"},
        {"mode": "payment", "success_url": "x", "line_items": "nothing"},
        {"colour": "red"},
        {"line_items[0][price_data][unit_amount]": "4.5"},
        {"a[b][c][d][e][f][g][h][i][j]": "deep"},
        {"[]": "x"},
        {"mode[": "x", "mode": "payment"},
    ],
)
def test_an_odd_form_is_refused_in_stripes_form(merchant: Shop, form: dict[str, str]) -> None:
    answer = merchant.post("checkout/sessions", form, f"key-{uuid4()}")
    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "invalid_request_error"


def test_strangers_and_unknown_things_are_told_so(merchant: Shop) -> None:
    other = stripe.StripeClient(
        "sk_test_wrong", base_addresses={"api": merchant.base}, max_network_retries=0
    )
    with pytest.raises(stripe.AuthenticationError):
        other.v1.payment_intents.retrieve("pi_1")
    with pytest.raises(stripe.InvalidRequestError) as missing:
        merchant.v1.payment_intents.retrieve("pi_nowhere")
    assert (missing.value.http_status, missing.value.code) == (404, "resource_missing")
    with pytest.raises(stripe.InvalidRequestError, match="Unrecognized request URL"):
        merchant.v1.customers.list()


def test_the_page_is_paid_by_a_plain_form_and_leads_back(merchant: Shop) -> None:
    session = merchant.checkout()
    page = httpx.get(session.url)
    assert page.status_code == 200
    assert "40.00 USD" in page.text
    declined = httpx.post(session.url, data={"outcome": "declined"})
    assert (declined.status_code, "was declined" in declined.text) == (402, True)
    paid = httpx.post(session.url, data={"outcome": "paid"})
    assert paid.status_code == 303
    assert paid.headers["location"] == f"https://shop.example/thanks?s={session.id}"
    assert httpx.post(session.url, data={"outcome": "paid"}).status_code == 409
    assert "complete" in httpx.get(session.url).text
