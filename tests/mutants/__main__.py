"""`python -m tests.mutants [numbers] [--storms MINUTES]`: put every known mistake in, and see each
one caught. Exit code 1 when a mutant survives its tests, or when these fail without it.
"""

import argparse
import sys

from tests.model.explore import explore
from tests.model.mutants import MUTANTS
from tests.mutants import (
    board,
    coffee,
    config,
    counter,
    firmware,
    money,
    receipts,
    rollouts,
    speed,
    stock,
    telemetry,
)
from tests.mutants.all import BESIDE, IN_CODE
from tests.mutants.edits import Mutation
from tests.mutants.trial import sound, stormed, tried

NAMES = {mutant.number: mutant.name for mutant in MUTANTS}
NAMES |= firmware.NAMES | coffee.NAMES | receipts.NAMES | counter.NAMES | board.NAMES | money.NAMES
NAMES |= config.NAMES | stock.NAMES | speed.NAMES | rollouts.NAMES | telemetry.NAMES


def main() -> int:
    """The mutants of these numbers, or all."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("numbers", type=int, nargs="*", help="of mutants; all when none is named")
    parser.add_argument("--storms", type=float, default=0.0, help="minutes of storms for each too")
    parser.add_argument("--seed", type=int, default=1, help="of the first storm")
    asked = parser.parse_args()
    wanted = set(asked.numbers) or set(NAMES)
    chosen = [mutation for mutation in (*IN_CODE, *BESIDE) if mutation.number in wanted]
    print("In the model:")
    survivors = _in_the_model(wanted)
    print("\nIn the code; first everything without a mistake ...", flush=True)
    wrong = sound(chosen)
    if wrong:
        print(f"{wrong}\nThe tests fail without any mutant: nothing can be said.")
        return 1
    survivors += _in_the_code(chosen)
    if asked.storms:
        _in_storms(chosen, asked.storms, asked.seed)
    print(f"\n{survivors} survived" if survivors else "\nNone survived")
    return 1 if survivors else 0


def _in_the_model(wanted: set[int]) -> int:
    survivors = 0
    for mutant in MUTANTS:
        if mutant.number not in wanted or mutant.rules is None:
            continue
        report = explore(mutant.rules)
        caught = report.first == mutant.expected
        survivors += not caught
        said = f"{report.first or 'nothing'}, {report.states:,} states"
        _line(mutant.number, "model", caught, said)
    return survivors


def _in_the_code(chosen: list[Mutation]) -> int:
    survivors = 0
    for mutation in chosen:
        verdict = tried(mutation)
        survivors += not verdict.caught
        said = ", ".join(test.rpartition("::")[2] for test in mutation.red)
        if verdict.unseen:
            said = f"not noticed by {', '.join(verdict.unseen)}"
        elif verdict.broken:
            said = f"it breaks everything: {verdict.broken}"
        _line(mutation.number, mutation.where, verdict.caught, said)
    return survivors


def _in_storms(chosen: list[Mutation], minutes: float, seed: int) -> None:
    """A storm meets a mutant by luck: what it finds is told, and what it does not is no verdict."""
    print(f"\nIn storms of {minutes:g} minutes each, from seed {seed}:")
    for mutation in chosen:
        found = stormed(mutation, minutes, seed)
        _line(mutation.number, mutation.where, bool(found), found or "not met")


def _line(number: int, where: str, caught: bool, said: str) -> None:
    word = "red" if caught else "green"
    print(f"{number:>3}  {where:<8} {word:<9} {NAMES[number]}\n{'':>13}{said}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
