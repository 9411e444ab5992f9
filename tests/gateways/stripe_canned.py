"""What Stripe may answer, can by can: sessions, intents, refunds, lists and errors in its form."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

from msgspec.structs import replace

from coinslot.gateways import stripe
from coinslot.gateways.base import Mark, RefundOrder
from coinslot.gateways.collecting import Charge
from coinslot.gateways.stripe.build import pairs
from coinslot.kit.clock import SystemClock
from coinslot.kit.ids import uuid7
from coinslot.kit.money import Money
from coinslot.kit.secrets import Secret
from tests.gateways.canned import Asked, Canned, serving, wire_to

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CHARGE = Charge(
    money=Money(4000, "USD"),
    key="charge-1",
    mark=Mark(installation="here", payment=str(uuid7(NOW))),
    description="Cola",
    return_url="https://shop.example/back",
    metadata={"table": "7", "refund": "not ours to say"},
)
BY_CARD = replace(CHARGE, method="pm_card_visa")
ORDER = RefundOrder(
    gateway_payment_id="pi_1",
    money=Money(4000, "USD"),
    key="refund-1",
    mark=Mark(installation="here", refund="r1"),
    reason="nothing came out",
)
REPLAYED = "Idempotent-Replayed: true"


def error(
    status: int, message: str = "no", kind: str = "invalid_request_error", **more: str
) -> Canned:
    return Canned(status, {"error": {"type": kind, "message": message, **more}})


def broken(*, replayed: bool) -> Canned:
    body = {"error": {"type": "api_error", "message": "An unknown error occurred"}}
    return Canned(500, body, header=REPLAYED if replayed else "")


def intent(**other: Any) -> dict[str, Any]:
    said: dict[str, Any] = {
        "id": "pi_1",
        "object": "payment_intent",
        "amount": 4000,
        "amount_received": 4000,
    }
    said |= {"currency": "usd", "status": "succeeded", "created": 1_700_000_000}
    said |= {"latest_charge": charge(), "metadata": pairs(CHARGE)}
    return said | other


def charge(**other: Any) -> dict[str, Any]:
    said: dict[str, Any] = {
        "id": "ch_1",
        "object": "charge",
        "amount": 4000,
        "amount_captured": 4000,
    }
    said |= {"amount_refunded": 0, "captured": True, "currency": "usd", "created": 1_700_000_100}
    return said | {"payment_intent": "pi_1"} | other


def session(**other: Any) -> dict[str, Any]:
    said: dict[str, Any] = {
        "id": "cs_test_1",
        "object": "checkout.session",
        "status": "open",
        "currency": "usd",
    }
    said |= {"amount_total": 4000, "payment_status": "unpaid", "expires_at": 1_700_086_400}
    said |= {"url": "https://checkout.stripe.example/1", "payment_intent": None}
    return said | {"metadata": pairs(CHARGE)} | other


def refund(**other: Any) -> dict[str, Any]:
    said: dict[str, Any] = {
        "id": "re_1",
        "object": "refund",
        "amount": 4000,
        "currency": "usd",
        "charge": "ch_1",
    }
    said |= {"payment_intent": "pi_1", "status": "succeeded", "created": 1_700_000_200}
    return said | {"metadata": {"coinslot": "here", "refund": "r1"}} | other


def listed(*items: Any, more: bool = False) -> Canned:
    return Canned(200, {"object": "list", "data": list(items), "has_more": more, "url": "/"})


@asynccontextmanager
async def answering(*answers: Canned) -> AsyncIterator[tuple[stripe.Stripe, list[Asked]]]:
    async with serving(*answers) as (url, asked):
        settings = stripe.Settings(secret_key=Secret("sk_test_1"), base_url=url)
        wire = wire_to(stripe.address(settings), timeout_s=30)
        yield stripe.Stripe(settings, wire, SystemClock()), asked
        await wire.close()


def form(asked: Asked) -> dict[str, str]:
    return dict(parse_qsl(asked.body.decode()))
