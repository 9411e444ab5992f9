"""A merchant's accounts at gateways, as the people who look after them see and change them: added
after a live call that tried the credentials, replaced with overlap, disabled. What is secret is
never shown again, and the audit log has the names of settings, not their values."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

import asyncpg
from msgspec import Struct
from msgspec.structs import replace

from coinslot.context import Context
from coinslot.gateways import drivers
from coinslot.gateways.base import Absent, Accepted, Declined, Driver, Gateway, PaymentFact, Unclear
from coinslot.gateways.form import Field, fields, filled
from coinslot.gateways.wire import Exchange, Wire
from coinslot.kit.clock import monotonic_ms
from coinslot.kit.ids import uuid7
from coinslot.merchants import accounts
from coinslot.merchants.accounts import AccountName, Former
from coinslot.people.audit_log import Act, Actor, record

Light = Literal["never", "heard", "refused"]
_ANSWERS_WITHIN_S: Final = 15.0
_SLUG_CHARS: Final = "abcdefghijklmnopqrstuvwxyz0123456789-"
_SLUG_MOST: Final = 40
PRACTICE_SLUG: Final = "practice-"  # and the merchant's own: of the account that it practises with
# A forgery is anybody's; what counts is whether a true one came after it.
_HEARD: Final = ("genuine", "hint", "unreadable")

_LISTED = """
SELECT a.*, m.slug AS merchant_slug,
    (SELECT max(n.at) FROM unnest($2::text[]) v (verdict) CROSS JOIN LATERAL (
        SELECT i.received_at AS at FROM inbox i WHERE i.account_id = a.id AND i.verdict = v.verdict
        ORDER BY i.id DESC LIMIT 1) n) AS heard_at,
    (SELECT i.received_at FROM inbox i WHERE i.account_id = a.id AND i.verdict = 'forged'
        ORDER BY i.id DESC LIMIT 1) AS refused_at,
    (SELECT count(*) FROM qr_codes q WHERE q.account_id = a.id AND q.payment_id IS NULL
        AND q.stage = 'open') AS codes
FROM gateway_accounts a JOIN merchants m ON m.id = a.merchant_id
WHERE a.merchant_id = $1 AND ($3::uuid IS NULL OR a.id = $3) ORDER BY a.created_at, a.id
"""
_ONE = "SELECT * FROM gateway_accounts WHERE id = $1"
_ADD = """
INSERT INTO gateway_accounts (id, merchant_id, gateway, slug, settings, created_at, changed_at,
    test_only) VALUES ($1, $2, $3, $4, $5, $6, $6, $7)
