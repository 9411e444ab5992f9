"""The heart knows no way of selling: what it needs of one, it asks its table and its handler."""

import re
from pathlib import Path

import pytest

from coinslot.app.kinds import KINDS

PACKAGE = Path(__file__).parents[2] / "src" / "coinslot"
HEART = (
    "states", "context", "books", "payments", "orders", "events", "pages", "worker", "merchants",
    "catalog",
)  # fmt: skip
PUBLIC = PACKAGE / "events" / "public.py"  # merchants know a machine's end by its own word


def named(kind: str) -> re.Pattern[str]:
    """How code would name it: the kind, its table beside the units, a state of its own."""
    flow = KINDS[kind].flow
    # States of payments, attempts and pages, too, and what became of an endpoint.
    shared = {"queued", "failed", "started", "made"}
    states = [rf"['\"]{state}['\"]" for state in sorted(flow.states - shared)]
    beside = flow.declared.beside
    return re.compile("|".join([rf"\b{kind}\b", *([beside.table] if beside else []), *states]))


@pytest.mark.parametrize("kind", KINDS)
def test_no_room_of_the_heart_names_a_way_of_selling(kind: str) -> None:
    found = [
        f"{path.relative_to(PACKAGE)}: {match[0]}"
        for room in HEART
        for path in sorted((PACKAGE / room).rglob("*.*"))
        if path.suffix in (".py", ".sql") and path != PUBLIC and "texts" not in path.parts
        for match in named(kind).finditer(path.read_text("utf-8"))
    ]
    assert found == []
