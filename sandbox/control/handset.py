"""Customers' phones: a call that rings now, and the newest text messages."""

from typing import NamedTuple

from sandbox.clock import hour_minute
from sandbox.shelf import everything
from sandbox.store import Change
from sandbox.twilio.calls import asks_by
from sandbox.twilio.things import Call, Message

SHOWN = 6


class Ring(NamedTuple):
    """A call that somebody may answer."""

    sid: str
    to: str


class Talk(NamedTuple):
    """A call that somebody listens to, and that waits for a key."""

    sid: str
    to: str
    words: str


class Text(NamedTuple):
    """A text message, or what was heard in a call, as the phone has it."""

    to: str
    words: str
    at: str
    status: str
    spoken: bool


def ringing(look: Change) -> list[Ring]:
    return [Ring(one.id, one.to) for one in everything(look, Call) if one.status == "ringing"]


def talking(look: Change) -> list[Talk]:
    return [
        Talk(one.id, one.to, one.said)
        for one in everything(look, Call)
        if one.status == "in-progress" and asks_by(one.twiml) is not None
    ]


def texts(look: Change) -> list[Text]:
    """Newest first; what has not left the service yet is on no phone."""
    messages = [
        (one.created_at, Text(one.to, one.text, hour_minute(one.created_at, ""), one.status, False))
        for one in everything(look, Message)
        if not one.inbound and one.status not in ("accepted", "queued")
    ]
    calls = [
        (one.created_at, Text(one.to, one.said, hour_minute(one.created_at, ""), one.status, True))
        for one in everything(look, Call)
        if one.status not in ("queued", "ringing")
    ]
    newest = sorted(messages + calls, key=lambda pair: pair[0], reverse=True)
    return [text for _, text in newest[:SHOWN]]
