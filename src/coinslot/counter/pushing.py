"""A customer's browser that shows notices of one order. A stranger named where it is reached: it is
called by the HTTP that checks every address."""

from typing import Final

from coinslot.context import Context
from coinslot.counter import message_store, store
from coinslot.counter.contacts import CONSENT
from coinslot.counter.staff import CounterError, Why
from coinslot.events.notices import browsers

WORKER: Final = "order_worker.js"


async def subscribe(
    context: Context, order_token: str, text: str, language: str, network: str
) -> None:
    """This browser, and no other, shows what is told of this order. Raises CounterError for no such
    order, and BadSubscriptionError."""
    wanted = browsers.read(context, text)
    async with context.db.system_transaction() as conn:
        known = await conn.fetchrow(store.ORDER_OF_TOKEN, order_token)
    if known is None:
        raise CounterError(Why.UNKNOWN)
    order, merchant = known["order_id"], known["merchant_id"]
    to = f"{wanted.endpoint} {wanted.keys.p256dh} {wanted.keys.auth}"
    digest = context.vault.digest(wanted.endpoint, "customer browser")
    async with context.db.as_merchant(merchant) as conn:
        await conn.execute(message_store.KEEP_PUSH, order, merchant, to, network, language)
        await conn.execute(
            message_store.CONSENT, merchant, order, "push", digest, CONSENT, language, network,
            context.now(),
        )  # fmt: skip
