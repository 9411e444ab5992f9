"""Razorpay's URLs in the sandbox: the API itself, the customer's and the dashboard's doors."""

import io
from pathlib import Path
from typing import Annotated, Any

import msgspec
import segno
from litestar import HttpMethod, Request, Response, Router, get, post, route
from litestar.params import Parameter

from sandbox import outbox
from sandbox.errors import UnknownError
from sandbox.front import sent
from sandbox.razorpay import accounts, customer, disputes, qr_codes, wire
from sandbox.razorpay.accounts import ACCOUNTS
from sandbox.razorpay.customer import DashboardRefund, Scan
from sandbox.razorpay.desk import Gateway
from sandbox.razorpay.disputes import Claim
from sandbox.razorpay.front import Asked, FrontDoor
from sandbox.razorpay.settings import Account
from sandbox.razorpay.things import QrCode
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


ROUTER = Router(
    "/razorpay",
    route_handlers=[
        api,
        scan,
        refund,
        dispute,
        resend,
        balance,
        save_account,
        list_qr_codes,
        list_deliveries,
        picture,
    ],
)
