"""Passwords: argon2id, few at a time. A hash takes megabytes and tenths of a second, so whoever has
not yet said who they are must not be able to ask for many."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from coinslot.kit.ids import token

SHORTEST, LONGEST = 10, 1024  # characters
_AT_ONCE, _WAITING_MOST = 2, 32
_Done = TypeVar("_Done")


class BusyError(Exception):
    """Too many passwords are being checked at this moment."""


class WeakPasswordError(ValueError):
    """The password is too short, or too easy to guess; the message says why."""


class Passwords:
    """One per process."""

    def __init__(self, hasher: PasswordHasher, waiting: int = _WAITING_MOST) -> None:
        self._hasher = hasher
        self._pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="argon2")
        self._waiting_most = waiting
        self._waiting = 0
        self._of_nobody: str | None = None

    async def hash(self, password: str) -> str:
        """Raises BusyError."""
        return await self._run(partial(self._hasher.hash, password))

    async def fits(self, stored: str | None, password: str) -> bool:
        """Takes the same time whether or not there is a hash. Raises BusyError."""
        return await self._run(partial(self._fits, stored, password))

    def outdated(self, stored: str) -> bool:
        """Whether it was made with other parameters than a new one would be."""
        return self._hasher.check_needs_rehash(stored)

    def _fits(self, stored: str | None, password: str) -> bool:
        if self._of_nobody is None:  # of text that nobody knows, with our own parameters
            self._of_nobody = self._hasher.hash(token(32))
        try:
            self._hasher.verify(stored or self._of_nobody, password)
        except (VerificationError, InvalidHashError):
            return False
        return stored is not None

    async def _run(self, work: Callable[[], _Done]) -> _Done:
        if self._waiting >= self._waiting_most:
            raise BusyError("many people sign in at this moment")
        self._waiting += 1
        loop = asyncio.get_running_loop()
        running = self._pool.submit(work)
        # It counts until it is done, also when its caller gave up waiting.
        running.add_done_callback(partial(self._done, loop))
        return await asyncio.wrap_future(running)

    def _done(self, loop: asyncio.AbstractEventLoop, _running: Future[_Done]) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(self._one_less)

    def _one_less(self) -> None:
        self._waiting -= 1


def acceptable(password: str, login: str) -> str:
    """The password, when it may be chosen. Raises WeakPasswordError."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise WeakPasswordError(f"A password has {SHORTEST} to {LONGEST} characters.")
    if len(set(password)) < SHORTEST // 2:
        raise WeakPasswordError("This password repeats few characters.")
    if login.casefold() in password.casefold() and len(password) < len(login) + SHORTEST:
        raise WeakPasswordError("This password is mostly the login.")
    return password
