"""Paper behind a counter: what is printed, that it is printed once, and what becomes of a job whose
printer is silent, without paper, or gone."""

import asyncio
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import ip_network
from typing import Any
from uuid import UUID

import pytest
import zxingcpp
from PIL import Image

from coinslot.counter import envelopes, paper, printers, printing, reprints, staff
from coinslot.counter.basket import Wish
from coinslot.counter.paper import Row
from coinslot.counter.printers import NewPrinter, PrinterError
from coinslot.counter.printing import Printer, Stage, stage_of
from coinslot.counter.staff import CounterError, Status
from coinslot.orders import order_refunds
from coinslot.orders.order_refunds import OrderRefund
from sandbox.printers.escpos import Ask, Confirm, Printed, Roll
from tests.counter.stage import Counter
from tests.sales.test_ways_races import DiedError

CAKE, TEA, LATTE = Wish(sku="cake"), Wish(sku="tea"), Wish(sku="latte", choices=("oat",))


@dataclass
class Kitchen:
    """A printer on TCP, read by the sandbox's reader of ESC/POS."""

    port: int = 0
    papers: list[Image.Image] = field(default_factory=list)
    calls: int = 0
    mute: bool = False
    no_paper: bool = False
    cut_after: int = 0  # so many bytes of a job it takes, and hangs up

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.calls += 1
        roll, taken = Roll(576), 0
        while data := await reader.read(max(self.cut_after - taken, 0) or 65_536):
            for event in roll.feed(data):
                match event:
                    case Printed(picture=picture):
                        self.papers.append(picture)
                    case Confirm(job=job):
                        said = b"\x37\x22" + job.encode() + b"\x00"
                        writer.write(b"" if self.mute else said)
                    case Ask(number=4):
                        writer.write(b"\x72" if self.no_paper else b"\x12")
                    case Ask():
                        writer.write(b"\x12")
            taken += len(data)
            if self.cut_after and taken >= self.cut_after:
                self.papers += [one.picture for one in roll.end() if isinstance(one, Printed)]
                writer.transport.abort()
                return
            if self.mute and self.papers:
                writer.close()
                return
        writer.close()

    def codes(self) -> list[str]:
        return [code_on(picture) for picture in self.papers]


def code_on(picture: Image.Image) -> str:
    edge = Image.new("L", (picture.width + 40, picture.height + 40), 255)
    edge.paste(picture.convert("L"), (20, 20))
    return zxingcpp.read_barcodes(edge)[0].text


@asynccontextmanager
async def listening(kitchen: Kitchen) -> AsyncIterator[None]:
    server = await asyncio.start_server(kitchen.talk, "127.0.0.1", kitchen.port)
    kitchen.port = server.sockets[0].getsockname()[1]
    async with server:
        yield


@pytest.fixture
async def kitchen() -> AsyncIterator[Kitchen]:
    made = Kitchen()
    async with listening(made):
        yield made


async def with_printer(counter: Counter, name: str, kind: str = "escpos", **more: Any) -> str:
    """Its secret. A test's printer listens at any port."""
    port = more.pop("port", None)
    counter.stage.context.printer_networks = (ip_network("127.0.0.0/8"),)
    secret = await printers.add(counter.stage.context, counter.who, NewPrinter(
        outlet="S01", name=name, kind=kind, address="127.0.0.1:9100" if port else "", **more
    ))  # fmt: skip
    if port:
        await counter.stage.rows(
            "UPDATE counter_printers SET address = $2 WHERE name = $1 RETURNING id", name,
            f"127.0.0.1:{port}",
        )  # fmt: skip
    return secret


async def jobs(counter: Counter) -> list[tuple[str, str, str]]:
    rows: Any = await counter.stage.rows(
        "SELECT j.*, p.name AS printer FROM counter_prints j"
        " JOIN counter_printers p ON p.id = j.printer_id ORDER BY j.created_at, j.id"
    )
    return [(row["printer"], row["kind"], stage_of(row).value) for row in rows]


async def words_on(counter: Counter, kind: str) -> list[list[str]]:
    """What stands on papers of this kind."""
    found = []
    async with counter.stage.context.db.as_merchant(counter.stage.merchant) as conn:
        for row in await conn.fetch(
            "SELECT id FROM counter_prints WHERE kind = $1 ORDER BY created_at, copy, id", kind
        ):
            ticket, _ = await printing._ticket(counter.stage.context, conn, row["id"])
            found.append([f"{line.text} {line.end}".strip() for line in ticket.rows()])
    return found


