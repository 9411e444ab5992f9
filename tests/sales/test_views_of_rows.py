"""What pages show of an order and of a slot, from rows in which every column says another thing."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from coinslot.channels.base import Powers
from coinslot.kit.money import Money
from coinslot.orders import fulfillment, outlet_pages
from coinslot.orders.page_views import (
    BrandView,
    ExtraView,
    LineView,
    OrderView,
    PayView,
    Progress,
    RefundView,
    Story,
    ToldView,
    UnitView,
)
from coinslot.pictures.pictures import PictureView
from tests.sales.stage import START

MINUTE = timedelta(minutes=1)
BRAND = {
    "brand_name": "Asha's", "colour": "#112233", "ground": "#445566", "nothing_out": "mail us",
    "languages": ["hi", "en"], "logo_digest": "d1", "logo_width": 30, "logo_height": 20,
    "logo_widths": [10, 30],
}  # fmt: skip
ORDER: dict[str, Any] = {
    "token": "t", "number": "N7", "seen_version": 12, "state": "paid", "outlet_id": "M01",
    "outlet_name": "Platform 1", "kind": "vending", "merchant_name": "Asha",
    "contact_shown": "call 112", "zone": "Asia/Kolkata", "amount_minor": 9000, "currency": "INR",
    "placed_at": START, "expires_at": START + MINUTE, "paid_at": START + 2 * MINUTE,
    "waiting_minor": 500, "gateway_payment_id": "pay_1", "receipt_url": "https://r.example",
    **BRAND,
}  # fmt: skip
STORY = Story(
    progress=Progress.CHECKING, begun_at=START + 3 * MINUTE, confirmed_at=START + 4 * MINUTE,
    shape="cup", code="1234", asks=True, may_cancel=True, looks_into=False,
    told=(ToldView(form="sms", stage="sent", to="...12"),), may_resend=True, push_key="k",
    code_text="text", wanted_at=START + 5 * MINUTE, brought="away", may_arrive=True,
    asks_where=True, here_at=START + 6 * MINUTE, invoice="I-1", tax_included=70,
)  # fmt: skip
LINES: list[Any] = [
    {"id": UUID(int=1), "slot": "A1", "name": "Cola", "quantity": 2, "price_minor": 3000,
     "unit_minor": [2900, 2800]},
    {"id": UUID(int=2), "slot": "B2", "name": "Tea", "quantity": 3, "price_minor": 1000,
     "unit_minor": [1000, 900, 1000]},
    {"id": UUID(int=3), "slot": "C3", "name": "Old", "quantity": 1, "price_minor": 50,
     "unit_minor": None},
]  # fmt: skip


def unit(number: int, **more: Any) -> Any:
    return {
        "id": UUID(int=number), "name": f"Unit {number}", "state": "going", "settlement": None,
        "basis": None, "kind": "vending", "sent_at": START + number * MINUTE, "settled_at": None,
        "dispatch_by": START + 10 * MINUTE, "hard_deadline": START + (20 + number) * MINUTE,
        **more,
    }  # fmt: skip


UNITS = [
    unit(11),
    unit(12, state="failed", settlement="refund_due", basis="no_drop", settled_at=START + MINUTE,
         hard_deadline=START + 90 * MINUTE),
    unit(13, state="vended", settlement="fulfilled", basis="vended", settled_at=START,
         hard_deadline=START + 91 * MINUTE),
    unit(14, sent_at=None),
]  # fmt: skip
REFUNDS: list[Any] = [
    {"amount_minor": 100 * n, "currency": "INR", "state": state, "ended_at": ended,
     "created_at": START + n * MINUTE, "gateway_refund_id": f"rf_{n}", "surplus": surplus}
    for n, (state, ended, surplus) in enumerate(
        [("pending", None, False), ("failed", START, False), ("succeeded", START + MINUTE, True)], 1
    )
]  # fmt: skip


def view(**changes: Any) -> OrderView:
    story = changes.pop("story", STORY)
    units = changes.pop("units", UNITS)
    row: Any = {**ORDER, **changes}
    return outlet_pages._order_view(row, LINES, units, REFUNDS, story)


def test_an_order_shows_each_column_in_its_place() -> None:
    ends = max(fulfillment.last_moment(one) for one in (UNITS[0], UNITS[3]))
    assert ends < START + 90 * MINUTE
    assert view() == OrderView(
        token="t", number="N7", version=12, state="paid", outlet_code="M01",
        outlet_name="Platform 1", kind="vending", merchant_name="Asha",
        brand=BrandView(
            name="Asha's", colour="#112233", ground="#445566", nothing_out="mail us",
            logo=PictureView(digest="d1", width=30, height=20, widths=(10, 30)),
            languages=("hi", "en"),
        ),
        operator_contact="call 112", zone="Asia/Kolkata", slot="A1", money=Money(9000, "INR"),
        units=(
            UnitView(unit_id=UUID(int=11), name="Unit 11", state="going"),
            UnitView(unit_id=UUID(int=12), name="Unit 12", state="failed",
                     settlement="refund_due", basis="no_drop"),
            UnitView(unit_id=UUID(int=13), name="Unit 13", state="vended",
                     settlement="fulfilled", basis="vended"),
            UnitView(unit_id=UUID(int=14), name="Unit 14", state="going"),
        ),
        lines=(
            LineView(name="Cola", quantity=2, money=Money(6000, "INR")),
            LineView(name="Tea", quantity=3, money=Money(3000, "INR")),
            LineView(name="Old", quantity=1, money=Money(50, "INR")),
        ),
        discount=Money(400, "INR"), placed_at=START, expires_at=START + MINUTE,
        paid_at=START + 2 * MINUTE, sent_at=START + 3 * MINUTE, confirmed_at=START + 4 * MINUTE,
        taken_at=START, refund_by=ends,
        refunds=(
            RefundView(money=Money(100, "INR"), state="pending", at=START + MINUTE,
                       gateway_refund_id="rf_1"),
            RefundView(money=Money(300, "INR"), state="succeeded", at=START + MINUTE,
                       gateway_refund_id="rf_3", surplus=True),
        ),
        told=STORY.told, may_resend=True, push_key="k", refund_waiting=Money(500, "INR"),
        progress=Progress.CHECKING, code="1234", asks=True, may_cancel=True, looks_into=False,
        shape="cup", code_text="text", wanted_at=START + 5 * MINUTE, brought="away",
        may_arrive=True, asks_where=True, here_at=START + 6 * MINUTE, invoice="I-1",
        tax_included=Money(70, "INR"), gateway_payment_id="pay_1",
        gateway_receipt="https://r.example",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"expires_at": None}, {"expires_at": START}),
        ({"waiting_minor": None}, {"refund_waiting": None}),
        ({"story": Story(progress=Progress.QUEUED)},
         {"confirmed_at": START + 13 * MINUTE, "sent_at": None, "tax_included": None,
          "code": None, "looks_into": True, "shape": "can"}),
        ({"story": Story(progress=Progress.QUEUED, unconfirmed=True, confirmed_at=START)},
         {"confirmed_at": None}),
        ({"story": Story(progress=Progress.QUEUED, keeps=True), "units": UNITS[:1]},
         {"refund_by": None,
          "kept_by": fulfillment.last_moment(UNITS[0])}),
        ({"units": UNITS[1:3]}, {"refund_by": None, "kept_by": None, "by_policy": False}),
        ({"units": [UNITS[0], unit(1, settlement="refund_due", basis="policy", settled_at=START)]},
         {"by_policy": True, "taken_at": None}),
        ({"units": []},
         {"units": tuple(UnitView(unit_id=one["id"], name=one["name"], state="placed")
                         for one in LINES), "refund_by": None, "taken_at": None}),
        ({"nothing_out": None, "logo_digest": None, "languages": []},
         {"brand": BrandView(name="Asha's", colour="#112233", ground="#445566")}),
    ],
)  # fmt: skip
def test_what_is_not_there_is_not_shown(changes: dict[str, Any], said: dict[str, Any]) -> None:
    shown = view(**changes)
    assert {name: getattr(shown, name) for name in said} == said


@pytest.mark.parametrize(
    ("unit_minor", "off"),
    [([3000, 3000], None), ([3000, 2999], 1), ([0, 0], 6000), (None, None)],
)
def test_a_discount_is_what_pieces_cost_less(unit_minor: list[int] | None, off: int | None) -> None:
    lines = [{**LINES[0], "unit_minor": unit_minor}, LINES[2]]
    wanted = None if off is None else Money(off, "INR")
    assert outlet_pages._discount(lines, "INR") == wanted


def test_extras_are_shown_in_their_order() -> None:
    extras: list[Any] = [
        {"kind": "tip", "amount_minor": 30},
        {"kind": "delivery_fee", "amount_minor": 20},
    ]
    row: Any = ORDER
    assert outlet_pages._extras(row, extras) == (
        ExtraView(kind="tip", money=Money(30, "INR")),
        ExtraView(kind="delivery_fee", money=Money(20, "INR")),
    )


PAYS: dict[str, Any] = {
    "way": "link", "qr_stage": None, "image_url": "https://qr.example", "qr_code_id": "qr_1",
    "expires_at": START, "attempt_state": "pending",
    "action": {"url": "https://pay.example", "text": "upi://x", "image_url": "https://i.example"},
}  # fmt: skip
LINK = PayView(
    form="link", title="Bank", url="https://pay.example", text="https://pay.example",
    image_url="https://i.example", expires_at=START,
)  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "pay"),
    [
        ({}, LINK),
        ({"action": {"text": "upi://x"}},
         PayView(form="link", title="Bank", url="upi://x", text="upi://x", expires_at=START)),
        ({"action": None}, None),
        ({"attempt_state": "creating"}, None),
        ({"qr_stage": "open"}, LINK),
        ({"way": "code", "qr_stage": "open"},
         PayView(title="Bank", image_url="https://qr.example", qr_code_id="qr_1",
                 expires_at=START)),
        ({"way": "code", "qr_stage": "wanted"}, None),
        ({"way": "code", "qr_stage": "closing"}, None),
    ],
)  # fmt: skip
def test_what_is_paid_now_is_shown_once_the_gateway_has_made_it(
    changes: dict[str, Any], pay: PayView | None
) -> None:
    row: Any = {**PAYS, **changes}
    assert outlet_pages._pay(row, "Bank") == pay


@pytest.mark.parametrize(
    ("channel", "dialect", "sensor", "powers"),
    [
        ("mqtt", "leased", True, Powers(status_query=True, result_push=True, expiry=True)),
        ("mqtt", "leased", False, Powers(status_query=True, result_push=True, expiry=True)),
        ("socketio", "simple", True, Powers(result_push=True)),
    ],
)
def test_what_stands_beside_another_controller_runs_nothing_once(
    channel: str, dialect: str, sensor: bool, powers: Powers
) -> None:
    assert outlet_pages.powers(channel, dialect, sensor, mdb=True) == powers
