"""What each statement about webhooks finds or changes: its own row, as long as nothing differs from
what it asks for. Each case differs in one thing."""

from datetime import timedelta
from uuid import UUID

from coinslot.events.webhooks import deliver, deliveries, endpoints
from coinslot.events.webhooks.delivery_queries import CLAIM, LET_GO, SETTLE
from tests.sales.asked import Asked, mistaken
from tests.sales.by_hand import NOW, Rows

MOMENT = timedelta(microseconds=1)
HOUR = timedelta(hours=1)  # leases are judged by the server's own clock
ASHA, CHANDRA, HOOK, OTHER, THING, ANOTHER, LINE = (UUID(int=n) for n in range(1, 8))

ENDPOINT = {"id": HOOK, "merchant_id": ASHA, "status": "enabled", "failing_since": None,
            "secret": b"s", "types": []}  # fmt: skip
OWED = {"id": THING, "merchant_id": ASHA, "endpoint_id": HOOK, "seq": 7, "line": LINE,
        "due_at": NOW, "outcome": None, "leased_until": None, "ended_at": None}  # fmt: skip
EVENT = {"seq": 7, "id": "evt_7", "merchant_id": ASHA, "type": "order.paid", "line": LINE,
         "at": NOW}  # fmt: skip
ENDED = {"deliveries.outcome": "delivered", "deliveries.ended_at": NOW, "deliveries.due_at": None}
GIVEN_UP = {**OWED, "outcome": "given_up", "ended_at": NOW, "due_at": None}
DELETED = {"webhook_endpoints.deleted_at": NOW, "webhook_endpoints.secret": None}
SETTLED = (THING, NOW, "delivered", None, NOW, 200, None, "", 7, None)

ASKED = (
    Asked("what may be sent", CLAIM, (NOW, 9, 2, HOUR, [], [], [], 9),
          {"webhook_endpoints": ENDPOINT, "deliveries": OWED, "public_events": EVENT},
          (ENDED, DELETED, {"deliveries.due_at": NOW + MOMENT}, {"deliveries.seq": 8},
           {"deliveries.endpoint_id": OTHER}, {"webhook_endpoints.status": "disabled"},
           {"webhook_endpoints.not_before": NOW + MOMENT}),
          ({"webhook_endpoints.not_before": NOW}, {"webhook_endpoints.failing_since": NOW},
           {"deliveries.leased_until": NOW - 400 * 24 * HOUR})),
    Asked("the places of an endpoint", CLAIM, (NOW, 9, 2, HOUR, [HOOK], [ASHA], [1], 9),
          {"webhook_endpoints": ENDPOINT, "deliveries": OWED, "public_events": EVENT},
          ({"webhook_endpoints.failing_since": NOW},)),
    Asked("the places of a merchant", CLAIM, (NOW, 9, 9, HOUR, [OTHER], [ASHA], [2], 3),
          {"webhook_endpoints": ENDPOINT, "deliveries": OWED, "public_events": EVENT}, ()),
    Asked("a lease that is given back", f"{LET_GO} RETURNING id", (THING, NOW),
          {"deliveries": {**OWED, "leased_until": NOW}},
          ({"deliveries.id": ANOTHER}, {"deliveries.leased_until": NOW + MOMENT},
           {"deliveries.leased_until": None})),
    Asked("what begins anew with its endpoint", f"{endpoints._ANEW} RETURNING id", (HOOK, NOW),
          {"deliveries": OWED}, (ENDED, {"deliveries.endpoint_id": OTHER})),
    Asked("an endpoint is removed", f"{endpoints._REMOVE} RETURNING id", (HOOK, NOW),
          {"webhook_endpoints": ENDPOINT}, ({"webhook_endpoints.id": OTHER}, DELETED)),
    Asked("what is withdrawn with its endpoint", f"{endpoints._WITHDRAW} RETURNING id",
          (HOOK, NOW), {"deliveries": OWED}, (ENDED, {"deliveries.endpoint_id": OTHER})),
    Asked("an endpoint gets another secret", f"{endpoints._ROTATE} RETURNING id",
          (HOOK, b"t", NOW, NOW), {"webhook_endpoints": ENDPOINT},
          ({"webhook_endpoints.id": OTHER},)),
    Asked("a test that is not announced yet",
          f"SELECT FROM ({endpoints._TESTS}) c (n) WHERE n = 1", (HOOK, "webhooks"),
          {"feed_cursors": {"name": "webhooks", "seq": 0, "since": 0},
           "events": {"subject_id": HOOK, "machine": "webhook", "event": "TEST"}},
          ({"feed_cursors.seq": 10**12}, {"events.subject_id": OTHER},
           {"events.machine": "payment"}, {"events.event": "CREATED"})),
    Asked("a test that is not delivered yet",
          f"SELECT FROM ({endpoints._TESTS}) c (n) WHERE n = 1", (HOOK, "webhooks"),
          {"deliveries": {**OWED, "line": HOOK}},
          (ENDED, {"deliveries.endpoint_id": OTHER}, {"deliveries.line": LINE})),
    Asked("one that is sent again", f"{deliveries._ANEW} RETURNING id", (THING, NOW),
          {"deliveries": GIVEN_UP}, ({"deliveries.id": ANOTHER},),
          ({"deliveries.leased_until": NOW - 400 * 24 * HOUR},)),
    Asked("those that failed are sent again", f"{deliveries._FAILED_ANEW} RETURNING d.id",
          (HOOK, NOW, 9), {"deliveries": GIVEN_UP},
          ({"deliveries.endpoint_id": OTHER}, {"deliveries.outcome": "delivered"},
           {"deliveries.outcome": "withdrawn"})),
    Asked("what is replayed", deliveries._REPLAY,
          (HOOK, ASHA, NOW, NOW + HOUR, ["order.paid"], 9, NOW), {"public_events": EVENT},
          ({"public_events.merchant_id": CHANDRA}, {"public_events.at": NOW - MOMENT},
           {"public_events.at": NOW + HOUR}, {"public_events.type": "order.refunded"}),
          ({"public_events.at": NOW + HOUR - MOMENT},)),
    Asked("what is replayed of every type", deliveries._REPLAY,
          (HOOK, ASHA, NOW, NOW + HOUR, [], 9, NOW), {"public_events": EVENT},
          ({"public_events.type": "webhook.test"},), ({"public_events.type": "order.refunded"},)),
    Asked("what is under way is not replayed", deliveries._REPLAY,
          (HOOK, ASHA, NOW, NOW + HOUR, [], 9, NOW),
          {"public_events": EVENT, "deliveries": {**OWED, "outcome": "delivered",
                                                  "ended_at": NOW, "due_at": None}},
          ({"deliveries.outcome": None, "deliveries.ended_at": None, "deliveries.due_at": NOW},)),
    Asked("an endpoint is well again", f"{deliver._WELL} RETURNING id", (HOOK,),
          {"webhook_endpoints": {**ENDPOINT, "failing_since": NOW}},
          ({"webhook_endpoints.id": OTHER}, {"webhook_endpoints.failing_since": None})),
    Asked("an endpoint fails", deliver._FAILS, (HOOK, NOW, NOW), {"webhook_endpoints": ENDPOINT},
          ({"webhook_endpoints.id": OTHER},)),
    Asked("an endpoint is turned off", deliver._DISABLE, (HOOK, "it failed for days"),
          {"webhook_endpoints": ENDPOINT},
          ({"webhook_endpoints.id": OTHER}, {"webhook_endpoints.status": "disabled"}, DELETED)),
)  # fmt: skip


