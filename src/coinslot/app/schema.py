"""The database's functions, collected from the rooms; applied again whenever their text changes."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from coinslot.app.kinds import KINDS
from coinslot.orders.fulfillment import Fulfillment
from coinslot.rollouts.flow import FLOWS as OF_ROLLOUTS
from coinslot.states import transition
from coinslot.states.unit_flow import UnitFlow

_ROOMS = Path(__file__).parent.parent

# From the bottom room up. A function may call one of a room above it: PL/pgSQL looks the name up
# when it runs. A function in plain SQL comes after what it calls.
_FILES = tuple(
    _ROOMS / name
    for name in (
        "pictures/sql/pictures.sql",
        "outlets/sql/stops.sql",
        "people/sql/people.sql",
        "events/sql/notices.sql",
        "books/sql/ledger.sql",
        "payments/sql/order_extras.sql",
        "payments/sql/order_refunds.sql",
        "payments/sql/settlement.sql",
        "payments/sql/captures.sql",
        "payments/sql/receipts.sql",
        "payments/sql/gateway_webhooks.sql",
        "payments/sql/merchant_api.sql",
        "vending/sql/slot_stock.sql",
        "vending/sql/machines.sql",
        "vending/sql/heard.sql",
        "stock/sql/counts.sql",
        "fleet/sql/config.sql",
        "coffee/sql/coffee.sql",
        "counter/sql/printing.sql",
        "counter/sql/counter.sql",
        "counter/sql/offers.sql",
        "counter/sql/credits.sql",
        "telemetry/sql/telemetry.sql",
        "telemetry/sql/counters.sql",
        "oversight/sql/cases.sql",
        "payments/sql/disputes.sql",
        "payments/sql/fees.sql",
        "payments/sql/found.sql",
        "oversight/sql/reconcile.sql",
        "oversight/sql/day_sums.sql",
        "oversight/sql/profit.sql",
        "oversight/sql/figures.sql",
        "oversight/sql/privacy.sql",
    )
)


def sql_functions(
    kinds: Mapping[str, Fulfillment] = KINDS, more: Sequence[Path] = ()
) -> list[tuple[str, str]]:
    """Name and text of each, in the order in which they are applied; `more` files come last.
    Raises LookupError where a kind names a function that no file has."""
    flows = [kind.flow for kind in kinds.values()]
    files = [(_name(path), path.read_text(encoding="utf-8")) for path in (*_FILES, *more)]
    _look_at_names(flows, "".join(text for _, text in files))
    return [*transition.sql_functions(flows, OF_ROLLOUTS), *files]


def _name(path: Path) -> str:
    """Under which `coinslot migrate` remembers it."""
    known = path.is_relative_to(_ROOMS)
    return (path.relative_to(_ROOMS).as_posix() if known else path.name).removesuffix(".sql")


def _look_at_names(flows: Sequence[UnitFlow], texts: str) -> None:
    """PL/pgSQL would miss them when the first unit is sold, with its money taken."""
    for flow in flows:
        said = flow.declared
        for name in (said.queued, said.begun, said.expired, said.settled):
            if name is not None and f"FUNCTION {name}(" not in texts:
                raise LookupError(f"{flow.name}: no SQL file has the function {name}")
