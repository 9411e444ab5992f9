"""A time zone may be typed by its city."""

import pytest

from coinslot.kit.clock import UnknownZoneError, known_zone


@pytest.mark.parametrize(
    ("typed", "zone"),
    [
        ("Berlin", "Europe/Berlin"), ("berlin ", "Europe/Berlin"), ("New York", "America/New_York"),
        ("europe/berlin", "Europe/Berlin"), ("Asia/Kolkata", "Asia/Kolkata"), ("UTC", "UTC"),
    ],
)  # fmt: skip
def test_a_city_that_one_zone_has_is_that_zone(typed: str, zone: str) -> None:
    assert known_zone(typed) == zone


@pytest.mark.parametrize("typed", ["Buenos Aires", "Mars", "", "localtime", "Europe"])
def test_a_city_of_several_zones_or_of_none_is_refused(typed: str) -> None:
    with pytest.raises(UnknownZoneError):
        known_zone(typed)
