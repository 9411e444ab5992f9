"""When a gateway may be asked for one more code of a machine: a sliding minute, and few unpaid."""

from datetime import UTC, datetime, timedelta

import pytest

from coinslot.orders.code_budget import Budget, Made, first_free

NOW = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
S = timedelta(seconds=1)
BUDGET = Budget(
    per_minute=3, network_per_minute=2, network_unpaid=4, unpaid_for=timedelta(minutes=15)
)


def made(*seconds: float, network: str | None = "a", unpaid: bool = False) -> list[Made]:
    """So many seconds from now; what is ahead waits for its code."""
    return [Made(NOW + second * S, network, unpaid) for second in seconds]


OTHERS = made(-30, -20, -10, network="b")


@pytest.mark.parametrize(
    ("before", "network", "seconds"),
    [
        ([], "a", 0),
        (made(-1), "a", 0),
        (made(-20, -10), "a", 40),  # two of its network in a minute
        (made(-60, -10), "a", 0),  # one is a minute ago
        (made(-59, -10), "a", 1),
        (made(-20, -10), None, 0),  # whose network does not count
        (made(-20, -10, network="b"), "a", 0),
        (made(-20, -10, network=None), None, 0),
        (OTHERS, "a", 30),  # three of the machine
        (OTHERS, None, 30),
        (made(-30, -20, network="b"), "a", 0),
        ([*OTHERS, *made(30, network="b")], "a", 40),  # one waits for its turn already
        ([*OTHERS, *made(30, 40, 50, network="b")], "a", 90),
        (made(5, 6), "a", 65),  # and no minute around it is too full
        (made(30, 59), "a", 90),
        (made(60, 61), "a", 0),
    ],
)
def test_a_code_is_made_as_soon_as_no_minute_has_too_many(
    before: list[Made], network: str | None, seconds: float
) -> None:
    assert first_free(BUDGET, before, network, NOW) == NOW + seconds * S


AGO = -15 * 60


@pytest.mark.parametrize(
    ("before", "network", "may"),
    [
        (made(-90, -180, -270, unpaid=True), "a", True),
        (made(-90, -180, -270, -360, unpaid=True), "a", False),
        (made(-90, -180, -270, -360, unpaid=True), "b", True),
        (made(-90, -180, -270, -360, unpaid=True), None, True),
        (made(-90, -180, -270, -360, unpaid=True, network=None), None, True),
        ([*made(-90, -180, -270, unpaid=True), *made(-360)], "a", True),
        (made(-90, -180, -270, AGO, unpaid=True), "a", True),
        (made(-90, -180, -270, AGO + 0.001, unpaid=True), "a", False),
        (made(-90, -180, -270, 50, unpaid=True), "a", False),
    ],
)
def test_a_network_with_so_many_unpaid_codes_has_to_pay_first(
    before: list[Made], network: str | None, may: bool
) -> None:
    assert (first_free(BUDGET, before, network, NOW) is not None) is may
