"""From a file to machines, and from the first steps to the sheets that hang at them."""

import httpx

from tests.console.conftest import OURS, Browser, form, signed_in
from tests.people.conftest import Staffed

NEW, TABLE, START = "/console/new-machine", "/console/new-machine/table", "/console/start"
ROWS = (
    "code,name,slot,product,price,stock\nM50,Platform 5,A1,Cola,40,5\nM51,Platform 6,A1,Cola,45,5\n"
)


async def uploaded(browser: Browser, body: bytes, **fields: str) -> httpx.Response:
    hidden = form(await browser.look(NEW), TABLE)
    return await browser.client.post(
        TABLE, data=hidden | {"do": "look", "table": ""} | fields,
        files={"file": ("machines.csv", body, "text/csv")}, headers=OURS,
    )  # fmt: skip


async def test_a_file_of_machines_is_shown_first_and_set_up_then(staffed: Staffed) -> None:
    asha = await signed_in(staffed, "asha")
    seen = await uploaded(asha, b"\xef\xbb\xbf" + ROWS.encode())
    assert seen.status_code == 200, seen.text
    assert "2 would be set up" in seen.text
    assert await staffed.stage.value("SELECT count(*) FROM outlets WHERE id = 'M50'") == 0
    made = await asha.press(seen, TABLE, {"do": "apply", "table": ROWS})
    assert made.status_code == 200
    rows = await staffed.stage.rows("SELECT id FROM outlets WHERE id LIKE 'M5_' ORDER BY id")
    assert [row["id"] for row in rows] == ["M50", "M51"]


async def test_a_file_that_is_no_table_is_named_and_nothing_is_set_up(staffed: Staffed) -> None:
    asha = await signed_in(staffed, "asha")
    for body, said in (
        ("code,name\nM50,Café".encode("latin-1"), "save it as CSV UTF-8"),
        (b"PK\x03\x04 a workbook", "there is no column"),
        (b"code,name,slot\nM50,Platform 5,A1,too,many\n", "more cells than columns"),
    ):
        answer = await uploaded(asha, body)
        assert (answer.status_code, said in answer.text) == (422, True), (body, answer.status_code)
    huge = await uploaded(asha, b"x" * 12_000_000)
    assert huge.status_code == 413
    assert await staffed.stage.value("SELECT count(*) FROM outlets WHERE id = 'M50'") == 0


async def test_the_first_steps_ask_for_languages_and_lead_to_the_sheets(staffed: Staffed) -> None:
    asha = await signed_in(staffed, "asha")
    page = await asha.look(f"{START}?step=real")
    place = f"{START}/languages"
    data: dict[str, object] = form(page, place) | {
        "language": ["hi", "en"], "first_language": "hi",
    }  # fmt: skip
    answer = await asha.client.post(place, data=data, headers=OURS)
    assert answer.headers["location"] == "/console/codes"
    assert await staffed.stage.value("SELECT languages FROM merchants WHERE slug = 'asha'") == [
        "hi", "en",
    ]  # fmt: skip
    sheets = (await asha.look("/console/codes")).text
    assert 'value="hi" checked' in sheets
    assert 'value="ru" checked' not in sheets
    assert len(await staffed.log("settings.changed")) == 1
