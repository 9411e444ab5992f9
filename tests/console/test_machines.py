"""Machines at the console: a price with a printed code, slots in and out of sale, and strangers."""

from tests.console.conftest import Browser, form, signed_in
from tests.people.conftest import Staffed

PRICE, SALE, REFILL = (
    f"/console/machines/M01/slots/A1/{verb}" for verb in ("price", "sale", "refill")
)


async def slot(staffed: Staffed) -> dict[str, object]:
    (row,) = await staffed.stage.rows("SELECT * FROM slots WHERE outlet_id = 'M01'")
    return row


async def machine(browser: Browser) -> str:
    page = await browser.look("/console/machines/M01")
    assert page.status_code == 200
    return page.text


async def test_machines_are_listed_with_what_is_the_matter(staffed: Staffed) -> None:
    vera = await signed_in(staffed, "vera")
    assert "never heard" in (await vera.look("/console/machines")).text
    await staffed.stage.hello()
    page = await vera.look("/console/machines")
    assert "/console/machines/M01" in page.text
    assert "/console/machines/C01" not in page.text
    assert "online" in page.text
    staffed.later(3600)
    assert "silent" in (await vera.look("/console/machines")).text
    assert "/slots/" not in await machine(vera)  # a viewer reads


async def test_a_price_with_a_printed_code_waits_until_a_person_says_what_becomes_of_it(
    staffed: Staffed,
) -> None:
    boris = await signed_in(staffed, "boris")
    page = await boris.look("/console/machines/M01")
    asked = await boris.press(page, PRICE, {"amount": "45"})
    assert asked.status_code == 409
    assert "takes ₹40.00; the new price is ₹45.00" in asked.text
    assert (await slot(staffed))["price_minor"] == 4000
    answer = await boris.press(asked, PRICE, {"codes": "replace"})
    assert answer.headers["location"] == "/console/machines/M01?done=slot_price"
    assert (await slot(staffed))["price_minor"] == 4500
    assert (
        await staffed.stage.value(
            "SELECT count(*) FROM qr_codes WHERE amount_minor = 4500 AND retired_at IS NULL"
        )
        == 1
    )
    (entry,) = await staffed.log("machine.configured")
    assert (entry["person_id"], entry["subject"]) == (staffed.people["boris"], "M01")


async def test_a_code_that_is_kept_is_shown_as_other_than_the_price(staffed: Staffed) -> None:
    boris = await signed_in(staffed, "boris")
    asked = await boris.press(await boris.look("/console/machines/M01"), PRICE, {"amount": "45,00"})
    await boris.press(asked, PRICE, {"codes": "keep"})
    assert "not the price" in await machine(boris)


async def test_who_changes_what_somebody_else_changed_meanwhile_is_told(staffed: Staffed) -> None:
    boris, asha = await signed_in(staffed, "boris"), await signed_in(staffed, "asha")
    old = await boris.look("/console/machines/M01")
    new = await asha.look("/console/machines/M01")
    await asha.press(new, PRICE, {"amount": "45", "codes": "replace"})
    answer = await boris.press(old, PRICE, {"amount": "35", "codes": "replace"})
    assert "Somebody changed this machine meanwhile" in answer.text
    assert (await slot(staffed))["price_minor"] == 4500


async def test_an_amount_is_typed_as_a_person_writes_it_or_refused(staffed: Staffed) -> None:
    boris = await signed_in(staffed, "boris")
    for typed in ("forty", "1.234", "-4", "0", ""):
        page = await boris.look("/console/machines/M01")
        answer = await boris.press(page, PRICE, {"amount": typed, "codes": "keep"})
        assert answer.status_code == 422, typed
    assert (await slot(staffed))["price_minor"] == 4000


async def test_a_slot_goes_out_of_sale_and_back_and_is_filled(staffed: Staffed) -> None:
    boris = await signed_in(staffed, "boris")
    page = await boris.look("/console/machines/M01")
    assert (await boris.press(page, SALE, {"to": "off"})).status_code == 303
    assert "taken out of sale" in await machine(boris)
    (entry,) = await staffed.log("slot.withheld")
    assert entry["person_id"] == staffed.people["boris"]
    page = await boris.look("/console/machines/M01")
    assert (await boris.press(page, REFILL, {"stock": "17"})).status_code == 303
    assert (await slot(staffed))["stock"] == 17
    assert (await slot(staffed))["withheld_at"] is not None  # filling does not undo a person
    page = await boris.look("/console/machines/M01")
    assert (await boris.press(page, SALE, {"to": "on"})).status_code == 303
    assert (await slot(staffed))["out_of_sale_at"] is None
    page = await boris.look("/console/machines/M01")
    refused = await boris.press(page, REFILL, {"stock": "many"})
    assert (refused.status_code, "up to 10000" in refused.text) == (422, True)


async def test_chandra_changes_nothing_of_ashas_machine(staffed: Staffed) -> None:
    chandra = await signed_in(staffed, "chandra")
    assert (await chandra.look("/console/machines/M01")).status_code == 404
    fields = form(await chandra.look("/console/machines"), "/console/sign-out")
    fields |= {"key": "k" * 20, "version": "1", "amount": "1", "to": "off", "stock": "1"}
    before = await slot(staffed)
    for place in (PRICE, SALE, REFILL):
        assert (await chandra.send(place, {**fields, "codes": "keep"})).status_code == 404, place
    assert await slot(staffed) == before


async def test_a_slot_that_is_not_there_is_not_made(staffed: Staffed) -> None:
    boris = await signed_in(staffed, "boris")
    page = await boris.look("/console/machines/M01")
    for place, fields in (
        (SALE, {"to": "off"}),
        (REFILL, {"stock": "1"}),
        (PRICE, {"amount": "4"}),
    ):
        wrong = place.replace("/A1/", "/Z9/")
        answer = await boris.send(wrong, form(page, place) | fields)
        assert answer.status_code in (404, 422), place
    assert len(await staffed.stage.rows("SELECT slot FROM slots WHERE outlet_id = 'M01'")) == 1


async def test_those_that_fail_are_found_among_many(staffed: Staffed) -> None:
    """Silent, never heard, sold out, out of sale; what works is not among them."""
    stage = staffed.stage
    await stage.hello()
    boris = await signed_in(staffed, "boris")
    failing = "/console/machines?show=failing"
    assert "Every machine is heard" in (await boris.look(failing)).text
    assert "M01" in (await boris.look("/console/machines")).text
    for column, value in (("stock", "0"), ("out_of_sale_at", "now()")):
        assert stage.owner is not None
        await stage.owner.execute(f"UPDATE slots SET {column} = {value} WHERE outlet_id = 'M01'")
        assert "M01" in (await boris.look(failing)).text
        await stage.owner.execute("UPDATE slots SET stock = 10, out_of_sale_at = NULL")
        assert "M01" not in (await boris.look(failing)).text
    staffed.later(60)
    assert "M01" in (await boris.look(failing)).text
    chandra = await signed_in(staffed, "chandra")
    assert "M01" not in (await chandra.look(failing)).text
