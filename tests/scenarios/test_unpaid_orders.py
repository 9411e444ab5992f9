"""A machine under attack by orders that nobody pays, over HTTP, on real parts."""

import html
import re
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urljoin

import httpx

from coinslot.kit.ids import token
from tests.scenarios.running import DemoProcess, until

ATTACKERS = ("127.0.0.2", "127.0.0.3")
HONEST = "127.0.0.9"
TRIES = 500
OUTLET = "M01"


def test_an_honest_customer_buys_while_two_addresses_place_five_hundred_orders_and_pay_none(
    demo: DemoProcess,
) -> None:
    before = len(demo.dropped(OUTLET))
    with ThreadPoolExecutor(4) as pool:
        attack = [pool.submit(_attack, demo, n % 2, TRIES // 4) for n in range(4)]
        _buy(demo)
        until(lambda: len(demo.dropped(OUTLET)) == before + 1, 20)
        answers = [answer for done in attack for answer in done.result()]
        _buy(demo)
        until(lambda: len(demo.dropped(OUTLET)) == before + 2, 20)
    assert len(answers) == TRIES
    assert not {status for status in answers if status >= 500}
    # Ten unpaid codes of each address, and the two that were paid.
    assert len(_codes(demo)) <= 22
    demo.assert_books_are_right()


def _attack(demo: DemoProcess, number: int, tries: int) -> list[int]:
    """Orders, each with a fresh key and no cookie, and its code asked for at once."""
    base = demo.facts["base_url"]
    said = []
    with _client(ATTACKERS[number]) as stranger:
        for _ in range(tries):
            form = {"slot": "A1", "key": token()}
            answer = stranger.post(f"{base}/q/{OUTLET}", data=form)
            said.append(answer.status_code)
            if answer.is_redirect:
                link = urljoin(base, answer.headers["location"])
                said[-1] = stranger.post(f"{link}/pay", data={"way": "code"}).status_code
            stranger.cookies.clear()
    return said


def _buy(demo: DemoProcess) -> None:
    """What a person does: the page, the button, the code, and the payment of it."""
    base = demo.facts["base_url"]
    known = {code["id"] for code in _codes(demo)}
    with _client(HONEST) as customer:
        page = customer.get(f"{base}/q/{OUTLET}").text
        form = dict(re.findall(r'name="(slot|key)" value="([^"]+)"', page)[:2])
        order = urljoin(base, customer.post(f"{base}/q/{OUTLET}", data=form).headers["location"])
        assert customer.post(f"{order}/pay", data={"way": "code"}).status_code == 303

        def picture() -> str | None:
            found = re.search(r'class="qr" src="([^"]+)"', customer.get(order).text)
            return html.unescape(found[1]) if found else None

        until(lambda: picture() is not None, 30)
        shown = next(
            code["id"]
            for code in _codes(demo)
            if code["id"] not in known and code["image_url"] == picture()
        )
    paid = {"qr_code_id": shown}
    demo.http.post(f"{demo.facts['sandbox_url']}/razorpay/scan", json=paid).raise_for_status()


def _codes(demo: DemoProcess) -> list[dict[str, str]]:
    """The codes for single orders that the gateway has made for the machine."""
    rows = demo.http.get(f"{demo.facts['sandbox_url']}/razorpay/qr_codes").json()
    return [
        row for row in rows if row["notes"].get("outlet") == OUTLET and row["usage"] == "single_use"
    ]


def _client(address: str) -> httpx.Client:
    transport = httpx.HTTPTransport(local_address=address)
    return httpx.Client(transport=transport, timeout=30, headers={"accept": "text/html"})
