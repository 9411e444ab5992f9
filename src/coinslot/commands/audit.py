"""`coinslot audit`: recomputes every invariant from the database, a line each; 1 if one fails."""

from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import asyncpg
import msgspec
import typer
from rich.markup import escape

from coinslot.app.kinds import KINDS
from coinslot.app.resources import Resources
from coinslot.commands.terms import Data, console, quiet, run, settings
from coinslot.db.embedded import OWNER, EmbeddedPostgres, running_superuser_url
from coinslot.db.pool import Database, DatabaseUnreachableError, RawConnection, connect
from coinslot.kit.clock import SystemClock
from coinslot.merchants.accounts import Accounts
from coinslot.orders import fulfillment
from coinslot.oversight import signed_proof
from coinslot.oversight.audit import GRACE, ROWS_SHOWN, Finding, Report, last_sign_of_life
from coinslot.oversight.audit import audit as recompute
from coinslot.oversight.audit_gateways import compare, on_record
from coinslot.settings import Settings, SettingsError

AsJson = Annotated[bool, typer.Option("--json", help="One JSON document instead of lines.")]
Gateways = Annotated[
    bool, typer.Option("--gateways", help="Compare with the gateways' own lists, too.")
]
ProofFile = Annotated[
    Path | None,
    typer.Option(
        "--file",
        help="Check the proof of an order in this file instead; no database is needed.",
        exists=True, dir_okay=False,
    ),
]  # fmt: skip
KeysFile = Annotated[
    Path | None,
    typer.Option(
        "--keys",
        help="With --file: the installation's keys, as /.well-known/coinslot-proof-keys has them.",
        exists=True, dir_okay=False,
    ),
]  # fmt: skip
GraceS = Annotated[
    float,
    typer.Option(
        help="What is late by fewer seconds may be in work.", envvar="COINSLOT_AUDIT_GRACE_S"
    ),
]

_GRACE_S = GRACE.total_seconds()
_DYING = timedelta(seconds=5)  # a killed server can look alive for a moment


def audit(  # noqa: PLR0913  the options of a command
    json: AsJson = False,
    gateways: Gateways = False,
    grace_s: GraceS = _GRACE_S,
    file: ProofFile = None,
    keys: KeysFile = None,
    data: Data = None,
) -> None:
    """Recompute every invariant from the database and say which ones do not hold.

    Reads as the owner: COINSLOT_OWNER_URL, else the embedded database in the folder, which is
    started for it where it is stopped. It writes nothing; ends with 1 if an invariant fails.
    With --file it checks the proof of one order, which the console gives, anywhere."""
    if file is not None:
        raise typer.Exit(0 if _show_proof(file, json, keys) else 1)
    chosen = settings(data)

    async def main() -> int:
        async with AsyncExitStack() as stack:
            try:
                report = await _audited(chosen, stack, timedelta(seconds=grace_s), gateways)
            except (asyncpg.UndefinedTableError, asyncpg.UndefinedColumnError) as error:
                raise SettingsError(f"the database is not migrated: {error}") from error
        if json:
            console.print_json(msgspec.json.encode(report.to_json()).decode())
        else:
            show(report)
        return 0 if report.ok else 1

    run(main, quiet(chosen))


def _show_proof(file: Path, json: bool, keys: Path | None) -> bool:
    """Whether the proof in a file holds, with a line for each question."""
    try:
        given = signed_proof.read(file.read_bytes())
    except signed_proof.UnreadableProofError as error:
        raise typer.BadParameter(str(error), param_hint="--file") from error
    verdicts = signed_proof.check(given, {name: kind.flow for name, kind in KINDS.items()})
    if keys is not None:
        try:
            verdicts.append(signed_proof.signed_by(given, keys.read_bytes()))
        except signed_proof.UnreadableProofError as error:
            raise typer.BadParameter(str(error), param_hint="--keys") from error
    key = signed_proof.fingerprint(given.key)
    whole = all(one.ok for one in verdicts)
    if json:
        said = {"ok": whole, "key": key, "checks": verdicts}
        console.print_json(msgspec.json.encode(said).decode())
        return whole
    order, made_at = given.proof.get("order"), given.proof.get("made_at")
    named = order if isinstance(order, dict) else {}
    console.print(
        escape(f"order {named.get('number')} ({named.get('id')}), as of {made_at}"),
        highlight=False, soft_wrap=True,
    )  # fmt: skip
    for one in verdicts:
        mark = "[green]holds[/]" if one.ok else "[bold red]FAILS[/]"
        console.print(f"{mark}  {_words(one.name)}", highlight=False)
        if one.why:
            console.print(f"       {escape(one.why)}", highlight=False, soft_wrap=True)
    console.print(f"signed with the key {key}", highlight=False)
    if keys is None:
        console.print(
            "Anyone can sign with a key of their own: compare it with the installation's, which is"
            " at /.well-known/coinslot-proof-keys (--keys)."
        )
    return whole


