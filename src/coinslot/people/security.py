"""A merchant's own rules for its people: a second factor for everyone, and from which networks they
may come. Neither can lock out the one who sets it."""

from datetime import datetime
from ipaddress import ip_network
from uuid import UUID

import asyncpg
from msgspec import Struct

from coinslot.db.pool import Database
from coinslot.people.audit_log import Act, record
from coinslot.people.authentication import RuleError
from coinslot.people.sessions import SignedIn, from_allowed, is_strong

_MOST_NETWORKS = 100
_READ = "SELECT second_factor_required, allowed_networks FROM merchants WHERE id = $1"


class SecurityRules(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`allowed_networks`: addresses or networks (CIDR); none means from anywhere."""

    second_factor_required: bool = False
    allowed_networks: tuple[str, ...] = ()


async def rules(db: Database, merchant: UUID) -> SecurityRules:
    """As they are."""
    async with db.as_merchant(merchant) as conn:
        return _rules(await conn.fetchrow(_READ, merchant))


def _rules(row: asyncpg.Record | None) -> SecurityRules:
    assert row is not None
    return SecurityRules(
        second_factor_required=row["second_factor_required"],
        allowed_networks=tuple(row["allowed_networks"]),
    )


async def set_rules(  # noqa: PLR0913  what is wanted, and what was seen
    db: Database,
    who: SignedIn,
    merchant: UUID,
    wanted: SecurityRules,
    now: datetime,
    *,
    seen: SecurityRules | None = None,
) -> SecurityRules:
    """They hold from the next request on, for everyone who is signed in. Where `seen` is not what
    they are any more, somebody else was quicker. Raises RuleError."""
    kept = SecurityRules(
        second_factor_required=wanted.second_factor_required,
        allowed_networks=_networks(wanted.allowed_networks),
    )
    if not from_allowed(kept.allowed_networks, who.address):
        raise RuleError("locks_you_out", f"Your own address {who.address} is not in this list.")
    if kept.second_factor_required and not is_strong(who.factors):
        raise RuleError("locks_you_out", "Sign in with a second factor of your own first.")
    async with db.as_merchant(merchant) as conn:
        row = await conn.fetchrow(f"{_READ} FOR NO KEY UPDATE", merchant)
        before = _rules(row)
        if seen not in (None, before):
            raise RuleError("stale_settings", "Somebody else changed them meanwhile.")
        await conn.execute(
            "UPDATE merchants SET second_factor_required = $2, allowed_networks = $3"
            " WHERE id = $1",
            merchant, kept.second_factor_required, list(kept.allowed_networks),
        )  # fmt: skip
        act = Act(
            action="security.changed", merchant=merchant, subject=str(merchant),
            before=_plain(before), after=_plain(kept),
        )  # fmt: skip
        await record(conn, who.actor, act, now)
    return kept


def _networks(given: tuple[str, ...]) -> tuple[str, ...]:
    if len(given) > _MOST_NETWORKS:
        raise RuleError("bad_network", f"At most {_MOST_NETWORKS} networks are possible.")
    try:
        return tuple(dict.fromkeys(str(ip_network(one.strip(), strict=False)) for one in given))
    except ValueError:
        raise RuleError(
            "bad_network", "Write addresses or networks, such as 203.0.113.7 or 10.0.0.0/8."
        ) from None


def _plain(found: SecurityRules) -> dict[str, object]:
    return {
        "second_factor_required": found.second_factor_required,
        "allowed_networks": list(found.allowed_networks),
    }
