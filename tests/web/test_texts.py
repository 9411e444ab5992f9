"""Every language says everything."""

import re
from pathlib import Path

import pytest

from coinslot.pages import texts
from coinslot.pages.order_progress import Phase
from coinslot.pages.texts import LANGUAGES, MIRROR, Words
from coinslot.pages.texts.en import ENGLISH

ALL = [*LANGUAGES.values(), MIRROR]
FIELDS = [name for name in Words.__struct_fields__ if name not in {"code", "direction", "locale"}]
TEMPLATES = Path(texts.__file__).parent.parent / "templates"
PACKAGE = Path(texts.__file__).parents[2]


@pytest.mark.parametrize("words", ALL, ids=lambda words: words.code)
def test_every_language_has_every_text_with_the_same_blanks(words: Words) -> None:
    for name in FIELDS:
        text, english = getattr(words, name), getattr(ENGLISH, name)
        assert text.strip(), name
        assert set(re.findall(r"\{\w*\}", text)) == set(re.findall(r"\{\w*\}", english)), name


@pytest.mark.parametrize("code", ["hi", "ru"])
def test_no_text_was_left_in_english(code: str) -> None:
    same = {name for name in FIELDS if getattr(LANGUAGES[code], name) == getattr(ENGLISH, name)}
    assert same <= {"short_name"}


@pytest.mark.parametrize("words", ALL, ids=lambda words: words.code)
def test_no_text_says_error(words: Words) -> None:
    said = " ".join(getattr(words, name) for name in FIELDS).lower()
    assert not re.search(r"\berror|fail|ошибк|त्रुटि|एरर", said)


def test_every_phase_has_a_title_and_a_sentence() -> None:
    for phase in set(Phase) - {Phase.SCAN}:
        assert getattr(ENGLISH, phase.value)
        assert getattr(ENGLISH, f"{phase.value}_lead")


def test_every_text_is_used_somewhere() -> None:
    sources = [*TEMPLATES.iterdir(), *TEMPLATES.parent.glob("*.py")]
    used = "".join(path.read_text() for path in sources)
    made = re.compile(
        r"why_|way_(link|code)$|receipt_(tip|delivery_fee|added_tax)$|promise_g|told_|step_refund_|working_(deliver|away)$|_lead$"
    )
    phases = {phase.value for phase in Phase}
    refused = "".join(path.read_text() for path in PACKAGE.rglob("*.py"))
    named = set(re.findall(r'sentence="(\w+)"', refused))
    unused = [
        name
        for name in FIELDS
        if name not in used and not made.search(name) and name not in phases | named
    ]
    assert unused == []


def test_the_mirror_is_for_developers_only() -> None:
    assert texts.choose("ar-XB", "", mirror=False) is ENGLISH
    assert texts.choose("ar-XB", "", mirror=True).direction == "rtl"
