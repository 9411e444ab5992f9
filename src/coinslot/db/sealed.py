"""Where sealed secrets are stored. A room that seals something lists its columns, so that they can
be sealed anew when the key of the installation changes."""

from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct


class SealedColumn(Struct, frozen=True, kw_only=True):
    """One column. `key` names a row, `names` are the columns that `place` is made of: what binds
    the sealed bytes to their row."""

    table: str
    column: str
    key: str
    names: tuple[str, ...]
    place: Callable[[Mapping[str, Any]], str]
