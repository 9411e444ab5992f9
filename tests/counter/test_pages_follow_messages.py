"""An open page of an order learns what became of its messages, also where nothing else moves."""

from coinslot.counter import messages
from coinslot.notices.base import Report, Stage
from coinslot.orders import store
from tests.counter.stage import Counter
from tests.counter.telling import reach, row_of, service, swept


async def version(counter: Counter, token: str) -> int:
    """As whoever follows open pages reads it."""
    async with counter.stage.context.db.system_connection() as conn:
        [row] = await conn.fetch(store.ORDER_VERSIONS, [token])
    return int(row["version"])


async def test_a_page_is_newer_for_each_change_of_a_message_and_for_nothing_else(
    counter: Counter,
) -> None:
    service(counter)
    order = await counter.paid(contact=reach())
    token = (await counter.view(order)).token
    written = await version(counter, token)
    await swept(counter)
    sent = await version(counter, token)
    assert sent > written
    row = await row_of(counter, order, "sms", "code")
    said = Report(reference=row["reference"], stage=Stage.DELIVERED)
    await messages.reported(counter.stage.context, row, said)  # type: ignore[arg-type]
    arrived = await version(counter, token)
    assert arrived > sent
    assert (await counter.view(order)).version == arrived, "the page and its stream agree"
    await messages.reported(counter.stage.context, row, said)  # type: ignore[arg-type]
    assert await version(counter, token) == arrived, "the same again is no news"


async def test_a_message_of_one_order_moves_no_other_page(counter: Counter) -> None:
    service(counter)
    other = (await counter.view(await counter.paid())).token
    before = await version(counter, other)
    await counter.paid(contact=reach())
    await swept(counter)
    assert await version(counter, other) == before
