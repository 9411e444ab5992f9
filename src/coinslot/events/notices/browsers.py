"""Browsers that show notices (Web Push): they subscribe with an address at their maker's push
service, which a stranger could have made up, so it is called by `SafeHttp` alone."""

from typing import Final
from uuid import UUID

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from msgspec import Struct

from coinslot.context import Context
from coinslot.db.pool import Database
from coinslot.db.sealed import SealedColumn
from coinslot.events.webhooks.safe_http import BadUrlError, checked
from coinslot.kit.ids import uuid7
from coinslot.kit.secrets import UnknownKeyError, Vault, VaultKeyError
from coinslot.notices.base import Form
from coinslot.notices.webpush import WebPush, subscription
from coinslot.people.sessions import SignedIn

MOST: Final = 10  # of one person
_AGENT_CHARS: Final = 300
_SEALED_AS: Final = "installation/push_key"
_KEY_BYTES: Final = 32

# Of a subscription `u` of the person `p`: whether it shows anything. One of an older version of its
# person is over, and so is one whose session was ended, until it is asked for again.
SHOWS: Final = """(u.ended_at IS NULL AND u.person_version = p.version
    AND coalesce((SELECT bool_or(s.ended_at IS NULL) FROM sessions s
        WHERE s.push_endpoint = u.endpoint AND s.person_id = u.person_id), true))"""
_OF_SESSION = "UPDATE sessions SET push_endpoint = $2 WHERE id = $1"
_ELSEWHERE = """
UPDATE push_subscriptions SET ended_at = $3, ended_because = 'another person'
WHERE endpoint = $1 AND person_id <> $2 AND ended_at IS NULL
"""
_ADD = """
INSERT INTO push_subscriptions (id, person_id, person_version, endpoint, p256dh, auth, agent,
    created_at)
SELECT $1, p.id, p.version, $3, $4, $5, $6, $7 FROM people p WHERE p.id = $2
ON CONFLICT (endpoint) WHERE ended_at IS NULL DO UPDATE SET p256dh = $4, auth = $5, agent = $6,
    person_version = excluded.person_version
"""
_TOO_MANY = """
UPDATE push_subscriptions SET ended_at = $2, ended_because = 'too many' WHERE ended_at IS NULL
AND id IN (SELECT id FROM push_subscriptions WHERE person_id = $1 AND ended_at IS NULL
    ORDER BY id DESC OFFSET $3)
"""
_END = """
UPDATE push_subscriptions SET ended_at = $2, ended_because = $3 WHERE id = $1 AND ended_at IS NULL
"""


class BadSubscriptionError(ValueError):
    """No browser writes such a subscription."""


class Keys(Struct, frozen=True):
    """What only the browser can open is made with these."""

    p256dh: str
    auth: str


class Wanted(Struct, frozen=True):
    """A subscription as `PushSubscription.toJSON` writes it."""

    endpoint: str
    keys: Keys


def read(context: Context, text: str) -> Wanted:
    """As a browser wrote it, with an address that may be called. Raises BadSubscriptionError."""
    push = _push(context)
    try:
        wanted = msgspec.json.decode(text, type=Wanted)
        checked(wanted.endpoint, private=push is not None and push.private)
        subscription(wanted.endpoint, wanted.keys.p256dh, wanted.keys.auth)
    except (msgspec.DecodeError, BadUrlError, ValueError) as error:
        raise BadSubscriptionError(str(error)) from None
    return wanted


async def subscribe(context: Context, who: SignedIn, text: str, agent: str) -> None:
    """This browser shows their notices from now on, and nobody else's. Raises
    BadSubscriptionError."""
    wanted, now = read(context, text), context.now()
    async with context.db.system_connection() as conn:
        await conn.execute(_ELSEWHERE, wanted.endpoint, who.person, now)
    async with context.db.as_person(who.person) as conn:
        await conn.execute(
            _ADD, uuid7(now), who.person, wanted.endpoint, wanted.keys.p256dh, wanted.keys.auth,
            agent[:_AGENT_CHARS], now,
        )  # fmt: skip
        await conn.execute(_OF_SESSION, who.session, wanted.endpoint)
        await conn.execute(_TOO_MANY, who.person, now, MOST)


async def end(context: Context, who: SignedIn, browser: UUID) -> bool:
    """One of the person's own; False when there is no such one."""
    async with context.db.as_person(who.person) as conn:
        done = await conn.execute(_END, browser, context.now(), "ended by the person")
    return bool(done == "UPDATE 1")


def public_key(context: Context) -> str:
    """What a browser subscribes with; empty where there is no push."""
    found = _push(context)
    return "" if found is None else found.public_key


def _push(context: Context) -> WebPush | None:
    found = context.notifiers.get(Form.PUSH)
    return found if isinstance(found, WebPush) else None


async def signing_key(db: Database, vault: Vault) -> ec.EllipticCurvePrivateKey:
    """The installation's own, made when it is first asked for: browsers are subscribed to it.
    Raises VaultKeyError where it was sealed with a key that is gone."""
    async with db.system_transaction() as conn:
        sealed = await conn.fetchval("SELECT push_key FROM installation")
        if sealed is None:  # only then a lock: a server that is read-only can still read
            sealed = await conn.fetchval("SELECT push_key FROM installation FOR NO KEY UPDATE")
        if sealed is None:
            made = ec.generate_private_key(ec.SECP256R1())
            number = made.private_numbers().private_value.to_bytes(_KEY_BYTES, "big")
            await conn.execute(
                "UPDATE installation SET push_key = $1", vault.seal(number, _SEALED_AS)
            )
            return made
    try:
        number = vault.open(sealed, _SEALED_AS)
    except UnknownKeyError as error:
        raise VaultKeyError(
            f"the key that signs notices to browsers is {error}: name it in COINSLOT_KEYS too"
        ) from error
    return ec.derive_private_key(int.from_bytes(number, "big"), ec.SECP256R1())


SEALED: Final = (
    SealedColumn(
        table="installation", column="push_key", key="one", names=(),
        place=lambda _row: _SEALED_AS,
    ),
)  # fmt: skip
