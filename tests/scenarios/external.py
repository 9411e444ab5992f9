"""What an operator brings: a PostgreSQL, and a broker that knows the machines by password and
keeps them apart."""

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from coinslot.device.broker import BrokerUser, EmbeddedNats, hashed
from tests.channels import brokers
from tests.ports import free_port


class Server(Protocol):
    """A PostgreSQL that listens."""

    @property
    def superuser_url(self) -> str: ...

    @property
    def owner_url(self) -> str: ...

    def url(self, login: str, password: str) -> str:
        """Entered with a login of ours."""


class Broker(Protocol):
    """`url` is ours, with our login; machines use `port` and their own."""

    url: str
    port: int

    async def start(self, logins: Mapping[str, str]) -> None:
        """Listens on return; machines' secrets by their logins."""

    async def stop(self) -> None: ...


class Nats:
    """The embedded one, but not of our processes."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.url = f"mqtt://127.0.0.1:{self.port}"  # with our login once it was started
        self._server = EmbeddedNats(folder, self.port)

    async def start(self, logins: Mapping[str, str]) -> None:
        await self._server.start(BrokerUser(login, hashed(s)) for login, s in logins.items())
        us = f"{self._server.server_login}:{self._server.server_password}"
        self.url = f"mqtt://{us}@127.0.0.1:{self.port}"

    async def stop(self) -> None:
        await self._server.stop()


class Mosquitto:
    """Debian's, with a password file and one pattern of rights for all machines."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._server = brokers.Mosquitto(folder)
        self.port, self.url = self._server.port, self._server.url

    async def start(self, logins: Mapping[str, str]) -> None:
        self._server.logins = dict(logins)
        await self._server.start()

    async def stop(self) -> None:
        await self._server.stop()
