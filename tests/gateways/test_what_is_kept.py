"""What the core is told of each gateway: with which headers a webhook is kept, so that it can be
proved later; what it wants for an answer; how long a repeated call is still the same one."""

from typing import Any

import pytest

from coinslot.gateways import razorpay, stripe, tbank, yookassa
from coinslot.gateways.base import PEER

RAZORPAY, STRIPE, TBANK, YOOKASSA = (
    razorpay.Razorpay, stripe.Stripe, tbank.TBank, yookassa.YooKassa,
)  # fmt: skip


@pytest.mark.parametrize(
    ("driver", "kept_headers", "webhook_reply", "title"),
    [
        (RAZORPAY, ("x-razorpay-signature", "x-razorpay-event-id"), None, "Razorpay"),
        (STRIPE, ("stripe-signature",), None, "Stripe"),
        (TBANK, (), "OK", "T-Bank"),
        (YOOKASSA, (PEER,), None, "YooKassa"),
    ],
)
def test_a_webhook_is_kept_with_what_proves_it_and_answered_as_the_gateway_wants(
    driver: Any, kept_headers: tuple[str, ...], webhook_reply: str | None, title: str
) -> None:
    assert driver.kept_headers == kept_headers
    assert driver.webhook_reply == webhook_reply
    assert driver.title == title


@pytest.mark.parametrize(
    ("driver", "currencies", "refund_key_life_s", "collect_key_life_s"),
    [
        (RAZORPAY, {"INR"}, 600, 86_400),
        (STRIPE, None, 82_800, 82_800),
        (TBANK, {"RUB"}, 86_400, 86_400),
        (YOOKASSA, {"RUB"}, 82_800, 82_800),
    ],
)
def test_a_key_lives_as_long_as_its_gateway_says(
    driver: Any, currencies: set[str] | None, refund_key_life_s: int, collect_key_life_s: int
) -> None:
    assert currencies is None or driver.currencies == currencies
    assert driver.refund_key_life_s == refund_key_life_s
    assert driver.collect_key_life_s == collect_key_life_s
