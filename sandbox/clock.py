"""The only place of the sandbox that reads the time, and how a time is written."""

import time
from datetime import UTC, datetime
from zoneinfo import ZoneInfo


def now_ms() -> int:
    """Milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def now_s() -> int:
    """Whole seconds since 1970, as gateways give them."""
    return time.time_ns() // 1_000_000_000


def hour_minute(seconds: int, zone: str) -> str:
    """The wall clock of a zone, as `14:05`; of this computer where no zone is named."""
    place = ZoneInfo(zone) if zone else None
    return datetime.fromtimestamp(seconds, UTC).astimezone(place).strftime("%H:%M")


def hour_minute_second() -> str:
    """Now, as `14:05:09`."""
    return time.strftime("%H:%M:%S")


def iso(seconds: int) -> str:
    """A moment in UTC, as `2026-03-01T14:05:09+00:00`."""
    return datetime.fromtimestamp(seconds, UTC).isoformat()
