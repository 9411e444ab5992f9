"""What each statement about practice machines, setting up, and stopping a whole machine finds or
changes. Each case differs in one thing."""

from datetime import timedelta
from uuid import UUID

from coinslot.fleet import store
from tests.sales.asked import Asked, mistaken
from tests.sales.by_hand import NOW, Rows

MOMENT = timedelta(microseconds=1)
HOUR = timedelta(hours=1)
LONG_AGO, FAR = NOW - timedelta(days=9999), NOW + timedelta(days=9999)  # of the server's own clock
ASHA, CHANDRA, ME, ANOTHER, MOCK, LIVE, COLA, ORDER = (UUID(int=n) for n in range(1, 9))
MACHINE = {"id": "M01", "merchant_id": ASHA, "kind": "vending", "channel": "mqtt",
           "dialect": "leased", "created_at": NOW}  # fmt: skip
PRACTICE = {"outlet_id": "M01", "player": ME, "played_until": FAR, "broken": "jam",
            "memory": {"a": 1}}  # fmt: skip
LEFT = "SELECT * FROM practice_machines"
SLOT = {"outlet_id": "M01", "slot": "A1", "product_id": COLA, "withheld_at": None,
        "out_of_sale_at": None, "failures_in_row": 1, "withheld_alone": False,
        "withheld_whole": False}  # fmt: skip
STOPPED = {**SLOT, "withheld_at": NOW, "out_of_sale_at": NOW, "withheld_whole": True}
SLOTS = "SELECT * FROM slots"
PRODUCT = {"id": COLA, "merchant_id": ASHA, "sku": "cola", "name": "Cola", "cost_minor": 7}
SOLD = {"id": ORDER, "merchant_id": ASHA, "outlet_id": "M01", "state": "completed",
        "source": "page"}  # fmt: skip
UNIT = {"order_id": ORDER, "outlet_id": "M01", "state": "queued", "due_at": NOW}
DONE = {"fulfillments.settlement": "fulfilled", "fulfillments.basis": "vended"}
SETUP = {"merchant_id": ASHA, "draft": {"a": 1}, "put_away_at": None, "books_seen_at": None}
SETUPS = "SELECT * FROM setups"
ANOTHERS = {"setups.merchant_id": CHANDRA}

SET_UP = Asked(
    "how far setting up is", store.SETUP, (ASHA,),
    {"merchants": {"id": ASHA, "slug": "asha"},
     "setups": {**SETUP, "put_away_at": NOW, "books_seen_at": NOW},
     "gateway_accounts": {"id": MOCK, "merchant_id": ASHA, "gateway": "mock",
                          "slug": "practice-asha", "test_only": True},
     "gateway_accounts 2": {"id": LIVE, "merchant_id": ASHA, "gateway": "razorpay",
                            "slug": "shop", "test_only": False},
     "outlets": {**MACHINE, "channel": "practice"},
     "outlets 2": {**MACHINE, "id": "M00", "channel": "practice", "created_at": NOW - MOMENT},
     "outlets 3": {**MACHINE, "id": "M02"},
     "ways_to_pay": {"outlet_id": "M01", "way": "link", "place": 1},
     "ways_to_pay 2": {"outlet_id": "M00", "way": "link", "place": 1},
     "orders": SOLD,
     "devices": {"outlet_id": "M02", "last_seen_at": NOW}},
    ({"merchants.id": CHANDRA},),
    gives={"begun": True, "put_away": True, "draft": {"a": 1}, "books_seen": True,
           "practice_account": MOCK, "live_account": True, "machine": "M01", "sold": True,
           "real_machine": True, "real_heard": True},
    others=(
        (ANOTHERS, {"begun": False, "put_away": False, "draft": None, "books_seen": False}),
        ({"setups.put_away_at": None}, {"put_away": False, "begun": True}),
        ({"setups.books_seen_at": None}, {"books_seen": False}),
        *(({f"gateway_accounts.{name}": value}, {"practice_account": None})
          for name, value in (("merchant_id", CHANDRA), ("gateway", "razorpay"), ("slug", "asha"))),
        ({"gateway_accounts 2.merchant_id": CHANDRA}, {"live_account": False}),
        ({"gateway_accounts 2.test_only": True}, {"live_account": False}),
        ({"outlets.merchant_id": CHANDRA}, {"machine": "M00", "sold": False}),
        ({"outlets.channel": "mqtt"}, {"machine": "M00", "sold": False}),
        ({"outlets.decommissioned_at": NOW}, {"machine": "M00", "sold": True}),
        ({"outlets.created_at": NOW - 2 * MOMENT}, {"machine": "M00"}),
        ({"ways_to_pay.outlet_id": "M02"}, {"machine": "M00"}),
        ({"ways_to_pay.way": "code"}, {"machine": "M00"}),
        ({"ways_to_pay.place": None}, {"machine": "M00"}),
        ({"orders.outlet_id": "M02"}, {"sold": False}),
        ({"orders.state": "failed"}, {"sold": False}),
        ({"outlets 3.merchant_id": CHANDRA}, {"real_machine": False, "real_heard": False}),
        ({"outlets 3.channel": "practice"}, {"real_machine": False, "real_heard": False}),
        ({"outlets 3.decommissioned_at": NOW}, {"real_machine": False, "real_heard": True}),
        ({"devices.outlet_id": "M03"}, {"real_machine": True, "real_heard": False}),
        ({"devices.last_seen_at": None}, {"real_heard": False}),
    ),
)  # fmt: skip

