"""The printers as one of those outside: ports, polls, faults, and the book of their paper."""

import asyncio
from functools import partial
from typing import Any

import httpx
import msgspec
from litestar import Response, get, post
from PIL import Image

from sandbox.clock import iso, now_s
from sandbox.config import Config
from sandbox.errors import RefusedError, UnknownError, UnreadableError
from sandbox.party import Outsider
from sandbox.ports import Ports
from sandbox.printers import paper, polling
from sandbox.printers.escpos import Ask, Confirm, Event, Printed, Roll
from sandbox.printers.polling import Turn
from sandbox.printers.settings import Faults
from sandbox.printers.settings import Printer as Wanted
from sandbox.printers.things import Paper, Printer
from sandbox.shelf import everything, find, put
from sandbox.store import Change, Store

Plain = dict[str, Any]
CHUNK = 65_536


class Printers(Outsider):
    """Every printer. `run` polls for those that poll."""

    name = "printers"

    def __init__(self, store: Store, ports: Ports, public_url: str) -> None:
        self._store, self._ports, self._public_url = store, ports, public_url
        self._changed = asyncio.Event()
        self._polls: dict[str, asyncio.Task[None]] = {}

    def use(self, change: Change, config: Config) -> None:
        """Printers of the file, and those that were set up by hand before."""
        for wanted in config.printers.printers:
            self._save(change, wanted)
        for printer in everything(change, Printer):
            self._connect(printer)

    def install(self, wanted: Wanted) -> Printer:
        if (wanted.port is None) == (wanted.kind == "escpos") or (
            (wanted.url is None) == (wanted.kind != "escpos")
        ):
            raise UnreadableError("an escpos printer has a port, the others a url")
        with self._store.change() as change:
            printer = self._save(change, wanted)
        self._connect(printer)
        return printer

    def _save(self, change: Change, wanted: Wanted) -> Printer:
        known = paper.known(change, wanted.printer_id)
        if known is not None and known.settings.port not in (None, wanted.port):
            self._ports.drop(known.settings.port)
        printer = Printer(
            id=f"printer-{wanted.printer_id}", account_id="", created_at=now_s(), settings=wanted,
            faults=known.faults if known else Faults(),
        )  # fmt: skip
        put(change, printer)
        return printer

    def _connect(self, printer: Printer) -> None:
        """One without power is not there at all."""
        port, name = printer.settings.port, printer.settings.printer_id
        if port is not None and printer.faults.offline:
            self._ports.drop(port)
        elif port is not None:
            self._ports.want(port, lambda reader, writer: self._talk(name, reader, writer))
        self._changed.set()

    def known(self, name: str) -> Printer:
        with self._store.read() as look:
            printer = paper.known(look, name)
        if printer is None:
            raise UnknownError(f"no printer {name!r}")
        return printer

    def all(self) -> list[Printer]:
        with self._store.read() as look:
            return everything(look, Printer)

    def break_it(self, name: str, wanted: Plain) -> Faults:
        printer = self.known(name)
        try:
            faults = msgspec.convert({**msgspec.to_builtins(printer.faults), **wanted}, Faults)
        except msgspec.ValidationError as problem:
            raise UnreadableError(str(problem)) from problem
        printer.faults = faults
        with self._store.change() as change:
            put(change, printer)
            if not faults.stops and not faults.offline:
                paper.let_out(change, printer)
            change.tell(f"printer {name}: faults changed")
        self._connect(printer)
        return faults

    async def settled(self) -> None:
        await self._ports.settled()

    def book(self, look: Change) -> dict[str, list[Plain]]:
        return {
            printer.settings.printer_id: [
                {
                    "order": one.order,
                    "picture_url": f"{self._public_url}/printers/paper/{one.id}",
                    "copy": one.copy,
                    "job": one.job,
                    "cut": one.cut,
                    "whole": one.whole,
                    "at": iso(one.created_at),
                }
                for one in paper.all_of(look, printer)
                if not one.waiting
            ]
            for printer in everything(look, Printer)
        }

    async def run(self) -> None:
        """Poll for every printer that polls, until cancelled."""
        async with httpx.AsyncClient(trust_env=False, timeout=polling.TIMEOUT_S) as http:
            try:
                while True:
                    self._changed.clear()
                    with self._store.read() as look:
                        found = everything(look, Printer)
                    for printer in found:
                        name = printer.settings.printer_id
                        if printer.settings.url is not None and name not in self._polls:
                            self._polls[name] = asyncio.create_task(self._poll(name, http))
                    await self._changed.wait()
            finally:
                for task in self._polls.values():
                    task.cancel()

    async def _poll(self, name: str, http: httpx.AsyncClient) -> None:
        turn = Turn(partial(self.known, name), http, partial(self._put_out, name))
        while True:
            printer = self.known(name)
            try:
                if not printer.faults.offline and printer.settings.url is not None:
                    await polling.poll(turn)
            except (httpx.HTTPError, httpx.InvalidURL):
                pass  # it asks again, as a printer does
            await asyncio.sleep(printer.settings.poll_ms / 1_000)

    def _put_out(self, name: str, picture: Image.Image, job: str) -> bool:
        with self._store.change() as change:
            printer = paper.known(change, name)
            assert printer is not None
            made = paper.kept(change, printer, picture)
            paper.named(change, made, job)
        return made.whole

    async def _talk(
        self, name: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """ESC/POS over TCP. A job that was cut off by its sender is printed as far as it came."""
        roll, last = Roll(self.known(name).settings.width), [""]
        while data := await reader.read(CHUNK):
            for event in roll.feed(data):
                answer = await self._happens(name, event, last)
                writer.write(answer)
            await writer.drain()
            if roll.is_overfull:
                return
        for event in roll.end():
            await self._happens(name, event, last)

    async def _happens(self, name: str, event: Event, last: list[str]) -> bytes:
        """What the printer answers. `last` holds the newest paper of this connection."""
        printer = self.known(name)
        match event:
            case Printed():
                await asyncio.sleep(printer.faults.slow_ms / 1_000)
                with self._store.change() as change:
                    last[0] = paper.kept(change, printer, event.picture, cut=event.cut).id
                return b""
            case Confirm():
                with self._store.change() as change:
                    made = find(change, Paper, last[0])
                    if made is not None:
                        paper.named(change, made, event.job)
                said = made is not None and made.whole and not made.waiting
                done = said and not printer.faults.mute
                return b"\x37\x22" + event.job.encode("latin-1") + b"\x00" if done else b""
            case Ask():
                return _state(event, printer.faults)


def _state(asked: Ask, faults: Faults) -> bytes:
    """One byte by DLE EOT and GS r, four by GS a, a name by GS I."""
    out, cover = faults.paper_out, faults.cover_open
    match asked.kind, asked.number:
        case "DLE EOT", 1:
            return bytes([0x12 | (0x08 if faults.stops else 0)])
        case "DLE EOT", 2:
            return bytes([0x12 | (0x04 if cover else 0) | (0x20 if out else 0)])
        case "DLE EOT", 4:
            return bytes([0x12 | (0x60 if out else 0)])
        case "DLE EOT", _:
            return b"\x12"
        case "GS r", 1 | 49:
            return bytes([0x0C if out else 0])
        case "GS a", 0:
            return b""
        case "GS a", _:
            return bytes([0x10 | (0x20 if cover else 0) | (0x08 if faults.stops else 0), 0,
                          0x0C if out else 0, 0])  # fmt: skip
        case "GS I", _:
            return b"_sandbox\x00"
        case _:
            return b"\x00"


@get("/printers")
async def list_printers(party: Printers) -> list[Printer]:
    return party.all()


@post("/printers", status_code=200)
async def install(data: Wanted, party: Printers) -> Wanted:
    """Set a printer up, or change it."""
    if data.port is not None and any(
        one.settings.port == data.port and one.settings.printer_id != data.printer_id
        for one in party.all()
    ):
        raise RefusedError(f"port {data.port} is another printer's")
    made = party.install(data)
    await party.settled()
    return made.settings


@get("/{printer:str}/fault")
async def faults(printer: str, party: Printers) -> Faults:
    return party.known(printer).faults


@post("/{printer:str}/fault", status_code=200)
async def break_it(printer: str, data: Plain, party: Printers) -> Faults:
    """Merge the named faults; answer all."""
    made = party.break_it(printer, data)
    await party.settled()
    return made


@get("/paper/{paper_id:str}")
async def picture(paper_id: str, store: Store) -> Response[bytes]:
    """The paper as a picture."""
    with store.read() as look:
        found = find(look, Paper, paper_id)
    if found is None:
        raise UnknownError(f"no paper {paper_id}")
    return Response(found.picture, media_type="image/png")


Printers.endpoints = [list_printers, install, faults, break_it, picture]
