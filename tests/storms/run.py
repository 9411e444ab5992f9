"""A storm from its seed to its verdict, and what many of them add up to."""

import random
import time
from collections import Counter

from tests.storms import builds, coffee, counter, printers, receipts, stock, walk_ins
from tests.storms.chronicle import Chronicle
from tests.storms.clicks import Clicks, read
from tests.storms.compare import Breach, Comparison, books, evidence
from tests.storms.compare_charges import Charges, tills
from tests.storms.compare_charges import evidence as charged_evidence
from tests.storms.history import Shape, history
from tests.storms.storm import NotSettledError, Storm
from tests.storms.town import Town


class Report:
    """Of all storms over one town."""

    def __init__(self) -> None:
        self.chronicle = Chronicle()
        self.breaches: list[str] = []
        self.ends: dict[str, int] = {}
        self.storms = 0
        self.raged_s = 0.0

    def line(self) -> str:
        """What became of every payment so far."""
        ends = ", ".join(f"{count} {end}" for end, count in sorted(self.ends.items()))
        return f"{self.chronicle.counts['payment']} payments: {ends}"

    async def whole(self, town: Town) -> str:
        """Faults put in, moves seen, and every breach with its evidence."""
        faults = "\n".join(f"  {count:5} {what}" for what, count in
                           sorted(self.chronicle.counts.items()))  # fmt: skip
        deaths = ", ".join(f"{part.name} {part.deaths}" for part in town.parts.values())
        seen, missed = await moves_covered(town)
        return "\n".join(
            [
                f"\nFaults put in, {self.storms} storms:\n{faults}",
                f"Deaths at a commit or a send: {deaths}",
                f"Moves of the tables: {len(seen)} of {len(seen) + len(missed)} seen; not seen:",
                *(f"  {move}" for move in missed),
                f"\n{self.line()}",
                f"{len(self.breaches)} breaches",
                *self.breaches,
            ]
        )


async def run_storm(town: Town, seed: int, shape: Shape, report: Report) -> None:
    """Rage, settle, compare; breaches are added to the report with their evidence."""
    report.storms += 1
    await town.refill()
    storm = Storm(town, report.chronicle)
    began = time.monotonic()
    async with storm.watched():
        await coffee.allow_all_denials(town)
        drinking = coffee.coffees(random.Random(seed + 1), shape.seconds, shape.coffees)
        refusing = receipts.tills(random.Random(seed + 2), shape.seconds, shape.tills)
        await counter.fill(town)
        ordering = counter.visits(random.Random(seed + 3), shape.seconds, shape.visits)
        standing = walk_ins.entries(random.Random(seed + 7), shape.seconds, shape.walk_ins)
        filling = stock.refills(random.Random(seed + 4), shape.seconds, shape.refills)
        building = builds.waves(random.Random(seed + 5), shape.seconds, len(town.boards))
        jamming = printers.troubles(random.Random(seed + 6), shape.seconds, shape.papers)
        happening = (
            *history(seed, shape), *drinking, *refusing, *ordering, *filling, *building,
            *jamming, *standing,
        )  # fmt: skip
        events = sorted(happening, key=lambda event: event.at_s)
        await storm.rage(events)
        report.raged_s = time.monotonic() - began
        await compare(storm, report, f"seed {seed}")
    await audit(town, report, f"seed {seed}")


async def compare(storm: Storm, report: Report, name: str) -> None:
    """Settle, then lay the books side by side. Breaches go to the report."""
    town, found = storm.town, list[str]()
    try:
        await storm.settle()
    except NotSettledError as error:
        found.append(f"not settled:\n{error}")
    found += town.falls()
    comparison = Comparison(await books(town), report.chronicle)
    for breach in comparison.breaches():
        found.append(await evidence(town, breach))
    charged = Charges(await tills(town, report.chronicle), report.chronicle.charges)
    for breach in charged.breaches():
        found.append(await charged_evidence(town, breach, report.chronicle.charges))
    pressed = Clicks(report.chronicle.clicks, await read(town))
    found += pressed.breaches()
    brewed: Counter[str] = Counter()
    found += map(str, coffee.breaches(await coffee.books(town), report.chronicle, brewed))
    fiscal: Counter[str] = Counter()
    try:
        found += map(str, await receipts.compared(storm, fiscal))
    except NotSettledError as error:
        found.append(f"receipts did not settle:\n{error}")
    served: Counter[str] = Counter()
    found += map(str, counter.breaches(await counter.books(town), report.chronicle, served))
    printed: Counter[str] = Counter()
    found += map(str, await printers.compared(town, report.chronicle, printed))
    held: dict[str, int] = {}
    found += map(str, await stock.compared(town, held))
    found += map(str, await builds.compared(town, held))
    found += await town.listeners.breaches()
    report.ends = {**comparison.ends, **charged.ends, **pressed.ends, **brewed, **fiscal}
    report.ends |= served | printed | held
    report.breaches += [f"{name}: {each}" for each in found]


async def audit(town: Town, report: Report, name: str) -> None:
    """What our own audit finds wrong in all that happened so far goes to the report."""
    for check in (await town.audit())["checks"]:
        if not check["ok"]:
            report.breaches.append(f"{name}: audit: {check['name']}: {check['rows']}")


async def moves_covered(town: Town) -> tuple[Counter[str], list[str]]:
    """Rows of the tables that were moved along, and those that were not."""
    rows = await town.rows(
        "SELECT t.machine, t.state, t.event, count(e.seq) AS n FROM transitions t"
        " LEFT JOIN events e ON (e.machine, e.was, e.event) = (t.machine, t.state, t.event)"
        " GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
    )
    named = {f"{r['machine']}: {r['state']} + {r['event']}": r["n"] for r in rows}
    seen = Counter({name: count for name, count in named.items() if count})
    return seen, [name for name, count in named.items() if not count]


__all__ = ["Breach", "Report", "audit", "compare", "moves_covered", "run_storm"]
