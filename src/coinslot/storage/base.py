"""What every driver brings. Names are made by us from the content, so a file never changes and no
name leads out of the folder or bucket."""

import re
from datetime import timedelta
from typing import Final, Protocol

MOST_BYTES: Final = 4 * 1024 * 1024  # of one stored file; pictures are made far smaller
_NAME: Final = re.compile(r"[0-9a-f]{64}(-[0-9]{1,4}\.webp|\.bin)")


class StorageAwayError(Exception):
    """The storage did not answer, or refused; what it holds is not known."""


class FileNameError(ValueError):
    """This is no name of a stored file."""


def known_name(name: str) -> str:
    """The name, if it is one of ours. Raises FileNameError."""
    if not _NAME.fullmatch(name):
        raise FileNameError(f"{name[:80]!r} is no name of a stored file")
    return name


class Storage(Protocol):
    """Each verb may be repeated: a name says what the file holds. All raise FileNameError for a
    name that is none of ours, and StorageAwayError."""

    async def put(self, name: str, body: bytes) -> None:
        """Store it, whole or not at all."""
        ...

    async def read(self, name: str) -> bytes | None:
        """The file; None when there is none."""
        ...

    async def read_part(self, name: str, first: int, end: int) -> bytes | None:
        """From byte `first` up to `end`, which is not read; less where the file ends before. None
        when there is no file. No more than the part is loaded."""
        ...

    def address(self, name: str, life: timedelta) -> str | None:
        """Where a machine may load the file by itself for so long, with Range; None: only here."""
        ...

    async def remove(self, name: str) -> None:
        """It is gone afterwards, also when it was never there."""
        ...


class NoStorage:
    """An installation, or a test, without one: nothing can be stored."""

    async def put(self, name: str, body: bytes) -> None:
        raise StorageAwayError("this process has no storage")

    async def read(self, name: str) -> bytes | None:
        raise StorageAwayError("this process has no storage")

    async def read_part(self, name: str, first: int, end: int) -> bytes | None:
        raise StorageAwayError("this process has no storage")

    def address(self, name: str, life: timedelta) -> str | None:
        return None

    async def remove(self, name: str) -> None:
        raise StorageAwayError("this process has no storage")