async def test_an_order_that_is_accepted_is_on_paper_once_without_the_code(
    counter: Counter, kitchen: Kitchen
) -> None:
    await with_printer(counter, "K1", port=kitchen.port)
    order = await counter.paid(LATTE, CAKE, name="Maria")
    await counter.stage.sweep()
    assert kitchen.papers == [], "nobody has accepted it"
    for _ in range(2):
        await staff.accept(counter.stage.context, counter.who, order)
        await counter.stage.sweep()
    assert await jobs(counter) == [("K1", "ticket", "printed")]
    number = await counter.stage.value("SELECT number FROM orders WHERE id = $1", order)
    assert kitchen.codes() == [number]
    [words] = await words_on(counter, "ticket")
    assert {"Maria", "1 × Latte", "Oat", "1 × Carrot cake"} <= set(words)
    code, token = await counter.code(order), (await counter.view(order)).token
    assert not [line for line in words if code in line or token in line]


async def test_what_was_not_accepted_in_time_is_never_on_paper(
    counter: Counter, kitchen: Kitchen
) -> None:
    await with_printer(counter, "K1", port=kitchen.port)
    order = await counter.paid(TEA)
    counter.stage.later(600)
    with pytest.raises(CounterError):
        await staff.accept(counter.stage.context, counter.who, order)
    await counter.stage.sweep()
    assert (kitchen.papers, await jobs(counter)) == ([], [])


async def test_a_printer_that_confirms_nothing_gets_the_job_never_again(
    counter: Counter, kitchen: Kitchen
) -> None:
    await with_printer(counter, "K1", port=kitchen.port)
    kitchen.mute = True
    await counter.preparing(TEA)
    await counter.stage.sweep()
    assert await jobs(counter) == [("K1", "ticket", "unconfirmed")]
    kitchen.mute = False
    for _ in range(3):
        counter.stage.later(600)
        await counter.stage.sweep()
    assert (len(kitchen.papers), await jobs(counter)) == (1, [("K1", "ticket", "unconfirmed")])
    [problem] = await reprints.problems(counter.stage.context, counter.who)
    await reprints.settle(counter.stage.context, counter.who, problem.id)
    assert await reprints.problems(counter.stage.context, counter.who) == []


async def test_a_line_that_is_cut_in_the_middle_of_a_ticket_leaves_a_doubt_and_a_whole_copy(
    counter: Counter, kitchen: Kitchen
) -> None:
    """What is on paper nobody knows, so somebody looks, and has the whole of it again."""
    await with_printer(counter, "K1", port=kitchen.port)
    kitchen.cut_after = 20_000  # in its second band
    order = await counter.preparing(TEA, CAKE, LATTE)
    await counter.stage.sweep()
    assert await jobs(counter) == [("K1", "ticket", "unconfirmed")]
    [torn] = kitchen.papers
    kitchen.cut_after = 0
    for _ in range(3):
        counter.stage.later(60)
        await counter.stage.sweep()
    assert kitchen.papers == [torn], "it is not sent again by itself"
    [problem] = await reprints.problems(counter.stage.context, counter.who)
    await reprints.repeat(counter.stage.context, counter.who, problem.id)
    await counter.stage.sweep()
    assert await jobs(counter) == [
        ("K1", "ticket", "unconfirmed"), ("K1", "ticket", "printed"),
    ]  # fmt: skip
    _, whole = kitchen.papers
    number = await counter.stage.value("SELECT number FROM orders WHERE id = $1", order)
    assert code_on(whole) == f"{number} COPY"
    assert torn.height < whole.height
    first, second = await words_on(counter, "ticket")
    assert "COPY" in " ".join(second)
    assert {"1 × Tea", "1 × Carrot cake", "1 × Latte"} <= set(first) & set(second)
    await reprints.settle(counter.stage.context, counter.who, problem.id)
    assert await reprints.problems(counter.stage.context, counter.who) == []


async def test_a_process_that_dies_while_it_prints_leaves_a_doubt_and_not_two_papers(
    counter: Counter, kitchen: Kitchen
) -> None:
    await with_printer(counter, "K1", port=kitchen.port)
    await counter.preparing(TEA)

    def reached(point: str) -> None:
        if point == "before_print":
            raise DiedError

    counter.stage.context.db.reached = reached
    await counter.stage.sweep("counter_prints")
    counter.stage.context.db.reached = lambda _: None
    await counter.stage.rows("UPDATE counter_prints SET leased_until = NULL RETURNING id")
    assert await jobs(counter) == [("K1", "ticket", "sent")]
    counter.stage.later(61)
    await counter.stage.sweep()
    assert (kitchen.papers, await jobs(counter)) == ([], [("K1", "ticket", "unconfirmed")])


