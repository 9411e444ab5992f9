"""The page of an order, without a browser."""

import re
from datetime import timedelta

import pytest
from msgspec.structs import replace

from coinslot.kit.clock import SettableClock
from coinslot.kit.money import Money
from coinslot.orders.page_views import WayView, WhyNot
from coinslot.pages.rendering import Formatter
from coinslot.pages.texts.en import ENGLISH
from tests.web import cast
from tests.web.conftest import Client
from tests.web.fake_backend import FakeBackend
from tests.web.serving import SITE

TOKENS = sorted(cast.orders(cast.NOON))


@pytest.mark.parametrize("token", TOKENS)
@pytest.mark.parametrize("lang", ["en", "hi", "ru", "ar-XB"])
async def test_every_state_is_told_in_every_language(client: Client, token: str, lang: str) -> None:
    answer = await client.get(f"/o/{token}?lang={lang}")
    assert answer.status_code == 200
    assert f'<html lang="{lang}" dir="{"rtl" if lang == "ar-XB" else "ltr"}">' in answer.text
    assert not re.search(r"\berror\b|\{\w+\}", re.sub(r"<style.*?</style>", "", answer.text))


async def test_the_picture_is_the_gateways_and_its_link_opens_it(client: Client) -> None:
    answer = await client.get("/o/scan")
    assert answer.text.count('"https://pictures.example/qr.png"') == 2
    assert (
        "img-src 'self' data: https: https://pictures.example"
        in (answer.headers["content-security-policy"])
    )
    assert "upi:" not in answer.text


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "https://a b;c/", ""])
async def test_an_address_that_is_no_picture_is_never_shown(
    client: Client, backend: FakeBackend, url: str
) -> None:
    scan = backend.orders["scan"]
    assert scan.pay
    backend.orders["scan"] = replace(scan, pay=replace(scan.pay, image_url=url))
    answer = await client.get("/o/scan")
    assert "<img" not in answer.text
    assert url == "" or url not in answer.text + answer.headers["content-security-policy"]


async def test_times_are_shown_in_the_zone_of_the_site(client: Client) -> None:
    assert (
        '<time datetime="2026-11-21T11:59:40+00:00"><bdi>5:29' in (await client.get("/o/done")).text
    )


async def test_times_are_shown_in_the_zone_of_the_outlet(
    client: Client, backend: FakeBackend
) -> None:
    backend.orders["done"] = replace(backend.orders["done"], zone="America/St_Johns")
    assert (
        '<time datetime="2026-11-21T11:59:40+00:00"><bdi>8:29' in (await client.get("/o/done")).text
    )


async def test_the_refund_shows_its_amount_and_the_gateways_reference(client: Client) -> None:
    text = (await client.get("/o/refunded")).text
    assert "rfnd_TESTTEST000001" in text
    assert "accepted the refund of ₹40.00" in text


async def test_a_refund_decided_by_policy_says_that_nobody_can_know(client: Client) -> None:
    assert "nobody can know what it did" in (await client.get("/o/by-policy")).text


async def test_the_countdown_waits_for_ten_seconds(
    client: Client, backend: FakeBackend, clock: SettableClock
) -> None:
    backend.orders["sending"] = replace(backend.orders["sending"], paid_at=clock.now())
    assert re.search(r'class="countdown"[^>]* hidden', (await client.get("/o/sending")).text)
    clock.advance(timedelta(seconds=10))
    text = (await client.get("/o/sending")).text
    assert 'class="countdown"' in text
    assert not re.search(r'class="countdown"[^>]* hidden', text)


@pytest.mark.parametrize(
    ("token", "again"),
    [("scan", "5;url=/o/scan?check=1"), ("sending", "3;url=/o/sending"), ("done", None)],
)
async def test_without_javascript_the_page_comes_back_while_something_may_change(
    client: Client, token: str, again: str | None
) -> None:
    text = (await client.get(f"/o/{token}")).text
    found = re.search(r'<noscript><meta http-equiv="refresh" content="([^"]+)"', text)
    assert (found and found[1]) == again


async def test_a_page_that_comes_back_unpaid_has_the_gateway_asked(
    client: Client, backend: FakeBackend
) -> None:
    await client.get("/o/scan")
    assert backend.asked == []
    await client.get("/o/scan?check=1")
    assert backend.asked == [("ask_gateway", "scan")]


async def test_i_have_paid_asks_the_gateway_and_leads_back(
    client: Client, backend: FakeBackend
) -> None:
    answer = await client.post("/o/scan/check?lang=hi")
    assert (answer.status_code, answer.headers["location"]) == (
        303,
        "/o/scan?lang=hi&asked=gateway",
    )
    assert backend.asked == [("ask_gateway", "scan")]


