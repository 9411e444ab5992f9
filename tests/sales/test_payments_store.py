"""Statements of the rooms of payments, machines and oversight, each over rows of which one thing
differs from what it looks for."""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from coinslot.oversight import store as oversight
from coinslot.payments import store
from coinslot.vending import store as vending
from tests.sales.by_hand import NOW, Rows

MOMENT = timedelta(microseconds=1)
MINUTE = timedelta(minutes=1)
LATER = NOW + MINUTE
OURS, OTHERS = uuid4(), uuid4()


async def attempt(rows: Rows, payment: UUID, number: int, **given: Any) -> UUID:
    made = await rows.put(
        "attempts", payment_id=payment, number=number, key=str(uuid4()),
        **({"state": "pending", "account_id": OURS} | given),
    )  # fmt: skip
    found: UUID = made["id"]
    return found


async def test_the_open_try_is_the_newest_that_has_not_ended(rows: Rows) -> None:
    mine, other = uuid4(), uuid4()
    assert await rows.conn.fetchrow(store.OPEN_ATTEMPT, mine) is None
    await attempt(rows, other, 9)
    tries = [
        await attempt(rows, mine, number, state=state)
        for number, state in ((3, "failed"), (1, "started"), (2, "unknown"), (4, "captured"))
    ]
    found = await rows.conn.fetchrow(store.OPEN_ATTEMPT, mine)
    assert found is not None
    assert found["id"] == tries[2]
    newest = [await rows.conn.fetchval(store.IS_NEWEST_ATTEMPT, one) for one in tries]
    assert newest == [False, False, False, True]


async def test_only_an_open_try_may_be_sent_and_its_key_lives_from_the_first_time(
    rows: Rows,
) -> None:
    payment = uuid4()
    for number, state in enumerate(("started", "pending", "unknown", "captured", "failed")):
        one = await attempt(rows, payment, number, state=state)
        sent = [await rows.conn.fetchval(store.SEND_ATTEMPT, one, at) for at in (NOW, LATER)]
        assert sent == ([1, 2] if number < 3 else [None, None])
        row = await rows.conn.fetchrow("SELECT * FROM attempts WHERE id = $1", one)
        assert row is not None
        assert row["key_sent_at"] == (NOW if number < 3 else None)


async def test_a_wish_is_kept_with_what_was_asked_for_and_is_due_at_once(rows: Rows) -> None:
    payment = uuid4()
    mine, other = [
        await attempt(rows, payment, n, tries=5, leased_until=LATER, lease=7, wish_sent_at=NOW)
        for n in (1, 2)
    ]
    await rows.conn.fetchval(store.WISH_ATTEMPT, mine, "take", 300, "key 1", NOW)
    await rows.conn.execute(store.SEND_WISH, mine, LATER)
    await rows.conn.fetchval(store.WISH_ATTEMPT, mine, "take", 400, "key 2", NOW)
    names = ("wish", "wish_minor", "wish_key", "wish_sent_at", "asked_minor", "tries", "due_at",
             "leased_until", "lease")  # fmt: skip

    async def row(of: UUID) -> tuple[Any, ...]:
        found = await rows.conn.fetchrow("SELECT * FROM attempts WHERE id = $1", of)
        assert found is not None
        return tuple(found[name] for name in names)

    assert await row(mine) == ("take", 400, "key 2", None, [300, 400], 0, NOW, None, 9)
    await rows.conn.fetchval(store.WISH_ATTEMPT, mine, "let_go", None, "key 3", NOW)
    assert (await row(mine))[:5] == ("let_go", None, "key 3", None, [300, 400])
    assert await row(other) == (None, None, None, NOW, [], 5, None, LATER, 7)
    await rows.conn.execute(store.SEND_WISH, mine, LATER)
    assert ((await row(mine))[3], (await row(other))[3]) == (LATER, NOW)


