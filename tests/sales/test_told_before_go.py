"""A machine, or whoever has its secret, tells the end of a unit before it was told to begin."""

import pytest

from tests.sales.stage import Stage


@pytest.mark.parametrize("told", [("VENDED", "yes"), ("FAILED", "no")])
async def test_a_line_from_before_go_proves_nothing_when_it_is_sent_again(
    stage: Stage, told: tuple[str, str]
) -> None:
    await stage.hello()
    await stage.sell()
    await stage.sweep("fulfillments")
    await stage.result(*told, event_seq=1)
    stage.later(1)
    await stage.accept()
    stage.later(1)
    await stage.result(*told, event_seq=1)
    assert await stage.value("SELECT settlement FROM fulfillments") is None
    assert (await stage.audit()).ok
    await stage.result(event_seq=2)
    assert await stage.value("SELECT basis FROM fulfillments") == "vended"
