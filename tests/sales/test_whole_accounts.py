"""Accounts at gateways as they are opened, kept and closed, whole: secrets that were replaced, what
an account is saved as, each exchange, and who is told of its clock."""

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from msgspec import Struct

from coinslot.gateways import razorpay, tbank, yookassa
from coinslot.gateways.base import Genuine
from coinslot.gateways.mock import Settings as MockSettings
from coinslot.gateways.wire import Exchange
from coinslot.kit.clock import RemoteClock
from coinslot.kit.secrets import REDACTED, SealBrokenError, Secret, hmac_hex
from coinslot.merchants import accounts as module
from coinslot.merchants.accounts import (
    Account,
    AccountName,
    Accounts,
    Former,
    LockedAccountError,
    as_kept,
    of_merchant,
    save_account,
    seal,
    seal_former,
    unseal,
    unseal_former,
)
from tests.gateways.canned import Canned, serving
from tests.sales.stage import START
from tests.sales.test_merchants_beside import VAULT, WRONG, Street, at_razorpay
from tests.sales.test_merchants_beside import street as street

S = timedelta(seconds=1)
BODY = json.dumps({"event": "payment.downtime.started", "payload": {}}).encode()


def proves(account: Account) -> set[str]:
    """Of these secrets those that a webhook is believed by."""
    found = set()
    for secret in ("new", "old", "older", "oldest"):
        signed = {"x-razorpay-signature": hmac_hex(secret.encode(), BODY)}
        if isinstance(account.driver.read_webhook(signed, BODY), Genuine):
            found.add(secret)
    return found


def opened(street: Street) -> Accounts:
    return Accounts(street.db, VAULT, street.clock, timeout_s=1)


def former(secret: str, after: timedelta, setting: str = "webhook_secrets") -> Former:
    return Former(setting=setting, secret=Secret(secret), until=START + after)


async def with_former(street: Street, account: UUID, *kept: Former) -> None:
    async with street.db.as_merchant(street.asha) as conn:
        await conn.execute(
            "UPDATE gateway_accounts SET former = $2 WHERE id = $1", account,
            seal_former(VAULT, "razorpay", "rz", kept),
        )  # fmt: skip


async def test_a_secret_that_was_replaced_proves_webhooks_until_its_time_is_over(
    street: Street,
) -> None:
    settings = razorpay.Settings(
        key_id="rzp_live_1", key_secret=Secret("s"), webhook_secrets=(Secret("new"),)
    )
    one = await street.account(street.asha, "rz", settings)
    other = await street.account(street.asha, "twin", settings)
    await with_former(street, one, former("old", 20 * S), former("older", 10 * S),
                      former("oldest", 0 * S))  # fmt: skip
    accounts = opened(street)
    first, twin = await accounts.by_id(one), await accounts.by_id(other)
    assert (proves(first), proves(twin)) == ({"new", "old", "older"}, {"new"})
    assert (first.merchant_id, first.slug, first.live) == (street.asha, "rz", True)
    for later_s, same, proof in (
        (9.999, True, {"new", "old", "older"}), (0.001, False, {"new", "old"}),
        (9.999, True, {"new", "old"}), (0.001, False, {"new"}), (9.999, True, {"new"}),
        (0.001, True, {"new"}),
    ):  # fmt: skip
        street.clock.advance(timedelta(seconds=later_s))
        now = await accounts.by_id(one)
        assert (now is first, proves(now)) == (same, proof)
        assert await accounts.by_id(one) is now, "it is opened once"
        assert await accounts.by_id(other) is twin
        first = now
    await accounts.close()


async def test_what_was_left_and_what_is_open_is_closed_once_nobody_calls_by_it(
    street: Street,
) -> None:
    one = await street.account(street.asha, "one", at_razorpay("rzp_test_1"))
    two = await street.account(street.asha, "two", at_razorpay("rzp_test_2"))
    accounts = opened(street)

    async def wire(key: UUID) -> Any:
        await accounts.by_id(key)
        return accounts._open[key].wire

    def closed() -> list[bool]:
        return [one._client.is_closed for one in wires]

    wires = [await wire(one), await wire(two)]
    for later_s, gone in ((0, [False, False, False]), (299, [False] * 4),
                          (1, [True, False, False, False, False])):  # fmt: skip
        street.clock.advance(timedelta(seconds=later_s))
        await street.account(street.asha, "one", at_razorpay(f"rzp_test_{later_s}"))
        accounts.changed(one)
        wires.append(await wire(one))
        assert closed() == gone
    await accounts.close()
    assert closed() == [True] * 5


