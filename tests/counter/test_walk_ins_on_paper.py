"""Orders that staff enter: on paper, back in stock, and gone from the logs."""

import asyncio
from uuid import UUID

import pytest

from coinslot.counter import history, printers, printing, reprints, staff, walk_ins
from coinslot.counter.basket import Wish
from coinslot.counter.printers import NewPrinter
from coinslot.counter.staff import CounterError, Staff, Why
from coinslot.counter.tickets import Ticket
from coinslot.counter.walk_ins import Step
from coinslot.db.pool import RawConnection
from coinslot.worker import prune
from tests.counter.stage import Counter
from tests.counter.telling import PHONE, reach, service

CAKE = Wish(sku="cake")
DAY_S = 86_400
ENDED = "what_is_kept_for_a_time_ends_after_it"


async def add_printer(counter: Counter, name: str, *stations: str) -> None:
    new = NewPrinter(outlet="S01", name=name, kind="star", stations=stations)
    await printers.add(counter.stage.context, counter.who, new)


async def papers(counter: Counter) -> list[tuple[str, list[str]]]:
    """What is printed where, as its rows read."""
    stage = counter.stage
    found = []
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        for job in await conn.fetch("SELECT id FROM counter_prints ORDER BY created_at, id"):
            row = await conn.fetchrow(printing.JOB, job["id"])
            assert row is not None
            ticket = Ticket(row, [], [], stage.context.zone_of(row["zone"]))
            found.append((row["printer"], [one.text for one in ticket.rows() if one.text]))
    return found


async def entered(counter: Counter, *wishes: Wish, name: str = "") -> UUID:
    context = counter.stage.context
    number = await walk_ins.enter(context, counter.who, "S01", wishes or (CAKE,), name)
    return next(o.id for o in await walk_ins.listed(context, counter.who) if o.number == number)


async def step(counter: Counter, walk_in: UUID, to: Step) -> None:
    await walk_ins.move(counter.stage.context, counter.who, walk_in, to)


async def test_it_is_printed_once_where_its_stations_print_and_says_how_it_is_paid(
    counter: Counter,
) -> None:
    await counter.stage.rows(
        "UPDATE counter_items SET station = CASE section WHEN 'Food' THEN 'kitchen' ELSE 'bar' END"
        " RETURNING id"
    )
    await add_printer(counter, "All")
    await add_printer(counter, "Bar", "bar")
    await add_printer(counter, "Grill", "grill")
    await entered(
        counter, Wish(sku="cake", note="warm"), Wish(sku="latte", choices=("oat",)), name="Ana"
    )
    found = dict(await papers(counter))
    assert set(found) == {"All", "Bar"}
    for said in ("W1", "Ana", "1 × Carrot cake", "» warm", "Oat"):
        assert said in found["All"]
    assert "Paid at the till" in found["All"][-1]
    assert not any("Carrot cake" in row for row in found["Bar"])
    assert any("Latte" in row for row in found["Bar"])


async def test_who_has_a_cancelled_one_on_paper_is_told_so_and_its_pieces_are_for_sale_again(
    counter: Counter,
) -> None:
    await add_printer(counter, "All")
    walk_in = await entered(counter, Wish(sku="cake", quantity=2))
    other = await entered(counter, Wish(sku="cake"))
    assert await counter.left("cake") == 0
    counter.stage.later(1)
    done = await asyncio.gather(
        *(step(counter, walk_in, Step.CANCELLED) for _ in range(3)), return_exceptions=True
    )
    assert sum(one is None for one in done) == 1, "it is cancelled once"
    assert await counter.left("cake") == 2
    assert ["CANCELLED" in rows for _, rows in await papers(counter)] == [False, False, True]
    holds = "SELECT jsonb_array_length(taken) FROM counter_walk_ins WHERE id = $1"
    assert [await counter.stage.value(holds, one) for one in (walk_in, other)] == [0, 1]


async def test_choices_that_are_counted_come_back_too(counter: Counter) -> None:
    await counter.stage.rows(
        "UPDATE counter_items SET option_stock = '{\"oat\": 5}' FROM products p"
        " WHERE p.id = product_id AND sku = 'latte' RETURNING counter_items.id"
    )
    stock = "SELECT option_stock->>'oat' FROM counter_items WHERE option_stock <> '{}'"
    walk_in = await entered(counter, Wish(sku="latte", quantity=2, choices=("oat",)))
    assert await counter.stage.value(stock) == "3"
    await step(counter, walk_in, Step.CANCELLED)
    assert await counter.stage.value(stock) == "5"


async def test_choices_that_are_counted_since_it_was_entered_get_nothing_back(
    counter: Counter,
) -> None:
    walk_in = await entered(counter, Wish(sku="latte", quantity=2, choices=("oat",)))
    await counter.stage.rows(
        "UPDATE counter_items SET option_stock = '{\"oat\": 5}' FROM products p"
        " WHERE p.id = product_id AND sku = 'latte' RETURNING counter_items.id"
    )
    await step(counter, walk_in, Step.CANCELLED)
    assert (
        await counter.stage.value(
            "SELECT option_stock->>'oat' FROM counter_items WHERE option_stock <> '{}'"
        )
        == "5"
    )


async def test_what_was_made_is_not_for_sale_again(counter: Counter) -> None:
    walk_in = await entered(counter)
    await step(counter, walk_in, Step.READY)
    await step(counter, walk_in, Step.CANCELLED)
    assert await counter.left("cake") == 2


async def test_one_that_is_entered_while_another_is_cancelled_waits_and_both_are_done(
    counter: Counter,
) -> None:
    first = await entered(counter, Wish(sku="cake", quantity=3))
    done = await asyncio.gather(
        *(step(counter, one, Step.CANCELLED) for one in [first]),
        *(entered(counter, Wish(sku="tea")) for _ in range(4)), return_exceptions=True,
    )  # fmt: skip
    assert [one for one in done if isinstance(one, Exception)] == []
    assert await counter.left("cake") == 3


