"""The documents tell the truth where a program can judge it: links, names, what is generated."""

import ast
import importlib
import os
import re
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import cast
from urllib.parse import unquote

import pytest
import typer

from coinslot.app import routes
from coinslot.commands import build
from coinslot.context import Context
from coinslot.pages.site import Site
from tests import write_settings, write_states
from tests.web.fake_backend import FakeBackend

ROOT = Path(__file__).parents[2]
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
FENCED = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)


def pages() -> list[str]:
    """Not those of what is installed here."""
    found: list[str] = []
    for place, folders, files in os.walk(ROOT):
        folders[:] = [name for name in folders if not name.startswith(".")]
        within = Path(place).relative_to(ROOT)
        found += [f"{within / name}" for name in files if name.endswith(".md")]
    return sorted(name for name in found if not name.startswith("."))


PAGES = pages()


def anchors(page: Path) -> set[str]:
    """What a heading is called in a link, as the forges make it."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")
            for heading in headings}  # fmt: skip


@pytest.mark.parametrize("name", PAGES)
def test_every_link_leads_somewhere(name: str) -> None:
    text = FENCED.sub("", (ROOT / name).read_text(encoding="utf-8"))
    lost = []
    for link in LINK.findall(text):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = unquote(link).partition("#")
        page = (ROOT / name).parent / path if path else ROOT / name
        if not page.exists() or (anchor and anchor not in anchors(page)):
            lost.append(link)
    assert lost == []


@pytest.mark.parametrize("name", PAGES)
def test_a_page_that_tells_to_type_coinslot_says_where_it_is(name: str) -> None:
    """It is on nobody's path: a bare command is `not found` to whoever begins."""
    text = (ROOT / name).read_text(encoding="utf-8")
    typed = [block for block in FENCED.findall(text) if re.search(r"^coinslot ", block, re.M)]
    assert not typed or ".venv/bin" in text


@pytest.mark.parametrize("name", PAGES)
def test_what_a_script_in_a_page_imports_from_us_is_there(name: str) -> None:
    """A renamed function breaks a script that nobody runs here."""
    lost = []
    for block in re.findall(
        r"^```python\n(.*?)^```", (ROOT / name).read_text("utf-8"), re.S | re.M
    ):
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("coinslot"):
                module = importlib.import_module(str(node.module))
                lost += [a.name for a in node.names if not _is_in(module, a.name)]
    assert lost == []


def _is_in(module: ModuleType, name: str) -> bool:
    if hasattr(module, name) or not hasattr(module, "__path__"):
        return hasattr(module, name)
    return find_spec(f"{module.__name__}.{name}") is not None


def test_the_page_of_settings_is_what_the_settings_say() -> None:
    assert write_settings.PAGE.read_text(encoding="utf-8") == write_settings.page(), "make docs"


def test_the_page_of_states_is_what_the_tables_say() -> None:
    assert write_states.PAGE.read_text(encoding="utf-8") == write_states.page(), "make docs"


def test_every_url_is_described() -> None:
    closed = cast(Context, object())  # nothing is asked of it
    app = routes.build(FakeBackend(), Site(), context=closed)
    served = {
        f"{method} {re.sub(r':[a-z]+', '', route.path)}"
        for route in app.routes
        for method in getattr(route, "methods", set()) - {"OPTIONS", "HEAD"}
        if not route.path.startswith("/schema")
    }
    text = (ROOT / "docs/urls.md").read_text(encoding="utf-8")
    assert served == {f"{method} {path}" for method, path in
                      re.findall(r"^\| ([A-Z]+) \| `([^`]+)` \|", text, re.MULTILINE)}  # fmt: skip


@pytest.mark.parametrize("page", ["README.md", "docs/commands.md"])
def test_a_page_names_no_command_that_is_not_there(page: str) -> None:
    assert _commands(page) <= set(getattr(typer.main.get_command(build()), "commands", {}))


def test_the_page_of_commands_names_every_one() -> None:
    group = typer.main.get_command(build())
    known = set(getattr(group, "commands", {}))
    assert known - _commands("docs/commands.md") <= {"device", "worker"}  # beside `coinslot web`


def _commands(page: str) -> set[str]:
    return set(re.findall(r"`coinslot ([a-z-]+)", (ROOT / page).read_text(encoding="utf-8")))