async def test_each_statement_finds_its_row_and_none_that_differs(rows: Rows) -> None:
    assert await mistaken(rows, ASKED) == []


async def test_only_who_holds_the_lease_writes_how_a_delivery_ended(rows: Rows) -> None:
    differs = (
        {"id": ANOTHER}, {"leased_until": NOW + MOMENT}, {"leased_until": None},
        {"outcome": "withdrawn", "ended_at": NOW, "due_at": None},
    )  # fmt: skip
    for given in ({}, *differs):
        await rows.conn.execute("BEGIN")
        await rows.put("deliveries", **{**OWED, "leased_until": NOW, **given})
        await rows.conn.execute(SETTLE, *SETTLED)
        tries = await rows.conn.fetchval("SELECT count(*) FROM delivery_tries")
        assert tries == (0 if given else 1), given
        await rows.conn.execute("ROLLBACK")


async def test_what_another_process_sends_is_neither_claimed_nor_begun_anew(rows: Rows) -> None:
    (ahead,) = await rows.conn.fetch("SELECT clock_timestamp() + interval '1 hour' AS at")
    await rows.put("webhook_endpoints", **ENDPOINT)
    await rows.put("public_events", **EVENT)
    await rows.put("deliveries", **{**OWED, "leased_until": ahead["at"]})
    assert await rows.conn.fetch(CLAIM, NOW, 9, 2, HOUR, [], [], [], 9) == []
    assert await rows.conn.execute(deliveries._ANEW, THING, NOW) == "UPDATE 0"


async def test_of_a_line_only_the_first_is_claimed_and_of_others_the_oldest(rows: Rows) -> None:
    await rows.put("webhook_endpoints", **ENDPOINT)
    made = ((11, LINE, 0, None), (12, LINE, 0, None), (13, OTHER, 2, None), (14, CHANDRA, 1, None),
            (10, LINE, 0, "delivered"))  # fmt: skip
    for seq, line, age, outcome in made:
        await rows.put("public_events", **{**EVENT, "seq": seq, "id": f"evt_{seq}", "line": line})
        await rows.put("deliveries", **{
            **OWED, "id": UUID(int=seq), "seq": seq, "line": line, "outcome": outcome,
            "ended_at": outcome and NOW, "due_at": None if outcome else NOW - age * MOMENT,
        })  # fmt: skip
    claimed = [row["seq"] for row in await rows.conn.fetch(CLAIM, NOW, 9, 9, HOUR, [], [], [], 9)]
    assert claimed == [13, 14, 11]
