"""The gateways' own lists against ours: captures and refunds, in both directions.

An unclear answer proves nothing, so it fails a check of its own. What happened within the grace
period may still be on its way to us."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
from msgspec import Struct

from coinslot.context import Accounts
from coinslot.db.pool import Connection
from coinslot.gateways.base import (
    Absent,
    PaymentFact,
    Payments,
    PrintsQr,
    RefundFact,
    Refunds,
    RefundStage,
    Taken,
    Unclear,
)
from coinslot.merchants.accounts import Account
from coinslot.oversight.audit import GRACE, ROWS_SHOWN, Finding

NAMES = (
    "gateways_answer_clearly",
    "gateway_captures_are_ours",
    "our_captures_are_at_the_gateway",
    "gateway_refunds_are_ours",
    "our_refunds_are_at_the_gateway",
)

_AT_ONCE = 8
_OVERLAP = timedelta(minutes=10)  # a gateway lists by its own clock

_CODES = "SELECT account_id, qr_code_id, created_at FROM qr_codes WHERE qr_code_id IS NOT NULL"

_CAPTURES = """
SELECT id, account_id, gateway_payment_id, captured, currency, seen_at, foreign_amount > 0 AS alien
FROM captures
"""

# `theirs`: the gateway must list it.
_REFUNDS = """
SELECT r.id, r.capture_id, r.gateway_refund_id, r.amount_minor, r.currency, r.state, r.ended_at,
    made_there(r) AS theirs,
    EXISTS (SELECT FROM discrepancies d WHERE d.refund_id = r.id) AS noted
FROM refunds r
"""


class Ours(Struct, frozen=True):
    """What we have on record, in one snapshot."""

    codes: Mapping[UUID, list[asyncpg.Record]]  # by account
    captures: Mapping[UUID, list[asyncpg.Record]]  # by account
    refunds: Mapping[UUID, list[asyncpg.Record]]  # by capture
    late: datetime


async def on_record(conn: Connection, now: datetime, grace: timedelta = GRACE) -> Ours:
    """Our side of the comparison; `conn` is the owner's. The gateways are asked afterwards."""
    async with conn.transaction(isolation="repeatable_read", readonly=True):
        return Ours(
            codes=_by("account_id", await conn.fetch(_CODES)),
            captures=_by("account_id", await conn.fetch(_CAPTURES)),
            refunds=_by("capture_id", await conn.fetch(_REFUNDS)),
            late=now - grace,
        )


async def compare(accounts: Accounts, ours: Ours) -> tuple[Finding, ...]:
    """Ask every account of ours for its own lists, and say where the two disagree."""
    found: dict[str, list[Mapping[str, Any]]] = {name: [] for name in NAMES}
    for account_id in sorted({*ours.codes, *ours.captures}):
        account = await accounts.by_id(account_id)
        await _Comparison(account, ours, found).run()
    return tuple(Finding(name, tuple(rows[:ROWS_SHOWN])) for name, rows in found.items())


def _by(key: str, rows: Iterable[asyncpg.Record]) -> Mapping[UUID, list[asyncpg.Record]]:
    sorted_out: dict[UUID, list[asyncpg.Record]] = defaultdict(list)
    for row in rows:
        sorted_out[row[key]].append(row)
    return sorted_out


