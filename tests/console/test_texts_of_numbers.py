"""No text has a plural beside a number that may be one: nobody reads "1 payments"."""

import re
from collections.abc import Iterator

from coinslot.console.texts import TEXTS
from coinslot.counter import offer_texts
from coinslot.oversight import daily_profit

_PLURAL = re.compile(r"\{(count|left|done|all|orders|fees|costs|prices)\} (?!is\b)[a-z]+s\b")


def _english() -> Iterator[tuple[str, str]]:
    yield from ((name, texts[0]) for name, texts in TEXTS.items())
    yield from offer_texts.WORDS["en"].items()
    yield from (("daily profit", one[0]) for one in (daily_profit._ONE, daily_profit._UNKNOWN))


def test_no_english_text_has_a_plural_right_behind_a_number() -> None:
    # All rules of the audit are never one.
    assert [name for name, text in _english() if _PLURAL.search(text)] == ["proof_holds_lead"]
