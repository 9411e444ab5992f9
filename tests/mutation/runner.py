"""A copy of the tree with warm processes and a PostgreSQL, that tries one mutant after another."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from tests.mutants.trial import copy_of_everything, only_of
from tests.mutation.mutant import Mutant
from tests.mutation.plan import constant_of, is_loaded_late
from tests.mutation.reach import Reach
from tests.mutation.targets import ROOT
from tests.postgres_keeper import server_url


class Verdict(NamedTuple):
    """What became of a mutant: killed, survived, time-out, uncovered, stillborn or replaced."""

    mutant: Mutant
    word: str
    test: str = ""
    why: str = ""
    seconds: float = 0.0
    tests: int = 0


class Warm:
    """A process of `warm.py`; started when it is first asked."""

    def __init__(self, root: Path, words: Sequence[str]) -> None:
        self._root = root
        self._words = words
        self._process: subprocess.Popen[str] | None = None
        self._asked = 0

    def ask(self, asked: dict[str, Any]) -> dict[str, Any]:
        if self._process is None:
            with (self._root / "warm.txt").open("ab") as output:
                self._process = subprocess.Popen(
                    [sys.executable, "-m", "tests.mutation.warm", *self._words], cwd=self._root,
                    env=only_of(self._root), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                    stderr=output, text=True,
                )  # fmt: skip
        self._asked += 1
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({**asked, "number": self._asked}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            said = (self._root / "warm.txt").read_text("utf-8", errors="replace")
            raise RuntimeError(f"the warm process has ended:\n{said[-2000:]}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()


class Runner:
    """Tries one mutant at a time."""

    def __init__(self, root: Path, paths: Sequence[str], stack: ExitStack) -> None:
        self._collected = Warm(root, paths)
        self._plain = Warm(root, ["plain"])
        self._stack = stack
        self._server = ""
        self._names: frozenset[str] = frozenset()
        self._green: set[str] = set()
        self.red: set[str] = set()  # also without a mistake: what these say counts for nothing
        stack.callback(self._collected.end)
        stack.callback(self._plain.end)

    def tried(self, mutant: Mutant, tests: Sequence[str], reach: Reach) -> Verdict:
        if not self._names:
            self._names = frozenset(self._collected.ask({"names": True})["names"])
        tests = [test for test in tests if test in self._names]
        if not tests:
            return Verdict(mutant, "uncovered")
        text = (ROOT / mutant.path).read_text("utf-8")
        asked = {
            "files": {mutant.path: mutant.put_into(text)},
            "tests": {test: reach.tests[test].seconds for test in tests},
            "server": self._database() if any(reach.tests[test].sql for test in tests) else "",
        }
        answer, late = {"verdict": "plain"}, is_loaded_late(mutant, text)
        if not late:
            answer = self._collected.ask(asked)
        elif name := constant_of(mutant, text):
            answer = self._collected.ask({**asked, "name": name})
        if answer["verdict"] == "plain" or (
            answer["verdict"] == "survived"
            and (late or reach.at_import(mutant.path, [mutant.line(text)]))
        ):  # what was made at import was made without the mistake
            answer = self._plain.ask(asked)
        return Verdict(
            mutant, answer["verdict"], answer["test"], answer["why"], float(answer["seconds"]),
            len(tests),
        )  # fmt: skip

    def is_green(self, test: str, reach: Reach) -> bool:
        """Whether a test passes where there is no mistake; asked once."""
        if test not in self._green | self.red:
            server = self._database() if reach.tests[test].sql else ""
            asked = {"files": {}, "tests": {test: reach.tests[test].seconds}, "server": server}
            passed = self._collected.ask(asked)["verdict"] == "survived"
            (self._green if passed else self.red).add(test)
            if not passed:
                print(f"RED without any mistake, and not asked any more: {test}", flush=True)
        return test in self._green

    def _database(self) -> str:
        """The superuser's URL of a server with a template, started when first needed."""
        if not self._server:
            memory = Path("/dev/shm")
            folder = self._stack.enter_context(
                tempfile.TemporaryDirectory(
                    prefix="mutation-", dir=memory if memory.is_dir() else None
                )
            )
            self._server, in_use = server_url(Path(folder) / "postgres")
            self._stack.enter_context(in_use)
            made = self._plain.ask(
                {"files": {}, "tests": {}, "prepare": True, "server": self._server}
            )
            if made["verdict"] != "survived":
                raise RuntimeError(f"the code as it is makes no database: {made}")
        return self._server


@contextmanager
def runner(paths: Sequence[str]) -> Iterator[Runner]:
    """Ready to try mutants with the tests of these files; nothing of it is left afterwards."""
    with ExitStack() as stack:
        root = stack.enter_context(copy_of_everything())
        yield Runner(root, paths, stack)
