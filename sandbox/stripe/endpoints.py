"""Stripe's URLs in the sandbox: the API itself, the payer's and the dashboard's doors."""

from pathlib import Path
from typing import Annotated, Any

import msgspec
from litestar import MediaType, Request, Response, get, post, route
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Redirect

from sandbox.control.pages import page
from sandbox.errors import RefusedError
from sandbox.front import asked, sent
from sandbox.gateway import DashboardRefund
from sandbox.gateway_endpoints import API_METHODS, Plain
from sandbox.stripe import customer, disputes
from sandbox.stripe.customer import Pay
from sandbox.stripe.desk import Desk, Gateway
from sandbox.stripe.disputes import Claim
from sandbox.stripe.front import FrontDoor
from sandbox.stripe.things import Intent
from sandbox.stripe.wire import filled, money


@route("/v1/{path:path}", http_method=API_METHODS)
async def api(request: Request[Any, Any, Any], path: Path, front: FrontDoor) -> Response[bytes]:
    """The emulated API."""
    said = await asked(request, path, "idempotency-key")
    return await sent(request, await front.answer(said))


@post("/pay", status_code=200)
async def pay(data: Pay, gateway: Gateway) -> Plain:
    with gateway.change() as desk:
        paid = customer.pay(desk, data)
        return {"reference": paid.id, "status": paid.status}


@post("/refund", status_code=200)
async def refund(data: DashboardRefund, gateway: Gateway) -> Plain:
    with gateway.change() as desk:
        made = customer.refund_by_hand(desk, data)
        return {"reference": made.payment_intent, "refund": made.id, "status": made.status}


@post("/dispute", status_code=200)
async def dispute(data: Claim, gateway: Gateway) -> Plain:
    """The payer's bank claims money back, or the claim ends."""
    with gateway.change() as desk:
        made = disputes.claim(desk, data)
        return {"reference": made.payment_intent, "dispute": made.id, "status": made.status}


@get("/pay/{reference:str}", media_type=MediaType.HTML)
async def pay_page(reference: str, gateway: Gateway) -> Response[str]:
    """Where a session leads, or an intent whose payer has to prove who he is."""
    with gateway.store.read() as look:
        return page("stripe_pay.html", **_bill(gateway.desk(look), reference), problem="")


@post("/pay/{reference:str}", media_type=MediaType.HTML)
async def pay_now(
    reference: str,
    gateway: Gateway,
    data: Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)],
) -> Response[Any]:
    """Pay by a plain form, without any script."""
    try:
        wish = {"reference": reference, "outcome": data.get("outcome", "paid")}
        with gateway.change() as desk:
            paid = customer.pay(desk, msgspec.convert(wish, Pay))
            bill = _bill(desk, reference)
    except (RefusedError, msgspec.ValidationError) as problem:
        with gateway.store.read() as look:
            bill = _bill(gateway.desk(look), reference)
        return page("stripe_pay.html", 409, **bill, problem=str(problem))
    if paid.status == "requires_payment_method" and bill["open"]:
        return page("stripe_pay.html", 402, **bill, problem="Your card was declined.")
    names = {"CHECKOUT_SESSION_ID": reference}
    back = filled(bill["back"], names) if bill["back"] else f"{gateway.public_url}/pay/{reference}"
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
    intent = desk.known(Intent, reference)
    return {
        "title": intent.description or "Payment",
        "sum": money(intent.amount, intent.currency),
        "stands": intent.status.replace("_", " "),
        "open": intent.status == "requires_action",
        "proof": True,
        "back": intent.return_url,
    }


ENDPOINTS = [
    api,
    pay,
    refund,
    dispute,
    pay_page,
    pay_now,
]
