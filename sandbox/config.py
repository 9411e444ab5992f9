"""The configuration file: a section for everybody outside, and the outlets to draw."""

from pathlib import Path

import msgspec

from sandbox.errors import UnreadableError
from sandbox.printers.settings import Section as Printers
from sandbox.razorpay.settings import Section as Razorpay
from sandbox.smtp.settings import Section as Smtp
from sandbox.stripe.settings import Section as Stripe
from sandbox.tbank.settings import Section as TBank
from sandbox.tmetr.settings import Section as Tmetr
from sandbox.twilio.settings import Section as Twilio
from sandbox.yookassa.settings import Section as YooKassa


class Slot(msgspec.Struct, frozen=True):
    """What a slot is known to sell and to hold at first."""

    slot: str
    product: str = ""
    stock: int = 0


class Outlet(msgspec.Struct, frozen=True):
    """A machine to draw; keys that only others need are ignored."""

    id: str
    name: str = ""
    kind: str = "vending"  # others are not drawn from here: nothing drops at a counter
    qr_code_id: str | None = None
    zone: str = ""  # what its customers' clocks show; none: this computer's
    slots: list[Slot] = []


class Config(msgspec.Struct, frozen=True):
    """The whole file."""

    razorpay: Razorpay = Razorpay()
    stripe: Stripe = Stripe()
    tbank: TBank = TBank()
    yookassa: YooKassa = YooKassa()
    tmetr: Tmetr = Tmetr()
    twilio: Twilio = Twilio()
    smtp: Smtp = Smtp()
    printers: Printers = Printers()
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