async def test_names_searches_and_open_boards_end_with_the_logs_and_not_before(
    counter: Counter,
) -> None:
    stage = counter.stage
    service(counter)
    await entered(counter, Wish(sku="cake", note="for Ana"), name="Ana")
    await counter.board_open(hours=1)
    await counter.paid(contact=reach())
    await history.ask(stage.context, await counter.store(), PHONE, "10.0.0.9")
    counts = (
        "SELECT (SELECT count(*) FROM counter_walk_ins WHERE name <> '' OR lines::text LIKE"
        " '%for Ana%') AS named, (SELECT count(*) FROM counter_presence) AS boards,"
        " (SELECT count(*) FROM counter_lookups WHERE digest <> '' OR network <> '') AS searches"
    )
    stage.later(29 * DAY_S)
    await prune.prune(stage.context, "logs")
    assert [tuple(row.values()) for row in await stage.rows(counts)] == [(1, 1, 1)]
    stage.later(2 * DAY_S)
    await prune.prune(stage.context, "logs")
    assert [tuple(row.values()) for row in await stage.rows(counts)] == [(0, 0, 0)]
    assert await stage.value("SELECT lines->0->>'name' FROM counter_walk_ins") == "Carrot cake"
    assert await stage.value("SELECT count(*) FROM retention_runs WHERE what = 'logs'") == 1


async def test_who_goes_is_found_in_no_search_either(counter: Counter) -> None:
    stage = counter.stage
    service(counter)
    order = await counter.paid(contact=reach())
    await history.ask(stage.context, await counter.store(), PHONE, "10.0.0.9")
    await history.ask(stage.context, await counter.store(), "+4915100000098", "10.0.0.9")
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        await conn.execute("SELECT forget_person($1)", order)
    left = await stage.rows("SELECT digest <> '' AS named FROM counter_lookups ORDER BY 1")
    assert [row["named"] for row in left] == [False, True], "another phone's search stays"


LEFT = {
    "a name": "UPDATE counter_walk_ins SET name = 'Ana'",
    "a note": """UPDATE counter_walk_ins SET lines = '[{"note": "for Ana"}]'""",
    "an open board": "INSERT INTO counter_presence (merchant_id, outlet_id, began_at, seen_at)"
    " SELECT merchant_id, outlet_id, created_at, created_at FROM counter_stores",
    "a search": "UPDATE counter_lookups SET digest = 'x'",
}


@pytest.mark.parametrize("what", LEFT)
async def test_the_audit_sees_each_thing_that_a_run_left(counter: Counter, what: str) -> None:
    stage = counter.stage
    await entered(counter)
    await counter.board_open(hours=1)
    await history.ask(stage.context, await counter.store(), PHONE, "10.0.0.9")
    stage.later(40 * DAY_S)
    await prune.prune(stage.context, "logs")
    assert ENDED not in (await stage.audit()).red
    hand: RawConnection | None = stage.owner
    assert hand is not None
    await hand.execute(LEFT[what])
    assert ENDED in (await stage.audit()).red
    await prune.prune(stage.context, "logs")
    assert ENDED not in (await stage.audit()).red


async def test_the_audit_sees_a_search_of_somebody_who_went(counter: Counter) -> None:
    stage = counter.stage
    service(counter)
    order = await counter.paid(contact=reach())
    await history.ask(stage.context, await counter.store(), PHONE, "10.0.0.9")
    left = await stage.value("SELECT person_left($1)", order)
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        await conn.execute(
            "INSERT INTO forgotten_orders (order_id, merchant_id, asked_by, reason, asked_at)"
            " VALUES ($1, $2, 'asha', 'asked', $3)", order, stage.merchant, stage.clock.now(),
        )  # fmt: skip
    assert await stage.value("SELECT person_left($1)", order) == left + 1


async def test_it_is_printed_again_as_a_copy_while_it_is_open(counter: Counter) -> None:
    context, who = counter.stage.context, counter.who
    walk_in = await entered(counter)
    with pytest.raises(CounterError) as caught:
        await reprints.walk_in_again(context, who, walk_in)
    assert caught.value.why is Why.NO_PRINTER
    await add_printer(counter, "All")
    for _ in range(2):  # the first that this printer has is none
        counter.stage.later(1)
        await reprints.walk_in_again(context, who, walk_in)
    taps = [reprints.walk_in_again(context, who, walk_in) for _ in range(3)]
    await asyncio.gather(*taps)
    assert ["COPY" in rows for _, rows in await papers(counter)] == [False, *[True] * 4]
    other = Staff(merchant=who.merchant, login="ravi", actor=who.actor, outlets=("M01",))
    with pytest.raises(CounterError):
        await reprints.walk_in_again(context, other, walk_in)
    counter.stage.later(1)
    await step(counter, walk_in, Step.CANCELLED)
    assert ["CANCELLED" in rows for _, rows in await papers(counter)].count(True) == 1
    with pytest.raises(CounterError) as caught:
        await reprints.walk_in_again(context, who, walk_in)
    assert caught.value.why is Why.OVER


async def test_paper_is_due_at_once_where_an_order_is_accepted_or_a_piece_is_rejected(
    counter: Counter,
) -> None:
    await add_printer(counter, "All")
    order, woken = await counter.paid(), counter.stage.context.wakes.of("counter_prints")
    for work in (
        staff.accept(counter.stage.context, counter.who, order),
        staff.reject(counter.stage.context, counter.who, order, "None left"),
    ):
        woken.clear()
        await work
        assert woken.is_set()
