"""A CDN in front of the pictures is in front of all of them: on no page is one read from here."""

import re
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src/coinslot"
SHOWN = re.compile(r"\.src(?:set)?\(([^)]*)\)")
TEMPLATES = {
    path.relative_to(SOURCE).as_posix(): found
    for path in sorted(SOURCE.glob("*/templates/**/*.html"))
    if (found := SHOWN.findall(path.read_text()))
}


def test_the_pages_with_pictures_are_known() -> None:
    assert len(TEMPLATES) >= 7, TEMPLATES


@pytest.mark.parametrize("name", TEMPLATES)
def test_the_address_of_each_picture_begins_with_the_cdns(name: str) -> None:
    assert set(TEMPLATES[name]) == {"site.pictures_prefix"}
