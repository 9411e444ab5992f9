"""Decisions about refunds and receipts that need no database, each with all of its sides."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import msgspec
import pytest

from coinslot.context import Windows
from coinslot.gateways.base import (
    Absent,
    Declined,
    Mark,
    RefundFact,
    RefundOrder,
    RefundStage,
    Unclear,
)
from coinslot.gateways.receipts import (
    BeingRegistered,
    NotRegistered,
    Receipt,
    ReceiptLimits,
    ReceiptLine,
    ReceiptQuestion,
    Registered,
)
from coinslot.kit.money import Money
from coinslot.orders.order_refunds import (
    Left,
    MoreThanLeftError,
    OrderRefund,
    Outcome,
    _as_placed,
    _asked,
    of_lines,
    plan,
)
from coinslot.payments import receipt_store, receipts, refunds
from coinslot.payments.merchant_api import RuledOutError, UnknownError
from coinslot.payments.receipts import Money as Came
from coinslot.payments.receipts import WithRefund

NOW = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
S = timedelta(seconds=1)
MOMENT = timedelta(microseconds=1)
REFUND, OTHER = UUID(int=1), UUID(int=2)
CONTEXT: Any = SimpleNamespace(
    now=lambda: NOW, installation="ours", windows=Windows(refund_owed_s=100, receipt_late_s=50)
)
ROW: dict[str, Any] = {
    "id": REFUND, "gateway_payment_id": "pay_1", "amount_minor": 900, "currency": "INR",
    "key": "k1", "reason": "jam", "others": 300, "gateway_refund_id": None, "key_sent_at": None,
    "created_at": NOW, "tries": 0,
}  # fmt: skip
LINE = ReceiptLine(name="Cola", quantity=1, price=900, vat="22", subject="commodity", mode="x")
RECEIPT = Receipt(contact="a@b", lines=(LINE,))


def test_a_refund_is_asked_for_in_these_words() -> None:
    row: Any = ROW
    asked = RefundOrder(
        gateway_payment_id="pay_1", money=Money(900, "INR"), key="k1",
        mark=Mark(installation="ours", refund=str(REFUND)), reason="jam",
        others=Money(300, "INR"), taken_up=False, receipt=None, without_receipt=False,
    )  # fmt: skip
    assert refunds.order(CONTEXT, row) == asked
    taken_up: Any = ROW | {"gateway_refund_id": "rf_1"}
    again = refunds.order(CONTEXT, taken_up, WithRefund(receipt=RECEIPT, without=True))
    assert (again.taken_up, again.receipt, again.without_receipt) == (True, RECEIPT, True)


FACT = RefundFact(
    gateway_refund_id="rf_1", gateway_payment_id="pay_1", money=Money(900, "INR"),
    stage=RefundStage.PROCESSED, at=NOW, mark=Mark(installation="ours", refund=str(REFUND)),
)  # fmt: skip


@pytest.mark.parametrize(
    ("known_as", "changed", "is_it"),
    [
        (None, {}, True),
        ("rf_1", {"mark": None}, True),
        ("rf_1", {"mark": None, "money": Money(1, "INR")}, True),
        ("rf_2", {}, True),
        ("rf_2", {"mark": None}, False),
        (None, {"mark": None}, False),
        (None, {"mark": Mark(installation="another", refund=str(REFUND))}, False),
        (None, {"mark": Mark(installation="ours", refund=str(OTHER))}, False),
        (None, {"mark": Mark(installation="ours")}, False),
        (None, {"money": Money(899, "INR")}, False),
        (None, {"money": Money(900, "RUB")}, False),
    ],
)
def test_a_refund_is_in_the_list_by_its_id_or_by_our_mark_with_its_sum(
    known_as: str | None, changed: dict[str, Any], is_it: bool
) -> None:
    row: Any = ROW | {"gateway_refund_id": known_as}
    fact = msgspec.structs.replace(FACT, **changed)
    assert refunds._is(row, fact, "ours") is is_it


def test_the_direct_answer_is_ours_whatever_mark_it_bears() -> None:
    row: Any = ROW
    for mark in (None, Mark(installation="another", refund="x")):
        said = refunds.own(CONTEXT, row, msgspec.structs.replace(FACT, mark=mark))
        assert said == FACT


@pytest.mark.parametrize(
    ("sent", "alive"),
    [(None, False), (NOW, True), (NOW - 60 * S + MOMENT, True), (NOW - 60 * S, False)],
)
def test_a_key_lives_as_long_as_the_gateway_says(sent: datetime | None, alive: bool) -> None:
    account: Any = SimpleNamespace(driver=SimpleNamespace(refund_key_life_s=60))
    row: Any = ROW | {"key_sent_at": sent}
    assert refunds._alive(CONTEXT, account, row) is alive


@pytest.mark.parametrize(("made", "old"), [
    (NOW, False), (NOW - 100 * S, False), (NOW - 100 * S - MOMENT, True),
])  # fmt: skip
def test_a_refund_is_owed_when_it_was_refused_for_so_long(made: datetime, old: bool) -> None:
    row: Any = ROW | {"created_at": made}
    assert refunds._too_old(CONTEXT, row) is old


# How far the money of a receipt has come.


PAID: dict[str, Any] = {
    "kind": "payment", "attempt_state": "succeeded", "captured": 900, "amount_minor": 900,
    "created_at": NOW,
}  # fmt: skip
BACK: dict[str, Any] = {
    "kind": "refund", "refund_state": "succeeded", "gateway_refund_id": "rf_1", "covered": False,
}  # fmt: skip
LATE = {"attempt_state": "failed", "created_at": NOW - 50 * S - MOMENT}


@pytest.mark.parametrize(
    ("row", "came"),
    [
        ({"kind": "closing"}, Came.MOVED),
        (PAID, Came.MOVED),
        (PAID | {"captured": None}, Came.MOVED),
        (PAID | {"captured": 899}, Came.OTHER),
        (PAID | {"captured": 901}, Came.OTHER),
        (PAID | {"attempt_state": "pending"}, Came.WAITS),
        (PAID | {"attempt_state": "failed"}, Came.WAITS),
        (PAID | LATE | {"created_at": NOW - 50 * S}, Came.WAITS),
        (PAID | LATE, Came.NEVER),
        (PAID | LATE | {"attempt_state": "unknown"}, Came.WAITS),
        (PAID | LATE | {"attempt_state": "succeeded"}, Came.MOVED),
        (BACK, Came.MOVED),
        (BACK | {"covered": True}, Came.MOVED),
        (BACK | {"gateway_refund_id": None}, Came.BY_HAND),
        (BACK | {"gateway_refund_id": None, "covered": True}, Came.NEVER),
        (BACK | {"refund_state": "failed"}, Came.NEVER),
        (BACK | {"refund_state": "pending"}, Came.WAITS),
        (BACK | {"refund_state": "owed"}, Came.WAITS),
    ],
)
def test_a_receipt_follows_its_money(row: Any, came: Came) -> None:
    assert receipts.money_of(CONTEXT, row) is came


ABOUT: dict[str, Any] = {
    "gateway_payment_id": "pay_1", "gateway_refund_id": "rf_1", "gateway_receipt_id": "rt_1",
    "kind": "refund",
}  # fmt: skip


def test_what_is_asked_about_a_receipt() -> None:
    asked = ReceiptQuestion(
        gateway_payment_id="pay_1", gateway_refund_id="rf_1", receipt_id="rt_1", closing=False
    )
    row: Any = ABOUT
    assert receipts.question(row) == asked
    closing: Any = ABOUT | {"kind": "closing", "gateway_payment_id": None}
    assert receipts.question(closing).closing
    assert receipts.question(closing).gateway_payment_id == ""


@pytest.mark.parametrize(("contact", "goes_to"), [("a@b", "a@b"), (None, "till@"), ("", "till@")])
def test_a_receipt_goes_to_its_customer_else_to_the_accounts_own_address(
    contact: str | None, goes_to: str
) -> None:
    body = {"lines": [vars_of(LINE)], "tax_system": "osn"}
    row: Any = {"body": body, "contact": contact}
    assert receipts._receipt(row, "till@") == Receipt(
        contact=goes_to, lines=(LINE,), tax_system="osn"
    )


def vars_of(line: ReceiptLine) -> dict[str, Any]:
    return msgspec.structs.asdict(line)


class Telling:
    """A gateway that has receipts made, and tells of them by itself."""

    receipt_limits = ReceiptLimits(lines=80, name_chars=128)
    receipt_terms = None

    def __init__(self, *answers: Any) -> None:
        self.answers, self.asked = list(answers), list[str]()


class Closing(Telling):
    async def close_receipt(self, order: Any) -> Any:
        self.asked.append("close")
        return self.answers.pop(0)


class Asking(Telling):
    async def receipt_of(self, about: ReceiptQuestion) -> Any:
        self.asked.append("look")
        return self.answers.pop(0)

    async def send_receipt(self, order: Any) -> Any:
        self.asked.append("send")
        return self.answers.pop(0)


class Both(Asking, Closing):
    pass


class Kept:
    """What is written is of no interest here."""

    def as_merchant(self, merchant: UUID) -> "Kept":
        return self

    async def __aenter__(self) -> "Kept":
        return self

    async def __aexit__(self, *_: object) -> None:
        pass

    async def execute(self, statement: str, *_: object) -> None:
        self.wrote = statement

    def check_lease(self) -> None:
        pass


FIRST: dict[str, Any] = ABOUT | {
    "id": REFUND, "state": "due", "made_by": None, "sent_at": None, "currency": "INR",
    "body": {"lines": []}, "contact": "a@b", "first_state": "registered",
}  # fmt: skip
BY_HAND = {"made_by": "asha"}
SECOND = {"kind": "closing", "gateway_refund_id": None}
OLD, FRESH = NOW - timedelta(hours=23) - MOMENT, NOW - timedelta(hours=23)
GOING = BeingRegistered(receipt_id="rt_1")
DONE = Registered(receipt_id="rt_1")
NOT_YET = Unclear("later")
REFUSED = NotRegistered(reason="no")


@pytest.mark.parametrize(
    ("driver", "changed", "answers", "asked", "said"),
    [
        (Telling, {}, (), [], BeingRegistered()),
        (Closing, {}, (), [], BeingRegistered()),
        (Asking, {}, (GOING,), ["look"], GOING),
        (Asking, {"state": "sent"}, (DONE,), ["look"], DONE),
        (Asking, BY_HAND, (GOING,), ["send"], GOING),
        (Asking, BY_HAND | {"state": "sent"}, (DONE,), ["look"], DONE),
        (Asking, BY_HAND | {"sent_at": FRESH}, (GOING,), ["send"], GOING),
        (Asking, BY_HAND | {"sent_at": OLD}, (DONE,), ["look"], DONE),
        (Asking, BY_HAND | {"sent_at": OLD}, (NOT_YET,), ["look"], NOT_YET),
        (Asking, BY_HAND | {"sent_at": OLD}, (Absent(), GOING), ["look", "send"], GOING),
        (Asking, BY_HAND | {"sent_at": OLD}, (REFUSED, GOING), ["look", "send"], GOING),
        (Telling, SECOND, (), [], Declined("this gateway takes no second receipt", "receipt")),
        (Asking, SECOND, (), [], Declined("this gateway takes no second receipt", "receipt")),
        (Closing, SECOND, (GOING,), ["close"], GOING),
        (Closing, SECOND | {"first_state": "sent"}, (GOING,), ["close"], GOING),
        (Closing, SECOND | {"sent_at": NOW}, (), [], Unclear(
            "it was sent once, and the answer was lost; the gateway cannot be asked")),
        (Closing, SECOND | {"state": "sent", "sent_at": NOW}, (), [], BeingRegistered()),
        (Closing, SECOND | {"state": "sent"}, (GOING,), ["close"], GOING),
        (Both, SECOND, (GOING,), ["close"], GOING),
        (Both, SECOND | {"first_state": "sent"}, (), [],
         Unclear("the receipt of the payment is not registered yet")),
        (Both, SECOND | {"sent_at": FRESH}, (GOING,), ["close"], GOING),
        (Both, SECOND | {"sent_at": OLD}, (DONE,), ["look"], DONE),
        (Both, SECOND | {"sent_at": OLD}, (Absent(), GOING), ["look", "close"], GOING),
        (Both, SECOND | {"sent_at": OLD}, (REFUSED, GOING), ["look", "close"], GOING),
        (Both, SECOND | {"state": "sent", "sent_at": NOW}, (DONE,), ["look"], DONE),
    ],
)  # fmt: skip
async def test_a_receipt_is_looked_for_before_it_may_be_sent_twice(
    driver: type[Telling], changed: dict[str, Any], answers: Any, asked: list[str], said: Any
) -> None:
    gateway = driver(*answers)
    account: Any = SimpleNamespace(driver=gateway, merchant_id=OTHER)
    context: Any = SimpleNamespace(now=lambda: NOW, db=Kept())
    row: Any = FIRST | changed
    assert await receipts._ask(context, account, row) == said
    assert gateway.asked == asked


@pytest.mark.parametrize(("permanent", "statement"), [
    (True, receipt_store.SEND), (False, receipt_store.NOT_SENT),
])  # fmt: skip
async def test_a_second_receipt_that_is_refused_for_now_was_not_sent(
    permanent: bool, statement: str
) -> None:
    said = Declined("no", "x", permanent=permanent)
    account: Any = SimpleNamespace(driver=Closing(said), merchant_id=OTHER)
    kept = Kept()
    context: Any = SimpleNamespace(now=lambda: NOW, db=kept)
    row: Any = FIRST | SECOND
    assert await receipts._ask(context, account, row) == said
    assert kept.wrote == statement


# What a person's refund is taken from.


def unit(n: int, left: int, *, sent: bool = True, settled: bool = True, line: int = 9) -> Left:
    return Left(id=UUID(int=n), left=left, is_sent=sent, is_settled=settled, line=UUID(int=line))


def extra(kind: str, left: int, *, settled: bool = True) -> Left:
    return Left(id=UUID(int=77), left=left, is_sent=False, is_settled=settled, extra=kind)


DROPPED, EMPTY = unit(1, 4000), unit(2, 0)
DOUBTED = unit(3, 3000, settled=False)
QUEUED, FREE = unit(4, 2000, sent=False, settled=False), unit(5, 0, sent=False, settled=False)
TIP, NEW_TIP = extra("tip", 500), extra("tip", 500, settled=False)


@pytest.mark.parametrize(
    ("whole", "named", "amount", "parts"),
    [
        ([DROPPED], [], None, [(1, 4000, "taken")]),
        ([DROPPED, EMPTY], [], None, [(1, 4000, "taken")]),
        ([DROPPED, DOUBTED, QUEUED, FREE], [], None,
         [(1, 4000, "taken"), (3, 3000, "waiting"), (4, 2000, "withdrawn"), (5, 0, "withdrawn")]),
        ([DROPPED, DOUBTED], [3], None, [(3, 3000, "waiting")]),
        ([DROPPED, DOUBTED], [3, 3], None, [(3, 3000, "waiting")]),
        ([DROPPED, TIP], ["tip"], None, [(77, 500, "taken")]),
        ([DROPPED, NEW_TIP], ["tip"], None, [(77, 500, "withdrawn")]),
        ([DROPPED, TIP], [], 4200, [(1, 4000, "taken"), (77, 200, "taken")]),
        ([DROPPED], [], 1, [(1, 1, "taken")]),
        ([DROPPED], [], 4000, [(1, 4000, "taken")]),
        ([DOUBTED, DROPPED], [], 4001, [(1, 4000, "taken"), (3, 1, "waiting")]),
        ([DOUBTED, EMPTY, DROPPED], [], 4000, [(1, 4000, "taken")]),
        ([DOUBTED, DROPPED], [3], 100, [(3, 100, "waiting")]),
    ],
)  # fmt: skip
def test_money_of_an_order_is_taken_from_these(
    whole: list[Left], named: list[Any], amount: int | None, parts: list[Any]
) -> None:
    wanted = [UUID(int=one) if isinstance(one, int) else one for one in named]
    made = plan(whole, wanted, amount)
    assert [(part.of.id.int, part.amount, part.outcome) for part in made] == [
        (of, minor, Outcome(outcome)) for of, minor, outcome in parts
    ]


@pytest.mark.parametrize(
    ("whole", "named", "amount", "code", "says"),
    [
        ([EMPTY], [], None, "nothing_left", "Nothing of this order"),
        ([], [], None, "nothing_left", "Nothing of this order"),
        ([DROPPED, EMPTY], [UUID(int=2)], None, "nothing_left", f"Of {UUID(int=2)} nothing"),
        ([DROPPED, EMPTY], [UUID(int=2)], 1, "nothing_left", f"Of {UUID(int=2)} nothing"),
        ([DROPPED, extra("tip", 0)], ["tip"], None, "nothing_left", "Of tip nothing"),
        ([DROPPED, QUEUED], [], 4001, "not_sent_yet", "name the unit"),
        ([DROPPED, QUEUED], [], 6000, "not_sent_yet", "name the unit"),
        ([DROPPED, QUEUED], [], 6001, "refund_exceeds_order", "4000 is"),
        ([DROPPED, NEW_TIP], [], 4500, "not_sent_yet", "name the unit"),
        ([DROPPED], [], 4001, "refund_exceeds_order", "4000 is"),
    ],
)  # fmt: skip
def test_what_cannot_be_taken_is_refused(
    whole: list[Left], named: list[Any], amount: int | None, code: str, says: str
) -> None:
    with pytest.raises(RuledOutError, match=says) as caught:
        plan(whole, named, amount)
    assert caught.value.code == code
    if isinstance(caught.value, MoreThanLeftError):
        assert caught.value.left == 4000


def test_what_is_not_of_the_order_is_unknown() -> None:
    for named in ("tip", UUID(int=8)):
        with pytest.raises(UnknownError, match=f"no {named} in"):
            plan([DROPPED], [DROPPED.id, named], None)


def test_a_line_stands_for_its_units_that_have_something_left() -> None:
    whole = [DROPPED, EMPTY, FREE, unit(6, 100, line=8), unit(7, 0, line=7), TIP]
    assert of_lines(whole, []) == []
    assert of_lines(whole, [UUID(int=9)]) == [DROPPED.id, FREE.id]
    assert of_lines(whole, [UUID(int=8), UUID(int=9)]) == [UUID(int=6), DROPPED.id, FREE.id]
    with pytest.raises(UnknownError, match="no line"):
        of_lines(whole, [UUID(int=9), UUID(int=3)])
    with pytest.raises(RuledOutError, match="nothing is left") as caught:
        of_lines(whole, [UUID(int=9), UUID(int=7)])
    assert caught.value.code == "nothing_left"


def test_pieces_are_taken_as_they_were_placed_the_dearest_of_a_line_first() -> None:
    def row(line: int, minor: int, tax: int, of: int) -> Any:
        return {"line_id": line, "amount_minor": minor, "tax_minor": tax, "id": of}

    backwards = [row(2, 99, 9, 0), row(1, 9, 5, 0), row(1, 10, 1, 2), row(1, 10, 1, 1),
                 row(1, 10, 2, 9)]  # fmt: skip
    assert sorted(backwards, key=_as_placed) == backwards[::-1]


def test_a_key_is_of_all_that_was_asked_for() -> None:
    ids = UUID(int=1), UUID(int=2)
    bare = OrderRefund(order=ids[0], key="k", by="asha", reason="jam")
    said: dict[str, Any] = {
        "units": [], "extras": [], "amount": None, "by": "asha", "reason": "jam",
        "order": str(ids[0]),
    }  # fmt: skip
    assert _asked(bare) == said
    more = OrderRefund(
        order=ids[0], key="k", by="asha", reason="jam", units=(ids[1], ids[0], ids[1]),
        extras=("tip", "added_tax", "tip"), lines=(ids[1], ids[0]), amount=5,
    )  # fmt: skip
    assert _asked(more) == said | {
        "units": [str(ids[0]), str(ids[1])], "extras": ["added_tax", "tip"],
        "lines": [str(ids[0]), str(ids[1])], "amount": 5,
    }  # fmt: skip
