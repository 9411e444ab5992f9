"""`coinslot conformance`: which class a maker's device earns, and why."""

import asyncio
import base64
import contextlib
import random
import secrets
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import aiomqtt
import msgspec
import typer
from msgspec import Struct
from rich.markup import escape
from rich.table import Table

from coinslot.channels.addresses import Place
from coinslot.channels.base import Guarantee
from coinslot.channels.messages import Hello
from coinslot.channels.mqtt import MqttOptions
from coinslot.commands.terms import console, errors, fail, run
from coinslot.conformance.bench import Bench, Patience, Subject
from coinslot.conformance.brokers import MqttLine, OwnBroker
from coinslot.conformance.hands import Hands
from coinslot.conformance.run import Finding, Report, Verdict, checks, examine, report_of
from coinslot.db.child_server import write_private
from coinslot.fleet.enrolment import DeviceEnrolment
from coinslot.kit.clock import SystemClock

_COLOURS = {
    Verdict.PASSED: "green", Verdict.FAILED: "red", Verdict.SKIPPED: "yellow",
    Verdict.ABSENT: "dim",
}  # fmt: skip
_COMMAND_BOUND_S = 60

Broker = Annotated[
    str,
    typer.Option(
        "--mqtt",
        help="HOST:PORT: a broker of the kit's own listens there, and the device connects to it. Or"
        " mqtt://user:password@host:port, mqtts://: a broker that is there, as the server's login.",
    ),
]
Machine = Annotated[str, typer.Option(help="The code of the machine: its login and its topics.")]
Secret = Annotated[str | None, typer.Option(help="The device's secret; else a new one.")]
Slot = Annotated[str, typer.Option(help="A slot with 25 things or more in it.")]
Asked = Annotated[Guarantee, typer.Option("--class", help="The class that it has to earn.")]
Json = Annotated[bool, typer.Option("--json", help="For programs.")]
Seed = Annotated[int, typer.Option(help="Of ids and of the order of messages.")]
Only = Annotated[list[str] | None, typer.Option(help="A check; may be repeated. Else all.")]
Power = Annotated[str | None, typer.Option(help="Takes the device's power and gives it back.")]
Network = Annotated[
    str | None, typer.Option(help="Cuts its network; needed with a broker that is there.")
]
Jam = Annotated[
    str | None, typer.Option(help="Run with `on`: nothing falls; with `off`: things fall again.")
]
Fell = Annotated[str | None, typer.Option(help="Prints how many things have fallen so far.")]
Asking = Annotated[bool, typer.Option("--hands/--no-hands", help="Ask a person for what it takes.")]
Ca = Annotated[Path | None, typer.Option("--ca", help="The authority of a broker that is there.")]
TlsName = Annotated[
    list[str] | None, typer.Option(help="Speak TLS; the device calls the kit by this name.")
]
Given = Annotated[Path | None, typer.Option(help="Write the device's enrolment here, too.")]
Wait = Annotated[float, typer.Option("--wait", help="Seconds for the first HELLO.")]
Answer = Annotated[float, typer.Option("--answer", help="Seconds for an answer.")]
Restart = Annotated[float, typer.Option("--restart", help="Seconds for a start of the device.")]
Units = Annotated[int, typer.Option(help="Its journal is filled with no more units than that.")]
Prices = Annotated[int, typer.Option(help="Of a device that takes no configuration.")]
Planogram = Annotated[int, typer.Option(help="Of a device that takes no configuration.")]


