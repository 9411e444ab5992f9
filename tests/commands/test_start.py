"""A command that only asks starts at once: it loads neither the web nor the channels."""

import subprocess
import sys


def test_a_command_that_only_asks_loads_neither_the_web_nor_a_channel() -> None:
    """They are half of what there is to load, and of the time until the first line."""
    said = subprocess.run(
        [sys.executable, "-c", "import sys, coinslot.commands; print(*sys.modules)"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert not {"litestar", "socketio"} & set(said.stdout.split())
