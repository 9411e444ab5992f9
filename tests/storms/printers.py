"""The counter's printer in a storm: no paper, half a ticket, no power, a result that is lost or is
said twice. Two books of each job: what came out of it, and what the board says of it."""

import asyncio
import random
from collections import Counter
from typing import Any, Final

import httpx
from msgspec import Struct

from coinslot.app.demo_world import COUNTER, PRINTER
from tests.storms.chronicle import Chronicle
from tests.storms.compare import Breach
from tests.storms.history import Event
from tests.storms.town import AWAY, Town

FAULTS: Final = ("paper_out", "half", "mute", "twice", "offline", "cover_open")
_SOUND: Final = dict.fromkeys(FAULTS, False)
_AFTER_S: Final = (1.0, 4.0)  # a person sees to it
_TRIES, _TRY_S, _WITHIN_S = 40, 0.5, 60.0
_JOBS = """
SELECT j.token, j.kind, j.copy, coalesce(o.number, w.number) AS number,
    j.due_at IS NOT NULL AS open, j.printed_at IS NOT NULL AS printed,
    j.sent_at IS NOT NULL AS sent, j.units::text[] AS units,
    j.printed_at IS NULL AND j.said_by IS NULL
        AND (j.doubted_at IS NOT NULL OR j.failed_at IS NOT NULL) AS shown
FROM counter_prints j LEFT JOIN orders o ON o.id = j.order_id
    LEFT JOIN counter_walk_ins w ON w.id = j.walk_in_id
"""
# Pieces that somebody began to make and that are on no ticket.
_WITHOUT = """
SELECT u.id::text FROM counter_units u WHERE u.accepted_at IS NOT NULL AND NOT EXISTS (
    SELECT FROM counter_prints j WHERE j.kind = 'ticket' AND u.id = ANY (j.units))
"""


class Books(Struct):
    """Paper as the printer has it, and jobs as we have them."""

    papers: list[dict[str, Any]]
    jobs: list[dict[str, Any]]
    without: list[str]  # pieces


def troubles(dice: random.Random, seconds: float, count: int) -> list[Event]:
    """One fault after the other, each seen to a little later."""
    events = []
    for n in range(count):
        at = dice.uniform(0, seconds)
        after = at + dice.uniform(*_AFTER_S)
        fault = FAULTS[n % len(FAULTS)]
        events += [
            Event(round(at, 2), "printer", more={"fault": {fault: True}}),
            Event(round(after, 2), "printer", more={"fault": {fault: False}}),
        ]
    return events


async def break_it(town: Town, chronicle: Chronicle, fault: dict[str, bool]) -> None:
    chronicle.counts.update(f"printer {name}" for name, on in fault.items() if on)
    for _ in range(_TRIES):
        try:
            await town.ask("POST", f"/printers/{PRINTER}/fault", fault)
        except httpx.HTTPError:  # the sandbox is down
            await asyncio.sleep(_TRY_S)
        else:
            return


async def compared(town: Town, chronicle: Chronicle, ends: Counter[str]) -> list[Breach]:
    """Everything that is wrong once the printer is in order and no job is open."""
    await break_it(town, chronicle, _SOUND)
    loop = asyncio.get_running_loop()
    until = loop.time() + _WITHIN_S
    while True:
        try:
            found = await _books(town)
        except AWAY as error:
            if loop.time() > until:
                return [Breach("a printer's book cannot be read", COUNTER.code, repr(error))]
        else:
            if loop.time() > until or not any(job["open"] for job in found.jobs):
                return breaches(found, ends)
        await asyncio.sleep(_TRY_S)


async def _books(town: Town) -> Books:
    told = await town.ask("GET", "/books")
    return Books(
        papers=told["printers"].get(PRINTER, []),
        jobs=[dict(row) for row in await town.rows(_JOBS)],
        without=[row["id"] for row in await town.rows(_WITHOUT)],
    )


def breaches(found: Books, ends: Counter[str]) -> list[Breach]:
    """No ticket is lost unless the board says so; none is on two papers unless one says COPY."""
    papers = Counter(paper["job"] for paper in found.papers)
    whole = {paper["job"] for paper in found.papers if paper["whole"]}
    wrong = [Breach("a piece is made and on no ticket", unit, "") for unit in found.without]
    for job in found.jobs:
        name, told = job["token"], str(job)
        if job["open"]:
            wrong.append(Breach("a job of a printer does not end", name, told))
        elif not job["printed"] and not job["shown"]:
            wrong.append(Breach("a ticket is lost, and no board says so", name, told))
        if job["printed"] and name not in whole:
            wrong.append(Breach("printed, and no whole paper came out", name, told))
        if papers[name] > 1:
            wrong.append(Breach("one job is on two papers", name, f"{papers[name]}: {told}"))
        if papers[name] and not job["sent"]:
            wrong.append(Breach("paper of a job that was not sent", name, told))
        ends["tickets printed" if job["printed"] else "tickets that a board shows"] += 1
    known = {job["token"] for job in found.jobs}
    wrong += [
        Breach("paper that nobody ordered", paper["order"], str(paper))
        for paper in found.papers
        if paper["job"] not in known
    ]
    # Half a ticket ends before its code, which would say of which order it is.
    twice = Counter(p["order"] for p in found.papers if p["order"] and not p["copy"])
    papers_of = Counter(job["number"] or "" for job in found.jobs if not job["copy"])
    return wrong + [
        Breach("an order is on more papers than it has jobs", order, str(count))
        for order, count in twice.items()
        if count > papers_of[order]
    ]
