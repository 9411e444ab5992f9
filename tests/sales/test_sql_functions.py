"""What the SQL functions look for, each over rows of which one thing differs from it."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from msgspec import Struct

from tests.conftest import DatabaseUrls
from tests.sales.by_hand import NOW, Rows

MOMENT = timedelta(microseconds=1)
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


class Till(Struct):
    """One account, and another of the same merchant's."""

    rows: Rows
    merchant: UUID
    account: UUID
    other: UUID

    async def put(self, table: str, **given: Any) -> UUID:
        made = await self.rows.put(
            table, **({"merchant_id": self.merchant, "account_id": self.account} | given)
        )
        found: UUID = made["id"]
        return found

    async def attempt(self, payment: UUID, **given: Any) -> UUID:
        return await self.put(
            "attempts", payment_id=payment, **({"state": "pending", "key": str(uuid4())} | given)
        )

    async def refund(self, capture: UUID, **given: Any) -> UUID:
        return await self.put("refunds", capture_id=capture, key=str(uuid4()), **(
            {"origin": "ours", "state": "pending", "amount_minor": 500} | given
        ))  # fmt: skip

    async def of_account(self, call: str, *values: object) -> Any:
        return await self.rows.conn.fetchval(
            f"SELECT {call} FROM gateway_accounts a WHERE a.id = $1", self.account, *values
        )


@pytest.fixture
async def till(urls: DatabaseUrls) -> AsyncIterator[Till]:
    rows = await Rows.open(urls.superuser)
    merchant = (await rows.put("merchants", slug="asha"))["id"]
    accounts = [
        (await rows.put("gateway_accounts", merchant_id=merchant, gateway="mock", slug=slug))["id"]
        for slug in ("one", "other")
    ]
    yield Till(rows, merchant, *accounts)
    await rows.conn.close()


async def test_only_what_is_ours_at_this_account_is_known(till: Till) -> None:
    payment = uuid4()
    capture = await till.put("captures", gateway_payment_id="c1")
    await till.put("captures", gateway_payment_id="foreign", foreign_amount=5000, open=0)
    await till.attempt(payment, reference="a1", number=1)
    await till.attempt(payment, gateway_payment_id="a2", number=2)
    await till.put("qr_codes", qr_code_id="q1", stage="open")
    await till.put("disputes", gateway_dispute_id="d1", stage="open")
    await till.refund(capture, gateway_refund_id="r1")
    await till.refund(capture, gateway_refund_id="theirs", origin="gateway")

    async def known(account: UUID, name: str) -> bool:
        said: bool = await till.rows.conn.fetchval(
            "SELECT is_known($1, $2)", account, ["else", name]
        )
        return said

    for name in ("c1", "a1", "a2", "q1", "d1", "r1"):
        assert await known(till.account, name), name
        assert not await known(till.other, name), name
    for name in ("foreign", "theirs", "nothing"):
        assert not await known(till.account, name), name


async def test_the_payment_of_a_capture_is_that_of_its_mark_or_its_reference(till: Till) -> None:
    marked, named, ordered, elsewhere, page = [uuid4() for _ in range(5)]
    for payment in (marked, named, ordered, elsewhere):
        await till.put("payments", id=payment, source="api", state="processing")
    await till.put("payments", id=page, source="order", order_id=uuid4(), state="processing")
    stranger = await till.put("payments", source="api", state="processing", merchant_id=uuid4())
    await till.attempt(marked)
    await till.attempt(page, key=None)
    await till.attempt(stranger)
    await till.attempt(named, reference="pay_1")
    await till.attempt(ordered, reference="order_1")
    await till.attempt(elsewhere, reference="pay_2", account_id=till.other)

    async def found(mark: UUID | None = None, pay: str = "x", order: str | None = None) -> Any:
        fact: dict[str, Any] = {"gateway_payment_id": pay, "gateway_order_id": order}
        if mark is not None:
            fact["mark"] = {"payment": str(mark)}
        return await till.of_account(
            "(SELECT payment_id FROM attempts WHERE id = attempt_of(a, $2))", fact
        )

    assert await found(marked, "pay_1") == marked
    assert await found(None, "pay_1") == named
    assert await found(None, "x", "order_1") == ordered
    assert await found(elsewhere, "pay_2") is None
    assert await found(page) is None
    assert await found(stranger) is None
    assert await found(page, "pay_1") == named


