"""What a webhook writes: its own row to the last column, what its facts change, and what is asked
about soon because of it. The same names at another account stand in front."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from tests.sales.by_hand import NOW, Rows
from tests.sales.money_rows import (
    ACCOUNT,
    ASHA,
    BESIDE,
    CAPTURE,
    FACTS,
    FIRST,
    NEXT,
    PART,
    REFUND,
    THEIRS,
    Given,
    Row,
    capture,
    event,
    refund,
    whole,
)
from tests.sales.wrote import in_order, wrote

SECOND, MOMENT = timedelta(seconds=1), timedelta(microseconds=1)
OTHER_ACCOUNT, ATTEMPT, OTHERS_ATTEMPT, CODE, OTHER_CODE = (UUID(int=n) for n in range(30, 35))
HELD, BEFORE = NOW + SECOND, NOW - SECOND
MANY = 1_000_000  # more than rows that are numbered by themselves
ROW = MANY + 7
WINDOWS = {"capture_s": 90, "match_s": 60, "dispatch_s": 120}
TABLES = (
    "inbox", "captures", "ledger", "refunds", "events", "discrepancies", "attempts", "payments",
    "qr_codes", "disputes", "receipts",
)  # fmt: skip
ACCOUNTS: Given = [
    ("gateway_accounts", {"id": key, "merchant_id": ASHA, "gateway": "mock", "slug": str(key)})
    for key in (OTHER_ACCOUNT, ACCOUNT)
]
KEEP, BODY = "SELECT keep_webhook($1, $2, $3)", b"\x00the body"
UNKNOWN: Row = {
    "type": "refund", "gateway_refund_id": "rf_1", "gateway_payment_id": "pay_9",
    "stage": "processed", "money": {"amount": 500, "currency": "INR"}, "mark": None,
}  # fmt: skip
SAID: Row = {
    "account": str(ACCOUNT), "merchant": str(ASHA), "delivery_id": "d_1", "verdict": "genuine",
    "event": "paid", "headers": {"user-agent": "x"}, "facts": [], "reason": None,
    "reference": None, "windows": WINDOWS, "names": [], "lines": [],
}  # fmt: skip
KEPT: Row = {
    **FACTS, "delivery_id": "d_1", "verdict": "genuine", "event": "paid",
    "headers": {"user-agent": "x"}, "body": BODY, "received_at": NOW, "told": 1,
}  # fmt: skip


def stored(key: int = 7, /, **given: Any) -> tuple[str, Row]:
    return "inbox", {**FACTS, "id": MANY + key, "verdict": "genuine", "delivery_id": f"d_{key}",
                     "received_at": NOW, **given}  # fmt: skip


def attempt(key: UUID = ATTEMPT, /, **given: Any) -> tuple[str, Row]:
    return "attempts", {**FACTS, "id": key, "payment_id": PART, "number": key.int, "key": str(key),
                        "state": "pending", "reference": "pay_1", "due_at": HELD,
                        **given}  # fmt: skip


def code(key: UUID = CODE, /, **given: Any) -> tuple[str, Row]:
    return "qr_codes", {**FACTS, "id": key, "qr_code_id": "qr_1", "stage": "open", "slot": str(key),
                        "amount_minor": 5000, "outlet_id": "M09", "payment_id": PART,
                        "attempt_id": ATTEMPT, **given}  # fmt: skip


def payment(key: UUID = PART, /, **given: Any) -> tuple[str, Row]:
    return "payments", {"id": key, "merchant_id": ASHA, "source": "api", "amount_minor": 5000,
                        "state": "requires_action", **given}  # fmt: skip


BESIDES: Given = [
    *ACCOUNTS, payment(FIRST),
    attempt(OTHERS_ATTEMPT, account_id=OTHER_ACCOUNT, payment_id=FIRST),
    code(OTHER_CODE, account_id=OTHER_ACCOUNT, payment_id=FIRST, attempt_id=OTHERS_ATTEMPT,
         due_at=HELD),
    capture(FIRST, account_id=OTHER_ACCOUNT, gateway_payment_id="pay_1"),
    refund(FIRST, account_id=OTHER_ACCOUNT, capture_id=FIRST, gateway_refund_id="rf_1",
           due_at=HELD),
    stored(1, account_id=OTHER_ACCOUNT, delivery_id="d_1"),
]  # fmt: skip


async def kept(rows: Rows, given: Given, **odd: Any) -> tuple[Any, Any]:
    return await wrote(rows, [*BESIDES, *given], TABLES, KEEP, {**SAID, **odd}, BODY, NOW)


async def test_a_webhook_is_stored_whole_by_what_it_proves(rows: Rows) -> None:
    fact = {"type": "other"}
    worked: Row = {**KEPT, "worked_at": NOW}
    hint: Row = {"verdict": "hint", "reference": "pay_1"}
    forged: Row = {"verdict": "forged", "reason": "bad signature"}
    odd: Row = {"verdict": "unreadable", "reason": "no such event", "names": ["x"]}
    cases: tuple[tuple[Row, str, Row], ...] = (
        ({}, "nothing", worked), ({"facts": [fact]}, "nothing", {**worked, "facts": [fact]}),
        (hint, "hint", {**KEPT, **hint, "due_at": NOW}), (forged, "forged", {**KEPT, **forged}),
        ({**forged, "delivery_id": None}, "forged",
         {**{k: v for k, v in KEPT.items() if k != "delivery_id"}, **forged}),
        (odd, "unreadable", {**worked, "verdict": "unreadable", "reason": "no such event"}),
        ({**odd, "marked": False}, "unreadable",
         {**worked, "verdict": "unreadable", "reason": "no such event"}),
        ({**odd, "marked": True}, "unreadable_ours",
         {**KEPT, "verdict": "unreadable", "reason": "no such event", "ours": True}),
    )  # fmt: skip
    for said, outcome, row in cases:
        assert await kept(rows, [], **said) == (outcome, {"inbox": [row]}), said
        beside = [stored(2, delivery_id="d_2"), stored(3, delivery_id="d_1", verdict="own")]
        assert await kept(rows, beside, **said) == (outcome, {"inbox": [row]}), said


async def test_a_webhook_that_comes_again_changes_nothing_but_a_hint(rows: Rows) -> None:
    assert await kept(rows, [stored(delivery_id="d_1")], facts=[UNKNOWN]) == ("again", {})
    unreadable: Row = {"verdict": "unreadable", "ours": False}
    known = stored(delivery_id="d_1", **unreadable)
    assert await kept(rows, [known], verdict="unreadable", marked=True) == ("again", {})
    hint: Row = {"verdict": "hint", "reference": "pay_1"}
    done: Row = {"told": 2, "worked_at": BEFORE, "failure": "x", "tries": 3, "leased_until": HELD,
                 "lease": 4, "delivery_id": "d_1"}  # fmt: skip
    others = [
        stored(2, **hint, account_id=OTHER_ACCOUNT, delivery_id="d_1"),
        stored(3, delivery_id="d_1"), stored(4, **hint, delivery_id="d_2"),
    ]  # fmt: skip
    assert await kept(rows, [*others, stored(**hint, **done)], **hint) == ("hint", {"inbox": [
        (ROW, {"told": 3, "told_at": NOW, "worked_at": None, "failure": None, "tries": 0,
             "due_at": NOW, "leased_until": None, "lease": 5}),
    ]})  # fmt: skip


AT_ONCE: Row = {"due_at": NOW}
MADE: Row = {"capture_id": CAPTURE, "due_at": HELD}
LOOKS: tuple[tuple[tuple[str, Row], Row | None], ...] = (
    (attempt(), {**AT_ONCE, "lease": 1}), (attempt(due_at=NOW), None),
    (attempt(reference="x", gateway_payment_id="pay_1"), {**AT_ONCE, "lease": 1}),
    (attempt(reference="x"), None), (attempt(state="succeeded"), None),
    (attempt(state="unknown"), {**AT_ONCE, "lease": 1}), (attempt(state="started"), None),
    (attempt(due_at=NOW, leased_until=HELD), {"leased_until": None, "lease": 1}),
    (attempt(due_at=None, leased_until=HELD), {**AT_ONCE, "leased_until": None, "lease": 1}),
    (attempt(wish="take", wish_minor=1, wish_key="w"), None),
    (attempt(account_id=OTHER_ACCOUNT), None),
    (code(due_at=HELD), AT_ONCE), (code(due_at=NOW), None), (code(due_at=BEFORE), None),
    (code(), AT_ONCE), (code(stage="closing"), None), (code(stage="closed"), None),
    (code(stage="closing", due_at=HELD), AT_ONCE), (code(qr_code_id="x", due_at=HELD), None),
    (refund(**MADE), AT_ONCE), (refund(**MADE, gateway_refund_id="x"), AT_ONCE),
    (refund(**{**MADE, "due_at": NOW}), None), (refund(**{**MADE, "due_at": None}), None),
    (refund(**MADE, state="owed"), None), (refund(**MADE, account_id=OTHER_ACCOUNT), None),
    (refund(**{**MADE, "capture_id": BESIDE}), None),
    (refund(**{**MADE, "capture_id": BESIDE}, gateway_refund_id="x"), None),
    (refund(**{**MADE, "capture_id": BESIDE}, gateway_refund_id="rf_1"), AT_ONCE),
)  # fmt: skip


async def test_what_a_webhook_names_is_asked_about_at_once(rows: Rows) -> None:
    names = ["pay_1", "qr_1", "rf_1"]
    mine = [capture(BESIDE, gateway_payment_id="pay_2"), capture(gateway_payment_id="pay_1")]
    for (table, row), changed in LOOKS:
        given = [*BESIDES, *mine, (table, row)]
        _, found = await wrote(
            rows, given, TABLES, "SELECT look_at($1, $2, $3)", ACCOUNT, names, NOW
        )
        assert found == ({table: [(row["id"], changed)]} if changed else {}), (table, row)
    odd = {"verdict": "unreadable", "names": ["else", "pay_1"]}
    said, found = await kept(rows, [attempt()], **odd)
    assert (said, found["attempts"]) == ("unreadable_ours", [(ATTEMPT, {**AT_ONCE, "lease": 1})])
    assert (await kept(rows, [attempt(reference="x")], **odd))[0] == "unreadable"


WORK = f"SELECT work_inbox({ROW}, a, $1, $2, $3) FROM gateway_accounts a WHERE id = $4"


async def worked(rows: Rows, given: Given, *facts: Row) -> tuple[Any, Any]:
    all_given = [*BESIDES, stored(6, worked_at=None, due_at=HELD), *given]
    called = (list(facts), WINDOWS, NOW, ACCOUNT)
    return await wrote(rows, all_given, TABLES, WORK, *called)


async def test_a_row_that_is_worked_is_over_and_a_refund_of_unknown_money_waits(
    rows: Rows,
) -> None:
    waits: Row = {"due_at": HELD, "leased_until": HELD, "failure": "x", "tries": 2}
    over = {"worked_at": NOW, "due_at": None, "leased_until": None, "failure": None}
    for facts, said in (((), "nothing"), (({"type": "other"},), "nothing"),
                        ((UNKNOWN, {"type": "other"}), "nothing")):  # fmt: skip
        assert await worked(rows, [stored(**waits)], *facts) == (said, {"inbox": [(ROW, over)]})
        done = stored(**waits, worked_at=BEFORE)
        assert await worked(rows, [done], *facts) == (said, {})
    parked = "refund_of_unknown"
    for tries, pause in ((0, 1), (1, 2), (3, 8), (8, 256), (9, 300), (10, 300), (40, 300)):
        new = {"worked_at": None, "tries": tries + 1, "failure": parked, "leased_until": None,
               "due_at": NOW + pause * SECOND}  # fmt: skip
        given = [stored(worked_at=BEFORE, tries=tries, leased_until=HELD)]
        assert await worked(rows, given, UNKNOWN) == (parked, {"inbox": [(ROW, new)]}), tries
        assert (await worked(rows, given, {"type": "other"}, UNKNOWN))[0] == parked
    for received, waiting in ((NOW - 90 * SECOND, False), (NOW - 90 * SECOND + MOMENT, True)):
        given = [stored(received_at=received, failure=parked, due_at=NOW)]
        said, found = await worked(rows, given, UNKNOWN)
        ((_, new),) = found["inbox"]
        assert (said, new.get("worked_at")) == (parked, None if waiting else NOW)
        assert new["due_at"] == (HELD if waiting else None)


BAD: Row = {**UNKNOWN, "money": {"amount": "many", "currency": "INR"}}
WHY = 'invalid input syntax for type bigint: "many"'
PAID: Row = {
    "type": "payment", "taken": "captured", "gateway_payment_id": "pay_1", "mark": None,
    "money": {"amount": 5000, "currency": "INR"}, "at": NOW.isoformat(),
}  # fmt: skip


async def test_a_row_that_fails_stays_and_nothing_of_it_is_kept(rows: Rows) -> None:
    for tries, pause in ((0, 1), (3, 8), (11, 2048), (12, 3600), (60, 3600)):
        new = {"worked_at": None, "tries": tries + 1, "failure": WHY, "leased_until": None,
               "due_at": NOW + pause * SECOND}  # fmt: skip
        given = [stored(worked_at=BEFORE, tries=tries, leased_until=HELD)]
        for facts in ((BAD,), (PAID, BAD), (BAD, PAID)):
            assert await worked(rows, given, *facts) == ("failed", {"inbox": [(ROW, new)]}), tries


REFUSES = """
CREATE FUNCTION refuses() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN
    RAISE EXCEPTION 'no' USING ERRCODE = '{code}';
