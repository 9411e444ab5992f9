"""The QR studio: many codes on a sheet, each read back by a scanner; prices that changed since; and
prints that are no longer true."""

import asyncio
import io
import re
import zipfile
from collections.abc import Sequence
from typing import Any
from xml.etree import ElementTree

import httpx
import pypdfium2
import pytest
import zxingcpp
from PIL import Image

from coinslot.gateways.wire import NoReply
from coinslot.kit import qr
from coinslot.pages import drawing
from coinslot.pages.code_sheets import LAYOUTS, Label, sheets
from coinslot.pages.drawing import Code, Sheet, UnreadableSheetError, read_back
from coinslot.payments import printed_codes
from coinslot.payments.qr_codes import drive_qr_codes
from tests.console.conftest import Browser, form, signed_in
from tests.people.conftest import Staffed

CODES = "/console/codes"
UPI = "upi://pay?pa=asha@bank&am=40.00&tr=EZ{n:04}&cu=INR"


def label(number: int, **more: str) -> Label:
    given: dict[str, Any] = {
        "payable": UPI.format(n=number), "machine": f"M{number:02}", "name": "Platform 1, Pune",
        "slot": "A1", "product": "Masala cola", "price": "40.00 INR",
        "page": f"https://pay.example/q/M{number:02}", "merchant": "Chai & Cans",
        "contact": "+91 98765 43210", "nothing_out": "help@asha.example",
    }  # fmt: skip
    return Label(**given | more)


def scanned(body: bytes, dpi: int) -> list[list[str]]:
    """What a scanner reads from each page of the printed PDF."""
    document = pypdfium2.PdfDocument(body)
    pages = [page.render(scale=dpi / 72).to_pil() for page in document]
    return [sorted(code.text for code in zxingcpp.read_barcodes(page)) for page in pages]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("languages", [("en",), ("en", "hi"), ("en", "hi", "ru")])
def test_every_code_of_a_printed_sheet_is_read_by_a_scanner(
    layout: str, languages: Sequence[str]
) -> None:
    many, pieces = (10, 2) if layout == "a4" else (3, 3)  # two sheets, or a sheet for each code
    labels = [label(n) for n in range(1, many + 1)]
    pages = sheets(layout, labels, languages)
    assert len(pages) == pieces
    for page in pages:
        read_back(page)
    found = scanned(drawing.pdf(pages, "codes"), 150)
    assert [text for page in found for text in page] == [one.payable for one in labels]


def inside(sheet: Sheet) -> None:
    """Nothing leaves the page, and no words cover a code."""
    for line in sheet.lines:
        width = drawing.width_of(line.text, line.size, line.weight)
        assert line.x >= 0, line
        assert line.x + width <= sheet.width + 0.1, line
        assert 0 <= line.y <= sheet.height, line
        for code in sheet.codes:
            over = line.x < code.x + code.size - 2 and line.x + width > code.x + 2
            beside = line.y < code.y + 2 or line.y - 0.7 * line.size > code.y + code.size - 2
            assert beside or not over, line


@pytest.mark.parametrize("layout", LAYOUTS)
def test_long_names_stay_on_the_sheet(layout: str) -> None:
    long = label(
        1, name="Вокзал Новосибирск-Главный, зал ожидания пригородных поездов",
        product="Кофе холодный без сахара, 0,33", contact="spravka@ochen-dlinnoe-imya.example",
        page="https://a-very-long-name-of-an-installation.example.org/q/M01", merchant="М" * 60,
    )  # fmt: skip
    for page in sheets(layout, [long] * 8, ("en", "hi", "ru")):
        inside(page)
        read_back(page)


def test_a_sheet_names_the_machine_its_page_how_to_pay_and_where_to_write() -> None:
    (sheet,) = sheets("a5", [label(1)], ("en", "hi", "ru"))
    said = " ".join(line.text for line in sheet.lines)
    for part in (
        "M01 · A1", "Masala cola · 40.00 INR", "Platform 1, Pune", "https://pay.example/q/M01",
        "pay exactly 40.00 INR", "ठीक 40.00 INR चुकाएँ", "оплатите ровно 40.00 INR",
        "Your money comes back by itself", "+91 98765 43210", "help@asha.example",
    ):  # fmt: skip
        assert part in said, part


def test_a_code_that_cannot_be_read_from_the_sheet_is_not_offered() -> None:
    sheet = Sheet(105, 148, "too small")
    sheet.codes.append(Code("https://pay.example/" + "x" * 900, 40, 40, 12))
    with pytest.raises(UnreadableSheetError):
        read_back(sheet)
    covered = Sheet(105, 148, "covered")
    covered.codes.append(Code("https://pay.example/q/M01", 20, 20, 60))
    covered.rects.append(drawing.Rect(30, 30, 40, 40, "black"))
    read_back(Sheet(105, 148, "empty"))
    with pytest.raises(UnreadableSheetError):
        read_back(_drawn_over(covered))