@pytest.mark.parametrize("call", ["soon", "at"])
@pytest.mark.parametrize(
    ("given", "at_once"),
    [
        ({"due_at": NOW + MOMENT}, True),
        ({"due_at": NOW}, False),
        ({"due_at": NOW - MINUTE}, False),
        ({"due_at": NOW - MINUTE, "leased_until": NOW}, True),
        ({"due_at": NOW + MINUTE, "state": "unknown"}, True),
        ({"due_at": NOW + MINUTE, "state": "captured"}, False),
        ({"due_at": NOW + MINUTE, "wish": "take", "wish_minor": 1, "wish_key": "w"}, False),
        ({"due_at": NOW + MINUTE, "elsewhere": True}, False),
        ({"due_at": NOW + MINUTE, "key": None}, False),  # nothing was sent that could be asked for
    ],
)
async def test_a_try_that_is_told_of_is_looked_at_at_once(
    till: Till, call: str, given: dict[str, Any], at_once: bool
) -> None:
    given = dict(given)
    account = till.other if given.pop("elsewhere", False) else till.account
    payment = await till.put("payments", source="api", state="processing")
    mine = await till.attempt(payment, reference="s1", account_id=account, lease=3, **given)
    if account != till.account:
        await till.attempt(payment, number=2)
    other = await till.attempt(uuid4(), reference="s2", due_at=NOW + MINUTE)
    before = await till.rows.conn.fetchrow("SELECT * FROM attempts WHERE id = $1", mine)
    if call == "soon":
        fact = {"gateway_payment_id": "x", "gateway_order_id": "s1",
                "mark": {"payment": str(payment)}}  # fmt: skip
        await till.of_account("look_soon(a, $2, $3)", fact, NOW)
    else:
        await till.rows.conn.execute("SELECT look_at($1, $2, $3)", till.account, ["s1"], NOW)
    row = await till.rows.conn.fetchrow("SELECT * FROM attempts WHERE id = $1", mine)
    assert row is not None
    if at_once:
        assert (row["due_at"], row["leased_until"], row["lease"]) == (NOW, None, 4)
    elif call == "soon" or not given.keys() & {"state", "wish", "key"}:
        assert row == before
    assert await till.rows.conn.fetchval(
        "SELECT due_at FROM attempts WHERE id = $1", other
    ) == NOW + MINUTE  # fmt: skip


@pytest.mark.parametrize(
    ("given", "said", "ours"),
    [
        ({"gateway_refund_id": "rf_1"}, {"mark": None}, True),
        ({"gateway_refund_id": "rf_1"}, {"mark": None, "amount": 1, "payment": "pay_2"}, True),
        ({"gateway_refund_id": "rf_1", "elsewhere": True}, {"mark": None}, False),
        ({}, {}, True),
        ({}, {"mark": None}, False),
        ({"gateway_refund_id": "rf_2"}, {}, False),
        ({}, {"amount": 501}, False),
        ({}, {"currency": "EUR"}, False),
        ({}, {"payment": "pay_2"}, False),
        ({"elsewhere": True}, {}, False),
    ],
)
async def test_a_refund_is_told_by_its_id_or_by_our_mark_on_its_own_payment_and_sum(
    till: Till, given: dict[str, Any], said: dict[str, Any], ours: bool
) -> None:
    given = dict(given)
    account = till.other if given.pop("elsewhere", False) else till.account
    capture = await till.put("captures", gateway_payment_id="pay_1")
    await till.put("captures", gateway_payment_id="pay_2")
    mine = await till.refund(capture, account_id=account, **given)
    await till.refund(capture, gateway_refund_id="rf_9")
    fact = {
        "gateway_refund_id": "rf_1", "gateway_payment_id": said.get("payment", "pay_1"),
        "money": {"amount": said.get("amount", 500), "currency": said.get("currency", "INR")},
        "mark": said.get("mark", {"refund": str(mine)}),
    }  # fmt: skip
    found = await till.of_account("refund_told(a, $2)", fact)
    assert found == (mine if ours else None)


