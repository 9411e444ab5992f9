"""`coinslot doctor`: names what is missing or down, one line each."""

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import timedelta

import aiomqtt
import asyncpg
import httpx

from coinslot.app.kinds import KINDS
from coinslot.app.mirroring import remote
from coinslot.app.process_reports import ask_processes
from coinslot.app.resources import Resources, Urls
from coinslot.app.schema import sql_functions
from coinslot.channels.addresses import places
from coinslot.channels.mqtt import MqttOptions, connection
from coinslot.commands.mirror import of_a_demo
from coinslot.commands.terms import (
    EXPLAINED,
    Data,
    at_its_address,
    console,
    explained,
    quiet,
    run,
    settings,
)
from coinslot.db.embedded import running_superuser_url
from coinslot.db.migrate import MigrationError, pending
from coinslot.db.pool import AWAY, Database, connect
from coinslot.device.broker import BrokerError
from coinslot.events.mirror.document import MACHINES
from coinslot.events.mirror.firebase import RefusedError, UnclearError
from coinslot.kit.clock import SystemClock
from coinslot.merchants.accounts import Accounts
from coinslot.merchants.clocks import ahead_of_database, apart, clocks_apart, clocks_heard
from coinslot.orders import fulfillment
from coinslot.orders.outlet_windows import outlets_with_windows
from coinslot.outlets.machines import without_zone
from coinslot.payments.provision import at_another_price
from coinslot.settings import Settings, SettingsError
from coinslot.states.unit_flow import UnknownKindError

_PATIENCE = timedelta(seconds=3)


class _AwayError(Exception):
    """It need not run here and now: worth reporting, but not a fault of the installation."""


class ClockError(Exception):
    """A clock of ours is wrong."""


class BackgroundError(Exception):
    """Background work of a running process fails again and again."""


_SICK = (BackgroundError, ClockError, UnknownKindError, OSError, asyncpg.PostgresError)


def doctor(data: Data = None) -> None:
    """Look at everything this installation needs and say what is wrong with it; 1 if something is.

    A server that does not answer is said, and is no fault: it may run elsewhere, or not yet.
    Gateways are not asked: `coinslot audit --gateways` and `coinslot reconcile` do that."""
    chosen = at_its_address(settings(data))

    async def main() -> int:
        checks: list[tuple[str, Callable[[Settings], Awaitable[str]]]] = [
            ("database", _database),
            ("keys", _keys),
            ("broker", _broker),
            ("mirror", _mirror),
            ("codes", _codes),
            ("zones", _zones),
            ("kinds", _kinds),
            ("windows", _windows),
            ("clock", _clock),
            ("background", _background),
            ("server", _server),
        ]
        sick = 0
        for name, check in checks:
            try:
                said, mark = await check(chosen), "[green]well[/]"
            except (*EXPLAINED, *_SICK) as error:
                said, mark = explained(error), "[red]sick[/]"
                sick += 1
            except _AwayError as error:
                said, mark = f"{error}", "[yellow]away[/]"
            console.print(f"{mark}  {name}: {said}", highlight=False, soft_wrap=True)
        return 1 if sick else 0

    run(main, quiet(chosen))


async def _keys(chosen: Settings) -> str:
    if chosen.keys is None and not chosen.data.exists():
        return f"nothing is in {chosen.data} yet: they are made at the first start"
    async with AsyncExitStack() as stack:
        resources = Resources(chosen, stack, may_join=True)
        vault = resources.vault()
        if chosen.database_url is None and running_superuser_url(chosen.data) is None:
            return "readable; whether they open the accounts is looked at while it runs"
        try:
            db = await _opened(await resources.urls(), stack)
            known = await Accounts(db, vault, SystemClock(), timeout_s=1).check()
        except (*AWAY, asyncpg.PostgresError):  # reported with the database
            return "readable; whether they open the accounts could not be looked at"
    return f"they open the sealed settings of all {known} gateway accounts; no gateway was asked"


async def _opened(urls: Urls, stack: AsyncExitStack) -> Database:
    db = await Database.open(urls.app, urls.door, size=1, wait=_PATIENCE)
    stack.push_async_callback(db.close)
    return db


async def _database(chosen: Settings) -> str:
    if chosen.database_url is None:
        if not (chosen.data / "postgres" / "data").exists():
            raise SettingsError(f"there is none in {chosen.data}: `coinslot serve` makes it")
        if running_superuser_url(chosen.data) is None:
            raise SettingsError(
                f"embedded, in {chosen.data}, and stopped: it runs while `coinslot serve` does"
            )
        return f"embedded, in {chosen.data}, running; it is migrated at every start"
    # The owner first: before a migration the other logins are not there, or have other passwords.
    missing = []
    if chosen.owner_url is not None:
        await _say_version("COINSLOT_OWNER_URL", chosen.owner_url)
        missing = await pending(chosen.owner_url, sql_functions())
    if missing:
        raise MigrationError(
            f"reachable; run `coinslot migrate` for {', '.join(missing)}: it also makes both logins"
        )
    await _say_version("DATABASE_URL", chosen.database_url)
    if chosen.door_url is not None:
        await _say_version("COINSLOT_DOOR_URL", chosen.door_url)
    if chosen.owner_url is None:
        return "reachable; COINSLOT_OWNER_URL is not set, so its migrations were not looked at"
    return "up to date"


async def _say_version(name: str, url: str) -> None:
    conn = await connect(url, _PATIENCE)
    version = await conn.fetchval("SHOW server_version")
    await conn.close()
    console.print(f"      {name}: PostgreSQL {version}", highlight=False)


