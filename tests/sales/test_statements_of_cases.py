"""What needs a person, when it is in the queue, and what ends it; and which old rows go. Each case
differs in one thing."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from coinslot.db.pool import RawConnection
from tests.sales.asked import FOUND, Asked, mistaken
from tests.sales.by_hand import NOW, Rows

MOMENT, HOUR = timedelta(microseconds=1), timedelta(hours=1)
LONG_AGO, FAR = NOW - timedelta(days=9999), NOW + timedelta(days=9999)  # of the server's own clock
(ASHA, CHANDRA, ACCOUNT, OTHER, PAYMENT, ORDER, CAPTURE, SECOND, REFUND, UNIT, THING, ANOTHER,
 ATTEMPT) = (UUID(int=n) for n in range(1, 14))  # fmt: skip
WANTS = "SELECT * FROM wanting($1)"

PLACES = {
    "merchants": {"id": ASHA, "slug": "asha"}, "merchants 2": {"id": CHANDRA, "slug": "chandra"},
    "gateway_accounts": {"id": ACCOUNT, "merchant_id": ASHA, "gateway": "mock", "slug": "s"},
    "gateway_accounts 2": {"id": OTHER, "merchant_id": CHANDRA, "gateway": "stripe", "slug": "t"},
}  # fmt: skip
HERE = {"merchant": "asha", "gateway": "mock", "account": "s"}
PAYS = {"id": PAYMENT, "merchant_id": ASHA, "source": "api", "order_id": None, "reference": "r7",
        "state": "processing", "processing_deadline_at": NOW, "due_at": NOW,
        "amount_minor": 4000}  # fmt: skip
PAID = {"id": CAPTURE, "merchant_id": ASHA, "account_id": ACCOUNT, "order_id": ORDER,
        "payment_id": PAYMENT, "gateway_payment_id": "pay_1", "captured": 4000, "due_at": NOW,
        "hard_deadline": NOW, "seen_at": NOW - HOUR}  # fmt: skip
PAYS_ORDER = {**PAYS, "source": "order", "order_id": ORDER, "due_at": None}
BACK = {"id": REFUND, "merchant_id": ASHA, "account_id": ACCOUNT, "capture_id": CAPTURE,
        "state": "pending", "origin": "ours", "due_at": NOW, "created_at": NOW - HOUR,
        "amount_minor": 40, "failure": "busy", "key": "a"}  # fmt: skip
OF_MONEY = {**PLACES, "captures": {**PAID, "due_at": None}, "payments": PAYS_ORDER}
SAYS = {**HERE, "gateway_payment_id": "pay_1", "order": str(ORDER)}
DISPUTE = {"id": THING, "merchant_id": ASHA, "capture_id": CAPTURE, "stage": "open",
           "opened_at": NOW, "reason": "fraud", "gateway_dispute_id": "d1"}  # fmt: skip
CASE = {"merchant_id": ASHA, "source": "state", "kind": "stray", "subject": "7", "since": NOW,
        "owner": "operator", "opened_at": NOW}  # fmt: skip
CLOSED = {"closed_at": NOW, "closed_by": "boris", "how": "looked"}
HEALED = {"closed_at": NOW, "how": "healed"}
RECEIPT = {"id": THING, "merchant_id": ASHA, "account_id": ACCOUNT, "kind": "payment",
           "attempt_id": ATTEMPT, "state": "refused", "created_at": NOW, "late_at": NOW + HOUR,
           "failure": "no"}  # fmt: skip
TRIED = {"id": ATTEMPT, "payment_id": PAYMENT, "account_id": ACCOUNT, "number": 1,
         "gateway_payment_id": "pay_a", "reference": "ref_a"}  # fmt: skip
TOLD = {"id": 7, "merchant_id": ASHA, "account_id": ACCOUNT, "verdict": "genuine", "due_at": NOW,
        "tries": 5, "received_at": NOW - HOUR, "event": "e", "failure": "f"}  # fmt: skip
UNREAD = {**TOLD, "verdict": "unreadable", "ours": True, "reason": "b", "due_at": None}
DAY = {"merchant_id": ASHA, "account_id": ACCOUNT, "day": date(2026, 11, 20), "tries": 5,
       "failure": "away"}  # fmt: skip
CLOCK = {"merchant_id": ASHA, "account_id": ACCOUNT, "node": "n", "ahead_ms": 2600,
         "off_since": NOW, "heard_at": FAR}  # fmt: skip
STRAY = {"id": 7, "merchant_id": ASHA, "machine": "order", "subject_id": ORDER, "state": "s",
         "event": "e", "at": NOW}  # fmt: skip
ODD = {"id": 7, "merchant_id": ASHA, "kind": "no_drop_after_fulfilled", "capture_id": CAPTURE,
       "fulfillment_id": UNIT, "refund_id": REFUND, "amount_minor": 40, "at": NOW}  # fmt: skip
FLOOD = {"merchant_id": ASHA, "outlet_id": "M01", "journal_id": "a", "refused_at": NOW}
CONTRADICTS = {"refused_at": None, "contradicted_at": NOW}
SOLD = {"id": UNIT, "merchant_id": ASHA, "capture_id": CAPTURE, "order_id": ORDER,
        "outlet_id": "M01", "state": "started", "due_at": NOW, "person_since": NOW,
        "hard_deadline": FAR, "amount_minor": 40}  # fmt: skip
LEFT_TO_PERSON = {"order": str(ORDER), "unit": str(UNIT), "machine": "M01",
                  "ends_by": FAR.isoformat()}  # fmt: skip


def wants(
    name: str, rows: dict[str, Any], differs: tuple[Any, ...], *, same: tuple[Any, ...] = (),
    others: tuple[Any, ...] = (), **gives: Any,
) -> Asked:  # fmt: skip
    return Asked(name, WANTS, (NOW,), rows, differs, same, gives, others)


WANTING = (
    wants("a payment whose end is not known",
          {**PLACES, "payments": PAYS, "attempts": TRIED,
           "attempts 2": {**TRIED, "id": ANOTHER, "number": 2, "gateway_payment_id": None,
                          "reference": "ref_b"},
           "attempts 3": {**TRIED, "id": THING, "number": 9, "payment_id": SECOND}},
          ({"payments.due_at": None}, {"payments.state": "failed"},
           {"payments.processing_deadline_at": NOW + MOMENT}),
          kind="payment_unresolved", subject=str(PAYMENT), since=NOW, owner="operator",
          amount_minor=4000,
          data={**HERE, "payment": str(PAYMENT), "reference": "r7", "gateway_payment_id": "ref_b"},
          others=(({"attempts 2.gateway_payment_id": "pay_b"},
                   {"data": {**HERE, "payment": str(PAYMENT), "reference": "r7",
                             "gateway_payment_id": "pay_b"}}),
                  ({"attempts": None, "attempts 2": None},
                   {"data": {"merchant": "asha", "payment": str(PAYMENT), "reference": "r7"}}))),
    wants("a refund that is owed", {**OF_MONEY, "refunds": {**BACK, "state": "owed",
                                                            "due_at": None}},
          ({"refunds.state": "succeeded"},), kind="refund_owed", owner="merchant",
          since=NOW - HOUR, data={**SAYS, "refund": str(REFUND), "failure": "busy"}),
    wants("a refund that is not taken up", {**OF_MONEY, "refunds": BACK},
          ({"refunds.due_at": None}, {"refunds.state": "failed"},
           {"refunds.gateway_refund_id": "rfnd_1"}, {"refunds.created_at": NOW - HOUR + MOMENT}),
          kind="refund_not_taken_up", data={**SAYS, "refund": str(REFUND), "failure": "busy"},
          others=(({"payments.source": "api", "payments.order_id": None},
                   {"data": {**SAYS, "payment": str(PAYMENT), "refund": str(REFUND),
                             "failure": "busy"}}),)),
    wants("a refund of money that is disputed",
          {**OF_MONEY, "refunds": BACK, "disputes": DISPUTE,
           "cases": {**CASE, "kind": "dispute_open", "subject": str(THING), **CLOSED}}, (),
          others=(({"disputes.capture_id": SECOND}, [{"kind": "refund_not_taken_up"}, {}]),),
          )._replace(gives=[{"kind": "refund_not_taken_up"}, {"kind": "dispute_open"}]),
    *(wants("a refund that waits for the bank",
            {**OF_MONEY, "refunds": BACK, "disputes": DISPUTE,
             "cases": {**CASE, "kind": "dispute_open", "subject": str(THING), **CLOSED, **more}},
            (), kind="dispute_open",
            others=(({"disputes.stage": "won"}, {"kind": "refund_not_taken_up"}),
                    ({"disputes.capture_id": SECOND},
                     [{"kind": "refund_not_taken_up"}, {"kind": "dispute_open"}])))
      for more in ({"kind": "stray"}, {"subject": "x"}, {"closed_by": None})),
    wants("a receipt that was refused",
          {**PLACES, "receipts": RECEIPT, "attempts": TRIED,
           "payments": PAYS_ORDER, "attempts 2": {**TRIED, "id": ANOTHER, "number": 2},
           "payments 2": {**PAYS_ORDER, "id": SECOND}},
          ({"receipts.state": "sent"},), kind="receipt_refused", owner="merchant", since=NOW,
          data={**HERE, "receipt": str(THING), "failure": "no", "gateway_payment_id": "pay_a",
                "order": str(ORDER)},
          others=(({"receipts.state": "overdue"},
                   {"kind": "receipt_overdue", "since": NOW + HOUR}),
                  ({"receipts.state": "overdue", "receipts.late_at": None}, {"since": NOW}),
                  ({"attempts.gateway_payment_id": None},
                   {"data": {**HERE, "receipt": str(THING), "failure": "no",
                             "gateway_payment_id": "ref_a", "order": str(ORDER)}}),
                  ({"attempts": None},
                   {"data": {**HERE, "receipt": str(THING), "failure": "no"}}))),
    wants("a refund's receipt that was refused",
          {**OF_MONEY, "refunds": {**BACK, "state": "succeeded"},
           "refunds 2": {**BACK, "id": ANOTHER, "key": "b", "state": "succeeded",
                         "capture_id": SECOND},
           "captures 2": {**PAID, "id": SECOND, "gateway_payment_id": "pay_2", "due_at": None},
           "receipts": {**RECEIPT, "kind": "refund", "attempt_id": None, "refund_id": REFUND}}, (),
          data={**HERE, "receipt": str(THING), "failure": "no", "refund": str(REFUND),
                "gateway_payment_id": "pay_1", "order": str(ORDER)}),
    wants("money without a purpose", {**PLACES, "captures": PAID, "payments": PAYS_ORDER},
          ({"captures.due_at": None}, {"captures.open": 0, "captures.fulfilled": 4000},
           {"captures.hard_deadline": NOW + MOMENT}),
          same=({"captures.open": 1, "captures.fulfilled": 3999},),
          kind="money_without_a_purpose", since=NOW - HOUR, data=SAYS),
    wants("a webhook that fails", {**PLACES, "inbox": TOLD},
          ({"inbox.due_at": None}, {"inbox.worked_at": NOW}, {"inbox.failure": "unexplained"},
           {"inbox.tries": 4}, {"inbox.received_at": NOW - HOUR + MOMENT},
           {"inbox.told_at": NOW - HOUR + MOMENT}),
          same=({"inbox.told_at": NOW - HOUR, "inbox.received_at": NOW},),
          kind="webhook_not_worked", subject="7",
          data={**HERE, "event": "e", "failure": "f"},
          others=(({"inbox.failure": None}, {"kind": "webhook_not_worked"}),)),
    wants("webhooks that cannot be read",
          {**PLACES, "inbox": UNREAD,
           "inbox 2": {**UNREAD, "id": 8, "reason": "a", "received_at": NOW}},
          ({"inbox.worked_at": NOW, "inbox 2.worked_at": NOW},),
          kind="webhook_not_read", subject=f"{ACCOUNT} e", since=NOW - HOUR,
          data={**HERE, "event": "e", "failure": "a"},
          others=(({"inbox 2.event": "g"}, [{"subject": f"{ACCOUNT} e"},
                                            {"subject": f"{ACCOUNT} g"}]),
                  ({"inbox.event": None, "inbox 2.event": None}, {"subject": f"{ACCOUNT} "}),
                  ({"inbox 2.verdict": "forged", "inbox 2.ours": None},
                   {"data": {**HERE, "event": "e", "failure": "b"}}))),
    wants("a day that is not compared", {**PLACES, "reconciliations": DAY},
          ({"reconciliations.done_at": NOW}, {"reconciliations.tries": 4}),
          kind="day_not_compared", subject=f"{ACCOUNT} 2026-11-20",
          data={**HERE, "day": "2026-11-20", "failure": "away"}),
    wants("a clock that differs", {**PLACES, "clocks": CLOCK},
          ({"clocks.off_since": None}, {"clocks.heard_at": LONG_AGO}), kind="clock_differs",
          subject=f"{ACCOUNT} n", since=NOW, data={**HERE, "node": "n", "ahead_s": 3}),
    wants("an event that no table knows", {**PLACES, "strays": STRAY}, (), kind="stray",
          subject="7", since=NOW,
          data={"merchant": "asha", "machine": "order", "id": str(ORDER), "state": "s",
                "event": "e"}),
    wants("books that disagree",
          {**OF_MONEY, "discrepancies": ODD,
           "captures 2": {**PAID, "id": SECOND, "gateway_payment_id": "pay_2", "due_at": None,
                          "currency": "EUR"}},
          ({"discrepancies.closed_at": NOW},), kind="no_drop_after_fulfilled", subject="7",
          currency="INR", data={**SAYS, "unit": str(UNIT), "refund": str(REFUND)},
          others=(({"discrepancies.capture_id": None},
                   {"currency": None, "data": {"unit": str(UNIT), "refund": str(REFUND)}}),)),
    wants("a dispute that is open", {**OF_MONEY, "disputes": DISPUTE},
          ({"disputes.stage": "won"},), kind="dispute_open", subject=str(THING), since=NOW,
          data={**SAYS, "reason": "fraud", "dispute": "d1"}),
    wants("a machine that floods",
          {**PLACES, "device_journals": FLOOD,
           "device_journals 2": {**FLOOD, "journal_id": "b", "refused_at": NOW - HOUR}},
          ({"device_journals.refused_at": None, "device_journals 2.refused_at": None},),
          kind="machine_floods", subject="M01", since=NOW - HOUR,
          data={"merchant": "asha", "machine": "M01"}),
    wants("a machine that contradicts itself",
          {**PLACES, "device_journals": {**FLOOD, **CONTRADICTS},
           "device_journals 2": {**FLOOD, **CONTRADICTS, "journal_id": "b",
                                 "contradicted_at": NOW - HOUR}},
          ({"device_journals.contradicted_at": None, "device_journals 2.contradicted_at": None},),
          kind="machine_contradicts", subject="M01", since=NOW,
          data={"merchant": "asha", "machine": "M01"}),
    wants("a unit that is left to a person", {**OF_MONEY, "fulfillments": SOLD},
          ({"fulfillments.person_since": None},
           {"fulfillments.settlement": "fulfilled", "fulfillments.basis": "vended"}),
          kind="handover_unknown", subject=str(UNIT), since=NOW, data={**SAYS, **LEFT_TO_PERSON},
          others=(({"fulfillments.capture_id": None, "fulfillments.amount_minor": 0},
                   {"data": LEFT_TO_PERSON}),)),
)  # fmt: skip

STRAYS = {**PLACES, "strays": STRAY}
IN_QUEUE = {**STRAYS, "cases": CASE}
DIFFERENT = ({"cases.kind": "x"}, {"cases.subject": "8"}, {"cases.since": NOW - HOUR})
CASES = "SELECT * FROM cases ORDER BY id"
KEEP = "SELECT * FROM keep_cases($1)"
OUT_OF_DATE = "SELECT * FROM queues_out_of_date($1)"
CLOSE = "SELECT close_case($1, 'asha', 'seen', 'note', $2)"
OPEN_CASE = {"cases": {**CASE, "id": 3}}
BEFORE = {"cases.closed_at": NOW - HOUR, "cases.how": "healed"}
INBOX = "SELECT * FROM inbox"
WORKED = {"worked_at": NOW, "due_at": None, "leased_until": None, "lease": 3, "ended_by": "asha"}
LEFT = {"worked_at": None, "lease": 2, "ended_by": None}
LEASED = {**TOLD, "lease": 2, "leased_until": NOW}
OF_HOOK = {"cases": {**CASE, "id": 3, "kind": "webhook_not_worked"}, "inbox": LEASED}
OF_UNREAD = {"cases": {**CASE, "id": 3, "kind": "webhook_not_read", "subject": f"{ACCOUNT} e"},
             "inbox": {**LEASED, "verdict": "unreadable", "ours": True}}  # fmt: skip
OF_ODD = {"cases": {**CASE, "id": 3, "kind": ODD["kind"]}, "discrepancies": ODD}

QUEUE = (
    Asked("what is not in the queue yet", "SELECT * FROM unheard($1)", (NOW,), STRAYS, ()),
    Asked("what is in the queue", "SELECT * FROM unheard($1)", (NOW,), IN_QUEUE, (), gives=[],
          others=(*((differs, {"kind": "stray"}) for differs in DIFFERENT),
                  ({f"cases.{name}": value for name, value in CLOSED.items()}, []),
                  ({f"cases.{name}": value for name, value in HEALED.items()},
                   {"kind": "stray"}))),
    Asked("what is needed no longer", "SELECT * FROM healed($1)", (NOW,), {"cases": CASE},
          ({f"cases.{name}": value for name, value in HEALED.items()},
           {"cases.source": "books"})),
    Asked("what is still needed", "SELECT * FROM healed($1)", (NOW,), IN_QUEUE, (), gives=[],
          others=tuple((differs, {}) for differs in DIFFERENT)),
    Asked("a queue that is brought up to date", KEEP, (NOW,), IN_QUEUE, (),
          gives={"opened": 0, "closed": 0},
          others=(({"cases.subject": "8"}, {"opened": 1, "closed": 1}),
                  ({"strays": None}, {"opened": 0, "closed": 1}),
                  ({"cases": None}, {"opened": 1, "closed": 0}))),
    Asked("what a case in the queue says", KEEP, (NOW + HOUR,), STRAYS, (), after=CASES,
          gives={"merchant_id": ASHA, "source": "state", "kind": "stray", "subject": "7",
                 "since": NOW, "owner": "operator", "opened_at": NOW + HOUR, "closed_at": None}),
    Asked("what heals by itself", KEEP, (NOW + HOUR,), {"cases": CASE}, (), after=CASES,
          gives={"closed_at": NOW + HOUR, "how": "healed", "closed_by": None}),
    Asked("only what has healed is closed", KEEP, (NOW + HOUR,),
          {**IN_QUEUE, "cases 2": {**CASE, "subject": "8"}}, (), after=CASES,
          gives=({"closed_at": None}, {"closed_at": NOW + HOUR})),
    Asked("how a dispute ended", KEEP, (NOW,),
          {"cases": {**CASE, "kind": "dispute_open", "subject": str(THING)},
           "disputes": {**DISPUTE, "stage": "won"}}, (), after=CASES, gives={"how": "won"},
          others=(({"disputes.id": ANOTHER}, {"how": "healed"}),
                  ({"cases.kind": "stray"}, {"how": "healed"}))),
    Asked("merchants whose queues are not up to date", OUT_OF_DATE, (NOW,), STRAYS, (),
          gives={"queues_out_of_date": ASHA}),
    Asked("or whose cases have healed", OUT_OF_DATE, (NOW,), {"cases": CASE},
          ({f"cases.{name}": value for name, value in HEALED.items()},
           {"cases.source": "books"}), gives={"queues_out_of_date": ASHA}),
    Asked("a queue that is up to date", OUT_OF_DATE, (NOW,), IN_QUEUE, (), gives=[],
          others=(({f"cases.{name}": value for name, value in HEALED.items()}, FOUND),)),
    Asked("nor is one that a person closed another case of", OUT_OF_DATE, (NOW,),
          {**STRAYS, "cases": {**CASE, **CLOSED}}, (), gives=[],
          others=tuple((differs, FOUND) for differs in DIFFERENT)),
    Asked("nor one with a case of something else", OUT_OF_DATE, (NOW,),
          {**STRAYS, "cases": {**CASE, **CLOSED}, "cases 2": CASE}, (), gives=[],
          others=tuple(({name.replace(".", " 2."): value for name, value in differs.items()}, FOUND)
                       for differs in DIFFERENT)),
    Asked("a person closes a case", CLOSE, (3, NOW), OPEN_CASE,
          ({"cases.id": 4}, BEFORE)),
    Asked("who closed it, and how", CLOSE, (3, NOW), OPEN_CASE, (), after=CASES,
          gives={"closed_at": NOW, "closed_by": "asha", "how": "seen", "note": "note"},
          others=(({"cases.id": 4}, {"closed_at": None}),
                  (BEFORE, {"closed_at": NOW - HOUR, "closed_by": None}))),
    Asked("its webhook is over", CLOSE, (3, NOW), OF_HOOK, (), after=INBOX, gives=WORKED,
          others=(({"inbox.id": 8}, LEFT), ({"cases.kind": "stray"}, LEFT),
                  ({"inbox.worked_at": NOW - HOUR}, {"worked_at": NOW - HOUR, "ended_by": None}),
                  ({"inbox.verdict": "forged"}, LEFT), (BEFORE, LEFT))),
    Asked("its webhooks of one kind are over", CLOSE, (3, NOW), OF_UNREAD, (), after=INBOX,
          gives=WORKED,
          others=(({"inbox.verdict": "genuine", "inbox.ours": None}, LEFT),
                  ({"inbox.event": "g"}, LEFT), ({"inbox.account_id": OTHER}, LEFT),
                  ({"inbox.event": None, "cases.subject": f"{ACCOUNT} "}, WORKED))),
    Asked("its discrepancy is over", CLOSE, (3, NOW), OF_ODD, (),
          after="SELECT * FROM discrepancies", gives={"closed_at": NOW, "closed_by": "asha"},
          others=(({"discrepancies.id": 8}, {"closed_at": None}),
                  ({"discrepancies.kind": "x"}, {"closed_at": None}),
                  ({"discrepancies.closed_at": NOW - HOUR},
                   {"closed_at": NOW - HOUR, "closed_by": None}))),
)  # fmt: skip

GIVE_BACK = "SELECT refund_case($1, 'asha', 'seen', $2)"
BELIEVED = {
    **OF_ODD,
    "captures": {**PAID, "open": 0, "fulfilled": 4000},
    "fulfillments": {**SOLD, "state": "vended", "settlement": "fulfilled", "basis": "vended",
                     "amount_minor": 1500, "settled_at": NOW},
}  # fmt: skip
PARTLY = {"id": ANOTHER, "fulfillment_id": UNIT, "capture_id": CAPTURE, "amount_minor": 1500,
          "outcome": "taken", "ended_at": NOW}  # fmt: skip
CORRECTED = (
    Asked("the later word is believed", GIVE_BACK, (3, NOW), BELIEVED,
          ({"cases.id": 4}, {"cases.kind": "stray"}, {"cases.subject": "8"},
           {"discrepancies.kind": "x", "cases.kind": "x"},
           {"discrepancies.capture_id": None}, BEFORE)),
    Asked("what went back before goes back no more", GIVE_BACK, (3, NOW),
          {**BELIEVED, "order_refund_parts": PARTLY}, (), gives=[],
          others=(({"order_refund_parts.amount_minor": 1499}, {}),)),
    Asked("what was corrected before is so", GIVE_BACK, (3, NOW),
          {**BELIEVED, "corrections": {"fulfillment_id": UNIT, "made_by": "boris"}}, (), gives=[]),
    Asked("of several cases and units it is this one", GIVE_BACK, (3, NOW),
          {**BELIEVED, "cases 2": {**CASE, "id": 4, "subject": "9"},
           "fulfillments 2": {**BELIEVED["fulfillments"], "id": ANOTHER}}, ({"$1": 4},)),
    Asked("the goods are a debt", GIVE_BACK, (3, NOW),
          {**BELIEVED, "captures 2": {**BELIEVED["captures"], "id": SECOND,
                                      "gateway_payment_id": "pay_2"}}, (),
          after="SELECT * FROM captures ORDER BY id",
          gives=({"fulfilled": 2500, "refund_due": 1500}, {"fulfilled": 4000, "refund_due": 0})),
    Asked("who corrected it", GIVE_BACK, (3, NOW), BELIEVED, (),
          after="SELECT * FROM corrections",
          gives={"fulfillment_id": UNIT, "merchant_id": ASHA, "why": ODD["kind"], "at": NOW,
                 "made_by": "asha", "note": "seen"}),
    Asked("how its case ended", GIVE_BACK, (3, NOW), BELIEVED, (), after=CASES,
          gives={"how": "refunded", "closed_by": "asha", "note": "seen"}),
    Asked("it is booked", GIVE_BACK, (3, NOW), BELIEVED, (),
          after="SELECT account, amount FROM ledger ORDER BY amount",
          gives=({"account": "refunds_payable", "amount": -1500},
                 {"account": "sales", "amount": 1500})),
    Asked("it is refunded", GIVE_BACK, (3, NOW), BELIEVED, (), after="SELECT * FROM refunds",
          gives={"capture_id": CAPTURE, "fulfillment_id": UNIT, "amount_minor": 1500,
                 "reason": "corrected", "state": "pending"}),
    Asked("it is told", GIVE_BACK, (3, NOW), BELIEVED, (),
          after="SELECT * FROM events WHERE machine = 'fulfillment'", gives={"subject_id": UNIT}),
)  # fmt: skip

PICTURE = {"merchant_id": ASHA, "digest": "a" * 64, "width": 1, "height": 1, "widths": [1],
           "used_at": NOW - MOMENT}  # fmt: skip
SHOWN = {"id": THING, "merchant_id": ASHA, "picture": "a" * 64}
OLD = {"ended_at": NOW - MOMENT, "due_at": None, "outcome": "sent"}
ENDS = "SELECT * FROM end_pictures($1, $2, 9)"
GONE = (
    Asked("a picture that nothing shows", ENDS, (NOW, NOW), {"pictures": PICTURE},
          ({"pictures.used_at": NOW},
           {"pictures.ending_at": NOW - timedelta(minutes=10)}),
          ({"pictures.ending_at": NOW - timedelta(minutes=10) - MOMENT},),
          gives={"ending_at": NOW}),
    *(Asked(f"a picture of {table}", ENDS, (NOW, NOW), {"pictures": PICTURE, table: row}, (),
            gives=[],
            others=(({f"{table}.merchant_id": CHANDRA}, {"ending_at": NOW}),
                    ({f"{table}.{column}": "b" * 64}, {"ending_at": NOW})))
      for table, row, column in (
          ("products", {**SHOWN, "sku": "a"}, "picture"),
          ("brands", {"merchant_id": ASHA, "logo": "a" * 64}, "logo"))),
    Asked("the oldest picture ends first", "SELECT * FROM end_pictures($1, $1, 1)", (NOW,),
          {"pictures": PICTURE, "pictures 2": {**PICTURE, "digest": "b" * 64,
                                               "used_at": NOW - HOUR}}, (),
          gives=({"digest": "b" * 64},)),
    Asked("a picture has ended", "SELECT picture_ended($1, $2)", (ASHA, "a" * 64),
          {"pictures": {**PICTURE, "ending_at": NOW}}, (), after="SELECT * FROM pictures",
          gives=[],
          others=(({"pictures.merchant_id": CHANDRA}, {}), ({"pictures.digest": "b" * 64}, {}),
                  ({"pictures.ending_at": None}, {}))),
    Asked("sessions that are over", "SELECT prune_sessions($1, 9)", (NOW,),
          {"sessions": {"id": THING, "kind": "token", "expires_at": NOW - MOMENT},
           "refresh_tokens": {"session_id": THING}}, (),
          after="SELECT 1 FROM sessions UNION ALL SELECT 2 FROM refresh_tokens", gives=[],
          others=(({"sessions.expires_at": NOW}, ({}, {})),
                  ({"refresh_tokens.session_id": ANOTHER}, ({"?column?": 2},)))),
    *(Asked(f"old rows of {table}", f"SELECT prune_{what}($1, 9)", (NOW,), {table: row}, (),
            after=f"SELECT * FROM {table}", gives=[],
            others=tuple((differs, {}) for differs in ({f"{table}.{column}": NOW}, *stays)))
      for what, table, row, column, stays in (
          ("sessions", "sign_in_tries", {"since": NOW - MOMENT}, "since", ()),
          ("sessions", "used_challenges", {"at": NOW - MOMENT}, "at", ()),
          ("notices", "notices", OLD, "ended_at", ()),
          ("notices", "alerts", {"merchant_id": ASHA, "ended_at": NOW - MOMENT,
                                 "end_told_at": NOW}, "ended_at", ({"alerts.end_told_at": None},)),
          ("notices", "push_subscriptions", {"ended_at": NOW - MOMENT, "ended_because": "x"},
           "ended_at", ()))),
    *(Asked(f"how many of {table} went", f"SELECT prune_{what}($1, 9) AS gone", (NOW,),
            {table: row, f"{table} 2": {**row, **more}}, (), gives={"gone": 2})
      for what, table, row, more in (
          ("sessions", "sessions", {"kind": "token", "expires_at": NOW - MOMENT}, {}),
          ("sessions", "sign_in_tries", {"subject": "a", "since": NOW - MOMENT}, {"subject": "b"}),
          ("sessions", "used_challenges", {"at": NOW - MOMENT}, {}),
          ("notices", "notices", {**OLD, "dedup": "a"}, {"dedup": "b"}),
          ("notices", "alerts", {"merchant_id": ASHA, "ended_at": NOW - MOMENT,
                                 "end_told_at": NOW}, {}),
          ("notices", "push_subscriptions", {"ended_at": NOW - MOMENT, "ended_because": "x"},
           {}))),
)  # fmt: skip

EXPIRED = {"id": THING, "kind": "token", "expires_at": NOW - MOMENT}
PRUNED = (
    Asked("only sessions that are over", "SELECT prune_sessions($1, 9)", (NOW,),
          {"sessions": EXPIRED, "sessions 2": {**EXPIRED, "id": ANOTHER, "expires_at": NOW}}, (),
          after="SELECT id FROM sessions", gives=({"id": ANOTHER},)),
    Asked("the oldest session first", "SELECT prune_sessions($1, 1)", (NOW,),
          {"sessions": EXPIRED, "sessions 2": {**EXPIRED, "id": ANOTHER,
                                               "expires_at": NOW - HOUR}}, (),
          after="SELECT id FROM sessions", gives=({"id": THING},)),
)  # fmt: skip
# Old rows, and the function that prunes them.
PRUNES: dict[str, tuple[str, dict[str, Any]]] = {
    "sessions": ("SELECT prune_sessions($1, 9)", EXPIRED),
    "sign_in_tries": ("SELECT prune_sessions($1, 9)", {"since": NOW - MOMENT}),
    "used_challenges": ("SELECT prune_sessions($1, 9)", {"at": NOW - MOMENT}),
    "notices": ("SELECT prune_notices($1, 9)", OLD),
    "alerts": ("SELECT prune_notices($1, 9)", {"merchant_id": ASHA, "ended_at": NOW - MOMENT,
                                               "end_told_at": NOW}),
    "push_subscriptions": ("SELECT prune_notices($1, 9)",
                           {"ended_at": NOW - MOMENT, "ended_because": "x"}),
    "pictures": ("SELECT end_pictures($1, $1, 9)", PICTURE),
}  # fmt: skip
ASKED = (*PRUNED, *WANTING, *QUEUE, *CORRECTED, *GONE)


async def test_each_statement_finds_its_row_and_none_that_differs(rows: Rows) -> None:
    assert await mistaken(rows, ASKED) == []


async def test_a_clock_that_was_not_heard_for_an_hour_wants_nobody(rows: Rows) -> None:
    for age, wanted in ((HOUR, 0), (HOUR - MOMENT, 1)):
        await rows.conn.execute("BEGIN")
        heard_at = await rows.conn.fetchval("SELECT now() - $1::interval", age)
        await rows.put("clocks", **{**CLOCK, "heard_at": heard_at})
        assert len(await rows.conn.fetch(WANTS, NOW)) == wanted
        await rows.conn.execute("ROLLBACK")


@pytest.mark.parametrize("table", PRUNES)
async def test_what_another_process_holds_is_not_waited_for(
    rows: Rows, holder: RawConnection, table: str
) -> None:
    sql, row = PRUNES[table]
    await rows.put(table, **row)
    await rows.conn.execute("SET lock_timeout = '100ms'")
    async with holder.transaction():
        await holder.execute(f"SELECT FROM {table} FOR UPDATE")
        await rows.conn.fetch(sql, NOW)
        assert await rows.conn.fetchval(f"SELECT count(*) FROM {table}") == 1
