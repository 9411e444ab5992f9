"""Numbers that a person or a device wrote: in decimal digits of any script, and of a bounded length
(Python refuses to read more than 4,300 digits)."""

import re
from typing import Final

BIGINT_MAX: Final = 2**63 - 1
_WHOLE: Final = re.compile(r"\d{1,18}")
_DECIMAL: Final = re.compile(r"[+-]?\d{1,9}([.,]\d{0,12})?")


def whole(text: str, most: int = BIGINT_MAX, *, least: int = 0) -> int | None:
    """None for what is no whole number within these bounds."""
    found = int(text) if _WHOLE.fullmatch(text) else None
    return found if found is not None and least <= found <= most else None


def decimal(text: str) -> float | None:
    """With a point or a comma; None for what is no number, and for none that is finite."""
    return float(text.replace(",", ".")) if _DECIMAL.fullmatch(text) else None
