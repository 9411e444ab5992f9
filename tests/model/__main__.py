"""`python -m tests.model [--deep]`: a line per variant and mutant, then a shortest trace of each
that fails. --deep adds the large worlds that the tests leave out.
"""

import sys
from collections.abc import Iterator, Sequence

from .config_variants import CONFIG_DEEPER, CONFIG_HOLDS, CONFIG_LARGE, CONFIG_WEAKER, ConfigVariant
from .configs import model
from .explore import explore
from .mutants import MUTANTS
from .search import FLAGGED, Report, Search, wander
from .variants import DEEPER, HOLDS, WEAKER, Variant

HEAD = f"{'variant':<60} {'states':>8}  {'verdict':<54} steps"


def verdict(report: Report) -> tuple[str, int]:
    """What broke first, else what only the policy can cause, else that it holds; and the steps."""
    if report.first:
        return report.first, len(report.wrongs[report.first])
    for wrong, trace in report.wrongs.items():
        return "holds; by policy " + wrong.removesuffix(FLAGGED), len(trace)
    return "holds", 0


Tables = Iterator[tuple[str, Sequence[Variant | ConfigVariant]]]


def tables(deep: bool) -> Tables:
    """The tables, in reading order."""
    yield "The protocol", HOLDS + (DEEPER if deep else [])
    yield "Weaker protocols, or more promised than a machine can know", WEAKER
    mutants = [Variant(f"{m.number}. {m.name}", m.rules, m.expected) for m in MUTANTS if m.rules]
    yield "Mutants", mutants
    yield "Configurations", CONFIG_HOLDS + (CONFIG_DEEPER if deep else [])
    yield "Weaker rules for configurations", CONFIG_WEAKER


def searched(variant: Variant | ConfigVariant) -> Report:
    """All of its worlds."""
    if isinstance(variant, ConfigVariant):
        return Search(model(variant.rules)).run()
    return explore(variant.rules)


def main(deep: bool) -> None:
    """Print the tables as they are searched, then the traces."""
    total = 0
    traces: list[str] = []
    for title, variants in tables(deep):
        print(f"\n{title}\n{HEAD}")
        for variant in variants:
            report = searched(variant)
            total += report.states
            phrase, steps = verdict(report)
            print(f"{variant.name:<60} {report.states:>8,}  {phrase:<54} {steps or '':>5}")
            if report.wrongs:
                wrong = report.first or next(iter(report.wrongs))
                lines = "".join(f"\n    {step}" for step in report.wrongs[wrong])
                traces.append(f"{variant.name}\n  {wrong}:{lines}")
    walked = wander(model(CONFIG_LARGE), seed=1, walks=20_000 if deep else 200, steps=200)
    met = walked.first or "nothing wrong"
    print(f"\nConfigurations, walked by chance: {walked.states:,} steps, {met}")
    outside = [f"{m.number} ({m.name})" for m in MUTANTS if not m.rules]
    print(f"\nNot expressible here: {', '.join(outside)}.\n{total:,} states in all.\n")
    print("Shortest traces\n\n" + "\n\n".join(traces))


if __name__ == "__main__":
    main(deep="--deep" in sys.argv[1:])
