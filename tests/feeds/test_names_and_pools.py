"""What merchants' programs rely on in the feed by its very name; how long a page waits; and which
connections to their servers stay open."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from coinslot.events import feed, public
from coinslot.events.webhooks.safe_http import SafeHttp

POOLS = 200


def test_the_types_of_events_keep_their_names() -> None:
    assert sorted(public.TYPES) == [
        "dispute.lost", "dispute.opened", "dispute.won", "fulfillment.failed",
        "fulfillment.handed_over", "fulfillment.vended", "order.completed", "order.expired",
        "order.failed", "order.paid", "payment.authorized", "payment.canceled", "payment.failed",
        "payment.processing", "payment.requires_action", "payment.succeeded", "refund.failed",
        "refund.owed", "refund.pending", "refund.succeeded", "webhook.disabled", "webhook.test",
    ]  # fmt: skip


def test_each_entry_that_is_no_move_reports_its_state() -> None:
    assert {f"{machine} {event}": state for (machine, event), state in public.TOLD.items()} == {
        "refund INTENDED": "pending", "refund MADE_OUTSIDE": "succeeded",
        "dispute OPENED": "opened", "dispute WON": "won", "dispute LOST": "lost",
        "webhook TEST": "test", "webhook DISABLED": "disabled",
    }  # fmt: skip
    assert dict(public.SETTLED) == {"fulfilled": "handed_over", "refund_due": "failed"}


class Nothing:
    """A database in which no event ever comes."""

    @asynccontextmanager
    async def as_merchant(self, _merchant: UUID) -> AsyncIterator["Nothing"]:
        yield self

    async def fetch(self, *_: object) -> list[Any]:
        return []

    @property
    def db(self) -> "Nothing":
        return self


async def test_a_page_waits_no_longer_than_it_was_asked_to() -> None:
    loop, context = asyncio.get_running_loop(), Nothing()
    took = []
    for _ in range(3):  # a busy computer is slow at times
        began = loop.time()
        asked: Any = context
        page = await feed.page(asked, UUID(int=1), feed.Asked(wait_s=0.02))
        took.append(loop.time() - began)
        assert (page.data, page.next) == ([], None)
    assert 0.02 <= min(took) < 0.2


async def test_of_many_endpoints_those_called_longest_ago_are_hung_up() -> None:
    open_now: set[bytes] = set()
    hung_up = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        path = b""
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                path = head.split()[1]
                open_now.add(path)
                await reader.readexactly(2)
                writer.write(b"HTTP/1.1 204 No\r\n\r\n")
        except asyncio.IncompleteReadError:
            open_now.discard(path)
            hung_up.set()
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    reach = SafeHttp(timeout_s=5, private=True)
    for number in range(POOLS):
        assert (await reach.post(f"{url}/{number}", {"webhook-id": "1"}, b"{}")).status == 204
    assert len(open_now) == POOLS
    await reach.post(f"{url}/0", {"webhook-id": "1"}, b"{}")
    assert not hung_up.is_set()
    await reach.post(f"{url}/one-more", {"webhook-id": "1"}, b"{}")
    await asyncio.wait_for(hung_up.wait(), 10)
    assert open_now == {b"/one-more", *(b"/%d" % n for n in range(POOLS) if n != 1)}
    await reach.close()
    server.close()