async def _audited(
    chosen: Settings, stack: AsyncExitStack, grace: timedelta, gateways: bool
) -> Report:
    conn, now = await owner_connection(chosen, stack)
    report = await recompute(conn, now, grace, fulfillment.checks(KINDS))
    if gateways:
        more = await _asked(chosen, stack, conn, grace)
        report = msgspec.structs.replace(report, checks=(*report.checks, *more))
    return report


async def owner_connection(
    chosen: Settings, stack: AsyncExitStack
) -> tuple[RawConnection, datetime]:
    """The owner's connection, and the time to compare deadlines with."""
    if chosen.owner_url is not None:
        conn = await connect(chosen.owner_url)
        stack.push_async_callback(conn.close)
        return conn, SystemClock().now()
    if chosen.database_url is not None:
        raise SettingsError("DATABASE_URL is set, so COINSLOT_OWNER_URL must be set too")
    if not (chosen.data / "postgres" / "data").exists():
        raise SettingsError(f"there is no database in {chosen.data}")
    running = await _running(chosen)
    if running is not None:
        stack.push_async_callback(running.close)
        await running.execute(f"SET ROLE {OWNER}")
        return running, SystemClock().now()
    server = EmbeddedPostgres(chosen.data)
    await server.start()
    stack.push_async_callback(server.stop)
    conn = await connect(server.owner_url)
    stack.push_async_callback(conn.close)
    # Nothing could be worked while it was stopped: lateness is measured from when it last ran.
    return conn, await last_sign_of_life(conn) or SystemClock().now()


async def _running(chosen: Settings) -> RawConnection | None:
    """The embedded server that another process runs; None when it does not run, or just died."""
    url = running_superuser_url(chosen.data)
    if url is None:
        return None
    try:
        return await connect(url, _DYING)
    except DatabaseUnreachableError:
        if running_superuser_url(chosen.data) == url:
            raise
        return None


async def _asked(
    chosen: Settings, stack: AsyncExitStack, conn: RawConnection, grace: timedelta
) -> tuple[Finding, ...]:
    """The accounts are opened as the application does it, so the exchanges stay on record."""
    resources = Resources(chosen, stack, may_join=True)
    urls = await resources.urls()
    db = await Database.open(urls.app, urls.door, size=2)
    stack.push_async_callback(db.close)
    accounts = Accounts(db, resources.vault(), SystemClock(), timeout_s=chosen.gateway_timeout_s)
    stack.push_async_callback(accounts.close)
    return await compare(accounts, await on_record(conn, SystemClock().now(), grace))


def show(report: Report) -> None:
    """A line for each check, and the rows below those that do not hold."""
    for check in report.checks:
        mark = "[green]holds[/]" if check.ok else "[bold red]FAILS[/]"
        console.print(f"{mark}  {_words(check.name)}", highlight=False)
        _rows(check)
    for notice in report.notices:
        if notice.rows:
            console.print(f"[yellow]note [/]  {_words(notice.name)}", highlight=False)
            _rows(notice)
    broken = len(report.red)
    console.print(
        f"[bold red]{broken} of {len(report.checks)} do not hold[/]"
        if broken
        else f"[bold green]all {len(report.checks)} hold[/]",
        highlight=False,
    )


def _words(name: str) -> str:
    return name.replace("_", " ")


def _rows(finding: Finding) -> None:
    for row in finding.rows[:ROWS_SHOWN]:
        line = ", ".join(f"{key} {value}" for key, value in row.items() if value is not None)
        console.print(f"       {escape(line)}", highlight=False, soft_wrap=True)
