"""Receipts in the console: which failed, and what a person does about one."""

from uuid import UUID

from coinslot.gateways.base import Absent
from coinslot.gateways.receipts import NotRegistered
from tests.console.conftest import signed_in
from tests.people.conftest import Staffed
from tests.sales.receipting import DONE, ReceiptTill, bought, receipting

ADDRESS = "ivan@example.com"


async def refused(staffed: Staffed) -> tuple[ReceiptTill, UUID]:
    """Paid, and its receipt given up by the till."""
    stage = staffed.stage
    till = await receipting(stage)
    await bought(stage, till)
    till.answer = NotRegistered(reason="the till is out of paper", receipt_id="rt-1")
    staffed.later(11)
    await stage.sweep()
    found: UUID = await stage.value("SELECT id FROM receipts")
    return till, found


async def test_the_list_leads_from_the_inbox_to_what_is_wrong_and_it_is_sent_again(
    staffed: Staffed,
) -> None:
    till, receipt = await refused(staffed)
    boris = await signed_in(staffed, "boris")
    link = f"/console/receipts/{receipt}"
    assert link in (await boris.look("/console/inbox")).text
    found = await boris.look("/console/receipts")
    assert link in found.text
    assert "Waiting for you: 1" in found.text
    page = await boris.look(link)
    for said in ("the till is out of paper", ADDRESS, "Cola", "Refused"):
        assert said in page.text, said
    bad = await boris.press(page, f"{link}/again", {"contact": "nobody", "vat": ""})
    assert bad.status_code == 422
    assert "Type an e-mail address" in bad.text
    till.answer = Absent()
    woken = staffed.stage.context.wakes.of("receipts")
    woken.clear()
    sent = await boris.press(bad, f"{link}/again", {"contact": "8 916 123 45 67", "vat": "10"})
    assert sent.status_code == 303
    assert woken.is_set(), "it goes at once, not at the worker's next look"
    twice = await boris.press(bad, f"{link}/again", {"contact": "8 916 123 45 67", "vat": "10"})
    assert twice.headers["location"] == sent.headers["location"]
    await staffed.stage.sweep("receipts")
    (order,) = till.alone
    assert order.receipt.contact == "+79161234567"
    till.answer = DONE
    staffed.later(60)
    await staffed.stage.sweep()
    page = await boris.look(sent.headers["location"])
    assert "Registered" in page.text
    assert "3986" in page.text
    (entry,) = await staffed.log("receipt.sent_again")
    assert entry["after"]["changed"] == ["contact", "vat"]


async def test_one_that_was_made_elsewhere_is_noted_with_its_number(staffed: Staffed) -> None:
    _, receipt = await refused(staffed)
    boris = await signed_in(staffed, "boris")
    link = f"/console/receipts/{receipt}"
    page = await boris.look(link)
    empty = await boris.press(page, f"{link}/by-hand", {"number": " "})
    assert empty.status_code == 422
    done = await boris.press(empty, f"{link}/by-hand", {"number": "4711"})
    assert done.status_code == 303
    assert "4711" in (await boris.look(link)).text
    assert len(await staffed.log("receipt.made_by_hand")) == 1


async def test_a_viewer_sees_where_it_went_masked_and_corrects_nothing(staffed: Staffed) -> None:
    _, receipt = await refused(staffed)
    order = await staffed.stage.value("SELECT id FROM orders")
    vera = await signed_in(staffed, "vera")
    link = f"/console/receipts/{receipt}"
    for path in ("/console/receipts", link, f"/console/orders/{order}", "/console/inbox"):
        page = await vera.look(path)
        assert page.status_code == 200, path
        assert ADDRESS not in page.text, path
        assert f"{link}/again" not in page.text
    assert "i•••@example.com" in (await vera.look(link)).text
    fields = {"form_token": "x", "key": "k" * 20, "contact": ADDRESS}
    assert (await vera.send(f"{link}/again", fields)).status_code in (403, 404)


async def test_the_page_of_an_order_shows_its_receipts(staffed: Staffed) -> None:
    _, receipt = await refused(staffed)
    order = await staffed.stage.value("SELECT id FROM orders")
    boris = await signed_in(staffed, "boris")
    page = await boris.look(f"/console/orders/{order}")
    assert f"/console/receipts/{receipt}" in page.text
    assert "i•••@example.com" in page.text


async def test_receipts_are_filtered_and_taken_as_a_file_without_addresses(
    staffed: Staffed,
) -> None:
    _, receipt = await refused(staffed)
    boris = await signed_in(staffed, "boris")
    link = f"/console/receipts/{receipt}"
    number = await staffed.stage.value("SELECT number FROM orders")
    for query, there in (
        ("state=wanting", True), ("state=registered", False), ("kind=refund", False),
        (f"text={number}", True), ("text=nothing", False), ("state=nonsense", True),
        ("before=nonsense", True),
    ):  # fmt: skip
        page = await boris.look(f"/console/receipts?{query}")
        assert (link in page.text) is there, query
    taken = await boris.look("/console/receipts/export?state=wanting")
    assert taken.headers["content-type"].startswith("text/csv")
    lines = taken.text.splitlines()
    assert "the till is out of paper" in lines[1]
    assert "40.00" in lines[1]
    assert ADDRESS not in taken.text
    assert len(await staffed.log("receipts.exported")) == 1


async def test_chandra_sees_no_receipt_of_ashas(staffed: Staffed) -> None:
    _, receipt = await refused(staffed)
    chandra = await signed_in(staffed, "chandra")
    assert str(receipt) not in (await chandra.look("/console/receipts")).text
    assert (await chandra.look(f"/console/receipts/{receipt}")).status_code == 404


async def test_every_page_of_receipts_speaks_three_languages(staffed: Staffed) -> None:
    _, receipt = await refused(staffed)
    boris = await signed_in(staffed, "boris")
    for language, word in (("ru", "Не принят"), ("hi", "मना हुई"), ("en", "Refused")):
        for path in ("/console/receipts", f"/console/receipts/{receipt}"):
            assert word in (await boris.look(f"{path}?lang={language}")).text


async def test_a_product_in_roubles_has_a_rate_of_its_own(staffed: Staffed) -> None:
    boris = await signed_in(staffed, "boris")
    assert "VAT on receipts" not in (await boris.look("/console/products/cola")).text
    async with staffed.stage.context.db.as_merchant(staffed.stage.merchant) as conn:
        await conn.execute("UPDATE products SET currency = 'RUB'")
    path = "/console/products/cola"
    page = await boris.look(path)
    fields = {"name": "Cola", "price": "40.00", "cost": "", "text": ""}
    bad = await boris.press(page, path, fields | {"vat": "19"})
    assert bad.status_code == 422
    assert (await boris.press(bad, path, fields | {"vat": "10"})).status_code == 303
    assert await staffed.stage.value("SELECT vat FROM products") == "10"
    page = await boris.look(path)
    assert '<option value="10" selected>' in page.text
    assert (await boris.press(page, path, fields | {"vat": ""})).status_code == 303
    assert await staffed.stage.value("SELECT vat FROM products") is None
