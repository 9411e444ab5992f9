"""How Twilio writes its answers: numbers as text, times by RFC 2822, prices below zero."""

from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

from sandbox.twilio.refusals import WORDS
from sandbox.twilio.things import Call, Message

VERSION = "2010-04-01"
GSM = set(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    "ÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_DOUBLE = set("^{}\\[~]|€")


def message(one: Message) -> dict[str, Any]:
    uri = f"{_root(one.account_id)}/Messages/{one.id}"
    return {
        "sid": one.id,
        "account_sid": one.account_id,
        "to": one.to,
        "from": one.sender,
        "messaging_service_sid": one.service,
        "body": one.body,
        "status": one.status,
        "direction": "inbound" if one.inbound else "outbound-api",
        "num_segments": str(one.segments),
        "num_media": "0",
        "price": one.price,
        "price_unit": "USD",
        "error_code": one.error_code,
        "error_message": WORDS.get(one.error_code, (0, "Message not delivered"))[1]
        if one.error_code
        else None,
        "date_created": stamp(one.created_at),
        "date_sent": stamp(one.sent_at),
        "date_updated": stamp(one.updated_at),
        "api_version": VERSION,
        "uri": f"{uri}.json",
        "subresource_uris": {"media": f"{uri}/Media.json"},
    }


def call(one: Call) -> dict[str, Any]:
    return {
        "sid": one.id,
        "account_sid": one.account_id,
        "parent_call_sid": None,
        "phone_number_sid": None,
        "to": one.to,
        "to_formatted": one.to,
        "from": one.sender,
        "from_formatted": one.sender,
        "status": one.status,
        "direction": "outbound-api",
        "duration": None if one.duration_s is None else str(one.duration_s),
        "answered_by": None,
        "queue_time": "0",
        "price": one.price,
        "price_unit": "USD",
        "start_time": stamp(one.started_at),
        "end_time": stamp(one.ended_at),
        "date_created": stamp(one.created_at),
        "date_updated": stamp(one.updated_at),
        "api_version": VERSION,
        "uri": f"{_root(one.account_id)}/Calls/{one.id}.json",
        "subresource_uris": {},
    }


def stamp(seconds: int | None) -> str | None:
    """`Fri, 24 May 2019 17:44:46 +0000`."""
    return None if seconds is None else format_datetime(datetime.fromtimestamp(seconds, UTC))


def segments(body: str) -> int:
    """How many messages the text takes on the air."""
    if all(sign in GSM or sign in GSM_DOUBLE for sign in body):
        length, one, several = sum(2 if sign in GSM_DOUBLE else 1 for sign in body), 160, 153
    else:
        length, one, several = len(body.encode("utf-16-le", "replace")) // 2, 70, 67
    return 1 if length <= one else -(-length // several)


def _root(account_id: str) -> str:
    return f"/{VERSION}/Accounts/{account_id}"
