"""`make mutation ARGS="--seed 7 --sample 400 --only money"`: put generated mistakes in, one at a
time, run the tests that reach each, and list what no test notices.

Exit code 1 where fewer are killed than `--least` asks for.
"""

import argparse
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from queue import SimpleQueue

from tests.mutation.generate import mutants, readable
from tests.mutation.known import equivalents
from tests.mutation.mutant import Mutant, sample
from tests.mutation.old_rules import defines
from tests.mutation.plan import SCHEMA, Order, covering, is_migration
from tests.mutation.reach import KEPT, Reach, reach, reach_of
from tests.mutation.runner import Runner, Verdict, runner
from tests.mutation.targets import GROUPS, ROOT, SMALL, SMALL_TESTS

_KILLERS = KEPT / "killers.json"
_LAST = KEPT / "survivors.json"


_ALIVE = ("survived", "uncovered")


def main() -> int:
    asked = _asked()
    every = mutants(asked.only, {"small": SMALL} if asked.small else GROUPS)
    chosen = _chosen(every, asked)
    print(f"{len(every)} mutants, of which {len(chosen)} are tried", flush=True)
    if not asked.only and not asked.small:
        gone = set(equivalents()) - {m.id for m in every}
        print("".join(f"not in the code any more, take it out of survivors.toml: {name}\n"
                      for name in sorted(gone)), end="")  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        if asked.small:
            measured = reach_of(SMALL_TESTS, Path(folder))
        else:
            measured = reach(fresh=asked.fresh, as_measured=asked.as_measured, jobs=asked.jobs)
        verdicts: list[Verdict] = []
        for verdict in _told(_tried(chosen, measured, asked), len(chosen)):
            verdicts.append(verdict)
            if not asked.small:
                alive = [v.mutant.id for v in verdicts if v.word in _ALIVE]
                _LAST.write_text(json.dumps(alive), "utf-8")
    return _summed_up(verdicts, asked)


def _chosen(every: Sequence[Mutant], asked: argparse.Namespace) -> list[Mutant]:
    """What is named as changing nothing is neither tried nor counted."""
    known = equivalents()
    if asked.again:
        last = set(json.loads(_LAST.read_text("utf-8")))
        return [m for m in every if m.id in last and m.id not in known]
    wanted = (m for m in every if m.id not in known and m.operator.endswith(asked.mistake))
    drawn = sample(wanted, asked.seed, len(every))
    return list(islice((m for m in drawn if readable(m)), asked.after, asked.sample))


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="which sample is drawn")
    parser.add_argument("--sample", type=int, default=100, help="how many mutants")
    parser.add_argument("--after", type=int, default=0, help="go on behind so many of the sample")
    parser.add_argument("--only", action="append", default=[], metavar="GROUP|PATH",
                        help="a group of targets.py, or a word of a path")  # fmt: skip
    parser.add_argument("--mistake", default="", metavar="WORDS",
                        help="of this kind alone: `constant`, `drop a condition`")  # fmt: skip
    parser.add_argument("--jobs", type=int, default=1, help="mutants tried at a time")
    parser.add_argument("--bound", type=float, default=40.0, metavar="SECONDS",
                        help="of tests for one mutant")  # fmt: skip
    parser.add_argument("--least", type=float, default=90.0, help="per cent to be killed")
    parser.add_argument("--small", action="store_true", help="of the files that have no survivors")
    parser.add_argument("--again", action="store_true", help="only what survived the last time")
    parser.add_argument("--fresh", action="store_true", help="measure all tests anew")
    parser.add_argument("--as-measured", action="store_true", help="measure no tests")
    return parser.parse_args()


