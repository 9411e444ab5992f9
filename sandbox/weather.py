"""Bad weather on purpose: shares of lost, repeated, late, forged messages, by seeded dice."""

import hashlib
from enum import StrEnum
from typing import Annotated, Any

import msgspec

from sandbox.errors import UnreadableError
from sandbox.store import Change

Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Milliseconds = Annotated[int, msgspec.Meta(ge=0, le=60_000)]


class Webhooks(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What happens to a webhook on its way."""

    lose: Share = 0  # never delivered at all
    repeat: Share = 0  # delivered again after it was accepted
    reorder: Share = 0  # held back so that later ones overtake it
    forge: Share = 0  # preceded by a copy with an altered body and the old signature
    hold: bool = False  # nothing is sent until this is false again


class Api(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What happens to a call of the merchant's server."""

    latency_ms: Milliseconds = 0
    error_5xx: Share = 0  # half of them after the effect was applied
    drop_response: Share = 0  # the effect is applied and the connection cut
    refund_fails_later: Share = 0  # a refund is pending at first, then failed
    refund_pending_ms: Milliseconds = 0  # how long an accepted refund stays pending


class Weather(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The whole forecast."""

    webhooks: Webhooks = Webhooks()
    api: Api = Api()
    seed: int = 1


class Fate(StrEnum):
    """What becomes of one API call."""

    FAIR = "fair"
    REFUSED = "refused"  # a 5xx and nothing done
    DONE_BUT_5XX = "done_but_5xx"
    DONE_BUT_CUT = "done_but_cut"


def current(change: Change) -> Weather:
    row = change.one("SELECT body FROM facts WHERE name = 'weather'")
    return msgspec.json.decode(row["body"], type=Weather) if row else Weather()


def merge(change: Change, wanted: dict[str, Any]) -> Weather:
    """Change the named parts alone; naming a seed starts its dice from the beginning."""
    merged: dict[str, Any] = msgspec.to_builtins(current(change))
    for name, value in wanted.items():
        if isinstance(value, dict) and isinstance(merged.get(name), dict):
            merged[name].update(value)
        else:
            merged[name] = value
    try:
        weather = msgspec.convert(merged, Weather)
    except msgspec.ValidationError as problem:
        raise UnreadableError(str(problem)) from problem
    change.run(
        "INSERT INTO facts VALUES ('weather', ?) ON CONFLICT DO UPDATE SET body = excluded.body",
        (msgspec.json.encode(weather),),
    )
    if "seed" in wanted:
        change.run("DELETE FROM dice")
    change.tell("weather changed")
    return weather


def throw(change: Change, stream: str) -> float:
    """The next number of a stream, 0 to 1: the same for the same seed and the same count."""
    row = change.one(
        "INSERT INTO dice VALUES (?, 1) ON CONFLICT DO UPDATE SET thrown = thrown + 1"
        " RETURNING thrown",
        (stream,),
    )
    seed = current(change).seed
    digest = hashlib.sha256(f"{seed}:{stream}:{row['thrown']}".encode()).digest()
    return int.from_bytes(digest[:6]) / (1 << 48)


def strikes(change: Change, stream: str, share: float) -> bool:
    """Whether misfortune of this share strikes now. A share of 0 leaves its dice alone."""
    return share > 0 and throw(change, stream) < share


def fate_of_call(change: Change) -> Fate:
    api = current(change).api
    if strikes(change, "api.error_5xx", api.error_5xx):
        late = throw(change, "api.error_5xx.after") < 0.5
        return Fate.DONE_BUT_5XX if late else Fate.REFUSED
    if strikes(change, "api.drop_response", api.drop_response):
        return Fate.DONE_BUT_CUT
    return Fate.FAIR
