"""What was measured, as a page: ratios first, then how they came to be."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from math import log10
from operator import attrgetter
from statistics import median

from msgspec import Struct

from bench.idle import Cost, Usage
from bench.laps import AT_ONCE, PACE_PER_S, Lap, Spent
from bench.measure import WARM_S, Round, Rounds, share
from bench.outgoing import Sent, section

_AIM_RATIO, _AIM_P99_MS, _AIM_BUY_P95_MS = 0.50, 50, 25
_TABLES_SHOWN = 12
_FAR = 10_000_000
_DISTURBED = 0.15  # of the processor time, for others

_INTRO = """\
# What it costs and how fast it is

Written by `make bench ARGS=--write`: one computer, one run, the load on the same cores. In every
lap each thing is measured once, one after the other and in changing order, so that all meet the
same neighbours; ratios are of one lap, and the median of the laps is told. PostgreSQL is the
embedded one as it is installed: on disk, every commit waits for it.

- **(a)** pgbench with the very statement that a webhook becomes, {at_once} clients.
- **(b)** signed webhooks of 1.5 KB over HTTP to `coinslot web`, {at_once} connections; an answer
  counts when the order is paid and on the disk, and the orders are counted afterwards.
- **(c)** webhooks to `coinslot serve`, until the OFFER is at the machine's own MQTT connection
  behind the embedded broker. The machines vend at once: ACCEPT, GO, STARTED, RESULT and their
  commits run beside and are part of the load. Once with {at_once} customers at a time, the next
  paying when a machine got its OFFER; once with {pace} customers per second who wait for nobody.
- **(d)** `POST /payments` and its confirm with an API key at `coinslot web`. The gateway is the
  mock, which answers inside the process at once: all of the time is our own. Once with {at_once}
  buyers at a time, once with {pace} per second; every payment is found captured afterwards.
- **(e)** signed webhooks out of `coinslot worker`, which had them due, to a server here that
  answers at once; against a loop that only signs and sends.
