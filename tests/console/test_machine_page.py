"""The life of a machine at the console: set up, tested, taken out of sale, given a new secret,
withdrawn; and nobody else does any of it."""

import json
import re
from html import unescape

import httpx
import pytest

from tests.console.conftest import Browser, form, signed_in
from tests.people.conftest import Staffed

M01, NEW = "/console/machines/M01", "/console/new-machine"
ONE = {
    "code": "M02", "name": "Platform 2", "place": "Pune", "speaks": "mqtt leased",
    "currency": "INR", "slot1": "A1", "product1": "Lime soda", "price1": "35.5", "count1": "6",
}  # fmt: skip


async def pressed(
    browser: Browser, verb: str, fields: dict[str, str] | None = None, at: str = M01
) -> httpx.Response:
    return await browser.press(await browser.look(at), f"{at}/{verb}", fields)


async def drop(staffed: Staffed, boot: str) -> None:
    """The machine takes the offer and drops one."""
    stage = staffed.stage
    await stage.sweep("fulfillments")
    await stage.accept(boot=boot)
    await stage.started()
    await stage.result()
    await stage.sweep()


async def slots(staffed: Staffed) -> list[dict[str, object]]:
    return await staffed.stage.rows("SELECT * FROM slots WHERE outlet_id = 'M01'")


async def test_a_test_vend_drops_one_without_money_on_record_and_the_stock_counts(
    staffed: Staffed,
) -> None:
    boris = await signed_in(staffed, "boris")
    await staffed.stage.hello()
    page = await boris.look(M01)
    answer = await boris.press(page, f"{M01}/test-vend", {"slot": "A1"})
    assert answer.status_code == 303, answer.text
    again = await boris.press(page, f"{M01}/test-vend", {"slot": "A1"})  # the same page's form
    assert again.headers["location"] == answer.headers["location"]
    await drop(staffed, "b1")
    record = await boris.look(answer.headers["location"])
    assert "vended" in record.text
    (order,) = await staffed.stage.rows("SELECT source, state, amount_minor FROM orders")
    assert order == {"source": "test_vend", "state": "completed", "amount_minor": 0}
    assert (await slots(staffed))[0]["stock"] == 9
    assert await staffed.stage.rows("SELECT id FROM captures") == []
    (entry,) = await staffed.log("machine.test_vend")
    assert entry["person_id"] == staffed.people["boris"]
    assert "Test vend" in (await boris.look(f"{M01}/history")).text
    assert (await staffed.stage.audit()).ok


async def test_a_test_vend_that_jams_owes_nobody_anything(staffed: Staffed) -> None:
    boris = await signed_in(staffed, "boris")
    await staffed.stage.hello()
    await pressed(boris, "test-vend", {"slot": "A1"})
    await staffed.stage.sweep("fulfillments")
    await staffed.stage.accept()
    await staffed.stage.started()
    await staffed.stage.result("FAILED", "no")
    await staffed.stage.sweep()
    (order,) = await staffed.stage.rows("SELECT state FROM orders")
    assert order["state"] == "failed"
    assert await staffed.stage.rows("SELECT id FROM refunds") == []
    assert (await slots(staffed))[0]["stock"] == 10
    assert (await staffed.stage.audit()).ok


async def test_what_cannot_be_tested_is_said(staffed: Staffed) -> None:
    boris = await signed_in(staffed, "boris")
    silent = await pressed(boris, "test-vend", {"slot": "A1"})
    assert (silent.status_code, "silent: nothing could be seen" in silent.text) == (409, True)
    await staffed.stage.hello()
    assert (await pressed(boris, "test-vend", {"slot": "Z9"})).status_code == 404
    await pressed(boris, "slots/A1/refill", {"stock": "0"})
    empty = await pressed(boris, "test-vend", {"slot": "A1"})
    assert (empty.status_code, "not promised" in empty.text) == (409, True)
    assert await staffed.stage.rows("SELECT id FROM orders") == []


async def test_the_whole_machine_goes_out_of_sale_and_back(staffed: Staffed) -> None:
    boris = await signed_in(staffed, "boris")
    assert (await pressed(boris, "sale", {"to": "off"})).status_code == 303
    assert (await slots(staffed))[0]["withheld_at"] is not None
    await staffed.stage.webhook(await staffed.stage.pay())  # paid in vain
    await staffed.stage.sweep()
    assert staffed.stage.refunded() == 4000
    page = await boris.look(M01)
    assert "Put the whole machine back on sale" in page.text
    await boris.press(page, f"{M01}/sale", {"to": "on"})
    assert (await slots(staffed))[0]["out_of_sale_at"] is None
    assert len(await staffed.log("machine.withheld")) == 1


