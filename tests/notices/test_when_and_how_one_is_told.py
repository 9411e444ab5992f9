"""When somebody is told and how, decision by decision; and all that they see of their settings."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from coinslot.events.notices import plan, preferences
from coinslot.events.notices.alerts import CASE, EVENTS, ORDER, PROFIT, SILENT
from coinslot.events.notices.plan import Said, Telling
from coinslot.events.notices.preferences import (
    DIGEST_AT,
    NEEDS,
    Choice,
    Hours,
    Listener,
    Shown,
    Wish,
    address_of,
    choice_of,
)
from coinslot.notices.base import Form
from coinslot.people import sessions, sign_in
from tests.people.conftest import PASSWORD, Staffed, at
from tests.people.conftest import staffed as staffed
from tests.sales.conftest import stage as stage

KOLKATA, BERLIN = ZoneInfo("Asia/Kolkata"), ZoneInfo("Europe/Berlin")  # +5:30, and +1 in November
NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def clock(text: str, day: int = 21) -> datetime:
    hours, minutes = text.split(":")
    return datetime(2026, 11, day, int(hours), int(minutes), tzinfo=UTC)


@pytest.mark.parametrize(
    ("quiet", "now", "free"),
    [
        ((None, None), "12:00", None), ((600, None), "12:00", None), ((None, 600), "12:00", None),
        ((780, 780), "12:00", None),
        # In Berlin it is 13:00, which is minute 780.
        ((779, 781), "12:00", "12:01"), ((780, 781), "12:00", "12:01"),
        ((781, 900), "12:00", None), ((700, 780), "12:00", None), ((700, 779), "12:00", None),
        ((1320, 420), "20:59", None), ((1320, 420), "21:00", "6:00 22"),
        ((1320, 420), "5:59", "6:00"), ((1320, 420), "6:00", None),
        ((0, 1), "23:00", "23:01"), ((1439, 0), "22:59", "23:00"),
    ],
)  # fmt: skip
def test_quiet_hours_end_before_somebody_is_told(
    quiet: tuple[int | None, int | None], now: str, free: str | None
) -> None:
    hours = Hours(zone=BERLIN, quiet_from=quiet[0], quiet_to=quiet[1])
    moment = clock(now)
    wanted = moment if free is None else clock(free.split(" ")[0], int((free + " 21").split()[1]))
    assert hours.free(moment) == wanted


@pytest.mark.parametrize(
    ("zone", "minute", "at_"),
    [
        (BERLIN, 781, NOON + timedelta(minutes=1)), (BERLIN, 780, NOON + timedelta(days=1)),
        (BERLIN, 779, NOON + timedelta(days=1, minutes=-1)), (BERLIN, 0, clock("23:00")),
        (BERLIN, 1439, clock("22:59")), (KOLKATA, 17 * 60 + 31, clock("12:01")),
        (KOLKATA, 17 * 60 + 30, clock("12:00", 22)), (KOLKATA, DIGEST_AT, clock("3:30", 22)),
    ],
)  # fmt: skip
def test_a_digest_goes_out_at_the_next_time_that_its_clock_shows_that_minute(
    zone: ZoneInfo, minute: int, at_: datetime
) -> None:
    found = Hours(zone=zone, digest_at=minute).digest(NOON)
    assert found == at_
    # What waits for the same moment is one notice, in whatever zone it was figured.
    assert found.isoformat() == at_.isoformat()
    later = Hours(zone=zone, digest_at=minute).digest(NOON + timedelta(seconds=30))
    assert later == at_


def test_a_day_on_which_clocks_change_is_as_long_as_it_is() -> None:
    before = datetime(2026, 10, 24, 12, 0, tzinfo=UTC)  # 14:00 in Berlin, which goes back at night
    assert Hours(zone=BERLIN, digest_at=13 * 60).digest(before) == before + timedelta(days=1)
    assert Hours(zone=BERLIN).digest_at == 540


@pytest.mark.parametrize(
    ("role", "event", "choice"),
    [
        ("admin", SILENT, Choice("now", True)), ("operator", CASE, Choice("now", True)),
        ("admin", PROFIT, Choice()), ("operator", PROFIT, Choice()), ("viewer", SILENT, Choice()),
        ("staff", ORDER, Choice("now", True)), ("viewer", ORDER, Choice("now", True)),
        ("staff", SILENT, Choice()),
    ],
)  # fmt: skip
def test_who_chose_nothing_hears_what_is_theirs_to_mend(
    role: str, event: str, choice: Choice
) -> None:
    assert choice_of({}, role, event) == choice
    for own in (Choice("off", True), Choice("digest", False)):
        said = {event: {"mail": own.mail, "push": own.push}, "other": {}}
        assert choice_of(said, role, event) == own
    assert Choice() == Choice("off", False)


@pytest.mark.parametrize(
    ("address", "login", "reached"),
    [
        ("a@b.example", "x", "a@b.example"), ("a@b.example", "c@d.example", "a@b.example"),
        ("", "c@d.example", "c@d.example"), (None, "c@d.example", "c@d.example"),
        (None, "boris", ""), ("", "boris", ""),
    ],
)  # fmt: skip
def test_mail_goes_to_the_address_that_was_confirmed_or_to_a_login_that_is_one(
    address: str | None, login: str, reached: str
) -> None:
    assert address_of({"address": address, "login": login}) == reached


def row(**more: Any) -> Any:
    return {
        "id": UUID(int=1), "address": None, "login": "a@b.example", "language": None, "zone": None,
        "quiet_from": None, "quiet_to": None, "digest_at": None, **more,
    }  # fmt: skip


def test_somebody_is_told_in_their_language_and_zone_where_they_named_one() -> None:
    usual = Listener(
        person=UUID(int=1), address="a@b.example", language="en",
        hours=Hours(zone=KOLKATA, digest_at=DIGEST_AT),
    )  # fmt: skip
    assert preferences.listener(row(), KOLKATA) == usual
    own = row(language="ru", zone="Europe/Berlin", quiet_from=1, quiet_to=2, digest_at=0)
    assert preferences.listener(own, KOLKATA) == Listener(
        person=UUID(int=1), address="a@b.example", language="ru",
        hours=Hours(zone=BERLIN, quiet_from=1, quiet_to=2, digest_at=0),
    )  # fmt: skip


class Conn:
    """It takes what is posted, and holds what waits under these names."""

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []

    async def execute(self, *asked: object) -> str:
        self.asked.append(asked)
        return "UPDATE 1" if asked[0] == plan._ADD_LINE else "INSERT 0 1"


@pytest.mark.parametrize(
    ("address", "forms", "mails", "pushes"),
    [
        ("a@b.example", {Form.EMAIL, Form.PUSH}, 1, 2), ("", {Form.EMAIL, Form.PUSH}, 0, 2),
        ("a@b.example", {Form.PUSH}, 0, 2), ("a@b.example", {Form.EMAIL}, 1, 0), ("", set(), 0, 0),
    ],
)  # fmt: skip
async def test_as_many_notices_are_counted_as_somebody_is_sent(
    address: str, forms: set[Form], mails: int, pushes: int
) -> None:
    context: Any = SimpleNamespace(
        notifiers=dict.fromkeys(forms), now=lambda: NOON, public_url="https://x"
    )
    conn: Any = Conn()
    who = preferences.listener(row(address=address, login="x"), KOLKATA)
    said = Said(purpose=SILENT, title="t", more="m", path="/p", permission="machines:read")
    told = Telling(context, conn, who, said, UUID(int=2))
    assert await told.mail("mark", NOON) == mails
    assert await told.push("mark", [UUID(int=3), UUID(int=4)], NOON) == pushes
    assert len(conn.asked) == mails + pushes
    held: Any = Conn()
    waits = Telling(context, held, who, said, UUID(int=2))
    assert await waits.mail("mark", NOON + timedelta(seconds=1)) == 0, "it is a line of another"
    assert [asked[0] for asked in held.asked] == [plan._ADD_LINE] * mails


async def test_somebody_sees_all_that_they_set_and_nothing_of_what_they_may_not_hear(
    staffed: Staffed,
) -> None:
    context = staffed.stage.context
    attempt = sign_in.Attempt(login="boris", password=PASSWORD)
    opened = await sign_in.sign_in(staffed.auth, attempt, at(), kind="cookie")
    boris = await sessions.by_cookie(staffed.auth, opened.cookie, at())
    may = {event for event in EVENTS if NEEDS[event] in boris.permissions}
    by_itself = {event: choice_of({}, "operator", event) for event in EVENTS if event in may}
    assert await preferences.shown(context, boris) == Shown(
        address="", asked_address=None, language="", zone="", quiet_from=None, quiet_to=None,
        digest_at=DIGEST_AT, choices=by_itself, browsers=(), sent=(),
    )  # fmt: skip
    for digest_at in (0, 61):
        wish = Wish(
            language="hi", zone="Europe/Berlin", quiet_from=1320, quiet_to=420,
            digest_at=digest_at, choices={SILENT: Choice("digest", digest_at == 0)},
        )  # fmt: skip
        await preferences.save(context, boris, wish)
        assert await preferences.shown(context, boris) == Shown(
            address="", asked_address=None, language="hi", zone="Europe/Berlin", quiet_from=1320,
            quiet_to=420, digest_at=digest_at, choices={**by_itself, **wish.choices}, browsers=(),
            sent=(),
        )  # fmt: skip
    assert await preferences.test(context, boris, "k", "hello") == 0
