"""`coinslot orders`: what became of an order, and money given back by a named person."""

from collections.abc import Awaitable, Callable
from typing import Annotated
from uuid import UUID

import msgspec
import typer
from rich.markup import escape

from coinslot.app.server import RunningServer
from coinslot.commands.terms import Data, console, fail, installed, run_on_server
from coinslot.kit.ids import token
from coinslot.kit.money import Money, MoneyTextError
from coinslot.orders import order_records, order_refunds
from coinslot.orders.order_records import FoundOrder, OrderRecord, UnitRecord
from coinslot.orders.order_refunds import (
    MoreThanLeftError,
    OrderRefund,
    OrderRefundView,
    Outcome,
    PartView,
)
from coinslot.orders.pricing import ExtraKind
from coinslot.payments.idempotency import KeyReusedError
from coinslot.payments.merchant_api import RuledOutError, UnknownError

cli = typer.Typer(no_args_is_help=True, help="What became of an order, and its money given back.")

Order = Annotated[
    str, typer.Argument(help="Its id, its page's address, or the number its customer reads out.")
]
By = Annotated[str, typer.Option(help="Your name: it stays on record.")]
Reason = Annotated[str, typer.Option(help="Why: it stays on record.")]
Units = Annotated[
    list[UUID] | None,
    typer.Option("--unit", help="This unit, as `orders show` names it; may be given again."),
]
Extras = Annotated[
    list[ExtraKind] | None,
    typer.Option("--extra", help="The tip, the delivery fee or the added tax; may be given again."),
]
Amount = Annotated[
    str | None,
    typer.Option(help="Only so much, as you write it: 15 or 15.00. Else all that is left."),
]
Key = Annotated[
    str, typer.Option(help="The same key gives the same refund, however often it is sent.")
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document instead of lines.")]

_DONE = {
    Outcome.WAITING: "waits until the unit is settled",
    Outcome.WITHDRAWN: "was not sent, and is withdrawn",
    Outcome.TAKEN: "is taken from what was earned",
    Outcome.WENT_BACK: "went back by itself: it was not handed over",
}


@cli.command("show", epilog="Example: `coinslot orders show KXQF`")
def show(order: Order, json: AsJson = False, data: Data = None) -> None:
    """An order with its units, what is left of each, and what went or goes back."""

    async def ask(server: RunningServer) -> None:
        found = await _one(server, order)
        record = await order_records.order(server.context, found.merchant, found.id)
        assert record is not None
        if json:
            console.print_json(msgspec.json.encode(record).decode())
            return
        for line in lines(record):
            console.print(escape(line), highlight=False, soft_wrap=True)

    _run(ask, data)


@cli.command(
    "refund",
    epilog="Example: `coinslot orders refund KXQF --amount 15 --by Asha --reason 'it was warm'`",
)
def refund(  # noqa: PLR0913  the options of a command
    order: Order,
    by: By,
    reason: Reason,
    unit: Units = None,
    extra: Extras = None,
    amount: Amount = None,
    key: Key = "",
    data: Data = None,
) -> None:
    """Give money of an order back: of units, an amount, or all that is left.

    A unit that was not sent is withdrawn. For one that is with its machine the refund waits until
    it is settled. Never more goes back than is left."""

    async def give(server: RunningServer) -> None:
        found = await _one(server, order)
        record = await order_records.order(server.context, found.merchant, found.id)
        assert record is not None
        wanted = OrderRefund(
            order=found.id, key=key or f"cli-{token()}", by=by, reason=reason,
            units=tuple(unit or ()), extras=tuple(one.value for one in extra or ()),
            amount=_minor(amount, record.currency),
        )  # fmt: skip
        try:
            made = await order_refunds.refund(server.context, found.merchant, wanted)
        except MoreThanLeftError as error:
            fail(f"only {_sum(error.left, record.currency)} is left to give back")
        except (RuledOutError, UnknownError, KeyReusedError) as error:
            fail(str(error))
        for line in refund_lines(made):
            console.print(escape(line), highlight=False, soft_wrap=True)

    _run(give, data)


def lines(record: OrderRecord) -> list[str]:
    """The order for a person to read."""
    paid = f"paid {record.paid_at:%Y-%m-%d %H:%M:%S}Z" if record.paid_at else "not paid"
    whole = _sum(record.amount, record.currency)
    said = [
        f"order {record.number} ({record.id}) at {record.outlet}: {record.state}, {whole}, {paid}"
    ]
    if record.gateway_payment_id:
        said.append(f"payment {record.gateway_payment_id}")
    said += [_unit_line(unit, record.currency) for unit in record.units]
    for extra in record.extras:
        sums = [_sum(minor, record.currency) for minor in (extra.amount, extra.left)]
        how = f", {extra.settlement} by {extra.basis}" if extra.settlement else ""
        said.append(f"{extra.kind}: {sums[0]}{how}, {sums[1]} left")
    for back in record.refunds:
        there = f", {back.gateway_refund_id}" if back.gateway_refund_id else ""
        why = "made at the gateway" if back.origin == "gateway" else back.reason
        sum_ = _sum(back.amount, record.currency)
        said.append(f"refund {back.id}: {sum_}, {back.state}{there} ({why})")
    for made in record.made:
        said += refund_lines(made)
    said.append(f"left to give back: {_sum(record.left, record.currency)}")
    return said


def _unit_line(unit: UnitRecord, currency: str) -> str:
    how = f", {unit.settlement} by {unit.basis}" if unit.settlement else ""
    waits = f", {_sum(unit.waiting, currency)} wait for its end" if unit.waiting else ""
    of = f"{unit.name}, {_sum(unit.amount, currency)}, {unit.state}{how}"
    return f"unit {unit.id}: {of}, {_sum(unit.left, currency)} left{waits}"


def refund_lines(made: OrderRefundView) -> list[str]:
    """What a person asked for, and what becomes of each part."""
    whole = _sum(made.amount, made.currency)
    return [f"{whole} by {made.by}: {made.reason} (key {made.key})"] + [
        f"  {_sum(part.amount, made.currency)} of {_named(part)}:"
        f" {_DONE[part.outcome]}{_money(part.money)}"
        for part in made.parts
    ]


def _named(part: PartView) -> str:
    return part.name if part.unit is None else f"{part.name} {part.unit}"


def _money(word: str) -> str:
    return "" if word == "waiting" else f"; {word}"


def _sum(minor: int, currency: str) -> str:
    return f"{Money(minor, currency).decimal()} {currency}"


def _minor(amount: str | None, currency: str) -> int | None:
    if amount is None:
        return None
    try:
        return Money.typed(amount, currency).minor
    except MoneyTextError as error:
        fail(str(error))


async def _one(server: RunningServer, text: str) -> FoundOrder:
    found = await order_records.find(server.context, text)
    if not found:
        fail(f"there is no order {text}")
    if len(found) > 1:
        several = "; ".join(
            f"{one.id} at {one.outlet}, {one.state}, {one.placed_at:%Y-%m-%d %H:%M}Z"
            for one in found
        )
        fail(f"several orders have the number {text}, name one by its id: {several}")
    return found[0]


def _run(work: Callable[[RunningServer], Awaitable[None]], data: Data) -> None:
    run_on_server(work, installed(data))
