"""What the pages and the gateway webhooks ask. The real backend is wired in app; tests bring their
own."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from coinslot.orders.page_views import Health, OrderView, OutletView
from coinslot.payments.gateway_webhooks import WebhookAnswer


class Basket(Struct, frozen=True, kw_only=True):
    """What was tapped, by whom. The key was made with the page: the same key places one order."""

    outlet: str
    slot: str
    key: str
    browser: str
    network: str


class Backend(Protocol):
    """The verbs behind the pages. A verb that changes something may be called again at any time."""

    async def outlet(self, code: str) -> OutletView | None: ...

    async def order(self, token: str) -> OrderView | None: ...

    async def version(self, token: str) -> int | None:
        """The order's version, which grows with any change; None for no order. It is cheap."""
        ...

    async def changed(self, token: str, seen: int, patience_s: float) -> OrderView | None:
        """The order as soon as its version is not `seen`; None when patience ends before."""
        ...

    async def find(
        self, outlet: str, minor: int, minutes: Sequence[datetime]
    ) -> Sequence[OrderView]:
        """Orders of this outlet and amount, paid in one of these minutes or next to it."""
        ...

    async def find_by_reference(self, outlet: str, reference: str) -> str | None:
        """The token of the order that was paid under this reference of the payer's bank."""
        ...

    async def place(self, basket: Basket) -> str:
        """The token of the order. Raises NotNowError when the outlet cannot sell it now."""
        ...

    async def pay(self, token: str, way: str, key: str | None) -> bool:
        """The customer is about to pay in this way: an attempt begins, once for each key, and one
        before it ends. Whether this call began it. Raises NotNowError."""
        ...

    async def own_orders(self, outlet: str, browser: str) -> Sequence[OrderView]:
        """The newest orders that this browser placed at this outlet."""
        ...

    async def ask_gateway(self, token: str) -> None:
        """Look whether the order was paid. Asks the gateway at most every few seconds."""
        ...

    async def ask_machine(self, token: str) -> None:
        """Someone says that nothing came out: ask the machine at once."""
        ...

    async def has_come(self, token: str) -> None:
        """The customer says that all of it came out."""
        ...

    async def take_webhook(
        self, gateway: str, account: str | None, headers: Mapping[str, str], body: bytes
    ) -> WebhookAnswer:
        """Store it, then work it. Header names are lower case."""
        ...

    async def health(self) -> Health: ...
