"""`python -m tests.storms [--minutes 10] [--seed 7]`: storms over one town, until the time is over
or a promise is broken. Prints seeds, transitions and faults covered, and what was found."""

import argparse
import asyncio
import logging
import random
import sys
import tempfile
import time
from pathlib import Path

import structlog

from tests.storms.history import Shape
from tests.storms.run import Report, run_storm
from tests.storms.town import Town

ROUNDS_WITHOUT_LIMIT = 1


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.storms", description=__doc__)
    parser.add_argument(
        "--seed", type=int, default=None, help="of the first storm; others count on"
    )
    parser.add_argument("--minutes", type=float, default=0.0, help="new storms until then")
    parser.add_argument("--payments", type=int, default=Shape().payments, help="in each storm")
    parser.add_argument("--seconds", type=float, default=Shape().seconds, help="that a storm rages")
    parser.add_argument("--data", type=Path, default=None, help="folder of the town, kept")
    chosen = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    seed = chosen.seed if chosen.seed is not None else random.SystemRandom().randrange(10**6)
    shape = Shape(seconds=chosen.seconds, payments=chosen.payments)
    if chosen.data is not None:
        return asyncio.run(rage_on(chosen.data, seed, shape, chosen.minutes))
    with tempfile.TemporaryDirectory(prefix="storm-") as folder:
        return asyncio.run(rage_on(Path(folder), seed, shape, chosen.minutes))


async def rage_on(folder: Path, seed: int, shape: Shape, minutes: float) -> int:
    until = time.monotonic() + minutes * 60
    report = Report()
    async with Town(folder) as town:
        while not report.breaches:
            print(f"storm with seed {seed} ...", flush=True)
            began = time.monotonic()
            await run_storm(town, seed, shape, report)
            print(
                f"  {report.line()} in {time.monotonic() - began:.0f} s"
                f" ({report.raged_s:.0f} s of storm)",
                flush=True,
            )
            seed += 1
            if time.monotonic() > until:
                break
        print(await report.whole(town))
    return 1 if report.breaches else 0


if __name__ == "__main__":
    sys.exit(main())
