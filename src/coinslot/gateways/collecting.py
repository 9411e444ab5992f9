"""Drivers that collect an amount by themselves: for the merchant API and for menus.

Optional protocols beside `base.Gateway`, like `PrintsQr`: a driver has those its gateway offers."""

from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar, Protocol, runtime_checkable

from msgspec import Struct

from coinslot.gateways import marks
from coinslot.gateways.base import Absent, Declined, Mark, PaymentFact, Unclear
from coinslot.gateways.receipts import Receipt
from coinslot.kit.money import Money


class Charge(Struct, frozen=True, kw_only=True):
    """One amount to collect. The same key, with the same content, is sent on every retry.

    `method` is the payer's instrument as the gateway names it (`pm_card_visa`); without one the
    payer is sent to a page or shown a code. `capture` False asks for an authorization only."""

    money: Money
    key: str
    mark: Mark
    description: str
    return_url: str
    method: str | None = None
    capture: bool = True
    expires_at: datetime | None = None
    metadata: Mapping[str, str] = {}
    sent_at: datetime | None = None  # for `find_charge`: when its key was first sent
    receipt: Receipt | None = None  # None: a driver that makes receipts writes one line by itself


class Limits(Struct, frozen=True, kw_only=True):
    """How much of a merchant's text a gateway accepts with a charge, not counting our mark. Names
    that are ours are not sent, and have no limit."""

    pairs: int  # of metadata
    name_chars: int
    value_chars: int
    description_chars: int
    name_without: str = ""  # the characters that no name may have

    def flaws(self, metadata: Mapping[str, str], description: str) -> dict[str, str]:
        """Which field is more than the gateway accepts, and what it accepts."""
        found: dict[str, str] = {}
        sent = {name: text for name, text in metadata.items() if name not in marks.NAMES}
        if len(description) > self.description_chars:
            found["description"] = f"at most {self.description_chars} characters"
        if len(sent) > self.pairs:
            found["metadata"] = f"at most {self.pairs} entries"
        for name, text in sent.items():
            if not self._is_name(name):
                without = f", without {self.name_without}" if self.name_without else ""
                found[f"metadata.{name}"] = f"a name of 1 to {self.name_chars} characters{without}"
            elif len(text) > self.value_chars:
                found[f"metadata.{name}"] = f"a text of at most {self.value_chars} characters"
        return found

    def fitting(self, metadata: Mapping[str, str]) -> dict[str, str]:
        """As much of it as the gateway accepts: we keep the whole, and only our mark must be there.
        The first that fit, each cut where it is too long."""
        fit = {
            name: text[: self.value_chars]
            for name, text in metadata.items()
            if name not in marks.NAMES and self._is_name(name)
        }
        return dict(list(fit.items())[: self.pairs])

    def _is_name(self, name: str) -> bool:
        return 0 < len(name) <= self.name_chars and not any(c in self.name_without for c in name)


class Redirect(Struct, frozen=True, tag="redirect"):
    """The payer goes to this address."""

    url: str


class ShowQr(Struct, frozen=True, tag="show_qr"):
    """The payer scans: `text` is what the code holds, `image_url` the gateway's own picture."""

    text: str | None = None
    image_url: str | None = None


class Pending(Struct, frozen=True, kw_only=True):
    """Made at the gateway, and no money yet: the payer's turn (`action`), or the gateway's.

    `reference` is the gateway's name for what was made (session, order, payment): it is what
    `follow` asks by, and what a webhook may name."""

    reference: str
    action: Redirect | ShowQr | None = None
    expires_at: datetime | None = None


class Closed(Struct, frozen=True, kw_only=True):
    """It ended at the gateway without money, and can never collect any: expired, or cancelled."""

    reference: str
    reason: str


Progress = PaymentFact | Pending | Closed


@runtime_checkable
class Collects(Protocol):
    """A gateway that collects money on request."""

    collect_key_life_s: ClassVar[int]  # a charge's key is safe to send again within this time
    limits: ClassVar[Limits]

    async def collect(self, charge: Charge) -> Progress | Declined | Unclear:
        """Make it. `Declined` only where certainly no money was or will be taken under this key."""
        ...

    async def follow(self, reference: str) -> Progress | Absent | Unclear:
        """The present state of what `collect` made."""
        ...

    async def find_charge(self, charge: Charge) -> Progress | Absent | Unclear:
        """By our mark and the key, when the answer to `collect` was lost and its key is too old to
        repeat. Another attempt at the same payment has the same mark: it must not be taken for this
        one. `Absent` is a proof: it was never made."""
        ...

    async def cancel(self, reference: str) -> Progress | Declined | Unclear:
        """Let the payer pay no more. If the payer was quicker, the answer is that payment."""
        ...


@runtime_checkable
class Authorizes(Protocol):
    """A gateway that holds money first and captures it later."""

    async def capture(
        self, reference: str, money: Money, key: str, receipt: Receipt | None = None
    ) -> PaymentFact | Declined | Unclear:
        """Capture what was authorized, or part of it where the gateway can; the rest is
        released. `receipt` comes to this money; of a gateway that makes none it is None."""
        ...

    async def void(self, reference: str, key: str) -> Closed | Declined | Unclear:
        """Void an authorization."""
        ...
