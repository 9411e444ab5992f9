"""A mistake as text: what must stand in the code exactly once, and what is put in its place."""

from pathlib import Path
from typing import NamedTuple


class MovedError(AssertionError):
    """The code that a mutant spoils stands there no more: the mutant must follow it."""


class Edit(NamedTuple):
    """`old` stands in the file once."""

    path: str
    old: str
    new: str


class Mutation(NamedTuple):
    """One of the twelve, in real code. Each of `red` must fail with it, and `green` still pass:
    a mistake that breaks everything would prove nothing."""

    number: int
    edits: tuple[Edit, ...]
    red: tuple[str, ...]
    green: str

    @property
    def where(self) -> str:
        return (
            "machine"
            if self.edits[0].path.startswith(("machine-simulator", "firmware"))
            else "server"
        )

    def put_into(self, root: Path) -> None:
        """Spoil the copy of the code under `root`. Raises MovedError."""
        for edit in self.edits:
            path = root / edit.path
            path.write_text(spoilt(edit, path.read_text(encoding="utf-8")), encoding="utf-8")


def spoilt(edit: Edit, text: str) -> str:
    """The text with the mistake in it. Raises MovedError."""
    times = text.count(edit.old)
    if times != 1:
        raise MovedError(f"{edit.path}: stands there {times} times, not once:\n{edit.old}")
    return text.replace(edit.old, edit.new)