async def _broker(chosen: Settings) -> str:
    if chosen.mqtt_broker_url is None:
        return f"embedded, in {chosen.data}; it runs while `coinslot serve` does"
    ca_file = str(chosen.mqtt_ca_file) if chosen.mqtt_ca_file else None
    options = MqttOptions(url=chosen.mqtt_broker_url, ca_file=ca_file)
    refused = []
    for place in places(options.url):
        try:
            async with connection(options, place):
                pass
        except (aiomqtt.MqttError, OSError) as error:
            refused.append(f"no MQTT broker lets us in at {place}: {error}")
    if refused:
        raise BrokerError("; ".join(refused))
    return "reachable"


async def _mirror(chosen: Settings) -> str:
    async with AsyncExitStack() as stack:
        found = remote(chosen, stack)
        if found is None:
            return f"off: COINSLOT_FIREBASE_URL is not set{of_a_demo(chosen.data)}"
        try:
            await found.read(MACHINES, shallow=True)
        except (UnclearError, RefusedError) as error:
            raise SettingsError(f"COINSLOT_FIREBASE_URL: {error}") from error
        return "reachable, and lets us in"


async def _codes(chosen: Settings) -> str:
    """Printed codes whose amount is not what their slot costs: they sell at the code's amount."""
    async with AsyncExitStack() as stack:
        db = await _running(chosen, stack)
        if db is None:
            return "not looked at: there is no database yet"
        found = await at_another_price(db)
    if found:
        raise _AwayError(
            f"{'; '.join(found)}. What the code takes is what is sold for;"
            " `coinslot machines provision-qr` makes one at the slot's price"
        )
    return "every printed code takes what its slot costs"


async def _zones(chosen: Settings) -> str:
    """Machines whose times are shown in UTC because their zone was never set."""
    async with AsyncExitStack() as stack:
        db = await _running(chosen, stack)
        if db is None:
            return "not looked at: there is no database yet"
        nowhere = await without_zone(db)
    if nowhere and chosen.zone == Settings().zone:
        raise _AwayError(
            f"nobody said where {', '.join(nowhere)} stand: their times are in UTC, and a payment"
            " is not found by the time of day elsewhere; see `coinslot merchants zone`"
        )
    return "every machine has one"


async def _kinds(chosen: Settings) -> str:
    """Outlets of a way of selling that this program does not have: they sell nothing."""
    async with AsyncExitStack() as stack:
        db = await _running(chosen, stack)
        if db is None:
            return "not looked at: there is no database yet"
        found = await fulfillment.kinds_in_service(db)
    lost = [f"{', '.join(found[kind])} ({kind})" for kind in found if kind not in KINDS]
    if lost:
        raise UnknownKindError(
            f"this program has no way of selling for {'; '.join(lost)}: they take no order, and"
            f" money that comes for them goes back; it has {', '.join(KINDS)}"
        )
    return ", ".join(f"{len(outlets)} {kind}" for kind, outlets in found.items()) or "no outlet yet"


async def _windows(chosen: Settings) -> str:
    """Outlets whose windows of time are not everybody's."""
    async with AsyncExitStack() as stack:
        db = await _running(chosen, stack)
        if db is None:
            return "not looked at: there is no database yet"
        found = await outlets_with_windows(db)
    own = [
        f"{outlet} {name} {seconds:g}"
        for outlet, windows in found.items()
        for name, seconds in sorted(windows.items())
    ]
    return f"of their own: {', '.join(own)}" if own else "no outlet has its own"


async def _clock(chosen: Settings) -> str:
    """Against the database's here and now, and as running processes found it at gateways."""
    async with AsyncExitStack() as stack:
        db = await _running(chosen, stack)
        if db is None:
            return "not looked at: there is no database yet"
        ahead_s = (await ahead_of_database(db, SystemClock())).total_seconds()
        found = [f"{one.node} is {one}" for one in await clocks_apart(db)]
        heard = await clocks_heard(db)
    if abs(ahead_s) > chosen.windows.clock_skew_s:
        found.append(f"this computer is {apart(ahead_s)} the database's")
    if found:
        raise ClockError(f"{'; '.join(found)}. Set clocks by NTP: docs/running.md, Clocks")
    seen = f"{heard} comparisons with gateways" if heard else "no gateway was heard lately"
    return f"agrees with the database's ({seen})"


async def _background(chosen: Settings) -> str:
    """Work that fails again and again in a process that runs, as each says of itself."""
    async with AsyncExitStack() as stack:
        db = await _running(chosen, stack)
        if db is None:
            return "not looked at: there is no database yet"
        reports = await ask_processes((await Resources(chosen, stack, may_join=True).urls()).door)
    failing = [f"{report.name}: {one}" for report in reports for one in report.failing]
    if failing:
        raise BackgroundError("; ".join(failing))
    if not reports:
        raise _AwayError("no process of this installation answers by the database")
    return f"nothing fails in {', '.join(report.name for report in reports)}"


async def _running(chosen: Settings, stack: AsyncExitStack) -> Database | None:
    """None: it is unreachable or has no tables yet, which is reported with the database."""
    if chosen.database_url is None and running_superuser_url(chosen.data) is None:
        return None
    resources = Resources(chosen, stack, may_join=True)
    try:
        db = await _opened(await resources.urls(), stack)
        async with db.system_transaction() as conn:
            ready = await conn.fetchval("SELECT to_regclass('clocks') IS NOT NULL")
    except (*AWAY, asyncpg.PostgresError):
        return None
    return db if ready else None


async def _server(chosen: Settings) -> str:
    url = f"{chosen.base_url}/health"
    async with httpx.AsyncClient(timeout=_PATIENCE.total_seconds()) as client:
        try:
            answer = await client.get(url)
        except httpx.HTTPError as error:
            raise _AwayError(f"nobody answers at {url}") from error
    if not answer.is_success:
        raise _AwayError(f"{url} answers with {answer.status_code}")
    return f"answers at {url}"
