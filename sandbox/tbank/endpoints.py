"""T-Bank's URLs in the sandbox: the API itself, the payer's and the dashboard's doors."""

from typing import Annotated, Any

import msgspec
from litestar import MediaType, Request, Response, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Redirect

from sandbox.control.pages import page
from sandbox.errors import RefusedError
from sandbox.front import sent
from sandbox.gateway import DashboardRefund, Reference
from sandbox.gateway_endpoints import Plain
from sandbox.tbank import customer, front, payments
from sandbox.tbank.api import METHODS, OF_THE_TILL
from sandbox.tbank.customer import Pay
from sandbox.tbank.desk import Gateway
from sandbox.tbank.things import OPEN, Payment
from sandbox.tbank.wire import roubles


@post("/v2/{method:str}", status_code=200)
async def api(request: Request[Any, Any, Any], method: str, gateway: Gateway) -> Response[bytes]:
    """The emulated API."""
    said = await front.answer(gateway, method, await request.body(), METHODS)
    return await sent(request, said)


@post("/cashbox/{method:str}", status_code=200)
async def till(request: Request[Any, Any, Any], method: str, gateway: Gateway) -> Response[bytes]:
    """What is asked of the till."""
    said = await front.answer(gateway, method, await request.body(), OF_THE_TILL)
    return await sent(request, said)


@post("/pay", status_code=200)
async def pay(data: Pay, gateway: Gateway) -> Plain:
    with gateway.change() as desk:
        return {"reference": customer.pay(desk, data).id}


@post("/lapse", status_code=200)
async def lapse(data: Reference, gateway: Gateway) -> Plain:
    with gateway.change() as desk:
        lapsed = customer.lapse(desk, data)
        return {"reference": lapsed.id, "status": lapsed.status}


@post("/refund", status_code=200)
async def refund(data: DashboardRefund, gateway: Gateway) -> Plain:
    with gateway.change() as desk:
        payment = customer.refund_by_hand(desk, data)
        return {"reference": payment.id, "status": payment.status}


@get(["/new/{short:str}", "/qr/{short:str}"], media_type=MediaType.HTML)
async def pay_page(request: Request[Any, Any, Any], short: str, gateway: Gateway) -> Response[str]:
    """Where a PaymentURL leads, and what the text of an SBP code opens in the bank's app."""
    with gateway.change() as desk:
        payment = customer.at_page(desk.change, short)
        payments.show(desk, payment)
    return page("tbank_pay.html", **_bill(request, payment), problem="")


@post(["/new/{short:str}", "/qr/{short:str}"], media_type=MediaType.HTML)
async def pay_now(
    request: Request[Any, Any, Any],
    short: str,
    gateway: Gateway,
    data: Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)],
) -> Response[Any]:
    """Pay by a plain form, without any script."""
    with gateway.store.read() as look:
        payment = customer.at_page(look, short)
    ends = data.get("outcome", "")
    wish = {"reference": payment.id, "method": data.get("method", "card")}
    try:
        wanted = msgspec.convert(wish | ({"declined": ends} if ends else {}), Pay)
        with gateway.change() as desk:
            payment = customer.pay(desk, wanted)
    except (RefusedError, msgspec.ValidationError) as problem:
        return page("tbank_pay.html", 409, **_bill(request, payment), problem=str(problem))
    back = payment.fail_url if payment.error else payment.success_url
    if back and not _in_app(request):
        return Redirect(back, status_code=303)
    return Redirect(f"{gateway.public_url}/qr/{short}", status_code=303)


def _in_app(request: Request[Any, Any, Any]) -> bool:
    return "/qr/" in request.url.path


def _bill(request: Request[Any, Any, Any], payment: Payment) -> Plain:
    return {
        "payment": payment,
        "amount": roubles(payment.amount),
        "in_app": _in_app(request),
        "open": payment.status in OPEN,
        "reasons": list(customer.REASONS),
    }


ENDPOINTS = [
    api,
    till,
    pay,
    lapse,
    refund,
    pay_page,
    pay_now,
]
