"""The pepper, under which the digests of codes are kept, is rotated while orders are open."""

import asyncio
import base64
from collections.abc import Coroutine

import pytest

from coinslot.counter import codes
from coinslot.counter.staff import CounterError, Why
from coinslot.kit.secrets import Peppers, VaultKeyError
from tests.counter.stage import Counter

KEY = {name: base64.b64encode(name.encode() * 32).decode() for name in "ab"}
OLD, BOTH, NEW = f"a:{KEY['a']}", f"b:{KEY['b']}, a:{KEY['a']}", f"b:{KEY['b']}"


def named(counter: Counter, written: str) -> None:
    """The server was started again with this in its settings."""
    counter.stage.context.peppers = Peppers.parse(written)


async def kept(counter: Counter) -> dict[str, int | str]:
    (row,) = await counter.stage.rows(
        "SELECT code_digest, code_version, tries, wrong FROM counter_orders"
    )
    return row


async def refused(work: Coroutine[object, object, None]) -> tuple[Why, int]:
    with pytest.raises(CounterError) as error:
        await work
    return error.value.why, error.value.left


async def test_a_code_of_the_old_pepper_opens_for_as_long_as_that_is_named(
    counter: Counter,
) -> None:
    named(counter, OLD)
    order = await counter.ready()
    shown, before = await counter.code(order), await kept(counter)
    assert str(before["code_digest"]).startswith("a:")
    named(counter, BOTH)
    assert await refused(counter.complete(order, await counter.wrong_code(order))) == (
        Why.WRONG_CODE, codes.TRIES - 1,
    )  # fmt: skip
    assert (await kept(counter))["code_version"] == before["code_version"]
    await counter.complete(order, shown)
    assert await counter.ends(order) == [("picked_up", "code", None)]


async def test_new_codes_are_kept_under_the_pepper_that_is_named_first(counter: Counter) -> None:
    named(counter, BOTH)
    order = await counter.ready()
    assert str((await kept(counter))["code_digest"]).startswith("b:")
    named(counter, NEW)
    await counter.complete(order)
    assert await counter.ends(order) == [("picked_up", "code", None)]


async def test_once_the_old_pepper_is_gone_the_page_shows_a_new_code_and_its_tries_are_kept(
    counter: Counter,
) -> None:
    named(counter, OLD)
    order = await counter.ready()
    old, wrong = await counter.code(order), await counter.wrong_code(order)
    assert await refused(counter.complete(order, wrong)) == (Why.WRONG_CODE, codes.TRIES - 1)
    named(counter, NEW)
    assert await refused(counter.complete(order, old)) == (Why.WRONG_CODE, codes.TRIES - 2)
    row = await kept(counter)
    assert str(row["code_digest"]).startswith("b:")
    assert (row["tries"], row["wrong"]) == (2, 2)
    shown = (await counter.view(order)).code
    assert shown is not None
    assert shown != old
    await counter.complete(order, shown)


async def test_two_who_type_while_the_pepper_changes_hand_over_once(counter: Counter) -> None:
    named(counter, OLD)
    order = await counter.ready()
    shown = await counter.code(order)
    named(counter, BOTH)
    await asyncio.gather(*(counter.complete(order, shown) for _ in range(2)))
    assert await counter.ends(order) == [("picked_up", "code", None)]
    assert await counter.stage.value("SELECT count(*) FROM ledger WHERE why = 'handed_over'") == 2


@pytest.mark.parametrize(
    "written",
    ["", "a", f":{KEY['a']}", "a:", "a:short", f"a:{KEY['a'][:-4]}", f"{OLD},", f"a:{KEY['a']}!"],
)
def test_a_pepper_that_is_written_wrongly_is_refused(written: str) -> None:
    with pytest.raises(VaultKeyError):
        Peppers.parse(written)
