"""What merchants' servers were told, what the gateways did, and what we have booked: one story."""

import json
from collections import defaultdict
from typing import Any, NamedTuple

import asyncpg

from tests.storms.chronicle import Chronicle
from tests.storms.compare import Breach
from tests.storms.servers import Charge
from tests.storms.tills import TILLS
from tests.storms.town import Town

# Told once, it stays so: `failed` and `requires_action` may still be paid.
FINAL = ("succeeded", "canceled")
_TRIES = """
SELECT c.payment_id, c.gateway_payment_id, c.captured, c.open, c.reason,
    c.refund_due + c.surplus AS due
FROM captures c JOIN payments p ON p.id = c.payment_id WHERE p.source = 'api'
"""
_GIVEN = """
SELECT c.gateway_payment_id, sum(r.amount_minor)::bigint AS given
FROM refunds r JOIN captures c ON c.id = r.capture_id
WHERE r.state = 'succeeded' AND r.gateway_refund_id IS NOT NULL GROUP BY 1
"""
_EVIDENCE = (
    ("payment", "SELECT * FROM payments WHERE id = $1"),
    ("attempt", "SELECT * FROM attempts WHERE payment_id = $1 ORDER BY number"),
    ("capture", "SELECT * FROM captures WHERE payment_id = $1"),
    ("refund", "SELECT r.* FROM refunds r JOIN captures c ON c.id = r.capture_id"
               " WHERE c.payment_id = $1 ORDER BY r.created_at"),
    ("event", "SELECT at, machine, event, was, state, data FROM events WHERE subject_id = $1"
              " OR subject_id IN (SELECT id FROM attempts WHERE payment_id = $1)"
              " OR subject_id IN (SELECT r.id FROM refunds r JOIN captures c"
              " ON c.id = r.capture_id WHERE c.payment_id = $1) ORDER BY seq"),
    ("stray", "SELECT * FROM strays WHERE subject_id = $1"
              " OR subject_id IN (SELECT id FROM attempts WHERE payment_id = $1)"),
)  # fmt: skip


class Tills(NamedTuple):
    """The books of the gateways, and ours of the payments made through the API."""

    gateways: dict[str, dict[str, Any]]  # by their payment id
    payments: dict[str, asyncpg.Record]  # by our payment id
    captures: dict[str, list[asyncpg.Record]]  # by our payment id
    known: set[str]  # gateway payment ids that we have a capture of
    given: dict[str, int]  # by gateway payment id
    refunds: dict[str, asyncpg.Record]  # by our refund id


def charged(books: dict[str, Any], chronicle: Chronicle) -> dict[str, dict[str, Any]]:
    """The gateways' payments by reference, without those of printed codes and strangers."""
    return {
        row["reference"]: row
        for gateway in TILLS
        for row in books[gateway]["payments"]
        if row.get("qr_code_id") is None and row["reference"] not in chronicle.foreign
    }


async def tills(town: Town, chronicle: Chronicle) -> Tills:
    """Everything there is."""
    books = await town.ask("GET", "/books")
    captures: dict[str, list[asyncpg.Record]] = defaultdict(list)
    for row in await town.rows(_TRIES):
        captures[str(row["payment_id"])].append(row)
    ours = await town.rows("SELECT * FROM payments WHERE source = 'api'")
    refunds = await town.rows("SELECT * FROM refunds")
    known = await town.rows("SELECT gateway_payment_id FROM captures")
    return Tills(
        gateways=charged(books, chronicle),
        payments={str(row["id"]): row for row in ours},
        captures=captures,
        known={row["gateway_payment_id"] for row in known},
        given={row["gateway_payment_id"]: row["given"] for row in await town.rows(_GIVEN)},
        refunds={str(row["id"]): row for row in refunds},
    )


class Charges:
    """`breaches()` once nothing is open; `ends` are numbers for the report."""

    def __init__(self, books: Tills, charges: list[Charge]) -> None:
        self.books = books
        self._charges = charges
        self.ends: dict[str, int] = defaultdict(int)

    def breaches(self) -> list[Breach]:
        found = []
        for reference, row in self.books.gateways.items():
            if row["captured"] and reference not in self.books.known:
                found.append(Breach("charged, and we do not know it", reference, str(row)))
        for payment in self.books.payments.values():
            found += self._money(payment)
        for charge in self._charges:
            found += [Breach("a rude answer", str(charge.payment), why) for why in charge.rude]
            if charge.payment is not None:
                found += self._words(charge, self.books.payments[charge.payment])
        return found

    def _money(self, payment: asyncpg.Record) -> list[Breach]:
        """What the gateways kept is what was collected and not given back: once, or nothing."""
        found, kept, bought = [], 0, []
        for capture in self.books.captures.get(str(payment["id"]), ()):
            reference = capture["gateway_payment_id"]
            row = self.books.gateways.get(reference, {"captured": 0, "refunded": 0})
            given = self.books.given.get(reference, 0)
            if (row["captured"], row["refunded"]) != (capture["captured"], given):
                why = f"the gateway says {row}, we say {capture['captured']} and {given} back"
                found.append(Breach("the books differ", str(payment["id"]), why))
            if capture["open"] or capture["due"] != given:
                why = f"{capture}: {given} given back"
                found.append(Breach("not given back", str(payment["id"]), why))
            kept += row["captured"] - row["refunded"]
            if capture["reason"] is None:
                bought.append(capture)
        if len(bought) > 1:
            found.append(Breach("collected twice", str(payment["id"]), str(bought)))
        if bool(bought) != (payment["state"] == "succeeded"):
            why = f"{payment['state']}, with {len(bought)} collected"
            found.append(Breach("the state is not the money", str(payment["id"]), why))
        if payment["state"] != "succeeded" and kept:
            why = f"{payment['state']}, and {kept} kept"
            found.append(Breach("kept for nothing", str(payment["id"]), why))
        self._count(payment, kept, len(self.books.captures.get(str(payment["id"]), ())))
        return found

    def _count(self, payment: asyncpg.Record, kept: int, captures: int) -> None:
        end = payment["state"]
        if end == "succeeded":
            whole = kept == payment["amount_minor"]
            end = "collected" if whole else "collected, part kept" if kept else "given back"
        elif captures:
            end = f"{end}, late money back"
        self.ends[f"by API {end}"] += 1

    def _words(self, charge: Charge, payment: asyncpg.Record) -> list[Breach]:
        """No server was told what did not stay true."""
        found = []
        for word in FINAL:
            if word in charge.told and payment["state"] != word:
                why = f"told {charge.told}, and it is {payment['state']}"
                found.append(Breach("told what was not true", str(charge.payment), why))
        for refund in charge.refunds:
            row = self.books.refunds.get(refund)
            if row is None or row["state"] not in ("succeeded", "failed"):
                found.append(Breach("a refund that was promised", str(charge.payment), str(row)))
        return found


async def evidence(town: Town, breach: Breach, charges: list[Charge]) -> str:
    """All that is known about a breach, to be read by a person."""
    lines = [f"\n*** {breach}"]
    lines += [f"  server: {charge}" for charge in charges if charge.payment == breach.payment]
    if len(breach.payment) == 36:
        for title, sql in _EVIDENCE:
            for row in await town.rows(sql, breach.payment):
                kept = {name: value for name, value in row.items() if value is not None}
                lines.append(f"  {title}: {json.dumps(kept, default=str)}")
    return "\n".join(lines)
