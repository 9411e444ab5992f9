"""Drivers of the ways to machines, one file each, found by being in this folder."""

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from inspect import getmembers, isclass
from pkgutil import iter_modules
from types import MappingProxyType
from typing import Any

_ASKED = ("name", "powers", "send", "run")  # what base.Channel asks for


@cache
def drivers() -> Mapping[str, Any]:
    """The channels by name: every class in this folder's files that has what `base.Channel` asks
    for."""
    found: dict[str, Any] = {}
    for module in iter_modules(__path__):
        full_name = f"{__name__}.{module.name}"
        driver: Any
        for _, driver in getmembers(import_module(full_name), isclass):
            own = driver.__module__ == full_name and not getattr(driver, "_is_protocol", False)
            if own and all(hasattr(driver, asked) for asked in _ASKED):
                found[driver.name] = driver
    return MappingProxyType(found)
