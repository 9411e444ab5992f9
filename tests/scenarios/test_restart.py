"""Killed at any moment and started again at once, it finds everything as it was, and goes on."""

from pathlib import Path

import pytest

from tests.scenarios.running import DemoProcess, until


@pytest.mark.parametrize("how", ["itself", "group"])
def test_money_taken_before_a_kill_ends_in_goods_or_money_after_it(
    tmp_path: Path, how: str
) -> None:
    demo = DemoProcess(tmp_path / "data")
    try:
        demo.start()
        facts = demo.facts
        references = {code: demo.scan(code) for code in ("M01", "M02", "M03")}
        demo.kill() if how == "itself" else demo.kill_group()
        demo.start()
        assert demo.facts == facts

        def settled(code: str, reference: str) -> bool:
            goods = len(demo.dropped(code)) * 4000
            refunded: int = demo.paid(reference)["refunded"]
            return goods + refunded == 4000

        for code, reference in references.items():
            until(lambda c=code, r=reference: settled(c, r), 40)  # type: ignore[misc]
        until(lambda: all(demo.mirrored(r) for r in references.values()), 40)
        demo.assert_books_are_right()
        assert demo.stop() == 0
    finally:
        demo.stop()
