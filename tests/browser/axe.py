"""axe looks for what keeps people out of a page. It is told to write down nothing else: what is
right took as long as what is wrong."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

Size = tuple[int, int]
Scheme = Literal["light", "dark"]

_SCRIPT = Axe().axe_script
_EVERY_RULE = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")
# The rules that look at colours: all that can come out differently in the dark.
_COLOURS = ("color-contrast", "link-in-text-block")
_IS_THERE = "typeof axe === 'object'"
_LOOK = """rules => axe.run(document, {runOnly: rules, resultTypes: ["violations"], preload: false})
    .then(found => found.violations)"""


def violations(page: Page) -> list[str]:
    """Each rule that the page breaks, with the first place where it does."""
    return _broken(page, _EVERY_RULE)


def violations_of_colours(page: Page) -> list[str]:
    """Those that a page whose other rules are looked at in the light can have in the dark."""
    return _broken(page, _COLOURS)


def shown_at(page: Page, size: Size, scheme: Scheme | None = None) -> None:
    """On another screen, as it is loaded: to visit it anew costs twice as much. Colours stay as
    they are where none are named, since whatever is named is computed again."""
    if scheme is not None:
        page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": size[0], "height": size[1]})


def on_each(
    page: Page, screens: Iterable[tuple[Size, Scheme]]
) -> Iterator[tuple[Size, Scheme, list[str]]]:
    """On each screen in turn what keeps somebody out; nothing runs over the side of any."""
    for size, scheme in screens:
        shown_at(page, size, scheme)
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= size[0], (page.url, size)
        yield size, scheme, violations(page)


def _broken(page: Page, rules: Sequence[str]) -> list[str]:
    if not page.evaluate(_IS_THERE):
        page.evaluate(_SCRIPT)
    found = page.evaluate(_LOOK, list(rules))
    return [f"{rule['id']}: {rule['nodes'][0]['html'][:160]}" for rule in found]
