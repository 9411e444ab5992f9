"""Open pages of the console: told when something of their merchant changed, and when the session is
over; and they cost next to nothing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from datetime import timedelta
from time import monotonic
from typing import Any
from uuid import UUID

import msgspec
from litestar import Litestar

from coinslot.app.routes import build
from coinslot.console.live import OVER, Turns, in_turn
from coinslot.oversight.changes import Changes
from coinslot.pages.stream_places import StreamPlaces
from tests.console.conftest import Browser, a_browser, signed_in
from tests.people.conftest import HERE, Staffed
from tests.web.fake_backend import FakeBackend
from tests.web.serving import SITE

PATIENCE_S = 20


class Stream:
    """One open stream of the application, read as it comes; httpx's transport for tests would wait
    for its end."""

    def __init__(
        self, staffed: Staffed, browser: Browser, query: str = "", network: str = HERE,
        path: str = "/console/live",
    ) -> None:  # fmt: skip
        cookies = "; ".join(f"{name}={value}" for name, value in browser.client.cookies.items())
        self._scope: dict[str, Any] = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET",
            "scheme": "http", "path": path, "raw_path": path.encode(),
            "query_string": query.encode(), "root_path": "", "server": ("coinslot.test", 80),
            "headers": [(b"host", b"coinslot.test"), (b"cookie", cookies.encode())],
            "client": (network, 1), "state": {}, "app": staffed.app,
        }  # fmt: skip
        self._app: Any = staffed.app
        self._came: asyncio.Queue[bytes] = asyncio.Queue()
        self._gone = asyncio.Event()
        self.status = 0
        self.ended = asyncio.Event()

    async def _receive(self) -> dict[str, Any]:
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        else:
            self._came.put_nowait(message.get("body", b""))
            if not message.get("more_body", False):
                self.ended.set()

    async def until(self, wanted: str) -> str:
        """What came, up to this."""
        text = ""
        async with asyncio.timeout(PATIENCE_S):
            while wanted not in text:
                text += (await self._came.get()).decode()
        return text

    def quiet(self) -> bool:
        return self._came.empty()

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Stream"]:
        task = asyncio.create_task(self._app(self._scope, self._receive, self._send))
        try:
            yield self
        finally:
            self._gone.set()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def version(text: str) -> str:
    return text.partition("id: ")[2].partition("\n")[0]


async def changed(staffed: Staffed, merchant: UUID | None = None) -> None:
    """Something of the merchant's happens."""
    db = staffed.stage.context.db
    async with db.as_merchant(merchant or staffed.merchant) as conn:
        await conn.execute(
            "SELECT tell($1, 'order', $2, 'PAID', '{}', now())",
            merchant or staffed.merchant, staffed.people["asha"],
        )  # fmt: skip


async def test_a_page_is_told_once_of_each_change(staffed: Staffed) -> None:
    boris = await signed_in(staffed, "boris")
    async with Stream(staffed, boris).open() as stream:
        first = version(await stream.until("data: "))  # no version: it looks once
        await changed(staffed)
        second = version(await stream.until("data: "))
        assert second != first


async def test_a_page_that_knows_the_newest_version_is_left_alone(staffed: Staffed) -> None:
    boris = await signed_in(staffed, "boris")
    async with Stream(staffed, boris).open() as stream:
        newest = version(await stream.until("data: "))
        page = await boris.look("/console/today")
        assert f'data-version="{newest}"' in page.text
        async with Stream(staffed, boris, f"seen={newest}").open() as other:
            assert "data" not in await other.until(": here")
            await changed(staffed)
            await stream.until("data: ")
            await other.until("data: ")
            assert other.quiet()


async def test_what_happens_at_chandras_is_not_told_to_asha(staffed: Staffed) -> None:
    asha, chandra = await signed_in(staffed, "asha"), await signed_in(staffed, "chandra")
    async with Stream(staffed, asha).open() as hers, Stream(staffed, chandra).open() as other:
        await hers.until("data: ")
        await other.until("data: ")
        await changed(staffed, staffed.chandra)
        await other.until("data: ")
        assert hers.quiet()


async def test_a_session_that_ends_is_told_and_its_stream_is_over(staffed: Staffed) -> None:
    staffed.app = limited(staffed, live_sessions_every=timedelta(seconds=0.1))
    boris = await signed_in(staffed, "boris")
    async with Stream(staffed, boris).open() as stream:
        await stream.until("data: ")
        await boris.press(await boris.look("/console/account"), "/console/sign-out-everywhere")
        await stream.until("event: over")
        async with asyncio.timeout(PATIENCE_S):
            await stream.ended.wait()


