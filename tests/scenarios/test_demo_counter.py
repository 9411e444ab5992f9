"""The demo's café: its messages reach the drawn phone, which rings, and its printer prints."""

import re
from typing import Any

import httpx

from tests.sandbox.running import until
from tests.scenarios.running import DemoProcess

PHONE = "+919820012345"


def test_an_order_at_the_cafe_is_told_to_the_phone_printed_and_called(demo: DemoProcess) -> None:
    base, sandbox = demo.facts["base_url"], demo.facts["sandbox_url"]
    with httpx.Client(timeout=20, trust_env=False) as web:
        order = _paid_order(web, base)
        staff = _staff(web, demo)
        number = order["orderNumber"]

        def books() -> Any:
            answer = web.get(f"{sandbox}/books", headers={"accept": "application/json"})
            return answer.json()

        def told() -> list[str]:
            return [one["body"] for one in books()["twilio"]["messages"] if one["to"] == PHONE]

        paid = until(lambda: [text for text in told() if number in text])
        assert re.search(r"\b\d{3} ?\d{3}\b", paid[0])

        mine = until(lambda: _of(web, base, staff, number))
        _set(web, base, staff, mine, "PREPARING")
        printed = until(lambda: _papers(books(), number))
        picture = web.get(printed[0]["picture_url"])
        assert picture.headers["content-type"] == "image/png"
        shown = web.get(sandbox).text
        assert f"Ticket of order {number}" in shown

        _set(web, base, staff, mine, "READY")
        until(lambda: [one for one in books()["twilio"]["calls"] if one["to"] == PHONE])
        until(lambda: f"{PHONE}</b> rings" in web.get(sandbox).text)


def _paid_order(web: httpx.Client, base: str) -> Any:
    menu = web.get(f"{base}/api/stores/corner/menu").json()
    cookie = next(one for one in menu["items"] if one["name"] == "Chocolate cookie")
    asked = {
        "storeSlug": "corner", "items": [{"menuItemId": cookie["id"], "quantity": 1}],
        "totalCents": cookie["priceCents"], "customerPhone": PHONE,
        "consentVersion": menu["store"]["consentVersion"],
    }  # fmt: skip
    answer = web.post(f"{base}/api/checkout-session", json=asked)
    assert answer.status_code in (200, 201), answer.text
    order = answer.json()
    paid = web.post(order["url"], data={})  # the emulated Stripe's page
    assert paid.status_code in (200, 303), paid.text
    return order


def _staff(web: httpx.Client, demo: DemoProcess) -> dict[str, str]:
    boris = next(one for one in demo.facts["members"] if one["login"] == "boris")
    said = {"login": boris["login"], "password": boris["password"]}
    answer = web.post(f"{demo.facts['base_url']}/auth/login", json=said).json()
    return {"authorization": f"Bearer {answer['access_token']}"}


def _of(web: httpx.Client, base: str, staff: dict[str, str], number: str) -> Any:
    answer = web.get(f"{base}/api/staff/orders", params={"store": "corner"}, headers=staff)
    return next((one for one in answer.json()["orders"] if one["orderNumber"] == number), None)


def _set(web: httpx.Client, base: str, staff: dict[str, str], order: Any, status: str) -> None:
    url = f"{base}/api/staff/orders/{order['id']}/status"
    answer = web.post(url, json={"status": status}, headers=staff)
    assert answer.status_code == 200, answer.text


def _papers(books: Any, number: str) -> list[Any]:
    return [one for one in books["printers"]["Kitchen"] if one["order"] == number]