async def capture(rows: Rows, name: str, **given: Any) -> UUID:
    made = await rows.put("captures", **({"gateway_payment_id": name, "account_id": OURS} | given))
    found: UUID = made["id"]
    return found


async def refund(rows: Rows, of: UUID, minor: int, **given: Any) -> UUID:
    made = await rows.put(
        "refunds", capture_id=of, amount_minor=minor, key=str(uuid4()), account_id=OURS,
        **({"origin": "ours", "state": "succeeded", "gateway_refund_id": str(uuid4())} | given),
    )  # fmt: skip
    found: UUID = made["id"]
    return found


@pytest.mark.parametrize(
    ("back", "given", "more"),
    [
        (1500, {}, False),
        (1501, {}, True),
        (1500, {"state": "failed"}, True),
        (1500, {"state": "owed"}, True),
        (1500, {"state": "pending"}, False),
        (1500, {"gateway_refund_id": None}, True),
        (1500, {"reason": "disputed"}, True),
        (1500, {"elsewhere": True}, True),
    ],
)
async def test_more_went_back_than_we_know_of(
    rows: Rows, back: int, given: dict[str, Any], more: bool
) -> None:
    mine, other = await capture(rows, "pay_1"), await capture(rows, "pay_2")
    await capture(rows, "pay_1", account_id=OTHERS)
    await capture(rows, "pay_foreign", foreign_amount=5000, open=0)
    await refund(rows, mine, 1000)
    given = dict(given)
    await refund(rows, other if given.pop("elsewhere", False) else mine, 500, **given)
    told = (OURS, ["pay_1", "pay_foreign", "pay_none"], [back, 9, 9])
    found = await rows.conn.fetch(store.REFUNDED_MORE, *told)
    assert [row["gateway_payment_id"] for row in found] == (["pay_1"] if more else [])


async def test_a_refund_is_locked_with_what_else_went_back_of_its_payment(rows: Rows) -> None:
    mine, other = await capture(rows, "pay_1"), await capture(rows, "pay_2")
    one = await refund(rows, mine, 1000, state="pending")
    await refund(rows, mine, 300)
    await refund(rows, mine, 40, state="failed")
    await refund(rows, mine, 5, reason="disputed")
    await refund(rows, other, 9)
    done = await refund(rows, mine, 200)
    for found, others in ((one, 500), (done, 300)):
        row = await rows.conn.fetchrow(store.LOCK_REFUND, found)
        assert row is not None
        assert (row["id"], row["others"], row["gateway_payment_id"]) == (found, others, "pay_1")


async def test_what_is_left_to_give_back_is_of_the_capture_that_paid(rows: Rows) -> None:
    payment = uuid4()
    await capture(rows, "a", payment_id=payment, reason="paid_twice", open=4000, fulfilled=1000)
    await capture(rows, "b", payment_id=payment, open=3000, fulfilled=2000)
    await capture(rows, "c", payment_id=uuid4(), open=2000, fulfilled=3000)
    assert await rows.conn.fetchval(store.LEFT_TO_REFUND, payment) == 2000


async def test_a_payment_is_disputed_while_a_dispute_of_it_is_open(rows: Rows) -> None:
    mine = uuid4()
    for number, (of, stage) in enumerate(((uuid4(), "open"), (mine, "won"), (mine, "open"))):
        assert await rows.conn.fetchval(store.IS_DISPUTED, mine) is False
        await rows.put("disputes", capture_id=of, stage=stage, gateway_dispute_id=str(number))
    assert await rows.conn.fetchval(store.IS_DISPUTED, mine) is True


async def code(rows: Rows, name: str, **given: Any) -> UUID:
    made = await rows.put("qr_codes", **(
        {"stage": "open", "account_id": OURS, "slot": name, "outlet_id": "M01", "qr_code_id": name}
        | ({"attempt_id": uuid4()} if "payment_id" in given else {}) | given
    ))  # fmt: skip
    found: UUID = made["id"]
    return found


