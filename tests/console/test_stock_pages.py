"""Stock at the console: a refill by hand on a phone, what to bring, and routes; and nobody else
does any of it."""

import csv
from html import unescape
from io import StringIO

import pytest

from tests.console.conftest import signed_in
from tests.people.conftest import Staffed

STOCK, REFILL = "/console/machines/M01/stock", "/console/machines/M01/refill"
LIST, ROUTES = "/console/refills", "/console/refills/routes"


async def holds(staffed: Staffed) -> int:
    return int(await staffed.stage.value("SELECT stock FROM slots WHERE outlet_id = 'M01'"))


async def test_a_refill_is_saved_once_and_shown_with_what_was_missing(staffed: Staffed) -> None:
    boris = await signed_in(staffed, "boris")
    page = await boris.look(REFILL)
    assert "How many lie there now?" in page.text
    typed = {"after_A1": "20", "before_A1": "8", "until_A1": "2027-01-31", "note": "all clean"}
    answer = await boris.press(page, REFILL, typed)
    again = await boris.press(page, REFILL, typed)
    assert answer.status_code == again.status_code == 303, answer.text
    assert await holds(staffed) == 20
    assert await staffed.stage.value("SELECT count(*) FROM refill_visits") == 1
    shown = unescape((await boris.look(answer.headers["location"])).text)
    for said in ("The refill is saved", "8 instead of 10", "good until", "8 → 20", "all clean"):
        assert said in shown, said
    (entry,) = await staffed.log("machine.refilled")
    assert entry["person_id"] == staffed.people["boris"]


async def test_every_slot_is_full_with_one_press(staffed: Staffed) -> None:
    await staffed.stage.rows("UPDATE slots SET par = 15 RETURNING slot")
    boris = await signed_in(staffed, "boris")
    answer = await boris.press(await boris.look(REFILL), REFILL, {"do": "full"})
    assert (answer.status_code, await holds(staffed)) == (303, 15)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({}, "at least one slot"),
        ({"after_A1": "many"}, "Slot A1: type a whole number"),
        ({"after_A1": "-1"}, "Slot A1: type a whole number"),
        ({"after_A1": "10001"}, "Slot A1: type a whole number"),
        ({"after_A1": "5", "until_A1": "soon"}, "Slot A1: this is no date"),
    ],
)
async def test_what_is_no_count_is_said_and_what_was_typed_stays(
    staffed: Staffed, typed: dict[str, str], said: str
) -> None:
    boris = await signed_in(staffed, "boris")
    answer = await boris.press(await boris.look(REFILL), REFILL, {**typed, "note": "a note"})
    assert answer.status_code == 422
    assert said in answer.text
    assert "a note" in answer.text
    assert await holds(staffed) == 10


async def test_what_to_bring_is_shown_and_taken_as_a_file_that_runs_no_formula(
    staffed: Staffed,
) -> None:
    await staffed.stage.rows("UPDATE slots SET par = 15 RETURNING slot")
    async with staffed.stage.context.db.as_merchant(staffed.stage.merchant) as conn:
        await conn.execute("UPDATE products SET name = '=1+1'")
    vera = await signed_in(staffed, "vera")
    assert "Pack 5" in (await vera.look(LIST)).text
    answer = await vera.client.get(f"{LIST}/export")
    assert 'filename="refill-2026-11-21.csv"' in answer.headers["content-disposition"]
    (line,) = csv.DictReader(StringIO(answer.text.removeprefix("\ufeff")))
    assert (line["machine"], line["slot"], line["bring"]) == ("M01", "A1", "5")
    assert line["product"] == "'=1+1"
    far = await vera.client.get(f"{LIST}?on=2030-01-01")
    assert (far.status_code, "up to 60 days ahead" in far.text) == (422, True)
    assert (await vera.client.get(f"{LIST}?route=None")).status_code == 404


async def test_a_route_is_made_changed_and_removed(staffed: Staffed) -> None:
    await staffed.stage.rows("UPDATE slots SET par = 15 RETURNING slot")
    boris = await signed_in(staffed, "boris")
    made = await boris.press(
        await boris.look(ROUTES), ROUTES, {"name": "North & East", "machines": "M01"}
    )
    assert made.status_code == 303, made.text
    listed = await boris.look(LIST)
    assert "North &amp; East" in listed.text
    wrong = await boris.press(
        await boris.look(ROUTES), ROUTES, {"name": "South", "machines": "M01\nM99"}
    )
    assert (wrong.status_code, "there is no machine M99" in wrong.text) == (422, True)
    nameless = await boris.press(await boris.look(ROUTES), ROUTES, {"name": "a/b", "machines": ""})
    assert nameless.status_code == 422
    gone = await boris.press(
        await boris.look(ROUTES), ROUTES, {"name": "North & East", "do": "drop"}
    )
    assert gone.status_code == 303
    assert await staffed.stage.rows("SELECT name FROM routes WHERE dropped_at IS NULL") == []


async def test_whoever_only_reads_is_offered_no_refill(staffed: Staffed) -> None:
    vera = await signed_in(staffed, "vera")
    assert REFILL not in (await vera.look(STOCK)).text
    assert (await vera.client.get(REFILL)).status_code == 403
    assert (await vera.client.get("/console/machines/M99/stock")).status_code == 404
