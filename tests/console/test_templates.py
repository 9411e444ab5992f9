"""Templates at the console: made from a machine, edited, and given to machines as the preview
said."""

import re
from html import unescape

import httpx

from coinslot.fleet import bulk, templates
from coinslot.fleet.config import Editor
from coinslot.orders.outlet_windows import outlets_with_windows, set_windows
from tests.console.conftest import Browser, signed_in
from tests.people.conftest import Staffed

LIST = "/console/templates"
NORTH = f"{LIST}/north"
ASSIGN = f"{NORTH}/assign"


async def made(browser: Browser) -> httpx.Response:
    page = await browser.look(LIST)
    answer = await browser.press(page, LIST, {"name": "north", "machine": "M01"})
    assert answer.status_code == 303, answer.text
    return await browser.look(answer.headers["location"])


def last_form(page: httpx.Response, action: str) -> dict[str, str]:
    """The hidden fields of the first form with this action, however they are written."""
    inside = page.text.split(f'action="{action}"', 1)[1].split("</form>")[0]
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', inside)
    return {name: unescape(value) for name, value in found}


async def test_a_template_is_made_edited_and_given_to_a_machine(staffed: Staffed) -> None:
    boris = await signed_in(staffed, "boris")
    page = await made(boris)
    (line,) = re.findall(r">(A1, .*?)</textarea>", page.text, re.DOTALL)
    sku = line.split(", ")[1]
    fields = {"slots": f"A1, {sku}, 47.50, 15\n", "locks": "1", "limit_c": "4"}
    answer = await boris.press(page, NORTH, fields)
    assert answer.status_code == 303, answer.text
    stage = staffed.stage
    kept = await templates.template_of(stage.context, stage.merchant, "north")
    assert (kept.slots[0].par, kept.device) == (15, {"food_lock": {"limit_c": 4.0}})
    (before,) = await bulk.table(stage.context, stage.merchant)
    assert before.price.minor == 4000, "the machine stays as it is"
    page = await boris.look(NORTH)
    look = {**last_form(page, ASSIGN), "machines": "M01", "do": "look"}
    preview = await boris.send(ASSIGN, look)
    assert "₹47.50" in preview.text
    assert "food lock" in preview.text
    done = await boris.send(ASSIGN, {**last_form(preview, ASSIGN), "codes": "keep"})
    assert done.status_code == 303, done.text
    (after,) = await bulk.table(stage.context, stage.merchant)
    assert (after.price.minor, after.par, after.version) == (4750, 15, 2)


async def test_a_template_that_changed_after_the_preview_is_not_given(staffed: Staffed) -> None:
    boris = await signed_in(staffed, "boris")
    page = await made(boris)
    await boris.press(page, NORTH, {"slots": "A1, , 47.50, 15"})
    look = {**last_form(await boris.look(NORTH), ASSIGN), "machines": "M01", "do": "look"}
    preview = await boris.send(ASSIGN, look)
    stage, editor = staffed.stage, Editor(staffed.stage.merchant, "asha")
    await templates.save(stage.context, editor, "north", templates.SHIPPED["one-slot"])
    refused = await boris.send(ASSIGN, {**last_form(preview, ASSIGN), "codes": "keep"})
    assert refused.status_code == 422
    (one,) = await bulk.table(stage.context, stage.merchant)
    assert (one.price.minor, one.version) == (4000, 1)
    stale = await boris.press(page, NORTH, {"slots": "A1, , 1, 1", "key": "k" * 20})
    assert stale.status_code == 422
    assert "A1, , 1, 1" in stale.text, "what was typed is kept"


async def test_no_template_is_replaced_by_one_that_is_made(staffed: Staffed) -> None:
    boris = await signed_in(staffed, "boris")
    await made(boris)
    for name, said in (
        ("north", "template of this name"), ("cans-6", "template of this name"),
        ("North Side", "small letters"),
    ):  # fmt: skip
        page = await boris.look(LIST)
        answer = await boris.press(page, LIST, {"name": name, "machine": "M01"})
        assert answer.status_code == 422, name
        assert said in answer.text, name
    page = await boris.look(LIST)
    answer = await boris.press(page, LIST, {"name": "south", "machine": "C99"})
    assert "no such machine" in answer.text


