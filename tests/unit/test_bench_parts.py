"""A part of the bench that fails or hangs is said, and the others are measured."""

import asyncio
from pathlib import Path

import pytest

from bench.parts import Failures, Part, PartFailedError, told


async def fails() -> None:
    raise ValueError("no such column")


async def test_a_part_that_hangs_is_said_and_the_next_goes_on() -> None:
    said: list[str] = []
    failures = Failures(said.append)
    async with failures.noted("one that hangs", 0.05):
        await asyncio.Event().wait()
    async with failures.noted("one that fails", 5):
        await fails()
    async with failures.noted("one that is well", 5):
        pass
    assert failures.found == [
        "one that hangs: not done after 0 s",
        "one that fails: no such column",
    ]
    assert len(said) == 2
    assert "- one that hangs" in failures.page()


async def test_whoever_ends_the_bench_ends_it_also_during_a_part() -> None:
    failures, entered = Failures(lambda _line: None), asyncio.Event()

    async def part() -> None:
        async with failures.noted("a part", 60):
            entered.set()
            await asyncio.Event().wait()

    running = asyncio.create_task(part())
    await entered.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert not failures.found


async def test_a_program_that_hangs_is_ended_and_stops_what_it_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "hangs.py").write_text(
        "import signal, sys\n"
        "from pathlib import Path\n"
        "from bench.parts import end_on_sigterm\n"
        "end_on_sigterm()\n"
        "try:\n    signal.pause()\n"
        "finally:\n    Path(sys.argv[1]).write_text('stopped')\n"
    )
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{Path.cwd()}")
    mark = tmp_path / "mark"
    with pytest.raises(PartFailedError, match="not done after 2 s"):
        await told(Part("hangs", ("hangs", str(mark)), 2))
    assert mark.read_text() == "stopped"


async def test_a_program_that_fails_says_its_last_words() -> None:
    with pytest.raises(PartFailedError, match="No module named"):
        await told(Part("none", ("bench.there_is_none",), 30))
