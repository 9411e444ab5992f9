"""Which tests reach a piece of code. Measured once and kept in `.mutation/`; later only the test
files that changed are measured again, and lines that moved are followed by their text."""

import difflib
import functools
import hashlib
import json
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from coverage import CoverageData

from tests.mutants.trial import copy_of_everything, only_of
from tests.mutation.sql_marks import branches, functions_in, marked
from tests.mutation.targets import NOT_COUNTED, ROOT, TESTS

KEPT = ROOT / ".mutation"
_QUIET_S = 0.3  # of a test with a database of its own
_SQL = "src/coinslot"


class Measured(NamedTuple):
    """A test as it ran in a measured run."""

    seconds: float
    shared: float  # of the session's fixtures that it needs
    sql: frozenset[str]


class Run:
    """One measured run: the code as it was then, and what each of its tests reached in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files: dict[str, str] = json.loads((folder / "files.json").read_text("utf-8"))
        self.tests: dict[str, Measured] = {}
        for path in folder.glob("tests.*.json"):
            for name, told in json.loads(path.read_text("utf-8")).items():
                sql = frozenset(told["sql"])
                self.tests[name] = Measured(told["seconds"], told["shared"], sql)
        self._lines = CoverageData(str(folder / "lines"))
        self._lines.read()

    @functools.lru_cache(maxsize=512)  # noqa: B019  a run lives as long as the process
    def by_line(self, path: str) -> dict[int, list[str]]:
        """Tests by line of today's text, as far as its lines were there when it was measured."""
        measured = self._lines.contexts_by_lineno(path)
        was, now = self._text(path), (ROOT / path).read_text("utf-8").splitlines()
        if was == now:
            return measured
        moved = {}
        for block in difflib.SequenceMatcher(None, was, now, autojunk=False).get_matching_blocks():
            for n in range(block.size):
                moved[block.b + n + 1] = measured.get(block.a + n + 1, [])
        return moved

    @functools.lru_cache(maxsize=512)  # noqa: B019
    def has(self, path: str) -> bool:
        """Whether the file was the same as now."""
        return self._text(path) == (ROOT / path).read_text("utf-8").splitlines()

    def _text(self, path: str) -> list[str]:
        kept = self.folder / "code" / path
        return kept.read_text("utf-8").splitlines() if kept.exists() else []


class Reach:
    """What all measured runs say together; the newest run of a test file counts."""

    def __init__(self, runs: Sequence[Run], wanted: dict[str, str]) -> None:
        self.runs = runs
        self.tests: dict[str, Measured] = {}
        self._run_of: dict[str, Run] = {}
        for run in runs:
            for test, measured in run.tests.items():
                if test.split("::")[0] in wanted:
                    self.tests[test] = measured
                    self._run_of[test] = run
        self._make_comparable()

    def _make_comparable(self) -> None:
        """Seconds as on a quiet computer, whatever else it did while the tests were measured."""
        with_database = [m.seconds for m in self.tests.values() if m.sql]
        if with_database:
            scale = _QUIET_S / statistics.median(with_database)
            for test, measured in self.tests.items():
                self.tests[test] = measured._replace(seconds=measured.seconds * scale)

    def of_lines(self, path: str, lines: Iterable[int]) -> set[str]:
        """Tests that ran one of these lines."""
        found: set[str] = set()
        for run in self.runs:
            by_line = run.by_line(path)
            for line in lines:
                found.update(by_line.get(line, ()))
        return self._current(found)

    def at_import(self, path: str, lines: Iterable[int]) -> bool:
        """Whether one of these lines ran outside of every test, as the modules were loaded."""
        return any("" in run.by_line(path).get(line, ()) for run in self.runs for line in lines)

    def of_file(self, path: str) -> set[str]:
        """Tests that ran anything of it."""
        found = {t for run in self.runs for tests in run.by_line(path).values() for t in tests}
        return self._current(found)

    def of_sql(self, *names: str) -> set[str]:
        """Tests that called one of these functions, or `table:read`, `table:written`."""
        return {test for test, measured in self.tests.items() if measured.sql & set(names)}

    def of_branch(self, path: str, function: str, marks: Sequence[str]) -> set[str]:
        """Tests that came by a branch; where the file was another when they were measured, its
        branches had other numbers, and the whole function counts."""
        by_branch, by_function = self.of_sql(*marks), self.of_sql(function)
        same = {run for run in self.runs if run.has(path)}
        return {t for t in by_branch if self._run_of[t] in same} | {
            t for t in by_function if self._run_of[t] not in same
        }

    def _current(self, found: set[str]) -> set[str]:
        return {test for test in found if test in self.tests}