def _drawn_over(sheet: Sheet) -> Sheet:
    """The same sheet with a second code over the first."""
    sheet.codes.append(Code("https://pay.example/q/M02", 22, 22, 60))
    return sheet


def test_words_are_shaped_by_the_rules_of_their_script() -> None:
    letters = drawing.letters()
    joined, _ = letters.shaped("क्षि", drawing.REGULAR)
    assert len(joined) < 4  # four signs, of which some join; unshaped there would be four
    mixed, _ = letters.shaped("Привет क्षि", drawing.REGULAR)
    assert [g.number for g in mixed[-len(joined) :]] == [g.number for g in joined]
    assert all(glyph.number for glyph in letters.shaped("₹40 · Ж — ९", drawing.BOLD)[0])


def test_an_svg_needs_no_font_and_is_whole() -> None:
    (sheet,) = sheets("a6", [label(1, name="Chai <& Cans>")], ("hi",))
    text = drawing.svg(sheet)
    root = ElementTree.fromstring(text)
    assert (root.get("width"), root.get("height")) == ("105.0mm", "148.0mm")
    assert "<text" not in text
    assert "font" not in text


async def pick(browser: Browser, *picks: str, **more: str) -> httpx.Response:
    page = await browser.look(CODES)
    fields = form(page, CODES) | {"layout": "a4", "spoken": "en"} | more
    return await browser.client.post(
        CODES, data=fields | {"pick": list(picks)}, headers={"sec-fetch-site": "same-origin"}
    )


async def run(staffed: Staffed, sql: str) -> None:
    async with staffed.stage.context.db.as_merchant(staffed.merchant) as conn:
        await conn.execute(sql)


async def gateway_draws(staffed: Staffed) -> None:
    """The gateway's pictures can be fetched."""

    async def fetch(url: str) -> bytes:
        return qr.png(f"upi://pay?tr={url.rpartition('/')[2]}")

    stage = staffed.stage
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        codes = await printed_codes.listed(conn, stage.merchant)
    await printed_codes.read_codes(stage.context, stage.merchant, codes, fetch)


async def test_sheets_are_made_from_choosing_to_the_file(staffed: Staffed) -> None:
    boris = await signed_in(staffed, "boris")
    answer = await pick(boris, "M01/A1", "M01/page")
    assert answer.status_code == 303, answer.text
    waiting = await boris.look(answer.headers["location"])
    assert "being made" in waiting.text
    assert "Download" not in waiting.text
    await gateway_draws(staffed)
    ready = await boris.look(answer.headers["location"])
    assert "Ready to print" in ready.text
    links = [
        link.replace("&amp;", "&") for link in re.findall(r'href="([^"]+sheet[^"]+)"', ready.text)
    ]
    pdf, svg = [await boris.client.get(link) for link in links]
    assert pdf.headers["content-type"] == "application/pdf"
    assert "attachment" in pdf.headers["content-disposition"]
    code = await staffed.stage.value("SELECT payable FROM qr_codes WHERE payable IS NOT NULL")
    assert scanned(pdf.content, 150) == [sorted([code, f"{staffed.auth.base_url}/q/M01"])]
    assert svg.headers["content-type"].startswith("image/svg+xml")
    assert svg.headers["content-security-policy"].startswith("default-src 'none'")
    (entry,) = await staffed.log("codes.printed")
    assert entry["after"]["codes"] == ["M01 A1", "M01 page"]


async def test_many_svg_pages_come_in_one_file(staffed: Staffed) -> None:
    boris = await signed_in(staffed, "boris")
    await gateway_draws(staffed)
    answer = await boris.client.get(
        f"{CODES}/sheet?pick=M01/A1&pick=M01/page&layout=a6&spoken=hi&as=svg"
    )
    names = zipfile.ZipFile(io.BytesIO(answer.content)).namelist()
    assert names == ["codes-001.svg", "codes-002.svg"]


async def test_a_code_of_another_amount_is_printed_only_when_a_person_says_so(
    staffed: Staffed,
) -> None:
    boris, stage = await signed_in(staffed, "boris"), staffed.stage
    await run(staffed, "UPDATE slots SET price_minor = 4500")
    assert "code takes ₹40.00" in (await boris.look(CODES)).text
    asked = await pick(boris, "M01/A1")
    assert asked.status_code == 409
    assert "takes ₹40.00, the slot costs ₹45.00" in asked.text
    amounts = "SELECT amount_minor FROM qr_codes WHERE retired_at IS NULL AND payment_id IS NULL"
    assert await stage.value(amounts) == 4000
    kept = await boris.press(asked, CODES, {"untrue": "keep"})
    assert kept.status_code == 303
    assert await stage.value(amounts) == 4000
    asked = await pick(boris, "M01/A1")
    replaced = await boris.press(asked, CODES, {"untrue": "replace"})
    assert replaced.status_code == 303
    assert await stage.value(amounts) == 4500


