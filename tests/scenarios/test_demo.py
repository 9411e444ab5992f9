"""The main job on real parts: scan, pay, the can drops; break it, and the money comes back."""

import asyncio
import html
import json
import re

import asyncpg
import firebase_admin  # type: ignore[import-untyped]
import httpx
import pytest
from firebase_admin import db

from coinslot.commands.sign import public_of
from tests.scenarios.running import DemoProcess, until

LEASED = ("M01", "M03")  # by MQTT and by Socket.IO
FIRMWARE = "M02"  # the code of firmware/, on MicroPython
ALL = ("M01", FIRMWARE, "M03", "M04")


@pytest.mark.parametrize("code", ALL)
def test_a_paid_printed_qr_drops_exactly_one_can(demo: DemoProcess, code: str) -> None:
    before = len(demo.dropped(code))
    reference = demo.scan(code)
    until(lambda: len(demo.dropped(code)) == before + 1, 10)
    assert demo.dropped(code)[-1]["slot"] == "A1"
    until(lambda: _ended(demo, reference) == "completed", 10)
    assert demo.paid(reference)["refunded"] == 0
    demo.assert_books_are_right()


@pytest.mark.parametrize("code", ALL)
def test_a_jam_gives_the_money_back(demo: DemoProcess, code: str) -> None:
    before = len(demo.dropped(code))
    demo.fault(code, jam=True)
    reference = demo.scan(code)
    until(lambda: demo.paid(reference)["refunded"] == 4000, 30)
    demo.fault(code, jam=False)
    assert len(demo.dropped(code)) == before
    demo.assert_books_are_right()


def test_the_phone_of_the_sandbox_finds_its_payment_at_the_machines_page(
    demo: DemoProcess,
) -> None:
    """The link had the time of this computer, where the machine's page asks for that of Pune."""
    reference = demo.scan("M03")
    until(lambda: _ended(demo, reference) == "completed", 10)
    page = httpx.get(demo.facts["sandbox_url"], trust_env=False).text
    link = re.search(r'href="([^"]+/q/M03/help[^"]+)"', page)
    assert link is not None
    address = httpx.URL(html.unescape(link[1]))
    told = httpx.get(address, trust_env=False).text
    assert "What became of it" in told
    assert "No such payment has reached us yet" not in told
    # As the page says that a payment app shows it: twelve digits.
    assert re.fullmatch(r"[0-9]{12}", address.params["reference"])


def test_an_offline_machine_gives_the_money_back_after_the_dispatch_window(
    demo: DemoProcess,
) -> None:
    before = demo.dropped("M02")
    demo.fault("M02", offline=True)
    until(lambda: not demo.state("M02")["connected"], 5)
    reference = demo.scan("M02")
    until(lambda: demo.paid(reference)["refunded"] == 4000, 40)
    demo.fault("M02", offline=False)
    assert demo.dropped("M02") == before
    demo.assert_books_are_right()


@pytest.mark.parametrize(
    ("code", "step", "drops"),
    [
        ("M01", "accepted", 0), ("M01", "started", 0),
        ("M01", "dropped", 1), ("M01", "recorded", 1),
        (FIRMWARE, "started", 0), (FIRMWARE, "dropped", 1),
    ],
)  # fmt: skip
def test_a_power_cut_at_any_step_ends_in_goods_or_money(
    demo: DemoProcess, code: str, step: str, drops: int
) -> None:
    before = len(demo.dropped(code))
    demo.fault(code, power_cut_at=step)
    reference = demo.scan(code)
    until(lambda: _ended(demo, reference) in ("completed", "failed"), 40)
    assert len(demo.dropped(code)) - before == drops
    until(lambda: demo.paid(reference)["refunded"] == (0 if drops else 4000), 20)
    demo.assert_books_are_right()


def test_a_lost_webhook_is_found_by_looking(demo: DemoProcess) -> None:
    before = len(demo.dropped("M01"))
    demo.weather(webhooks={"lose": 1.0})
    try:
        demo.scan("M01")
        until(lambda: len(demo.dropped("M01")) == before + 1, 20)
    finally:
        demo.weather(webhooks={"lose": 0.0})
    demo.assert_books_are_right()


def test_an_amount_that_differs_buys_nothing_and_goes_back(demo: DemoProcess) -> None:
    before = len(demo.dropped("M01"))
    reference = demo.scan("M01", amount=4100)
    until(lambda: demo.paid(reference)["refunded"] == 4100, 20)
    assert len(demo.dropped("M01")) == before
    demo.assert_books_are_right()


def test_the_mirror_shows_the_sale_to_firebases_own_client(demo: DemoProcess) -> None:
    app = firebase_admin.initialize_app(options={"databaseURL": demo.facts["firebase_url"]})
    reference = demo.scan("M03")
    payment = db.reference(f"paymentEvents/{reference}")
    until(lambda: (payment.get() or {}).get("dispatch") == "SUCCESS", 20)
    order = db.reference(f"orders/{payment.get()['orderId']}").get()
    assert (order["status"], order["machineId"]) == ("COMPLETED", "M03")
    assert db.reference(f"qrCodeToMachine/{order['providerQrCodeId']}").get() == "M03"
    firebase_admin.delete_app(app)
    demo.assert_books_are_right()


def test_the_firmware_machine_takes_builds_that_the_demos_key_signed(demo: DemoProcess) -> None:
    public = public_of(demo.data / "firmware.key")
    lines = [
        one for name in ("firmware.json", "fleet.json")  # simulated where MicroPython is missing
        for one in json.loads((demo.data / name).read_text()) if one["id"] == FIRMWARE
    ]  # fmt: skip
    assert [one["enrolment"]["firmware_key"] for one in lines] == [public]
    assert asyncio.run(_firmware_keys(demo)) == [public]


async def _firmware_keys(demo: DemoProcess) -> list[str]:
    conn = await asyncpg.connect(demo.facts["database_url"])
    try:
        rows = await conn.fetch("SELECT encode(public_key, 'hex') AS public FROM firmware_keys")
        return [row["public"] for row in rows]
    finally:
        await conn.close()


def _ended(demo: DemoProcess, reference: str) -> str | None:
    """The state of the order that this payment bought."""

    async def look() -> str | None:
        conn = await asyncpg.connect(demo.facts["database_url"])
        try:
            state: str | None = await conn.fetchval(
                "SELECT o.state FROM captures c JOIN orders o ON o.id = c.order_id"
                " WHERE c.gateway_payment_id = $1",
                reference,
            )
            return state
        finally:
            await conn.close()

    return asyncio.run(look())
