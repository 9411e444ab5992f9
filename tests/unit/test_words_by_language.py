"""What is said in one language is said in all: every table of words by language, wherever it stands
in the code, has the same names under each."""

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from typing import Any

import coinslot
from coinslot.pages.texts import LANGUAGES

_LEAST = 10  # fewer would mean that they are not found any more


def tables() -> Iterator[tuple[str, Mapping[str, Any]]]:
    for module in pkgutil.walk_packages(coinslot.__path__, "coinslot."):
        if not module.name.endswith("__main__"):
            for name, value in vars(importlib.import_module(module.name)).items():
                if isinstance(value, Mapping) and value and set(value) <= set(LANGUAGES):
                    yield f"{module.name}.{name}", value


def lacks(table: Mapping[str, Any]) -> bool:
    """A language, or a word in one of them."""
    if set(table) != set(LANGUAGES):
        return True
    if not all(isinstance(words, Mapping) for words in table.values()):
        return not all(table.values())
    names = [set(words) for words in table.values()]
    return any(each != names[0] for each in names) or not all(
        word for words in table.values() for word in words.values()
    )


def test_every_language_has_every_word_of_every_table() -> None:
    found = dict(tables())
    assert len({id(table) for table in found.values()}) >= _LEAST, sorted(found)
    assert [name for name, table in found.items() if lacks(table)] == []
