"""Survivors that a person has read: mutants that change nothing anyone can see, each with why."""

import tomllib
from collections.abc import Mapping
from pathlib import Path

PAGE = Path(__file__).parent / "survivors.toml"


def equivalents() -> Mapping[str, str]:
    """The reason, by the id of the mutant."""
    told = tomllib.loads(PAGE.read_text("utf-8"))
    return {mutant: group["why"] for group in told.get("equivalent", []) for mutant in group["ids"]}
