"""The plain messages of machines are one call each, and those that arrive at once share a commit.
Whatever they are, both ways to take them give the same rows."""

import asyncio
import re
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import msgspec
import pytest

from coinslot.channels import messages as wire
from coinslot.channels.messages import Up
from coinslot.db.pool import DatabaseUnreachableError
from coinslot.vending import machine_messages, store
from coinslot.vending.journal import Machine
from coinslot.vending.plain_messages import (
    LANES,
    TOGETHER,
    HeardMessages,
    PlainMessage,
    receive_plain,
    take_now,
)
from tests.sales.machine_says import SAW_NOTHING, accept, result, started
from tests.sales.stage import Stage
from tests.sales.test_sold_at_once import of, run

MANY = 60
Hears = Callable[[Stage, Up], Awaitable[list[wire.Down]]]


def machine(stage: Stage) -> Machine:
    return Machine("M01", stage.merchant)


async def at_once(stage: Stage, up: Up) -> list[wire.Down]:
    """It must be plain."""
    found = await receive_plain(stage.context, machine(stage), up, stage.context.now(), None)
    assert found is not None, up
    return found.downs


async def by_moves(stage: Stage, up: Up) -> list[wire.Down]:
    return await machine_messages._receive_in_transaction(
        stage.context, machine(stage), up, stage.context.now()
    )


ENDS: dict[str, dict[str, Any]] = {
    "it fell": {},
    "it fell, says a machine without a sensor": {"evidence": {"drop": "unknown"}},
    "it fell in the end": {"outcome": "INTERRUPTED"},
    "it jammed": {"outcome": "FAILED", "failure_code": "JAM", "evidence": SAW_NOTHING},
    "it was never begun": {"outcome": "TOMBSTONED", "evidence": {}},
    "of a slot without a name": {"slot": ""},
}


async def vend(stage: Stage, hears: Hears, end: dict[str, Any], journal_from: int) -> str:
    """One sale and all that its machine says; the payment's id."""
    paid = await stage.pay()
    await stage.webhook(paid)
    await stage.sweep("fulfillments")
    (go,) = await hears(stage, accept(stage))
    assert isinstance(go, wire.Go)
    said: list[Up] = [started(stage, journal_from), result(stage, journal_from + 1, **end)]
    for number, up in enumerate(said):
        (evack,) = await hears(stage, up)
        assert isinstance(evack, wire.Evack)
        assert evack.through == journal_from + number
    return paid.gateway_payment_id


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("windows", ["{}", '{"run_s": 7, "in_doubt_s": 99}'])
async def test_both_ways_to_take_a_vend_give_the_same_rows(
    stage: Stage, end: str, windows: str
) -> None:
    await run(stage, f"UPDATE outlets SET windows = '{windows}'")
    await stage.hello()
    found = []
    for hears, first in ((at_once, 1), (by_moves, 3)):
        paid = await vend(stage, hears, ENDS[end], first)
        rows = await of(stage, next(f for f in stage.books.payments.values()
                                    if f.gateway_payment_id == paid))  # fmt: skip
        text = msgspec.json.encode(rows).decode()
        found.append(_but_for_its_numbers(text))
        await run(stage, "UPDATE slots SET failures_in_row = 0, out_of_sale_at = NULL")
    assert found[0] == found[1]


def _but_for_its_numbers(text: str) -> str:
    """Each offer has its own seq, and so its own signature; and one moment is written in two ways
    as JSON."""
    text = re.sub(r"'(seq|hmac|event_seq)': '?[0-9a-f]+'?", r"\1", text)
    return re.sub(r"(\d\d:\d\d:\d\d(?:\.\d+)?)Z", r"\1+00:00", text)


async def offered(stage: Stage) -> None:
    await stage.hello()
    await stage.sell()
    await stage.sweep("fulfillments")


class Meanwhile:
    """Something happens between the signature of GO and its commit."""

    def __init__(self, stage: Stage, what: Callable[[], Awaitable[object]]) -> None:
        self.stage, self.what = stage, what

    async def take(self, told: PlainMessage) -> Any:
        await self.what()
        return (await take_now(self.stage.context.db, [told]))[0]


CHANGES = {
    "it was taken back": "SELECT transition_fulfillment(id, 'WITHDRAWN',"
    ' \'{"basis": "never_sent"}\', now()) FROM fulfillments',
    "it is offered anew": "UPDATE vend_units SET seq = seq + 1;"
    " UPDATE devices SET next_seq = next_seq + 1",
    "the machine is out of service": "UPDATE outlets SET decommissioned_at = now()",
    "its time is over": "UPDATE fulfillments SET dispatch_by = '2020-01-01'",
}


@pytest.mark.parametrize("change", CHANGES)
async def test_a_go_that_was_signed_in_vain_is_not_sent(stage: Stage, change: str) -> None:
    await offered(stage)
    heard: Any = Meanwhile(stage, lambda: run(stage, CHANGES[change]))
    downs = await machine_messages.receive(
        stage.context, machine(stage), accept(stage), stage.context.now(), heard
    )
    assert downs == []
    assert await stage.value("SELECT go_message FROM vend_units") is None
    await run(stage, "UPDATE outlets SET decommissioned_at = NULL")


async def test_a_go_signed_with_a_key_that_was_replaced_meanwhile_is_signed_anew(
    stage: Stage,
) -> None:
    await offered(stage)
    heard: Any = Meanwhile(stage, lambda: run(stage, "UPDATE devices SET key_id = key_id + 1"))
    (go,) = await machine_messages.receive(
        stage.context, machine(stage), accept(stage), stage.context.now(), heard
    )
    assert isinstance(go, wire.Go)
    assert go.key_id == str(await stage.value("SELECT key_id FROM devices")) == "2"