END $f$;
CREATE TRIGGER refuses BEFORE INSERT ON captures EXECUTE FUNCTION refuses();
ALTER TABLE captures ENABLE ALWAYS TRIGGER refuses
"""


async def test_what_was_aborted_for_another_transaction_is_tried_again_at_once(
    rows: Rows,
) -> None:
    for code, pause in (("40P01", 0), ("40001", 0), ("40002", 8), ("23505", 8)):

        async def work(conn: Any, refuses: str = code) -> Any:
            await conn.execute(REFUSES.format(code=refuses))
            return await conn.fetchval(WORK, [PAID], WINDOWS, NOW, ACCOUNT)

        given = [*BESIDES, stored(worked_at=BEFORE, tries=3, leased_until=HELD)]
        said, found = await wrote(rows, given, TABLES, work)
        new = {"worked_at": None, "tries": 4, "failure": "no", "leased_until": None,
               "due_at": NOW + pause * SECOND}  # fmt: skip
        assert (said, found) == ("failed", {"inbox": [(ROW, new)]}), code


async def of_fact(rows: Rows, given: Given, fact: Row) -> tuple[Any, Any]:
    call = "SELECT work_fact(a, $1, $2, $3) FROM gateway_accounts a WHERE id = $4"
    return await wrote(rows, [*BESIDES, *given], TABLES, call, fact, WINDOWS, NOW, ACCOUNT)


async def test_facts_of_no_money_are_nothing_and_others_go_their_way(rows: Rows) -> None:
    for kind in (PAID, UNKNOWN):
        for minor in (0, -1):
            fact = {**kind, "money": {"amount": minor, "currency": "INR"}}
            assert await of_fact(rows, [], fact) == ("nothing", {}), fact
    one = {**PAID, "money": {"amount": 1, "currency": "INR"}}
    assert (await of_fact(rows, [], one))[0] == "parked"
    cent = {**UNKNOWN, "money": {"amount": 1, "currency": "INR"}}
    assert (await of_fact(rows, [], cent))[0] == "refund_of_unknown"
    assert await of_fact(rows, [], {"type": "dispute"}) == ("refund_of_unknown", {})
    assert await of_fact(rows, [], {"type": "receipt"}) == ("nothing", {})
    assert await of_fact(rows, [], {"type": "settlement"}) == ("nothing", {})
    foreign = capture(gateway_payment_id="pay_1", foreign_amount=1, open=4999)
    disputed = {"type": "dispute", "gateway_payment_id": "pay_1", "stage": "open"}
    assert await of_fact(rows, [foreign], disputed) == ("foreign", {})


async def test_a_capture_keeps_its_fee_and_the_address_of_its_receipt(rows: Rows) -> None:
    known = {"gateway_payment_id": "pay_1", "fulfilled": 5000}
    beside = capture(BESIDE, gateway_payment_id="pay_2")
    for was, told, now in (
        (None, "https://r/1", "https://r/1"), ("https://r/0", "https://r/1", "https://r/1"),
        ("https://r/1", "https://r/1", None), ("https://r/0", None, None),
    ):  # fmt: skip
        given = [beside, capture(**known, receipt_url=was)]
        changed: Row = {"captures": [(CAPTURE, {"receipt_url": now})]} if now else {}
        assert await of_fact(rows, given, {**PAID, "receipt_url": told}) == ("known", changed)
    fee = {"amount": 90, "currency": "INR"}
    _, found = await of_fact(rows, [beside, capture(**known)], {**PAID, "fee": fee})
    assert found["captures"] == [(CAPTURE, {"fee_minor": 90})]


SHOWN: Row = {"gateway_payment_id": "x", "qr_code_id": "qr_1", "mark": None}
BY_MARK: Row = {"gateway_payment_id": "x", "mark": {"qr": str(CODE)}}
TOLD: tuple[tuple[tuple[str, Row], Row, bool], ...] = (
    (code(), SHOWN, True), (code(), BY_MARK, True), (code(retired_at=HELD), SHOWN, False),
    (code(retired_at=BEFORE), BY_MARK, False),
    (code(account_id=OTHER_ACCOUNT, qr_code_id="qr_2"), BY_MARK, False),
    (code(payment_id=None, attempt_id=None), SHOWN, False),
    (code(qr_code_id="qr_2"), SHOWN, False), (code(qr_code_id="qr_2"), BY_MARK, True),
    (code(), {"gateway_payment_id": "x", "mark": {"qr": "no id"}}, False),
)  # fmt: skip


async def test_what_is_not_captured_only_tells_the_page_and_is_asked_about(rows: Rows) -> None:
    mine = [payment(), payment(NEXT), attempt(reference="x")]
    looked = [(ATTEMPT, {**AT_ONCE, "lease": 1})]
    for taken, name, state in (
        ("failed", "DECLINED", "requires_action"), ("authorized", "AUTHORIZED", "authorized"),
    ):  # fmt: skip
        moved = event("payment", PART, name, was="requires_action", state=state)
        new = {"version": 2, **({"state": state} if state == "authorized" else {})}
        for shown, fact, tells in TOLD:
            said, found = await of_fact(
                rows, [*mine, shown], {**fact, "type": "payment", "taken": taken}
            )
            assert (said, found) == ("noted", whole(
                attempts=looked, payments=[(PART, new)] if tells else [],
                events=[moved] if tells else [],
            )), (shown, fact)  # fmt: skip


async def test_a_refund_that_came_before_its_payment_counts_as_soon_as_that_is_known(
    rows: Rows,
) -> None:
    early = {**UNKNOWN, "gateway_payment_id": "pay_1"}
    parked: Row = {"due_at": HELD, "failure": "refund_of_unknown", "tries": 2}
    waiting = [
        stored(2, **parked, account_id=OTHER_ACCOUNT, facts=[early]),
        stored(3, **{**parked, "due_at": None}, facts=[early]),
        stored(4, **{**parked, "failure": "x"}, facts=[early]),
        stored(5, **parked, facts=[UNKNOWN]),
    ]  # fmt: skip
    said, found = await of_fact(rows, waiting, PAID)
    assert (said, "inbox" in found) == ("parked", False)
    said, found = await of_fact(rows, [*waiting, stored(**parked, facts=[early])], PAID)
    assert (said, found["inbox"]) == ("refunded_outside", [
        (ROW, {"worked_at": NOW, "due_at": None, "failure": None})
    ])  # fmt: skip
    (row,) = found["captures"]
    assert (row["gateway_payment_id"], row["outside"]) == ("pay_1", 500)
    assert [one["gateway_refund_id"] for one in found["refunds"]] == ["rf_1"]
    mixed = [stored(**parked, facts=[{"type": "other"}, early])]
    assert (await of_fact(rows, mixed, PAID))[0] == "refunded_outside"


async def test_webhooks_that_come_together_are_answered_each_in_its_place(rows: Rows) -> None:
    call = "SELECT take_webhooks($1, $2, $3)"
    many = [
        {**SAID, "delivery_id": "a"}, {**SAID, "delivery_id": "b", "facts": [BAD]},
        {**SAID, "delivery_id": "a"}, {**SAID, "delivery_id": "c", "facts": [PAID]},
    ]  # fmt: skip
    moments = [NOW + n * SECOND for n in range(4)]
    said, found = await wrote(rows, BESIDES, TABLES, call, many, [b"1", b"2", b"3", b"4"], moments)
    assert said == [
        {"outcome": outcome, "begun": None} for outcome in ("nothing", "failed", "again", "parked")
    ]
    base = {name: value for name, value in KEPT.items() if name != "worked_at"}
    assert found["inbox"] == in_order([
        {**base, "delivery_id": "a", "body": b"1", "worked_at": NOW},
        {**base, "delivery_id": "b", "body": b"2", "received_at": moments[1], "facts": [BAD],
         "tries": 1, "failure": WHY, "due_at": moments[1] + SECOND},
        {**base, "delivery_id": "c", "body": b"4", "received_at": moments[3], "facts": [PAID],
         "worked_at": moments[3]},
    ])  # fmt: skip
    assert [row["seen_at"] for row in found["captures"]] == [moments[3]]
    single = "SELECT take_webhook($1, $2, $3)"
    said, _ = await wrote(rows, BESIDES, TABLES, single, many[0], b"1", NOW)
    assert said == {"outcome": "nothing", "begun": None}


async def test_whose_webhook_it_is_is_said_for_its_own_transaction(rows: Rows) -> None:
    """A connection that kept it would show the next one another merchant's rows."""
    ask = "SELECT coalesce(current_setting('coinslot.merchant', true), '')"
    for table, row in ACCOUNTS:
        await rows.put(table, **row)
    forged = {**SAID, "verdict": "forged", "reason": "no"}
    found = "SELECT work_found_of($1, $2, $3, 'look', $4, $5)"
    for call, values in ((KEEP, (forged, BODY, NOW)),
                         (found, (ASHA, ACCOUNT, {"type": "x"}, WINDOWS, NOW))):  # fmt: skip
        async with rows.conn.transaction():
            await rows.conn.fetchval(call, *values)
            assert await rows.conn.fetchval(ask) == str(ASHA)
        assert await rows.conn.fetchval(ask) == ""