async def test_a_printer_without_paper_prints_when_it_has_some_and_too_late_not_at_all(
    counter: Counter, kitchen: Kitchen
) -> None:
    await with_printer(counter, "K1", port=kitchen.port)
    kitchen.no_paper = True
    await counter.preparing(TEA)
    await counter.stage.sweep()
    assert await jobs(counter) == [("K1", "ticket", "due")]
    kitchen.no_paper = False
    counter.stage.later(10)
    await counter.stage.sweep()
    assert await jobs(counter) == [("K1", "ticket", "printed")]
    kitchen.no_paper = True
    await counter.preparing(TEA)
    for _ in range(2):
        await counter.stage.sweep()
        counter.stage.later(900)
    assert (await jobs(counter))[1:] == [("K1", "ticket", "failed")]
    [problem] = await reprints.problems(counter.stage.context, counter.who)
    assert problem.problem == "no paper"


async def test_a_printer_that_is_not_there_holds_up_nobody_and_is_tried_again(
    counter: Counter,
) -> None:
    gone = Kitchen()
    async with listening(gone):
        pass
    await with_printer(counter, "K1", port=gone.port)
    order = await counter.ready(TEA)
    await counter.stage.sweep()
    await counter.complete(order)
    assert await jobs(counter) == [("K1", "ticket", "due")]
    async with listening(gone):
        counter.stage.later(10)
        await counter.stage.sweep()
    assert await jobs(counter) == [("K1", "ticket", "printed")]


async def test_two_boards_that_accept_at_once_and_one_that_goes_back_print_one_ticket(
    counter: Counter, kitchen: Kitchen
) -> None:
    await with_printer(counter, "K1", port=kitchen.port)
    order, context, who = await counter.paid(TEA), counter.stage.context, counter.who
    await asyncio.gather(*(staff.accept(context, who, order) for _ in range(3)))
    await staff.undo(context, who, order, Status.PLACED)
    await staff.accept(context, who, order)
    await asyncio.gather(counter.stage.sweep(), counter.stage.sweep())
    assert len(kitchen.papers) == 1


async def test_each_station_gets_what_it_makes_and_is_told_what_was_cancelled(
    counter: Counter,
) -> None:
    await counter.stage.rows(
        "UPDATE counter_items SET station = CASE section WHEN 'Food' THEN 'kitchen' ELSE 'bar' END"
        " RETURNING id"
    )
    for name, stations in (("Bar", ("bar",)), ("Kitchen", ("kitchen",)), ("Pass", ())):
        await with_printer(counter, name, "star", stations=stations)
    order = await counter.preparing(LATTE, CAKE, Wish(sku="bowl", quantity=2))
    assert sorted(await jobs(counter)) == [
        ("Bar", "ticket", "due"), ("Kitchen", "ticket", "due"), ("Pass", "ticket", "due"),
    ]  # fmt: skip
    bar = next(words for words in await words_on(counter, "ticket") if "1 × Latte" in words)
    assert bar
    units = {u.unit_id: u.name for u in (await counter.view(order)).units}
    bowls = [unit for unit, name in units.items() if name == "Lunch bowl"]
    await staff.reject(counter.stage.context, counter.who, order, "No rice", bowls)
    cancelled = [job for job in await jobs(counter) if job[1] == "cancelled"]
    assert sorted(name for name, _, _ in cancelled) == ["Kitchen", "Pass"]
    for words in await words_on(counter, "cancelled"):
        assert {"CANCELLED", "2 × Lunch bowl"} <= set(words)
        assert "1 × Latte" not in words


async def test_money_that_a_person_gives_back_before_the_hand_over_cancels_on_paper_too(
    counter: Counter,
) -> None:
    await with_printer(counter, "K1", "star")
    order = await counter.preparing(TEA, CAKE)
    tea = next(u.unit_id for u in (await counter.view(order)).units if u.name == "Tea")
    wanted = OrderRefund(order=order, key="k" * 20, by="asha", reason="wrong", units=(tea,))
    await order_refunds.refund(counter.stage.context, counter.stage.merchant, wanted)
    await counter.stage.sweep()
    [words] = await words_on(counter, "cancelled")
    assert "1 × Tea" in words


