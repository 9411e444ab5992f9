"""What a payer's bank that claims money back writes: whole rows of disputes, money, refunds and the
log, with disputes of another account and of another capture in front."""

from datetime import datetime, timedelta
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
    REFUND,
    THEIRS,
    Given,
    Row,
    booked,
    capture,
    discrepancy,
    event,
    refund,
    whole,
)
from tests.sales.wrote import in_order, wrote

SECOND, MOMENT = timedelta(seconds=1), timedelta(microseconds=1)
OTHER_ACCOUNT, DISPUTE = UUID(int=30), UUID(int=40)
EARLIER = NOW - 60 * SECOND
TABLES = (
    "disputes", "captures", "ledger", "refunds", "events", "discrepancies", "fulfillments",
)  # fmt: skip
NOTE = "SELECT note_dispute(a, $1, $3) FROM gateway_accounts a WHERE id = $2"
TOLD: Row = {
    "gateway_dispute_id": "d_1", "gateway_payment_id": "pay_1", "stage": "open",
    "money": {"amount": 900, "currency": "INR"}, "reason": "fraudulent",
    "at": EARLIER.isoformat(),
}  # fmt: skip


def dispute(key: UUID = DISPUTE, /, **given: Any) -> tuple[str, Row]:
    return "disputes", {
        **FACTS, "id": key, "capture_id": CAPTURE, "gateway_dispute_id": "d_1", "stage": "open",
        "amount_minor": 900, "reason": "fraudulent", "opened_at": EARLIER, "told_at": EARLIER,
        **given,
    }  # fmt: skip


def paid(**given: Any) -> tuple[str, Row]:
    return capture(gateway_payment_id="pay_1", **given)


ACCOUNTS: Given = [
    ("gateway_accounts", {"id": key, "merchant_id": ASHA, "gateway": "mock", "slug": str(key)})
    for key in (OTHER_ACCOUNT, ACCOUNT)
]
STRANGERS: Given = [
    *ACCOUNTS, capture(FIRST, account_id=OTHER_ACCOUNT, gateway_payment_id="pay_1"),
    capture(BESIDE, gateway_payment_id="pay_2"),
    dispute(FIRST, account_id=OTHER_ACCOUNT, capture_id=FIRST),
    dispute(BESIDE, gateway_dispute_id="d_2", capture_id=BESIDE),
    refund(FIRST, capture_id=FIRST, account_id=OTHER_ACCOUNT, gateway_refund_id="d_1",
           due_at=NOW + SECOND),
    refund(BESIDE, capture_id=BESIDE, gateway_refund_id="d_2", due_at=NOW + SECOND),
]  # fmt: skip
NEW: Row = {
    **FACTS, "capture_id": CAPTURE, "gateway_dispute_id": "d_1", "stage": "open",
    "amount_minor": 900, "currency": "INR", "reason": "fraudulent", "opened_at": NOW,
    "told_at": EARLIER,
}  # fmt: skip
DATA: Row = {"amount": 900, "reason": "fraudulent", "capture": str(CAPTURE), "currency": "INR"}
OUTSIDE: Row = {
    **FACTS, "capture_id": CAPTURE, "origin": "gateway", "state": "succeeded", "version": 1,
    "amount_minor": 900, "currency": "INR", "reason": "disputed", "key": "gw_d_1",
    "gateway_refund_id": "d_1", "created_at": NOW, "ended_at": NOW, "hard_deadline": NOW,
}  # fmt: skip
LOST_ROWS: dict[str, list[Any]] = {
    "captures": [(CAPTURE, {"outside": 900})],
    "ledger": booked("refunds_outside", "gateway", 900, "refunded_outside"),
    "refunds": [OUTSIDE],
    "discrepancies": [discrepancy("refunded_outside_and_handed_over", 900)],
}  # fmt: skip
MADE_OUTSIDE = event("refund", "new refunds", "MADE_OUTSIDE", data={"amount": 900})


def told(name: str, subject: UUID | str = DISPUTE) -> Row:
    return event("dispute", subject, name, data=DATA)


async def noted(rows: Rows, given: Given, **odd: Any) -> tuple[Any, Any]:
    return await wrote(rows, [*STRANGERS, *given], TABLES, NOTE, {**TOLD, **odd}, ACCOUNT, NOW)