async def test_lines_that_cannot_be_read_are_said(staffed: Staffed) -> None:
    boris = await signed_in(staffed, "boris")
    page = await made(boris)
    for number, slots in enumerate(("A1, , dear, 3", "A1, , 1, many", "A1\nA1", "A1, a, 1, 2, 3")):
        answer = await boris.press(page, NORTH, {"slots": slots, "key": f"key-of-form-{number:08}"})
        assert answer.status_code == 422, slots
        assert slots.split("\n")[0] in unescape(answer.text)
    unknown = {**last_form(page, ASSIGN), "machines": "M09 M01", "do": "look"}
    preview = await boris.send(ASSIGN, unknown)
    assert preview.status_code == 422
    assert "no machine has the code M09" in preview.text


async def test_a_new_machine_is_set_up_from_a_template(staffed: Staffed) -> None:
    boris = await signed_in(staffed, "boris")
    await made(boris)
    page = await boris.look("/console/new-machine")
    assert '<option value="north">' in page.text
    fields = {"code": "N07", "name": "North", "template": "north", "speaks": "", "currency": "INR"}
    answer = await boris.press(page, "/console/new-machine", fields)
    assert answer.status_code in (200, 303), answer.text
    stage = staffed.stage
    table = {one.machine: one for one in await bulk.table(stage.context, stage.merchant)}
    assert (table["N07"].sku, table["N07"].price) == (table["M01"].sku, table["M01"].price)


async def test_its_times_are_changed_by_who_may_change_them_and_given_by_who_gives_it(
    staffed: Staffed,
) -> None:
    boris, asha = await signed_in(staffed, "boris"), await signed_in(staffed, "asha")
    page = await made(boris)
    assert 'name="dispatch_s"' not in page.text
    stage = staffed.stage
    typed = {"slots": "A1, , , 15", "dispatch_s": "300"}
    answer = await boris.send(NORTH, {**last_form(page, NORTH), **typed})
    assert answer.status_code == 303, "his other changes are kept"
    kept = await templates.template_of(stage.context, stage.merchant, "north")
    assert (kept.slots[0].par, kept.windows) == (15, {})
    answer = await asha.press(await asha.look(NORTH), NORTH, {**typed, "dispatch_s": "5"})
    assert answer.status_code == 422, "a machine cannot begin in five seconds"
    answer = await asha.press(await asha.look(NORTH), NORTH, typed)
    assert answer.status_code == 303, answer.text
    kept = await templates.template_of(stage.context, stage.merchant, "north")
    assert kept.windows == {"dispatch_s": 300}
    look = {**last_form(await boris.look(NORTH), ASSIGN), "machines": "M01", "do": "look"}
    preview = await boris.send(ASSIGN, look)
    assert "seconds to begin" in preview.text
    assert "<strong>300</strong>" in preview.text
    await set_windows(stage.context, "M01", {"dispatch_s": 60})
    stale = await boris.send(ASSIGN, {**last_form(preview, ASSIGN), "codes": "keep"})
    assert stale.status_code == 422
    assert "somebody else changed the times of M01" in stale.text
    done = await boris.send(ASSIGN, {**last_form(stale, ASSIGN), "codes": "keep"})
    assert done.status_code == 303, done.text
    assert await outlets_with_windows(stage.context.db) == {"M01": {"dispatch_s": 300}}
    page = await asha.look(NORTH)
    staffed.later(700)  # too old for what needs a fresh proof
    old = await asha.press(page, NORTH, {**typed, "dispatch_s": "90"})
    assert old.status_code == 403
    kept = await templates.template_of(stage.context, stage.merchant, "north")
    assert kept.windows == {"dispatch_s": 300}
