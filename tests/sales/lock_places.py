"""Every lock of a row that the code takes, and where a verb is seen to stand at it."""

import ast
import functools
import re
from collections.abc import Iterator
from pathlib import Path

import asyncpg

from coinslot.app.schema import sql_functions
from tests.mutation.python_sql import statements
from tests.mutation.sql_marks import functions_in

SRC = Path(__file__).parents[2] / "src/coinslot"
_LOCKS = re.compile(r"FOR (?:NO KEY UPDATE|UPDATE|SHARE)")
_TUPLE = re.compile(r'while locking tuple .* in relation "(\w+)"')
_STATEMENT = re.compile(r'[^\n]*\nSQL statement "(.*?)"\n(?:PL/pgSQL|SQL) function', re.DOTALL)
_WITHIN = re.compile(r'(?:PL/pgSQL function |SQL function ")(\w+).*')


def place_of(error: asyncpg.PostgresError, query: str) -> Iterator[str]:
    """The lock at which a statement stood that was cancelled; none, where it stood at a write."""
    context = getattr(error, "context", "") or ""
    table, within = _TUPLE.search(context), _WITHIN.search(context)
    if table and within:
        said = _STATEMENT.match(context)
        if "FOR over SELECT" in within[0] or (said and _LOCKS.search(said[1])):
            yield f"{table[1]} by {within[1]}"
    elif table and _flat(query) in in_python():
        yield f"{table[1]} by {in_python()[_flat(query)]}"


def _flat(text: str) -> str:
    return " ".join(re.sub(r"--[^\n]*", "", text).split())


@functools.cache
def in_python() -> dict[str, str]:
    """Statements with a lock, and the constant or function that each stands in."""
    return {statement: where for _, where, statement in _statements()}


def _statements() -> Iterator[tuple[str, str, str]]:
    """The room, the constant or function, and the statement."""
    for path in sorted(SRC.rglob("*.py")):
        text = path.read_text("utf-8")
        if _LOCKS.search(text):
            for where, statement in statements(ast.parse(text), text):
                if _LOCKS.search(statement.sql):
                    yield path.relative_to(SRC).parts[0], where, _flat(statement.sql)


# By scene of `test_lock_order.py`: at which locks its verb stands, whoever holds the row.
STANDS: dict[str, set[str]] = {
    "a can drops": {
        "captures by LOCK_UNIT", "fulfillments by LOCK_UNIT", "orders by end_order",
        "vend_units by LOCK_UNIT",
    },
    "a coil jams": {
        "captures by LOCK_UNIT", "fulfillments by LOCK_UNIT", "orders by end_order",
        "vend_units by LOCK_UNIT",
    },
    "a machine greets": {
        "captures by LOCK_UNIT", "fulfillments by LOCK_UNIT", "vend_units by LOCK_UNIT",
    },
    "doubt ends": {"captures by LOCK_UNIT", "fulfillments by LOCK_UNIT", "orders by end_order"},
    "a machine accepts": {
        "captures by LOCK_UNIT", "fulfillments by LOCK_UNIT", "vend_units by LOCK_UNIT",
    },
    "a can drops, in one call": {
        "captures by heard_line", "fulfillments by heard_line", "orders by end_order",
        "vend_units by heard_line",
    },
    "a motor starts, in one call": {
        "captures by heard_line", "fulfillments by heard_line", "vend_units by heard_line",
    },
    "a machine accepts, in one call": {
        "captures by heard_accept", "fulfillments by heard_accept", "vend_units by heard_accept",
    },
    "a unit is offered": {
        "captures by next_unit", "devices by next_unit", "fulfillments by next_unit",
    },
    "an order is paid": {
        "attempts by transition_attempt", "orders by pay_placed", "payments by transition_payment",
        "slots by others_were_first",
    },
    "an order is paid late": {"orders by pay_placed", "payments by transition_payment"},
    "an order expires": {"orders by expire", "payments by transition_payment"},
    "a way is changed": {
        "orders by ORDER_TO_PAY", "outlets by LOCK_OUTLET", "payments by _payment",
    },
    "a code is made": {"attempts by transition_attempt", "payments by transition_payment"},
    "a code is not made": {"attempts by transition_attempt", "payments by transition_payment"},
    "a refund is proved": {"captures by note_refund", "refunds by note_refund"},
    "a refund fails there": {"captures by note_refund", "refunds by note_refund"},
    "a refund is covered": {"captures by LOCK_CAPTURE", "refunds by LOCK_REFUND"},
    "a refund is covered in part": {"captures by LOCK_CAPTURE", "refunds by LOCK_REFUND"},
    "money goes back outside": {
        "captures by note_refund", "fulfillments by book_outside_refund", "orders by end_order",
    },
    "a dispute is lost": {
        "captures by note_dispute", "disputes by note_dispute",
        "fulfillments by book_outside_refund", "orders by end_order",
    },
    "a person refunds": {"captures by refund_case"},
    "a person withdraws": {
        "captures by LOCK_CAPTURE", "fulfillments by LOCK_UNITS_LEFT", "orders by end_order",
    },
    "a person takes back": {"captures by LOCK_CAPTURE", "fulfillments by LOCK_UNITS_LEFT"},
    "a can drops that a person wants back": {
        "captures by LOCK_UNIT", "fulfillments by LOCK_UNIT", "orders by end_order",
        "vend_units by LOCK_UNIT",
    },
    "a machine contradicts itself": {
        "captures by LOCK_UNIT", "fulfillments by LOCK_UNIT", "vend_units by LOCK_UNIT",
    },
    "the API collects": {"attempts by transition_attempt", "payments by collect_api"},
    "the API refunds": {"captures by ask_refund"},
}  # fmt: skip


# Of money, units and what is sold.
ROOMS = ("payments", "orders", "vending", "states")


def all_places(rooms: tuple[str, ...] = ()) -> set[str]:
    """Every constant and function that locks a row, of these rooms or of all."""
    found = {where for room, where, _ in _statements() if not rooms or room in rooms}
    for name, sql in sql_functions():
        if rooms and not name.startswith(rooms):
            continue
        for name, start, end in functions_in(sql):
            if _LOCKS.search(sql, start, end):
                found.add(name)
    return found
