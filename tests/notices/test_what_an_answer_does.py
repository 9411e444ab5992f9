"""What each answer of a service does to a notice and to the browser it was for: all columns, beside
another notice and another browser that stay; and all that the service is given."""

from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from typing import Any, ClassVar
from uuid import UUID

import pytest
from msgspec import Struct

from coinslot.db.pool import Database
from coinslot.events.notices.send import PAUSES_S, send_due
from coinslot.notices.base import Cause, Form, Notice, Powers, Refused, Sent, Stage, Unclear
from coinslot.people.outbox import seal
from tests.conftest import DatabaseUrls
from tests.sales.by_hand import Rows
from tests.sales.stage import START, set_stage

NOTICE, OTHER, BROWSER, BESIDE, BORIS = (UUID(int=n) for n in range(1, 6))
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
LONG = "x" * 301
GONE = {"ended_at": START, "ended_because": "gone"}


class Carrier:
    """Gives one answer, and keeps what it was given."""

    name: ClassVar[str] = "carrier"
    powers: ClassVar[Mapping[Form, Powers]] = {}

    def __init__(self) -> None:
        self.answer: Sent | Refused | Unclear = Sent(reference="r", stage=Stage.SENT)
        self.given: list[tuple[Form, Notice]] = []

    async def send(self, form: Form, notice: Notice) -> Sent | Refused | Unclear:
        self.given.append((form, notice))
        return self.answer

    async def close(self) -> None:
        pass


class Office(Struct):
    """Two notices, and two browsers of Boris, who runs machines of Asha's."""

    rows: Rows
    context: Any
    merchant: UUID
    mail: Carrier
    push: Carrier

    async def put(self, **given: Any) -> None:
        usual: dict[str, Any] = {
            "id": NOTICE, "merchant_id": self.merchant, "person_id": BORIS, "lease": 2,
            "purpose": "machine_silent", "channel": "email", "target": "boris@shop.example",
            "dedup": "a", "permission": "machines:read", "subject": "M01 is silent", "body": "Look",
            "link": "https://x/M01", "created_at": START, "expires_at": START + DAY,
            "due_at": START, "leased_until": START + DAY,
        }  # fmt: skip
        await self.rows.conn.execute("DELETE FROM notices; DELETE FROM push_subscriptions")
        await self.rows.put("notices", **(usual | {"id": OTHER, "dedup": "b"}))
        await self.rows.put("notices", **(usual | given))
        for browser in (BROWSER, BESIDE):
            await self.rows.put(
                "push_subscriptions", id=browser, person_id=BORIS, person_version=1, auth="auth",
                endpoint=f"https://push.example/{browser.int}", p256dh="key", created_at=START,
            )  # fmt: skip
        self.mail.given.clear()
        self.push.given.clear()

    async def sent(self, **given: Any) -> dict[str, Any]:
        """What one try changed of the notice, and of browsers."""
        await self.put(**given)
        return await self.once()

    async def once(self, **stale: Any) -> dict[str, Any]:
        row = await self.rows.conn.fetchrow("SELECT * FROM notices WHERE id = $1", NOTICE)
        found: Any = {**dict(row or {}), **stale}
        tables = ("notices", "push_subscriptions", "people", "sessions")
        done = await self.rows.changes(send_due(self.context, found), *tables)
        changed = done.pop("notices", {})
        assert set(changed) <= {NOTICE}, "the other notice stays"
        browsers = done.pop("push_subscriptions", {})
        assert set(browsers) <= {BROWSER}, "the other browser stays"
        assert done == {}
        return {**changed.get(NOTICE, {}), **({"browser": browsers[BROWSER]} if browsers else {})}


@pytest.fixture
async def office(database: Database, urls: DatabaseUrls) -> AsyncIterator[Office]:
    stage = await set_stage(database)
    rows = await Rows.open(urls.superuser)
    await rows.put("people", id=BORIS, login="boris", version=1)
    await rows.put("memberships", person_id=BORIS, merchant_id=stage.merchant, role="operator")
    mail, push = Carrier(), Carrier()
    stage.context.notifiers = {Form.EMAIL: mail, Form.PUSH: push}
    yield Office(rows, stage.context, stage.merchant, mail, push)
    await rows.conn.close()