class _Comparison:
    """One account: its codes first, then each capture that they did not list, then refunds."""

    def __init__(
        self, account: Account, ours: Ours, found: dict[str, list[Mapping[str, Any]]]
    ) -> None:
        self._account = account
        self._ours = ours
        self._found = found
        self._listed: dict[str, PaymentFact] = {}
        self._captures = {
            row["gateway_payment_id"]: row for row in ours.captures.get(account.id, ())
        }
        self._room = asyncio.Semaphore(_AT_ONCE)

    async def run(self) -> None:
        codes = self._ours.codes.get(self._account.id, ())
        await asyncio.gather(*(self._code(row) for row in codes))
        await asyncio.gather(*(self._capture(row) for row in self._captures.values()))

    def _report(self, name: str, **row: object) -> None:
        where = f"{self._account.gateway}/{self._account.slug}"
        self._found[name].append({"account": where, **row})

    def _unclear(self, what: str, reason: str) -> None:
        self._report("gateways_answer_clearly", what=what, reason=reason)

    async def _code(self, row: asyncpg.Record) -> None:
        driver, code = self._account.driver, row["qr_code_id"]
        if not isinstance(driver, PrintsQr):
            self._unclear(code, "this gateway has no codes")
            return
        async with self._room:
            answer = await driver.qr_payments(code, row["created_at"] - _OVERLAP)
        match answer:
            case Unclear(reason=reason):
                self._unclear(code, reason)
            case Absent():
                self._unclear(code, "the gateway knows no such code")
            case Payments(facts=facts, complete=complete):
                if not complete:
                    self._unclear(code, "the list was cut off")
                for fact in facts:
                    self._payment(fact)

    def _payment(self, fact: PaymentFact) -> None:
        self._listed[fact.gateway_payment_id] = fact
        ours = self._captures.get(fact.gateway_payment_id)
        if fact.taken is Taken.CAPTURED and ours is None and fact.at < self._ours.late:
            self._report(
                "gateway_captures_are_ours",
                gateway_payment_id=fact.gateway_payment_id,
                amount=fact.money.minor,
                why="not on record",
            )

    async def _capture(self, row: asyncpg.Record) -> None:
        payment_id = row["gateway_payment_id"]
        fact: PaymentFact | Absent | Unclear | None = self._listed.get(payment_id)
        if fact is None:
            async with self._room:
                fact = await self._account.driver.look(payment_id)
        if isinstance(fact, Unclear):
            self._unclear(payment_id, fact.reason)
            return
        if isinstance(fact, Absent) or fact.taken is not Taken.CAPTURED:
            self._report(
                "our_captures_are_at_the_gateway", id=str(row["id"]), why="not captured there"
            )
            return
        if (fact.money.minor, fact.money.currency) != (row["captured"], row["currency"]):
            self._report(
                "our_captures_are_at_the_gateway",
                id=str(row["id"]),
                ours=row["captured"],
                theirs=fact.money.minor,
                why="another amount",
            )
        touched = fact.refunded is None or fact.refunded.minor or self._ours.refunds.get(row["id"])
        if touched and not row["alien"]:
            await self._refunds(row, fact)

    async def _refunds(self, capture: asyncpg.Record, payment: PaymentFact) -> None:
        async with self._room:
            answer = await self._account.driver.refunds(capture["gateway_payment_id"])
        if not isinstance(answer, Refunds):
            reason = answer.reason if isinstance(answer, Unclear) else "no such payment"
            self._unclear(f"refunds of {capture['gateway_payment_id']}", reason)
            return
        if not answer.complete:
            self._sum(capture, payment)
            return
        done = [fact for fact in answer.facts if fact.stage is RefundStage.PROCESSED]
        ours = self._ours.refunds.get(capture["id"], [])
        known = {row["gateway_refund_id"]: row for row in ours}
        for fact in done:
            self._theirs(capture, fact, known.get(fact.gateway_refund_id))
        there = {fact.gateway_refund_id for fact in done}
        for row in ours:
            old = row["ended_at"] is None or row["ended_at"] < self._ours.late
            if row["theirs"] and old and row["gateway_refund_id"] not in there:
                self._report(
                    "our_refunds_are_at_the_gateway",
                    id=str(row["id"]),
                    amount=row["amount_minor"],
                    why="not processed there",
                )

    def _sum(self, capture: asyncpg.Record, payment: PaymentFact) -> None:
        """Where the gateway keeps no list of refunds, what it says went back in all must do."""
        ours = [row for row in self._ours.refunds.get(capture["id"], ()) if row["theirs"]]
        if any(row["ended_at"] is None or row["ended_at"] >= self._ours.late for row in ours):
            return
        given = sum(row["amount_minor"] for row in ours)
        if payment.refunded is None:
            self._unclear(f"refunds of {payment.gateway_payment_id}", "no sum is told")
        elif payment.refunded.minor != given:
            less = payment.refunded.minor < given
            self._report(
                "our_refunds_are_at_the_gateway" if less else "gateway_refunds_are_ours",
                capture_id=str(capture["id"]), amount=given, theirs=payment.refunded.minor,
                why="another sum",
            )  # fmt: skip

    def _theirs(
        self, capture: asyncpg.Record, fact: RefundFact, ours: asyncpg.Record | None
    ) -> None:
        if ours is None and fact.at >= self._ours.late:
            return
        if ours is None:
            why = "not on record"
        elif (fact.money.minor, fact.money.currency) != (ours["amount_minor"], ours["currency"]):
            why = "another amount"
        elif ours["state"] == "failed" and not ours["noted"]:
            why = "failed on record"
        else:
            return
        self._report(
            "gateway_refunds_are_ours",
            capture_id=str(capture["id"]),
            gateway_refund_id=fact.gateway_refund_id,
            amount=fact.money.minor,
            why=why,
        )
