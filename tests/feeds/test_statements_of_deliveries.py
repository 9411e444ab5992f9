"""What is owed to webhook endpoints: what each statement claims, settles, lists and writes. Each
case differs in one thing."""

from collections.abc import AsyncIterator, Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from coinslot.db.pool import RawConnection
from coinslot.events.webhooks import deliver, deliveries, endpoints
from coinslot.events.webhooks.delivery_queries import CLAIM, SETTLE
from tests.sales.asked import Asked, mistaken
from tests.sales.by_hand import NOW, Rows

MOMENT, SECOND, HOUR = timedelta(microseconds=1), timedelta(seconds=1), timedelta(hours=1)
LONG_AGO = NOW - timedelta(days=9999)  # leases are judged by the server's own clock
LOW, ASHA, CHANDRA, HOOK, OTHER, THING, LINE, HIGH = (UUID(int=n) for n in range(8))

ENDPOINT = {"id": HOOK, "merchant_id": ASHA, "status": "enabled", "secret": b"s",
            "types": []}  # fmt: skip
OTHERS = {**ENDPOINT, "id": OTHER}
OWED = {"id": THING, "merchant_id": ASHA, "endpoint_id": HOOK, "seq": 7, "line": LINE,
        "due_at": NOW, "tries": 3, "tried": 5}  # fmt: skip
LATER = {**OWED, "due_at": NOW + HOUR}
GIVEN_UP = {**OWED, "outcome": "given_up", "ended_at": NOW, "due_at": None,
            "leased_until": LONG_AGO}  # fmt: skip
ENDED = {"deliveries.outcome": "delivered", "deliveries.ended_at": NOW, "deliveries.due_at": None}
EVENT = {"seq": 7, "id": "evt_7", "merchant_id": ASHA, "type": "order.paid", "line": LINE,
         "at": NOW}  # fmt: skip
ANEW = {"outcome": None, "ended_at": None, "tries": 0, "due_at": NOW, "leased_until": None}
ONE_MORE = {"public_events": EVENT, "public_events 2": {**EVENT, "seq": 6, "id": "evt_6"}}
ALL = (ASHA, None, None, None, 9)
AHEAD = NOW + 99 * 365 * 24 * HOUR
FAILING = {**ENDPOINT, "failing_since": NOW, "not_before": NOW}
REMOVED = "SELECT * FROM webhook_endpoints"

