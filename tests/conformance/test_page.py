"""docs/conformance.md tells makers of every check, with its class and its rule."""

import re
from pathlib import Path

from coinslot.conformance.run import checks

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "conformance.md").read_text(encoding="utf-8")
LAW = (DOCS / "vend-protocol.md").read_text(encoding="utf-8")


def test_the_page_has_every_check_with_its_class_and_its_rule_in_the_order_asked() -> None:
    rows = re.findall(r"^\| `([\w-]+)` \| (G\d) \| ([^|]+) \|", PAGE, re.MULTILINE)
    assert rows == [(check.name, str(check.needs), check.rule) for check in checks()]


def test_every_rule_that_is_named_is_in_the_protocol() -> None:
    numbered = {f"rule {number}" for number in re.findall(r"^(\d)\. \*\*", LAW, re.MULTILINE)}
    headings = {heading.lower() for heading in re.findall(r"^## (.+)$", LAW, re.MULTILINE)}
    headings = {heading.partition(",")[0] for heading in headings}
    types = {f"messages: {name}" for name in re.findall(r"\b[A-Z]{2,}\b", LAW)}
    for check in checks():
        assert check.rule in numbered | headings | types, check.name


def test_every_check_says_what_it_asks() -> None:
    assert [check.name for check in checks() if len(check.asks) < 20] == []
