"""Opens a counter, all of it at once: its outlet, its address, and a way to pay."""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from msgspec.structs import replace

from coinslot.context import Context
from coinslot.counter.menu import NewStore, SlugTakenError, add_store
from coinslot.kit.ids import code
from coinslot.merchants.accounts import Account
from coinslot.outlets.machines import OutletTakenError
from coinslot.payments import ways_to_pay
from coinslot.payments.ways_to_pay import Form
from coinslot.people.audit_log import Act, Actor, record

_NUMBERED: Final = 99
_SLUG: Final = 50


async def open_store(context: Context, who: Actor, new: NewStore, account: Account) -> str:
    """Its code: the first free one where `new` names none. An address that is taken gets a number.
    Raises UnfitWayError, UnknownZoneError, OutletTakenError."""
    way = [(account.id, Form.LINK)]
    ways_to_pay.refuse_unfit("counter", new.currency, [(account, Form.LINK)])
    last: Exception = OutletTakenError(new.code)
    for named, slug in _names(new):
        try:
            async with context.db.as_merchant(new.merchant) as conn:
                wanted = replace(new, code=named, slug=slug)
                if not await add_store(conn, wanted, context.now()):
                    raise OutletTakenError(f"there is an outlet {named} already")
                await ways_to_pay.keep(conn, new.merchant, named, way)
                after = {"slug": slug, "name": new.name, "currency": new.currency}
                act = Act(action="store.added", merchant=new.merchant, subject=named, after=after)
                await record(conn, who, act, context.now())
            return named
        except (OutletTakenError, SlugTakenError) as error:
            last = error
    raise last


def slug_of(name: str) -> str:
    """The end of an address, of plain letters."""
    ascii_ = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", ascii_).strip("-")[:_SLUG].strip("-") or "menu"


def _names(new: NewStore) -> Iterator[tuple[str, str]]:
    """What is tried: codes one after the other, each with addresses of which one is free soon."""
    codes = [new.code] if new.code else [f"S{n:02}" for n in range(1, _NUMBERED + 1)]
    for named in codes:
        yield named, new.slug
        yield named, f"{new.slug}-{named.lower()}"[:63]
    if not new.code:
        yield f"S{code(6)}", f"{new.slug}-{code(6).lower()}"
