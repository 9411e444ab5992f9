"""How someone wants to hear of what: by which events, by mail or by push, and at which hours."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg
import msgspec
from msgspec import Struct

from coinslot.context import Context
from coinslot.db.pool import Connection
from coinslot.events.notices.alerts import (
    AILING,
    CASE,
    DRIFT,
    EVENTS,
    LOW,
    ORDER,
    PAYOUT,
    PROFIT,
    SILENT,
    SLOT,
    SOON,
    WARM,
)
from coinslot.events.notices.browsers import SHOWS
from coinslot.events.notices.words import ADDRESS_MOVED, NOT_YOU, text
from coinslot.kit.ids import token, uuid7
from coinslot.notices.base import Form
from coinslot.notices.smtp import MAILBOX
from coinslot.people import limits
from coinslot.people.audit_log import Act, record
from coinslot.people.outbox import EMAIL, Letter, post, post_secret
from coinslot.people.sessions import SignedIn
from coinslot.people.tokens import hashed

PUSH: Final = "push"
NOW, DIGEST, OFF = "now", "digest", "off"
# What someone has to be allowed to hear of it.
NEEDS: Final[Mapping[str, str]] = {
    SILENT: "machines:read", SLOT: "machines:read", CASE: "money:read", PAYOUT: "money:read",
    PROFIT: "money:read", WARM: "machines:read", AILING: "machines:read",
    LOW: "machines:read", SOON: "machines:read", DRIFT: "machines:read", ORDER: "board:write",
}  # fmt: skip
_BY_ITSELF: Final = ("admin", "operator")  # who hears of it without having chosen
MINUTES: Final = 24 * 60
DIGEST_AT: Final = 9 * 60
_VERSION: Final = re.compile(r"[0-9]{1,9}")

_SETTINGS = """
SELECT p.id, p.login, p.version, s.address, s.asked_address, s.language, s.zone,
    s.quiet_from, s.quiet_to, s.digest_at
FROM people p LEFT JOIN notice_settings s ON s.person_id = p.id
"""
ONE = f"{_SETTINGS} WHERE p.id = $1 AND p.disabled_at IS NULL"
MEMBERS = f"""
SELECT p.id, p.login, p.version, s.address, s.asked_address, s.language, s.zone,
    s.quiet_from, s.quiet_to, s.digest_at, m.role, m.outlets, t.zone AS merchant_zone,
    coalesce((SELECT jsonb_object_agg(c.event, jsonb_build_object('mail', c.mail, 'push', c.push))
        FROM notice_choices c WHERE c.person_id = p.id AND c.merchant_id = m.merchant_id), '{{}}')
        AS choices,
    ARRAY(SELECT u.id FROM push_subscriptions u WHERE u.person_id = p.id AND {SHOWS}
        ORDER BY u.id) AS browsers
FROM memberships m JOIN people p ON p.id = m.person_id JOIN merchants t ON t.id = m.merchant_id
LEFT JOIN notice_settings s ON s.person_id = p.id
WHERE m.merchant_id = $1 AND m.ended_at IS NULL AND p.disabled_at IS NULL ORDER BY p.id
"""


CHOICES = "SELECT event, mail, push FROM notice_choices WHERE person_id = $1 AND merchant_id = $2"
BROWSERS = f"""
SELECT u.id, u.agent, u.created_at FROM push_subscriptions u
JOIN people p ON p.id = u.person_id WHERE u.person_id = $1 AND {SHOWS} ORDER BY u.id
"""
SENT = """
SELECT subject AS title, channel, created_at, due_at, outcome, failure, tries FROM notices
WHERE person_id = $1 ORDER BY id DESC LIMIT 20
"""
SAVE = """
INSERT INTO notice_settings (person_id, language, zone, quiet_from, quiet_to, digest_at)
VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (person_id) DO UPDATE SET language = $2, zone = $3,
    quiet_from = $4, quiet_to = $5, digest_at = $6
"""
CHOOSE = """
INSERT INTO notice_choices (person_id, merchant_id, event, mail, push) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (person_id, merchant_id, event) DO UPDATE SET mail = $4, push = $5
"""
ASK_ADDRESS = """
INSERT INTO notice_settings (person_id, asked_address, confirm_hash, confirm_until, language,
    digest_at)
VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (person_id) DO UPDATE SET asked_address = $2,
    confirm_hash = $3, confirm_until = $4
"""
# The row as it was before. Whoever ended every session of the person, or set a new password, ended
# links to addresses too: a thief may have named one.
TO_CONFIRM = f"""
{_SETTINGS} WHERE s.confirm_hash = $1 AND s.confirm_until > $2 AND p.version = $3
    AND p.disabled_at IS NULL FOR NO KEY UPDATE OF s
"""
CONFIRM = """
UPDATE notice_settings SET address = asked_address, asked_address = NULL, confirm_hash = NULL,
    confirm_until = NULL
