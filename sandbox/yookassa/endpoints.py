"""YooKassa's URLs in the sandbox: the API itself, the payer's and the dashboard's doors."""

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
from sandbox.yookassa import customer, front
from sandbox.yookassa.accounts import ACCOUNTS, PARTY
from sandbox.yookassa.customer import DashboardRefund, Lapse, Pay
from sandbox.yookassa.desk import Gateway
from sandbox.yookassa.front import Asked
from sandbox.yookassa.settings import Account
from sandbox.yookassa.things import Payment
from sandbox.yookassa.wire import decimal

API_METHODS = [HttpMethod.GET, HttpMethod.POST, HttpMethod.PATCH, HttpMethod.PUT, HttpMethod.DELETE]
Plain = dict[str, Any]


class Reference(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A payment by its id."""

    reference: str


class Balance(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What refunds can be paid from; null is bottomless."""

    account_id: str
    amount: Annotated[int, msgspec.Meta(ge=0, le=1_000_000_000_000)] | None


@route("/v3/{path:path}", http_method=API_METHODS)
async def api(request: Request[Any, Any, Any], path: Path, yookassa: Gateway) -> Response[bytes]:
    """The emulated API."""
    asked = Asked(
        method=request.method,
        path="/" + str(path).strip("/"),
        query=dict(request.query_params),
        authorization=request.headers.get("authorization", ""),
        key=request.headers.get("idempotence-key"),
        body=await request.body(),
    )
    return await sent(request, await front.answer(yookassa, asked))


@post("/pay", status_code=200)
async def pay(data: Pay, yookassa: Gateway) -> Plain:
    with yookassa.change() as desk:
        return {"reference": customer.pay(desk, data).id}


@post("/lapse", status_code=200)
async def lapse(data: Lapse, yookassa: Gateway) -> Plain:
    with yookassa.change() as desk:
        paid = customer.lapse(desk, data)
        return {"reference": paid.id, "status": paid.status}


@post("/refund", status_code=200)
async def refund(data: DashboardRefund, yookassa: Gateway) -> Plain:
    with yookassa.change() as desk:
        made = customer.refund_by_hand(desk, data)
        return {"reference": made.payment_id, "refund": made.id, "status": made.status}


@post("/resend", status_code=200)
async def resend(data: Reference, yookassa: Gateway) -> Plain:
    with yookassa.change() as desk:
        return {"reference": data.reference, "events": customer.resend(desk, data.reference)}


@post("/balance", status_code=200)
async def balance(data: Balance, yookassa: Gateway) -> Plain:
    with yookassa.change() as desk:
        ACCOUNTS.set_balance(desk.change, data.account_id, data.amount)
        return {"account_id": data.account_id, "amount": data.amount}


@post("/accounts", status_code=200)
async def save_account(data: Account, yookassa: Gateway) -> Plain:
    """Add a shop, or change it."""
    with yookassa.change() as desk:
        ACCOUNTS.save(desk.change, data, switch_on=True)
        desk.change.tell(f"shop {data.account_id} set up")
        return {"account_id": data.account_id}


@get("/deliveries")
async def list_deliveries(
    yookassa: Gateway, limit: Annotated[int, Parameter(ge=1, le=10_000)] = 500
) -> list[Plain]:
    with yookassa.store.read() as look:
        return outbox.deliveries(look, PARTY, limit)


@get("/pay/{reference:str}", media_type=MediaType.HTML)
async def pay_page(reference: str, yookassa: Gateway) -> Response[str]:
    """Where a redirect leads, and what the text of an SBP code opens in the bank's app."""
    with yookassa.store.read() as look:
        payment = customer.known(yookassa.desk(look), reference)
    return page("yookassa_pay.html", **_bill(payment), problem="")


@post("/pay/{reference:str}", media_type=MediaType.HTML)
async def pay_now(
    reference: str,
    yookassa: Gateway,
    data: Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)],
) -> Response[Any]:
    """Pay by a plain form, without any script."""
    ends = data.get("outcome", "")
    wish = {"reference": reference, "method": data.get("method", "bank_card")}
    with yookassa.store.read() as look:
        payment = customer.known(yookassa.desk(look), reference)
    try:
        wanted = msgspec.convert(wish | ({"declined": ends} if ends else {}), Pay)
        with yookassa.change() as desk:
            payment = customer.pay(desk, wanted)
    except (RefusedError, msgspec.ValidationError) as problem:
        return page("yookassa_pay.html", 409, **_bill(payment), problem=str(problem))
    if payment.confirmation == "redirect" and payment.return_url:
        return Redirect(payment.return_url, status_code=303)
    return Redirect(f"{yookassa.public_url}/pay/{reference}", status_code=303)


def _bill(payment: Payment) -> dict[str, Any]:
    return {
        "payment": payment,
        "amount": decimal(payment.amount),
        "methods": customer.METHODS if payment.method is None else (payment.method,),
        "reasons": customer.REASONS,
    }


ROUTER = Router(
    "/yookassa",
    route_handlers=[
        api,
        pay,
        lapse,
        refund,
        resend,
        balance,
        save_account,
        list_deliveries,
        pay_page,
        pay_now,
    ],
)
