"""Death on purpose comes where it was asked for, and nowhere when it was not."""

import signal
import subprocess
import sys

import pytest

from coinslot.kit.faults import FaultError, dies_at

_DIES_AT_THE_THIRD = """
from coinslot.kit.faults import dies_at
reached = dies_at("die:after_commit:3")
for count in range(1, 9):
    reached("before_send")
    reached("after_commit")
    print(count, flush=True)
"""


def test_a_process_dies_when_its_point_is_reached_for_the_nth_time() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", _DIES_AT_THE_THIRD], stdout=subprocess.PIPE, check=False
    )
    assert ended.returncode == -signal.SIGKILL
    assert ended.stdout.split() == [b"1", b"2"]


@pytest.mark.parametrize(
    "spec", ["die", "die:after_commit", "die:lunch:3", "live:after_commit:3", "die:after_commit:x"]
)
def test_a_fault_that_cannot_be_read_is_refused(spec: str) -> None:
    with pytest.raises(FaultError):
        dies_at(spec)