"""


class Beside(Struct, frozen=True, kw_only=True):
    """What else was measured."""

    sent: Sent | None = None


def page(
    laps: Mapping[int, Sequence[Lap]],
    costs: Sequence[Cost],
    facts: Iterable[tuple[str, str]],
    at: datetime,
    beside: Beside | None = None,
) -> str:
    """The whole page."""
    beside = beside or Beside()
    measured = bool(laps) and all(laps.values())  # a lap that failed is said elsewhere
    of_laps = [
        ("In one look", _ratios),
        ("Throughput and latency", _rounds),
        ("Where the time goes", _spent),
        ("What a sale leaves behind", _kept),
    ]
    parts = [
        _INTRO.format(at_once=AT_ONCE, pace=PACE_PER_S),
        *(f"## {name}\n\n" + section_of(laps) for name, section_of in of_laps if measured),
        *(["## Webhooks that go out\n\n" + section(beside.sent)] if beside.sent else []),
        "## Machines that only stand there\n\n" + _idle(costs),
        "## Where and how noisy\n\n" + _noise(laps, facts, at),
    ]
    return "\n".join(parts)


def ratio(laps: Sequence[Lap], name: str) -> float:
    """(b) or (c) against (a), the median of the laps."""
    return median(_of(lap, name).per_s / lap.pgbench.per_s for lap in laps)


def _of(lap: Lap, name: str) -> Round:
    """`bought.both` is the round `both` of what was bought."""
    found: Round = attrgetter(name)(lap)
    return found


def _ratios(laps: Mapping[int, Sequence[Lap]]) -> str:
    first = min(laps)
    lines = [
        f"(b)/(a) = {ratio(laps[first], 'taken'):.2f}",
        f"(c)/(a) = {ratio(laps[first], 'offered'):.2f}",
        f"(d)/(a) = {ratio(laps[first], 'bought.both'):.2f}",
    ]
    sizes = sorted(laps)
    rows = [
        ["(b)/(a)", f"{_AIM_RATIO:.2f}", *(f"{ratio(laps[n], 'taken'):.2f}" for n in sizes)],
        ["(b)/(a) by processor time", "", *(f"{_by_cores(laps[n]):.2f}" for n in sizes)],
        ["(c)/(a)", "", *(f"{ratio(laps[n], 'offered'):.2f}" for n in sizes)],
        [
            f"p99 of (c) at {PACE_PER_S} webhooks/s, or half of what goes",
            f"{_AIM_P99_MS} ms",
            *(f"{_pooled(laps[n], 'paced'):.0f} ms at {_pace(laps[n]):.0f}/s" for n in sizes),
        ],
        ["(d)/(a)", "", *(f"{ratio(laps[n], 'bought.both'):.2f}" for n in sizes)],
        [
            f"p95 of (d) at {PACE_PER_S} payments/s, both calls",
            f"{_AIM_BUY_P95_MS} ms",
            *(f"{_pooled(laps[n], 'bought_paced.both', 0.95):.0f} ms" for n in sizes),
        ],
    ]
    for said, name in (
        ("(a)", "pgbench"),
        ("(b)", "taken"),
        ("(c)", "offered"),
        ("(d)", "bought.both"),
    ):
        growth = (_growth(laps[first], laps[n], name) for n in sizes)
        rows.append([f"{said} against the fewest orders", "1.00", *growth])
    head = ["", "aim", *(f"{existing:,} orders before" for existing in sizes)]
    told = "\n".join(f"    {line}" for line in lines)
    return (
        f"With {first:,} orders before:\n\n{told}\n\n{_disturbed(laps)}{_table(head, rows)}\n\n"
        "By processor time: what PostgreSQL needs for a webhook, against what all need for it. "
        "Neighbours\nwho take turns with us hardly change it, while they slow the few processes "
        "of (b) down more than\nthe many of (a).\n"
    )


def _disturbed(laps: Mapping[int, Sequence[Lap]]) -> str:
    others = median(lap.others for of in laps.values() for lap in of)
    if others < _DISTURBED:
        return ""
    return (
        f"**A disturbed run:** {others:.0%} of the processor time went to other programs meanwhile."
        "\nRates are too low and latencies too high to be judged by; run it again on a quiet "
        "computer.\n\n"
    )


def _pace(laps: Sequence[Lap]) -> float:
    return median(lap.pace_per_s for lap in laps)


def _by_cores(laps: Sequence[Lap]) -> float:
    return median(lap.spent.postgres_ms / sum(_parts(lap.spent)) for lap in laps)


def _parts(spent: Spent) -> list[float]:
    return [getattr(spent, name) for name in Spent.__struct_fields__]


def _growth(few: Sequence[Lap], many: Sequence[Lap], name: str) -> str:
    pairs = zip(few, many, strict=True)
    return f"{median(_of(m, name).per_s / _of(f, name).per_s for f, m in pairs):.2f}"


def _pooled(laps: Sequence[Lap], name: str, part: float = 0.99) -> float:
    return share([ms for lap in laps for ms in _of(lap, name).took_ms], part)


def _rounds(laps: Mapping[int, Sequence[Lap]]) -> str:
    names = (
        ("(a) pgbench", "pgbench"),
        ("(b) paid orders", "taken"),
        ("(c) OFFERs, as many as go", "offered"),
        ("(c) OFFERs at an even pace", "paced"),
        ("(d) payments made and confirmed, as many as go", "bought.both"),
        (f"(d) made at {PACE_PER_S}/s", "bought_paced.create"),
        (f"(d) confirmed at {PACE_PER_S}/s", "bought_paced.confirm"),
        (f"(d) both at {PACE_PER_S}/s", "bought_paced.both"),
    )
    rows = []
    for existing in sorted(laps):
        for said, name in names:
            rounds = [_of(lap, name) for lap in laps[existing]]
            counted = sum(len(one.took_ms) for one in rounds)
            of = Rounds(rounds=rounds)
            rows.append(
                [
                    f"{existing:,}", said, f"{of.per_s:,.0f}", of.spread,
                    *(f"{_pooled(laps[existing], name, p):.1f}" for p in (0.5, 0.95, 0.99)),
                    f"{counted:,}",
                ]
            )  # fmt: skip
    head = ["orders before", "", "per second", "laps", "p50 ms", "p95 ms", "p99 ms", "counted"]
    return _table(head, rows) + (
        "\n\nPer second: the median of the laps; laps: the slowest and the fastest against it.\n"
        f"The first {WARM_S:.0f} s of a round does not count. Latencies are of all laps together.\n"
    )


def _spent(laps: Mapping[int, Sequence[Lap]]) -> str:
    rows = []
    for said, name in (("(b)", "spent"), ("(c), to the can", "spent_vending")):
        for existing in sorted(laps):
            each = zip(*(_parts(getattr(lap, name)) for lap in laps[existing]), strict=True)
            parts = [median(part) for part in each]
            cells = (f"{part:.2f}" for part in (*parts, sum(parts)))
            rows.append([said, f"{existing:,}", *cells])
    head = ["", "orders before", "coinslot ms", "broker ms", "PostgreSQL ms", "load ms", "together"]
    return (
        "Processor time of one order; in (c) up to the books after the machine's result, and with\n"
        "what the fake machines use themselves:\n\n"
        + _table(head, rows)
        + f"\n\nLoad: what makes the customers and the machines, {_load_share(laps):.0%} of (c).\n"
        + _grown(laps)
        + _slow_moments(laps)
    )


def _load_share(laps: Mapping[int, Sequence[Lap]]) -> float:
    every = [lap.spent_vending for of in laps.values() for lap in of]
    return median(spent.load_ms / sum(_parts(spent)) for spent in every)


def _grown(laps: Mapping[int, Sequence[Lap]]) -> str:
    """What a vend costs at 10 million orders, by the line through the fewest and the most that were
    measured, over the logarithm of their number: as a search in a tree grows."""
    few, many = min(laps), max(laps)
    if few == many:
        return ""
    cost = [median(sum(_parts(lap.spent_vending)) for lap in laps[n]) for n in (few, many)]
    slope = (cost[1] - cost[0]) / log10(many / few)
    then = cost[1] + slope * log10(_FAR / many)
    return (
        f"\n{cost[0]:.1f} ms at {few:,} orders and {cost[1]:.1f} ms at {many:,} are "
        f"{then:.1f} ms at {_FAR:,}:\ncomputed, not measured.\n"
    )


def _slow_moments(laps: Mapping[int, Sequence[Lap]]) -> str:
    lines = [
        f"- {existing:,} orders before, lap {number}: "
        + ", ".join(f"{ms:.0f} ms at second {at:.1f}" for at, ms in lap.slowest)
        for existing in sorted(laps)
        for number, lap in enumerate(laps[existing], start=1)
        if lap.slowest
    ]
    return (
        "\nThe slowest moments of (c) at an even pace:\n\n" + "\n".join(lines) + "\n"
        if lines
        else ""
    )


def _kept(laps: Mapping[int, Sequence[Lap]]) -> str:
    rows = [
        [f"{existing:,}", f"{median(lap.kept_bytes for lap in laps[existing]) / 1024:.1f}"]
        for existing in sorted(laps)
    ]
    fewest = laps[min(laps)]
    by_table = {
        name: median(lap.kept_in.get(name, 0) for lap in fewest)
        for name in {name for lap in fewest for name in lap.kept_in}
    }
    largest = sorted(by_table.items(), key=lambda found: -found[1])[:_TABLES_SHOWN]
    return (
        "By how much the database grows with each order of (c), from the webhook to the books "
        "after the\nmachine's result: rows, their history and all indexes.\n\n"
        + _table(["orders before", "KiB of each sale"], rows)
        + "\n\nThe tables that grow most, of the fewest orders:\n\n"
        + _table(
            ["table", "KiB of each sale"],
            [[name, f"{kept / 1024:.2f}"] for name, kept in largest if kept > 0],
        )
        + "\n"
    )


def _idle(costs: Sequence[Cost]) -> str:
    rows = []
    for cost in costs:
        for usage in (cost.alone, cost.full):
            rows.append(
                [
                    cost.channel, f"{usage.machines:,}", f"{usage.device_mib:.0f}",
                    f"{usage.device_core:.1%}", f"{usage.broker_mib:.0f}",
                    f"{usage.broker_core:.1%}", f"{usage.postgres_core:.1%}",
                    f"{usage.transactions_per_s:.1f}",
                ]
            )  # fmt: skip
    head = ["channel", "machines", "device MiB", "device core", "broker MiB", "broker core",
            "PostgreSQL core", "transactions/s"]  # fmt: skip
    return (
        "`coinslot device`, each machine connected and heard every 5 s; shares of one core.\n\n"
        + _table(head, rows)
        + "\n\nSo one machine more costs:\n\n"
        + "\n".join(f"- {_each(cost)}" for cost in costs)
        + "\n"
    )


def _each(cost: Cost) -> str:
    few, many = cost.alone, cost.full

    def more(name: str) -> float:
        return float(getattr(many, name) - getattr(few, name)) / (many.machines or 1)

    memory = more("device_mib") + more("broker_mib")
    cores = more("device_core") + more("broker_core") + more("postgres_core")
    return (
        f"{cost.channel}: {memory * 1024:.0f} KiB of memory ({more('broker_mib') * 1024:.0f} of it "
        f"the broker's), {cores:.3%} of a core, {more('transactions_per_s'):.4f} transactions/s"
    )


def _noise(
    laps: Mapping[int, Sequence[Lap]], facts: Iterable[tuple[str, str]], at: datetime
) -> str:
    others = [lap.others for of in laps.values() for lap in of]
    lines = [f"- {name}: {value}" for name, value in facts]
    if not others:
        return "\n".join([*lines, f"- When: {at:%Y-%m-%d %H:%M} UTC, no lap\n"])
    lines.append(f"- When: {at:%Y-%m-%d %H:%M} UTC, {len(next(iter(laps.values())))} laps")
    lines.append(
        f"- Noise: of the processor time used during the laps {median(others):.0%} was somebody "
        f"else's ({min(others):.0%} to {max(others):.0%}); how far the laps differ stands above"
    )
    return "\n".join(lines) + "\n"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def usage_line(usage: Usage) -> str:
    """For the progress of a run."""
    return (
        f"{usage.machines} machines: {usage.device_mib:.0f} MiB, {usage.device_core:.1%} core; "
        f"broker {usage.broker_mib:.0f} MiB, {usage.broker_core:.1%}"
    )
