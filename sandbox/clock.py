"""The only place of the sandbox that reads the time, and how a time is written."""

import time


def now_ms() -> int:
    """Milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def now_s() -> int:
    """Whole seconds since 1970, as gateways give them."""
    return time.time_ns() // 1_000_000_000


def hour_minute(seconds: int) -> str:
    """The wall clock of this computer, as `14:05`."""
    return time.strftime("%H:%M", time.localtime(seconds))


def hour_minute_second() -> str:
    """Now, as `14:05:09`."""
    return time.strftime("%H:%M:%S")
