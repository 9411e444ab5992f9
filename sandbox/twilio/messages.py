"""Text messages: taken, sent, delivered or not, priced some time later; and what comes back."""

import re
import secrets

from sandbox import chores
from sandbox.clock import iso, now_s
from sandbox.shelf import find, put
from sandbox.twilio import wire
from sandbox.twilio.desk import Desk, is_url, save
from sandbox.twilio.refusals import ApiError
from sandbox.twilio.settings import Account
from sandbox.twilio.things import MESSAGE_ENDS, Message

LONGEST = 1_600
E164 = re.compile(r"\+[1-9][0-9]{6,14}")
FROM_MAGIC = {"+15005550001": 21212, "+15005550007": 21606, "+15005550008": 21611}
TO_MAGIC = {
    "+15005550001": 21211, "+15005550002": 21612, "+15005550003": 21408, "+15005550004": 21610,
    "+15005550009": 21614,
}  # fmt: skip
STOP = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT"})
START = frozenset({"START", "YES", "UNSTOP"})
SENT, ENDS, PRICED = "twilio.sent", "twilio.ends", "twilio.priced"
Form = dict[str, list[str]]


def one(form: Form, name: str) -> str:
    """The last value of a parameter; empty when it was not sent."""
    return form.get(name, [""])[-1]


def send(desk: Desk, account: Account, form: Form) -> Message:
    """Take a message. Nothing tells two equal ones apart: each is sent."""
    to, body = one(form, "To"), one(form, "Body")
    sender, service = _sender(account, form)
    if not to:
        raise ApiError(21604)
    refuse_number(desk, account, to, TO_MAGIC)
    if not body and not one(form, "ContentSid"):
        raise ApiError(21602)
    if len(body) > LONGEST:
        raise ApiError(21617)
    callback = callback_of(form)
    _check_validity(one(form, "ValidityPeriod"))
    message = Message(
        id=f"SM{secrets.token_hex(16)}", account_id=account.account_id, created_at=now_s(),
        updated_at=now_s(), to=to, sender=sender, service=service, body=body, text=body,
        status="accepted" if service else "queued", callback=callback,
        segments=wire.segments(body),
    )  # fmt: skip
    put(desk.change, message)
    chores.later(desk.change, SENT, message.id, desk.tempo.sent_ms)
    desk.change.tell(f"SMS to {to}: {message.status}")
    return message


def _sender(account: Account, form: Form) -> tuple[str | None, str | None]:
    sender, service = one(form, "From"), one(form, "MessagingServiceSid")
    if service:
        if service not in account.services:
            raise ApiError(20404, "no such messaging service")
        return None, service
    if not sender:
        raise ApiError(21603)
    if sender in FROM_MAGIC:
        raise ApiError(FROM_MAGIC[sender])
    if not E164.fullmatch(sender):
        raise ApiError(21212, sender[:40])
    if sender not in account.numbers:
        raise ApiError(21606)
    return sender, None


def refuse_number(desk: Desk, account: Account, to: str, magic: dict[str, int]) -> None:
    """Raise what is known at once of this recipient."""
    if to in magic:
        raise ApiError(magic[to])
    if not E164.fullmatch(to):
        raise ApiError(21217 if magic is not TO_MAGIC else 21211, to[:40])
    phone = desk.phone(to)
    if phone.rejects is not None:
        raise ApiError(phone.rejects)
    if phone.opted_out and magic is TO_MAGIC:
        raise ApiError(21610)
    if account.trial and to not in account.verified:
        raise ApiError(21608)


def callback_of(form: Form) -> str | None:
    url = one(form, "StatusCallback")
    if url and not is_url(url):
        raise ApiError(21609, url[:80])
    return url or None


def _check_validity(period: str) -> None:
    if period and not (re.fullmatch(r"[0-9]{1,5}", period) and 1 <= int(period) <= 36_000):
        raise ApiError(21623, "ValidityPeriod is 1 to 36000 seconds")


