"""Calls to one terminal of T-Bank, each signed by its token."""

from collections.abc import Callable, Mapping
from typing import TypeVar

from coinslot.gateways.asking import ask
from coinslot.gateways.base import Declined, Unclear
from coinslot.gateways.tbank import build, parse
from coinslot.gateways.wire import Call, Wire
from coinslot.kit.secrets import Secret

T = TypeVar("T")


class Client:
    """One terminal, reached by its wire."""

    def __init__(self, terminal_key: str, password: Secret, wire: Wire) -> None:
        self._terminal_key = terminal_key
        self._password = password
        self.wire = wire

    async def send(
        self, method: str, body: Mapping[str, object], read_body: Callable[[object], T]
    ) -> T | Declined | Unclear:
        signed = {**body, "TerminalKey": self._terminal_key}
        token = build.token(signed, self._password.reveal())
        call = Call(method="POST", path=f"/{method}", body=signed | {"Token": token})
        # T-Bank says its no with 200: any other status is somebody else's word.
        return await ask(
            self.wire, call, parse.judged(read_body), lambda r: Unclear(f"HTTP {r.status}")
        )
