"""Webhooks and facts in: kept before believed, answered only after the commit.

The signature proves the content, so a genuine event is worked in the call that keeps it. The same
facts found by polling take the same path.
"""

from collections.abc import Iterable, Mapping

import asyncpg
import msgspec
import structlog

from coinslot.gateways.base import Fact, Forged, Genuine, QrFact, Unreadable
from coinslot.merchants.accounts import Account
from coinslot.sales import store
from coinslot.sales.shop import Shop
from coinslot.sales.views import WebhookAnswer

log = structlog.get_logger(__name__)

# Kept with every webhook beside those that the driver names; nothing that authenticates us.
_KEPT_HEADERS = ("content-type", "user-agent")


async def take_webhook(
    shop: Shop, account: Account, headers: Mapping[str, str], body: bytes
) -> WebhookAnswer:
    """Keep one webhook and work it. The answer is true once this returns: it is committed."""
    verdict = account.driver.read_webhook(headers, body)
    kept = (*_KEPT_HEADERS, *account.driver.kept_headers)
    said: dict[str, object] = {
        "account": account.id,
        "merchant": account.merchant_id,
        "headers": {name: headers[name] for name in kept if name in headers},
        "facts": [],
        "windows": shop.windows.for_sql(),
    }
    match verdict:
        case Genuine(delivery_id=delivery_id, event=event, facts=facts):
            said |= {"verdict": "genuine", "delivery_id": delivery_id, "event": event}
            said["facts"] = as_json(shop, facts)
            answer = WebhookAnswer(status=200, code="taken", message="taken")
        case Forged(reason=reason):
            said |= {"verdict": "forged", "reason": reason}
            answer = WebhookAnswer(status=401, code="bad_signature", message=reason)
        case Unreadable(reason=reason):
            said |= {"verdict": "unreadable", "reason": reason}
            answer = WebhookAnswer(status=400, code="unreadable", message=reason)
    outcome = await shop.db.call(store.TAKE_WEBHOOK, said, body, shop.now())
    if outcome == "failed":
        log.error("webhook_work_failed", account=account.slug)
    shop.wakes.ring(*_WAKES.get(outcome, ()))
    return answer


_WAKES: Mapping[str, tuple[str, ...]] = {
    "paid": ("fulfillments",),
    "returned": ("refunds",),
    "refunded_outside": ("refunds",),
    "refund": ("refunds",),
    "parked": (),
    "failed": (),
}


def as_json(shop: Shop, facts: Iterable[Fact]) -> list[object]:
    """Facts as the database reads them. Another installation's mark is no mark of ours."""
    return [msgspec.to_builtins(_unmark(shop, fact)) for fact in facts]


def _unmark(shop: Shop, fact: Fact) -> Fact:
    if fact.mark is not None and fact.mark.installation != shop.installation:
        return msgspec.structs.replace(fact, mark=None)
    return fact


async def work_facts(shop: Shop, account: Account, facts: Iterable[Fact]) -> list[str]:
    """Facts found by looking, each in a transaction of its own; what became of each."""
    outcomes = []
    for fact in facts:
        if isinstance(fact, QrFact):
            continue
        async with shop.db.as_merchant(account.merchant_id) as conn:
            outcome: str = await conn.fetchval(
                store.WORK_FACT, account.id, msgspec.to_builtins(_unmark(shop, fact)),
                shop.windows.for_sql(), shop.now(),
            )  # fmt: skip
        shop.wakes.ring(*_WAKES.get(outcome, ()))
        outcomes.append(outcome)
    return outcomes


async def work_again(shop: Shop, row: asyncpg.Record) -> None:
    """A webhook that was kept and not worked: it is worked now, or put off once more."""
    async with shop.db.as_merchant(row["merchant_id"]) as conn:
        outcome = await conn.fetchval(
            store.WORK_INBOX, row["id"], shop.windows.for_sql(), shop.now()
        )
    shop.wakes.ring(*_WAKES.get(outcome, ()))