async def test_an_account_is_saved_whole_and_set_anew_in_its_place(street: Street) -> None:
    made = await street.account(street.asha, "shop", at_razorpay("rzp_test_1"))
    other = await street.account(street.chandra, "hers", at_razorpay("rzp_live_2"))
    before = {one["id"]: one for one in await street.rows("SELECT * FROM gateway_accounts")}
    assert before[made] == {
        "id": made, "merchant_id": street.asha, "gateway": "razorpay", "slug": "shop",
        "settings": before[made]["settings"], "created_at": START, "version": 1, "former": None,
        "disabled_at": None, "changed_at": None, "test_only": True,
    }  # fmt: skip
    assert before[other]["test_only"] is False
    assert unseal(VAULT, "razorpay", "shop", before[made]["settings"]) == at_razorpay("rzp_test_1")
    street.clock.advance(S)
    assert await street.account(street.asha, "shop", at_razorpay("rzp_live_1")) == made
    after = {one["id"]: one for one in await street.rows("SELECT * FROM gateway_accounts")}
    kept = after[made]["settings"]
    assert unseal(VAULT, "razorpay", "shop", kept) == at_razorpay("rzp_live_1")
    before[made] |= {"settings": kept, "test_only": False, "version": 2}
    assert after == before


async def test_each_exchange_is_kept_whole_and_the_clock_there_is_told(street: Street) -> None:
    heard: list[Any] = []

    class Notes:
        async def note(self, account: tuple[UUID, UUID, str], there: RemoteClock) -> None:
            heard.append((account, there))

    notes: Any = Notes()
    async with serving(Canned(400, {"token": "t", "email": "a@b", "n": 1})) as (url, _):
        settings = razorpay.Settings(key_id="rzp_test_1", key_secret=Secret("s"), base_url=url)
        key = await street.account(street.asha, "rz", settings)
        await street.account(street.asha, "aa", settings)
        accounts = opened(street)
        account = await accounts.by_id(key)
        assert account.ahead() is None
        await account.driver.look("pay_1")
        assert heard == []
        accounts.clocks = notes
        street.clock.advance(S)
        await account.driver.look("pay_2")
        await accounts.close()
    assert heard == [((key, street.asha, "razorpay/rz"), account.there)]
    first, second = await street.rows("SELECT * FROM exchanges ORDER BY id")
    assert second == {
        "id": second["id"], "merchant_id": street.asha, "account_id": key, "method": "GET",
        "url": "/v1/payments/pay_2", "request": None, "status": 400,
        "response": {"token": REDACTED, "email": REDACTED, "n": 1}, "failure": None,
        "took_ms": second["took_ms"], "at": START + S,
    }  # fmt: skip
    assert first == {**second, "id": first["id"], "url": "/v1/payments/pay_1", "at": START}


def test_an_exchange_is_kept_without_where_a_payer_is_reached() -> None:
    told = {"email": "a@b", "Phone": "1", "name": "Asha"}
    raw = Exchange(method="POST", url="/x", request=told, status=None, response=[told],
                   failure=None, took_ms=7)  # fmt: skip
    hidden = {"email": REDACTED, "Phone": REDACTED, "name": "Asha"}
    assert as_kept(raw) == Exchange(
        method="POST", url="/x", request=hidden, status=None, response=[hidden], failure=None,
        took_ms=7,
    )  # fmt: skip