def ended(outcome: str, failure: str | None = None, tries: int = 1, **more: Any) -> dict[str, Any]:
    found = {"outcome": outcome, "ended_at": START, "due_at": None, "leased_until": None, **more}
    return found | ({"failure": failure} if failure else {}) | ({"tries": tries} if tries else {})


def again(failure: str, tries: int = 1, pause_s: float = PAUSES_S[0]) -> dict[str, Any]:
    return {"failure": failure, "tries": tries, "due_at": START + pause_s * SECOND,
            "leased_until": None}  # fmt: skip


def refused(cause: Cause) -> Refused:
    return Refused(cause=cause, reason=f"no: {cause}", code="7")


ANSWERS: list[tuple[Sent | Refused | Unclear, dict[str, Any], bool]] = [
    (Sent(reference="r", stage=Stage.QUEUED), ended("sent"), False),
    (Sent(reference="r", stage=Stage.DELIVERED), ended("sent"), False),
    (refused(Cause.RECIPIENT), ended("given_up", "no: recipient"), True),
    (refused(Cause.OPTED_OUT), ended("given_up", "no: opted_out"), False),
    (refused(Cause.CONTENT), ended("given_up", "no: content"), False),
    (refused(Cause.ACCOUNT), again("no: account"), False),
    (refused(Cause.BUSY), again("no: busy"), False),
    (refused(Cause.UNREACHED), again("no: unreached"), False),
    (Unclear("time-out"), again("time-out"), False),
    (Unclear(LONG), again(LONG[:300]), False),
    (Refused(cause=Cause.CONTENT, reason=LONG), ended("given_up", LONG[:300]), False),
]


async def test_each_answer_to_a_mail_or_a_push_ends_it_or_puts_it_off(office: Office) -> None:
    assert {one.cause for one, *_ in ANSWERS if isinstance(one, Refused)} == set(Cause)
    for answer, changed, gone in ANSWERS:
        office.mail.answer = office.push.answer = answer
        assert await office.sent() == changed, answer
        pushed = await office.sent(channel="push push.example", target=str(BROWSER))
        assert pushed == changed | ({"browser": GONE} if gone else {}), answer


async def test_it_is_tried_after_each_pause_and_given_up_behind_the_last(office: Office) -> None:
    assert PAUSES_S == (30, 120, 600, 1800, 3600, 7200, 14400, 28800)
    office.mail.answer = Unclear("time-out")
    for tries, pause_s in enumerate(PAUSES_S):
        assert await office.sent(tries=tries) == again("time-out", tries + 1, pause_s)
    assert await office.sent(tries=8) == ended("given_up", "time-out", 9)
    # Where nobody sends mail in this process, another may: it is the same.
    del office.context.notifiers[Form.EMAIL]
    assert await office.sent(tries=7) == again("this process sends no email", 8, 28800)
    assert await office.sent(tries=8) == ended("given_up", "this process sends no email", 9)
    del office.context.notifiers[Form.PUSH]
    assert await office.sent(channel="push x") == again("this process sends no push")


@pytest.mark.parametrize("answer", [answer for answer, *_ in ANSWERS[:8]])
async def test_only_who_holds_its_lease_writes_how_it_ended(office: Office, answer: Any) -> None:
    office.mail.answer = answer
    await office.put()
    assert await office.once(lease=1) == {}
    await office.put(outcome="withdrawn", ended_at=START, due_at=None)
    assert await office.once() == {}


async def test_what_waited_for_too_long_is_given_up_with_why_it_waited(office: Office) -> None:
    late = ended("given_up", "it waited for too long", 0)
    assert await office.sent(expires_at=START) == late
    del office.context.notifiers[Form.PUSH]
    assert await office.sent(expires_at=START, channel="push x") == late
    told = await office.sent(expires_at=START, failure="busy", tries=3)
    assert told == ended("given_up", tries=0)
    assert office.mail.given == []
    assert await office.sent(expires_at=START + timedelta(microseconds=1)) == ended("sent")


