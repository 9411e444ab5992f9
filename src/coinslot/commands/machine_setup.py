"""`coinslot machines provision`: what a device needs to connect, as a file and as a QR code."""

from pathlib import Path
from typing import Annotated

import typer

from coinslot.app.resources import device_addresses
from coinslot.app.server import RunningServer
from coinslot.commands.machine_config import MachineCodes, each, split
from coinslot.commands.terms import Data, console, errors
from coinslot.db.leftover import write_private
from coinslot.fleet.config import Editor
from coinslot.fleet.enrolment import Enrolment, provision_device

AtOnce = Annotated[
    bool, typer.Option("--at-once", help="The old secret was stolen: it ends now, not later.")
]
Out = Annotated[Path, typer.Option(help="Folder for the files, which hold secrets.")]


def provision(
    codes: MachineCodes, out: Out = Path("enrolments"), at_once: AtOnce = False, data: Data = None
) -> None:
    """Give a device a new secret: M01.json and M01.svg hold all that it needs to connect.

    A machine that sells goes on with its old secret until the new one is first used. The secret is
    shown nowhere else: if the files are lost, run this again."""

    async def give(server: RunningServer, code: str, editor: Editor) -> None:
        addresses = device_addresses(server.settings)
        made = await provision_device(
            server.context, editor.merchant, code, addresses, at_once=at_once
        )
        write_enrolment(made, out)
        say_where_machines_connect(made)

    each(split(codes), give, data)


def write_enrolment(made: Enrolment, out: Path) -> None:
    """Two files that only their owner reads."""
    out.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_private(out / f"{made.machine}.json", made.file())
    write_private(out / f"{made.machine}.svg", made.svg().encode())
    ends = "" if made.replaces is None else f"; secret {made.replaces} ends when it is first used"
    console.print(
        f"{made.machine}: secret {made.key_id} -> {out / made.machine}.json, .svg{ends}",
        highlight=False,
        soft_wrap=True,
    )


def say_where_machines_connect(made: Enrolment) -> None:
    """An address of this computer leads a machine elsewhere nowhere."""
    where = made.broker or made.server
    if where is None or "//127.0.0.1" in where:
        errors.print(
            f"[yellow]{made.machine}[/]: its enrolment names {where or 'no broker'}, which is only"
            " reached from this computer: set MQTT_BROKER_URL, COINSLOT_DEVICES_MQTT_URL or"
            " COINSLOT_PUBLIC_URL for machines elsewhere",
            highlight=False,
            soft_wrap=True,
        )
