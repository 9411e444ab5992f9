"""YooKassa's URLs in the sandbox: the API itself, the payer's and the dashboard's doors."""

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
from sandbox.gateway import DashboardRefund, Reference
from sandbox.gateway_endpoints import API_METHODS, Plain
from sandbox.yookassa import customer, front
from sandbox.yookassa.customer import Pay
from sandbox.yookassa.desk import Gateway
from sandbox.yookassa.things import Payment
from sandbox.yookassa.wire import decimal


@route("/v3/{path:path}", http_method=API_METHODS)
async def api(request: Request[Any, Any, Any], path: Path, gateway: Gateway) -> Response[bytes]:
    """The emulated API."""
    said = await asked(request, path, "idempotence-key")
    return await sent(request, await front.answer(gateway, said))


@post("/pay", status_code=200)
async def pay(data: Pay, gateway: Gateway) -> Plain:
    with gateway.change() as desk:
        return {"reference": customer.pay(desk, data).id}


@post("/lapse", status_code=200)
async def lapse(data: Reference, gateway: Gateway) -> Plain:
    with gateway.change() as desk:
        paid = customer.lapse(desk, data)
        return {"reference": paid.id, "status": paid.status}


@post("/refund", status_code=200)
async def refund(data: DashboardRefund, gateway: Gateway) -> Plain:
    with gateway.change() as desk:
        made = customer.refund_by_hand(desk, data)
        return {"reference": made.payment_id, "refund": made.id, "status": made.status}


@get("/pay/{reference:str}", media_type=MediaType.HTML)
async def pay_page(reference: str, gateway: Gateway) -> Response[str]:
    """Where a redirect leads, and what the text of an SBP code opens in the bank's app."""
    with gateway.store.read() as look:
        payment = gateway.desk(look).known(Payment, reference)
    return page("yookassa_pay.html", **_bill(payment), problem="")


@post("/pay/{reference:str}", media_type=MediaType.HTML)
async def pay_now(
    reference: str,
    gateway: Gateway,
    data: Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)],
) -> Response[Any]:
    """Pay by a plain form, without any script."""
    ends = data.get("outcome", "")
    wish = {"reference": reference, "method": data.get("method", "bank_card")}
    with gateway.store.read() as look:
        payment = gateway.desk(look).known(Payment, reference)
    try:
        wanted = msgspec.convert(wish | ({"declined": ends} if ends else {}), Pay)
        with gateway.change() as desk:
            payment = customer.pay(desk, wanted)
    except (RefusedError, msgspec.ValidationError) as problem:
        return page("yookassa_pay.html", 409, **_bill(payment), problem=str(problem))
    if payment.confirmation == "redirect" and payment.return_url:
        return Redirect(payment.return_url, status_code=303)
    return Redirect(f"{gateway.public_url}/pay/{reference}", status_code=303)


def _bill(payment: Payment) -> dict[str, Any]:
    return {
        "payment": payment,
        "amount": decimal(payment.amount),
        "methods": customer.METHODS if payment.method is None else (payment.method,),
        "reasons": customer.REASONS,
    }


ENDPOINTS = [
    api,
    pay,
    lapse,
    refund,
    pay_page,
    pay_now,
]