async def test_putting_the_machine_back_leaves_out_what_went_out_by_itself(
    staffed: Staffed,
) -> None:
    """B1 was taken out by a person, C1 failed twice; the machine is put away and brought back."""
    assert staffed.stage.owner is not None
    for name in ("B1", "C1"):
        await staffed.stage.owner.execute(
            "INSERT INTO slots (merchant_id, outlet_id, slot, product_id, price_minor, stock)"
            " SELECT merchant_id, outlet_id, $1, product_id, price_minor, 5 FROM slots"
            " WHERE slot = 'A1'",
            name,
        )
    await staffed.stage.owner.execute(
        "UPDATE slots SET failures_in_row = 2, out_of_sale_at = now() WHERE slot = 'C1'"
    )
    boris = await signed_in(staffed, "boris")
    await pressed(boris, "slots/B1/sale", {"to": "off"})
    assert "Put the whole machine back" not in (await boris.look(M01)).text
    await pressed(boris, "sale", {"to": "off"})
    assert "Put the whole machine back" in (await boris.look(M01)).text
    await pressed(boris, "sale", {"to": "on"})
    out = {str(one["slot"]): one["out_of_sale_at"] is not None for one in await slots(staffed)}
    assert out == {"A1": False, "B1": True, "C1": True}
    await pressed(boris, "slots/B1/sale", {"to": "on"})
    await pressed(boris, "slots/C1/sale", {"to": "on"})
    assert all(one["out_of_sale_at"] is None for one in await slots(staffed))


async def test_name_and_place_are_a_version_that_nobody_overwrites_unseen(
    staffed: Staffed,
) -> None:
    boris, asha = await signed_in(staffed, "boris"), await signed_in(staffed, "asha")
    old = await boris.look(M01)
    fields = {"name": "Platform 9", "place": "Pune", "contact": "+91 1"}
    assert (await pressed(asha, "config", fields)).status_code == 303
    late = await boris.press(old, f"{M01}/config", {**fields, "name": "mine"})
    assert (late.status_code, "Somebody changed this machine" in late.text) == (409, True)
    page = await boris.look(M01)
    assert "Platform 9" in page.text
    assert "Platform 9" in (await boris.look(f"{M01}/history")).text
    empty = await boris.press(page, f"{M01}/config", {**fields, "name": ""})
    assert (empty.status_code, "A machine needs a name" in empty.text) == (409, True)


async def test_a_new_secret_needs_a_fresh_proof_and_is_shown_once(staffed: Staffed) -> None:
    asha = await signed_in(staffed, "asha")
    page = await asha.look(M01)
    made = await asha.press(page, f"{M01}/provision", {"when": "first_use"})
    assert (made.status_code, "<svg" in made.text) == (200, True)
    (file,) = re.findall(r"<code>(\{.*?\})\s*</code>", made.text, re.DOTALL)
    enrolment = json.loads(unescape(file))
    assert (enrolment["machine"], len(enrolment["secret"])) == ("M01", 64)
    again = await asha.press(page, f"{M01}/provision", {"when": "first_use"})
    assert again.status_code == 303
    assert enrolment["secret"] not in (await asha.look(again.headers["location"])).text
    staffed.later(601)
    page = await asha.look(M01)
    stale = await asha.press(page, f"{M01}/provision", {"when": "first_use"})
    assert (stale.status_code, "Show that it is you" in stale.text) == (403, True)


async def test_a_machine_is_withdrawn_by_its_code_and_not_while_a_customer_waits(
    staffed: Staffed,
) -> None:
    boris = await signed_in(staffed, "boris")
    await staffed.stage.sell()
    place = f"{M01}/withdraw"
    page = await boris.look(place)
    wrong = await boris.press(page, place, {"code": "M02"})
    assert (wrong.status_code, "This is not its code" in wrong.text) == (422, True)
    waits = await boris.press(wrong, place, {"code": "M01"})
    assert (waits.status_code, "Customers wait" in waits.text) == (422, True)
    gone = await boris.press(waits, place, {"code": "M01", "even_if_open": "yes"})
    assert gone.status_code == 303
    assert "out of service" in (await boris.look(M01)).text
    staffed.later(200)
    await staffed.stage.sweep()
    assert staffed.stage.refunded() == 4000


async def test_a_machine_is_set_up_with_what_its_device_needs(staffed: Staffed) -> None:
    boris = await signed_in(staffed, "boris")
    page = await boris.look(NEW)
    made = await boris.press(page, NEW, ONE)
    assert (made.status_code, "Shown this once" in made.text) == (200, True)
    there = await staffed.stage.rows("SELECT slot, price_minor, stock FROM slots"
                                     " WHERE outlet_id = 'M02'")  # fmt: skip
    assert there == [{"slot": "A1", "price_minor": 3550, "stock": 6}]
    assert "Platform 2" in (await boris.look("/console/machines/M02")).text
    again = await boris.press(await boris.look(NEW), NEW, ONE)
    assert (again.status_code, "Another machine has this code" in again.text) == (422, True)
    assert "Lime soda" in again.text  # what was typed is kept


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"price1": "forty"}, "Line 1: type a price"),
        ({"currency": "XXX"}, "Line 1: type a price"),
        ({"code": "M 2"}, "A code has letters, digits and dashes only"),
        ({"name": ""}, "and the machine needs a name"),
        ({"speaks": "pigeon post"}, "There is no channel pigeon"),
        ({"product1": "", "price1": ""}, "no slot with a product"),
    ],
)
async def test_what_is_wrong_with_a_machine_is_said_and_nothing_is_set_up(
    staffed: Staffed, wrong: dict[str, str], said: str
) -> None:
    boris = await signed_in(staffed, "boris")
    answer = await boris.press(await boris.look(NEW), NEW, ONE | wrong)
    assert (answer.status_code, said in answer.text) == (422, True)
    assert await staffed.stage.rows("SELECT id FROM outlets WHERE id <> 'M01'") == []


