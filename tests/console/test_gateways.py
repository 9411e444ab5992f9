"""Gateways at the console: nothing is kept that the gateway does not take, no secret is shown or
logged, and a webhook is believed while its secret is being replaced."""

import re
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import httpx
import pytest
import structlog

from coinslot.gateways import drivers
from coinslot.gateways.base import PaymentFact, Practise
from coinslot.gateways.collecting import Pending
from coinslot.kit.secrets import hmac_hex
from coinslot.merchants.accounts import Accounts
from coinslot.payments import attempts, gateway_accounts, gateway_webhooks
from coinslot.payments.gateway_accounts import AccountChange, AccountRefusedError
from coinslot.people.audit_log import COMMAND_LINE
from tests.console.conftest import Browser, form, signed_in
from tests.gateways.conftest import at_links as at_links
from tests.gateways.conftest import mailbox as mailbox
from tests.gateways.conftest import sandbox_url as sandbox_url
from tests.gateways.mailbox import Mailbox
from tests.gateways.razorpay_shop import RazorpayShop
from tests.people.conftest import PASSWORD, Staffed

NEW = "/console/gateways/new/razorpay"


@pytest.fixture
async def at_sandbox(
    staffed: Staffed, sandbox_url: str, at_links: RazorpayShop
) -> AsyncIterator[RazorpayShop]:
    """The installation practises at the sandbox, where Asha has an account."""
    context = staffed.stage.context
    context.practise = Practise(sandbox_url=sandbox_url)
    context.accounts = Accounts(context.db, context.vault, context.clock, timeout_s=5)
    yield at_links
    await context.accounts.close()


def keys(shop: RazorpayShop, **more: str) -> dict[str, str]:
    return {
        "field-key_id": shop.settings.key_id, "practise": "yes", "slug": "asha",
        "secret-key_secret": shop.settings.key_secret.reveal(),
        "secret-webhook_secrets": "first webhook secret", **more,
    }  # fmt: skip


async def add(browser: Browser, shop: RazorpayShop, **more: str) -> httpx.Response:
    page = await browser.look(NEW)
    return await browser.press(page, NEW, keys(shop, **more))


async def added(browser: Browser, shop: RazorpayShop) -> str:
    """The page of Asha's account at Razorpay."""
    answer = await add(browser, shop)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"].partition("?")[0]


async def test_an_account_is_added_when_its_gateway_takes_the_keys(
    staffed: Staffed, at_sandbox: RazorpayShop
) -> None:
    asha = await signed_in(staffed, "asha")
    place = await added(asha, at_sandbox)
    page = await asha.look(place)
    assert f"{staffed.auth.base_url}/webhooks/razorpay/asha" in page.text
    assert "Not heard yet" in page.text
    assert "Practice" in page.text
    assert at_sandbox.settings.key_id in page.text
    route = await staffed.stage.rows("SELECT settings FROM gateway_accounts WHERE slug = 'asha'")
    assert at_sandbox.settings.key_secret.reveal().encode() not in route[0]["settings"]


async def test_keys_that_the_gateway_refuses_are_not_kept_and_its_words_are_shown(
    staffed: Staffed, at_sandbox: RazorpayShop
) -> None:
    asha = await signed_in(staffed, "asha")
    answer = await add(asha, at_sandbox, **{"secret-key_secret": "mistyped"})
    assert answer.status_code == 422
    assert "Authentication failed" in answer.text
    assert at_sandbox.settings.key_id in answer.text, "what is no secret is typed once"
    assert "mistyped" not in answer.text
    assert "razorpay" not in (await asha.look("/console/gateways")).text.split("<h2>")[0]


async def test_a_gateway_that_does_not_answer_keeps_nothing_and_the_same_form_works_later(
    staffed: Staffed, at_sandbox: RazorpayShop
) -> None:
    asha = await signed_in(staffed, "asha")
    fields = form(await asha.look(NEW), NEW) | keys(at_sandbox)
    async with at_sandbox.weather(error_5xx=1):
        answer = await asha.send(NEW, fields)
    assert answer.status_code == 422
    assert "did not answer clearly" in answer.text
    assert (await asha.send(NEW, fields)).status_code == 303


async def test_two_clicks_add_one_account(staffed: Staffed, at_sandbox: RazorpayShop) -> None:
    asha = await signed_in(staffed, "asha")
    fields = form(await asha.look(NEW), NEW) | keys(at_sandbox)
    first, second = await asha.send(NEW, fields), await asha.send(NEW, fields)
    assert first.headers["location"] == second.headers["location"]
    found = await staffed.stage.value("SELECT count(*) FROM gateway_accounts WHERE slug = 'asha'")
    assert found == 1


