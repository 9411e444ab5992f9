"""Open boards: sent what changed, written once for all that show the same, and with nothing of
another session in it."""

import re
from contextlib import AsyncExitStack
from uuid import UUID

import asyncpg
import pytest

from coinslot.console.board_parts import Audience, Loaded, Part, SharedParts
from coinslot.counter import staff, walk_ins
from coinslot.counter.basket import Wish
from tests.console.conftest import Browser, signed_in
from tests.console.test_live import Stream, version
from tests.counter.stage import Counter
from tests.counter.test_board import shop
from tests.people.conftest import Staffed
from tests.people.conftest import staffed as staffed
from tests.sales.conftest import stage as stage
from tests.sales.stage import Stage

__all__ = ["shop"]
PATH = "/console/board/live"
_TOKENS = re.compile(r'name="form_token" value="([^"]+)"')
_KEYS = re.compile(r'name="key" value="([^"]+)"')


def open_board(staffed: Staffed, browser: Browser, query: str = "") -> Stream:
    return Stream(staffed, browser, query, path=PATH)


async def parts_of(stream: Stream) -> str:
    """The next event that has parts: one without comes where something happened that the page does
    not show."""
    while True:
        text = await event_of(stream)
        if "data-live" in text:
            return text


async def event_of(stream: Stream) -> str:
    text = await stream.until("event: parts")
    while not text.endswith("\n\n"):
        text += await stream.until("\n\n")
    return text


def number(event: str) -> int:
    """Of the version that an event brings a page to."""
    return int(version(event).rpartition(".")[2])


async def test_an_open_board_is_sent_what_changed_and_nothing_else(
    staffed: Staffed, shop: Counter
) -> None:
    async with open_board(staffed, await signed_in(staffed, "lena")).open() as stream:
        whole = await parts_of(stream)
        for part in ("board-PLACED", "board-READY", "board-ended", "menu-of-S01"):
            assert f'id="{part}"' in whole
        order = await shop.paid(name="Noor")
        placed = await parts_of(stream)
        assert "Noor" in placed
        assert re.findall(r'<(?:section|div)[^>]* id="([^"]+)" data-live', placed) == [
            "board-PLACED"
        ]
        await staff.accept(shop.stage.context, shop.who, order)
        moved = await parts_of(stream)
        assert re.findall(r' id="(board-[A-Z]+)" data-live', moved) == [
            "board-PLACED", "board-PREPARING",
        ]  # fmt: skip


async def test_forms_of_a_part_are_those_of_the_session_that_is_sent_it(
    staffed: Staffed, shop: Counter
) -> None:
    order = await shop.paid()
    lena, boris = await signed_in(staffed, "lena"), await signed_in(staffed, "boris")
    seen: dict[str, tuple[set[str], list[str]]] = {}
    async with AsyncExitStack() as stack:
        for name, browser in (("lena", lena), ("boris", boris), ("boris again", boris)):
            stream = await stack.enter_async_context(open_board(staffed, browser).open())
            text = await parts_of(stream)
            seen[name] = set(_TOKENS.findall(text)), _KEYS.findall(text)
    page = await boris.look("/console/board")
    assert seen["boris"][0] == seen["boris again"][0] == set(_TOKENS.findall(page.text))
    assert len(seen["lena"][0]) == 1
    assert seen["lena"][0] != seen["boris"][0]
    keys = [key for _, found in seen.values() for key in found]
    assert len(keys) == len(set(keys))  # no form of one page is taken for one of another
    form = {"key": seen["lena"][1][0], "form_token": next(iter(seen["lena"][0]))}
    answer = await lena.send(f"/console/board/{order}/accept", form, {"accept": "text/html"})
    assert answer.status_code == 303
    assert (await shop.ends(order))[0][0] == "in_preparation"


async def test_staff_are_sent_their_own_outlets_alone(staffed: Staffed, shop: Counter) -> None:
    ravi, lena = await signed_in(staffed, "ravi"), await signed_in(staffed, "lena")
    async with (
        open_board(staffed, ravi).open() as elsewhere, open_board(staffed, lena).open() as here
    ):  # fmt: skip
        assert "menu-of-S01" not in await parts_of(elsewhere)
        await parts_of(here)
        await shop.paid(name="Noor")
        came = await parts_of(here)
        assert "Noor" in came
        while True:
            event = await event_of(elsewhere)
            assert "Noor" not in event
            if number(event) >= number(came):
                break


async def test_a_kitchen_is_sent_what_its_station_makes(staffed: Staffed, shop: Counter) -> None:
    await shop.stage.rows(
        "UPDATE counter_items SET station = section WHERE outlet_id = 'S01' RETURNING id"
    )
    lena = await signed_in(staffed, "lena")
    page = await lena.look("/console/board/kitchen?station=Drinks&lang=ru")
    (path,) = re.findall(r'data-stream="([^"]+)"', page.text)
    assert path.startswith(PATH)
    query = path.partition("?")[2].replace("&amp;", "&")
    async with open_board(staffed, lena, query).open() as stream:
        assert "Пусто" in await parts_of(stream)  # its page's language
        await walk_ins.enter(
            shop.stage.context, shop.who, "S01", [Wish(sku="tea"), Wish(sku="cake")], "Ana"
        )
        text = await parts_of(stream)
        assert "Tea" in text
        assert "Carrot cake" not in text


async def test_a_board_that_knows_the_newest_version_is_sent_nothing(
    staffed: Staffed, shop: Counter
) -> None:
    lena = await signed_in(staffed, "lena")
    async with open_board(staffed, lena).open() as first:
        newest = version(await parts_of(first))
        async with open_board(staffed, lena, f"seen={newest}").open() as second:
            await second.until(": here")
            await shop.paid(name="Noor")
            while "Noor" not in await parts_of(second):  # its pieces may be taken a moment earlier
                pass


AUDIENCE = Audience(merchant=UUID(int=1), outlets=None, language=("en", None), may=True)


async def test_a_version_is_written_once_for_all_who_wait_for_it(stage: Stage) -> None:
    shared, made = SharedParts(stage.context), []

    async def make() -> Loaded:
        made.append(1)
        return Loaded(parts=(Part("a", str(len(made)), "text"),))

    with shared.watched(AUDIENCE), shared.watched(AUDIENCE):
        for _ in range(200):
            assert (await shared.at(AUDIENCE, "1", make))["a"].live == "1"
        assert (await shared.at(AUDIENCE, "2", make))["a"].live == "2"
        assert len(made) == 2
    assert not shared.kept  # nobody has it open any more


async def test_what_could_not_be_read_is_read_again_for_whoever_asks_next(stage: Stage) -> None:
    shared, answers = SharedParts(stage.context), [asyncpg.PostgresError("away"), None]

    async def make() -> Loaded:
        said = answers.pop(0)
        if said is not None:
            raise said
        return Loaded(parts=())

    with shared.watched(AUDIENCE):
        with pytest.raises(asyncpg.PostgresError):
            await shared.at(AUDIENCE, "1", make)
        assert await shared.at(AUDIENCE, "1", make) == {}
