"""A merchant's accounts at gateways, whole, through what people do with them: added, changed,
disabled, and without what proved webhooks before. Other accounts stay as they are."""

from collections.abc import Awaitable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from coinslot.gateways import mock
from coinslot.kit.secrets import Secret
from coinslot.merchants.accounts import Former, seal_former, unseal, unseal_former
from coinslot.payments import gateway_accounts
from coinslot.payments.gateway_accounts import (
    AccountChange,
    AccountRefusedError,
    NewAccount,
    UnknownAccountError,
)
from coinslot.people.audit_log import Actor
from tests.sales.neighbours import chandras_machine
from tests.sales.stage import Stage

WHO = Actor(address="203.0.113.7")


async def kept(stage: Stage) -> dict[UUID, dict[str, Any]]:
    return {one["id"]: one for one in await stage.rows("SELECT * FROM gateway_accounts")}


class Told:
    """What is on record since it was last asked: action, subject and what was said of it."""

    def __init__(self, stage: Stage) -> None:
        self._stage, self._read = stage, 0

    async def new(self) -> list[tuple[str, str, Any]]:
        rows = await self._stage.rows("SELECT * FROM audit_log WHERE seq > $1 ORDER BY seq",
                                      self._read)  # fmt: skip
        self._read = max([self._read, *(one["seq"] for one in rows)])
        for one in rows:
            assert (one["merchant_id"], one["address"], one["at"]) == (
                self._stage.merchant, WHO.address, self._stage.clock.now(),
            )  # fmt: skip
            assert (one["before"], one["person_id"], one["reason"]) == (None, None, "")
        return [(one["action"], one["subject"], one["after"]) for one in rows]


def wanted(stage: Stage, slug: str, gateway: str = "mock", **typed: str) -> NewAccount:
    return NewAccount(
        merchant=stage.merchant, gateway=gateway, slug=slug, typed=typed, practise=True
    )


async def refusal(call: Awaitable[object]) -> str:
    with pytest.raises(AccountRefusedError) as refused:
        await call
    return refused.value.code


async def test_an_account_is_added_whole_and_stands_beside_the_others(stage: Stage) -> None:
    await chandras_machine(stage)
    told, context, now = Told(stage), stage.context, stage.clock.now()
    before = await kept(stage)
    made = await gateway_accounts.add(context, WHO, wanted(stage, " Till-2 ", method="card"))
    after = await kept(stage)
    row = after.pop(made)
    assert after == before
    assert row == {
        "id": made, "merchant_id": stage.merchant, "gateway": "mock", "slug": "till-2",
        "settings": row["settings"], "created_at": now, "version": 1, "former": None,
        "disabled_at": None, "changed_at": now, "test_only": True,
    }  # fmt: skip
    settings = unseal(context.vault, "mock", "till-2", row["settings"])
    assert isinstance(settings, mock.Settings)
    assert settings.method == "card"
    assert await told.new() == [
        ("gateway.added", "mock/till-2", {"settings": ["account_id", "method"]}),
    ]  # fmt: skip
    for slug, code in (
        ("", "bad_slug"), (" ", "bad_slug"), ("x" * 41, "bad_slug"), ("a_b", "bad_slug"),
        ("practice-x", "slug_taken"), ("TILL-2", "slug_taken"),
    ):  # fmt: skip
        assert await refusal(gateway_accounts.add(context, WHO, wanted(stage, slug))) == code
    other = gateway_accounts.add(context, WHO, wanted(stage, "x", "paypal"))
    assert await refusal(other) == "unknown_gateway"
    assert await kept(stage) == {**before, made: row}
    assert await told.new() == []
    await gateway_accounts.add(context, WHO, wanted(stage, "x" * 40))


async def test_an_account_is_changed_once_and_by_who_saw_it_as_it_is(stage: Stage) -> None:
    chandra = (await chandras_machine(stage)).merchant_id
    told, context = Told(stage), stage.context
    made = await gateway_accounts.add(context, WHO, wanted(stage, "till", method="card"))
    await told.new()
    before = await kept(stage)
    stage.later(5)

    async def change(version: int, merchant: UUID = stage.merchant, **typed: str) -> None:
        asked = AccountChange(merchant=merchant, account=made, version=version, typed=typed)
        await gateway_accounts.change(context, WHO, asked)

    await change(1, method="card")
    assert await refusal(change(2, method="declined")) == "stale"
    with pytest.raises(UnknownAccountError):
        await change(1, chandra, method="declined")
    assert (await kept(stage), await told.new()) == (before, [])
    await change(1, method="declined")
    after = await kept(stage)
    settings = unseal(context.vault, "mock", "till", after[made]["settings"])
    assert isinstance(settings, mock.Settings)
    assert settings.method == "declined"
    before[made] |= {
        "settings": after[made]["settings"], "version": 2, "changed_at": stage.clock.now(),
    }  # fmt: skip
    assert after == before
    assert await told.new() == [("gateway.changed", "mock/till", {"settings": ["method"]})]


async def test_an_account_is_disabled_and_enabled_once(stage: Stage) -> None:
    chandra = (await chandras_machine(stage)).merchant_id
    told, context, account = Told(stage), stage.context, stage.account.id
    before = await kept(stage)
    for enabled, action in ((True, None), (False, "disabled"), (False, None), (True, "enabled")):
        stage.later(1)
        await gateway_accounts.set_enabled(context, WHO, stage.merchant, account, enabled=enabled)
        if action is not None:
            now = stage.clock.now()
            before[account] |= {"disabled_at": None if enabled else now, "changed_at": now}
        after = await kept(stage)
        before[account]["version"] = after[account]["version"]
        assert after == before
        said = [(f"gateway.{action}", "mock/asha-mock", None)] if action else []
        assert await told.new() == said
    with pytest.raises(UnknownAccountError):
        await gateway_accounts.set_enabled(context, WHO, chandra, account, enabled=False)
    assert await kept(stage) == before


async def test_what_proved_webhooks_before_ends_at_once(stage: Stage) -> None:
    chandra = (await chandras_machine(stage)).merchant_id
    context, account = stage.context, stage.account.id
    until = stage.clock.now() + timedelta(seconds=60)
    former = (Former(setting="webhook_secrets", secret=Secret("old"), until=until),)
    sealed = seal_former(context.vault, "mock", "asha-mock", former)
    await stage.rows("UPDATE gateway_accounts SET former = $1 WHERE id = $2 RETURNING id",
                     sealed, account)  # fmt: skip
    shown = [await gateway_accounts.one(context, stage.merchant, account)]
    with pytest.raises(UnknownAccountError):
        await gateway_accounts.end_former(context, WHO, chandra, account)
    before = await kept(stage)
    assert unseal_former(context.vault, "mock", "asha-mock", before[account]["former"]) == former
    stage.later(1)
    for _ in range(2):
        await gateway_accounts.end_former(context, WHO, stage.merchant, account)
        shown.append(await gateway_accounts.one(context, stage.merchant, account))
        after = await kept(stage)
        before[account] |= {
            "former": None, "changed_at": shown[1].changed_at, "version": shown[1].version,
        }  # fmt: skip
        assert after == before
        stage.later(1)
    assert [one.former_until for one in shown] == [until, None, None]
    rows = await stage.rows("SELECT action, subject FROM audit_log")
    assert [tuple(one.values()) for one in rows] == [("gateway.former_ended", "mock/asha-mock")]
