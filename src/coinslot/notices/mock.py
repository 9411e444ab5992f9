"""A way to people without a network, to try things out with; written to be copied.

The last two digits of the number or address decide: 01 is refused, 02 is sent though no answer
comes, 03 is not and none comes, 04 is busy, all else is delivered at once."""

import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar, Final

import msgspec
from msgspec import Struct

from coinslot.kit.clock import Clock
from coinslot.kit.secrets import Secret, hmac_hex
from coinslot.notices.base import (
    Absent,
    Cause,
    Forged,
    Form,
    Notice,
    Notifier,
    Powers,
    Refused,
    Report,
    Sent,
    Stage,
    Unclear,
    Unreadable,
)

name: Final = "mock"
ADDRESS = re.compile(r"\+[1-9][0-9]{6,14}|[\w.+-]+@[\w.-]+")


class Settings(Struct, frozen=True, kw_only=True):
    """One account of the mock."""

    secret: Secret = Secret("mock")  # signs its callbacks


def open(settings: Struct, clock: Clock) -> Notifier:
    assert isinstance(settings, Settings)
    return Mock(settings, clock)


class Box(Struct, frozen=True, kw_only=True):
    """A notice as its reader has it."""

    reference: str
    form: Form
    notice: Notice
    at: datetime


class Mock:
    """One account, with every power."""

    name: ClassVar[str] = name
    powers: ClassVar[Mapping[Form, Powers]] = {
        form: Powers(most_chars=1_000, looks=True, proves_delivery=True) for form in Form
    }

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._secret, self._clock = settings.secret, clock
        self.sent: list[Box] = []

    async def close(self) -> None:
        """Nothing is kept open."""

    async def send(self, form: Form, notice: Notice) -> Sent | Refused | Unclear:
        if not ADDRESS.fullmatch(notice.to):
            return Refused(cause=Cause.RECIPIENT, reason="nobody has this number or address")
        if not notice.text.strip() or len(notice.text) > self.powers[form].most_chars:
            return Refused(cause=Cause.CONTENT, reason="the text is empty or too long")
        digits = "".join(re.findall(r"[0-9]", notice.to))[-2:]
        if digits == "01":
            return Refused(cause=Cause.RECIPIENT, reason="this phone takes nothing", code="01")
        if digits == "04":
            return Refused(cause=Cause.BUSY, reason="later")
        if digits == "03":
            return Unclear("time-out")
        reference = f"mock_{len(self.sent)}_{hashlib.sha256(notice.key.encode()).hexdigest()[:12]}"
        at = self._clock.now()
        self.sent.append(Box(reference=reference, form=form, notice=notice, at=at))
        return Unclear("time-out") if digits == "02" else Sent(
            reference=reference, stage=Stage.QUEUED
        )  # fmt: skip

    async def look(self, form: Form, reference: str) -> Report | Absent | Unclear:
        known = {box.reference for box in self.sent if box.form is form}
        if reference not in known:
            return Absent()
        return Report(reference=reference, stage=Stage.DELIVERED)

    async def find(
        self, form: Form, notice: Notice, since: datetime
    ) -> tuple[Report, ...] | Unclear:
        return tuple(
            Report(reference=box.reference, stage=Stage.DELIVERED)
            for box in self.sent
            if (box.form, box.notice.to, box.notice.text) == (form, notice.to, notice.text)
            and box.at >= since
        )

    def callback(self, report: Report) -> tuple[dict[str, str], bytes]:
        """The headers and the body with which this service would tell of an end."""
        body = msgspec.json.encode(report)
        return {"x-mock-signature": hmac_hex(self._secret.reveal().encode(), body)}, body

    def read_callback(
        self, url: str, headers: Mapping[str, str], body: bytes
    ) -> Report | Forged | Unreadable:
        given = headers.get("x-mock-signature", "").encode(errors="replace")
        made = hmac_hex(self._secret.reveal().encode(), body).encode()
        if not hmac.compare_digest(made, given):
            return Forged("the signature is missing or of another secret")
        try:
            return msgspec.json.decode(body, type=Report)
        except (ValueError, RecursionError) as error:
            return Unreadable(str(error))
