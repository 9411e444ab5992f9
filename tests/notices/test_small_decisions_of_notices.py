"""Where each notice leads, that it is said in every language, and that its sender is woken."""

from collections.abc import Iterable
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from coinslot.counter import alarms
from coinslot.events.notices import alerts, plan, words
from coinslot.events.notices.alerts import EVENTS, ORDER, PROFIT
from coinslot.events.notices.words import BEGAN, CASE_NAMES, Reader
from coinslot.oversight import daily_profit
from coinslot.pages.texts import LANGUAGES
from tests.notices.telling import Told, telling
from tests.people.conftest import Staffed
from tests.people.conftest import staffed as staffed
from tests.sales.conftest import stage as stage

ABOUT = {
    "machine": "M01", "name": "Platform 1", "slot": "A1", "slots": "A1", "product": "Cola",
    "what": "journal", "kind": "surplus", "since": "2026-11-21T12:00:00+00:00",
}  # fmt: skip
OF_THE_INBOX = {alerts.CASE, alerts.PAYOUT}
TOLD_ELSEWHERE = {PROFIT, ORDER}


@pytest.mark.parametrize("kind", sorted(set(EVENTS) - TOLD_ELSEWHERE))
def test_what_is_said_of_several_leads_to_their_list_and_of_one_to_it(kind: str) -> None:
    reader = Reader("en", ZoneInfo("UTC"), sees_money=True)

    def path(*told: dict[str, Any]) -> str:
        rows: Any = [{"data": data} for data in told]
        group = plan.Group(merchant=uuid4(), kind=kind, over=False, rows=rows)
        return plan._said(group, reader).path

    where = "/console/inbox" if kind in OF_THE_INBOX else "/console/machines"
    assert path(ABOUT, ABOUT) == where
    assert path(ABOUT) == f"{where}/M01"


def test_each_sentence_stands_in_every_language() -> None:
    tables = {
        f"{module.__name__}.{name}": value
        for module in (words, alarms, daily_profit) for name, value in vars(module).items()
        if name.strip("_").isupper() and name not in ("LANGUAGES", "TOGETHER", "NAMED_MAX")
    }  # fmt: skip
    found = {
        place: said for name, table in tables.items() for place, said in _sentences(name, table)
    }
    assert len(found) > len(BEGAN) + len(CASE_NAMES)
    wrong = [place for place, said in found.items() if len(said) != len(LANGUAGES) or not all(said)]
    assert wrong == []


def _sentences(place: str, value: Any) -> list[tuple[str, tuple[str, ...]]]:
    """Every tuple of texts in it that is longer than a pair of words."""
    if isinstance(value, tuple) and value and all(isinstance(one, str) for one in value):
        return [(place, value)] if any(not one.isascii() for one in value) else []
    inside: Iterable[tuple[Any, Any]] = value.items() if isinstance(value, dict) else ()
    if isinstance(value, tuple):
        inside = enumerate(value)
    return [found for key, one in inside for found in _sentences(f"{place} {key}", one)]


async def test_whoever_plans_a_notice_wakes_its_sender(staffed: Staffed) -> None:
    told: Told = await telling(staffed)
    woken = told.context.wakes.of("notices")
    woken.clear()
    await alerts.look(told.context)
    assert await plan.plan(told.context) == 0
    assert not woken.is_set()
    await told.heard("M01")
    told.staffed.later(3600)
    for _ in range(3):  # it is silent, which is gathered for a while before it is told
        await alerts.look(told.context)
        if await plan.plan(told.context):
            break
        told.staffed.later(300)
    assert woken.is_set()