ASKED = (
    SET_UP,
    Asked("windows of a practice machine", f"{store.PRACTICE_WINDOWS} RETURNING windows",
          ("M01", {"a_s": 9}), {"outlets": {**MACHINE, "windows": {"a_s": 1, "b_s": 2}}},
          ({"outlets.id": "M02"},), gives={"windows": {"a_s": 9, "b_s": 2}}),
    Asked("a practice machine", store.PRACTICE, ("M01",), {"practice_machines": PRACTICE},
          ({"practice_machines.outlet_id": "M02"},), gives={"broken": "jam", "memory": {"a": 1}}),
    Asked("it is broken", store.BREAK, ("M01", "lie"), {"practice_machines": PRACTICE},
          ({"practice_machines.outlet_id": "M02"},)),
    Asked("a machine that nobody plays is claimed",
          f"{store.CLAIM_PRACTICE} RETURNING player, played_until > now() + $2 * 0.9 AS on",
          (ME, HOUR), {"practice_machines": {**PRACTICE, "player": None, "played_until": None}},
          ({"practice_machines.player": ANOTHER, "practice_machines.played_until": FAR},
           {"practice_machines.player": ME, "practice_machines.played_until": FAR}),
          gives={"player": ME, "on": True},
          others=tuple(
              ({"practice_machines.player": who, "practice_machines.played_until": LONG_AGO},
               {"player": ME, "on": True}) for who in (ME, ANOTHER))),
    Asked("machines that one plays", store.PLAYED, (ME,),
          {"practice_machines": PRACTICE, "outlets": MACHINE,
           "devices": {"outlet_id": "M01", "secret": b"s", "key_id": 3}},
          ({"practice_machines.player": ANOTHER}, {"practice_machines.played_until": LONG_AGO},
           {"outlets.id": "M02"}, {"outlets.decommissioned_at": NOW}, {"devices.outlet_id": "M02"}),
          gives={"outlet_id": "M01", "broken": "jam", "memory": {"a": 1}, "secret": b"s",
                 "key_id": 3}),
    Asked("what it remembers", store.KEEP_PRACTICE, ("M01", ME, {"b": 2}),
          {"practice_machines": PRACTICE},
          ({"practice_machines.outlet_id": "M02"}, {"practice_machines.player": ANOTHER},
           {"practice_machines.played_until": LONG_AGO}), gives={"broken": "jam"}),
    Asked("it is played no more", store.RELEASE_PRACTICE, (ME,), {"practice_machines": PRACTICE},
          (), after=LEFT, gives={"player": None, "played_until": None},
          others=(({"practice_machines.player": ANOTHER},
                   {"player": ANOTHER, "played_until": FAR}),)),
    Asked("the last order", store.LAST_ORDER, ("M01",), {"orders": SOLD, "fulfillments": UNIT},
          ({"orders.outlet_id": "M02"}, {"orders.source": "test_vend", "orders.amount_minor": 0}),
          gives={"id": ORDER, "state": "completed", "unsettled": True},
          others=(({"fulfillments.order_id": ANOTHER}, {"unsettled": False}),
                  (DONE, {"unsettled": False}))),
    Asked("a draft is kept", store.KEEP_DRAFT, (ASHA, {"b": 2}), {"setups": SETUP}, (),
          after=SETUPS, gives={"draft": {"b": 2}}, others=((ANOTHERS, {"draft": {"a": 1}}),)),
    *(Asked(name, sql, (ASHA, NOW), {"setups": SETUP}, (), after=SETUPS, gives={column: NOW},
            others=((ANOTHERS, {column: None}), ({f"setups.{column}": FAR}, {column: FAR})))
      for name, sql, column in (("books were seen", store.BOOKS_SEEN, "books_seen_at"),
                                ("it is put away", store.PUT_AWAY, "put_away_at"))),
    Asked("a whole machine stops", store.WITHHOLD_ALL, ("M01", NOW), {"slots": SLOT}, (),
          after=SLOTS,
          gives={"withheld_whole": True, "withheld_at": NOW, "out_of_sale_at": NOW},
          others=(({"slots.outlet_id": "M02"}, {"withheld_whole": False, "withheld_at": None,
                                                "out_of_sale_at": None}),
                  ({"slots.withheld_at": FAR, "slots.out_of_sale_at": FAR},
                   {"withheld_at": FAR, "out_of_sale_at": FAR}))),
    Asked("a whole machine sells again", store.PUT_ALL_ON_SALE, ("M01",), {"slots": STOPPED}, (),
          after=SLOTS,
          gives={"withheld_whole": False, "withheld_at": None, "out_of_sale_at": None},
          others=(({"slots.outlet_id": "M02"}, {"withheld_whole": True, "withheld_at": NOW}),
                  ({"slots.withheld_whole": False}, {"withheld_at": NOW, "out_of_sale_at": NOW}),
                  ({"slots.withheld_alone": True}, {"withheld_at": NOW, "out_of_sale_at": NOW,
                                                    "withheld_whole": False}),
                  ({"slots.failures_in_row": 2}, {"withheld_at": None, "out_of_sale_at": NOW}))),
    Asked("a slot to test", store.SLOT_TO_TEST, ("M01", "A1"),
          {"slots": SLOT, "products": PRODUCT, "devices": {"outlet_id": "M01",
                                                           "last_seen_at": NOW}},
          ({"slots.outlet_id": "M02"}, {"slots.slot": "A2"}, {"products.id": ANOTHER}),
          gives={"product_id": COLA, "sku": "cola", "cost_minor": 7, "last_seen_at": NOW},
          others=(({"devices.outlet_id": "M02"}, {"last_seen_at": None}),), locks=("slots",)),
    Asked("orders of a machine", store.SALES, ("M01", 9),
          {"orders": SOLD,
           "order_lines": {"id": UUID(int=21), "order_id": ORDER, "name": "Cola", "quantity": 1},
           "order_lines 2": {"id": UUID(int=20), "order_id": ORDER, "name": "Tea", "quantity": 1}},
          ({"orders.outlet_id": "M02"},), gives={"order": ORDER, "product": "Tea, Cola"},
          others=(({"order_lines.order_id": ANOTHER}, {"product": "Tea"}),
                  ({"order_lines.order_id": ANOTHER, "order_lines 2.order_id": ANOTHER},
                   {"product": ""}))),
    Asked("a machine that is changed is locked", store.LOCK_MACHINE, ("M01", ASHA),
          {"outlets": MACHINE}, (), locks=("outlets",)),
    Asked("and its slots", store.LOCK_SLOTS, ("M01",),
          {"slots": {**SLOT, "slot": "A2"}, "slots 2": SLOT}, (), locks=("slots",),
          gives=({"slot": "A1"}, {"slot": "A2"})),
    Asked("and its device", store.LOCK_DEVICE, ("M01",), {"devices": {"outlet_id": "M01"}}, (),
          locks=("devices",)),
    Asked("what a new name changes", f"{store.RENAME} RETURNING *",
          ("M01", "new", "the hall", "a@b", "Europe/Riga", {"a": 1}), {"outlets": MACHINE}, (),
          gives={"name": "new", "place": "the hall", "contact": "a@b", "zone": "Europe/Riga",
                 "device_config": {"a": 1}}),
    Asked("its own device", store.DEVICE, ("M01",),
          {"outlets": MACHINE, "devices": {"outlet_id": "M01", "firmware": "1.2"}}, (),
          gives={"firmware": "1.2"}, others=(({"devices.outlet_id": "M02"}, {"firmware": None}),)),
    Asked("one that is not heard lately", store.FAILING_MACHINES, (ASHA, None, 9, NOW, None, True),
          {"outlets": MACHINE, "devices": {"outlet_id": "M01", "last_seen_at": NOW - MOMENT}},
          ({"devices.last_seen_at": NOW},), ({"devices.last_seen_at": None},)),
    *(Asked(f"one whose slot sells nothing: {name}", store.FAILING_MACHINES,
            (ASHA, None, 9, NOW, None, True),
            {"outlets": MACHINE, "devices": {"outlet_id": "M01", "last_seen_at": NOW},
             "slots": {**SLOT, "stock": 1, **sells_nothing}},
            ({"slots.stock": 1, "slots.out_of_sale_at": None},))
      for name, sells_nothing in (("sold out", {"stock": 0}), ("out", {"out_of_sale_at": NOW}))),
    Asked("open units of a machine", store.MACHINES, (ASHA, None, 9, NOW, None, True),
          {"outlets": MACHINE, "fulfillments": UNIT}, (), gives={"open_units": 1},
          others=(({"fulfillments.outlet_id": "M02"}, {"open_units": 0}),
                  (DONE, {"open_units": 0}))),
    Asked("a slot with its own product", store.SLOTS, ("M01",),
          {"slots": SLOT, "products": PRODUCT}, ({"products.id": ANOTHER},)),
    Asked("a fault with its own line", store.FAULTS, ("M01", None, 9),
          {"fulfillments": {**UNIT, "state": "in_doubt", "line_id": ORDER},
           "order_lines": {"id": ORDER, "quantity": 1}}, ({"order_lines.id": ANOTHER},)),
    Asked("a slot is withheld by itself", f"{store.WITHHOLD}, withheld_alone, withheld_at",
          ("M01", "A1", NOW), {"slots": SLOT}, (),
          gives={"withheld_alone": True, "withheld_at": NOW}),
    Asked("a slot sells again, whatever withheld it",
          f"{store.PUT_ON_SALE}, withheld_alone, withheld_whole, failures_in_row", ("M01", "A1"),
          {"slots": {**STOPPED, "withheld_alone": True}}, (),
          gives={"withheld_alone": False, "withheld_whole": False, "failures_in_row": 0}),
    Asked("accounts of one moment", store.ACCOUNTS, (ASHA,),
          {f"gateway_accounts {n}": {"id": UUID(int=n), "merchant_id": ASHA, "slug": f"s{n}"}
           for n in (2, 3, 1)}, (),
          gives=({"slug": "s1"}, {"slug": "s2"}, {"slug": "s3"})),
)  # fmt: skip


