"""What a merchant's server is told of each thing: all of it, and of nothing that stands beside."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from msgspec import Struct
from msgspec.structs import replace

from coinslot.events import announce, feed, public
from coinslot.events.log import Entry
from coinslot.events.subjects import (
    DisputeStatement,
    ExtraStatement,
    ItemStatement,
    MoneyBackStatement,
    OrderStatement,
    Subject,
    UnitStatement,
    subject,
)
from coinslot.payments import api_views
from coinslot.payments.api_views import (
    AttemptStatement,
    ListQuery,
    PaymentStatement,
    Redirected,
    RefundStatement,
    Shown,
)
from tests.conftest import DatabaseUrls
from tests.sales.by_hand import NOW, Rows

MINUTE = timedelta(minutes=1)


class Shop(Struct):
    """Two of everything of one merchant's: what is told, and what stands beside it."""

    rows: Rows
    merchant: UUID
    account: UUID

    async def put(self, table: str, **given: Any) -> dict[str, Any]:
        return await self.rows.put(table, **({"merchant_id": self.merchant} | given))

    async def payment(self, number: int, **given: Any) -> dict[str, Any]:
        return await self.put("payments", **(
            {"id": UUID(int=number), "source": "api", "state": "processing", "live": True,
             "amount_minor": 5000, "currency": "INR", "reference": f"r{number}",
             "description": "Cola", "metadata": {"table": "7"}, "gateway": "mock",
             "capture_method": "automatic", "created_at": NOW} | given
        ))  # fmt: skip

    async def capture(self, number: int, **given: Any) -> dict[str, Any]:
        return await self.put("captures", account_id=self.account, **(
            {"id": UUID(int=number), "gateway_payment_id": f"pay_{number}", "reason": None} | given
        ))  # fmt: skip

    async def refund(self, number: int, capture: UUID, **given: Any) -> dict[str, Any]:
        return await self.put("refunds", account_id=self.account, capture_id=capture, **(
            {"id": UUID(int=number), "key": f"k{number}", "state": "pending", "origin": "ours",
             "amount_minor": 500, "currency": "INR", "created_at": NOW} | given
        ))  # fmt: skip

    def told(self, machine: str, of: UUID, event: str = "X", **more: Any) -> Entry:
        return Entry(
            seq=1, merchant_id=self.merchant, machine=machine, subject_id=of, event=event,
            at=NOW, **({"was": None, "state": None, "data": {}} | more),
        )  # fmt: skip

    async def subject(self, machine: str, of: UUID, status: str) -> Subject | None:
        return await subject(self.rows.conn, self.told(machine, of), status)


@pytest.fixture
async def shop(urls: DatabaseUrls) -> AsyncIterator[Shop]:
    rows = await Rows.open(urls.superuser)
    merchant = (await rows.put("merchants", slug="asha"))["id"]
    account = await rows.put("gateway_accounts", merchant_id=merchant, gateway="flaky", slug="one")
    yield Shop(rows, merchant, account["id"])
    await rows.conn.close()


async def test_an_order_is_told_with_its_lines_and_what_went_back_of_it(shop: Shop) -> None:
    for number in (1, 2):
        order = UUID(int=number)
        await shop.put(
            "orders", id=order, number=f"N{number}", outlet_id="M01", state="paid",
            amount_minor=9000 * number, currency="INR", placed_at=NOW, paid_at=NOW + MINUTE,
            client_key=f"k{number}", token=f"t{number}", source="page",
        )  # fmt: skip
        for line, name in ((20, "Tea"), (10, "Cola")):
            place = UUID(int=100 * number + line)
            await shop.put("order_lines", id=place, order_id=order, slot=f"A{line}", sku=name[:3],
                           name=name, quantity=1, price_minor=4500 + line)  # fmt: skip
        for extra, settled in ((2, "refund_due"), (1, "fulfilled")):
            await shop.put(
                "order_extras", id=UUID(int=10 * number + extra), order_id=order, settled_at=NOW,
                kind="tip" if extra == 1 else "delivery_fee", settlement=settled,
                basis="handed_over" if extra == 1 else "not_handed_over",
                amount_minor=10 * number + extra,
            )  # fmt: skip
        for settled, minor in (("refund_due", 700), ("refund_due", 800), ("fulfilled", 900)):
            await shop.put("fulfillments", order_id=order, amount_minor=minor * number,
                           settlement=settled, basis="drop", state="failed")  # fmt: skip
    shown = OrderStatement(
        id=UUID(int=1), number="N1", outlet="M01", amount=9000, currency="INR", status="paid",
        placed_at=NOW, paid_at=NOW + MINUTE, given_back=0,
        items=[ItemStatement(slot="A10", sku="Col", name="Cola", quantity=1, price=4510),
               ItemStatement(slot="A20", sku="Tea", name="Tea", quantity=1, price=4520)],
        extras=[ExtraStatement(kind="tip", amount=11),
                ExtraStatement(kind="delivery_fee", amount=12)],
    )  # fmt: skip
    for status, back in (("paid", 0), ("expired", 0), ("completed", 1512), ("failed", 1512)):
        told = await shop.subject("order", UUID(int=1), status)
        assert told == Subject(replace(shown, status=status, given_back=back), UUID(int=1))
    assert await shop.subject("order", uuid4(), "paid") is None
    assert await shop.subject("strays", UUID(int=1), "paid") is None


