"""Our mark as pairs of text, which every gateway lets a merchant store with a thing, and back."""

import hashlib
import re
import string
from datetime import UTC, datetime, timedelta
from uuid import UUID

from coinslot.gateways.base import Mark

CHARGE = "charge"  # the pair that distinguishes attempts at one payment
# Ours alone: a merchant's own pair of such a name would be read as our mark, and is left out.
NAMES = frozenset({"coinslot", "qr", "refund", "payment", CHARGE})
BRIEF_CHARS = 6
LETTERS = string.digits + string.ascii_uppercase + string.ascii_lowercase


def written(mark: Mark) -> dict[str, str]:
    """The pairs that `read` understands; they go where the gateway keeps notes or metadata."""
    named = {"coinslot": mark.installation, "qr": mark.qr, "refund": mark.refund}
    named["payment"] = mark.payment
    return {key: value for key, value in named.items() if value is not None}


def read(pairs: object) -> Mark | None:
    """Our mark in pairs of any origin and shape."""
    if not isinstance(pairs, dict):
        return None
    ours = {k: v for k, v in pairs.items() if isinstance(v, str) and v and "\0" not in v}
    if "coinslot" not in ours:
        return None
    return Mark(
        installation=ours["coinslot"],
        qr=ours.get("qr"),
        refund=ours.get("refund"),
        payment=ours.get("payment"),
    )


def key_sign(key: str) -> str:
    """A charge's key, as stored beside our mark."""
    return hashlib.sha256(key.encode()).hexdigest()[:32]


def is_of(mark: Mark, key: str, pairs: object) -> bool:
    """Whether this very charge, and not another attempt at the same payment, made what has
    these."""
    return isinstance(pairs, dict) and read(pairs) == mark and pairs.get(CHARGE) == key_sign(key)


def brief(installation: str) -> str:
    """A short form of an installation where a gateway has little room: itself, or six characters
    made of all of it, so that similar names have different forms."""
    if re.fullmatch(rf"[0-9A-Za-z_]{{1,{BRIEF_CHARS}}}", installation):
        return installation
    number = int.from_bytes(hashlib.sha256(installation.encode()).digest())
    return "".join(LETTERS[number // len(LETTERS) ** n % len(LETTERS)] for n in range(BRIEF_CHARS))


def is_ours(mark: Mark, installation: str) -> bool:
    """Whether we made what has this mark: in full, or as far as its gateway had room."""
    return mark.installation in (installation, brief(installation))


def made_at(our_id: str | None) -> datetime | None:
    """When an id of ours was made, by our clock: no gateway can have kept it before. None: unknown.

    It bounds a search through a gateway's lists."""
    try:
        made = UUID(our_id or "")
    except ValueError:
        return None
    if made.version != 7:
        return None
    try:
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=made.int >> 80)
    except OverflowError:
        return None


def clean(said: str) -> str:
    """A gateway's text as PostgreSQL can store it: without zero characters."""
    return said.replace("\0", "\N{REPLACEMENT CHARACTER}")
