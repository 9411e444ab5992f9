"""Outlets and orders in every state that a customer can meet. Asha Snacks sells cans in Pune."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from msgspec.structs import replace

from coinslot.kit.money import Money
from coinslot.orders.page_views import (
    BrandView,
    ItemView,
    LineView,
    NearestView,
    OrderView,
    OutletView,
    PayView,
    Progress,
    RefundView,
    UnitView,
    WayView,
    WhyNot,
)
from coinslot.pictures.pictures import PictureView

PRICE = Money(4000, "INR")
SHOT = PictureView(digest="ab" * 32, width=640, height=640, widths=(160, 320, 640))
LIME = ItemView(slot="A1", name="Lime soda", price=PRICE, available=True)
MANY = (
    LIME,
    ItemView(
        slot="A2",
        name="Mango lassi",
        price=Money(5500, "INR"),
        available=True,
        picture=SHOT,
        description="Thick, with cardamom",
        names={"hi": "आम की लस्सी"},
    ),
    ItemView(slot="B1", name="Cold coffee, no sugar", price=Money(7000, "INR"), available=False),
    ItemView(slot="B2", name="Water 500 ml", price=Money(2000, "INR"), available=True),
)
ASHA = BrandView(name="Asha Snacks")
M01 = OutletView(
    code="M01",
    name="Lobby cans",
    place="Block B, ground floor",
    kind="vending",
    merchant_name="Asha Snacks",
    brand=ASHA,
    channel="mqtt",
    dialect="leased",
    guarantee="G3",
    ready=True,
    why_not=WhyNot.READY,
    operator_contact="+91 98765 43210",
    currency="INR",
    items=(LIME,),
)
WAYS = (
    WayView(name="link-razorpay", form="link", title="Razorpay"),
    WayView(name="link-stripe", form="link", title="Stripe"),
    WayView(name="code-razorpay", form="code", title="Razorpay"),
)
PAGE = "https://pages.example/l/1"
NEAREST = NearestView(code="M02", name="Canteen cans", place="Block A, 40 m from here")


def outlets() -> dict[str, OutletView]:
    """M01 sells one thing, M02 several, S01 cannot see what falls; the rest sell nothing."""
    many = replace(M01, code="M02", name="Canteen cans", items=MANY, guarantee="G2")
    simple = replace(M01, code="S01", name="Corner relay", guarantee="G0", dialect="simple")
    closed = {
        why: replace(M01, code=f"X-{why}", ready=False, why_not=why, nearest=NEAREST)
        for why in WhyNot
        if why
    }
    return {view.code: view for view in (M01, many, simple, *closed.values())}


def unit(state: str = "queued", settlement: str | None = None, number: int = 1) -> UnitView:
    return UnitView(unit_id=UUID(int=number), name="Lime soda", state=state, settlement=settlement)


def orders(now: datetime, picture: str = "https://pictures.example/qr.png") -> dict[str, OrderView]:
    """One order per phase, named after it, as if it stood there at `now`."""
    found = _unpaid(now, picture)
    found |= _handed_over(now, found["to_pay"])
    found |= _given_back(now, found["working"])
    return {token: replace(order, token=token) for token, order in found.items()}


def _unpaid(now: datetime, picture: str) -> dict[str, OrderView]:
    second = timedelta(seconds=1)
    new = OrderView(
        token="preparing",
        number="K7F2",
        version=1,
        state="placed",
        outlet_code="M01",
        outlet_name="Lobby cans",
        kind="vending",
        merchant_name="Asha Snacks",
        brand=ASHA,
        operator_contact="+91 98765 43210",
        slot="A1",
        money=PRICE,
        units=(unit(),),
        lines=(LineView(name="Lime soda", quantity=1, money=PRICE),),
        placed_at=now - 60 * second,
        expires_at=now + 600 * second,
        pay_at=now - 60 * second,
        ways=WAYS,
        way_now="code-razorpay",
    )
    pay = PayView(
        title="Razorpay", image_url=picture, qr_code_id="qr_1", expires_at=now + 600 * second
    )
    link = replace(pay, form="link", url=PAGE, text=PAGE, image_url=None, qr_code_id=None)
    return {
        "to_pay": replace(new, pay_at=None, way_now=None),
        "preparing": new,
        "scan": replace(new, pay=pay),
        "link": replace(new, pay=link, way_now="link-razorpay"),
        "expired": replace(new, state="expired", expires_at=now - second),
    }


def _handed_over(now: datetime, new: OrderView) -> dict[str, OrderView]:
    second = timedelta(seconds=1)
    paid = replace(
        new,
        ways=(),
        state="paid",
        paid_at=now - 20 * second,
        refund_by=now + 100 * second,
        gateway_payment_id="pay_TESTTEST000001",
    )
    sent = replace(paid, progress=Progress.SENDING, sent_at=now - 15 * second)
    working = replace(
        sent,
        progress=Progress.WORKING,
        confirmed_at=now - 14 * second,
        units=(unit("started"),),
    )
    done = replace(
        working,
        state="completed",
        taken_at=now - 2 * second,
        refund_by=None,
        units=(unit("vended", "fulfilled"),),
    )
    return {
        "queued": paid,
        "sending": sent,
        "working": working,
        "checking": replace(working, progress=Progress.CHECKING, units=(unit("in_doubt"),)),
        "done": done,
        "kept": replace(done, units=(replace(unit("picked_up", "fulfilled"), basis="no_show"),)),
    }


def _given_back(now: datetime, working: OrderView) -> dict[str, OrderView]:
    second = timedelta(seconds=1)
    back = replace(working, state="failed", refund_by=None, units=(unit("failed", "refund_due"),))
    going = RefundView(money=PRICE, state="pending", at=now - 3 * second)
    there = replace(going, state="succeeded", gateway_refund_id="rfnd_TESTTEST000001")
    both = (unit("vended", "fulfilled"), unit("failed", "refund_due", 2))
    return {
        "partly": replace(
            back, state="completed", units=both, refunds=(there,), taken_at=now - 9 * second
        ),
        "returned": replace(
            back, state="completed", units=both[:1], refunds=(there,), taken_at=now - 9 * second
        ),
        "nothing_due": replace(back, money=Money(0, PRICE.currency)),
        "refunding": replace(back, refunds=(going,)),
        "refunded": replace(back, refunds=(there,)),
        "by-policy": replace(back, refunds=(there,), by_policy=True),
        "retrying": replace(back, refunds=(replace(going, state="failed"),)),
        "owed": replace(back, refunds=(replace(going, state="owed"),)),
    }


NOON = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)
