"""ARCHITECTURE.md shows the rooms as the code and import-linter have them."""

import re

import pytest

from tests import write_rooms
from tests.write_rooms import PACKAGE, PAGE, ROOT, arrows, below, floors, shortest

TEXT = PAGE.read_text(encoding="utf-8")


def test_the_drawing_has_the_arrows_of_the_code() -> None:
    assert write_rooms.page() == TEXT, "run `make docs`, and look at what is new in the drawing"


def test_no_arrow_leads_up_or_to_a_neighbour() -> None:
    height = {room: level for level, line in enumerate(floors()) for room in line}
    assert [arrow for arrow in arrows() if height[arrow[0]] >= height[arrow[1]]] == []


def test_no_room_imports_itself_over_others() -> None:
    assert [room for line in floors() for room in line if room in below(room, arrows())] == []


def test_an_arrow_that_follows_from_others_is_not_drawn_and_a_circle_is_found() -> None:
    assert shortest({("a", "b"), ("b", "c"), ("a", "c")}) == {("a", "b"), ("b", "c")}
    assert below("a", {("a", "b"), ("b", "a")}) == {"a", "b"}


def test_the_table_of_rooms_has_every_room_in_the_order_of_the_linter() -> None:
    table = TEXT.partition("<!-- the rooms, top to bottom -->")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`.+?) \|", table, re.MULTILINE)
    assert [sorted(re.findall(r"`(\w+)`", row)) for row in rows] == [sorted(f) for f in floors()]


def test_every_room_says_what_it_is_for() -> None:
    rooms = {path.parent for path in PACKAGE.glob("*/__init__.py")}
    silent = [room.name for room in rooms if not (room / "__init__.py").read_text("utf-8").strip()]
    assert silent == []


@pytest.mark.parametrize("name", ["ARCHITECTURE.md", "CONTRIBUTING.md"])
def test_every_file_that_is_named_exists(name: str) -> None:
    """From the top of the project, or inside the package; a name alone may be anywhere there."""
    text = (ROOT / name).read_text("utf-8")
    named = re.findall(r"`([\w/.-]+(?:\.(?:py|sql|toml|md)|/))(?:::\w+)?`", text)
    anywhere = {path.name for path in PACKAGE.rglob("*.py")}
    lost = [path for path in named if not (ROOT / path).exists() and not (PACKAGE / path).exists()]
    assert len(named) > 5
    assert [path for path in lost if path not in anywhere] == []


def test_every_function_that_is_named_is_in_its_file() -> None:
    lost = []
    for path, name in re.findall(r"`([\w/.-]+\.(?:py|sql))::(\w+)`", TEXT):
        place = ROOT / path if (ROOT / path).exists() else PACKAGE / path
        if not re.search(rf"\b(def|class|FUNCTION) {name}\b", place.read_text("utf-8")):
            lost.append(f"{path}::{name}")
    assert lost == []
    assert "::" in TEXT
