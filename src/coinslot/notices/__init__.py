"""Drivers that send notices to people, one file each, found by being in this folder."""

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType
from typing import cast

from coinslot.notices.base import Driver

_ASKED = ("name", "Settings", "open")  # what base.Driver asks for


@cache
def drivers() -> Mapping[str, Driver]:
    """The drivers by name: every module of this folder that has what `base.Driver` asks for."""
    found = {}
    for module in iter_modules(__path__):
        driver = import_module(f"{__name__}.{module.name}")
        if all(hasattr(driver, asked) for asked in _ASKED):
            found[driver.name] = cast(Driver, driver)
    return MappingProxyType(found)
