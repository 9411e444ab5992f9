"""Asha's shop and what is told of it: the log is read and webhooks are sent when a test says so."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest

from coinslot.events.announce import Announcer
from coinslot.events.webhooks.deliver import WebhookSender
from coinslot.events.webhooks.endpoints import EndpointRequest, Endpoints
from coinslot.events.webhooks.signing import HookRules
from coinslot.kit.ids import token
from coinslot.payments.idempotency import IdempotentCall
from tests.feeds.receiver import Receiver, receiving
from tests.sales.by_hand import Rows
from tests.sales.conftest import stage as stage  # the books are closed after each test
from tests.sales.stage import Stage
from tests.sales.taking import Taking, confirmed, made, taking

RULES = HookRules(private_addresses=True, jitter=0, timeout_s=5)


@pytest.fixture
def gateway(stage: Stage) -> Taking:
    return taking(stage)


@pytest.fixture
async def rows(rows: Rows) -> Rows:
    """Without a reader of the log."""
    await rows.conn.execute("DELETE FROM feed_cursors")
    return rows


@pytest.fixture
def announcer(stage: Stage) -> Announcer:
    return Announcer(stage.context)


async def announce(announcer: Announcer) -> None:
    """Read the log to its end."""
    while (batch := await announcer.cursor.next_batch()) is not None:
        await announcer.announce(batch)


@dataclass
class Post:
    """Endpoints and a sender, on Asha's stage."""

    stage: Stage
    announcer: Announcer
    endpoints: Endpoints
    sender: WebhookSender

    def key(self) -> IdempotentCall:
        """A new key, as each call has one."""
        return IdempotentCall(
            merchant=self.stage.merchant, endpoint="test", key=token(), request_hash=b"hash"
        )

    async def endpoint(self, url: str, *types: str) -> tuple[UUID, str]:
        """Its id and secret."""
        answer = await self.endpoints.create(self.key(), EndpointRequest(url=url, types=types))
        return UUID(answer.body["id"]), answer.body["secret"]

    async def go(self) -> int:
        """Announce what happened and deliver what is due; how many tries it was."""
        await announce(self.announcer)
        return await self.sender.deliver_due()

    async def paid(self, minor: int = 5000) -> UUID:
        """A payment, confirmed: two events."""
        key = token()
        payment = await made(self.stage, minor, key)
        await confirmed(self.stage, payment, key)
        return payment

    async def deliveries(self) -> list[dict[str, Any]]:
        return await self.stage.rows(
            "SELECT d.*, p.type, p.id AS event FROM deliveries d JOIN public_events p USING (seq)"
            " ORDER BY d.seq"
        )

    async def status(self, endpoint: UUID) -> str:
        return (await self.endpoints.one(self.stage.merchant, endpoint)).status


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as made:
        yield made


@pytest.fixture
def post(stage: Stage, gateway: Taking, announcer: Announcer) -> Post:
    return Post(
        stage, announcer, Endpoints(stage.context, RULES), WebhookSender(stage.context, RULES)
    )
