"""Printed codes: at which price, made once, retired by another, and when each is looked at."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from coinslot.gateways import wire
from coinslot.gateways.base import Declined
from coinslot.kit.money import Money
from coinslot.outlets.machines import UnknownOutletError
from coinslot.payments import provision, qr_codes
from coinslot.payments.provision import CannotPrintError, NoPictureError
from tests.gateways.canned import Canned, serving
from tests.sales.neighbours import a_second_machine
from tests.sales.stage import Stage
from tests.sales.test_lock_order import _order_is_paid_too_late
from tests.sales.weather import DONE_AND_LOST, LOST, in_weather

S = timedelta(seconds=1)


async def codes(stage: Stage, outlet: str = "M01") -> list[dict[str, Any]]:
    return await stage.rows(
        "SELECT * FROM qr_codes WHERE payment_id IS NULL AND outlet_id = $1"
        " ORDER BY retired_at NULLS LAST",
        outlet,
    )


TYPED = (
    ("40", False, 4000), ("40.00", False, 4000), ("40", True, 4000), ("0.01", True, 1),
    ("41.50", True, 4150), ("41.50", False, None), ("0", True, None), ("0.00", False, None),
    ("-1", True, None), ("forty", True, None), ("40.001", True, None), ("", True, None),
)  # fmt: skip


async def test_an_amount_is_taken_as_it_is_typed_and_another_price_takes_a_word(
    stage: Stage,
) -> None:
    for typed, different, minor in TYPED:
        asked = provision.amount_of(stage.context, "M01", "A1", typed, different=different)
        if minor is None:
            with pytest.raises(CannotPrintError):
                await asked
        else:
            assert await asked == minor, typed


async def test_only_a_slot_of_a_machine_in_service_has_a_code(stage: Stage) -> None:
    await a_second_machine(stage)
    with pytest.raises(UnknownOutletError):
        await provision.print_qr(stage.context, "M09", 4000)
    with pytest.raises(CannotPrintError):
        await provision.print_qr(stage.context, "M01", 4000, "B9")
    for nowhere in (
        "UPDATE gateway_accounts SET disabled_at = now() WHERE id = $1 RETURNING id",
        "UPDATE gateway_accounts SET disabled_at = NULL WHERE id = $1 RETURNING id",
    ):
        await stage.rows(nowhere, stage.account.id)
        if "NULL" not in nowhere:
            with pytest.raises(CannotPrintError):
                await provision.print_qr(stage.context, "M01", 4000, "A1")
    await provision.decommission(stage.context, "M01")
    with pytest.raises(CannotPrintError):
        await provision.print_qr(stage.context, "M01", 4000, "A1")
    assert (await provision.print_qr(stage.context, "M02", None)).outlet == "M02"


async def test_a_code_says_where_it_hangs_and_what_it_sells(stage: Stage) -> None:
    await stage.rows("UPDATE outlets SET contact = 'call 112' WHERE id = 'M01' RETURNING id")
    profile = await provision.print_qr(stage.context, "M01", None)
    (code,) = await codes(stage)
    assert (profile.outlet, profile.outlet_name, profile.slot) == ("M01", "Platform 1", "A1")
    assert (profile.product, profile.merchant_name, profile.contact) == ("Cola", "Asha", "call 112")
    assert (profile.provider, profile.qr_code_id) == ("mock", stage.qr_code_id)
    assert (profile.qr_image_url, profile.qr_short_url) == (code["image_url"], code["short_url"])
    assert (profile.money, profile.retired) == (Money(4000, "INR"), None)


async def test_printed_again_it_is_the_same_code_and_at_another_price_another_one(
    stage: Stage,
) -> None:
    first = await provision.print_qr(stage.context, "M01", 4000)
    assert await provision.print_qr(stage.context, "M01", None, different=False) == first
    with pytest.raises(CannotPrintError):
        await provision.print_qr(stage.context, "M01", 5000, different=False)
    assert len(await codes(stage)) == 1
    stage.later(7)
    second = await provision.print_qr(stage.context, "M01", 5000)
    assert (second.money, second.retired) == (Money(5000, "INR"), Money(4000, "INR"))
    assert second.qr_code_id != first.qr_code_id
    old, new = await codes(stage)
    assert (old["retired_at"], old["due_at"], old["stage"]) == (
        stage.clock.now(), stage.clock.now(), "closing",
    )  # fmt: skip
    assert (new["retired_at"], new["stage"], new["amount_minor"]) == (None, "open", 5000)
    assert await provision.at_another_price(stage.context.db) == [
        "M01's printed code takes 50.00 INR, slot A1 costs 40.00 INR"
    ]
    await stage.sweep("qr_codes")
    assert (await codes(stage))[0]["stage"] == "closed"


async def test_a_code_that_is_not_made_yet_has_no_picture(stage: Stage) -> None:
    weather = in_weather(stage)
    await a_second_machine(stage)
    weather.fails("print_qr", LOST)
    profile = await provision.print_qr(stage.context, "M02", None)
    assert (profile.qr_code_id, profile.qr_image_url) == (None, None)
    with pytest.raises(NoPictureError):
        await provision.picture(profile)
    with pytest.raises(NoPictureError):
        await provision.picture(replace(profile, qr_image_url="http://127.0.0.1:1/x.png"))


async def test_the_picture_of_a_code_is_the_gateways_own_and_bounded(stage: Stage) -> None:
    profile = await provision.print_qr(stage.context, "M01", 4000)

    async def picture(*answers: Canned) -> bytes:
        async with serving(*answers) as (gateway, _):
            return await provision.picture(replace(profile, qr_image_url=f"{gateway}/a.png"))

    small, moved = Canned(200, b"x" * 10), Canned(302, header="Location: /b.png")
    assert await picture(small) == await picture(moved, small) == b"x" * 10
    most = b"x" * wire.PICTURE_MOST_BYTES
    assert len(await picture(Canned(200, most))) == wire.PICTURE_MOST_BYTES
    for none in (Canned(200, most + b"x"), Canned(404)):
        with pytest.raises(NoPictureError):
            await picture(none)


async def test_a_code_whose_answer_was_lost_is_found_and_made_once(stage: Stage) -> None:
    weather = in_weather(stage)
    await a_second_machine(stage)
    weather.fails("print_qr", DONE_AND_LOST)
    assert (await provision.print_qr(stage.context, "M02", None)).qr_code_id is None
    row = (await codes(stage, "M02"))[-1]
    assert (row["stage"], row["tries"], row["due_at"]) == ("wanted", 1, stage.clock.now() + S)
    count = len(stage.books.qr_codes)
    stage.later(1)
    await stage.sweep("qr_codes")
    row = (await codes(stage, "M02"))[-1]
    assert (row["stage"], row["tries"], row["due_at"]) == ("open", 0, None)
    assert len(stage.books.qr_codes) == count


async def test_a_code_that_is_given_up_before_it_was_made_is_never_made(stage: Stage) -> None:
    weather = in_weather(stage)
    await a_second_machine(stage)
    weather.fails("print_qr", LOST)
    await provision.print_qr(stage.context, "M02", None)
    count = len(stage.books.qr_codes)
    await provision.decommission(stage.context, "M02")
    await stage.sweep("qr_codes")
    row = (await codes(stage, "M02"))[-1]
    assert (row["stage"], row["due_at"], row["qr_code_id"]) == ("closed", None, None)
    assert len(stage.books.qr_codes) == count


async def test_a_code_that_cannot_be_closed_is_closed_here_and_asked_about_for_a_while(
    stage: Stage,
) -> None:
    weather = in_weather(stage)
    await provision.decommission(stage.context, "M01")
    weather.fails("close_qr", LOST, Declined("not this kind"))
    retired = stage.clock.now()
    await stage.sweep("qr_codes")
    (row,) = await codes(stage)
    assert (row["stage"], row["tries"], row["due_at"]) == ("closing", 1, retired + S)
    stage.later(1)
    await stage.sweep("qr_codes")
    (row,) = await codes(stage)
    assert (row["stage"], row["due_at"]) == ("closed", retired + 1 * S + 21 * S)
    stage.later(21)
    paid = await stage.pay()
    await stage.sweep("qr_codes")
    (row,) = await codes(stage)
    assert row["due_at"] == stage.clock.now() + (20 + 22) * S
    capture = await stage.value("SELECT reason FROM captures")
    assert (capture, paid.money.minor) == ("qr_retired", 4000)
    stage.later(7300)
    await stage.sweep("qr_codes")
    (row,) = await codes(stage)
    assert row["due_at"] is None


async def test_an_account_that_prints_no_codes_makes_its_rows_wait(stage: Stage) -> None:
    class Nothing:
        """A driver without codes."""

        name = "mock"

    stage.account = replace(stage.account, driver=Nothing())
    stage.context.accounts.account = stage.account  # type: ignore[attr-defined]
    (row,) = await codes(stage)
    await qr_codes.drive_qr(stage.context, {**row, "stage": "closing"})  # type: ignore[arg-type]
    (after,) = await codes(stage)
    assert (after["tries"], after["stage"]) == (row["tries"] + 1, "open")
    (poll,) = await stage.rows("SELECT * FROM qr_polls")
    await qr_codes.poll_account(stage.context, poll)  # type: ignore[arg-type]
    (later,) = await stage.rows("SELECT * FROM qr_polls")
    assert (later["tries"], later["due_at"]) == (1, stage.clock.now() + S)


async def test_the_codes_of_one_machine_are_worked_here_and_no_others(stage: Stage) -> None:
    weather = in_weather(stage)
    await a_second_machine(stage)
    weather.fails("print_qr", LOST)
    await provision.print_qr(stage.context, "M02", None)
    await stage.rows("UPDATE qr_codes SET due_at = now() WHERE outlet_id = 'M01' RETURNING id")
    await qr_codes.drive_qr_codes(stage.context, "M02")
    assert (await codes(stage, "M02"))[-1]["stage"] == "wanted", "it is not due yet"
    stage.later(1)
    await qr_codes.drive_qr_codes(stage.context, "M02")
    (made,) = await stage.rows("SELECT stage FROM qr_codes WHERE outlet_id = 'M02'")
    assert made["stage"] == "open"
    (other,) = await stage.rows("SELECT due_at FROM qr_codes WHERE outlet_id = 'M01'")
    assert other["due_at"] is not None
    await stage.rows("UPDATE qr_codes SET due_at = NULL RETURNING id")


async def test_polls_go_on_from_the_last_whole_list_and_rarely_ask_a_day_back(
    stage: Stage,
) -> None:
    weather = in_weather(stage)
    seen: list[Any] = []
    calm = weather.payments_between

    async def listed(since: Any, until: Any) -> Any:
        seen.append((since, until))
        return await calm(since, until)

    weather.payments_between = listed  # type: ignore[method-assign]
    stage.later(20)
    await stage.sweep("qr_polls")
    first = stage.clock.now()
    stage.later(20)
    await stage.sweep("qr_polls")
    (poll,) = await stage.rows("SELECT * FROM qr_polls")
    assert poll["asked_at"] == stage.clock.now()
    assert poll["due_at"] == stage.clock.now() + 20 * S
    overlap = timedelta(minutes=10)
    assert seen[-1] == (first - overlap, stage.clock.now() + overlap)
    stage.later(3 * 86_400)
    await stage.sweep("qr_polls")
    assert seen[-1][0] == stage.clock.now() - timedelta(days=1) - overlap


async def test_money_that_came_too_late_is_of_its_order_whose_customer_sees_it_go_back(
    stage: Stage,
) -> None:
    """`pay_placed` names the order whose money buys nothing."""
    verb = await _order_is_paid_too_late(stage)
    await verb()
    (capture,) = await stage.rows("SELECT * FROM captures")
    (order,) = await stage.rows("SELECT * FROM orders")
    payment = await stage.value("SELECT id FROM payments")
    assert (capture["order_id"], capture["payment_id"]) == (order["id"], payment)
    assert (capture["reason"], order["state"]) == ("order_expired", "expired")
    (back,) = await stage.rows("SELECT * FROM refunds")
    assert (back["capture_id"], back["amount_minor"]) == (capture["id"], 4000)