async def test_an_account_that_a_key_is_missing_for_is_named_by_its_place(street: Street) -> None:
    kept = {slug: await street.account(street.asha, slug, at_razorpay("rzp_test_1"))
            for slug in ("zz", "rz", "aa")}  # fmt: skip
    accounts = opened(street)
    assert await accounts.check() == 3

    async def locked(column: str, value: bytes, slug: str) -> str:
        async with street.db.as_merchant(street.asha) as conn:
            await conn.execute(
                f"UPDATE gateway_accounts SET {column} = $2 WHERE id = $1", kept[slug], value
            )
        with pytest.raises(LockedAccountError) as error:
            await accounts.check()
        return str(error.value)

    foreign = seal(WRONG, "razorpay", "zz", at_razorpay("rzp_test_1"))
    assert "the account razorpay/zz:" in await locked("settings", foreign, "zz")
    replaced = seal_former(WRONG, "razorpay", "rz", [former("old", S)])
    assert replaced is not None
    assert "the account razorpay/rz:" in await locked("former", replaced, "rz")
    broken = seal(VAULT, "razorpay", "another", at_razorpay("rzp_test_1"))
    assert "the account razorpay/aa:" in await locked("settings", broken, "aa")


async def test_whether_real_money_moves_is_said_where_it_is_known(street: Street) -> None:
    shops: tuple[tuple[str, str, Struct], ...] = (
        ("mock", "a", MockSettings()),
        ("yookassa", "b", yookassa.Settings(shop_id="1", secret_key=Secret("hush"))),
        ("razorpay", "d", at_razorpay("rzp_live_1")), ("razorpay", "c", at_razorpay("rzp_test_1")),
    )  # fmt: skip
    for gateway, slug, settings in shops:
        async with street.db.as_merchant(street.asha) as conn:
            name = AccountName(street.asha, gateway, slug)
            await save_account(conn, VAULT, street.clock.now(), name, settings)
        street.clock.advance(S)
    assert await of_merchant(street.db, VAULT, street.asha) == [
        "mock/a  test", "yookassa/b  test or live", "razorpay/d  live", "razorpay/c  test",
    ]  # fmt: skip


def test_what_is_sealed_opens_for_its_own_account_and_as_what_it_is() -> None:
    settings, kept = at_razorpay("rzp_test_1"), (former("old", S), former("older", 2 * S))
    sealed, replaced = seal(VAULT, "razorpay", "rz", settings), seal_former(
        VAULT, "razorpay", "rz", kept
    )  # fmt: skip
    assert replaced is not None
    assert b"old" not in replaced
    assert unseal(VAULT, "razorpay", "rz", sealed) == settings
    assert unseal_former(VAULT, "razorpay", "rz", replaced) == kept
    for gateway, slug in (("razorpay", "aa"), ("stripe", "rz")):
        with pytest.raises(SealBrokenError):
            unseal(VAULT, gateway, slug, sealed)
        with pytest.raises(SealBrokenError):
            unseal_former(VAULT, gateway, slug, replaced)
    with pytest.raises(SealBrokenError):
        unseal(VAULT, "razorpay", "rz", replaced)
    with pytest.raises(SealBrokenError):
        unseal_former(VAULT, "razorpay", "rz", sealed)
    assert (seal_former(VAULT, "razorpay", "rz", ()), unseal_former(VAULT, "x", "y", None)) == (
        None, (),
    )  # fmt: skip


def test_former_secrets_stand_behind_those_of_their_own_setting() -> None:
    settings = razorpay.Settings(
        key_id="k", key_secret=Secret("s"), webhook_secrets=(Secret("new"),)
    )
    kept = (former("old", S), former("older", 2 * S))
    assert module._with_former(settings, kept) == razorpay.Settings(
        key_id="k", key_secret=Secret("s"),
        webhook_secrets=(Secret("new"), Secret("old"), Secret("older")),
    )  # fmt: skip
    assert module._with_former(settings, ()) is settings
    bank = tbank.Settings(terminal_key="t", password=Secret("p"))
    assert module._with_former(bank, [former("q", S, "old_passwords")]) == tbank.Settings(
        terminal_key="t", password=Secret("p"), old_passwords=(Secret("q"),)
    )


def test_a_secret_is_a_text_in_json_and_nothing_else_is_one() -> None:
    assert module.revealed(Secret("s")) == "s"
    assert module.concealed(Secret, "s") == Secret("s")
    with pytest.raises(NotImplementedError):
        module.revealed("s")
    for kind, value in ((Secret, 1), (str, "s"), (int, 1)):
        with pytest.raises(ValueError, match="a secret is a text"):
            module.concealed(kind, value)
