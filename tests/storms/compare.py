"""Three books side by side: the gateway's, what physically fell, and ours. Each must explain the
others, to the last coin and the last can."""

import json
from collections import defaultdict
from typing import Any, NamedTuple

import asyncpg
import msgspec

from coinslot.app.demo_world import DEMO_MACHINES
from tests.storms.chronicle import Chronicle
from tests.storms.town import Town

SIMPLE = {machine.code for machine in DEMO_MACHINES if machine.dialect == "simple"}
BLIND = {"sensor_dead", "motor_stuck"}
FALSE_WORD = "both, on the word of a blind machine (class G0)"
UNITS = (
    "(SELECT f.*, v.slot, v.seq, v.offered_at, v.journal_id, v.boot_id, v.accept, v.go_message,"
    " v.lease_end, v.started_at FROM fulfillments f JOIN vend_units v ON v.id = f.id)"
)
EVIDENCE = (
    ("capture", "SELECT * FROM captures WHERE gateway_payment_id = $1"),
    ("unit", f"SELECT f.* FROM {UNITS} f JOIN captures c ON c.id = f.capture_id"
             " WHERE c.gateway_payment_id = $1"),
    ("event", "SELECT e.at, e.machine, e.event, e.was, e.state, e.data FROM events e"
              " WHERE e.subject_id IN (SELECT f.id FROM fulfillments f JOIN captures c"
              " ON c.id = f.capture_id WHERE c.gateway_payment_id = $1 UNION SELECT r.id"
              " FROM refunds r JOIN captures c ON c.id = r.capture_id"
              " WHERE c.gateway_payment_id = $1) ORDER BY e.seq"),
    ("machine said", "SELECT d.at, d.journal_id, d.event_seq, d.message FROM device_events d"
                     " WHERE d.unit_id IN (SELECT f.id FROM fulfillments f JOIN captures c"
                     " ON c.id = f.capture_id WHERE c.gateway_payment_id = $1) ORDER BY d.at"),
    ("refund", "SELECT r.* FROM refunds r JOIN captures c ON c.id = r.capture_id"
               " WHERE c.gateway_payment_id = $1 ORDER BY r.created_at"),
    ("discrepancy", "SELECT d.kind, d.amount_minor FROM discrepancies d LEFT JOIN captures c"
                    " ON c.id = d.capture_id WHERE c.gateway_payment_id = $1"),
)  # fmt: skip


# A person decided so at the console: of an order, or of a case.
BY_PEOPLE = """
SELECT c.gateway_payment_id AS payment, sum(CASE WHEN EXISTS (SELECT FROM corrections k
        WHERE k.fulfillment_id = f.id) THEN f.amount_minor
    ELSE coalesce((SELECT sum(w.amount_minor) FROM order_refund_parts w
        WHERE w.fulfillment_id = f.id AND w.outcome = 'taken'), 0) END)::bigint AS n
FROM fulfillments f JOIN captures c ON c.id = f.capture_id GROUP BY 1
"""


class Breach(NamedTuple):
    """A promise that was not kept, and all that is known about it."""

    rule: str
    payment: str
    why: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.payment}: {self.why}"


class Books(NamedTuple):
    """The three books, read once nothing is open."""

    gateway: list[dict[str, Any]]
    fell: dict[str, list[dict[str, Any]]]  # by unit
    strange: list[str]  # drops of no unit at all
    captures: dict[str, asyncpg.Record]  # by payment
    units: dict[str, list[asyncpg.Record]]  # by payment
    refunds: dict[str, list[asyncpg.Record]]  # by payment
    by_people: dict[str, int]  # given back of goods that were handed over, by payment
    noted: dict[str, set[str]]  # discrepancies, by payment
    servers: set[str]  # payments of merchants' servers: `compare_charges` looks at these


