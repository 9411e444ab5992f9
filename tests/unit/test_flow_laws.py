"""The laws hold over the tables, and every way in which a pen can slip breaks one of them."""

import copy
from collections.abc import Iterator, ValuesView
from functools import cache
from itertools import islice
from typing import NamedTuple

import pytest
from msgspec.structs import replace

from coinslot.coffee import laws as coffee_laws
from coinslot.counter import laws as counter_laws
from coinslot.kit.flow import Flow
from coinslot.rollouts import flow as rollouts
from coinslot.rollouts import laws as rollout_laws
from coinslot.states import laws
from coinslot.states.laws import reasons
from coinslot.states.transition import FLOWS
from coinslot.vending import laws as vending_laws
from tests import write_states
from tests.locker import laws as locker_laws
from tests.locker.flow import LOCKER
from tests.write_states import UNIT_FLOWS

OURS: dict[str, Flow] = {flow.name: flow for flow in (*FLOWS, *rollouts.FLOWS, *UNIT_FLOWS)}
TABLES = {**OURS, "locker": LOCKER}
LAWS = (
    *laws.LAWS, *vending_laws.LAWS, *coffee_laws.LAWS, *counter_laws.LAWS, *locker_laws.LAWS,
    *rollout_laws.LAWS,
)  # fmt: skip


def breaches(flows: laws.Flows) -> set[str]:
    """The names of the laws that do not hold."""
    return {said.partition(":")[0] for said in laws.breaches(flows, LAWS)}


class OneOfThem(dict[str, Flow]):
    """All tables, by their names; a law of every table is asked about the one that was changed.
    The others keep it as they did, which `test_every_law_holds` has seen."""

    def __init__(self, name: str, changed: Flow) -> None:
        super().__init__({**TABLES, name: changed})
        self._changed = {name: changed}

    def values(self) -> ValuesView[Flow]:  # type: ignore[override]  # of the changed one alone
        return self._changed.values()


class Slip(NamedTuple):
    """One table spoiled in one way."""

    what: str
    flow: Flow


def slips(flow: Flow) -> Iterator[Slip]:
    """Every row dropped, redirected to each other state, or given one job less or one more."""
    for number, row in enumerate(flow.rows):
        before, after = flow.rows[:number], flow.rows[number + 1 :]
        name = f"{flow.name}: {row.event} in {row.state}"
        yield Slip(f"{name} dropped", _with(flow, rows=(*before, *after)))
        spoiled = [
            *(replace(row, next=state) for state in sorted(flow.states - {row.next})),
            *(replace(row, jobs=tuple(j for j in row.jobs if j != job)) for job in row.jobs),
            *(replace(row, jobs=(*row.jobs, job)) for job in reasons(flow)),
        ]
        for other in spoiled:
            what = f"{name} -> {other.next} {list(other.jobs)}"
            yield Slip(what, _with(flow, rows=(*before, other, *after)))
    for state in sorted(flow.states - {flow.initial}):
        yield Slip(f"{flow.name} begins as {state}", _with(flow, initial=state))
    for state in sorted(flow.states):
        terminal = flow.terminal ^ {state}
        yield Slip(f"{flow.name} ends in {sorted(terminal)}", _with(flow, terminal=terminal))


def _with(flow: Flow, **other: object) -> Flow:
    spoiled = copy.copy(flow)
    parts = {"initial": flow.initial, "terminal": flow.terminal, "rows": flow.rows, **other}
    Flow.__init__(spoiled, flow.name, **parts)  # type: ignore[arg-type]  # the parts of a flow
    return spoiled


def test_every_law_holds() -> None:
    assert laws.breaches(TABLES, LAWS) == []


@cache
def broken_by_slips(name: str) -> dict[str, set[str]]:
    """Each slip in this table, and the names of the laws that it breaks."""
    return {slip.what: breaches(OneOfThem(name, slip.flow)) for slip in slips(TABLES[name])}


@pytest.mark.parametrize("name", TABLES)
def test_a_law_of_every_table_says_the_same_when_it_is_asked_about_one(name: str) -> None:
    """As long as no law compares tables, it is enough to ask about the one with the slip."""
    assert breaches(OneOfThem(name, TABLES[name])) == set()
    for slip in islice(slips(TABLES[name]), 0, None, 50):
        assert breaches(OneOfThem(name, slip.flow)) == breaches({**TABLES, name: slip.flow})


@pytest.mark.parametrize("name", TABLES)
def test_no_slip_of_a_pen_goes_unnoticed(name: str) -> None:
    assert [what for what, laws in broken_by_slips(name).items() if not laws] == []


def test_every_law_is_needed_by_some_slip() -> None:
    broken = {law for name in TABLES for laws in broken_by_slips(name).values() for law in laws}
    assert broken == {law.__name__ for law in LAWS}


@pytest.mark.parametrize("name", TABLES)
def test_every_job_of_a_law_stands_in_its_table(name: str) -> None:
    done = {job for row in TABLES[name].rows for job in row.jobs}
    assert done == set(reasons(TABLES[name]))


def test_the_page_of_states_is_what_the_tables_say() -> None:
    assert write_states.PAGE.read_text(encoding="utf-8") == write_states.page(), (
        "run `python -m tests.write_states`"
    )


def test_the_page_explains_no_word_that_the_tables_do_not_know() -> None:
    for flow in OURS.values():
        assert set(write_states.EVENTS[flow.name]) == flow.events
        assert set(write_states.STATES[flow.name]) == flow.states
    assert set(write_states.JOBS) == {
        job for f in OURS.values() for row in f.rows for job in row.jobs
    }


@pytest.mark.parametrize("name", TABLES)
def test_events_are_written_large_and_states_and_jobs_small(name: str) -> None:
    for row in TABLES[name].rows:
        assert row.event.isupper(), row
        assert all(word.islower() for word in (row.state, row.next, *row.jobs)), row
