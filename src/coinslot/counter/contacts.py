"""Where a customer may be reached about one order, and what they agreed to when they said so."""

import re
from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

from msgspec import Struct

from coinslot.context import Context
from coinslot.counter import message_store as store
from coinslot.db.pool import Connection
from coinslot.kit.secrets import Vault
from coinslot.notices.base import Form
from coinslot.notices.smtp import MAILBOX

PHONE: Final = re.compile(r"\+[1-9][0-9]{6,14}")
CONSENT: Final = "2026-11"  # the version of the text beside the fields: `consent_*` of the words
EMAIL_CHARS: Final = 254
_BETWEEN: Final = re.compile(r"[\s().\-/\u00a0]+")

# Where a store says nothing else: the countries in which its currency is used at home. +1 is also
# the prefix of islands whose calls are dear, but a shop in dollars has its customers behind it.
_BY_CURRENCY: Final[Mapping[str, tuple[str, ...]]] = {
    "INR": ("+91",), "RUB": ("+7",), "USD": ("+1",), "CAD": ("+1",), "GBP": ("+44",),
    "CHF": ("+41",), "SEK": ("+46",), "NOK": ("+47",), "DKK": ("+45",), "PLN": ("+48",),
    "CZK": ("+420",), "AUD": ("+61",), "NZD": ("+64",), "JPY": ("+81",), "SGD": ("+65",),
    "AED": ("+971",), "BRL": ("+55",), "MXN": ("+52",), "TRY": ("+90",), "KZT": ("+7",),
    "EUR": (
        "+49", "+43", "+33", "+39", "+34", "+31", "+32", "+351", "+353", "+358", "+30", "+352",
        "+356", "+357", "+370", "+371", "+372", "+385", "+386", "+421",
    ),
}  # fmt: skip


class ContactError(ValueError):
    """This cannot be written to. `code`: 'phone', 'phone_country', 'email' or 'consent'."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Contact(Struct, frozen=True, kw_only=True):
    """What a customer typed, and whether they agreed. `network`: where they did."""

    phone: str = ""
    email: str = ""
    agreed: bool = False
    language: str = "en"
    network: str = ""

    def __bool__(self) -> bool:
        return bool(self.phone or self.email)


def prefixes(own: Sequence[str] | None, currency: str) -> tuple[str, ...]:
    """Of the phones that a store may call. None at all: it calls nobody."""
    return tuple(own) if own is not None else _BY_CURRENCY.get(currency, ())


def forms(context: Context, allowed: Sequence[str]) -> tuple[Form, ...]:
    """What a customer can be asked for at this store: only what this installation can send."""
    asked = []
    if allowed and Form.SMS in context.notifiers:
        asked.append(Form.SMS)
    if Form.EMAIL in context.notifiers:
        asked.append(Form.EMAIL)
    return tuple(asked)


def checked(typed: Contact, allowed: Sequence[str]) -> Contact:
    """As it is stored: the phone by E.164. Raises ContactError."""
    phone, email = phone_of(typed.phone), typed.email.strip()
    if phone and not any(phone.startswith(prefix) for prefix in allowed):
        raise ContactError("phone_country")
    if email and (len(email) > EMAIL_CHARS or not MAILBOX.fullmatch(email)):
        raise ContactError("email")
    if (phone or email) and not typed.agreed:
        raise ContactError("consent")
    return Contact(
        phone=phone, email=email, agreed=typed.agreed, language=typed.language,
        network=typed.network,
    )  # fmt: skip


def phone_of(typed: str) -> str:
    """By E.164, as people write numbers: spaces, brackets and 00 are understood. Empty stays
    empty. Raises ContactError."""
    plain = _BETWEEN.sub("", typed)
    if plain.startswith("00"):
        plain = f"+{plain[2:]}"
    if plain and not PHONE.fullmatch(plain):
        raise ContactError("phone")
    return plain


def phone_digest(vault: Vault, phone: str) -> str:
    """By which a phone's orders are found, and what it wants no more."""
    return vault.digest(phone, "customer phone")


def email_digest(vault: Vault, email: str) -> str:
    return vault.digest(email.casefold(), "customer email")


async def keep(
    conn: Connection, context: Context, merchant: UUID, order: UUID, contact: Contact
) -> None:
    """In the transaction that places the order. What was agreed to is a line of its own for each
    address, never changed later."""
    if not contact:
        return
    vault, now = context.vault, context.now()
    digests = {
        "phone": phone_digest(vault, contact.phone) if contact.phone else None,
        "email": email_digest(vault, contact.email) if contact.email else None,
    }
    await conn.execute(
        store.KEEP_CONTACT, order, merchant, contact.phone or None, contact.email or None,
        digests["phone"], digests["email"], contact.network, contact.language,
    )  # fmt: skip
    for form, digest in digests.items():
        if digest is not None:
            await conn.execute(
                store.CONSENT, merchant, order, form, digest, CONSENT, contact.language,
                contact.network, now,
            )  # fmt: skip


def masked(address: str) -> str:
    """As its owner recognises it, and nobody else does."""
    if "@" in address:
        name, _, domain = address.partition("@")
        return f"{name[:1]}…@{domain}"
    return f"…{address[-3:]}"
