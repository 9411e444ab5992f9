"""Credit notes on paper, and what "print again" prints of what did not come out."""

import asyncio
from collections import Counter as Counted
from typing import Any
from uuid import UUID, uuid4

import pytest
from msgspec.structs import replace

from coinslot.counter import reprints, staff, walk_ins
from coinslot.counter.basket import Wish
from coinslot.counter.staff import CounterError, Why
from tests.counter.stage import Counter
from tests.counter.test_credit_notes import CAKE, LATTE, TEA, reject
from tests.counter.test_printing import Kitchen, jobs, kitchen, with_printer, words_on

__all__ = ["kitchen"]


async def note_of(counter: Counter, order: UUID) -> str:
    return (await counter.view(order)).credits[0].number


async def prints(counter: Counter, order: UUID, number: str, **who: Any) -> None:
    await reprints.credit(counter.stage.context, replace(counter.who, **who), order, number)


async def becomes_void(counter: Counter, order: UUID, amount: int) -> None:
    """The gateway says that this money did not arrive after all."""
    stage = counter.stage
    refund = await stage.value(
        "SELECT refund_id FROM counter_credit_notes WHERE order_id = $1 AND amount_minor = $2",
        order, amount,
    )  # fmt: skip
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        await conn.execute(
            "SELECT transition_refund($1, 'FAILED_THERE', jsonb_build_object('ended_at', $2::"
            "timestamptz), $2)", refund, stage.clock.now(),
        )  # fmt: skip


async def never_came_out(counter: Counter, kind: str) -> UUID:
    """A job of this kind that failed."""
    found: UUID = await counter.stage.value(
        "UPDATE counter_prints SET failed_at = created_at, due_at = NULL, problem = 'no paper'"
        " WHERE kind = $1 RETURNING id", kind,
    )  # fmt: skip
    return found


async def test_a_credit_note_is_printed_where_receipts_are_with_its_tax_and_then_as_a_copy(
    counter: Counter, kitchen: Kitchen
) -> None:
    await with_printer(counter, "Kitchen", "star")
    await with_printer(counter, "Till", port=kitchen.port, tickets=False)
    order = await counter.preparing(LATTE, CAKE, tip=100)
    await reject(counter, order, "cake")
    number = await note_of(counter, order)
    for _ in range(2):
        await prints(counter, order, number)
        await counter.stage.sweep()
    assert Counted(job[:2] for job in await jobs(counter))["Till", "credit"] == 2
    first, second = await words_on(counter, "credit")
    assert {
        "Credit note", number, f"Corrects receipt {number}", "Carrot cake", "Given back €4.20",
        "Tax at 7 % €0.27",
    } <= set(first)  # fmt: skip
    assert not {"COPY", "VOID"} & set(first)
    assert "COPY" in second
    assert len(kitchen.papers) == 2
    code = await counter.code(order)
    assert code not in " ".join(first)


async def test_a_note_of_an_extra_says_which_and_one_that_is_void_says_so(counter: Counter) -> None:
    await with_printer(counter, "Till", "star")
    order = await counter.preparing(TEA, tip=100)
    await staff.reject(counter.stage.context, counter.who, order, "Closed")
    await counter.stage.sweep()
    await becomes_void(counter, order, 250)
    for note in (await counter.view(order)).credits:
        await prints(counter, order, note.number)
    papers = await words_on(counter, "credit")
    (tea,) = [words for words in papers if "Tea" in words]
    (tip,) = [words for words in papers if "Tip" in words]
    assert ("VOID" in tea, "VOID" in tip) == (True, False)
    assert not any(line.startswith("Tax") for line in tip)


async def test_nobody_prints_a_note_of_another_order_another_counter_or_another_merchant(
    counter: Counter,
) -> None:
    order, other = await counter.preparing(TEA), await counter.preparing(TEA)
    await reject(counter, order, "tea")
    number = await note_of(counter, order)
    with pytest.raises(CounterError) as caught:
        await prints(counter, order, number)
    assert caught.value.why is Why.NO_PRINTER
    await with_printer(counter, "Till", "star")
    for wrong in (
        (other, number, {}), (order, "2026-999999", {}), (order, "", {}),
        (order, number, {"outlets": ("S99",)}), (order, number, {"merchant": uuid4()}),
    ):  # fmt: skip
        with pytest.raises(CounterError) as caught:
            await prints(counter, *wrong[:2], **wrong[2])
        assert caught.value.why is Why.UNKNOWN
    assert "credit" not in {kind for _, kind, _ in await jobs(counter)}


