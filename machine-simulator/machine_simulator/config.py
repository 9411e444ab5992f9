"""The configuration on the machine's flash: the last one that was applied, whole or not at all."""

import hashlib
import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from machine_simulator import files

log = logging.getLogger(__name__)


class Configuration:
    """Version 0 until there is one. What lies in the file outlives a power cut."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.version = 0
        self.price_version: int | None = None
        self.planogram_version: int | None = None
        self.content: Mapping[str, Any] = {}
        try:
            kept = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return
        self._use(kept["version"], kept["config"])

    def apply(self, version: int, sha256: str, text: str) -> bool:
        """Only what came whole, and only a newer one: an old message may come late. On the flash
        when this returns."""
        if hashlib.sha256(text.encode()).hexdigest() != sha256:
            log.warning("configuration %s came damaged, and is left alone", version)
            return False
        if version <= self.version:
            return False
        content = json.loads(text)
        int(content["price_version"]), int(content["planogram_version"])
        files.replace(self._path, json.dumps({"version": version, "config": text}))
        self._use(version, text)
        return True

    def _use(self, version: int, text: str) -> None:
        self.content = json.loads(text)
        self.version = version
        self.price_version = int(self.content["price_version"])
        self.planogram_version = int(self.content["planogram_version"])