def fifty() -> str:
    """A table of fifty machines with four slots each."""
    goods = (("A1", "cola", "40"), ("A2", "lime", "35.50"), ("A3", "water", "20"),
             ("B1", "chips", "50.00"))  # fmt: skip
    lines = ["code,name,currency,channel,dialect,slot,sku,product,price,stock"]
    for number in range(1, 51):
        lines += [
            f"N{number:02},Hall {number},INR,mqtt,leased,{slot},n-{sku},{sku.title()},{price},8"
            for slot, sku, price in goods
        ]
    return "\r\n".join(lines)


async def test_fifty_machines_are_previewed_and_then_set_up_whole(staffed: Staffed) -> None:
    boris, place = await signed_in(staffed, "boris"), f"{NEW}/table"
    fields = {"table": fifty(), "do": "look"}
    preview = await boris.press(await boris.look(NEW), place, fields)
    assert "50 would be set up." in preview.text
    assert await staffed.stage.rows("SELECT id FROM outlets WHERE id <> 'M01'") == []
    made = await boris.press(preview, place, {"table": fifty(), "do": "apply"})
    assert (made.status_code, made.text.count('class="scan"')) == (200, 50)
    assert len(await staffed.stage.rows("SELECT id FROM outlets WHERE id LIKE 'N%'")) == 50
    again = await boris.press(await boris.look(NEW), place, {"table": fifty(), "do": "apply"})
    assert (again.status_code, "Line 2, code" in again.text) == (422, True)


async def test_a_table_with_a_mistake_sets_up_nothing_and_names_the_line(
    staffed: Staffed,
) -> None:
    boris, place = await signed_in(staffed, "boris"), f"{NEW}/table"
    wrong = fifty().replace("N07,Hall 7,INR,mqtt,leased,A2,n-lime,Lime,35.50,8",
                            "N07,Hall 7,INR,mqtt,leased,A2,n-lime,Lime,cheap,8")  # fmt: skip
    for do in ("look", "apply"):
        fields = {"table": wrong, "do": do}
        answer = await boris.press(await boris.look(NEW), place, fields)
        assert (answer.status_code, "Line 27, price" in answer.text) == (422, True)
    assert await staffed.stage.rows("SELECT id FROM outlets WHERE id <> 'M01'") == []


async def test_a_table_of_names_and_prices_alone_is_enough_and_a_wrong_code_is_said_in_words(
    staffed: Staffed,
) -> None:
    """The currency is the merchant's; a product is known by its name."""
    boris, place = await signed_in(staffed, "boris"), f"{NEW}/table"
    table = "code,name,slot,product,price\nM02,Lobby,A1,Ginger tea,20\nM 3,Gate,A1,Cola,40"
    page = await boris.press(await boris.look(NEW), place, {"table": table, "do": "look"})
    assert "Letters, digits, - and _ only, 32 at most." in page.text
    assert page.text.count("Line ") == 1
    right = {"table": table.replace("M 3", "M03"), "do": "apply"}
    assert (await boris.press(page, place, right)).status_code == 200
    there = await staffed.stage.rows(
        "SELECT outlet_id, price_minor FROM slots WHERE outlet_id <> 'M01' ORDER BY outlet_id"
    )
    assert [tuple(row.values()) for row in there] == [("M02", 2000), ("M03", 4000)]


async def test_chandra_does_nothing_to_ashas_machine(staffed: Staffed) -> None:
    chandra = await signed_in(staffed, "chandra")
    fields = form(await chandra.look("/console/machines"), "/console/sign-out")
    fields |= {
        "key": "k" * 20, "slot": "A1", "to": "off", "version": "1", "name": "mine", "code": "M01",
        "when": "at_once",
    }  # fmt: skip
    before = await staffed.stage.rows("SELECT * FROM outlets"), await slots(staffed)
    for verb in ("test-vend", "sale", "config", "provision", "withdraw"):
        answer = await chandra.send(f"{M01}/{verb}", fields)
        assert answer.status_code == 404, (verb, answer.text)
    for verb in ("history", "withdraw"):
        assert (await chandra.look(f"{M01}/{verb}")).status_code == 404, verb
    assert (await staffed.stage.rows("SELECT * FROM outlets"), await slots(staffed)) == before
