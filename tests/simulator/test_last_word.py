"""The one word of a simple machine: what its sensor saw fall is never called FAILED."""

from typing import Any

import pytest

from machine_simulator.physics import Sight
from machine_simulator.simple import last_word


@pytest.mark.parametrize(
    ("seen", "word"),
    [
        ({}, "SUCCESS"),
        ({"latched": None}, "SUCCESS"),  # no sensor: a full turn must do
        ({"latched": False}, "JAM"),
        ({"completed": False, "latched": False}, "RUN_BOUND"),
        ({"completed": False, "latched": True}, "SUCCESS"),
        ({"powered": False, "completed": False, "latched": False}, "MOTOR"),
    ],
)
def test_it_says_what_it_saw(seen: dict[str, Any], word: str) -> None:
    whole = {"slot": "A1", "powered": True, "completed": True, "latched": True, "home": True}
    sight = Sight(**{**whole, "counter": 1, **seen})
    said = last_word("o-1", sight)
    assert (said.get("failureCode") or said["status"]) == word
