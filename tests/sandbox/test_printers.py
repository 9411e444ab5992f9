"""The emulated printers: python-escpos speaks to the one on TCP, a server feeds the others."""

import base64
import io
import json
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit
from xml.etree import ElementTree

import hypothesis.strategies as st
import pytest
import segno
from hypothesis import given, settings
from PIL import Image

from sandbox.printers.escpos import Ask, Confirm, Printed, Roll
from tests.ports import free_port
from tests.sandbox.running import SandboxProcess, until

numbers = count(1)
CONFIRM = b"\x1d(H\x06\x0000J042"


def escpos(port: int) -> Any:
    """The library's, loaded by whoever runs these tests: all workers read this file."""
    from escpos.printer import Network

    return Network("127.0.0.1", port)


def ticket(text: str = "A-42") -> Image.Image:
    """A ticket as wide as the paper, with a code on it."""
    code = io.BytesIO()
    segno.make(text, micro=False, error="m").save(code, kind="png", scale=8)
    image = Image.new("1", (576, 400), 1)
    image.paste(Image.open(code).convert("1"), (120, 20))
    image.paste(0, (0, 380, 576, 390))
    return image


def raster(image: Image.Image) -> bytes:
    """GS v 0, by the book: a second reading of it beside python-escpos."""
    across, rows = image.width // 8, image.height
    bits = bytes(byte ^ 0xFF for byte in image.tobytes())
    return b"\x1dv0\x00" + across.to_bytes(2, "little") + rows.to_bytes(2, "little") + bits


def equal(one: Image.Image, other: Image.Image) -> bool:
    return one.size == other.size and one.tobytes() == other.tobytes()


