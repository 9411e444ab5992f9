"""An update over the wire: the manifest and the image are loaded by HTTP, beside everything else,
and what the updater says goes up."""

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import aiohttp

from machine_simulator.files import Record
from machine_simulator.update import Updater

log = logging.getLogger(__name__)

LINES = 3  # connections for one image; each goes on at the byte that the last one reached
MANIFEST_MAX = 4096
_PATIENCE = aiohttp.ClientTimeout(total=60, sock_read=20)
_BROKEN = (aiohttp.ClientError, OSError, TimeoutError, ValueError)


class DownloadError(Exception):
    """It was not loaded; the message is the code that the server is told."""


class Downloader:
    """One load at a time; `say` sends a report."""

    def __init__(self, updater: Updater, say: Callable[[Record], bool]) -> None:
        self._updater = updater
        self._say = say
        self._loading = False

    def report(self, said: Sequence[Record]) -> None:
        for each in said:
            self._say(each)

    def wants(self, message: Mapping[str, Any]) -> bool:
        """Whether this offer is to be loaded now: a new one, or one that a power cut broke off."""
        flash = self._updater.flash
        is_offer = not (message.get("go") or message.get("withdrawn"))
        named = (message.get("rollout"), message.get("attempt"))
        mine = named == (flash.rollout, flash.attempt)
        return is_offer and mine and flash.state in ("", "DOWNLOADING") and not self._loading

    async def load(self, url: str) -> None:
        """Manifest, then image; each step is reported. What was withdrawn meanwhile is left."""
        self._loading = True
        flash = self._updater.flash
        attempt = (flash.rollout, flash.attempt)
        try:
            async with aiohttp.ClientSession(timeout=_PATIENCE) as http:
                answer = await _manifest(http, url)
                if not self._still(attempt):
                    return
                self.report(self._updater.take_manifest(answer))
                if not self._still(attempt):
                    return
                image = await _image(
                    http, [answer.get("image_url"), f"{url}/image"], int(flash.manifest["size"])
                )
            if self._still(attempt):
                self.report(self._updater.take_image(image))
        except DownloadError as error:
            log.info("update not loaded: %s", error)
            if self._still(attempt):
                self.report(self._updater.fail(str(error)))
        except (KeyError, TypeError, ValueError) as error:
            log.warning("unreadable manifest: %r", error)
            if self._still(attempt):
                self.report(self._updater.fail("MANIFEST"))
        finally:
            self._loading = False

    def _still(self, attempt: tuple[str, int]) -> bool:
        flash = self._updater.flash
        return (flash.rollout, flash.attempt) == attempt and flash.state in ("", "DOWNLOADING")


async def _manifest(http: aiohttp.ClientSession, url: str) -> dict[str, Any]:
    for _ in range(LINES):
        try:
            async with http.get(url, allow_redirects=False) as answer:
                answer.raise_for_status()
                found = json.loads(await answer.content.read(MANIFEST_MAX + 1))
                if isinstance(found, dict):
                    return found
        except _BROKEN as error:
            log.debug("manifest: %r", error)
    raise DownloadError("MANIFEST")


async def _image(http: aiohttp.ClientSession, urls: Sequence[str | None], size: int) -> bytes:
    """A store is asked once, then the server; more than was signed is never kept."""
    store, server = urls
    got = bytearray()
    for here in [store, *[server] * LINES] if store else [server] * LINES:
        try:
            while len(got) < size:
                before = len(got)
                await _go_on(http, str(here), got, size)
                if len(got) == before:
                    break
        except _BROKEN as error:
            log.debug("image: %r", error)
        if len(got) >= size:
            return bytes(got)
    raise DownloadError("DOWNLOAD")


async def _go_on(http: aiohttp.ClientSession, url: str, got: bytearray, size: int) -> None:
    wanted = {"Range": f"bytes={len(got)}-"} if got else {}
    async with http.get(url, headers=wanted, allow_redirects=False) as answer:
        answer.raise_for_status()
        if answer.status != 206:
            got.clear()
        async for piece in answer.content.iter_any():
            got += piece
            if len(got) > size:
                raise DownloadError("SIZE")
