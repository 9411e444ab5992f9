"""Mail by SMTP: one connection for each, encrypted unless the settings say otherwise.

Until the content is on its way nothing was sent; after that only the server's answer says so."""

import asyncio
import re
import ssl
from collections.abc import Mapping
from contextlib import suppress
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as FOLDED
from email.policy import SMTPUTF8
from email.utils import format_datetime
from typing import ClassVar, Final, Literal

from aiosmtplib import (
    SMTP,
    SMTPConnectError,
    SMTPDataError,
    SMTPException,
    SMTPNotSupported,
    SMTPRecipientRefused,
    SMTPResponseException,
)
from msgspec import Struct

from coinslot.kit.clock import Clock
from coinslot.kit.secrets import Secret
from coinslot.notices.base import (
    Cause,
    Form,
    Notice,
    Notifier,
    Powers,
    Refused,
    Sent,
    Stage,
    Unclear,
)

name: Final = "smtp"

MAILBOX = re.compile(r"[^\s<>()\[\],;:\\\"@]{1,64}@[^\s<>()\[\],;:\\\"@]{1,255}")
KEY = re.compile(r"[A-Za-z0-9._-]{1,200}")
GOODBYE_S = 2.0


class Settings(Struct, frozen=True, kw_only=True):
    """One mail server, and who writes."""

    host: str
    sender: str  # an address
    sender_name: str = ""
    port: int = 587
    security: Literal["tls", "starttls", "none"] = "starttls"
    user: str = ""
    password: Secret = Secret("")
    trusted: str = ""  # a certificate in PEM to trust beside the system's; a private server's own
    timeout_s: float = 20  # of a whole mail


def open(settings: Struct, clock: Clock) -> Notifier:
    assert isinstance(settings, Settings)
    return Smtp(settings, clock)


class Smtp:
    """One mail server."""

    name: ClassVar[str] = name
    powers: ClassVar[Mapping[Form, Powers]] = {Form.EMAIL: Powers(most_chars=100_000)}

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings, self._clock = settings, clock

    async def close(self) -> None:
        """Nothing is kept open."""

    async def send(self, form: Form, notice: Notice) -> Sent | Refused | Unclear:
        if form is not Form.EMAIL:
            return Refused(cause=Cause.CONTENT, reason=f"SMTP sends no {form}")
        built = self._message(notice)
        if isinstance(built, Refused):
            return built
        client = self._client()
        delivery = _Delivery(client, self._settings.sender, notice.to)
        try:
            async with asyncio.timeout(self._settings.timeout_s):
                return await delivery.run(built)
        except TimeoutError:
            return delivery.ended("no answer in time")
        except SMTPResponseException as error:
            return _refusal(error) if 400 <= error.code < 600 else delivery.ended(str(error))
        except SMTPNotSupported as error:
            return delivery.unsupported(error)
        except (SMTPConnectError, ssl.SSLError) as error:
            # A certificate that is not trusted stays so until somebody changes the settings.
            tls = isinstance(error.__cause__ or error, ssl.SSLError)
            cause = Cause.ACCOUNT if tls else Cause.UNREACHED
            return Refused(cause=cause, reason=str(error)[:200])
        except (SMTPException, OSError) as error:
            return delivery.ended(f"{type(error).__name__}: {error}".rstrip(": "))
        finally:
            client.close()

    def _client(self) -> SMTP:
        settings = self._settings
        return SMTP(
            hostname=settings.host,
            port=settings.port,
            username=settings.user or None,
            password=settings.password.reveal() if settings.user else None,
            local_hostname=settings.sender.rpartition("@")[2],
            timeout=settings.timeout_s,
            use_tls=settings.security == "tls",
            start_tls=settings.security == "starttls",
            tls_context=self._trust(),
        )

    def _trust(self) -> ssl.SSLContext | None:
        if self._settings.security == "none":
            return None
        context = ssl.create_default_context()
        if self._settings.trusted:
            context.load_verify_locations(cadata=self._settings.trusted)
        return context

    def _message(self, notice: Notice) -> EmailMessage | Refused:
        """The mail. A line feed in an address or a subject would add headers: it is refused."""
        settings = self._settings
        if not MAILBOX.fullmatch(notice.to) or not notice.to.isprintable():
            return Refused(cause=Cause.RECIPIENT, reason="this is not an address")
        if not notice.text.strip() or len(notice.text) > self.powers[Form.EMAIL].most_chars:
            return Refused(cause=Cause.CONTENT, reason="the text is empty or too long")
        if not KEY.fullmatch(notice.key):
            return Refused(cause=Cause.CONTENT, reason="the key cannot stand in a Message-ID")
        message = EmailMessage(FOLDED if notice.to.isascii() else SMTPUTF8)
        domain = settings.sender.rpartition("@")[2]
        try:
            if settings.sender_name:
                message["From"] = Address(settings.sender_name, addr_spec=settings.sender)
            else:
                message["From"] = settings.sender
            message["To"] = notice.to
            message["Subject"] = notice.subject
            message["Date"] = format_datetime(self._clock.now())
            # The same for a mail that is sent again, so that a mailbox can show it once.
            message["Message-ID"] = f"<{notice.key}@{domain}>"
            message["Auto-Submitted"] = "auto-generated"
            message.set_content(notice.text)
            if notice.html:
                message.add_alternative(notice.html, subtype="html")
            message["Content-Language"] = notice.language  # a content set later would remove it
            message.as_bytes()
        except (ValueError, MessageError, IndexError) as error:
            return Refused(cause=Cause.CONTENT, reason=f"no mail can be made of it: {error}")
        return message