async def test_a_name_that_is_taken_is_refused_whoever_has_it(
    staffed: Staffed, at_sandbox: RazorpayShop
) -> None:
    asha, chandra = await signed_in(staffed, "asha"), await signed_in(staffed, "chandra")
    await added(asha, at_sandbox)
    answer = await add(chandra, at_sandbox)
    assert (answer.status_code, "This name is taken" in answer.text) == (422, True)


async def test_no_secret_stands_in_a_page_an_audit_entry_or_a_log(
    staffed: Staffed, at_sandbox: RazorpayShop
) -> None:
    asha = await signed_in(staffed, "asha")
    with structlog.testing.capture_logs() as logged:
        place = await added(asha, at_sandbox)
        page = await asha.look(f"{place}/change")
        change = {"secret-webhook_secrets": "second webhook secret"}
        assert (await asha.press(page, f"{place}/change", change)).status_code == 303
        shown = [
            (await asha.look(one)).text
            for one in ("/console/gateways", place, f"{place}/change", "/console/log")
        ]
    rows = await staffed.stage.rows("SELECT before, after, subject FROM audit_log")
    kept = await staffed.stage.rows("SELECT * FROM idempotency_keys")
    everything = " ".join([*shown, str(rows), str(kept), str(logged)])
    for secret in (
        at_sandbox.settings.key_secret.reveal(), "first webhook secret", "second webhook secret",
    ):  # fmt: skip
        assert secret not in everything
    (changed,) = await staffed.log("gateway.changed")
    assert changed["after"] == {"settings": ["webhook_secrets"]}


async def test_the_form_with_secrets_needs_a_fresh_proof_before_anything_is_typed(
    staffed: Staffed, at_sandbox: RazorpayShop
) -> None:
    asha = await signed_in(staffed, "asha")
    staffed.later(3600)
    asked = await asha.look(NEW)
    assert (asked.status_code, "secret-key_secret" in asked.text) == (403, False)
    answer = await asha.press(asked, "/console/step-up", {"password": PASSWORD})
    assert answer.headers["location"] == NEW


async def test_a_form_that_waited_for_a_sign_in_comes_back_without_its_secrets(
    staffed: Staffed, at_sandbox: RazorpayShop
) -> None:
    asha = await signed_in(staffed, "asha")
    fields = form(await asha.look(NEW), NEW) | keys(at_sandbox)
    staffed.later(3600)
    asked = await asha.send(NEW, fields)
    assert asked.status_code == 403
    assert at_sandbox.settings.key_id in asked.text
    assert at_sandbox.settings.key_secret.reveal() not in asked.text
    assert "first webhook secret" not in asked.text


async def webhook(staffed: Staffed, account: UUID, secret: str, body: bytes) -> int:
    context = staffed.stage.context
    opened = await context.accounts.by_id(account)
    headers = {"x-razorpay-signature": hmac_hex(secret.encode(), body)}
    return (await gateway_webhooks.take_webhook(context, opened, headers, body)).status


def event(number: int) -> bytes:
    return b'{"event": "payment.nothing", "account_id": "", "payload": {}, "n": %d}' % number


async def test_a_webhook_signed_with_the_old_secret_is_believed_until_the_overlap_ends(
    staffed: Staffed, at_sandbox: RazorpayShop
) -> None:
    asha = await signed_in(staffed, "asha")
    place = await added(asha, at_sandbox)
    account = UUID(place.rpartition("/")[2])
    assert await webhook(staffed, account, "first webhook secret", event(1)) == 200
    page = await asha.look(f"{place}/change")
    change = {"secret-webhook_secrets": "second webhook secret"}
    await asha.press(page, f"{place}/change", change)
    staffed.stage.context.accounts.changed(account)  # type: ignore[attr-defined]
    assert await webhook(staffed, account, "first webhook secret", event(2)) == 200
    assert await webhook(staffed, account, "second webhook secret", event(3)) == 200
    assert await webhook(staffed, account, "somebody else's", event(4)) == 401
    staffed.later(7 * 86400 + 1)
    assert await webhook(staffed, account, "first webhook secret", event(5)) == 401
    assert await webhook(staffed, account, "second webhook secret", event(6)) == 200