async def test_who_is_not_signed_in_is_told_that_it_is_over_and_not_led_elsewhere(
    staffed: Staffed,
) -> None:
    answer = await a_browser(staffed).client.get("/console/live")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert "event: over" in answer.text


async def test_an_entry_that_commits_late_is_told_all_the_same(staffed: Staffed) -> None:
    db, merchant = staffed.stage.context.db, staffed.merchant
    changes = Changes(staffed.stage.context, round_s=0.02)
    first = await changes.changed(merchant, "", PATIENCE_S)
    async with db.as_merchant(merchant) as late:
        await late.execute("SELECT tell($1, 'order', $2, 'PAID', '{}', now())", merchant, merchant)
        await changed(staffed)  # has a later `seq`, and is committed before
        second = await changes.changed(merchant, first, PATIENCE_S)
        assert second != first
    assert await changes.changed(merchant, second, PATIENCE_S) != second


async def test_where_the_next_rounds_begin_nothing_is_missed_and_nothing_is_told_twice(
    staffed: Staffed,
) -> None:
    changes = Changes(staffed.stage.context, round_s=0.01, late_s=0.02)
    seen = await changes.changed(staffed.merchant, "", PATIENCE_S)
    for _ in range(5):
        await changed(staffed)
        newer = await changes.changed(staffed.merchant, seen, PATIENCE_S)
        assert newer != seen
        assert await changes.changed(staffed.merchant, newer, 0.2) == newer
        seen = newer


async def test_a_webhook_that_is_heard_is_a_change(staffed: Staffed) -> None:
    changes = Changes(staffed.stage.context, round_s=0.02)
    seen = await changes.changed(staffed.merchant, "", PATIENCE_S)
    await staffed.stage.webhook(event="payment.unknown")
    assert await changes.changed(staffed.merchant, seen, PATIENCE_S) != seen


async def test_while_nobody_looks_nothing_is_read(staffed: Staffed) -> None:
    before = asyncio.all_tasks()
    changes = Changes(staffed.stage.context)
    assert changes.version(staffed.merchant) == ""
    assert asyncio.all_tasks() == before


async def test_many_pages_take_turns() -> None:
    turns, began = Turns(per_s=100, at_once=10), monotonic()
    waited = await asyncio.gather(*(turn(turns) for _ in range(60)))
    assert waited == sorted(waited)  # in their order
    assert waited[-1] - began >= 0.45  # ten at once, the others one after the other


async def turn(turns: Turns) -> float:
    await turns.wait()
    return monotonic()


async def test_pages_that_are_opened_and_closed_keep_no_other_waiting() -> None:
    turns = Turns(per_s=4, at_once=1)
    for _ in range(20):
        gone = [asyncio.create_task(turns.wait()) for _ in range(50)]
        await asyncio.sleep(0)
        for one in gone:
            one.cancel()
        await asyncio.gather(*gone, return_exceptions=True)
    async with asyncio.timeout(3):
        await turns.wait()


async def test_a_session_that_ends_while_its_page_waits_for_its_turn_is_told() -> None:
    turns, looks = Turns(per_s=0.01, at_once=1), iter([False, False, True])
    await turns.wait()  # the next turn is in 100 seconds
    async with asyncio.timeout(5):
        told = [said async for said in in_turn(turns, lambda: next(looks), 0.01)]
    assert told == [": soon\n\n", ": soon\n\n", OVER]


def test_of_streams_that_found_a_place_at_one_instant_no_more_stay_than_there_are() -> None:
    places = StreamPlaces(3, {"network": 2})
    for _ in range(2):
        with ExitStack() as stack:
            assert not places.is_full(network="a")
            stays = [stack.enter_context(places.taken(network="a")) for _ in range(3)]
            assert stays == [True, True, False]
            assert places.is_full(network="a")
            assert places.is_full(network="b")  # three are open in all
        assert not places.is_full(network="b")  # each gave its place back


async def test_one_person_does_not_take_every_place_from_many_networks(staffed: Staffed) -> None:
    staffed.app = limited(staffed, live_streams_per_person=2)
    boris, asha = await signed_in(staffed, "boris"), await signed_in(staffed, "asha")
    async with AsyncExitStack() as stack:
        for number in range(3):
            stream = Stream(staffed, boris, network=f"198.51.100.{number}")
            await stack.enter_async_context(stream.open())
            if number < 2:
                await stream.until(": here")
            else:
                async with asyncio.timeout(PATIENCE_S):
                    await stream.ended.wait()
                assert stream.status == 503
        other = await stack.enter_async_context(Stream(staffed, asha).open())
        await other.until(": here")


def limited(staffed: Staffed, **limits: object) -> Litestar:
    site = msgspec.structs.replace(SITE, **limits)
    return build(FakeBackend(), site, staffed.stage.clock, staffed.stage.context)