async def test_paper_that_was_never_printed_of_unaccepted_orders_cancels_nothing(
    counter: Counter,
) -> None:
    await with_printer(counter, "K1", "star")
    order = await counter.paid(TEA)
    await staff.reject(counter.stage.context, counter.who, order, "No tea")
    assert await jobs(counter) == []


async def test_a_second_print_says_that_it_is_a_copy(counter: Counter, kitchen: Kitchen) -> None:
    await with_printer(counter, "K1", port=kitchen.port)
    order = await counter.preparing(TEA)
    await counter.stage.sweep()
    await reprints.again(counter.stage.context, counter.who, order)
    await reprints.again(counter.stage.context, counter.who, order)
    await counter.stage.sweep()
    number = kitchen.codes()[0]
    assert kitchen.codes() == [number, f"{number} COPY", f"{number} COPY"]
    assert "COPY" in (await words_on(counter, "ticket"))[1]


async def test_what_another_printer_prints_anew_is_a_copy_too(
    counter: Counter, kitchen: Kitchen
) -> None:
    order = await counter.preparing(TEA)
    await with_printer(counter, "K1", port=kitchen.port)
    await reprints.again(counter.stage.context, counter.who, order)
    await counter.stage.sweep()
    (code,) = kitchen.codes()
    assert code.endswith(" COPY"), "it may be made already"


async def test_a_receipt_says_what_was_paid_and_what_went_back(
    counter: Counter, kitchen: Kitchen
) -> None:
    await with_printer(counter, "K1", port=kitchen.port)
    order = await counter.preparing(Wish(sku="tea", quantity=2), CAKE, tip=100)
    tea = next(u.unit_id for u in (await counter.view(order)).units if u.name == "Tea")
    await staff.reject(counter.stage.context, counter.who, order, "One tea only", [tea])
    await reprints.again(counter.stage.context, counter.who, order, "receipt")
    [words] = await words_on(counter, "receipt")
    assert {"2 × Tea €5.00", "1 × Carrot cake €4.20", "Tip €1.00", "Total €10.20"} <= set(words)
    assert "Money back -€2.50" in words
    assert "COPY" not in words


async def test_times_on_paper_are_those_of_the_counter(counter: Counter) -> None:
    await with_printer(counter, "K1", "star")
    await counter.stage.rows(
        "UPDATE outlets SET zone = 'Asia/Kolkata' WHERE id = 'S01' RETURNING id"
    )
    await counter.preparing(TEA)
    [words] = await words_on(counter, "ticket")
    local = counter.stage.context.now() + timedelta(hours=5, minutes=30)
    assert words[0] == f"Corner café {local:%H:%M}"


async def polled(counter: Counter, kind: str) -> tuple[Printer, str]:
    """A printer that asks, with one job."""
    secret = await with_printer(counter, "K1", kind)
    await counter.preparing(TEA)
    await counter.stage.sweep()
    printer = await printing.by_secret(counter.stage.context, secret)
    assert printer is not None
    token = await printing.next_job(counter.stage.context, printer)
    assert token is not None
    return printer, token


async def test_a_job_is_given_once_to_a_printer_that_asks_twice(counter: Counter) -> None:
    printer, token = await polled(counter, "star")
    given = await asyncio.gather(
        *(printing.picture_for(counter.stage.context, printer, token) for _ in range(4))
    )
    assert [picture is not None for picture in given].count(True) == 1
    assert await printing.next_job(counter.stage.context, printer) is None


async def test_a_result_that_comes_late_still_counts(counter: Counter) -> None:
    printer, token = await polled(counter, "star")
    await printing.picture_for(counter.stage.context, printer, token)
    counter.stage.later(61)
    await counter.stage.sweep()
    assert await jobs(counter) == [("K1", "ticket", "unconfirmed")]
    await printing.told(counter.stage.context, printer, token, printed=True)
    assert await jobs(counter) == [("K1", "ticket", "printed")]
    await printing.told(counter.stage.context, printer, token, printed=False, problem="late")
    assert await jobs(counter) == [("K1", "ticket", "printed")], "paper does not vanish"


async def test_a_job_that_nobody_asks_for_is_given_up_before_it_surprises_anyone(
    counter: Counter,
) -> None:
    printer, token = await polled(counter, "star")
    counter.stage.later(900)
    await counter.stage.sweep()
    assert await jobs(counter) == [("K1", "ticket", "failed")]
    assert await printing.next_job(counter.stage.context, printer) is None
    assert await printing.picture_for(counter.stage.context, printer, token) is None


