"""The statements of the room of orders, each over rows of which one thing differs from what it
looks for: another machine, browser, state, or a moment too early or late."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from msgspec import Struct

from coinslot.orders import store
from coinslot.vending import store as vending
from tests.sales.by_hand import NOW, Rows

MOMENT = timedelta(microseconds=1)
MINUTE = timedelta(minutes=1)
ASHA = uuid4()


async def order(rows: Rows, token: str, **given: Any) -> dict[str, Any]:
    """Placed at M01 just now; a page of its own."""
    return await rows.put(
        "orders", token=token, client_key=token,
        **({"state": "placed", "outlet_id": "M01", "placed_at": NOW, "source": "page"} | given),
    )  # fmt: skip


async def units(rows: Rows, *of: dict[str, Any]) -> None:
    for given in of:
        settled = {"settlement": "fulfilled", "basis": "drop"} if given.get("settled") else {}
        rest = {"slot": "A1"} | {name: it for name, it in given.items() if name != "settled"}
        if "line_id" not in rest:
            rest["line_id"] = (await rows.put("order_lines", slot=rest["slot"]))["id"]
        await rows.put("fulfillments", **(
            {"state": "queued", "due_at": NOW, "outlet_id": "M01"} | settled | rest
        ))  # fmt: skip


async def test_what_is_promised_of_a_slot_is_its_units_on_their_way(rows: Rows) -> None:
    await units(rows, {}, {}, {"settled": True}, {"slot": "A2"}, {"outlet_id": "M02"})
    assert await rows.conn.fetchval(store.PROMISED, "M01", "A1") == 2


async def test_unpaid_orders_are_counted_by_browser_and_by_network(rows: Rows) -> None:
    async def seen(token: str, browser: str, network: str, **more: Any) -> None:
        await order(rows, token, browser=browser, network=network, **more)

    await seen("a", "b1", "n1")
    await seen("b", "b1", "n2")
    await seen("c", "b2", "n2")
    await seen("d", "b3", "n2")
    for number, odd in enumerate(table(
        {"state": "paid"}, {"outlet_id": "M02"}, {"placed_at": NOW - MINUTE},
    )):  # fmt: skip
        await seen(f"odd {number}", "b1", "n2", **odd)
    merchant = (await rows.put("merchants", slug="asha", name="Asha"))["id"]
    await rows.put("outlets", id="M01", kind="vending", dialect="leased", merchant_id=merchant)
    found = await rows.conn.fetchrow(store.UNPAID_ORDERS, "M01", "b1", "n2", NOW, 60.0)
    assert found is not None
    assert (found["of_browser"], found["of_network"]) == (2, 3)


async def test_who_has_paid_before_is_known_by_the_browser(rows: Rows) -> None:
    await order(rows, "a", browser="b1")
    await order(rows, "b", browser="b2", paid_at=NOW)
    known = [await rows.conn.fetchval(store.HAS_PAID, name) for name in ("b1", "b2", "b3")]
    assert known == [False, True, False]


Odd = dict[str, Any]


def table(*given: Any) -> tuple[Any, ...]:
    """Rows of a table of cases, whose last column is an `Odd`."""
    return given


class Code(Struct):
    """What belongs to one order's code."""

    order: UUID
    payment: UUID
    attempt: UUID


async def with_code(
    rows: Rows, token: str, code: dict[str, Any] | None = None, **given: Any
) -> Code:
    made = await order(rows, token, **given)
    paid = await rows.put("payments", order_id=made["id"], state="created", version=4)
    given_code = {"outlet_id": "M01", "make_at": NOW, "network": "n1"} | (code or {})
    place = given_code.pop("slot", "A1")
    tried = await rows.put("attempts", payment_id=paid["id"], state="pending", way="code",
                           **given_code)  # fmt: skip
    await rows.put("order_lines", id=uuid4(), order_id=made["id"], slot=place)
    await rows.put("qr_codes", payment_id=paid["id"], attempt_id=tried["id"], qr_code_id=token,
                   stage="open", outlet_id="M01", slot=place)  # fmt: skip
    return Code(made["id"], paid["id"], tried["id"])


async def test_attempts_of_pages_are_those_of_this_machine_since_then(rows: Rows) -> None:
    for number, state in enumerate(("placed", "expired", "paid")):
        at = NOW + number * MINUTE
        await with_code(rows, state, {"make_at": at, "network": state}, state=state)
    await with_code(rows, "old", {"make_at": NOW - MINUTE})
    await with_code(rows, "far", {"outlet_id": "M02"})
    await rows.put("attempts", payment_id=uuid4(), state="pending", make_at=NOW)  # of the API
    found = await rows.conn.fetch(store.ATTEMPTS_OF_PAGES, "M01", NOW - MINUTE)
    assert sorted(tuple(row.values()) for row in found) == [
        (NOW, "placed", True), (NOW + MINUTE, "expired", True), (NOW + 2 * MINUTE, "paid", False),
    ]  # fmt: skip