async def test_a_refund_is_told_by_its_id_before_any_mark(till: Till) -> None:
    capture = await till.put("captures", gateway_payment_id="pay_1")
    marked = await till.refund(capture)
    named = await till.refund(capture, gateway_refund_id="rf_1")
    fact = {
        "gateway_refund_id": "rf_1", "gateway_payment_id": "pay_1",
        "money": {"amount": 500, "currency": "INR"}, "mark": {"refund": str(marked)},
    }  # fmt: skip
    assert await till.of_account("refund_told(a, $2)", fact) == named


async def test_what_paid_a_refund_of_ours_is_the_one_that_waits_for_it_else_the_best_fit(
    till: Till,
) -> None:
    capture, other = [await till.put("captures", gateway_payment_id=name) for name in "ab"]
    mine = await till.refund(capture)
    theirs: dict[str, Any] = {"origin": "gateway", "state": "succeeded", "created_at": NOW}

    async def cover() -> Any:
        return await till.rows.conn.fetchval(
            "SELECT cover_of(r) FROM refunds r WHERE id = $1", mine
        )

    for capture_id, odd in (
        (other, {}), (capture, {"origin": "ours"}), (capture, {"state": "failed"}),
        (capture, {"amount_minor": 499}),
    ):  # fmt: skip
        await till.refund(capture_id, **{**theirs, **odd})
    assert await cover() is None
    used = await till.refund(capture, **theirs | {"amount_minor": 900})
    await till.refund(capture, covered_by=used, amount_minor=401)
    assert await cover() is None  # 499 are left of it
    large = await till.refund(capture, **theirs | {"amount_minor": 900, "created_at": NOW - DAY})
    assert await cover() == large
    newer = await till.refund(capture, **theirs | {"amount_minor": 900})
    assert await cover() == newer
    same = await till.refund(capture, **theirs | {"created_at": NOW - DAY})
    assert await cover() == same
    waits = await till.refund(
        capture, **theirs | {"amount_minor": 900, "created_at": NOW - 2 * DAY, "in_place_of": mine}
    )
    assert await cover() == waits


async def test_a_refund_made_outside_stands_alone_when_none_of_ours_may_be_it(till: Till) -> None:
    capture, other = [await till.put("captures", gateway_payment_id=name) for name in "ab"]
    theirs = await till.refund(capture, origin="gateway", state="succeeded")
    done = await till.refund(capture)

    async def alone() -> Any:
        return await till.rows.conn.fetchval(
            "SELECT stands_alone(r, $2) FROM refunds r WHERE id = $1", theirs, done
        )

    for capture_id, odd in (
        (other, {}), (capture, {"origin": "gateway"}), (capture, {"state": "succeeded"}),
        (capture, {"amount_minor": 501}),
    ):  # fmt: skip
        await till.refund(capture_id, **odd)
    assert await alone() is True
    open_ones: tuple[dict[str, Any], ...] = (
        {"state": "pending"}, {"state": "owed"},
        {"covered_by": theirs, "amount_minor": 1, "state": "succeeded"},
    )  # fmt: skip
    for one in open_ones:
        made = await till.refund(capture, **one)
        assert await alone() is False
        await till.rows.conn.execute("DELETE FROM refunds WHERE id = $1", made)