async def test_a_printer_of_another_merchant_gets_nothing(counter: Counter) -> None:
    printer, token = await polled(counter, "star")
    other = Printer(id=UUID(int=1), merchant=printer.merchant, kind="star")
    assert await printing.picture_for(counter.stage.context, other, token) is None
    assert await printing.by_secret(counter.stage.context, "x" * 32) is None


@pytest.mark.parametrize("address", ["", "printer", "127.0.0.1:5432", "a b:9100", "h:91000"])
async def test_only_ports_of_printers_are_spoken_to(counter: Counter, address: str) -> None:
    with pytest.raises(PrinterError):
        await printers.add(counter.stage.context, counter.who, NewPrinter(
            outlet="S01", name="K1", kind="escpos", address=address
        ))  # fmt: skip


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "[::1]", "[::ffff:a00:1]", "0.0.0.0"]
)
async def test_no_merchant_has_the_server_call_inside_its_own_network(
    counter: Counter, host: str
) -> None:
    new = NewPrinter(outlet="S01", name="K1", kind="escpos", address=f"{host}:9100")
    with pytest.raises(PrinterError, match="printer_network"):
        await printers.add(counter.stage.context, counter.who, new)


async def test_a_name_that_leads_inside_is_not_connected_to(
    counter: Counter, kitchen: Kitchen
) -> None:
    await with_printer(counter, "K1", port=kitchen.port)
    await counter.stage.rows(
        "UPDATE counter_printers SET address = $1 RETURNING id", f"localhost:{kitchen.port}"
    )
    counter.stage.context.printer_networks = (ip_network("192.168.1.0/24"),)
    await counter.preparing(TEA)
    await counter.stage.sweep()
    assert kitchen.calls == 0
    assert await jobs(counter) == [("K1", "ticket", "due")]
    assert "COINSLOT_PRINTER_NETWORKS" in await counter.stage.value(
        "SELECT problem FROM counter_prints"
    )


def test_the_bytes_are_those_of_python_escpos() -> None:
    picture = paper.draw([Row(text="2 × Латте", size=40, bold=True)], 576, "KQZT")
    from escpos.printer import Dummy  # here, for every worker of the tests reads this file

    judge = Dummy()
    judge.image(picture, impl="bitImageRaster", fragment_height=256)
    judge.cut()
    ours = envelopes.escpos(picture, "J042")
    rasters = judge.output.split(b"\x1dv0")[1:]
    assert len(rasters) == ours.count(b"\x1dv0")
    for part in rasters:
        across, rows = int.from_bytes(part[1:3], "little"), int.from_bytes(part[3:5], "little")
        assert b"\x1dv0" + part[: 5 + across * rows] in ours
    papers = [e for e in Roll(576).feed(ours) if isinstance(e, Printed)]
    assert papers[0].unknown == 0
    assert papers[0].cut


def test_the_three_ways_carry_the_same_picture() -> None:
    picture = paper.draw([Row(text="कॉफ़ी", size=40)], 384, "KQZT")
    png = Image.open(io.BytesIO(envelopes.star(picture)))
    assert png.tobytes() == picture.tobytes()
    [printed] = [e for e in Roll(384).feed(envelopes.escpos(picture, "J042"))
                 if isinstance(e, Printed)]  # fmt: skip
    assert code_on(printed.picture) == code_on(picture) == "KQZT"


@pytest.mark.parametrize(
    ("said", "stands"),
    [
        ("Латте", "Латте"), ("लस्सी", "लस्सी"), ("قهوة", "قهوة"), ("กาแฟ", "กาแฟ"),
        ("hot 🙂\u200d", "hot [slightly smiling face]"),
        ("for 王小明", "for  [3 letters: see the board]"), ("a\x00b\nc", "ab c"),
    ],
)  # fmt: skip
def test_a_sign_that_no_font_has_is_never_a_box(said: str, stands: str) -> None:
    assert paper.printable(said) == stands


def test_a_line_is_never_cut_at_the_edge_of_the_paper() -> None:
    for width in (384, 576):
        picture = paper.draw([Row(text="Donaudampfschifffahrt" * 6, size=40, bold=True)], width)
        edge = picture.crop((width - 8, 0, width, picture.height))
        assert edge.convert("L").getextrema() == (255, 255)


def test_stages_have_an_order() -> None:
    assert [stage.value for stage in Stage] == ["due", "sent", "printed", "unconfirmed", "failed"]
