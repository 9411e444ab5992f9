"""Text messages and calls written to this process's own output, for those who try things out
without an account anywhere. Digits are hidden, so that no code stands in a log; the order's page
shows it."""

import re
from collections.abc import Mapping
from typing import ClassVar, Final

import structlog
from msgspec import Struct

from coinslot.kit.clock import Clock
from coinslot.notices.base import Form, Notice, Notifier, Powers, Refused, Sent, Stage, Unclear

log = structlog.get_logger(__name__)

name: Final = "console"
_LINK: Final = re.compile(r"https?://\S+")


class Settings(Struct, frozen=True, kw_only=True):
    """It needs none."""


def open(settings: Struct, clock: Clock) -> Notifier:
    return Console()


class Console:
    """What was sent stands in the log; nobody says whether it arrived."""

    name: ClassVar[str] = name
    powers: ClassVar[Mapping[Form, Powers]] = {
        Form.SMS: Powers(most_chars=1_600), Form.CALL: Powers(most_chars=3_000),
        Form.EMAIL: Powers(most_chars=100_000),
    }  # fmt: skip

    async def close(self) -> None:
        """Nothing is kept open."""

    async def send(self, form: Form, notice: Notice) -> Sent | Refused | Unclear:
        log.info("message", form=form.value, to=f"…{notice.to[-3:]}", text=hidden(notice.text))
        return Sent(reference=f"console_{notice.key}", stage=Stage.SENT)


def hidden(text: str) -> str:
    """Without links, which open an order, and without digits, which hand it over."""
    return re.sub(r"[0-9]", "•", _LINK.sub("(link)", text))
