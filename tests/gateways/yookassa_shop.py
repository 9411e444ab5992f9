"""A shop of its own at the emulated YooKassa, with its payer, its troubles and its books."""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from coinslot.gateways import yookassa
from coinslot.gateways.base import PEER, Verdict
from coinslot.kit.secrets import Secret
from tests.gateways.mailbox import Delivery, Mailbox
from tests.gateways.sandbox_account import TIMEOUT_S, SandboxCollector

HOME = ("127.0.0.0/8",)  # where the emulator's notifications come from
ELSEWHERE = "203.0.113.7"


class YooKassaShop(SandboxCollector[yookassa.Settings, Any]):
    """A `Collector`."""

    gateway = "yookassa"
    currency = "RUB"
    stops = False

    def __init__(self, sandbox_url: str, mailbox: Mailbox) -> None:
        name = uuid4().hex[:10]
        settings = yookassa.Settings(
            shop_id=f"shop{name}",
            secret_key=Secret(f"test_key-{name}"),
            networks=HOME,
            base_url=f"{sandbox_url}/yookassa/v3",
        )
        self.secrets: tuple[str, ...] = (settings.secret_key.reveal(),)
        super().__init__(sandbox_url, mailbox, settings)

    @property
    def name(self) -> str:
        return self.settings.shop_id

    def opened(self, settings: yookassa.Settings, timeout_s: float = TIMEOUT_S) -> Any:
        return yookassa.open(settings, self.wire(settings, timeout_s))

    def credentials(self) -> dict[str, object]:
        return {"secret_key": self.settings.secret_key.reveal()}

    async def pay(self, reference: str) -> str:
        return str((await self.ask("pay", {"reference": reference}))["reference"])

    async def told(self, reference: str) -> list[Delivery]:
        """All deliveries up to the first one of this payment."""
        return await self.deliveries(lambda one: reference.encode() in one.body)

    def forgeries(self, delivery: Delivery) -> Mapping[str, Verdict]:
        headers, body = delivery
        other = self.settings.shop_id[::-1].encode()
        without = {name: value for name, value in headers.items() if name != PEER}
        return {
            "from elsewhere": self.till.read_webhook(headers | {PEER: ELSEWHERE}, body),
            "from nowhere": self.till.read_webhook(without, body),
            "of another shop": self.till.read_webhook(
                headers, body.replace(self.settings.shop_id.encode(), other)
            ),
        }
