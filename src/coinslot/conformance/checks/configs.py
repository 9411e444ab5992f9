"""Configurations: whole, newer, and only while nothing is open."""

from coinslot.channels.messages import Hello, Outcome, Refusal, Reject
from coinslot.conformance.bench import Bench, BrokenError, NotApplicableError, must_be
from coinslot.conformance.checks import check


def _knows(bench: Bench) -> int:
    """The version that it has."""
    version = bench.hello.config_version
    if version is None:
        raise NotApplicableError("HELLO names no config_version: it takes no configurations")
    return version


async def _taken(bench: Bench, version: int) -> bool:
    """Send it until a HELLO says that it is there, as a server does: it may be lost, or come while
    the device cannot take it."""
    bench.config_version = version
    since, ends = bench.mark, bench.now() + bench.tested.patience.answer_s

    def said() -> bool:
        return any(hello.config_version == version for hello in bench.all(Hello, since))

    while not said() and bench.now() < ends:
        await bench.configure(version)
        await bench.until(said, min(2 * bench.resend_s + 0.1, bench.tested.patience.answer_s))
    return said()


async def configured(bench: Bench) -> int:
    """A newer configuration, which it says that it has."""
    version = _knows(bench) + 1
    if not await _taken(bench, version):
        raise BrokenError(f"CONFIG {version} was not answered by a HELLO with that version")
    return version


@check("config", "messages: CONFIG")
async def a_newer_one(bench: Bench) -> str:
    """A newer configuration is applied, and said in HELLO; the versions in it are compared with
    those of OFFER."""
    version = await configured(bench)
    for name, code in (
        ("price_version", Refusal.PRICE_VERSION), ("planogram_version", Refusal.PLANOGRAM),
    ):  # fmt: skip
        unit = bench.unit()
        since = bench.mark
        await bench.send(bench.offer_of(unit), **{name: 77})
        rejected = await bench.first(Reject, unit, since)
        if rejected.code is not code:
            raise BrokenError(f"another {name}: REJECT {rejected.code}, where {code} was due")
    return f"version {version}"


@check("config-hash", "messages: CONFIG")
async def not_whole(bench: Bench) -> str:
    """A configuration whose sha256 is wrong is not applied, nor an older one."""
    version = await configured(bench)
    await bench.configure(version + 2, sha256="0" * 64)
    await bench.configure(version - 1)
    if not await _taken(bench, version + 1):
        raise BrokenError(f"it says version {bench.hello.config_version} after one with a wrong"
                          f" sha256, and not {version + 1}")  # fmt: skip
    return f"kept {version}, then took {version + 1}"


@check("config-open", "rule 7")
async def not_while_open(bench: Bench) -> str:
    """While a unit is open no configuration is applied; after it, the newer one is."""
    version = _knows(bench) + 1
    of = await bench.accepted()
    since = bench.mark
    await bench.configure(version)
    await bench.pause()
    _still(bench, version, since)
    await bench.send(bench.go_of(of))
    must_be(await bench.result(of.unit), Outcome.VENDED)
    if bench.hello.config_version != version and not await _taken(bench, version):
        raise BrokenError("not applied after the unit had ended either")
    return "after the unit had ended"


def _still(bench: Bench, version: int, since: int) -> None:
    if any(hello.config_version == version for hello in bench.all(Hello, since)):
        raise BrokenError("applied while a unit was open")
