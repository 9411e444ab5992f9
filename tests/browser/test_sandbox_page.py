"""The sandbox's control page: pay on the left, watch the can drop on the right."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import shown_at, violations, violations_of_colours
from tests.browser.conftest import DESK, PHONE, PageAt
from tests.sandbox.running import SandboxProcess, account, until

pytestmark = pytest.mark.browser

OUTLETS = [
    {"id": "M01", "name": "Lobby", "slots": [{"slot": "A1", "stock": 9}]},
    {"id": "M02", "name": "Platform 3", "slots": [{"slot": "A1", "product": "Cola", "stock": 4}]},
    {"id": "M03", "name": "Library", "slots": [{"slot": "A1", "product": "Tea", "stock": 12}]},
    {"id": "C01", "name": "Canteen", "kind": "counter"},
]


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[SandboxProcess]:
    with SandboxProcess(
        tmp_path / "s",
        tmp_path / "m",
        [account(1)],
        outlets=OUTLETS,
        coinslot_url="http://127.0.0.1:9",
        tempo={"late_ms": 50},
    ) as sandbox:
        write_state(sandbox, stock=9)
        print_code(sandbox)
        yield sandbox


def print_code(sandbox: SandboxProcess, **changes: object) -> str:
    keys = account(1)
    answer = sandbox.http.post(
        "/razorpay/v1/payments/qr_codes",
        auth=(keys["key_id"], keys["key_secret"]),
        json={
            "type": "upi_qr",
            "usage": "multiple_use",
            "fixed_amount": True,
            "payment_amount": 4000,
            "name": "Lobby",
            "description": "Lime soda (M01 A1)",
            "notes": {"outlet": "M01", "slot": "A1"},
        }
        | changes,
    )
    assert answer.status_code == httpx.codes.OK
    return str(answer.json()["id"])


def write_state(sandbox: SandboxProcess, stock: int, **more: object) -> None:
    place = sandbox.machines_dir / "M01"
    place.mkdir(parents=True, exist_ok=True)
    state = {"power": True, "connected": True, "step": "idle", "slots": {"A1": stock}, **more}
    half = place / "half"
    half.write_text(json.dumps(state))
    half.replace(place / "state.json")


def write_drop(sandbox: SandboxProcess) -> None:
    with (sandbox.machines_dir / "M01" / "drops.jsonl").open("a") as file:
        file.write('{"unit_id": null, "slot": "A1", "at": "2026-01-01T00:00:00Z"}\n')


def opened(sandbox: SandboxProcess, page: Page) -> Page:
    """The page, with its feed open."""
    with page.expect_response("**/events"):
        page.goto(sandbox.base_url)
    return page


def test_a_tap_pays_and_the_dropped_can_falls_into_the_tray(
    sandbox: SandboxProcess, page_at: PageAt
) -> None:
    page = opened(sandbox, page_at(DESK))
    page.get_by_role("button", name="Scan and pay ₹40.00 for Lime soda").click()

    expect(page.locator(".paid li")).to_contain_text("₹40.00")
    expect(page.locator("#totals")).to_contain_text("₹40.00")
    assert sandbox.payments()[0]["captured"] == 4000
    write_state(sandbox, stock=8)
    write_drop(sandbox)

    expect(page.locator("svg.drop")).to_be_visible()
    expect(page.get_by_role("img", name="A1 holds 8. 1 dropped.")).to_be_visible()
    expect(page.locator("#lines li").first).to_contain_text("M01: something dropped out of A1")
    expect(page.get_by_role("link", name="Page of M01")).to_have_attribute(
        "href", "http://127.0.0.1:9/q/M01"
    )


def test_switches_break_the_machine_and_show_what_others_broke(
    sandbox: SandboxProcess, page_at: PageAt
) -> None:
    page = opened(sandbox, page_at(DESK))
    machine = page.get_by_role("article", name="M01 Lobby")
    machine.get_by_label("Jam").check(force=True)
    machine.get_by_label("Pull the plug").select_option("dropped")

    until(lambda: sandbox.ask("GET", "/machines/M01/fault")["power_cut_at"] == "dropped")
    assert sandbox.ask("GET", "/machines/M01/fault")["jam"] is True
    sandbox.fault("M01", jam=False, power_cut_at=None, offline=True)
    expect(machine.get_by_label("Offline")).to_be_checked()
    expect(machine.get_by_label("Jam")).not_to_be_checked()
    write_state(sandbox, stock=9, power=False)
    expect(machine.get_by_role("img", name="no power")).to_be_visible()


def test_sliders_make_the_weather_and_one_button_ends_it(
    sandbox: SandboxProcess, page_at: PageAt
) -> None:
    page = opened(sandbox, page_at(DESK))
    page.get_by_label("Lost").fill("0.5")
    page.get_by_label("Lost").dispatch_event("change")

    until(lambda: sandbox.ask("GET", "/weather")["webhooks"]["lose"] == 0.5)
    expect(page.locator(".weather.storm")).to_be_visible()
    page.get_by_role("button", name="Fair weather").click()
    until(lambda: sandbox.ask("GET", "/weather")["webhooks"]["lose"] == 0)
    expect(page.locator(".weather.storm")).to_have_count(0)


def test_the_payers_page_works_without_javascript(sandbox: SandboxProcess, page_at: PageAt) -> None:
    page = page_at(PHONE, javascript=False)
    page.goto(sandbox.base_url)
    page.get_by_role("link", name="Choose how to pay Lime soda").click()
    page.get_by_text("When things go wrong").click()
    page.get_by_label("Another amount").fill("x")
    page.get_by_role("button", name="Pay ₹40.00").click()
    expect(page.get_by_role("alert")).to_contain_text("rupees")
    page.get_by_label("Another amount").fill("12.5")
    page.get_by_role("button", name="Pay ₹40.00").click()

    expect(page.get_by_role("heading", name="Paid")).to_be_visible()
    assert sandbox.payments()[0]["captured"] == 1250


def test_a_closed_code_takes_no_money(sandbox: SandboxProcess, page_at: PageAt) -> None:
    code = print_code(sandbox, usage="single_use")
    sandbox.scan(code)
    page = page_at(PHONE)
    page.goto(f"{sandbox.base_url}/razorpay/pay/{code}")

    expect(page.get_by_text("This code is closed")).to_be_visible()
    expect(page.get_by_role("button")).to_have_count(0)


def test_every_page_is_clean_for_axe_and_never_wider_than_the_screen(
    sandbox: SandboxProcess, page_at: PageAt
) -> None:
    page = opened(sandbox, page_at(PHONE))
    sandbox.scan(print_code(sandbox, name="Other"), outcome="failed")
    expect(page.locator(".paid li")).to_have_count(1)
    reference = sandbox.scan(print_code(sandbox))
    code = print_code(sandbox, fixed_amount=False, payment_amount=None)

    for path in ("/", f"/razorpay/pay/{code}", f"/razorpay/paid/{reference}", "/books"):
        page.goto(sandbox.base_url + path)
        for size in (PHONE, DESK):
            shown_at(page, size, "light")
            assert violations(page) == [], (path, size)
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert wide <= size[0], (path, size)
            shown_at(page, size, "dark")
            assert violations_of_colours(page) == [], (path, size, "dark")


def test_an_open_page_finds_its_way_back_after_a_restart(
    sandbox: SandboxProcess, page_at: PageAt
) -> None:
    page = opened(sandbox, page_at(DESK))
    away = page.get_by_text("The sandbox does not answer")
    expect(away).to_be_hidden()
    sandbox.kill()
    expect(away).to_be_visible()
    pay = page.get_by_role("button", name="Scan and pay ₹40.00 for Lime soda")
    pay.click()
    expect(pay).to_be_enabled()
    write_state(sandbox, stock=8)
    write_drop(sandbox)
    sandbox.start()

    expect(page.get_by_role("img", name="A1 holds 8. 1 dropped.")).to_be_visible()
    expect(away).to_be_hidden()


def test_the_feed_shows_money_and_leaves_calls_and_the_mirror_to_who_wants_them(
    sandbox: SandboxProcess, page_at: PageAt
) -> None:
    """A mirror writes at every step: its lines pushed everything else out of sight."""
    page = opened(sandbox, page_at(DESK))
    page.get_by_role("button", name="Scan and pay ₹40.00 for Lime soda").click()
    for number in range(80):
        mirrored = sandbox.http.patch(
            "/firebase/machines/M01.json?ns=shop",
            json={"seen": number},
            headers={"Authorization": "Bearer owner"},
        )
        assert mirrored.is_success
    told = page.locator("#lines li[data-kind=mirror]")
    expect(told).to_have_count(20)
    expect(told.first).to_be_hidden()
    expect(page.locator("#lines li", has_text="customer pays ₹40.00")).to_be_visible()
    page.get_by_label("Mirror").check()
    expect(told.first).to_be_visible()


def test_the_books_are_a_page_for_people_and_json_for_programs(
    sandbox: SandboxProcess, page_at: PageAt
) -> None:
    reference = sandbox.scan(print_code(sandbox))
    told = sandbox.http.get("/books").json()
    assert told["razorpay"]["payments"][0]["reference"] == reference
    assert sandbox.http.get("/books.json").json() == told
    for size in (PHONE, DESK):
        page = page_at(size)
        page.goto(f"{sandbox.base_url}/books")
        row = page.get_by_role("row", name=reference)
        expect(row).to_contain_text("40.00 INR")
        expect(row).to_contain_text("captured")
        assert violations(page) == []
