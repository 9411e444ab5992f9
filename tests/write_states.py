"""Writes docs/states.md from the tables of moves: `python -m tests.write_states`.

The words below are all that is written by hand; a word that is missing stops the writing.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from coinslot.app.kinds import KINDS
from coinslot.kit.flow import Flow, Row
from coinslot.rollouts.flow import FLOWS as ROLLOUT_FLOWS
from coinslot.states.transition import FLOWS
from coinslot.states.unit_flow import UnitFlow

UNIT_FLOWS = tuple(kind.flow for kind in KINDS.values())

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "src" / "coinslot"
PAGE = ROOT / "docs" / "states.md"

HEAD = """# The states

Made from the tables in `src/coinslot/states/*_flow.py`, and in the room of each way of selling, by
`python -m tests.write_states`: change those. `src/coinslot/states/laws.py`, and `laws.py` of a
room, say in sentences what must hold of them, and
`tests/unit/test_flow_laws.py` changes every row in every way and sees a law fail.

An event that a state does not list is kept in `strays`, moves nothing, and calls a person. Thick
points: the first state follows the upper one, a final state leads to the lower one.
"""

ABOUT = {
    "order": "An order: what someone wants of an outlet.",
    "payment": "A payment: the intent to collect one amount.",
    "attempt": "An attempt: one try of a payment at one gateway.",
    "refund": "A refund: one order to give money back, driven until the gateway proves it.",
    "receipt": "A fiscal receipt: goes with a payment or a refund; no money waits for it.",
    "rollout": "A roll-out: one build of firmware for the machines of a merchant, stage by stage"
    " ([fleet](fleet.md)).",
    "machine_update": "One machine in a roll-out.",
    "vending": "A fulfillment at a machine: one thing to be handed over, the unit of the"
    " [vend protocol](vend-protocol.md).",
    "coffee": "A fulfillment at a coffee machine: one cup, commanded once ([coffee](coffee.md)).",
    "counter": "A fulfillment at a counter: one piece of an order ([counter](counter.md)).",
}

STATES: Mapping[str, Mapping[str, str]] = {
    "order": {
        "placed": "placed and not paid",
        "paid": "money is here, goods or money are owed",
        "completed": "at least one thing was handed over; the money of what was not goes back",
        "failed": "nothing was handed over; the money goes back",
        "expired": "nobody paid in time; money that comes later goes back",
    },
    "payment": {
        "created": "written down, the gateway not asked yet",
        "requires_action": "the code is shown; the payer's turn",
        "processing": "the gateway is being asked, or gave no clear answer",
        "authorized": "the money is held, not captured; it buys nothing yet",
        "failed": "declined; a later capture still counts",
        "succeeded": "the money is captured",
        "canceled": "cancelled, voided, or its order expired; money that comes later goes back",
    },
    "attempt": {
        "started": "written down before the gateway is called",
        "pending": "the code is shown",
        "unknown": "time-out or unreadable: it may have happened",
        "failed": "the gateway declined it",
        "succeeded": "the gateway captured the money",
    },
    "refund": {
        "pending": "to be sent, or sent and not proved",
        "owed": "the gateway cannot make it; a person has to",
        "succeeded": "the gateway accepted it, or gave the money back by itself",
        "failed": "dead; another refund replaces it",
    },
    "receipt": {
        "due": "written down; its payment or refund takes it along",
        "sent": "the gateway has it, and has not said that it is registered",
        "registered": "the tax service has it",
        "refused": "the gateway will not register it; a person has to",
        "overdue": "it should be registered by now; a person has to look",
        "void": "not needed: no money moved, or another receipt took its place",
    },
    "rollout": {
        "draft": "written down; no machine hears of it",
        "running": "the machines of its stages are offered the build",
        "soaking": "the stage has it; how it sells is compared with the others",
        "paused": "nothing new begins; a person decides",
        "done": "every stage has it, and the last soak was good",
        "aborted": "a person ended it; what was not installed is withdrawn",
    },
    "machine_update": {
        "waiting": "its stage, its window of time or a place has not come yet",
        "offered": "it was told where the manifest is",
        "downloading": "it accepted the manifest and loads the image",
        "verified": "the image is whole and ours; it asks whether it may install",
        "installing": "GO is committed; its outlet is off sale",
        "trial": "a new boot said the new version; it tests itself, its outlet is off sale",
        "confirmed": "it runs the new code for good, and sells",
        "failed": "it refused the build, or a person gave it up",
        "rolled_back": "a boot after GO said the old version: it went back by itself, and sells",
        "silent": "unheard past its deadline; after GO its outlet stays off sale",
        "skipped": "it does not need the build, or the offer was withdrawn",
    },
    "vending": {
        "queued": "waits for its machine",
        "offered": "offered to the machine; nothing can drop yet",
        "going": "GO is committed, and counts as sent",
        "started": "the machine committed STARTED to its journal",
        "in_doubt": "the outcome is unknown; evidence is awaited until the deadline",
        "vended": "handed over: settled as fulfilled",
        "failed": "settled: the money goes back",
    },
    "coffee": {
        "to_make": "waits for its machine to be heard; nothing is commanded",
        "making": "the command is committed, and counts as sent; its answer is awaited",
        "in_grace": "the vendor took the command; its customer may say that nothing came",
        "in_doubt": "nobody knows whether a cup came; a person or the merchant's rule decides",
        "made": "handed over: settled as fulfilled",
        "not_made": "settled: the money goes back",
    },
    "counter": {
        "to_accept": "paid; nobody has accepted it",
        "in_preparation": "staff accepted it",
        "to_pick_up": "it waits for its customer",
        "handing": "within the one transaction of its hand-over",
        "picked_up": "settled as fulfilled: by its code, or by somebody who vouches for it",
        "not_picked_up": "settled: the money goes back",
    },
}

EVENTS: Mapping[str, Mapping[str, str]] = {
    "order": {
        "PAID": "money for it was captured",
        "DEADLINE": "its time to be paid is over",
        "HANDED_OVER": "the last unit is settled, and at least one was handed over",
        "GONE_BACK": "the last unit is settled, and none was handed over",
    },
    "payment": {
        "SHOWN": "the gateway made the code",
        "UNCLEAR": "no clear answer came",
        "AUTHORIZED": "the gateway holds the money",
        "DECLINED": "the gateway declined it",
        "CAPTURED": "the gateway captured the money",
        "DEADLINE": "its order expired, or a person stated that no money came",
        "CONFIRM": "the merchant confirms it, and an attempt begins",
        "CANCEL": "the merchant cancels it",
        "CLOSED": "it ended at the gateway without money",
        "TAKE": "the merchant requests a capture of the held money, or of a part",
        "LET_GO": "the merchant requests a void of the held money",
        "VOIDED": "the gateway voided what it held, as requested",
    },
    "attempt": {
        "SHOWN": "the gateway made the code",
        "UNCLEAR": "no clear answer came",
        "DECLINED": "the gateway declined it",
        "CAPTURED": "the gateway captured the money",
        "CLOSED": "it ended at the gateway without money",
    },
    "refund": {
        "UNCLEAR": "no clear answer came, which proves nothing",
        "TAKEN_UP": "the gateway accepted it and works on it",
        "PROVED": "the gateway processed it",
        "COVERED": "the gateway has given all of this money back by itself",
        "PARTLY_COVERED": "the gateway has given a part of this money back by itself",
        "REFUSED": "the gateway will never do it",
        "FAILED_THERE": "it failed at the gateway",
        "UNCOVERED": "the refund of the gateway's own that had paid it failed",
        "PAID_BY_HAND": "a person paid it out and showed proof",
    },
    "receipt": {
        "SENT": "the gateway has it",
        "REGISTERED": "the gateway says that it is registered",
        "REFUSED": "the gateway refused it, or gave it up",
        "DEADLINE": "the time within which it should be registered is over",
        "NOT_NEEDED": "its money did not move, or went another way",
        "REPLACED": "a person corrected it: another one is sent",
        "MADE_BY_HAND": "a person had it made elsewhere, and noted its number",
    },
    "rollout": {
        "START": "a person starts it",
        "STAGE_OVER": "no machine of the stage is under way, and some have the build",
        "SOAKED": "the soak was long enough, with enough vends, and no worse than the others",
        "FINISHED": "the same after the last stage",
        "FAILING": "too many machines failed, or the soak was worse or had too few vends",
        "PAUSE": "a person pauses it",
        "RESUME": "a person resumes it",
        "ABORT": "a person ends it",
    },
    "machine_update": {
        "OFFER": "its turn",
        "DOWNLOADING": "the machine loads the image",
        "VERIFIED": "the machine has it, and it is ours",
        "REFUSED": "the machine will not install it, and its tries are used up",
        "RETRY": "the attempt is over, and there is another",
        "GO": "nothing is paid or open at the machine, or GO may be lost",
        "NEW_VERSION": "the HELLO of a new boot says the build's version",
        "GO_VOID": "it started anew before it heard GO, and still holds the image",
        "OLD_VERSION": "the HELLO of a new boot says another version",
        "CONFIRMED": "the machine wrote down that it keeps the new code",
        "DEADLINE": "its time is over",
        "SKIP": "it has the build already, or the offer is withdrawn",
        "GIVEN_UP": "a person says that it does not come back",
    },
    "vending": {
        "OFFER": "its turn, or an offer unanswered",
        "COMMAND": "its turn, at a machine without a handshake",
        "ACCEPT": "the machine accepted",
        "REJECT": "the machine refused for good",
        "BUSY": "the machine refused for now",
        "STARTED": "the machine committed STARTED",
        "VENDED": "evidence: it dropped",
        "NOT_VENDED": "evidence: it did not drop, and will not",
        "UNSURE": "the machine does not know",
        "SILENCE": "no answer in time",
        "DEADLINE": "its time is over",
        "WITHDRAWN": "the gateway gave the money back by itself",
    },
    "coffee": {
        "MAKE": "its machine was heard",
        "TAKEN_ON": "the vendor took the command",
        "UNCLEAR": "time-out, 5xx, an unreadable answer, or none that was written down",
        "BREWED": "evidence: the vendor's report, its customer, or a person who looked",
        "NOT_BREWED": "evidence: the vendor refused the command or reports so, or a person looked",
        "DENIED": "its customer says that nothing came",
        "UNDISPUTED": "the grace passed, or the merchant's rule says goods",
        "DEADLINE": "its time is over",
        "WITHDRAWN": "the gateway gave the money back by itself",
    },
    "counter": {
        "ACCEPTED": "staff begin with it",
        "FINISHED": "staff say that it is ready",
        "UNDONE": "staff go one step back",
        "REJECTED": "staff do not hand it over, and say why",
        "CANCELLED": "its customer cancels it, before anybody accepted it",
        "HANDING": "the hand-over is committed",
        "HANDED_OVER": "evidence: its code, or the word of a named person",
        "NOT_FETCHED": "nobody fetched it in time, its customer provably was told that it is ready,"
        " and had read before the payment that the money is kept then",
        "DEADLINE": "nobody accepted or fetched it in time",
        "WITHDRAWN": "a person gave the money back, or the gateway by itself",
    },
}

JOBS: Mapping[str, str] = {
    "queue_units": "one unit is queued for each thing paid for",
    "close_payment": "its payment is canceled and its code closed",
    "book_refund": "the ledger says that the money left",
    "book_covered": "the ledger sets it against what the gateway gave back",
    "make_smaller": "that part is set against it, a smaller refund replaces it",
    "call_person": "a person is called",
    "try_anew": "a refund with a new key replaces it",
    "unbook_refund": "the ledger reverses it",
    "note_discrepancy": "a discrepancy stays open until a person closes it",
    "send_manifest": "the address of the manifest is sent",
    "send_install": "GO for the installation is sent",
    "send_offer": "OFFER is sent",
    "send_command": "the command is sent, once",
    "send_go": "GO is sent, always the same bytes",
    "send_query": "the machine is queried",
    "send_make": "the command is sent, once",
    "hand_over": "the money is earned",
    "give_back": "a refund is made",
    "expose": "it is booked as an exposure: settled by policy, not by evidence",
}


FUNCTIONS_HEAD = """
## Which function does a job

