"""Examples for the schema's events and webhooks, by operation; `described` puts them in."""

from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]

_AT, _TOMORROW = "2026-11-21T12:00:00Z", "2026-11-22T12:00:00Z"
_EVENT = "evt_0193d3a41c0070008000000000000001"
_EVENT_SHOWN: Json = {
    "id": _EVENT, "type": "refund.succeeded", "timestamp": _AT,
    "data": {
        "id": "0193d3a4-1c00-7000-8000-0000000000c1", "order": None, "amount": 1500,
        "payment": "0193d3a4-1c00-7000-8000-0000000000a1", "currency": "INR",
        "status": "succeeded", "reason": "cold", "failure": None, "replaced_by": None,
        "gateway_refund_id": "re_3Q", "created_at": _AT,
    },
}  # fmt: skip
_ENDPOINT: Json = {
    "id": "0193d3a4-1c00-7000-8000-0000000000d1", "url": "https://shop.example/hooks",
    "description": "the shop", "types": ["payment.succeeded"], "status": "enabled",
    "disabled_reason": None, "failing_since": None, "secret_set_at": _AT,
    "old_secret_until": None, "created_at": _AT, "secret": None,
}  # fmt: skip
_SECRET = {"secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}
_DELIVERY: Json = {
    "id": "0193d3a4-1c00-7000-8000-0000000000e1", "endpoint": _ENDPOINT["id"], "event": _EVENT,
    "type": "payment.succeeded", "status": "pending", "tries": 1, "under_way": False,
    "next_try_at": "2026-11-21T12:00:05Z", "created_at": _AT, "ended_at": None,
}  # fmt: skip
_TRY: Json = {
    "number": 1, "status": 500, "failure": None, "response": "out of order", "took_ms": 31,
    "at": _AT,
}  # fmt: skip

SENT: Mapping[str, Mapping[str, Json]] = {
    "createWebhookEndpoint": {
        "all events": {"url": "https://shop.example/hooks"},
        "some": {
            "url": "https://shop.example/hooks", "description": "the shop",
            "types": ["payment.succeeded", "refund.failed"],
        },
    },
    "changeWebhookEndpoint": {
        "paused": {"status": "paused"},
        "enabled again, for less": {"status": "enabled", "types": ["payment.succeeded"]},
    },
    "replayWebhookEndpoint": {"a day": {"since": _AT, "until": _TOMORROW}},
}  # fmt: skip

ANSWERED: Mapping[str, Mapping[str, Json]] = {
    "listEvents": {"a page": {"data": [_EVENT_SHOWN], "next": _EVENT}},
    "readEvent": {"a refund": _EVENT_SHOWN},
    "createWebhookEndpoint": {"with its secret": _ENDPOINT | _SECRET},
    "listWebhookEndpoints": {"all": {"data": [_ENDPOINT]}},
    "readWebhookEndpoint": {"enabled": _ENDPOINT},
    "changeWebhookEndpoint": {"paused": _ENDPOINT | {"status": "paused"}},
    "rotateWebhookSecret": {
        "both sign": _ENDPOINT | {"old_secret_until": _TOMORROW} | _SECRET,
    },
    "testWebhookEndpoint": {"on its way": _ENDPOINT},
    "replayWebhookEndpoint": {"on their way": {"deliveries": 12}},
    "listWebhookDeliveries": {"a page": {"data": [_DELIVERY], "next": None}},
    "readWebhookDelivery": {"tried once": _DELIVERY | {"log": [_TRY]}},
    "redeliverWebhook": {"due": _DELIVERY, "under way": _DELIVERY | {"under_way": True}},
}