async def test_a_secret_in_wrong_hands_ends_at_once(
    staffed: Staffed, at_sandbox: RazorpayShop
) -> None:
    asha = await signed_in(staffed, "asha")
    place = await added(asha, at_sandbox)
    account = UUID(place.rpartition("/")[2])
    page = await asha.look(f"{place}/change")
    await asha.press(page, f"{place}/change", {"secret-webhook_secrets": "second"})
    page = await asha.look(place)
    assert "is believed until" in page.text
    assert (await asha.press(page, f"{place}/end-former")).status_code == 303
    assert [row["person_id"] for row in await staffed.log("gateway.former_ended")] == [
        staffed.people["asha"]
    ]
    assert len(await staffed.log("gateway.added")) == 1
    assert await webhook(staffed, account, "first webhook secret", event(1)) == 401
    assert await webhook(staffed, account, "second", event(2)) == 200
    assert "is believed until" not in (await asha.look(place)).text


async def test_the_light_says_whether_webhooks_arrive_and_whether_they_are_signed_rightly(
    staffed: Staffed, at_sandbox: RazorpayShop
) -> None:
    asha = await signed_in(staffed, "asha")
    place = await added(asha, at_sandbox)
    account = UUID(place.rpartition("/")[2])
    lights = []
    for number, secret in enumerate(("", "wrong", "first webhook secret", "wrong again")):
        if secret:
            await webhook(staffed, account, secret, event(number))
        page = await asha.look(place)
        (light,) = re.findall(r"(Not heard yet|Signature refused|Heard)</span>", page.text)
        lights.append(light)
        staffed.later(1)
    assert lights == ["Not heard yet", "Signature refused", "Heard", "Signature refused"]


async def test_the_second_of_two_admins_who_edit_one_account_is_told(
    staffed: Staffed, at_sandbox: RazorpayShop
) -> None:
    asha = await signed_in(staffed, "asha")
    place = f"{await added(asha, at_sandbox)}/change"
    first, second = await asha.look(place), await asha.look(place)
    assert (await asha.press(first, place, {"secret-webhook_secrets": "a"})).status_code == 303
    late = await asha.press(second, place, {"secret-webhook_secrets": "b"})
    assert (late.status_code, "Somebody else changed" in late.text) == (422, True)
    again = await asha.press(late, place, {"secret-webhook_secrets": "b"})
    assert again.status_code == 422, "the same page stays old until it is loaded again"


async def routed(staffed: Staffed, payment: Any) -> object:
    """The account that a payment would go to."""
    context = staffed.stage.context
    async with context.db.as_merchant(staffed.merchant) as conn:
        there = await attempts.accounts(conn, context)
    return attempts.route(context, there, payment, ())


async def test_an_account_that_is_disabled_gets_no_new_payment_and_still_hears(
    staffed: Staffed, at_sandbox: RazorpayShop
) -> None:
    asha = await signed_in(staffed, "asha")
    place = await added(asha, at_sandbox)
    account = UUID(place.rpartition("/")[2])
    payment = {
        "merchant_id": staffed.merchant, "live": False, "capture_method": "automatic",
        "gateway": "razorpay", "amount_minor": 5000, "currency": "INR",
    }  # fmt: skip
    found = await routed(staffed, payment)
    assert getattr(found, "id", None) == account
    page = await asha.look(place)
    assert (await asha.press(page, f"{place}/enable")).status_code == 303
    assert await routed(staffed, payment) is None
    assert await webhook(staffed, account, "first webhook secret", event(1)) == 200
    page = await asha.look(place)
    assert "Disabled" in page.text
    await asha.press(page, f"{place}/enable")
    found = await routed(staffed, payment)
    assert getattr(found, "id", None) == account
    assert [row["subject"] for row in await staffed.log("gateway.disabled")] == ["razorpay/asha"]


async def test_keys_of_another_account_cannot_take_the_place_of_those_that_took_money(
    staffed: Staffed, at_sandbox: RazorpayShop, sandbox_url: str, mailbox: Mailbox
) -> None:
    """They would know nothing of what was paid, and no refund of it could be made."""
    asha = await signed_in(staffed, "asha")
    place = await added(asha, at_sandbox)
    account = UUID(place.rpartition("/")[2])
    await sold_there(staffed, account, at_sandbox)
    other = RazorpayShop(sandbox_url, mailbox)
    await other.sign_up()
    page = await asha.look(f"{place}/change")
    answer = await asha.press(page, f"{place}/change", keys(other))
    assert (answer.status_code, "keys of another account" in answer.text) == (422, True)
    kept = await asha.press(answer, f"{place}/change", keys(at_sandbox))
    assert kept.status_code == 303, "the keys of the same account are as good as before"
    await other.close()
    await staffed.stage.sweep()


