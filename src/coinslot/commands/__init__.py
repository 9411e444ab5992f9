"""The commands, one file each. What several of them share is here and in `terms`."""

import importlib
import importlib.metadata
from collections.abc import Mapping
from typing import Annotated, Any, NamedTuple

import typer


class At(NamedTuple):
    """Where a command is, and an example for its help."""

    module: str
    example: str


COMMANDS: Mapping[str, At] = {
    "demo": At("demo", "coinslot demo --data /tmp/demo --port 8080"),
    "serve": At("serve", "coinslot serve --data /var/lib/coinslot --port 8000"),
    "web": At(
        "serve",
        "DATABASE_URL=... COINSLOT_DOOR_URL=... COINSLOT_KEYS=... coinslot web --port 8000",
    ),
    "device": At(
        "serve", "MQTT_BROKER_URL=mqtt://login:password@broker:1883 coinslot device --port 8001"
    ),
    "worker": At("serve", "COINSLOT_SWEEP_S=1 coinslot worker"),
    "migrate": At("migrate", "coinslot migrate --check || coinslot migrate"),
    "doctor": At("doctor", "coinslot doctor --data /var/lib/coinslot"),
    "audit": At("audit", "coinslot audit --gateways --json > audit.json"),
    "reconcile": At("reconcile", "coinslot reconcile --since 2026-11-01 --until 2026-12-01 --json"),
    "events": At("events", "coinslot events --follow --types payment.succeeded,refund.failed"),
    "listen": At("listen", "coinslot listen --forward-to http://127.0.0.1:3000/hooks"),
    "conformance": At(
        "conformance", "coinslot conformance --mqtt 0.0.0.0:1883 --slot A1 --class G3"
    ),
    "trigger": At("trigger", "coinslot trigger payment.succeeded"),
}
GROUPS = (
    "machines", "merchants", "products", "counter", "coffee", "mirror", "cases", "orders", "keys",
    "people",
)  # fmt: skip


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


def build(asked: str = "") -> typer.Typer:
    """The whole command line; or the command that is `asked` for alone, where there is such a one:
    it starts in half the time when the others are not loaded."""
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
    alone = asked in (*COMMANDS, *GROUPS, "--version")
    for name, at in COMMANDS.items():
        if not alone or name == asked:
            cli.command(epilog=f"Example: `{at.example}`")(_module(at.module)[name])
    for name in GROUPS:
        if not alone or name == asked:
            cli.add_typer(_module(name)["cli"], name=name)
    return cli


def _module(name: str) -> dict[str, Any]:
    """What is in a file of this folder."""
    return vars(importlib.import_module(f"{__name__}.{name}"))
