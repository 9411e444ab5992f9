"""The ways to inform people that this installation has."""

from collections.abc import Mapping
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec

from coinslot.events.webhooks.safe_http import SafeHttp
from coinslot.kit.clock import Clock
from coinslot.notices import console, smtp, twilio
from coinslot.notices.base import Form, Notifier
from coinslot.notices.webpush import WebPush
from coinslot.settings import Settings, mail_server, twilio_account

_PUSH_TIMEOUT_S: Final = 10.0


def notifiers(
    settings: Settings, clock: Clock, push_key: ec.EllipticCurvePrivateKey | None = None
) -> Mapping[Form, Notifier]:
    """By form: mail where a server is named, push where there is a key, phones where the settings
    say how."""
    found: dict[Form, Notifier] = {}
    server = mail_server(settings)
    if server is not None:
        found[Form.EMAIL] = smtp.open(server, clock)
    if push_key is not None:
        reach = SafeHttp(timeout_s=_PUSH_TIMEOUT_S, private=settings.webhook_private_addresses)
        contact = f"mailto:{server.sender}" if server is not None else settings.base_url
        found[Form.PUSH] = WebPush(push_key, contact, reach, clock)
    account = twilio_account(settings)
    phones = None if account is None else twilio.open(account, clock)
    if settings.messages == "console":
        phones = console.open(console.Settings(), clock)
    if phones is not None:
        found[Form.SMS] = found[Form.CALL] = phones
    return found
