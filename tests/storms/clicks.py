"""What people pressed at the console and were told, beside what stands on record: each click that
was answered has its one effect, one that was not at most one. The audit log has every act once, in
the transaction that did it."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import asyncpg
from msgspec import Struct

# An entry is written by the transaction that marked its form as worked: their numbers are one.
FORMS = """
SELECT k.key, k.worked_by IS NOT NULL AS worked,
    array_remove(array_agg(a.action), NULL) AS acts
FROM idempotency_keys k LEFT JOIN audit_log a ON a.merchant_id = k.merchant_id
    AND a.xmin::text::bigint = k.worked_by::text::numeric % 4294967296
WHERE k.endpoint LIKE 'console /%' OR k.endpoint LIKE 'console ________-%' GROUP BY 1, 2
"""
STRAY = """
SELECT a.action, a.subject, a.at FROM audit_log a WHERE a.action = ANY($1)
    AND a.person_id IS NOT NULL AND NOT EXISTS (SELECT FROM idempotency_keys k
        WHERE k.merchant_id = a.merchant_id
            AND a.xmin::text::bigint = k.worked_by::text::numeric % 4294967296)
"""
# A program's refund names what it made; the entry was written by the transaction that made it.
PROGRAMS = """
SELECT k.key, k.done_at IS NOT NULL AS worked, count(o.id) AS refunds, count(a.seq) AS acts
FROM idempotency_keys k LEFT JOIN order_refunds o ON o.id = k.subject_id
LEFT JOIN audit_log a ON a.xmin = o.xmin AND a.action = 'order.refunded'
WHERE k.endpoint LIKE 'POST /orders/%' GROUP BY 1, 2
"""
REFUNDS = "SELECT substr(key, 9) AS key, count(*) AS n FROM order_refunds GROUP BY 1"
# What the audit log calls each kind.
ACTS: Mapping[str, str] = {
    "refund": "order.refunded", "case": "case.", "price": "machine.configured",
    "sale": "slot.", "pause": "machine.", "secret": "device.provisioned",
    "gateway": "gateway.changed", "endpoint": "endpoint.rotated", "api key": "api_key.rotated",
    "walk in": "walk_in.",
}  # fmt: skip
_WHOLE = ("order.refunded", "machine.configured", "device.provisioned", "gateway.changed",
          "endpoint.rotated", "api_key.rotated")  # fmt: skip


class Click(Struct, kw_only=True):
    """One form of one page, however often it was pressed."""

    kind: str
    login: str
    key: str
    pressed: int = 0
    status: int = 0  # of the last answer
    told: str = ""  # "done" or "refused"; empty: nobody answered
    rude: list[str] = []  # answers that a person should never get


class Clicks:
    """`breaches()` is what the storm is about; `ends` are numbers for the report."""

    def __init__(
        self, clicks: Mapping[str, Click], rows: Mapping[str, list[asyncpg.Record]]
    ) -> None:
        self._clicks = clicks
        self._forms = {row["key"]: row for row in rows["forms"]}
        self._refunds = {row["key"]: row["n"] for row in rows["refunds"]}
        self._programs = {row["key"]: row for row in rows["programs"]}
        self._stray = rows["stray"]
        self.ends: Counter[str] = Counter()

    def breaches(self) -> list[str]:
        found = [f"an act that no click did: {dict(row)}" for row in self._stray]
        for click in self._clicks.values():
            self.ends[f"clicks {click.told or 'not answered'}"] += 1
            self.ends["clicks pressed again"] += click.pressed > 1
            found += [f"{problem}: {click}" for problem in self._problems(click)]
        return found

    def _by_program(self, click: Click) -> list[str]:
        row = self._programs.get(click.key)
        made = row is not None and row["worked"]
        found = [f"rude: {said}" for said in click.rude]
        if row is not None and (row["refunds"], row["acts"]) != (made, made):
            found.append(f"{row['refunds']} refunds, and the audit log has {row['acts']}")
        if click.told and (click.told == "done") is not made:
            found.append(f"told {click.told}, and made is {made}")
        return found

    def _problems(self, click: Click) -> list[str]:
        if click.kind == "program":
            return self._by_program(click)
        form = self._forms.get(click.key)
        acts: list[str] = list(form["acts"]) if form is not None else []
        worked = form is not None and form["worked"]
        found = [f"rude: {said}" for said in click.rude]
        if len(acts) != worked:
            found.append(f"worked {worked}, and the audit log has {acts}")
        if any(not act.startswith(ACTS[click.kind]) for act in acts):
            found.append(f"the audit log calls it {acts}")
        if click.told == "refused" and worked:
            found.append("refused, and done all the same")
        if click.told == "done" and not worked and click.kind not in _MAY_CHANGE_NOTHING:
            found.append("told that it was done, and it was not")
        if click.kind == "refund" and self._refunds.get(click.key, 0) != worked:
            found.append(f"{self._refunds.get(click.key, 0)} refunds")
        return found


# A price that is set already, a case that another person closed.
_MAY_CHANGE_NOTHING = frozenset({"price", "case"})


async def read(town: Any) -> dict[str, list[asyncpg.Record]]:
    """What stands on record."""
    return {
        "forms": await town.rows(FORMS),
        "programs": await town.rows(PROGRAMS),
        "stray": await town.rows(STRAY, list(_WHOLE)),
        "refunds": await town.rows(REFUNDS),
    }
