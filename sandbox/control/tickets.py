"""Printers of a counter: what is wrong with each, and the newest paper that came out of it."""

from typing import NamedTuple

from sandbox.clock import hour_minute
from sandbox.printers.things import Paper, Printer
from sandbox.shelf import Window, children, everything
from sandbox.store import Change

SHOWN = 4
FAULTS = (("paper_out", "Out of paper"), ("half", "Paper ends"), ("offline", "No power"),
          ("mute", "Result lost"))  # fmt: skip


class Ticket(NamedTuple):
    """A piece of paper, with what it is for whoever does not see the picture."""

    id: str
    said: str
    at: str


class PrinterDrawing(NamedTuple):
    """A printer. `faults`: name, words, whether it is so now."""

    name: str
    faults: list[tuple[str, str, bool]]
    tickets: list[Ticket]


def drawings(look: Change) -> list[PrinterDrawing]:
    return [_drawn(look, printer) for printer in everything(look, Printer)]


def _drawn(look: Change, printer: Printer) -> PrinterDrawing:
    newest = children(look, Paper, printer.id, Window(count=SHOWN))
    return PrinterDrawing(
        name=printer.settings.printer_id,
        faults=[(name, words, getattr(printer.faults, name)) for name, words in FAULTS],
        tickets=[_ticket(one) for one in newest if not one.waiting],
    )


def _ticket(one: Paper) -> Ticket:
    what = f"Ticket of order {one.order}" if one.order else "A ticket"
    marks = (", a copy" if one.copy else "") + ("" if one.whole else ", torn in the middle")
    return Ticket(id=one.id, said=what + marks, at=hour_minute(one.created_at, ""))