class Kitchen:
    """Printers of the test's own."""

    def __init__(self, sandbox: SandboxProcess) -> None:
        self.sandbox, self.name = sandbox, f"kitchen{next(numbers)}"
        self.port = free_port()

    def install(self, **more: Any) -> None:
        wanted = {"printer_id": self.name, **(more or {"kind": "escpos", "port": self.port})}
        self.sandbox.ask("POST", "/printers/printers", wanted)

    def fault(self, **wanted: Any) -> None:
        self.sandbox.ask("POST", f"/printers/{self.name}/fault", wanted)

    def send(self, data: bytes, expect: int = 0) -> bytes:
        """These bytes over TCP; what the printer answers, as much as is expected, and hang up."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=2) as line:
            line.sendall(data)
            came = b""
            try:
                while len(came) < expect:
                    came += line.recv(expect - len(came))
                line.shutdown(socket.SHUT_WR)
                while part := line.recv(100):  # until it has taken all
                    came += part
            except TimeoutError:
                pass
            return came

    @property
    def papers(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.sandbox.ask("GET", "/books")["printers"][self.name]
        return rows

    def picture(self, row: dict[str, Any]) -> Image.Image:
        answer = self.sandbox.http.get(row["picture_url"])
        assert answer.headers["content-type"] == "image/png"
        return Image.open(io.BytesIO(answer.content)).convert("1")


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    folder = tmp_path_factory.mktemp("printers")
    with SandboxProcess(folder / "s", folder / "m") as sandbox:
        yield sandbox


@pytest.fixture
def empty(kept: SandboxProcess) -> Kitchen:
    return Kitchen(kept)


@pytest.fixture
def kitchen(empty: Kitchen) -> Kitchen:
    """One printer on TCP."""
    empty.install()
    return empty


@pytest.mark.parametrize("way", ["bitImageRaster", "graphics", "bitImageColumn"])
def test_what_python_escpos_prints_is_on_the_paper(kitchen: Kitchen, way: str) -> None:
    printer = escpos(kitchen.port)
    printer.image(ticket(), impl=way)
    printer.cut()
    printer.close()
    (row,) = until(lambda: kitchen.papers)
    assert (row["order"], row["copy"], row["cut"], row["whole"]) == ("A-42", False, True, True)
    seen = kitchen.picture(row)
    assert equal(seen.crop((0, 0, 576, 380)), ticket().crop((0, 0, 576, 380)))


def test_a_ticket_is_the_picture_that_was_sent(kitchen: Kitchen) -> None:
    kitchen.send(b"\x1b@" + raster(ticket("A-43 COPY")) + b"\x1dV\x00")
    (row,) = kitchen.papers
    assert (row["order"], row["copy"]) == ("A-43", True)
    assert equal(kitchen.picture(row), ticket("A-43 COPY"))


def test_a_printer_confirms_by_the_jobs_name_once_it_has_printed(kitchen: Kitchen) -> None:
    said = kitchen.send(raster(ticket()) + b"\x1dVB\x00" + CONFIRM, expect=7)
    assert said == b"\x37\x22J042\x00"
    assert [row["job"] for row in kitchen.papers] == ["J042"]


def test_a_result_can_be_lost_though_the_ticket_is_out(kitchen: Kitchen) -> None:
    kitchen.fault(mute=True)
    assert kitchen.send(raster(ticket()) + b"\x1dV\x00" + CONFIRM) == b""
    assert [row["order"] for row in kitchen.papers] == ["A-42"]


def test_without_paper_a_ticket_waits_in_the_printer_and_comes_out_later(kitchen: Kitchen) -> None:
    kitchen.fault(paper_out=True)
    assert kitchen.send(raster(ticket()) + b"\x1dV\x00" + CONFIRM) == b""
    assert kitchen.papers == []
    kitchen.fault(paper_out=False, cover_open=True)
    assert kitchen.papers == []
    kitchen.fault(cover_open=False)
    assert [row["order"] for row in kitchen.papers] == ["A-42"]
    kitchen.fault(paper_out=False)
    assert len(kitchen.papers) == 1


def test_the_paper_may_end_in_the_middle(kitchen: Kitchen) -> None:
    kitchen.fault(half=True)
    assert kitchen.send(raster(ticket()) + b"\x1dV\x00" + CONFIRM) == b""
    (row,) = kitchen.papers
    assert (row["whole"], kitchen.picture(row).height) == (False, 200)


def test_a_printer_without_power_is_not_there(kitchen: Kitchen) -> None:
    kitchen.fault(offline=True)
    with pytest.raises(ConnectionRefusedError):
        kitchen.send(b"")
    kitchen.fault(offline=False)
    kitchen.send(raster(ticket()))


def test_who_hangs_up_in_the_middle_leaves_a_torn_ticket(kitchen: Kitchen) -> None:
    kitchen.send(raster(ticket()))
    (row,) = until(lambda: kitchen.papers)
    assert (row["cut"], row["order"]) == (False, "A-42")
    kitchen.send(raster(ticket())[:2_000])
    assert len(kitchen.papers) == 1


@pytest.mark.parametrize(
    ("fault", "answers"),
    [({}, b"\x12\x12\x12\x00"), ({"paper_out": True}, b"\x1a\x32\x72\x0c"),
     ({"cover_open": True}, b"\x1a\x16\x12\x00")],
)  # fmt: skip
def test_a_printer_says_how_it_is(kitchen: Kitchen, fault: dict[str, bool], answers: bytes) -> None:
    kitchen.fault(**fault)
    assert kitchen.send(b"\x10\x04\x01\x10\x04\x02\x10\x04\x04\x1dr\x01", expect=4) == answers


def test_text_and_a_code_of_the_printers_own_are_drawn(kitchen: Kitchen) -> None:
    printer = escpos(kitchen.port)
    printer.set(align="center", bold=True)
    printer.text("Order 44\n\n")
    printer.qr("A-44", native=True, size=8)
    printer.cut()
    printer.close()
    (row,) = until(lambda: kitchen.papers)
    assert row["order"] == "A-44"
    assert kitchen.picture(row).crop((0, 0, 576, 30)).getextrema() == (0, 255)


def test_a_command_may_come_byte_by_byte() -> None:
    data = b"\x1b@\x1ba\x01" + raster(ticket()) + b"Hi\n\x1dVA\x10" + CONFIRM + b"\x10\x04\x01"
    whole, slow = Roll(576), Roll(576)
    once = list(whole.feed(data))
    each = [event for byte in data for event in slow.feed(bytes([byte]))]
    assert [type(event) for event in once] == [Printed, Confirm, Ask]
    assert isinstance(once[0], Printed)
    assert isinstance(each[0], Printed)
    assert equal(once[0].picture, each[0].picture)
    assert once[1:] == each[1:] == [Confirm("J042"), Ask("DLE EOT", 1)]


@settings(deadline=None)
@given(
    st.lists(
        st.binary(max_size=12)
        | st.sampled_from(
            [b"\x1b*\x21\x05\x00", b"\x1dv0\x00\xff\xff\xff\xff", b"\x1d(L\x0b\x00", b"\x1d(k",
             b"\x1dk\x04AB\x00", b"\x1dkI\x05", b"\x1d8L\xff\xff\xff\xff", b"\x1bD", b"\x1dV\x00",
             b"\x1dv0\x03\x00\x00\x00\x00", b"\x1d(H\x00\x00", b"\x1b", b"\x10\x14\x01\x00\x01"]
        ),
        max_size=8,
    )
)  # fmt: skip
def test_whatever_bytes_come_the_printer_goes_on(parts: list[bytes]) -> None:
    roll = Roll(576)
    for part in parts:
        list(roll.feed(part))
    list(roll.end())


def test_a_connection_that_never_ends_its_rubbish_is_ended(kitchen: Kitchen) -> None:
    rubbish = (b"\x1dv0\x00\x48\x00\xff\x00" + b"\x00" * 20_000) * 1_000
    line = socket.create_connection(("127.0.0.1", kitchen.port), timeout=5)
    with line, pytest.raises(OSError, match=r".*"):
        line.sendall(rubbish)
    kitchen.send(raster(ticket()) + b"\x1dV\x00")
    assert kitchen.papers[-1]["order"] == "A-42"


class Server:
    """A server that polling printers ask; `answer` says what they get."""

    def __init__(self, answer: Callable[[str, str, bytes], tuple[int, bytes]]) -> None:
        self.asked: list[tuple[str, dict[str, str], bytes]] = []
        keeper = self

        class Door(BaseHTTPRequestHandler):
            def work(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                query = dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))
                keeper.asked.append((self.command, query, body))
                status, said = answer(self.command, self.path, body)
                self.send_response(status)
                self.send_header("content-length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)

            do_GET = do_POST = do_DELETE = work  # noqa: N815

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
        self.url = f"http://127.0.0.1:{self._server.server_port}/print"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def sent(self, method: str) -> list[tuple[dict[str, str], bytes]]:
        return [(query, body) for how, query, body in list(self.asked) if how == method]


class Star(Server):
    """CloudPRNT with one job that is there until its result comes."""

    def __init__(self, job: bytes, kinds: list[str], method: str = "DELETE") -> None:
        self.ready = True
        png = job

        def answer(how: str, path: str, body: bytes) -> tuple[int, bytes]:
            if how == "POST":
                told = {"jobReady": self.ready, "mediaTypes": kinds, "jobToken": "job-7",
                        "deleteMethod": method}  # fmt: skip
                return 200, json.dumps(told).encode()
            if how == "DELETE" or "delete" in path:
                self.ready = False
                return 200, b""
            return 200, png

        super().__init__(answer)

    def result(self, method: str = "DELETE") -> dict[str, str]:
        return until(lambda: [q for q, _ in self.sent(method) if "code" in q])[0]  # type: ignore[no-any-return]


@pytest.fixture
def star(empty: Kitchen) -> Iterator[Callable[..., Star]]:
    made: list[Star] = []

    def serve(job: bytes, *kinds: str, method: str = "DELETE", **faults: Any) -> Star:
        made.append(Star(job, list(kinds), method))
        empty.install(kind="star", url=made[-1].url, mac="00:11:62:0a:0b:0c", poll_ms=30)
        if faults:
            empty.fault(**faults)
        return made[-1]

    yield serve
    empty.fault(offline=True)
    for server in made:
        server.close()


def png(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


@pytest.mark.parametrize("method", ["DELETE", "GET"])
def test_a_cloud_printer_fetches_prints_and_reports(
    star: Callable[..., Star], empty: Kitchen, method: str
) -> None:
    server = star(png(ticket()), "text/plain", "image/png", method=method)
    result = server.result(method)
    assert (result["code"], result["token"]) == ("200 OK", "job-7")
    assert result["mac"] == "00:11:62:0a:0b:0c"
    (row,) = empty.papers
    assert (row["order"], row["job"]) == ("A-42", "job-7")
    assert equal(empty.picture(row), ticket())
    poll = json.loads(server.sent("POST")[0][1])
    assert (poll["printerMAC"], poll["statusCode"]) == ("00:11:62:0a:0b:0c", "200%20OK")


@pytest.mark.parametrize(
    ("job", "kinds", "code"),
    [(b"no picture", ["image/png"], "511"), (b"", ["text/plain"], "510"), (b"", [], "510")],
)
def test_a_cloud_printer_says_what_it_could_not_print(
    star: Callable[..., Star], empty: Kitchen, job: bytes, kinds: list[str], code: str
) -> None:
    assert star(job, *kinds).result()["code"].startswith(code)
    assert empty.papers == []


def test_a_cloud_printer_whose_result_is_lost_prints_again(
    star: Callable[..., Star], empty: Kitchen
) -> None:
    """It asks, and the job is still there: what the server must know is whose paper is whose."""
    server = star(png(ticket()), "image/png")
    server.result()
    empty.fault(mute=True)
    server.ready = True
    until(lambda: len(empty.papers) >= 3)
    assert {row["job"] for row in empty.papers} == {"job-7"}


def test_a_cloud_printer_without_paper_fetches_nothing(
    star: Callable[..., Star], empty: Kitchen
) -> None:
    server = star(png(ticket()), "image/png")
    server.result()
    empty.fault(paper_out=True)
    server.ready, seen = True, len(server.sent("GET"))

    def told() -> bool:
        code = json.loads(server.sent("POST")[-1][1])["statusCode"]
        return str(code).startswith("410")

    until(told)
    assert len(server.sent("GET")) == seen
    empty.fault(paper_out=False)
    until(lambda: len(empty.papers) == 2)


def epos(image: Image.Image, job: str = "ORDER42-1") -> bytes:
    bits = base64.b64encode(bytes(byte ^ 0xFF for byte in image.tobytes())).decode()
    return (
        '<?xml version="1.0" encoding="utf-8"?><PrintRequestInfo Version="2.00"><ePOSPrint>'
        f"<Parameter><devid>local_printer</devid><timeout>10000</timeout>"
        f"<printjobid>{job}</printjobid></Parameter><PrintData>"
        '<epos-print xmlns="http://www.epson-pos.com/schemas/2011/03/epos-print">'
        f'<image width="{image.width}" height="{image.height}" mode="mono">{bits}</image>'
        '<cut type="feed"/></epos-print></PrintData></ePOSPrint></PrintRequestInfo>'
    ).encode()


class Epson(Server):
    """Server Direct Print with one job that is given out once."""

    def __init__(self, job: bytes) -> None:
        self.jobs = [job]

        def answer(_how: str, _path: str, body: bytes) -> tuple[int, bytes]:
            asks = b"ConnectionType=GetRequest" in body
            return 200, self.jobs.pop() if asks and self.jobs else b""

        super().__init__(answer)

    def results(self) -> list[tuple[str, str, str]]:
        """Job, success and code of each result."""
        found = []
        for _, body in self.sent("POST"):
            form = parse_qs(body.decode())
            if form["ConnectionType"] == ["SetResponse"]:
                (job,) = ElementTree.fromstring(form["ResponseFile"][0]).iter("ePOSPrint")
                (response,) = (one for one in job.iter() if one.tag.endswith("}response"))
                name = job.findtext("Parameter/printjobid", "")
                found.append((name, response.get("success", ""), response.get("code", "")))
        return found


@pytest.mark.parametrize(
    ("fault", "result", "papers"),
    [
        ({}, ("ORDER42-1", "true", ""), 1),
        ({"paper_out": True}, ("ORDER42-1", "false", "EPTR_REC_EMPTY"), 0),
        ({"cover_open": True}, ("ORDER42-1", "false", "EPTR_COVER_OPEN"), 0),
        ({"half": True}, ("ORDER42-1", "false", "EPTR_REC_EMPTY"), 1),
    ],
)
def test_an_epson_prints_what_the_server_gives_and_tells_its_result(
    empty: Kitchen, fault: dict[str, bool], result: Any, papers: int
) -> None:
    server = Epson(epos(ticket()))
    job = server.jobs.pop()
    empty.install(kind="epson", url=server.url, login="kitchen-login", poll_ms=30)
    empty.fault(**fault)
    server.jobs.append(job)
    assert until(server.results) == [result]
    assert len(empty.papers) == papers
    if not fault:
        assert equal(empty.picture(empty.papers[0]), ticket())
        assert (empty.papers[0]["job"], empty.papers[0]["order"]) == ("ORDER42-1", "A-42")
        form = parse_qs(server.sent("POST")[0][1].decode())
        assert form["ID"] == ["kitchen-login"]
    empty.fault(offline=True)
    server.close()


@pytest.mark.parametrize(
    "said",
    [b"<a", b"<!DOCTYPE x><PrintRequestInfo/>", b"\xff", b"<PrintRequestInfo/>",
     epos(ticket()).replace(b'width="576"', b'width="-1"'),
     epos(ticket()).replace(b'height="400"', b'height="99999"'),
     epos(ticket()).replace(b'mode="mono">', b'mode="mono">!!'),
     epos(ticket()).replace(b"<image", b"<text").replace(b"</image", b"</text")],
)  # fmt: skip
def test_an_epson_survives_any_answer(empty: Kitchen, said: bytes) -> None:
    server = Epson(epos(ticket(), "next"))
    server.jobs.append(said)
    empty.install(kind="epson", url=server.url, poll_ms=30)
    until(lambda: [row for row in empty.papers if row["job"] == "next"])
    assert len(empty.papers) == 1
    empty.fault(offline=True)
    server.close()


@pytest.mark.parametrize(
    "wrong",
    [{"kind": "escpos"}, {"kind": "star"}, {"kind": "star", "port": 1}, {"kind": "laser"},
     {"printer_id": "a/b", "kind": "star", "url": "http://x"}, {"kind": "escpos", "port": 70_000}],
)  # fmt: skip
def test_a_printer_that_cannot_be_is_refused(empty: Kitchen, wrong: dict[str, Any]) -> None:
    wanted = {"printer_id": "p"} | wrong
    assert empty.sandbox.http.post("/printers/printers", json=wanted).status_code == 400


def test_two_printers_do_not_share_a_port(kitchen: Kitchen) -> None:
    wanted = {"printer_id": "other", "kind": "escpos", "port": kitchen.port}
    assert kitchen.sandbox.http.post("/printers/printers", json=wanted).status_code == 409


def test_paper_and_printers_outlive_a_kill(tmp_path: Path) -> None:
    port = free_port()
    section = {"printers": [{"printer_id": "k", "kind": "escpos", "port": port}]}
    with SandboxProcess(tmp_path / "s", tmp_path / "m", printers=section) as mortal:
        kitchen = Kitchen(mortal)
        kitchen.name, kitchen.port = "k", port
        kitchen.send(raster(ticket()) + b"\x1dV\x00")
        kitchen.fault(paper_out=True)
        kitchen.send(raster(ticket("B-1")) + b"\x1dV\x00")
        mortal.kill()
        mortal.start()
        assert [row["order"] for row in kitchen.papers] == ["A-42"]
        kitchen.fault(paper_out=False)
        assert [row["order"] for row in kitchen.papers] == ["A-42", "B-1"]
        assert equal(kitchen.picture(kitchen.papers[0]), ticket())
