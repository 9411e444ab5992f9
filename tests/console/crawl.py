"""A look at every form of the console that its links lead to."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urldefrag, urljoin

from tests.console.conftest import Browser

_EACH_AT_MOST = 1  # pages that differ in an id or in what is asked for
_LEFT_OUT = ("sign-out", "sign-in", "live", ".csv", "/export", "/sheet", "/file", "/ready", "lang=")


@dataclass
class PageForm:
    """Of a page: where it goes, and what a browser would send of it."""

    page: str
    action: str
    is_post: bool
    fields: list[tuple[str, str]] = field(default_factory=list)
    numbers: set[str] = field(default_factory=set)  # fields that a number is expected in

    @property
    def kind(self) -> tuple[str, frozenset[str]]:
        return route_of(self.action), frozenset(re.sub(r"\d+", "0", n) for n, _ in self.fields)


def route_of(path: str) -> str:
    """What stays the same in addresses that differ in an id."""
    bare = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "{}", path.partition("?")[0])
    return re.sub(r"(?<=/)([A-Z]\d+|\d+)(?=/|\Z)", "{}", bare)


class _Reader(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.page, self.links = page, list[str]()
        self.forms = list[PageForm]()
        self._form: PageForm | None = None
        self._select = self._text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = {name: value or "" for name, value in attrs}
        if tag == "a" and "href" in has:
            self.links.append(urldefrag(urljoin(self.page, has["href"]))[0])
        elif tag == "form":
            action = urljoin(self.page, has.get("action") or self.page)
            self._form = PageForm(self.page, action, has.get("method", "get").lower() == "post")
            self.forms.append(self._form)
        elif self._form is not None:
            self._control(tag, has)

    def _control(self, tag: str, has: dict[str, str]) -> None:
        assert self._form is not None
        name = has.get("name", "")
        if tag == "option" and self._select and ("selected" in has or self._first(self._select)):
            self._form.fields = [one for one in self._form.fields if one[0] != self._select]
            self._form.fields.append((self._select, has.get("value", "")))
        elif name and tag == "select":
            self._select = name
        elif name and tag == "textarea":
            self._form.fields.append((name, ""))
        elif name and tag in ("input", "button"):
            kind = has.get("type", "text")
            if kind == "file" or (kind in ("checkbox", "radio") and "checked" not in has):
                return
            if tag == "input" or not any(each == name for each, _ in self._form.fields):
                self._form.fields.append((name, has.get("value", "")))
            if (
                "numeric" in has.get("inputmode", "")
                or kind == "number"
                or has.get("inputmode") == "decimal"
                or has.get("value", "").isdecimal()
            ):
                self._form.numbers.add(name)

    def _first(self, name: str) -> bool:
        assert self._form is not None
        return not any(each == name for each, _ in self._form.fields)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "select":
            self._select = ""


async def all_forms(browser: Browser, *begin: str) -> list[PageForm]:
    """Of the pages that links lead to from here, one of each kind."""
    waiting, seen, count = list(begin), set[str](), dict[str, int]()
    found = dict[tuple[str, frozenset[str]], PageForm]()
    while waiting:
        path = waiting.pop(0)
        if path in seen or not path.startswith("/console") or path.endswith(_LEFT_OUT):
            continue
        seen.add(path)
        route = route_of(path)
        count[route] = count.get(route, 0) + 1
        if count[route] > _EACH_AT_MOST or any(out in path for out in _LEFT_OUT):
            continue
        answer = await browser.look(path)
        assert answer.status_code < 500, path
        if answer.status_code == 200 and "text/html" in answer.headers["content-type"]:
            reader = _Reader(str(answer.url.raw_path.decode()))
            reader.feed(answer.text)
            waiting += reader.links
            for one in reader.forms:
                found.setdefault(one.kind, one)
    return list(found.values())
