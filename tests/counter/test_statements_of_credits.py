"""What each statement about numbered receipts, credit notes and their paper finds or writes: its
own row, as long as nothing differs from what it asks for. Each case differs in one thing."""

from uuid import UUID

from coinslot.counter import credits, reprints, store
from coinslot.oversight import money_lists
from tests.counter.test_statements_of_paper import DUE, FAILED, PRINTER, SECOND_JOB, STAR
from tests.counter.test_statements_of_the_counter import (
    ASHA,
    CAPTURE,
    CHOSEN,
    MADE,
    MOMENT,
    OF_IT,
    ORDER,
    ORDERED,
    OTHER,
    PIECE,
    SOON,
    UNIT,
    Row,
)
from tests.sales.asked import Asked, mistaken
from tests.sales.by_hand import NOW, Rows

REFUND, ACCOUNT, PART, ASKED_FOR = UUID(int=81), UUID(int=82), UUID(int=83), UUID(int=84)
GATEWAYS_OWN = UUID(int=85)
NOTE: Row = {
    "merchant_id": ASHA, "year": 2026, "number": 3, "refund_id": REFUND, "order_id": ORDER,
    "unit_id": UNIT, "amount_minor": 300, "taxes": {"1900": 48}, "at": NOW,
}  # fmt: skip
LATER_NOTE: Row = {**NOTE, "number": 4, "refund_id": OTHER, "taxes": {}, "void_at": SOON}
INVOICE: Row = {"merchant_id": ASHA, "year": 2026, "number": 7, "order_id": ORDER, "at": NOW}
MONEY_BACK: Row = {
    "id": REFUND, "merchant_id": ASHA, "account_id": ACCOUNT, "capture_id": CAPTURE,
    "reason": "rejected", "part_id": PART, "origin": "ours", "state": "succeeded",
}  # fmt: skip
WHY: dict[str, Row] = {
    "order_refund_parts": {"id": PART, "order_refund_id": ASKED_FOR, "fulfillment_id": UNIT},
    "order_refunds": {"id": ASKED_FOR, "reason": "Too cold"},
}  # fmt: skip
LISTED: dict[str, Row] = {
    "counter_credit_notes": NOTE, "orders": ORDERED, "refunds": MONEY_BACK, **WHY,
    "counter_invoices": INVOICE, "fulfillments": PIECE, "order_lines": OF_IT,
    "counter_units": {**MADE, "reason": "None left"},
}  # fmt: skip
DAYS: tuple[object, ...] = (NOW, NOW + MOMENT, OTHER, OTHER)
OF_ALL: tuple[object, ...] = (*DAYS, None, None, None, None, 9)
SOLD: dict[str, Row] = {
    "counter_invoices": INVOICE, "orders": ORDERED, "order_lines": OF_IT,
    "fulfillments": {**PIECE, "tax_minor": 48}, "counter_lines": {**CHOSEN, "tax_bp": 1900},
    "captures": {"id": CAPTURE, "order_id": ORDER, "account_id": ACCOUNT},
}  # fmt: skip
PAPER: dict[str, Row] = {
    "counter_credit_notes": NOTE, "orders": ORDERED, "counter_printers": STAR,
}  # fmt: skip
MADE_NOW = "SELECT * FROM counter_prints ORDER BY created_at DESC, copy DESC LIMIT 1"
CANCELLED: Row = {**FAILED, "kind": "cancelled"}