"""
_CHANGE = """
UPDATE gateway_accounts SET settings = $2, former = $3, changed_at = $4, test_only = $5
WHERE id = $1
"""
_ENABLE = "UPDATE gateway_accounts SET disabled_at = $2, changed_at = $3 WHERE id = $1"
_END_FORMER = "UPDATE gateway_accounts SET former = NULL, changed_at = $2 WHERE id = $1"
_A_PAYMENT = """
SELECT gateway_payment_id FROM captures WHERE account_id = $1 ORDER BY captured_at DESC LIMIT 1
"""


class UnknownAccountError(LookupError):
    """The merchant has no such account."""


class AccountRefusedError(Exception):
    """It is not kept. `code` is for programs; `reason` are the gateway's own words.

    not_accepted: the gateway does not take these credentials. not_answered: it did not say.
    another_account: they are those of another account, which knows nothing of what was paid here.
    another_mode: a practice account does not become a real one, nor the other way round.
    real_keys: they are of an account with real money, and practice has none.
    stale: somebody else changed it meanwhile. bad_slug, slug_taken, unknown_gateway."""

    def __init__(self, code: str, reason: str = "") -> None:
        super().__init__(f"{code}: {reason}" if reason else code)
        self.code = code
        self.reason = reason


class GatewayChoice(Struct, frozen=True, kw_only=True):
    """A gateway that an account can be added of. `real`: there is a network behind it."""

    name: str
    title: str
    currencies: tuple[str, ...]
    fields: tuple[Field, ...]
    real: bool


class NewAccount(Struct, frozen=True, kw_only=True):
    """What was typed. `practise`: at the emulated gateways of this installation."""

    merchant: UUID
    gateway: str
    slug: str
    typed: Mapping[str, str]
    practise: bool


class AccountChange(Struct, frozen=True, kw_only=True):
    """What was typed into the form of an account that had this version."""

    merchant: UUID
    account: UUID
    version: int
    typed: Mapping[str, str]


class AccountStatement(Struct, frozen=True, kw_only=True):
    """An account. `given` are the names of its secrets, `shown` its other settings;
    `former_until`: until when a replaced secret still proves webhooks."""

    id: UUID
    gateway: str
    title: str
    slug: str
    live: bool | None
    real: bool  # there is a network behind it, from which webhooks come
    version: int
    fields: tuple[Field, ...]
    shown: Mapping[str, str]
    given: tuple[str, ...]
    created_at: datetime
    changed_at: datetime | None
    disabled_at: datetime | None
    former_until: datetime | None
    heard_at: datetime | None
    refused_at: datetime | None
    codes: int

    @property
    def light(self) -> Light:
        """Whether webhooks arrive here."""
        if self.refused_at and (self.heard_at is None or self.refused_at > self.heard_at):
            return "refused"
        return "heard" if self.heard_at else "never"

    @property
    def path(self) -> str:
        """Where the gateway sends its webhooks, below the address of the installation."""
        return f"/webhooks/{self.gateway}/{self.slug}"


def choices() -> tuple[GatewayChoice, ...]:
    """Every gateway, real ones first."""
    found = [_choice(driver) for driver in drivers().values()]
    return tuple(sorted(found, key=lambda one: (not one.real, one.title)))


def choice(gateway: str) -> GatewayChoice:
    """Raises AccountRefusedError."""
    return _choice(_driver(gateway))


async def listed(context: Context, merchant: UUID) -> list[AccountStatement]:
    """In the order they were made, which is the order in which payments are routed."""
    async with context.db.as_merchant(merchant) as conn:
        rows = await conn.fetch(_LISTED, merchant, list(_HEARD), None)
    return [_statement(context, row) for row in rows]


async def one(context: Context, merchant: UUID, account: UUID) -> AccountStatement:
    """Raises UnknownAccountError."""
    async with context.db.as_merchant(merchant) as conn:
        row = await conn.fetchrow(_LISTED, merchant, list(_HEARD), account)
    if row is None:
        raise UnknownAccountError(str(account))
    return _statement(context, row)


async def add(context: Context, who: Actor, wanted: NewAccount) -> UUID:
    """Try the credentials by a live call, and keep them. Raises FieldError and
    AccountRefusedError."""
    driver, slug = _driver(wanted.gateway), wanted.slug.strip().lower()
    if not 0 < len(slug) <= _SLUG_MOST or set(slug) - set(_SLUG_CHARS):
        raise AccountRefusedError("bad_slug")
    if slug.startswith(PRACTICE_SLUG):  # else one merchant keeps another from practising
        raise AccountRefusedError("slug_taken")
    settings = driver.Settings(**filled(driver.Settings, wanted.typed))
    if wanted.practise or not _is_real(driver):
        settings = driver.practising(settings, context.practise)
        if driver.address(settings).live is not False:  # or what was emulated counts as real money
            raise AccountRefusedError("real_keys")
    await _must_work(driver, settings)
    now = context.now()
    made, sealed = uuid7(now), accounts.seal(context.vault, wanted.gateway, slug, settings)
    act = Act(
        action="gateway.added", merchant=wanted.merchant, subject=f"{wanted.gateway}/{slug}",
        after={"settings": _names(settings, settings.__struct_fields__)},
    )  # fmt: skip
    try:
        async with context.db.as_merchant(wanted.merchant) as conn:
            await conn.execute(
                _ADD, made, wanted.merchant, wanted.gateway, slug, sealed, now,
                driver.address(settings).live is False,
            )  # fmt: skip
            await record(conn, who, act, now)
    except asyncpg.UniqueViolationError:
        raise AccountRefusedError("slug_taken") from None
    return made


async def change(context: Context, who: Actor, wanted: AccountChange) -> None:
    """Replace what was typed, after a live call; a secret that is replaced still proves webhooks
    for a while. It holds at once, in every process; a call under way ends with what it began with.

    Raises FieldError, UnknownAccountError and AccountRefusedError."""
    row, paid = await _found(context, wanted.merchant, wanted.account)
    driver, before = drivers()[row["gateway"]], _settings(context, row)
    given = filled(driver.Settings, wanted.typed, before)
    settings = replace(before, **given)
    if driver.address(settings).live is not driver.address(before).live:
        raise AccountRefusedError("another_mode")
    await _must_work(driver, settings, paid)
    now, name = context.now(), AccountName(wanted.merchant, row["gateway"], row["slug"])
    changed = [one for one in given if getattr(settings, one) != getattr(before, one)]
    async with context.db.as_merchant(wanted.merchant) as conn:
        now_kept = await conn.fetchrow(f"{_ONE} FOR NO KEY UPDATE", wanted.account)
        if now_kept is None or now_kept["version"] != wanted.version:
            raise AccountRefusedError("stale")
        if not changed:
            return
        former = [*_still(context, now_kept), *_replaced(context, before, settings)]
        await conn.execute(
            _CHANGE, wanted.account,
            accounts.seal(context.vault, name.gateway, name.slug, settings),
            accounts.seal_former(context.vault, name.gateway, name.slug, former), now,
            driver.address(settings).live is False,
        )  # fmt: skip
        act = Act(
            action="gateway.changed", merchant=wanted.merchant,
            subject=f"{name.gateway}/{name.slug}", after={"settings": sorted(changed)},
        )  # fmt: skip
        await record(conn, who, act, now)


async def test(context: Context, merchant: UUID, account: UUID) -> Accepted | Declined | Unclear:
    """Ask the gateway now whether it takes the credentials that are kept. Raises
    UnknownAccountError."""
    row, _ = await _found(context, merchant, account)
    driver, settings = drivers()[row["gateway"]], _settings(context, row)
    async with _Reached(driver, settings) as gateway:
        return await gateway.check()


async def set_enabled(
    context: Context, who: Actor, merchant: UUID, account: UUID, *, enabled: bool
) -> None:
    """Disabled, it takes no new payment; webhooks, refunds and what is under way go on. Raises
    UnknownAccountError."""
    async with context.db.as_merchant(merchant) as conn:
        row = await conn.fetchrow(f"{_ONE} FOR NO KEY UPDATE", account)
        if row is None:
            raise UnknownAccountError(str(account))
        if (row["disabled_at"] is None) == enabled:
            return
        now = context.now()
        await conn.execute(_ENABLE, account, None if enabled else now, now)
        act = Act(
            action="gateway.enabled" if enabled else "gateway.disabled", merchant=merchant,
            subject=f"{row['gateway']}/{row['slug']}",
        )  # fmt: skip
        await record(conn, who, act, now)


async def end_former(context: Context, who: Actor, merchant: UUID, account: UUID) -> None:
    """From now on replaced secrets prove nothing: one of them may be in wrong hands. Raises
    UnknownAccountError."""
    async with context.db.as_merchant(merchant) as conn:
        row = await conn.fetchrow(f"{_ONE} FOR NO KEY UPDATE", account)
        if row is None:
            raise UnknownAccountError(str(account))
        if row["former"] is None:
            return
        await conn.execute(_END_FORMER, account, context.now())
        act = Act(
            action="gateway.former_ended", merchant=merchant,
            subject=f"{row['gateway']}/{row['slug']}",
        )  # fmt: skip
        await record(conn, who, act, context.now())


class _Reached:
    """A driver that is opened for one question, and closed."""

    def __init__(self, driver: Driver, settings: Struct) -> None:
        where = driver.address(settings)
        timeout_s = max(_ANSWERS_WITHIN_S, where.answers_within_s)
        self._wire = Wire.to(where, timeout_s=timeout_s, record=_unrecorded, now_ms=monotonic_ms)
        self._gateway = driver.open(settings, self._wire)

    async def __aenter__(self) -> Gateway:
        return self._gateway

    async def __aexit__(self, *_error: object) -> None:
        await self._wire.close()


async def _unrecorded(_exchange: Exchange) -> None:
    """There may be no account yet that it could be recorded of."""


async def _must_work(driver: Driver, settings: Struct, paid: str | None = None) -> None:
    """Raises AccountRefusedError. `paid` is a payment that this account must know: with the keys of
    another one, nothing that was paid could be given back."""
    async with _Reached(driver, settings) as gateway:
        match await gateway.check():
            case Declined(reason=reason):
                raise AccountRefusedError("not_accepted", reason)
            case Unclear(reason=reason):
                raise AccountRefusedError("not_answered", reason)
            case Accepted():
                pass
        if paid is None or not _is_real(driver):  # what has no network remembers nothing
            return
        match await gateway.look(paid):
            case Absent():
                raise AccountRefusedError("another_account")
            case Unclear(reason=reason):
                raise AccountRefusedError("not_answered", reason)
            case PaymentFact():
                pass


async def _found(
    context: Context, merchant: UUID, account: UUID
) -> tuple[asyncpg.Record, str | None]:
    """Its row, and a payment that was captured there."""
    async with context.db.as_merchant(merchant) as conn:
        row = await conn.fetchrow(_ONE, account)
        if row is None:
            raise UnknownAccountError(str(account))
        return row, await conn.fetchval(_A_PAYMENT, account)


def _settings(context: Context, row: asyncpg.Record) -> Struct:
    return accounts.unseal(context.vault, row["gateway"], row["slug"], row["settings"])


def _still(context: Context, row: asyncpg.Record) -> list[Former]:
    """Secrets that were replaced before, and still prove webhooks."""
    found = accounts.unseal_former(context.vault, row["gateway"], row["slug"], row["former"])
    return [one for one in found if context.now() < one.until]


def _replaced(context: Context, before: Struct, settings: Struct) -> list[Former]:
    until, found = context.after("gateway_secret_overlap_s"), []
    for field in fields(type(settings)):
        was, now = field.value_of(before), field.value_of(settings)
        if not field.former or was == now:
            continue
        former = was if isinstance(was, tuple) else (was,)
        found += [Former(setting=field.former, secret=one, until=until) for one in former if one]
    return found


def _names(settings: Struct, among: tuple[str, ...]) -> list[str]:
    return [one for one in among if getattr(settings, one) not in (None, (), "")]


def _driver(gateway: str) -> Driver:
    found = drivers().get(gateway)
    if found is None:
        raise AccountRefusedError("unknown_gateway")
    return found


def is_real(gateway: str) -> bool:
    """Whether there is a network behind it, or only this installation."""
    return _is_real(drivers()[gateway])


def _is_real(driver: Driver) -> bool:
    return "base_url" in driver.Settings.__struct_fields__


def _choice(driver: Driver) -> GatewayChoice:
    return GatewayChoice(
        name=driver.name, title=driver.Opened.title, fields=fields(driver.Settings),
        currencies=tuple(sorted(driver.Opened.currencies)), real=_is_real(driver),
    )  # fmt: skip


def _statement(context: Context, row: asyncpg.Record) -> AccountStatement:
    driver, settings = drivers()[row["gateway"]], _settings(context, row)
    asked = fields(driver.Settings)
    still = _still(context, row)
    return AccountStatement(
        id=row["id"], gateway=row["gateway"], title=driver.Opened.title, slug=row["slug"],
        live=driver.address(settings).live, real=_is_real(driver), version=row["version"],
        fields=asked,
        shown={one.name: one.shown_as(settings) for one in asked if not one.secret},
        given=tuple(one.name for one in asked if one.secret and _is_given(settings, one)),
        created_at=row["created_at"], changed_at=row["changed_at"],
        disabled_at=row["disabled_at"], heard_at=row["heard_at"], refused_at=row["refused_at"],
        former_until=max((one.until for one in still), default=None), codes=row["codes"],
    )  # fmt: skip


def _is_given(settings: Struct, field: Field) -> bool:
    kept = field.value_of(settings)
    return any(bool(one) for one in (kept if isinstance(kept, tuple) else (kept,)))
