"""Fault injection: a process that kills itself at its n-th commit or send, for the storms.

COINSLOT_FAULT says where, as `die:after_commit:37`; without it nothing here is called."""

import os
import signal
from collections.abc import Callable

Reached = Callable[[str], None]

# Just before and just after a transaction is committed, the claim of due rows, and a message or a
# call to a gateway leaves.
POINTS = frozenset({"before_commit", "after_commit", "after_claim", "before_send", "after_send"})


class FaultError(ValueError):
    """COINSLOT_FAULT is not of the form die:<point>:<count>."""


def no_fault(_point: str) -> None:
    """Called at every point when no fault was requested; does nothing."""


def dies_at(spec: str) -> Reached:
    """Called at every point; kills this process when its point is reached for the n-th time.
    Raises FaultError."""
    word, _, rest = spec.partition(":")
    point, _, count = rest.partition(":")
    if word != "die" or point not in POINTS or not count.isdigit():
        raise FaultError(f"COINSLOT_FAULT: {spec!r} is not die:<point>:<count>")
    left = int(count)

    def reached(here: str) -> None:
        nonlocal left
        if here == point:
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    return reached
