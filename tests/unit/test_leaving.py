"""A server that stops ends what still runs: whoever waits is told to come again."""

import asyncio
from typing import Any

import pytest

from coinslot.app.shutdown import end_on_shutdown

BEGUN = {"type": "http.response.start", "status": 200, "headers": []}


@pytest.mark.parametrize(("told", "status"), [([], 503), ([BEGUN], 200)])
async def test_a_request_that_is_cut_short_has_an_end(
    told: list[dict[str, Any]], status: int
) -> None:
    sent: list[dict[str, Any]] = []
    waiting = asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        for message in told:
            await send(message)
        waiting.set()
        await asyncio.Event().wait()

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    task = asyncio.create_task(end_on_shutdown(app, {"type": "http"}, None, send))
    await waiting.wait()
    task.cancel("the server stops")
    await task
    assert sent[0]["status"] == status
    assert [message["type"] for message in sent] == [
        "http.response.start", "http.response.body",
    ]  # fmt: skip
