"""What the processes log: one event a line, with a traceback that a person can read."""

import json
import logging

import pytest
import structlog
from litestar.testing import AsyncTestClient

from coinslot.app.routes import build
from coinslot.commands.terms import log_to_stderr
from coinslot.commands.tracebacks import CHARS, short_traceback
from coinslot.kit.clock import SettableClock
from tests.web import cast
from tests.web.fake_backend import FakeBackend
from tests.web.serving import SITE


def fails(depth: int, secret: str = "of-a-variable") -> None:
    """Far below, for a reason, with a long text of the database. Functions take turns, so that
    Python does not fold the frames."""
    if depth:
        _turns[depth % 3](depth - 1, secret)
    try:
        raise ZeroDivisionError("the first cause")
    except ZeroDivisionError as error:
        raise ValueError("Failing row contains (" + "x" * 30_000 + ")") from error


def through_one(depth: int, secret: str) -> None:
    fails(depth, secret)


def through_another(depth: int, secret: str) -> None:
    fails(depth, secret)


_turns = (fails, through_one, through_another)


def a_failure(depth: int) -> ValueError:
    try:
        fails(depth)
    except ValueError as error:
        return error
    raise AssertionError


async def test_a_request_that_fails_is_one_short_event_with_every_cause(
    capsys: pytest.CaptureFixture[str],
) -> None:
    log_to_stderr("INFO")
    backend = FakeBackend()
    backend.broken = a_failure(300)
    async with AsyncTestClient(build(backend, SITE, SettableClock(cast.NOON))) as client:
        answer = await client.get("/q/M01", headers={"accept": "application/json"})
    assert answer.status_code == 500
    [line] = capsys.readouterr().err.splitlines()
    event = json.loads(line)
    assert event["event"] == "request_failed"
    assert event["path"] == "/q/M01"
    assert len(event["exception"]) <= CHARS
    assert len(line) < 1.25 * CHARS
    assert "ZeroDivisionError: the first cause" in event["exception"]
    assert "ValueError: Failing row contains (xxx" in event["exception"]
    assert 'in fails\n    raise ValueError("Failing row' in event["exception"]  # where it happened
    assert "of-a-variable" not in line.replace('secret: str = "of-a-variable"', "")


def test_an_error_of_a_worker_and_one_of_a_library_are_the_same(
    capsys: pytest.CaptureFixture[str],
) -> None:
    root = logging.getLogger()
    kept, root.handlers = root.handlers, []
    try:
        log_to_stderr("INFO")
        try:
            raise a_failure(300)
        except ValueError:
            structlog.get_logger("coinslot.worker").exception("chore_failed")
            logging.getLogger("asyncio").exception("Task exception was never retrieved")
    finally:
        root.handlers = kept
    ours, theirs = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    assert (ours["event"], theirs["event"]) == (
        "chore_failed", "Task exception was never retrieved",
    )  # fmt: skip
    assert ours["exception"] == theirs["exception"]
    assert len(ours["exception"]) <= CHARS
    assert (ours["level"], theirs["level"]) == ("error", "error")


def test_an_error_with_few_frames_is_told_whole() -> None:
    told = short_traceback(a_failure(0))
    assert told.count("in fails") == 2
    assert "The above exception was the direct cause" in told
    assert told.startswith("Traceback (most recent call last):")


def test_a_chain_without_end_keeps_its_first_cause_and_the_last_error() -> None:
    chain: BaseException = Exception("the first of many")
    for number in range(200):
        above = Exception(f"number {number}")
        above.__cause__ = chain
        chain = above
    told = short_traceback(chain)
    assert len(told) <= CHARS
    assert "the first of many" in told
    assert told.endswith("Exception: number 199")