async def sold_there(staffed: Staffed, account: UUID, shop: RazorpayShop) -> PaymentFact:
    """Somebody paid by that account, and we know of it."""
    made = await shop.till.collect(shop.charge())
    assert isinstance(made, Pending), made
    assert made.reference is not None
    fact = await shop.till.look(await shop.pay(made.reference))
    assert isinstance(fact, PaymentFact), fact
    context = staffed.stage.context
    await gateway_webhooks.work_facts(context, await context.accounts.by_id(account), (fact,))
    return fact


async def test_practice_does_not_become_real_money_by_a_change_of_keys(
    staffed: Staffed, at_sandbox: RazorpayShop
) -> None:
    asha = await signed_in(staffed, "asha")
    place = await added(asha, at_sandbox)
    page = await asha.look(f"{place}/change")
    answer = await asha.press(page, f"{place}/change", {"field-key_id": "rzp_live_something"})
    assert (answer.status_code, "Practice stays practice" in answer.text) == (422, True)


async def test_chandra_neither_sees_nor_changes_ashas_account(
    staffed: Staffed, at_sandbox: RazorpayShop
) -> None:
    asha, chandra = await signed_in(staffed, "asha"), await signed_in(staffed, "chandra")
    place = await added(asha, at_sandbox)
    page = await chandra.look("/console/gateways")
    assert ">Razorpay · asha<" not in page.text
    fields = form(page, "/console/sign-out") | {"key": "k" * 20, "version": "1", "to": "off"}
    for path in (place, f"{place}/change"):
        assert (await chandra.look(path)).status_code == 404
    for path in ("change", "test", "enable", "end-former"):
        assert (await chandra.send(f"{place}/{path}", fields)).status_code == 404, path
    with pytest.raises(gateway_accounts.UnknownAccountError):
        await gateway_accounts.one(
            staffed.stage.context, staffed.chandra, UUID(place.rpartition("/")[2])
        )


async def test_a_live_test_says_what_the_gateway_says_now(
    staffed: Staffed, at_sandbox: RazorpayShop
) -> None:
    asha = await signed_in(staffed, "asha")
    place = await added(asha, at_sandbox)
    tried = await asha.press(await asha.look(place), f"{place}/test")
    assert "takes these credentials" in tried.text
    async with at_sandbox.weather(error_5xx=1):
        tried = await asha.press(await asha.look(place), f"{place}/test")
    assert "did not answer clearly" in tried.text


@pytest.mark.parametrize("gateway", sorted(drivers()))
async def test_every_driver_has_a_form_that_can_be_shown(staffed: Staffed, gateway: str) -> None:
    asha = await signed_in(staffed, "asha")
    for lang in ("en", "hi", "ru"):
        page = await asha.look(f"/console/gateways/new/{gateway}?lang={lang}")
        assert page.status_code == 200


async def test_a_change_that_comes_late_is_refused_by_the_row_not_by_the_page(
    staffed: Staffed, at_sandbox: RazorpayShop
) -> None:
    asha = await signed_in(staffed, "asha")
    account = UUID((await added(asha, at_sandbox)).rpartition("/")[2])
    wanted = AccountChange(
        merchant=staffed.merchant, account=account, version=99, typed={"webhook_secrets": "x"}
    )
    with pytest.raises(AccountRefusedError) as refused:
        await gateway_accounts.change(staffed.stage.context, COMMAND_LINE, wanted)
    assert refused.value.code == "stale"


async def test_an_account_for_practice_is_known_as_one_and_takes_no_real_keys(
    staffed: Staffed, at_sandbox: RazorpayShop
) -> None:
    asha = await signed_in(staffed, "asha")
    more = {"field-key_id": "rzp_live_000000000000", "slug": "asha-live"}
    refused = await add(asha, at_sandbox, **more)
    assert (refused.status_code, "practice has none" in refused.text) == (422, True)
    await added(asha, at_sandbox)
    rows = await staffed.stage.rows(
        "SELECT slug, test_only FROM gateway_accounts WHERE gateway = 'razorpay'"
    )
    assert [tuple(row.values()) for row in rows] == [("asha", True)]


async def test_nobody_takes_the_name_of_the_account_that_another_practises_with(
    staffed: Staffed,
) -> None:
    chandra = await signed_in(staffed, "chandra")
    page = await chandra.look("/console/gateways/new/mock")
    answer = await chandra.press(
        page, "/console/gateways/new/mock", {"slug": "practice-asha", "field-method": "card"}
    )
    assert answer.status_code == 422
    assert (
        await staffed.stage.rows("SELECT slug FROM gateway_accounts WHERE slug LIKE 'practice-%'")
        == []
    )
