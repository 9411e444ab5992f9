"""What holds of every channel, on its real transport."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest

from coinslot.channels.base import Sending
from coinslot.channels.messages import Down, Evack, Result, Up
from tests.channels.machines import RecordingHandler, RefusedError, result
from tests.channels.rigs import PATIENCE_S, Rig

T = TypeVar("T")
GO = {"type": "GO", "unit_id": "u1", "seq": 1}
QUERY = {"type": "QUERY", "unit_id": "u1", "seq": 1, "nonce": "n"}
GARBAGE: list[object] = [
    {},
    [],
    None,
    17,
    "RESULT",
    {"type": "RESULT"},
    {"type": "NOSUCH"},
    {"type": {"a": 1}},
    result(0),
    result(2**63),
    result(1, slot="A1\u0000"),
    result(1, journal_id="j" * 65),
    result(1, outcome="SOLD"),
    {"deep": [[[[[[[[[]]]]]]]]]},
    result(1, padding="x" * 9_000),
]


async def soon(awaited: Awaitable[T]) -> T:
    return await asyncio.wait_for(awaited, PATIENCE_S)


async def heard(handler: RecordingHandler) -> tuple[str, int]:
    outlet, up = await soon(handler.up.get())
    assert isinstance(up, Result)
    return outlet, up.event_seq


async def counted(number: Callable[[], int], expected: int) -> None:
    """Wait for a count: a broker keeps the order of one topic, and NATS not that of two."""
    async with asyncio.timeout(PATIENCE_S):
        while number() < expected:  # noqa: ASYNC110 - a count tells nobody
            await asyncio.sleep(0.01)
    assert number() == expected


async def test_a_message_down_arrives_once_and_at_its_machine_alone(rig: Rig) -> None:
    machine, other = await rig.machine("M01"), await rig.machine("M02")
    assert await rig.send("M01", GO) is Sending.SENT
    assert await rig.send("M01", QUERY) is Sending.SENT
    assert await rig.send("M02", QUERY) is Sending.SENT
    assert [await soon(machine.received.get()) for _ in range(2)] == [GO, QUERY]
    assert await soon(other.received.get()) == QUERY
    assert machine.received.empty()
    assert other.received.empty()


async def test_the_outlet_is_the_authenticated_one_whatever_the_body_claims(rig: Rig) -> None:
    machine = await rig.machine("M01")
    await machine.say(result(1, machine_id="M02", outlet="M02", machineId="M02"))
    assert await heard(rig.handler) == ("M01", 1)


async def test_wrong_credentials_are_refused(rig: Rig) -> None:
    for outlet, secret in (("M01", "a guess"), ("M99", "secret-of-M98"), ("M01", "")):
        with pytest.raises(RefusedError):
            await soon(rig.machine(outlet, secret or "x"))
    await rig.machine("M01")


async def test_garbage_is_counted_and_what_follows_is_heard(rig: Rig) -> None:
    machine = await rig.machine("M01")
    readable = [item for item in GARBAGE if len(str(item)) < 8_192]
    for garbage in readable:
        await machine.say(garbage)
    await machine.say(result(7))
    assert await heard(rig.handler) == ("M01", 7)
    assert rig.edge.counts[f"{rig.channel.name} unreadable"] == len(readable)


async def test_a_message_too_long_is_never_heard(rig: Rig) -> None:
    machine = await rig.machine("M01")
    await machine.say(result(1, padding="x" * 20_000))
    if rig.channel.name == "socketio":  # there the connection ends with it
        machine = await rig.machine("M01")
    await machine.say(result(2))
    assert await heard(rig.handler) == ("M01", 2)


async def test_one_machine_s_messages_keep_their_order_and_hold_up_nobody_else(rig: Rig) -> None:
    slow, quick = await rig.machine("M01"), await rig.machine("M02")
    rig.handler.held["M01"] = asyncio.Event()
    for number in range(1, 31):
        await slow.say(result(number))
        await quick.say(result(number))
    assert [await heard(rig.handler) for _ in range(30)] == [("M02", n) for n in range(1, 31)]
    rig.handler.held["M01"].set()
    assert [await heard(rig.handler) for _ in range(30)] == [("M01", n) for n in range(1, 31)]


async def test_answers_go_down_the_way_the_message_came(rig: Rig) -> None:
    def evack(_outlet: str, up: Up) -> list[Down]:
        assert isinstance(up, Result)
        return [Evack(journal_id=up.journal_id, through=up.event_seq)]

    rig.handler.answer = evack
    machine = await rig.machine("M01")
    await machine.say(result(3))
    expected = {"type": "EVACK", "journal_id": "j1", "through": 3}
    assert await soon(machine.received.get()) == expected


async def test_what_the_business_could_not_take_is_not_answered(rig: Rig) -> None:
    def failing_once(_outlet: str, up: Up) -> list[Down]:
        assert isinstance(up, Result)
        if up.event_seq == 1:
            raise ConnectionError("the database is away")
        return [Evack(journal_id="j1", through=up.event_seq)]

    rig.handler.answer = failing_once
    machine = await rig.machine("M01")
    await machine.say(result(1))
    await machine.say(result(2))
    assert (await soon(machine.received.get()))["through"] == 2
    assert rig.edge.counts["unheard"] == 1


async def test_a_restart_of_the_transport_is_survived(rig: Rig) -> None:
    machine = await rig.machine("M01")
    await machine.say(result(1))
    assert await heard(rig.handler) == ("M01", 1)
    await rig.stop()
    await rig.start()
    await machine.say(result(2))  # waits until it is connected again
    assert await heard(rig.handler) == ("M01", 2)
    assert await rig.send("M01", GO) is Sending.SENT
    assert await soon(machine.received.get()) == GO


async def test_heartbeats_are_written_together(rig: Rig) -> None:
    machines = [await rig.machine(outlet) for outlet in ("M01", "M02", "M03")]
    seen: set[str] = set()
    for machine in machines:
        for _ in range(10):
            await machine.beat()
    beats = 0
    while seen != {"M01", "M02", "M03"}:
        batch = await soon(rig.handler.batches.get())
        assert max(Counter(batch).values()) == 1
        seen.update(batch)
        beats += 1
    assert beats < 30


async def test_a_machine_of_no_known_channel_cannot_be_reached(rig: Rig) -> None:
    assert await rig.edge.send("M01", "pigeon", GO) is Sending.UNREACHABLE
