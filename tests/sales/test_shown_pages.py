"""What a page shows of a machine and of an order: all of it, and what each row changes in it."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from msgspec import Struct
from msgspec.structs import replace

from coinslot.channels.base import Powers
from coinslot.db.pool import Database
from coinslot.kit.money import Money
from coinslot.orders import outlet_pages
from coinslot.orders.page_views import (
    BrandView,
    ItemView,
    LineView,
    NearestView,
    OrderView,
    Progress,
    RefundView,
    UnitView,
    WhyNot,
)
from tests.conftest import DatabaseUrls
from tests.sales.by_hand import Rows
from tests.sales.stage import START, Stage, set_stage

MOMENT = timedelta(microseconds=1)
MINUTE = timedelta(minutes=1)


class Hall(Struct):
    """Asha's machine M01, and a hand in its rows."""

    stage: Stage
    rows: Rows

    async def set(self, table: str, **values: Any) -> None:
        columns = ", ".join(f"{name} = ${n + 1}" for n, name in enumerate(values))
        done = await self.rows.conn.execute(f"UPDATE {table} SET {columns}", *values.values())
        assert done != "UPDATE 0"

    async def put(self, table: str, **given: Any) -> dict[str, Any]:
        return await self.rows.put(table, **({"merchant_id": self.stage.merchant} | given))

    async def machine(self) -> Any:
        return await outlet_pages.outlet(self.stage.context, "M01")


@pytest.fixture
async def hall(database: Database, urls: DatabaseUrls) -> AsyncIterator[Hall]:
    stage = await set_stage(database)
    rows = await Rows.open(urls.superuser)
    hall = Hall(stage, rows)
    await hall.set("devices", last_seen_at=START)
    yield hall
    await rows.conn.close()


async def test_a_machine_is_shown_whole(hall: Hall) -> None:
    await hall.set("outlets", contact="call 112", zone="Asia/Kolkata")
    view = await hall.machine()
    assert (view.code, view.name, view.place, view.kind) == ("M01", "Platform 1", "Pune", "vending")
    assert (view.merchant_name, view.channel, view.dialect) == ("Asha", "mqtt", "leased")
    assert (view.ready, view.why_not, view.nearest) == (True, WhyNot.READY, None)
    assert (view.operator_contact, view.currency, view.zone) == ("call 112", "INR", "Asia/Kolkata")
    assert view.items == (
        ItemView(slot="A1", name="Cola", price=Money(4000, "INR"), available=True),
    )
    assert view.guarantee == "G2"  # no sensor was ever told of
    await hall.set("devices", has_sensor=True)
    assert (await hall.machine()).guarantee == "G3"
    assert await outlet_pages.outlet(hall.stage.context, "M99") is None


ONLINE_S = 45


@pytest.mark.parametrize(
    ("table", "values", "why"),
    [
        ("devices", {"last_seen_at": None}, WhyNot.OFFLINE),
        ("devices", {"last_seen_at": "online"}, WhyNot.READY),
        ("devices", {"last_seen_at": "offline"}, WhyNot.OFFLINE),
        ("outlets", {"decommissioned_at": START}, WhyNot.OUT_OF_SERVICE),
        ("slots", {"out_of_sale_at": START}, WhyNot.BROKEN),
        ("slots", {"stock": 0}, WhyNot.SOLD_OUT),
    ],
)
async def test_a_machine_says_why_it_sells_nothing(
    hall: Hall, table: str, values: dict[str, Any], why: WhyNot
) -> None:
    online = hall.stage.context.windows.span("online_s")
    ages = {"online": START - online, "offline": START - online - MOMENT}
    said = {name: ages.get(value, value) for name, value in values.items()}
    await hall.set(table, **said)
    other = await hall.put("outlets", id="M02", name="Platform 2", place="Pune", kind="vending",
                           dialect="leased", channel="mqtt")  # fmt: skip
    product = await hall.rows.conn.fetchval("SELECT id FROM products")
    await hall.put("devices", outlet_id=other["id"], last_seen_at=START)
    await hall.put("slots", outlet_id=other["id"], slot="A1", product_id=product, stock=1)
    view = await hall.machine()
    assert (view.why_not, view.ready) == (why, why is WhyNot.READY)
    near = NearestView(code="M02", name="Platform 2", place="Pune")
    assert view.nearest == (None if view.ready else near)


