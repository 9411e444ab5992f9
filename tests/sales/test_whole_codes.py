"""Printed codes by rows: what is listed of each slot, what a price, a sheet and the end of a
machine make of its code, and what each answer of the gateway does. Another machine's is beside."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from coinslot.context import Context
from coinslot.gateways.base import Absent, Declined, Mark, Payments, QrFact, QrOrder, Unclear
from coinslot.gateways.wire import NoReply
from coinslot.kit.money import Money
from coinslot.outlets.machines import UnknownOutletError
from coinslot.payments import printed_codes, provision, qr_codes
from coinslot.payments.printed_codes import SlotCode, WantedSheet
from coinslot.payments.provision import CannotPrintError, Profile, WantedCode
from coinslot.people.audit_log import Act
from tests.fleet.shop import (
    ACCOUNT,
    ACTOR,
    ASHA,
    CHANDRA,
    COLA,
    TEA,
    Given,
    Row,
    context,
    noted,
    outlet,
    printed,
    product,
    slot,
    woken,
)
from tests.sales.by_hand import NOW, Rows
from tests.sales.wrote import in_order, wrote

SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)
FIRST, OTHER, OLD, OLDER, HERS = (UUID(int=n) for n in range(41, 46))
PAYMENT, ATTEMPT, NEWER, ORDER = (UUID(int=n) for n in range(51, 55))
TABLES = ("qr_codes", "outlets", "payments", "attempts", "qr_polls", "audit_log")


class Printer:
    """A gateway that issues codes, and answers as it is told."""

    def __init__(self, made: Any = None, found: Any = None, paid: Any = None) -> None:
        self.made, self.found, self.paid = made, found or Absent(), paid
        self.asked: list[Any] = []

    async def find_qr(self, mark: Mark) -> Any:
        self.asked.append(mark)
        return self.found

    async def print_qr(self, order: QrOrder) -> Any:
        self.asked.append(order)
        return self.made

    async def close_qr(self, qr_code_id: str) -> Any:
        self.asked.append(("close", qr_code_id))
        return self.made

    async def qr_payments(self, qr_code_id: str, since: Any) -> Any:
        self.asked.append((qr_code_id, since))
        return self.paid

    async def qr_of_payment(self, gateway_payment_id: str) -> Any:
        raise AssertionError(gateway_payment_id)


MERCHANT: Row = {"id": ASHA, "slug": "asha", "name": "Asha", "contact": "help@asha",
                 "languages": ["hi", "en"]}  # fmt: skip
SHOP: Given = [
    ("merchants", MERCHANT), ("merchants", {"id": CHANDRA, "slug": "hers", "name": "Hers"}),
    outlet("C01", merchant_id=CHANDRA), outlet("M02"), outlet("M01"),
    ("gateway_accounts", {"id": ACCOUNT, "merchant_id": ASHA, "gateway": "mock", "slug": "m"}),
    product(TEA, "tea", 2000), product(COLA, "cola", 4000),
    slot("A1", TEA, 2000, outlet_id="M02"), slot("A2", TEA, 2000), slot("A1", COLA, 4000),
    slot("A1", TEA, 1, outlet_id="C01"),
    printed(OTHER, "A1", 2000, outlet_id="M02"), printed(HERS, "A1", 1, outlet_id="C01"),
]  # fmt: skip


async def does(
    rows: Rows, given: Given, verb: Any, driver: Any = None
) -> tuple[Any, dict[str, list[Any]], set[str]]:
    """What it returned, what it wrote, and whom it woke."""
    seen: set[str] = set()

    class Accounts:
        async def by_id(self, key: UUID) -> Any:
            assert key == ACCOUNT
            return SimpleNamespace(
                id=ACCOUNT, merchant_id=ASHA, driver=driver, gateway="mock", slug="m",
                ahead=lambda: None, live=True,
            )  # fmt: skip

    async def run(conn: Any) -> Any:
        here = context(conn, accounts=Accounts())
        said = await verb(here)
        seen.update(woken(here))
        return said

    said, found = await wrote(rows, [*SHOP, *given], TABLES, run)
    return said, found, seen


async def asked(rows: Rows, given: Given, verb: Any, driver: Any = None) -> Any:
    """What is answered, where nothing is written."""
    said, found, seen = await does(rows, given, verb, driver)
    assert (found, seen) == ({}, set())
    return said


PLAIN = SlotCode(
    outlet="M01", outlet_name="Hall", slot="A1", product="Cola", price=Money(4000, "INR"),
    merchant="Asha", contact="call", nothing_out="", account_id=ACCOUNT, languages=("hi", "en"),
)  # fmt: skip
TEA_SLOT = replace(PLAIN, slot="A2", product="Tea", price=Money(2000, "INR"))
WITH_CODE = replace(
    PLAIN, code=FIRST, stage="open", takes=Money(3900, "INR"), payable="upi://x",
    image_url="https://i", sheet_at=NOW, old=Money(3800, "INR"), old_at=NOW - HOUR,
)  # fmt: skip


async def test_each_slot_is_listed_with_its_code_and_what_may_still_hang_there(rows: Rows) -> None:
    def listed(*more: Any) -> Any:
        async def verb(here: Context) -> list[SlotCode]:
            async with here.db.as_merchant(ASHA) as conn:
                return await printed_codes.listed(conn, ASHA, *more)

        return verb

    of_m02 = replace(TEA_SLOT, outlet="M02", slot="A1", code=OTHER, stage="open",
                     takes=Money(2000, "INR"))  # fmt: skip
    assert await asked(rows, [], listed()) == [PLAIN, TEA_SLOT, of_m02]
    assert await asked(rows, [], listed(["M01"])) == [PLAIN, TEA_SLOT]
    assert await asked(rows, [], listed(["M02", "C01"])) == [of_m02]
    assert await asked(rows, [], listed(None, "M01")) == [of_m02]
    assert await asked(rows, [], listed(None, "M02")) == []
    assert await asked(rows, [], listed(None, None, 1)) == [PLAIN, TEA_SLOT]
    many = [outlet(f"N{n:03}") for n in range(60)]
    slots = [slot("A1", TEA, 5, outlet_id=f"N{n:03}") for n in range(60)]
    page = await asked(rows, [*many, *slots], listed())
    assert [one.outlet for one in page] == ["M01", "M01", "M02", *(f"N{n:03}" for n in range(48))]
    code = printed(FIRST, "A1", 3900, payable="upi://x", image_url="https://i", sheet_at=NOW)
    gone = {"retired_at": NOW, "sheet_at": NOW - HOUR}
    given = [
        code, printed(OLDER, "A1", 3700, retired_at=NOW - HOUR, sheet_at=NOW),
        printed(OLD, "A1", 3800, **gone), printed(UUID(int=90), "A1", 1, retired_at=NOW + HOUR),
        printed(UUID(int=91), "A1", 2, **{**gone, "retired_at": NOW + HOUR}, taken_down_at=NOW),
        printed(UUID(int=92), "A1", 3, payment_id=PAYMENT, attempt_id=ATTEMPT),
    ]  # fmt: skip
    assert (await asked(rows, given, listed(["M01"])))[0] == WITH_CODE
    brand = ("brands", {"merchant_id": ASHA, "shown_name": "Asha's", "support": "us",
                        "nothing_out": "mail us"})  # fmt: skip
    (first, *_) = await asked(rows, [brand], listed(["M01"]))
    assert first == replace(PLAIN, merchant="Asha's", nothing_out="mail us")
    nameless = outlet("M03", contact="", name="Yard", account_id=None)
    there = [nameless, slot("A1", TEA, 5, outlet_id="M03")]
    for more, contact in (([brand], "us"), ([], "help@asha")):
        (one,) = await asked(rows, [*there, *more], listed(["M03"]))
        assert (one.contact, one.outlet_name, one.account_id) == (contact, "Yard", None)
    closed = outlet("M04", decommissioned_at=NOW)
    assert await asked(rows, [closed, slot("A1", TEA, 5, outlet_id="M04")], listed(["M04"])) == []


def test_a_code_is_true_while_it_takes_what_the_slot_costs() -> None:
    assert PLAIN.is_true
    assert not WITH_CODE.is_true
    assert replace(WITH_CODE, takes=PLAIN.price).is_true
    assert not replace(WITH_CODE, takes=Money(4000, "USD")).is_true


async def test_only_a_gateway_that_issues_codes_prints(rows: Rows) -> None:
    async def verb(here: Context) -> Any:
        return await printed_codes.prints(here, [PLAIN, TEA_SLOT, replace(PLAIN, account_id=None)])

    assert await asked(rows, [], verb, Printer()) == {ACCOUNT}
    assert await asked(rows, [], verb, SimpleNamespace()) == frozenset()


NEW: Row = {
    "merchant_id": ASHA, "account_id": ACCOUNT, "outlet_id": "M01", "stage": "wanted",
    "currency": "INR", "created_at": NOW, "due_at": NOW,
}  # fmt: skip
RETIRED: Row = {"retired_at": NOW, "due_at": NOW, "leased_until": None, "lease": 2}
CLOSING = {**RETIRED, "stage": "closing"}


async def test_a_sheet_has_codes_made_for_slots_that_have_none_or_another_price(
    rows: Rows,
) -> None:
    act = Act(action="codes.sheet", merchant=ASHA, subject="M01")
    entry = noted("codes.sheet", "M01")

    async def sheet(given: Given, *slots: tuple[str, str], replaces: bool = True) -> Any:
        wanted = WantedSheet(merchant=ASHA, slots=slots, replace=replaces)
        _, found, seen = await does(
            rows, given, lambda here: printed_codes.want(here, wanted, ACTOR, act)
        )
        assert (found["audit_log"], seen) == ([entry], {"qr_codes"})
        return found.get("qr_codes", [])

    both = (("M01", "A2"), ("M01", "A1"))
    mine = printed(FIRST, "A1", 3900)
    tea = {**NEW, "slot": "A2", "amount_minor": 2000, "sheet_at": NOW}
    cola = {**NEW, "slot": "A1", "amount_minor": 4000, "sheet_at": NOW}
    assert await sheet([mine], *both) == in_order([(FIRST, CLOSING), cola, tea])
    assert await sheet([mine], *both, replaces=False) == in_order([(FIRST, {"sheet_at": NOW}), tea])
    assert await sheet([], ("M01", "A9"), ("M99", "A1")) == []
    gone = [outlet("M05", decommissioned_at=NOW), slot("A1", TEA, 1, outlet_id="M05"),
            outlet("M06", account_id=None), slot("A1", TEA, 1, outlet_id="M06")]  # fmt: skip
    assert await sheet(gone, ("M05", "A1"), ("M06", "A1"), both[0]) == [tea]
    assert printed_codes.CODES_AT_MOST == 200


async def test_the_code_that_a_slot_should_have_takes_the_place_of_another_one(rows: Rows) -> None:
    wanted = WantedCode(merchant=ASHA, account_id=ACCOUNT, outlet="M01", slot="A1",
                        money=Money(4000, "INR"), due_at=NOW + HOUR)  # fmt: skip

    async def want(*given: tuple[str, Row], anew: bool = False) -> tuple[Any, list[Any]]:
        async def verb(here: Context) -> Any:
            async with here.db.as_merchant(ASHA) as conn:
                return await provision.want_printed(conn, wanted, NOW, anew=anew)

        said, found, seen = await does(rows, list(given), verb)
        assert seen == set()
        return said, found.get("qr_codes", [])

    new = {**NEW, "slot": "A1", "amount_minor": 4000, "due_at": NOW + HOUR}
    assert await want() == (None, [new])
    for minor in (3999, 4001):
        old = printed(FIRST, "A1", minor)
        assert await want(old) == (minor, in_order([(FIRST, CLOSING), new]))
    making = printed(FIRST, "A1", 1, stage="wanted", qr_code_id=None)
    assert await want(making) == (1, in_order([(FIRST, RETIRED), new]))
    same = printed(FIRST, "A1", 4000)
    assert await want(same) == (None, [])
    assert await want(same, anew=True) == (4000, in_order([(FIRST, CLOSING), new]))
    beside = [printed(FIRST, "A2", 1), printed(OLD, "A1", 1, retired_at=NOW - HOUR),
              printed(OLDER, "A1", 1, payment_id=PAYMENT, attempt_id=ATTEMPT)]  # fmt: skip
    assert await want(*beside) == (None, [new])


async def test_codes_of_a_machine_that_is_out_of_service_are_to_be_closed(rows: Rows) -> None:
    given = [
        printed(FIRST, "A1", 4000), printed(OLDER, "A2", 1, stage="wanted", qr_code_id=None),
        printed(OLD, "A1", 1, retired_at=NOW - HOUR, stage="closed"),
        printed(UUID(int=91), "A1", 1, payment_id=PAYMENT, attempt_id=ATTEMPT),
    ]  # fmt: skip
    _, found, seen = await does(rows, given, lambda here: provision.decommission(here, "M01"))
    codes = in_order([(FIRST, CLOSING), (OLDER, RETIRED)])
    assert (found, seen) == (
        {"outlets": [("M01", {"decommissioned_at": NOW})], "qr_codes": codes}, {"qr_codes"},
    )  # fmt: skip
    gone = outlet("M07", decommissioned_at=NOW - HOUR)
    assert await does(rows, [gone], lambda here: provision.decommission(here, "M07")) == (
        None, {}, {"qr_codes"},
    )  # fmt: skip
    with pytest.raises(UnknownOutletError):
        await does(rows, [], lambda here: provision.decommission(here, "M99"))


PROFILE = Profile(
    outlet="M01", outlet_name="Hall", slot="A1", product="Cola", merchant_name="Asha",
    languages=("hi", "en"), contact="call", provider="mock", qr_code_id=str(FIRST),
    qr_image_url="https://i", qr_short_url="https://s", money=Money(3900, "INR"),
)  # fmt: skip


async def test_what_hangs_is_known_by_its_sheet_and_until_a_person_takes_it_down(
    rows: Rows,
) -> None:
    code = printed(FIRST, "A1", 3900, image_url="https://i", short_url="https://s")
    beside = [
        printed(OLD, "A2", 1), printed(OLDER, "A1", 1, retired_at=NOW - HOUR, sheet_at=NOW - HOUR),
        printed(UUID(int=91), "A1", 1, retired_at=NOW - HOUR, taken_down_at=NOW - HOUR),
        printed(UUID(int=92), "A1", 1, payment_id=PAYMENT, attempt_id=ATTEMPT, retired_at=NOW),
        printed(UUID(int=93), "A2", 1, retired_at=NOW),
    ]  # fmt: skip
    _, found, _ = await does(
        rows, [code, *beside], lambda here: provision.sheet_made(here, PROFILE)
    )
    assert found == {"qr_codes": [(FIRST, {"sheet_at": NOW})]}

    async def down(here: Context) -> None:
        async with here.db.as_merchant(ASHA) as conn:
            await printed_codes.taken_down(conn, "M01", "A1", NOW)

    _, found, _ = await does(rows, [code, *beside], down)
    assert found == {"qr_codes": [(OLDER, {"taken_down_at": NOW})]}
    row: Any = {**code[1], "account_id": ACCOUNT}
    assert await asked(rows, [code], lambda here: provision._profile(here, row)) == PROFILE

    async def lines(here: Context) -> list[str]:
        return await provision.at_another_price(here.db)

    assert await asked(rows, [code, *beside], lines) == [
        "M01's printed code takes 39.00 INR, slot A1 costs 40.00 INR",
        "M01's printed code takes 0.01 INR, slot A2 costs 20.00 INR",
    ]  # fmt: skip


async def test_a_slot_is_priced_in_service_at_an_account_that_is_enabled(rows: Rows) -> None:
    def priced(name: str | None, machine: str = "M01") -> Any:
        async def verb(here: Context) -> Any:
            async with here.db.as_merchant(ASHA) as conn:
                return await provision._priced(conn, machine, name)

        return verb

    cola = provision.Priced("A1", Money(4000, "INR"), ACCOUNT, "mqtt")
    for name in ("A1", None):
        assert await asked(rows, [], priced(name)) == cola
    tea = await asked(rows, [], priced("A2"))
    assert tea == provision.Priced("A2", Money(2000, "INR"), ACCOUNT, "mqtt")
    bad = UUID(int=99)
    off = ("gateway_accounts", {"id": bad, "slug": "x", "disabled_at": NOW})
    refused = [
        off, outlet("M05", decommissioned_at=NOW), slot("A1", TEA, 1, outlet_id="M05"),
        outlet("M06", account_id=bad), slot("A1", TEA, 1, outlet_id="M06"), outlet("M07"),
    ]  # fmt: skip
    for name, machine in (("A9", "M01"), ("A1", "M05"), ("A1", "M06"), (None, "M07"),
                          ("A1", "M99")):  # fmt: skip
        with pytest.raises(CannotPrintError, match="no such slot in service"):
            await does(rows, refused, priced(name, machine))


async def test_what_new_codes_say_is_read_from_pictures_once(rows: Rows) -> None:
    fetched: list[str] = []

    async def fetch(url: str) -> Any:
        fetched.append(url)
        return NoReply("away") if url == "https://away" else b"no picture"

    one = replace(WITH_CODE, payable=None, image_url="https://blank")
    codes = [PLAIN, WITH_CODE, one, replace(one, image_url="https://away"),
             replace(one, image_url=None), replace(one, image_url="")]  # fmt: skip
    given = [printed(FIRST, "A1", 3900)]
    said = await asked(rows, given, lambda here: printed_codes.read_codes(here, ASHA, codes, fetch))
    assert said is None
    assert sorted(fetched) == ["https://away", "https://blank"]


MADE = QrFact(qr_code_id="qr_9", image_url="https://i", open=True, reusable=True,
              money=Money(4000, "INR"))  # fmt: skip
WANTED: Row = {"stage": "wanted", "qr_code_id": None, "created_at": NOW - HOUR, "tries": 2,
               "account_id": ACCOUNT}  # fmt: skip
OF_PAYMENT: Row = {"payment_id": PAYMENT, "attempt_id": ATTEMPT}
PAID_FOR: Given = [
    ("orders", {"id": ORDER, "merchant_id": ASHA, "outlet_id": "M01", "state": "placed",
                "source": "page", "token": "t", "expires_at": NOW + HOUR}),
    ("payments", {"id": PAYMENT, "merchant_id": ASHA, "order_id": ORDER, "state": "created"}),
    ("attempts", {"id": ATTEMPT, "merchant_id": ASHA, "payment_id": PAYMENT, "number": 1,
                  "state": "started", "account_id": ACCOUNT, "key": "k"}),
]  # fmt: skip
OPEN: Row = {"stage": "open", "qr_code_id": "qr_9", "image_url": "https://i",
             "short_url": "https://i", "leased_until": None, "tries": 0}  # fmt: skip
OFF: Row = {"tries": 3, "leased_until": None, "due_at": NOW + 4 * SECOND}


async def driven(
    rows: Rows, driver: Any, code: tuple[str, Row], *more: tuple[str, Row]
) -> dict[str, list[Any]]:
    row: Any = {"payment_id": None, "attempt_id": None, "retired_at": None, "asked_at": None,
                **code[1]}  # fmt: skip
    given = [*more, code]
    _, found, _ = await does(rows, given, lambda here: qr_codes.drive_qr(here, row), driver)
    return found


def states(found: dict[str, list[Any]]) -> tuple[Any, Any]:
    """Of the attempt and of the payment, where they moved."""
    return tuple(
        next((row.get("state", "same") for _, row in found.get(table, [])), None)
        for table in ("attempts", "payments")
    )  # type: ignore[return-value]


async def test_a_printed_code_is_looked_for_before_it_is_made_and_then_polled(rows: Rows) -> None:
    code = printed(FIRST, "A1", 4000, **WANTED)
    poll = {"merchant_id": ASHA, "asked_at": NOW - HOUR, "due_at": NOW + 20 * SECOND}
    opened = {**OPEN, "asked_at": NOW - HOUR}
    mark = Mark(installation="test", qr=str(FIRST))
    order = QrOrder(
        money=Money(4000, "INR"), reusable=True, name="Hall", description="Cola (M01 A1)",
        mark=mark, outlet="M01", slot="A1",
    )  # fmt: skip
    for printer, calls in ((Printer(MADE), [mark, order]), (Printer(found=MADE), [mark])):
        assert await driven(rows, printer, code) == {
            "qr_codes": [(FIRST, opened)], "qr_polls": [poll],
        }  # fmt: skip
        assert printer.asked == calls
    for made in (Declined("no"), Unclear("lost")):
        assert await driven(rows, Printer(made), code) == {"qr_codes": [(FIRST, OFF)]}
    lost = Printer(MADE, found=Unclear("lost"))
    assert await driven(rows, lost, code) == {"qr_codes": [(FIRST, OFF)]}
    assert lost.asked == [mark]
    retired = printed(FIRST, "A1", 4000, **WANTED, retired_at=NOW, due_at=NOW)
    never = Printer(MADE)
    closed = {"stage": "closed", "due_at": None, "leased_until": None}
    assert await driven(rows, never, retired) == {"qr_codes": [(FIRST, closed)]}
    assert never.asked == [mark]
    late = await driven(rows, Printer(found=MADE), retired)
    assert late == {"qr_codes": [(FIRST, {**opened, "stage": "closing"})]}
    assert await driven(rows, SimpleNamespace(), code) == {"qr_codes": [(FIRST, OFF)]}


MOVES: tuple[tuple[Any, Row, Given, tuple[Any, Any]], ...] = (
    # The answer, the code, what else there is, and the states of attempt and payment then.
    (MADE, {}, [], ("pending", "requires_action")), (Declined("no"), {}, [], ("failed", "failed")),
    (Unclear("x"), {}, [], ("unknown", "processing")),
    (Declined("no"), {"retired_at": NOW}, [], ("failed", None)),
    (MADE, {}, [("attempts", {**PAID_FOR[2][1], "id": NEWER, "number": 2, "key": "l"})],
     ("pending", None)),
)  # fmt: skip


async def test_a_code_of_a_payment_tells_its_try_and_its_payment_while_it_is_the_newest(
    rows: Rows,
) -> None:
    for made, odd, more, moved in MOVES:
        code = printed(FIRST, "A1", 4000, **WANTED, **OF_PAYMENT, **odd)
        printer = Printer(made, found=made if odd and isinstance(made, QrFact) else None)
        found = await driven(rows, printer, code, *PAID_FOR, *more)
        if odd:
            assert states(found) == ("failed", None)
            assert found["qr_codes"][0][1]["stage"] == "closed"
            continue
        assert states(found) == moved, (made, more)
        order = printer.asked[1]
        assert (order.reusable, order.close_by) == (False, NOW + HOUR)
        assert order.mark == Mark(installation="test", qr=str(FIRST), payment=str(PAYMENT))
        if isinstance(made, QrFact):
            assert found["qr_codes"] == [(FIRST, {**OPEN, "due_at": NOW + 20 * SECOND})]
            assert "qr_polls" not in found


async def test_a_code_is_closed_and_looked_at_once_more(rows: Rows) -> None:
    code = printed(FIRST, "A1", 4000, stage="closing", qr_code_id="qr_9", tries=2, retired_at=NOW,
                   account_id=ACCOUNT, **OF_PAYMENT)  # fmt: skip
    closed = {"stage": "closed", "due_at": NOW, "leased_until": None}
    for answer, wanted, moved in (
        (MADE, closed, ("failed", None)), (Declined("no"), closed, (None, None)),
        (Unclear("x"), OFF, (None, None)),
    ):  # fmt: skip
        printer = Printer(answer)
        found = await driven(rows, printer, code, *PAID_FOR)
        assert (found["qr_codes"], states(found)) == ([(FIRST, wanted)], moved), answer
        assert printer.asked == [("close", "qr_9")]


TEN_MINUTES, LATER = timedelta(minutes=10), NOW + 20 * SECOND
POLLS: tuple[tuple[Row, Any, Row], ...] = (
    ({"asked_at": NOW - SECOND}, Payments(()), {"asked_at": NOW, "tries": 0}),
    ({}, Payments(()), {"asked_at": NOW, "tries": 0}),
    ({"asked_at": NOW - SECOND}, Payments((), complete=False), {"tries": 0}),
    (OF_PAYMENT, Payments(()), {"asked_at": NOW, "tries": 0, "due_at": LATER}),
    ({"stage": "closed", "retired_at": NOW - HOUR}, Payments(()),
     {"asked_at": NOW, "tries": 0, "due_at": LATER + HOUR}),
    ({"stage": "closed", "retired_at": NOW - 2 * HOUR}, Payments(()),
     {"asked_at": NOW, "tries": 0, "due_at": LATER + 2 * HOUR}),
    ({"stage": "closed", "retired_at": NOW - 2 * HOUR - SECOND, "due_at": NOW}, Payments(()),
     {"asked_at": NOW, "tries": 0, "due_at": None}),
    ({}, Unclear("x"), {"tries": 3}), ({}, Absent(), {"tries": 3}),
    (OF_PAYMENT, Unclear("x"), {"tries": 3, "due_at": NOW + 4 * SECOND}),
)  # fmt: skip


async def test_a_code_is_polled_steadily_and_after_its_end_ever_more_rarely(rows: Rows) -> None:
    for odd, answer, wanted in POLLS:
        code = printed(FIRST, "A1", 4000, **{
            "qr_code_id": "qr_9", "created_at": NOW - HOUR, "tries": 2, "account_id": ACCOUNT,
            **odd,
        })  # fmt: skip
        printer = Printer(paid=answer)
        found = await driven(rows, printer, code)
        assert found == {"qr_codes": [(FIRST, {**wanted, "leased_until": None})]}, (odd, answer)
        since = odd.get("asked_at", NOW - HOUR) - TEN_MINUTES
        assert printer.asked == [("qr_9", since)]
