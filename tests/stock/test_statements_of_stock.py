"""What each statement of this room finds: its own row, as long as nothing differs from what it asks
for."""

from datetime import date, timedelta
from uuid import UUID

from coinslot.stock import store
from tests.sales.asked import Asked, mistaken
from tests.sales.by_hand import NOW, Rows

MOMENT = timedelta(microseconds=1)
ASHA, CHANDRA, COLA, TEA, UNIT = (UUID(int=n) for n in range(1, 6))
MERCHANT = {"id": ASHA, "slug": "asha"}
MACHINE = {"id": "M01", "merchant_id": ASHA, "kind": "vending", "channel": "mqtt",
           "dialect": "leased"}  # fmt: skip
OF_ASHA = {"outlets": MACHINE, "merchants": MERCHANT}
SLOT = {"outlet_id": "M01", "slot": "A1", "merchant_id": ASHA, "product_id": COLA, "stock": 3}
PRODUCT = {"id": COLA, "merchant_id": ASHA, "sku": "cola", "name": "Cola"}
DEMAND = {"outlet_id": "M01", "slot": "A1", "product_id": COLA, "sales": 2.0, "days": 1.0,
          "held": 3, "through": 1}  # fmt: skip
WEEK = {"outlet_id": "M01", "weekday_sold": [0.0] * 7, "weekday_days": [0.0] * 7,
        "through_day": date(2026, 11, 19)}  # fmt: skip
VEND = {"unit_id": UNIT, "outlet_id": "M01", "slot": "A1", "word": "fell", "at": NOW - MOMENT}
LINE = {"id": UUID(int=9), "slot": "A1"}
OPEN = {"id": UNIT, "outlet_id": "M01", "line_id": UUID(int=9), "state": "queued",
        "due_at": NOW, "hard_deadline": NOW, "open": False}  # fmt: skip
LOT = {"outlet_id": "M01", "slot": "A1", "pieces": 2, "expires_on": date(2027, 1, 31)}
VISIT = {"id": UUID(int=11), "outlet_id": "M01", "at": NOW, "lines": []}
ROUTE = {"merchant_id": ASHA, "name": "North", "machines": ["M01"]}
DIFFERENCE = {"outlet_id": "M01", "slot": "A1", "cause": "count", "expected": 3, "counted": 2}
NOT_M01 = {"outlets.id": "M02"}