@pytest.mark.parametrize(
    ("first", "second", "why", "available"),
    [
        ({"stock": 0}, {}, WhyNot.READY, [False, True]),
        ({"out_of_sale_at": START}, {}, WhyNot.READY, [False, True]),
        ({"out_of_sale_at": START}, {"stock": 0}, WhyNot.SOLD_OUT, [False, False]),
        ({"stock": 0}, {"stock": 0}, WhyNot.SOLD_OUT, [False, False]),
        ({"out_of_sale_at": START}, {"out_of_sale_at": START}, WhyNot.BROKEN, [False, False]),
    ],
)
async def test_one_slot_that_sells_is_enough(
    hall: Hall, first: dict[str, Any], second: dict[str, Any], why: WhyNot, available: list[bool]
) -> None:
    product = await hall.rows.conn.fetchval("SELECT id FROM products")
    await hall.put("slots", outlet_id="M01", slot="B1", product_id=product, price_minor=2500,
                   **({"stock": 3} | second))  # fmt: skip
    columns = ", ".join(f"{name} = ${n + 1}" for n, name in enumerate(first))
    await hall.rows.conn.execute(f"UPDATE slots SET {columns} WHERE slot = 'A1'", *first.values())
    view = await hall.machine()
    assert view.why_not is why
    assert [item.available for item in view.items] == available
    assert [item.price.minor for item in view.items] == [4000, 2500]


@pytest.mark.parametrize(
    ("stock", "promised", "available", "contested"),
    [(2, 0, True, False), (2, 1, True, False), (2, 2, False, True), (1, 0, True, False)],
)
async def test_what_is_promised_is_not_sold_again(
    hall: Hall, stock: int, promised: int, available: bool, contested: bool
) -> None:
    await hall.set("slots", stock=stock)
    line = await hall.put("order_lines", slot="A1")
    for _ in range(promised):
        await hall.put("fulfillments", outlet_id="M01", line_id=line["id"], slot="A1",
                       state="queued", due_at=START)  # fmt: skip
    (item,) = (await hall.machine()).items
    assert (item.available, item.contested) == (available, contested)


@pytest.mark.parametrize(
    ("channel", "dialect", "sensor", "powers"),
    [
        ("mqtt", "leased", True, Powers(idempotent_command=True, status_query=True,
                                        result_push=True, expiry=True, evidence=True)),
        ("mqtt", "leased", False, Powers(idempotent_command=True, status_query=True,
                                         result_push=True, expiry=True)),
        ("socketio", "leased", None, Powers(idempotent_command=True, status_query=True,
                                            result_push=True, expiry=True)),
        ("socketio", "simple", False, Powers(result_push=True)),
        ("socketio", "simple", True, Powers(result_push=True)),
        ("mqtt", "simple", True, Powers()),
        ("smoke", "leased", True, Powers()),
    ],
)  # fmt: skip
def test_a_channel_can_do_this_with_a_machine(
    channel: str, dialect: str, sensor: bool | None, powers: Powers
) -> None:
    assert outlet_pages.powers(channel, dialect, sensor) == powers


