"""The journals of machines: which lines are stored and believed, how far one is acknowledged, and
what is counted, whole, beside journals of the same name of other machines."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from tests.sales.by_hand import NOW, Rows
from tests.sales.machine_rows import ASHA, MOMENT, UNIT, Given, Row, unit
from tests.sales.wrote import in_order, wrote

DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
STRANGER = UUID(int=70)
TABLES = ("device_journals", "device_events", "fulfillments")
J1: Row = {"outlet_id": "M01", "journal_id": "j1", "merchant_id": ASHA, "through": 2,
           "first_seen_at": NOW - DAY}  # fmt: skip
KEEP = "SELECT ARRAY[k.through, k.kept::integer] FROM keep_event($1, 'M01', 'j1', $2, $3) k"


def line(number: int, of: UUID = UNIT, /, kind: str = "STARTED", **said: Any) -> Row:
    return {"type": kind, "event_seq": number, "unit_id": str(of), **said}


def stored(number: int, told: Row | None = None, /, **given: Any) -> tuple[str, Row]:
    said = told or line(number)
    return "device_events", {
        "outlet_id": "M01", "journal_id": "j1", "event_seq": number, "merchant_id": ASHA,
        "unit_id": UUID(said["unit_id"]), "message": said, "at": NOW - SECOND, **given,
    }  # fmt: skip


def journal(**given: Any) -> Given:
    """Two lines of it are acknowledged; of another machine and of an older journal more."""
    more: Row = {"through": 9, "jumped_from": 0, "jumped_to": 9, "strange": 100}
    return [
        unit(UNIT, "M01", sent_at=NOW - 9 * SECOND, state="going"),
        ("device_journals", {**J1, **more, "outlet_id": "M00"}),
        ("device_journals", {**J1, **given}),
        ("device_journals", {**J1, "journal_id": "j0", "through": 9}),
        stored(1), stored(2),
        *(stored(n, outlet_id="M00") for n in (3, 4, 5)),
        *(stored(n, journal_id="j0") for n in (3, 4, 5)),
    ]  # fmt: skip


def new(told: Row, **given: Any) -> Row:
    return {
        "outlet_id": "M01", "journal_id": "j1", "event_seq": told["event_seq"],
        "merchant_id": ASHA, "unit_id": UUID(told["unit_id"]), "message": told, "at": NOW, **given,
    }  # fmt: skip


def counted(**changes: Any) -> list[Any]:
    return [(("M01", "j1"), changes)]


FELL = line(3, kind="RESULT", outcome="VENDED")
OLD = {"contradicted_at": NOW - DAY}
RECENT = {"contradicted_at": NOW - DAY + MOMENT}
TAKEN = [*journal(), stored(3, line(3))]
SOLD: Row = {"state": "vended", "settlement": "fulfilled", "basis": "drop", "due_at": None,
             "open": False}  # fmt: skip
NOT_OFFERED = [unit(UNIT, "M01", offered_at=None, open=False, state="queued", seq=None),
               *journal()[1:]]  # fmt: skip
FULL = [stored(100 + n, line(100 + n)) for n in range(32)]
Case = tuple[Given, Row, list[int], Row]

LINES: Sequence[Case] = (
    # The next one; and those behind it that were there already.
    (journal(), line(3), [3, 1], {"device_events": [new(line(3))],
                                  "device_journals": counted(through=3)}),
    ([*journal(), stored(4), stored(5), stored(7)], line(3), [5, 1],
     {"device_events": [new(line(3))], "device_journals": counted(through=5)}),
    # One is missing.
    (journal(), line(4), [2, 1], {"device_events": [new(line(4))]}),
    # Stored before: it stands, unless its unit was sent after it.
    (journal(), line(2), [2, 1], {}),
    ([*journal(), stored(3)], line(3), [3, 1], {"device_journals": counted(through=3)}),
    ([unit(UNIT, "M01", sent_at=NOW - SECOND + MOMENT, state="going"), *journal()[1:]], line(2),
     [2, 0], {}),
    ([unit(UNIT, "M01", sent_at=NOW - SECOND, state="going"), *journal()[1:]], line(2), [2, 1], {}),
    # Its number holds another line: it is not acknowledged while its unit is open.
    (TAKEN, FELL, [2, 0], {"device_journals": counted(through=3, contradicted_at=NOW)}),
    ([unit(UNIT, "M01", **SOLD), *TAKEN[1:]], FELL, [3, 0],
     {"device_journals": counted(through=3, contradicted_at=NOW)}),
    (journal(), line(1, kind="RESULT", outcome="VENDED"), [0, 0],
     {"device_journals": counted(contradicted_at=NOW)}),
    (journal(**OLD), line(1, kind="RESULT", outcome="VENDED"), [0, 0],
     {"device_journals": counted(contradicted_at=NOW)}),
    (journal(), line(2, STRANGER), [2, 0], {"device_journals": counted(contradicted_at=NOW)}),
    # More fields than we knew are no contradiction; but it is not exactly this line.
    (journal(), line(2, counter_before=4), [2, 0], {}),
    # Of no unit that it was offered: kept up to a hundred, and counted.
    (journal(), line(3, STRANGER), [3, 1],
     {"device_events": [new(line(3, STRANGER))], "device_journals": counted(through=3, strange=1)}),
    (journal(strange=99), line(3, STRANGER), [3, 1],
     {"device_events": [new(line(3, STRANGER))],
      "device_journals": counted(through=3, strange=100)}),
    (journal(strange=100), line(3, STRANGER), [3, 0],
     {"device_journals": counted(through=3, refused=1, refused_at=NOW)}),
    (journal(strange=100, refused=4, refused_at=NOW - DAY), line(3, STRANGER), [3, 0],
     {"device_journals": counted(through=3, refused=5)}),
    (journal(strange=100), line(4, STRANGER), [2, 0], {"device_journals": counted(refused_at=NOW)}),
    (journal(strange=100, refused_at=NOW - DAY), line(4, STRANGER), [2, 0], {}),
    (NOT_OFFERED, line(3), [3, 1],
     {"device_events": [new(line(3))], "device_journals": counted(through=3, strange=1)}),
    ([unit(UNIT, "M02"), *journal()[1:]], line(3), [3, 1],
     {"device_events": [new(line(3))], "device_journals": counted(through=3, strange=1)}),
    # Thirty-two lines of a unit, and as many results.
    ([*journal(), *FULL[:26]], line(3), [3, 1],
     {"device_events": [new(line(3))], "device_journals": counted(through=3)}),
    ([*journal(), *FULL[:27]], line(3), [3, 0],
     {"device_journals": counted(through=3, refused=1, refused_at=NOW)}),
    ([*journal(), *FULL[:27]], FELL, [3, 1],
     {"device_events": [new(FELL)], "device_journals": counted(through=3)}),
    # A jump is disproved by a line of it.
    (journal(through=9, jumped_from=2, jumped_to=9, skipped=7), line(3), [3, 1],
     {"device_events": [new(line(3))], "device_journals": counted(
         through=3, jumped_from=None, jumped_to=None, skipped=0, contradicted_at=NOW)}),
    (journal(through=9, jumped_from=2, jumped_to=9, skipped=7), line(10), [10, 1],
     {"device_events": [new(line(10))], "device_journals": counted(through=10)}),
    (journal(through=9, jumped_from=4, jumped_to=9, skipped=7, refused=1, **RECENT), line(9),
     [4, 1], {"device_events": [new(line(9))], "device_journals": counted(
         through=4, jumped_from=None, jumped_to=None, skipped=1)}),
)  # fmt: skip


@pytest.mark.parametrize("case", range(len(LINES)))
async def test_a_line_is_stored_believed_and_acknowledged(rows: Rows, case: int) -> None:
    given, told, said, found = LINES[case]
    wanted = {table: in_order(some) for table, some in found.items()}
    assert await wrote(rows, given, TABLES, KEEP, ASHA, told, NOW) == (said, wanted)


async def test_a_day_has_room_for_twenty_journals_but_a_unit_that_was_offered_counts_always(
    rows: Rows,
) -> None:
    some = [("device_journals", {**J1, "journal_id": f"k{n}", "first_seen_at": NOW - DAY + MOMENT})
            for n in range(20)]  # fmt: skip
    other = ("device_journals", {**J1, "outlet_id": "M00", "first_seen_at": NOW})
    full = [unit(UNIT, "M01"), other, *some]
    assert await wrote(rows, full, TABLES, KEEP, ASHA, line(1, STRANGER), NOW) == ([0, 0], {})
    said, found = await wrote(rows, full, TABLES, KEEP, ASHA, line(1), NOW)
    assert (said, found["device_journals"]) == ([1, 1], [
        {**J1, "first_seen_at": NOW, "through": 1}])  # fmt: skip
    older = [unit(UNIT, "M01"), *some[1:], ("device_journals", {**J1, "journal_id": "k0",
             "first_seen_at": NOW - DAY})]  # fmt: skip
    said, _ = await wrote(rows, older, TABLES, KEEP, ASHA, line(1, STRANGER), NOW)
    assert said == [1, 1]
    met = "SELECT meet_journal($1, 'M01', 'j1', $2, $3)"
    assert await wrote(rows, full, TABLES, met, ASHA, 0, NOW) == (None, {})
    assert (await wrote(rows, older, TABLES, met, ASHA, 0, NOW))[0] == 0


MEET = "SELECT meet_journal($1, 'M01', 'j1', $2, $3)"
MILLION = 1_000_000
OTHERS = [one for one in journal() if one[1].get("journal_id") != "j1"
          or one[1]["outlet_id"] != "M01"]  # fmt: skip


@pytest.mark.parametrize(
    ("kept", "row"),
    [
        (None, {"through": 0}), (0, {"through": 0}),
        (1, {"through": 1, "jumped_from": 0, "jumped_to": 1, "skipped": 1}),
        (MILLION, {"through": MILLION, "jumped_from": 0, "jumped_to": MILLION,
                   "skipped": MILLION}),
        (MILLION + 1, {"through": 0}),
    ],
)  # fmt: skip
async def test_a_journal_that_is_new_begins_where_its_machine_says(
    rows: Rows, kept: int | None, row: Row
) -> None:
    async def verb(conn: Any) -> Any:
        said = await conn.fetchval(MEET, ASHA, kept, NOW)
        made = await conn.fetchrow(
            "SELECT * FROM device_journals WHERE outlet_id = 'M01' AND journal_id = 'j1'"
        )
        return said, dict(made)

    (said, made), found = await wrote(rows, OTHERS, TABLES, verb)
    nothing = {"jumped_from": None, "jumped_to": None, "skipped": 0, "strange": 0, "refused": 0,
               "refused_at": None, "contradicted_at": None}  # fmt: skip
    assert said == row["through"]
    assert made == {**J1, "first_seen_at": NOW, **nothing, **row, **{
        name: made[name] for name in made.keys() - {*J1, *nothing}}}  # fmt: skip
    assert len(found["device_journals"]) == 1


Known = tuple[Row, int | None, int, Row]
KNOWN: Sequence[Known] = (
    ({}, None, 2, {}), ({}, 0, 2, {}), ({}, 2, 2, {}),
    ({}, 3, 3, {"through": 3, "jumped_from": 2, "jumped_to": 3, "skipped": 1}),
    ({}, MILLION + 2, MILLION + 2,
     {"through": MILLION + 2, "jumped_from": 2, "jumped_to": MILLION + 2, "skipped": MILLION}),
    ({}, MILLION + 3, 2, {}),
    ({"jumped_from": 0, "jumped_to": 1}, 5, 5, {"through": 5, "jumped_to": 5, "skipped": 3}),
    ({"jumped_from": 0, "jumped_to": 1}, 1, 2, {}),
    ({"jumped_from": 0, "jumped_to": 1}, None, 2, {}),
    ({"jumped_from": 1, "jumped_to": 2}, 1, 1,
     {"through": 1, "jumped_from": None, "jumped_to": None, "contradicted_at": NOW}),
    ({"refused": 1}, 5, 5, {"through": 5, "jumped_from": 2, "jumped_to": 5, "skipped": 2}),
    ({"skipped": 9}, 5, 5, {"through": 5, "jumped_from": 2, "jumped_to": 5}),
    ({"through": 4, "skipped": 1}, 4, 4, {"skipped": 2}),
    ({"through": 4, "skipped": 1}, 0, 4, {}),
)  # fmt: skip


@pytest.mark.parametrize("case", range(len(KNOWN)))
async def test_a_journal_that_is_known_jumps_as_far_as_its_machine_holds_nothing(
    rows: Rows, case: int
) -> None:
    given, kept, said, changes = KNOWN[case]
    found = {"device_journals": counted(**changes)} if changes else {}
    assert await wrote(rows, journal(**given), TABLES, MEET, ASHA, kept, NOW) == (said, found)


@pytest.mark.parametrize(
    ("known", "since"),
    [(None, NOW), (NOW - DAY, NOW), (NOW - DAY + MOMENT, NOW - DAY + MOMENT), (NOW, NOW)],
)
async def test_the_same_days_contradictions_are_one(rows: Rows, known: Any, since: Any) -> None:
    said = await rows.conn.fetchval("SELECT contradicted_since($1, $2)", known, NOW)
    assert said == since


DISPROVE = "SELECT array_agg(j.journal_id) FROM disprove_jump('M01', 'j1', $1, $2) j"


@pytest.mark.parametrize(("number", "said"), [(9, ["j1"]), (10, None)])
async def test_only_a_line_of_the_jump_disproves_it(
    rows: Rows, number: int, said: list[str] | None
) -> None:
    given = journal(through=9, jumped_from=4, jumped_to=9, skipped=7)
    changes = counted(through=4, jumped_from=None, jumped_to=None, skipped=2, contradicted_at=NOW)
    found = {"device_journals": changes} if said else {}
    assert await wrote(rows, given, TABLES, DISPROVE, number, NOW) == (said, found)
    none = journal()
    assert await wrote(rows, none, TABLES, DISPROVE, number, NOW) == (None, {})


async def test_a_machine_is_acknowledged_two_hundred_lines_at_a_time(rows: Rows) -> None:
    many = [stored(n, line(n, UUID(int=1000 + n))) for n in range(4, 260)]
    said, found = await wrote(rows, [*journal(), *many], TABLES, KEEP, ASHA, line(3), NOW)
    assert (said, found["device_journals"]) == ([202, 1], counted(through=202))
