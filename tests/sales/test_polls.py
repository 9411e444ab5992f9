"""Printed codes are looked at together: one list call for an account, and a code in turn."""

from datetime import datetime, timedelta
from typing import Any, cast

import pytest
from msgspec.structs import replace

from coinslot.gateways.base import Absent, Gateway, Payments, Unclear
from coinslot.payments import provision, qr_codes
from tests.sales.neighbours import a_second_machine
from tests.sales.stage import Stage
from tests.sales.weather import Weather, in_weather

CODES = 12


class Counted(Weather):
    """Counts the calls that look for payments of codes."""

    lists: list[datetime]
    codes: list[str]
    whole = True
    answers = True

    async def payments_between(self, since: datetime, until: datetime) -> Payments | Unclear:
        self.lists.append(since)
        if not self.answers:
            return Unclear("time-out")
        found = await super().payments_between(since, until)
        if self.whole or not isinstance(found, Payments):
            return found
        return Payments((), complete=False)

    async def qr_payments(self, qr_code_id: str, since: Any) -> Any:
        self.codes.append(qr_code_id)
        return await super().qr_payments(qr_code_id, since)


async def many_codes(stage: Stage) -> Counted:
    """As many machines as there are codes, at one account."""
    in_weather(stage)
    counted = Counted(stage)
    counted.lists, counted.codes = [], []
    stage.gateway = counted
    stage.account = replace(stage.account, driver=counted)
    stage.context.accounts.account = stage.account  # type: ignore[attr-defined]
    await a_second_machine(stage)
    for number in range(2, CODES + 1):
        slot = f"B{number}"
        async with stage.context.db.as_merchant(stage.merchant) as conn:
            await conn.execute(
                "INSERT INTO slots (merchant_id, outlet_id, slot, product_id, price_minor, stock)"
                " SELECT merchant_id, outlet_id, $1, product_id, price_minor, 10 FROM slots"
                " WHERE outlet_id = 'M02' AND slot = 'A1'",
                slot,
            )
        await provision.print_qr(stage.context, "M02", 4000, slot)
    return counted


async def polls(stage: Stage, times: int) -> None:
    for _ in range(times):
        stage.later(stage.context.windows.poll_s + 0.1)
        await stage.sweep("qr_polls", "qr_codes")


async def test_all_codes_of_an_account_cost_two_calls_a_poll(stage: Stage) -> None:
    counted = await many_codes(stage)
    await polls(stage, CODES)
    assert len(counted.lists) == CODES
    assert len(counted.codes) == CODES
    assert len(set(counted.codes)) == CODES  # each has had its turn


async def test_a_payment_that_no_webhook_told_is_found_by_the_next_poll_of_any_code(
    stage: Stage,
) -> None:
    await many_codes(stage)
    newest = await stage.value(
        "SELECT qr_code_id FROM qr_codes WHERE stage = 'open' ORDER BY asked_at DESC, id DESC"
    )
    stage.qr_code_id = newest
    await stage.pay()
    await polls(stage, 1)
    assert await stage.value("SELECT count(*) FROM orders WHERE state = 'paid'") == 1


async def test_a_payment_without_our_mark_is_found_when_its_code_has_its_turn(
    stage: Stage,
) -> None:
    counted = await many_codes(stage)
    paid = await stage.pay()
    counted.books.payments[paid.gateway_payment_id] = replace(paid, mark=None)
    await polls(stage, CODES)
    assert await stage.value("SELECT count(*) FROM orders") == 1


