"""An account of its own at the emulated Stripe, with its payer, its troubles and its books."""

from collections.abc import Mapping
from uuid import uuid4

from msgspec.structs import replace

from coinslot.gateways import stripe
from coinslot.gateways.base import Verdict
from coinslot.kit.clock import Clock, SystemClock
from coinslot.kit.secrets import Secret
from tests.gateways.mailbox import Delivery, Mailbox
from tests.gateways.sandbox_account import SandboxCollector

CURRENT, STRANGE = "whsec_webhookSecretOfNow", "whsec_webhookSecretOfChandra"


class StripeShop(SandboxCollector[stripe.Settings, stripe.Stripe]):
    """A `Collector`."""

    gateway = "stripe"
    currency = "USD"
    methods: tuple[str, str] | None = ("pm_card_visa", "pm_card_chargeDeclined")

    def __init__(self, sandbox_url: str, mailbox: Mailbox) -> None:
        name = uuid4().hex
        settings = stripe.Settings(
            secret_key=Secret(f"sk_test_{name}"),
            webhook_secrets=(Secret(CURRENT),),
            account_id=f"acct_{name[:16]}",
            base_url=f"{sandbox_url}/stripe",
        )
        self.secrets: tuple[str, ...] = (settings.secret_key.reveal(), CURRENT)
        super().__init__(sandbox_url, mailbox, settings)

    @property
    def name(self) -> str:
        return str(self.settings.account_id)

    def opened(self, settings: stripe.Settings, clock: Clock | None = None) -> stripe.Stripe:
        """The same account with other settings, or at another time."""
        return stripe.Stripe(settings, self.wire(settings), clock or SystemClock())

    def credentials(self) -> dict[str, object]:
        return {"secret_key": self.settings.secret_key.reveal(), "webhook_secret": CURRENT}

    async def pay(self, reference: str, outcome: str = "paid") -> str:
        said = await self.ask("pay", {"reference": reference, "outcome": outcome})
        return str(said["reference"])

    async def told(self, reference: str) -> list[Delivery]:
        deliveries = await self.told_until("checkout.session.completed")
        assert reference.encode() in deliveries[-1].body
        return deliveries

    async def told_until(self, event: str) -> list[Delivery]:
        """All deliveries up to the first one of this event."""
        return await self.deliveries(lambda one: f'"type":"{event}"'.encode() in one.body)

    def forgeries(self, delivery: Delivery) -> Mapping[str, Verdict]:
        headers, body = delivery

        def by(*secrets: str) -> Verdict:
            kept = tuple(Secret(text) for text in secrets)
            till = self.opened(replace(self.settings, webhook_secrets=kept))
            return till.read_webhook(headers, body)

        return {
            "altered amount": self.till.read_webhook(headers, body.replace(b"4000", b"9000")),
            "no headers": self.till.read_webhook({}, body),
            "another's secret": by(STRANGE),
            "no secret": by(),
            "an empty secret": by(""),
        }