OF_CREDITS = (
    Asked("credit notes of an order", credits.OF_ORDER, (ORDER,),
          {"counter_credit_notes 2": LATER_NOTE, "counter_credit_notes": NOTE, "orders": ORDERED,
           "counter_invoices": INVOICE},
          ({"$1": OTHER}, {"orders.id": OTHER}), (),
          [{"number": "2026-000003", "corrects": "2026-000007", "amount_minor": 300,
            "taxes": {"1900": 48}, "void_at": None, "currency": "EUR"},
           {"number": "2026-000004", "void_at": SOON}],
          (({"counter_invoices.order_id": OTHER}, [{"corrects": None}, {"corrects": None}]),
           ({"counter_credit_notes.order_id": OTHER}, {"number": "2026-000004"}),
           ({"counter_credit_notes 2.year": 2025}, [{"number": "2025-000004"}, {}]))),
    Asked("what went back", credits.OF_ORDER, (ORDER,),
          {"counter_credit_notes": NOTE, "orders": ORDERED, "fulfillments": PIECE,
           "order_lines": OF_IT}, (), (), {"item": OF_IT["name"]},
          (({"fulfillments.id": OTHER}, {"item": ""}),
           ({"order_lines.id": OTHER}, {"item": ""}))),
    Asked("an extra that went back", credits.OF_ORDER, (ORDER,),
          {"counter_credit_notes": {**NOTE, "unit_id": None, "extra_id": PART},
           "orders": ORDERED, "order_extras": {"id": PART, "kind": "tip"}},
          (), (), {"item": "tip"}, (({"order_extras.id": OTHER}, {"item": ""}),)),
    Asked("the customer and the receipt", credits._FACTS, (ORDER,),
          {"counter_orders": {"order_id": ORDER, "name": "Maria"}, "counter_invoices": INVOICE},
          ({"$1": OTHER}, {"counter_orders.order_id": OTHER}), (),
          {"name": "Maria", "receipt": "2026-000007"},
          (({"counter_invoices.order_id": OTHER}, {"receipt": ""}),)),
    Asked("an order by its receipt", credits._NUMBERED, (2026, 7), {"counter_invoices": INVOICE},
          ({"$1": 2025}, {"$2": 8}), (), {"order_id": ORDER}),
    Asked("an order by its credit note", credits._NUMBERED, (2026, 3),
          {"counter_credit_notes": NOTE}, ({"$1": 2025}, {"$2": 4}), (), {"order_id": ORDER}),
    Asked("the number of a receipt", store.INVOICE_OF, (ORDER,), {"counter_invoices": INVOICE},
          ({"$1": OTHER},), gives={"number_of_year": "2026-000007"},
          others=(({"counter_invoices.number": 999_999}, {"number_of_year": "2026-999999"}),
                  ({"counter_invoices.number": 1_234_567}, {"number_of_year": "2026-1234567"}))),
    Asked("credit notes of these days", money_lists._CREDITS, OF_ALL, LISTED,
          ({"$1": NOW + MOMENT, "$2": SOON}, {"$1": NOW - MOMENT, "$2": NOW}, {"$3": None},
           {"$4": None}, {"$5": OTHER}, {"$6": "K02"}, {"$7": "juice"}, {"$8": "2026-3"},
           {"$8": "2025-9"}, {"orders.id": OTHER}, {"refunds.id": OTHER}),
          ({"$5": ACCOUNT}, {"$6": "K01"}, {"$7": "tea"}, {"$8": "2026-0000000004"},
           {"$8": "2027-1"}),
          {"id": "2026-0000000003", "credit": "2026-000003", "receipt": "2026-000007",
           "number": "AB", "machine": "K01", "note": "valid", "items": "Tea", "reason": "rejected",
           "said": "Too cold", "net": 252, "tax": 48, "taxes": {"1900": 48}, "amount": 300,
           "currency": "EUR"},
          (({"counter_credit_notes.void_at": SOON},
            {"note": "void", "net": 0, "tax": 0, "taxes": {}, "amount": 0}),
           ({"order_refund_parts.id": OTHER}, {"said": "None left"}),
           ({"order_refunds.id": OTHER}, {"said": "None left"}),
           ({"counter_invoices.order_id": OTHER}, {"receipt": None}),
           ({"counter_credit_notes.unit_id": None, "counter_credit_notes.taxes": {}},
            {"items": None, "net": 300, "tax": 0}))),
    Asked("of one that the gateway made, why ours was", money_lists._CREDITS, OF_ALL,
          {**LISTED, "refunds": {**MONEY_BACK, "id": GATEWAYS_OWN},
           "refunds 2": {**MONEY_BACK, "reason": "external", "in_place_of": GATEWAYS_OWN,
                         "origin": "gateway", "key": "y",
                         "part_id": None}},
          ({"refunds.id": OTHER},), gives={"reason": "rejected", "said": "Too cold"}),
    Asked("credit notes, the last first", money_lists._CREDITS, OF_ALL,
          {**LISTED, "counter_credit_notes 2": LATER_NOTE,
           "refunds 2": {**MONEY_BACK, "id": OTHER, "key": "y", "part_id": None}}, (),
          gives=[{"credit": "2026-000004"}, {"credit": "2026-000003"}],
          others=(({"$9": 1}, {"credit": "2026-000004"}),
                  ({"counter_credit_notes 2.year": 2025}, [{"credit": "2026-000003"}, {}]))),
    Asked("receipts of these days", money_lists._INVOICES, OF_ALL, SOLD,
          ({"$1": NOW + MOMENT, "$2": SOON}, {"$1": NOW - MOMENT, "$2": NOW}, {"$3": None},
           {"$4": None}, {"$5": OTHER}, {"$6": "K02"}, {"$7": "juice"}, {"$8": "2026-7"},
           {"$8": "2025-9"}, {"orders.id": OTHER},
           {"$5": ACCOUNT, "captures.reason": "second"},
           {"$5": ACCOUNT, "captures.order_id": OTHER},
           {"$7": "tea", "order_lines.order_id": OTHER}),
          ({"$5": ACCOUNT}, {"$6": "K01"}, {"$7": "tea"}, {"$8": "2026-8"}, {"$8": "2027-1"}),
          {"id": "2026-0000000007", "receipt": "2026-000007", "number": "AB", "machine": "K01",
           "net": 252, "tax": 48, "taxes": {"1900": 48}, "amount": 300, "currency": "EUR"},
          (({"fulfillments.tax_minor": 0}, {"net": 300, "tax": 0, "taxes": {}}),
           ({"fulfillments.order_id": OTHER}, {"tax": 0, "taxes": {}}))),
    Asked("receipts, the last first", money_lists._INVOICES, OF_ALL,
          {**SOLD, "counter_invoices 2": {**INVOICE, "number": 8, "order_id": OTHER},
           "orders 2": {**ORDERED, "id": OTHER, "token": "t2", "client_key": None}}, (),
          gives=[{"receipt": "2026-000008"}, {"receipt": "2026-000007"}],
          others=(({"$9": 1}, {"receipt": "2026-000008"}),
                  ({"counter_invoices 2.year": 2025}, [{"receipt": "2026-000007"}, {}]))),
    Asked("a note by its number", reprints._NOTE, (ORDER, "2026-000003", ["K01"]),
          {"counter_credit_notes": NOTE, "orders": ORDERED},
          ({"$1": OTHER}, {"$2": "2026-3"}, {"$2": "2025-000003"}, {"$3": ["K02"]},
           {"orders.id": OTHER}), ({"$3": None},), {"refund_id": REFUND}),
    Asked("a note on paper", reprints._CREDIT, (REFUND, SOON), PAPER,
          ({"$1": OTHER}, {"counter_printers.outlet_id": "K02"}, {"orders.outlet_id": "K02"},
           {"counter_printers.retired_at": NOW}, {"orders.id": OTHER}), (),
          {"printer_id": PRINTER, "order_id": ORDER, "credit_refund": REFUND, "kind": "credit",
           "copy": 0, "units": [UNIT], "created_at": SOON, "due_at": SOON},
          (({"counter_credit_notes.unit_id": None}, {"units": []}),), after=MADE_NOW),
    Asked("a note on paper once more", reprints._CREDIT, (REFUND, SOON),
          {**PAPER, "counter_prints": {**FAILED, "kind": "credit", "credit_refund": REFUND,
                                       "copy": 1}}, (),
          gives={"copy": 2}, after=MADE_NOW,
          others=[(change, {"copy": 0}) for change in (
              {"counter_prints.credit_refund": OTHER}, {"counter_prints.printer_id": OTHER})]),
    Asked("where no tickets are printed comes first", reprints._CREDIT, (REFUND, SOON),
          {**PAPER, "counter_printers": {**STAR, "id": UUID(int=99), "tickets": False},
           "counter_printers 2": {**STAR, "secret_hash": b"else"}}, (), after=MADE_NOW,
          gives={"printer_id": UUID(int=99)},
          others=(({"counter_printers.tickets": True}, {"printer_id": PRINTER}),)),
    Asked("what it was that did not come out", reprints._JOB_AT, (DUE["id"], ["K01"]),
          {"counter_prints": FAILED, "counter_printers": STAR},
          ({"$1": OTHER}, {"$2": ["K02"]}, {"counter_printers.id": OTHER},
           {"counter_prints.failed_at": None, "counter_prints.due_at": NOW}), ({"$2": None},),
          {"order_id": ORDER, "walk_in_id": None, "kind": "ticket", "has_printer": True},
          (({"counter_printers.retired_at": NOW}, {"has_printer": False}),)),
    Asked("what was cancelled is said once more", reprints._CANCELLED_AGAIN, (DUE["id"], SOON),
          {"counter_prints": CANCELLED,
           "counter_prints 2": {**CANCELLED, "id": SECOND_JOB, "token": "u", "copy": 3,
                                "created_at": NOW - MOMENT}}, (),
          gives={"printer_id": PRINTER, "order_id": ORDER, "kind": "cancelled", "copy": 4,
                 "units": [UNIT], "created_at": SOON, "due_at": SOON},
          others=[({"$1": OTHER}, {"created_at": NOW}),
                  *((change, {"copy": 1}) for change in (
                      {"counter_prints 2.printer_id": OTHER}, {"counter_prints 2.order_id": OTHER},
                      {"counter_prints 2.walk_in_id": OTHER, "counter_prints 2.order_id": None},
                      {"counter_prints 2.kind": "ticket"}))],
          after=MADE_NOW),
)  # fmt: skip


async def test_each_statement_of_credit_notes_finds_and_writes_what_it_should(rows: Rows) -> None:
    assert await mistaken(rows, OF_CREDITS) == []
