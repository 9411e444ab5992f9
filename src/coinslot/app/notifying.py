"""The ways to inform people that this installation has."""

from collections.abc import Mapping

from coinslot.kit.clock import Clock
from coinslot.notices import smtp
from coinslot.notices.base import Form, Notifier
from coinslot.settings import Settings, mail_server


def notifiers(settings: Settings, clock: Clock) -> Mapping[Form, Notifier]:
    """By form. Mail where a server is named."""
    server = mail_server(settings)
    return {} if server is None else {Form.EMAIL: smtp.open(server, clock)}
