"""Tracebacks for the log: short enough to read there, and with every cause."""

import sys
from collections.abc import Iterable
from traceback import TracebackException
from types import TracebackType
from typing import Any, Final

CHARS: Final = 4000  # of one traceback
FRAMES: Final = 20  # the last ones of each error in the chain
_LINE_CHARS: Final = 300
_FEWER_FRAMES: Final = (FRAMES, 10, 5, 2)
_CUT: Final = "\n  [...]\n"

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]


def short_traceback(error: BaseException) -> str:
    """Without the values of variables, which may be secrets: the last frames of the error and of
    each cause. Where that is too long, they have fewer frames; then the middle is left out."""
    text = ""
    for frames in _FEWER_FRAMES:
        found = TracebackException.from_exception(error, limit=-frames, compact=True)
        text = "".join(_short_lines(found.format())).rstrip("\n")
        if len(text) <= CHARS:
            return text
    half = (CHARS - len(_CUT)) // 2
    return text[:half] + _CUT + text[-half:]


def error_of(exc_info: Any) -> BaseException | None:
    """The error that the `exc_info` of a log call names: itself, a tuple, or True for the one that
    is being handled."""
    if isinstance(exc_info, BaseException):
        return exc_info
    if isinstance(exc_info, tuple):
        found: ExcInfo | tuple[None, None, None] = exc_info
        return found[1]
    return sys.exception() if exc_info else None


def _short_lines(parts: Iterable[str]) -> Iterable[str]:
    for part in parts:
        for line in part.splitlines():
            yield f"{line[:_LINE_CHARS]}{' ...' if len(line) > _LINE_CHARS else ''}\n"
