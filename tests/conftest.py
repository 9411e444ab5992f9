"""What every test may ask for: a database of its own, made from a migrated template in a moment."""

import asyncio
import gc
import importlib
import importlib.util
import os
import re
from collections.abc import AsyncIterator, Coroutine, Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import asyncpg
import hypothesis
import msgspec
import pytest
import structlog

from coinslot.db.embedded import OWNER
from coinslot.db.migrate import APP, DOOR, migrate
from coinslot.db.pool import Database, RawConnection
from coinslot.device.broker import EmbeddedNats
from tests.kept_database import KeptDatabase
from tests.postgres_keeper import exclusively, server_url
from tests.sales.by_hand import Rows

# Seven thousand tests and what they import are a million objects that stay: looking through them
# for garbage was a third of collecting, and a seventh of each test.
gc.set_threshold(100_000, 50, 100)

# A busy computer is slow, which says nothing about the code: no example has a deadline.
hypothesis.settings.register_profile("patient", deadline=None)
hypothesis.settings.load_profile("patient")

_Report = TypeVar("_Report", pytest.TestReport, pytest.CollectReport)

# A skip says something about the thing under test; what a computer lacks is said, and in CI is a
# failure. Every other reason to skip is declared here.
SKIPPED_BY_CONTRACT = frozenset(
    {
        "another amount is another charge there",
        "there is no list of refunds",
        "this account takes no instrument",
        "this gateway holds nothing",
    }
)

# Files that last long go first: begun last, one would run alone at the end while the other workers
# are done. (The run is told not to sort files by the number of their tests.) Those of the browser
# stay together, since each worker starts one for all of them.
LONG = ("browser", "storms", "mutation", "api/test_schema")
# The others are mixed, since files of one folder want the same: where some wait for processes and
# windows, others have the processor. Files of these folders last longer, and come a little sooner.
LONGER = ("scenarios", "commands", "mirror", "conformance", "firmware", "rollouts")
SOONER = 0.6

# Each test has a database of its own, and writing one to a disk costs more than all that most tests
# do with it. What tests make lives in memory where there is room for it.
MEMORY = Path("/dev/shm")
ROOM_BYTES = 4_000_000_000

TEMPLATE = "coinslot_template"
# A server and a template that stand already, where tests/mutation runs these tests over and over.
WARM_SERVER = os.environ.get("COINSLOT_TEST_SERVER")
WARM_TEMPLATE = os.environ.get("COINSLOT_TEST_TEMPLATE", TEMPLATE)
# The server is reachable from this computer only and lives as long as the tests.
TEST_PASSWORD = "of-the-tests"


def pytest_configure() -> None:
    structlog.configure(  # as it is configured otherwise, each exception costs a second in colours
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.dev.ConsoleRenderer(
                colors=False, exception_formatter=structlog.dev.plain_traceback
            ),
        ],
        cache_logger_on_first_use=False,
    )
    if _has_room(MEMORY):
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))


def pytest_runtestloop() -> None:
    gc.freeze()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    places = places_of(dict.fromkeys(_file(item) for item in items))
    items.sort(key=lambda item: places[_file(item)])


def _file(item: pytest.Item) -> str:
    return item.nodeid.partition("::")[0].removeprefix("tests/")


def places_of(files: Iterable[str]) -> dict[str, float]:
    """By which they are sorted: each folder is spread over the whole run."""
    folders: dict[str, list[str]] = {}
    for file in files:
        folders.setdefault(file.partition("/")[0], []).append(file)
    spread = {
        file: (n + 0.5) / len(inside) * (SOONER if folder in LONGER else 1)
        for folder, inside in folders.items() for n, file in enumerate(inside)
    }  # fmt: skip
    first = {
        file: float(n - len(LONG)) for file in spread for n, begins in enumerate(LONG)
        if file.startswith(begins)
    }  # fmt: skip
    return spread | first


