"""What each statement about printers and their jobs, orders of the till and the screen on the wall
finds or writes: its own row, as long as nothing differs from what it asks for."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import pytest

from coinslot.counter import printers, printing, reprints, walk_ins, wall_screen
from tests.counter.test_statements_of_the_counter import (
    AN_ITEM,
    ASHA,
    CHOSEN,
    LATER,
    LINE,
    MOMENT,
    OF_IT,
    ORDER,
    ORDERED,
    OTHER,
    OUTLET,
    PIECE,
    SOON,
    STORE,
    UNIT,
    WITH_CODE,
    Row,
)
from tests.sales.asked import Asked, mistaken
from tests.sales.by_hand import NOW, Rows

PRINTER, JOB, SECOND_JOB = UUID(int=61), UUID(int=62), UUID(int=63)
SECRET = b"hash"

STAR: Row = {
    "id": PRINTER, "merchant_id": ASHA, "outlet_id": "K01", "name": "Bar", "kind": "star",
    "secret_hash": SECRET, "width": 576, "stations": ["bar"], "tickets": True, "created_at": NOW,
}  # fmt: skip
ANOTHER: Row = {**STAR, "id": UUID(int=60), "name": "Kitchen", "secret_hash": b"other"}
DUE: Row = {
    "id": JOB, "merchant_id": ASHA, "outlet_id": "K01", "printer_id": PRINTER, "order_id": ORDER,
    "kind": "ticket", "units": [UNIT], "token": "t", "created_at": NOW, "due_at": NOW,
}  # fmt: skip
SENT: Row = {**DUE, "sent_at": SOON}
DOUBT: Row = {**SENT, "doubted_at": SOON, "due_at": None}
FAILED: Row = {**DUE, "failed_at": SOON, "due_at": None, "problem": "no paper"}
NEXT: Row = {**DUE, "id": SECOND_JOB, "token": "u", "kind": "test", "created_at": SOON}
JOB_IS: Row = {"counter_prints.id": OTHER}
PRINTED: Row = {"counter_prints.sent_at": NOW, "counter_prints.printed_at": SOON,
                "counter_prints.due_at": None}  # fmt: skip
ENDED: Row = {"counter_prints.failed_at": SOON, "counter_prints.due_at": None}
NOT_K01: list[Row] = [{"$2": ["K02"]}]
DRAWN: dict[str, Row] = {
    "counter_prints": DUE, "counter_printers": STAR, "outlets": OUTLET,
    "merchants": {"id": ASHA, "zone": "Asia/Kolkata", "languages": ["hi", "en"]},
    "orders": ORDERED, "counter_orders": {**WITH_CODE, "begin_at": SOON, "wanted_at": LATER},
}  # fmt: skip

JOBS = (
    Asked("a job and what it is drawn from", printing.JOB, (JOB,), DRAWN,
          ({"$1": OTHER}, {"counter_printers.id": OTHER}, {"outlets.id": "K02"},
           {"merchants.id": OTHER}), (),
          {"printer_kind": "star", "width": 576, "printer": "Bar", "outlet": "Kiosk",
           "zone": "Asia/Kolkata", "language": "hi", "number": "AB", "paid_at": NOW,
           "currency": "EUR", "name": "Boris", "spot": "7", "wanted_at": LATER},
          (({"outlets.zone": "Europe/Berlin"}, {"zone": "Europe/Berlin"}),
           ({"orders.id": OTHER}, {"number": None}),
           ({"counter_orders.order_id": OTHER}, {"name": None}))),
    Asked("pieces on paper", printing._PIECES, ([UNIT, UUID(int=2)],),
          {"fulfillments": PIECE, "fulfillments 2": {**PIECE, "id": UUID(int=2), "line_id": OTHER},
           "order_lines": OF_IT, "counter_lines": CHOSEN, "order_lines 2": {**OF_IT, "id": OTHER},
           "counter_lines 2": {**CHOSEN, "line_id": OTHER}},
          ({"$1": [OTHER]},),
          gives=[{"id": UNIT, "line_id": LINE, "amount_minor": 300, "settlement": None,
                  "name": "Tea", "options": ["big"], "note": "no sugar"}, {"id": UUID(int=2)}],
          others=(({"order_lines 2.id": UUID(int=99)}, {"id": UNIT}),
                  ({"counter_lines 2.line_id": UUID(int=99)}, {"id": UNIT}))),
    Asked("extras on paper", printing._EXTRAS, (ORDER,),
          {"order_extras": {"order_id": ORDER, "kind": "tip", "amount_minor": 50},
           "order_extras 2": {"order_id": ORDER, "kind": "added_tax", "amount_minor": 19}},
          ({"$1": OTHER},), gives=[{"kind": "added_tax", "amount_minor": 19}, {"kind": "tip"}]),
    Asked("the first of a printer", printing._FIRST, (SECOND_JOB,),
          {"counter_prints": DUE, "counter_prints 2": NEXT}, ({"$1": SECOND_JOB},),
          gives=[], others=[(change, {"?column?": True}) for change in (
              {"$1": JOB}, {"counter_prints.printer_id": OTHER}, ENDED,
              {"counter_prints.created_at": SOON + MOMENT})]),
    Asked("the next job", printing._NEXT, (PRINTER, NOW - MOMENT),
          {"counter_prints 2": NEXT, "counter_prints": DUE},
          ({"$1": OTHER}, {"$2": SOON}),
          gives={"id": JOB},
          others=[(change, {"id": SECOND_JOB}) for change in (
              {"$2": NOW}, {"counter_prints.sent_at": SOON}, ENDED,
              {"counter_prints.printer_id": OTHER}, {"counter_prints.created_at": LATER})]),
    Asked("a job by its token", printing._OF_TOKEN, (PRINTER, "t"), {"counter_prints": DUE},
          ({"$1": OTHER}, {"$2": "u"}), gives={"id": JOB}),
    Asked("a job is sent", f"{printing.TAKE}, *", (JOB, SOON, LATER), {"counter_prints": DUE},
          (JOB_IS, {"counter_prints.sent_at": NOW}, ENDED),
          gives={"?column?": True, "sent_at": SOON, "due_at": LATER}),
    Asked("a job is printed", f"{printing._PRINTED}, *", (JOB, LATER), {"counter_prints": SENT},
          (JOB_IS, {"counter_prints.sent_at": None}, PRINTED),
          ({"counter_prints.doubted_at": SOON, "counter_prints.due_at": None}, ENDED),
          {"printed_at": LATER, "due_at": None}),
    Asked("a job failed", f"{printing._FAILED}, *", (JOB, LATER, "fire"), {"counter_prints": SENT},
          (JOB_IS, PRINTED, ENDED), ({"counter_prints.sent_at": None},),
          {"failed_at": LATER, "problem": "fire", "due_at": None}),
    Asked("a job is in doubt", f"{printing._DOUBTED} RETURNING *", (JOB, LATER, "no answer"),
          {"counter_prints": SENT},
          (JOB_IS, {"counter_prints.sent_at": None}, PRINTED),
          gives={"doubted_at": LATER, "problem": "no answer", "due_at": None}),
    Asked("the next one is due", f"{printing._NEXT_DUE} RETURNING *", (PRINTER, SOON),
          {"counter_prints": {**DUE, "due_at": LATER},
           "counter_prints 2": {**NEXT, "due_at": LATER}},
          ({"$1": OTHER}, {"$2": LATER}), (), {"id": JOB, "due_at": SOON},
          [(change, {"id": SECOND_JOB}) for change in (
              {"counter_prints.sent_at": NOW}, {"counter_prints.due_at": NOW},
              {"counter_prints.created_at": LATER})]),
    Asked("a job is put off", f"{printing._PUT_OFF} RETURNING *", (JOB, LATER, "offline"),
          {"counter_prints": DUE}, (JOB_IS, {"counter_prints.sent_at": NOW}),
          gives={"due_at": LATER, "problem": "offline"}),
    Asked("which printer asks", f"{printing._BY_SECRET}, asked_at", (SECRET, SOON),
          {"counter_printers": STAR}, ({"$1": b"else"}, {"counter_printers.retired_at": NOW}),
          gives={"id": PRINTER, "merchant_id": ASHA, "kind": "star", "asked_at": SOON}),
    Asked("what did not come out", reprints._PROBLEMS, (["K01"], NOW - MOMENT, 9),
          {"counter_prints 2": {**DOUBT, "id": SECOND_JOB, "token": "u", "copy": 1,
                                "created_at": SOON},
           "counter_prints": FAILED, "counter_printers": STAR, "orders": ORDERED},
          ({"$1": ["K02"]}, {"$2": SOON}, {"counter_printers.id": OTHER}), ({"$1": None},),
          [{"id": JOB, "printer": "Bar", "number": "AB", "problem": "no paper"},
           {"id": SECOND_JOB, "problem": ""}],
          [({"$3": 1}, {"id": JOB}), ({"orders.id": OTHER}, [{"number": None}, {}]),
           *((change, {"id": SECOND_JOB}) for change in (
               {"$2": NOW}, {"counter_prints.said_by": "asha"},
               {"counter_prints.sent_at": NOW, "counter_prints.printed_at": SOON},
               {"counter_prints.failed_at": None, "counter_prints.due_at": NOW}))]),
    Asked("whether somebody can print", reprints._HAS_PRINTER, (["K01"],),
          {"counter_printers": STAR}, ({"$1": ["K02"]}, {"counter_printers.retired_at": NOW}),
          ({"$1": None},)),
    Asked("somebody looked", f"{reprints._SETTLE}, *", (JOB, ["K01"], "asha"),
          {"counter_prints": FAILED},
          (JOB_IS, {"$2": ["K02"]}, {"counter_prints.said_by": "boris"},
           {"counter_prints.failed_at": None, "counter_prints.due_at": NOW}), ({"$2": None},),
          {"order_id": ORDER, "said_by": "asha"}),
)  # fmt: skip

MADE_AGAIN = "SELECT * FROM counter_prints WHERE copy > 0 OR kind = 'receipt' ORDER BY printer_id"
BESIDE: dict[str, Row] = {
    "fulfillments": PIECE, "fulfillments 2": {**PIECE, "id": UUID(int=2)},
    "counter_lines": CHOSEN, "counter_items": {**AN_ITEM, "station": "bar"},
    "counter_printers": STAR, "counter_printers 2": {**ANOTHER, "stations": [], "tickets": False},
    "counter_prints": DUE,
}  # fmt: skip
ONCE_MORE: Row = {
    "printer_id": PRINTER, "order_id": ORDER, "merchant_id": ASHA, "outlet_id": "K01", "copy": 1,
    "kind": "ticket", "units": [UUID(int=2), UNIT], "created_at": SOON, "due_at": SOON,
}  # fmt: skip
AGAIN = (
    Asked("a ticket once more", reprints._AGAIN, (ORDER, SOON, "ticket", 1), BESIDE,
          ({"$1": OTHER}, {"counter_lines.line_id": OTHER}, {"counter_items.id": OTHER},
           {"counter_printers.outlet_id": "K02"}, {"counter_printers.retired_at": NOW},
           {"counter_printers.tickets": False}, {"counter_items.station": "oven"}), (),
          ONCE_MORE,
          [({"counter_printers.stations": []}, ONCE_MORE),
           ({"counter_prints": None}, ONCE_MORE),
           ({"counter_prints.copy": 4}, [{"copy": 4}, {"copy": 5}]),
           ({"counter_prints.printer_id": OTHER}, {"copy": 1}),
           ({"fulfillments.settlement": "refund_due", "fulfillments.basis": "rejected"},
            {"units": [UUID(int=2)]}),
           ({"fulfillments.settlement": "fulfilled", "fulfillments.basis": "code"},
            {"units": [UUID(int=2), UNIT]}),
           ({"counter_printers 2.tickets": True}, [{"printer_id": UUID(int=60)}, {}])],
          MADE_AGAIN),
    Asked("a receipt", reprints._AGAIN, (ORDER, SOON, "receipt", 0),
          {**BESIDE, "counter_printers 3": {**ANOTHER, "id": UUID(int=59), "outlet_id": "K02",
                                            "tickets": False, "secret_hash": b"third"}},
          ({"$1": OTHER},), (), {**ONCE_MORE, "printer_id": UUID(int=60), "copy": 0,
                                 "kind": "receipt"},
          [({"counter_printers 2.retired_at": NOW}, {"printer_id": PRINTER}),
           ({"counter_printers 2.tickets": True, "counter_printers.tickets": False},
            {"printer_id": PRINTER}),
           ({"counter_printers.tickets": False}, {"printer_id": UUID(int=60)}),
           ({"fulfillments.settlement": "refund_due", "fulfillments.basis": "rejected"},
            {"units": [UUID(int=2), UNIT]})],
          MADE_AGAIN),
)  # fmt: skip

ALL = "SELECT * FROM counter_printers ORDER BY id"
ADDED: tuple[object, ...] = (
    PRINTER, "K01", "Bar", "star", "", SECRET, 384, ["bar"], False, SOON, ["K01"], 2,
)  # fmt: skip
PRINTERS = (
    Asked("printers", printers._LISTED, (["K01"],),
          {"counter_printers": STAR, "counter_printers 2": {**ANOTHER, "name": "Aisle"},
           "outlets": OUTLET, "counter_prints": {**FAILED, "printer_id": PRINTER},
           "counter_prints 2": {**SENT, "id": SECOND_JOB, "copy": 1, "token": "u"}},
          ({"$1": ["K02"]}, {"outlets.id": "K02"}), ({"$1": None},),
          [{"name": "Aisle", "last_at": None}, {"name": "Bar", "outlet": "Kiosk", "last_at": NOW,
           "sent_at": SOON, "failed_at": None, "problem": ""}],
          (({"counter_prints.created_at": NOW + MOMENT},
            [{}, {"problem": "no paper", "failed_at": SOON, "sent_at": None}]),
           ({"counter_printers.retired_at": NOW}, {"name": "Aisle"}))),
    Asked("a printer is added", f"{printers._ADD}, *", ADDED, {"counter_stores": STORE},
          ({"$2": "K02"}, {"$11": ["K02"]}, {"$12": 0}), ({"$11": None},),
          {"id": PRINTER, "merchant_id": ASHA, "outlet_id": "K01", "name": "Bar", "kind": "star",
           "address": "", "secret_hash": SECRET, "width": 384, "stations": ["bar"],
           "tickets": False, "created_at": SOON}),
    Asked("no more than so many", printers._ADD, ADDED,
          {"counter_stores": STORE, "counter_printers": ANOTHER,
           "counter_printers 2": {**ANOTHER, "id": UUID(int=59), "secret_hash": b"third"}},
          ({"$2": "K01"},), gives=[], others=[(change, {"id": PRINTER}) for change in (
              {"counter_printers.retired_at": NOW}, {"counter_printers.outlet_id": "K02"})]),
    Asked("a printer is retired", f"{printers._RETIRE}, *", (PRINTER, SOON, ["K01"]),
          {"counter_printers": STAR},
          ({"$1": OTHER}, {"$3": ["K02"]}, {"counter_printers.retired_at": NOW}), ({"$3": None},),
          {"name": "Bar", "retired_at": SOON}),
    Asked("a test", f"{printers._TEST}, *", (PRINTER, SOON, ["K01"]), {"counter_printers": STAR},
          ({"$1": OTHER}, {"$3": ["K02"]}, {"counter_printers.retired_at": NOW}), ({"$3": None},),
          {"merchant_id": ASHA, "outlet_id": "K01", "printer_id": PRINTER, "kind": "test",
           "order_id": None, "created_at": SOON, "due_at": SOON}),
    Asked("a phone that is called", f"{printers._PHONE}, *", ("K01", "+4930123456", ["K01"]),
          {"counter_stores": STORE}, ({"$1": "K02"}, {"$3": ["K02"]}), ({"$3": None},),
          {"alarm_phone": "+4930123456"}),
    Asked("counters that print", printers._STORES, (["K01", "K02"],),
          {"counter_stores": STORE, "outlets": OUTLET,
           "counter_stores 2": {**STORE, "outlet_id": "K02", "slug": "b"},
           "outlets 2": {**OUTLET, "id": "K02", "name": "Bar"},
           "counter_items": {**AN_ITEM, "station": "oven"},
           "counter_items 2": {**AN_ITEM, "id": OTHER, "product_id": OTHER, "station": "bar"},
           "counter_items 3": {**AN_ITEM, "id": ORDER, "product_id": ORDER, "station": "bar"},
           "counter_items 4": {**AN_ITEM, "id": LINE, "product_id": LINE, "station": ""}},
          (), (),
          [{"outlet_id": "K02", "name": "Bar", "stations": []},
           {"outlet_id": "K01", "alarm_phone": "+4915112345678", "stations": ["bar", "oven"]}],
          (({"$1": ["K01"]}, {"outlet_id": "K01"}), ({"$1": None}, [{}, {}]),
           ({"outlets.decommissioned_at": NOW}, {"outlet_id": "K02"}),
           ({"counter_items.retired_at": NOW}, [{}, {"stations": ["bar"]}]),
           ({"counter_items.outlet_id": "K02"}, [{"stations": ["oven"]}, {"stations": ["bar"]}]))),
)  # fmt: skip

WALK_IN: Row = {
    "id": UUID(int=71), "merchant_id": ASHA, "outlet_id": "K01", "number": "W9", "name": "Mei",
    "lines": [{"name": "Tea"}], "total_minor": 250, "entered_by": "asha", "entered_at": NOW,
    "taken": [{"item": "cake"}],
}  # fmt: skip
LATEST: Row = {**WALK_IN, "id": UUID(int=70), "number": "W10", "entered_at": SOON}
OVER: list[Row] = [{"counter_walk_ins.handed_at": SOON}, {"counter_walk_ins.cancelled_at": SOON}]
MOVED: tuple[object, ...] = (UUID(int=71), ["K01"], "ready", LATER)
DAY = timedelta(days=1)
AT_THE_TILL = (
    Asked("a counter with a till", walk_ins._STORE, ("K01", ["K01"]),
          {"counter_stores": {**STORE, "tax_added": True},
           "outlets": {**OUTLET, "zone": "Europe/Riga"},
           "merchants": {"id": ASHA, "zone": "Asia/Kolkata"}},
          ({"$1": "K02"}, {"$2": ["K02"]}, {"outlets.id": "K02"}, {"merchants.id": UUID(int=9)}),
          ({"$2": None},), {"tax_added": True, "currency": "EUR", "zone": "Europe/Riga"},
          [({"outlets.zone": None}, {"zone": "Asia/Kolkata"}),
           ({"outlets.zone": None, "merchants.zone": None}, {"zone": "UTC"})],
          locks=("counter_stores",)),
    # Of what was handed out the numbers of this day count alone.
    *(Asked(name, walk_ins._LAST, ("K01", NOW, NOW - DAY),
            {"counter_walk_ins": {**WALK_IN, "handed_at": SOON},
             "counter_walk_ins 2": {**LATEST, "entered_at": NOW - DAY + MOMENT, **more}}, (), (),
            gives, [({"$1": "K02"}, {"max": None}), ({"counter_walk_ins 2.outlet_id": "K02"},
                     {"max": 9}), *others])
      for name, more, gives, others in (
        ("the last number, of one that is still on the board", {}, {"max": 10},
         [({"counter_walk_ins 2.entered_at": NOW - DAY}, {"max": 9}),
          ({"counter_walk_ins 2.handed_at": NOW}, {"max": 9}),
          ({"counter_walk_ins 2.cancelled_at": NOW}, {"max": 9})]),
        ("the last number, of this day", {"handed_at": NOW}, {"max": 9},
         [({"counter_walk_ins 2.entered_at": NOW}, {"max": 10}), ({"$2": SOON}, {"max": None})]),
      )),
    Asked("one is entered", f"{walk_ins._ENTER} RETURNING *", tuple(WALK_IN.values()), {}, (),
          gives=WALK_IN),
    Asked("one that is printed again", reprints._HOLD_WALK_IN, (WALK_IN["id"], ["K01"]),
          {"counter_walk_ins": WALK_IN},
          ({"counter_walk_ins.id": OTHER}, {"counter_walk_ins.outlet_id": "K02"}, *OVER),
          ({"$2": None},), locks=("counter_walk_ins",)),
    Asked("its ticket once more", reprints._AGAIN_WALK_IN, (WALK_IN["id"], SOON, ["K01"]),
          {"counter_walk_ins": {**WALK_IN, "lines": [{"station": "bar"}]},
           "counter_printers": STAR},
          ({"counter_walk_ins.id": OTHER}, {"counter_walk_ins.outlet_id": "K02"},
           {"counter_printers.outlet_id": "K02"}, {"counter_printers.retired_at": NOW},
           {"counter_printers.tickets": False}, {"counter_printers.stations": ["grill"]},
           {"$3": ["K02"]}, *OVER),
          ({"$3": None}, {"counter_printers.stations": []})),
    Asked("what is open", walk_ins._OPEN, (["K01"], NOW - MOMENT),
          {"counter_walk_ins 2": LATEST, "counter_walk_ins": WALK_IN, "outlets": OUTLET},
          ({"$1": ["K02"]}, {"outlets.id": "K02"}), ({"$1": None},),
          [{"number": "W9", "currency": "EUR"}, {"number": "W10"}],
          [(change, {"number": "W10"}) for change in (
              {"$2": NOW}, {"counter_walk_ins.outlet_id": "K02"}, *OVER)]),
    Asked("one moves", f"{walk_ins._MOVE}, *", MOVED, {"counter_walk_ins": WALK_IN},
          ({"$1": OTHER}, {"$2": ["K02"]}, *OVER), ({"$2": None},),
          {"ready_at": LATER, "handed_at": None, "cancelled_at": None},
          (({"counter_walk_ins.ready_at": SOON}, {"ready_at": SOON}),
           ({"counter_walk_ins.ready_at": SOON, "$3": "back"}, {"ready_at": None}),
           ({"counter_walk_ins.ready_at": SOON, "$3": "handed"},
            {"ready_at": SOON, "handed_at": LATER, "cancelled_at": None}),
           ({"$3": "cancelled"}, {"ready_at": None, "handed_at": None, "cancelled_at": LATER}))),
    Asked("a counter by its screen", wall_screen._STORE, ("secret",),
          {"counter_stores": {**STORE, "wall": "secret"}, "outlets": OUTLET},
          ({"$1": "else"}, {"outlets.id": "K02"}, {"outlets.decommissioned_at": NOW}),
          gives={"outlet_id": "K01", "merchant_id": ASHA, "name": "Kiosk"}),
    Asked("who stands on the wall", wall_screen._NAMED, ("K01", NOW + DAY - MOMENT),
          {"fulfillments": {**PIECE, "state": "to_pick_up"},
           "fulfillments 2": {**PIECE, "id": UUID(int=2)},
           "orders": {**ORDERED, "paid_at": NOW + MOMENT}, "counter_orders": WITH_CODE,
           "counter_walk_ins": WALK_IN}, ({"$1": "K02"},), (),
          [{"number": "W9", "name": "Mei", "ready": False},
           {"number": "AB", "name": "Boris", "ready": False}],
          [({"counter_walk_ins.ready_at": SOON}, [{"ready": True}, {"ready": False}]),
           ({"fulfillments 2.state": "to_pick_up"}, [{}, {"ready": True}]),
           ({"fulfillments 2.state": "to_accept"}, [{}, {"ready": True}]),
           ({"fulfillments 2.settlement": "refund_due", "fulfillments 2.basis": "rejected"},
            [{}, {"ready": True}]),
           *((change, {"number": "W9"}) for change in (
               {"orders.state": "completed", "orders.ended_at": SOON},
               {"orders.outlet_id": "K02"}, {"counter_orders.order_id": OTHER})),
           *((change, {"number": "AB"}) for change in (
               *OVER, {"counter_walk_ins.outlet_id": "K02"}, {"$2": NOW + DAY}))]),
)  # fmt: skip


@pytest.mark.parametrize("asked", [JOBS, AGAIN, PRINTERS, AT_THE_TILL])
async def test_each_statement_about_paper_and_the_till_finds_and_writes_what_it_should(
    rows: Rows, asked: Sequence[Asked]
) -> None:
    assert await mistaken(rows, asked) == []