async def test_printed_codes_are_polled_the_longest_unasked_first(rows: Rows) -> None:
    for minute, name in ((3, "third"), (1, "first"), (2, "second")):
        await code(rows, name, asked_at=NOW + minute * MINUTE)
    odds: tuple[dict[str, Any], ...] = (
        {"account_id": OTHERS}, {"payment_id": uuid4()}, {"stage": "closing"}, {"retired_at": NOW},
    )  # fmt: skip
    for number, odd in enumerate(odds):
        await code(rows, f"odd {number}", asked_at=NOW, **odd)
    for limit, names in ((9, ["first", "second", "third"]), (2, ["first", "second"])):
        found = await rows.conn.fetch(store.PRINTED_CODES, OURS, limit)
        assert [row["qr_code_id"] for row in found] == names


@pytest.mark.parametrize(
    ("given", "due"),
    [
        ({}, None),
        ({"stage": "closing"}, LATER),
        ({"payment_id": uuid4()}, LATER),
        ({"retired_at": NOW}, LATER),
    ],
)
async def test_only_a_printed_code_that_is_open_is_never_due_by_itself(
    rows: Rows, given: dict[str, Any], due: datetime | None
) -> None:
    held = {"due_at": NOW, "leased_until": NOW, "tries": 4}
    mine = await code(rows, "mine", **held | given)
    other = await code(rows, "other", **held)
    names = "due_at, leased_until, tries, asked_at"
    asked, put_off = (store.QR_ASKED, NOW, LATER), (store.QR_PUT_OFF, LATER)
    for (statement, *values), tries, at in ((asked, 0, NOW), (put_off, 1, NOW)):
        await rows.conn.execute(str(statement), mine, *values)
        row = await rows.conn.fetchrow(f"SELECT {names} FROM qr_codes WHERE id = $1", mine)
        assert row is not None
        assert tuple(row.values()) == (due, None, tries, at)
    row = await rows.conn.fetchrow(f"SELECT {names} FROM qr_codes WHERE id = $1", other)
    assert row is not None
    assert tuple(row.values()) == (NOW, NOW, 4, None)


@pytest.mark.parametrize(
    ("given", "after"),
    [
        ({}, ("open", NOW, None, True)),
        ({"payment_id": uuid4()}, ("open", None, LATER, False)),
        ({"retired_at": NOW}, ("closing", NOW, NOW, False)),
        ({"retired_at": NOW, "payment_id": uuid4()}, ("closing", None, NOW, False)),
    ],
)
async def test_a_code_that_was_made_is_open_unless_it_was_retired_meanwhile(
    rows: Rows, given: dict[str, Any], after: tuple[object, ...]
) -> None:
    wanted = {"stage": "wanted", "created_at": NOW, "tries": 3, "leased_until": NOW, "due_at": NOW}
    mine = await code(rows, "x", **{**wanted, **given, "qr_code_id": None})
    other = await code(rows, "y", **{**wanted, "qr_code_id": None})
    printed = await rows.conn.fetchval(store.QR_OPENED, mine, "qr_1", "https://q/1", LATER, NOW)
    row = await rows.conn.fetchrow("SELECT * FROM qr_codes WHERE id = $1", mine)
    assert row is not None
    assert (row["stage"], row["asked_at"], row["due_at"], printed) == after
    assert (row["qr_code_id"], row["image_url"], row["short_url"]) == (
        "qr_1", "https://q/1", "https://q/1",
    )  # fmt: skip
    assert (row["tries"], row["leased_until"]) == (0, None)
    assert (
        await rows.conn.fetchval(store.QR_OPENED, mine, "qr_2", "https://q/2", LATER, NOW) is None
    )
    stage = await rows.conn.fetchval("SELECT stage FROM qr_codes WHERE id = $1", other)
    assert stage == "wanted"


