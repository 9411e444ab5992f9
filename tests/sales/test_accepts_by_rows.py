"""On the short path GO goes out for the offer that stands, at its own machine, and for nothing that
is one thing beside it."""

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from tests.sales.by_hand import NOW, Rows

MOMENT = timedelta(microseconds=1)
UNIT = UUID(int=5)
SET = {"journal_id": "j1", "boot_id": "b1", "lease_end": NOW, "go_message": {"type": "GO"},
       "hard_deadline": NOW, "due_at": NOW, "accept": {}, "sent_at": NOW}  # fmt: skip
STANDS: dict[str, dict[str, Any]] = {
    "outlets": {"id": "M01", "kind": "vending", "channel": "mqtt", "dialect": "leased"},
    "devices": {"outlet_id": "M01", "key_id": 3},
    "fulfillments": {"id": UNIT, "outlet_id": "M01", "state": "offered", "seq": 7, "slot": "A1",
                     "dispatch_by": NOW + MOMENT, "due_at": NOW, "hard_deadline": NOW},
}  # fmt: skip
SAYS = {"unit": str(UNIT), "outlet": "M01", "seq": 7, "slot": "A1", "key_id": 3}


async def accepted(rows: Rows, differs: dict[str, dict[str, Any]], **says: Any) -> bool:
    """Beside another machine's, which stands before it and is the same but for its names."""
    other: dict[str, dict[str, Any]] = {
        "outlets": {"id": "M02"},
        "devices": {"outlet_id": "M02", "key_id": 4},
        "fulfillments": {"id": UUID(int=6), "outlet_id": "M02", "seq": 8, "slot": "A2"},
    }
    for table, stands in STANDS.items():
        await rows.put(table, **stands | other[table])
        await rows.put(table, **stands | differs.get(table, {}))
    await rows.put("outlet_stops", outlet_id="M02", why="x", count=1)
    for table in differs.keys() - STANDS.keys():
        await rows.put(table, **differs[table])
    told = json.loads(json.dumps({**SAYS, "set": SET, **says}, default=str))
    return bool(await rows.conn.fetchval("SELECT heard_accept($1, $2)", told, NOW))


async def test_the_offer_that_stands_is_accepted_and_goes(rows: Rows) -> None:
    assert await accepted(rows, {})
    states = await rows.conn.fetch("SELECT id, state FROM fulfillments ORDER BY id")
    assert [(row["id"], row["state"]) for row in states] == [
        (UNIT, "going"), (UUID(int=6), "offered"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "differs",
    [
        {"fulfillments": {"state": "queued"}},
        {"fulfillments": {"state": "going"}},
        {"fulfillments": {"seq": 8}},
        {"fulfillments": {"seq": None}},
        {"fulfillments": {"slot": "A2"}},
        {"fulfillments": {"dispatch_by": NOW}},
        {"devices": {"key_id": 4}},
        {"outlets": {"decommissioned_at": NOW}},
        {"outlet_stops": {"outlet_id": "M01", "why": "x", "count": 1}},
    ],
    ids=str,
)
async def test_what_is_one_thing_beside_it_is_left_to_the_whole_path(
    rows: Rows, differs: dict[str, dict[str, Any]]
) -> None:
    assert not await accepted(rows, differs)
    state = differs.get("fulfillments", {}).get("state", "offered")
    assert await rows.conn.fetchval("SELECT state FROM fulfillments WHERE id = $1", UNIT) == state


@pytest.mark.parametrize(
    "says",
    [{"unit": str(UUID(int=6))}, {"outlet": "M02"}, {"seq": 8}, {"slot": "A2"}, {"key_id": 4}],
    ids=str,
)
async def test_what_another_machine_or_an_older_offer_would_say_starts_nothing(
    rows: Rows, says: dict[str, Any]
) -> None:
    assert not await accepted(rows, {}, **says)
    assert await rows.conn.fetchval("SELECT count(*) FROM fulfillments WHERE state = 'going'") == 0
