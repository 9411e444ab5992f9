"""`coinslot cases`: what wants a person, and how a person ends it."""

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Annotated

import typer
from rich.markup import escape

from coinslot.app.server import TOOL, RunningServer
from coinslot.commands.terms import Data, console, fail, installed, listed, quiet, run
from coinslot.context import Context
from coinslot.kit.money import Money
from coinslot.oversight import cases
from coinslot.oversight.cases import Case, CaseError, Person

cli = typer.Typer(
    invoke_without_command=True,
    help="What wants a person, oldest first.",
    epilog="Example: `coinslot cases --json`",
)

Id = Annotated[int, typer.Argument(help="The case's number.")]
By = Annotated[str, typer.Option(help="Your name: it stays on record.")]
Note = Annotated[str, typer.Option(help="What you know, and from where.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document instead of lines.")]
Closed = Annotated[bool, typer.Option("--all", help="The closed ones, too.")]
As = Annotated[
    str,
    typer.Option(
        "--as",
        metavar="failed|paid|captured=ID|refund|leave",
        help="No money came; the refund was paid another way; the gateway has it under this ID;"
        " nobody knows whether the goods came, or a machine took its drop back: the money goes"
        " back, or the sale stands.",
    ),
]

# Where the money is comes first; then what it is called there.
_FIRST = (
    "merchant", "gateway", "account", "payment", "order", "refund", "reference",
    "gateway_payment_id",
)  # fmt: skip

_WORDS = ("failed", "paid", "captured", "refund", "leave")

_MINUTE_S, _HOUR_S, _DAY_S = 60, 3600, 86400


@cli.callback()
def show(
    context: typer.Context, json: AsJson = False, closed: Closed = False, data: Data = None
) -> None:
    """What wants a person, oldest first: unresolved payments, owed refunds, breaks in the books."""
    if context.invoked_subcommand is not None:
        return

    async def ask(context: Context) -> None:
        await cases.update(context)
        found = await cases.listed(context, closed=closed)
        listed(found, line, json=json, empty="nothing wants a person")

    _run(ask, data)


@cli.command("close", epilog="Example: `coinslot cases close 7 --by Asha --note 'told him'`")
def close(case: Id, by: By, note: Note, data: Data = None) -> None:
    """Take a case out of the queue: it is dealt with. It moves no money."""

    async def end(context: Context) -> None:
        await cases.close(context, case, Person(by, note))
        _done(case, "closed; no money moved")

    _run(end, data)


@cli.command(
    "settle",
    epilog="Example: `coinslot cases settle 7 --as failed --by Asha --note 'the bank says so'`",
)
def settle(case: Id, outcome: As, by: By, note: Note, data: Data = None) -> None:
    """End what nobody else can, on your word.

    Only `refund` moves money. An ID is asked about, the gateway's answer counts, and money that it
    turns out to have taken for a payment that failed goes back."""
    word, _, reference = outcome.partition("=")
    if word not in _WORDS or (word == "captured") != bool(reference):
        raise typer.BadParameter("say failed, paid, captured=ID, refund or leave")
    hand = Person(by, note)

    async def end(context: Context) -> None:
        match word:
            case "captured":
                await cases.find(context, case, reference, hand)
                _done(case, "closed; what the gateway says of that payment is booked")
            case "failed":
                await cases.call_off(context, case, hand)
                _done(case, "closed; the payment is canceled, and money that turns up goes back")
            case "refund":
                await cases.refund(context, case, hand)
                _done(case, "closed; the money of this unit goes back")
            case "leave":
                await cases.leave(context, case, hand)
                _done(case, "closed; the sale stands and no money moved")
            case _:
                await cases.paid_by_hand(context, case, hand)
                _done(case, "closed; the refund is booked as paid by hand")

    _run(end, data)


def _done(case: int, what: str) -> None:
    console.print(f"case {case} is {what}", highlight=False, soft_wrap=True)


def _run(work: Callable[[Context], Awaitable[None]], data: Data) -> None:
    chosen = installed(data)

    async def main() -> int:
        async with AsyncExitStack() as stack:
            server = await RunningServer(chosen, TOOL, stack).open()
            try:
                await work(server.context)
            except CaseError as error:
                fail(str(error))
        return 0

    run(main, quiet(chosen))


def line(case: Case) -> str:
    """One case in one line, with the ids by which it is found elsewhere."""
    sum_ = ""
    if case.amount is not None and case.currency is not None:
        money = Money(case.amount, case.currency)
        sum_ = f"{money.decimal()} {money.currency}  "
    known = [key for key in _FIRST if key in case.data]
    order = [*known, *(key for key in case.data if key not in _FIRST)]
    more = ", ".join(f"{key} {case.data[key]}" for key in order if case.data[key] not in (None, ""))
    words = case.kind.replace("_", " ")
    return escape(
        f"{case.id:>5}  {_age(case.age_s):>4}  {case.owner}  {words}  {sum_}{more}{_ended(case)}"
    )


def _ended(case: Case) -> str:
    if case.closed_at is None:
        return ""
    note = f" ({case.note})" if case.note else ""
    return f"  closed by {case.closed_by or 'itself'}: {case.how}{note}"


def _age(seconds: int) -> str:
    for unit_s, unit in ((_DAY_S, "d"), (_HOUR_S, "h"), (_MINUTE_S, "m")):
        if seconds >= unit_s:
            return f"{seconds // unit_s}{unit}"
    return f"{seconds}s"