async def books(town: Town) -> Books:
    """Everything there is, in three reads."""
    fell: dict[str, list[dict[str, Any]]] = defaultdict(list)
    strange = []
    for machine in DEMO_MACHINES:
        path = town.machines / machine.code / "drops.jsonl"
        for line in path.read_bytes().splitlines() if path.exists() else ():
            drop = msgspec.json.decode(line, type=dict[str, Any]) | {"outlet": machine.code}
            if drop["unit_id"] is None:
                strange.append(str(drop))
            else:
                fell[drop["unit_id"]].append(drop)
    by_payment = "SELECT c.gateway_payment_id AS payment, x.* FROM {} x JOIN captures c ON c.id = "
    units = await town.rows(by_payment.format(UNITS) + "x.capture_id")
    refunds = await town.rows(by_payment.format("refunds") + "x.capture_id")
    noted = await town.rows(by_payment.format("discrepancies") + "x.capture_id")
    kinds: dict[str, set[str]] = defaultdict(set)
    for row in noted:
        kinds[row["payment"]].add(row["kind"])
    return Books(
        gateway=(await town.ask("GET", "/books"))["razorpay"]["payments"],
        fell=dict(fell),
        strange=strange,
        captures={row["gateway_payment_id"]: row for row in await town.rows(
            "SELECT * FROM captures")},
        units=_grouped(units),
        refunds=_grouped(refunds),
        by_people={row["payment"]: row["n"] for row in await town.rows(BY_PEOPLE)},
        noted=kinds,
        servers={row["gateway_payment_id"] for row in await town.rows(
            "SELECT c.gateway_payment_id FROM captures c JOIN payments p ON p.id = c.payment_id"
            " WHERE p.source = 'api'")},
    )  # fmt: skip


def _grouped(rows: list[asyncpg.Record]) -> dict[str, list[asyncpg.Record]]:
    groups: dict[str, list[asyncpg.Record]] = defaultdict(list)
    for row in rows:
        groups[row["payment"]].append(row)
    return groups