async def test_a_unit_is_told_in_the_line_of_its_order(shop: Shop) -> None:
    for number in (1, 2):
        line = await shop.put("order_lines", order_id=UUID(int=10 * number), slot=f"A{number}")
        await shop.put(
            "fulfillments", id=UUID(int=number), order_id=UUID(int=10 * number), outlet_id="M01",
            line_id=line["id"], amount_minor=4000 * number, currency="INR", state="failed",
            settlement="refund_due", basis="no_drop", failure_code="JAM",
        )  # fmt: skip
    shown = UnitStatement(
        id=UUID(int=1), order=UUID(int=10), outlet="M01", slot="A1", amount=4000, currency="INR",
        status="failed", basis="no_drop", failure="JAM",
    )  # fmt: skip
    told = await shop.subject("fulfillment", UUID(int=1), "failed")
    assert told == Subject(shown, UUID(int=10))
    assert await shop.subject("fulfillment", uuid4(), "failed") is None


async def test_money_back_is_told_in_the_line_of_what_it_was_paid_for(shop: Shop) -> None:
    await shop.payment(1)
    await shop.payment(2, source="order", order_id=UUID(int=20))
    await shop.capture(11, payment_id=UUID(int=1))
    await shop.capture(12, payment_id=UUID(int=2), order_id=UUID(int=20))
    await shop.capture(13)
    for number in (11, 12, 13):
        of = {"capture": UUID(int=number)}
        await shop.refund(number + 10, **of, reason="policy", failure="none")
        await shop.refund(number + 20, **of, asked_reason="broken", reason="policy",
                          gateway_refund_id=f"rf_{number}",
                          replaces=UUID(int=number + 10))  # fmt: skip
        await shop.refund(number + 30, **of, reason="late", covered_by=UUID(int=number + 20))
    wanted = {11: (UUID(int=1), None), 12: (None, UUID(int=20)), 13: (None, None)}
    for number, (payment, order) in wanted.items():
        shown = MoneyBackStatement(
            id=UUID(int=number + 10), payment=payment, order=order, amount=500, currency="INR",
            status="owed", reason="policy", failure="none", gateway_refund_id=None,
            replaced_by=UUID(int=number + 20), created_at=NOW,
        )  # fmt: skip
        line = payment or order or UUID(int=number)
        told = [await shop.subject("refund", UUID(int=number + n), "owed") for n in (10, 20, 30)]
        second = replace(shown, id=UUID(int=number + 20), reason="broken", failure=None,
                         gateway_refund_id=f"rf_{number}", replaced_by=None)  # fmt: skip
        third = replace(second, id=UUID(int=number + 30), reason="late")
        assert told == [Subject(one, line) for one in (shown, second, third)]
    assert await shop.subject("refund", uuid4(), "owed") is None


