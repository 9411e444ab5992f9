"""Twilio as one of those outside: its callbacks, and the book of messages and calls."""

from typing import Any
from urllib.parse import parse_qsl, urldefrag

from sandbox.clock import iso
from sandbox.party import Parcel, Party
from sandbox.shelf import everything, find
from sandbox.store import Change
from sandbox.twilio import calls, messages
from sandbox.twilio.accounts import ACCOUNTS, signature
from sandbox.twilio.desk import Desk, Gateway
from sandbox.twilio.endpoints import ENDPOINTS
from sandbox.twilio.settings import Tempo
from sandbox.twilio.things import Call, Message

RETRIES = 1


class Twilio(Party):
    accounts = ACCOUNTS
    gateway_of = Gateway
    tempo_of = Tempo
    payment = Message
    endpoints = ENDPOINTS
    chores = (
        messages.SENT,
        messages.ENDS,
        messages.PRICED,
        calls.RINGS,
        calls.ANSWERED,
        calls.ENDED,
        calls.UNANSWERED,
    )

    def book(self, look: Change) -> dict[str, list[dict[str, Any]]]:
        return {
            "messages": [
                {
                    "to": message.to,
                    "body": message.text,
                    "sid": message.id,
                    "from": message.sender,
                    "status": message.status,
                    "error_code": message.error_code,
                    "at": iso(message.created_at),
                }
                for message in everything(look, Message)
                if not message.inbound
            ],
            "calls": [
                {
                    "to": call.to,
                    "sid": call.id,
                    "status": call.status,
                    "from": call.sender,
                    "said": call.said,
                    "at": iso(call.created_at),
                }
                for call in everything(look, Call)
            ],
        }

    def headers(self, look: Change, parcel: Parcel) -> dict[str, str]:
        """Signed over the URL exactly as it was configured, without what stands behind `#`."""
        account = ACCOUNTS.find(look, parcel.account_id)
        url = urldefrag(parcel.url or "").url
        pairs = parse_qsl(parcel.body.decode(), keep_blank_values=True)
        said = dict(parcel.headers)
        if account.shared_key is None:
            said["X-Twilio-Signature"] = signature(account.auth_token, url, pairs)
        else:
            name, secret = account.shared_key
            said["X-Twilio-Signature"] = signature(secret, url, pairs, "sha256")
            said["X-Twilio-Webhooks-Signature-Settings"] = f"key={name},algorithm=HMAC_SHA256"
        if parcel.attempts:
            said["I-Twilio-Idempotency-Token"] = parcel.event_id
        return said

    def gives_up(self, parcel: Parcel, status: int | None) -> bool:
        """One more try, and that only when no answer came; `#rc=3&rp=all` asks for more."""
        wishes = dict(parse_qsl(urldefrag(parcel.url or "").fragment))
        count = wishes.get("rc", "")
        tries = int(count) if count.isdecimal() and len(count) == 1 else RETRIES
        if status is not None and wishes.get("rp") != "all":
            return True
        return parcel.attempts >= tries

    def work_on(self, name: str, desk: Desk, thing_id: str) -> None:
        if name == messages.PRICED:
            call = find(desk.change, Call, thing_id)
            if call is not None:
                calls.priced(desk, call)
            else:
                messages.priced(desk, thing_id)
            return
        work = {
            messages.SENT: messages.sent,
            messages.ENDS: messages.ends,
            calls.RINGS: calls.rings,
            calls.ANSWERED: calls.answered,
            calls.ENDED: calls.ended,
            calls.UNANSWERED: calls.unanswered,
        }
        work[name](desk, thing_id)
