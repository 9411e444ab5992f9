"""How many payment codes a machine's page may have made at its gateway, and for whom: up to a limit
in a minute, and for one network up to its share, so that a stranger who orders and never pays
cannot use them all."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec import Struct

MINUTE = timedelta(minutes=1)


class Made(Struct, frozen=True):
    """A code that was made, or will be at this time."""

    at: datetime
    network: str | None
    unpaid: bool


class Budget(Struct, frozen=True, kw_only=True):
    """All codes of one machine. A network is one address, or what a provider gives to one
    customer."""

    per_minute: int
    network_per_minute: int
    network_unpaid: int  # in `unpaid_for`, and while it waits for its code
    unpaid_for: timedelta


def first_free(
    budget: Budget, made: Sequence[Made], network: str | None, now: datetime
) -> datetime | None:
    """The earliest time for one more code; None when its network has to pay first, or wait until
    its unpaid codes no longer count. Without a network only the machine's limit counts."""
    theirs = [one for one in made if network is not None and one.network == network]
    unpaid = [one for one in theirs if one.unpaid and one.at > now - budget.unpaid_for]
    if len(unpaid) >= budget.network_unpaid:
        return None
    free = [now, *sorted(one.at + MINUTE for one in made if one.at + MINUTE > now)]
    return next(
        at
        for at in free
        if _fits([one.at for one in made], at, budget.per_minute)
        and _fits([one.at for one in theirs], at, budget.network_per_minute)
    )


def _fits(times: Sequence[datetime], wanted: datetime, most: int) -> bool:
    """No minute that holds `wanted` would hold more than `most`."""
    with_it = sorted([*times, wanted])
    ends = [end for end in with_it if wanted <= end < wanted + MINUTE]
    return all(sum(end - MINUTE < at <= end for at in with_it) <= most for end in ends)
