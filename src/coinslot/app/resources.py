"""What an installation needs: database, broker, keys. Embedded ones where the settings name
none."""

import asyncio
import base64
import secrets
import ssl
from contextlib import AsyncExitStack
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import msgspec
from msgspec import Struct

from coinslot.app.schema import sql_functions
from coinslot.channels.addresses import places
from coinslot.db.child_server import write_private
from coinslot.db.embedded import DATABASE, EmbeddedPostgres, running_superuser_url
from coinslot.db.migrate import APP, DOOR, migrate
from coinslot.db.pool import Database
from coinslot.device.authority import Authority
from coinslot.device.broker import (
    BrokerUser,
    EmbeddedNats,
    Reach,
    authority_folder,
    embedded_address,
)
from coinslot.fleet.enrolment import DeviceAddresses
from coinslot.kit.clock import Clock, SystemClock
from coinslot.kit.secrets import Secret, Vault
from coinslot.outlets.machines import device_logins
from coinslot.settings import Settings, SettingsError
from coinslot.storage.base import Storage
from coinslot.storage.folder import FolderStorage
from coinslot.storage.s3 import Bucket, S3Storage


class Kept(Struct):
    """What an embedded installation generates and keeps in a file that only its user may read."""

    app_password: str
    door_password: str
    key: str


class Urls(Struct, frozen=True, kw_only=True):
    """The logins of the database: owner (migrate, audit), application, system."""

    app: str
    door: str
    owner: str | None = None
    superuser: str | None = None  # of the embedded server only


class Resources:
    """Opened on the stack that closes them in the opposite order."""

    def __init__(
        self, settings: Settings, stack: AsyncExitStack, *, may_join: bool = False
    ) -> None:
        """`may_join`: a short command may use the embedded server that another process runs."""
        self.settings = settings
        self._may_join = may_join
        self._stack = stack

    async def database(self) -> tuple[Urls, Database]:
        """The database and its pools; an embedded one is migrated first."""
        urls = await self.urls()
        settings = self.settings
        db = await Database.open(urls.app, urls.door, size=settings.pool_size)
        self._stack.push_async_callback(db.close)
        return urls, db

    async def urls(self) -> Urls:
        """Raises SettingsError when only some of the three logins are named."""
        settings = self.settings
        if settings.database_url is None:
            return await self._embedded()
        if settings.door_url is None:
            raise SettingsError("DATABASE_URL is set, so COINSLOT_DOOR_URL must be set too")
        return Urls(app=settings.database_url, door=settings.door_url, owner=settings.owner_url)

    async def _embedded(self) -> Urls:
        kept = self._kept()
        running = running_superuser_url(self.settings.data)
        if running is not None and self._may_join:
            return Urls(
                app=_as(running, APP, kept.app_password),
                door=_as(running, DOOR, kept.door_password),
                superuser=running,
            )
        server = EmbeddedPostgres(self.settings.data)
        await server.start()
        self._stack.push_async_callback(server.stop)
        keeper = asyncio.create_task(server.keep_running(), name="keep PostgreSQL")
        self._stack.push_async_callback(_ended, keeper)
        await migrate(server.owner_url, kept.app_password, kept.door_password, sql_functions())
        return Urls(
            app=server.url(APP, kept.app_password),
            door=server.url(DOOR, kept.door_password),
            owner=server.owner_url,
            superuser=server.superuser_url,
        )

    async def broker(self, db: Database) -> tuple[str, EmbeddedNats | None]:
        """The broker's URL for us, and the embedded one where it is embedded."""
        if self.settings.mqtt_broker_url is not None:
            return self.settings.mqtt_broker_url, None
        nats = EmbeddedNats(self.settings.data, self.settings.mqtt_port, mqtt_reach(self.settings))
        await nats.start(await broker_users(db))
        self._stack.push_async_callback(nats.stop)
        return nats.url, nats

    def vault(self) -> Vault:
        """The keys that secrets are encrypted with."""
        if self.settings.keys is not None:
            return Vault.parse(self.settings.keys)
        if self.settings.database_url is not None:
            raise SettingsError("DATABASE_URL is set, so COINSLOT_KEYS must be set too")
        return Vault.parse(f"1:{self._kept().key}")

    def _kept(self) -> Kept:
        path: Path = self.settings.data / "secrets.json"
        if path.exists():
            return msgspec.json.decode(path.read_bytes(), type=Kept)
        made = Kept(
            app_password=secrets.token_urlsafe(24),
            door_password=secrets.token_urlsafe(24),
            key=base64.b64encode(Vault.new_key()).decode(),
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        write_private(path, msgspec.json.encode(made))
        return made


async def _ended(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.wait({task})


async def broker_users(db: Database) -> list[BrokerUser]:
    """Every device that may connect by MQTT."""
    return [BrokerUser(d.login, d.broker_hash, d.outlet) for d in await device_logins(db, "mqtt")]


def picture_storage(settings: Settings, clock: Clock, stack: AsyncExitStack) -> Storage:
    """Where pictures lie: in a bucket where the settings name one, else in a folder."""
    if settings.s3_endpoint is None:
        return FolderStorage(settings.pictures or settings.data / "pictures")
    bucket = Bucket(
        endpoint=settings.s3_endpoint, name=settings.s3_bucket, region=settings.s3_region,
        key_id=settings.s3_key_id, secret=Secret(settings.s3_secret),
        devices_endpoint=settings.devices_s3_endpoint,
    )  # fmt: skip
    storage = S3Storage(bucket, clock)
    stack.push_async_callback(storage.close)
    return storage


def mqtt_reach(settings: Settings) -> Reach | None:
    """Where the embedded broker listens for machines on other computers; None: it does not."""
    if settings.mqtt_bind is None:
        return None
    named = [place.host for place in places(settings.devices_mqtt_url)] if (
        settings.devices_mqtt_url
    ) else []  # fmt: skip
    return Reach(bind=settings.mqtt_bind, names=tuple(named))


def device_addresses(settings: Settings) -> DeviceAddresses:
    """How machines reach this installation, as their enrolments say it."""
    if settings.mqtt_broker_url is None:
        mqtt = settings.devices_mqtt_url or embedded_address(settings.data)
        ca = None
        if settings.mqtt_bind is not None:
            ca = Authority(authority_folder(settings.data), SystemClock()).der()
        return DeviceAddresses(mqtt=mqtt, ca=ca, socketio=settings.base_url, login_per_secret=True)
    given = settings.devices_mqtt_url or settings.mqtt_broker_url
    ca = None
    if settings.mqtt_ca_file is not None:
        rest = settings.mqtt_ca_file.read_text("ascii").partition(ssl.PEM_HEADER)[2]
        first = rest.partition(ssl.PEM_FOOTER)[0]
        ca = ssl.PEM_cert_to_DER_cert(f"{ssl.PEM_HEADER}{first}{ssl.PEM_FOOTER}")
    servers = ",".join(map(str, places(given)))  # never with our own login
    mqtt = f"{urlsplit(given).scheme}://{servers}"
    return DeviceAddresses(mqtt=mqtt, ca=ca, socketio=settings.base_url)


def _as(url: str, login: str, password: str) -> str:
    """The same server's database, with another login."""
    parts = urlsplit(url)
    place = f"{login}:{password}@{parts.hostname}:{parts.port}"
    return urlunsplit(parts._replace(netloc=place, path=f"/{DATABASE}"))