def reach(*, fresh: bool = False, as_measured: bool = False, jobs: int = 1) -> Reach:
    """Measure what is not measured yet, and say what is known."""
    if fresh:
        shutil.rmtree(KEPT, ignore_errors=True)
    runs = [Run(path.parent) for path in sorted(KEPT.glob("*/files.json"))]
    known = {path: digest for run in runs for path, digest in run.files.items()}
    if as_measured:
        return Reach(runs, {p: digest for p, digest in known.items() if (ROOT / p).exists()})
    wanted = _hashes()
    missing = sorted(path for path, digest in wanted.items() if known.get(path) != digest)
    for folder in TESTS:  # one after another: what is measured stays measured when this is ended
        paths = [path for path in missing if path.startswith(f"{folder}/")]
        if paths:
            print(f"Measuring what {len(paths)} files of {folder} reach ...", flush=True)
            runs.append(Run(measure(KEPT / f"{time.time_ns():020}", paths, jobs)))
    return Reach(runs, wanted)


def reach_of(paths: Sequence[str], folder: Path) -> Reach:
    """What these files of tests reach, measured now."""
    run = Run(measure(folder, paths))
    return Reach([run], run.files)


def measure(folder: Path, paths: Sequence[str], jobs: int = 1) -> Path:
    """Run these files of tests in a copy whose SQL counts its branches."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with copy_of_everything() as root:
        hashes = _hashes(root)
        shutil.copytree(root / "src", folder / "code" / "src")
        for path in sorted((root / _SQL).glob("*/sql/*.sql")):
            path.write_text(marked(path.stem, path.read_text("utf-8")), "utf-8")
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider",
                   "-p", "tests.mutation.measuring", "--hypothesis-seed=0", *paths]  # fmt: skip
        if jobs > 1:
            command += ["-n", str(jobs), "--dist", "loadfile"]
        run = subprocess.run(
            command, cwd=root, check=False, capture_output=True, text=True,
            env={**only_of(root), "COINSLOT_MEASURED": str(folder)},
        )  # fmt: skip
        (folder / "said.txt").write_text(run.stdout + run.stderr, "utf-8")
        # A file that cannot be collected ends the run, and nothing of the others is measured.
        if run.returncode > 1 or not list(folder.glob("tests.*.json")):
            raise RuntimeError(f"nothing was measured:\n{run.stdout[-3000:]}{run.stderr[-3000:]}")
        _refuse_blind(folder)
        _gather(folder, root)
    told = {path.split("::")[0]: hashes[path.split("::")[0]] for path in paths}
    (folder / "files.json").write_text(json.dumps(told), "utf-8")
    return folder


def _refuse_blind(folder: Path) -> None:
    """Where tests have a database and none of its functions was counted, every mistake in SQL would
    be called unreached."""
    told = [
        t for path in folder.glob("tests.*.json") for t in json.loads(path.read_bytes()).values()
    ]
    with_database = [test for test in told if test["database"]]
    if sum(bool(test["sql"]) for test in with_database) * 2 < len(with_database):
        raise RuntimeError("most tests have a database, of which nothing was counted")


def _gather(folder: Path, root: Path) -> None:
    """Put the lines of all processes together, with paths below the project."""
    lines = CoverageData(str(folder / "lines"))
    for path in folder.glob("lines.*"):
        part = CoverageData(str(path))
        part.read()
        lines.update(part, map_path=lambda name: Path(name).relative_to(root).as_posix())
        path.unlink()
    lines.write()


def _hashes(root: Path = ROOT) -> dict[str, str]:
    """Every file of tests that counts, with a hash of its text."""
    found = {}
    for folder in TESTS:
        for path in sorted((root / folder).rglob("test_*.py")):
            name = path.relative_to(root).as_posix()
            if name not in NOT_COUNTED:
                found[name] = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    return found


def marks_at(path: str, sql: str, place: int) -> tuple[str, list[str]]:
    """The function around a place of an SQL file, and the marks of the branch that leads there."""
    name, start, end = next(
        (found for found in functions_in(sql) if found[1] <= place < found[2]), ("", 0, 0)
    )
    inside = [
        branch for branch in branches(Path(path).stem, sql)
        if name and start <= branch.start <= place < branch.end <= end
    ]  # fmt: skip
    return name, [inside[-1].mark] if inside else []