ASKED = (
    Asked("a machine", store.MACHINE, ("M01", ASHA), OF_ASHA,
          (NOT_M01, {"outlets.merchant_id": CHANDRA, "merchants.id": CHANDRA}),
          ({"outlets.decommissioned_at": NOW},), gives={"zone": None},
          others=(({"merchants.zone": "Asia/Kolkata"}, {"zone": "Asia/Kolkata"}),
                  ({"merchants.zone": "Asia/Kolkata", "outlets.zone": "Etc/UTC"},
                   {"zone": "Etc/UTC"}))),
    Asked("machines of a merchant", store.MACHINES, (ASHA, None, 9), OF_ASHA,
          ({"outlets.merchant_id": CHANDRA, "merchants.id": CHANDRA}, {"outlets.kind": "coffee"},
           {"outlets.channel": "practice"}, {"outlets.decommissioned_at": NOW})),
    Asked("machines of a route in its order", store.MACHINES, (ASHA, ["M02", "M01"], 9),
          {**OF_ASHA, "outlets 2": {**MACHINE, "id": "M02"},
           "outlets 3": {**MACHINE, "id": "M03"}}, (),
          gives=({"code": "M02"}, {"code": "M01"})),
    Asked("slots to be counted", store.LOCK_SLOTS, ("M01", ["A1"]), {"slots": SLOT},
          ({"slots.outlet_id": "M02"}, {"slots.slot": "A2"}), locks=("slots",)),
    Asked("last visits", store.LAST_VISITS, ("M01", 1),
          {"refill_visits": VISIT,
           "refill_visits 2": {**VISIT, "id": UUID(int=12), "at": NOW - MOMENT}},
          ({"refill_visits.outlet_id": "M02", "refill_visits 2.outlet_id": "M02"},),
          gives={"id": UUID(int=11)},
          others=(({"refill_visits.at": NOW - MOMENT}, {"id": UUID(int=12)}),)),
    Asked("what lies in a slot", store.SLOTS, (["M01"],),
          {"slots": SLOT, "products": PRODUCT, "slot_demand": DEMAND, "outlet_demand": WEEK,
           "fulfillments": OPEN, "order_lines": LINE, "stock_lots": LOT},
          ({"slots.outlet_id": "M02"}, {"slots.product_id": TEA}),
          gives={"promised": 1, "sales": 2.0, "weekday_sold": [0.0] * 7,
                 "lots": [{"pieces": 2, "expires_on": "2027-01-31"}]},
          others=(({"slot_demand.product_id": TEA}, {"sales": None}),
                  ({"slot_demand.outlet_id": "M02"}, {"sales": None}),
                  ({"slot_demand.slot": "A2"}, {"sales": None}),
                  ({"outlet_demand.outlet_id": "M02"}, {"weekday_sold": None}),
                  ({"stock_lots.outlet_id": "M02"}, {"lots": []}),
                  ({"stock_lots.slot": "A2"}, {"lots": []}),
                  ({"order_lines.slot": "A2"}, {"promised": 0}),
                  ({"fulfillments.outlet_id": "M02"}, {"promised": 0}))),
    Asked("what vends do not explain", store.DIFFERENCES, ("M01", 9),
          {"stock_differences": DIFFERENCE},
          ({"stock_differences.outlet_id": "M02"}, {"stock_differences.cause": "refill"}),
          ({"stock_differences.cause": "boot"}, {"stock_differences.cause": "visit"})),
    Asked("routes", store.ROUTES, (ASHA,), {"routes": ROUTE},
          ({"routes.merchant_id": CHANDRA}, {"routes.dropped_at": NOW})),
    Asked("a route", store.ROUTE, (ASHA, "North"), {"routes": ROUTE},
          ({"routes.merchant_id": CHANDRA}, {"routes.name": "South"},
           {"routes.dropped_at": NOW})),
    Asked("a route ends", store.DROP_ROUTE, (ASHA, "North", NOW), {"routes": ROUTE},
          ({"routes.merchant_id": CHANDRA}, {"routes.name": "South"},
           {"routes.dropped_at": NOW})),
    Asked("a day that is over", store.DAYS_TO_LEARN, (NOW, "Etc/UTC", 9),
          {**OF_ASHA, "outlet_demand": WEEK},
          ({"outlets.kind": "coffee"}, {"outlets.decommissioned_at": NOW},
           {"outlet_demand.through_day": date(2026, 11, 20)}),
          ({"outlet_demand.outlet_id": "M02"}, {"outlets.zone": "Asia/Kolkata"}),
          gives={"code": "M01"}),
    Asked("a day is over an hour after its end", store.DAYS_TO_LEARN,
          (NOW.replace(hour=1), "Etc/UTC", 9),
          {**OF_ASHA, "outlet_demand": WEEK},
          ({"$1": NOW.replace(hour=1) - MOMENT},
           {"outlets.zone": "America/New_York"}, {"merchants.zone": "America/New_York"},
           {"$2": "America/New_York"}),
          gives={"zone": "Etc/UTC"}),
    Asked("what is learned already", store.LOCK_LEARNED, ("M01",), {"outlet_demand": WEEK},
          ({"outlet_demand.outlet_id": "M02"},), locks=("outlet_demand",)),
    Asked("what fell on a day", store.VENDS_BY_DAY, ("M01", "Etc/UTC", NOW),
          {"slot_demand": {**DEMAND, "through": 0}, "slot_vends": VEND},
          ({"slot_demand.outlet_id": "M02"}, {"slot_vends.outlet_id": "M02"},
           {"slot_vends.slot": "A2"}, {"slot_vends.word": "may_have"}, {"slot_vends.at": NOW},
           {"slot_demand.through": 10**6}),
          gives={"day": date(2026, 11, 21), "sold": 1},
          others=(({"$2": "Pacific/Auckland"}, {"day": date(2026, 11, 22)}),)),
    Asked("slots to learn of", store.LEARNED_SLOTS, ("M01",),
          {"slot_demand": DEMAND, "slots": SLOT},
          ({"slot_demand.outlet_id": "M02"}, {"slots.outlet_id": "M02"}, {"slots.slot": "A2"}),
          gives={"out": False},
          others=(({"slots.out_of_sale_at": NOW}, {"out": True}),)),
    Asked("a slot is learned", store.LEARN_SLOT, ("M01", "A1", 1.5, 2.5, 7, 8, 9),
          {"slot_demand": DEMAND},
          after="SELECT sales, days, held, through, likely FROM slot_demand", differs=(),
          gives={"sales": 1.5, "days": 2.5, "held": 7, "through": 8, "likely": 9},
          others=(({"slot_demand.outlet_id": "M02"}, {"sales": 2.0}),
                  ({"slot_demand.slot": "A2"}, {"sales": 2.0}))),
    Asked("a week is learned", store.LEARN_WEEK, ("M01", [1.0] * 7, [2.0] * 7, NOW.date()),
          {"outlet_demand": WEEK}, after="SELECT weekday_sold, through_day FROM outlet_demand",
          differs=(), gives={"weekday_sold": [1.0] * 7, "through_day": NOW.date()},
          others=(({"outlet_demand.outlet_id": "M02"}, {"weekday_sold": [0.0] * 7}),)),
)  # fmt: skip


async def test_each_statement_finds_its_row_and_none_that_differs(rows: Rows) -> None:
    assert await mistaken(rows, ASKED) == []