class SubprocessHands:
    """Commands that do it; where there is none, a person at the terminal, or nobody."""

    def __init__(self, commands: dict[str, str | None], *, person: bool) -> None:
        self._commands, self._person = commands, person

    async def ready(self, text: str) -> bool:
        if self._commands["power"] is not None:
            return True
        return self._person and await self._agreed(f"{text}. Ready")

    async def cut_power(self, when: str) -> bool:
        return await self._done("power", f"Cut the power {when}, and give it back", "")

    async def cut_network(self, when: str) -> bool:
        return await self._done("network", f"Pull the network {when}, and put it back", "")

    async def jam(self, *, on: bool) -> bool:
        text = "Let nothing fall from now on (empty the slot, or block it)" if on else "Mend it"
        return await self._done("jam", text, "on" if on else "off")

    async def fell(self) -> int | None:
        if self._commands["fell"] is None:
            return None
        said = await self._ran(self._commands["fell"], heard=True)
        return None if said is None else int(said)

    async def _done(self, name: str, text: str, argument: str) -> bool:
        command = self._commands[name]
        if command is not None:
            return await self._ran(f"{command} {argument}".strip()) is not None
        if not self._person:
            return False
        return await self._agreed(text)

    async def _agreed(self, text: str) -> bool:
        """Asked in a thread, so that what the device says is heard meanwhile."""
        answer = await asyncio.to_thread(_prompt, text)
        return answer.strip().lower() != "s"

    async def _ran(self, command: str, *, heard: bool = False) -> str | None:
        """What it printed, where that is wanted; None where it failed. It may leave a process
        behind that holds its output open, as the start of an emulator does."""
        pipe, nothing = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
        made = await asyncio.create_subprocess_shell(
            command, stdin=nothing, stdout=pipe if heard else nothing
        )
        try:
            async with asyncio.timeout(_COMMAND_BOUND_S):
                said = (await made.communicate())[0] if heard else b""
                code = await made.wait()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                made.kill()
            return None
        return said.decode().strip() if code == 0 else None


def _prompt(text: str) -> str:
    errors.print(f"[bold]{escape(text)}[/]? Enter: yes, s: skip. ", end="")
    return sys.stdin.readline() or "s"


class Options(Struct, frozen=True, kw_only=True):
    """How it is run."""

    mqtt: str
    ca: Path | None
    tls: list[str]
    enrolment: Path | None
    wait_s: float
    seed: int
    only: list[str]
    as_json: bool


def conformance(  # noqa: PLR0913  each is an option
    mqtt: Broker = "127.0.0.1:1883", machine: Machine = "KIT01", secret: Secret = None,
    slot: Slot = "A1", asked: Asked = Guarantee.G3, as_json: Json = False, seed: Seed = 1,
    only: Only = None, power_command: Power = None, network_command: Network = None,
    jam_command: Jam = None, fell_command: Fell = None, hands: Asking = True, ca: Ca = None,
    tls_name: TlsName = None, enrolment: Given = None, wait_s: Wait = 300.0,
    answer_s: Answer = 10.0, restart_s: Restart = 60.0, journal_units: Units = 100,
    price_version: Prices = 1, planogram_version: Planogram = 1,
) -> None:  # fmt: skip
    """Drive a device through the vend protocol and its faults, and say which class it earns.

    The kit is the server. Put the enrolment that it gives out into the device, and let it connect.
    docs/conformance.md says what each check asks, and what to mend."""
    unknown = set(only or []) - {check.name for check in checks()}
    if unknown:
        fail(f"no check is named {', '.join(sorted(unknown))}")
    tested = Subject(
        machine=machine, secret=secret or secrets.token_urlsafe(24), slot=slot,
        price_version=price_version, planogram_version=planogram_version,
        journal_units=journal_units, patience=Patience(answer_s=answer_s, restart_s=restart_s),
    )  # fmt: skip
    commands = {
        "power": power_command, "network": network_command, "jam": jam_command,
        "fell": fell_command,
    }  # fmt: skip
    able = SubprocessHands(commands, person=hands and sys.stdin.isatty())
    options = Options(
        mqtt=mqtt, ca=ca, tls=tls_name or [], enrolment=enrolment, wait_s=wait_s, seed=seed,
        only=only or [], as_json=as_json,
    )  # fmt: skip

    async def main() -> int:
        try:
            report = await _examined(tested, able, options)
        except (aiomqtt.MqttError, OSError, ValueError) as error:
            fail(f"{mqtt}: {error}")
        _print(report, as_json=as_json)
        return 0 if report.earned is not None and report.earned >= asked else 1

    run(main, "ERROR")


