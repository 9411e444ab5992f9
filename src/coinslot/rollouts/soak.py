"""The soak: do machines with the new build sell as well as the others? Of each thing that can be
worse it is asked how likely the difference were by chance, if there was none; at less than `level`
it is called worse. Pure arithmetic: docs/fleet.md says what is compared with what."""

from math import exp, lgamma, log
from typing import Final

from msgspec import Struct

TESTS: Final = ("failed", "doubted", "put_off", "late", "restarts", "unheard")


class Group(Struct, frozen=True, kw_only=True):
    """What machines did in some time. `offline`: machines that were unheard for a tenth of it or
    more."""

    machines: int = 0
    vends: int = 0  # units that were offered to the machine and are settled
    failed: int = 0
    doubted: int = 0  # units of which nobody knew for a while
    put_off: int = 0  # units that it would not take at once, or did not answer for
    late: int = 0  # units that took longer than they may
    restarts: int = 0
    hours: float = 0.0
    offline: int = 0


class Verdict(Struct, frozen=True, kw_only=True):
    """`good`: may it go on. `chances`: of each test, how likely so much worse were by chance."""

    good: bool
    reason: str  # '', 'few_vends', or 'worse_' and the first test that it failed
    chances: dict[str, float]
    new: Group
    old: Group


def judge(new: Group, old: Group, vends: int, level: float) -> Verdict:
    """Too few vends, of the new code or of what it is compared with, are never good: a person has
    to look. `vends`: as many as the rules ask for; `level`: below it no difference is chance."""
    chances = {
        "failed": fisher(new.failed, new.vends, old.failed, old.vends),
        "doubted": fisher(new.doubted, new.vends, old.doubted, old.vends),
        "put_off": fisher(new.put_off, new.vends, old.put_off, old.vends),
        "late": fisher(new.late, new.vends, old.late, old.vends),
        "restarts": rate(new.restarts, new.hours, old.restarts, old.hours),
        "unheard": fisher(new.offline, new.machines, old.offline, old.machines),
    }
    worse = next((name for name in TESTS if chances[name] < level), None)
    few = min(new.vends, old.vends) < least_vends(vends, level)
    reason = f"worse_{worse}" if worse else "few_vends" if few else ""
    return Verdict(good=not reason, reason=reason, chances=chances, new=new, old=old)


def least_vends(vends: int, level: float) -> int:
    """How many each side needs: `vends`, and so many that code which fails them all is called
    worse. Four that fail beside four good ones may still be chance at 0.01: one case in 70."""
    while fisher(vends, vends, 0, vends) >= level:
        vends += 1
    return vends


def fisher(bad: int, of: int, bad_before: int, of_before: int) -> float:
    """Fisher's exact test, one-sided: the chance of at least so many bad ones among the first, when
    all the bad ones are spread over both by chance."""
    total, all_bad = of + of_before, bad + bad_before
    if not of or not of_before or not bad:
        return 1.0
    most = min(all_bad, of)
    every = _choose(total, of)
    chance = sum(
        exp(_choose(all_bad, k) + _choose(total - all_bad, of - k) - every)
        for k in range(bad, most + 1)
        if of - k <= total - all_bad
    )
    return min(chance, 1.0)


def rate(count: int, hours: float, count_before: int, hours_before: float) -> float:
    """Two rates, one-sided and exact: of all that happened, how many fall by chance into so much
    of the time (binomial)."""
    total, share = count + count_before, hours / (hours + hours_before or 1.0)
    if not count or not hours or not hours_before:
        return 1.0
    chance = sum(
        exp(_choose(total, k) + k * log(share) + (total - k) * log(1 - share))
        for k in range(count, total + 1)
    )
    return min(chance, 1.0)


def _choose(of: int, some: int) -> float:
    """The logarithm of the binomial coefficient."""
    return lgamma(of + 1) - lgamma(some + 1) - lgamma(of - some + 1)
