"""What the commands share: settings with a folder, logging, errors as one clear line."""

import asyncio
import logging
import os
import sys
from collections.abc import Awaitable, Callable, Collection, Coroutine, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Annotated, Any, Final, NoReturn, TypeVar
from uuid import UUID

import asyncpg
import msgspec
import structlog
import typer
import uvloop
from rich.console import Console
from rich.markup import escape

from coinslot.app.server import TOOL, PortTakenError, RunningServer
from coinslot.commands.tracebacks import error_of, short_traceback
from coinslot.db.child_server import FolderInUseError, LeftoverError
from coinslot.db.embedded import EmbeddedPostgresError
from coinslot.db.migrate import MigrationError
from coinslot.db.pool import DatabaseUnreachableError
from coinslot.device.broker import BrokerError
from coinslot.kit.faults import FaultError
from coinslot.kit.secrets import VaultKeyError
from coinslot.merchants.accounts import LockedAccountError
from coinslot.outlets.machines import UnknownOutletError, owner_of
from coinslot.settings import Settings, SettingsError, read

Row = TypeVar("Row")

console = Console()
errors = Console(stderr=True)

Data = Annotated[
    Path | None,
    typer.Option("--data", help="Folder of the embedded parts.", envvar="COINSLOT_DATA"),
]


class ApiAwayError(Exception):
    """The merchant API does not answer, or what answers is something else."""


# What a database of another version lacks, where nothing looked at its version first.
_OTHER_VERSION = (
    asyncpg.UndefinedColumnError,
    asyncpg.UndefinedTableError,
    asyncpg.UndefinedFunctionError,
)
# What a person can fix: one line instead of a traceback.
EXPLAINED = (
    SettingsError,
    MigrationError,
    DatabaseUnreachableError,
    EmbeddedPostgresError,
    FolderInUseError,
    LeftoverError,
    BrokerError,
    VaultKeyError,
    PortTakenError,
    FaultError,
    LockedAccountError,
    ApiAwayError,
    asyncpg.InvalidAuthorizationSpecificationError,  # a wrong login or password
    asyncpg.InvalidCatalogNameError,  # no such database
    *_OTHER_VERSION,
)


def explained(error: BaseException) -> str:
    """What went wrong; before it, a hint where nothing may be wrong yet."""
    if isinstance(error, asyncpg.InvalidAuthorizationSpecificationError):
        return f"{error} (`coinslot migrate` makes the logins with their passwords: run it first)"
    if isinstance(error, _OTHER_VERSION):
        return (
            f"{error} (is the database of this version? `coinslot migrate --check` says; a server"
            " that is started again brings it there)"
        )
    return str(error)


def settings(data: Path | None = None, without: Collection[str] = (), **given: object) -> Settings:
    """The environment's settings, `without` some variables, under what the command line says."""
    try:
        found = read({name: value for name, value in os.environ.items() if name not in without})
    except SettingsError as error:
        fail(str(error))
    chosen = {name: value for name, value in given.items() if value is not None}
    if data is not None:
        chosen["data"] = data
    return msgspec.structs.replace(found, **chosen)


def installed(data: Path | None) -> Settings:
    """The settings of an installation that exists: a command that only asks or changes creates
    none."""
    chosen = settings(data)
    if chosen.database_url is None and not (chosen.data / "postgres" / "data").exists():
        fail(
            f"there is no installation in {chosen.data}: name its folder with --data or"
            " COINSLOT_DATA, or its database with DATABASE_URL"
        )
    return at_its_address(chosen)


def at_its_address(chosen: Settings) -> Settings:
    """A demo wrote down where it answers, which may be another port than the environment's."""
    path = chosen.data / "demo.json"
    named = chosen.public_url is not None or bool(os.environ.get("COINSLOT_PORT"))
    if chosen.database_url is not None or named or not path.exists():
        return chosen
    url = msgspec.json.decode(path.read_bytes()).get("base_url")
    return msgspec.structs.replace(chosen, public_url=url)


MARK: Final = "demo.mark"  # in the folder of a demo


def is_a_demos(data: Path) -> bool:
    """Whether a demo was started in this folder. One of before the mark has its people there."""
    return (data / MARK).exists() or (data / "showroom.json").exists()


def fail(line: str) -> NoReturn:
    """Say what is wrong, in one line, and end with 1."""
    errors.print(f"[bold red]coinslot:[/] {escape(line)}", highlight=False, soft_wrap=True)
    raise typer.Exit(1)


async def owner_or_fail(server: RunningServer, code: str) -> UUID:
    """The merchant of a machine or a counter; ends the command where there is none."""
    try:
        return await owner_of(server.db, code)
    except UnknownOutletError as error:
        fail(str(error))


def listed(found: Sequence[Row], line: Callable[[Row], str], *, json: bool, empty: str) -> None:
    """What a command lists: a line each, or one JSON document; `empty` where there is nothing."""
    if json:
        console.print_json(msgspec.json.encode(found).decode())
        return
    for row in found:
        console.print(line(row), highlight=False, soft_wrap=True)
    if not found:
        console.print(empty)


def log_to_stderr(level: str) -> None:
    """Structured lines on stderr: for people on a terminal, as JSON elsewhere. What libraries log
    by `logging` gets the same form."""
    pretty = sys.stderr.isatty()
    rendered = (
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
        if pretty
        else structlog.processors.JSONRenderer()
    )
    common: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso"),
        _with_short_traceback,
    ]
    structlog.configure(
        processors=[*common, rendered],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping().get(level.upper(), logging.INFO)
        ),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    of_libraries = logging.StreamHandler(sys.stderr)
    of_libraries.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, rendered],
            foreign_pre_chain=common,
        )
    )
    logging.basicConfig(level=logging.WARNING, handlers=[of_libraries])


def _with_short_traceback(
    _logger: Any, _method: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    error = error_of(event.pop("exc_info", None))
    if error is not None:
        event["exception"] = short_traceback(error)
    return event


def quiet(chosen: Settings) -> str:
    """The log level of a command that a person waits for: that a part started is not an answer."""
    return "WARNING" if chosen.log_level.upper() == "INFO" else chosen.log_level


def run(main: Callable[[], Coroutine[Any, Any, int | None]], level: str) -> None:
    """Run a command's coroutine on uvloop; known errors become one line."""
    log_to_stderr(level)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            code = _alone(lambda: runner.run(main()))
    except EXPLAINED as error:
        fail(f"{type(error).__name__.removesuffix('Error')}: {explained(error)}")
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    if code:
        raise typer.Exit(code)


def _alone(work: Callable[[], int | None]) -> int | None:
    """An error among parallel tasks comes in a group; one that a person can fix is raised alone."""
    try:
        return work()
    except BaseExceptionGroup as group:
        known, others = group.split((*EXPLAINED, typer.Exit))
        if known is None or others is not None:
            raise
        first: BaseException = known
        while isinstance(first, BaseExceptionGroup):
            first = first.exceptions[0]
        raise first from None


def run_on_server(work: Callable[[RunningServer], Awaitable[None]], chosen: Settings) -> None:
    """Run what asks or changes an installation, opened for this command alone."""

    async def main() -> int:
        async with AsyncExitStack() as stack:
            await work(await RunningServer(chosen, TOOL, stack).open())
        return 0

    run(main, quiet(chosen))
