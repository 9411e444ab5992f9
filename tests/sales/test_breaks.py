"""When the books disagree: each way, how it is told, and its nearest neighbours that agree."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from msgspec import Struct

from tests.conftest import DatabaseUrls
from tests.sales.by_hand import NOW, Rows

CAPTURED_AT = NOW - timedelta(hours=9)
BEFORE = NOW - timedelta(hours=1)
MOMENT = timedelta(microseconds=1)
Said = dict[str, Any]
Broken = tuple[str, int, dict[str, Any]]  # kind, amount, what is told with it


class Books(Struct):
    """Asha's can for 50.00, sold. Beside it: a payment of her server, another of the same name,
    and one that nobody asks about."""

    rows: Rows
    merchant: UUID
    account: UUID
    other_account: UUID
    can: UUID
    ids: list[UUID]
    theirs: list[Said]

    async def put(self, table: str, **given: Any) -> dict[str, Any]:
        return await self.rows.put(table, **({"merchant_id": self.merchant} | given))

    async def ledger(self, capture: UUID, **amounts: int) -> None:
        for account, amount in amounts.items():
            await self.put("ledger", capture_id=capture, account=account, amount=amount)

    async def refund(self, minor: int, **given: Any) -> UUID:
        """Of the can; in the ledger where it left the gateway."""
        state = given.pop("state", "succeeded")
        made = await self.put(
            "refunds", key=str(uuid4()), account_id=self.account, state=state, amount_minor=minor,
            **({"capture_id": self.can, "origin": "ours", "created_at": BEFORE} | given),
        )  # fmt: skip
        if state == "succeeded":
            await self.ledger(made["capture_id"], gateway=-minor, refunds_payable=minor)
        refund: UUID = made["id"]
        return refund

    async def told(self, refund: UUID, event: str, state: str | None, machine: str) -> None:
        await self.put("events", subject_id=refund, event=event, state=state, machine=machine)

    async def change(
        self, table: str, set_: str, where: str = "id", of: UUID | None = None
    ) -> None:
        done = await self.rows.conn.execute(
            f"UPDATE {table} SET {set_} WHERE {where} = $1", of or self.can
        )
        assert done != "UPDATE 0"

    def says(self, name: str, **more: Any) -> None:
        """The gateway, of one payment."""
        for said in self.theirs:
            if said["gateway_payment_id"] == name:
                said |= more
                return
        said = {"captured": 5000, "refunded": 0, "currency": "INR", "at": BEFORE.isoformat()}
        self.theirs.append({"gateway_payment_id": name} | said | more)

    async def broken(self, since: datetime | None = None) -> list[Broken]:
        found = await self.rows.conn.fetch(
            "SELECT * FROM breaks_in($1, $2, $3, $4, $5)",
            self.account, self.ids, self.theirs, NOW, since,
        )  # fmt: skip
        for row in found:
            if row["kind"] != "not_on_record":
                assert (row["subject"], row["since"]) == (str(self.can), CAPTURED_AT)
                assert row["currency"] == "INR"
        return sorted((row["kind"], row["amount_minor"], row["data"]) for row in found)


@pytest.fixture
async def books(urls: DatabaseUrls) -> AsyncIterator[Books]:
    rows = await Rows.open(urls.superuser)
    merchant = (await rows.put("merchants", slug="asha"))["id"]
    accounts = [
        (await rows.put("gateway_accounts", merchant_id=merchant, gateway="mock", slug=slug))["id"]
        for slug in ("one", "other")
    ]
    books = Books(rows, merchant, accounts[0], accounts[1], uuid4(), [], [])
    far = {"hard_deadline": NOW + timedelta(days=1), "captured_at": CAPTURED_AT}
    can = {"account_id": accounts[0], "gateway_payment_id": "pay_can"}
    await books.put("captures", id=books.can, **can, **far, fulfilled=5000, open=0)
    await books.put("fulfillments", capture_id=books.can, amount_minor=5000, state="fulfilled",
                    settlement="fulfilled", basis="drop", outlet_id="M01")  # fmt: skip
    await books.ledger(books.can, gateway=5000, sales=-5000)
    books.says("pay_can")
    # A merchant's own payment of 70.00 EUR, of which 30.00 went back.
    payment = await books.put("payments", source="api", state="succeeded")
    own = await books.put(
        "captures", account_id=accounts[0], gateway_payment_id="pay_own", payment_id=payment["id"],
        currency="EUR", captured=7000, fulfilled=4000, refund_due=3000, refund_intended=3000,
        open=0, **far,
    )  # fmt: skip
    await books.ledger(own["id"], gateway=7000, sales=-4000)
    await books.refund(3000, capture_id=own["id"])
    books.says("pay_own", captured=7000, refunded=3000, currency="EUR")
    # Under the same name at another account, and one that is not asked about: both in disorder.
    wrong = {"hard_deadline": CAPTURED_AT, "captured_at": CAPTURED_AT}
    namesake = await books.put("captures", account_id=accounts[1], gateway_payment_id="pay_can",
                               captured=900, **wrong)  # fmt: skip
    await books.put("captures", account_id=accounts[0], gateway_payment_id="pay_unasked",
                    captured=800, **wrong)  # fmt: skip
    await books.put("captures", account_id=accounts[1], gateway_payment_id="pay_theirs", **wrong)
    books.says("pay_unasked", captured=800)
    books.ids = [books.can, own["id"], namesake["id"]]
    yield books
    await rows.conn.close()


OPEN = f"settlement = NULL, basis = NULL, due_at = '{NOW - timedelta(days=1)}'"
NAMED = {"gateway_payment_id": "pay_can"}


async def test_books_that_agree_are_not_broken(books: Books) -> None:
    assert await books.broken() == []
    books.theirs.clear()  # of what the gateway says nothing, nothing is judged by it
    assert await books.broken() == []


@pytest.mark.parametrize(
    ("name", "said", "broken"),
    [
        ("pay_can", {"captured": 0}, [("not_at_gateway", 5000, NAMED)]),
        ("pay_can", {"captured": 1}, [("amount_differs", 5000, NAMED | {"theirs": 1})]),
        ("pay_can", {"captured": 5001}, [("amount_differs", 5000, NAMED | {"theirs": 5001})]),
        ("pay_can", {"currency": "EUR"}, [("amount_differs", 5000, NAMED | {"theirs": 5000})]),
        ("pay_can", {"currency": None}, [("amount_differs", 5000, NAMED | {"theirs": 5000})]),
        ("pay_can", {"refunded": 1}, [("refunds_differ", 0, NAMED | {"theirs": 1})]),
        ("pay_new", {"captured": 1}, [("not_on_record", 1, {})]),
        ("pay_new", {"captured": 0}, []),
        ("pay_theirs", {}, [("not_on_record", 5000, {})]),
        ("pay_unasked", {"captured": 1}, []),
    ],
)
async def test_what_the_gateway_says_is_held_against_the_record(
    books: Books, name: str, said: Said, broken: list[Broken]
) -> None:
    books.says(name, **said)
    assert await books.broken() == broken


async def test_what_is_not_on_record_is_told_as_the_gateway_has_it(books: Books) -> None:
    books.says("pay_new", captured=123, currency="USD")
    (row,) = await books.rows.conn.fetch(
        "SELECT * FROM breaks_in($1, $2, $3, $4, NULL)",
        books.account, books.ids, books.theirs, NOW,
    )  # fmt: skip
    assert tuple(row.values()) == ("not_on_record", "pay_new", BEFORE, 123, "USD", {})


DIFFER = "refunds_differ"


@pytest.mark.parametrize(
    ("refunds", "theirs", "broken"),
    [
        ([{"minor": 1000}], 1000, []),
        ([{"minor": 1000}], 999, [(DIFFER, 1000, NAMED | {"theirs": 999})]),
        ([{"minor": 1000}], 1001, [(DIFFER, 1000, NAMED | {"theirs": 1001})]),
        ([{"minor": 1000}, {"minor": 500}], 1500, []),
        ([{"minor": 1000, "state": "failed"}], 0, []),
        ([{"minor": 1000, "state": "failed"}], 1000, [(DIFFER, 0, NAMED | {"theirs": 1000})]),
        # On its way: some gateways count it already.
        ([{"minor": 500, "state": "pending"}], 0, []),
        ([{"minor": 500, "state": "pending"}], 500, []),
        ([{"minor": 500, "state": "pending"}], 501, [(DIFFER, 0, NAMED | {"theirs": 501})]),
        ([{"minor": 500, "state": "owed"}], 500, [(DIFFER, 0, NAMED | {"theirs": 500})]),
        # What happened since the gateway was asked is not judged by its answer.
        ([{"minor": 1000, "created_at": NOW}], 0, []),
        ([{"minor": 1000, "ended_at": NOW}], 0, []),
        ([{"minor": 1000, "created_at": NOW - MOMENT, "ended_at": NOW - MOMENT}], 0,
         [(DIFFER, 1000, NAMED | {"theirs": 0})]),
        # A bank's doing is no refund that a gateway counts; its money is gone all the same.
        ([{"minor": 1000, "reason": "disputed", "origin": "gateway"}], 0, []),
        ([{"minor": 1000, "reason": "disputed"}], 1000, [(DIFFER, 0, NAMED | {"theirs": 1000})]),
    ],
)  # fmt: skip
async def test_refunds_are_held_against_what_the_gateway_gave_back(
    books: Books, refunds: list[dict[str, Any]], theirs: int, broken: list[Broken]
) -> None:
    for refund in refunds:
        await books.refund(**refund)
    books.says("pay_can", refunded=theirs)
    assert await books.broken() == broken


@pytest.mark.parametrize(
    ("event", "state", "machine", "made_and_gone"),
    [
        ("PROVED", "succeeded", "refund", (1000, 1000)),
        ("COVERED", "succeeded", "refund", (0, 0)),
        ("COVERED", None, "refund", (1000, 1000)),  # told again, and it moved nothing
        ("COVERED", "succeeded", "payment", (1000, 0)),
        ("PAID_BY_HAND", "succeeded", "refund", (0, 1000)),
        ("PAID_BY_HAND", None, "refund", (1000, 1000)),
    ],
)
async def test_what_became_of_a_refund_says_whether_it_left_the_gateway(
    books: Books, event: str, state: str | None, machine: str, made_and_gone: tuple[int, int]
) -> None:
    made, gone = made_and_gone
    refund = await books.refund(1000)
    await books.told(refund, event, state, machine)
    await books.told(uuid4(), "COVERED", "succeeded", "refund")  # another one's
    books.says("pay_can", refunded=made)
    expected = [] if gone else [("ledger_differs", 4000, {"expected": 5000})]
    assert await books.broken() == expected


async def test_money_of_a_stranger_is_his_own_to_give_back(books: Books) -> None:
    await books.change("captures", "foreign_amount = 5000, fulfilled = 0")
    await books.change("fulfillments", OPEN, "capture_id")
    await books.change("ledger", "account = 'foreign'", "account = 'sales' AND capture_id")
    await books.change("captures", f"captured_at = '{NOW}'", of=books.ids[1])
    books.says("pay_can", refunded=5000)
    assert await books.broken(NOW) == []


@pytest.mark.parametrize("more", [-1, 1])
async def test_the_ledger_holds_what_came_without_what_went_and_the_fee(
    books: Books, more: int
) -> None:
    await books.refund(1000)
    books.says("pay_can", refunded=1000)
    await books.change("captures", "fee_minor = 100")
    await books.ledger(books.can, gateway=-100, fees=100)
    assert await books.broken() == []
    await books.ledger(books.can, gateway=more)
    assert await books.broken() == [("ledger_differs", 3900 + more, {"expected": 3900})]


@pytest.mark.parametrize(
    ("table", "change", "broken"),
    [
        ("fulfillments", "settlement = 'refund_due'", [0]),
        ("fulfillments", "settlement = NULL, basis = NULL, due_at = queued_at", [0]),
        ("fulfillments", "amount_minor = 4999", [4999]),
        ("captures", "fulfilled = 4999, open = 1", []),  # the auditor's: goods count by units
    ],
)
async def test_what_was_sold_is_what_was_handed_over(
    books: Books, table: str, change: str, broken: list[int]
) -> None:
    await books.change(table, change, "id" if table == "captures" else "capture_id")
    told = [("goods_differ", 5000, {"handed_over": handed}) for handed in broken]
    assert await books.broken() == told


async def test_a_sale_that_was_corrected_was_not_handed_over(books: Books) -> None:
    (unit,) = await books.rows.conn.fetch("SELECT id FROM fulfillments")
    await books.put("corrections", fulfillment_id=uuid4(), made_by="asha")
    assert await books.broken() == []
    await books.put("corrections", fulfillment_id=unit["id"], made_by="asha")
    assert await books.broken() == [("goods_differ", 5000, {"handed_over": 0})]
    await books.ledger(books.can, sales=5000, refunds_payable=-5000)
    assert await books.broken() == []


async def test_a_payment_of_the_api_is_sold_by_what_the_merchant_keeps_of_it(books: Books) -> None:
    payment = await books.put("payments", source="api", state="succeeded")
    await books.change("captures", f"payment_id = '{payment['id']}', fulfilled = 4999, surplus = 1")
    assert await books.broken() == [("goods_differ", 5000, {"handed_over": 5000})]
    await books.change("payments", "source = 'order', order_id = id", of=payment["id"])
    assert await books.broken() == []


@pytest.mark.parametrize(
    ("deadline", "unit", "stuck"),
    [
        (-MOMENT, None, True),
        (timedelta(0), None, False),
        (-MOMENT, (OPEN, timedelta(0)), False),
        (-MOMENT, (OPEN, -MOMENT), True),
        (-MOMENT, ("settlement = 'refund_due'", timedelta(0)), True),
    ],
)
async def test_money_without_an_end_is_told_when_its_time_is_over(
    books: Books, deadline: timedelta, unit: tuple[str, timedelta] | None, stuck: bool
) -> None:
    await books.change("captures", "open = 5000, fulfilled = 0")
    await books.change("captures", f"hard_deadline = '{NOW + deadline}'")
    await books.change("ledger", "account = 'obligations'", "account = 'sales' AND capture_id")
    settled, ends = unit or (OPEN, -MOMENT)
    await books.change("fulfillments", f"{settled}, hard_deadline = '{NOW + ends}'", "capture_id")
    # A neighbour's unit that has time left is no help.
    await books.put("fulfillments", capture_id=books.ids[1], hard_deadline=NOW, due_at=NOW,
                    state="queued")  # fmt: skip
    told: list[Broken] = [("neither_goods_nor_money_back", 5000, NAMED)]
    assert await books.broken() == (told if stuck else [])


@pytest.mark.parametrize(
    ("change", "gone", "since", "late"),
    [
        ("tries = 0", 0, CAPTURED_AT + MOMENT, True),
        ("tries = 0", 0, CAPTURED_AT, False),
        ("tries = 0", 0, None, False),
        ("tries = 0", 4999, CAPTURED_AT + MOMENT, True),
        ("tries = 0", 5000, CAPTURED_AT + MOMENT, False),
        (f"settled_at = '{NOW}'", 0, CAPTURED_AT + MOMENT, False),
    ],
)
async def test_what_the_gateway_has_not_paid_out_in_time_is_told(
    books: Books, change: str, gone: int, since: datetime | None, late: bool
) -> None:
    await books.change("captures", f"captured_at = '{NOW}'", of=books.ids[1])
    await books.change("captures", change)
    if gone:
        await books.refund(gone)
        books.says("pay_can", refunded=gone)
    assert await books.broken(since) == ([("not_paid_out", 5000, NAMED)] if late else [])
