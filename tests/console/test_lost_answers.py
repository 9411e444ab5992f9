"""The process dies at a commit of a click, the person presses again: what they asked for is done
once, and stands in the audit log once."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from functools import partial
from typing import NamedTuple

import pytest
from msgspec.structs import replace

from coinslot.kit.faults import no_fault
from tests.console.conftest import Browser, form, signed_in
from tests.console.test_orders import refund_fields, sold
from tests.people.conftest import Staffed
from tests.sales.test_around_a_commit import waiting_for_locks

Asked = tuple[str, dict[str, str]]  # where a form goes, and its fields


class DiedError(BaseException):
    """The process is gone: nothing in it catches this, and nothing it does later is committed."""


class Click(NamedTuple):
    """A form, what the audit log calls it, and what it makes (a statement that counts)."""

    asked: Callable[[Staffed, Browser], Awaitable[Asked]]
    action: str
    made: str


async def fields_of(browser: Browser, page: str, action: str, **typed: str) -> Asked:
    return action, form(await browser.look(page), action) | typed


async def refund(staffed: Staffed, browser: Browser) -> Asked:
    order = await sold(staffed)
    fields = await refund_fields(staffed, browser, order) | {"amount": "15"}
    return f"/console/orders/{order}/refund", fields


async def new_key(_staffed: Staffed, browser: Browser) -> Asked:
    typed = {"name": "shop", "scope": "payments:read", "days": "", "live": "no"}
    return await fields_of(browser, "/console/keys", "/console/keys", **typed)


async def new_product(_staffed: Staffed, browser: Browser) -> Asked:
    typed = {"sku": "TEA", "name": "Tea", "price": "20", "currency": "INR"}
    return await fields_of(browser, "/console/new-product", "/console/new-product", **typed)


async def invitation(_staffed: Staffed, browser: Browser) -> Asked:
    typed = {"address": "n@example.test", "role": "viewer"}
    return await fields_of(browser, "/console/people", "/console/people/invite", **typed)


async def of_slot(_staffed: Staffed, browser: Browser, verb: str, **typed: str) -> Asked:
    place = f"/console/machines/M01/slots/A1/{verb}"
    return await fields_of(browser, "/console/machines/M01", place, **typed)


async def new_secret(_staffed: Staffed, browser: Browser) -> Asked:
    place = "/console/machines/M01/provision"
    return await fields_of(browser, "/console/machines/M01", place, when="first_use")


CLICKS = {
    "a refund": Click(refund, "order.refunded", "SELECT count(*) FROM order_refunds"),
    "a key": Click(new_key, "api_key.made", "SELECT count(*) FROM api_keys WHERE name = 'shop'"),
    "a product": Click(
        new_product, "product.added", "SELECT count(*) FROM products WHERE sku = 'TEA'"
    ),
    "an invitation": Click(
        invitation, "invited", "SELECT count(*) FROM invitations"
    ),
    "a price": Click(
        partial(of_slot, verb="price", amount="44", codes="keep"), "machine.configured",
        "SELECT count(*) FROM slots WHERE slot = 'A1' AND price_minor = 4400",
    ),
    "a fill": Click(
        partial(of_slot, verb="refill", stock="7"), "slot.filled",
        "SELECT count(*) FROM slots WHERE slot = 'A1' AND stock = 7",
    ),
    "a secret": Click(
        new_secret, "device.provisioned", "SELECT count(next_secret) FROM devices"
    ),
}  # fmt: skip


class Death:
    """From the commit with this number on, nothing is committed: the process is dead."""

    def __init__(self, staffed: Staffed, last: int | None = None) -> None:
        self._db = staffed.stage.context.db
        self.last = last
        self.commits = 0

    def __enter__(self) -> "Death":
        self._db.reached = self._reached
        return self

    def __exit__(self, *_: object) -> None:
        self._db.reached = no_fault

    def _reached(self, point: str) -> None:
        if point == "before_commit" and self.commits == self.last:
            raise DiedError
        if point == "after_commit":
            self.commits += 1
            if self.commits == self.last:
                raise DiedError


async def pressed_and_died(browser: Browser, asked: Asked, death: Death) -> bool:
    """Whether it died before the answer."""
    with death:
        try:
            await browser.send(*asked)
        except DiedError:
            return True
    return False


@pytest.mark.parametrize("name", CLICKS)
async def test_who_presses_again_after_a_death_at_any_commit_has_it_done_once(
    staffed: Staffed, name: str
) -> None:
    click, context = CLICKS[name], staffed.stage.context
    context.windows = replace(context.windows, answer_s=1)
    asha = await signed_in(staffed, "asha")
    asked = await click.asked(staffed, asha)
    before = await staffed.stage.value(click.made)
    for last in range(1, 20):
        if not await pressed_and_died(asha, asked, Death(staffed, last)):
            break
        staffed.later(2)  # what the dead one had claimed is free again
    answer = await asha.send(*asked)
    assert answer.is_redirect, answer.text
    assert await staffed.stage.value(click.made) == before + 1
    assert len(await staffed.log(click.action)) == 1


async def test_who_presses_again_reads_that_it_was_done_and_that_a_secret_is_gone(
    staffed: Staffed,
) -> None:
    context = staffed.stage.context
    context.windows = replace(context.windows, answer_s=1)
    asha = await signed_in(staffed, "asha")
    asked = await new_key(staffed, asha)
    for last in range(1, 20):
        if not await pressed_and_died(asha, asked, Death(staffed, last)):
            break
        staffed.later(2)
    page = await asha.look((await asha.send(*asked)).headers["location"])
    assert "Your first click did this, and its answer was lost." in page.text
    assert not re.search(r"sk_test_[\w-]{20,}", page.text)


async def test_of_two_processes_that_work_one_form_at_once_one_does_it(staffed: Staffed) -> None:
    """The first stands still for longer than a call may run, so the second begins anew."""
    context = staffed.stage.context
    context.windows = replace(context.windows, answer_s=1)
    asha = await signed_in(staffed, "asha")
    asked = await new_key(staffed, asha)
    lock = "SELECT pg_advisory_xact_lock(hashtextextended('api_keys ' || $1::uuid::text, 0))"
    async with context.db.as_merchant(staffed.merchant) as conn:
        await conn.execute(lock, staffed.merchant)
        first = asyncio.create_task(asha.send(*asked))
        await waiting_for_locks(staffed.stage, 1)
        staffed.later(2)
        second = asyncio.create_task(asha.send(*asked))
        await waiting_for_locks(staffed.stage, 2)
    answers = await asyncio.gather(first, second)
    assert sorted(answer.status_code for answer in answers) == [200, 303]
    assert await staffed.stage.value(CLICKS["a key"].made) == 1
    assert len(await staffed.log("api_key.made")) == 1
