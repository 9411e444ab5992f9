"""Razorpay's URLs in the sandbox: the API itself, the customer's and the dashboard's doors."""

import io
from pathlib import Path
from typing import Annotated, Any

import msgspec
import segno
from litestar import MediaType, Request, Response, get, post, route
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Redirect

from sandbox.control.pages import page
from sandbox.errors import RefusedError, UnknownError
from sandbox.front import asked, sent
from sandbox.gateway import AtPage, DashboardRefund
from sandbox.gateway_endpoints import API_METHODS, Plain
from sandbox.razorpay import customer, disputes, links, qr_codes, settlements, wire
from sandbox.razorpay.accounts import ACCOUNTS
from sandbox.razorpay.customer import Scan
from sandbox.razorpay.desk import Desk, Gateway
from sandbox.razorpay.disputes import Claim
from sandbox.razorpay.front import FrontDoor
from sandbox.razorpay.settlements import PayOut
from sandbox.razorpay.things import PaymentLink, QrCode
from sandbox.shelf import everything, find


@route("/v1/{path:path}", http_method=API_METHODS)
async def api(request: Request[Any, Any, Any], path: Path, front: FrontDoor) -> Response[bytes]:
    """The emulated API."""
    said = await asked(request, path, "x-refund-idempotency")
    return await sent(request, await front.answer(said))


@post("/scan", status_code=200)
async def scan(data: Scan, gateway: Gateway) -> Plain:
    with gateway.change() as desk:
        return {"reference": customer.scan(desk, data).id}


@post("/pay", status_code=200)
async def pay(data: AtPage, gateway: Gateway) -> Plain:
    """At the page of a payment link, or by the app that read a code."""
    with gateway.change() as desk:
        return {"reference": customer.pay(desk, data).id}


@post("/refund", status_code=200)
async def refund(data: DashboardRefund, gateway: Gateway) -> Plain:
    with gateway.change() as desk:
        made = customer.refund_by_hand(desk, data)
        return {"reference": made.payment_id, "refund": made.id, "status": made.status}


@post("/dispute", status_code=200)
async def dispute(data: Claim, gateway: Gateway) -> Plain:
    """The payer's bank claims money back, or the claim ends."""
    with gateway.change() as desk:
        made = disputes.claim(desk, data)
        return {"reference": made.payment_id, "dispute": made.id, "status": made.status}


@post("/payout", status_code=200)
async def pay_out(data: PayOut, gateway: Gateway) -> Plain:
    """Pay out what came in since the last time."""
    with gateway.change() as desk:
        ACCOUNTS.find(desk.change, data.account_id)
        made = settlements.pay_out(desk, data.account_id)
        return {"settlement": made.id, "lines": len(made.lines)}


@get("/qr_codes")
async def list_qr_codes(gateway: Gateway) -> list[Plain]:
    """Every code of every account, with the short link of its picture."""
    with gateway.store.read() as look:
        found = [qr_codes.as_of_now(qr) for qr in everything(look, QrCode)]
    return [{**wire.qr_code(qr, gateway.public_url), "account_id": qr.account_id} for qr in found]


@get("/i/{short:str}")
async def picture(short: str, gateway: Gateway) -> Response[bytes]:
    """The code as a picture; its text is the page on which the customer pays."""
    with gateway.store.read() as look:
        row = look.one(
            "SELECT id FROM things WHERE kind = 'qr_code' AND json_extract(body, '$.short') = ?",
            (short,),
        )
        qr = row and find(look, QrCode, row["id"])
    if not qr:
        raise UnknownError(f"no picture {short}")
    drawn = io.BytesIO()
    code = segno.make(f"{gateway.public_url}/pay/{qr.id}", error="m", micro=False)
    code.save(drawn, kind="png", scale=8, border=4)
    return Response(drawn.getvalue(), media_type="image/png")


@get("/l/{link_id:str}", media_type=MediaType.HTML)
async def link_page(link_id: str, gateway: Gateway) -> Response[str]:
    """Where a payment link leads."""
    with gateway.change() as desk:
        return page("link_pay.html", **_bill(desk, link_id), problem="")


@post("/l/{link_id:str}", media_type=MediaType.HTML)
async def pay_link(
    link_id: str,
    gateway: Gateway,
    data: Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)],
) -> Response[Any]:
    """Pay by a plain form, without any script."""
    wish = {"payment_link_id": link_id, "outcome": data.get("outcome", "captured")}
    try:
        with gateway.change() as desk:
            paid = customer.scan(desk, msgspec.convert(wish, Scan))
            bill = _bill(desk, link_id)
    except (RefusedError, msgspec.ValidationError) as problem:
        with gateway.change() as desk:
            bill = _bill(desk, link_id)
        return page("link_pay.html", 409, **bill, problem=str(problem))
    if paid.status == "failed":
        return page("link_pay.html", 402, **bill, problem="Your bank said no.")
    return Redirect(bill["back"] or f"{gateway.public_url}/l/{link_id}", status_code=303)


def _bill(desk: Desk, link_id: str) -> Plain:
    link = find(desk.change, PaymentLink, link_id)
    if link is None:
        raise UnknownError(f"no payment link {link_id}")
    links.as_of_now(desk, link)
    return {
        "title": link.description or "Payment",
        "sum": f"₹{wire.rupees(link.amount)}",
        "stands": link.status,
        "open": link.status == "created",
        "back": link.callback_url,
    }


ENDPOINTS = [
    api,
    pay,
    scan,
    refund,
    dispute,
    pay_out,
    list_qr_codes,
    picture,
    link_page,
    pay_link,
]
