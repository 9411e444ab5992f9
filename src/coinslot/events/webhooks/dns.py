"""Resolves names that strangers chose, on threads of its own: their name servers may answer late or
never, and no gateway call may wait for a thread that waits for them."""

import asyncio
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

_THREADS: Final = 64

Question = tuple[str, int]


class Resolver:
    """Asks for each name once at a time: a look-up may outlast the try that began it, and the next
    try waits for the same answer."""

    def __init__(self, ask: Callable[[str, int], list[str]] | None = None) -> None:
        self._ask = ask or addresses
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="names")
        self._asked: dict[Question, asyncio.Future[list[str]]] = {}

    async def resolve(self, host: str, port: int) -> list[str]:
        """Every address of a name, by the system's resolver. Raises OSError."""
        question = (host, port)
        asked = self._asked.get(question)
        if asked is None:
            loop = asyncio.get_running_loop()
            asked = loop.run_in_executor(self._threads, self._ask, host, port)
            self._asked[question] = asked
            asked.add_done_callback(lambda answer: self._answered(question, answer))
        return await asyncio.shield(asked)

    def close(self) -> None:
        """Stop waiting for pending look-ups."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _answered(self, question: Question, answer: asyncio.Future[list[str]]) -> None:
        del self._asked[question]
        if not answer.cancelled():
            answer.exception()  # the caller may have stopped waiting


def addresses(host: str, port: int) -> list[str]:
    """The answer of the system's resolver; the thread waits for it."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))