EARNED = paid(fulfilled=5000)
ENDED: Row = {"ended_at": NOW}


async def test_a_dispute_is_kept_whole_and_its_end_may_be_what_is_heard_first(rows: Rows) -> None:
    opened = told("OPENED", "new disputes")
    assert await noted(rows, [EARNED]) == ("dispute", whole(disputes=[NEW], events=[opened]))
    won = whole(disputes=[{**NEW, "stage": "won", **ENDED}],
                events=[opened, told("WON", "new disputes")])  # fmt: skip
    assert await noted(rows, [EARNED], stage="won") == ("dispute", won)
    lost = whole(disputes=[{**NEW, "stage": "lost", **ENDED}], **LOST_ROWS,
                 events=[opened, told("LOST", "new disputes"), MADE_OUTSIDE])  # fmt: skip
    assert await noted(rows, [EARNED], stage="lost") == ("dispute", lost)
    odd = {"money": {"amount": 7, "currency": "USD"}, "reason": "other"}
    said, found = await noted(rows, [EARNED], **odd)
    data = {**DATA, "amount": 7, "currency": "USD", "reason": "other"}
    assert found == whole(
        disputes=[{**NEW, "amount_minor": 7, "currency": "USD", "reason": "other"}],
        events=[event("dispute", "new disputes", "OPENED", data=data)],
    )
    assert said == "dispute"


async def test_a_dispute_of_money_that_is_not_ours_is_none(rows: Rows) -> None:
    for given, odd, said in (
        ([], {}, "refund_of_unknown"), ([EARNED], {"gateway_payment_id": "pay_9"},
                                        "refund_of_unknown"),
        ([paid(foreign_amount=1, open=4999)], {}, "foreign"),
    ):  # fmt: skip
        for stage in ("open", "lost"):
            assert await noted(rows, given, stage=stage, **odd) == (said, {}), (given, odd)


SAID: tuple[tuple[str, datetime, str, datetime, bool], ...] = (
    # What is known and of when, what is told and of when, and whether it counts.
    ("open", EARLIER, "open", NOW, False), ("open", EARLIER, "won", EARLIER - MOMENT, True),
    ("open", EARLIER, "won", NOW, True),
    ("open", EARLIER, "lost", EARLIER - MOMENT, True),
    ("won", EARLIER, "open", NOW, False), ("lost", EARLIER, "open", NOW, False),
    ("won", EARLIER, "won", NOW, False), ("lost", EARLIER, "lost", NOW, False),
    ("won", EARLIER, "lost", EARLIER - MOMENT, False), ("won", EARLIER, "lost", EARLIER, False),
    ("won", EARLIER, "lost", EARLIER + MOMENT, True),
    ("lost", EARLIER, "won", EARLIER - MOMENT, False), ("lost", EARLIER, "won", EARLIER, True),
    ("lost", EARLIER, "won", EARLIER + MOMENT, True),
)  # fmt: skip


async def test_of_ends_that_are_told_in_any_order_the_later_one_counts(rows: Rows) -> None:
    for before, known_at, stage, at, counts in SAID:
        ended: Row = {"ended_at": EARLIER} if before != "open" else {}
        known = dispute(stage=before, told_at=known_at, **ended)
        answer = await noted(rows, [EARNED, known], stage=stage, at=at.isoformat())
        case = (before, known_at, stage, at)
        if not counts:
            assert answer == ("known", {}), case
            continue
        now = {"stage": stage, "ended_at": NOW, **({"told_at": at} if at != known_at else {})}
        lost = LOST_ROWS if stage == "lost" else {}
        events = [told(stage.upper()), *([MADE_OUTSIDE] if lost else [])]
        wanted = whole(disputes=[(DISPUTE, now)], events=events, **lost)
        assert answer == ("dispute", wanted), case


HELD = NOW + SECOND


