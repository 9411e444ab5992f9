"""The description of events and webhooks: every example is what would be sent or answered."""

from typing import Any

import msgspec

from coinslot.api import webhook_endpoints
from coinslot.api.openapi import feeds
from coinslot.events.feed import EventPage, EventStatement
from coinslot.events.public import TYPES
from coinslot.events.webhooks.deliveries import DeliveryLog, DeliveryStatement, Replayed
from coinslot.events.webhooks.endpoints import EndpointStatement
from tests.web.test_described import schema as schema

SENT: dict[str, Any] = {
    "createWebhookEndpoint": webhook_endpoints.NewEndpoint,
    "changeWebhookEndpoint": webhook_endpoints.EndpointChange,
    "replayWebhookEndpoint": webhook_endpoints.NewReplay,
}
ANSWERED: dict[str, Any] = {
    "listEvents": EventPage,
    "readEvent": EventStatement,
    "listWebhookEndpoints": webhook_endpoints.EndpointList,
    "replayWebhookEndpoint": Replayed,
    "listWebhookDeliveries": webhook_endpoints.DeliveryPage,
    "readWebhookDelivery": DeliveryLog,
    "redeliverWebhook": DeliveryStatement,
}


def test_every_example_is_what_the_api_takes_and_gives() -> None:
    for name, examples in feeds.SENT.items():
        for example in examples.values():
            read = msgspec.convert(example, SENT[name])
            assert set(getattr(read, "types", None) or ()) <= TYPES
    for name, examples in feeds.ANSWERED.items():
        kind = ANSWERED.get(name, EndpointStatement)
        for example in examples.values():
            msgspec.json.decode(msgspec.json.encode(example), type=kind)
            assert set(example) == {field.encode_name for field in msgspec.structs.fields(kind)}


def test_every_call_has_examples_and_a_key_is_required_of_each_post(
    schema: dict[str, Any],
) -> None:
    found = {
        (method, said["operationId"]): said
        for path, methods in schema["paths"].items()
        if path.startswith(("/events", "/webhook_"))
        for method, said in methods.items()
    }
    assert len(found) == 13
    assert {name for _, name in found} == {*feeds.ANSWERED, "removeWebhookEndpoint"}
    for (method, _), said in found.items():
        for status, answer in said["responses"].items():
            if status != "204":
                content = answer["content"]["application/json"]
                assert content.get("examples") or content.get("example"), said["operationId"]
        if "requestBody" in said:
            assert said["requestBody"]["content"]["application/json"]["examples"]
        keys = [one for one in said.get("parameters", ()) if one["name"] == "Idempotency-Key"]
        assert [one["required"] for one in keys] == ([True] if method == "post" else [])