async def test_a_code_at_another_price_than_its_slot_is_told(rows: Rows) -> None:
    for outlet, name, price in (("M02", "A", 1), ("M01", "B", 2), ("M01", "A", 3)):
        await rows.put("slots", outlet_id=outlet, slot=name, price_minor=price)
    await code(rows, "c1", outlet_id="M02", slot="A", amount_minor=9)
    await code(rows, "c2", outlet_id="M01", slot="B", amount_minor=8)
    await code(rows, "c3", outlet_id="M01", slot="A", amount_minor=3)
    await code(rows, "c4", outlet_id="M01", slot="A", amount_minor=7, retired_at=NOW)
    await code(rows, "c5", outlet_id="M01", slot="A", amount_minor=7, payment_id=uuid4())
    found = await rows.conn.fetch(store.PRINTED_AT_ANOTHER_PRICE)
    assert [tuple(row.values()) for row in found] == [
        ("M01", "B", 8, 2, "INR", "c2"), ("M02", "A", 9, 1, "INR", "c1"),
    ]  # fmt: skip


async def test_an_account_is_polled_as_soon_as_one_of_its_codes_is_due(rows: Rows) -> None:
    merchant = uuid4()
    await rows.put("qr_polls", id=OTHERS, merchant_id=merchant, due_at=NOW, tries=3)

    async def polled(asked: datetime, due: datetime) -> tuple[Any, ...]:
        await rows.conn.execute(store.POLL_ACCOUNT, OURS, merchant, asked, due)
        row = await rows.conn.fetchrow("SELECT asked_at, due_at FROM qr_polls WHERE id = $1", OURS)
        assert row is not None
        return tuple(row.values())

    assert await polled(NOW, LATER) == (NOW, LATER)
    assert await polled(LATER, NOW) == (NOW, NOW)
    assert await polled(LATER, LATER) == (NOW, NOW)
    await rows.conn.execute(store.POLLED, OURS, NOW, None)
    assert await polled(LATER, LATER) == (LATER, LATER)
    await rows.conn.execute(store.POLL_PUT_OFF, OURS, NOW)
    found = await rows.conn.fetch("SELECT tries, due_at FROM qr_polls ORDER BY tries")
    assert [tuple(row.values()) for row in found] == [(1, NOW), (3, NOW)]


async def test_a_hint_that_was_told_again_or_ended_meanwhile_stays_as_it_is(rows: Rows) -> None:
    hint = {"verdict": "hint", "reference": "pay_1", "tries": 2, "told": 4, "due_at": NOW}
    given: tuple[dict[str, Any], ...] = ({}, {"told": 5}, {"worked_at": NOW - MINUTE}, {})
    ids = [(await rows.put("inbox", **hint | odd))["id"] for odd in given]
    for one in ids[:3]:
        await rows.conn.execute(store.HINT_FOLLOWED, one, "no answer", LATER, 4)
    found = await rows.conn.fetch("SELECT * FROM inbox ORDER BY id")
    assert [(row["tries"], row["failure"], row["worked_at"], row["due_at"]) for row in found] == [
        (3, "no answer", None, LATER + timedelta(seconds=4)), (2, None, None, NOW),
        (2, None, NOW - MINUTE, NOW), (2, None, None, NOW),
    ]  # fmt: skip
    await rows.conn.execute(store.HINT_FOLLOWED, ids[0], None, LATER, 4)
    row = await rows.conn.fetchrow("SELECT * FROM inbox WHERE id = $1", ids[0])
    assert row is not None
    assert (row["worked_at"], row["due_at"], row["failure"]) == (LATER, None, None)