async def test_who_asks_too_early_is_told_that_nothing_was_seen_yet(client: Client) -> None:
    answer = await client.post("/o/scan/check")
    text = (await client.get(answer.headers["location"])).text
    assert "No payment seen yet at" in text
    assert "We are asking the machine" not in text
    assert "No payment seen yet" not in (await client.get("/o/scan")).text


async def test_nothing_came_out_asks_the_machine_and_says_so(
    client: Client, backend: FakeBackend
) -> None:
    answer = await client.post("/o/sending/help")
    assert backend.asked == [("ask_machine", "sending")]
    assert "We are asking the machine now." in (await client.get(answer.headers["location"])).text


ANSWERS = {
    "not_seen_yet": "No payment seen yet at",
    "asked": "We are asking the machine now.",
    "asked_queued": "It has not been sent to the machine yet",
    "asked_done": "The machine reports that it came out.",
    "asked_partly": "The machine reports what came out",
}
SAID = {
    ("scan", "check"): "not_seen_yet",
    ("link", "check"): "not_seen_yet",
    ("preparing", "check"): "not_seen_yet",
    ("queued", "help"): "asked_queued",
    ("sending", "help"): "asked",
    ("working", "help"): "asked",
    ("checking", "help"): "asked",
    ("done", "help"): "asked_done",
    ("partly", "help"): "asked_partly",
}


@pytest.mark.parametrize("verb", ["check", "help"])
@pytest.mark.parametrize("token", TOKENS)
async def test_each_action_is_answered_by_the_words_of_the_state_that_it_meets(
    client: Client, token: str, verb: str
) -> None:
    """A page that was told "I have paid" lives on: sold, it must not say that the machine is being
    asked; and a machine that has told how it went is not asked again."""
    answer = await client.post(f"/o/{token}/{verb}")
    text = (await client.get(answer.headers["location"])).text
    said = {name for name, words in ANSWERS.items() if words in text}
    assert said == ({SAID[token, verb]} if (token, verb) in SAID else set())


async def test_the_answer_stays_with_the_page_while_it_polls(client: Client) -> None:
    text = (await client.get("/o/sending?asked=machine")).text
    assert 'data-asked="machine"' in text
    fragment = (await client.get("/o/done/fragment?seen=0&asked=machine")).text
    assert ANSWERS["asked_done"] in fragment
    assert (await client.get("/o/sending?asked=somebody")).status_code == 400


async def test_an_attempt_to_pay_begins_with_a_tap_and_not_before(
    client: Client, backend: FakeBackend
) -> None:
    text = (await client.get("/o/to_pay?lang=hi")).text
    assert backend.asked == []
    assert 'action="/o/to_pay/pay?lang=hi" method="post"' in text
    key = re.findall(r'name="key" value="([^"]+)"', text)[1]
    tap = {"way": "link-stripe", "key": key}
    answer = await client.post("/o/to_pay/pay?lang=hi", data=tap)
    assert (answer.status_code, answer.headers["location"]) == (303, "/o/to_pay?lang=hi&go=1")
    answer = await client.post("/o/to_pay/pay?lang=hi", data=tap)
    assert (answer.status_code, answer.headers["location"]) == (303, "/o/to_pay?lang=hi")
    assert backend.asked == [("pay", "to_pay", "link-stripe")] * 2
    assert backend.keys == [key, key]


async def test_the_link_stands_before_the_code_and_each_button_has_a_key_of_its_own(
    client: Client,
) -> None:
    text = (await client.get("/o/to_pay")).text
    names = re.findall(r'name="way" value="([^"]+)"', text)
    assert names == ["link-razorpay", "link-stripe", "code-razorpay"]
    keys = re.findall(r'name="key" value="([^"]+)"', text)
    assert len(set(keys)) == 3
    text = (await client.get("/o/link")).text
    link, scan = 'href="https://pages.example/l/1"', "Or scan this with another phone"
    assert text.index(link) < text.index(scan)
    assert re.findall(r'name="way" value="([^"]+)"', text) == ["link-stripe", "code-razorpay"]


async def test_only_the_page_after_the_tap_leads_on_to_the_gateway(client: Client) -> None:
    leads = '<meta http-equiv="refresh" content="0;url=https://pages.example/l/1">'
    assert leads in (await client.get("/o/link?go=1")).text
    assert 'content="0;' not in (await client.get("/o/link")).text
    assert 'content="0;' not in (await client.get("/o/done?go=1")).text


