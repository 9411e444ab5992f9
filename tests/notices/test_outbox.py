"""Sending: at least once, with the same key each time, bounded, and what failed is seen."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from coinslot.app.notifying import notifiers
from coinslot.db import due
from coinslot.db.due import Due, Want
from coinslot.events.notices.send import PAUSES_S, send_due
from coinslot.kit.clock import SystemClock
from coinslot.people.outbox import EMAIL, Letter, post
from coinslot.settings import SettingsError, read
from coinslot.worker import sweep
from coinslot.worker.prune import prune
from tests.notices.rigs import SmtpRig
from tests.notices.telling import PACE, Told, telling
from tests.people.conftest import Staffed
from tests.people.conftest import staffed as staffed
from tests.sales.conftest import stage as stage


@pytest.fixture
async def told(staffed: Staffed) -> Told:
    return await telling(staffed)


async def queued(told: Told, to: str, **more: Any) -> None:
    person = told.staffed.people["asha"]
    letter = Letter(
        purpose="test", channel=EMAIL, target=to, dedup=f"test.{to}", subject="Hello",
        body="Hello", person=person, **more,
    )  # fmt: skip
    async with told.context.db.as_person(person) as conn:
        await post(conn, letter, told.context.now())


async def state(told: Told) -> dict[str, Any]:
    (row,) = await told.rows("SELECT outcome, tries, failure, due_at, leased_until FROM notices")
    return row


async def tried(told: Told) -> None:
    await sweep.sweep_once(told.context, "notices", PACE)


async def test_the_same_notice_is_written_once(told: Told) -> None:
    await queued(told, "a@shop.example")
    await queued(told, "a@shop.example")
    assert (await state(told))["tries"] == 0
    await told.round()
    assert len(told.mock.sent) == 1
    assert (await state(told))["outcome"] == "sent"


async def test_a_lost_answer_is_sent_again_under_the_same_key(told: Told) -> None:
    await queued(told, "phone02@shop.example")  # sent, and no answer comes
    await tried(told)
    assert (await state(told))["outcome"] is None
    told.staffed.later(PAUSES_S[0])
    await tried(told)
    assert len(told.mock.sent) == 2
    assert len({box.notice.key for box in told.mock.sent}) == 1


async def test_a_busy_server_is_tried_with_pauses_and_given_up_in_the_end(told: Told) -> None:
    await queued(told, "phone04@shop.example")
    for _ in range(len(PAUSES_S) + 5):
        await tried(told)
        told.staffed.later(max(PAUSES_S))
    found = await state(told)
    assert (found["outcome"], found["failure"]) == ("given_up", "later")
    assert found["tries"] <= len(PAUSES_S) + 1


async def test_a_refused_address_is_not_tried_again(told: Told) -> None:
    await queued(told, "phone01@shop.example")
    await tried(told)
    found = await state(told)
    assert (found["outcome"], found["tries"]) == ("given_up", 1)
    assert found["failure"] == "this phone takes nothing"


class DiedError(Exception):
    """Stands for kill -9: what comes after it is not run."""


@pytest.mark.parametrize(("point", "sent"), [("before_send", 1), ("after_send", 2)])
async def test_a_worker_that_dies_around_the_call_loses_nothing(
    told: Told, point: str, sent: int
) -> None:
    await queued(told, "a@shop.example")
    db = told.context.db

    def dies(reached: str) -> None:
        if reached == point:
            raise DiedError

    db.reached = dies
    claimed = await due.claim(db, Due("notices", lane="channel"), _want(told, 0.05))
    with pytest.raises(DiedError):
        await send_due(told.context, claimed[0].row)
    db.reached = lambda _: None
    await _until_free(told)
    await tried(told)
    assert len(told.mock.sent) == sent
    assert len({box.notice.key for box in told.mock.sent}) == 1  # a mailbox shows it once
    assert (await state(told))["outcome"] == "sent"


async def test_who_lost_the_lease_writes_no_end(told: Told) -> None:
    await queued(told, "phone01@shop.example")
    (slow,) = await due.claim(told.context.db, Due("notices", lane="channel"), _want(told, 0.05))
    await _until_free(told)
    (quick,) = await due.claim(told.context.db, Due("notices", lane="channel"), _want(told, 20))
    await send_due(told.context, slow.row)
    assert (await state(told))["outcome"] is None
    await send_due(told.context, quick.row)
    assert (await state(told))["outcome"] == "given_up"


def _want(told: Told, lease_s: float) -> Want:
    return Want(limit=5, lease=timedelta(seconds=lease_s), now=told.context.now())


async def _until_free(told: Told) -> None:
    await told.rows(
        "SELECT pg_sleep(greatest(0, extract(epoch FROM max(leased_until) - clock_timestamp())"
        " + 0.01)::float8) FROM notices"
    )


async def test_what_ended_is_forgotten_after_its_window_and_what_waits_is_not(told: Told) -> None:
    await queued(told, "a@shop.example")
    await tried(told)
    await queued(told, "phone04@shop.example", due_at=told.context.now() + timedelta(days=60))
    told.staffed.later(31 * 86400)
    assert await prune(told.context, "notices") == 1
    assert (await state(told))["outcome"] is None


async def test_a_notice_costs_less_than_a_kilobyte(told: Told) -> None:
    await told.heard("M01")
    await told.pass_(1200, step=300)
    rows = await told.rows("SELECT pg_column_size(n.*) AS size FROM notices n")
    assert rows
    assert max(row["size"] for row in rows) < 1024


async def test_a_mail_leaves_through_the_server_of_the_settings(
    told: Told, post: SmtpRig, tmp_path: Path
) -> None:
    wanted = {
        "COINSLOT_SMTP_URL": f"smtp://cafe:smtp-password@127.0.0.1:{post.settings.port}",
        "COINSLOT_SMTP_FROM": "Machines of Asha <cafe@shop.example>",
    }
    told.context.notifiers = notifiers(read(wanted), SystemClock())
    await queued(told, post.to, link="https://coinslot.example/console/inbox")
    await tried(told)  # the server's certificate is its own, and not trusted yet
    assert (await state(told))["outcome"] is None
    assert post.mails() == []
    trusted = tmp_path / "server.pem"
    trusted.write_text(post.settings.trusted)
    wanted["COINSLOT_SMTP_CA_FILE"] = str(trusted)
    told.context.notifiers = notifiers(read(wanted), SystemClock())
    told.staffed.later(PAUSES_S[0])
    await tried(told)
    (mail,) = post.mails()
    assert (mail["subject"], mail["from"]) == ("Hello", "cafe@shop.example")
    assert "https://coinslot.example/console/inbox" in mail["text"]
    assert "/console/notices" in mail["text"]  # how to hear less


@pytest.mark.parametrize("url", ["mail.example", "http://mail.example", "smtp://", "smtp://x:y"])
def test_an_address_of_no_mail_server_stops_the_start(url: str) -> None:
    with pytest.raises(SettingsError, match="COINSLOT_SMTP_URL"):
        read({"COINSLOT_SMTP_URL": url, "COINSLOT_SMTP_FROM": "a@shop.example"})


@pytest.mark.parametrize("sender", ["", "nobody", "a b@shop.example"])
def test_a_mail_server_needs_a_sender(sender: str) -> None:
    with pytest.raises(SettingsError, match="COINSLOT_SMTP_FROM"):
        read({"COINSLOT_SMTP_URL": "smtp://mail.example", "COINSLOT_SMTP_FROM": sender})
