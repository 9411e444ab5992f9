"""Standard Webhooks 1.0.0: the rules of delivery, secrets and signatures."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from msgspec import Struct

SECRET_BYTES: Final = 32
_PREFIX = "whsec_"


class HookRules(Struct, frozen=True, kw_only=True):
    """How webhooks go out. Times are in seconds."""

    timeout_s: float = 15
    # Before each try after the first; after the last of them a delivery is given up.
    pauses_s: tuple[float, ...] = (
        5, 300, 1800, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600,
    )  # fmt: skip
    jitter: float = 0.2  # a share: each pause grows by up to this much
    overlap_s: float = 24 * 3600  # both secrets sign after a rotation
    disable_s: float = 5 * 24 * 3600  # an endpoint that fails for so long is disabled
    retry_after_max_s: float = 3600  # an endpoint may ask for a pause of at most this
    private_addresses: bool = False  # and plain http: for tests and demos on one computer
    at_once: int = 64  # deliveries under way in one process, beside those that take long
    slow_s: float = 1.0  # one that takes longer frees its place, and continues
    slow_at_once: int = 512  # and so many of them at most, in one process
    grace_s: float = 1.0  # for what is under way when the process stops
    at_once_merchant: int = 16  # and of them to the endpoints of one merchant
    at_once_each: int = 8  # and of them to one endpoint
    poll_s: float = 0.5
    lease_slack_s: float = 15  # a lease is the time-out and this


def new_secret() -> str:
    """`whsec_` and the key in base64."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def signature(secret: str, message: str, timestamp: int, body: bytes) -> str:
    """One entry of `webhook-signature`."""
    key = base64.b64decode(secret.removeprefix(_PREFIX))
    signed = f"{message}.{timestamp}.".encode() + body
    return f"v1,{base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()}"


def headers(keys: Iterable[str], message: str, at: datetime, body: bytes) -> dict[str, str]:
    """What goes with a webhook, signed with each of the keys. `at` is this try's time."""
    timestamp = int(at.timestamp())
    return {
        "content-type": "application/json",
        "user-agent": "Coinslot",
        "webhook-id": message,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signature(key, message, timestamp, body) for key in keys),
    }
