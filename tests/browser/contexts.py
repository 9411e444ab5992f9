"""Contexts of a browser, lent from test to test: a new one costs most of what a short test does in
it. Nothing stays in one that is taken back."""

from collections import defaultdict
from contextlib import suppress
from typing import Any
from urllib.parse import urljoin

from playwright.sync_api import Browser, BrowserContext, Error

# What can be the same in the next test; a context with anything else is closed.
_KEPT = {"color_scheme", "reduced_motion", "has_touch", "java_script_enabled", "locale",
         "service_workers", "viewport"}  # fmt: skip


class Contexts:
    """`lend` one, which nobody else has meanwhile, and `take_back` it."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._free: dict[str, list[BrowserContext]] = defaultdict(list)
        self._lent: dict[BrowserContext, str] = {}

    def lend(self, **options: Any) -> BrowserContext:
        kind = repr(sorted(options.items()))
        free = self._free[kind]
        context = free.pop() if free else self._browser.new_context(**options)
        kept = set(options) <= _KEPT and options.get("service_workers") == "block"
        self._lent[context] = kind if kept else ""
        return context

    def take_back(self, context: BrowserContext) -> None:
        kind = self._lent.pop(context)
        if kind and self._emptied(context):
            self._free[kind].append(context)
        else:
            context.close()

    def _emptied(self, context: BrowserContext) -> bool:
        """Whether nothing of the test is left in it."""
        with suppress(Error):  # a page that crashed, or that the test has closed
            devtools = context.new_cdp_session(context.pages[0])
            devtools.send("Network.clearBrowserCache")
            for origin in {urljoin(page.url, "/") for page in context.pages}:
                whole = {"origin": origin, "storageTypes": "all"}
                devtools.send("Storage.clearDataForOrigin", whole)
            context.unroute_all()
            context.clear_cookies()
            context.clear_permissions()
            for page in context.pages:
                page.close()
            return True
        return False
