"""What is kept: printers with what is wrong with them, and every piece of paper."""

from typing import ClassVar

from sandbox.printers.settings import Faults
from sandbox.printers.settings import Printer as Wanted
from sandbox.shelf import Thing


class Printer(Thing):
    kind: ClassVar[str] = "printers.printer"
    settings: Wanted
    faults: Faults = Faults()


class Paper(Thing):
    """What came out, as a PNG. `waiting`: it lies in the printer's memory until there is paper."""

    kind: ClassVar[str] = "printers.paper"
    printer: str
    job: str
    order: str
    copy: bool
    picture: bytes
    cut: bool
    whole: bool = True
    waiting: bool = False

    @property
    def parent(self) -> str:
        return self.printer
