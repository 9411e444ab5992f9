"""EVA-DTS: files of a machine's own counts, read and written, and compared with the ledger."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coinslot.outlets.machines import UnknownOutletError
from coinslot.people.audit_log import COMMAND_LINE
from coinslot.telemetry import audits, dex
from coinslot.telemetry.audits import Comparison, Reader, SlotDifference
from coinslot.telemetry.dex import Counts, DexError, DexEvent, DexFile, DexSlot
from tests.sales.neighbours import chandras_machine
from tests.sales.stage import Stage

# As a machine sends it: a header, the set with its checksum, and an end.
LINES = (
    "ST*001*0001", "ID1*CNV0001*Snack 9*101", "ID4*2*978*EUR", "CB1*1*2*3", "VA1*1250*10*250*2",
    "DA2*1000*8*0*0", "PA1*A1*150", "PA2*7*1050*1*150", "PA1*A2*200", "PA2*3*200*1*100",
    "EA2*EGS*4",
)  # fmt: skip


def framed(lines: tuple[str, ...] = LINES, *, end: str = "", said: str | None = None) -> bytes:
    covered = "".join(f"{line}\r\n" for line in lines).encode("latin-1")
    number = said or str(len(lines) + 2)
    check = end or f"G85*{dex.crc(covered):04X}\r\n"
    return b"DXS*X*VA*V0/6*1\r\n" + covered + f"{check}SE*{number}*0001\r\nDXE*1*1\r\n".encode()


def test_the_checksum_is_crc_16_arc() -> None:
    assert dex.crc(b"123456789") == 0xBB3D
    assert dex.crc(b"") == 0


def test_a_file_of_a_machine_is_read() -> None:
    assert dex.read(framed()) == DexFile(
        serial="CNV0001", model="Snack 9", decimals=2, currency="EUR",
        total=Counts(value=1250, count=10, value_since_reset=250, count_since_reset=2),
        cashless=Counts(value=1000, count=8),
        slots=(
            DexSlot(slot="A1", price=150, counts=Counts(
                count=7, value=1050, count_since_reset=1, value_since_reset=150)),
            DexSlot(slot="A2", price=200, counts=Counts(
                count=3, value=200, count_since_reset=1, value_since_reset=100)),
        ),
        events=(DexEvent(code="EGS", count=4),),
    )  # fmt: skip


def test_the_checksum_of_the_longest_file_costs_no_server_its_patience() -> None:
    """Bits of each byte by themselves took 0.16 s, in which nothing else ran."""
    data = bytes(range(256)) * (dex.MOST_BYTES // 256)
    by_bits = 0
    for byte in data:
        by_bits ^= byte
        for _ in range(8):
            by_bits = by_bits >> 1 ^ (0xA001 if by_bits & 1 else 0)
    begun = time.process_time()
    assert dex.crc(data) == by_bits
    assert time.process_time() - begun < 0.1


def test_a_wrong_count_of_lines_is_a_warning() -> None:
    found = dex.read(framed(said="99"))
    assert found.warnings == ("SE says 99 lines, there are 13",)
    assert len(found.slots) == 2
    assert dex.read(framed(said="0013")).warnings == ()


def test_a_file_that_was_damaged_on_its_way_is_refused() -> None:
    good = framed()
    for place in range(good.index(b"ID1"), good.index(b"G85")):
        bad = good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :]
        with pytest.raises(DexError):
            dex.read(bad)


def test_a_file_without_checksum_or_end_is_read_with_a_warning() -> None:
    found = dex.read(framed(end="EA1*X\r\n"))
    assert found.warnings == ("it has no checksum (G85)", "SE says 13 lines, there are 13")[:1]
    assert dex.read(b"ST*001*0001\r\nPA1*A1*1\r\n").warnings == (
        "it has no checksum (G85)", "it has no end (SE)",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"", "no line ST"),
        (b"<html>ST*1</html>", "no line ST"),
        (b"ST*1\r\n" + b"X*1\r\n" * 5_000, "more than 4000 lines"),
        (b"ST*1\r\n" + b"*" * 65, "more than 64 fields"),
        (b"ST*1\r\n" + b"x" * 65_536, "longer than"),
        (b"ST*1\r\n" + b"".join(b"PA1*%d*1\r\n" % n for n in range(401)), "more than 400"),
        (b"ST*1\r\nPA1*A1*1\r\nPA1*A1*2\r\n", "there twice"),
        (b"ST*1\r\nPA1**1\r\n", "names no selection"),
        (b"ST*1\r\nPA1*<b>\x00*1\r\n", "names no selection"),
    ],
)
def test_what_is_no_such_file_is_refused(raw: bytes, says: str) -> None:
    with pytest.raises(DexError, match=says):
        dex.read(raw)


@given(st.binary(max_size=400).map(lambda raw: b"ST*1\r\n" + raw))
def test_any_bytes_are_read_or_refused_and_what_is_read_can_be_kept(raw: bytes) -> None:
    try:
        found = dex.read(raw)
    except DexError:
        return
    texts = (found.serial, found.model, found.currency, *(slot.slot for slot in found.slots))
    assert all(text.isprintable() and text.isascii() and len(text) <= 40 for text in texts)
    assert len(found.warnings) <= 20


NUMBER = st.integers(0, 10**12 - 1)
WORD = st.text("ABCxyz0189-", min_size=1, max_size=16)
COUNTS = st.builds(
    Counts, count=NUMBER, value=NUMBER, count_since_reset=NUMBER, value_since_reset=NUMBER
)
SLOTS = st.lists(
    st.builds(DexSlot, slot=WORD, price=st.none() | NUMBER, counts=st.none() | COUNTS),
    unique_by=lambda slot: slot.slot, max_size=9,
).map(tuple)  # fmt: skip
FILES = st.builds(
    DexFile, serial=WORD, model=WORD, decimals=st.none() | st.integers(0, 4),
    currency=st.sampled_from(["", "INR", "EUR"]), total=st.none() | COUNTS,
    cash=st.none() | COUNTS, cashless=st.none() | COUNTS, slots=SLOTS,
    events=st.lists(
        st.builds(DexEvent, code=WORD, count=st.none() | NUMBER), max_size=3).map(tuple),
)  # fmt: skip


@given(FILES)
def test_what_is_written_is_read_again_without_a_warning(file: DexFile) -> None:
    assert dex.read(dex.write(file)) == file


async def bring(stage: Stage, *counts: tuple[str, int, int], decimals: int = 2) -> Comparison:
    slots = [
        DexSlot(slot=slot, price=1, counts=Counts(count=count, value=value))
        for slot, count, value in counts
    ]
    stage.later(1)
    raw = dex.write(DexFile(serial="S1", decimals=decimals, currency="INR", slots=slots))
    reader = Reader(merchant=stage.merchant, actor=COMMAND_LINE)
    found = await audits.take(stage.context, "M01", raw, reader)
    stage.later(1)
    return found


async def vend(stage: Stage, event_seq: int, outcome: str = "VENDED", drop: str = "yes") -> None:
    await stage.hello()
    await stage.sell()
    await stage.sweep()
    await stage.accept()
    await stage.result(outcome, drop, event_seq)
    await stage.sweep()
    stage.later(1)


async def test_the_first_file_begins_and_the_next_is_compared_by_slot(stage: Stage) -> None:
    await vend(stage, 1)
    first = await bring(stage, ("A1", 100, 900_000), ("B2", 5, 100))
    assert (first.since, first.slots, first.differing) == (None, (), 0)
    await vend(stage, 2)
    second = await bring(stage, ("A1", 101, 904_000), ("B2", 7, 900))
    assert second.since == first.read_at
    assert second.slots == [
        SlotDifference(slot="A1", machine_vends=1, our_vends=1, unsure=0, machine_minor=4000,
                       our_minor=4000),
        SlotDifference(slot="B2", machine_vends=2, our_vends=0, unsure=0, machine_minor=800,
                       our_minor=0, differs=True),
    ]  # fmt: skip
    assert [slot.differs for slot in second.slots] == [False, True]
    assert second.differing == 1


async def test_another_price_in_the_machine_is_a_difference_of_its_own(stage: Stage) -> None:
    await bring(stage, ("A1", 1, 1))
    await vend(stage, 1)
    (slot,) = (await bring(stage, ("A1", 2, 3501))).slots
    assert (slot.differs, slot.price_differs) == (False, True)


async def test_digits_of_the_file_are_those_of_the_currency_in_the_end(stage: Stage) -> None:
    await bring(stage, ("A1", 1, 0), decimals=1)
    await vend(stage, 1)
    (slot,) = (await bring(stage, ("A1", 2, 400), decimals=1)).slots
    assert (slot.machine_minor, slot.price_differs) == (4000, False)


async def test_what_may_have_fallen_explains_one_more_and_no_less(stage: Stage) -> None:
    await bring(stage, ("A1", 10, 0))
    await stage.hello()
    await stage.sell()
    await stage.sweep()
    await stage.accept()
    stage.later(700)
    await stage.sweep()  # nobody knows: money back by policy
    (slot,) = (await bring(stage, ("A1", 11, 4000))).slots
    assert (slot.our_vends, slot.unsure, slot.differs) == (0, 1, False)
    (slot,) = (await bring(stage, ("A1", 10, 1))).slots
    assert slot.machine_vends is None, "its counts went back: nothing can be said"


async def test_the_same_file_again_is_the_same_comparison(stage: Stage) -> None:
    await bring(stage, ("A1", 1, 1))
    raw = dex.write(DexFile(serial="S1", slots=(DexSlot(slot="A1", counts=Counts(count=4)),)))
    reader = Reader(merchant=stage.merchant, actor=COMMAND_LINE)
    stage.later(1)
    once = await audits.take(stage.context, "M01", raw, reader)
    stage.later(3600)
    assert await audits.take(stage.context, "M01", raw, reader) == once
    assert len(await audits.newest(stage.context, stage.merchant, "M01")) == 2
    assert await stage.value("SELECT count(*) FROM audit_log") == 2


async def test_chandra_neither_brings_nor_sees_files_of_ashas_machine(stage: Stage) -> None:
    await bring(stage, ("A1", 1, 1))
    chandra = (await chandras_machine(stage)).merchant_id
    with pytest.raises(UnknownOutletError):
        await audits.newest(stage.context, chandra, "M01")
    with pytest.raises(UnknownOutletError):
        await audits.written(stage.context, chandra, "M01")
    reader = Reader(merchant=chandra, actor=COMMAND_LINE)
    with pytest.raises(UnknownOutletError):
        await audits.take(stage.context, "M01", framed(), reader)


async def test_what_we_sold_is_written_as_a_file_of_the_machine(stage: Stage) -> None:
    for n in (1, 2):
        await vend(stage, n)
    await vend(stage, 3, "FAILED", "no")
    file = dex.read(await audits.written(stage.context, stage.merchant, "M01"))
    sold = Counts(count=2, value=8000)
    assert (file.serial, file.currency, file.decimals, file.total) == ("M01", "INR", 2, sold)
    assert file.slots == (DexSlot(slot="A1", price=4000, counts=sold),)
