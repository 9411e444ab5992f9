"""Stripe's URLs in the sandbox: the API itself, the payer's and the dashboard's doors."""

from pathlib import Path
from typing import Annotated, Any

import msgspec
from litestar import HttpMethod, MediaType, Request, Response, Router, get, post, route
from litestar.enums import RequestEncodingType
from litestar.params import Body, Parameter
from litestar.response import Redirect

from sandbox import outbox
from sandbox.control.pages import page
from sandbox.errors import RefusedError
from sandbox.front import sent
from sandbox.stripe import customer, disputes
from sandbox.stripe.accounts import ACCOUNTS, PARTY
from sandbox.stripe.customer import DashboardRefund, Pay
from sandbox.stripe.desk import Desk, Gateway
from sandbox.stripe.disputes import Claim
from sandbox.stripe.front import Asked, FrontDoor
from sandbox.stripe.settings import Account
from sandbox.stripe.wire import filled, money

API_METHODS = [HttpMethod.GET, HttpMethod.POST, HttpMethod.PATCH, HttpMethod.PUT, HttpMethod.DELETE]
Plain = dict[str, Any]


class Reference(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A payment by its id."""

    reference: str


class Balance(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What refunds can be paid from; null is bottomless."""

    account_id: str
    amount: Annotated[int, msgspec.Meta(ge=0, le=1_000_000_000_000)] | None


@route("/v1/{path:path}", http_method=API_METHODS)
async def api(
    request: Request[Any, Any, Any], path: Path, stripe_front: FrontDoor
) -> Response[bytes]:
    """The emulated API."""
    asked = Asked(
        method=request.method,
        path="/" + str(path).strip("/"),
        query=request.scope["query_string"].decode(errors="replace"),
        authorization=request.headers.get("authorization", ""),
        key=request.headers.get("idempotency-key"),
        body=await request.body(),
    )
    return await sent(request, await stripe_front.answer(asked))


@post("/pay", status_code=200)
async def pay(data: Pay, stripe: Gateway) -> Plain:
    with stripe.change() as desk:
        paid = customer.pay(desk, data)
        return {"reference": paid.id, "status": paid.status}


@post("/refund", status_code=200)
async def refund(data: DashboardRefund, stripe: Gateway) -> Plain:
    with stripe.change() as desk:
        made = customer.refund_by_hand(desk, data)
        return {"reference": made.payment_intent, "refund": made.id, "status": made.status}


@post("/dispute", status_code=200)
async def dispute(data: Claim, stripe: Gateway) -> Plain:
    """The payer's bank claims money back, or the claim ends."""
    with stripe.change() as desk:
        made = disputes.claim(desk, data)
        return {"reference": made.payment_intent, "dispute": made.id, "status": made.status}


@post("/resend", status_code=200)
async def resend(data: Reference, stripe: Gateway) -> Plain:
    with stripe.change() as desk:
        return {"reference": data.reference, "events": customer.resend(desk, data.reference)}


@post("/balance", status_code=200)
async def balance(data: Balance, stripe: Gateway) -> Plain:
    with stripe.change() as desk:
        ACCOUNTS.set_balance(desk.change, data.account_id, data.amount)
        return {"account_id": data.account_id, "amount": data.amount}


@post("/accounts", status_code=200)
async def save_account(data: Account, stripe: Gateway) -> Plain:
    """Add an account, or change it."""
    with stripe.change() as desk:
        ACCOUNTS.save(desk.change, data, switch_on=True)
        desk.change.tell(f"account {data.account_id} set up")
        return {"account_id": data.account_id}


@get("/deliveries")
async def list_deliveries(
    stripe: Gateway, limit: Annotated[int, Parameter(ge=1, le=10_000)] = 500
) -> list[Plain]:
    with stripe.store.read() as look:
        return outbox.deliveries(look, PARTY, limit)


@get("/pay/{reference:str}", media_type=MediaType.HTML)
async def pay_page(reference: str, stripe: Gateway) -> Response[str]:
    """Where a session leads, or an intent whose payer has to prove who he is."""
    with stripe.store.read() as look:
        return page("stripe_pay.html", **_bill(stripe.desk(look), reference), problem="")


@post("/pay/{reference:str}", media_type=MediaType.HTML)
async def pay_now(
    reference: str,
    stripe: Gateway,
    data: Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)],
) -> Response[Any]:
    """Pay by a plain form, without any script."""
    try:
        wish = {"reference": reference, "outcome": data.get("outcome", "paid")}
        with stripe.change() as desk:
            paid = customer.pay(desk, msgspec.convert(wish, Pay))
            bill = _bill(desk, reference)
    except (RefusedError, msgspec.ValidationError) as problem:
        with stripe.store.read() as look:
            bill = _bill(stripe.desk(look), reference)
        return page("stripe_pay.html", 409, **bill, problem=str(problem))
    if paid.status == "requires_payment_method" and bill["open"]:
        return page("stripe_pay.html", 402, **bill, problem="Your card was declined.")
    names = {"CHECKOUT_SESSION_ID": reference}
    back = filled(bill["back"], names) if bill["back"] else f"{stripe.public_url}/pay/{reference}"
    return Redirect(back, status_code=303)


def _bill(desk: Desk, reference: str) -> dict[str, Any]:
    if reference.startswith("cs_"):
        session = customer.known_session(desk, reference)
        return {
            "title": session.name,
            "sum": money(session.amount, session.currency),
            "stands": session.status,
            "open": session.status == "open",
            "proof": False,
            "back": session.success_url,
        }
    intent = customer.known_intent(desk, reference)
    return {
        "title": intent.description or "Payment",
        "sum": money(intent.amount, intent.currency),
        "stands": intent.status.replace("_", " "),
        "open": intent.status == "requires_action",
        "proof": True,
        "back": intent.return_url,
    }


ROUTER = Router(
    "/stripe",
    route_handlers=[
        api,
        pay,
        refund,
        dispute,
        resend,
        balance,
        save_account,
        list_deliveries,
        pay_page,
        pay_now,
    ],
)