async def test_a_dispute_is_told_in_the_line_of_what_it_is_about(shop: Shop) -> None:
    await shop.payment(1)
    await shop.payment(2, source="order", order_id=UUID(int=20))
    await shop.capture(11, payment_id=UUID(int=1))
    await shop.capture(12, payment_id=UUID(int=2), order_id=UUID(int=20))
    await shop.capture(13)
    wanted = {11: (UUID(int=1), None), 12: (None, UUID(int=20)), 13: (None, None)}
    for number, (payment, order) in wanted.items():
        await shop.put(
            "disputes", id=UUID(int=number + 10), account_id=shop.account, stage="open",
            capture_id=UUID(int=number), gateway_dispute_id=f"d{number}", amount_minor=number,
            currency="INR", reason="fraud", opened_at=NOW,
        )  # fmt: skip
        shown = DisputeStatement(
            id=UUID(int=number + 10), payment=payment, order=order, amount=number, currency="INR",
            status="won", reason="fraud", gateway_dispute_id=f"d{number}", opened_at=NOW,
        )  # fmt: skip
        line = payment or order or UUID(int=number)
        assert await shop.subject("dispute", UUID(int=number + 10), "won") == Subject(shown, line)
    assert await shop.subject("dispute", uuid4(), "won") is None


async def test_a_payment_is_told_with_its_tries_and_what_came_and_went(shop: Shop) -> None:
    for number in (1, 2):
        await shop.payment(number)
        for place in (2, 1):
            await shop.put(
                "attempts", id=UUID(int=100 * number + place), payment_id=UUID(int=number),
                account_id=shop.account, number=place, state="pending", key=f"{number} {place}",
                reference=f"s{place}", gateway_payment_id=f"p{place}", failure=f"f{place}",
                started_at=NOW + place * MINUTE,
                action={"type": "redirect", "url": f"https://pay.example/{place}"},
            )  # fmt: skip

    def tried(place: int) -> AttemptStatement:
        return AttemptStatement(
            id=UUID(int=100 + place), gateway="flaky", status="pending",
            gateway_reference=f"s{place}", gateway_payment_id=f"p{place}", failure=f"f{place}",
            started_at=NOW + place * MINUTE,
        )  # fmt: skip

    shown = PaymentStatement(
        id=UUID(int=1), live=True, amount=5000, currency="INR", status="processing",
        reference="r1", description="Cola", metadata={"table": "7"}, gateway="flaky",
        next_action=None, capture_method="automatic", amount_capturable=0, amount_captured=0,
        amount_refunded=0, processing_deadline_at=None, created_at=NOW,
        attempts=[tried(1), tried(2)], refunds=[],
    )  # fmt: skip

    async def now() -> PaymentStatement | None:
        return await api_views.payment(shop.rows.conn, UUID(int=1))

    assert await now() == shown
    told = await shop.subject("payment", UUID(int=1), "failed")
    assert told == Subject(replace(shown, status="failed"), UUID(int=1))
    await shop.capture(11, payment_id=UUID(int=1), captured=4000, open=0, fulfilled=2800,
                       refund_due=1000, surplus=200)  # fmt: skip
    await shop.capture(12, payment_id=UUID(int=1), reason="paid_twice", captured=9000)
    await shop.capture(13, payment_id=UUID(int=2), captured=7000)
    done = {"state": "succeeded", "ended_at": NOW}
    backs: tuple[dict[str, Any], ...] = (
        {**done, "gateway_refund_id": "rf_1"}, {"state": "failed", "gateway_refund_id": "rf_2"},
        {**done}, {**done},
    )  # fmt: skip
    for number, given in enumerate(backs):
        await shop.refund(20 + number, UUID(int=11), amount_minor=10**number, **given)
    await shop.put("events", subject_id=UUID(int=22), event="PAID_BY_HAND", machine="refund")
    await shop.put("events", subject_id=UUID(int=23), event="PROVED", machine="refund")
    await shop.refund(30, UUID(int=13), amount_minor=9, **done, gateway_refund_id="rf_9")
    found = await now()
    ids = [UUID(int=number) for number in range(20, 24)]
    assert found == replace(shown, amount_captured=4000, amount_refunded=101, refunds=ids)


