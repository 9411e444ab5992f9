"""Our mark as the pairs of text that every gateway lets a merchant keep with a thing, and back."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from coinslot.gateways.base import Mark


def written(mark: Mark) -> dict[str, str]:
    """The pairs that `read` understands; they go where the gateway keeps notes or metadata."""
    named = {"coinslot": mark.installation, "qr": mark.qr, "refund": mark.refund}
    named["payment"] = mark.payment
    return {key: value for key, value in named.items() if value is not None}


def read(pairs: object) -> Mark | None:
    """Our mark among pairs of anybody's, of any shape."""
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
    """A gateway's words as PostgreSQL can keep them: it has no room for a zero character."""
    return said.replace("\0", "\N{REPLACEMENT CHARACTER}")
