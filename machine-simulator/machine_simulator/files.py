"""Files that survive a power cut: lines appended with fsync, and small files replaced whole."""

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

Record = dict[str, Any]


def encode(record: Mapping[str, Any]) -> str:
    """Compact JSON on one line; key order is kept, so the same message gives the same bytes."""
    return json.dumps(record, separators=(",", ":"))


class Lines:
    """One JSON object a line. A line without its end was torn by a power cut: it never was."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> list[Record]:
        """All whole lines; a torn tail is cut off, so that the next line starts clean."""
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            return []
        whole = content[: content.rfind(b"\n") + 1]
        if len(whole) != len(content):
            os.truncate(self.path, len(whole))
        return [json.loads(line) for line in whole.splitlines()]

    def append(self, record: Mapping[str, Any]) -> None:
        """On the disk when this returns."""
        created = not self.path.exists()
        with self.path.open("ab", buffering=0) as file:
            file.write(f"{encode(record)}\n".encode())
            os.fsync(file.fileno())
        if created:
            _sync_folder(self.path.parent)

    def rewrite(self, records: Iterable[Mapping[str, Any]]) -> None:
        """All at once or not at all."""
        replace(self.path, "".join(f"{encode(record)}\n" for record in records))


def replace(path: Path, text: str, *, durable: bool = True) -> None:
    """Put `text` in place of the file; a reader sees the old one or the new one, never half."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with draft.open("w", encoding="utf-8") as file:
        file.write(text)
        if durable:
            file.flush()
            os.fsync(file.fileno())
    draft.replace(path)
    if durable:
        _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
