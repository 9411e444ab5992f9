"""A counter moves to another gateway once nothing is open, and back."""

from uuid import UUID

import pytest
from msgspec.structs import replace

from coinslot.counter import gateway_move, staff
from coinslot.counter.gateway_move import NotReadyError, Readiness
from coinslot.merchants.accounts import Account, settings_context
from coinslot.payments import ways_to_pay
from coinslot.people.audit_log import COMMAND_LINE
from tests.console.conftest import signed_in
from tests.counter.stage import Counter
from tests.people.conftest import with_people

OTHER = UUID(int=77)


class BothAccounts:
    """Practice, and the one to move to."""

    def __init__(self, *accounts: Account) -> None:
        self._accounts = {one.id: one for one in accounts}

    async def by_id(self, account: UUID) -> Account:
        return self._accounts[account]


async def with_two(counter: Counter) -> None:
    stage = counter.stage
    names = [
        row["attname"] for row in await stage.rows(
            "SELECT attname FROM pg_attribute WHERE attrelid = 'gateway_accounts'::regclass"
            " AND attnum > 0 AND NOT attisdropped AND attname NOT IN ('id', 'slug')"
        )
    ]  # fmt: skip
    assert stage.owner is not None
    await stage.owner.execute(
        f"INSERT INTO gateway_accounts (id, slug, {', '.join(names)}) SELECT $1, 'second',"
        f" {', '.join(names)} FROM gateway_accounts WHERE id = $2", OTHER, stage.account.id,
    )  # fmt: skip
    row = (await stage.rows("SELECT slug, settings FROM gateway_accounts WHERE id = $1", OTHER))[0]
    first = settings_context("mock", stage.account.slug)
    plain = stage.context.vault.open(row["settings"], first)
    sealed = stage.context.vault.seal(plain, settings_context("mock", "second"))
    await stage.owner.execute(
        "UPDATE gateway_accounts SET settings = $2 WHERE id = $1", OTHER, sealed
    )
    second = replace(stage.account, id=OTHER, slug="second")
    stage.context.accounts = BothAccounts(stage.account, second)  # type: ignore[assignment]


async def ready(counter: Counter) -> Readiness:
    stage = counter.stage
    found = await gateway_move.readiness(stage.context, stage.merchant, "S01")
    assert found is not None
    return found


async def move(counter: Counter, account: UUID) -> None:
    stage = counter.stage
    await gateway_move.move(stage.context, COMMAND_LINE, stage.merchant, "S01", account)


async def ways(counter: Counter) -> list[str]:
    return await ways_to_pay.listed(counter.stage.context, counter.stage.merchant, "S01")


async def test_a_counter_moves_to_another_account_and_back(counter: Counter) -> None:
    await with_two(counter)
    before = await ways(counter)
    found = await ready(counter)
    assert ([one.id for one in found.may], found.may_move) == ([OTHER], True)
    await move(counter, OTHER)
    assert await ways(counter) == ["mock/second:link"]
    assert (
        await counter.stage.value("SELECT count(*) FROM audit_log WHERE action = 'store.gateway'")
        == 1
    )
    await move(counter, counter.stage.account.id)
    assert await ways(counter) == before


async def test_it_does_not_move_while_an_order_is_open(counter: Counter) -> None:
    await with_two(counter)
    order = await counter.paid()
    before = await ways(counter)
    assert ((await ready(counter)).open_orders, (await ready(counter)).may_move) == (1, False)
    with pytest.raises(NotReadyError, match="open_orders"):
        await move(counter, OTHER)
    assert await ways(counter) == before
    await staff.accept(counter.stage.context, counter.who, order)
    await staff.ready(counter.stage.context, counter.who, order)
    await counter.complete(order)
    await move(counter, OTHER)


async def test_an_item_without_a_price_and_an_unknown_account_hold_it_back(
    counter: Counter,
) -> None:
    await with_two(counter)
    with pytest.raises(NotReadyError, match="account"):
        await move(counter, UUID(int=5))
    await counter.stage.rows(
        "UPDATE counter_items SET price_minor = 0 WHERE price_minor = 250 RETURNING id"
    )
    assert not (await ready(counter)).is_priced
    with pytest.raises(NotReadyError, match="menu"):
        await move(counter, OTHER)


async def test_the_page_says_what_is_missing_and_moves_by_one_button(counter: Counter) -> None:
    await with_two(counter)
    staffed = await with_people(counter.stage)
    counter.stage.context.accounts = staffed.stage.context.accounts
    asha = await signed_in(staffed, "asha")
    order = await counter.paid()
    page = await asha.look("/console/menu/S01/gateway")
    assert "open ones: 1" in page.text
    assert '<button class="go" disabled>' in page.text
    await staff.reject(counter.stage.context, counter.who, order, "No milk")
    await counter.stage.sweep()
    page = await asha.look("/console/menu/S01/gateway")
    done = await asha.press(page, "/console/menu/S01/gateway", {"account": str(OTHER)})
    assert done.status_code == 303
    assert await ways(counter) == ["mock/second:link"]
    chandra = await signed_in(staffed, "chandra")
    assert (await chandra.look("/console/menu/S01/gateway")).status_code == 404
