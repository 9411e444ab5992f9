"""Parts of a run: each ends within its time or is said to have failed, and the next goes on."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

from msgspec import Struct

_STOP_WITHIN_S: Final = 45.0  # a demo below it stops too
_TOLD: Final = 600  # characters of what a failed part said last


class Part(Struct, frozen=True):
    """A program of the bench (module and arguments) that prints its section."""

    name: str
    module: tuple[str, ...]
    bound_s: float


class PartFailedError(Exception):
    """It ended with an error, or not in its time."""


class Failures:
    """What failed so far, and why."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self.found: list[str] = []
        self._say = say

    @asynccontextmanager
    async def noted(self, name: str, bound_s: float) -> AsyncIterator[None]:
        """Whatever fails in here, or lasts longer, is kept and said; being ended goes through."""
        try:
            async with asyncio.timeout(bound_s) as bound:
                yield
        except Exception as error:  # noqa: BLE001  whatever it is, the other parts are measured
            why = f"not done after {bound_s:.0f} s" if bound.expired() else str(error)
            self.found.append(f"{name}: {why or repr(error)}")
            self._say(f"FAILED  {self.found[-1]}")

    def page(self) -> str:
        """A section, if anything failed."""
        lines = "".join(f"- {one}\n" for one in self.found)
        return f"\n## What failed\n\n{lines}" if lines else ""


async def told(part: Part) -> str:
    """What the program printed. Raises PartFailedError; nothing of it runs on return."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", *part.module,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        async with asyncio.timeout(part.bound_s):
            said, wrong = await process.communicate()
    except TimeoutError as error:
        raise PartFailedError(f"not done after {part.bound_s:.0f} s") from error
    finally:
        await _ended(process)
    if process.returncode:
        raise PartFailedError((wrong or said).decode(errors="replace").strip()[-_TOLD:])
    return said.decode()


async def _ended(process: asyncio.subprocess.Process) -> None:
    """By SIGTERM, upon which it stops what it started; else by force."""
    if process.returncode is not None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        async with asyncio.timeout(_STOP_WITHIN_S):
            await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()


def end_on_sigterm() -> None:
    """In a program of the bench: being ended unwinds it, so that it stops what it started."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended before its time"))