@pytest.mark.parametrize(
    ("given", "covered", "told"),
    [({}, 500, True), ({}, 499, False), ({"origin": "ours"}, 500, False),
     ({"state": "failed"}, 500, False)],
)  # fmt: skip
async def test_a_refund_is_told_as_ours_when_it_paid_ours_to_the_last_unit(
    till: Till, given: dict[str, Any], covered: int, told: bool
) -> None:
    capture = await till.put("captures", gateway_payment_id="a")
    one = await till.refund(capture, **{"origin": "gateway", "state": "succeeded", **given})
    for minor in (200, covered - 200):
        await till.refund(capture, covered_by=one, amount_minor=minor)
    await till.refund(capture, covered_by=uuid4(), amount_minor=1)
    said = await till.rows.conn.fetchval(
        "SELECT is_told_as_ours(r) FROM refunds r WHERE id = $1", one
    )
    assert said is told


@pytest.mark.parametrize(
    ("tries", "seconds"), [(0, 1), (1, 2), (11, 2048), (12, 3600), (13, 3600), (500, 3600)]
)
async def test_what_failed_waits_ever_longer_up_to_an_hour(
    till: Till, tries: int, seconds: int
) -> None:
    pause = await till.rows.conn.fetchval("SELECT inbox_pause($1)", tries)
    assert pause == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("heard", "windows", "ahead"),
    [
        ([], {}, 0), ([5000], {}, 0), ([5001], {}, 5.001), ([-9000], {}, 0),
        ([9000, 7000], {}, 7), ([9000], {"clock_skew_s": 9}, 0), ([9000], {"clock_skew_s": 8}, 9),
        ([9000], {"ahead_s": 12}, 12), ([9000], {"ahead_s": 3}, 0),
    ],
)  # fmt: skip
async def test_a_clock_counts_as_ahead_beyond_what_may_be(
    till: Till, heard: list[int], windows: dict[str, int], ahead: float
) -> None:
    for number, ms in enumerate(heard):
        await till.rows.put("clocks", account_id=till.account, node=str(number), ahead_ms=ms,
                            heard_at=NOW + number * MINUTE)  # fmt: skip
    await till.rows.put("clocks", account_id=till.other, ahead_ms=60_000, heard_at=NOW + DAY)
    said = await till.of_account("ahead_of(a, $2)", windows)
    assert said == timedelta(seconds=ahead)


@pytest.mark.parametrize(
    ("given", "gone"),
    [
        ({}, True),
        ({"done_at": None}, True),
        ({"done_at": NOW}, False),
        ({"done_at": None, "started_at": NOW}, False),
        ({"locked_until": NOW}, False),
        ({"started_at": NOW}, True),
    ],
)
async def test_keys_go_when_their_answer_is_old(
    till: Till, given: dict[str, Any], gone: bool
) -> None:
    old = NOW - MOMENT
    key = {"merchant_id": till.merchant, "endpoint": "POST /payments", "request_hash": b"",
           "started_at": old, "locked_until": old}  # fmt: skip
    answer = {"done_at": old, "status": 200, "body": {}}
    if "done_at" in given and given["done_at"] is None:
        answer = {}
    await till.rows.put("idempotency_keys", key="k", **{**key, **answer, **given})
    count = await till.rows.conn.fetchval("SELECT prune_keys($1, 10)", NOW)
    left = await till.rows.conn.fetchval("SELECT count(*) FROM idempotency_keys")
    assert (count, left) == ((1, 0) if gone else (0, 1))


@pytest.mark.parametrize("state", ["succeeded", "canceled", "failed", "processing", "created"])
@pytest.mark.parametrize("by", ["subject", "endpoint"])
async def test_keys_of_a_payment_stay_until_it_is_at_rest(till: Till, state: str, by: str) -> None:
    mine = await till.put("payments", source="api", state=state)
    old = NOW - DAY
    await till.put("payments", source="api", state="processing")
    await till.rows.put(
        "idempotency_keys", key="k", merchant_id=till.merchant, started_at=old,
        locked_until=old, subject_id=mine if by == "subject" else None,
        endpoint=f"POST /payments/{mine}/confirm" if by == "endpoint" else "POST /payments",
    )  # fmt: skip
    gone = await till.rows.conn.fetchval("SELECT prune_keys($1, 10)", NOW)
    assert gone == (1 if state in ("succeeded", "canceled", "failed") else 0)