def _has_room(folder: Path) -> bool:
    """Enough for a whole run, and programs can be started from there."""
    if not os.access(folder, os.W_OK):
        return False
    found = os.statvfs(folder)
    available = re.search(r"MemAvailable: +(\d+) kB", Path("/proc/meminfo").read_text("ascii"))
    memory = 1024 * int(available[1]) if available else 0
    room = min(found.f_bavail * found.f_frsize, memory)
    return room >= ROOM_BYTES and not found.f_flag & os.ST_NOEXEC


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    return _declared((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    return _declared((yield))


def _declared(report: _Report) -> _Report:
    """In CI a test that was skipped and need not be has failed: nothing is left out in silence."""
    if os.environ.get("CI") != "true" or not report.skipped or hasattr(report, "wasxfail"):
        return report
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else f"{report.longrepr}"
    reason = reason.removeprefix("Skipped: ")
    if reason not in SKIPPED_BY_CONTRACT:
        report.outcome = "failed"
        report.longrepr = f"{report.nodeid} was skipped in CI: {reason}"
    return report


class DatabaseUrls(msgspec.Struct, frozen=True):
    """The four logins of one database."""

    superuser: str
    owner: str
    app: str
    door: str

    @classmethod
    def of(cls, superuser_url: str, database: str) -> "DatabaseUrls":
        parts = urlsplit(superuser_url)
        place = f"{parts.hostname}:{parts.port}"
        superuser = urlunsplit(parts._replace(path=f"/{database}"))
        logins = [
            f"postgresql://{r}:{TEST_PASSWORD}@{place}/{database}" for r in (OWNER, APP, DOOR)
        ]
        return cls(superuser, *logins)


def sql_functions() -> list[tuple[str, str]]:
    """The repeatable migrations; they belong to a floor that tests of lower ones do without."""
    if importlib.util.find_spec("coinslot.app.schema") is None:
        return []
    functions: list[tuple[str, str]] = importlib.import_module(
        "coinslot.app.schema"
    ).sql_functions()
    return functions


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all workers of this test run."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(scope="session")
def postgres(shared_folder: Path) -> Iterator[str]:
    """The superuser's URL of the test run's server."""
    if WARM_SERVER:
        yield WARM_SERVER
        return
    url, in_use = server_url(shared_folder / "postgres")
    with in_use:
        yield url


@pytest.fixture(scope="session")
def template(postgres: str, shared_folder: Path) -> str:
    """The name of a database with all migrations applied."""
    if WARM_SERVER:
        return WARM_TEMPLATE
    done = shared_folder / "postgres" / "template"
    with exclusively(shared_folder / "postgres" / "migrating"):
        # A server that ended between two workers took its template along: the next one has none.
        if not done.exists() or done.read_text(encoding="utf-8") != postgres:
            _in_a_thread(_make_template(postgres))
            done.write_text(postgres, encoding="utf-8")
    return TEMPLATE


def _in_a_thread(work: Coroutine[object, object, None]) -> None:
    """The first test that asks may drive a browser, whose loop runs in this thread."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, work).result()


async def _make_template(superuser_url: str) -> None:
    await on_server(
        superuser_url,
        f"ALTER ROLE {OWNER} PASSWORD '{TEST_PASSWORD}'",
        f"DROP DATABASE IF EXISTS {TEMPLATE} WITH (FORCE)",
        f"CREATE DATABASE {TEMPLATE} OWNER {OWNER}",
    )
    owner_url = DatabaseUrls.of(superuser_url, TEMPLATE).owner
    await migrate(owner_url, TEST_PASSWORD, TEST_PASSWORD, sql_functions())


async def on_server(superuser_url: str, *statements: str) -> None:
    conn = await asyncpg.connect(superuser_url)
    try:
        for statement in statements:
            await conn.execute(statement)
    finally:
        await conn.close()


@pytest.fixture(scope="session")
async def kept_database(postgres: str, template: str) -> AsyncIterator[KeptDatabase]:
    """The database that this worker lends to its tests."""

    async def make() -> str:
        name = f"test_{uuid4().hex}"
        await on_server(postgres, f"CREATE DATABASE {name} TEMPLATE {template} OWNER {OWNER}")
        return name

    async def drop(name: str) -> None:
        await on_server(postgres, f"DROP DATABASE {name} WITH (FORCE)")

    lent = KeptDatabase(make, drop, lambda name: DatabaseUrls.of(postgres, name).superuser)
    yield lent
    await lent.give_up()


@pytest.fixture
async def never_lent(kept_database: KeptDatabase) -> None:
    """The database of this test is new: it looks at plans, or at the size of tables and indexes."""
    await kept_database.give_up()


@pytest.fixture
async def urls(postgres: str, kept_database: KeptDatabase) -> AsyncIterator[DatabaseUrls]:
    """A migrated database in which nothing has happened, of this test alone while it runs."""
    yield DatabaseUrls.of(postgres, await kept_database.lend())
    await kept_database.take_back()


@pytest.fixture
async def holder(urls: DatabaseUrls) -> AsyncIterator[RawConnection]:
    """A superuser's connection, which holds rows that others want."""
    conn = await asyncpg.connect(urls.superuser)
    yield conn
    await conn.close()


@pytest.fixture
async def looker(urls: DatabaseUrls) -> AsyncIterator[RawConnection]:
    """Another one, which looks at who waits for whom."""
    conn = await asyncpg.connect(urls.superuser)
    yield conn
    await conn.close()


@pytest.fixture
async def hand(urls: DatabaseUrls) -> AsyncIterator[RawConnection]:
    """A superuser's connection that no trigger and no policy holds back."""
    conn = await asyncpg.connect(urls.superuser)
    await conn.execute("SET session_replication_role = replica")
    yield conn
    await conn.close()


@pytest.fixture
async def rows(urls: DatabaseUrls, kept_database: KeptDatabase) -> AsyncIterator[Rows]:
    """Rows by themselves, of which a test names a few columns: no key is checked."""
    yield await kept_database.rows(urls.superuser)
    await kept_database.rows_back()


@pytest.fixture
async def blank_urls(postgres: str, template: str) -> AsyncIterator[DatabaseUrls]:
    """A database without migrations, where the logins exist."""
    name = f"test_{uuid4().hex}"
    await on_server(postgres, f"CREATE DATABASE {name} OWNER {OWNER}")
    yield DatabaseUrls.of(postgres, name)
    await on_server(postgres, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def database(urls: DatabaseUrls, kept_database: KeptDatabase) -> Database:
    """The pools that the application uses."""
    return await kept_database.pools(urls.app, urls.door)


@pytest.fixture
async def nats(tmp_path: Path) -> AsyncIterator[EmbeddedNats]:
    """An MQTT broker that knows no device yet: `await nats.reload(users)` tells it."""
    broker = EmbeddedNats(tmp_path)
    await broker.start()
    yield broker
    await broker.stop()
