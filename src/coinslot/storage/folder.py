"""Files in a folder of this computer, or of a disk that all of ours share."""

import asyncio
import os
import tempfile
from datetime import timedelta
from pathlib import Path

from coinslot.storage.base import MOST_BYTES, StorageAwayError, known_name


class FolderStorage:
    """Files lie in folders named by their first two letters, which keeps each folder small."""

    def __init__(self, root: Path) -> None:
        self._root = root

    async def put(self, name: str, body: bytes) -> None:
        await asyncio.to_thread(self._put, self._place(name), body)

    async def read(self, name: str) -> bytes | None:
        return await self.read_part(name, 0, MOST_BYTES)

    async def read_part(self, name: str, first: int, end: int) -> bytes | None:
        return await asyncio.to_thread(self._read, self._place(name), first, end)

    def address(self, name: str, life: timedelta) -> str | None:
        return None

    async def remove(self, name: str) -> None:
        await asyncio.to_thread(self._remove, self._place(name))

    def _place(self, name: str) -> Path:
        return self._root / known_name(name)[:2] / name

    def _put(self, place: Path, body: bytes) -> None:
        """A reader sees the whole file or none, also when the computer stops in the middle."""
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            handle, half = tempfile.mkstemp(dir=place.parent, prefix="half-")
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(body)
                    file.flush()
                    os.fsync(file.fileno())
                os.replace(half, place)
            except BaseException:
                Path(half).unlink(missing_ok=True)
                raise
        except OSError as error:
            raise StorageAwayError(f"{place.parent} cannot be written: {error}") from error

    def _read(self, place: Path, first: int, end: int) -> bytes | None:
        try:
            with place.open("rb") as file:
                file.seek(first)
                return file.read(max(end - first, 0))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StorageAwayError(f"{place} cannot be read: {error}") from error

    def _remove(self, place: Path) -> None:
        try:
            place.unlink(missing_ok=True)
        except OSError as error:
            raise StorageAwayError(f"{place} cannot be removed: {error}") from error