ASKED = (
    Asked("one, due with the first of its line", deliveries._ONE, (THING,),
          {"deliveries": {**OWED, "due_at": NOW + HOUR},
           "deliveries 2": {**OWED, "id": UUID(int=9), "seq": 6},
           # What stands before or behind that line in the order of lines.
           "deliveries 3": {**LATER, "id": UUID(int=10), "seq": 1, "endpoint_id": OTHER,
                            "line": LOW},
           "deliveries 4": {**LATER, "id": UUID(int=11), "seq": 2, "line": HIGH},
           "deliveries 5": {**LATER, "id": UUID(int=12), "seq": 3, "endpoint_id": LOW},
           **ONE_MORE},
          ({"$1": UUID(int=13)}, {"public_events.seq": 8}),
          gives={"event": "evt_7", "next_try_at": NOW, "under_way": False},
          others=(({"deliveries 2.outcome": "withdrawn", "deliveries 2.ended_at": NOW,
                    "deliveries 2.due_at": None}, {"next_try_at": NOW + HOUR}),
                  (ENDED, {"next_try_at": None}),
                  ({"deliveries.leased_until": NOW - 400 * 24 * HOUR}, {"under_way": False}),
                  ({"deliveries.leased_until": AHEAD}, {"under_way": True}),
                  ({**ENDED, "deliveries.leased_until": AHEAD}, {"under_way": False}))),
    Asked("those of an endpoint", deliveries._LISTED, (ASHA, HIGH, HOOK, "pending", 9),
          {"deliveries": OWED, "public_events": EVENT},
          ({"deliveries.merchant_id": CHANDRA}, {"$2": THING}, {"$3": OTHER}, ENDED,
           {"$4": "delivered"}),
          ({"$2": None}, {"$3": None}, {"$4": None}, {**ENDED, "$4": "delivered"})),
    Asked("newest first", deliveries._LISTED, (ASHA, None, None, None, 2),
          {**{f"deliveries {n}": {**OWED, "id": UUID(int=n), "seq": n} for n in (21, 23, 22)},
           **{f"public_events {n}": {**EVENT, "seq": n, "id": f"evt_{n}"} for n in (21, 22, 23)}},
          (), gives=({"event": "evt_23"}, {"event": "evt_22"})),
    Asked("its tries in their order", deliveries._TRIES, (THING,),
          {f"delivery_tries {n}": {"delivery_id": THING, "number": n} for n in (2, 1)}, (),
          gives=({"number": 1}, {"number": 2}),
          others=(({"delivery_tries 1.delivery_id": OTHER}, ({"number": 2},)),)),
    Asked("one begins anew", deliveries._ANEW, (THING, NOW), {"deliveries": GIVEN_UP}, (),
          after="SELECT * FROM deliveries", gives=ANEW),
    Asked("those that failed begin anew", deliveries._FAILED_ANEW, (HOOK, NOW, 1),
          {"deliveries": {**GIVEN_UP, "seq": 8},
           "deliveries 2": {**GIVEN_UP, "id": UUID(int=9), "endpoint_id": OTHER}}, (),
          after="SELECT * FROM deliveries ORDER BY id", gives=(ANEW, {"outcome": "given_up"}),
          others=(({"deliveries 2.endpoint_id": HOOK}, ({"outcome": "given_up"}, ANEW)),)),
    Asked("a replay begins at the oldest", deliveries._REPLAY,
          (HOOK, ASHA, NOW, NOW + HOUR, [], 1, NOW),
          {f"public_events {n}": {**EVENT, "seq": n, "id": f"evt_{n}"} for n in (9, 8)}, (),
          after="SELECT * FROM deliveries", gives=({"seq": 8, "due_at": NOW},)),
    Asked("what is replayed has its tries again", deliveries._REPLAY,
          (HOOK, ASHA, NOW, NOW + HOUR, [], 1, NOW),
          {"public_events": EVENT, "deliveries": GIVEN_UP}, (), after="SELECT * FROM deliveries",
          gives={"tries": 0, "outcome": None, "due_at": NOW}),
    Asked("an endpoint", endpoints._ONE, (HOOK,), {"webhook_endpoints": ENDPOINT},
          ({"webhook_endpoints.id": OTHER}, {"webhook_endpoints.deleted_at": NOW})),
    Asked("endpoints in their order", endpoints._LISTED, (ASHA,),
          {"webhook_endpoints": OTHERS, "webhook_endpoints 2": ENDPOINT}, (),
          gives=({"id": HOOK}, {"id": OTHER}),
          others=tuple(({f"webhook_endpoints.{name}": value}, ({"id": HOOK},))
                       for name, value in (("merchant_id", CHANDRA), ("deleted_at", NOW)))),
    Asked("an endpoint changes", endpoints._CHANGE,
          (HOOK, "https://b", "text", ["order.paid"], "disabled", False),
          {"webhook_endpoints": {**FAILING, "disabled_reason": "it failed"}}, (),
          after=REMOVED,
          gives={"url": "https://b", "description": "text", "types": ["order.paid"],
                 "status": "disabled", "disabled_reason": "it failed", "failing_since": NOW,
                 "not_before": NOW},
          others=(({"webhook_endpoints.id": OTHER}, {"url": "x", "status": "enabled"}),
                  ({"$5": "enabled"}, {"status": "enabled", "disabled_reason": None}),
                  ({"$6": True}, {"failing_since": None, "not_before": None}))),
    Asked("what waits has all its tries again", endpoints._ANEW, (HOOK, NOW + HOUR),
          {"deliveries": OWED}, (), after="SELECT * FROM deliveries",
          gives={"tries": 0, "due_at": NOW + HOUR}),
    Asked("an endpoint that is removed has no secret", endpoints._REMOVE, (HOOK, NOW),
          {"webhook_endpoints": {**ENDPOINT, "old_secret": b"o", "old_secret_until": NOW}}, (),
          after=REMOVED, gives={"deleted_at": NOW, "secret": None, "old_secret": None,
                                "old_secret_until": None}),
    Asked("what is withdrawn is free", endpoints._WITHDRAW, (HOOK, NOW),
          {"deliveries": {**OWED, "leased_until": LONG_AGO}}, (),
          after="SELECT * FROM deliveries",
          gives={"outcome": "withdrawn", "ended_at": NOW, "due_at": None, "leased_until": None}),
    Asked("the secret of before still signs", endpoints._ROTATE,
          (HOOK, b"new", NOW + HOUR, NOW + SECOND), {"webhook_endpoints": ENDPOINT}, (),
          after=REMOVED,
          gives={"secret": b"new", "old_secret": b"s", "old_secret_until": NOW + HOUR,
                 "secret_set_at": NOW + SECOND}),
    Asked("a test at the place of the reader was announced",
          f"SELECT FROM ({endpoints._TESTS}) c (n) WHERE n = 1", (HOOK, "webhooks"),
          {"feed_cursors": {"name": "webhooks", "seq": 4, "since": 0},
           "events": {"seq": 5, "subject_id": HOOK, "machine": "webhook", "event": "TEST"}},
          ({"feed_cursors.seq": 5},)),
    Asked("an endpoint is well again", deliver._WELL, (HOOK,), {"webhook_endpoints": FAILING}, (),
          after=REMOVED, gives={"failing_since": None, "not_before": None}),
    Asked("it fails since the first time", f"{deliver._FAILS}, not_before",
          (HOOK, NOW + HOUR, NOW + HOUR), {"webhook_endpoints": FAILING}, (),
          gives={"failing_since": NOW, "not_before": NOW + HOUR},
          others=(({"$3": LONG_AGO}, {"not_before": NOW}),
                  ({"webhook_endpoints.failing_since": None},
                   {"failing_since": NOW + HOUR, "not_before": NOW + HOUR}),
                  ({"webhook_endpoints.not_before": None}, {"not_before": NOW + HOUR}))),
    Asked("it is turned off", f"{deliver._DISABLE}, status, disabled_reason",
          (HOOK, "it failed"), {"webhook_endpoints": ENDPOINT}, (),
          gives={"status": "disabled", "disabled_reason": "it failed"}),
)  # fmt: skip


