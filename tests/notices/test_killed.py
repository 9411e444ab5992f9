"""A process that is killed while it tells people loses nothing, and tells nobody of two things: a
mail that is sent again has the name of the first, by which a mailbox shows it once."""

import asyncio
import subprocess
from collections import Counter
from collections.abc import AsyncIterator
from email import message_from_bytes
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from coinslot.notices.base import Form
from tests.conftest import DatabaseUrls
from tests.notices.telling import Told, telling
from tests.notices.victim import mailer
from tests.people.conftest import Staffed
from tests.people.conftest import staffed as staffed
from tests.ports import free_port
from tests.sales.conftest import stage as stage
from tests.sales.stage import START
from tests.warm import PYTHONPATH, Program

SILENT_S, GATHERED_S = 301, 61


class Mailbox:
    """Everybody's: to whom which mail came, by its Message-ID."""

    def __init__(self) -> None:
        self.mails: list[tuple[str, str]] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        mail = message_from_bytes(envelope.content)
        self.mails += [(to.partition("@")[0], mail["Message-ID"]) for to in envelope.rcpt_tos]
        return "250 OK"


@pytest.fixture
async def post() -> AsyncIterator[tuple[Mailbox, int]]:
    box, port = Mailbox(), free_port()
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    yield box, port
    controller.stop()


async def killed(urls: DatabaseUrls, port: int, passed_s: float, fault: str) -> int:
    words = ["tests.notices.victim", urls.app, urls.door, str(port), str(passed_s), fault]
    victim = Program(words, {"PYTHONPATH": PYTHONPATH}, stdout=subprocess.DEVNULL)
    return await asyncio.to_thread(victim.wait)


@pytest.mark.parametrize(
    ("fault", "sent_before"),
    [
        ("die:after_claim:1", 0),  # it has looked
        ("die:after_claim:2", 0),  # planned: two mails wait
        ("die:after_claim:3", 0),  # and one is claimed
        ("die:before_send:1", 0),
        ("die:after_send:1", 1),  # the server has it, and nobody here knows
        ("die:after_send:2", 2),
    ],
)
async def test_who_is_told_is_told_once_whenever_the_process_is_killed(
    staffed: Staffed, urls: DatabaseUrls, post: tuple[Mailbox, int], fault: str, sent_before: int
) -> None:
    told, (box, port) = await telling(staffed), post
    await told.heard("M01")
    staffed.later(SILENT_S)
    await told.round()  # it is silent: what comes within a minute is one notice
    staffed.later(GATHERED_S)
    passed_s = (staffed.stage.clock.now() - START).total_seconds()
    assert await killed(urls, port, passed_s, fault) == -9
    assert len(box.mails) >= sent_before  # both may be under way
    await leases_end(told)
    told.context.notifiers = {Form.EMAIL: mailer(port, staffed.stage.clock)}
    staffed.later(60)
    await told.round()
    await told.round()
    assert sorted({to for to, _ in box.mails}) == ["asha", "boris"]
    assert len(set(box.mails)) == 2, "each mail has one name, however often it is sent"
    assert max(Counter(box.mails).values()) == (2 if sent_before else 1)
    assert {row["outcome"] for row in await told.rows("SELECT outcome FROM notices")} == {"sent"}


async def leases_end(told: Told) -> None:
    async with told.context.db.system_transaction() as conn:
        await conn.execute("UPDATE notices SET leased_until = now() WHERE leased_until > now()")
