"""Whose requests are counted together."""

from types import SimpleNamespace
from typing import Any

import pytest

from coinslot.pages.peer import network


@pytest.mark.parametrize(
    ("host", "counted_as"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("fe80::1%eth0", "fe80::/64"),
        ("testclient", "testclient"),
    ],
)
def test_one_customer_of_a_provider_is_one_network(host: str, counted_as: str) -> None:
    request: Any = SimpleNamespace(
        client=SimpleNamespace(host=host), headers={"x-forwarded-for": "198.51.100.1"}
    )
    assert network(request) == counted_as


def test_a_connection_without_an_address_is_counted_too() -> None:
    request: Any = SimpleNamespace(client=None, headers={})
    assert network(request) == "unknown"
