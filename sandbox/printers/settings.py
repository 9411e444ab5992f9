"""The section `printers` of the configuration, and what goes wrong with a printer."""

from typing import Annotated, Literal

import msgspec

Name = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


class Printer(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """One printer: `escpos` listens on a port; `star` (CloudPRNT) and `epson` (Server Direct Print)
    poll a URL, where they say who they are by `mac` or `login`."""

    printer_id: Name
    kind: Literal["escpos", "star", "epson"]
    port: Annotated[int, msgspec.Meta(ge=1, le=65_535)] | None = None
    url: str | None = None
    mac: str = "00:11:62:00:00:01"
    login: str = ""  # what Epson calls the ID
    poll_ms: Annotated[int, msgspec.Meta(ge=20, le=600_000)] = 1_000  # the real ones: 5 s and more
    width: Annotated[int, msgspec.Meta(ge=64, le=1_024)] = 576


class Faults(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What is wrong with a printer, until it is set right."""

    offline: bool = False  # no power, or no network
    paper_out: bool = False
    cover_open: bool = False
    half: bool = False  # the paper ends in the middle of a ticket
    mute: bool = False  # it prints, and its result is lost
    twice: bool = False  # it says each result twice
    slow_ms: Annotated[int, msgspec.Meta(ge=0, le=60_000)] = 0  # before it prints

    @property
    def stops(self) -> bool:
        return self.paper_out or self.cover_open


class Section(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    printers: list[Printer] = []