async def test_so_many_keys_go_at_a_time(till: Till) -> None:
    old = NOW - DAY
    for number in range(5):
        await till.rows.put("idempotency_keys", key=str(number), merchant_id=till.merchant,
                            started_at=old, locked_until=old)  # fmt: skip
    gone = [await till.rows.conn.fetchval("SELECT prune_keys($1, 3)", NOW) for _ in range(3)]
    assert gone == [3, 2, 0]


@pytest.mark.parametrize(
    ("others", "seen", "allowed"),
    [(19, NOW, True), (20, NOW, False), (20, NOW - DAY, True), (20, NOW - DAY + MOMENT, False)],
)
async def test_a_machine_may_have_so_many_new_journals_a_day(
    till: Till, others: int, seen: datetime, allowed: bool
) -> None:
    for number in range(others):
        await till.rows.put("device_journals", outlet_id="M01", journal_id=f"j{number}",
                            first_seen_at=seen)  # fmt: skip
    await till.rows.put("device_journals", outlet_id="M02", journal_id="new")

    async def may(journal: str) -> Any:
        return await till.rows.conn.fetchval("SELECT may_have_journal('M01', $1, $2)", journal, NOW)

    assert await may("new") is allowed
    assert await may("j0") is True


@pytest.mark.parametrize(
    ("kind", "results", "others", "room"),
    [
        ("RESULT", 31, 40, True), ("RESULT", 32, 0, False),
        ("STARTED", 40, 31, True), ("STARTED", 0, 32, False),
    ],
)  # fmt: skip
async def test_so_many_lines_of_a_kind_are_kept_for_a_unit(
    till: Till, kind: str, results: int, others: int, room: bool
) -> None:
    unit = uuid4()
    kinds = ["RESULT"] * results + ["STARTED"] * others
    for number, told in enumerate(kinds, start=1):
        line = {"journal_id": "j", "event_seq": number, "message": {"type": told}}
        await till.rows.put("device_events", outlet_id="M01", unit_id=unit, **line)
        await till.rows.put("device_events", outlet_id="M02", unit_id=unit, **line)
    event = {"unit_id": str(unit), "type": kind}
    said = await till.rows.conn.fetchval("SELECT has_room('M01', true, $1)", event)
    assert said is room


@pytest.mark.parametrize(("strange", "room"), [([99], True), ([60, 40], False)])
async def test_so_many_lines_are_kept_of_units_that_a_machine_was_never_offered(
    till: Till, strange: list[int], room: bool
) -> None:
    for number, count in enumerate(strange):
        await till.rows.put("device_journals", outlet_id="M01", journal_id=str(number),
                            strange=count)  # fmt: skip
    await till.rows.put("device_journals", outlet_id="M02", journal_id="j", strange=500)
    event = {"unit_id": str(uuid4()), "type": "RESULT"}
    assert await till.rows.conn.fetchval("SELECT has_room('M01', false, $1)", event) is room


