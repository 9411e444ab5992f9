"""Webhooks at the console: by the same rules as over the API, to a receiver over sockets."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest

from coinslot.events.announce import Announcer
from coinslot.events.webhooks.deliver import WebhookSender
from coinslot.events.webhooks.signing import HookRules
from tests.console.conftest import Browser, form, signed_in
from tests.feeds.conftest import announce
from tests.feeds.receiver import Receiver, receiving
from tests.kept_app import lent_app
from tests.people.conftest import Staffed

HOOKS = "/console/webhooks"
RULES = HookRules(private_addresses=True, pauses_s=(1.0,), jitter=0, timeout_s=5)
_SECRET = re.compile(r"whsec_[\w+/=]+")


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as made:
        yield made


@pytest.fixture
async def asha(staffed: Staffed) -> Browser:
    staffed.app = lent_app(staffed.stage, hooks=RULES)
    return await signed_in(staffed, "asha")


async def add(browser: Browser, url: str, **fields: str) -> httpx.Response:
    page = await browser.look(HOOKS)
    return await browser.press(page, HOOKS, {"url": url, **fields})


def place_of(page: httpx.Response) -> str:
    (found,) = set(re.findall(rf"{HOOKS}/[0-9a-f-]{{36}}(?=/rotate)", page.text))
    return str(found)


async def send(staffed: Staffed) -> None:
    """What was told is announced, and what is due is delivered."""
    sender = WebhookSender(staffed.stage.context, RULES)
    await announce(Announcer(staffed.stage.context))
    await sender.deliver_due()
    await sender._reach.close()


async def test_an_address_is_added_with_a_secret_that_is_shown_once(
    asha: Browser, receiver: Receiver
) -> None:
    made = await add(asha, receiver.url, description="shop")
    assert made.status_code == 200, made.text
    assert len(set(_SECRET.findall(made.text))) == 1
    assert not _SECRET.findall((await asha.look(place_of(made))).text)
    assert "shop" in (await asha.look(HOOKS)).text


@pytest.mark.parametrize("url", ["ftp://shop.example/x", "https://user:pw@shop.example/"])
async def test_an_address_is_looked_at_by_the_same_rules_as_over_the_api(
    asha: Browser, url: str
) -> None:
    answer = await add(asha, url)
    assert (answer.status_code, "This URL cannot be used" in answer.text) == (422, True)
    assert 'value="' + url in answer.text, "what was typed is kept"


async def test_without_leave_no_private_address_is_called(staffed: Staffed) -> None:
    asha = await signed_in(staffed, "asha")
    answer = await add(asha, "https://127.0.0.1/hooks")
    assert answer.status_code == 422


async def test_a_new_secret_signs_beside_the_old_one(
    staffed: Staffed, asha: Browser, receiver: Receiver
) -> None:
    made = await add(asha, receiver.url)
    (old,) = set(_SECRET.findall(made.text))
    rotated = await asha.press(made, f"{place_of(made)}/rotate")
    (new,) = set(_SECRET.findall(rotated.text))
    assert old != new
    assert "The old secret signs too until" in rotated.text
    assert (await asha.press(rotated, f"{place_of(rotated)}/test")).status_code == 303
    await send(staffed)
    (one,) = receiver.got
    assert len(one.headers["webhook-signature"].split()) == 2


async def failed(staffed: Staffed, asha: Browser, receiver: Receiver) -> str:
    """An endpoint with a test event that was given up; its page's address."""
    made = await add(asha, receiver.url)
    receiver.answers_with(500, 500)
    await asha.press(made, f"{place_of(made)}/test")
    await send(staffed)
    staffed.later(60)
    await send(staffed)
    return place_of(made)


async def test_what_failed_is_found_read_and_sent_again(
    staffed: Staffed, asha: Browser, receiver: Receiver
) -> None:
    place = await failed(staffed, asha, receiver)
    assert "webhook.test" not in (await asha.look(f"{place}?show=delivered")).text.split("<h2>")[1]
    page = await asha.look(f"{place}?show=failed")
    (delivery,) = set(re.findall(rf"{HOOKS}/deliveries/[0-9a-f-]+", page.text))
    shown = await asha.look(delivery)
    assert "<strong>500</strong>" in shown.text
    assert "webhook.test" in shown.text
    pressed = await asha.press(shown, delivery)
    assert pressed.headers["location"] == f"{delivery}?done=webhook_redelivered"
    lease = "UPDATE deliveries SET leased_until = now() + $1::interval RETURNING id"
    async with staffed.stage.context.db.system_connection() as conn:
        await conn.execute(lease, timedelta(hours=1))
    pressed = await asha.press(await asha.look(delivery), delivery)
    assert pressed.headers["location"] == f"{delivery}?done=webhook_under_way"
    assert "It is being sent right now" in (await asha.look(pressed.headers["location"])).text
    assert len(await staffed.log("delivery.redelivered")) == 1, "the second changed nothing"
    async with staffed.stage.context.db.system_connection() as conn:
        await conn.execute(lease, timedelta(0))
    await send(staffed)
    assert "Delivered" in (await asha.look(delivery)).text
    ids = {one.id for one in receiver.got}
    assert len(ids) == 1, "it is the same event, with the id that it had"


async def test_everything_that_failed_is_sent_again_at_once(
    staffed: Staffed, asha: Browser, receiver: Receiver
) -> None:
    place = await failed(staffed, asha, receiver)
    before = len(receiver.got)
    page = await asha.look(f"{place}?show=failed")
    answer = await asha.press(page, f"{place}/redeliver-failed")
    assert answer.headers["location"] == f"{place}?done=webhooks_redelivered"
    await send(staffed)
    assert len(receiver.got) == before + 1
    (entry,) = await staffed.log("endpoint.redelivered")
    assert entry["after"] == {"deliveries": 1}


async def test_a_paused_address_is_told_nothing_until_it_is_enabled(
    staffed: Staffed, asha: Browser, receiver: Receiver
) -> None:
    made = await add(asha, receiver.url)
    place = place_of(made)
    fields = form(made, place) | {"status": "paused"}
    assert (await asha.send(place, fields)).status_code == 303
    await asha.press(await asha.look(place), f"{place}/test")
    await send(staffed)
    assert receiver.got == []
    fields = form(await asha.look(place), place) | {"status": "enabled"}
    await asha.send(place, fields)
    await send(staffed)
    assert len(receiver.got) == 1


async def test_chandra_reads_and_changes_no_endpoint_of_ashas(
    staffed: Staffed, asha: Browser, receiver: Receiver
) -> None:
    place = await failed(staffed, asha, receiver)
    page = await asha.look(place)
    (delivery,) = set(re.findall(rf"{HOOKS}/deliveries/[0-9a-f-]+", page.text))
    chandra = await signed_in(staffed, "chandra")
    theirs = await chandra.look(HOOKS)
    assert receiver.url not in theirs.text
    fields = form(theirs, "/console/sign-out") | {"key": "k" * 20, "status": "paused"}
    for path in (place, delivery):
        assert (await chandra.look(path)).status_code == 404, path
    for path in (
        place, delivery, *(f"{place}/{verb}" for verb in
                           ("rotate", "remove", "test", "redeliver-failed")),
    ):  # fmt: skip
        assert (await chandra.send(path, fields)).status_code == 404, path
