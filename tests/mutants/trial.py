"""One mutant's trial: a copy of everything, spoiled, and the tests that must turn red in it."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.mutants.edits import Mutation

ROOT = Path(__file__).parents[2]
COPIED = (
    "src", "machine-simulator", "firmware", "sandbox", "tests", "docs", "pyproject.toml",
    "ARCHITECTURE.md",
)  # fmt: skip
PYTEST = (sys.executable, "-m", "pytest", "-q", "-rpf", "--tb=short", "-p", "no:cacheprovider")
BOUND_S = 600.0
_OUTCOME = re.compile(r"^(PASSED|FAILED) (\S+)", re.MULTILINE)


class Verdict(NamedTuple):
    """What the tests said of one mutant."""

    unseen: tuple[str, ...]  # tests that should have failed and did not
    broken: str  # what was said when the test that should still pass did not

    @property
    def caught(self) -> bool:
        return not self.unseen and not self.broken


class Outcomes(NamedTuple):
    """What became of each test, by its name without parameters."""

    passed: frozenset[str]
    failed: frozenset[str]
    said: str

    def turned_red(self, test: str) -> bool:
        return any(name == test or name.startswith(f"{test}::") for name in self.failed)


@contextmanager
def spoilt_copy(mutation: Mutation | None) -> Iterator[Path]:
    """Everything that the tests need, in a folder of its own, with the mistake in it."""
    with copy_of_everything() as root:
        if mutation is not None:
            mutation.put_into(root)
        yield root


@contextmanager
def copy_of_everything() -> Iterator[Path]:
    """What the tests need, in a folder of its own that may be spoilt."""
    with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
        for name in COPIED:
            _copy(ROOT / name, Path(folder) / name)
        yield Path(folder)


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        without = shutil.ignore_patterns("__pycache__", ".venv", ".coinslot", ".env")
        shutil.copytree(source, target, ignore=without)
    else:
        shutil.copy(source, target)


def run(root: Path, tests: Iterable[str]) -> Outcomes:
    """The tests in that copy, and nothing of this folder."""
    done = subprocess.run(
        [*PYTEST, *sorted(set(tests))], cwd=root, env=only_of(root),
        capture_output=True, text=True, check=False, timeout=BOUND_S,
    )  # fmt: skip
    outcomes = _OUTCOME.findall(done.stdout)
    failed = frozenset(name.split("[")[0] for word, name in outcomes if word == "FAILED")
    passed = frozenset(name.split("[")[0] for word, name in outcomes if word == "PASSED")
    return Outcomes(passed - failed, failed, done.stdout[-5000:] + done.stderr[-1000:])


def only_of(root: Path) -> dict[str, str]:
    """The environment in which Python sees that copy alone."""
    path = os.pathsep.join(
        str(root / name) for name in ("src", ".", "machine-simulator", "firmware")
    )
    return {**os.environ, "PYTHONPATH": path}


def tried(mutation: Mutation) -> Verdict:
    """Run its tests in a spoilt copy; each of `red` must fail by itself."""
    with spoilt_copy(mutation) as root:
        outcomes = run(root, (*mutation.red, mutation.green))
    unseen = tuple(test for test in mutation.red if not outcomes.turned_red(test))
    return Verdict(unseen, "" if mutation.green in outcomes.passed else outcomes.said)


def stormed(mutation: Mutation, minutes: float, seed: int) -> str:
    """What breach the storms found in a spoilt copy within that time, or nothing."""
    with spoilt_copy(mutation) as root:
        words = ("--minutes", str(minutes), "--seed", str(seed))
        done = subprocess.run(
            [sys.executable, "-m", "tests.storms", *words], cwd=root, env=only_of(root),
            capture_output=True, text=True, check=False, timeout=minutes * 60 + BOUND_S,
        )  # fmt: skip
    found = re.search(r"^seed \d+: (?:\n\*\*\* )?(.{1,60})", done.stdout, re.MULTILINE)
    return found[0] if found and done.returncode == 1 else ""


def sound(mutations: Sequence[Mutation]) -> str:
    """Empty when all the tests of these mutants pass in a copy without any mistake."""
    with spoilt_copy(None) as root:
        outcomes = run(root, (test for each in mutations for test in (*each.red, each.green)))
    return outcomes.said if outcomes.failed or not outcomes.passed else ""