class _Delivery:
    """One mail on its way: how far it came says what silence means."""

    def __init__(self, client: SMTP, sender: str, recipient: str) -> None:
        self._client, self._sender, self._recipient = client, sender, recipient
        self._content_left = False

    async def run(self, message: EmailMessage) -> Sent:
        """Raises what aiosmtplib raises."""
        client = self._client
        await client.connect()
        content = message.as_bytes()
        wide = not self._recipient.isascii()
        options = ["SMTPUTF8", "BODY=8BITMIME"] if wide else []
        if wide and not client.supports_extension("smtputf8"):
            raise SMTPNotSupported("SMTPUTF8")
        encoding = "utf-8" if wide else "ascii"
        await client.mail(self._sender, options=options, encoding=encoding)
        await client.rcpt(self._recipient, encoding=encoding)
        self._content_left = True
        await client.data(content)
        with suppress(SMTPException, OSError, TimeoutError):
            async with asyncio.timeout(GOODBYE_S):
                await client.quit()
        return Sent(reference=str(message["Message-ID"]), stage=Stage.SENT)

    def ended(self, reason: str) -> Refused | Unclear:
        """It ended without a word of the server."""
        if self._content_left:
            return Unclear(reason)
        return Refused(cause=Cause.UNREACHED, reason=reason)

    def unsupported(self, error: SMTPNotSupported) -> Refused:
        """What the server does not offer: an address in other letters, or TLS and a login."""
        wide = not self._recipient.isascii() and str(error) == "SMTPUTF8"
        cause = Cause.RECIPIENT if wide else Cause.ACCOUNT
        return Refused(cause=cause, reason=f"the server does not offer {error}")


def _refusal(error: SMTPResponseException) -> Refused:
    """The server answered: 4xx is for now, 5xx for ever, and then it is somebody's fault."""
    reason = f"{error.code} {error.message}"[:200]
    code = str(error.code)
    if 400 <= error.code < 500:
        return Refused(cause=Cause.BUSY, reason=reason, code=code)
    match error:
        case SMTPRecipientRefused():
            cause = Cause.RECIPIENT
        case SMTPDataError():
            cause = Cause.CONTENT
        case _:
            cause = Cause.ACCOUNT
    return Refused(cause=cause, reason=reason, code=code)
