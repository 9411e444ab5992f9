"""Whatever staff may do or see, they do and see at their own counters: every verb that takes staff
is found by its signature and called by someone of another counter, and by a stranger."""

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Coroutine
from typing import Any
from uuid import uuid4

import coinslot.counter
from coinslot.context import Context
from coinslot.counter import boards, printers, staff, walk_ins
from coinslot.counter.basket import BasketError, Wish
from coinslot.counter.printers import NewPrinter, PrinterError
from coinslot.counter.staff import CounterError, Staff, Status, Why
from coinslot.db.pool import RawConnection
from coinslot.people.audit_log import COMMAND_LINE
from tests.counter.stage import Counter

Verb = Callable[..., Coroutine[Any, Any, object]]
_LEAST = 20  # fewer would mean that they are not found any more


def verbs() -> dict[str, Verb]:
    found: dict[str, Verb] = {}
    for room in pkgutil.iter_modules(coinslot.counter.__path__, "coinslot.counter."):
        for name, one in vars(importlib.import_module(room.name)).items():
            if inspect.iscoroutinefunction(one) and one.__module__ == room.name and name[0] != "_":
                kinds = {each.annotation for each in inspect.signature(one).parameters.values()}
                if kinds & {Staff, "Staff"}:
                    found[f"{room.name.rpartition('.')[2]}.{name}"] = one
    return found


async def furnished(counter: Counter) -> dict[str, Any]:
    """A counter with one of everything, by the names that verbs have for it."""
    context, who = counter.stage.context, counter.who
    await printers.add(context, who, NewPrinter(outlet="S01", name="Star", kind="star"))
    await walk_ins.enter(context, who, "S01", [Wish(sku="cake")])
    order = await counter.preparing(Wish(sku="tea"), Wish(sku="cake"))
    cake = next(u.unit_id for u in (await counter.view(order)).units if u.name == "Carrot cake")
    await staff.reject(context, who, order, "None left", [cake])
    await counter.stage.sweep()
    await staff.ready(context, who, order)
    await counter.stage.rows(
        "UPDATE counter_prints SET failed_at = created_at, due_at = NULL RETURNING id"
    )

    async def of(sql: str) -> Any:
        return await counter.stage.value(sql)

    unit = await of("SELECT id FROM fulfillments LIMIT 1")
    return {
        "order": order, "wanted": order, "outlet": "S01", "to": Status.PLACED, "reason": "x",
        "code": await counter.code(order), "done": True, "phone": "+4915100000099",
        "unit": unit, "missing": staff.Missing(units=(unit,)), "wishes": [Wish(sku="cake")],
        "said": boards.Said(shown=(order,), touched=(order,)), "step": walk_ins.Step.HANDED,
        "new": NewPrinter(outlet="S01", name="Other", kind="star"),
        "printer": await of("SELECT id FROM counter_printers"),
        "job": await of("SELECT id FROM counter_prints ORDER BY id LIMIT 1"),
        "walk_in": await of("SELECT id FROM counter_walk_ins"),
        "number": (await counter.view(order)).credits[0].number,
    }  # fmt: skip


def arguments(verb: Verb, at: dict[str, Any]) -> dict[str, Any]:
    return {
        name: at[name]
        for name, one in inspect.signature(verb).parameters.items()
        if name not in ("context", "who") and (name in at or one.default is inspect.Parameter.empty)
    }


async def test_staff_of_another_counter_and_of_another_merchant_do_and_see_nothing(
    counter: Counter,
) -> None:
    at, context = await furnished(counter), counter.stage.context
    assert counter.stage.owner is not None
    before = await every_row(counter.stage.owner)
    strangers = (
        Staff(merchant=counter.stage.merchant, login="ravi", actor=COMMAND_LINE, outlets=("S99",)),
        Staff(merchant=uuid4(), login="chandra", actor=COMMAND_LINE),
    )
    saw: dict[str, list[object]] = {}
    for name, verb in verbs().items():
        saw[name] = [await seen(verb, context, who, arguments(verb, at)) for who in strangers]
    assert len(saw) >= _LEAST, sorted(saw)
    assert {name: both for name, both in saw.items() if any(both)} == {}
    after = await every_row(counter.stage.owner)
    assert "counter_prints" in after
    assert {table: after[table] for table in after if after[table] != before[table]} == {}


async def every_row(owner: RawConnection) -> dict[str, list[str]]:
    """Of every table that there is."""
    tables = await owner.fetch(
        "SELECT table_name AS name FROM information_schema.tables"
        " WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
    )
    return {
        row["name"]: [
            one["row"]
            for one in await owner.fetch(f"SELECT t::text AS row FROM {row['name']} t ORDER BY 1")
        ]
        for row in tables
    }


async def seen(verb: Verb, context: Context, who: Staff, given: dict[str, Any]) -> object:
    """Nothing where it is refused; and why says no more than that there is no such thing."""
    try:
        return await verb(context, who, **given)
    except CounterError as error:
        # A walk-in that is not there is said to have ended, whoever asks.
        return "" if error.why in (Why.UNKNOWN, Why.OVER) else error.why
    except (PrinterError, BasketError):
        return ""
