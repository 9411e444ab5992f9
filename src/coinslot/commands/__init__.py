"""The commands, one file each. What several of them share is here and in `terms`."""

import importlib.metadata
from collections.abc import Callable, Mapping
from typing import Annotated

import typer

from coinslot.commands import (
    audit,
    cases,
    demo,
    doctor,
    events,
    keys,
    listen,
    machines,
    merchants,
    migrate,
    mirror,
    orders,
    people,
    products,
    reconcile,
    serve,
    trigger,
)

EXAMPLES: Mapping[Callable[..., None], str] = {
    demo.demo: "coinslot demo --data /tmp/demo --port 8080",
    serve.serve: "coinslot serve --data /var/lib/coinslot --port 8000",
    serve.web: "DATABASE_URL=... COINSLOT_DOOR_URL=... COINSLOT_KEYS=... coinslot web --port 8000",
    serve.device: "MQTT_BROKER_URL=mqtt://login:password@broker:1883 coinslot device --port 8001",
    serve.worker: "COINSLOT_SWEEP_S=1 coinslot worker",
    migrate.migrate: "coinslot migrate --check || coinslot migrate",
    doctor.doctor: "coinslot doctor --data /var/lib/coinslot",
    audit.audit: "coinslot audit --gateways --json > audit.json",
    reconcile.reconcile: "coinslot reconcile --since 2026-11-01 --until 2026-12-01 --json",
    events.events: "coinslot events --follow --types payment.succeeded,refund.failed",
    listen.listen: "coinslot listen --forward-to http://127.0.0.1:3000/hooks",
    trigger.trigger: "coinslot trigger payment.succeeded",
}


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"coinslot {importlib.metadata.version('coinslot')}")
        raise typer.Exit


def _about(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say the version.")
    ] = False,
) -> None:
    pass


def build() -> typer.Typer:
    """The whole command line."""
    cli = typer.Typer(
        name="coinslot",
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode="markdown",  # joins the lines of a paragraph
        pretty_exceptions_show_locals=False,  # locals may hold secrets
        help="Scan, pay, and the goods come out; or the money goes back.\n\n"
        "Start with `coinslot demo`; it needs nothing. Settings are environment variables: "
        "docs/settings.md lists them.",
    )
    cli.callback()(_about)
    for command, example in EXAMPLES.items():
        cli.command(epilog=f"Example: `{example}`")(command)
    cli.add_typer(machines.cli, name="machines")
    cli.add_typer(merchants.cli, name="merchants")
    cli.add_typer(products.cli, name="products")
    cli.add_typer(mirror.cli, name="mirror")
    cli.add_typer(cases.cli, name="cases")
    cli.add_typer(orders.cli, name="orders")
    cli.add_typer(keys.cli, name="keys")
    cli.add_typer(people.cli, name="people")
    return cli
