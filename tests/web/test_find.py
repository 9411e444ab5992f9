"""A payment without a link."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from litestar.testing import AsyncTestClient
from msgspec.structs import replace

from coinslot.kit.clock import SettableClock
from coinslot.web.routes import build
from coinslot.web.search import UnreadableError, minor_of, minute_of, reference_of
from tests.web.conftest import Client
from tests.web.fake_desk import FakeDesk
from tests.web.serving import SITE

INDIA = ZoneInfo("Asia/Kolkata")
NOON = datetime(2026, 11, 21, 12, 0, 30, tzinfo=UTC)  # 17:30:30 in India


@pytest.mark.parametrize("typed", ["40", "40.00", "40,00", " ₹40 ", "₹ 40.0", "४०"])
def test_an_amount_is_read_as_people_write_it(typed: str) -> None:
    assert minor_of(typed, "INR") == 4000


@pytest.mark.parametrize("typed", ["", "forty", "-40", "0", "40.005", "9" * 30, "4 0"])
def test_what_is_no_amount_is_unreadable(typed: str) -> None:
    with pytest.raises(UnreadableError):
        minor_of(typed, "INR")


@pytest.mark.parametrize(
    ("typed", "utc"),
    [
        ("17:30", (21, 12, 0)),
        ("9:05", (21, 3, 35)),
        ("17:33", (21, 12, 3)),  # the payment app's clock runs ahead
        ("23:50", (20, 18, 20)),  # yesterday evening
        ("१७:३०", (21, 12, 0)),
    ],
)
def test_a_time_is_the_latest_such_time_that_has_been(
    typed: str, utc: tuple[int, int, int]
) -> None:
    day, hour, minute = utc
    assert minute_of(typed, NOON, INDIA) == datetime(2026, 11, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize("typed", ["", "25:00", "noon", "12", "T12:00+05:00"])
def test_what_is_no_time_is_unreadable(typed: str) -> None:
    with pytest.raises(UnreadableError):
        minute_of(typed, NOON, INDIA)


async def test_amount_and_minute_tell_what_became_of_a_payment_and_lead_to_no_order(
    client: Client, desk: FakeDesk
) -> None:
    """Anyone can try amounts and minutes: they show no link, no number and no reference."""
    text = (await client.get("/q/M01/help?amount=40&time=17:29")).text
    assert desk.asked == [("find", "M01", "4000", "2026-11-21T17:29:00+05:30")]
    assert "Paid. Waiting for the machine" in text
    for order in desk.orders.values():
        assert f"/o/{order.token}" not in text
        assert order.number not in text
        assert order.gateway_payment_id is None or order.gateway_payment_id not in text


@pytest.mark.parametrize("typed", ["pay_TESTTEST000001", " pay_TESTTEST 000001 "])
async def test_who_knows_the_reference_of_the_payment_is_led_to_the_order(
    client: Client, desk: FakeDesk, typed: str
) -> None:
    answer = await client.post("/q/M01/help?lang=ru", data={"reference": typed})
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/o/")
    assert answer.headers["location"].endswith("?lang=ru")


@pytest.mark.parametrize("typed", ["412345678901", "", "4", "pay_<script>", "x" * 90])
async def test_a_reference_that_nobody_paid_under_leads_nowhere_and_says_what_to_do(
    client: Client, typed: str
) -> None:
    answer = await client.post("/q/M01/help", data={"reference": typed})
    assert answer.status_code == 200
    assert "No payment at this machine has this reference" in answer.text
    assert "<script>" not in answer.text


async def test_references_cannot_be_tried_in_numbers(desk: FakeDesk, clock: SettableClock) -> None:
    site = replace(SITE, references_per_minute=6)
    async with AsyncTestClient(build(desk, site, clock)) as stranger:
        answers = [
            await stranger.post("/q/M01/help", data={"reference": f"41234567890{n}"})
            for n in range(8)
        ]
    assert [answer.status_code for answer in answers] == [200] * 6 + [429] * 2


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("4123 4567 8901", "412345678901"),
        ("४१२३४५६७८९०१", "412345678901"),
        ("a-b_c1234567", "ab_c1234567"),
    ],
)
def test_a_reference_is_read_as_people_copy_it(typed: str, read: str) -> None:
    assert reference_of(typed) == read


async def test_nothing_found_says_what_to_do(client: Client) -> None:
    assert (
        "No such payment has reached us"
        in (await client.get("/q/M01/help?amount=41&time=17:29")).text
    )


async def test_what_was_typed_wrongly_stays_and_is_explained(
    client: Client, desk: FakeDesk
) -> None:
    text = (await client.get("/q/M01/help?amount=for<ty&time=17:29")).text
    assert "Write the amount like" in text
    assert 'value="for&lt;ty"' in text
    assert desk.asked == []
