"""Printers that ask by themselves, as the sandbox plays them, over HTTP: Star CloudPRNT and Epson
Server Direct Print."""

import asyncio
from typing import Any

import httpx
import pytest
from PIL import Image

from coinslot.counter import printers
from coinslot.counter.printers import NewPrinter
from sandbox.printers import polling
from sandbox.printers.polling import Turn
from sandbox.printers.settings import Faults
from sandbox.printers.settings import Printer as Settings
from sandbox.printers.things import Printer
from tests.counter.stage import Counter, set_counter
from tests.counter.test_printing import code_on, jobs
from tests.people.conftest import Staffed
from tests.people.conftest import staffed as staffed
from tests.sales.conftest import stage as stage

KINDS = pytest.mark.parametrize("kind", ["star", "epson"])


class Asking:
    """A printer, and what came out of it."""

    def __init__(self, staffed: Staffed, kind: Any, secret: str) -> None:
        self.papers: list[Image.Image] = []
        self.faults = Faults()
        self._client = staffed.client()
        self._settings: Any = Settings(
            printer_id="K1", kind=kind, url=f"http://coinslot.test/printers/{secret}"
        )

    def _now(self) -> Printer:
        return Printer(
            id="printer-K1", account_id="", created_at=0, settings=self._settings,
            faults=self.faults,
        )  # fmt: skip

    def _put_out(self, picture: Image.Image, _job: str) -> bool:
        self.papers.append(picture)
        return not self.faults.half

    async def poll(self) -> None:
        await polling.poll(Turn(self._now, self._client, self._put_out))


async def asking(staffed: Staffed, kind: str) -> tuple[Counter, Asking]:
    shop = await set_counter(staffed.stage)
    secret = await printers.add(
        shop.stage.context, shop.who, NewPrinter(outlet="S01", name="K1", kind=kind)
    )
    return shop, Asking(staffed, kind, secret)


@KINDS
async def test_it_fetches_a_ticket_and_says_that_it_is_printed(staffed: Staffed, kind: str) -> None:
    shop, printer = await asking(staffed, kind)
    await printer.poll()
    assert printer.papers == [], "there is nothing to print"
    order = await shop.preparing()
    await shop.stage.sweep()
    for _ in range(3):
        await printer.poll()
    number = await shop.stage.value("SELECT number FROM orders WHERE id = $1", order)
    assert [code_on(picture) for picture in printer.papers] == [number]
    assert await jobs(shop) == [("K1", "ticket", "printed")]


@KINDS
async def test_one_whose_result_is_lost_does_not_get_it_again(staffed: Staffed, kind: str) -> None:
    shop, printer = await asking(staffed, kind)
    await shop.preparing()
    printer.faults = Faults(mute=True)
    for _ in range(3):
        await printer.poll()
    shop.stage.later(61)
    await shop.stage.sweep()
    printer.faults = Faults()
    await printer.poll()
    assert len(printer.papers) == 1
    assert await jobs(shop) == [("K1", "ticket", "unconfirmed")]


@KINDS
async def test_paper_that_ended_in_the_middle_is_a_failure_that_people_see(
    staffed: Staffed, kind: str
) -> None:
    shop, printer = await asking(staffed, kind)
    await shop.preparing()
    printer.faults = Faults(half=True)
    await printer.poll()
    await printer.poll()
    assert len(printer.papers) == 1
    assert await jobs(shop) == [("K1", "ticket", "failed")]


async def test_two_polls_at_once_print_one_paper(staffed: Staffed) -> None:
    shop, printer = await asking(staffed, "star")
    await shop.preparing()
    await asyncio.gather(*(printer.poll() for _ in range(4)))
    assert len(printer.papers) == 1


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
async def test_a_stranger_finds_no_printer(staffed: Staffed, method: str) -> None:
    await set_counter(staffed.stage)
    async with staffed.client() as client:
        answer: httpx.Response = await client.request(method, f"/printers/{'x' * 32}")
    assert answer.status_code == 404


@pytest.mark.parametrize(
    "body", [b"\xff\xfe", b"ConnectionType=SetResponse", b"{", b"a=1&" * 30,
             b"ConnectionType=SetResponse&ResponseFile=<a",
             b"ConnectionType=SetResponse&ResponseFile=%3C!DOCTYPE a%3E"],
)  # fmt: skip
async def test_strange_results_change_nothing(staffed: Staffed, body: bytes) -> None:
    shop, printer = await asking(staffed, "epson")
    await shop.preparing()
    async with staffed.client() as client:
        answer = await client.post(str(printer._settings.url), content=body)
    assert answer.status_code == 200
    assert [job[2] for job in await jobs(shop)] in (["due"], ["sent"])