async def test_refunds_of_ours_that_waited_for_the_bank_go_on_when_it_has_decided(
    rows: Rows,
) -> None:
    given = [
        paid(fulfilled=1000, refund_due=4000, refund_intended=4000), dispute(),
        refund(UUID(int=101), due_at=HELD), refund(UUID(int=102), due_at=NOW + MOMENT),
        refund(UUID(int=103), due_at=NOW), refund(UUID(int=104), due_at=NOW - SECOND),
        refund(UUID(int=105), due_at=HELD, state="owed"),
        refund(UUID(int=106), due_at=HELD, state="succeeded"),
        refund(UUID(int=107), due_at=HELD, capture_id=BESIDE), refund(UUID(int=108)),
    ]  # fmt: skip
    due = {"due_at": NOW}
    assert await noted(rows, given, stage="won") == ("dispute", whole(
        disputes=[(DISPUTE, {"stage": "won", **ENDED})], events=[told("WON")],
        refunds=[(UUID(int=101), due), (UUID(int=102), due)],
    ))  # fmt: skip
    assert await noted(rows, given) == ("known", {})
    fresh = [one for one in given if one != dispute()]
    assert "refunds" not in (await noted(rows, fresh))[1]
    _, found = await noted(rows, fresh, stage="won")
    assert found["refunds"] == [(UUID(int=101), due), (UUID(int=102), due)]


LOST: Row = {"stage": "lost", "ended_at": EARLIER, "told_at": EARLIER}
THERE: Row = {"origin": "gateway", "state": "succeeded", "gateway_refund_id": "d_1",
              "amount_minor": 900, "reason": "disputed"}  # fmt: skip
AFTER = NOW.isoformat()


def moved(name: str, was: str, state: str) -> Row:
    return event("refund", REFUND, name, was=was, state=state, data={"ended_at": NOW.isoformat()})


async def test_money_that_a_dispute_took_is_here_again_when_it_is_won_in_the_end(
    rows: Rows,
) -> None:
    won = {"stage": "won", **ENDED, "told_at": NOW}
    of_shop = [paid(fulfilled=5000, outside=900), dispute(**LOST), refund(**THERE)]
    failed = (REFUND, {"state": "failed", "version": 2, "ended_at": NOW})
    back = booked("gateway", "refunds_outside", 900, "refund_failed")
    assert await noted(rows, of_shop, stage="won", at=AFTER) == ("dispute", whole(
        disputes=[(DISPUTE, won)], captures=[(CAPTURE, {"outside": 0})], ledger=back,
        refunds=[failed], events=[told("WON"), moved("FAILED_THERE", "succeeded", "failed")],
    ))  # fmt: skip
    # A merchant's own sale was given up for it, and is earned again.
    lines = booked("sales", "refunds_payable", 900, "refunded_outside")
    given_up: Given = [("ledger", {**line, "txn": THEIRS}) for line in lines]
    of_api = [paid(fulfilled=4100, refund_due=900, outside=900, outside_used=900),
              *of_shop[1:], *given_up]  # fmt: skip
    said, found = await noted(rows, of_api, stage="won", at=AFTER)
    assert (said, found) == ("dispute", whole(
        disputes=[(DISPUTE, won)], refunds=[failed],
        captures=[(CAPTURE, {"fulfilled": 5000, "refund_due": 0, "outside": 0,
                             "outside_used": 0})],
        ledger=[*back, *booked("refunds_outside", "sales", 900, "regained")],
        events=[told("WON"), moved("FAILED_THERE", "succeeded", "failed")],
    ))  # fmt: skip