A move calls these SQL functions by name, in its own transaction. `send_*` has none: after the
commit `vending/dispatch.py` and `vending/machine_messages.py` send the message. `call_person` has
none either: `oversight/sql/cases.sql` opens the case.

| table | job | function |
| --- | --- | --- |
"""


KINDS_HEAD = """
## What the ways of selling register

`app/kinds.py` lists them. SQL of the rooms below calls these functions of a kind by name, at the
end of the transaction that queues its units, and of the move that settles one. What it asks about a
kind, `begins_as(kind)` and `settles_as(kind, state)`, is made from the tables above.

| kind | point of no return | handler | table beside | queued | begun when paid | settled |
| --- | --- | --- | --- | --- | --- | --- |
"""


def page() -> str:
    """The whole of docs/states.md."""
    chapters = "".join(f"\n{chapter(flow)}" for flow in (*FLOWS, *ROLLOUT_FLOWS, *UNIT_FLOWS))
    functions = "".join(map(_functions, (*FLOWS, *ROLLOUT_FLOWS, *UNIT_FLOWS)))
    return HEAD + chapters + FUNCTIONS_HEAD + functions + KINDS_HEAD + "".join(_registered())


def _registered() -> Iterator[str]:
    for name, kind in KINDS.items():
        said = kind.flow.declared
        sent = dict.fromkeys(
            f"{row.event}: {row.state} to {row.next}"
            for row in kind.flow.rows
            if row.state in said.unsent and row.next in kind.flow.sent
        )
        module = type(kind).__module__.removeprefix("coinslot.").replace(".", "/")
        beside = f"`{said.beside.table}`" if said.beside else "none"
        called = (said.queued, said.begun, said.settled)
        hooks = [_place(hook) if hook else "none" for hook in called]
        cells = [name, "; ".join(sent), f"`{type(kind).__name__}` in `{module}.py`", beside, *hooks]
        yield f"| {' | '.join(cells)} |\n"


def _functions(flow: Flow) -> str:
    jobs = dict.fromkeys(job for row in flow.rows for job in row.jobs)
    return "".join(
        f"| {flow.name} | {job} | {_place(f'{_function_of(flow)}_{job}')} |\n" for job in jobs
    )


def _function_of(flow: Flow) -> str:
    """The units of every kind are moved by one function."""
    return "fulfillment" if isinstance(flow, UnitFlow) else flow.name


def _place(function: str) -> str:
    for path in sorted(PACKAGE.rglob("sql/*.sql")):
        if f"FUNCTION {function}(" in path.read_text(encoding="utf-8"):
            return f"`{function}` in `{path.relative_to(PACKAGE).as_posix()}`"
    return "none"


def chapter(flow: Flow) -> str:
    ordered = list(dict.fromkeys([*(row.state for row in flow.rows), *sorted(flow.terminal)]))
    lines = [
        f"## {flow.name}", "", ABOUT[flow.name], "",
        "```mermaid", "stateDiagram-v2", *_arrows(flow, ordered), "```", "",
        "| state | meaning |", "| --- | --- |",
        *(f"| {state} | {STATES[flow.name][state]} |" for state in ordered), "",
        *(line for state in ordered for line in _moves(flow, state)),
    ]  # fmt: skip
    return "\n".join(lines).rstrip() + "\n"


def _arrows(flow: Flow, ordered: list[str]) -> Iterator[str]:
    yield f"    [*] --> {flow.initial}"
    for state in ordered:
        ways: dict[str, list[str]] = {}
        for row in flow.rows:
            if row.state == state and (row.next != state or row.jobs):
                ways.setdefault(row.next, []).append(row.event)
        yield from (f"    {state} --> {to}: {', '.join(words)}" for to, words in ways.items())
    yield from (f"    {state} --> [*]" for state in ordered if state in flow.terminal)


def _moves(flow: Flow, state: str) -> Iterator[str]:
    rows = [row for row in flow.rows if row.state == state]
    yield f"**{state}**"
    yield ""
    yield from (_sentence(flow, row) for row in rows if row.next != state or row.jobs)
    if idle := [row.event for row in rows if row.next == state and not row.jobs]:
        yield f"- {', '.join(idle)}: recorded, and nothing moves."
    yield ""


def _sentence(flow: Flow, row: Row) -> str:
    to = f"it becomes **{row.next}**" if row.next != row.state else "it stays"
    done = "".join(f"; {JOBS[job]}" for job in row.jobs)
    return f"- {row.event}: {EVENTS[flow.name][row.event]}: {to}{done}."


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