async def test_each_statement_finds_its_row_and_none_that_differs(rows: Rows) -> None:
    assert await mistaken(rows, ASKED) == []


async def owe(rows: Rows, seq: int, **given: Any) -> None:
    """A delivery that is due in a line of its own, with its event."""
    line = given.pop("line", UUID(int=100 + seq))
    event = {**EVENT, "seq": seq, "id": f"evt_{seq}", "line": line}
    await rows.conn.execute("DELETE FROM public_events WHERE seq = $1", seq)
    await rows.put("public_events", **event)
    endpoint = given.get("endpoint_id", HOOK)
    its = {"id": UUID(int=1000 * endpoint.int + seq), "seq": seq, "line": line}
    await rows.put("deliveries", **{**OWED, **its, **given})


Busy = tuple[UUID, UUID, int]


async def claimed(
    rows: Rows, *, most: int = 9, places: int = 9, merchant: int = 9, busy: Iterable[Busy] = ()
) -> list[int]:
    """The places of what is claimed; nothing is kept of it."""
    busy = list(busy)
    await rows.conn.execute("SAVEPOINT claim; SET LOCAL lock_timeout = '100ms'")
    found = await rows.conn.fetch(
        CLAIM, NOW, most, places, HOUR,
        *([one[n] for one in busy] for n in range(3)), merchant,
    )  # fmt: skip
    now = await rows.conn.fetchval("SELECT clock_timestamp()")
    assert all(row["leased_until"] > now + HOUR / 2 for row in found)
    await rows.conn.execute("ROLLBACK TO claim")
    return [row["seq"] for row in found]


@pytest.fixture
async def world(rows: Rows) -> AsyncIterator[Rows]:
    await rows.conn.execute("BEGIN")
    await rows.put("webhook_endpoints", **ENDPOINT)
    yield rows
    await rows.conn.execute("ROLLBACK")


async def test_an_endpoint_has_so_many_places_less_what_is_under_way(world: Rows) -> None:
    for seq in (13, 11, 12):
        await owe(world, seq)
    assert await claimed(world) == [11, 12, 13]
    assert await claimed(world, places=2) == [11, 12]
    assert await claimed(world, places=2, busy=[(HOOK, ASHA, 1)]) == [11]
    assert await claimed(world, places=3, busy=[(OTHER, ASHA, 1)]) == [11, 12, 13]
    await world.conn.execute("UPDATE webhook_endpoints SET failing_since = $1", NOW)
    assert await claimed(world) == [11]
    assert await claimed(world, busy=[(HOOK, ASHA, 2)]) == []