async def test_an_order_to_pay_is_placed_and_in_time(rows: Rows) -> None:
    for token, odd in table(
        ("paid", {"state": "paid"}), ("late", {"expires_at": NOW}), ("good", {}), ("next", {}),
    ):  # fmt: skip
        made = await order(rows, token, **{"expires_at": NOW + MOMENT, **odd})
        await rows.put("order_lines", id=uuid4(), order_id=made["id"], slot=f"S-{token}")
    await with_code(rows, "paying", expires_at=NOW + MOMENT)

    async def slot(token: str) -> str | None:
        found = await rows.conn.fetchrow(store.ORDER_TO_PAY, token, NOW)
        return None if found is None else str(found["slot"])

    tokens = ("paid", "late", "good", "next", "paying", "none")
    assert [await slot(token) for token in tokens] == [None, None, "S-good", "S-next", "A1", None]


async def test_the_last_moment_to_pay_is_set_of_one_order(rows: Rows) -> None:
    one, other = await order(rows, "one"), await order(rows, "other")
    await rows.conn.execute(store.LAST_TO_PAY, one["id"], NOW + MINUTE)
    await rows.conn.execute(store.PUT_OFF_ORDER, other["id"], NOW + 2 * MINUTE)
    found = await rows.conn.fetch("SELECT expires_at, due_at FROM orders ORDER BY token")
    assert [tuple(row.values()) for row in found] == [
        (NOW + MINUTE, NOW + MINUTE), (None, NOW + 2 * MINUTE),
    ]  # fmt: skip


async def test_ones_own_orders_are_the_last_five_here_the_newest_first(rows: Rows) -> None:
    for minute in range(7):
        await order(rows, f"t{minute}", browser="b1", placed_at=NOW + minute * MINUTE)
    await order(rows, "stranger's", browser="b2", placed_at=NOW + 9 * MINUTE)
    await order(rows, "elsewhere", browser="b1", outlet_id="M02", placed_at=NOW + 9 * MINUTE)

    async def own(since: int) -> list[str]:
        found = await rows.conn.fetch(store.OWN_ORDERS, "M01", "b1", NOW + since * MINUTE)
        return [row["token"] for row in found]

    assert await own(-1) == ["t6", "t5", "t4", "t3", "t2"]
    assert await own(4) == ["t6", "t5"]


async def machine(rows: Rows, code: str, seen: timedelta = MOMENT, **given: Any) -> None:
    await rows.put("outlets", id=code, **({"kind": "vending", "dialect": "leased"} | given))
    await rows.put("devices", outlet_id=code, last_seen_at=NOW + seen)


async def slot(rows: Rows, outlet: str, name: str, product: UUID, **given: Any) -> None:
    await rows.put("slots", outlet_id=outlet, slot=name, product_id=product, **given)


async def test_another_machine_is_near_alive_and_has_something_to_sell(rows: Rows) -> None:
    async def other() -> str | None:
        found = await rows.conn.fetchrow(store.OTHERS, "M01", NOW, "Pune")
        return None if found is None else str(found["id"])

    soda = uuid4()
    for code, given, has in table(
        ("M01", {"place": "Pune"}, {}),
        ("A-gone", {"place": "Pune", "decommissioned_at": NOW}, {}),
        ("A-silent", {"place": "Pune", "seen": timedelta(0)}, {}),
        ("A-empty", {"place": "Pune"}, {"stock": 0}),
        ("A-blocked", {"place": "Pune"}, {"out_of_sale_at": NOW}),
    ):
        await machine(rows, code, **given)
        await slot(rows, code, "A1", soda, **{"stock": 1, **has})
    assert await other() is None
    for code, place in (("B", "Agra"), ("C", "Agra"), ("E", "Pune"), ("D", "Pune")):
        await machine(rows, code, place=place)
        await slot(rows, code, "A1", soda, stock=1)
        assert await other() == {"B": "B", "C": "B", "E": "E", "D": "D"}[code]


