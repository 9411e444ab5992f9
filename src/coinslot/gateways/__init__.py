"""Drivers of payment services, one folder or file each, found by being in this folder."""

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import cast

from coinslot.gateways.base import Driver


@cache  # it is asked for every payment, and reads the folder
def drivers() -> Mapping[str, Driver]:
    """Every driver by its name: the folders and files here that have what `Driver` asks."""
    modules = (
        importlib.import_module(f"{__name__}.{found.name}")
        for found in pkgutil.iter_modules(__path__)
    )
    wanted = ("name", "Settings", "Opened", "address", "practising", "open")
    found = [cast(Driver, m) for m in modules if all(hasattr(m, w) for w in wanted)]
    return MappingProxyType({driver.name: driver for driver in found})