async def test_a_dispute_that_is_lost_again_takes_the_money_again(rows: Rows) -> None:
    won = dispute(stage="won", ended_at=EARLIER)
    dead = refund(**{**THERE, "state": "failed"}, key="gw_d_1", ended_at=EARLIER)
    given = [EARNED, won, dead]
    said, found = await noted(rows, given, stage="lost", at=AFTER)
    assert said == "dispute"
    (again,) = [row for row in found["refunds"] if isinstance(row, dict)]
    key = again.pop("key")
    assert key.startswith("gw_d_1:")
    assert again == {name: value for name, value in OUTSIDE.items() if name != "key"}
    data = {"gateway_refund_id": "d_1"}
    alive = event("refund", REFUND, "PROVED", was="failed", state="failed", data=data)
    assert (REFUND, {"gateway_refund_id": None, "version": 2}) in found["refunds"]
    assert found["events"] == in_order([told("LOST"), alive, MADE_OUTSIDE])
    assert found["captures"] == [(CAPTURE, {"outside": 900})]
    assert discrepancy("dead_refund_paid", 900, refund_id=REFUND) in found["discrepancies"]
    # Told as pending before, by its own list of refunds: then it goes through here.
    waits = refund(**{**THERE, "origin": "ours", "state": "pending"})
    said, found = await noted(rows, [EARNED, dispute(), waits], stage="lost")
    assert found["refunds"] == [(REFUND, {"state": "succeeded", "version": 2, "ended_at": NOW})]
    assert found["events"] == in_order([told("LOST"), moved("PROVED", "pending", "succeeded")])
    known = [paid(fulfilled=5000, outside=900), dispute(), refund(**THERE)]
    said, found = await noted(rows, known, stage="lost")
    assert (said, found["events"]) == (
        "dispute", in_order([told("LOST"), moved("PROVED", "succeeded", "succeeded")]),
    )  # fmt: skip
    assert "captures" not in found


async def test_what_cannot_be_set_off_is_a_persons_and_nothing_takes_nothing(rows: Rows) -> None:
    dollars = [EARNED, dispute(currency="USD")]
    said, found = await noted(rows, dollars, stage="lost")
    data = {**DATA, "currency": "USD"}
    assert (said, found) == ("dispute", whole(
        disputes=[(DISPUTE, {"stage": "lost", **ENDED})],
        events=[event("dispute", DISPUTE, "LOST", data=data)],
        discrepancies=[{k: v for k, v in discrepancy("dispute_in_another_currency", 0).items()
                        if v != 0}],
    ))  # fmt: skip
    assert "discrepancies" not in (await noted(rows, dollars, stage="won"))[1]
    for minor, takes in ((0, False), (1, True)):
        _, found = await noted(rows, [EARNED, dispute(amount_minor=minor)], stage="lost")
        assert found.get("captures", []) == ([(CAPTURE, {"outside": minor})] if takes else [])
        assert ("refunds" in found) is takes


BOOKS: tuple[tuple[list[tuple[str, str, int]], int, int], ...] = (
    # What the books say of the sale, what was lost, and what is earned again.
    ([], 900, 0), ([("sales", "refunded_outside", 900)], 900, 900),
    ([("sales", "refunded_outside", 500)], 900, 500), ([("sales", "refunded_outside", 900)], 1, 1),
    ([("sales", "refunded_outside", 900)], 0, 0),
    ([("sales", "refunded_outside", 900), ("sales", "regained", -300)], 900, 600),
    ([("sales", "refunded_outside", 900), ("sales", "regained", -900)], 900, 0),
    ([("sales", "asked", 900)], 900, 0), ([("gateway", "refunded_outside", 900)], 900, 0),
)  # fmt: skip


async def test_a_sale_is_earned_again_up_to_what_was_given_up_of_it(rows: Rows) -> None:
    other = capture(FIRST, fulfilled=4000, refund_due=1000, outside=1000, outside_used=1000)
    beside = ("ledger", {"txn": FIRST, "merchant_id": ASHA, "capture_id": FIRST,
                         "account": "sales", "why": "refunded_outside",
                         "amount": 1000})  # fmt: skip
    mine = paid(fulfilled=4000, refund_due=1000, outside=1000, outside_used=1000)
    for lines, lost, back in BOOKS:
        ledger: Given = [
            ("ledger", {"txn": UUID(int=900 + n), "merchant_id": ASHA, "capture_id": CAPTURE,
                        "account": account, "why": why, "amount": minor})
            for n, (account, why, minor) in enumerate(lines)
        ]  # fmt: skip
        _, found = await wrote(rows, [other, beside, mine, *ledger], TABLES,
                               "SELECT regain($1, $2, $3)", CAPTURE, lost, NOW)  # fmt: skip
        earned = {"fulfilled": 4000 + back, "refund_due": 1000 - back, "outside_used": 1000 - back}
        assert found == (whole(
            captures=[(CAPTURE, earned)],
            ledger=booked("refunds_outside", "sales", back, "regained"),
        ) if back else {}), (lines, lost)  # fmt: skip
