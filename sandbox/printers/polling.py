"""Printers that ask a server for work: Star CloudPRNT and Epson Server Direct Print."""

import asyncio
import base64
import binascii
import io
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree
from xml.sax.saxutils import quoteattr

import httpx
import msgspec
from PIL import Image, UnidentifiedImageError

from sandbox.printers.escpos import MOST_ROWS
from sandbox.printers.settings import Faults
from sandbox.printers.things import Printer

TIMEOUT_S = 10.0
STAR_TYPES = ("image/png", "image/jpeg")
EPOS = "{http://www.epson-pos.com/schemas/2011/03/epos-print}"
LARGEST = 5_000_000


class Turn(msgspec.Struct, frozen=True):
    """One poll: the printer as it is whenever it is looked at, and the way to put a ticket out
    under its job's name."""

    now: Callable[[], Printer]
    http: httpx.AsyncClient
    put_out: Callable[[Image.Image, str], bool]  # False: it is not whole

    @property
    def printer(self) -> Printer:
        return self.now()

    @property
    def faults(self) -> Faults:
        return self.printer.faults

    @property
    def url(self) -> str:
        return self.printer.settings.url or ""


async def poll(turn: Turn) -> None:
    """One poll, and the job if there is one. Raises httpx.HTTPError."""
    if turn.printer.settings.kind == "star":
        await _star(turn)
    else:
        await _epson(turn)


async def _star(turn: Turn) -> None:
    mac, faults = turn.printer.settings.mac, turn.faults
    state = "410 Paper empty" if faults.paper_out else "420 Cover open"
    said = {
        "status": "23 6 0 0 0 0 0 0 0 ",
        "printerMAC": mac,
        "uniqueID": turn.printer.settings.printer_id,
        "statusCode": (state if faults.stops else "200 OK").replace(" ", "%20"),
        "printingInProgress": False,
        "clientAction": None,
    }
    answer = await turn.http.post(turn.url, json=said)
    told = _object(answer)
    if not told.get("jobReady") or faults.stops:
        return
    offered = told.get("mediaTypes")
    kinds = [kind for kind in offered if kind in STAR_TYPES] if isinstance(offered, list) else []
    about = {"mac": mac, "uid": turn.printer.settings.printer_id}
    if isinstance(told.get("jobToken"), str):
        about["token"] = told["jobToken"]
    if not kinds:
        await _star_ends(turn, about, "510 Incompatible media", told)
        return
    job = await turn.http.get(turn.url, params=about | {"type": kinds[0]})
    if job.status_code != 200:
        await _star_ends(turn, about, "520 Download failed", told)
        return
    picture = _picture(job.content)
    await asyncio.sleep(faults.slow_ms / 1_000)
    if picture is None:
        await _star_ends(turn, about, "511 Media decoding error", told)
        return
    whole = turn.put_out(picture, about.get("token", ""))
    if not faults.mute:
        await _star_ends(turn, about, "200 OK" if whole else "410 Paper empty", told)


async def _star_ends(turn: Turn, about: dict[str, str], code: str, told: dict[str, Any]) -> None:
    method = "GET" if told.get("deleteMethod") == "GET" else "DELETE"
    extra = {"delete": ""} if method == "GET" else {}
    for _ in range(2 if turn.faults.twice else 1):
        await turn.http.request(method, turn.url, params=about | {"code": code} | extra)


async def _epson(turn: Turn) -> None:
    """All jobs of one answer are printed, and their results sent together."""
    settings = turn.printer.settings
    form = {"ConnectionType": "GetRequest", "ID": settings.login, "Name": settings.printer_id}
    answer = await turn.http.post(turn.url, data=form)
    jobs = _jobs(answer)
    if not jobs:
        return
    await asyncio.sleep(turn.faults.slow_ms / 1_000)
    results = [_epson_result(turn, job, picture) for job, picture in jobs]
    if turn.faults.mute:
        return
    response = (
        '<?xml version="1.0" encoding="utf-8"?><PrintResponseInfo Version="2.00">'
        f"{''.join(results)}</PrintResponseInfo>"
    )
    form = form | {"ConnectionType": "SetResponse", "ResponseFile": response}
    for _ in range(2 if turn.faults.twice else 1):
        await turn.http.post(turn.url, data=form)


def _epson_result(turn: Turn, job: str, picture: Image.Image | None) -> str:
    faults = turn.faults
    if faults.paper_out:
        code = "EPTR_REC_EMPTY"
    elif faults.cover_open:
        code = "EPTR_COVER_OPEN"
    elif picture is None:
        code = "SchemaError"
    else:
        code = "" if turn.put_out(picture, job) else "EPTR_REC_EMPTY"
    name = f"<printjobid>{job}</printjobid>" if job else ""
    return (
        f"<ePOSPrint><Parameter><devid>local_printer</devid>{name}</Parameter><PrintResponse>"
        f'<response xmlns="{EPOS[1:-1]}" success="{"false" if code else "true"}"'
        f' code={quoteattr(code)} status="251658262" battery="0"/></PrintResponse></ePOSPrint>'
    )


def _jobs(answer: httpx.Response) -> list[tuple[str, Image.Image | None]]:
    """Names of jobs, and their pictures; None for one that cannot be printed."""
    if answer.status_code != 200 or len(answer.content) > LARGEST or b"<!" in answer.content:
        return []
    try:
        told = ElementTree.fromstring(answer.content)
    except ElementTree.ParseError:
        return []
    jobs = []
    for one in told.iter("ePOSPrint"):
        said = one.findtext("Parameter/printjobid", "")
        name = "".join(sign for sign in said if sign.isalnum() or sign in "-_")
        jobs.append((name[:30], _epos(one)))
    return jobs


def _epos(job: ElementTree.Element) -> Image.Image | None:
    """The images of one job, one below the other: bits, a one is black."""
    images = []
    for found in job.iter(f"{EPOS}image"):
        try:
            wide, high = int(found.get("width", "")), int(found.get("height", ""))
            data = base64.b64decode("".join((found.text or "").split()), validate=True)
        except (ValueError, binascii.Error):
            return None
        if wide <= 0 or not 0 < high <= MOST_ROWS or len(data) != -(-wide // 8) * high:
            return None
        turned = bytes(byte ^ 0xFF for byte in data)
        images.append(Image.frombytes("1", (wide, high), turned))
    if not images:
        return None
    whole = Image.new("1", (max(i.width for i in images), sum(i.height for i in images)), 1)
    y = 0
    for image in images:
        whole.paste(image, (0, y))
        y += image.height
    return whole


def _picture(content: bytes) -> Image.Image | None:
    if len(content) > LARGEST:
        return None
    try:
        picture = Image.open(io.BytesIO(content))
        return picture.convert("1") if picture.height <= MOST_ROWS else None
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None


def _object(answer: httpx.Response) -> dict[str, Any]:
    try:
        return msgspec.json.decode(answer.content, type=dict[str, Any])
    except (msgspec.MsgspecError, RecursionError):
        return {}
