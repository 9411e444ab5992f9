"""Twilio's URLs in the sandbox: the API, and the people at the phones."""

from pathlib import Path
from typing import Annotated, Any

import httpx
import msgspec
from litestar import Request, Response, get, post, route
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Redirect

from sandbox.errors import UnreadableError
from sandbox.front import asked, sent
from sandbox.gateway_endpoints import API_METHODS, Plain
from sandbox.twilio import calls, front, messages
from sandbox.twilio.accounts import ACCOUNTS, signature
from sandbox.twilio.calls import Answer, Key
from sandbox.twilio.desk import Gateway, phone_of, phones, save
from sandbox.twilio.messages import E164
from sandbox.twilio.things import Call, Phone

FIXED = ("id", "account_id", "created_at", "notes")  # of a phone: not for a request to say


class Reply(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Somebody writes to an account's number."""

    account_id: str
    sender: str
    body: str


@route("/2010-04-01/Accounts/{account_id:str}/{path:path}", http_method=API_METHODS)
async def api(
    request: Request[Any, Any, Any], account_id: str, path: Path, gateway: Gateway
) -> Response[bytes]:
    """The emulated API."""
    wanted = await asked(request, path, "i-no-such-header")
    return await sent(request, await front.answer(gateway, account_id, wanted))


@get("/phones")
async def list_phones(gateway: Gateway) -> list[Phone]:
    with gateway.store.read() as look:
        return phones(look)


@post("/phones", status_code=200)
async def change_phone(data: Plain, gateway: Gateway) -> Phone:
    """Merge how what is sent to this number ends: `{"number", "sms"?, "call"?, ...}`."""
    number = data.get("number")
    if not isinstance(number, str) or not E164.fullmatch(number):
        raise UnreadableError("a phone is named by its `number`, as +14155550100")
    with gateway.change() as desk:
        known = msgspec.to_builtins(phone_of(desk.change, number))
        wanted = {name: value for name, value in data.items() if name not in FIXED}
        if unknown := wanted.keys() - known.keys():
            raise UnreadableError(f"of a phone nobody knows {sorted(unknown)}")
        try:
            phone = msgspec.convert(known | wanted, Phone)
        except msgspec.ValidationError as problem:
            raise UnreadableError(str(problem)) from problem
        save(desk.change, phone)
        desk.change.tell(f"phone {number} changed")
        return phone


@post("/reply", status_code=200)
async def reply(data: Reply, gateway: Gateway) -> Plain:
    if not E164.fullmatch(data.sender):
        raise UnreadableError("a sender is a number, as +14155550100")
    with gateway.change() as desk:
        account = ACCOUNTS.find(desk.change, data.account_id)
        return {"reference": messages.reply(desk, account, data.sender, data.body).id}


@post("/answer", status_code=200)
async def answer_call(data: Answer, gateway: Gateway) -> Plain:
    """Somebody takes a call that rings, or does not: `{"reference", "ends"?}`."""
    with gateway.change() as desk:
        return {"reference": data.reference, "status": calls.pick_up(desk, data).status}


@post("/press", status_code=200)
async def press(data: Key, gateway: Gateway) -> Plain:
    """Somebody who listens presses keys: `{"reference", "digits"}`."""
    call = await _pressed(data, gateway)
    return {"reference": call.id, "status": call.status, "said": call.said}


@post("/key")
async def press_by_form(
    data: Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)],
    gateway: Gateway,
) -> Redirect:
    """The same from the control page, without any script."""
    try:
        wanted = msgspec.convert(data, Key)
    except msgspec.ValidationError as problem:
        raise UnreadableError(str(problem)) from problem
    await _pressed(wanted, gateway)
    return Redirect("/", status_code=303)


async def _pressed(wanted: Key, gateway: Gateway) -> Call:
    """Told where the call said, signed; what is answered is heard next. Without an answer the
    caller hears an error, and the call ends."""
    with gateway.change() as desk:
        url, said, call = calls.pressed(desk, wanted)
        account = ACCOUNTS.find(desk.change, call.account_id)
    headers = {"X-Twilio-Signature": signature(account.auth_token, url, said.items())}
    try:
        async with httpx.AsyncClient(trust_env=False, timeout=5) as http:
            answer = await http.post(url, data=said, headers=headers)
        twiml = answer.text if answer.is_success else "<none/>"
    except (httpx.HTTPError, httpx.InvalidURL):
        twiml = "<none/>"
    with gateway.change() as desk:
        return calls.goes_on(desk, wanted.reference, twiml)


@post("/pick")
async def answer_by_form(
    data: Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)],
    gateway: Gateway,
) -> Redirect:
    """The same from the control page, without any script."""
    try:
        wanted = msgspec.convert(data, Answer)
    except msgspec.ValidationError as problem:
        raise UnreadableError(str(problem)) from problem
    with gateway.change() as desk:
        calls.pick_up(desk, wanted)
    return Redirect("/", status_code=303)


ENDPOINTS = [
    api, list_phones, change_phone, reply, answer_call, answer_by_form, press, press_by_form,
]  # fmt: skip
