"""Sales that were told to a merchant's server, and ways to break what is said of the telling."""

from uuid import UUID

from coinslot.events.announce import Announcer
from coinslot.events.webhooks.deliver import WebhookSender
from coinslot.events.webhooks.endpoints import EndpointRequest, Endpoints
from coinslot.events.webhooks.safe_http import SafeHttp, TryOutcome
from coinslot.events.webhooks.signing import HookRules
from tests.sales.stage import Stage
from tests.sales.taking import collected, once


class Deaf(SafeHttp):
    """Every address answers with one status, and nothing leaves."""

    def __init__(self, status: int) -> None:
        self._status = status

    async def post(self, url: str, headers: dict[str, str], body: bytes) -> TryOutcome:
        return TryOutcome(status=self._status, failure=None, response=None, took_ms=1)


async def told(stage: Stage, status: int = 204) -> UUID:
    """A payment, announced and delivered; the endpoint's id."""
    rules = HookRules()
    key = once(stage, "POST /webhook_endpoints", "e")
    wish = EndpointRequest(url="https://shop.example/hooks")
    made = await Endpoints(stage.context, rules).create(key, wish)
    await collected(stage)
    announcer = Announcer(stage.context)
    while (batch := await announcer.cursor.next_batch()) is not None:
        await announcer.announce(batch)
    await WebhookSender(stage.context, rules, Deaf(status)).deliver_due()
    return UUID(made.body["id"])


async def delivered(stage: Stage) -> None:
    await told(stage)


async def owing(stage: Stage) -> None:
    """Its server is down."""
    await told(stage, 500)
