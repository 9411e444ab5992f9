"""axe looks for what keeps people out of a page. It is told to write down nothing else: what is
right took as long as what is wrong."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

_SCRIPT = Axe().axe_script
_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
_LOOK = """rules => axe.run(document, {runOnly: rules, resultTypes: ["violations"]})
    .then(found => found.violations)"""


def violations(page: Page) -> list[str]:
    """Each rule that the page breaks, with the first place where it does."""
    page.evaluate(_SCRIPT)
    found = page.evaluate(_LOOK, _RULES)
    return [f"{rule['id']}: {rule['nodes'][0]['html'][:160]}" for rule in found]
