"""Counts of what lies in the slots, each with a number of its own in its journal."""

import json
from collections.abc import Mapping
from pathlib import Path

from machine_simulator import files
from machine_simulator.files import Record
from machine_simulator.journal import Journal


class Inventory:
    """The last number given out outlives the power: one that came again would be an old count."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def count(self, journal: Journal, stocks: Mapping[str, int], cause: str) -> Record:
        """All slots as they are now. Only while no unit runs: what is falling is in no line yet."""
        return {
            "journal_id": journal.journal_id,
            "inventory_seq": self._next(journal.journal_id),
            "event_seq": journal.event_seq,
            "cause": cause,
            "slots": [{"slot": slot, "count": count} for slot, count in stocks.items()],
        }

    def _next(self, journal_id: str) -> int:
        try:
            kept = json.loads(self._path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            kept = {}
        number = kept.get("inventory_seq", 0) + 1 if kept.get("journal_id") == journal_id else 1
        said = {"journal_id": journal_id, "inventory_seq": number}
        files.replace(self._path, files.encode(said))
        return number
