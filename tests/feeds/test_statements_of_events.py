"""What each statement finds and writes that reads the log of events: the readers' places, what is
announced to merchants, and what is mirrored. Each case differs in one thing."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from coinslot.events import announce, feed, log, subjects
from coinslot.events.mirror import mirror
from coinslot.events.mirror import rows as mirrored
from tests.sales.asked import Asked, mistaken
from tests.sales.by_hand import NOW, Rows

MOMENT, HOUR = timedelta(microseconds=1), timedelta(hours=1)
LONG_AGO, FAR = NOW - timedelta(days=9999), NOW + timedelta(days=9999)  # of the server's own clock
(LOW, ASHA, CHANDRA, HOOK, OTHER, LINE, THING, ANOTHER, ORDER, PAYMENT, ATTEMPT, CAPTURE, UNIT,
 REFUND, ACCOUNT, CODE, HIGH) = (UUID(int=n) for n in range(17))  # fmt: skip

CURSOR = {"name": "r", "seq": 5, "since": 0, "holder": "me", "leased_until": FAR}
CURSORS = "SELECT * FROM feed_cursors"
ENTRY = {"seq": 7, "merchant_id": ASHA, "machine": "order", "subject_id": ORDER, "event": "PAID",
         "at": NOW}  # fmt: skip
EVENT = {"seq": 7, "id": "evt_7", "merchant_id": ASHA, "type": "order.paid", "line": LINE,
         "at": NOW}  # fmt: skip
ENDPOINT = {"id": HOOK, "merchant_id": ASHA, "status": "enabled", "secret": b"s",
            "types": ["order.paid"]}  # fmt: skip
OWED = {"id": THING, "merchant_id": ASHA, "endpoint_id": HOOK, "seq": 6, "line": LINE,
        "due_at": NOW + HOUR}  # fmt: skip
OWED_NOW = "SELECT endpoint_id, seq, line, due_at FROM deliveries WHERE seq > 6 ORDER BY id"
ANNOUNCED = ([7], "webhook.test", "webhook.disabled", NOW)
TO_OWE = {"public_events": EVENT, "webhook_endpoints": ENDPOINT}
TURN = "SELECT holder FROM mirror_rounds"

PLACED = {"id": ORDER, "merchant_id": ASHA, "outlet_id": "M01", "state": "completed",
          "source": "page", "placed_at": NOW, "version": 2}  # fmt: skip
SOLD = {"id": UNIT, "order_id": ORDER, "line_id": LINE, "outlet_id": "M01", "state": "failed",
        "settlement": "refund_due", "basis": "no_drop", "amount_minor": 40, "version": 3,
        "capture_id": CAPTURE, "queued_at": NOW, "settled_at": NOW + MOMENT,
        "sent_at": NOW}  # fmt: skip
OPEN = {"fulfillments.settlement": None, "fulfillments.basis": None, "fulfillments.due_at": NOW}
BOUGHT = {"id": LINE, "order_id": ORDER, "slot": "A1", "sku": "cola", "name": "Cola",
          "quantity": 2, "price_minor": 20}  # fmt: skip
TIP = {"id": ANOTHER, "order_id": ORDER, "kind": "tip", "amount_minor": 5,
       "settlement": "refund_due", "basis": "not_handed_over", "settled_at": NOW}  # fmt: skip
PAID = {"id": CAPTURE, "account_id": ACCOUNT, "order_id": ORDER, "gateway_payment_id": "pay_1",
        "payment_id": PAYMENT, "captured": 45, "captured_at": NOW}  # fmt: skip
PAYS = {"id": PAYMENT, "source": "order", "order_id": ORDER, "version": 4}
OF_API = {"payments.source": "api", "payments.order_id": None}
BACK = {"id": REFUND, "account_id": ACCOUNT, "capture_id": CAPTURE, "state": "succeeded",
        "origin": "ours", "gateway_refund_id": "rfnd_1", "key": "k1", "version": 5,
        "created_at": NOW}  # fmt: skip
TRIED = {"id": ATTEMPT, "payment_id": PAYMENT, "account_id": ACCOUNT, "number": 1}
AT = {"id": ACCOUNT, "gateway": "mock"}
PRINTED = {"id": CODE, "outlet_id": "M01", "slot": "A1", "account_id": ACCOUNT, "stage": "open",
           "qr_code_id": "qr_1"}  # fmt: skip
MACHINE = {"id": "M01", "merchant_id": ASHA, "dialect": "leased"}

READERS = (
    Asked("a reader joins", log._JOIN, ("r",), {}, (), after=CURSORS,
          gives={"name": "r", "seq": 0, "since": 0}),
    Asked("a reader that is there", log._JOIN, ("r",), {"feed_cursors": CURSOR}, (), after=CURSORS,
          gives=({"seq": 5},)),
    Asked("its place", log._POSITION, ("r",), {"feed_cursors": CURSOR}, (),
          gives={"position": 5},
          others=(({"feed_cursors.name": "s"}, {"position": None}),)),
    Asked("a turn to read", f"{log._CLAIM}, holder, leased_until > now() AS on", ("r", "me", HOUR),
          {"feed_cursors": CURSOR},
          ({"feed_cursors.name": "s"}, {"feed_cursors.holder": "you"}),
          gives={"seq": 5, "holder": "me", "on": True},
          others=tuple(({"feed_cursors.holder": "you", "feed_cursors.leased_until": until},
                        {"holder": "me", "on": True}) for until in (None, LONG_AGO))),
    Asked("entries behind it", log._READ, (6, 7, 9), {"events": ENTRY},
          ({"events.seq": 6}, {"events.seq": 8})),
    Asked("entries in their order", log._READ, (0, 9, 2),
          {f"events {n}": {**ENTRY, "seq": n} for n in (3, 1, 2)}, (),
          gives=({"seq": 1}, {"seq": 2})),
    Asked("it goes on", f"{log._ADVANCE} RETURNING seq", ("r", "me", 5, 9),
          {"feed_cursors": CURSOR},
          ({"feed_cursors.name": "s"}, {"feed_cursors.holder": "you"}, {"feed_cursors.seq": 4}),
          gives={"seq": 9}),
    Asked("it is moved", log._SKIP, ("r", 9), {"feed_cursors": CURSOR}, (), after=CURSORS,
          gives=({"seq": 9, "since": 0},),
          others=(({"feed_cursors": None}, ({"seq": 9, "since": 0},)),)),
    Asked("its turn is over", log._RELEASE, ("r", "me"), {"feed_cursors": CURSOR}, (),
          after=CURSORS, gives={"leased_until": None},
          others=tuple(({f"feed_cursors.{name}": value}, {"leased_until": FAR})
                       for name, value in (("name", "s"), ("holder", "you")))),
)  # fmt: skip

TOLD = (
    *(Asked(f"a unit that {end}", f"SELECT FROM ({announce._SETTLE_AS}) s (word) WHERE word = $3",
            ([UNIT], [state], word), {"fulfillments": SOLD},
            ({"$3": "x"},), others=(({"fulfillments.id": ANOTHER}, [{}] if word == "" else []),))
      for end, state, word in (("failed", "failed", "refund_due"), ("waits", "queued", ""))),
    Asked("units end in the order in which they were named", announce._SETTLE_AS,
          ([ANOTHER, UNIT, LOW], ["vended", "failed", "failed"]),
          {"fulfillments": SOLD, "fulfillments 2": {**SOLD, "id": ANOTHER, "state": "vended"}}, (),
          gives=({"coalesce": "fulfilled"}, {"coalesce": "refund_due"}, {"coalesce": ""})),
    Asked("events are written", announce._WRITE,
          ([7, 8], ["evt_7", "evt_8"], [ASHA, CHANDRA], ["order.paid", "order.failed"],
           [LINE, ORDER], [{"n": 1}, {"n": 2}], [NOW, NOW + HOUR]), {}, (),
          after="SELECT * FROM public_events ORDER BY seq",
          gives=({"seq": 7, "id": "evt_7", "merchant_id": ASHA, "type": "order.paid",
                  "line": LINE, "data": {"n": 1}, "at": NOW},
                 {"seq": 8, "id": "evt_8", "merchant_id": CHANDRA, "type": "order.failed",
                  "line": ORDER, "data": {"n": 2}, "at": NOW + HOUR})),
    Asked("an event is owed", announce._OWE, ANNOUNCED, TO_OWE,
          ({"public_events.seq": 8}, {"webhook_endpoints.merchant_id": CHANDRA},
           {"webhook_endpoints.deleted_at": NOW}, {"public_events.type": "order.failed"}),
          ({"webhook_endpoints.types": []},), after=OWED_NOW,
          gives={"endpoint_id": HOOK, "seq": 7, "line": LINE, "due_at": NOW}),
    Asked("a test is for its endpoint alone", announce._OWE, ANNOUNCED,
          {**TO_OWE, "public_events": {**EVENT, "type": "webhook.test", "line": HOOK}},
          ({"public_events.line": OTHER},), after=OWED_NOW),
    Asked("that one is off, others hear", announce._OWE, ANNOUNCED,
          {**TO_OWE, "public_events": {**EVENT, "type": "webhook.disabled", "line": OTHER}},
          ({"public_events.line": HOOK},), after=OWED_NOW),
    Asked("it is due with the first of its line", announce._OWE, ANNOUNCED,
          {**TO_OWE, "deliveries": OWED,
           "deliveries 2": {**OWED, "id": ANOTHER, "seq": 5, "due_at": NOW + 2 * HOUR},
           # What stands before or behind that line in the order of lines.
           "deliveries 3": {**OWED, "id": UUID(int=91), "seq": 1, "endpoint_id": OTHER,
                            "line": LOW},
           "deliveries 4": {**OWED, "id": UUID(int=92), "seq": 2, "line": HIGH},
           "deliveries 5": {**OWED, "id": UUID(int=93), "seq": 3, "endpoint_id": LOW}}, (),
          after=OWED_NOW, gives={"due_at": NOW + 2 * HOUR},
          others=(({"deliveries 2.outcome": "withdrawn", "deliveries 2.ended_at": NOW,
                    "deliveries 2.due_at": None}, {"due_at": NOW + HOUR}),
                  ({"deliveries.line": HIGH, "deliveries 2.line": LOW}, {"due_at": NOW}))),
    Asked("an endpoint that is told is locked", announce._OWE, ANNOUNCED, TO_OWE, (),
          after="SELECT FROM webhook_endpoints WHERE xmax <> '0'"),
    Asked("events are owed in their order", announce._OWE, ([8, 7], *ANNOUNCED[1:]),
          {**TO_OWE, "public_events 2": {**EVENT, "seq": 8, "id": "evt_8"}}, (),
          after="SELECT seq FROM deliveries ORDER BY ctid", gives=({"seq": 7}, {"seq": 8})),
    Asked("a place in the feed", feed._PLACE, ("evt_7",), {"public_events": EVENT},
          ({"public_events.id": "evt_8"},)),
    Asked("the newest of a merchant", feed._NEWEST, (ASHA,),
          {f"public_events {n}": {**EVENT, "seq": n, "id": f"evt_{n}"} for n in (8, 9, 7)}, (),
          gives=({"id": "evt_9"},),
          others=(({"public_events 9.merchant_id": CHANDRA}, ({"id": "evt_8"},)),)),
    Asked("a page of the feed", feed._PAGE, (ASHA, 6, ["order.paid"], 9), {"public_events": EVENT},
          ({"public_events.merchant_id": CHANDRA}, {"public_events.seq": 6},
           {"public_events.type": "order.failed"}),
          ({"$3": [], "public_events.type": "order.failed"},)),
    Asked("a page of the feed in its order", feed._PAGE, (ASHA, 0, [], 2),
          {f"public_events {n}": {**EVENT, "seq": n, "id": f"evt_{n}"} for n in (8, 9, 7)}, (),
          gives=({"id": "evt_7"}, {"id": "evt_8"})),
    Asked("one event", feed._ONE, ("evt_7",), {"public_events": EVENT},
          ({"public_events.id": "evt_8"},)),
    Asked("an order as merchants see it", subjects._ORDER, ([ORDER],),
          {"orders": PLACED, "fulfillments": SOLD, "order_lines 2": {**BOUGHT, "id": CODE},
           "order_lines": {**BOUGHT, "sku": "tea"}, "order_extras": {**TIP, "id": CODE},
           "order_extras 2": {**TIP, "kind": "added_tax"}},
          ({"orders.id": ANOTHER},),
          gives={"given_back": 50,
                 "items": [{"slot": "A1", "sku": sku, "name": "Cola", "quantity": 2, "price": 20}
                           for sku in ("tea", "cola")],
                 "extras": [{"kind": kind, "amount": 5} for kind in ("added_tax", "tip")]},
          others=(({"fulfillments.order_id": ANOTHER}, {"given_back": 10}),
                  ({"fulfillments.settlement": "fulfilled"}, {"given_back": 10}),
                  ({"order_extras.settlement": "fulfilled",
                    "order_extras.basis": "handed_over"}, {"given_back": 45}),
                  ({"order_extras.order_id": ANOTHER},
                   {"given_back": 45, "extras": [{"kind": "added_tax", "amount": 5}]}),
                  ({"fulfillments": None, "order_lines": None, "order_lines 2": None,
                    "order_extras": None, "order_extras 2": None},
                   {"given_back": 0, "items": [], "extras": []}),
                  ({"order_lines.order_id": ANOTHER, "order_lines 2.order_id": ANOTHER},
                   {"items": []}))),
    Asked("a unit as merchants see it", subjects._UNIT, ([UNIT],),
          {"fulfillments": SOLD, "order_lines": BOUGHT},
          ({"fulfillments.id": ANOTHER}, {"order_lines.id": ANOTHER}), gives={"slot": "A1"}),
    Asked("a unit's own line", subjects._UNIT, ([UNIT],),
          {"fulfillments": SOLD, "order_lines": BOUGHT,
           "order_lines 2": {**BOUGHT, "id": ANOTHER, "slot": "A2"}}, (), gives={"slot": "A1"}),
    Asked("a refund as merchants see it", subjects._REFUND, ([REFUND],),
          {"refunds": {**BACK, "covered_by": HIGH}, "captures": PAID,
           "payments": {**PAYS, "source": "api", "order_id": None},
           "refunds 2": {**BACK, "id": ANOTHER, "key": "k2", "replaces": REFUND,
                         "gateway_refund_id": "rfnd_2"},
           "refunds 3": {**BACK, "id": HIGH, "key": "k3", "gateway_refund_id": "rfnd_3"}},
          ({"refunds.id": THING}, {"captures.id": THING}),
          gives={"order_id": ORDER, "payment_id": PAYMENT, "replaced_by": ANOTHER,
                 "known_there_as": "rfnd_1"},
          others=(({"payments.id": ANOTHER}, {"payment_id": None}),
                  ({"payments.source": "order", "payments.order_id": ORDER}, {"payment_id": None}),
                  ({"refunds 2.replaces": HIGH}, {"replaced_by": None}),
                  ({"refunds.gateway_refund_id": None}, {"known_there_as": "rfnd_3"}),
                  ({"refunds.gateway_refund_id": None, "refunds.covered_by": None},
                   {"known_there_as": None}))),
    Asked("a dispute as merchants see it", subjects._DISPUTE, ([REFUND],),
          {"disputes": {"id": REFUND, "capture_id": CAPTURE, "stage": "open"}, "captures": PAID,
           "payments": {**PAYS, "source": "api", "order_id": None}},
          ({"disputes.id": ANOTHER}, {"captures.id": ANOTHER}),
          gives={"order_id": ORDER, "payment_id": PAYMENT},
          others=(({"payments.id": ANOTHER}, {"payment_id": None}),
                  ({"payments.source": "order", "payments.order_id": ORDER},
                   {"payment_id": None}))),
)  # fmt: skip


def touched(machine: str, subject: UUID, found: dict[str, Any], **rows: Any) -> Asked:
    """The nodes of an entry; each of `rows` leads to them."""
    every = {
        "orders": PLACED, "payments": PAYS, "attempts": TRIED, "captures": PAID,
        "fulfillments": SOLD, "refunds": BACK, "payments 2": {**PAYS, "id": THING},
    }  # fmt: skip
    others = tuple(
        (differs, [{"gateway_payment_id": None, "order_id": None, **gives}] if gives else [])
        for differs, gives in rows.get("others", ())
    )
    return Asked(f"what a {machine} touches", mirrored._TOUCHED, ([machine], [subject]), every,
                 ({"$2": [HIGH]},) if rows.get("strict", True) else (), gives=[found],
                 others=others)  # fmt: skip


ALL_NODES = {"order_id": ORDER, "outlet_id": "M01", "gateway_payment_id": "pay_1"}
MIRRORED = (
    touched("payment", PAYMENT, ALL_NODES, others=(
        ({"captures.payment_id": ANOTHER}, {"order_id": ORDER}),
        ({**OF_API, "captures.order_id": None}, {"gateway_payment_id": "pay_1"}),
        ({"orders.id": ANOTHER}, {"gateway_payment_id": "pay_1"}))),
    touched("attempt", ATTEMPT, ALL_NODES, others=(
        ({"captures.payment_id": ANOTHER}, {"order_id": ORDER}),)),
    touched("fulfillment", UNIT, ALL_NODES, others=(
        ({"captures.id": ANOTHER}, {"order_id": ORDER}),)),
    touched("refund", REFUND, ALL_NODES, others=(
        ({"captures.order_id": None}, {"gateway_payment_id": "pay_1"}),)),
    touched("order", ORDER, {**ALL_NODES, "gateway_payment_id": None}, strict=False),
    touched("capture", CAPTURE, ALL_NODES, strict=False),
    *(Asked(f"a {machine} that has the id of something else", mirrored._TOUCHED,
            ([machine], [subject]),
            {"orders": PLACED, "payments": PAYS, "attempts": TRIED, "captures": PAID,
             "fulfillments": SOLD, "refunds": BACK}, (), gives=[])
      for machine in ("receipt", "dispute")
      for subject in (PAYMENT, ATTEMPT, UNIT, REFUND, ORDER, CAPTURE)),
    Asked("an order is mirrored", mirrored._ORDERS.format(which="o.id = ANY($1)"), ([ORDER],),
          {"orders": {**PLACED, "paid_at": NOW + MOMENT, "ended_at": NOW + MOMENT},
           "payments": PAYS, "captures": {**PAID, "qr_id": CODE},
           "captures 2": {**PAID, "id": ANOTHER, "reason": "second",
                          "gateway_payment_id": "pay_2"},
           "attempts": TRIED,
           "attempts 2": {**TRIED, "id": HIGH, "number": 2, "account_id": OTHER},
           "gateway_accounts": AT,
           "gateway_accounts 2": {"id": OTHER, "gateway": "stripe", "slug": "b"},
           "qr_codes": PRINTED,
           "qr_codes 2": {**PRINTED, "id": HIGH, "qr_code_id": "qr_2", "payment_id": PAYMENT,
                          "attempt_id": HIGH, "slot": "A2"},
           "fulfillments": SOLD, "refunds": BACK,
           "events": {"subject_id": UNIT, "state": "failed", "was": "going",
                      "at": NOW + 9 * MOMENT}},
          ({"orders.id": ANOTHER},),
          gives={"gateway": "mock", "gateway_payment_id": "pay_1", "qr_code_id": "qr_1",
                 "waits": False, "failure_code": "NO_DROP", "updated_at": NOW + 9 * MOMENT,
                 "seen_version": 2 + 4 + 3 + 5},
          others=(
              ({"payments.order_id": ANOTHER}, {"seen_version": 10}),
              ({"captures.order_id": ANOTHER},
               {"gateway": "stripe", "gateway_payment_id": None, "qr_code_id": "qr_2",
                "seen_version": 9}),
              ({"captures.qr_id": None}, {"qr_code_id": "qr_2"}),
              ({"captures.qr_id": None, "qr_codes 2.attempt_id": ATTEMPT}, {"qr_code_id": None}),
              ({"captures.reason": "second"}, {"gateway_payment_id": None}),
              ({"captures.reason": "second", "attempts 2.payment_id": ANOTHER},
               {"gateway": "mock"}),
              ({"fulfillments.order_id": ANOTHER},
               {"waits": None, "failure_code": None, "seen_version": 11,
                "updated_at": NOW + MOMENT}),
              ({**OPEN, "fulfillments.sent_at": None, "fulfillments.state": "queued"},
               {"waits": True, "failure_code": None}),
              (OPEN, {"waits": False}),
              ({"fulfillments.settlement": "fulfilled"}, {"failure_code": None}),
              ({"fulfillments.failure_code": "JAM"}, {"failure_code": "JAM"}),
              ({"events.subject_id": ANOTHER}, {"updated_at": NOW + MOMENT}),
              ({"events.was": "failed"}, {"updated_at": NOW + MOMENT}),
              ({"events.subject_id": ANOTHER, "fulfillments.settled_at": NOW + 2 * MOMENT},
               {"updated_at": NOW + 2 * MOMENT}),
              ({"events.subject_id": ANOTHER, "fulfillments.queued_at": NOW + 3 * MOMENT},
               {"updated_at": NOW + 3 * MOMENT}),
              *(({"events.subject_id": ANOTHER, f"orders.{name}": NOW + 4 * MOMENT},
                 {"updated_at": NOW + 4 * MOMENT}) for name in ("placed_at", "paid_at",
                                                                "ended_at")),
              *(({"events.subject_id": ANOTHER, f"refunds.{name}": NOW + 5 * MOMENT},
                 {"updated_at": NOW + 5 * MOMENT}) for name in ("created_at", "ended_at")),
              ({"refunds.capture_id": THING}, {"seen_version": 9}),
              ({"refunds.capture_id": ANOTHER}, {"seen_version": 14}),
              ({"payments": None, "fulfillments": None, "refunds": None},
               {"seen_version": 2, "waits": None}),
              ({"captures": None, "captures 2": None, "attempts": None, "attempts 2": None},
               {"gateway": None, "gateway_payment_id": None, "qr_code_id": None}),
          )),
    Asked("a payment is mirrored",
          mirrored._PAYMENTS.format(which="true ORDER BY c.gateway_payment_id, c.id"), (),
          {"captures": {**PAID, "qr_id": CODE}, "captures 2": {**PAID, "id": HIGH,
                                                               "account_id": OTHER},
           "gateway_accounts": AT,
           "gateway_accounts 2": {"id": OTHER, "gateway": "stripe", "slug": "b"},
           "orders": PLACED, "qr_codes": {**PRINTED, "outlet_id": "M02"}, "fulfillments": SOLD,
           "refunds": BACK}, (),
          gives=[{"id": CAPTURE, "gateway": "mock", "outlet_id": "M01", "units": ["refund_due"],
                  "refunds": ["succeeded"]}],
          others=(
              ({"orders.id": ANOTHER}, [{"outlet_id": "M02"}]),
              ({"captures.qr_id": None, "orders.id": ANOTHER}, [{"outlet_id": None}]),
              ({"fulfillments.order_id": ANOTHER}, [{"units": None}]),
              ({"fulfillments.capture_id": ANOTHER}, [{"units": None}]),
              (OPEN, [{"units": ["sent"]}]),
              ({**OPEN, "fulfillments.sent_at": None, "fulfillments.state": "queued"},
               [{"units": ["waits"]}]),
              ({"refunds.capture_id": ANOTHER}, [{"refunds": None}]),
              ({"gateway_accounts.id": ANOTHER}, [{"id": HIGH, "gateway": "stripe"}]),
              ({"captures 2.gateway_payment_id": "pay_2"}, [{"id": CAPTURE}, {"id": HIGH}]))),
    Asked("a machine is mirrored", mirrored._MACHINES.format(which="o.id = 'M01'"), (),
          {"outlets": MACHINE, "devices": {"outlet_id": "M01", "last_seen_at": NOW},
           "qr_codes": {**PRINTED, "slot": "A2"},
           "qr_codes 2": {**PRINTED, "id": HIGH, "qr_code_id": "qr_2", "slot": "A3"},
           "gateway_accounts": AT, "fulfillments": {**SOLD, "settlement": None, "basis": None,
                                                    "due_at": NOW, "state": "going"}}, (),
          gives={"last_seen_at": NOW, "gateway": "mock", "qr_code_id": "qr_1", "busy": True},
          others=(
              ({"devices.outlet_id": "M02"}, {"last_seen_at": None}),
              ({"qr_codes.slot": "A4"}, {"qr_code_id": "qr_2"}),
              ({"qr_codes.outlet_id": "M02"}, {"qr_code_id": "qr_2"}),
              ({"qr_codes.payment_id": PAYMENT, "qr_codes.attempt_id": ATTEMPT},
               {"qr_code_id": "qr_2"}),
              ({"qr_codes.retired_at": NOW}, {"qr_code_id": "qr_2"}),
              ({"qr_codes.qr_code_id": None, "qr_codes.stage": "wanted"}, {"qr_code_id": "qr_2"}),
              ({"gateway_accounts.id": ANOTHER}, {"gateway": None, "qr_code_id": None}),
              ({"fulfillments.outlet_id": "M02"}, {"busy": False}),
              ({"fulfillments.settlement": "fulfilled", "fulfillments.basis": "vended"},
               {"busy": False}),
              ({"fulfillments.state": "queued"}, {"busy": False}))),
    Asked("a code of a machine", mirrored._CODES, (["M01"],), {"qr_codes": PRINTED},
          ({"qr_codes.outlet_id": "M02"},
           {"qr_codes.payment_id": PAYMENT, "qr_codes.attempt_id": ATTEMPT},
           {"qr_codes.qr_code_id": None, "qr_codes.stage": "wanted"})),
    Asked("codes of before come first", mirrored._CODES, (["M01"],),
          {"qr_codes": PRINTED,
           "qr_codes 2": {**PRINTED, "id": HIGH, "qr_code_id": "qr_2", "retired_at": NOW}}, (),
          gives=({"qr_code_id": "qr_2"}, {"qr_code_id": "qr_1"})),
    Asked("a payment that is parked", mirrored._PARKED, (),
          {"captures": {**PAID, "due_at": NOW}}, ({"captures.due_at": None},
           {"captures.open": 0, "captures.fulfilled": 45}),
          ({"captures.open": 1, "captures.fulfilled": 44},)),
    Asked("what the mirror has not read", mirror._UNREAD, ("mirror", NOW + HOUR),
          {"feed_cursors": {**CURSOR, "name": "mirror", "seq": 6}, "events": ENTRY,
           "events 2": {**ENTRY, "seq": 8, "at": NOW + MOMENT}}, (),
          gives={"entries": 2, "late_s": 3600.0},
          others=(({"feed_cursors.seq": 7}, {"entries": 1}),
                  ({"feed_cursors.seq": 8}, {"entries": 0, "late_s": 0.0}),
                  ({"feed_cursors.name": "r"}, {"entries": 2}),
                  ({"feed_cursors.name": "r", "events.seq": 1}, {"entries": 2}))),
)  # fmt: skip

ASKED = (*READERS, *TOLD, *MIRRORED)


async def test_each_statement_finds_its_row_and_none_that_differs(rows: Rows) -> None:
    assert await mistaken(rows, ASKED) == []


async def test_the_end_of_the_log_is_the_last_number_that_was_given_out(rows: Rows) -> None:
    ahead = await rows.conn.fetchrow(log._POSITION, "r")
    assert ahead is not None
    first = await rows.conn.fetchval("SELECT nextval('events_seq_seq')")
    behind = await rows.conn.fetchrow(log._POSITION, "r")
    assert behind is not None
    assert behind["ahead"] == first
    await rows.conn.execute("SELECT setval('events_seq_seq', 1, false)")
    empty = await rows.conn.fetchrow(log._POSITION, "r")
    assert empty is not None
    assert empty["ahead"] == 0


async def test_no_transaction_has_ended_that_is_still_open(rows: Rows) -> None:
    await rows.conn.execute("BEGIN")
    mine = await rows.conn.fetchval(log._MINE)
    assert not await rows.conn.fetchval(log._ALL_ENDED, mine)
    # Others write in databases beside this one: whatever is below the oldest of them has ended.
    oldest = await rows.conn.fetchval("SELECT pg_snapshot_xmin(pg_current_snapshot())::text")
    assert await rows.conn.fetchval(log._ALL_ENDED, str(int(oldest) - 1))
    await rows.conn.execute("ROLLBACK")


async def test_a_turn_of_the_mirror_is_taken_when_nobody_has_it(rows: Rows) -> None:
    hours = (
        ("you", FAR, None), ("you", LONG_AGO, True), (None, None, True), ("you", None, True),
        ("me", LONG_AGO, False), ("me", FAR, False),
    )  # fmt: skip
    for holder, until, anew in hours:
        await rows.conn.execute("BEGIN; DELETE FROM mirror_rounds")
        await rows.put("mirror_rounds", holder=holder, leased_until=until)
        assert await rows.conn.fetchval(mirror._TURN, "me", HOUR) is anew, (holder, until)
        row = await rows.conn.fetchrow("SELECT *, leased_until > now() AS on FROM mirror_rounds")
        assert row is not None
        assert tuple(row)[1:2] + tuple(row)[3:] == (("you", True) if anew is None else ("me", True))
        await rows.conn.execute("ROLLBACK")


@pytest.mark.parametrize(("who", "left"), [("me", None), (None, None), ("you", "me")])
async def test_a_turn_of_the_mirror_is_let_go(rows: Rows, who: str | None, left: object) -> None:
    await rows.conn.execute("DELETE FROM mirror_rounds")
    await rows.put("mirror_rounds", holder="me", leased_until=FAR)
    await rows.conn.execute(mirror._LET_GO, who)
    row = await rows.conn.fetchrow("SELECT holder, leased_until FROM mirror_rounds")
    assert row is not None
    assert tuple(row) == (left, FAR if left else None)


async def test_of_a_log_that_is_far_ahead_so_many_are_counted_and_the_oldest_is_named(
    rows: Rows,
) -> None:
    await rows.conn.execute(
        "INSERT INTO events (merchant_id, machine, subject_id, event, at)"
        " SELECT $1, 'order', $1, 'x', $2::timestamptz + n * interval '1 s'"
        " FROM generate_series(1, 10001) n",
        ASHA, NOW,
    )  # fmt: skip
    behind = await rows.conn.fetchrow(mirror._UNREAD, "mirror", NOW + HOUR)
    assert behind is not None
    assert tuple(behind) == (10_000, 3599.0)


async def test_a_lease_ends_at_its_very_moment(rows: Rows) -> None:
    """All statements that come in one message have one time."""
    await rows.put("feed_cursors", **{**CURSOR, "holder": "you"})
    await rows.conn.execute("UPDATE mirror_rounds SET holder = 'you'")
    for table, sql, asked in (
        ("feed_cursors", f"(text, text, interval) AS {log._CLAIM}", "('r', 'me', '1 hour')"),
        ("mirror_rounds", f"(text, interval) AS {mirror._TURN}", "('me', '1 hour')"),
    ):
        await rows.conn.execute(f"PREPARE turn {sql}")
        ends = f"UPDATE {table} SET leased_until = statement_timestamp()"
        done = await rows.conn.execute(f"{ends}; EXECUTE turn {asked}")
        await rows.conn.execute("DEALLOCATE turn")
        assert done == "UPDATE 1"
