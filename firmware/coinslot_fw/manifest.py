"""The manifest of an update, and what of it is refused. In memory only while one is checked."""

import json

from coinslot_fw.journal import FORMAT, READS
from coinslot_fw.update import RefusedError
from coinslot_fw.version import SEQUENCE

KIND = "app"


def read_manifest(text, url):
    """The manifest in a text whose signature was checked. Raises RefusedError."""
    try:
        manifest = json.loads(text)
        # Not signed: what it leads to is compared with the digest.
        manifest["image_url"] = url if isinstance(url, str) else None
        for name in ("sequence", "size", "min_from"):
            manifest[name] = int(manifest[name])
        manifest["journal_formats"] = list(manifest["journal_formats"])
        for name in ("version", "hardware", "kind", "sha256"):
            if not isinstance(manifest[name], str):
                raise ValueError(name)
    except (ValueError, KeyError, TypeError):
        raise RefusedError("MANIFEST")
    return manifest


def check_manifest(manifest, hardware, slot_size, sequence=SEQUENCE):
    """Raises RefusedError for what must not run here: one line for each thing that must hold."""
    if manifest["hardware"] != hardware:
        raise RefusedError("HARDWARE")
    if manifest["kind"] != KIND:
        raise RefusedError("KIND")
    if manifest["sequence"] <= sequence:
        raise RefusedError("SEQUENCE")
    if manifest["min_from"] > sequence:
        raise RefusedError("MIN_FROM")
    formats = manifest["journal_formats"]  # what is kept reads what the new code will write
    if FORMAT not in formats or formats[-1] not in READS:
        raise RefusedError("JOURNAL")
    if not 0 < manifest["size"] <= slot_size:
        raise RefusedError("SIZE")
