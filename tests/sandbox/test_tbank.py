"""The emulated T-Bank: its tokens, its strictness, its notifications and its pages."""

import json
from collections.abc import Callable
from itertools import count
from typing import Any
from uuid import uuid4

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from sandbox.tbank.accounts import token
from sandbox.tbank.api import METHODS
from tests.sandbox.receiver import Receiver
from tests.sandbox.running import SandboxProcess, until

numbers = count(1)
PASSWORD = "tbank-password-1"
LINE = {"Name": "Кофе", "Price": 4000, "Quantity": 1, "Amount": 4000, "Tax": "none"}
RECEIPT = {"Email": "a@a.example", "Taxation": "osn", "Items": [LINE]}
Call = Callable[..., dict[str, Any]]


@pytest.fixture
def terminal(receiver: Receiver) -> dict[str, Any]:
    """A terminal of the test's own; its notifications go to the receiver, which says OK."""
    receiver.says = b"OK"
    key = f"{next(numbers)}DEMO"
    return {"account_id": key, "password": PASSWORD, "webhook_url": receiver.url}


@pytest.fixture
def call(sandbox: SandboxProcess, terminal: dict[str, Any]) -> Call:
    """One call of the API, with a true token unless another is given."""
    sandbox.ask("POST", "/tbank/accounts", terminal)

    def ask(method: str, /, token_: str | None = None, **body: Any) -> dict[str, Any]:
        body = {"TerminalKey": terminal["account_id"]} | body
        body["Token"] = token(body, PASSWORD) if token_ is None else token_
        answer = sandbox.http.post(f"/tbank/v2/{method}", json=body)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    return ask


def init(call: Call, **more: Any) -> dict[str, Any]:
    made = call("Init", **({"Amount": 4000, "OrderId": uuid4().hex} | more))
    assert made["Success"], made
    return made


def code(answer: dict[str, Any]) -> str:
    assert answer["Success"] is (answer["ErrorCode"] == "0")
    return str(answer["ErrorCode"])


def told(receiver: Receiver) -> list[dict[str, Any]]:
    return [json.loads(one.body) for one in receiver.received]


@pytest.mark.parametrize(
    ("said", "password", "expected"),
    [
        (
            {
                "TerminalKey": "MerchantTerminalKey",
                "Amount": 19200,
                "OrderId": "21090",
                "Description": "Подарочная карта на 1000 рублей",
                "DATA": {"Phone": "+71234567890"},
                "Receipt": {"Items": []},
            },
            "usaf8fw8fsw21g",
            "0024a00af7c350a3a67ca168ce06502aa72772456662e38696d48b56ee9c97d9",
        ),
        (
            {
                "TerminalKey": "1321054611234DEMO",
                "OrderId": "201709",
                "Success": True,
                "Status": "AUTHORIZED",
                "PaymentId": 8742591,
                "ErrorCode": "0",
                "Amount": 9855,
                "CardId": 322264,
                "Pan": "430000******0777",
                "ExpDate": "1122",
                "RebillId": 101709,
                "Token": "is not signed",
            },
            "Dfsfh56dgKl",
            "b906d28e76c6428e37b25fcf86c0adc52c63d503013fdd632e300593d165766b",
        ),
    ],
)
def test_a_token_is_the_published_one(said: Any, password: str, expected: str) -> None:
    assert token(said, password) == expected


def test_a_payment_goes_from_its_page_to_the_money_and_back(call: Call) -> None:
    made = init(call, OrderId="ord-1", Description="Кофе")
    assert (made["Status"], made["Amount"]) == ("NEW", 4000)
    assert isinstance(made["PaymentId"], str)
    assert call("SbpPayTest", PaymentId=made["PaymentId"])["Success"]
    state = call("GetState", PaymentId=made["PaymentId"])
    assert (state["Status"], state["Params"][1]["Value"]) == ("CONFIRMED", "qrsbp")
    order = call("CheckOrder", OrderId="ord-1")["Payments"]
    assert [(one["PaymentId"], one["Success"]) for one in order] == [(made["PaymentId"], "true")]
    back = call("Cancel", PaymentId=made["PaymentId"], Amount=1500)
    assert (back["OriginalAmount"], back["NewAmount"]) == (4000, 2500)
    assert back["PaymentId"] == int(made["PaymentId"])
    assert back["Status"] == "ASYNC_REFUNDING"

    def through() -> bool:
        return "PARTIAL_REFUNDED" in call("GetState", PaymentId=made["PaymentId"]).values()

    until(through)
    assert call("GetQrState", PaymentId=made["PaymentId"])["Amount"] == 1500


