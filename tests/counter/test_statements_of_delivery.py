"""What each statement about what is brought to a door, and who waits outside, finds or writes: its
own row, as long as nothing differs from what it asks for. Each case differs in one thing."""

from coinslot.counter import arrivals, driving, privacy, store
from tests.counter.test_statements_of_the_counter import (
    ASHA,
    MOMENT,
    ORDER,
    OTHER,
    PIECE,
    SETTLED,
    SOON,
    STORE,
    WITH_CODE,
    Row,
)
from tests.sales.asked import Asked, mistaken
from tests.sales.by_hand import NOW, Rows

SECRET = "a-driver-has-this-secret"
BROUGHT: Row = {
    "order_id": ORDER, "merchant_id": ASHA, "zone_id": OTHER, "address": "1 Mill Road",
    "driver_token": SECRET, "left_at": NOW,
}  # fmt: skip
NOT_LEFT: Row = {**BROUGHT, "left_at": None}
WAITS: dict[str, Row] = {
    "counter_orders": {**WITH_CODE, "here_note": "bay 3", "here_changes": 4},
    "counter_stores": {**STORE, "arrivals": True}, "fulfillments": PIECE,
}  # fmt: skip
PLACED: Row = {**STORE, "arrivals": True, "latitude": 48.1, "longitude": 11.5, "here_m": 150}
FENCED: dict[str, Row] = {**WAITS, "counter_stores": PLACED}
NOT_THERE: list[Row] = [
    {"counter_orders.order_id": OTHER}, {"counter_stores.outlet_id": "K02"},
    {"counter_stores.arrivals": False}, {"counter_orders.here_changes": 5},
    {"fulfillments.order_id": OTHER}, SETTLED,
]  # fmt: skip
OF_DELIVERY = (
    Asked("a trip by its secret", driving._TRIP, (SECRET,), {"counter_deliveries": BROUGHT},
          ({"counter_deliveries.driver_token": "a-driver-has-another-one"},),
          gives={"order_id": ORDER, "merchant_id": ASHA, "left_at": NOW}),
    Asked("when a driver left", store.DELIVERY_OF, (ORDER,), {"counter_deliveries": BROUGHT},
          ({"counter_deliveries.order_id": OTHER},), gives={"left_at": NOW}),
    Asked("a driver leaves", driving._LEAVE, (ORDER, SOON, NOW), {"counter_deliveries": NOT_LEFT},
          ({"counter_deliveries.order_id": OTHER}, {"counter_deliveries.left_at": NOW}),
          ({"counter_deliveries.left_at": NOW - MOMENT},)),
    Asked("a customer waits outside", arrivals._HERE, (ORDER, 5, NOW, "bay 4", None), WAITS,
          (*NOT_THERE, {"counter_orders.here_at": NOW, "counter_orders.here_note": "bay 4"}),
          ({"counter_orders.here_at": NOW}, {"counter_orders.here_note": "bay 4"}),
          gives={"outlet_id": "K01"}),
    Asked("a customer whose order is brought", arrivals._HERE, (ORDER, 5, NOW, "bay 4", None),
          {**WAITS, "counter_deliveries": {**BROUGHT, "order_id": OTHER}},
          ({"counter_deliveries.order_id": ORDER},)),
    Asked("whether an order's customers may say that they wait", store.CODE_OF, (ORDER,),
          {"counter_orders": WITH_CODE, "counter_stores": PLACED},
          ({"counter_orders.order_id": OTHER},), gives={"arrivals": True, "asks_where": True},
          others=(({"counter_stores.outlet_id": "K02"}, {"arrivals": False, "asks_where": False}),
                  ({"counter_stores.arrivals": False}, {"arrivals": False, "asks_where": False}),
                  ({"counter_stores.here_m": None}, {"arrivals": True, "asks_where": False}))),
    Asked("where a phone has to be", arrivals._FENCE, (ORDER, 5), FENCED,
          (*NOT_THERE, {"counter_stores.here_m": None}),
          gives={"latitude": 48.1, "longitude": 11.5, "here_m": 150}),
    Asked("nowhere for what is brought", arrivals._FENCE, (ORDER, 5),
          {**FENCED, "counter_deliveries": {**BROUGHT, "order_id": OTHER}},
          ({"counter_deliveries.order_id": ORDER},)),
    Asked("a word is noted", f"{arrivals._HERE}, *", (ORDER, 5, SOON, "bay 4", "said"), FENCED, (),
          gives={"here_at": SOON, "here_note": "bay 4", "here_changes": 5, "here_by": "said"},
          others=(({"counter_orders.here_at": NOW, "counter_orders.here_by": "near"},
                   {"here_by": "near"}),)),
    Asked("a word is proved", f"{arrivals._HERE}, here_by", (ORDER, 5, SOON, "bay 3", "near"),
          {**FENCED, "counter_orders": {**WAITS["counter_orders"], "here_at": NOW,
                                        "here_by": "said"}},
          ({"counter_orders.here_by": "near"}, {"$5": "said"}, {"$5": None}),
          ({"counter_orders.here_by": None},), gives={"here_by": "near"}),
    Asked("whether phones are asked where they are", privacy._ASKS_WHERE, ("K01",),
          {"counter_stores": PLACED},
          ({"counter_stores.outlet_id": "K02"}, {"counter_stores.arrivals": False},
           {"counter_stores.here_m": None})),
)  # fmt: skip


async def test_each_statement_of_delivery_finds_and_writes_what_it_should(rows: Rows) -> None:
    assert await mistaken(rows, OF_DELIVERY) == []
