"""What the schema cannot be derived from: descriptions, examples, headers of answers, and which
call follows which."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from coinslot.api.openapi import (
    feeds,
    fields,
    machines,
    orders,
    people,
    rollouts,
    stock,
    stores,
    telemetry,
)
from coinslot.api.openapi.codes import codes_of
from coinslot.api.openapi.words import CALLS, WRONG

Json = dict[str, Any]

_PAYMENT = "0193d3a4-1c00-7000-8000-0000000000a1"
_AT = "2026-11-21T12:00:00Z"
_KEY = {"type": "string", "minLength": 1, "maxLength": 255}

# What is sent, by operation and name of the example.
SENT: Mapping[str, Mapping[str, Json]] = {
    "createPayment": {
        "a plain payment": {"amount": 5000, "currency": "INR", "reference": "order-7"},
        "money held first": {
            "amount": 120000, "currency": "INR", "capture_method": "manual",
            "gateway": "stripe", "description": "Room 12", "metadata": {"guest": "8812"},
            "return_url": "https://shop.example/thanks",
        },
    },
    "confirmPayment": {
        "by the gateway's page or code": {},
        "with a card that the payer gave": {"method": "pm_card_visa"},
    },
    "capturePayment": {"all of it": {}, "a part": {"amount": 3000}},
    "refundPayment": {"all that is left": {}, "a part": {"amount": 1500, "reason": "cold"}},
}  # fmt: skip

_STATED: Json = {
    "id": _PAYMENT, "amount": 5000, "currency": "INR", "status": "succeeded",
    "reference": "order-7", "description": "", "metadata": {}, "gateway": "stripe",
    "live": False, "next_action": None, "capture_method": "automatic", "amount_capturable": 0,
    "amount_captured": 5000, "amount_refunded": 0, "processing_deadline_at": _AT,
    "created_at": _AT,
    "attempts": [{
        "id": "0193d3a4-1c00-7000-8000-0000000000b1", "gateway": "stripe", "status": "succeeded",
        "gateway_reference": "pi_3Q", "gateway_payment_id": "pi_3Q", "failure": None,
        "started_at": _AT,
    }],
    "refunds": [],
}  # fmt: skip
_REFUND: Json = {
    "id": "0193d3a4-1c00-7000-8000-0000000000c1", "payment": _PAYMENT, "amount": 1500,
    "currency": "INR", "status": "pending", "reason": "cold", "failure": None,
    "gateway_refund_id": None, "replaced_by": None, "created_at": _AT,
}  # fmt: skip
_HELD = {"amount_capturable": 5000, "amount_captured": 0, "capture_method": "manual"}
_UNASKED: Json = {
    "status": "created", "attempts": [], "amount_captured": 0, "gateway": None,
    "processing_deadline_at": None,
}  # fmt: skip
_SHOWN: Json = {
    "status": "requires_action", "amount_captured": 0,
    "next_action": {"type": "redirect", "url": "https://checkout.example/c/pay"},
}  # fmt: skip

# What is answered when all goes well.
ANSWERED: Mapping[str, Mapping[str, Json]] = {
    "createPayment": {"created": _STATED | _UNASKED},
    "readPayment": {"succeeded": _STATED},
    "listPayments": {"a page": {"data": [_STATED], "next": None}},
    "confirmPayment": {
        "charged": _STATED,
        "the payer's turn": _STATED | _SHOWN,
        "held": _STATED | _HELD | {"status": "authorized"},
        "nobody knows yet": _STATED | {"status": "processing", "amount_captured": 0},
    },
    "capturePayment": {"a part": _STATED | {"capture_method": "manual", "amount_captured": 3000}},
    "cancelPayment": {"canceled": _STATED | _UNASKED | {"status": "canceled"}},
    "refundPayment": {"on its way": _REFUND},
    "readRefund": {"on its way": _REFUND},
    "listRefunds": {"one, on its way": {"data": [_REFUND]}},
}

HEADERS: Mapping[str, tuple[str, str]] = {
    "401": ("WWW-Authenticate", "`Bearer`"),
    "409": ("Retry-After", "Seconds after which the same call may be sent again."),
    "429": ("Retry-After", "Seconds after which the same call may be sent again."),
    "503": ("Retry-After", "Seconds after which the same call may be sent again."),
}
FOLLOWS = {
    "createPayment": ("read", "confirm", "capture", "cancel", "refund"),
    "confirmPayment": ("read", "capture", "cancel", "refund"),
}


def described(schema: Json) -> Json:
    """The same schema with all of that in it. It is changed in place; done again, nothing is."""
    fields.fill(schema["components"]["schemas"])
    for operation in _operations(schema):
        name = operation["operationId"]
        operation["summary"], good = CALLS[name]
        keyed = False
        for parameter in operation.get("parameters", ()):
            if parameter["name"] == "Idempotency-Key" and name not in stores.OPEN:
                keyed = True
                parameter |= {"required": True, "schema": _KEY, "example": "order-7-confirm"}
                _mark_replays(operation)
        for status, answer in operation["responses"].items():
            answer["description"] = good if status.startswith("2") else _wrong_words(status, name)
            _describe(answer, status, name, dict(codes_of(name, int(status), keyed=keyed)))
        if sent := _of(name, *_SENT):
            operation["requestBody"]["content"]["application/json"]["examples"] = _shown(sent)
        for status in ("200", "201"):
            if name in FOLLOWS and status in operation["responses"]:
                operation["responses"][status]["links"] = dict(_links(name))
    return schema


_ROOMS: Final = (feeds, people, machines, stock, orders, stores, rollouts, telemetry)
_SENT: Final = (SENT, *(room.SENT for room in _ROOMS))
_ANSWERED: Final = (ANSWERED, *(room.ANSWERED for room in _ROOMS))


def _of(name: str, *examples: Mapping[str, Mapping[str, Json]]) -> Mapping[str, Json]:
    return next((of_calls[name] for of_calls in examples if name in of_calls), {})


def _operations(schema: Json) -> Iterator[Json]:
    for path in schema["paths"].values():
        yield from (said for said in path.values() if isinstance(said, dict))


def _describe(answer: Json, status: str, name: str, codes: Mapping[str, str]) -> None:
    content = answer.get("content", {}).get("application/json")
    answered = _of(name, *_ANSWERED)
    if content is not None and codes:
        content["examples"] = _shown(
            {code: {"error": _wrong(code, text), "success": False} for code, text in codes.items()}
        )
    elif content is not None and answered and status.startswith("2"):
        content["examples"] = _shown(answered)
    if status in HEADERS and not name.startswith(("take", "readMetrics", "readHealth")):
        header, meaning = HEADERS[status]
        answer.setdefault("headers", {})[header] = {
            "description": meaning, "schema": {"type": "string"},
        }  # fmt: skip


def _wrong_words(status: str, name: str) -> str:
    """What an answer that is not 2xx means, of this call."""
    one, theirs = f"{status} {name}", people.WRONG if people.knows(name) else {}
    return theirs.get(one) or theirs.get(status) or WRONG.get(one) or WRONG[status]


def _wrong(code: str, message: str) -> Json:
    details = {"amount": "Expected `int`, got `str`"} if code == "bad_request" else {}
    return {
        "code": code, "message": message, "details": details, "timestamp": _AT,
        "requestId": "gl5fqB3vKe5otOPX",
    }  # fmt: skip


def _mark_replays(operation: Json) -> None:
    for status in ("200", "201", "202"):
        if status in operation["responses"]:
            operation["responses"][status].setdefault("headers", {})["Idempotency-Replayed"] = {
                "description": "`true` where this key was answered before; nothing was done anew.",
                "schema": {"type": "string"},
            }


def _links(name: str) -> Iterator[tuple[str, Json]]:
    for verb in FOLLOWS[name]:
        yield (
            verb,
            {
                "operationId": f"{verb}Payment",
                "parameters": {"payment": "$response.body#/id"},
            },
        )


def _shown(examples: Mapping[str, Json]) -> Json:
    return {name: {"value": value} for name, value in examples.items()}
