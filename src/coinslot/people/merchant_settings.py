"""A merchant's own settings, as its people change them: one form, one version, one entry in the
audit log. Which of two people saved second is told."""

from datetime import datetime
from uuid import UUID

import asyncpg
from msgspec import Struct
from msgspec.structs import replace

from coinslot.db.pool import Database
from coinslot.kit.clock import UnknownZoneError, known_zone
from coinslot.kit.money import Money
from coinslot.people.audit_log import Act, Actor, record
from coinslot.people.authentication import RuleError

_READ = """
SELECT name, contact, zone, currency, languages, refund_proof_minor, settings_version FROM merchants
WHERE id = $1
"""
_CHANGE = """
UPDATE merchants SET name = $2, contact = $3, zone = $4, refund_proof_minor = $5, currency = $6,
    languages = $7, settings_version = settings_version + 1 WHERE id = $1
"""


class RefundLimit(Struct, frozen=True, kw_only=True):
    """A refund above it, in minor units of this currency, needs a fresh proof. Of another currency
    it says nothing, so every refund there needs one."""

    minor: int
    currency: str | None

    def allows(self, refund: Money) -> bool:
        return refund.currency == self.currency and refund.minor <= self.minor


class MerchantSettings(Struct, frozen=True, kw_only=True):
    """`zone` None: the installation's. `currency`: of new machines and products. `languages`: of
    customers' pages and sheets, the usual one first; none: all that there are.
    `refund_proof_minor`: a refund above it, in minor units of `currency`, needs a fresh proof;
    None: none does."""

    name: str
    contact: str = ""
    zone: str | None = None
    currency: str | None = None
    languages: tuple[str, ...] = ()
    refund_proof_minor: int | None = None
    version: int = 1

    @property
    def refund_limit(self) -> RefundLimit | None:
        if self.refund_proof_minor is None:
            return None
        return RefundLimit(minor=self.refund_proof_minor, currency=self.currency)

    def asks_proof_of(self, refund: Money) -> bool:
        """Whether a person has to show a factor again for it."""
        return self.refund_limit is not None and not self.refund_limit.allows(refund)


async def settings(db: Database, merchant: UUID) -> MerchantSettings:
    """As they are."""
    async with db.as_merchant(merchant) as conn:
        row = await conn.fetchrow(_READ, merchant)
    assert row is not None
    return _settings(row)


async def change(
    db: Database, who: Actor, merchant: UUID, wanted: MerchantSettings, now: datetime
) -> None:
    """`wanted.version` is that of the page on which somebody typed. Without a currency it stays as
    it is. Raises RuleError: stale_settings, no_name, unknown_zone, no_currency."""
    if not wanted.name:
        raise RuleError("no_name", "A business has a name.")
    try:
        zone = known_zone(wanted.zone)
    except UnknownZoneError as error:
        raise RuleError("unknown_zone", str(error)) from None
    async with db.as_merchant(merchant) as conn:
        row = await conn.fetchrow(f"{_READ} FOR NO KEY UPDATE", merchant)
        assert row is not None
        before = _settings(row)
        if before.version != wanted.version:
            raise RuleError("stale_settings", "Somebody else changed them meanwhile.")
        wanted = replace(wanted, currency=wanted.currency or before.currency)
        if wanted.refund_proof_minor is not None and wanted.currency is None:
            raise RuleError("no_currency", "A limit needs the currency of the business.")
        await conn.execute(
            _CHANGE, merchant, wanted.name, wanted.contact, zone, wanted.refund_proof_minor,
            wanted.currency, list(wanted.languages),
        )  # fmt: skip
        said = {name: _plain(wanted, name) for name in _NAMES}
        was = {name: _plain(before, name) for name in _NAMES}
        changed = [name for name in _NAMES if said[name] != was[name]]
        if changed:
            act = Act(
                action="settings.changed", merchant=merchant, subject=str(merchant),
                before={name: was[name] for name in changed},
                after={name: said[name] for name in changed},
            )  # fmt: skip
            await record(conn, who, act, now)


async def set_languages(
    db: Database, who: Actor, merchant: UUID, languages: tuple[str, ...], now: datetime
) -> None:
    """Of customers' pages and sheets, from the first steps; nothing else of the form is changed."""
    async with db.as_merchant(merchant) as conn:
        row = await conn.fetchrow(f"{_READ} FOR NO KEY UPDATE", merchant)
        assert row is not None
        await conn.execute(
            "UPDATE merchants SET languages = $2, settings_version = settings_version + 1"
            " WHERE id = $1",
            merchant, list(languages),
        )  # fmt: skip
        act = Act(
            action="settings.changed", merchant=merchant, subject=str(merchant),
            before={"languages": row["languages"]}, after={"languages": languages},
        )  # fmt: skip
        await record(conn, who, act, now)


_NAMES = ("name", "contact", "zone", "currency", "languages", "refund_proof_minor")


def _plain(found: MerchantSettings, name: str) -> object:
    value: object = getattr(found, name)
    return value


def _settings(row: asyncpg.Record) -> MerchantSettings:
    return MerchantSettings(
        name=row["name"], contact=row["contact"], zone=row["zone"], currency=row["currency"],
        languages=tuple(row["languages"]),
        refund_proof_minor=row["refund_proof_minor"], version=row["settings_version"],
    )  # fmt: skip
