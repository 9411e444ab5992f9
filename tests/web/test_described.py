"""The API's description: complete, and every example in it is what would be sent or answered."""

import difflib
from itertools import islice
from typing import Any

import msgspec
import pytest

from coinslot.api import payments
from coinslot.api.openapi import document
from coinslot.pages.errors import WrongAnswer
from coinslot.payments.api_views import PaymentStatement, RefundStatement
from tests.write_openapi import PAGE, described, page

SENT = {
    "createPayment": payments.NewPayment,
    "confirmPayment": payments.Confirmation,
    "capturePayment": payments.NewCapture,
    "refundPayment": payments.NewRefund,
}
ANSWERED: dict[str, Any] = {
    "listPayments": payments.PaymentPage,
    "refundPayment": RefundStatement,
    "readRefund": RefundStatement,
    "listRefunds": payments.RefundList,
}


@pytest.fixture(scope="session")
def schema() -> dict[str, Any]:
    return described()


def operations(schema: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Of payments and refunds, by name."""
    return {
        said["operationId"]: said
        for path, methods in schema["paths"].items()
        if path.startswith(("/payments", "/refunds"))
        for said in methods.values()
    }


def test_every_example_is_what_the_api_takes_and_gives() -> None:
    for name, examples in document.SENT.items():
        for example in examples.values():
            msgspec.convert(example, SENT[name])
    for name, examples in document.ANSWERED.items():
        kind = ANSWERED.get(name, PaymentStatement)
        fields = {f.encode_name for f in msgspec.structs.fields(kind)}
        for example in examples.values():
            msgspec.json.decode(msgspec.json.encode(example), type=kind)
            assert set(example) == fields


def test_the_written_document_is_what_is_served(schema: dict[str, Any]) -> None:
    """Whoever makes a client from it learns of each change: `make docs` writes it."""
    written = PAGE.read_text(encoding="utf-8").splitlines()
    changed = difflib.unified_diff(written, page(schema).splitlines(), n=3, lineterm="")
    assert list(islice(changed, 60)) == []


def test_every_call_has_examples_and_every_error_its_form(schema: dict[str, Any]) -> None:
    found = operations(schema)
    assert set(document.ANSWERED) == set(found)
    for said in found.values():
        assert said["security"] == [{"apiKey": []}]
        for status, answer in said["responses"].items():
            content = answer["content"]["application/json"]
            if status.startswith("2"):
                assert content["examples"]
            else:
                assert content["examples"]
                for code, example in content["examples"].items():
                    text = msgspec.json.encode(example["value"])
                    assert msgspec.json.decode(text, type=WrongAnswer).error.code == code
        if "requestBody" in said:
            assert said["requestBody"]["content"]["application/json"]["examples"]
        for status in ("409", "503"):
            if status in said["responses"]:
                assert "Retry-After" in said["responses"][status]["headers"]


def test_a_key_is_required_and_the_way_to_show_one_is_declared(schema: dict[str, Any]) -> None:
    scheme = schema["components"]["securitySchemes"]["apiKey"]
    assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")
    for name in ("create", "confirm", "capture", "cancel", "refund"):
        parameters = operations(schema)[f"{name}Payment"]["parameters"]
        [key] = [one for one in parameters if one["name"] == "Idempotency-Key"]
        assert key["required"] is True
        assert key["schema"] == {"type": "string", "minLength": 1, "maxLength": 255}


def test_a_link_leads_to_a_call_that_there_is(schema: dict[str, Any]) -> None:
    found = operations(schema)
    for name in document.FOLLOWS:
        for answer in found[name]["responses"].values():
            for link in answer.get("links", {}).values():
                assert link["operationId"] in found


def test_described_again_it_says_the_same(schema: dict[str, Any]) -> None:
    before = msgspec.json.encode(schema)
    assert msgspec.json.encode(document.described(schema)) == before
