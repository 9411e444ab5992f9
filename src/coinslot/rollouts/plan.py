"""The order in which machines get a build, and the rules by which a roll-out goes on."""

import hashlib
from collections.abc import Sequence
from datetime import datetime, time
from typing import Annotated, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from msgspec import Meta, Struct

Seconds = Annotated[float, Meta(ge=1, le=30 * 86_400)]
Share = Annotated[float, Meta(gt=0, le=1)]
Clock = Annotated[str, Meta(pattern=r"\A([01][0-9]|2[0-3]):[0-5][0-9]\Z")]
Stage = Annotated[str, Meta(pattern=r"\A([1-9][0-9]{0,5}|(100|[1-9][0-9]?)%)\Z")]
_WHOLE: Final = 100  # percent
DEFAULT_STAGES: Final = ("1", "5%", "25%", "100%")


class Rules(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Counts, shares and seconds. `stages` are counts of machines, or shares of them, of all up to
    then; the last is `100%`. `window`: from when to when a machine may install, by its own clock;
    over midnight too. One that ends when it begins is the whole day. A machine that has waited
    `off_sale_after_s` for a moment to install, or since the last time, sells nothing new for
    `off_sale_s` at most; 0: never."""

    stages: Annotated[tuple[Stage, ...], Meta(min_length=1, max_length=10)] = DEFAULT_STAGES
    max_failures: Annotated[int, Meta(ge=1, le=1000)] = 3
    failure_share: Share = 0.2
    share_from: Annotated[int, Meta(ge=1, le=1000)] = 5  # machines that ended, before it counts
    soak_s: Seconds = 86_400
    soak_vends: Annotated[int, Meta(ge=1, le=100_000)] = 20
    late_s: Seconds = 60  # a unit that takes longer from its first offer to its end is late
    level: Annotated[float, Meta(ge=0.0001, le=0.2)] = 0.01
    window: tuple[Clock, Clock] | None = None
    downloads: Annotated[int, Meta(ge=1, le=1000)] = 10  # at once
    tries: Annotated[int, Meta(ge=1, le=10)] = 3
    attempt_s: Seconds = 1800  # from the offer to VERIFIED
    install_s: Seconds = 900  # from GO to the first HELLO of the new code
    trial_s: Seconds = 900  # from there until it is confirmed
    idle_s: Seconds = 86_400  # a machine that has the image waits so long for a moment to install
    off_sale_after_s: Annotated[float, Meta(ge=60, le=30 * 86_400)] = 6 * 3600
    off_sale_s: Annotated[float, Meta(ge=0, le=3600)] = 600
    stage_s: Seconds = 3 * 86_400  # a machine that is offline holds a stage up for so long

    def __post_init__(self) -> None:
        if self.stages[-1] != "100%":
            raise ValueError("the last stage is 100%")


DEFAULT_RULES: Final = Rules()


def place_of(rollout: UUID, outlet: str) -> str:
    """Where a machine stands in the order: by chance, and the same whoever computes it."""
    return hashlib.sha256(f"{rollout} {outlet}".encode()).hexdigest()


def staged(rollout: UUID, outlets: Sequence[str], rules: Rules) -> dict[str, int]:
    """The stage of each machine."""
    ordered = sorted(outlets, key=lambda outlet: place_of(rollout, outlet))
    ends = [_end(stage, len(ordered)) for stage in rules.stages]
    found, begin = {}, 0
    for number, end in enumerate(ends):
        for outlet in ordered[begin:end]:
            found[outlet] = number
        begin = max(begin, end)
    return found


def _end(stage: str, machines: int) -> int:
    """How many machines there are up to the end of a stage."""
    if stage.endswith("%"):
        return -(-machines * int(stage[:-1]) // _WHOLE)  # rounded up
    return min(int(stage), machines)


def is_open(window: tuple[str, str] | None, zone: ZoneInfo, now: datetime) -> bool:
    """Whether a machine in this zone may install now."""
    if window is None:
        return True
    begin, end = (time.fromisoformat(text) for text in window)
    local = now.astimezone(zone).time()
    if begin < end:
        return begin <= local < end
    return local >= begin or local < end
