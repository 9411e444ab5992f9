"""New identifiers: ordered ones for rows, unguessable ones for links, short ones for people."""

import secrets
from datetime import UTC, datetime, timedelta
from uuid import UUID

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# Neither I nor O: they are taken for 1 and 0 when read aloud or off a sticker.
CODE_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"


def uuid7(now: datetime) -> UUID:
    """A UUID version 7 (RFC 9562, method 3): a later microsecond sorts later, the rest is random.

    Python 3.11 has no uuid7 and PostgreSQL has one only from 18 on.
    """
    micros = (now - _EPOCH) // timedelta(microseconds=1)
    millis, micros_within = divmod(micros, 1000)
    fraction = micros_within * 4096 // 1000
    value = (millis & 0xFFFF_FFFF_FFFF) << 80
    value |= 0x7 << 76 | fraction << 64
    value |= 0b10 << 62 | secrets.randbits(62)
    return UUID(int=value)


def first_uuid7(at: datetime) -> UUID:
    """No id that is made at this moment, or later, sorts before it."""
    return UUID(int=((at - _EPOCH) // timedelta(milliseconds=1)) << 80)


def token(size_bytes: int = 20) -> str:
    """Unguessable text that needs no escaping in a URL."""
    return secrets.token_urlsafe(size_bytes)


def code(length: int) -> str:
    """Upper-case letters that a person can read out and type; log2(24) = 4.6 bits in each."""
    return "".join(secrets.choice(CODE_LETTERS) for _ in range(length))


def uuid_of(text: str) -> UUID | None:
    """None for what is no id: a form or an address may be written by hand."""
    try:
        return UUID(text)
    except ValueError:
        return None