@pytest.mark.parametrize(
    ("state", "action", "shown"),
    [
        ("requires_action", {"type": "redirect", "url": "https://a.example"},
         Redirected("https://a.example")),
        ("requires_action", {"type": "show_qr", "text": "upi://x"}, Shown("upi://x", None)),
        ("requires_action", {"type": "show_qr", "image_url": "https://i.example"},
         Shown(None, "https://i.example")),
        ("requires_action", None, None),
        ("processing", {"type": "show_qr", "text": "upi://x"}, None),
    ],
)  # fmt: skip
async def test_what_the_payer_has_to_do_is_told_while_it_counts(
    shop: Shop, state: str, action: Any, shown: Any
) -> None:
    await shop.payment(1, state=state)
    found = await api_views.payment(shop.rows.conn, UUID(int=1))
    assert found is not None
    assert (found.next_action, found.gateway, found.attempts) == (None, "mock", [])
    await shop.put("attempts", payment_id=UUID(int=1), account_id=shop.account, number=1,
                   state="pending", key="k", action=action)  # fmt: skip
    found = await api_views.payment(shop.rows.conn, UUID(int=1))
    assert found is not None
    assert found.next_action == shown


async def test_payments_are_listed_the_newest_first(shop: Shop) -> None:
    for number in (1, 2, 3, 4):
        await shop.payment(number, state="failed" if number == 3 else "processing")
    await shop.payment(5, source="order", order_id=uuid4())
    for wanted, found in (
        (ListQuery(), [4, 3, 2, 1]),
        (ListQuery(limit=2), [4, 3]),
        (ListQuery(limit=2, after=UUID(int=3)), [2, 1]),
        (ListQuery(status="failed"), [3]),
        (ListQuery(reference="r2"), [2]),
        (ListQuery(reference="r2", status="failed"), []),
    ):
        listed = await api_views.payments(shop.rows.conn, wanted)
        assert [one.id.int for one in listed] == found
    held = await shop.payment(6, state="authorized", amount_minor=123)
    (shown,) = await api_views.payments(shop.rows.conn, ListQuery(status="authorized"))
    assert (shown.id, shown.amount_capturable) == (held["id"], 123)


async def test_refunds_of_a_payment_are_listed_the_oldest_first(shop: Shop) -> None:
    for number in (1, 2):
        await shop.payment(number)
        await shop.capture(10 + number, payment_id=UUID(int=number))
    await shop.payment(3, source="order", order_id=uuid4())
    await shop.capture(13, payment_id=UUID(int=3))
    for number, of in ((22, 11), (21, 11), (23, 12), (24, 13)):
        await shop.refund(number, UUID(int=of), asked_reason="broken", failure="none",
                          gateway_refund_id=f"rf_{number}")  # fmt: skip
    conn: Any = shop.rows.conn
    listed = await api_views.refunds(conn, UUID(int=1))
    assert [one.id.int for one in listed] == [21, 22]
    assert await api_views.refund(conn, UUID(int=21)) == listed[0] == RefundStatement(
        id=UUID(int=21), payment=UUID(int=1), amount=500, currency="INR", status="pending",
        reason="broken", failure="none", gateway_refund_id="rf_21", replaced_by=None,
        created_at=NOW,
    )  # fmt: skip
    assert await api_views.refund(conn, UUID(int=24)) is None
    assert await api_views.refund(conn, uuid4()) is None
    await shop.refund(25, UUID(int=11), replaces=UUID(int=21), covered_by=UUID(int=22))
    first, *_, last = await api_views.refunds(conn, UUID(int=1))
    assert (first.replaced_by, last.gateway_refund_id) == (UUID(int=25), "rf_22")


PUBLIC = (
    ("payment", "X", None, "succeeded", "payment.succeeded"),
    ("payment", "X", "processing", "succeeded", "payment.succeeded"),
    ("payment", "X", "succeeded", "succeeded", None),
    ("payment", "X", None, "created", None),
    ("payment", "INTENDED", None, None, None),
    ("refund", "INTENDED", None, None, "refund.pending"),
    ("refund", "MADE_OUTSIDE", None, None, "refund.succeeded"),
    ("refund", "X", "pending", "owed", "refund.owed"),
    ("order", "X", "placed", "paid", "order.paid"),
    ("order", "X", None, "placed", None),
    ("dispute", "OPENED", None, None, "dispute.opened"),
    ("dispute", "WON", None, None, "dispute.won"),
    ("dispute", "LOST", None, None, "dispute.lost"),
    ("fulfillment", "X", "started", "vended", "fulfillment.vended"),
    ("fulfillment", "X", "queued", "offered", None),
    ("webhook", "TEST", None, None, "webhook.test"),
    ("webhook", "DISABLED", None, None, "webhook.disabled"),
    ("order", "X", None, None, None),
)