async def test_an_old_print_is_shown_until_somebody_says_that_it_is_off(staffed: Staffed) -> None:
    boris = await signed_in(staffed, "boris")
    await pick(boris, "M01/A1")  # a sheet of the code of 40 was made
    await run(staffed, "UPDATE slots SET price_minor = 4500")
    await boris.press(await pick(boris, "M01/A1"), CODES, {"untrue": "replace"})
    page = await boris.look(CODES)
    assert "An old print takes ₹40.00" in page.text
    answer = await boris.press(page, f"{CODES}/gone")
    assert answer.headers["location"] == f"{CODES}?done=codes_gone"
    assert "An old print" not in (await boris.look(CODES)).text
    (entry,) = await staffed.log("codes.taken_down")
    assert entry["subject"] == "M01/A1"


async def test_a_slot_without_a_code_gets_one_at_its_price_once(staffed: Staffed) -> None:
    boris, stage = await signed_in(staffed, "boris"), staffed.stage
    await run(
        staffed,
        "INSERT INTO slots (merchant_id, outlet_id, slot, product_id, price_minor, stock)"
        " SELECT merchant_id, outlet_id, 'A2', product_id, 5500, 3 FROM slots",
    )
    for answer in await asyncio.gather(*(pick(boris, "M01/A2") for _ in range(3))):
        assert answer.status_code == 303
    found = await stage.rows("SELECT amount_minor FROM qr_codes WHERE slot = 'A2'")
    assert found == [{"amount_minor": 5500}]
    await drive_qr_codes(stage.context, "M01")
    assert await stage.value("SELECT stage FROM qr_codes WHERE slot = 'A2'") == "open"


async def test_a_picture_that_the_gateway_does_not_send_is_read_another_time(
    staffed: Staffed,
) -> None:
    stage = staffed.stage

    async def nothing(url: str) -> NoReply:
        return NoReply("down")

    async def no_code(url: str) -> bytes:
        out = io.BytesIO()
        Image.new("L", (200, 200), 255).save(out, "PNG")
        return out.getvalue()

    async with stage.context.db.as_merchant(stage.merchant) as conn:
        codes = await printed_codes.listed(conn, stage.merchant)
    for fetch in (nothing, no_code):
        await printed_codes.read_codes(stage.context, stage.merchant, codes, fetch)
        assert await stage.value("SELECT count(payable) FROM qr_codes") == 0
    boris = await signed_in(staffed, "boris")
    answer = await boris.client.get(f"{CODES}/sheet?pick=M01/A1&layout=a4&spoken=en")
    assert answer.status_code == 409


@pytest.mark.parametrize(
    "wrong", ["M01", "M01/", "/A1", "M01/A1/x", "M01/<b>", "M01/A1&x=1", "X9/A1"]
)
async def test_what_is_no_code_is_refused(staffed: Staffed, wrong: str) -> None:
    boris = await signed_in(staffed, "boris")
    assert (await pick(boris, wrong)).status_code in (400, 404)


async def test_nothing_chosen_is_said(staffed: Staffed) -> None:
    boris = await signed_in(staffed, "boris")
    answer = await pick(boris)
    assert (answer.status_code, "at least one code" in answer.text) == (422, True)


async def test_chandra_prints_nothing_of_ashas(staffed: Staffed) -> None:
    await gateway_draws(staffed)
    chandra = await signed_in(staffed, "chandra")
    assert "M01" not in (await chandra.look(CODES)).text
    assert (await pick(chandra, "M01/A1")).status_code == 404
    for place in ("ready", "sheet"):
        asked = f"{CODES}/{place}?pick=M01/A1&layout=a4&spoken=en"
        assert (await chandra.client.get(asked)).status_code == 404
    fields = form(await chandra.look(CODES), CODES) | {"pick": "M01/A1"}
    await run(staffed, "UPDATE qr_codes SET sheet_at = now()")
    await chandra.send(f"{CODES}/gone", fields)
    assert await staffed.stage.value("SELECT taken_down_at FROM qr_codes") is None


async def test_vera_looks_and_makes_none(staffed: Staffed) -> None:
    vera = await signed_in(staffed, "vera")
    assert "Make the sheets" not in (await vera.look(CODES)).text
