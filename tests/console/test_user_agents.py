"""A session is told from another by the names that people know."""

import pytest

from coinslot.console.user_agents import named

_CHROME = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0"


@pytest.mark.parametrize(
    ("agent", "said"),
    [
        (f"Mozilla/5.0 (X11; Linux x86_64) {_CHROME} Safari/537.36", "Chrome, Linux"),
        (f"Mozilla/5.0 (Linux; Android 10; K) {_CHROME} Mobile Safari/537.36", "Chrome, Android"),
        (f"Mozilla/5.0 (Windows NT 10.0) {_CHROME} Safari/537.36 Edg/120", "Edge, Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) Version/17 Safari/604",
         "Safari, iPhone"),
        ("python-httpx/0.27", "python-httpx/0.27"),
        ("x" * 100, "x" * 60 + "…"),
        ("", ""),
    ],
)  # fmt: skip
def test_a_browser_is_named_as_its_owner_knows_it(agent: str, said: str) -> None:
    assert named(agent) == said
