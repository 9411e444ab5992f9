"""Several who change one machine at once: none undoes what another said, none is refused for it,
and who changes nothing is told so."""

import asyncio
from typing import Any

import pytest

from coinslot.fleet import bulk, config
from coinslot.fleet.bulk import BulkError, MachineChange
from coinslot.fleet.config import Editor
from tests.sales.stage import Stage

TIMES = 12


def editor(stage: Stage) -> Editor:
    return Editor(stage.merchant, "asha")


def told(stage: Stage, name: str, value: Any, version: int | None = None) -> Any:
    wanted = MachineChange(machine="M01", device={name: value}, version=version)
    return bulk.apply(stage.context, editor(stage), [wanted])


async def test_settings_that_are_given_at_once_are_all_there(stage: Stage) -> None:
    done = await asyncio.gather(*(told(stage, f"n{n}", n) for n in range(TIMES)))
    now = await config.read(stage.context, stage.merchant, "M01")
    assert now.device == {f"n{n}": n for n in range(TIMES)}
    assert (done, now.version) == ([1] * TIMES, 1 + TIMES)


async def test_of_two_who_saw_one_version_the_second_is_refused_and_loses_nothing(
    stage: Stage,
) -> None:
    found = await asyncio.gather(
        told(stage, "pins", {"a": 1}, 1), told(stage, "pins", {"b": 2}, 1), return_exceptions=True
    )
    assert sorted(type(one).__name__ for one in found) == ["BulkError", "int"]
    now = await config.read(stage.context, stage.merchant, "M01")
    assert now.device["pins"] in ({"a": 1}, {"b": 2})
    with pytest.raises(BulkError, match="version 2 by now"):
        await told(stage, "pins", {"c": 3}, 1)


async def test_who_says_what_another_says_at_once_is_not_counted_as_a_change(stage: Stage) -> None:
    done = await asyncio.gather(*(told(stage, "uiTheme", "dark") for _ in range(TIMES)))
    assert sorted(done) == [0] * (TIMES - 1) + [1]
    assert (await config.read(stage.context, stage.merchant, "M01")).version == 2
