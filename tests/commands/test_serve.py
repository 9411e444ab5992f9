"""What `coinslot serve` says at its start to whoever has no account."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from coinslot.commands.serve import offer_first_account
from tests.people.conftest import Staffed
from tests.people.conftest import staffed as staffed
from tests.people.test_members import nobody_runs_it
from tests.sales.conftest import stage as stage


async def test_the_link_for_the_first_account_or_where_the_demos_people_are_is_said(
    staffed: Staffed, urls: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = SimpleNamespace(base_url="http://127.0.0.1:8000", data=tmp_path)
    server: Any = SimpleNamespace(context=staffed.stage.context, settings=told)
    await offer_first_account(server)
    assert capsys.readouterr().out == ""  # somebody runs it, and knows it
    (tmp_path / "demo.mark").touch()
    await offer_first_account(server)
    said = capsys.readouterr().out
    assert "the demo's installation" in said
    assert "coinslot serve --data" in said
    await nobody_runs_it(staffed, urls)
    await offer_first_account(server)
    assert "/console/first-run?token=" in capsys.readouterr().out
