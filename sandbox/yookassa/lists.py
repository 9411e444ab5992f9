"""Lists: newest first, a cursor instead of page numbers, filters by time, status and payment."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TypeVar

import msgspec

from sandbox.shelf import Thing
from sandbox.store import Change
from sandbox.yookassa.fields import INVALID
from sandbox.yookassa.refusals import ApiError
from sandbox.yookassa.wire import EPOCH

LIMIT_DEFAULT, LIMIT_MOST = 10, 100
SIGNS = {"gte": ">=", "gt": ">", "lte": "<=", "lt": "<"}
T = TypeVar("T", bound=Thing)


def listed(
    change: Change, kind: type[T], account_id: str, query: Mapping[str, str]
) -> tuple[list[T], str | None]:
    """One page, and the cursor of the next one if there is one."""
    where, args = ["kind = ?", "account_id = ?"], [kind.kind, account_id]
    bounds: list[int] = []
    for name, value in query.items():
        field, _, sign = name.partition(".")
        if field == "created_at" and sign in SIGNS:
            where.append(f"created_at {SIGNS[sign]} ?")
            bounds.append(_ms(value, name))
    if "cursor" in query:
        where.append("seq < ?")
        bounds.append(_seq(query["cursor"]))
    texts = [name for name in ("status", "payment_id", "refund_id") if name in query]
    where += [f"json_extract(body, '$.{name}') = ?" for name in texts]
    limit = _limit(query.get("limit"))
    rows = change.all(
        f"SELECT seq, body FROM things WHERE {' AND '.join(where)} ORDER BY seq DESC LIMIT ?",
        (*args, *bounds, *(query[name] for name in texts), limit + 1),
    )
    found = [msgspec.json.decode(row["body"], type=kind) for row in rows[:limit]]
    more = len(rows) > limit
    return found, _cursor(rows[limit - 1]["seq"]) if more else None


def _limit(said: str | None) -> int:
    if said is None:
        return LIMIT_DEFAULT
    if not said.isdecimal() or not 1 <= int(said) <= LIMIT_MOST:
        raise ApiError(INVALID, "limit")
    return int(said)


def _cursor(seq: int) -> str:
    return f"37a5c87d-3984-51e8-a7f3-{seq:012x}"


def _seq(cursor: str) -> int:
    found = re.fullmatch(r"37a5c87d-3984-51e8-a7f3-([0-9a-f]{12})", cursor)
    if found is None:
        raise ApiError(INVALID, "cursor")
    return int(found[1], 16)


def _ms(said: str, name: str) -> int:
    try:
        at = datetime.fromisoformat(said)
    except ValueError as problem:
        raise ApiError(INVALID, name) from problem
    if at.tzinfo is None:
        raise ApiError(INVALID, name)
    return (at - EPOCH) // timedelta(milliseconds=1)
