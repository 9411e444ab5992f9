"""`coinslot machines ways`: how the customers of a machine may pay."""

from typing import Annotated
from uuid import UUID

import typer

from coinslot.app.server import RunningServer
from coinslot.commands.terms import Data, console, fail, installed, run_on_server
from coinslot.outlets.machines import UnknownOutletError, owner_of
from coinslot.payments.ways_to_pay import Form, UnfitWayError, listed, offer

Machine = Annotated[str, typer.Argument(help="The machine's code.")]
Ways = Annotated[
    list[str] | None,
    typer.Argument(help="GATEWAY/ACCOUNT:link or :code, in the order in which they are offered."),
]


def ways(code: Machine, wanted: Ways = None, data: Data = None) -> None:
    """How a machine's customers may pay: a link to a gateway's own page, or a code of its own.

    With ways, offer these from now on. A page shows those that work; links come first."""

    async def ask(server: RunningServer) -> None:
        try:
            merchant = await owner_of(server.db, code)
            if wanted:
                named = [await _way(server, merchant, one) for one in wanted]
                await offer(server.context, merchant, code, named)
        except (UnknownOutletError, UnfitWayError) as error:
            fail(str(error))
        found = await listed(server.context, merchant, code)
        for way in found:
            console.print(way, highlight=False)
        if not found:
            console.print(f"{code} offers none: its page sells nothing")

    run_on_server(ask, installed(data))


async def _way(server: RunningServer, merchant: UUID, text: str) -> tuple[UUID, Form]:
    """One of them, as it was typed."""
    name, _, form = text.partition(":")
    gateway, _, slug = name.partition("/")
    if form not in ("", *Form):
        fail(f"{text}: a way is GATEWAY/ACCOUNT:link or GATEWAY/ACCOUNT:code")
    account = await server.context.accounts.by_slug(gateway, slug) if slug else None
    if account is None or account.merchant_id != merchant:
        fail(f"{text}: this merchant has no such account; `coinslot merchants` lists them")
    return account.id, Form(form or Form.LINK)
