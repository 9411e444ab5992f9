"""All checks in their order, and the class that a device earns by them."""

import asyncio
from collections.abc import Callable, Collection, Iterable
from enum import StrEnum

from msgspec import Struct

from coinslot.channels.base import Guarantee
from coinslot.channels.messages import Hello
from coinslot.conformance.bench import Bench, BrokenError, NotApplicableError, SkippedError
from coinslot.conformance.checks import ALL, Check, configs, connecting, cuts, journals, vends

CHECK_BOUND_S = 900.0  # no check waits longer, whatever the device does

_ORDER = (
    "hello", "config", "unknown", "vend", "started-before-result", "accept-repeated",
    "offer-repeated", "offer-again", "busy", "stale-seq", "go-hmac", "go-slot", "go-boot",
    "go-late", "go-unknown", "go-replayed", "query-tombstone", "query-running", "query-forgotten",
    "disorder", "result-repeated", "evack-other", "journal-full", "config-hash", "config-open",
    "cut-offered", "cut-accepted", "cut-started", "cut-recorded", "power-accepted",
    "power-running", "started-before-motor", "power-result", "power-tombstone", "jam",
)  # fmt: skip
_ROOMS = (configs, connecting, cuts, journals, vends)  # importing them registers their checks
_G1, _G2 = Guarantee.G1, Guarantee.G2

# Judged over all that was said, when the others are done.
_AT_THE_END = (
    Check("readable", "messages", _G1, "", connecting.readable),
    Check("event-seq", "what must outlive a power cut", _G1, "", journals.event_numbers),
    Check("honest", "rule 6", _G1, "", journals.honest_outcomes),
    Check("not-retained", "getting connected", _G2, "", connecting.nothing_retained),
    Check("client-id", "getting connected", _G2, "", connecting.random_client_id),
    Check("qos", "getting connected", _G2, "", connecting.quality_of_service),
)


class Verdict(StrEnum):
    """What became of one check."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"  # caps the class: nobody knows
    ABSENT = "absent"  # the device does not have what it asks about


class Finding(Struct, frozen=True, kw_only=True):
    """One check and its verdict."""

    check: str
    rule: str
    needs: Guarantee
    asks: str
    verdict: Verdict
    why: str
    seconds: float


class Report(Struct, frozen=True, kw_only=True):
    """What a run found. `earned` is None where not even one vend went well."""

    machine: str
    firmware: str
    seed: int
    earned: Guarantee | None
    caps: list[str]  # why it is not more
    findings: list[Finding]


def checks() -> list[Check]:
    """All of them, in the order in which they run."""
    named = {check.name: check for check in ALL}
    end = [
        Check(c.name, c.rule, c.needs, " ".join((c.ask.__doc__ or "").split()), c.ask)
        for c in _AT_THE_END
    ]
    return [*(named[name] for name in _ORDER), *end]


async def examine(
    bench: Bench,
    seed: int,
    only: Collection[str] = (),
    tell: Callable[[Finding], None] = lambda finding: None,
) -> Report:
    """Ask all of it, of a device that has said HELLO. `only` names the checks that are wanted."""
    findings = []
    for check in checks():
        if only and check.name not in only and check.name != "hello":
            continue
        finding = await _ask(bench, check)
        findings.append(finding)
        tell(finding)
    hello = bench.all(Hello)
    return report_of(bench.tested.machine, hello[-1] if hello else None, seed, findings)


async def _ask(bench: Bench, check: Check) -> Finding:
    began = bench.now()
    try:
        async with asyncio.timeout(CHECK_BOUND_S):
            verdict, why = Verdict.PASSED, await check.ask(bench)
    except BrokenError as error:
        verdict, why = Verdict.FAILED, str(error)
    except SkippedError as error:
        verdict, why = Verdict.SKIPPED, str(error)
    except NotApplicableError as error:
        verdict, why = Verdict.ABSENT, str(error)
    except TimeoutError:
        verdict, why = Verdict.FAILED, f"not over after {CHECK_BOUND_S:g} s"
    took_s = round(bench.now() - began, 3)
    await bench.settle()
    return Finding(
        check=check.name, rule=check.rule, needs=check.needs, asks=check.asks,
        verdict=verdict, why=why, seconds=took_s,
    )  # fmt: skip


def report_of(machine: str, hello: Hello | None, seed: int, findings: Iterable[Finding]) -> Report:
    findings = list(findings)
    earned: Guarantee | None = None
    caps: list[str] = []
    for level in Guarantee:
        caps = _missing(level, hello, findings)
        if caps:
            break
        earned = level
    return Report(
        machine=machine, firmware=hello.firmware if hello else "", seed=seed, earned=earned,
        caps=caps, findings=findings,
    )  # fmt: skip


def _missing(level: Guarantee, hello: Hello | None, findings: list[Finding]) -> list[str]:
    """What stands between the device and this class."""
    bad = (Verdict.FAILED, Verdict.SKIPPED)
    missing = [
        f"{level} needs {one.check}, which {one.verdict}: {one.why}"
        if one.verdict is Verdict.FAILED
        else f"{level} needs {one.check}, which was skipped: {one.why}"
        for one in findings
        if one.needs == level and one.verdict in bad
    ]
    if hello is None:
        return [*missing, f"{level} needs a HELLO, and none came"]
    if level is Guarantee.G2 and not hello.capabilities.journal:
        missing.append("G2 needs a journal, and HELLO names none")
    if level is Guarantee.G3 and not hello.capabilities.sensor:
        missing.append("G3 needs a drop sensor, and HELLO names none")
    asked = {one.check for one in findings}
    unasked = [c.name for c in checks() if c.needs == level and c.name not in asked]
    if unasked:
        missing.append(f"{level} needs checks that were not asked: {', '.join(unasked)}")
    return missing
