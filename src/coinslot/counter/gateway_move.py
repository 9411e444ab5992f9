"""From practice to a real gateway, and back: what is looked at before, and the move itself. Orders
that are open end first, so that none is paid at one place and looked for at another."""

from typing import Final
from uuid import UUID

from msgspec import Struct

from coinslot.context import Context
from coinslot.db.pool import Connection
from coinslot.kit.money import Money
from coinslot.notices.base import Form as MessageForm
from coinslot.payments import gateway_accounts, store, ways_to_pay
from coinslot.payments.gateway_accounts import AccountStatement
from coinslot.payments.ways_to_pay import Form
from coinslot.people.audit_log import Act, Actor, record

_ANY_SUM: Final = 2**53
_READY: Final = """
SELECT o.currency::text, s.hours <> '[]' AS has_hours,
    (SELECT count(*) FROM orders r WHERE r.outlet_id = o.id AND r.ended_at IS NULL) AS open_orders,
    (SELECT count(*) FROM counter_items i WHERE i.outlet_id = o.id AND i.retired_at IS NULL)
        AS items,
    (SELECT count(*) FROM counter_items i WHERE i.outlet_id = o.id AND i.retired_at IS NULL
        AND i.price_minor <= 0) AS unpriced,
    ARRAY(SELECT w.account_id FROM ways_to_pay w WHERE w.outlet_id = o.id AND w.place IS NOT NULL
        ORDER BY w.place) AS accounts
FROM outlets o JOIN counter_stores s ON s.outlet_id = o.id
WHERE o.id = $1 AND o.decommissioned_at IS NULL
"""


class NotReadyError(Exception):
    """The move cannot be made now. `why`: 'open_orders', 'menu' or 'account'."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Readiness(Struct, frozen=True, kw_only=True):
    """What is looked at. Without hours it is open day and night; without messages the code is on
    the order's page alone."""

    currency: str
    open_orders: int
    items: int
    unpriced: int
    has_hours: bool
    sends: bool
    now: tuple[AccountStatement, ...]  # where customers pay
    may: tuple[AccountStatement, ...]  # where they could instead

    @property
    def practises(self) -> bool:
        """No money is moved."""
        return bool(self.now) and not any(is_for_money(one) for one in self.now)

    @property
    def is_priced(self) -> bool:
        return self.items > 0 and self.unpriced == 0

    @property
    def may_move(self) -> bool:
        return not self.open_orders and self.is_priced and bool(self.may)


def is_for_money(account: AccountStatement) -> bool:
    """An account of which it is not known counts as one that moves money."""
    return account.real and account.live is not False


async def readiness(context: Context, merchant: UUID, outlet: str) -> Readiness | None:
    """None: it is no counter of this merchant's."""
    async with context.db.as_merchant(merchant) as conn:
        row = await conn.fetchrow(_READY, outlet)
    if row is None:
        return None
    known = await gateway_accounts.listed(context, merchant)
    fit = [
        one for one in known
        if one.disabled_at is None and one.id not in row["accounts"] and ways_to_pay.fits(
            await context.accounts.by_id(one.id), Form.LINK, Money(_ANY_SUM, row["currency"])
        )
    ]  # fmt: skip
    return Readiness(
        currency=row["currency"], open_orders=row["open_orders"], items=row["items"],
        unpriced=row["unpriced"], has_hours=row["has_hours"],
        sends=bool({MessageForm.SMS, MessageForm.EMAIL} & set(context.notifiers)),
        now=tuple(one for one in known if one.id in row["accounts"]), may=tuple(fit),
    )  # fmt: skip


async def move(context: Context, who: Actor, merchant: UUID, outlet: str, account: UUID) -> None:
    """From now on customers pay there alone. It is looked at again under the lock of the counter.
    Raises NotReadyError, LookupError."""
    ready = await readiness(context, merchant, outlet)
    if ready is None:
        raise LookupError(outlet)
    chosen = next((one for one in ready.may if one.id == account), None)
    if chosen is None:
        raise NotReadyError("account")
    if not ready.is_priced:
        raise NotReadyError("menu")
    async with context.db.as_merchant(merchant) as conn:
        await _empty(conn, outlet)
        await ways_to_pay.keep(conn, merchant, outlet, [(account, Form.LINK)])
        act = Act(
            action="store.gateway", merchant=merchant, subject=outlet,
            before={"accounts": [f"{one.gateway}/{one.slug}" for one in ready.now]},
            after={"accounts": [f"{chosen.gateway}/{chosen.slug}"]},
        )  # fmt: skip
        await record(conn, who, act, context.now())


async def _empty(conn: Connection, outlet: str) -> None:
    """Raises NotReadyError."""
    await conn.execute(store.LOCK_OUTLET_ROW, outlet)
    row = await conn.fetchrow(_READY, outlet)
    if row is None or row["open_orders"]:
        raise NotReadyError("open_orders")