async def test_taps_that_come_at_once_print_each_copy_once(counter: Counter) -> None:
    await with_printer(counter, "Till", "star")
    order = await counter.preparing(TEA, CAKE)
    await reject(counter, order, "cake")
    number, context = await note_of(counter, order), counter.stage.context
    await asyncio.gather(
        *(prints(counter, order, number) for _ in range(6)),
        *(reprints.again(context, counter.who, order, "receipt") for _ in range(6)),
    )
    for kind in ("credit", "receipt"):
        copies = [
            row["copy"]
            for row in await counter.stage.rows(
                "SELECT copy FROM counter_prints WHERE kind = $1 ORDER BY copy", kind
            )
        ]
        assert copies == list(range(len(copies)))
        assert copies


@pytest.mark.parametrize("kind", ["ticket", "cancelled", "receipt", "credit"])
async def test_what_did_not_come_out_is_printed_again_as_what_it_was(
    counter: Counter, kind: str
) -> None:
    await with_printer(counter, "Till", "star")
    context = counter.stage.context
    order = await counter.preparing(TEA, CAKE)
    await reject(counter, order, "cake")
    await reprints.again(context, counter.who, order, "receipt")
    await prints(counter, order, await note_of(counter, order))
    before = Counted(kind for _, kind, _ in await jobs(counter))
    failed = await never_came_out(counter, kind)
    (problem,) = await reprints.problems(context, counter.who)
    assert (problem.id, problem.kind) == (failed, kind)
    counter.stage.later(1)
    await reprints.repeat(context, counter.who, failed)
    after = Counted(kind for _, kind, _ in await jobs(counter))
    assert after - before == Counted({kind: 1})
    assert "COPY" in (await words_on(counter, kind))[-1]


async def test_what_staff_entered_is_printed_again_and_so_is_that_it_was_cancelled(
    counter: Counter,
) -> None:
    await with_printer(counter, "Till", "star")
    context, who = counter.stage.context, counter.who
    await walk_ins.enter(context, who, "S01", [Wish(sku="tea")], "Mei")
    (walk_in,) = await walk_ins.listed(context, who)
    await reprints.repeat(context, who, await never_came_out(counter, "ticket"))
    await walk_ins.move(context, who, walk_in.id, walk_ins.Step.CANCELLED)
    failed = await never_came_out(counter, "cancelled")
    for _ in range(2):
        counter.stage.later(1)
        await reprints.repeat(context, who, failed)
    kinds = Counted(kind for _, kind, _ in await jobs(counter))
    assert kinds == {"ticket": 2, "cancelled": 3}
    assert all("CANCELLED" in words for words in await words_on(counter, "cancelled"))


async def test_paper_of_a_printer_that_is_gone_or_that_is_nobodys_is_not_printed_again(
    counter: Counter,
) -> None:
    await with_printer(counter, "Till", "star")
    context = counter.stage.context
    order = await counter.preparing(TEA, CAKE)
    await reject(counter, order, "cake")
    failed = await never_came_out(counter, "cancelled")
    for who, job in (
        (replace(counter.who, outlets=("S99",)), failed), (counter.who, uuid4()),
        (counter.who, await counter.stage.value(
            "SELECT id FROM counter_prints WHERE kind = 'ticket'")),  # it may still come out
    ):  # fmt: skip
        with pytest.raises(CounterError) as caught:
            await reprints.repeat(context, who, job)
        assert caught.value.why is Why.UNKNOWN
    await counter.stage.rows("UPDATE counter_printers SET retired_at = now() RETURNING id")
    with pytest.raises(CounterError) as caught:
        await reprints.repeat(context, counter.who, failed)
    assert caught.value.why is Why.NO_PRINTER