def _tried(
    chosen: Sequence[Mutant], measured: Reach, asked: argparse.Namespace
) -> Iterator[Verdict]:
    killers, order = _Killers(), Order(measured, asked.bound)
    todo: SimpleQueue[Mutant | None] = SimpleQueue()
    for each in chosen:
        todo.put(each)
    done: SimpleQueue[Verdict | None] = SimpleQueue()

    paths = sorted({test.split("::")[0] for test in measured.tests})

    def work() -> None:
        try:
            with runner(paths) as one:
                while not todo.empty():
                    mutant = todo.get()
                    assert mutant is not None
                    done.put(_one(one, mutant, measured, killers, order))
        finally:
            done.put(None)

    with ThreadPoolExecutor(asked.jobs) as pool:
        workers = [pool.submit(work) for _ in range(asked.jobs)]
        running = asked.jobs
        while running:
            verdict = done.get()
            if verdict is None:
                running -= 1
            else:
                yield verdict
        for worker in workers:
            worker.result()


def _one(
    one: Runner, mutant: Mutant, measured: Reach, killers: "_Killers", order: Order
) -> Verdict:
    reaching = covering(mutant, measured)
    while True:
        tests = order(mutant, reaching - one.red, killers.of(mutant))
        verdict = one.tried(mutant, tests, measured)
        if verdict.word == "survived" and SCHEMA in tests and _is_replaced(mutant):
            return verdict._replace(word="replaced")
        if verdict.word != "killed" or verdict.test not in measured.tests:
            return verdict
        if one.is_green(verdict.test, measured):
            killers.note(mutant, verdict.test)
            return verdict


def _is_replaced(mutant: Mutant) -> bool:
    """A rule that no database has any more, because a later migration gave it another."""
    return is_migration(mutant) and defines(mutant, (ROOT / mutant.path).read_text("utf-8"))


class _Killers:
    """Which tests have killed what is near: they are asked first the next time."""

    def __init__(self) -> None:
        kept = json.loads(_KILLERS.read_text("utf-8")) if _KILLERS.exists() else {}
        self._by_place: dict[str, Counter[str]] = {
            place: Counter(tests) for place, tests in kept.items()
        }

    def of(self, mutant: Mutant) -> dict[str, int]:
        near = self._by_place.get(_place(mutant), Counter())
        return dict(near.most_common(12))

    def note(self, mutant: Mutant, test: str) -> None:
        self._by_place.setdefault(_place(mutant), Counter())[test] += 1
        _KILLERS.parent.mkdir(parents=True, exist_ok=True)
        _KILLERS.write_text(json.dumps(self._by_place), "utf-8")


def _place(mutant: Mutant) -> str:
    return f"{mutant.path} {mutant.where}"


def _told(verdicts: Iterator[Verdict], of: int) -> Iterator[Verdict]:
    for number, verdict in enumerate(verdicts, start=1):
        yield verdict
        if verdict.word == "killed":
            test = verdict.test.rpartition("/")[2]
            print(f"{number}/{of} killed {verdict.seconds:.1f} s by {test}", flush=True)
        else:
            print(f"{number}/{of} {verdict.word.upper()} {verdict.seconds:.1f} s, "
                  f"{verdict.tests} tests: {verdict.mutant.id}", flush=True)  # fmt: skip
        if verdict.word in (*_ALIVE, "stillborn"):
            text = (ROOT / verdict.mutant.path).read_text("utf-8")
            print(verdict.mutant.diff(text) + f"\n{verdict.why}", flush=True)


def _summed_up(verdicts: Sequence[Verdict], asked: argparse.Namespace) -> int:
    count = Counter(verdict.word for verdict in verdicts)
    judged = count["killed"] + count["survived"] + count["uncovered"]
    score = 100 * count["killed"] / judged if judged else 100.0
    spent = sum(verdict.seconds for verdict in verdicts)
    print(f"\nSurvivors of seed {asked.seed}:")
    for verdict in verdicts:
        if verdict.word in _ALIVE:
            print(f"  {verdict.mutant.id}" + (" (uncovered)" if not verdict.tests else ""))
    print(
        f"{count['killed']} killed, {count['survived']} survived, {count['uncovered']} uncovered, "
        f"{count['time-out']} timed out, {count['stillborn']} stillborn, {count['replaced']} "
        f"replaced by later migrations: score {score:.1f} % of {judged}, "
        f"{spent / max(len(verdicts), 1):.1f} s each"
    )
    return 0 if score >= asked.least else 1


if __name__ == "__main__":
    sys.exit(main())
