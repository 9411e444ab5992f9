"""Cells of a table (CSV) that a spreadsheet would run as formulas: marked as text by an apostrophe,
and read without it."""

from typing import Final

# White space before it counts for nothing, and the wide forms of Asian keyboards are taken too.
_FORMULA: Final = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_BREAKS: Final = ("\t", "\r", "\n")
_MARK: Final = "'"


def marked(text: str) -> str:
    return _MARK + text if _is_run(text) else text


def unmarked(text: str) -> str:
    return text[1:] if text.startswith(_MARK) and _is_run(text[1:]) else text


def _is_run(text: str) -> bool:
    return text.lstrip().startswith(_FORMULA) or text.startswith(_BREAKS)
