"""An account of its own at the emulated Razorpay that collects by links, with its payer."""

from collections.abc import Mapping
from uuid import uuid4

from msgspec.structs import replace

from coinslot.gateways import razorpay
from coinslot.gateways.base import Verdict
from coinslot.kit.secrets import Secret
from tests.gateways.mailbox import Delivery, Mailbox
from tests.gateways.sandbox_account import SandboxCollector

CURRENT, STRANGE = "razorpay-webhook-secret-now", "razorpay-webhook-secret-of-chandra"


OF_A_PAYMENT = ("payment.captured", "order.paid", "payment_link.paid")


def _tells(found: list[Delivery], event: str) -> bool:
    return any(f'"event":"{event}"'.encode() in one.body for one in found)


class RazorpayShop(SandboxCollector[razorpay.Settings, razorpay.Razorpay]):
    """A `Collector`."""

    gateway = "razorpay"
    currency = "INR"

    def __init__(self, sandbox_url: str, mailbox: Mailbox) -> None:
        name = uuid4().hex
        self._paid: list[str] = []
        settings = razorpay.Settings(
            key_id=f"rzp_test_{name[:14]}",
            key_secret=Secret(f"secret-{name}"),
            webhook_secrets=(Secret(CURRENT),),
            account_id=f"acc_{name[:14]}",
            base_url=f"{sandbox_url}/razorpay",
        )
        self.secrets: tuple[str, ...] = (settings.key_secret.reveal(), CURRENT)
        super().__init__(sandbox_url, mailbox, settings)

    @property
    def name(self) -> str:
        return str(self.settings.account_id)

    def opened(self, settings: razorpay.Settings) -> razorpay.Razorpay:
        return razorpay.Razorpay(settings, self.wire(settings))

    def credentials(self) -> dict[str, object]:
        return {
            "key_id": self.settings.key_id,
            "key_secret": self.settings.key_secret.reveal(),
            "webhook_secret": CURRENT,
        }

    async def pay(self, reference: str, **more: object) -> str:
        said = await self.ask("scan", {"payment_link_id": reference} | more)
        self._paid.append(str(said["reference"]))
        return self._paid[-1]

    async def told(self, reference: str) -> list[Delivery]:
        """They come in any order; the link's own is put last."""
        found: list[Delivery] = []
        while any(not _tells(found, event) for event in OF_A_PAYMENT):
            found.append(await self._mailbox.next_for(self.name))
        found.sort(key=lambda one: bool(_tells([one], OF_A_PAYMENT[-1])))
        assert reference.encode() in found[-1].body
        return found

    def forgeries(self, delivery: Delivery) -> Mapping[str, Verdict]:
        headers, body = delivery
        strange = replace(self.settings, webhook_secrets=(Secret(STRANGE),))
        return {
            "altered amount": self.till.read_webhook(headers, body.replace(b"4000", b"9000")),
            "no headers": self.till.read_webhook({}, body),
            "another's secret": self.opened(strange).read_webhook(headers, body),
        }

    async def books(self) -> list[dict[str, object]]:
        return [row for row in await self.payments() if row["reference"] in self._paid]
