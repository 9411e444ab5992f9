"""The database's functions, collected from the rooms; applied again whenever their text changes."""

from collections.abc import Sequence
from pathlib import Path

from coinslot.states import transition
from coinslot.states.unit_flow import UnitFlow
from coinslot.vending.flow import VENDING

KINDS: tuple[UnitFlow, ...] = (VENDING,)  # every way of selling that this program has
_ROOMS = Path(__file__).parent.parent

# From the bottom room up. A function may call one of a room above it: PL/pgSQL looks the name up
# when it runs. A function in plain SQL comes after what it calls.
_FILES = (
    "people/sql/people.sql",
    "books/sql/ledger.sql",
    "payments/sql/order_extras.sql",
    "payments/sql/order_refunds.sql",
    "payments/sql/settlement.sql",
    "payments/sql/captures.sql",
    "payments/sql/gateway_webhooks.sql",
    "payments/sql/merchant_api.sql",
    "vending/sql/machines.sql",
    "oversight/sql/cases.sql",
    "payments/sql/disputes.sql",
    "payments/sql/fees.sql",
    "payments/sql/found.sql",
    "oversight/sql/reconcile.sql",
)


def sql_functions(kinds: Sequence[UnitFlow] = KINDS) -> list[tuple[str, str]]:
    """Name and text of each, in the order in which they are applied."""
    files = [(name.removesuffix(".sql"), (_ROOMS / name).read_text()) for name in _FILES]
    return [*transition.sql_functions(kinds), *files]