WHERE person_id = $1
"""


class Mail(Struct, frozen=True):
    """What a mail says."""

    subject: str
    text: str
    language: str


class Choice(Struct, frozen=True):
    """Of one event: by mail at once, in the digest, or not; and whether by push."""

    mail: str = OFF
    push: bool = False


class Hours(Struct, frozen=True, kw_only=True):
    """When someone is told. Minutes of the day, in their zone."""

    zone: ZoneInfo
    quiet_from: int | None = None
    quiet_to: int | None = None
    digest_at: int = DIGEST_AT

    def free(self, now: datetime) -> datetime:
        """Now, or when the quiet hours end that are now."""
        if self.quiet_from is None or self.quiet_to is None or self.quiet_from == self.quiet_to:
            return now
        minute = _minute(now.astimezone(self.zone))
        into = (minute - self.quiet_from) % MINUTES
        if into >= (self.quiet_to - self.quiet_from) % MINUTES:
            return now
        return _next(now, self.zone, self.quiet_to)

    def digest(self, now: datetime) -> datetime:
        """When the next digest goes out."""
        return _next(now, self.zone, self.digest_at)


class Listener(Struct, frozen=True, kw_only=True):
    """A person, and how they are reached."""

    person: UUID
    address: str  # empty: by mail they are not reached
    language: str
    hours: Hours


def choice_of(chosen: Mapping[str, Any], role: str, event: str) -> Choice:
    """What someone chose; whoever works on machines and money hears without having chosen, and of
    orders that wait everybody where they work."""
    own = chosen.get(event)
    if own is not None:
        return Choice(own["mail"], own["push"])
    hears = event == ORDER or (role in _BY_ITSELF and event != PROFIT)
    return Choice(NOW, True) if hears else Choice()


def address_of(row: Mapping[str, Any] | asyncpg.Record) -> str:
    """Where mail reaches them: the address that they confirmed, else a login that is one."""
    if row["address"]:
        return str(row["address"])
    login = str(row["login"])
    return login if MAILBOX.fullmatch(login) else ""


def listener(row: asyncpg.Record, zone: ZoneInfo) -> Listener:
    """`zone`: of whoever has not named one."""
    return Listener(
        person=row["id"], address=address_of(row), language=row["language"] or "en",
        hours=Hours(
            zone=ZoneInfo(row["zone"]) if row["zone"] else zone, quiet_from=row["quiet_from"],
            quiet_to=row["quiet_to"],
            digest_at=DIGEST_AT if row["digest_at"] is None else row["digest_at"],
        ),
    )  # fmt: skip


def _minute(local: datetime) -> int:
    return local.hour * 60 + local.minute


def _next(now: datetime, zone: ZoneInfo, minute: int) -> datetime:
    """The next moment at which the clocks of the zone show this minute of the day."""
    local = now.astimezone(zone)
    at = local.replace(hour=minute // 60, minute=minute % 60, second=0, microsecond=0)
    # By the zone's own days, which are not all of 24 hours.
    return (at if at > local else at + timedelta(days=1)).astimezone(now.tzinfo)


async def one(conn: Connection, person: UUID) -> asyncpg.Record | None:
    """The settings of someone who is not disabled."""
    return await conn.fetchrow(ONE, person)


class Sent(Struct, frozen=True, kw_only=True):
    """A notice of one's own, as its list shows it. `outcome` None: it is on its way."""

    title: str
    channel: str
    created_at: datetime
    due_at: datetime | None
    outcome: str | None
    failure: str | None
    tries: int


class Shown(Struct, frozen=True, kw_only=True):
    """What someone set, and what came of it lately."""

    address: str  # where mail goes now; empty: nowhere
    asked_address: str | None  # named, and not confirmed yet
    language: str
    zone: str
    quiet_from: int | None
    quiet_to: int | None
    digest_at: int
    choices: Mapping[str, Choice]
    browsers: tuple[asyncpg.Record, ...]
    sent: tuple[Sent, ...]


class Wish(Struct, frozen=True, kw_only=True):
    """What someone wants from now on."""

    language: str
    zone: str | None
    quiet_from: int | None
    quiet_to: int | None
    digest_at: int
    choices: Mapping[str, Choice]


async def shown(context: Context, who: SignedIn) -> Shown:
    """Of the one who is signed in."""
    async with context.db.as_person(who.person, who.merchant) as conn:
        row = await one(conn, who.person)
        assert row is not None, "who is signed in is there"
        chosen = {c["event"]: dict(c) for c in await conn.fetch(CHOICES, who.person, who.merchant)}
        browsers = await conn.fetch(BROWSERS, who.person)
        sent = await conn.fetch(SENT, who.person)
    return Shown(
        address=address_of(row),
        asked_address=row["asked_address"],
        language=row["language"] or "", zone=row["zone"] or "", quiet_from=row["quiet_from"],
        quiet_to=row["quiet_to"],
        digest_at=DIGEST_AT if row["digest_at"] is None else row["digest_at"],
        choices={
            event: choice_of(chosen, who.role, event)
            for event in EVENTS
            if NEEDS[event] in who.permissions
        },
        browsers=tuple(browsers), sent=tuple(msgspec.convert(dict(one), Sent) for one in sent),
    )  # fmt: skip


