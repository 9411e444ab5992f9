"""The mail server as one of those outside: its port, its faults, and the book of its mails."""

import asyncio
import ssl
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

import msgspec
from litestar import Response, get, post

from sandbox import weather
from sandbox.clock import iso, now_s
from sandbox.config import Config
from sandbox.errors import UnreadableError
from sandbox.party import Outsider
from sandbox.ports import Ports
from sandbox.shelf import everything, new_id, put
from sandbox.smtp import certificate
from sandbox.smtp.session import Session
from sandbox.smtp.settings import Faults, Section
from sandbox.smtp.things import Mail
from sandbox.store import Change, Store

Plain = dict[str, Any]
FAULTS = "smtp.faults"


class Smtp(Outsider):
    """A mail server on a port of its own."""

    name = "smtp"

    def __init__(self, store: Store, ports: Ports) -> None:
        self.section = Section()
        self._store, self._ports = store, ports

    def use(self, change: Change, config: Config) -> None:
        before, self.section = self.section.port, config.smtp
        if before is not None and before != self.section.port:
            self._ports.drop(before)
        if self.section.port is not None:
            self._ports.want(self.section.port, self._talk)

    def book(self, look: Change) -> list[Plain]:
        return [
            {
                "to": mail.to,
                "subject": mail.subject,
                "text": mail.text,
                "from": mail.sender,
                "html": mail.html,
                "message_id": mail.message_id,
                "at": iso(mail.created_at),
            }
            for mail in everything(look, Mail)
        ]

    @property
    def faults(self) -> Faults:
        """What is wrong now, the weather's slowness among it."""
        with self._store.read() as look:
            sky, faults = weather.current(look).api, kept_faults(look)
        slow_ms = max(faults.slow_ms, sky.latency_ms)
        return msgspec.structs.replace(faults, slow_ms=slow_ms)

    def tls(self) -> ssl.SSLContext:
        return certificate.context(self.certificate())

    def certificate(self) -> certificate.Pair:
        return certificate.kept(self._store)

    def fate(self) -> weather.Fate:
        """What the weather makes of one mail: busy, or kept and the answer lost."""
        with self._store.change() as change:
            return weather.fate_of_call(change)

    def keep(self, sender: str, recipients: list[str], content: bytes) -> str:
        message = message_from_bytes(content, _class=EmailMessage, policy=default)
        name = new_id("mail_")
        with self._store.change() as change:
            for number, recipient in enumerate(recipients):
                mail = Mail(
                    id=name if not number else f"{name}.{number}",
                    account_id="",
                    created_at=now_s(),
                    to=recipient,
                    sender=sender,
                    subject=_header(message, "Subject"),
                    text=_part(message, "plain"),
                    html=_part(message, "html"),
                    message_id=_header(message, "Message-ID"),
                    headers=_headers(message),
                )
                put(change, mail)
                change.tell(f"mail to {recipient}: {mail.subject[:60]}")
        return name

    def change_faults(self, wanted: Plain) -> Faults:
        with self._store.change() as change:
            merged = {**msgspec.to_builtins(kept_faults(change)), **wanted}
            try:
                faults = msgspec.convert(merged, Faults)
            except msgspec.ValidationError as problem:
                raise UnreadableError(str(problem)) from problem
            change.run(
                "INSERT INTO facts VALUES (?, ?) ON CONFLICT DO UPDATE SET body = excluded.body",
                (FAULTS, msgspec.json.encode(faults)),
            )
            change.tell("mail server changed")
        return faults

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await Session(self, reader, writer).run()


def kept_faults(look: Change) -> Faults:
    row = look.one("SELECT body FROM facts WHERE name = ?", (FAULTS,))
    return msgspec.json.decode(row["body"], type=Faults) if row else Faults()


def _header(message: EmailMessage, name: str) -> str:
    """As it reads; one that cannot be read is not there."""
    try:
        return _clean(str(message.get(name, "")))
    except (ValueError, IndexError, AttributeError, TypeError):
        return ""


def _headers(message: EmailMessage) -> dict[str, str]:
    return {name: _header(message, name) for name in message.keys()}  # noqa: SIM118


def _part(message: EmailMessage, kind: str) -> str:
    try:
        part = message.get_body((kind,))
        text = str(part.get_content()) if part is not None else ""
        return _clean(text.replace("\r\n", "\n"))
    except (ValueError, LookupError, AttributeError, TypeError):
        return ""


def _clean(text: str) -> str:
    """Without what no JSON can hold."""
    return text.encode(errors="replace").decode(errors="replace")


@get("/fault")
async def read_faults(party: Smtp) -> Faults:
    return party.faults


@post("/fault", status_code=200)
async def change_faults(data: Plain, party: Smtp) -> Faults:
    """Merge the named faults; answer all."""
    return party.change_faults(data)


@get("/certificate")
async def read_certificate(party: Smtp) -> Response[str]:
    """What a client must trust that uses STARTTLS."""
    return Response(party.certificate().certificate, media_type="application/x-pem-file")


Smtp.endpoints = [read_faults, change_faults, read_certificate]
