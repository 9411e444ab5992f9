"""A browser as its owner knows it: "Chrome, Android" where it said eighty letters."""

from typing import Final

_MOST = 60
# The first that is found: each of these also says the names of those that follow.
_BROWSERS: Final = (
    ("Edg", "Edge"), ("OPR/", "Opera"), ("YaBrowser", "Yandex Browser"),
    ("SamsungBrowser", "Samsung Internet"), ("Firefox", "Firefox"), ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"), ("Chrome", "Chrome"), ("Safari", "Safari"),
)  # fmt: skip
_SYSTEMS: Final = (
    ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"),
    ("CrOS", "ChromeOS"), ("Mac OS X", "macOS"), ("Linux", "Linux"),
)  # fmt: skip


def named(agent: str) -> str:
    """The browser and its system; what it said of itself, shortened, where neither is known."""
    found = [
        next((name for mark, name in marks if mark in agent), None)
        for marks in (_BROWSERS, _SYSTEMS)
    ]
    known = ", ".join(name for name in found if name)
    return known or (agent if len(agent) <= _MOST else f"{agent[:_MOST]}…")
