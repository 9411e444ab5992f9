"""`python -m tests.model`: one line per variant and mutant, then the traces of those that fail."""

from collections.abc import Iterator

from .explore import Report, explore
from .mutants import MUTANTS
from .variants import HOLDS, WEAKER, Variant

HEAD = f"{'variant':<58} {'states':>8}  verdict"


def verdict(report: Report) -> str:
    """One phrase: what broke first, else what only the policy can cause, else that it holds."""
    if report.first:
        return f"{report.first}, after {len(report.wrongs[report.first])} steps"
    if report.wrongs:
        return "holds; by policy only: " + "; ".join(report.wrongs)
    return "holds"


def cases() -> Iterator[tuple[str, list[Variant]]]:
    """The three tables, in reading order."""
    yield "The protocol", HOLDS
    yield "Weaker protocols, or more promised than a machine can know", WEAKER
    mutants = [Variant(f"{m.number}. {m.name}", m.rules, m.expected) for m in MUTANTS if m.rules]
    yield "Mutants", mutants


def main() -> None:
    total = 0
    traces: list[str] = []
    for title, variants in cases():
        print(f"\n{title}\n{HEAD}")
        for variant in variants:
            report = explore(variant.rules)
            total += report.states
            print(f"{variant.name:<58} {report.states:>8,}  {verdict(report)}")
            if report.wrongs:
                wrong = report.first or next(iter(report.wrongs))
                steps = "".join(f"\n    {step}" for step in report.wrongs[wrong])
                traces.append(f"{variant.name}\n  {wrong}:{steps}")
    outside = [f"{m.number} ({m.name})" for m in MUTANTS if not m.rules]
    print(f"\nNot expressible here: {', '.join(outside)}.\n{total:,} states in all.\n")
    print("Shortest traces\n\n" + "\n\n".join(traces))


if __name__ == "__main__":
    main()