async def test_a_merchant_has_so_many_places_for_the_oldest_of_all_its_endpoints(
    world: Rows,
) -> None:
    await world.put("webhook_endpoints", **OTHERS)
    await owe(world, 20)
    await owe(world, 19, endpoint_id=OTHER)
    assert await claimed(world, merchant=1) == [19]
    assert await claimed(world, merchant=2) == [19, 20]
    assert await claimed(world, merchant=1, busy=[(HIGH, CHANDRA, 5)]) == [19]
    assert await claimed(world, merchant=2, busy=[(HIGH, ASHA, 1)]) == [19]
    assert await claimed(world, merchant=2, busy=[(HIGH, ASHA, 2)]) == []
    await world.conn.execute("UPDATE deliveries SET due_at = $1 WHERE seq = 20", NOW - MOMENT)
    assert await claimed(world, merchant=1) == [20]
    assert await claimed(world, most=1) == [20]
    assert await claimed(world) == [20, 19]


@pytest.mark.parametrize(("first", "second"), [(HOOK, OTHER), (OTHER, HOOK)])
async def test_of_what_is_due_at_once_the_first_event_goes_first(
    world: Rows, first: UUID, second: UUID
) -> None:
    await world.put("webhook_endpoints", **OTHERS)
    await owe(world, 20, endpoint_id=first)
    await owe(world, 19, endpoint_id=second)
    assert await claimed(world, merchant=1) == [19]


async def test_of_one_endpoint_the_oldest_goes_first(world: Rows) -> None:
    await owe(world, 12)
    await owe(world, 11)
    await owe(world, 13, due_at=NOW - MOMENT)
    assert await claimed(world, places=1) == [13]
    assert await claimed(world, places=2) == [13, 11]


async def test_what_is_under_way_elsewhere_takes_no_place_here(world: Rows) -> None:
    ahead = await world.conn.fetchval("SELECT clock_timestamp() + interval '1 hour'")
    await owe(world, 10, due_at=NOW - MOMENT, leased_until=ahead)
    await owe(world, 11)
    await owe(world, 12)
    assert await claimed(world, places=2) == [11, 12]


async def test_nothing_goes_to_an_endpoint_that_is_off(world: Rows) -> None:
    await world.put("webhook_endpoints", **{**OTHERS, "status": "disabled"})
    await owe(world, 11)
    await owe(world, 12, endpoint_id=OTHER)
    assert await claimed(world) == [11]


async def test_a_line_is_one_endpoints_own(world: Rows) -> None:
    """An event goes to each endpoint, in lines that are named alike."""
    await world.put("webhook_endpoints", **OTHERS)
    await owe(world, 12, line=HIGH)
    await owe(world, 11, line=LOW, endpoint_id=OTHER)
    assert await claimed(world) == [11, 12]
    await owe(world, 10, line=HIGH, endpoint_id=OTHER)
    assert await claimed(world) == [10, 11, 12]


async def test_what_another_process_is_claiming_is_not_waited_for(
    rows: Rows, holder: RawConnection
) -> None:
    await rows.put("webhook_endpoints", **ENDPOINT)
    for seq in (11, 12):
        await owe(rows, seq)
    async with holder.transaction():
        await holder.execute("SELECT FROM deliveries WHERE seq = 11 FOR UPDATE")
        await rows.conn.execute("BEGIN")
        assert await claimed(rows) == [12]
        await rows.conn.execute("ROLLBACK")


async def ended(rows: Rows, outcome: str | None, due: Any) -> dict[tuple[UUID, int], Any]:
    """When each is due after the first has ended, or failed and waits; what waits behind one that
    failed is put off for an hour."""
    values = (outcome, due, NOW, 200, None, "", 7, NOW + HOUR)
    assert await rows.conn.fetchval(SETTLE, THING, NOW, *values) is True
    return {
        (row["endpoint_id"], row["seq"]): row["due_at"]
        for row in await rows.conn.fetch("SELECT * FROM deliveries WHERE outcome IS NULL")
    }


