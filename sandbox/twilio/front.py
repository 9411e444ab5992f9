"""The API's front door: the account of the path, its form, the weather, the answer on disk."""

from urllib.parse import parse_qsl

import msgspec

from sandbox.front import Answered, Asked, through_weather
from sandbox.twilio import api
from sandbox.twilio.accounts import authenticate
from sandbox.twilio.desk import Gateway
from sandbox.twilio.messages import Form
from sandbox.twilio.refusals import ApiError, in_trouble
from sandbox.twilio.settings import Account


async def answer(gateway: Gateway, account_id: str, asked: Asked) -> Answered:
    """Answer one call, through the weather."""
    try:
        with gateway.store.read() as look:
            account = authenticate(look, asked.authorization, account_id)
        if account.busy and asked.method == "POST":
            raise ApiError(20429)
    except ApiError as refusal:
        return refusal.answered()
    return await through_weather(
        gateway.store,
        lambda: _applied(gateway, account, asked),
        lambda: in_trouble().answered(),
    )


def _applied(gateway: Gateway, account: Account, asked: Asked) -> Answered:
    """Do it and commit; the answer is made of what is on disk already."""
    form = _form(asked.body.decode(errors="replace") if asked.body else asked.query_text)
    try:
        with gateway.change() as desk:
            call = api.Asked(desk, account, asked.method, asked.path, form)
            status, said = api.answer(call)
            if asked.method != "GET":
                desk.change.tell(f"{asked.method} {asked.path}: {status}")
    except ApiError as refusal:
        return refusal.answered()
    return Answered(status, b"" if said is None else msgspec.json.encode(said))


def _form(text: str) -> Form:
    form: Form = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        form.setdefault(name, []).append(value)
    return form
