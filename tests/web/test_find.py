"""A payment without a link."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from litestar.testing import AsyncTestClient
from msgspec.structs import replace

from coinslot.app.routes import build
from coinslot.kit.clock import SettableClock
from coinslot.pages.search import UnreadableError, minor_of, minutes_of, reference_of
from tests.web.conftest import Client
from tests.web.fake_backend import FakeBackend
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
    assert minutes_of(typed, NOON, INDIA) == (datetime(2026, 11, day, hour, minute, tzinfo=UTC),)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text + "Z")


@pytest.mark.parametrize(
    ("zone", "now", "typed", "meant"),
    [
        # Over midnight: yesterday's, and tomorrow's by a clock that runs a little ahead.
        ("Asia/Kolkata", "2026-11-21T18:33", "23:59", ["2026-11-21T18:29"]),
        ("Asia/Kolkata", "2026-11-21T18:28", "00:01", ["2026-11-21T18:31"]),
        ("Asia/Kolkata", "2026-11-21T18:28", "00:10", ["2026-11-20T18:40"]),
        ("UTC", "2026-11-21T00:02", "23:58", ["2026-11-20T23:58"]),
        ("UTC", "2026-11-21T23:58", "00:01", ["2026-11-22T00:01"]),
        # Clocks are put back: 02:30 comes twice, and is one moment while it has come once.
        ("Europe/Berlin", "2026-10-25T03:00", "02:30", ["2026-10-25T00:30", "2026-10-25T01:30"]),
        ("Europe/Berlin", "2026-10-25T00:40", "02:30", ["2026-10-25T00:30"]),
        ("Europe/Berlin", "2026-10-25T01:35", "02:30", ["2026-10-25T00:30", "2026-10-25T01:30"]),
        ("Europe/Berlin", "2026-10-25T12:00", "01:59", ["2026-10-24T23:59"]),
        ("Europe/Berlin", "2026-10-25T12:00", "03:00", ["2026-10-25T02:00"]),
        ("Europe/Berlin", "2026-10-26T00:10", "02:30", ["2026-10-25T00:30", "2026-10-25T01:30"]),
        ("America/St_Johns", "2026-11-01T12:00", "01:15", ["2026-11-01T03:45", "2026-11-01T04:45"]),
        # Clocks are put forward: 02:30 is not that day, the day before it was.
        ("Europe/Berlin", "2026-03-29T12:00", "02:30", ["2026-03-28T01:30"]),
        ("Europe/Berlin", "2026-03-29T12:00", "03:00", ["2026-03-29T01:00"]),
        ("Europe/Berlin", "2026-03-29T12:00", "01:59", ["2026-03-29T00:59"]),
        ("America/St_Johns", "2026-03-08T12:00", "02:30", ["2026-03-07T06:00"]),
        # A day that was left out, and offsets at both ends of the day.
        ("Pacific/Apia", "2011-12-30T10:00", "09:00", ["2011-12-29T19:00"]),
        ("Pacific/Kiritimati", "2026-11-21T10:30", "00:20", ["2026-11-21T10:20"]),
        ("Pacific/Pago_Pago", "2026-11-21T10:30", "23:20", ["2026-11-21T10:20"]),
        ("Asia/Kathmandu", "2026-11-21T12:00", "17:44", ["2026-11-21T11:59"]),
    ],
)
def test_a_time_is_read_by_the_calendar_of_its_zone(
    zone: str, now: str, typed: str, meant: list[str]
) -> None:
    assert minutes_of(typed, at(now), ZoneInfo(zone)) == tuple(map(at, meant))


@pytest.mark.parametrize("zone", ["Asia/Kolkata", "Europe/Berlin", "America/St_Johns", "UTC"])
def test_every_payment_of_a_year_is_found_by_the_minute_that_its_clock_showed(zone: str) -> None:
    paid = datetime(2026, 1, 1, 0, 7, tzinfo=UTC)
    for _ in range(365 * 24):
        shown = paid.astimezone(ZoneInfo(zone)).strftime("%H:%M")
        for later in (timedelta(seconds=40), timedelta(hours=22, minutes=30)):
            assert paid in minutes_of(shown, paid + later, ZoneInfo(zone)), (paid, later)
        paid += timedelta(hours=1)


@pytest.mark.parametrize("typed", ["", "25:00", "noon", "12", "T12:00+05:00"])
def test_what_is_no_time_is_unreadable(typed: str) -> None:
    with pytest.raises(UnreadableError):
        minutes_of(typed, NOON, INDIA)


async def test_amount_and_minute_tell_what_became_of_a_payment_and_lead_to_no_order(
    client: Client, backend: FakeBackend
) -> None:
    """Anyone can try amounts and minutes: they show no link, no number and no reference."""
    text = (await client.get("/q/M01/help?amount=40&time=17:29")).text
    assert backend.asked == [("find", "M01", "4000", "2026-11-21T11:59:00+00:00")]
    assert "Paid. Waiting for the machine" in text
    for order in backend.orders.values():
        assert f"/o/{order.token}" not in text
        assert order.number not in text
        assert order.gateway_payment_id is None or order.gateway_payment_id not in text


@pytest.mark.parametrize("typed", ["pay_TESTTEST000001", " pay_TESTTEST 000001 "])
async def test_who_knows_the_reference_of_the_payment_is_led_to_the_order(
    client: Client, backend: FakeBackend, typed: str
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


async def test_references_cannot_be_tried_in_numbers(
    backend: FakeBackend, clock: SettableClock
) -> None:
    site = replace(SITE, references_per_minute=6)
    async with AsyncTestClient(build(backend, site, clock)) as stranger:
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


async def test_the_time_is_read_in_the_zone_of_the_outlet(
    client: Client, backend: FakeBackend
) -> None:
    backend.outlets["M01"] = replace(backend.outlets["M01"], zone="America/St_Johns")
    await client.get("/q/M01/help?amount=40&time=08:29")
    assert backend.asked == [("find", "M01", "4000", "2026-11-21T11:59:00+00:00")]


async def test_nothing_found_says_what_to_do(client: Client) -> None:
    assert (
        "No such payment has reached us"
        in (await client.get("/q/M01/help?amount=41&time=17:29")).text
    )


async def test_what_was_typed_wrongly_stays_and_is_explained(
    client: Client, backend: FakeBackend
) -> None:
    text = (await client.get("/q/M01/help?amount=for<ty&time=17:29")).text
    assert "Write the amount like" in text
    assert 'value="for&lt;ty"' in text
    assert backend.asked == []