async def test_what_is_public_of_an_entry(shop: Shop) -> None:
    one = UUID(int=1)
    await shop.payment(1)
    await shop.capture(1, payment_id=one)
    await shop.refund(1, one)
    await shop.put("disputes", id=one, account_id=shop.account, capture_id=one, stage="open")
    await shop.put("orders", id=one, client_key="k", token="t", state="paid", source="page")
    line = await shop.put("order_lines", order_id=one)
    await shop.put("fulfillments", id=one, order_id=one, line_id=line["id"], state="queued",
                   due_at=NOW)  # fmt: skip
    for machine, event, was, state, kind in PUBLIC:
        entry = shop.told(machine, one, event, was=was, state=state,
                          data={"status": "kept", "basis": "drop"})  # fmt: skip
        made: Any
        (made,) = await announce.announcements(shop.rows.conn, [entry])
        assert (made.type if made else None) == kind
        if made:
            data = {"endpoint": one, "status": "kept", "basis": "drop"}
            said = made.data if machine == "webhook" else made.data.status
            assert said == (data if machine == "webhook" else kind and kind.partition(".")[2])
            assert made.line == one
        assert kind is None or kind in public.TYPES
        gone = shop.told(machine, uuid4(), event, was=was, state=state)
        (nothing,) = await announce.announcements(shop.rows.conn, [gone])
        assert (nothing is None) is (machine != "webhook")


async def test_of_two_events_each_is_read_under_its_own_name(shop: Shop) -> None:
    other = (await shop.rows.put("merchants", slug="chandra"))["id"]
    for number, merchant in ((1, shop.merchant), (2, shop.merchant), (3, other)):
        await shop.put("public_events", seq=number, id=f"evt_{number:032x}", merchant_id=merchant,
                       type="order.paid", line=uuid4(), data={"n": number}, at=NOW)  # fmt: skip
    conn = shop.rows.conn
    for number in (1, 2, 3):
        row = await conn.fetchrow(feed._ONE, f"evt_{number:032x}")
        assert row is not None
        assert row["data"] == {"n": number}
        assert await conn.fetchval(feed._PLACE, f"evt_{number:032x}") == number
    assert await conn.fetchval(feed._NEWEST, shop.merchant) == f"evt_{2:032x}"
    found = await conn.fetch(feed._PAGE, shop.merchant, 0, [], 10)
    assert [row["data"]["n"] for row in found] == [1, 2]
    assert await conn.fetch(feed._PAGE, shop.merchant, 0, ["order.failed"], 10) == []
    (second,) = await conn.fetch(feed._PAGE, shop.merchant, 1, ["order.paid"], 10)
    assert second["data"] == {"n": 2}


async def test_of_many_entries_each_is_told_as_it_would_be_alone(shop: Shop) -> None:
    """In any order, some twice, and among them what is gone and what is not public."""
    for number in (1, 2):
        one = UUID(int=number)
        await shop.payment(number, amount_minor=5000 + number)
        await shop.capture(number, payment_id=one)
        await shop.refund(number, one)
        await shop.put("disputes", id=one, account_id=shop.account, capture_id=one, stage="open",
                       gateway_dispute_id=f"d{number}")  # fmt: skip
        await shop.put("orders", id=one, client_key=f"k{number}", token=f"t{number}",
                       state="paid", source="page")  # fmt: skip
        line = await shop.put("order_lines", order_id=one, slot=f"A{number}")
        await shop.put("fulfillments", id=one, order_id=one, line_id=line["id"], state="queued",
                       due_at=NOW)  # fmt: skip
    entries = [
        shop.told(machine, UUID(int=number), event, was=was, state=state,
                  data={"status": "kept", "basis": "drop"})
        for number in (2, 1, 3, 2)
        for machine, event, was, state, _ in PUBLIC
    ] + [
        shop.told("fulfillment", UUID(int=number), "X", was="started", state=state,
                  data={"basis": "drop"})
        for number in (2, 1, 3)
        for state in ("failed", "vended", "going")
    ]  # fmt: skip
    conn = shop.rows.conn
    for mixed in (entries, entries[::-1]):
        alone = [(await announce.announcements(conn, [entry]))[0] for entry in mixed]
        assert await announce.announcements(conn, mixed) == alone
        assert sum(made is not None for made in alone) > 40