async def test_what_waits_behind_one_that_failed_is_put_off_once(world: Rows) -> None:
    due = NOW + 60 * SECOND
    await world.put("deliveries", **{**OWED, "leased_until": NOW})
    await owe(world, 6, line=LINE)
    await owe(world, 8, line=LINE)
    await owe(world, 9, line=LINE, due_at=due - MOMENT)
    await owe(world, 10, line=LINE, due_at=due)
    await owe(world, 11, line=LINE, outcome="withdrawn", ended_at=NOW, due_at=None)
    await owe(world, 12)
    await owe(world, 13, line=LINE, endpoint_id=OTHER)
    assert await ended(world, None, due) == {
        (HOOK, 7): due, (HOOK, 6): NOW, (HOOK, 8): NOW + HOUR, (HOOK, 9): NOW + HOUR,
        (HOOK, 10): due, (HOOK, 12): NOW, (OTHER, 13): NOW,
    }  # fmt: skip
    row = await world.conn.fetchrow("SELECT * FROM deliveries WHERE id = $1", THING)
    assert row is not None
    assert (row["tries"], row["tried"], row["leased_until"], row["ended_at"]) == (4, 6, None, None)
    tried = await world.conn.fetchrow("SELECT * FROM delivery_tries")
    assert tried is not None
    assert (tried["number"], tried["status"], tried["took_ms"], tried["at"]) == (6, 200, 7, NOW)


async def test_one_that_failed_makes_nothing_due(world: Rows) -> None:
    await world.put("deliveries", **{**OWED, "leased_until": NOW})
    await owe(world, 8, line=LINE, due_at=NOW + HOUR)
    after = await ended(world, None, NOW + SECOND)
    assert after == {(HOOK, 7): NOW + SECOND, (HOOK, 8): NOW + HOUR}


async def test_the_next_of_its_line_is_due_when_one_has_ended(world: Rows) -> None:
    later = NOW + HOUR
    await world.put("deliveries", **{**OWED, "leased_until": NOW})
    waiting = (
        (10, LINE, HOOK), (9, LINE, HOOK), (4, HIGH, HOOK), (3, LOW, HOOK), (9, LINE, OTHER),
        (2, LOW, OTHER), (1, HIGH, ASHA), (5, LOW, ASHA),
    )  # fmt: skip
    for seq, line, endpoint in waiting:
        await owe(world, seq, line=line, endpoint_id=endpoint, due_at=later)
    await owe(world, 8, line=LINE, outcome="withdrawn", ended_at=NOW, due_at=None)
    after = await ended(world, "delivered", None)
    assert after == {(endpoint, seq): later for seq, _, endpoint in waiting} | {(HOOK, 9): NOW}


async def test_what_was_due_before_stays_so_when_the_one_before_it_has_ended(world: Rows) -> None:
    await world.put("deliveries", **{**OWED, "leased_until": NOW})
    await owe(world, 8, line=LINE, due_at=NOW - HOUR)
    assert await ended(world, "delivered", None) == {(HOOK, 8): NOW - HOUR}


async def test_nothing_of_another_line_is_due_when_one_has_ended(world: Rows) -> None:
    await world.put("deliveries", **{**OWED, "leased_until": NOW})
    await owe(world, 8, line=HIGH, due_at=NOW + HOUR)
    assert await ended(world, "delivered", None) == {(HOOK, 8): NOW + HOUR}


async def test_a_lease_ends_at_its_very_moment(rows: Rows) -> None:
    """All statements that come in one message have one time."""
    await rows.put("webhook_endpoints", **ENDPOINT)
    await owe(rows, 7)
    anew = f"PREPARE anew (uuid, timestamptz) AS {deliveries._ANEW}"
    claim = (
        "PREPARE claim (timestamptz, bigint, integer, interval, uuid[], uuid[], integer[], integer)"
        f" AS {CLAIM}"
    )
    its, now = UUID(int=1000 * HOOK.int + 7), NOW.isoformat()
    for made, asked, found in (
        (anew, f"anew ('{its}', '{now}')", "UPDATE 1"),
        (claim, f"claim ('{now}', 9, 9, '1 hour', '{{}}', '{{}}', '{{}}', 9)", "SELECT 1"),
    ):
        await rows.conn.execute(made)
        ends = "UPDATE deliveries SET leased_until = statement_timestamp()"
        done = await rows.conn.execute(f"{ends}; EXECUTE {asked}")
        await rows.conn.execute(f"DEALLOCATE {asked.split()[0]}")
        assert done == found
