"""The manifest of an update, and what of it is refused. In memory only while one is checked."""

import json
from binascii import unhexlify

from coinslot_fw.journal import FORMAT, READS
from coinslot_fw.update import RefusedError, forget
from coinslot_fw.version import SEQUENCE

KIND = "app"


def read_manifest(body, key):
    """The manifest in an answer, after its signature was checked. Raises RefusedError."""
    try:
        answer = json.loads(body.data)
        body.begin(True)  # the check of a signature needs the memory
        text, signature = answer["manifest"].encode(), unhexlify(answer["signature"])
    except (ValueError, KeyError, TypeError, AttributeError):
        raise RefusedError("MANIFEST")
    url = answer.get("image_url")
    answer = None
    if key is None or not _verified(key, text, signature):
        raise RefusedError("SIGNATURE")
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


def _verified(key, text, signature):
    from coinslot_fw.ed25519 import verified

    found = verified(key, text, signature)
    forget("ed25519")
    return found


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
