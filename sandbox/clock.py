"""The only place of the sandbox that reads the time, and how a time is written."""

import time


def now_ms() -> int:
    """Milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def now_s() -> int:
    """Whole seconds since 1970, as gateways give them."""
    return time.time_ns() // 1_000_000_000
