"""A process with all tests collected, in a copy of the tree: for each mutant it becomes two, and
one runs tests with the mistake in. Called `plain`, it has none of our code loaded, for mistakes
that modules must be loaded with. A JSON object a line is asked, and one is answered."""

import gc
import json
import os
import select
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TextIO

import asyncpg  # noqa: F401  all of these only to have them
import httpx  # noqa: F401
import hypothesis  # noqa: F401
import litestar.testing  # noqa: F401
import pytest
import structlog  # noqa: F401

from tests.mutation.swap import CannotSwapError, Functions, constant

_OUTPUT = Path("output.txt")
_SHOWN = 300
_PATIENCE_S = 40.0  # for imports and a new template; and a test has ten times what it took
_SLOWEST = 10
_WORDS = ["-q", "-x", "--tb=short", "-p", "no:cacheprovider", "-p", "no:xdist",
          "--hypothesis-seed=0"]  # fmt: skip
Asked = dict[str, Any]


class Telling:
    """A plugin that says in a pipe which test runs, and which failed."""

    def __init__(self) -> None:
        self.pipe = -1
        self.failed = False

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self.say("runs", nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            crash = getattr(report.longrepr, "reprcrash", None)
            self.say("failed", report.nodeid, getattr(crash, "message", str(report.longrepr)))

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.say("failed", report.nodeid, str(report.longrepr)[-_SHOWN:])

    def say(self, *words: str) -> None:
        self.failed = self.failed or words[0] == "failed"
        if self.pipe >= 0:
            os.write(self.pipe, (json.dumps([word[:_SHOWN] for word in words]) + "\n").encode())


class Collected:
    """A plugin that, where the tests would run, waits for mutants to run them with."""

    def __init__(self, telling: Telling, answers: TextIO) -> None:
        self._telling = telling
        self._answers = answers
        self._items: dict[str, pytest.Item] = {}
        self._functions = Functions(Path("src").absolute())

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self._items = {item.nodeid: item for item in session.items}
        self._functions = Functions(Path("src").absolute())
        gc.freeze()
        serve(self._telling, self._run, self._answers, list(self._items))
        return True

    def _run(self, asked: Asked) -> int:
        for path, text in asked["files"].items():
            if path.endswith(".py") and asked.get("name"):
                module = path.removeprefix("src/").removesuffix(".py").replace("/", ".")
                constant(module, text, asked["name"])
            elif path.endswith(".py"):
                self._functions.exchange(Path(path).absolute(), text)
            if path.endswith(".sql"):
                Path(path).write_text(text, "utf-8")
        _choose_template(asked)
        items = [self._items[name] for name in asked["tests"] if name in self._items]
        for item, following in zip(items, [*items[1:], None], strict=True):
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if self._telling.failed:
                return 1
        return 0


def serve(
    telling: Telling, run: Callable[[Asked], int], answers: TextIO, names: Sequence[str] = ()
) -> None:
    """Answer until nobody asks any more; `names` are those of the tests that there are."""
    for line in sys.stdin:
        asked = json.loads(line)
        if asked.get("names"):
            print(json.dumps({"names": names}), file=answers, flush=True)
            continue
        kept = {path: Path(path).read_text("utf-8") for path in asked["files"]}
        try:
            answer = _tried(asked, telling, run)
        finally:
            for path, text in kept.items():
                if Path(path).read_text("utf-8") != text:
                    Path(path).write_text(text, "utf-8")
        print(json.dumps(answer), file=answers, flush=True)


def _tried(asked: Asked, telling: Telling, run: Callable[[Asked], int]) -> dict[str, Any]:
    begun = time.monotonic()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        telling.pipe = writing
        _become_the_test_run(asked, telling, run)
    os.close(writing)
    test, failed, why, late = _watched(reading, asked)
    if late:
        os.killpg(child, signal.SIGKILL)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    os.close(reading)
    if late:
        verdict = "time-out"
    elif failed in ("stillborn", "plain"):
        verdict = failed
    elif failed or status != 0:
        verdict = "killed"
        why = why or _OUTPUT.read_text("utf-8", errors="replace")[-_SHOWN:]
    else:
        verdict = "survived"
    return {"verdict": verdict, "test": failed or test, "why": why,
            "seconds": round(time.monotonic() - begun, 2)}  # fmt: skip


def _watched(reading: int, asked: Asked) -> tuple[str, str, str, bool]:
    """The last test, the one that failed and why, and whether nothing was heard for too long."""
    test = failed = why = ""
    rest, patience = b"", _PATIENCE_S
    while True:
        if not select.select([reading], [], [], patience)[0]:
            return test, failed, why, True
        heard = os.read(reading, 65536)
        if not heard:
            return test, failed, why, False
        *lines, rest = (rest + heard).split(b"\n")
        for kind, name, *more in map(json.loads, lines):
            if kind == "runs":
                test = name
                patience = max(_PATIENCE_S, _SLOWEST * asked["tests"].get(name, 1.0))
            elif not failed:
                failed, why = name, more[0] if more else ""


def _become_the_test_run(asked: Asked, telling: Telling, run: Callable[[Asked], int]) -> None:
    os.setsid()
    with _OUTPUT.open("wb") as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    code = 1
    try:
        code = run(asked)
    except CannotSwapError as error:
        telling.say("failed", "plain", str(error))
    except BaseException as error:  # noqa: BLE001  whatever it was, the mutant did it
        name = "stillborn" if type(error).__name__ == "StillbornError" else "before the tests"
        telling.say("failed", name, repr(error))
    finally:
        sys.stdout.flush()
        os._exit(code)


def _choose_template(asked: Asked) -> None:
    if not asked["server"]:
        return
    from tests import conftest
    from tests.mutation import templates

    conftest.WARM_SERVER = asked["server"]
    conftest.WARM_TEMPLATE = templates.template(asked["server"])


def _plainly(asked: Asked) -> int:
    """Load everything with the mistake in the file."""
    for path, text in asked["files"].items():
        Path(path).write_text(text, "utf-8")
        # Compiled files are told apart by whole seconds, so each mutant has one of its own.
        os.utime(path, (asked["number"], asked["number"]))
    sys.dont_write_bytecode = False
    if asked.get("prepare"):
        from tests.mutation import templates

        templates.prepare(asked["server"])
        return 0
    _choose_template(asked)
    return int(pytest.main([*_WORDS, *asked["tests"]], plugins=[_PLAIN]))


_PLAIN = Telling()


def main(paths: Sequence[str]) -> None:
    # What tests print must not get between the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    if paths == ["plain"]:
        serve(_PLAIN, _plainly, answers)
        return
    telling = Telling()
    collected = Collected(telling, answers)
    sys.exit(pytest.main([*_WORDS, "-s", *paths], plugins=[telling, collected]))


if __name__ == "__main__":
    main(sys.argv[1:])