async def test_each_statement_finds_its_row_and_none_that_differs(rows: Rows) -> None:
    assert await mistaken(rows, ASKED) == []


async def test_lists_have_an_order_and_an_end(rows: Rows) -> None:
    for number in (2, 3, 1):
        code = f"M{number}"
        await rows.put("outlets", **{**MACHINE, "id": code})
        await rows.put("devices", outlet_id=code)
        await rows.put("practice_machines", **{**PRACTICE, "outlet_id": code})
        await rows.put("orders", **{**SOLD, "id": UUID(int=number), "token": code})
    played = await rows.conn.fetch(store.PLAYED, ME)
    assert [row["outlet_id"] for row in played] == ["M1", "M2", "M3"]
    orders = await rows.conn.fetch(store.SALES, "M01", 2)
    assert [row["order"].int for row in orders] == [3, 2]
    assert [row["id"].int for row in await rows.conn.fetch(store.LAST_ORDER, "M01")] == [3]


async def test_a_turn_ends_at_its_very_moment_and_is_renewed_when_half_of_it_is_over(
    rows: Rows,
) -> None:
    await rows.conn.execute("BEGIN")
    now = await rows.conn.fetchval("SELECT now()")

    async def found(sql: str, *values: object, **given: object) -> bool:
        await rows.conn.execute("DELETE FROM practice_machines; DELETE FROM devices")
        await rows.put("practice_machines", **{**PRACTICE, **given})
        await rows.put("devices", outlet_id="M01")
        return bool(await rows.conn.fetch(sql, *values))

    await rows.put("outlets", **MACHINE)
    claim = f"{store.CLAIM_PRACTICE} RETURNING player"
    assert not await found(store.PLAYED, ME, played_until=now)
    assert not await found(store.KEEP_PRACTICE, "M01", ME, {}, played_until=now)
    assert not await found(claim, ME, HOUR, player=ANOTHER, played_until=now)
    assert not await found(claim, ME, HOUR, played_until=now + HOUR / 2)
    assert await found(claim, ME, HOUR, played_until=now + HOUR / 2 - MOMENT)
    assert not await found(claim, ME, HOUR, player=ANOTHER, played_until=now + MOMENT)
    await rows.conn.execute("ROLLBACK")


async def test_setting_up_begins_once(rows: Rows) -> None:
    for _ in range(2):
        await rows.conn.execute(store.BEGIN_SETUP, ASHA, NOW)
    assert await rows.conn.fetchval("SELECT count(*) FROM setups") == 1
