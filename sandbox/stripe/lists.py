"""Lists: newest first, a page after or before an id, filters by time and by field."""

import re
from typing import TypeVar

import msgspec

from sandbox.shelf import Thing
from sandbox.store import Change
from sandbox.stripe.forms import Fields
from sandbox.stripe.refusals import invalid

LIMIT_DEFAULT, LIMIT_MOST = 10, 100
SIGNS = {"gte": ">=", "gt": ">", "lte": "<=", "lt": "<"}
T = TypeVar("T", bound=Thing)


def listed(
    change: Change, kind: type[T], account_id: str, fields: Fields, *filters: str
) -> tuple[list[T], bool]:
    """One page, and whether there are more. `filters` are fields of the thing."""
    where, args = ["kind = ?", "account_id = ?"], [kind.kind, account_id]
    bounds = _created(fields)
    where += [f"created_at {sign} {second}" for sign, second in bounds]
    after, before = fields.text("starting_after"), fields.text("ending_before")
    for cursor, sign in ((after, "<"), (before, ">")):
        if cursor is not None:
            where.append(f"seq {sign} (SELECT seq FROM things WHERE id = ?)")
            args.append(cursor)
    for name in filters:
        if value := fields.text(name):
            where.append(f"json_extract(body, '$.{name}') = ?")
            args.append(value)
    limit = fields.whole("limit") or LIMIT_DEFAULT
    if limit > LIMIT_MOST:
        raise invalid("This value must be less than or equal to 100.", "limit")
    fields.end()
    order = "ASC" if before else "DESC"
    rows = change.all(
        f"SELECT body FROM things WHERE {' AND '.join(where)} ORDER BY seq {order} LIMIT ?",
        (*args, limit + 1),
    )
    found = [msgspec.json.decode(row["body"], type=kind) for row in rows[:limit]]
    return (found[::-1] if before else found), len(rows) > limit


def _created(fields: Fields) -> list[tuple[str, int]]:
    said = fields.raw("created")
    if said is None:
        return []
    pairs = {"=": said} if isinstance(said, str) else said
    bounds = []
    for sign, second in pairs.items() if isinstance(pairs, dict) else []:
        known = SIGNS.get(sign, sign if sign == "=" else None)
        if known is None or not re.fullmatch(r"[0-9]{1,12}", str(second)):
            raise invalid("Invalid timestamp", "created")
        bounds.append((known, int(second)))
    return bounds
