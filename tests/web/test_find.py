"""A payment without a link."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from coinslot.web.search import UnreadableError, minor_of, minute_of
from tests.web.conftest import Client
from tests.web.fake_desk import FakeDesk

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


async def test_amount_and_minute_find_the_order(client: Client, desk: FakeDesk) -> None:
    text = (await client.get("/q/M01/help?amount=40&time=17:29")).text
    assert desk.asked == [("find", "M01", "4000", "2026-11-21T17:29:00+05:30")]
    assert "Is it one of these?" in text
    assert 'href="/o/queued"' in text


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