async def test_a_parked_refund_that_is_not_ours_is_done_with(rows: Rows) -> None:
    parked = {"verdict": "genuine", "due_at": NOW, "failure": "refund_of_unknown"}
    given: tuple[dict[str, Any], ...] = ({}, {"failure": "x"}, {"worked_at": NOW - MINUTE}, {})
    ids = [(await rows.put("inbox", **parked | odd))["id"] for odd in given]
    for one in ids[:3]:
        await rows.conn.execute(store.INBOX_FOREIGN, one, NOW)
    found = await rows.conn.fetch("SELECT worked_at, due_at, failure FROM inbox ORDER BY id")
    assert [tuple(row.values()) for row in found] == [
        (NOW, None, None), (None, NOW, "x"), (NOW - MINUTE, NOW, "refund_of_unknown"),
        (None, NOW, "refund_of_unknown"),
    ]  # fmt: skip


async def test_what_is_compared_is_of_that_time_or_named_or_broken_or_unpaid(rows: Rows) -> None:
    since, until, unpaid = NOW, NOW + timedelta(hours=1), NOW - timedelta(days=5)
    held = {"captured_at": NOW - timedelta(days=30)}
    days = timedelta(days=2)
    for name, given in (
        ("first", {"captured_at": since}), ("last", {"captured_at": until - MOMENT}),
        ("after", {"captured_at": until}), ("before", {"captured_at": since - MOMENT}),
        ("named", held), ("old", held), ("broken", held), ("healed", held), ("queued", held),
        ("elsewhere", {"captured_at": since, "account_id": OTHERS}),
        ("unpaid", {"captured_at": unpaid - MOMENT}),
        ("unpaid long", {"captured_at": unpaid - days}),
        ("too long", {"captured_at": unpaid - days - MOMENT}), ("in time", {"captured_at": unpaid}),
        ("paid", {"captured_at": unpaid - MOMENT, "settled_at": NOW}),
        ("foreign", {"captured_at": unpaid - MOMENT, "foreign_amount": 5000, "open": 0}),
    ):  # fmt: skip
        await capture(rows, name, **given)
    for name, source, closed in (
        ("broken", "books", {}), ("queued", "state", {}),
        ("healed", "books", {"closed_at": NOW, "how": "healed"}),
    ):  # fmt: skip
        subject = await rows.conn.fetchval(
            "SELECT id::text FROM captures WHERE gateway_payment_id = $1", name
        )
        await rows.put("cases", kind=name, subject=subject, source=source, **closed)
    asked = (OURS, since, until, ["named"])
    found = await rows.conn.fetch(oversight.CAPTURES_TO_COMPARE, *asked, unpaid)
    names = {"first", "last", "named", "broken"}
    assert {row["name"] for row in found} == names | {"unpaid", "unpaid long"}
    found = await rows.conn.fetch(oversight.CAPTURES_TO_COMPARE, *asked, None)
    assert {row["name"] for row in found} == names


async def test_a_day_of_an_account_is_held_and_ended_by_who_took_it_last(rows: Rows) -> None:
    day = date(2026, 11, 20)
    await rows.put("reconciliations", account_id=OURS, day=day, tries=3)
    await rows.put("reconciliations", account_id=OTHERS, day=day, tries=3)
    await rows.put("reconciliations", account_id=OURS, day=day - timedelta(days=1), tries=3)
    hold = (oversight.HOLD_DAY, OURS, day)
    assert await rows.conn.fetchval(*hold, 2, MINUTE) is None
    assert await rows.conn.fetchval(*hold, 3, MINUTE) is True
    leased = "SELECT count(*) FROM reconciliations WHERE leased_until > now()"
    assert await rows.conn.fetchval(leased) == 1
    await rows.conn.execute(oversight.LET_DAY_GO, OURS, day, 2)
    assert await rows.conn.fetchval(leased) == 1
    await rows.conn.execute(oversight.LET_DAY_GO, OURS, day, 3)
    assert await rows.conn.fetchval(leased) == 0
    through = (oversight.COMPARED_THROUGH, OURS, day + timedelta(days=1))
    for tries, failure, done in ((2, None, None), (3, "no list", None), (3, None, NOW)):
        ended = (OURS, day, 7, 8, failure, NOW, LATER, tries)
        mine = await rows.conn.fetchval(oversight.DAY_COMPARED, *ended)
        assert mine is (None if tries == 2 else True)
        assert await rows.conn.fetchval(*through) == (LATER if done else None)
    found = await rows.conn.fetch("SELECT * FROM reconciliations WHERE found > 0 OR breaks > 0")
    assert [(row["found"], row["breaks"], row["done_at"]) for row in found] == [(7, 8, NOW)]
    assert await rows.conn.fetchval(*hold, 3, MINUTE) is None  # it is done


