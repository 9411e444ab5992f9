"""What an attacker sends to the console, and what it must not do."""

import json

import pytest

from tests.console.conftest import a_browser, form, signed_in
from tests.console.test_orders import sold
from tests.people.conftest import PASSWORD, Staffed

SILENT = {"accept": "text/html"}  # an older browser, or any browser where there is no https


@pytest.mark.parametrize("path", ["/console/sign-in", "/console/first-run", "/console/join"])
async def test_another_sites_refund_does_not_wait_in_the_sign_in_of_a_silent_browser(
    staffed: Staffed, path: str
) -> None:
    order = await sold(staffed)
    unit = await staffed.stage.value("SELECT id::text FROM fulfillments")
    evil = json.dumps([["key", "e" * 20], ["unit", unit], ["reason", "evil"]])
    fields = {"login": "", "password": "", "resume": evil, "resume_to": f"/console/orders/{order}"}
    victim = a_browser(staffed)
    shown = await victim.send(path, fields, SILENT)
    assert "evil" not in shown.text
    page = await victim.look("/console/sign-in")
    mine = form(page, "/console/sign-in") | {"login": "boris", "password": PASSWORD}
    inside = await victim.send("/console/sign-in", mine | {"resume": evil} | {
        "resume_to": f"/console/orders/{order}/refund"}, SILENT)  # fmt: skip
    assert (inside.status_code, inside.headers["location"]) == (303, "/console")


@pytest.mark.parametrize(
    "path",
    [
        "/console/find?text=%00", "/console/find?text=a%00b", "/console/machines/a%00",
        "/console/machines?after=%00", "/console/join?token=%00", "/console/today?lang=%00",
    ],
)  # fmt: skip
async def test_an_address_with_a_zero_character_is_refused_and_is_no_fault_of_ours(
    staffed: Staffed, path: str
) -> None:
    asha = await signed_in(staffed, "asha")
    assert (await asha.look(path)).status_code == 400


@pytest.mark.parametrize("where", ["slots/%00/refill", "slots/%00/price", "slots/%00/sale"])
async def test_a_slot_with_a_zero_character_is_refused(staffed: Staffed, where: str) -> None:
    asha = await signed_in(staffed, "asha")
    fields = form(await asha.look("/console/account"), "/console/sign-out") | {"key": "k" * 20}
    more = {"stock": "4", "amount": "41", "version": "1", "to": "off"}
    answer = await asha.send(f"/console/machines/M01/{where}", fields | more)
    assert answer.status_code == 400


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1, -1])
async def test_a_number_that_no_case_can_have_is_refused(staffed: Staffed, number: int) -> None:
    boris = await signed_in(staffed, "boris")
    fields = form(await boris.look("/console/account"), "/console/sign-out") | {"key": "k" * 20}
    answer = await boris.send(f"/console/inbox/{number}", fields | {"how": "close", "note": "x"})
    assert answer.status_code == 400


@pytest.mark.parametrize("after", ["9" * 40, "-" + "9" * 40, "no number", "1e5", "²", "1_0"])
@pytest.mark.parametrize("listing", ["fees", "payments", "orders", "refunds"])
async def test_a_row_that_no_list_can_have_is_no_fault_of_ours(
    staffed: Staffed, listing: str, after: str
) -> None:
    asha = await signed_in(staffed, "asha")
    answer = await asha.client.get(f"/console/money/{listing}", params={"after": after})
    assert answer.status_code == 400


@pytest.mark.parametrize(
    "path",
    [
        "/console/../o/x",
        "/console/%2e%2E/o/x",
        "/console/a/.%2e/../o/x",
        "/console/..",
        "/consoles",
    ],
)
async def test_no_link_to_the_sign_in_leads_out_of_the_console(staffed: Staffed, path: str) -> None:
    victim = a_browser(staffed)
    page = await victim.client.get("/console/sign-in", params={"next": path})
    fields = form(page, "/console/sign-in") | {"login": "boris", "password": PASSWORD}
    inside = await victim.send("/console/sign-in", fields)
    assert (inside.status_code, inside.headers["location"]) == (303, "/console")
