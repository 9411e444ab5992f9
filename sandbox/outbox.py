"""Webhook events as rows, and what the weather makes of each. Signed once, at birth."""

import re

import msgspec

from sandbox import weather
from sandbox.clock import now_ms
from sandbox.store import Change

OVERTAKEN_FROM_MS, OVERTAKEN_SPAN_MS = 200, 1_300
REPEATED_FROM_MS, REPEATED_SPAN_MS = 150, 850
AMOUNT = re.compile(rb'"(amount|value)":"?(\d+)', re.IGNORECASE)
STATUS = re.compile(rb"((?:Message|Sms|Call)Status)=([a-z-]+)")


class Event(msgspec.Struct, kw_only=True, frozen=True):
    """One thing that happened at a gateway, as it is told to the merchant's server."""

    party: str
    account_id: str
    event_id: str
    name: str
    reference: str
    headers: dict[str, str]
    body: bytes
    url: str | None = None  # where it goes; None: to the webhook of its account


def publish(change: Change, event: Event) -> None:
    """Keep the event and plan its deliveries as the weather wants them."""
    stored = change.run(
        "INSERT INTO events (party, account_id, event_id, name, reference, headers, body,"
        " created_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            event.party,
            event.account_id,
            event.event_id,
            event.name,
            event.reference,
            msgspec.json.encode(event.headers),
            event.body,
            now_ms(),
        ),
    )
    seq = stored.lastrowid or 0
    if event.url is not None:
        change.run("INSERT INTO event_urls VALUES (?, ?)", (seq, event.url))
    way = weather.current(change).webhooks
    if weather.strikes(change, "webhooks.lose", way.lose):
        _plan(change, seq, "first", now_ms(), state="lost")
        change.tell(f"webhook {event.name} lost by the weather")
        return
    due_ms = now_ms()
    if weather.strikes(change, "webhooks.reorder", way.reorder):
        share = weather.throw(change, "webhooks.reorder.by")
        due_ms += OVERTAKEN_FROM_MS + int(OVERTAKEN_SPAN_MS * share)
    if weather.strikes(change, "webhooks.forge", way.forge):
        _plan(change, seq, "forged", due_ms)
    _plan(change, seq, "first", due_ms)
    if weather.strikes(change, "webhooks.repeat", way.repeat):
        share = weather.throw(change, "webhooks.repeat.by")
        _plan(change, seq, "repeat", due_ms + REPEATED_FROM_MS + int(REPEATED_SPAN_MS * share))


def replay(change: Change, reference: str) -> int:
    """Deliver every event of a payment once more, the lost ones too; answers how many."""
    rows = change.all("SELECT seq FROM events WHERE reference = ? ORDER BY seq", (reference,))
    for row in rows:
        _plan(change, row["seq"], "resend", now_ms())
    if rows:
        change.tell(f"{len(rows)} webhooks of {reference} sent again")
    return len(rows)


def altered(body: bytes) -> bytes:
    """A forger's copy: every amount is another one, every end of a message or call the opposite,
    so that the signature no longer fits."""
    forged = AMOUNT.sub(lambda found: found[0] + b"9", body)
    forged = STATUS.sub(_opposite, forged)
    return forged if forged != body else body + b" "


def _opposite(found: re.Match[bytes]) -> bytes:
    good = b"completed" if found[1] == b"CallStatus" else b"delivered"
    return found[1] + b"=" + (b"failed" if found[2] == good else good)


def deliveries(change: Change, party: str, limit: int) -> list[dict[str, object]]:
    """A gateway's newest deliveries first, for tests and for the control page."""
    rows = change.all(
        "SELECT d.id, e.event_id, e.name AS event, e.party, e.account_id, e.reference, d.kind,"
        " d.state, d.attempts, d.due_ms, d.last_status, d.last_error"
        " FROM deliveries d JOIN events e ON e.seq = d.event_seq WHERE e.party = ?"
        " ORDER BY d.id DESC LIMIT ?",
        (party, limit),
    )
    return [dict(row) for row in rows]


def _plan(change: Change, seq: int, kind: str, due_ms: int, state: str = "pending") -> None:
    change.run(
        "INSERT INTO deliveries (event_seq, kind, state, due_ms) VALUES (?, ?, ?, ?)",
        (seq, kind, state, due_ms),
    )