class Sold(Struct):
    """One order of Asha's, with its lines, and the rows that a page reads of it."""

    hall: Hall
    order: UUID
    lines: list[UUID]

    async def unit(self, number: int, **given: Any) -> None:
        settled = {"settlement": "fulfilled", "basis": "drop"} if given.pop("done", False) else {}
        await self.hall.put(
            "fulfillments", id=UUID(int=number + 1), order_id=self.order, outlet_id="M01",
            line_id=self.lines[number], slot="A1", dispatch_by=START + MINUTE,
            hard_deadline=START + 2 * MINUTE,
            **({"state": "queued", "due_at": START} | settled | given),
        )  # fmt: skip

    async def view(self) -> OrderView:
        view = await outlet_pages.order(self.hall.stage.context, "token")
        assert view is not None
        return view


@pytest.fixture
async def sold(hall: Hall) -> Sold:
    order = await hall.put(
        "orders", token="token", number="N7", outlet_id="M01", state="paid", amount_minor=9000,
        currency="INR", placed_at=START, paid_at=START + MINUTE, client_key="k", source="page",
    )  # fmt: skip
    lines = []
    for number, name in enumerate(("Cola", "Tea")):
        line = await hall.put("order_lines", id=UUID(int=number + 100), order_id=order["id"],
                              slot=f"A{number + 1}", name=name)  # fmt: skip
        lines.append(line["id"])
    return Sold(hall, order["id"], lines)


async def test_an_order_is_shown_whole(sold: Sold) -> None:
    await sold.hall.set("outlets", contact="call 112", zone="Asia/Kolkata")
    view = await sold.view()
    bare = OrderView(
        token="token", number="N7", version=1, state="paid", outlet_code="M01",
        outlet_name="Platform 1", kind="vending", merchant_name="Asha",
        brand=BrandView(name="Asha"), operator_contact="call 112", zone="Asia/Kolkata",
        slot="A1", money=Money(9000, "INR"),
        units=(UnitView(unit_id=UUID(int=100), name="Cola", state="placed"),
               UnitView(unit_id=UUID(int=101), name="Tea", state="placed")),
        lines=(LineView(name="Cola", quantity=1, money=Money(1, "INR")),
               LineView(name="Tea", quantity=1, money=Money(1, "INR"))),
        placed_at=START, expires_at=START, paid_at=START + MINUTE,
    )  # fmt: skip
    assert view == bare
    await sold.hall.set("orders", expires_at=START + 5 * MINUTE)
    assert await sold.view() == replace(bare, expires_at=START + 5 * MINUTE)
    assert await outlet_pages.order(sold.hall.stage.context, "nobody's") is None


async def test_an_order_says_how_far_its_units_are(sold: Sold) -> None:
    await sold.unit(0, offered_at=START + MINUTE)
    await sold.unit(1, offered_at=START)
    view = await sold.view()
    assert [(u.unit_id, u.name, u.state) for u in view.units] == [
        (UUID(int=1), "Cola", "queued"), (UUID(int=2), "Tea", "queued"),
    ]  # fmt: skip
    assert (view.sent_at, view.confirmed_at, view.taken_at) == (START + MINUTE, None, None)
    assert (view.progress, view.by_policy) == (Progress.SENDING, False)
    assert view.refund_by == START + MINUTE  # nobody has pressed GO yet


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        ({"state": "offered"}, {"state": "vending", "sent_at": START},
         {"progress": Progress.WORKING, "refund_by": START + 2 * MINUTE, "confirmed_at": START}),
        ({"state": "vending", "sent_at": START}, {"state": "vending", "sent_at": START + MINUTE},
         {"progress": Progress.WORKING, "refund_by": START + 2 * MINUTE,
          "confirmed_at": START + MINUTE}),
        ({"state": "fulfilled", "done": True, "settled_at": START + MINUTE}, {"state": "queued"},
         {"refund_by": START + MINUTE, "taken_at": START + MINUTE}),
        ({"state": "fulfilled", "done": True, "settled_at": START},
         {"state": "queued", "settlement": "refund_due", "basis": "policy",
          "settled_at": START + MINUTE}, {"taken_at": START, "by_policy": True}),
        ({"state": "failed", "settlement": "refund_due", "basis": "no_drop",
          "settled_at": START}, {"state": "fulfilled", "done": True, "settled_at": START},
         {"taken_at": START}),
    ],
)  # fmt: skip
async def test_each_unit_counts_for_what_the_order_says(
    sold: Sold, first: dict[str, Any], second: dict[str, Any], said: dict[str, Any]
) -> None:
    await sold.unit(0, **first)
    await sold.unit(1, **second)
    view = await sold.view()
    nothing: dict[str, Any] = {
        "progress": Progress.QUEUED, "by_policy": False, "refund_by": None, "taken_at": None,
        "confirmed_at": None,
    }  # fmt: skip
    assert {name: getattr(view, name) for name in nothing} == nothing | said
    shown = [(unit.state, unit.settlement, unit.basis) for unit in view.units]
    told = [(u["state"], *(("fulfilled", "drop") if u.get("done") else
             (u.get("settlement"), u.get("basis")))) for u in (first, second)]  # fmt: skip
    assert shown == told


