"""Every text of the console is used, and says the same fields in every language."""

import re
from pathlib import Path

from coinslot import console
from coinslot.console.frame import TABS
from coinslot.console.texts import PARTS, TEXTS, in_language
from coinslot.pages.assets import load
from coinslot.people.roles import INSTALLATION, ROLES

_HERE = Path(console.__file__).parent
# Named by a code, a kind, a state or a role; the pages show what there is a text for.
_MADE = re.compile(
    r"(owe|check|act|basis|note)_|board_(problem|back|here)_|board_[A-Z]|"
    r"(problem|refused|done|case|state|settled|money|machine|health|channel|dialect|extra|part|col|diff|export"
    r"|event|notice|notices_mail|gateway_light|gateway_problem|step|watch|break|broken|drawn"
    r"|receipt|receipt_problem|offers|printers_kind|paper"
    r"|scope|window|window_help|limit|limit_help|unit|selling_kind|settings_part|factor|webhook"
    r"|deliver(y|ies)|coffee_status|coffee_change|coffee_rule"
    r"|rollout_state|rollout_number|rollout_pause|update"
    r"|printers_kind|paper|walk_in_problem|rules|rules_help|stop|level|mh|dev|bulk_what)_"
)
_BUDGET_BYTES = 3 * 1024


def test_every_text_fills_in_the_same_fields_in_every_language() -> None:
    for name, texts in TEXTS.items():
        fields = [sorted(re.findall(r"\{(\w+)\}", text)) for text in texts]
        assert fields[0] == fields[1] == fields[2], name
        assert all(text.strip() == text != "" for text in texts), name


def test_no_name_is_used_for_two_texts() -> None:
    assert sum(len(part.TEXTS) for part in PARTS) == len(TEXTS)


def test_no_name_is_one_that_a_page_would_read_as_a_method_of_the_texts() -> None:
    assert set(TEXTS) & set(dir(in_language("en"))) == set()


def test_every_text_is_used_somewhere() -> None:
    sources = [*(_HERE / "templates").iterdir(), *_HERE.glob("*.py")]
    used = set(re.findall(r"\w+", "\n".join(path.read_text() for path in sources)))
    known = {f"tab_{tab.name}" for tab in TABS} | {f"role_{one}" for one in (*ROLES, INSTALLATION)}
    unused = [
        name for name in TEXTS
        if name not in used and not _MADE.match(name) and name not in known
    ]  # fmt: skip
    assert unused == []


def test_the_script_stays_within_its_budget() -> None:
    assert len(load("console.js").packed) <= _BUDGET_BYTES
