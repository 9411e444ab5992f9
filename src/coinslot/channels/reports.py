"""What machines say besides the vend protocol: counts of stock, health, lines of a log, how an
update goes. Each has a topic (MQTT) or an event (Socket.IO) of its own. Read as strictly as the
vend protocol: reading never raises, everything is bounded, and what can be read can be stored."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Final, Literal
from uuid import UUID

from msgspec import Meta, Struct

from coinslot.channels.messages import (
    Count,
    Id,
    Ms,
    Seq,
    Text,
    Unreadable,
    read_as,
)

SLOTS_AT_MOST: Final = 200
LINES_AT_MOST: Final = 50
COUNTERS_AT_MOST: Final = 200

Slot = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_-]{1,16}\Z")]
# Any language, but nothing that UTF-8 or PostgreSQL's text cannot hold.
Said = Annotated[str, Meta(pattern=r"\A[^\x00\ud800-\udfff]{0,500}\Z")]
Name = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_.-]{1,32}\Z")]


class SlotCount(Struct, frozen=True, kw_only=True):
    """How many are in a slot now."""

    slot: Slot
    count: Annotated[int, Meta(ge=0, le=10_000)]


class Inventory(Struct, frozen=True, kw_only=True):
    """Absolute counts. `event_seq` is the last line of this journal that they include."""

    journal_id: Id
    inventory_seq: Seq
    event_seq: Count
    cause: Literal["count", "refill", "boot"]
    slots: Annotated[list[SlotCount], Meta(max_length=SLOTS_AT_MOST)]

    def __post_init__(self) -> None:
        if len({each.slot for each in self.slots}) != len(self.slots):
            raise ValueError("a slot is there twice")


class HealthReport(Struct, frozen=True, kw_only=True):
    """How the machine is. What is left out, it does not measure."""

    temperature_c: Annotated[float, Meta(ge=-100, le=200)] | None = None
    door: Literal["open", "closed"] | None = None
    defrost: bool = False  # it warms itself on purpose
    reset_reason: Text | None = None
    free_heap: Count | None = None
    journal_used: Annotated[int, Meta(ge=0, le=100)] | None = None  # percent
    rssi: Annotated[int, Meta(ge=-200, le=100)] | None = None  # dBm
    firmware: Text | None = None
    config_version: Count | None = None
    uptime_s: Count | None = None
    # `sales` is the one of `counter_before`, which nobody can reset: it is held against our ledger.
    counters: Annotated[dict[Name, Count], Meta(max_length=COUNTERS_AT_MOST)] = {}


class LogLevel(StrEnum):
    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class LogLine(Struct, frozen=True, kw_only=True):
    """One line of a machine's log, at its own monotonic clock."""

    level: LogLevel
    at_mono_ms: Ms
    text: Said


class Logs(Struct, frozen=True, kw_only=True):
    """Lines of a log, the oldest first."""

    lines: Annotated[list[LogLine], Meta(max_length=LINES_AT_MOST)]


class FirmwareProgress(Struct, frozen=True, kw_only=True):
    """How far an update is on this machine."""

    rollout: UUID
    attempt: Annotated[int, Meta(ge=1, le=1_000)]
    state: Annotated[str, Meta(pattern=r"\A[A-Z_]{1,32}\Z")]
    code: Text | None = None


Report = Inventory | HealthReport | Logs | FirmwareProgress

# The event on Socket.IO; `REPORT_TOPICS` says the topic. The second number is how many of them are
# taken of one machine in a minute: what is over it is dropped before it is read.
KINDS: Final[Mapping[str, tuple[type[Report], int]]] = {
    "inventory": (Inventory, 60),
    "health": (HealthReport, 30),
    "logs": (Logs, 30),
    "firmware": (FirmwareProgress, 60),
}
REPORT_TOPICS: Final[Mapping[str, str]] = {
    "status/inventory": "inventory",
    "status/health": "health",
    "logs": "logs",
    "status/firmware": "firmware",
}


def read_report(kind: str, raw: Mapping[str, object] | bytes) -> Report | Unreadable:
    """The report in a payload, or why there is none."""
    report: Report | Unreadable = read_as(raw, KINDS[kind][0])
    return report