class Comparison:
    """`breaches()` is what the storm is about; the rest are numbers for the report."""

    def __init__(self, all_books: Books, chronicle: Chronicle) -> None:
        self.books = all_books
        self._chronicle = chronicle
        self.ends: dict[str, int] = defaultdict(int)

    def breaches(self) -> list[Breach]:
        found = [*self._drops()]
        for payment in self.books.gateway:
            if payment["reference"] in self._chronicle.foreign:
                found += self._foreign(payment)
            elif payment["captured"] and payment["reference"] not in self.books.servers:
                found += self._ours(payment)
        return found

    def _drops(self) -> list[Breach]:
        """Nothing twice, and nothing that nobody paid for."""
        known = {str(unit["id"]): unit for units in self.books.units.values() for unit in units}
        found = [Breach("a drop without a unit", "-", drop) for drop in self.books.strange]
        for unit_id, drops in self.books.fell.items():
            unit = known.get(unit_id)
            if unit is None:
                found.append(Breach("a drop of an unknown unit", "-", str(drops)))
            elif len(drops) > 1:
                found.append(Breach("twice", unit["payment"], f"unit {unit_id} fell: {drops}"))
            elif unit["sent_at"] is None:
                found.append(Breach("a drop without GO", unit["payment"], str(drops)))
        return found

    def _foreign(self, payment: dict[str, Any]) -> list[Breach]:
        reference = payment["reference"]
        capture = self.books.captures.get(reference)
        by_hand = self._chronicle.by_hand.get(reference, 0)
        self.ends["foreign, left alone"] += 1
        if payment["refunded"] > by_hand:
            return [Breach("foreign money was given back", reference, str(payment))]
        if capture is not None and capture["foreign_amount"] != payment["captured"]:
            return [Breach("foreign money is not booked as such", reference, str(capture))]
        return []

    def _ours(self, payment: dict[str, Any]) -> list[Breach]:
        reference = payment["reference"]
        capture = self.books.captures.get(reference)
        if capture is None:
            return [Breach("a capture that we do not know", reference, str(payment))]
        units = self.books.units.get(reference, [])
        found = self._our_books(payment, capture)
        dropped = [unit for unit in units if self._fell(unit, right=True)]
        handed_out = sum(unit["amount_minor"] for unit in dropped)
        by_people = self.books.by_people.get(reference, 0)
        got = handed_out + payment["refunded"] - by_people
        if got < payment["captured"]:
            if any(self._fell(unit, right=False) and unit["settlement"] == "fulfilled"
                   and unit["outlet_id"] in SIMPLE for unit in units):  # fmt: skip
                self.ends["another can (class G0 cannot tell)"] += 1
            else:
                found.append(Breach("neither", reference, f"{got} of {payment['captured']}"))
        elif got > payment["captured"]:
            found += self._both(payment, dropped)
        elif handed_out and by_people:
            self.ends["goods, and money back by a person"] += 1
        elif handed_out and "no_drop_after_fulfilled" in self.books.noted.get(reference, ()):
            self.ends["goods, and taken back in vain"] += 1
        elif handed_out:
            self.ends["goods"] += 1
        else:
            why = {unit["basis"] for unit in units} or {capture["reason"]}
            self.ends[f"money back: {', '.join(sorted(map(str, why)))}"] += 1
        found += self._policies(units)
        return found

    def _our_books(self, payment: dict[str, Any], capture: asyncpg.Record) -> list[Breach]:
        """Ours say the same as the gateway's and the machines'."""
        reference, found = payment["reference"], []
        given = sum(
            refund["amount_minor"]
            for refund in self.books.refunds.get(reference, ())
            if refund["state"] == "succeeded" and refund["gateway_refund_id"] is not None
        )
        if given != payment["refunded"]:
            why = f"we booked {given} given back, the gateway {payment['refunded']}"
            found.append(Breach("refunds differ", reference, why))
        if capture["captured"] != payment["captured"] or capture["open"]:
            found.append(Breach("the capture differs", reference, str(capture)))
        for unit in self.books.units.get(reference, ()):
            fell = self._fell(unit, right=True)
            simple_mistake = unit["outlet_id"] in SIMPLE and self._fell(unit, right=False)
            if unit["settlement"] == "fulfilled" and not fell and not simple_mistake:
                found.append(Breach("fulfilled, and nothing fell", reference, str(unit["id"])))
            if unit["settlement"] == "refund_due" and fell and not self._excused(unit):
                why = f"{unit['id']} by {unit['basis']}"
                found.append(Breach("refunded though it fell", reference, why))
        return found

    def _both(self, payment: dict[str, Any], dropped: list[asyncpg.Record]) -> list[Breach]:
        """Only what policy flagged, or what a person gave back by hand; and never silently."""
        reference = payment["reference"]
        noted = self.books.noted.get(reference, set())
        if all(map(self._excused, dropped)):
            why = {unit["basis"] for unit in dropped}
            self.ends["both, by policy" if why == {"policy"} else FALSE_WORD] += 1
            return []
        if reference in self._chronicle.by_hand and noted & {"refunded_outside_and_handed_over"}:
            self.ends["both, by hand in the dashboard"] += 1
            return []
        return [Breach("both", reference, f"{payment}, noted {sorted(noted)}")]

    def _policies(self, units: list[asyncpg.Record]) -> list[Breach]:
        found = []
        for unit in units:
            if unit["basis"] == "policy":
                until = unit["settled_at"]
                why = self._chronicle.excuses(unit["outlet_id"], unit["sent_at"], until)
                if not why:
                    found.append(Breach("policy without a cause", unit["payment"], str(unit["id"])))
                self.ends["settled by policy"] += 1
        return found

    def _excused(self, unit: asyncpg.Record) -> bool:
        """Flagged by policy; or a machine of class G0 said FAILED, blind to what it did."""
        if unit["basis"] == "policy":
            return True
        since = unit["sent_at"] or unit["queued_at"]
        wrong = self._chronicle.excuses(unit["outlet_id"], since, unit["settled_at"])
        said_so = unit["basis"] == "declared" and unit["outlet_id"] in SIMPLE
        # A run that took too long is given up by such a machine, and may have ended well.
        return said_so and (unit["failure_code"] == "RUN_BOUND" or not BLIND.isdisjoint(wrong))

    def _fell(self, unit: asyncpg.Record, *, right: bool) -> bool:
        drops = self.books.fell.get(str(unit["id"]), ())
        return any((drop["slot"] == unit["slot"]) is right for drop in drops)


async def evidence(town: Town, breach: Breach) -> str:
    """All that is known about a breach, to be read by a person."""
    lines = [f"\n*** {breach}"]
    for title, sql in EVIDENCE:
        for row in await town.rows(sql, breach.payment):
            kept = {name: value for name, value in row.items() if value is not None}
            lines.append(f"  {title}: {json.dumps(kept, default=str)}")
    return "\n".join(lines)
