"""Razorpay's URLs in the sandbox: the API itself, the customer's and the dashboard's doors."""

import io
from pathlib import Path
from typing import Annotated, Any

import msgspec
import segno
from litestar import HttpMethod, MediaType, Request, Response, Router, get, post, route
from litestar.enums import RequestEncodingType
from litestar.params import Body, Parameter
from litestar.response import Redirect

from sandbox import outbox
from sandbox.control.pages import page
from sandbox.errors import RefusedError, UnknownError
from sandbox.front import sent
from sandbox.razorpay import accounts, customer, disputes, links, qr_codes, settlements, wire
from sandbox.razorpay.accounts import ACCOUNTS
from sandbox.razorpay.customer import DashboardRefund, Scan
from sandbox.razorpay.desk import Desk, Gateway
from sandbox.razorpay.disputes import Claim
from sandbox.razorpay.front import Asked, FrontDoor
from sandbox.razorpay.settings import Account
from sandbox.razorpay.settlements import PayOut
from sandbox.razorpay.things import PaymentLink, QrCode
from sandbox.shelf import everything, find

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
    request: Request[Any, Any, Any], path: Path, razorpay_front: FrontDoor
) -> Response[bytes]:
    """The emulated API."""
    answered = await razorpay_front.answer(
        Asked(
            method=request.method,
            path="/" + str(path).strip("/"),
            query=dict(request.query_params),
            authorization=request.headers.get("authorization", ""),
            idempotency_key=request.headers.get("x-refund-idempotency"),
            body=await request.body(),
        )
    )
    return await sent(request, answered)


@post("/scan", status_code=200)
async def scan(data: Scan, razorpay: Gateway) -> Plain:
    with razorpay.change() as desk:
        return {"reference": customer.scan(desk, data).id}


@post("/refund", status_code=200)
async def refund(data: DashboardRefund, razorpay: Gateway) -> Plain:
    with razorpay.change() as desk:
        made = customer.refund_by_hand(desk, data)
        return {"reference": made.payment_id, "refund": made.id, "status": made.status}


@post("/dispute", status_code=200)
async def dispute(data: Claim, razorpay: Gateway) -> Plain:
    """The payer's bank claims money back, or the claim ends."""
    with razorpay.change() as desk:
        made = disputes.claim(desk, data)
        return {"reference": made.payment_id, "dispute": made.id, "status": made.status}


@post("/payout", status_code=200)
async def pay_out(data: PayOut, razorpay: Gateway) -> Plain:
    """Pay out what came in since the last time."""
    with razorpay.change() as desk:
        ACCOUNTS.find(desk.change, data.account_id)
        made = settlements.pay_out(desk, data.account_id)
        return {"settlement": made.id, "lines": len(made.lines)}


@post("/resend", status_code=200)
async def resend(data: Reference, razorpay: Gateway) -> Plain:
    with razorpay.change() as desk:
        return {"reference": data.reference, "events": customer.resend(desk, data.reference)}


@post("/balance", status_code=200)
async def balance(data: Balance, razorpay: Gateway) -> Plain:
    with razorpay.change() as desk:
        ACCOUNTS.set_balance(desk.change, data.account_id, data.amount)
        return {"account_id": data.account_id, "amount": data.amount}


@post("/accounts", status_code=200)
async def save_account(data: Account, razorpay: Gateway) -> Plain:
    """Add an account, or change it; a webhook that was switched off is on again."""
    with razorpay.change() as desk:
        ACCOUNTS.save(desk.change, data, switch_on=True)
        desk.change.tell(f"account {data.account_id} set up")
        return {"account_id": data.account_id}


@get("/qr_codes")
async def list_qr_codes(razorpay: Gateway) -> list[Plain]:
    """Every code of every account, with the short link of its picture."""
    with razorpay.store.read() as look:
        found = [qr_codes.as_of_now(qr) for qr in everything(look, QrCode)]
    return [{**wire.qr_code(qr, razorpay.public_url), "account_id": qr.account_id} for qr in found]


@get("/deliveries")
async def list_deliveries(
    razorpay: Gateway, limit: Annotated[int, Parameter(ge=1, le=10_000)] = 500
) -> list[Plain]:
    with razorpay.store.read() as look:
        return outbox.deliveries(look, accounts.PARTY, limit)


@get("/i/{short:str}")
async def picture(short: str, razorpay: Gateway) -> Response[bytes]:
    """The code as a picture; its text is the page on which the customer pays."""
    with razorpay.store.read() as look:
        row = look.one(
            "SELECT id FROM things WHERE kind = 'qr_code' AND json_extract(body, '$.short') = ?",
            (short,),
        )
        qr = row and find(look, QrCode, row["id"])
    if not qr:
        raise UnknownError(f"no picture {short}")
    drawn = io.BytesIO()
    code = segno.make(f"{razorpay.public_url}/pay/{qr.id}", error="m", micro=False)
    code.save(drawn, kind="png", scale=8, border=4)
    return Response(drawn.getvalue(), media_type="image/png")


@get("/l/{link_id:str}", media_type=MediaType.HTML)
async def link_page(link_id: str, razorpay: Gateway) -> Response[str]:
    """Where a payment link leads."""
    with razorpay.change() as desk:
        return page("link_pay.html", **_bill(desk, link_id), problem="")


@post("/l/{link_id:str}", media_type=MediaType.HTML)
async def pay_link(
    link_id: str,
    razorpay: Gateway,
    data: Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)],
) -> Response[Any]:
    """Pay by a plain form, without any script."""
    wish = {"payment_link_id": link_id, "outcome": data.get("outcome", "captured")}
    try:
        with razorpay.change() as desk:
            paid = customer.scan(desk, msgspec.convert(wish, Scan))
            bill = _bill(desk, link_id)
    except (RefusedError, msgspec.ValidationError) as problem:
        with razorpay.change() as desk:
            bill = _bill(desk, link_id)
        return page("link_pay.html", 409, **bill, problem=str(problem))
    if paid.status == "failed":
        return page("link_pay.html", 402, **bill, problem="Your bank said no.")
    return Redirect(bill["back"] or f"{razorpay.public_url}/l/{link_id}", status_code=303)


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


ROUTER = Router(
    "/razorpay",
    route_handlers=[
        api,
        scan,
        refund,
        dispute,
        pay_out,
        resend,
        balance,
        save_account,
        list_qr_codes,
        list_deliveries,
        picture,
        link_page,
        pay_link,
    ],
)