def test_a_call_without_a_true_token_is_refused_with_200(call: Call) -> None:
    assert code(call("Init", token_="0" * 64, Amount=4000, OrderId="o")) == "204"
    assert code(call("Init", TerminalKey="nobody", Amount=4000, OrderId="o")) == "205"


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"amount": 4000, "Amount": None}, "210"),  # names are case-sensitive
        ({"OrderId": "x" * 37}, "210"),
        ({"Amount": "4000"}, "210"),
        ({"Amount": 99}, "251"),
        ({"Description": "x" * 141}, "210"),
        ({"PayType": "X"}, "210"),
        ({"DATA": {"x" * 21: "v"}}, "210"),
        ({"RedirectDueDate": "2020-01-01T00:00:00+03:00"}, "3017"),
        ({"RedirectDueDate": "soon"}, "210"),
        ({"Receipt": RECEIPT | {"Items": [LINE, LINE]}}, "308"),
        ({"Receipt": RECEIPT | {"Items": [LINE | {"Quantity": 2}]}}, "334"),
        ({"Receipt": {"Taxation": "osn", "Items": [LINE]}}, "329"),
        ({"Receipt": RECEIPT}, "0"),
    ],
)
def test_a_session_is_made_of_true_fields_alone(
    call: Call, more: dict[str, Any], expected: str
) -> None:
    assert code(call("Init", **({"Amount": 4000, "OrderId": "o"} | more))) == expected


def test_a_code_of_sbp_has_its_limits(call: Call, terminal: Any, sandbox: SandboxProcess) -> None:
    assert code(call("GetQr", PaymentId=init(call, Amount=999)["PaymentId"])) == "3016"
    assert code(call("GetQr", PaymentId=init(call, PayType="T")["PaymentId"])) == "3001"
    made = init(call)
    assert "sum=4000" in call("GetQr", PaymentId=made["PaymentId"])["Data"]
    assert "<svg" in call("GetQr", PaymentId=made["PaymentId"], DataType="IMAGE")["Data"]
    sandbox.ask("POST", "/tbank/accounts", terminal | {"sbp": False})
    assert code(call("GetQr", PaymentId=made["PaymentId"])) == "3001"


def test_a_request_id_refunds_once_on_a_card_and_every_time_at_sbp(
    call: Call, sandbox: SandboxProcess
) -> None:
    for method, left in (("card", 3000), ("sbp", 2000)):
        payment = init(call)["PaymentId"]
        sandbox.ask("POST", "/tbank/pay", {"reference": payment, "method": method})
        for _ in range(2):
            call("Cancel", PaymentId=payment, Amount=1000, ExternalRequestId="once")

            def settled(payment: str = payment) -> bool:
                return "PARTIAL_REFUNDED" in call("GetState", PaymentId=payment).values()

            until(settled)
        assert call("GetState", PaymentId=payment)["Amount"] == left


def test_every_status_is_told_with_a_true_token(
    call: Call, sandbox: SandboxProcess, receiver: Receiver
) -> None:
    made = init(call, DATA={"table": "7"})
    sandbox.ask("POST", "/tbank/pay", {"reference": made["PaymentId"]})
    sandbox.ask("POST", "/tbank/refund", {"reference": made["PaymentId"], "amount": 1000})
    receiver.wait(3)
    came = told(receiver)
    assert {one["Status"] for one in came} == {"AUTHORIZED", "CONFIRMED", "PARTIAL_REFUNDED"}
    for one in came:
        assert one["Token"] == token(one, PASSWORD)
        assert one["PaymentId"] == int(made["PaymentId"])
        assert one["Data"] == {"table": "7"}