async def test_a_machines_slots_are_told_with_what_is_promised_of_each(rows: Rows) -> None:
    cola, tea = [(await rows.put("products", name=name, sku=name))["id"] for name in ("C", "T")]
    await slot(rows, "M01", "A2", tea, stock=5, price_minor=300)
    await slot(rows, "M01", "A1", cola, stock=9, price_minor=400)
    await slot(rows, "M02", "A1", cola, stock=1)
    await units(rows, {}, {}, {"slot": "A2"}, {"settled": True}, {"outlet_id": "M02"})
    await with_code(rows, "a", {"slot": "A2"})
    await with_code(rows, "b", {"slot": "A2"})
    await with_code(rows, "paid", {"slot": "A2"}, state="paid")
    await with_code(rows, "old", {"slot": "A2", "make_at": NOW - MINUTE})
    await with_code(rows, "far", {"slot": "A2", "outlet_id": "M02"})
    await with_code(rows, "beside", {"slot": "A1"})
    found = await rows.conn.fetch(store.SLOTS, "M01", NOW - MINUTE)
    names = ("slot", "name", "stock", "price_minor", "promised", "being_paid")
    assert [tuple(row[name] for name in names) for row in found] == [
        ("A1", "C", 9, 400, 2, 1), ("A2", "T", 5, 300, 1, 2),
    ]  # fmt: skip
    locked = await rows.conn.fetchrow(store.LOCK_SLOT, "M01", "A2")
    assert locked is None  # there is no such machine yet
    for code, currency in (("M02", "EUR"), ("M01", "INR")):
        await machine(rows, code, currency=currency)
    locked = await rows.conn.fetchrow(store.LOCK_SLOT, "M01", "A2")
    assert locked is not None
    assert [locked[name] for name in ("slot", "name", "stock", "currency")] == ["A2", "T", 5, "INR"]


async def test_an_orders_page_shows_its_own_payment_code_units_and_refunds(rows: Rows) -> None:
    merchant = (await rows.put("merchants", slug="asha", name="Asha", zone="Asia/Kolkata"))["id"]
    for code, zone in (("M01", None), ("M02", "Europe/Berlin")):
        await rows.put("outlets", id=code, merchant_id=merchant, name=f"at {code}", zone=zone,
                       kind="vending", dialect="leased")  # fmt: skip
    for number, (token, outlet) in enumerate((("one", "M01"), ("two", "M02"))):
        own = await with_code(
            rows, token, outlet_id=outlet, merchant_id=merchant, version=1 + number
        )
        for kind, reason in (("goods", None), ("again", "paid_twice")):
            money = await rows.put("captures", order_id=own.order, reason=reason,
                                   gateway_payment_id=f"{kind}-{token}")  # fmt: skip
            await rows.put("refunds", capture_id=money["id"], key=f"{kind}-{token}",
                           state="pending", origin="ours", version=10 * (1 + number))  # fmt: skip
        await units(rows, *[{"order_id": own.order, "version": 100 * (1 + number)}] * 2)
    pages = [await rows.conn.fetchrow(store.ORDER_PAGE, token) for token in ("one", "two")]
    names = ("token", "outlet_name", "zone", "qr_code_id", "gateway_payment_id", "seen_version")
    assert [tuple(page[name] for name in names) for page in pages if page] == [
        ("one", "at M01", "Asia/Kolkata", "one", "goods-one", 1 + 4 + 200 + 20),
        ("two", "at M02", "Europe/Berlin", "two", "goods-two", 2 + 4 + 400 + 40),
    ]
    found = await rows.conn.fetch(store.ORDER_VERSIONS, ["two"])
    assert [tuple(row.values()) for row in found] == [("two", 446)]
    fresh = await order(rows, "fresh", outlet_id="M01", merchant_id=merchant)
    page = await rows.conn.fetchrow(store.ORDER_PAGE, "fresh")
    assert page is not None
    assert (page["id"], page["qr_code_id"], page["seen_version"]) == (fresh["id"], None, 1)


@pytest.mark.parametrize(
    ("token", "state", "asked_ago", "asks"),
    [
        ("mine", "placed", None, True),
        ("mine", "placed", timedelta(seconds=10), True),
        ("mine", "placed", timedelta(seconds=10) - MOMENT, False),
        ("mine", "paid", None, False),
        ("none", "placed", None, False),
    ],
)
async def test_a_page_asks_the_gateway_when_the_pause_is_over(
    rows: Rows, token: str, state: str, asked_ago: timedelta | None, asks: bool
) -> None:
    asked = None if asked_ago is None else NOW - asked_ago
    mine = await with_code(rows, "mine", {"page_asked_at": asked}, state=state)
    other = await with_code(rows, "other")
    pause = timedelta(seconds=10)
    found = await rows.conn.fetch(store.PAGE_ASKS_GATEWAY, token, NOW, pause)
    assert [row["id"] for row in found] == ([mine.attempt] if asks else [])
    at = "SELECT page_asked_at FROM attempts WHERE id = $1"
    assert await rows.conn.fetchval(at, other.attempt) is None
    assert (await rows.conn.fetchval(at, mine.attempt) == NOW) is asks
    if asks:
        assert await rows.conn.fetch(store.PAGE_ASKS_GATEWAY, token, NOW, pause) == []


