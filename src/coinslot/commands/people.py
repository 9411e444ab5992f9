"""`coinslot people`: who can sign in, invitations, lost passwords, and who works here no more."""

from collections.abc import Awaitable, Callable
from typing import Annotated
from uuid import UUID

import typer
from rich.markup import escape

from coinslot.app.server import RunningServer
from coinslot.commands.terms import Data, console, fail, installed, listed, run_on_server
from coinslot.merchants.merchants import merchant_named
from coinslot.people import invitations, members, resets
from coinslot.people.audit_log import COMMAND_LINE
from coinslot.people.authentication import Authentication, NotAllowedError
from coinslot.people.members import Person, Role, RoleChange
from coinslot.people.roles import INSTALLATION, ROLES

cli = typer.Typer(
    invoke_without_command=True, help="Who can sign in.", epilog="Example: `coinslot people`"
)

Address = Annotated[str, typer.Argument(help="The address that they will sign in with.")]
Login = Annotated[str, typer.Argument(help="As they sign in.")]
Merchant = Annotated[str | None, typer.Option(help="The merchant's slug.")]
RoleName = Annotated[str, typer.Option("--role", help=f"One of {', '.join(ROLES)}.")]
Outlets = Annotated[str, typer.Option(metavar="M01,M02", help="Where staff works.")]
Installation = Annotated[bool, typer.Option("--installation", help="To run the installation.")]
Without = Annotated[
    bool, typer.Option("--without-factors", help="Their second factors end too: a lost phone.")
]
Reason = Annotated[str, typer.Option(help="For the audit log.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document instead of lines.")]


@cli.callback()
def show(context: typer.Context, json: AsJson = False, data: Data = None) -> None:
    """Everyone who can sign in: roles, second factors, and when they were last here."""
    if context.invoked_subcommand is not None:
        return

    async def ask(server: RunningServer) -> None:
        found = await members.everyone(server.db)
        listed(
            found,
            _line,
            json=json,
            empty="there is nobody yet: `coinslot serve` prints how to begin",
        )

    _run(ask, data)


@cli.command(
    "invite", epilog="Example: `coinslot people invite dinesh@asha.example --merchant asha`"
)
def invite(  # noqa: PLR0913  the options of a command
    address: Address,
    merchant: Merchant = None,
    role: RoleName = "operator",
    outlets: Outlets = "",
    installation: Installation = False,
    data: Data = None,
) -> None:
    """Invite someone: print a token for a link and a code, either good once, for seven days."""
    if (merchant is None) is not installation:
        fail("name either --merchant or --installation")
    wished = Role(role=role, outlets=tuple(one for one in outlets.split(",") if one))

    async def make(server: RunningServer) -> None:
        owner = None if merchant is None else await _merchant(server, merchant)
        wanted = invitations.Wanted(
            merchant=owner, address=address,
            role=wished if owner is not None else Role(role=INSTALLATION),
        )  # fmt: skip
        made = await invitations.invite(_auth(server), COMMAND_LINE, wanted)
        console.print(f"token  {made.token}\ncode   {made.code}", highlight=False, soft_wrap=True)
        console.print(
            f"{escape(address)} accepts it until {made.expires_at:%Y-%m-%d %H:%M} at"
            f" {server.settings.base_url}/console/join?token={made.token}",
            highlight=False, soft_wrap=True,
        )  # fmt: skip

    _run(make, data)


@cli.command("reset", epilog="Example: `coinslot people reset boris`")
def reset(login: Login, without_factors: Without = False, data: Data = None) -> None:
    """Print a token with which someone sets a new password within the hour. Those before end."""

    async def make(server: RunningServer) -> None:
        person = await _person(server, login)
        made = await resets.offer(
            _auth(server), COMMAND_LINE, person, drops_factors=without_factors
        )
        console.print(made, highlight=False, soft_wrap=True)

    _run(make, data)


@cli.command("revoke", epilog="Example: `coinslot people revoke boris --merchant asha`")
def revoke(
    login: Login,
    merchant: Merchant = None,
    installation: Installation = False,
    reason: Reason = "",
    data: Data = None,
) -> None:
    """They work for this merchant, or run the installation, no more; their sessions for it end."""
    if (merchant is None) is not installation:
        fail("name either --merchant or --installation")

    async def end(server: RunningServer) -> None:
        person, now = await _person(server, login), server.clock.now()
        if merchant is None:
            if not await members.stop_running(server.db, COMMAND_LINE, person, now):
                fail(f"{login} does not run the installation")
            return
        owner = await _merchant(server, merchant)
        change = RoleChange(merchant=owner, person=person, role=None, reason=reason)
        await members.change_role(server.db, COMMAND_LINE, change, now)

    _run(end, data)


def _run(work: Callable[[RunningServer], Awaitable[None]], data: Data) -> None:
    async def told(server: RunningServer) -> None:
        try:
            await work(server)
        except NotAllowedError as error:
            fail(str(error))

    run_on_server(told, installed(data))


def _auth(server: RunningServer) -> Authentication:
    return Authentication(server.context, server.settings.base_url)


async def _merchant(server: RunningServer, slug: str) -> UUID:
    found = await merchant_named(server.db, slug)
    if found is None:
        fail(f"there is no merchant {slug}")
    return found


async def _person(server: RunningServer, login: str) -> UUID:
    found = await members.person_named(server.db, login)
    if found is None:
        fail(f"nobody signs in as {login}")
    return found


def _line(one: Person) -> str:
    used = "never here" if one.used_at is None else f"here {one.used_at:%Y-%m-%d %H:%M}"
    factors = f"  {'+'.join(one.second_factors)}" if one.second_factors else ""
    disabled = "  disabled" if one.disabled else ""
    roles = ", ".join(one.roles) or "no role"
    return escape(f"{one.login}  {roles}{factors}  {used}{disabled}")
