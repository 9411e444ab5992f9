"""Looking up strangers' names: a name server that is silent holds nobody else up."""

import asyncio
import socket
import threading
from collections import Counter
from collections.abc import Iterator

import pytest

from coinslot.events.webhooks.dns import Resolver, addresses

LOOKED_UP_BESIDE = 40  # more than the loop has threads of its own


class NameServer:
    """Silent for names of `tarpit.example` until it is freed; `asked` counts the look-ups."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.freed = threading.Event()

    def answer(self, host: str, port: int) -> list[str]:
        self.asked[host] += 1
        if not host.endswith("tarpit.example"):
            return addresses(host, port)
        assert self.freed.wait(30)
        raise socket.gaierror(socket.EAI_AGAIN, "no answer")


@pytest.fixture
def server() -> Iterator[NameServer]:
    made = NameServer()
    yield made
    made.freed.set()


async def test_names_that_never_answer_hold_no_other_look_up_of_the_process(
    server: NameServer,
) -> None:
    names = Resolver(server.answer)
    asking = [
        asyncio.create_task(names.resolve(f"h{number}.tarpit.example", 443))
        for number in range(LOOKED_UP_BESIDE)
    ]
    await asyncio.sleep(0)
    async with asyncio.timeout(20):
        found = await asyncio.get_running_loop().getaddrinfo("localhost", 9)
        assert found
        assert await names.resolve("127.0.0.1", 9) == ["127.0.0.1"]
    assert not any(task.done() for task in asking)
    server.freed.set()
    ends = await asyncio.gather(*asking, return_exceptions=True)
    names.close()
    assert all(isinstance(end, socket.gaierror) for end in ends)


async def test_a_name_is_asked_for_once_at_a_time_also_after_a_try_gave_up(
    server: NameServer,
) -> None:
    names = Resolver(server.answer)
    for _ in range(3):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await names.resolve("slow.tarpit.example", 443)
    last = asyncio.create_task(names.resolve("slow.tarpit.example", 443))
    await asyncio.sleep(0)
    server.freed.set()
    with pytest.raises(socket.gaierror):
        await last
    assert server.asked["slow.tarpit.example"] == 1
    with pytest.raises(socket.gaierror):
        await names.resolve("slow.tarpit.example", 443)
    assert server.asked["slow.tarpit.example"] == 2
    names.close()
