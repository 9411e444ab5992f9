"""The doors that every emulated gateway has beside its API: its events, balances, accounts."""

from collections.abc import Callable
from typing import Annotated, Any

import msgspec
from litestar import HttpMethod, Router, get, post
from litestar.di import Provide
from litestar.params import Parameter

from sandbox import outbox
from sandbox.errors import UnreadableError
from sandbox.gateway import Reference
from sandbox.party import Outsider, Party

API_METHODS = [HttpMethod.GET, HttpMethod.POST, HttpMethod.PATCH, HttpMethod.PUT, HttpMethod.DELETE]
Plain = dict[str, Any]


class Balance(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What refunds can be paid from; null is bottomless."""

    account_id: str
    amount: Annotated[int, msgspec.Meta(ge=0, le=1_000_000_000_000)] | None


@post("/resend", status_code=200)
async def resend(data: Reference, party: Party) -> Plain:
    """Have all events of a payment sent again; the number of them."""
    with party.gateway.change() as desk:
        payment = desk.known(party.payment, data.reference)
        return {"reference": data.reference, "events": outbox.replay(desk.change, payment.id)}


@post("/balance", status_code=200)
async def balance(data: Balance, party: Party) -> Plain:
    with party.gateway.change() as desk:
        party.accounts.set_balance(desk.change, data.account_id, data.amount)
        return {"account_id": data.account_id, "amount": data.amount}


@post("/accounts", status_code=200)
async def save_account(data: Plain, party: Party) -> Plain:
    """Add an account, or change it; a webhook that was switched off is on again."""
    try:
        account = party.accounts.read(data)
    except msgspec.ValidationError as problem:
        raise UnreadableError(str(problem)) from problem
    with party.gateway.change() as desk:
        party.accounts.save(desk.change, account, switch_on=True)
        desk.change.tell(f"{party.account_word} {account.account_id} set up")
        return {"account_id": account.account_id}


@get("/deliveries")
async def list_deliveries(
    party: Party, limit: Annotated[int, Parameter(ge=1, le=10_000)] = 500
) -> list[Plain]:
    with party.gateway.store.read() as look:
        return outbox.deliveries(look, party.name, limit)


def router(party: Outsider) -> Router:
    """All URLs of one of those outside."""
    common = [resend, balance, save_account, list_deliveries] if isinstance(party, Party) else []
    return Router(
        f"/{party.name}",
        route_handlers=[*common, *party.endpoints],
        dependencies={
            name: Provide(_giver(part), sync_to_thread=False) for name, part in party.parts.items()
        },
    )


def _giver(part: object) -> Callable[[], Any]:
    def give() -> Any:
        return part

    return give