def change(desk: Desk, message: Message, form: Form) -> Message:
    """Redact it with an empty body, or cancel one that is not sent yet."""
    if "Body" in form:
        if one(form, "Body"):
            raise ApiError(20001, "a body can be emptied and nothing else")
        message.body = ""
    if "Status" in form:
        if one(form, "Status") != "canceled" or message.status not in ("accepted", "scheduled"):
            raise ApiError(30409, "this message can be canceled no more")
        message.status = "canceled"
    message.updated_at = now_s()
    put(desk.change, message)
    return message


def delete(desk: Desk, message: Message) -> None:
    """Gone from the API; our own book keeps it."""
    if message.status not in MESSAGE_ENDS and message.status != "sent":
        raise ApiError(20009, "a message on its way cannot be deleted")
    message.deleted = True
    put(desk.change, message)


def sent(desk: Desk, message_id: str) -> None:
    message = find(desk.change, Message, message_id)
    if message is None or message.status not in ("queued", "accepted"):
        return
    if message.sender is None:
        account = desk.accounts.find(desk.change, message.account_id)
        message.sender = account.numbers[0] if account.numbers else None
    message.sent_at = now_s()
    _moved(desk, message, "sent")
    if desk.phone(message.to).sms != "sent":
        chores.later(desk.change, ENDS, message.id, desk.tempo.delivered_ms)


def ends(desk: Desk, message_id: str) -> None:
    """Delivered or not, as the phone is; `sent` is where some routes stop."""
    message = find(desk.change, Message, message_id)
    if message is None or message.status != "sent":
        return
    phone = desk.phone(message.to)
    if phone.sms == "sent":
        return
    message.error_code = phone.error_code if phone.sms != "delivered" else None
    _moved(desk, message, phone.sms)
    chores.later(desk.change, PRICED, message.id, desk.tempo.price_ms)


def priced(desk: Desk, message_id: str) -> None:
    message = find(desk.change, Message, message_id)
    if message is not None:
        message.price = f"-0.{750 * message.segments:05d}"
        put(desk.change, message)


def _moved(desk: Desk, message: Message, status: str) -> None:
    message.status, message.updated_at = status, now_s()
    put(desk.change, message)
    desk.change.tell(f"SMS to {message.to}: {status}")
    if message.callback is None:
        return
    said = {
        "AccountSid": message.account_id,
        "ApiVersion": wire.VERSION,
        "From": message.sender or "",
        "To": message.to,
        "MessageSid": message.id,
        "SmsSid": message.id,
        "MessageStatus": status,
        "SmsStatus": status,
        "Unheralded": "parameters are added without notice",
    }
    if message.service:
        said["MessagingServiceSid"] = message.service
    if message.error_code:
        said["ErrorCode"] = str(message.error_code)
    if status == "delivered":
        said["RawDlrDoneDate"] = "".join(c for c in iso(now_s())[2:16] if c.isdigit())
    desk.tell(message.account_id, message.callback, f"message {status}", said)


def reply(desk: Desk, account: Account, sender: str, body: str) -> Message:
    """Somebody writes back. STOP ends all messages to that phone, START lets them in again."""
    phone, word = desk.phone(sender), body.strip().upper()
    if word in STOP | START:
        phone.opted_out = word in STOP
        save(desk.change, phone)
    message = Message(
        id=f"SM{secrets.token_hex(16)}", account_id=account.account_id, created_at=now_s(),
        updated_at=now_s(), sent_at=now_s(), to=account.numbers[0], sender=sender, service=None,
        body=body, text=body, status="received", inbound=True, segments=wire.segments(body),
    )  # fmt: skip
    put(desk.change, message)
    desk.change.tell(f"SMS from {sender}: {body[:40]}")
    if account.webhook_url:
        said = {
            "AccountSid": account.account_id, "ApiVersion": wire.VERSION, "From": sender,
            "To": message.to, "Body": body, "MessageSid": message.id, "SmsSid": message.id,
            "SmsStatus": "received", "NumMedia": "0", "NumSegments": str(message.segments),
        }  # fmt: skip
        if word in STOP | START:
            said["OptOutType"] = "STOP" if word in STOP else "START"
        desk.tell(account.account_id, account.webhook_url, "message received", said)
    return message
