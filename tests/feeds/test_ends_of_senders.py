"""How senders of webhooks and the threads that look names up end; and bodies that name something
unknown, which is refused rather than left out."""

import asyncio
import socket
import threading
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from coinslot.api.webhook_endpoints import EndpointChange, NewEndpoint, NewReplay
from coinslot.events.webhooks.deliver import WebhookSender
from coinslot.events.webhooks.dns import Resolver
from coinslot.events.webhooks.safe_http import TryOutcome
from coinslot.events.webhooks.signing import HookRules
from tests.feeds.test_webhooks_beside import A, B, Office
from tests.feeds.test_webhooks_beside import office as office

PATIENCE_S = 20
WELL = TryOutcome(status=204, failure=None, response="", took_ms=7)
NOW = "2026-11-21T12:00:00Z"


async def test_what_waits_for_a_thread_is_given_up_when_no_more_is_looked_up() -> None:
    """64 name servers that are silent take every thread; what is asked for behind them is never
    begun, and the end waits for none of them."""
    freed, begun, asked = threading.Event(), threading.Semaphore(0), []

    def ask(host: str, port: int) -> list[str]:
        asked.append((host, port))
        begun.release()
        assert freed.wait(PATIENCE_S)
        raise socket.gaierror(socket.EAI_AGAIN, "no answer")

    names = Resolver(ask)
    try:
        silent = [asyncio.create_task(names.resolve(f"h{n}", 443)) for n in range(64)]
        last = asyncio.create_task(names.resolve("last", 443))
        await asyncio.sleep(0)
        async with asyncio.timeout(PATIENCE_S):
            for _ in silent:
                await asyncio.to_thread(begun.acquire)
            names.close()
            with pytest.raises(asyncio.CancelledError):
                await last
        assert not any(task.done() for task in silent)
    finally:
        freed.set()
    ends = await asyncio.gather(*silent, return_exceptions=True)
    assert {type(end) for end in ends} == {socket.gaierror}
    assert sorted(asked) == sorted((f"h{n}", 443) for n in range(64))
    with pytest.raises(RuntimeError):
        await names.resolve("later", 443)


class Slow:
    """Answers one endpoint once it is told to, and the others never."""

    def __init__(self) -> None:
        self.begun = asyncio.Semaphore(0)
        self.may_end = asyncio.Event()
        self.ends_by_itself = "https://e.example/10"
        self.closed = 0

    async def post(self, url: str, headers: dict[str, str], body: bytes) -> TryOutcome:
        self.begun.release()
        await self.may_end.wait()
        if url != self.ends_by_itself:
            await asyncio.Event().wait()
        return WELL

    async def close(self) -> None:
        self.closed += 1


async def test_a_sender_that_stops_lets_go_of_what_does_not_end_in_a_moment(
    office: Office,
) -> None:
    """What ends in that moment is written; another process sends the rest at once, as if it had
    never been begun."""
    await office.event(1)
    ours, never = await office.owe(1), await office.owe(1, B)
    rules = HookRules(jitter=0, grace_s=1.5, poll_s=0.01)
    slow: Any = Slow()
    sender = WebhookSender(office.stage.context, rules, slow)
    before = {row["id"]: dict(row) for row in await office.rows.conn.fetch(
        "SELECT * FROM deliveries")}  # fmt: skip
    running = asyncio.create_task(sender.run())
    async with asyncio.timeout(PATIENCE_S):
        await slow.begun.acquire()
        await slow.begun.acquire()
        left = "SELECT count(*) FROM deliveries WHERE leased_until > now()"
        assert await office.rows.conn.fetchval(left) == 2
        running.cancel()
        slow.may_end.set()
        with pytest.raises(asyncio.CancelledError):
            await running
    after = {row["id"]: dict(row) for row in await office.rows.conn.fetch(
        "SELECT * FROM deliveries")}  # fmt: skip
    assert after[never] == before[never]
    assert (after[ours]["outcome"], after[ours]["tried"]) == ("delivered", 1)
    assert slow.closed == 1
    other, answers = office.sender(WELL)
    assert await other.deliver_due() == 1
    assert [url for url, *_ in answers.posts] == ["https://e.example/11"]


async def test_a_sender_that_has_nothing_under_way_stops_at_once(office: Office) -> None:
    slow: Any = Slow()
    sender = WebhookSender(office.stage.context, HookRules(grace_s=600), slow)
    running = asyncio.create_task(sender.run())
    await asyncio.sleep(0)
    running.cancel()
    async with asyncio.timeout(PATIENCE_S):
        with pytest.raises(asyncio.CancelledError):
            await running
    assert slow.closed == 1


async def test_a_lease_is_the_time_that_a_try_may_take_and_a_little_more(office: Office) -> None:
    await office.event(1)
    await office.owe(1)
    sender, _ = office.sender(WELL, rules=HookRules(timeout_s=40, lease_slack_s=7))
    (row,) = await sender._claim(9)
    left = await office.rows.conn.fetchval("SELECT $1 - clock_timestamp()", row["leased_until"])
    assert timedelta(seconds=47 - PATIENCE_S) < left <= timedelta(seconds=47)
    assert await sender._claim(0) == []
    assert row["endpoint_id"] == A


URL = {"url": "https://shop.example/hooks"}


@pytest.mark.parametrize(
    ("kind", "least", "whole"),
    [
        (NewEndpoint, URL, {**URL, "description": "d", "types": ["order.paid"]}),
        (EndpointChange, {}, {**URL, "description": "d", "types": [], "status": "paused"}),
        (NewReplay, {"since": NOW, "until": NOW}, {"since": NOW, "until": NOW, "types": ["a"]}),
    ],
)  # fmt: skip
def test_a_body_that_names_something_unknown_is_refused(
    kind: Any, least: dict[str, Any], whole: dict[str, Any]
) -> None:
    """A misspelled `types` would send everything, and a misspelled `until` all that there is."""
    for body in (least, whole):
        msgspec.convert(body, kind)
        for name in ("type", "id", "secret"):
            with pytest.raises(msgspec.ValidationError):
                msgspec.convert({**body, name: "x"}, kind)
    for name in least:
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert({n: v for n, v in whole.items() if n != name}, kind)


@pytest.mark.parametrize(
    ("field", "well", "wrong"),
    [
        ("url", "x" * 2048, "x" * 2049), ("description", "x" * 255, "x" * 256),
        ("description", "", "a\0b"), ("types", ["x" * 64], ["x" * 65]),
        ("types", ["x"] * 50, ["x"] * 51), ("types", [], "x"),
    ],
)  # fmt: skip
def test_a_field_of_an_endpoint_is_so_long_at_most(field: str, well: Any, wrong: Any) -> None:
    for kind in (NewEndpoint, EndpointChange):
        msgspec.convert({**URL, field: well}, kind)
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert({**URL, field: wrong}, kind)