@pytest.mark.parametrize(
    ("person", "membership", "permission", "hears"),
    [
        ({}, {}, "machines:read", True), ({}, {}, "", True),
        ({}, {}, "machines:read machines:write", True),
        ({}, {}, "machines:read people:write", False), ({}, {}, "people:write", False),
        ({}, {"role": "viewer"}, "machines:write", False),
        ({}, {"role": "viewer"}, "machines:read", True),
        ({}, {"ended_at": START}, "machines:read", False), ({}, {"ended_at": START}, "", False),
        ({"disabled_at": START}, {}, "machines:read", False),
        ({"disabled_at": START}, {}, "", False),
    ],
)  # fmt: skip
async def test_who_may_not_hear_of_it_any_more_is_not_told(
    office: Office, person: dict[str, Any], membership: dict[str, Any], permission: str, hears: bool
) -> None:
    for table, given in (("people", person), ("memberships", membership)):
        for column, value in given.items():
            await office.rows.conn.execute(f"UPDATE {table} SET {column} = $1", value)
    end = ended("sent") if hears else ended("withdrawn", tries=0)
    assert await office.sent(permission=permission) == end
    assert len(office.mail.given) == hears
    pushed = await office.sent(
        permission=permission, channel="push push.example", target=str(BROWSER)
    )
    assert pushed == end
    assert len(office.push.given) == hears
    # What concerns nobody of a merchant asks for no role.
    assert await office.sent(permission="people:write", merchant_id=None) == ended("sent")
    assert await office.sent(permission="people:write", person_id=None) == ended("sent")


async def test_a_browser_that_shows_nothing_any_more_is_not_told(office: Office) -> None:
    push: dict[str, Any] = {"channel": "push push.example", "target": str(BROWSER)}
    withdrawn = ended("withdrawn", tries=0)
    assert await office.sent(**push | {"target": str(UUID(int=99))}) == withdrawn
    for change in ("person_version = 2", "ended_at = now(), ended_because = 'gone'"):
        await office.put(**push)
        await office.rows.conn.execute(
            f"UPDATE push_subscriptions SET {change} WHERE id = $1", BROWSER
        )
        assert await office.once() == withdrawn, change
    assert office.push.given == []


async def test_a_mail_and_a_push_carry_these_words(office: Office) -> None:
    ((form, mail),), ((push_form, pushed),) = await _twice(office)
    assert (form, push_form) == (Form.EMAIL, Form.PUSH)
    foot = f"Какие уведомления приходят и когда: {office.context.public_url}/console/notices"
    assert mail == Notice(
        key=NOTICE.hex, to="boris@shop.example", text=f"Look\n\nhttps://x/M01\n\n-- \n{foot}\n",
        subject="M01 is silent", language="ru", link="https://x/M01", valid_s=3600,
    )  # fmt: skip
    assert pushed == Notice(
        key=NOTICE.hex, to="https://push.example/3 key auth", text="Look", subject="M01 is silent",
        language="en", link="https://x/M01", valid_s=61,
    )  # fmt: skip


async def _twice(office: Office) -> tuple[list[tuple[Form, Notice]], list[tuple[Form, Notice]]]:
    await office.sent(expires_at=START + 3600 * SECOND, language="ru")
    mails = list(office.mail.given)
    await office.sent(expires_at=START + 61 * SECOND, channel="push x", target=str(BROWSER))
    return mails, list(office.push.given)


@pytest.mark.parametrize(
    ("left_s", "valid_s"), [(59, 60), (60, 60), (61, 61), (61.9, 61), (86400, 86400)]
)
async def test_it_is_worth_delivering_for_what_is_left_and_a_minute_at_least(
    office: Office, left_s: float, valid_s: int
) -> None:
    await office.sent(expires_at=START + left_s * SECOND)
    ((_, mail),) = office.mail.given
    assert mail.valid_s == valid_s


async def test_how_to_hear_less_is_said_to_people_and_not_below_a_secret(office: Office) -> None:
    texts = []
    sealed = seal(office.context.vault, NOTICE, "Your link: https://x/secret")
    for given in ({"person_id": None}, {"link": "", "person_id": None}, {"sealed": sealed}):
        done = await office.sent(**given)
        assert done == ended("sent") | ({"sealed": None} if "sealed" in given else {})
        ((_, mail),) = office.mail.given
        texts.append(mail.text)
    assert texts == [
        "Look\n\nhttps://x/M01\n", "Look\n", "Your link: https://x/secret\n\nhttps://x/M01\n",
    ]  # fmt: skip
    office.mail.answer = Unclear("time-out")
    assert await office.sent(sealed=sealed) == again("time-out"), "its secret is kept for that"
