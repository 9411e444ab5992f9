"""`coinslot demo` on ports that others use: one line that says what to do, and nothing is made."""

import asyncio
import socket
from collections.abc import Callable, Coroutine
from pathlib import Path

import asyncpg
import pytest
import typer

from coinslot.app.server import PortTakenError
from coinslot.commands.demo import may_be_a_demos
from coinslot.commands.terms import fail, run
from tests.scenarios.installation import coinslot

OPTIONS = ("--port", "--sandbox-port", "--mqtt-port")


@pytest.mark.parametrize("option", OPTIONS)
def test_a_port_that_is_taken_is_said_in_one_line_with_the_way_out(
    option: str, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    with socket.create_server(("127.0.0.1", 0)) as taken, socket.create_server(
        ("127.0.0.1", 0)
    ) as one, socket.create_server(("127.0.0.1", 0)) as other:  # fmt: skip
        port = taken.getsockname()[1]
        free = [str(probe.getsockname()[1]) for probe in (one, other)]
        one.close()
        other.close()
        words = [option, str(port)]
        for name, number in zip((o for o in OPTIONS if o != option), free, strict=True):
            words += [name, number]
        done = coinslot("demo", "--data", str(data), *words, env={})
    assert done.returncode == 1
    line = done.stderr.strip().splitlines()[-1]
    assert line.startswith("coinslot: ")
    assert str(port) in line
    assert "ddress already in use; name another" in line
    assert option in line
    assert "Traceback" not in done.stderr
    assert "│" not in done.stderr
    assert data.exists() is (option == "--mqtt-port")


async def _finds_the_port_taken() -> None:
    raise PortTakenError("cannot listen on 8001")


async def _asks_an_older_database() -> None:
    raise asyncpg.UndefinedColumnError("column s.new does not exist")


async def _says_so_itself() -> None:
    fail("the sandbox does not start")


@pytest.mark.parametrize("part", [_finds_the_port_taken, _asks_an_older_database, _says_so_itself])
def test_what_fails_beside_others_is_one_line_as_well(
    part: Callable[[], Coroutine[None, None, None]], capsys: pytest.CaptureFixture[str]
) -> None:
    async def together() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(part())
            group.create_task(asyncio.Event().wait())

    with pytest.raises(typer.Exit) as ended:
        run(together, "WARNING")
    assert ended.value.exit_code == 1
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_mistake_of_ours_beside_it_is_still_shown_whole() -> None:
    async def mistaken() -> None:
        raise ZeroDivisionError

    async def together() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(mistaken())
            group.create_task(_finds_the_port_taken())

    with pytest.raises(ExceptionGroup):
        run(together, "WARNING")


def test_an_installation_of_somebodys_own_is_given_no_demo(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()
    done = coinslot("demo", "--data", str(tmp_path), "--port", "1", env={})
    assert done.returncode == 1
    assert "an installation that is no demo" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["postgres"]


@pytest.mark.parametrize("mark", ["demo.mark", "showroom.json"])
def test_a_demo_goes_on_in_its_own_folder_also_one_that_was_killed_at_its_first_start(
    mark: str, tmp_path: Path
) -> None:
    assert may_be_a_demos(tmp_path)
    (tmp_path / "postgres").mkdir()
    assert not may_be_a_demos(tmp_path)
    (tmp_path / mark).touch()
    assert may_be_a_demos(tmp_path)
