"""`python -m tests.storms [--minutes 10] [--seed 7] [--every]`: storms over one town until the time
is over or a promise is broken. Prints seeds, transitions and faults covered, and what was found."""

import argparse
import asyncio
import logging
import random
import sys
import tempfile
import time
from pathlib import Path

import structlog

from tests.storms.every import die_everywhere
from tests.storms.history import Shape
from tests.storms.run import Report, run_storm
from tests.storms.town import BOARDS_AT_MOST, OURS, Town


def main() -> int:
    """1 when a promise was broken."""
    chosen = _arguments()
    logging.getLogger("asyncpg").setLevel(logging.CRITICAL)  # its connections are ours to cut
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    if chosen.data is not None:
        return asyncio.run(rage_on(chosen.data, chosen))
    with tempfile.TemporaryDirectory(prefix="storm-") as folder:
        return asyncio.run(rage_on(Path(folder), chosen))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.storms", description=__doc__)
    seed = random.SystemRandom().randrange(10**6)
    parser.add_argument("--seed", type=int, default=seed, help="of the first; others count on")
    parser.add_argument("--minutes", type=float, default=0.0, help="new storms until then")
    parser.add_argument("--payments", type=int, default=Shape().payments, help="in each storm")
    parser.add_argument("--seconds", type=float, default=Shape().seconds, help="that a storm rages")
    parser.add_argument("--clicks", type=int, default=Shape().clicks, help="in each storm")
    parser.add_argument("--coffees", type=int, default=Shape().coffees, help="in each storm")
    parser.add_argument("--visits", type=int, default=Shape().visits, help="of a counter, in each")
    parser.add_argument("--plans", type=int, default=Shape().plans, help="changed, in each")
    parser.add_argument(
        "--firmware", type=int, default=0, metavar="N", choices=range(len(BOARDS_AT_MOST) + 1),
        help=f"so many machines, of {', '.join(BOARDS_AT_MOST)}, run the firmware on MicroPython;"
        " a roll-out of it goes on in each storm",
    )  # fmt: skip
    parser.add_argument("--data", type=Path, default=None, help="folder of the town, kept")
    parser.add_argument(
        "--every", nargs="*", choices=OURS, metavar="PROCESS",
        help=f"one history, with a death at every commit and send, of {', '.join(OURS)}",
    )  # fmt: skip
    return parser.parse_args()


async def rage_on(folder: Path, chosen: argparse.Namespace) -> int:
    report = Report()
    async with Town(folder, chosen.firmware) as town:
        if chosen.every is not None:
            points = await die_everywhere(town, report, chosen.every or OURS)
            print(f"{points.total()} points at which a process died")
        else:
            shape = Shape(
                seconds=chosen.seconds, payments=chosen.payments, clicks=chosen.clicks,
                coffees=chosen.coffees, visits=chosen.visits, plans=chosen.plans,
            )  # fmt: skip
            await _storms(town, report, shape, chosen)
        print(await report.whole(town))
    return 1 if report.breaches else 0


async def _storms(town: Town, report: Report, shape: Shape, chosen: argparse.Namespace) -> None:
    until, seed = time.monotonic() + chosen.minutes * 60, chosen.seed
    while not report.breaches:
        print(f"storm with seed {seed} ...", flush=True)
        began = time.monotonic()
        await run_storm(town, seed, shape, report)
        took_s = time.monotonic() - began
        print(f"  {report.line()} in {took_s:.0f} s ({report.raged_s:.0f} s of storm)", flush=True)
        seed += 1
        if time.monotonic() > until:
            break


if __name__ == "__main__":
    sys.exit(main())