@pytest.mark.parametrize("says", [b"", b"ok", b"OK\n", b'{"status":"OK"}'])
def test_only_the_two_letters_end_the_retries(
    call: Call, sandbox: SandboxProcess, receiver: Receiver, says: bytes
) -> None:
    receiver.says = says
    made = init(call)
    sandbox.ask("POST", "/tbank/pay", {"reference": made["PaymentId"], "method": "sbp"})
    receiver.wait(3)
    receiver.says = b"OK"

    def delivered() -> bool:
        rows = sandbox.ask("GET", "/tbank/deliveries")
        mine = [row for row in rows if row["reference"] == made["PaymentId"]]
        return [row["state"] for row in mine] == ["delivered"]

    until(delivered)


def test_a_forger_does_not_know_the_password(
    call: Call, sandbox: SandboxProcess, receiver: Receiver
) -> None:
    sandbox.weather(webhooks={"forge": 1})
    made = init(call)
    sandbox.ask("POST", "/tbank/pay", {"reference": made["PaymentId"], "method": "sbp"})
    receiver.wait(2)
    true = [one["Token"] == token(one, PASSWORD) for one in told(receiver)]
    assert sorted(true) == [False, True]


def test_what_was_lost_can_be_sent_again(
    call: Call, sandbox: SandboxProcess, receiver: Receiver
) -> None:
    sandbox.weather(webhooks={"lose": 1})
    made = init(call)
    sandbox.ask("POST", "/tbank/pay", {"reference": made["PaymentId"], "method": "sbp"})
    sandbox.weather(webhooks={"lose": 0})
    assert receiver.received == []
    assert call("Resend")["Count"] == 1
    receiver.wait(1)


def test_a_person_pays_at_the_page_and_is_led_back(call: Call, sandbox: SandboxProcess) -> None:
    made = init(call, SuccessURL="http://shop.example/thanks", FailURL="http://shop.example/no")
    page = sandbox.http.get(made["PaymentURL"])
    assert "40.00" in page.text
    assert call("GetState", PaymentId=made["PaymentId"])["Status"] == "FORM_SHOWED"
    refused = sandbox.http.post(made["PaymentURL"], data={"outcome": "declined"})
    assert refused.headers["location"] == "http://shop.example/no"
    paid = sandbox.http.post(made["PaymentURL"], data={"method": "card"})
    assert paid.headers["location"] == "http://shop.example/thanks"
    assert sandbox.http.post(made["PaymentURL"], data={}).status_code == 409
    assert "Paid" in sandbox.http.get(made["PaymentURL"]).text


def test_a_person_pays_the_code_in_the_banks_app(call: Call, sandbox: SandboxProcess) -> None:
    made = init(call)
    text = call("GetQr", PaymentId=made["PaymentId"])["Data"]
    assert "SBP" in sandbox.http.get(text).text
    assert sandbox.http.post(text, data={"method": "sbp"}).status_code == 303
    assert call("GetState", PaymentId=made["PaymentId"])["Status"] == "CONFIRMED"
    assert sandbox.http.get("/tbank/qr/nothing").status_code == 404


ABSURD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(-1e9, 1e9) | st.text(max_size=9),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
NAMES = [
    *("Amount", "OrderId", "PaymentId", "PayType", "RedirectDueDate", "DATA", "Receipt"),
    *("Description", "DataType", "ExternalRequestId", "IsRejected", "NotificationURL"),
]


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    method=st.sampled_from(sorted(METHODS)),
    body=st.dictionaries(st.sampled_from(NAMES), ABSURD),
)
def test_whatever_is_asked_is_answered_in_its_own_form(
    call: Call, method: str, body: dict[str, Any]
) -> None:
    code(call(method, **body))
