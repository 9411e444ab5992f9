"""What a gateway keeps is in the ledger once, and corrected by the difference."""

import pytest
from msgspec.structs import replace

from coinslot.kit.money import Money
from tests.sales.stage import Stage
from tests.sales.taking import confirmed, made, taking


async def lines(stage: Stage) -> list[tuple[int, str]]:
    rows = await stage.rows("SELECT amount, why FROM ledger WHERE account = 'fees' ORDER BY id")
    return [(row["amount"], row["why"]) for row in rows]


async def balance(stage: Stage) -> int:
    return int(await stage.value("SELECT sum(amount) FROM ledger WHERE account = 'gateway'"))


async def test_a_fee_is_booked_once_however_often_it_is_told(stage: Stage) -> None:
    paid = replace(await stage.pay(), fee=Money(94, "INR"))
    for event in ("payment.captured", "qr_code.credited", "again"):
        await stage.webhook(paid, event=event)
    assert await lines(stage) == [(94, "fee")]
    assert await balance(stage) == 4000 - 94
    assert await stage.value("SELECT fee_minor FROM captures") == 94


async def test_a_fee_that_is_not_told_is_not_nothing(stage: Stage) -> None:
    await stage.webhook(await stage.pay())
    assert await stage.value("SELECT fee_minor FROM captures") is None
    assert await lines(stage) == []


@pytest.mark.parametrize(("other", "difference"), [(100, 6), (90, -4)])
async def test_another_figure_is_booked_as_the_difference(
    stage: Stage, other: int, difference: int
) -> None:
    paid = await stage.pay()
    await stage.webhook(replace(paid, fee=Money(94, "INR")))
    await stage.webhook(replace(paid, fee=Money(other, "INR")), event="later")
    assert await lines(stage) == [(94, "fee"), (difference, "fee_corrected")]
    assert await balance(stage) == 4000 - other


async def test_a_fee_in_another_currency_is_no_part_of_the_payment(stage: Stage) -> None:
    await stage.webhook(replace(await stage.pay(), fee=Money(2, "USD")))
    assert await lines(stage) == []


async def test_a_fee_may_be_negative_or_more_than_the_payment(stage: Stage) -> None:
    """It is the gateway's to say, and nobody's to refuse."""
    for minor in (-5, 9_999):
        paid = replace(await stage.pay(), fee=Money(minor, "INR"))
        await stage.webhook(paid)
    assert [amount for amount, _ in await lines(stage)] == [-5, 9_999]


async def test_a_fee_found_by_looking_is_booked_for_a_payment_of_the_api(stage: Stage) -> None:
    gateway = taking(stage)
    await confirmed(stage, await made(stage))
    (paid,) = gateway.books.payments.values()
    await stage.webhook(replace(paid, fee=Money(118, "INR")))
    assert await lines(stage) == [(118, "fee")]
    assert await stage.value("SELECT sum(amount) FROM ledger WHERE account = 'sales'") == -5000
