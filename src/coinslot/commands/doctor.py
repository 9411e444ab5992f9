"""`coinslot doctor`: names what is missing or down, one line each."""

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import timedelta
from urllib.parse import urlsplit

import aiomqtt
import asyncpg

from coinslot.app.premises import Premises
from coinslot.channels.mqtt import MqttOptions, connection
from coinslot.commands.terms import EXPLAINED, Data, console, run, settings
from coinslot.db.migrate import MigrationError, pending
from coinslot.db.pool import connect
from coinslot.device.broker import BrokerError
from coinslot.sales.move import sql_functions
from coinslot.settings import Settings

_PATIENCE = timedelta(seconds=3)


def doctor(data: Data = None) -> None:
    """Look at everything this installation needs and say what is wrong with it."""
    chosen = settings(data)

    async def main() -> int:
        checks: list[tuple[str, Callable[[Settings], Awaitable[str]]]] = [
            ("keys", _keys),
            ("database", _database),
            ("broker", _broker),
        ]
        sick = 0
        for name, check in checks:
            try:
                said, mark = await check(chosen), "[green]well[/]"
            except (*EXPLAINED, OSError, asyncpg.PostgresError) as error:
                said, mark = f"{error}", "[red]sick[/]"
                sick += 1
            console.print(f"{mark}  {name}: {said}", highlight=False, soft_wrap=True)
        return 1 if sick else 0

    run(main, chosen.log_level)


async def _keys(chosen: Settings) -> str:
    async with AsyncExitStack() as stack:
        Premises(chosen, stack).vault()
    return "readable" if chosen.keys else f"kept in {chosen.data}"


async def _database(chosen: Settings) -> str:
    if chosen.database_url is None:
        return f"embedded, in {chosen.data}; it is migrated at every start"
    for name, url in (("DATABASE_URL", chosen.database_url), ("COINSLOT_DOOR_URL", chosen.door_url),
                      ("COINSLOT_OWNER_URL", chosen.owner_url)):  # fmt: skip
        if url is not None:
            conn = await connect(url, _PATIENCE)
            version = await conn.fetchval("SHOW server_version")
            await conn.close()
            console.print(f"      {name}: PostgreSQL {version}", highlight=False)
    if chosen.owner_url is None:
        return "reachable; COINSLOT_OWNER_URL is not set, so its migrations were not looked at"
    missing = await pending(chosen.owner_url, sql_functions())
    if missing:
        raise MigrationError(f"reachable; run `coinslot migrate` for {', '.join(missing)}")
    return "up to date"


async def _broker(chosen: Settings) -> str:
    if chosen.mqtt_broker_url is None:
        return f"embedded, in {chosen.data}"
    where = urlsplit(chosen.mqtt_broker_url).netloc.rpartition("@")[2]
    try:
        async with connection(MqttOptions(url=chosen.mqtt_broker_url)):
            return "reachable"
    except (aiomqtt.MqttError, OSError) as error:
        raise BrokerError(f"no MQTT broker lets us in at {where}: {error}") from error
