"""The application that tests share remembers nothing of the test before."""

import asyncio

import pytest

from tests.kept_app import KeptApp, StandIn, lent_app, reached
from tests.people.conftest import Staffed
from tests.sales.stage import Stage
from tests.web.fake_backend import FakeBackend
from tests.web.serving import SITE


def memory(kept: KeptApp) -> dict[str, str]:
    """Everything that objects of ours have in the application, as text."""
    return {
        f"{type(one).__qualname__} {n} {name}": repr(value)
        for n, one in enumerate(reached(kept.app))
        for name, value in getattr(one, "__dict__", {}).items()
        if not isinstance(value, asyncio.Semaphore)
    }


def test_what_it_kept_in_memory_is_put_back(stage: Stage) -> None:
    kept = KeptApp(FakeBackend, False, SITE, {})
    kept.lend(FakeBackend(), stage.clock, stage.context)
    fresh = memory(kept)
    spoiled = 0
    for one in list(reached(kept.app)):
        for name, value in list(getattr(one, "__dict__", {}).items()):
            if isinstance(value, dict | set):
                (value.update({"a": 1}) if isinstance(value, dict) else value.add("a"))
                spoiled += 1
            elif value is None or isinstance(value, int | float):
                setattr(one, name, 77)
                spoiled += 1
            one.__dict__["left behind"] = 1
    assert spoiled > 10
    assert memory(kept) != fresh
    kept.lend(FakeBackend(), stage.clock, stage.context)
    assert memory(kept) == fresh


async def test_limits_count_from_nothing_for_each_test(staffed: Staffed) -> None:
    async def asked() -> bool:
        """Whether somebody was counted."""
        return await staffed.app.stores.get("seeking").exists("RateLimitMiddleware::127.0.0.1")

    async with staffed.client("127.0.0.1") as client:
        await client.get("/q/M01/help?code=K7F2")
    assert await asked()
    lent_app(staffed.stage)
    assert not await asked()


def test_nothing_is_read_and_kept_while_it_is_built() -> None:
    nobody = StandIn()
    with pytest.raises(AttributeError):
        _ = nobody.db