NAMES: tuple[tuple[tuple[str, Row], str], ...] = (
    (capture(THEIRS, gateway_payment_id="n"), "n"), (attempt(reference="n"), "n"),
    (attempt(reference="x", gateway_payment_id="n"), "n"), (code(qr_code_id="n"), "n"),
    (("disputes", {**FACTS, "id": NEXT, "gateway_dispute_id": "n", "stage": "open"}), "n"),
    (refund(gateway_refund_id="n"), "n"),
)  # fmt: skip


async def test_only_what_is_ours_at_this_account_is_known_by_a_name(rows: Rows) -> None:
    ask = "SELECT is_known($1, $2)"
    for (table, row), name in NAMES:
        for account, names, known in (
            (ACCOUNT, ["else", name], True), (ACCOUNT, [name], True), (ACCOUNT, ["else"], False),
            (ACCOUNT, [], False), (OTHER_ACCOUNT, [name], False),
        ):  # fmt: skip
            said, _ = await wrote(rows, [*ACCOUNTS, (table, row)], [], ask, account, names)
            assert said is known, (table, row, account, names)
    for odd in (
        capture(gateway_payment_id="n", foreign_amount=1, open=4999),
        refund(REFUND, gateway_refund_id="n", origin="gateway"),
    ):  # fmt: skip
        assert (await wrote(rows, [odd], [], ask, ACCOUNT, ["n"]))[0] is False
