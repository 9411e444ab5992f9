"""What comes out of a printer, and when: kept with the order that its code names."""

import io

import zxingcpp
from PIL import Image

from sandbox.clock import now_s
from sandbox.printers.things import Paper, Printer
from sandbox.shelf import Window as Page
from sandbox.shelf import children, find, new_id, put
from sandbox.store import Change

COPY = " COPY"
ALL = Page(count=100_000)


def known(look: Change, name: str) -> Printer | None:
    return find(look, Printer, f"printer-{name}")


def kept(change: Change, printer: Printer, picture: Image.Image, *, cut: bool = True) -> Paper:
    """Print it, or hold it in the printer's memory until there is paper and the cover is shut."""
    faults = printer.faults
    if faults.half and not faults.stops:
        picture = picture.crop((0, 0, picture.width, max(picture.height // 2, 1)))
    order, copy = _order_on(picture)
    paper = Paper(
        id=new_id("paper_"), account_id="", created_at=now_s(), printer=printer.id, job="",
        order=order, copy=copy, picture=_png(picture), cut=cut, whole=not faults.half,
        waiting=faults.stops,
    )  # fmt: skip
    put(change, paper)
    where = printer.settings.printer_id
    change.tell(f"printer {where}: {'holds a ticket' if paper.waiting else 'a ticket came out'}")
    return paper


def named(change: Change, paper: Paper, job: str) -> None:
    paper.job = job
    put(change, paper)


def all_of(look: Change, printer: Printer) -> list[Paper]:
    """Oldest first."""
    return children(look, Paper, printer.id, ALL)[::-1]


def let_out(change: Change, printer: Printer) -> None:
    """There is paper again: what lay in the memory comes out now."""
    for paper in all_of(change, printer):
        if paper.waiting:
            paper.waiting, paper.created_at = False, now_s()
            put(change, paper)
            change.tell(f"printer {printer.settings.printer_id}: a ticket came out")


def _order_on(picture: Image.Image) -> tuple[str, bool]:
    """What the code on the ticket says: the order, and whether this is a copy."""
    edge = Image.new("L", (picture.width + 40, picture.height + 40), 255)
    edge.paste(picture.convert("L"), (20, 20))
    found = zxingcpp.read_barcodes(edge)
    text = found[0].text if found else ""
    return text.removesuffix(COPY), text.endswith(COPY)


def _png(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()