@pytest.mark.parametrize(
    ("state", "more", "progress"),
    [
        ("queued", {}, Progress.SENDING),  # a machine that was busy is asked again
        ("offered", {}, Progress.SENDING),
        ("started", {"sent_at": START}, Progress.WORKING),
        ("queued", {"sent_at": START}, Progress.WORKING),
        ("in_doubt", {"sent_at": START}, Progress.CHECKING),
    ],
)
async def test_what_was_offered_is_shown_by_how_far_it_has_come_since(
    sold: Sold, state: str, more: dict[str, Any], progress: Progress
) -> None:
    await sold.unit(0, state=state, offered_at=START, **more)
    view = await sold.view()
    assert (view.progress, view.sent_at) == (progress, START)
    assert view.confirmed_at == more.get("sent_at")


async def test_an_order_says_what_goes_back(sold: Sold) -> None:
    capture = await sold.hall.put("captures", order_id=sold.order, gateway_payment_id="pay_1",
                                  reason=None)  # fmt: skip

    async def back(state: str, at: int, **more: Any) -> None:
        await sold.hall.put(
            "refunds", capture_id=capture["id"], key=str(uuid4()), origin="ours", state=state,
            currency="INR", created_at=START + at * MINUTE, **more,
        )  # fmt: skip

    await back("pending", 1, amount_minor=100)
    await back("succeeded", 2, amount_minor=200, ended_at=START, gateway_refund_id="rf_1")
    await back("failed", 3, amount_minor=300)
    await back("owed", 4, amount_minor=400)
    view = await sold.view()
    assert view.gateway_payment_id == "pay_1"
    assert [replace(one, surplus=False) for one in view.refunds] == [
        RefundView(money=Money(100, "INR"), state="pending", at=START + MINUTE),
        RefundView(money=Money(200, "INR"), state="succeeded", at=START, gateway_refund_id="rf_1"),
        RefundView(money=Money(400, "INR"), state="owed", at=START + 4 * MINUTE),
    ]
    assert view.refund_waiting is None


async def test_orders_of_a_browser_and_of_a_minute_are_shown_as_orders_are(sold: Sold) -> None:
    context = sold.hall.stage.context
    owner = context.vault.digest("asha's phone", "browser")
    await sold.hall.set("orders", browser=owner)
    view = await sold.view()
    assert await outlet_pages.own_orders(context, "M01", "asha's phone") == [view]
    assert await outlet_pages.own_orders(context, "M01", "another") == []
    sold.hall.stage.later(86_400)
    assert await outlet_pages.own_orders(context, "M01", "asha's phone") == []
    paid = START + MINUTE
    assert await outlet_pages.find(context, "M01", 9000, [paid]) == [view]
    assert await outlet_pages.find(context, "M01", 9000, []) == []
    assert await outlet_pages.find(context, "M01", 9001, [paid]) == []