async def test_a_list_that_is_not_whole_hides_no_payment(stage: Stage) -> None:
    counted = await many_codes(stage)
    counted.whole = False
    await stage.pay()
    await polls(stage, CODES // 5 + 2)
    assert await stage.value("SELECT count(*) FROM orders") == 1


async def test_without_a_whole_list_five_codes_have_their_turn_in_a_poll(stage: Stage) -> None:
    counted = await many_codes(stage)
    counted.whole = False
    await polls(stage, 1)
    assert (len(counted.codes), len(set(counted.codes))) == (5, 5)
    await polls(stage, 1)
    assert (len(counted.codes), len(set(counted.codes))) == (10, 10)


class WithoutLists:
    """The same gateway, which keeps no lists of what was paid."""

    def __init__(self, counted: Counted) -> None:
        self._counted = counted

    def __getattr__(self, name: str) -> Any:
        if name.endswith("_between"):
            raise AttributeError(name)
        return getattr(self._counted, name)


async def test_where_a_gateway_keeps_no_lists_five_codes_have_their_turn(stage: Stage) -> None:
    counted = await many_codes(stage)
    stage.account = replace(stage.account, driver=cast(Gateway, WithoutLists(counted)))
    stage.context.accounts.account = stage.account  # type: ignore[attr-defined]
    await polls(stage, 2)
    assert (len(counted.codes), len(set(counted.codes))) == (10, 10)
    assert counted.lists == []


async def test_what_was_paid_while_the_list_could_not_be_read_is_found_later(
    stage: Stage,
) -> None:
    counted = await many_codes(stage)
    await polls(stage, 1)
    counted.answers = False
    await stage.pay()
    await polls(stage, 3)
    calls = len(counted.lists)
    stage.later(3600)
    await stage.sweep("qr_polls")
    counted.answers = True
    stage.later(3600)
    await stage.sweep("qr_polls")
    assert calls <= 4
    assert await stage.value("SELECT count(*) FROM captures") == 1


async def test_others_payments_in_the_list_stay_theirs(stage: Stage) -> None:
    counted = await many_codes(stage)
    paid = await stage.pay()
    theirs = replace(paid, gateway_payment_id="pay_of_a_web_shop", mark=None, qr_code_id=None)
    counted.books.payments = {theirs.gateway_payment_id: theirs}
    await polls(stage, 2)
    assert await stage.value("SELECT count(*) FROM captures") == 0


async def test_an_account_without_open_printed_codes_is_not_polled(stage: Stage) -> None:
    counted = await many_codes(stage)
    for outlet in ("M01", "M02"):
        await provision.decommission(stage.context, outlet)
    await stage.sweep("qr_codes")
    await polls(stage, 1)
    before = len(counted.lists)
    await polls(stage, 5)
    assert len(counted.lists) == before


class Says(Weather):
    """What it says of one code."""

    said: Any
    since: datetime

    async def qr_payments(self, qr_code_id: str, since: datetime) -> Any:
        self.since = since
        return self.said


@pytest.mark.parametrize("whole", [True, False])
async def test_a_code_is_asked_about_from_where_its_last_whole_answer_ended(
    stage: Stage, whole: bool
) -> None:
    (row,) = await stage.rows("SELECT * FROM qr_codes")
    stage.later(100)
    driver, now = Says(stage), stage.clock.now()
    driver.said = Payments((), complete=whole)
    found: Any = row
    assert await qr_codes._poll(stage.context, stage.account, driver, found)
    assert driver.since == (row["asked_at"] or row["created_at"]) - timedelta(minutes=10)
    (after,) = await stage.rows("SELECT * FROM qr_codes")
    assert after["asked_at"] == (now if whole else row["asked_at"])
    again: Any = after
    assert await qr_codes._poll(stage.context, stage.account, driver, again)
    assert driver.since == (after["asked_at"] or row["created_at"]) - timedelta(minutes=10)


@pytest.mark.parametrize("said", [Unclear("time-out"), Absent()])
async def test_a_code_of_which_nothing_is_heard_is_put_off(stage: Stage, said: Any) -> None:
    (row,) = await stage.rows("SELECT * FROM qr_codes")
    driver = Says(stage)
    driver.said = said
    asked: Any = row
    assert not await qr_codes._poll(stage.context, stage.account, driver, asked)
    (after,) = await stage.rows("SELECT * FROM qr_codes")
    changed = {name for name, value in after.items() if value != row[name]}
    assert changed <= {"tries", "leased_until"}, "its account's poll asks it again"
    assert after["tries"] == row["tries"] + 1
