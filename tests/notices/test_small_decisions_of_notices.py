"""Where each notice leads, that it is said in every language, that its sender is woken, and that
what waits for the same moment is one notice."""

import asyncio
from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from coinslot.counter import alarms
from coinslot.events.notices import alerts, plan, preferences, words
from coinslot.events.notices.alerts import EVENTS, ORDER, PROFIT
from coinslot.events.notices.words import BEGAN, CASE_NAMES, LINE_AWAY, TOGETHER, Reader, text
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


HELD_UP = (
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE wait_event_type = 'Lock' AND datname = current_database()"
)


async def test_two_that_plan_at_once_for_the_same_moment_write_one_notice(staffed: Staffed) -> None:
    told: Told = await telling(staffed)
    context, who = told.context, staffed.people["asha"]
    hours = preferences.Hours(zone=ZoneInfo("UTC"), quiet_from=None, quiet_to=None, digest_at=540)
    asha = preferences.Listener(person=who, address="asha@shop.example", language="en", hours=hours)
    later = context.now() + timedelta(hours=1)

    async def planned(conn: Any, title: str) -> int:
        said = plan.Said(purpose="machine_silent", title=title, more="", path="/")
        telling_her = plan.Telling(context, conn, asha, said, staffed.merchant)
        return await telling_her.mail(title, later)

    async def beside() -> int:
        async with context.db.system_transaction() as conn:
            return await planned(conn, "M02 is silent")

    async with context.db.system_transaction() as conn:
        assert await planned(conn, "M01 is silent") == 1
        other = asyncio.create_task(beside())
        async with asyncio.timeout(20):
            while not (await told.rows(HELD_UP))[0]["count"]:  # noqa: ASYNC110  a lock of the server
                await asyncio.sleep(0.01)
    assert await other == 0
    (kept,) = await told.rows("SELECT body FROM notices WHERE person_id = $1", who)
    assert [line for line in kept["body"].splitlines() if line] == [
        "M01 is silent", "M02 is silent",
    ]  # fmt: skip


def test_words_are_english_for_a_language_that_is_not_here() -> None:
    said = ("stopped", "रुका", "остановлен")
    assert [text(said, language) for language in ("en", "hi", "ru", "de", "")] == [
        *said, "stopped", "stopped",
    ]  # fmt: skip


def test_machines_that_go_silent_together_are_said_to_have_lost_a_line() -> None:
    reader = Reader("en", ZoneInfo("UTC"), sees_money=True)
    for kind, many, said in (
        (alerts.SILENT, TOGETHER, LINE_AWAY[0]), (alerts.SILENT, TOGETHER - 1, ""),
        (alerts.CASE, TOGETHER, ""),
    ):  # fmt: skip
        assert reader.hint(kind, [{}] * many) == said, (kind, many)
