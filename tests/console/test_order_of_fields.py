"""The framework gives the fields of a form in the order of a set, which another process has
otherwise: a form that is sent again after a restart is the same form."""

from collections.abc import Iterable
from itertools import permutations
from typing import Any, cast

import pytest

from coinslot.console.forms import read

FIELDS = (("key", "k"), ("unit", "u2"), ("unit", "u1"), ("reason", "it was warm"))


class Sent:
    """A form that is read in this order."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self._pairs = list(pairs)

    async def form(self) -> "Sent":
        return self

    def multi_items(self) -> list[tuple[str, str]]:
        return self._pairs


@pytest.mark.parametrize("names", list(permutations(["key", "unit", "reason"])))
async def test_a_form_is_the_same_in_whichever_order_its_fields_are_read(
    names: tuple[str, ...],
) -> None:
    """What one name has more than once stays in its order."""
    pairs = [pair for name in names for pair in FIELDS if pair[0] == name]
    form = await read(cast(Any, Sent(pairs)))
    assert form.pairs == (("key", "k"), ("reason", "it was warm"), ("unit", "u2"), ("unit", "u1"))
