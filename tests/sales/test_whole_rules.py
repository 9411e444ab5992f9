"""How a merchant sells and how long an outlet is given: what is read, written and put on record,
whole, beside another merchant and another outlet; and both sides of every bound."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import pytest
from msgspec.structs import replace

from coinslot.context import Context, Windows
from coinslot.orders import outlet_windows, selling_rules
from coinslot.orders.outlet_windows import (
    OutletWindow,
    StaleWindowsError,
    WindowError,
    WindowForm,
)
from coinslot.orders.selling_rules import SellingRules
from coinslot.outlets.machines import UnknownOutletError
from coinslot.people.audit_log import COMMAND_LINE
from coinslot.people.authentication import RuleError
from coinslot.states.unit_flow import UnknownKindError
from tests.fleet.shop import ACTOR, ASHA, CHANDRA, Given, Row, acted, noted, outlet
from tests.sales.by_hand import NOW, Rows
from tests.sales.wrote import Wrote

TABLES = ("merchants", "outlets", "audit_log")
Verb = Callable[[Context], Awaitable[Any]]
LIMITS = {"browser_orders": 3, "order_s": 600}
OWN = {"vending": {"dispatch_s": 90}, "counter": {"in_doubt_s": 700}}
HALL: Row = {"run_s": 60, "dispatch_s": 45}


def shop(*some: tuple[str, Row]) -> Given:
    merchant = {"windows": OWN, "limits": LIMITS, "settings_version": 4}
    return [
        ("merchants", {**merchant, "id": ASHA, "slug": "asha"}),
        ("merchants", {**merchant, "id": CHANDRA, "slug": "hers"}),
        outlet(windows=HALL), outlet("M02", windows=HALL),
        outlet("C01", merchant_id=CHANDRA, windows=HALL), outlet("K01", kind="counter"), *some,
    ]  # fmt: skip


def rules(windows: Mapping[str, Any], limits: Mapping[str, float]) -> SellingRules:
    return SellingRules(windows=windows, limits=limits, version=4)


def set_rules(wanted: SellingRules) -> Verb:
    return lambda here: selling_rules.set_rules(here, ACTOR, ASHA, wanted)


def ruled(windows: Row, limits: Row) -> Wrote:
    """What the setting of rules writes: what stays is not in it."""
    changed: Row = {"settings_version": 5}
    changed |= {} if windows == OWN else {"windows": windows}
    changed |= {} if limits == LIMITS else {"limits": limits}
    return {
        "merchants": [(ASHA, changed)],
        "audit_log": [noted("selling.changed", str(ASHA), before={"windows": OWN, "limits": LIMITS},
                            after={"windows": windows, "limits": limits})],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("wanted", "windows", "limits"),
    [
        (rules({}, {}), OWN, {}),
        (rules({}, LIMITS), OWN, LIMITS),
        (rules({"vending": {"dispatch_s": 30, "in_doubt_s": 60}}, {}),
         {**OWN, "vending": {"dispatch_s": 30, "in_doubt_s": 60}}, {}),
        (rules({"vending": {}}, {}), {"counter": OWN["counter"]}, {}),
        (rules({"vending": {"in_doubt_s": 86_400}}, {"unpaid_s": 60}),
         {**OWN, "vending": {"in_doubt_s": 86_400}}, {"unpaid_s": 60}),
        (rules({"vending": {}, "counter": {"dispatch_s": 3600}}, {"network_orders": 1000}),
         {"counter": {"dispatch_s": 3600}}, {"network_orders": 1000}),
    ],
)  # fmt: skip
async def test_rules_are_kept_whole_and_those_of_kinds_that_are_not_named_stay(
    rows: Rows, wanted: SellingRules, windows: Row, limits: Row
) -> None:
    assert await acted(rows, set_rules(wanted), TABLES, shop()) == (
        None, ruled(windows, limits), set(),
    )  # fmt: skip


BOUNDS: Sequence[tuple[str, int, int]] = (
    ("browser_orders", 1, 50), ("network_orders", 1, 1000), ("order_s", 120, 7200),
    ("unpaid_s", 60, 86_400),
)  # fmt: skip
OF_WINDOWS: Sequence[tuple[str, int, int]] = (
    ("dispatch_s", 30, 3600), ("in_doubt_s", 60, 86_400),
)  # fmt: skip


async def test_both_sides_of_every_bound(rows: Rows) -> None:
    fits = {name: (least, most) for name, least, most in BOUNDS}
    assert {**fits} == selling_rules.LIMITS
    for at in (0, 1):
        wanted = rules({}, {name: both[at] for name, both in fits.items()})
        await acted(rows, set_rules(wanted), (), shop())
        for name, *both in OF_WINDOWS:
            await acted(rows, set_rules(rules({"vending": {name: both[at]}}, {})), (), shop())
    for name, least, most in (*BOUNDS, *OF_WINDOWS):
        for value in (least - 1, most + 1):
            own = {name: value}
            wrong = rules({}, own) if (name, least, most) in BOUNDS else rules({"counter": own}, {})
            with pytest.raises(RuleError) as refused:
                await acted(rows, set_rules(wrong), (), shop())
            assert (refused.value.code, str(refused.value)) == (
                "bad_window", f"{name}: {least} to {most}, not {value}.",
            )  # fmt: skip


@pytest.mark.parametrize(
    ("wanted", "code", "said"),
    [
        (rules({}, {"poll_s": 5}), "bad_window", "There is no poll_s."),
        (rules({}, {"dispatch_s": 60}), "bad_window", "There is no dispatch_s."),
        (rules({"vending": {"offer_s": 60}}, {}), "bad_window", "There is no offer_s."),
        (rules({"vending": {"order_s": 600}}, {}), "bad_window", "There is no order_s."),
        (
            replace(rules({}, {}), version=3),
            "stale_settings",
            "Somebody else changed them meanwhile.",
        ),
        (
            replace(rules({}, {}), version=5),
            "stale_settings",
            "Somebody else changed them meanwhile.",
        ),
    ],
)
async def test_rules_that_cannot_be_are_refused(
    rows: Rows, wanted: SellingRules, code: str, said: str
) -> None:
    with pytest.raises(RuleError) as refused:
        await acted(rows, set_rules(wanted), (), shop())
    assert (refused.value.code, str(refused.value)) == (code, said)


async def test_a_kind_that_there_is_not_has_no_rules(rows: Rows) -> None:
    with pytest.raises(UnknownKindError):
        await acted(rows, set_rules(rules({"kiosk": {"dispatch_s": 60}}, {})), (), shop())


async def test_rules_and_kinds_of_a_merchant_are_read(rows: Rows) -> None:
    said, _, _ = await acted(rows, lambda here: selling_rules.rules_of(here, ASHA), (), shop())
    assert said == SellingRules(windows=OWN, limits=LIMITS, version=4)
    kinds = lambda here: selling_rules.kinds_of(here, ASHA)  # noqa: E731
    assert (await acted(rows, kinds, (), shop()))[0] == {"vending", "counter"}
    some = [outlet(), outlet("X01", kind="kiosk"),
            outlet("K01", kind="counter", decommissioned_at=NOW)]  # fmt: skip
    assert (await acted(rows, kinds, (), some))[0] == {"vending"}
    for none in ([], [outlet("X01", kind="kiosk")]):
        assert (await acted(rows, kinds, (), none))[0] == {"vending", "counter", "coffee"}


def test_limits_of_a_merchant_take_the_place_of_the_installations() -> None:
    usual = Windows()
    assert selling_rules.under(usual, {}) == usual
    said = {"browser_orders": 7, "network_orders": 8, "order_s": 130, "unpaid_s": 61}
    assert selling_rules.under(usual, {**said, "dispatch_s": 1, "of_another_version": 2}) == (
        replace(usual, browser_orders=7, network_orders=8, order_s=130, unpaid_s=61)
    )


# ---- outlets ----


def change(wanted: Row, seen: Row | None = None, /, **more: Any) -> Verb:
    form = WindowForm(wanted) if seen is None else WindowForm(wanted, seen)
    given = {"outlet": "M01", "merchant": ASHA, "who": ACTOR, **more}
    return lambda here: outlet_windows.change_windows(here, form=form, **given)


def timed(after: Row, set_now: Row) -> Wrote:
    note = noted("windows.changed", "M01", before=HALL, after=set_now)
    if not set_now:
        note.pop("after")
    return {"outlets": [("M01", {"windows": after})], "audit_log": [note]}


@pytest.mark.parametrize(
    ("verb", "written"),
    [
        (change({"offer_s": 9}), timed({**HALL, "offer_s": 9}, {"offer_s": 9})),
        (
            change({"run_s": 0.5, "dispatch_s": outlet_windows.LONGEST_S}),
            timed({"run_s": 0.5, "dispatch_s": 2_592_000}, {"run_s": 0.5, "dispatch_s": 2_592_000}),
        ),
        (change({"run_s": None}), timed({"dispatch_s": 45}, {})),
        (
            change({"run_s": None, "in_doubt_s": 90, "offer_s": None}),
            timed({"dispatch_s": 45, "in_doubt_s": 90}, {"in_doubt_s": 90}),
        ),
        (
            change({"run_s": 61}, {"run_s": 60, "offer_s": None}),
            timed({**HALL, "run_s": 61}, {"run_s": 61}),
        ),
        (change({"run_s": 61}, {}), timed({**HALL, "run_s": 61}, {"run_s": 61})),
    ],
)
async def test_times_of_an_outlet_are_set_and_taken_away(
    rows: Rows, verb: Verb, written: Wrote
) -> None:
    assert await acted(rows, verb, TABLES, shop()) == (None, written, set())


async def test_whoever_has_it_is_meant_where_no_merchant_is_named(rows: Rows) -> None:
    by_command: Row = {"merchant_id": CHANDRA, "person_id": None, "session_id": None, "factors": [],
                  "address": COMMAND_LINE.address}  # fmt: skip
    note = noted("windows.changed", "C01", before=HALL, after={"run_s": 7}, **by_command)
    _, found, _ = await acted(
        rows, lambda here: outlet_windows.set_windows(here, "C01", {"run_s": 7}), TABLES, shop()
    )
    assert found == {
        "outlets": [("C01", {"windows": {**HALL, "run_s": 7}})],
        "audit_log": [{name: value for name, value in note.items() if value not in (None, [])}],
    }
    _, found, _ = await acted(rows, lambda here: outlet_windows.set_windows(
        here, "M01", {"run_s": 7}, ASHA, ACTOR), TABLES, shop())  # fmt: skip
    assert found == timed({**HALL, "run_s": 7}, {"run_s": 7})


NAMES = "dispatch_s, in_doubt_s, offer_s, run_s"


@pytest.mark.parametrize(
    ("verb", "raised", "said"),
    [
        (change({"poll_s": 5}), WindowError, f"no window poll_s: there is {NAMES}"),
        (change({"poll_s": None}), WindowError, f"no window poll_s: there is {NAMES}"),
        (change({"run_s": 0}), WindowError, "run_s: between 0 and 2592000 seconds, not 0"),
        (change({"run_s": 2_592_000.5}), WindowError,
         "run_s: between 0 and 2592000 seconds, not 2.592e+06"),
        (change({"run_s": 9}, {"run_s": 61}), StaleWindowsError,
         "somebody else changed the times of M01 meanwhile"),
        (change({"run_s": 9}, {"run_s": 60, "offer_s": 1}), StaleWindowsError,
         "somebody else changed the times of M01 meanwhile"),
        (change({"run_s": 9}, {"run_s": None}), StaleWindowsError,
         "somebody else changed the times of M01 meanwhile"),
        (change({"run_s": 9}, outlet="M09"), UnknownOutletError, "no outlet has the code M09"),
        (lambda here: outlet_windows.windows_of(here, "M09"), UnknownOutletError,
         "no outlet has the code M09"),
        (change({"offer_s": 9}, outlet="K01"), WindowError, "no window offer_s: there is *"),
    ],
)  # fmt: skip
async def test_times_that_cannot_be_are_refused(
    rows: Rows, verb: Verb, raised: type[Exception], said: str
) -> None:
    with pytest.raises(raised) as refused:
        await acted(rows, verb, (), shop())
    assert str(refused.value).startswith(said.removesuffix("*"))
    assert said.endswith("*") or str(refused.value) == said


async def test_times_of_an_outlet_are_told_with_whose_they_are(rows: Rows) -> None:
    told = [
        OutletWindow(name="dispatch_s", seconds=45, own=True),
        OutletWindow(name="in_doubt_s", seconds=600, own=False),
        OutletWindow(name="offer_s", seconds=5, own=False),
        OutletWindow(name="run_s", seconds=60, own=True),
    ]
    verb = lambda here: outlet_windows.windows_of(here, "M01", ASHA)  # noqa: E731
    assert (await acted(rows, verb, (), shop()))[0] == told
    verb = lambda here: outlet_windows.windows_of(here, "M01")  # noqa: E731
    assert (await acted(rows, verb, (), shop()))[0] == told
    plain = [*shop()[:2], outlet(windows={})]
    assert (await acted(rows, verb, (), plain))[0] == [
        replace(told[0], seconds=90, own=False), *told[1:3],
        replace(told[3], seconds=30, own=False),
    ]  # fmt: skip


async def test_outlets_with_times_of_their_own_are_listed(rows: Rows) -> None:
    gone = outlet("M03", windows=HALL, decommissioned_at=NOW)
    verb = lambda here: outlet_windows.outlets_with_windows(here.db)  # noqa: E731
    said, _, _ = await acted(rows, verb, (), shop(gone, outlet("M04", windows={})))
    assert list(said.items()) == [(code, HALL) for code in ("C01", "M01", "M02")]
