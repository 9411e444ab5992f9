"""Draws in ARCHITECTURE.md which room imports which, from the code: `python -m tests.write_rooms`.

An arrow that follows from others is left out: the drawing is the shortest with the same order.
"""

import ast
import functools
import re
import tomllib
from collections.abc import Iterator, Set
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "src" / "coinslot"
PAGE = ROOT / "ARCHITECTURE.md"
DRAWING = re.compile(
    r"(?<=<!-- rooms: made by tests/write_rooms.py -->\n).*?(?=<!-- rooms end)", re.S
)

Arrow = tuple[str, str]


def floors() -> list[list[str]]:
    """The rooms that exist, from top to bottom; neighbours share a line. From pyproject.toml."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    lines = contracts["tool"]["importlinter"]["contracts"][0]["layers"]
    named = [re.findall(r"\w+", line) for line in lines]
    found = [[room for room in line if exists(room)] for line in named]
    return [line for line in found if line and line != ["__main__"]]


def exists(room: str) -> bool:
    return (PACKAGE / room / "__init__.py").exists() or (PACKAGE / f"{room}.py").exists()


@functools.cache
def arrows() -> frozenset[Arrow]:
    """Every import from one room of another."""
    found = set()
    for path in PACKAGE.rglob("*.py"):
        room = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        for module in _imported(ast.parse(path.read_text("utf-8"))):
            parts = module.split(".")
            if parts[0] == "coinslot" and len(parts) > 1 and parts[1] != room:
                found.add((room, parts[1]))
    return frozenset(arrow for arrow in found if not arrow[0].startswith("__"))


def _imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module == "coinslot":
            yield from (f"coinslot.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def below(room: str, among: Set[Arrow]) -> set[str]:
    """Every room that this one reaches over any number of arrows."""
    seen: set[str] = set()
    waiting = [room]
    while waiting:
        step = {target for source, target in among if source == waiting[-1]} - seen
        waiting.pop()
        seen |= step
        waiting += step
    return seen


def shortest(among: Set[Arrow]) -> set[Arrow]:
    """Without the arrows that follow from others."""
    return {arrow for arrow in among if arrow[1] not in below(arrow[0], among - {arrow})}


def drawing() -> str:
    order = [room for line in floors() for room in line]
    ordered = sorted(shortest(arrows()), key=lambda arrow: [order.index(room) for room in arrow])
    targets: dict[str, list[str]] = {}
    for source, target in ordered:
        targets.setdefault(source, []).append(target)
    lines = [f"    {source} --> {' & '.join(rooms)}" for source, rooms in targets.items()]
    return "\n".join(["```mermaid", "flowchart TD", *lines, "```", ""])


def page() -> str:
    text, found = DRAWING.subn(drawing().replace("\\", r"\\"), PAGE.read_text("utf-8"))
    if found != 1:
        raise ValueError("ARCHITECTURE.md has lost the place of the drawing")
    return text


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