async def save(context: Context, who: SignedIn, wish: Wish) -> None:
    """From now on. Of what someone may not hear, nothing is kept."""
    async with context.db.as_person(who.person, who.merchant) as conn:
        await conn.execute(
            SAVE, who.person, wish.language, wish.zone, wish.quiet_from, wish.quiet_to,
            wish.digest_at,
        )  # fmt: skip
        for event, choice in wish.choices.items():
            if who.merchant is not None and NEEDS[event] in who.permissions:
                await conn.execute(
                    CHOOSE, who.person, who.merchant, event, choice.mail, choice.push
                )


async def ask_address(context: Context, who: SignedIn, address: str, mail: Mail) -> None:
    """Mail goes there once a link in a mail to it was confirmed: nobody has mail sent to a
    stranger. `mail` is its subject and text. Raises TooOftenError."""
    limit = limits.Limit(f"address:{who.person}", context.windows.sign_in_tries)
    await limits.count(context, [limit])
    async with context.db.as_person(who.person) as conn:
        row = await one(conn, who.person)
        assert row is not None, "who is signed in is there"
        await _ask_address(conn, context, who, (address, row["version"]), mail)
    context.wakes.wake("notices")


async def _ask_address(
    conn: Connection, context: Context, who: SignedIn, asked: tuple[str, int], mail: Mail
) -> None:
    (address, version), now = asked, context.now()
    secret = f"{version}-{token(32)}"
    link = f"{context.public_url}/console/confirm-address?token={secret}"
    letter = Letter(
        purpose="address", channel=EMAIL, target=address, dedup=f"address.{hashed(secret).hex()}",
        subject=mail.subject, body="", person=who.person, language=mail.language,
        life=context.windows.span("invitation_s"),
    )  # fmt: skip
    await conn.execute(
        ASK_ADDRESS, who.person, address, hashed(secret),
        now + context.windows.span("invitation_s"), mail.language, DIGEST_AT,
    )  # fmt: skip
    await post_secret(conn, context.vault, letter, f"{mail.text}\n\n{link}", now)
    after = {"address": address}
    await record(conn, who.actor, Act(action="notices.address", after=after), now)


async def confirm(context: Context, secret: str) -> bool:
    """The address is theirs; the one before is told. False for a link that is unknown, used, or too
    old."""
    version, now = secret.partition("-")[0], context.now()
    if not _VERSION.fullmatch(version):
        return False
    async with context.db.system_transaction() as conn:
        before = await conn.fetchrow(TO_CONFIRM, hashed(secret), now, int(version))
        if before is None:
            return False
        await conn.execute(CONFIRM, before["id"])
        await _tell_address_before(conn, context, before)
    context.wakes.wake("notices")
    return True


async def _tell_address_before(conn: Connection, context: Context, before: asyncpg.Record) -> None:
    """From there its owner can still say that it was somebody else."""
    old, new = address_of(before), str(before["asked_address"])
    if not old or old.casefold() == new.casefold():
        return
    language, now = before["language"] or "en", context.now()
    title = text(ADDRESS_MOVED, language).format(address=new)
    letter = Letter(
        purpose="address_moved", channel=EMAIL, target=old, person=before["id"], subject=title,
        body=f"{title}\n{text(NOT_YOU, language)}", language=language,
        link=f"{context.public_url}/console/account",
        dedup=f"address_moved.{before['id'].hex}.{uuid7(now).hex}",
    )  # fmt: skip
    await post(conn, letter, now)


async def test(context: Context, who: SignedIn, key: str, title: str) -> int:
    """One notice by every way that reaches them; how many. The same key sends them once."""
    now = context.now()
    async with context.db.as_person(who.person) as conn:
        row = await one(conn, who.person)
        assert row is not None, "who is signed in is there"
        ways = [(PUSH, str(found["id"])) for found in await conn.fetch(BROWSERS, who.person)]
        ways = [(EMAIL, address_of(row)), *ways] if address_of(row) else ways
        ways = [(channel, to) for channel, to in ways if _form(channel) in context.notifiers]
        for channel, target in ways:
            letter = Letter(
                purpose="test", channel=channel, target=target, subject=title, body=title,
                dedup=f"test.{key}.{who.person.hex}.{hashed(target).hex()[:16]}",
                link=f"{context.public_url}/console/notices", person=who.person,
                language=row["language"] or "en",
            )  # fmt: skip
            await post(conn, letter, now)
    context.wakes.wake("notices")
    return len(ways)


def _form(channel: str) -> Form:
    return Form.EMAIL if channel == EMAIL else Form.PUSH
