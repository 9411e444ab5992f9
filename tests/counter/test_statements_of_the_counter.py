"""What each statement about counters, their menus, orders, codes and boards finds or writes: its
own row, as long as nothing differs from what it asks for. Each case differs in one thing."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from coinslot.counter import alarms, boards, fulfillment, store
from coinslot.db.pool import RawConnection
from tests.sales.asked import Asked, mistaken
from tests.sales.by_hand import NOW, Rows
from tests.sales.test_lock_order import stopped

MOMENT, SECOND = timedelta(microseconds=1), timedelta(seconds=1)
SOON, LATER = NOW + SECOND, NOW + 60 * SECOND
ASHA, ORDER, UNIT, LINE, CAPTURE, ITEM, PRODUCT, OTHER, ANOTHER, THIRD = (
    UUID(int=n) for n in range(1, 11)
)
Row = dict[str, Any]
LOGO = "a" * 64

STORE: Row = {
    "outlet_id": "K01", "merchant_id": ASHA, "slug": "kiosk", "board_changes": 4,
    "alarm_phone": "+4915112345678",
}  # fmt: skip
OUTLET: Row = {
    "id": "K01", "merchant_id": ASHA, "kind": "counter", "channel": "counter", "dialect": "leased",
    "name": "Kiosk", "place": "hall", "currency": "EUR", "windows": {"a": 1},
}  # fmt: skip
AN_ITEM: Row = {
    "id": ITEM, "merchant_id": ASHA, "outlet_id": "K01", "product_id": PRODUCT, "section": "Cold",
    "place": 3, "price_minor": 300, "stock": 5,
}  # fmt: skip
SOLD: Row = {
    "id": PRODUCT, "merchant_id": ASHA, "sku": "tea", "name": "Tea", "names": {"de": "Tee"},
    "description": "hot", "descriptions": {"de": "heiß"}, "cost_minor": 90, "picture": LOGO,
}  # fmt: skip
PICTURE: Row = {"merchant_id": ASHA, "digest": LOGO, "width": 30, "height": 20, "widths": [15]}
ORDERED: Row = {
    "id": ORDER, "merchant_id": ASHA, "outlet_id": "K01", "state": "paid", "source": "page",
    "token": "tok", "number": "AB", "client_key": "key", "amount_minor": 300, "currency": "EUR",
    "paid_at": NOW,
}  # fmt: skip
WITH_CODE: Row = {
    "order_id": ORDER, "merchant_id": ASHA, "outlet_id": "K01", "name": "Boris", "code_version": 2,
    "code_digest": "d", "tries": 1, "wrong": 2, "spot": "7",
}  # fmt: skip
PIECE: Row = {
    "id": UNIT, "order_id": ORDER, "line_id": LINE, "outlet_id": "K01", "kind": "counter",
    "state": "in_preparation", "due_at": NOW, "dispatch_by": SOON, "hard_deadline": LATER,
    "capture_id": CAPTURE, "amount_minor": 300,
}  # fmt: skip
MADE: Row = {"id": UNIT, "accepted_at": NOW, "ready_at": SOON}
OF_IT: Row = {"id": LINE, "order_id": ORDER, "name": "Tea", "sku": "tea", "quantity": 2,
              "price_minor": 150}  # fmt: skip
CHOSEN: Row = {"line_id": LINE, "order_id": ORDER, "item_id": ITEM, "options": ["big"],
               "note": "no sugar", "reserved": 2}  # fmt: skip
RINGS: Row = {"id": ORDER, "outlet_id": "K01", "since": NOW, "due_at": NOW}
SETTLED: Row = {"fulfillments.settlement": "fulfilled", "fulfillments.basis": "code"}
ENDED: Row = {"counter_alarms.ended_at": NOW, "counter_alarms.due_at": None}
GONE: Row = {"counter_items.retired_at": NOW}
OF_ITEM: list[Row] = [{"counter_items.outlet_id": "K02"}, {"counter_items.id": OTHER}, GONE]
OF_BOARD: list[Row] = [{"counter_items.outlet_id": "K02"}, GONE]
STORES: dict[str, Row] = {"counter_stores": STORE}
ORDERS: dict[str, Row] = {"counter_orders": WITH_CODE, "orders": ORDERED}

COUNTERS = (
    Asked("a counter by its address", store.STORE_OWNER, ("kiosk",), STORES,
          ({"counter_stores.slug": "else"},), gives={"outlet_id": "K01", "merchant_id": ASHA}),
    Asked("a counter", store.STORE, ("K01",), {**STORES, "outlets": OUTLET}, (
        {"outlets.id": "K02"}, {"counter_stores.outlet_id": "K02"},),
          gives={"slug": "kiosk"}),
    Asked("what a board says of its menu", store.BOARD_ITEMS, (["K01"],),
          {"counter_items": AN_ITEM, "products": SOLD}, OF_BOARD,
          gives={"outlet_id": "K01", "id": ITEM, "name": "Tea", "stock": 5, "sold_out": False}),
    Asked("what every board says", store.BOARD_ITEMS, (None,),
          {"counter_items": AN_ITEM, "products": SOLD}, (GONE,), OF_BOARD[:1]),
    Asked("stations of a counter", store.STATIONS, (["K01"],),
          {"counter_items": {**AN_ITEM, "station": "Bar"}},
          (*OF_BOARD, {"counter_items.station": ""}), gives={"station": "Bar"}),
    Asked("stations of all", store.STATIONS, (None,),
          {"counter_items": {**AN_ITEM, "station": "Bar"}}, (GONE,), OF_BOARD[:1]),
    Asked("counters in service", store.STORES, (),
          {"counter_stores": {**STORE, "outlet_id": "K03", "slug": "c"},
           "outlets": {**OUTLET, "id": "K03"}, "counter_stores 2": {**STORE, "outlet_id": "K02",
                                                                    "slug": "b"},
           "outlets 2": {**OUTLET, "id": "K02"}, "counter_stores 3": STORE,
           "outlets 3": {**OUTLET, "name": "Last"}}, (),
          gives=[{"outlet_id": "K02", "name": "Kiosk", "place": "hall", "currency": "EUR"},
                 {"outlet_id": "K03"}, {"outlet_id": "K01"}],
          others=[(change, [{"outlet_id": "K02"}, {"outlet_id": "K01"}]) for change in (
              {"outlets.decommissioned_at": NOW}, {"outlets.id": "K09"})]),
    Asked("the currency of a counter", store.CURRENCY, ("K01",), {**STORES, "outlets": OUTLET},
          ({"outlets.id": "K02"}, {"counter_stores.outlet_id": "K02"}, {"$1": "K02"}),
          gives={"currency": "EUR"}),
    Asked("a product is described", f"{store.DESCRIBE} RETURNING *", (PRODUCT, "cold"),
          {"products": SOLD}, ({"products.id": OTHER},), gives={"description": "cold"}),
    Asked("hours of a counter", f"{store.SET_HOURS}, *", ("K01", [1], [2], 3, 10, 4, 5), STORES,
          ({"counter_stores.outlet_id": "K02"},),
          gives={"?column?": True, "hours": [1], "special_days": [2], "lead_min": 3, "slot_min": 10,
                 "slot_work_min": 4, "days_ahead": 5}),
    Asked("a counter is added again", f"{store.ADD_STORE} RETURNING *",
          ("K01", ASHA, "new", True, NOW, "kept"), STORES, (),
          gives={"slug": "new", "tax_added": True, "no_show": "kept"}),
    Asked("what a counter takes", f"{store.SET_STORE} RETURNING *", ("K01", [7], True,
          ["https://a"]),
          STORES, ({"counter_stores.outlet_id": "K02"},),
          gives={"tips": [7], "tax_added": True, "origins": ["https://a"]}),
    Asked("whose pages may call", store.MAY_CALL, ("https://a",),
          {"counter_stores": {**STORE, "origins": ["https://a"]}},
          ({"counter_stores.origins": ["https://b"]},)),
    Asked("accounts that are enabled", store.ACCOUNTS, (),
          {"gateway_accounts": {"id": UUID(int=31), "slug": "a", "created_at": SOON},
           "gateway_accounts 2": {"id": UUID(int=33), "slug": "b"},
           "gateway_accounts 3": {"id": UUID(int=32), "slug": "c"}}, (),
          gives=[{"id": UUID(int=n)} for n in (32, 33, 31)],
          others=(({"gateway_accounts.disabled_at": NOW},
                   [{"id": UUID(int=32)}, {"id": UUID(int=33)}]),)),
    Asked("a counter pauses", f"{store.PAUSE}, *", ("K01", NOW, SOON), STORES,
          ({"counter_stores.outlet_id": "K02"},), gives={"?column?": True, "paused_at": NOW,
           "paused_until": SOON,
           "board_changes": 5}),
    Asked("boards look again", f"{store.BOARD_CHANGED} RETURNING *", ("K01",), STORES,
          ({"counter_stores.outlet_id": "K02"},), gives={"board_changes": 5}),
    Asked("a counter is held", store.LOCK_STORE, ("K01",), STORES,
          ({"counter_stores.outlet_id": "K02"},), locks=("counter_stores",)),
)  # fmt: skip

MENU: dict[str, Row] = {"counter_items": AN_ITEM, "products": SOLD, "pictures": PICTURE}


def on_menu(*items: tuple[int, str, int, str]) -> dict[str, Row]:
    """Items by number, section, place and name."""
    made: dict[str, Row] = {}
    for number, section, place, sku in items:
        item = {"id": UUID(int=number), "product_id": UUID(int=number)}
        made[f"counter_items {number}"] = {**AN_ITEM, **item, "section": section, "place": place}
        made[f"products {number}"] = {**SOLD, "id": UUID(int=number), "sku": sku}
    return made


TAKES: tuple[object, ...] = ("K01", [ITEM], [2], [{"milk": -2}], [], [])
TAKES_SHARED: tuple[object, ...] = ("K01", [ITEM], [1], [{}], ["oat"], [3])
STOCK = UUID(int=91)
OAT: Row = {
    "id": STOCK, "merchant_id": ASHA, "outlet_id": "K01", "name": "oat", "stock": 3,
}  # fmt: skip
USES_OAT = [{"choices": [{"id": "o", "stock": "oat"}]}]
MENUS = (
    Asked("other items leave the menu", f"{store.RETIRE_OTHERS} RETURNING *",
          ("K01", [OTHER], NOW), {"counter_items": AN_ITEM},
          ({"counter_items.id": OTHER}, {"counter_items.outlet_id": "K02"}, GONE),
          gives={"retired_at": NOW}),
    Asked("an item is changed", f"{store.SAVE_ITEM}, *",
          (OTHER, ASHA, "K01", PRODUCT, "Hot", 4, 350, 1900, 6, {"milk": 2}, ["nuts"], [{"a": 1}],
           "bar", 5, [1], ["oat"]), {"counter_items": {**AN_ITEM, "retired_at": NOW}}, (),
          gives={"id": ITEM, "section": "Hot", "place": 4, "price_minor": 350, "tax_bp": 1900,
                 "stock": 6, "option_stock": {"milk": 2}, "allergens": ["nuts"],
                 "options": [{"a": 1}], "station": "bar", "prep_min": 5, "hours": [1],
                 "choices_out": ["oat"], "retired_at": None}),
    Asked("a menu", store.MENU, ("K01",), MENU,
          ({"counter_items.outlet_id": "K02"}, GONE, {"products.id": OTHER}), (),
          {"id": ITEM, "section": "Cold", "sku": "tea", "name": "Tea", "names": {"de": "Tee"},
           "description": "hot", "descriptions": {"de": "heiß"}, "cost_minor": 90,
           "picture_digest": LOGO, "picture_width": 30, "picture_height": 20,
           "picture_widths": [15]},
          [(change, {"picture_digest": None}) for change in (
              {"pictures": None}, {"pictures.merchant_id": OTHER}, {"products.picture": "b"})]),
    Asked("a menu in its order", store.MENU, ("K01",),
          on_menu((31, "B", 2, "b"), (36, "B", 1, "a"), (32, "A", 9, "y"), (33, "B", 1, "x"),
                  (34, "A", 1, "w"), (35, "C", 0, "v"), (37, "B", 1, "aa")), (),
          gives=[{"id": UUID(int=n)} for n in (35, 34, 32, 36, 37, 33, 31)]),
    Asked("an item of a menu", store.MENU_ITEM, ("K01", ITEM), MENU, OF_ITEM,
          gives={"sku": "tea"}),
    Asked("items are held by their ids", store.HOLD_ITEMS, ("K01",),
          on_menu((32, "A", 1, "y"), (31, "A", 2, "x")), ({"$1": "K02"},),
          gives=[{"id": UUID(int=31), "sku": "x", "stock": 5, "retired_at": None},
                 {"id": UUID(int=32), "sku": "y"}],
          locks=("counter_items",)),
    Asked("an item is its product's", store.HOLD_ITEMS, ("K01",),
          on_menu((32, "A", 1, "y"), (31, "A", 2, "x")), (), gives=[{"sku": "x"}, {"sku": "y"}],
          others=(({"products 31.id": OTHER}, {"sku": "y"}),)),
    Asked("the next place", store.NEXT_PLACE, ("K01",), {"counter_items": AN_ITEM}, (),
          gives={"?column?": 4}, others=(({"counter_items.outlet_id": "K02"}, {"?column?": 0}),)),
    Asked("an item has another place", f"{store.PLACE_ITEM} RETURNING *", (ITEM, 7, "Hot"),
          {"counter_items": AN_ITEM}, ({"counter_items.id": OTHER},),
          gives={"place": 7, "section": "Hot"}),
    Asked("an item leaves the menu", f"{store.RETIRE_ITEM}, *", ("K01", ITEM, NOW),
          {"counter_items": AN_ITEM}, OF_ITEM, gives={"?column?": True, "retired_at": NOW}),
    Asked("whether a name is taken", store.SKU_TAKEN, ("tea",), {"products": SOLD},
          ({"products.sku": "juice"},)),
    Asked("an item is sold out", f"{store.SOLD_OUT}, *", ("K01", ITEM, SOON),
          {"counter_items": AN_ITEM}, OF_ITEM, gives={"?column?": True, "sold_out_at": SOON},
          others=(({"counter_items.sold_out_at": NOW}, {"sold_out_at": NOW}),)),
    Asked("of a piece's item there is none", f"{store.NONE_LEFT}, i.*", ([UNIT], SOON),
          {"fulfillments": PIECE, "counter_lines": CHOSEN, "counter_items": AN_ITEM},
          ({"$1": [OTHER]}, {"fulfillments.line_id": OTHER}, {"counter_lines.item_id": OTHER},
           {"counter_items.sold_out_at": NOW}, GONE),
          gives={"id": ITEM, "sold_out_at": SOON, "stock": 0},
          others=(({"counter_items.stock": None}, {"sold_out_at": SOON, "stock": None}),)),
    Asked("items of pieces are held", store.HOLD_ITEMS_OF, ([UNIT],),
          {"fulfillments": PIECE, "counter_lines": CHOSEN, "counter_items": AN_ITEM},
          ({"$1": [OTHER]}, {"fulfillments.line_id": OTHER}, {"counter_lines.item_id": OTHER}),
          gives={"id": ITEM}, locks=("counter_items",)),
    Asked("choices of pieces", store.CHOICES_OF, ([UNIT],),
          {"fulfillments": PIECE, "counter_lines": CHOSEN,
           "counter_items": {**AN_ITEM, "options": USES_OAT}},
          ({"$1": [OTHER]}, {"fulfillments.line_id": OTHER}, {"counter_lines.item_id": OTHER}), (),
          {"id": UNIT, "item_id": ITEM, "options": ["big"], "offered": USES_OAT}),
    Asked("a choice is out", f"{store.CHOICE_OUT}, *", ("K01", ITEM, "oat"),
          {"counter_items": {**AN_ITEM, "choices_out": ["oat", "soy"],
                             "option_stock": {"oat": 3, "soy": 2}}}, OF_ITEM,
          gives={"choices_out": ["soy", "oat"], "option_stock": {"oat": 0, "soy": 2}},
          others=(({"counter_items.option_stock": {}}, {"option_stock": {}}),)),
    Asked("a choice is back", f"{store.CHOICE_BACK}, *", ("K01", ITEM, "oat", 4),
          {"counter_items": {**AN_ITEM, "choices_out": ["oat", "soy"],
                             "option_stock": {"oat": 0, "soy": 2}}}, OF_ITEM,
          gives={"choices_out": ["soy"], "option_stock": {"oat": 4, "soy": 2}},
          others=(({"$4": None}, {"choices_out": ["soy"], "option_stock": {"soy": 2}}),)),
    Asked("of a shared stock there is none", f"{store.SHARED_NONE_LEFT}, s.*",
          ("K01", ["oat"], SOON), {"counter_stocks": OAT},
          ({"$2": ["soy"]}, {"counter_stocks.outlet_id": "K02"},
           {"counter_stocks.sold_out_at": NOW}),
          gives={"id": STOCK, "sold_out_at": SOON, "stock": 0},
          others=(({"counter_stocks.stock": None}, {"stock": None}),)),
    Asked("an item is back on sale", f"{store.BACK_ON_SALE}, *", ("K01", ITEM, 8, False),
          {"counter_items": {**AN_ITEM, "sold_out_at": NOW}}, OF_ITEM,
          gives={"?column?": True, "sold_out_at": None, "stock": 8},
          others=(({"$4": True}, {"sold_out_at": None, "stock": 5}),)),
    Asked("stock is taken for an order", store.RESERVE, TAKES,
          {"counter_items": {**AN_ITEM, "stock": 2, "option_stock": {"milk": 2}},
           "counter_items 2": {**AN_ITEM, "id": OTHER, "product_id": OTHER}},
          ({"counter_items.outlet_id": "K02"}, {"counter_items.id": ANOTHER}, GONE,
           {"counter_items.sold_out_at": NOW}, {"counter_items.stock": 1},
           {"counter_items.option_stock": {"milk": 1}},
           {"counter_items.choices_out": ["milk"]}), ({"counter_items.choices_out": ["soy"]},),
          {"id": ITEM, "counted": True, "counted_choices": ["milk"]},
          (({"counter_items.stock": None, "counter_items.option_stock": {}},
            {"counted": False, "counted_choices": []}),)),
    Asked("a shared stock is taken for an order", store.RESERVE, TAKES_SHARED,
          {"counter_items": {**AN_ITEM, "stock": None}, "counter_stocks": OAT}, (), (),
          {"id": ITEM, "shared": {"oat": str(STOCK)}},
          [({"counter_stocks.stock": None}, {"shared": {"oat": None}})] + [
              (change, {"shared": {}}) for change in (
                  {"counter_stocks.outlet_id": "K02"}, {"counter_stocks.name": "soy"},
                  {"counter_stocks.sold_out_at": NOW}, {"counter_stocks.stock": 2})]),
    Asked("what is left of shared stocks", store.RESERVE, TAKES_SHARED,
          {"counter_items": AN_ITEM, "counter_stocks": {**OAT, "stock": 5},
           "counter_stocks 2": {**OAT, "id": OTHER, "name": "soy", "stock": 5}}, (),
          gives=[{"name": "oat", "stock": 2}, {"name": "soy", "stock": 5}],
          after="SELECT * FROM counter_stocks ORDER BY name"),
    Asked("shared stocks of what is on the menu", store.SHARED, (["K01"],),
          {"counter_items": {**AN_ITEM, "options": USES_OAT}, "counter_stocks": OAT},
          ({"$1": ["K02"]}, {"counter_items.outlet_id": "K02"}, {"counter_stocks.name": "soy"},
           GONE), ({"$1": None},),
          {"outlet_id": "K01", "id": STOCK, "name": "oat", "stock": 3, "sold_out": False},
          (({"counter_stocks.sold_out_at": NOW}, {"sold_out": True}),)),
    Asked("shared stocks are listed by name", store.SHARED, (["K01"],),
          {"counter_items": {**AN_ITEM, "options": [*USES_OAT, {"choices": [{"stock": "cow"}]}]},
           "counter_stocks": OAT, "counter_stocks 2": {**OAT, "id": OTHER, "name": "cow"}}, (),
          gives=[{"name": "cow"}, {"name": "oat"}]),
    Asked("a new shared stock", f"{store.SAVE_SHARED} RETURNING *",
          (OTHER, ASHA, "K01", "oat", 9, False), {}, (),
          gives={"id": OTHER, "merchant_id": ASHA, "outlet_id": "K01", "name": "oat", "stock": 9}),
    Asked("a shared stock is counted again", f"{store.SAVE_SHARED} RETURNING *",
          (OTHER, ASHA, "K01", "oat", 9, True), {"counter_stocks": OAT}, ({"$6": False},),
          gives={"id": STOCK, "stock": 9}),
    Asked("a shared stock is sold out", f"{store.SHARED_SOLD_OUT}, *", ("K01", STOCK, SOON),
          {"counter_stocks": OAT},
          ({"counter_stocks.id": OTHER}, {"counter_stocks.outlet_id": "K02"}),
          gives={"?column?": True, "sold_out_at": SOON},
          others=(({"counter_stocks.sold_out_at": NOW}, {"sold_out_at": NOW}),)),
    Asked("a shared stock is back", f"{store.SHARED_BACK}, *", ("K01", STOCK, 8, False),
          {"counter_stocks": {**OAT, "sold_out_at": NOW}},
          ({"counter_stocks.id": OTHER}, {"counter_stocks.outlet_id": "K02"}),
          gives={"?column?": True, "sold_out_at": None, "stock": 8},
          others=(({"$4": True}, {"sold_out_at": None, "stock": 3}),)),
    Asked("what is left of it", store.RESERVE, TAKES,
          {"counter_items": {**AN_ITEM, "option_stock": {"milk": 9, "oat": 1}},
           "counter_items 2": {**AN_ITEM, "id": OTHER, "product_id": OTHER}}, (),
          gives=[{"stock": 3, "option_stock": {"milk": 7, "oat": 1}}, {"stock": 5}],
          after="SELECT * FROM counter_items ORDER BY id"),
)  # fmt: skip

IN_SLOTS: dict[str, Row] = {
    "counter_orders": {**WITH_CODE, "slot_at": NOW, "work_min": 4}, "orders": ORDERED,
    "counter_orders 2": {**WITH_CODE, "order_id": OTHER, "slot_at": NOW, "work_min": 3},
    "orders 2": {**ORDERED, "id": OTHER, "token": "t2", "client_key": None},
}  # fmt: skip
BESIDE: dict[str, Row] = {"fulfillments": PIECE, "counter_units": MADE, "outlets": OUTLET}
HANDED = (
    Asked("lines that were placed", store.PLACED_LINES, (ORDER,),
          {"order_lines": {**OF_IT, "id": OTHER}, "order_lines 2": OF_IT}, ({"$1": OTHER},),
          gives=[{"id": LINE}, {"id": OTHER}]),
    Asked("work of slots", store.SLOT_WORK, ("K01", NOW), IN_SLOTS, ({"$2": NOW + MOMENT},),
          ({"orders.state": "placed"}, {"orders.state": "completed"}),
          {"slot_at": NOW, "work": 7},
          [(change, {"work": 3}) for change in (
              {"orders.state": "expired"}, {"orders.id": ANOTHER},
              {"counter_orders.outlet_id": "K02"}, {"counter_orders.slot_at": NOW - MOMENT})]),
    Asked("an order by its key", store.BY_KEY, ("key",), {"orders": ORDERED},
          ({"orders.client_key": "else"},), gives={"token": "tok"}),
    Asked("the capture of an order is held", store.HOLD_CAPTURE, (ORDER,),
          {"captures": {"id": CAPTURE, "order_id": ORDER}},
          ({"captures.order_id": OTHER}, {"captures.reason": "second"}), gives={"id": CAPTURE},
          locks=("captures",)),
    Asked("the pieces of an order are held", store.HOLD_UNITS, (ORDER,),
          {**BESIDE, "fulfillments 2": {**PIECE, "id": UUID(int=2)},
           "counter_units 2": {**MADE, "id": UUID(int=2)}}, ({"$1": OTHER}, {"outlets.id": "K02"}),
          gives=[{"id": UUID(int=2)}, {"id": UNIT, "accepted_at": NOW, "ready_at": SOON,
                                       "windows": {"a": 1}}],
          locks=("fulfillments",)),
    Asked("pieces of another kind are not there", store.HOLD_UNITS, (ORDER,), BESIDE,
          ({"counter_units.id": OTHER},)),
    Asked("one piece", store.HELD_UNIT, (UNIT,), BESIDE,
          ({"counter_units.id": OTHER}, {"fulfillments.id": OTHER}, {"outlets.id": "K02"},
           {"$1": OTHER}), gives={"id": UNIT, "accepted_at": NOW, "ready_at": SOON,
            "windows": {"a": 1}}),
    Asked("a piece has longer", f"{store.MOVE_DEADLINE} RETURNING *", (UNIT, LATER),
          {"fulfillments": PIECE}, ({"fulfillments.id": OTHER}, SETTLED),
          gives={"dispatch_by": LATER}),
    Asked("an order at these counters", store.ORDER_AT, (ORDER, ["K01"]), ORDERS,
          ({"counter_orders.order_id": OTHER}, {"orders.id": OTHER}, {"$2": ["K02"]},
           {"$1": OTHER}), ({"$2": None},), {"name": "Boris", "state": "paid", "number": "AB",
            "token": "tok"}),
    Asked("an order by its page", store.ORDER_OF_TOKEN, ("tok",), ORDERS,
          ({"orders.token": "else"}, {"orders.id": OTHER}),
          gives={"order_id": ORDER, "merchant_id": ASHA}),
    Asked("the code of an order", store.CODE_OF, (ORDER,), {"counter_orders": WITH_CODE},
          ({"counter_orders.order_id": OTHER},)),
    Asked("a try is counted", f"{store.COUNT_TRY}, tries", (ORDER, 2, 5, 9),
          {"counter_orders": WITH_CODE},
          ({"counter_orders.order_id": OTHER}, {"counter_orders.code_version": 3},
           {"counter_orders.tries": 5}, {"counter_orders.wrong": 9}),
          gives={"code_digest": "d", "tries": 2},
          others=(({"counter_orders.tries": 4, "counter_orders.wrong": 8}, {"tries": 5}),)),
    Asked("wrong codes lately", store.WRONG_LATELY, ("K01", NOW),
          {"counter_wrong_codes": {"outlet_id": "K01", "at": NOW + MOMENT}}, (),
          gives={"count": 1},
          others=[(change, {"count": 0}) for change in (
              {"counter_wrong_codes.outlet_id": "K02"}, {"counter_wrong_codes.at": NOW})]),
    Asked("a wrong code is noted", f"{store.NOTE_WRONG}, wrong", (ORDER, SOON),
          {"counter_orders": WITH_CODE}, ({"counter_orders.order_id": OTHER},),
          gives={"tries": 1, "wrong": 3},
          others=(({"counter_orders.wrong": 15}, {"wrong": 15}),)),
    Asked("where a wrong code was typed", store.NOTE_WRONG, (ORDER, SOON),
          {"counter_orders": WITH_CODE, "counter_orders 2": {**WITH_CODE, "order_id": OTHER}}, (),
          gives={"merchant_id": ASHA, "outlet_id": "K01", "order_id": ORDER, "at": SOON},
          after="SELECT * FROM counter_wrong_codes"),
    Asked("an order has a new code", f"{store.NEW_CODE} RETURNING *", (ORDER, 3, "e", SOON, 0),
          {"counter_orders": WITH_CODE}, ({"counter_orders.order_id": OTHER},),
          gives={"code_version": 3, "code_digest": "e", "code_from": SOON, "tries": 0}),
    Asked("an alarm begins again", f"{store.ALARM_AGAIN} RETURNING *", (ORDER, SOON),
          {"counter_alarms": {**RINGS, "ended_at": NOW, "due_at": None, "told_at": NOW,
                              "repeated_at": NOW}}, ({"counter_alarms.id": OTHER},),
          gives={"since": SOON, "repeated_at": None, "told_at": None, "ended_at": None,
                 "due_at": SOON}),
    Asked("whether a tick changes", store.TICK, (ORDER, UNIT, True, SOON),
          {"fulfillments": PIECE, "counter_units": MADE},
          ({"fulfillments.order_id": OTHER}, {"fulfillments.id": OTHER}, SETTLED,
           {"counter_units.id": OTHER}, {"counter_units.ticked_at": NOW}, {"$3": False},
           {"$2": OTHER})),
    Asked("a piece is ticked", store.TICK, (ORDER, UNIT, True, SOON),
          {"fulfillments": PIECE, "counter_units": MADE,
           "counter_units 2": {**MADE, "id": OTHER}}, (),
          gives=[{"ticked_at": SOON}, {"ticked_at": None}],
          others=(({"counter_units.ticked_at": NOW}, [{"ticked_at": NOW}, {}]),
                  ({"counter_units.ticked_at": NOW, "$3": False}, [{"ticked_at": None}, {}])),
          after="SELECT * FROM counter_units ORDER BY id"),
)  # fmt: skip

SHOWN: dict[str, Row] = {
    **ORDERS, "counter_stores": STORE, "outlets": OUTLET,
    "counter_alarms": {**RINGS, "repeated_at": SOON},
    "counter_deliveries": {"order_id": ORDER, "address": "Street 1"},
}  # fmt: skip
THREE: dict[str, Row] = {"counter_stores": STORE, "outlets": OUTLET}
for place, (number, paid) in enumerate(((31, SOON), (33, NOW), (32, NOW))):
    THREE[f"orders {place}"] = {**ORDERED, "id": UUID(int=number), "token": f"t{number}",
                                "client_key": None, "paid_at": paid}  # fmt: skip
    THREE[f"counter_orders {place}"] = {**WITH_CODE, "order_id": UUID(int=number)}
OVER = {"orders.state": "completed", "orders.ended_at": NOW + MOMENT}
ON_BOARDS = (
    Asked("what a board shows", store.ON_BOARD, (["K01"], NOW, SOON), SHOWN,
          ({"$1": ["K02"]}, {"orders.state": "placed"}, {**OVER, "orders.ended_at": NOW},
           {**OVER, "orders.state": "expired"}, {"counter_orders.order_id": OTHER},
           {"counter_stores.outlet_id": "K02"}, {"outlets.id": "K02"},
           {"counter_orders.begin_at": SOON + MOMENT, "counter_orders.wanted_at": LATER}),
          ({"$1": None}, OVER, {**OVER, "orders.state": "failed"},
           {"counter_orders.begin_at": SOON, "counter_orders.wanted_at": LATER}),
          {"id": ORDER, "number": "AB", "outlet_id": "K01", "amount_minor": 300,
           "currency": "EUR", "paid_at": NOW, "name": "Boris", "tries": 1, "wrong": 2,
           "spot": "7", "repeated_at": SOON, "slug": "kiosk", "outlet_name": "Kiosk",
           "address": "Street 1"},
          (({"counter_deliveries": None}, {"address": None}),
           ({"counter_deliveries.order_id": OTHER}, {"address": None}),
           ({"counter_alarms": None}, {"repeated_at": None}),
           ({"counter_alarms.id": OTHER}, {"repeated_at": None}))),
    Asked("orders of a board", store.ON_BOARD, (None, NOW, SOON), THREE, (),
          gives=[{"id": UUID(int=n)} for n in (32, 33, 31)]),
    Asked("an order of a board", store.BOARD_ORDER, (ORDER, ["K01"]), SHOWN,
          ({"orders.id": OTHER}, {"$1": OTHER}, {"$2": ["K02"]}), ({"$2": None},),
          {"id": ORDER, "name": "Boris"}),
    Asked("pieces of a board", store.BOARD_UNITS, ([OTHER, ORDER],),
          {"fulfillments": PIECE, "counter_units": MADE, "order_lines": OF_IT,
           "counter_lines": CHOSEN, "order_lines 2": {**OF_IT, "id": OTHER},
           "counter_lines 2": {**CHOSEN, "line_id": OTHER},
           "counter_items": {**AN_ITEM, "station": "bar"}, "fulfillments 2": {**PIECE,
            "id": UUID(int=2)},
           "counter_units 2": {**MADE, "id": UUID(int=2)}},
          ({"$1": [OTHER]}, {"order_lines.id": ANOTHER}, {"counter_items.id": ANOTHER},
           {"counter_lines.line_id": ANOTHER}),
          gives=[{"id": UUID(int=2)},
                 {"id": UNIT, "order_id": ORDER, "line_id": LINE, "state": "in_preparation",
                  "amount_minor": 300, "accepted_at": NOW, "ready_at": SOON, "name": "Tea",
                  "sku": "tea", "price_minor": 150, "quantity": 2, "options": ["big"],
                  "note": "no sugar", "item_id": ITEM, "station": "bar"}],
          others=(({"counter_units.id": OTHER}, {"id": UUID(int=2)}),)),
    Asked("how far pieces have come", store.UNITS_BESIDE, ([UNIT],), {"counter_units": MADE},
          ({"counter_units.id": OTHER},)),
    Asked("an alarm is held", alarms._HOLD, (ORDER,), {"counter_alarms": RINGS},
          ({"counter_alarms.id": OTHER}, ENDED), locks=("counter_alarms",)),
    Asked("an alarm ends", f"{alarms._END} RETURNING *", (ORDER, SOON), {"counter_alarms": RINGS},
          ({"counter_alarms.id": OTHER},), gives={"ended_at": SOON, "due_at": None}),
    Asked("what an alarm is about", alarms._ABOUT, (ORDER, NOW),
          {"orders": ORDERED, "outlets": OUTLET, "counter_stores": STORE,
           "merchants": {"id": ASHA, "languages": ["hi", "en"]},
           "fulfillments": {**PIECE, "state": "to_accept"},
           "counter_alarms": {**RINGS, "id": OTHER, "called_at": NOW + MOMENT},
           "outlets 2": {**OUTLET, "id": "K02"},
           "counter_stores 2": {**STORE, "outlet_id": "K02", "slug": "b"}},
          ({"$1": OTHER}, {"orders.id": OTHER}, {"outlets.id": "K09"}, {"merchants.id": OTHER},
           {"counter_stores.outlet_id": "K09"}), (),
          {"number": "AB", "counter": "Kiosk", "alarm_phone": "+4915112345678", "until": SOON,
           "called_lately": True, "language": "hi"},
          [*((change, {"until": None}) for change in (
              {"fulfillments.order_id": OTHER}, {"fulfillments.state": "in_preparation"})),
           *((change, {"called_lately": False}) for change in (
               {"counter_alarms": None}, {"counter_alarms.outlet_id": "K02"},
               {"counter_alarms.called_at": NOW}))]),
    Asked("the steps of an alarm", f"{alarms._STEP} RETURNING *", (ORDER, SOON, SOON, SOON, LATER),
          {"counter_alarms": RINGS}, ({"counter_alarms.id": OTHER},),
          gives={"repeated_at": SOON, "told_at": SOON, "called_at": SOON, "due_at": LATER},
          others=(({"counter_alarms.repeated_at": NOW, "counter_alarms.told_at": NOW,
                    "counter_alarms.called_at": NOW},
                   {"repeated_at": NOW, "told_at": NOW, "called_at": NOW}),)),
    Asked("a call to the counter", f"{alarms._CALL} RETURNING *", (ORDER, SOON),
          {"counter_alarms": RINGS}, ({"counter_alarms.id": OTHER},),
          gives={"outlet_id": "K01", "purpose": "alarm", "form": "call", "stage": "due",
                 "created_at": SOON, "due_at": SOON}),
    Asked("orders that a board shows", f"{boards._REACHED} RETURNING *",
          ([ORDER], ["K01"], SOON, [ORDER]), {"counter_orders": WITH_CODE},
          ({"$1": [OTHER]}, {"$2": ["K02"]},
           {"counter_orders.reached_at": NOW, "counter_orders.seen_at": NOW},
           {"counter_orders.reached_at": NOW, "$4": []}), ({"$2": None},),
          {"reached_at": SOON, "seen_at": SOON},
          [({"$4": [OTHER]}, {"reached_at": SOON, "seen_at": None}),
           ({"counter_orders.reached_at": NOW}, {"reached_at": NOW, "seen_at": SOON}),
           ({"counter_orders.seen_at": NOW}, {"reached_at": SOON, "seen_at": NOW}),
           ({"counter_orders.seen_at": NOW, "$4": []}, {"seen_at": NOW})]),
    Asked("a board is here", boards._HERE, (["K01"], LATER, NOW),
          {**STORES, "counter_presence": {"outlet_id": "K01", "began_at": NOW, "seen_at": NOW}},
          (), (), [{"began_at": NOW, "seen_at": LATER}],
          [({"counter_presence.seen_at": LATER + SECOND}, [{"seen_at": LATER + SECOND}]),
           ({"counter_presence.began_at": NOW - SECOND, "counter_presence.seen_at": NOW - MOMENT},
            [{"seen_at": NOW - MOMENT},
             {"began_at": LATER, "seen_at": LATER, "outlet_id": "K01", "merchant_id": ASHA}]),
           ({"counter_presence.outlet_id": "K02"}, [{"seen_at": NOW}, {"outlet_id": "K01"}]),
           ({"$1": ["K02"]}, [{"seen_at": NOW}]), ({"$1": None}, [{"seen_at": LATER}])],
          "SELECT * FROM counter_presence ORDER BY began_at"),
    Asked("since when a board is here", boards._SINCE, ("K01", NOW),
          {"counter_presence": {"outlet_id": "K01", "began_at": NOW - SECOND, "seen_at": NOW},
           "counter_presence 2": {"outlet_id": "K01", "began_at": NOW - SECOND / 2,
                                  "seen_at": SOON}},
          ({"$1": "K02"}, {"$2": SOON + MOMENT}), gives={"lower": NOW - SECOND},
          others=(({"counter_presence.seen_at": NOW - SECOND}, {"lower": NOW - SECOND / 2}),
                  ({"counter_presence.outlet_id": "K02"}, {"lower": NOW - SECOND / 2}),
                  ({"$2": SOON}, {"lower": NOW - SECOND / 2}))),
    Asked("for how long a board was here", boards._FOR, ("K01", NOW, LATER),
          {"counter_presence": {"outlet_id": "K01", "began_at": NOW - SECOND, "seen_at": SOON},
           "counter_presence 2": {"outlet_id": "K01", "began_at": NOW + 10 * SECOND,
                                  "seen_at": LATER + SECOND}},
          (), (), {"coalesce": 51 * SECOND},
          [({"counter_presence.outlet_id": "K02"}, {"coalesce": 50 * SECOND}),
           ({"counter_presence.seen_at": NOW - SECOND / 2}, {"coalesce": 50 * SECOND}),
           ({"counter_presence.seen_at": NOW + 11 * SECOND}, {"coalesce": 60 * SECOND}),
           ({"counter_presence 2.began_at": LATER + MOMENT}, {"coalesce": SECOND}),
           ({"$1": "K02"}, {"coalesce": timedelta(0)})]),
)  # fmt: skip

PLAIN: dict[str, Row] = {"fulfillments": PIECE, "counter_units": {**MADE, "accepted_at": None}}
FETCHED: Row = {**PIECE, "settlement": "fulfilled", "basis": "code"}
BY_STAFF: Row = {"fulfillments.basis": "staff_word", "counter_units.said_by": "asha",
                 "counter_units.reason": "seen"}  # fmt: skip
LAWS = (
    Asked("a piece that nobody accepted", fulfillment._NOT_ACCEPTED, (), PLAIN,
          ({"fulfillments.kind": "vending"}, {"fulfillments.state": "to_accept"},
           {"counter_units.accepted_at": NOW}, {"counter_units.id": OTHER}),
          ({"fulfillments.state": "to_pick_up"}, {"fulfillments.state": "picked_up"}),
          {"id": UNIT}),
    Asked("a piece that was handed over for no reason", fulfillment._BY_CODE_OR_NAME, (),
          {"fulfillments": FETCHED, "counter_units": MADE,
           "counter_orders": {**WITH_CODE, "tries": 0},
           "exposures": {"fulfillment_id": OTHER}},
          ({"counter_orders.tries": 1}, {"fulfillments.kind": "vending"},
           {"fulfillments.settlement": "refund_due"}, {"counter_units.id": OTHER},
           {**BY_STAFF, "exposures.fulfillment_id": UNIT},
           {"fulfillments.basis": "no_show", "exposures.fulfillment_id": UNIT}),
          (BY_STAFF, {"fulfillments.basis": "no_show"}, {"fulfillments.basis": "else"},
           {"counter_orders.tries": 1, "counter_orders.order_id": OTHER},
           *({**BY_STAFF, "exposures.fulfillment_id": UNIT, name: None}
             for name in ("counter_units.said_by", "counter_units.reason"))), {"id": UNIT}),
    Asked("more is kept back than is to be made", fulfillment._RESERVED, (),
          {"counter_lines": CHOSEN, "orders": ORDERED, "fulfillments": PIECE},
          ({"counter_lines.reserved": 1}, {"orders.id": OTHER}, {"orders.state": "placed"}),
          ({"counter_lines.reserved": 1, **SETTLED},
           {"counter_lines.reserved": 1, "fulfillments.line_id": OTHER},
           {"orders.state": "placed", "counter_lines.reserved": 11}),
          {"line_id": LINE}),
    Asked("a piece that was refused for no reason", fulfillment._NO_REASON, (),
          {"fulfillments": {**PIECE, "settlement": "refund_due", "basis": "rejected"},
           "counter_units": {**MADE, "ended": "rejected", "said_by": "asha", "reason": ""}},
          ({"counter_units.reason": "none left"}, {"fulfillments.basis": "else"},
           {"counter_units.id": OTHER}),
          ({"counter_units.reason": None},
           {"counter_units.reason": "x", "counter_units.said_by": None},
           {"counter_units.reason": "x", "counter_units.ended": "cancelled"},
           {"counter_units.reason": "x", "counter_units.ended": None}), {"id": UNIT}),
    Asked("a piece that was fetched too late", fulfillment._LATE, (),
          {"fulfillments": {**FETCHED, "sent_at": SOON}},
          ({"fulfillments.kind": "vending"}, {"fulfillments.sent_at": SOON - MOMENT},
           {"fulfillments.basis": "staff_word"}), gives={"id": UNIT}),
    Asked("a piece that nobody is told of", fulfillment._ALARM, (),
          {"fulfillments": {**PIECE, "state": "to_accept"},
           "counter_alarms": {**RINGS, "id": OTHER}},
          ({"counter_alarms.id": ORDER}, {"fulfillments.kind": "vending"},
           {"fulfillments.state": "in_preparation"}),
          ({"counter_alarms.id": ORDER, **ENDED},), {"id": UNIT}),
)  # fmt: skip


async def test_stock_is_taken_in_one_order_by_all_who_order(
    rows: Rows, holder: RawConnection, looker: RawConnection
) -> None:
    first, second = UUID(int=1), UUID(int=2)
    for item in (second, first):
        await rows.put("counter_items", **{**AN_ITEM, "id": item, "product_id": item})
    await holder.execute("BEGIN")
    await holder.fetch("SELECT FROM counter_items WHERE id = $1 FOR NO KEY UPDATE", first)
    taken: tuple[Any, ...] = ("K01", [second, first], [1, 1], [{}, {}], [], [])
    work = asyncio.ensure_future(rows.conn.fetch(store.RESERVE, *taken))
    assert await stopped(looker, work) is not None
    free = await looker.fetch("SELECT id FROM counter_items FOR NO KEY UPDATE SKIP LOCKED")
    assert [row["id"] for row in free] == [second]
    await holder.execute("COMMIT")
    assert len(await work) == 2


@pytest.mark.parametrize("asked", [COUNTERS, MENUS, HANDED, ON_BOARDS, LAWS])
async def test_each_statement_of_the_counter_finds_and_writes_what_it_should(
    rows: Rows, asked: Sequence[Asked]
) -> None:
    assert await mistaken(rows, asked) == []
