"""T-Bank's URLs in the sandbox: the API itself, the payer's and the dashboard's doors."""

from typing import Annotated, Any

import msgspec
from litestar import MediaType, Request, Response, Router, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body, Parameter
from litestar.response import Redirect

from sandbox import outbox
from sandbox.control.pages import page
from sandbox.errors import RefusedError
from sandbox.front import sent
from sandbox.tbank import customer, front, payments
from sandbox.tbank.accounts import ACCOUNTS, PARTY
from sandbox.tbank.customer import DashboardRefund, Lapse, Pay
from sandbox.tbank.desk import Gateway
from sandbox.tbank.settings import Account
from sandbox.tbank.things import OPEN, Payment
from sandbox.tbank.wire import roubles

Plain = dict[str, Any]


class Reference(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A payment by its id."""

    reference: str


class Balance(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What refunds can be paid from; null is bottomless."""

    account_id: str
    amount: Annotated[int, msgspec.Meta(ge=0, le=1_000_000_000_000)] | None


@post("/v2/{method:str}", status_code=200)
async def api(request: Request[Any, Any, Any], method: str, tbank: Gateway) -> Response[bytes]:
    """The emulated API."""
    return await sent(request, await front.answer(tbank, method, await request.body()))


@post("/pay", status_code=200)
async def pay(data: Pay, tbank: Gateway) -> Plain:
    with tbank.change() as desk:
        return {"reference": customer.pay(desk, data).id}


@post("/lapse", status_code=200)
async def lapse(data: Lapse, tbank: Gateway) -> Plain:
    with tbank.change() as desk:
        lapsed = customer.lapse(desk, data)
        return {"reference": lapsed.id, "status": lapsed.status}


@post("/refund", status_code=200)
async def refund(data: DashboardRefund, tbank: Gateway) -> Plain:
    with tbank.change() as desk:
        payment = customer.refund_by_hand(desk, data)
        return {"reference": payment.id, "status": payment.status}


@post("/resend", status_code=200)
async def resend(data: Reference, tbank: Gateway) -> Plain:
    with tbank.change() as desk:
        return {"reference": data.reference, "events": customer.resend(desk, data.reference)}


@post("/balance", status_code=200)
async def balance(data: Balance, tbank: Gateway) -> Plain:
    with tbank.change() as desk:
        ACCOUNTS.set_balance(desk.change, data.account_id, data.amount)
        return {"account_id": data.account_id, "amount": data.amount}


@post("/accounts", status_code=200)
async def save_account(data: Account, tbank: Gateway) -> Plain:
    """Add a terminal, or change it."""
    with tbank.change() as desk:
        ACCOUNTS.save(desk.change, data, switch_on=True)
        desk.change.tell(f"terminal {data.account_id} set up")
        return {"account_id": data.account_id}


@get("/deliveries")
async def list_deliveries(
    tbank: Gateway, limit: Annotated[int, Parameter(ge=1, le=10_000)] = 500
) -> list[Plain]:
    with tbank.store.read() as look:
        return outbox.deliveries(look, PARTY, limit)


@get(["/new/{short:str}", "/qr/{short:str}"], media_type=MediaType.HTML)
async def pay_page(request: Request[Any, Any, Any], short: str, tbank: Gateway) -> Response[str]:
    """Where a PaymentURL leads, and what the text of an SBP code opens in the bank's app."""
    with tbank.change() as desk:
        payment = customer.at_page(desk.change, short)
        payments.show(desk, payment)
    return page("tbank_pay.html", **_bill(request, payment), problem="")


@post(["/new/{short:str}", "/qr/{short:str}"], media_type=MediaType.HTML)
async def pay_now(
    request: Request[Any, Any, Any],
    short: str,
    tbank: Gateway,
    data: Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)],
) -> Response[Any]:
    """Pay by a plain form, without any script."""
    with tbank.store.read() as look:
        payment = customer.at_page(look, short)
    ends = data.get("outcome", "")
    wish = {"reference": payment.id, "method": data.get("method", "card")}
    try:
        wanted = msgspec.convert(wish | ({"declined": ends} if ends else {}), Pay)
        with tbank.change() as desk:
            payment = customer.pay(desk, wanted)
    except (RefusedError, msgspec.ValidationError) as problem:
        return page("tbank_pay.html", 409, **_bill(request, payment), problem=str(problem))
    back = payment.fail_url if payment.error else payment.success_url
    if back and not _in_app(request):
        return Redirect(back, status_code=303)
    return Redirect(f"{tbank.public_url}/qr/{short}", status_code=303)


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


ROUTER = Router(
    "/tbank",
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