async def test_the_line_of_another_journal_moves_nothing(stage: Stage) -> None:
    await offered(stage)
    await at_once(stage, accept(stage))
    other = msgspec.structs.replace(result(stage, 1), journal_id="j2")
    assert await receive_plain(
        stage.context, machine(stage), other, stage.context.now(), None
    ) is None  # fmt: skip
    assert await stage.value("SELECT state FROM fulfillments") == "going"


async def test_something_of_another_slot_fell_and_moves_nothing_here(stage: Stage) -> None:
    await offered(stage)
    await at_once(stage, accept(stage))
    await at_once(stage, started(stage, 1))
    wrong = result(stage, 2, slot="B9")
    told = await receive_plain(stage.context, machine(stage), wrong, stage.context.now(), None)
    assert told is None
    assert await stage.value("SELECT state FROM fulfillments") == "started"
    await stage.hear(wrong)
    assert await stage.value("SELECT failure_code FROM fulfillments") == "WRONG_SLOT"


def line(stage: Stage, outlet: str, event_seq: int, unit: object = None) -> PlainMessage:
    """A line of a unit that nobody offered."""
    return PlainMessage(
        {
            "merchant": stage.merchant, "outlet": outlet, "type": "RESULT", "journal": "j9",
            "line": {"type": "RESULT", "unit_id": str(unit or uuid4()), "event_seq": event_seq,
                     "slot": "A1"},
            "unit": unit or uuid4(), "move": "VENDED", "run_s": 1, "set": {},
        },
        stage.context.now(),
    )  # fmt: skip


async def test_many_that_arrive_at_once_share_a_few_commits(stage: Stage) -> None:
    reached: Counter[str] = Counter()
    stage.context.db.reached = lambda point: reached.update([point])
    heard = HeardMessages(stage.context.db)
    said = await asyncio.gather(
        *(heard.take(line(stage, "M01", number)) for number in range(1, MANY + 1))
    )
    assert await stage.value("SELECT count(*) FROM device_events") == MANY
    assert max(one["through"] or 0 for one in said) <= MANY
    assert reached["after_commit"] <= LANES + MANY / TOGETHER + 1


async def test_one_that_cannot_be_taken_leaves_its_neighbours_as_they_are(stage: Stage) -> None:
    heard = HeardMessages(stage.context.db)
    told = [line(stage, "M01", number) for number in range(1, 6)]
    told[2].said["unit"] = told[2].said["line"]["unit_id"] = "no id"
    said = await asyncio.gather(*(heard.take(one) for one in told), return_exceptions=True)
    assert isinstance(said.pop(2), asyncpg.DataError)
    assert all(isinstance(one, dict) for one in said), said
    assert await stage.value("SELECT count(*) FROM device_events") == 4


async def test_nobody_is_answered_before_the_commit_that_they_share(stage: Stage) -> None:
    """The row of their journal is held by somebody else: nothing can be committed."""
    heard = HeardMessages(stage.context.db)
    await heard.take(line(stage, "M01", 1))
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        await conn.execute("SELECT FROM device_journals FOR UPDATE")
        waiting = [asyncio.create_task(heard.take(line(stage, "M01", n))) for n in (2, 3)]
        done, _ = await asyncio.wait(waiting, timeout=0.3)
        assert not done
    await asyncio.gather(*waiting)


async def test_what_a_closed_process_had_not_taken_is_not_answered(stage: Stage) -> None:
    heard = HeardMessages(stage.context.db)
    await heard.take(line(stage, "M01", 1))
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        await conn.execute("SELECT FROM device_journals FOR UPDATE")
        waiting = asyncio.create_task(heard.take(line(stage, "M01", 2)))
        await asyncio.wait([waiting], timeout=0.2)
        await heard.close()
        with pytest.raises(DatabaseUnreachableError, match="given up"):
            await waiting


async def test_the_statement_that_signs_finds_a_unit_of_this_machine_alone(stage: Stage) -> None:
    await offered(stage)
    unit = UUID(stage.offered()["unit_id"])
    assert await stage.rows(store.TO_SIGN, unit, "M01")
    assert not await stage.rows(store.TO_SIGN, unit, "M02")
    assert not await stage.rows(store.TO_SIGN, uuid4(), "M01")


class Refused:
    """The commit that messages share fails with this."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    async def take(self, told: PlainMessage) -> Any:
        raise self.error


@pytest.mark.parametrize(
    "error", [asyncpg.DeadlockDetectedError("held"), asyncpg.InterfaceError("closed")]
)
async def test_what_a_shared_commit_refuses_is_taken_step_by_step(
    stage: Stage, error: Exception
) -> None:
    await offered(stage)
    refused: Any = Refused(error)
    who, now = machine(stage), stage.context.now()
    assert await receive_plain(stage.context, who, accept(stage), now, refused) is None
    assert await stage.value("SELECT go_message FROM vend_units") is None
    (go,) = await machine_messages.receive(stage.context, who, accept(stage), now, refused)
    assert isinstance(go, wire.Go)
    assert await stage.value("SELECT go_message FROM vend_units") == wire.to_wire(go)


async def test_a_fault_of_our_own_is_not_taken_for_the_databases(stage: Stage) -> None:
    await offered(stage)
    refused: Any = Refused(ValueError("ours"))
    with pytest.raises(ValueError, match="ours"):
        await receive_plain(
            stage.context, machine(stage), accept(stage), stage.context.now(), refused
        )
