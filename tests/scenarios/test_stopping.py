"""A process that starts and stops: it says that it is ready when machines can come, and it leaves
no task behind."""

import asyncio
import base64
import os
import signal
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import aiomqtt
import pytest

from coinslot.app.resources import broker_users
from coinslot.app.server import RunningServer
from coinslot.console.live import OpenSessions
from coinslot.context.background import BackgroundTasks
from coinslot.kit.ids import uuid7
from coinslot.orders.order_updates import OrderUpdates
from coinslot.outlets.machines import issue_device
from coinslot.oversight.changes import Changes
from coinslot.people.authentication import Authentication
from coinslot.settings import Settings
from tests.conftest import DatabaseUrls
from tests.ports import free_port
from tests.sales.conftest import stage as stage
from tests.sales.stage import Stage


@pytest.fixture
def settings(urls: DatabaseUrls, tmp_path: Path) -> Settings:
    return Settings(
        database_url=urls.app, door_url=urls.door, owner_url=urls.owner, data=tmp_path,
        port=free_port(), keys=f"1:{base64.b64encode(b'k' * 32).decode()}",
    )  # fmt: skip


async def served(
    settings: Settings, roles: frozenset[str], before: Callable[[RunningServer], Awaitable[None]],
    ready: Callable[[RunningServer], Awaitable[None]],
) -> None:  # fmt: skip
    """Open, do something, run until it is ready, do something else, and stop by a signal."""
    async with AsyncExitStack() as stack:
        server = await RunningServer(settings, roles, stack).open()
        await before(server)

        async def said_ready() -> None:
            await ready(server)
            os.kill(os.getpid(), signal.SIGTERM)

        await server.run(said_ready)


async def nothing(server: RunningServer) -> None: ...


async def test_a_machine_that_was_added_while_it_opened_may_come_when_it_is_ready(
    stage: Stage, settings: Settings
) -> None:
    secret, came = [""], asyncio.Event()

    async def add(server: RunningServer) -> None:
        db, clock = server.db, server.clock
        async with db.as_merchant(stage.merchant) as conn:
            secret[0] = await issue_device(conn, server.vault, stage.merchant, "M01", clock.now())

    async def come(server: RunningServer) -> None:
        assert server.nats is not None
        (user,) = await broker_users(server.db)
        port = server.nats.listening
        async with aiomqtt.Client("127.0.0.1", port, username=user.login, password=secret[0]):
            came.set()  # refused, it raises

    await served(settings, frozenset({"device"}), add, come)
    assert came.is_set()


async def test_nothing_runs_on_after_a_process_has_stopped(
    stage: Stage, settings: Settings
) -> None:
    """Streams of pages leave readers behind, which end by themselves after a minute only."""

    async def look(server: RunningServer) -> None:
        context = server.context
        await Changes(context).changed(stage.merchant, "", 0.1)
        OpenSessions(Authentication(context, "http://here"), 5).add(uuid7(context.now()))
        context.background.start(asyncio.sleep(600), "a page's reader")

    before = asyncio.all_tasks()
    await served(settings, frozenset({"web"}), nothing, look)
    assert {task.get_name() for task in asyncio.all_tasks() - before} == set()


async def test_readers_of_pages_end_when_they_are_told_to(stage: Stage) -> None:
    background, before = BackgroundTasks(), asyncio.all_tasks()

    async def never(token: str) -> None:
        raise AssertionError(token)

    updates = OrderUpdates(stage.context.db, never, background=background)
    assert await updates.changed("nobody", 0, 0.05) is None
    waits = asyncio.create_task(updates.changed("nobody", 0, 60))
    await asyncio.sleep(0)
    await background.close()
    waits.cancel()
    await asyncio.wait({waits})
    assert asyncio.all_tasks() - before == set()


async def test_what_begins_while_a_process_stops_is_ended_too() -> None:
    background, reached = BackgroundTasks(), asyncio.Event()

    async def another() -> None:
        try:
            await asyncio.sleep(600)
        finally:
            background.start(asyncio.sleep(600), "begun by one that ends")
            reached.set()

    first = background.start(another(), "first")
    await asyncio.sleep(0)
    await background.close()
    assert reached.is_set()
    late = background.start(asyncio.sleep(600), "late")
    await asyncio.wait({first, late})
    assert first.cancelled()
    assert late.cancelled()