@pytest.mark.parametrize("address", ["javascript:alert(1)", "data:text/html,x", "upi:x", ""])
async def test_a_page_leads_to_no_address_that_is_not_for_paying(
    client: Client, backend: FakeBackend, address: str
) -> None:
    pay = backend.orders["link"].pay
    assert pay is not None
    odd = replace(backend.orders["link"], pay=replace(pay, url=address, text=None))
    backend.orders["link"] = odd
    text = (await client.get("/o/link?go=1")).text
    assert f'href="{address}"' not in text
    assert 'content="0;' not in text


async def test_the_buttons_say_that_the_last_attempt_came_to_nothing(
    client: Client, backend: FakeBackend
) -> None:
    backend.orders["to_pay"] = replace(backend.orders["to_pay"], way_failed="Stripe")
    text = (await client.get("/o/to_pay")).text
    assert "Stripe did not take the payment. Nothing was charged" in text


async def test_money_that_goes_back_does_not_hide_that_the_order_can_be_paid(
    client: Client, backend: FakeBackend
) -> None:
    refunds = backend.orders["refunding"].refunds
    backend.orders["link"] = replace(backend.orders["link"], refunds=refunds)
    text = (await client.get("/o/link")).text
    assert 'href="https://pages.example/l/1"' in text
    assert "Refund" in text


async def test_a_code_that_is_not_to_be_had_is_explained_without_a_charge(
    client: Client, backend: FakeBackend
) -> None:
    backend.refuse = WhyNot.BUSY
    answer = await client.post("/o/to_pay/pay")
    assert answer.status_code == 409
    assert "use the code printed on the machine" in answer.text
    assert "You have not been charged." in answer.text
    assert 'action="/o/to_pay/pay"' in answer.text


async def test_who_waits_for_a_code_is_told_when_it_comes_and_what_works_at_once(
    client: Client, backend: FakeBackend, clock: SettableClock
) -> None:
    later = clock.now() + timedelta(seconds=30)
    backend.orders["preparing"] = replace(backend.orders["preparing"], pay_at=later)
    text = (await client.get("/o/preparing")).text
    assert "It is your turn at 5:30:30" in text
    assert "The code printed on the machine works at once." in text


async def test_on_one_phone_the_page_says_how_its_own_code_is_paid(client: Client) -> None:
    text = (await client.get("/o/scan")).text
    for said in ("On this phone?", "save the picture", "then the gallery", "back to this page"):
        assert said in text


async def test_the_fragment_comes_only_when_its_version_is_new(client: Client) -> None:
    assert (await client.get("/o/done/fragment?seen=1")).status_code == 204
    answer = await client.get("/o/done/fragment?seen=0")
    assert answer.text.lstrip().startswith("<article")


@pytest.mark.parametrize("verb", ["", "/fragment", "/live"])
async def test_a_link_that_leads_nowhere_says_so(client: Client, verb: str) -> None:
    answer = await client.get(f"/o/nobody{verb}")
    assert answer.status_code == 404
    assert "This link leads to no order" in answer.text


@pytest.mark.parametrize("verb", ["/check", "/help"])
async def test_nothing_is_asked_about_an_order_that_does_not_exist(
    client: Client, backend: FakeBackend, verb: str
) -> None:
    assert (await client.post(f"/o/nobody{verb}")).status_code == 404
    assert backend.asked == []


async def test_what_a_merchant_named_is_text_and_never_markup(
    client: Client, backend: FakeBackend
) -> None:
    named = "<script>alert(1)</script>"
    backend.orders["done"] = replace(
        backend.orders["done"], merchant_name=named, outlet_name=named, operator_contact=named
    )
    assert named not in (await client.get("/o/done")).text


@pytest.mark.parametrize(
    ("currency", "said"), [("RUB", "RUB\u00a040.00"), ("INR", "₹40.00"), ("USD", "$40.00")]
)
def test_letters_of_a_currency_stand_apart_from_its_digits(currency: str, said: str) -> None:
    shown = Formatter(ENGLISH, SITE, asked=False).money(Money(4000, currency))
    assert shown == said


async def test_practice_money_is_told_from_a_gateways(client: Client, backend: FakeBackend) -> None:
    order = next(one for one in backend.orders.values() if one.ways and one.state == "placed")
    practice = WayView(name="link-mock", form="link", title="Practice gateway", practice=True)
    backend.orders["mixed"] = replace(order, token="mixed", pay=None, ways=(*cast.WAYS, practice))
    backend.orders["only"] = replace(order, token="only", pay=None, ways=(practice,))
    mixed, only = (await client.get("/o/mixed")).text, (await client.get("/o/only")).text
    assert "with Razorpay" in mixed
    assert "with practice money" in mixed
    assert "nobody is charged" not in mixed
    assert "This is practice: nobody is charged." in only
