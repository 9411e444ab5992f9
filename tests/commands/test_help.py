"""Whoever knows only the command's name gets on: every help says what it does, with an example."""

import re
import shlex
from collections.abc import Iterator

import pytest
import typer
from typer.core import TyperCommand, TyperGroup
from typer.testing import CliRunner

from coinslot.commands import build

CLI = build()
ALL = {
    "demo", "serve", "web", "device", "worker", "migrate", "doctor", "audit",
    "events", "listen", "trigger", "reconcile", "conformance",
    "cases close", "cases settle", "keys make", "keys revoke", "keys reseal",
    "mirror check", "mirror rebuild",
    "people invite", "people reset", "people revoke",
    "merchants account", "merchants add", "merchants form", "merchants zone", "machines zone",
    "machines provision-qr", "machines decommission", "machines refill", "machines price",
    "machines edit", "machines provision", "machines onboard", "machines templates",
    "machines save-template", "machines assign-template", "machines near",
    "machines codes", "machines list", "machines history",
    "machines show",
    "machines out-of-sale", "machines windows",
    "machines on-sale", "machines ways", "products list", "products add", "products edit",
    "counter add", "counter menu", "counter zones",
    "orders show", "orders refund", "coffee account", "merchants pause", "merchants resume",
}  # fmt: skip


def commands(group: TyperGroup, path: str = "") -> Iterator[tuple[str, TyperCommand]]:
    for name, below in group.commands.items():
        if isinstance(below, TyperGroup):
            yield from commands(below, f"{path}{name} ")
        else:
            assert isinstance(below, TyperCommand)
            yield f"{path}{name}", below


FOUND = dict(commands(typer.main.get_group(CLI)))


def ask(*words: str) -> tuple[int, str]:
    """Exit code and everything that was said, its lines joined."""
    done = CliRunner().invoke(CLI, words, env={"COLUMNS": "100", "TERM": "dumb"})
    return done.exit_code, " ".join(re.sub(r"[│╭╰─╮╯]", " ", done.output).split())


def test_no_command_is_missing() -> None:
    assert set(FOUND) == ALL


@pytest.mark.parametrize("name", sorted(FOUND))
def test_its_help_says_what_it_does_what_it_takes_and_gives_an_example(name: str) -> None:
    command = FOUND[name]
    assert command.help is not None
    code, said = ask(*name.split(), "--help")
    assert code == 0
    assert command.help.split("\n")[0] in said
    for parameter in command.params:
        assert getattr(parameter, "help", "says itself"), f"{name} {parameter.name}"
    _, _, example = said.partition("Example: ")
    assert f"coinslot {name}" in example


@pytest.mark.parametrize("name", sorted(FOUND))
def test_its_example_is_one_that_it_understands(name: str) -> None:
    command = FOUND[name]
    assert command.epilog is not None
    line = re.split(r" \|\| | > ", command.epilog.split("`")[1])[0]
    words = shlex.split(line)
    given = words[words.index("coinslot") + 1 + len(name.split()) :]
    command.make_context(name, given)


@pytest.mark.parametrize("name", sorted(FOUND))
def test_it_is_the_same_where_it_is_loaded_without_the_others(name: str) -> None:
    first = name.split()[0]
    alone = dict(commands(typer.main.get_group(build(first))))
    assert {path for path in alone if path.split()[0] != first} == set()
    assert alone[name].help == FOUND[name].help
    assert [one.name for one in alone[name].params] == [one.name for one in FOUND[name].params]
    assert alone[name].epilog == FOUND[name].epilog


@pytest.mark.parametrize("words", [(), ("machines",)])
def test_a_group_alone_gives_its_help(words: tuple[str, ...]) -> None:
    code, said = ask(*words)
    assert code == 2
    for name in ALL:
        path = name.split()
        if len(path) == len(words) + 1 and path[:-1] == list(words):
            assert path[-1] in said


@pytest.mark.parametrize(
    "words", [("nosuch",), ("machines", "nosuch"), ("serve", "--nosuch"), ("audit", "M01")]
)
def test_what_it_does_not_know_ends_with_2_and_names_the_help(words: tuple[str, ...]) -> None:
    code, said = ask(*words)
    assert code == 2
    assert words[-1] in said
    assert "--help' for help" in said


def test_it_says_its_version() -> None:
    assert ask("--version") == (0, "coinslot 0.1.0")