async def _examined(tested: Subject, hands: Hands, options: Options) -> Report:
    """Give out the enrolment, wait for the device, and ask all of it."""
    async with contextlib.AsyncExitStack() as stack:
        line = await _line(stack, tested, options)
        bench = Bench(line, tested, hands, random.Random(options.seed), SystemClock())
        bench.syncs = False  # the first check is how often HELLO comes without it
        await stack.enter_async_context(line.open(bench.take))
        errors.print("Waiting for HELLO ...", highlight=False)
        await bench.until(lambda: bench.all(Hello), options.wait_s)
        if not bench.all(Hello):
            return report_of(tested.machine, None, options.seed, [])
        return await examine(bench, options.seed, options.only, _tell)


async def _line(stack: contextlib.AsyncExitStack, tested: Subject, options: Options) -> MqttLine:
    if "://" in options.mqtt:
        ca_file = None if options.ca is None else str(options.ca)
        line = MqttLine(MqttOptions(url=options.mqtt, ca_file=ca_file), tested.machine)
        _give_out(tested, DeviceEnrolment(
            machine=tested.machine, login=tested.machine, secret=tested.secret,
            key_id=str(tested.key_id), dialect="leased", broker=_without_login(options.mqtt),
        ), options)  # fmt: skip
        return line
    host, _, port = options.mqtt.rpartition(":")
    if not host or not port.isdigit():
        raise ValueError("HOST:PORT is wanted, or mqtt://user:password@host:port")
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    own = OwnBroker(folder, Place(host, int(port)), SystemClock(), options.tls)
    line = await stack.enter_async_context(own.run(tested.machine, tested.secret))
    scheme, name = ("mqtts", options.tls[0]) if options.tls else ("mqtt", host)
    _give_out(tested, DeviceEnrolment(
        machine=tested.machine, login=tested.machine, secret=tested.secret,
        key_id=str(tested.key_id), dialect="leased", broker=f"{scheme}://{name}:{own.port}",
        ca=None if own.ca is None else base64.b64encode(own.ca).decode(),
    ), options)  # fmt: skip
    return line


def _without_login(url: str) -> str:
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}"


def _give_out(tested: Subject, enrolment: DeviceEnrolment, options: Options) -> None:
    """The secret is of this device and this run alone, and stands on the terminal."""
    body = enrolment.file()
    if options.enrolment is not None:
        write_private(options.enrolment, body)
    errors.print("The device's enrolment:", highlight=False)
    errors.print(escape(body.decode()), highlight=False, soft_wrap=True)


def _tell(finding: Finding) -> None:
    """As they come, beside what is printed for programs."""
    colour = _COLOURS[finding.verdict]
    errors.print(
        f"[{colour}]{finding.verdict:8}[/] {finding.check}: {escape(finding.why)}",
        highlight=False, soft_wrap=True,
    )  # fmt: skip


def _print(report: Report, *, as_json: bool) -> None:
    if as_json:
        typer.echo(msgspec.json.format(msgspec.json.encode(report)).decode())
        return
    table = Table("check", "rule", "class", "result", "why")
    for one in report.findings:
        result = f"[{_COLOURS[one.verdict]}]{one.verdict}[/]"
        table.add_row(one.check, one.rule, str(one.needs), result, escape(one.why))
    console.print(table)
    who = f"{report.machine} ({report.firmware or 'it said nothing'})"
    earned = report.earned or "no class"
    console.print(f"[bold]{escape(who)} earns {earned}[/], seed {report.seed}", highlight=False)
    for cap in report.caps:
        console.print(f"- {escape(cap)}", highlight=False, soft_wrap=True)
