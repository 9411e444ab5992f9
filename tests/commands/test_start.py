"""A command starts at once: it loads what it needs itself, not what the others do."""

import subprocess
import sys

import pytest


def loaded(first: str) -> set[str]:
    """Modules that are there once the command with this first word could run."""
    return loaded_by(f"from coinslot.commands import build; build({first!r})")


def loaded_by(code: str) -> set[str]:
    said = subprocess.run(
        [sys.executable, "-c", f"import sys; {code}; print(*sys.modules)"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return set(said.stdout.split())


def test_a_command_that_only_asks_loads_neither_the_web_nor_a_channel() -> None:
    """They are half of what there is to load, and of the time until the first line."""
    assert not {"litestar", "socketio"} & loaded("")


@pytest.mark.parametrize("first", ["worker", "migrate", "--version"])
def test_a_command_loads_no_other_command_and_nothing_that_only_others_need(first: str) -> None:
    found = loaded(first)
    others = {"coinslot.commands.doctor", "coinslot.commands.machines", "coinslot.commands.demo"}
    assert not others & found
    assert not {"litestar", "socketio"} & found


def test_the_web_has_loaded_every_driver_before_its_first_page() -> None:
    """Whoever comes first would wait for them, and everybody else meanwhile."""
    found = loaded_by("import coinslot.app.routes")
    assert {"socketio", "coinslot.gateways.razorpay.driver", "coinslot.gateways.stripe"} <= found
