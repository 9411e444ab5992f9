"""The sandbox's control page: coffee machines with their codes, and customers' phones."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import shown_at, violations
from tests.browser.conftest import DESK, PHONE, PageAt
from tests.sandbox.running import SandboxProcess

pytestmark = pytest.mark.browser
SID, TOKEN = f"AC{1:032x}", "token"


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[SandboxProcess]:
    coffee = {
        "accounts": [{"account_id": "cafe", "token": "jwt"}],
        "devices": [{"device_id": "foyer-1", "account_id": "cafe", "name": "Foyer"}],
    }
    phones = {"accounts": [{"account_id": SID, "auth_token": TOKEN}]}
    with SandboxProcess(
        tmp_path / "s", tmp_path / "m", coinslot_url="http://127.0.0.1:9", tmetr=coffee,
        twilio=phones,
    ) as sandbox:  # fmt: skip
        yield sandbox


def opened(sandbox: SandboxProcess, page: Page) -> Page:
    """The page, with its feed open."""
    with page.expect_response("**/events"):
        page.goto(sandbox.base_url)
    return page


def twilio(sandbox: SandboxProcess, path: str, **form: str) -> None:
    url = f"/twilio/2010-04-01/Accounts/{SID}/{path}.json"
    wanted = {"To": "+14155550100", "From": "+15005550006"} | form
    assert sandbox.http.post(url, auth=(SID, TOKEN), data=wanted).status_code == 201


def make(sandbox: SandboxProcess, order: str) -> None:
    command: dict[str, Any] = {"deviceId": "foyer-1", "orderUuid": order, "size": "big",
                               "drinkUuid": f"{0xA4:032x}", "price": 22_000}  # fmt: skip
    answer = sandbox.http.post(
        "/tmetr/api/commander/v1/command/make", json=[command],
        headers={"Authorization": "Bearer jwt"},
    )  # fmt: skip
    assert answer.status_code == 200


def test_a_drink_is_chosen_its_code_stands_on_the_screen_and_the_cup_is_seen(
    sandbox: SandboxProcess, page_at: PageAt
) -> None:
    page = opened(sandbox, page_at(DESK))
    machine = page.get_by_role("article", name="Foyer")
    machine.get_by_role("combobox", name="Drink").select_option(label="Латте")
    machine.get_by_label("Size").select_option(label="Big")
    machine.get_by_role("button", name="Choose at Foyer").click()

    link = page.get_by_role("link", name="Scan the code of Foyer: Латте, big, 220.00 RUB")
    expect(link).to_be_visible()
    address = link.get_attribute("href") or ""
    assert address.startswith("http://127.0.0.1:9/v1/pay?deviceUuid=foyer-1&")
    make(sandbox, address.rpartition("uuid=")[2])
    expect(page.locator("svg.brewer.drop")).to_be_visible()
    expect(
        page.get_by_role("img", name="Coffee machine Foyer: choose a drink. 1 brewed.")
    ).to_be_visible()
    expect(link).to_have_count(0)
    expect(page.locator("#lines")).to_contain_text("foyer-1: a cup dropped")


def test_a_coffee_machine_can_be_broken_from_the_page(
    sandbox: SandboxProcess, page_at: PageAt
) -> None:
    page = opened(sandbox, page_at(DESK))
    machine = page.get_by_role("article", name="Foyer")
    machine.get_by_text("Break Foyer").click()
    machine.get_by_label("Offline").check(force=True)
    expect(page.get_by_role("img", name="Coffee machine Foyer: offline")).to_be_visible()
    machine.get_by_label("Answer to make").select_option("brewed_cut")
    expect(page.locator("#lines li").filter(has_text="faults changed")).to_have_count(2)
    (device,) = sandbox.ask("GET", "/tmetr/devices")
    assert (device["faults"]["offline"], device["faults"]["make"]) == (True, "brewed_cut")


def test_without_javascript_a_drink_is_chosen_too(sandbox: SandboxProcess, page_at: PageAt) -> None:
    page = page_at(PHONE, javascript=False)
    page.goto(sandbox.base_url)
    page.get_by_role("button", name="Choose at Foyer").click()
    expect(page.get_by_role("link", name="Scan the code of Foyer")).to_be_visible()


def test_a_phone_shows_its_message_and_rings_until_somebody_answers(
    sandbox: SandboxProcess, page_at: PageAt
) -> None:
    sandbox.ask("POST", "/twilio/phones", {"number": "+14155550100", "call": "rings"})
    page = opened(sandbox, page_at(DESK))
    phones = page.get_by_role("region", name="Customers’ phones")
    twilio(sandbox, "Messages", Body="<b>Order 42</b>: code 482913")
    expect(phones).to_contain_text("<b>Order 42</b>: code 482913")
    twilio(sandbox, "Calls", Twiml="<Response><Say>Order 42 is ready</Say></Response>")
    phones.get_by_role("button", name="Answer the call to +14155550100").click()
    expect(phones).to_contain_text("Order 42 is ready")
    expect(phones.get_by_role("button")).to_have_count(0)


def test_the_page_is_accessible_with_all_of_it(sandbox: SandboxProcess, page_at: PageAt) -> None:
    sandbox.ask("POST", "/twilio/phones", {"number": "+14155550100", "call": "rings"})
    chosen = {"device": "foyer-1", "drink": "Какао с молоком", "size": 2}
    sandbox.ask("POST", "/tmetr/screen", chosen)
    twilio(sandbox, "Messages", Body="Order 42 is ready")
    twilio(sandbox, "Calls", Twiml="<Response><Say>x</Say></Response>")
    make(sandbox, "another")
    page = opened(sandbox, page_at(PHONE))
    expect(page.get_by_role("button", name="Answer the call to +14155550100")).to_be_visible()
    page.get_by_text("Break Foyer").click()
    for size in (PHONE, DESK):
        shown_at(page, size)
        assert violations(page) == [], size