@pytest.mark.parametrize(
    ("given", "asks"),
    [
        ({}, True),
        ({"page_asked_at": NOW - MINUTE}, True),
        ({"page_asked_at": NOW - MINUTE + MOMENT}, False),
        ({"settled": True}, False),
    ],
)
async def test_a_page_asks_about_its_own_open_units(
    rows: Rows, given: dict[str, Any], asks: bool
) -> None:
    mine, other = await order(rows, "mine"), await order(rows, "other")
    await units(rows, {"order_id": mine["id"], **given}, {"order_id": other["id"]})
    found = await rows.conn.fetch(store.PAGE_ASKS_UNITS, "mine", NOW, MINUTE)
    assert [row["order_id"] for row in found] == ([mine["id"]] if asks else [])


async def test_an_order_is_told_with_what_is_its_own_in_the_order_it_was_made(rows: Rows) -> None:
    one, other = await order(rows, "one"), await order(rows, "other")
    capture: dict[UUID, UUID] = {}
    for of in (other, one):
        capture[of["id"]] = (await rows.put("captures", order_id=of["id"],
                                            gateway_payment_id=of["token"]))["id"]  # fmt: skip
        for number in (2, 1):
            name, place = f"{of['token']} {number}", UUID(int=2 * number + (of is one))
            await rows.put("order_lines", order_id=of["id"], id=place, name=name)
            await units(rows, {"id": place, "order_id": of["id"], "line_id": place})
            await rows.put("refunds", capture_id=capture[of["id"]], origin="ours", key=name,
                           state="pending", created_at=NOW + number * MINUTE)  # fmt: skip
    lines = await rows.conn.fetch(store.ORDER_LINES, one["id"])
    assert [line["name"] for line in lines] == ["one 1", "one 2"]
    shown = await rows.conn.fetch(store.ORDER_UNITS, one["id"])
    assert [unit["name"] for unit in shown] == ["one 1", "one 2"]
    back = await rows.conn.fetch(store.ORDER_REFUNDS, one["id"])
    assert [refund["key"] for refund in back] == ["one 1", "one 2"]


async def test_an_order_is_found_by_what_the_payers_bank_shows(rows: Rows) -> None:
    for number, (token, outlet) in enumerate((("a", "M01"), ("b", "M01"), ("c", "M02"))):
        made = await order(rows, token, outlet_id=outlet)
        await rows.put("captures", order_id=made["id"], payer_reference="RRN",
                       gateway_payment_id=f"pay_{token}",
                       captured_at=NOW + number * MINUTE)  # fmt: skip

    async def found(outlet: str, text: str) -> str | None:
        token: str | None = await rows.conn.fetchval(store.FIND_BY_REFERENCE, outlet, text)
        return token

    assert await found("M01", "RRN") == "b"  # the newest here
    assert await found("M02", "RRN") == "c"
    assert await found("M01", "pay_a") == "a"
    assert await found("M01", "pay_c") is None
    assert await found("M01", "other") is None


async def test_an_order_is_found_by_its_machine_amount_and_minute(rows: Rows) -> None:
    for token, paid, odd in table(
        ("early", -MINUTE - MOMENT, {}), ("first", -MINUTE, {}), ("last", 2 * MINUTE, {}),
        ("late", 2 * MINUTE + MOMENT, {}), ("far", MINUTE, {"outlet_id": "M02"}),
        ("dear", MINUTE, {"amount_minor": 4001}),
    ):  # fmt: skip
        await order(rows, token, paid_at=NOW + paid, **{"amount_minor": 4000, **odd})

    async def found(*minutes: timedelta) -> list[str]:
        at = [NOW + minute for minute in minutes]
        return [row["token"] for row in await rows.conn.fetch(store.FIND_ORDERS, "M01", 4000, at)]

    assert await found(timedelta(0)) == ["first", "last"]
    assert await found(timedelta(days=1), timedelta(0)) == ["first", "last"]
    assert await found(timedelta(days=1)) == []
    for number in range(5):
        await order(rows, f"more {number}", paid_at=NOW + number * MOMENT, amount_minor=4000)
    assert len(await found(timedelta(0))) == 5


async def test_a_machine_that_was_heard_of_since_then_is_online(rows: Rows) -> None:
    for code, seen in (("M01", NOW), ("M02", NOW - MOMENT), ("M03", None)):
        await rows.put("outlets", id=code, kind="vending", dialect="leased", channel=f"at {code}")
        await rows.put("devices", outlet_id=code, last_seen_at=seen)
    found = [await rows.conn.fetchval(vending.ONLINE_BY, code, NOW) for code in
             ("M01", "M02", "M03", "M99")]  # fmt: skip
    assert found == ["at M01", None, None, None]