@pytest.mark.parametrize(
    ("oldest", "machine", "other", "offered"),
    [
        ({}, {}, None, True),
        ({"state": "offered"}, {}, None, False),
        ({"dispatch_by": NOW + MOMENT}, {}, None, True),
        ({"dispatch_by": NOW}, {}, None, False),
        ({}, {"last_seen_at": NOW - MINUTE}, None, True),
        ({}, {"last_seen_at": NOW - MINUTE - MOMENT}, None, False),
        ({}, {"decommissioned_at": NOW}, None, False),
        *[({}, {}, state, False) for state in ("offered", "going", "started", "in_doubt")],
        ({}, {}, "vended", True),
    ],
)
async def test_an_idle_machine_is_offered_its_oldest_unit(
    till: Till, oldest: dict[str, Any], machine: dict[str, Any], other: str | None, offered: bool
) -> None:
    machine = {"last_seen_at": NOW, "decommissioned_at": None} | machine
    for outlet in ("M01", "M02"):
        await till.rows.put("outlets", id=outlet, kind="vending", dialect="leased",
                            decommissioned_at=machine["decommissioned_at"])  # fmt: skip
        await till.rows.put("devices", outlet_id=outlet, last_seen_at=machine["last_seen_at"])
    settled = {"settlement": "fulfilled", "basis": "vended"}

    async def unit(outlet: str, minute: int, **given: Any) -> UUID:
        line = await till.rows.put("order_lines", sku=f"sku {outlet} {minute}")
        made = await till.rows.put("fulfillments", **(
            {"outlet_id": outlet, "state": "queued", "queued_at": NOW + minute * MINUTE,
             "dispatch_by": NOW + DAY, "due_at": NOW, "line_id": line["id"], "slot": outlet} | given
        ))  # fmt: skip
        found: UUID = made["id"]
        return found

    await unit("M02", 0)
    await unit("M02", 4, state="going", open=True)
    await unit("M01", 2) if not oldest else None
    first = await unit("M01", 1, **oldest)
    if other is not None:
        await unit("M01", 3, state=other, **settled if other == "vended" else {"open": True})
    offers = await till.rows.conn.fetch(
        "SELECT * FROM next_unit('M01', $1, $2, true)", NOW - MINUTE, NOW
    )
    assert [(row["id"], row["sku"]) for row in offers] == (
        [(first, "sku M01 1")] if offered else []
    )


async def test_a_day_is_taken_by_one_until_its_lease_ends(till: Till) -> None:
    day = NOW.date()

    async def taken(lease: timedelta) -> Any:
        return await till.of_account("take_day(a, $2, $3)", day, lease)

    await till.rows.put("reconciliations", account_id=till.other, day=day, tries=7, done_at=NOW)
    assert [await taken(DAY), await taken(DAY)] == [1, None]
    await till.rows.conn.execute("UPDATE reconciliations SET leased_until = NULL")
    assert [await taken(-DAY), await taken(DAY), await taken(DAY)] == [2, 3, None]
    await till.rows.conn.execute("UPDATE reconciliations SET leased_until = NULL, done_at = now()")
    assert await taken(DAY) is None


async def test_lines_that_a_machine_counts_on_and_we_lack_are_counted_of_its_own_journal(
    till: Till,
) -> None:
    for outlet, journal, lines in (("M01", "j1", 2), ("M01", "j2", 1), ("M02", "j1", 1)):
        await till.rows.put("device_journals", outlet_id=outlet, journal_id=journal, through=2)
        for number in range(1, lines + 1):
            await till.rows.put("device_events", outlet_id=outlet, journal_id=journal,
                                event_seq=number)  # fmt: skip
    await till.rows.put("device_events", outlet_id="M01", journal_id="j1", event_seq=9)
    met = [
        await till.rows.conn.fetchval(
            "SELECT meet_journal($1, 'M01', $2, $3, $4)", till.merchant, journal, kept, NOW
        )
        for journal, kept in (("j1", 7), ("j1", None), ("j1", 7), ("j3", 0))
    ]
    assert met == [7, 7, 7, 0]
    found = await till.rows.conn.fetch(
        "SELECT outlet_id, journal_id, through, skipped FROM device_journals ORDER BY 1, 2"
    )
    assert [tuple(row.values()) for row in found] == [
        ("M01", "j1", 7, 5), ("M01", "j2", 2, 0), ("M01", "j3", 0, 0), ("M02", "j1", 2, 0),
    ]  # fmt: skip
