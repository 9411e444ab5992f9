"""One click signs in where the demo runs, and nowhere else."""

from pathlib import Path

import msgspec

import coinslot.commands
from coinslot.app.routes import build
from tests.console.conftest import a_browser
from tests.people.conftest import PASSWORD, Staffed
from tests.web.fake_backend import FakeBackend
from tests.web.serving import SITE


async def test_the_demos_page_signs_in_by_one_click_and_every_other_asks(staffed: Staffed) -> None:
    page = await a_browser(staffed).look("/console/sign-in")
    assert "Sign in as" not in page.text
    site = msgspec.structs.replace(SITE, demo_logins=(("boris", PASSWORD, "operator"),))
    staffed.app = build(FakeBackend(), site, staffed.stage.clock, staffed.stage.context)
    page = await a_browser(staffed).look("/console/sign-in")
    assert "Sign in as Boris" in page.text
    assert "Operator" in page.text


def test_no_command_but_the_demo_knows_these_logins() -> None:
    folder = Path(coinslot.commands.__file__).parent
    knowing = [one.name for one in folder.glob("*.py") if "demo_logins" in one.read_text()]
    assert knowing == ["demo.py"]
