"""`coinslot serve` runs everything in one process; `web`, `device` and `worker` run the parts."""

from contextlib import AsyncExitStack
from typing import Annotated

import typer

from coinslot.app.server import ALL, RunningServer, asked_at_start
from coinslot.commands.terms import Data, console, is_a_demos, run, settings
from coinslot.people import first_run
from coinslot.people.authentication import Authentication

Host = Annotated[str | None, typer.Option(help="Address to listen on.", envvar="COINSLOT_HOST")]
Port = Annotated[
    int | None,
    typer.Option(help="Port to listen on.", envvar="COINSLOT_PORT", min=1, max=65_535),
]


def serve(data: Data = None, host: Host = None, port: Port = None) -> None:
    """Run everything in one process: web, machines and the sweeper.

    Without DATABASE_URL and MQTT_BROKER_URL it brings its own PostgreSQL and broker, in --data."""
    _serve(ALL, data, host, port)


def web(data: Data = None, host: Host = None, port: Port = None) -> None:
    """Run the web only: pages and webhooks. Any number of them on one database."""
    _serve(frozenset({"web"}), data, host, port)


def device(data: Data = None, host: Host = None, port: Port = None) -> None:
    """Run the machines' side only: MQTT and Socket.IO, and the units on their way out."""
    _serve(frozenset({"device"}), data, host, port)


def worker(data: Data = None) -> None:
    """Run the sweeper only: refunds, polling, expiry, deadlines."""
    _serve(frozenset({"worker"}), data, None, None)


def _serve(roles: frozenset[str], data: Data, host: str | None, port: int | None) -> None:
    chosen = settings(data, host=host, port=port)

    async def main() -> None:
        async with AsyncExitStack() as stack:
            server = await RunningServer(chosen, roles, stack).open()
            await server.run(lambda: ready(server))

    async def ready(server: RunningServer) -> None:
        if "web" in roles:
            await offer_first_account(server)
        where = f": {chosen.base_url}" if roles & {"web", "device"} else ""
        console.print(f"Coinslot ready ({', '.join(sorted(roles))}){where}", highlight=False)

    run(main, chosen.log_level)


async def offer_first_account(server: RunningServer) -> None:
    """On stdout, not in the log: logs are kept elsewhere, and whoever has this token may be
    first."""
    people = Authentication(server.context, server.settings.base_url)
    offered = await asked_at_start(lambda: first_run.offer(people))
    if offered is not None:
        console.print(
            "Nobody runs this installation yet. This link makes that account, once:"
            f"\n{server.settings.base_url}/console/first-run?token={offered}",
            highlight=False, soft_wrap=True,
        )  # fmt: skip
    elif is_a_demos(server.settings.data):
        console.print(
            f"{server.settings.data} holds the demo's installation and its people. For an empty one"
            " of your own, stop this and type: coinslot serve --data .coinslot-shop",
            highlight=False, soft_wrap=True,
        )  # fmt: skip
