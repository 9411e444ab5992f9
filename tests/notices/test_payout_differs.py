"""A settlement of the gateway that differs from the books is told to who works with money, from the
nightly comparison to the mail."""

import pytest
from msgspec.structs import replace

from coinslot.kit.money import Money
from coinslot.oversight import nightly
from tests.console.test_money import sold
from tests.notices.telling import Told, telling
from tests.people.conftest import Staffed
from tests.people.conftest import staffed as staffed
from tests.sales.conftest import stage as stage
from tests.sales.nightly import Nightly, nightly_gateway

DAY_S = 86_400


@pytest.fixture
def gateway(staffed: Staffed) -> Nightly:
    return nightly_gateway(staffed.stage)


@pytest.fixture
async def told(staffed: Staffed) -> Told:
    return await telling(staffed)


async def nights(told: Told, count: int) -> list[tuple[str, str]]:
    """So many nights pass; what people were told of payouts."""
    heard = []
    for _ in range(count):
        told.staffed.later(DAY_S)
        await nightly.due(told.context)
        await told.round()
        heard += await told.pass_(120)
    return [one for one in heard if "payout" in one[1].lower()]


async def test_a_payment_that_no_payout_has_is_told_once_until_it_is_paid_out(
    told: Told, gateway: Nightly
) -> None:
    """Two were sold; the settlement has one of them."""
    await sold(told.staffed)
    await sold(told.staffed)
    gateway.paid_out["pay_1"] = Money(118, "INR")
    assert await nights(told, 6) == []  # there is a week for it
    heard = await nights(told, 4)
    assert sorted(to for to, _ in heard) == ["asha", "boris"]
    assert all("A payout differs from the books" in subject for _, subject in heard)
    gateway.paid_out["pay_2"] = Money(118, "INR")
    assert await nights(told, 2) == []
    assert await told.rows("SELECT id FROM cases WHERE closed_at IS NULL") == []


@pytest.mark.parametrize(
    "kind",
    ["not_paid_out", "amount_differs", "refunds_differ", "not_on_record", "not_at_gateway"],
)
async def test_each_way_in_which_the_books_differ_is_told_as_one(told: Told, kind: str) -> None:
    """Whoever wants to hear of payouts alone hears of each."""
    await told.choose("asha", "case_waiting", "off")
    async with told.context.db.as_merchant(told.staffed.merchant) as conn:
        await conn.execute(
            "INSERT INTO cases (merchant_id, source, kind, subject, since, owner, amount_minor,"
            " currency, opened_at) VALUES ($1, 'books', $2, 'x', $3, 'merchant', 4000, 'INR',"
            " $3)", told.staffed.merchant, kind, told.context.now(),
        )  # fmt: skip
    heard = [said for to, said in await told.pass_(120) if to == "asha"]
    assert len(heard) == 1
    assert "A payout differs from the books" in heard[0]


async def test_another_amount_at_the_gateway_is_told_the_next_night(
    told: Told, gateway: Nightly
) -> None:
    await sold(told.staffed)
    books = told.staffed.stage.books
    there = books.payments["pay_1"]
    books.payments["pay_1"] = replace(there, money=Money(3900, "INR"))
    heard = await nights(told, 2)
    assert sorted({to for to, _ in heard}) == ["asha", "boris"]
    books.payments["pay_1"] = there
    await nights(told, 2)
