"""A gateway that can do less than the one it stands for."""

from typing import Any


def without(driver: Any, *powers: str) -> Any:
    """The same driver, but for these methods: protocols no longer find it able."""
    names = [name for name in dir(type(driver)) if not name.startswith("__")]
    assert {*powers} <= {*names}, "what it does not have cannot be taken from it"
    kept = {name: _through(name) for name in names if name not in powers}
    made = type(f"Less{type(driver).__name__}", (), kept)()
    made._driver = driver
    return made


def _through(name: str) -> property:
    return property(lambda self: getattr(self._driver, name))
