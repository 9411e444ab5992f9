"""What every verb works with, and how a status is told to the URL that was given with the order."""

from typing import Any
from urllib.parse import urlencode, urlsplit

from sandbox import gateway
from sandbox.errors import UnknownError
from sandbox.outbox import Event, publish
from sandbox.shelf import everything, find, new_id, put
from sandbox.store import Change
from sandbox.twilio.accounts import ACCOUNTS, PARTY
from sandbox.twilio.settings import Tempo
from sandbox.twilio.things import Call, Message, Phone

FORM = "application/x-www-form-urlencoded; charset=UTF-8"


class Desk(gateway.Desk[Tempo], frozen=True):
    """An open transaction at Twilio."""

    accounts = ACCOUNTS

    def known(self, kind: type[Any], reference: str) -> Any:
        """A message or a call: both are told of, and asked for again."""
        found = find(self.change, Message, reference) or find(self.change, Call, reference)
        if found is None:
            raise UnknownError(f"no message or call {reference}")
        return found

    def phone(self, number: str) -> Phone:
        return phone_of(self.change, number)

    def tell(self, account_id: str, url: str, name: str, said: dict[str, str]) -> None:
        """Post these parameters to the URL, as often as a callback is tried."""
        reference = said.get("MessageSid") or said["CallSid"]
        publish(
            self.change,
            Event(
                party=PARTY,
                account_id=account_id,
                event_id=new_id("", 32),
                name=name,
                reference=reference,
                headers={"Content-Type": FORM},
                body=urlencode(said).encode(),
                url=url,
            ),
        )


class Gateway(gateway.Gateway[Desk]):
    """Twilio as a whole."""

    desk_of = Desk


def phone_of(look: Change, number: str) -> Phone:
    """A number of which nothing was said is in order."""
    return find(look, Phone, f"phone{number}") or Phone(
        id=f"phone{number}", account_id="", created_at=0, number=number
    )


def phones(look: Change) -> list[Phone]:
    return everything(look, Phone)


def save(change: Change, phone: Phone) -> None:
    put(change, phone)


def is_url(text: str) -> bool:
    """Whether it can be called back there: a host has no underscore."""
    try:
        parts = urlsplit(text)
        host = parts.hostname or ""
        return parts.scheme in ("http", "https") and host != "" and "_" not in host
    except ValueError:
        return False
