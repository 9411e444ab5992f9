"""Every code that an answer of the API can carry: its status, a message as it would be said, and
which calls answer with it. docs/api.md has the same in a table."""

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct


class Code(Struct, frozen=True):
    """An error of the API. Without calls, any call of that status can be answered with it."""

    status: int
    message: str
    calls: Sequence[str] = ()


_HOOK = ("createWebhookEndpoint", "changeWebhookEndpoint")
CODES: Mapping[str, Code] = {
    "bad_request": Code(
        400, "The request is not valid: details names what, by the path of the field."
    ),
    "idempotency_key_missing": Code(
        400, "Send an Idempotency-Key of at most 255 characters.", ("with a key",)
    ),
    "idempotency_key_too_long": Code(
        400, "An Idempotency-Key has at most 255 characters.", ("with a key",)
    ),
    "unauthorized": Code(401, "This needs an API key: Authorization: Bearer sk_..."),
    "forbidden": Code(403, "This key may not do that; it needs {scope}."),
    "not_found": Code(404, "There is no such {thing}."),
    "idempotency_key_busy": Code(409, "the first call with this key is still running"),
    "idempotency_key_reused": Code(
        422, "this Idempotency-Key was used with another request", ("with a key",)
    ),
    "unknown_currency": Code(422, "XYZ is not a currency.", ("createPayment",)),
    "no_gateway": Code(
        422, "No gateway can collect 5000 JPY here, with a test key.",
        ("createPayment", "confirmPayment"),
    ),
    "unknown_gateway": Code(422, "There is no gateway 'stirpe'.", ("createPayment",)),
    "gateway_limit": Code(
        422, "stripe does not take this. metadata: at most 47 entries", ("createPayment",)
    ),
    "not_confirmable": Code(
        422, "A payment that was called off cannot be confirmed.", ("confirmPayment",)
    ),
    "not_captured": Code(
        422, "Of a payment that is created nothing can be captured.", ("capturePayment",)
    ),
    "capture_exceeds_payment": Code(422, "That much is not held.", ("capturePayment",)),
    "not_canceled": Code(
        422, "A payment that is succeeded cannot be called off.", ("cancelPayment",)
    ),
    "refund_exceeds_payment": Code(
        422, "That much is not left to give back.", ("refundPayment",)
    ),
    "bad_url": Code(422, "This URL cannot be used: it is not https.", _HOOK),
    "unknown_type": Code(
        422, "There are no events of type payment.paid.",
        (*_HOOK, "listEvents", "replayWebhookEndpoint"),
    ),
    "too_many_endpoints": Code(422, "At most 50 are possible.", ("createWebhookEndpoint",)),
    "too_many_tests": Code(422, "Others are still on their way.", ("testWebhookEndpoint",)),
    "bad_range": Code(422, "`since` has to be before `until`.", ("replayWebhookEndpoint",)),
    "range_too_long": Code(
        422, "More than 10000 events are in it: ask for less at once.", ("replayWebhookEndpoint",)
    ),
    "gateway_unavailable": Code(
        503, "the gateway does not answer; nothing was asked of it", ("confirmPayment",)
    ),
    # Of those that take a webhook of a gateway:
    "bad_signature": Code(401, "the signature does not fit", ("gateway",)),
    "unknown_account": Code(404, "no such account", ("gateway",)),
    "too_many": Code(429, "tell it again later", ("gateway",)),
    "too_large": Code(413, "Request body too large.", ("gateway",)),
}  # fmt: skip


def codes_of(name: str, status: int, *, keyed: bool) -> Iterator[tuple[str, str]]:
    """The codes and messages with which this call answers with this status."""
    gateway = name.startswith("take")
    groups = {name, *(["with a key"] if keyed else []), *(["gateway"] if gateway else [])}
    for code, said in CODES.items():
        meant = groups & set(said.calls) if said.calls else not gateway or status == 400
        if said.status == status and meant:
            yield code, said.message.format(scope=scope_of(name), thing=_thing(name))


def scope_of(name: str) -> str:
    """What a key needs for this call."""
    if "Webhook" in name:
        return "webhooks:write"
    if "Event" in name:
        return "events:read"
    if name == "refundPayment":
        return "refunds:write"
    return f"payments:{'read' if name.startswith(('read', 'list')) else 'write'}"


def _thing(name: str) -> str:
    if "Deliver" in name or name == "redeliverWebhook":
        return "delivery"
    if "Webhook" in name:
        return "endpoint"
    if "Event" in name:
        return "event"
    return "refund" if name == "readRefund" else "payment"
