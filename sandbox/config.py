"""The configuration file: gateway accounts, the outlets to draw, and how fast time passes."""

from pathlib import Path

import msgspec

from sandbox.errors import UnreadableError


class Account(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A merchant's account at the emulated Razorpay. Without `events` it subscribes to all."""

    account_id: str
    key_id: str
    key_secret: str
    webhook_url: str | None = None
    webhook_secret: str = ""
    events: list[str] | None = None
    balance: int | None = None


class Tempo(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Spans of time that tests shorten; the real gateway's values stand beside them."""

    retry_base_ms: int = 500  # the real one: not published
    retry_cap_ms: int = 5_000  # the real one: not published
    delivery_timeout_ms: int = 5_000  # the real one: 5 s
    webhook_life_s: int = 86_400  # the real one: 24 h, then the webhook is switched off
    late_ms: int = 1_000  # late capture after `failed`, late failure of a refund
    qr_shortest_s: int = 120  # the real one: 2 min
    qr_longest_s: int = 7_200  # the real one: 2 h


class Razorpay(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The section `razorpay` of the file."""

    accounts: list[Account] = []
    tempo: Tempo = Tempo()


class Slot(msgspec.Struct, frozen=True):
    """What a slot is known to sell and to hold at first."""

    slot: str
    product: str = ""
    stock: int = 0


class Outlet(msgspec.Struct, frozen=True):
    """A machine to draw; keys that only others need are ignored."""

    id: str
    name: str = ""
    kind: str = "vending"  # a counter is not drawn: nothing drops there
    qr_code_id: str | None = None
    slots: list[Slot] = []


class Config(msgspec.Struct, frozen=True):
    """The whole file."""

    razorpay: Razorpay = Razorpay()
    coinslot_url: str | None = None
    outlets: list[Outlet] = []


def load(path: Path | None) -> Config:
    """Read the file; no file at all means no accounts and no outlets yet."""
    if path is None:
        return Config()
    try:
        return msgspec.json.decode(path.read_bytes(), type=Config)
    except (OSError, msgspec.MsgspecError) as problem:
        raise UnreadableError(f"cannot read {path}: {problem}") from problem
