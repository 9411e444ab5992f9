"""What the edge does when the business fails, is slow, or away."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from coinslot.channels.base import Login
from coinslot.channels.messages import Down, Health, Up
from coinslot.device.edge import Edge, EdgeOptions
from coinslot.device.guarded import guarded
from coinslot.device.heartbeats import Beat, HeartbeatBatch
from coinslot.kit.clock import SettableClock
from coinslot.kit.failures import Failures
from tests.channels.machines import RecordingHandler, result

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)


def edge_on(handler: RecordingHandler) -> Edge:
    return Edge(handler, [], SettableClock(NOON), EdgeOptions(patience_s=0.05))


@pytest.mark.parametrize("error", [KeyError("a bug"), OSError("away"), asyncio.CancelledError()])
async def test_whatever_the_business_raises_ends_no_loop(error: BaseException) -> None:
    def failing(_outlet: str, _up: Up) -> list[Down]:
        raise error

    handler = RecordingHandler()
    handler.answer = failing
    edge = edge_on(handler)
    await edge.receive("M01", "mqtt", result(1), NOON)
    assert edge.counts["unheard"] == 1


async def test_a_business_that_does_not_answer_is_given_up_in_time() -> None:
    handler = RecordingHandler()
    handler.held["M01"] = asyncio.Event()
    edge = edge_on(handler)
    await edge.receive("M01", "mqtt", result(1), NOON)
    assert edge.counts["unheard"] == 1
    handler.held.clear()
    await edge.receive("M01", "mqtt", result(2), NOON)
    assert handler.up.qsize() == 1


async def test_a_machine_is_refused_while_the_database_is_away() -> None:
    handler = RecordingHandler()
    edge = edge_on(handler)
    assert await edge.admit(Login("M01", "secret-of-M01"))
    handler.away = True
    assert not await edge.admit(Login("M01", "secret-of-M01"))


async def test_a_refused_machine_is_logged_without_its_guess() -> None:
    edge = edge_on(RecordingHandler())
    with capture_logs() as lines:
        assert not await edge.admit(Login("M01", "a guess"))
    assert [line["outlet"] for line in lines] == ["M01"]
    assert "a guess" not in str(lines)


async def test_one_broken_machine_does_not_fill_the_log() -> None:
    edge = edge_on(RecordingHandler())
    with capture_logs() as lines:
        for _ in range(250):
            await edge.receive("M01", "mqtt", b"garbage", NOON)
        await edge.receive("M02", "mqtt", b"garbage", NOON)
    assert [(line["outlet"], line["so_far"]) for line in lines] == [
        ("M01", 1), ("M01", 101), ("M01", 201), ("M02", 1)
    ]  # fmt: skip
    assert edge.counts["mqtt unreadable"] == 251


async def test_health_is_a_sign_of_life_and_no_business() -> None:
    handler = RecordingHandler()
    edge = edge_on(handler)
    await edge.receive("M01", "mqtt", {"type": "HEALTH"}, NOON)
    assert edge.counts[f"mqtt {Health.__struct_config__.tag}"] == 1
    assert handler.up.empty()


async def test_cancelling_the_shelter_cancels_the_work() -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        try:
            begun.set()
            await asyncio.Event().wait()
        finally:
            ended.set()

    shelter = asyncio.create_task(guarded(work(), 60))
    await begun.wait()
    shelter.cancel()
    with pytest.raises(asyncio.CancelledError):
        await shelter
    await asyncio.wait_for(ended.wait(), 5)


class Book:
    """Where heartbeats are written, unless it is closed."""

    def __init__(self) -> None:
        self.written: list[list[Beat]] = []
        self.closed = False

    async def write(self, beats: list[Beat]) -> None:
        if self.closed:
            raise ConnectionError("the database is away")
        self.written.append(beats)


async def test_many_beats_become_one_statement_with_the_newest_of_each() -> None:
    book = Book()
    beats = HeartbeatBatch(book.write, Failures(SettableClock(NOON)), every_s=1, patience_s=1)
    for second in (0, 2, 1):
        for outlet in ("M01", "M02"):
            beats.note(outlet, NOON + timedelta(seconds=second))
    await beats.flush()
    await beats.flush()
    newest = NOON + timedelta(seconds=2)
    assert book.written == [[("M01", newest), ("M02", newest)]]


async def test_beats_that_could_not_be_written_are_written_later() -> None:
    book = Book()
    book.closed = True
    beats = HeartbeatBatch(book.write, Failures(SettableClock(NOON)), every_s=1, patience_s=1)
    beats.note("M01", NOON)
    beats.note("M02", NOON)
    await beats.flush()
    beats.note("M02", NOON + timedelta(seconds=5))
    book.closed = False
    await beats.flush()
    assert [dict(batch) for batch in book.written] == [
        {"M01": NOON, "M02": NOON + timedelta(seconds=5)}
    ]