async def test_a_machine_asks_for_the_open_unit_of_an_order_that_was_let_go_first(
    rows: Rows,
) -> None:
    order = uuid4()

    async def unit(minute: int, **given: Any) -> UUID:
        open_ = {"due_at": NOW} if "settlement" not in given else {"basis": "drop"}
        made = await rows.put("fulfillments", **(
            {"outlet_id": "M01", "order_id": order, "state": "queued", "sent_at": NOW,
             "accept": {}, "journal_id": "j", "boot_id": "b", "go_message": {}, "lease_end": NOW,
             "queued_at": NOW + minute * MINUTE} | open_ | given
        ))  # fmt: skip
        found: UUID = made["id"]
        return found

    async def asked() -> UUID | None:
        found: UUID | None = await rows.conn.fetchval(vending.UNIT_OF_ORDER, "M01", order)
        return found

    await unit(0, outlet_id="M02")
    await unit(0, order_id=uuid4())
    await unit(0, sent_at=None)
    assert await asked() is None
    for minute, given in ((2, {"settlement": "fulfilled"}), (1, {"settlement": "fulfilled"}),
                          (4, {}), (3, {})):  # fmt: skip
        newest = await unit(minute, **given)
        assert await asked() == newest


async def test_machines_beats_never_go_back_and_touch_no_other(rows: Rows) -> None:
    for name, seen in (("M01", NOW), ("M02", LATER), ("M03", NOW)):
        await rows.put("devices", outlet_id=name, last_seen_at=seen)
    await rows.conn.execute(vending.RECORD_HEARTBEATS, ["M02", "M01"], [NOW, LATER])
    found = await rows.conn.fetch("SELECT last_seen_at FROM devices ORDER BY outlet_id")
    assert [row["last_seen_at"] for row in found] == [LATER, LATER, NOW]


async def test_machines_with_something_queued_are_told_once(rows: Rows) -> None:
    merchant = uuid4()
    for outlet, state in (("M01", "queued"), ("M01", "queued"), ("M02", "offered"),
                          ("M03", "queued")):  # fmt: skip
        await rows.put("fulfillments", outlet_id=outlet, state=state, due_at=NOW,
                       merchant_id=merchant)  # fmt: skip
    found = await rows.conn.fetch(vending.WAITING, ["M01", "M02"])
    assert [tuple(row.values()) for row in found] == [(merchant, "M01")]


@pytest.mark.parametrize(("said", "next_seq"), [
    (9, 10), (10, 11), (11, 12), (1_000_010, 1_000_011), (1_000_011, 10),
])  # fmt: skip
async def test_a_machines_seq_is_believed_within_bounds(
    rows: Rows, said: int, next_seq: int
) -> None:
    for name in ("M01", "M02"):
        await rows.put("devices", outlet_id=name, next_seq=10)
    await rows.conn.execute(
        vending.RAISE_SEQ, "M01", said, "j1", "b1", True, "v2", LATER, 4, None, None, False, None
    )
    found = await rows.conn.fetch("SELECT * FROM devices ORDER BY outlet_id")
    names = ("next_seq", "journal_id", "boot_id", "has_sensor", "firmware", "last_seen_at",
             "config_version")  # fmt: skip
    assert tuple(found[0][name] for name in names) == (next_seq, "j1", "b1", True, "v2", LATER, 4)
    assert (found[1]["next_seq"], found[1]["journal_id"]) == (10, None)
