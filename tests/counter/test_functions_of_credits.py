"""What a credit note says of tax and of what went back, and what coupons and points follow of an
order: whole rows, with another order of the same merchant's beside each."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from tests.counter.test_functions_of_the_counter import (
    ASHA,
    CAPTURE,
    ONE,
    ORDER,
    OTHER,
    SECOND,
    SECOND_UNIT,
    SOON,
    THREE,
    TWO,
    UNIT,
    Given,
    Row,
    line,
    unit,
)
from tests.sales.asked import Asked, mistaken
from tests.sales.by_hand import NOW, Rows
from tests.sales.wrote import in_order, wrote

REFUND, OURS, EARLIER, PART, EXTRA, TIP, ACCOUNT, COUPON, CARD, CARD_BESIDE = (
    UUID(int=n) for n in range(80, 90)
)
THIRD_UNIT, OF_ANOTHER = UUID(int=46), UUID(int=47)
KEPT: Row = {"settlement": "fulfilled", "basis": "code"}
BACK: Row = {"settlement": "refund_due", "basis": "cancelled"}


def refund(key: UUID = REFUND, /, **given: Any) -> tuple[str, Row]:
    return "refunds", {
        "id": key, "merchant_id": ASHA, "account_id": ACCOUNT, "capture_id": CAPTURE,
        "origin": "ours", "state": "succeeded", "amount_minor": 100, "reason": "asked",
        "key": str(key), "ended_at": SOON, **given,
    }  # fmt: skip


def event(**given: Any) -> tuple[str, Row]:
    return "events", {
        "merchant_id": ASHA, "machine": "refund", "subject_id": REFUND, "event": "COVERED",
        "was": "pending", "state": "succeeded", **given,
    }  # fmt: skip


async def test_a_refund_corrects_the_receipt_unless_its_money_came_otherwise(rows: Rows) -> None:
    cases: tuple[tuple[Row, Row | None, bool], ...] = (
        ({}, None, True), ({"state": "failed"}, None, False), ({"state": "pending"}, None, False),
        ({"reason": "disputed"}, None, False), ({}, {}, False), ({}, {"event": "PROVED"}, True),
        ({}, {"machine": "payment"}, True), ({}, {"state": None}, True),
        ({}, {"subject_id": OTHER}, True),
    )  # fmt: skip
    for odd, told, credited in cases:
        given = [refund(**odd), *([event(**told)] if told is not None else [])]
        said, _ = await wrote(rows, given, [], "SELECT counter_credited(r) FROM refunds r")
        assert said is credited, (odd, told)


def extra(key: UUID, kind: str, order: UUID = ORDER, **given: Any) -> tuple[str, Row]:
    return "order_extras", {"id": key, "order_id": order, "kind": kind, "amount_minor": 50,
                            **given}  # fmt: skip


PIECES: Given = [
    line(OF_ANOTHER, order=OTHER, tax_bp=700), line(ONE, tax_bp=700), line(TWO, tax_bp=1900),
    line(THREE, tax_bp=700),
    unit(UUID(int=48), order_id=OTHER, line_id=OF_ANOTHER, amount_minor=900, tax_minor=90),
    unit(UNIT, amount_minor=107, tax_minor=7),
    unit(SECOND_UNIT, line_id=TWO, amount_minor=500, tax_minor=80),
    unit(THIRD_UNIT, line_id=THREE, amount_minor=300, tax_minor=20),
]  # fmt: skip


def note(key: UUID, number: int, **given: Any) -> tuple[str, Row]:
    return "counter_credit_notes", {
        "merchant_id": ASHA, "year": 2025, "number": number, "refund_id": key, "order_id": ORDER,
        "amount_minor": 10, "taxes": {}, "at": NOW, **given,
    }  # fmt: skip


async def taxes(rows: Rows, of: str, given: Given) -> str:
    told = f"SELECT string_agg(bp || ':' || tax, ' ' ORDER BY bp) FROM {of}($1)"
    said: str = (await wrote(rows, [*PIECES, *given], [], told, ORDER))[0]
    return said


async def test_the_tax_of_an_order_is_that_of_its_pieces_by_rate_and_what_was_added(
    rows: Rows,
) -> None:
    assert await taxes(rows, "counter_taxes", []) == "700:27 1900:80"
    others = [extra(TIP, "tip"), extra(EXTRA, "added_tax", OTHER)]
    assert await taxes(rows, "counter_taxes", others) == "700:27 1900:80"
    # 7 % of 407 is 28.49, and 19 % of 500 is 95.
    added = [extra(TIP, "tip"), extra(EXTRA, "added_tax")]
    assert await taxes(rows, "counter_taxes", added) == "700:55 1900:175"
    half = [*added, unit(UUID(int=49), line_id=TWO, amount_minor=50)]  # 19 % of 550 is 104.5
    assert await taxes(rows, "counter_taxes", half) == "700:55 1900:185"


async def test_what_stands_on_notes_is_not_left_of_it(rows: Rows) -> None:
    notes = [
        note(OTHER, 1, order_id=OTHER, taxes={"700": 5}), note(UNIT, 2, taxes={"700": 5}),
        note(OURS, 3, taxes={"700": 2, "1900": 80}), note(PART, 4, taxes={"700": 9}, void_at=NOW),
    ]  # fmt: skip
    assert await taxes(rows, "counter_taxes_left", []) == "700:27 1900:80"
    assert await taxes(rows, "counter_taxes_left", notes) == "700:20 1900:0"
    much = [*notes, note(EXTRA, 5, taxes={"700": 21})]
    assert await taxes(rows, "counter_taxes_left", much) == "700:0 1900:0"


def money(captured: int = 1000, **given: Any) -> tuple[str, Row]:
    return "captures", {
        "id": CAPTURE, "merchant_id": ASHA, "account_id": ACCOUNT, "order_id": ORDER,
        "gateway_payment_id": "pay_1", "captured": captured, **given,
    }  # fmt: skip


BESIDE: Given = [
    ("captures", {"id": OTHER, "order_id": ORDER, "captured": 7, "reason": "late",
                  "gateway_payment_id": "pay_2"}),
    ("captures", {"id": PART, "order_id": OTHER, "captured": 7, "gateway_payment_id": "pay_3"}),
    extra(TIP, "tip"), note(OTHER, 1, order_id=OTHER, amount_minor=990, unit_id=OF_ANOTHER),
    note(PART, 2, amount_minor=990, void_at=NOW, unit_id=UNIT),
]  # fmt: skip
ADDED = [extra(EXTRA, "added_tax")]  # with it 55 at 7 % and 175 at 19 %
GONE = [note(OURS, 3, amount_minor=100, taxes={"700": 3, "1900": 7})]  # 24 and 73 are left
OF_UNIT = [note(OURS, 3, amount_minor=100, unit_id=SECOND_UNIT, taxes={"1900": 16})]
SHARES: tuple[tuple[Row, Given, Row], ...] = (
    # Of all that was paid its share: 27 and 80 of 1000.
    ({"amount_minor": 500}, [], {"700": 14, "1900": 40}),
    ({"amount_minor": 15}, [], {"1900": 1}),
    ({"amount_minor": 631}, [], {"700": 17, "1900": 50}),
    ({"amount_minor": 999}, [], {"700": 27, "1900": 80}),
    ({"amount_minor": 1000}, [], {"700": 27, "1900": 80}),
    ({"amount_minor": 450}, GONE, {"700": 12, "1900": 37}),
    ({"amount_minor": 899}, GONE, {"700": 24, "1900": 73}),
    ({"amount_minor": 900}, GONE, {"700": 24, "1900": 73}),
    # Of a piece what is its own.
    ({"amount_minor": 250, "unit_id": SECOND_UNIT}, [], {"1900": 40}),
    ({"amount_minor": 3, "unit_id": SECOND_UNIT}, [], {}),
    ({"amount_minor": 107, "unit_id": UNIT}, [], {"700": 7}),
    ({"amount_minor": 150, "unit_id": UNIT}, [], {"700": 7}),
    ({"amount_minor": 400, "unit_id": SECOND_UNIT}, OF_UNIT, {"1900": 64}),
    ({"amount_minor": 200, "unit_id": SECOND_UNIT}, OF_UNIT, {"1900": 32}),
    ({"amount_minor": 900, "unit_id": SECOND_UNIT}, OF_UNIT, {"700": 27, "1900": 64}),
    ({"amount_minor": 899, "unit_id": SECOND_UNIT}, OF_UNIT, {"1900": 64}),
    ({"amount_minor": 500, "unit_id": SECOND_UNIT},
     [note(OURS, 3, amount_minor=10, taxes={"1900": 30})], {"1900": 50}),
    ({"amount_minor": 100, "unit_id": SECOND_UNIT},
     [note(OURS, 3, amount_minor=600, unit_id=SECOND_UNIT, taxes={"1900": 16})], {}),
    # Of tax that was added all that is left, and of a tip none.
    ({"amount_minor": 100, "extra_id": EXTRA}, ADDED, {"700": 24, "1900": 76}),
    ({"amount_minor": 230, "extra_id": EXTRA}, ADDED, {"700": 55, "1900": 175}),
    ({"amount_minor": 300, "extra_id": EXTRA}, ADDED, {"700": 55, "1900": 175}),
    ({"amount_minor": 100, "extra_id": TIP}, ADDED, {}),
    ({"amount_minor": 1000, "extra_id": TIP}, ADDED, {"700": 55, "1900": 175}),
    ({"amount_minor": 100, "extra_id": EXTRA},
     [*ADDED, note(OURS, 3, taxes={"700": 55, "1900": 175})], {}),
)  # fmt: skip


async def test_what_of_the_tax_goes_back_is_to_the_last_minor_unit(rows: Rows) -> None:
    said = "SELECT counter_credit_taxes(n) FROM counter_credit_notes n WHERE refund_id = $1"
    for of_note, given, shares in SHARES:
        # The note itself is void, as one that is not written yet does not count.
        asked = note(REFUND, 9, **of_note, void_at=NOW)
        found, _ = await wrote(rows, [*PIECES, *BESIDE, money(), *given, asked], [], said, REFUND)
        assert found == shares, (of_note, given)
    free, _ = await wrote(
        rows, [*PIECES, money(5), note(OURS, 3, amount_minor=5), note(REFUND, 9, void_at=NOW)], [],
        said, REFUND,
    )  # fmt: skip
    assert free == {"700": 27, "1900": 80}


CREDIT = "SELECT counter_credit($1)"
NOTES = ("counter_credit_notes", "counter_credit_years")
AT_COUNTER: Given = [
    ("merchants", {"id": ASHA, "slug": "asha"}),
    ("counter_orders", {"order_id": OTHER, "outlet_id": "K01"}),
    ("counter_orders", {"order_id": ORDER, "outlet_id": "K01"}), *PIECES, *BESIDE, money(),
    refund(UUID(int=99), capture_id=PART), refund(UUID(int=98), capture_id=OTHER),
    ("order_refund_parts", {"fulfillment_id": UNIT}),
]  # fmt: skip
NEW: Row = {
    "merchant_id": ASHA, "year": 2026, "number": 1, "refund_id": REFUND, "order_id": ORDER,
    "amount_minor": 100, "taxes": {"700": 3, "1900": 8}, "at": SOON,
}  # fmt: skip
OF_PIECE: Row = {**NEW, "unit_id": SECOND_UNIT, "taxes": {"1900": 16}}
YEAR: Row = {"merchant_id": ASHA, "year": 2026, "last": 1}
BY_PART: Row = {"part_id": PART}
WITHDRAWN: Row = {**BACK, "basis": "withdrawn", "settled_at": NOW, "amount_minor": 100}
CREDITS: tuple[tuple[Row, Given, Row | None], ...] = (
    ({}, [], NEW),
    ({"ended_at": None, "created_at": NOW - SECOND}, [], {**NEW, "at": NOW - SECOND}),
    ({"fulfillment_id": SECOND_UNIT}, [], OF_PIECE),
    (BY_PART, [("order_refund_parts", {"id": PART, "fulfillment_id": SECOND_UNIT})], OF_PIECE),
    ({**BY_PART, "fulfillment_id": SECOND_UNIT},
     [("order_refund_parts", {"id": PART, "fulfillment_id": UNIT})], OF_PIECE),
    (BY_PART, [("order_refund_parts", {"id": PART, "extra_id": TIP})],
     {**NEW, "extra_id": TIP, "taxes": {}}),
    ({"in_place_of": OURS, "origin": "gateway"},
     [refund(OURS, fulfillment_id=SECOND_UNIT, state="pending")], OF_PIECE),
    # One of an extra that went back is known by its sum and its reason.
    ({"reason": "withdrawn"}, [extra(EXTRA, "delivery_fee", **WITHDRAWN)],
     {**NEW, "extra_id": EXTRA, "taxes": {}}),
    ({"reason": "withdrawn"},
     [extra(EXTRA, "delivery_fee", **WITHDRAWN),
      extra(OURS, "added_tax", OTHER, **WITHDRAWN), extra(PART, "tip", OTHER, **WITHDRAWN),
      note(EARLIER, 7, extra_id=PART)],
     {**NEW, "extra_id": EXTRA, "taxes": {}}),
    ({"reason": "withdrawn"}, [extra(EXTRA, "delivery_fee", **WITHDRAWN),
                               note(EARLIER, 7, extra_id=EXTRA, void_at=NOW)],
     {**NEW, "extra_id": EXTRA, "taxes": {}}),
    ({"reason": "withdrawn"}, [extra(UUID(int=97), "added_tax", **WITHDRAWN),
                               extra(EXTRA, "delivery_fee", **WITHDRAWN)],
     {**NEW, "extra_id": EXTRA, "taxes": {}}),
    ({"reason": "withdrawn"}, [extra(EXTRA, "delivery_fee", **WITHDRAWN),
                               note(EARLIER, 7, extra_id=EXTRA)], NEW),
    ({"reason": "withdrawn"}, [extra(EXTRA, "delivery_fee", OTHER, **WITHDRAWN)], NEW),
    ({"reason": "withdrawn"},
     [extra(EXTRA, "delivery_fee", **{**WITHDRAWN, "basis": "not_handed_over"})], NEW),
    ({"reason": "withdrawn"},
     [extra(EXTRA, "delivery_fee", **{**WITHDRAWN, "amount_minor": 101})], NEW),
    ({"reason": "withdrawn"},
     [extra(EXTRA, "delivery_fee", **{**WITHDRAWN, "settlement": "fulfilled"})], NEW),
    ({"reason": "withdrawn", "origin": "gateway"},
     [extra(EXTRA, "delivery_fee", **WITHDRAWN)], NEW),
    ({"reason": "withdrawn", "fulfillment_id": SECOND_UNIT},
     [extra(EXTRA, "delivery_fee", **WITHDRAWN)], OF_PIECE),
    ({"capture_id": OTHER}, [], None),  # money that bought nothing
    ({"state": "failed"}, [], None),
    ({}, [note(REFUND, 7)], None),
)  # fmt: skip


async def test_a_note_is_written_once_of_what_its_refund_is_for(rows: Rows) -> None:
    for of_refund, given, written in CREDITS:
        asked = [*AT_COUNTER, *given, refund(**of_refund)]
        _, found = await wrote(rows, asked, NOTES, CREDIT, REFUND)
        wanted: Any = {}
        if written is not None:
            whole = {name: value for name, value in written.items() if value != {}}
            wanted = {"counter_credit_notes": [whole], "counter_credit_years": [YEAR]}
        assert found == wanted, (of_refund, given)
    no_counter = [(table, row) for table, row in AT_COUNTER if row.get("order_id") != ORDER]
    assert (await wrote(rows, [*no_counter, money(), refund()], NOTES, CREDIT, REFUND))[1] == {}


async def test_numbers_of_notes_go_on_in_the_year_there(rows: Rows) -> None:
    new_year = datetime(2026, 12, 31, 23, tzinfo=UTC)
    before: Given = [
        ("counter_credit_years", {"merchant_id": owner, "year": year, "last": last})
        for owner, year, last in ((OTHER, 2027, 60), (ASHA, 2026, 50), (ASHA, 2027, 4))
    ]
    there: Given = [
        ("merchants", {"id": OTHER, "slug": "other", "zone": "America/New_York"}),
        ("merchants", {"id": ASHA, "slug": "asha", "zone": "Asia/Kolkata"}),
    ]
    given = [*there, *AT_COUNTER[1:], *before, refund(ended_at=new_year)]
    _, found = await wrote(rows, given, NOTES, CREDIT, REFUND)
    assert found == {
        "counter_credit_notes": [{**NEW, "year": 2027, "number": 5, "at": new_year}],
        "counter_credit_years": [((ASHA, 2027), {"last": 5})],
    }


async def test_the_note_of_a_refund_that_failed_after_all_is_void(rows: Rows) -> None:
    notes = [note(EARLIER, 6), note(REFUND, 7)]
    for odd, at in (({}, SOON), ({"ended_at": None, "created_at": NOW - SECOND}, NOW - SECOND)):
        given = [*AT_COUNTER, *notes, refund(state="failed", **odd)]
        _, found = await wrote(rows, given, NOTES, CREDIT, REFUND)
        assert found == {"counter_credit_notes": [((ASHA, 2025, 7), {"void_at": at})]}
    void = [*AT_COUNTER, note(REFUND, 7, void_at=NOW), refund(state="failed")]
    assert (await wrote(rows, void, NOTES, CREDIT, REFUND))[1] == {}


COLLECTS: Row = {
    "order_id": ORDER, "merchant_id": ASHA, "card_id": CARD, "kind": "points", "earn_minor": 100,
}  # fmt: skip


def pieces(*settled: tuple[Row, int, int, int]) -> Given:
    """Of each piece how it ended, what it cost, what was paid and what a person gave back."""
    given: Given = []
    for number, (how, price, paid, taken) in enumerate(settled):
        key = UUID(int=200 + number)
        given += [
            ("order_lines", {"id": key, "order_id": ORDER, "price_minor": price}),
            unit(key, line_id=key, amount_minor=paid, **how),
        ]
        part = {"fulfillment_id": key, "amount_minor": taken, "ended_at": NOW}
        if taken:
            given += [("order_refund_parts", {**part, "outcome": "taken"}),
                      ("order_refund_parts",
                       {**part, "outcome": "went_back", "amount_minor": taken + 1})]  # fmt: skip
    return given


ELSE: Given = [
    ("orders", {"id": OTHER, "outlet_id": "K01", "state": "expired", "source": "page",
                "token": "o"}),
    ("order_offers", {**COLLECTS, "order_id": OTHER, "card_id": CARD_BESIDE}),
    ("order_lines", {"id": OF_ANOTHER, "order_id": OTHER, "price_minor": 5000}),
    unit(UUID(int=48), order_id=OTHER, line_id=OF_ANOTHER, amount_minor=4000, **KEPT),
    ("order_refund_parts", {"fulfillment_id": UUID(int=48), "amount_minor": 30, "ended_at": NOW,
                            "outcome": "taken"}),
    ("loyalty_entries", {"id": 9, "card_id": CARD_BESIDE, "order_id": OTHER, "what": "earned",
                         "number": 5, "points": 70}),
]  # fmt: skip
SOLD = pieces((KEPT, 500, 450, 50), (KEPT, 300, 299, 0), (BACK, 400, 350, 0), ({}, 900, 900, 0))
USED: Row = {"off_minor": 101, "points_used": 30}
STAMP: Row = {"kind": "stamps"}
POINTS: tuple[tuple[Row, str, Given, str | None], ...] = (
    ({}, "paid", SOLD, f"({CARD},6,0)"),  # of 699 that were kept
    ({"earn_minor": 699}, "paid", SOLD, f"({CARD},1,0)"),
    ({"earn_minor": 700}, "paid", SOLD, f"({CARD},0,0)"),
    ({**STAMP, "earn_minor": 699}, "paid", SOLD, f"({CARD},1,0)"),
    ({**STAMP, "earn_minor": 700}, "paid", SOLD, f"({CARD},0,0)"),
    ({**STAMP, "earn_minor": 1}, "paid", SOLD, f"({CARD},1,0)"),
    (USED, "paid", SOLD, f"({CARD},6,-16)"),  # 50 of 101 went back, which is 14 points
    ({"earn_minor": 1}, "paid", pieces((BACK, 400, 350, 0)), f"({CARD},0,0)"),
    ({**USED, "off_minor": 20}, "paid", pieces((KEPT, 9, 9, 0)), f"({CARD},0,-30)"),
    (USED, "expired", [], f"({CARD},0,0)"),
    (USED, "placed", [], f"({CARD},0,-30)"),
    ({**USED, "off_minor": 0}, "paid", SOLD, f"({CARD},6,0)"),
    ({**USED, "off_minor": 50}, "paid", SOLD, f"({CARD},6,0)"),
    ({"card_id": None, "kind": None, "earn_minor": None}, "paid", SOLD, None),
)


def offered(of_offer: Row, state: str) -> Given:
    return [
        *ELSE,
        ("orders", {"id": ORDER, "outlet_id": "K01", "state": state, "source": "page"}),
        ("order_offers", {**COLLECTS, **of_offer}),
        *((("loyalty_cards", {"id": key, "token_digest": str(key)}))
          for key in (CARD_BESIDE, CARD)),
    ]  # fmt: skip


async def test_points_are_of_what_was_kept_and_a_discount_of_what_was_not(rows: Rows) -> None:
    for of_offer, state, sold, said in POINTS:
        given = [*offered(of_offer, state), *sold]
        found, _ = await wrote(rows, given, [], "SELECT p::text FROM order_points($1) p", ORDER)
        assert found == said, (of_offer, state)


def entry(what: str, number: int, points: int, **given: Any) -> tuple[str, Row]:
    return "loyalty_entries", {
        "card_id": CARD, "order_id": ORDER, "what": what, "number": number, "points": points,
        "id": 10 * number + len(what), **given,
    }  # fmt: skip


EARNED: Row = {"merchant_id": ASHA, "card_id": CARD, "order_id": ORDER, "what": "earned",
               "number": 1, "points": 6, "at": NOW}  # fmt: skip
REDEEMED: Row = {**EARNED, "what": "redeemed", "points": -16}
COUPONED: Row = {"card_id": None, "kind": None, "earn_minor": None, "coupon_id": COUPON}
BOTH: Row = {"coupon_id": COUPON}
FREE = {"order_offers": [(ORDER, {"given_back_at": NOW})]}
ALL_BACK = pieces((BACK, 500, 450, 0), (BACK, 500, 450, 0))
FOLLOWED: tuple[tuple[Row, str, Given, Any], ...] = (
    ({}, "paid", SOLD, {"loyalty_entries": [EARNED]}),
    (USED, "paid", SOLD, {"loyalty_entries": [EARNED, REDEEMED]}),
    (USED, "paid", [*SOLD, entry("earned", 1, 9), entry("earned", 2, -4),
                    entry("redeemed", 1, -30)],
     {"loyalty_entries": [{**EARNED, "number": 3, "points": 1},
                          {**REDEEMED, "number": 2, "points": 14}]}),
    (USED, "paid", [*SOLD, entry("earned", 1, 6), entry("redeemed", 1, -16)], {}),
    (COUPONED, "expired", [], FREE), (COUPONED, "placed", [], {}), (COUPONED, "paid", SOLD, {}),
    (COUPONED, "paid", ALL_BACK, FREE),
    (COUPONED, "paid", pieces((BACK, 500, 450, 0), ({}, 500, 450, 0)), {}),
    (COUPONED, "paid", pieces((BACK, 500, 450, 0), (KEPT, 500, 450, 0)), {}),
    ({**COUPONED, "given_back_at": SOON}, "expired", [], {}),
    ({**COUPONED, "coupon_id": None}, "expired", [], {}),
    (BOTH, "paid", ALL_BACK, FREE),
    (BOTH, "paid", SOLD, {"loyalty_entries": [EARNED]}),
)  # fmt: skip


async def test_cards_and_coupons_follow_what_becomes_of_their_order(rows: Rows) -> None:
    call = "SELECT offers_follow($1, $2)"
    tables = ("order_offers", "loyalty_entries", "loyalty_cards")
    for of_offer, state, beside, written in FOLLOWED:
        given = [*offered(of_offer, state), *beside]
        _, found = await wrote(rows, given, tables, call, ORDER, NOW)
        wanted = {table: in_order(entries) for table, entries in written.items()}
        assert found == wanted, (of_offer, state, beside)
    assert (await wrote(rows, [*ELSE, *SOLD], tables, call, ORDER, NOW))[1] == {}


async def test_entries_of_one_card_are_appended_one_after_the_other(rows: Rows) -> None:
    """Its row is locked, also where nothing is to be written yet."""
    card = {"orders": {"id": ORDER, "outlet_id": "K01", "state": "paid", "source": "page"},
            "order_offers": COLLECTS, "loyalty_cards": {"id": CARD}}  # fmt: skip
    call = "SELECT offers_follow($1, $2)"
    asked = Asked("a card", call, (ORDER, NOW), card, (),
                  gives={"n": 1}, after="SELECT 1 AS n", locks=("loyalty_cards",))  # fmt: skip
    assert await mistaken(rows, [asked]) == []
