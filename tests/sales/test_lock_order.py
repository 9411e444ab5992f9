"""Rows are locked in one written order, so that no two transactions wait for each other.

Each verb runs into each row that somebody else holds, and stands there: what it holds by then it
locked before. Nothing is ever committed, so that one scene serves for all rows.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg
import msgspec
import pytest
from msgspec.structs import replace

from coinslot.channels.messages import Refusal, Reject, Up
from coinslot.channels.reports import HealthReport
from coinslot.db.pool import AWAY, RawConnection, again, connect
from coinslot.gateways.base import (
    DisputeFact,
    DisputeStage,
    Mark,
    PaymentFact,
    QrFact,
    RefundFact,
    RefundStage,
)
from coinslot.kit.money import Money
from coinslot.orders import checkout, expiry, fulfillment, order_refunds
from coinslot.orders.checkout import OrderRequest, WayTap
from coinslot.orders.order_refunds import OrderRefund
from coinslot.oversight import cases
from coinslot.oversight.cases import Person
from coinslot.payments import merchant_api, qr_codes, refunds
from coinslot.payments.store import LOCK_CAPTURE, LOCK_REFUND, WORK_FACT
from coinslot.payments.ways_to_pay import Form
from coinslot.people.audit_log import COMMAND_LINE
from coinslot.states.transition import SETTABLE
from coinslot.telemetry import food, readings
from coinslot.telemetry.food import Visit
from coinslot.telemetry.readings import Heard
from coinslot.vending import dispatch, machine_messages, plain_messages
from coinslot.vending.store import HEARD_TOGETHER, LOCK_UNIT
from tests.conftest import DatabaseUrls
from tests.sales.lock_places import STANDS, place_of
from tests.sales.machine_says import SAW_NOTHING, accept, result, started
from tests.sales.payers import two_ways
from tests.sales.stage import Stage
from tests.sales.taking import collected, confirmed, made, once, taking
from tests.sales.weather import in_weather

ROOT = Path(__file__).parents[2]
WRITTEN = re.search(
    r"## Locks\n.*?\n\n((?:\d+\. `.*\n)+)", (ROOT / "ARCHITECTURE.md").read_text(), re.DOTALL
)
ORDER: list[str] = re.findall(r"^\d+\. `(\w+)`", WRITTEN[1] if WRITTEN else "", re.MULTILINE)
ASHA = Person("asha", "seen")

Verb = Callable[[], Awaitable[object]]


class UndoneError(Exception):
    """In place of a commit."""


def undone_at(number: int) -> Callable[[str], None]:
    """The commits before that one only end what was read."""
    left = [number]

    def reached(point: str) -> None:
        if point == "before_commit":
            left[0] -= 1
            if left[0] == 0:
                raise UndoneError

    return reached


async def rows_of(conn: RawConnection, table: str) -> list[str]:
    return [row["row"] for row in await conn.fetch(f"SELECT ctid::text AS row FROM {table}")]


async def held(looker: RawConnection, held_before: tuple[str, str]) -> list[str]:
    """Tables of which somebody has locked a row, but for the one that the test itself holds."""
    found = []
    tx = looker.transaction()
    await tx.start()
    for table in ORDER:
        free = {
            row["row"]
            for row in await looker.fetch(
                f"SELECT ctid::text AS row FROM {table} FOR NO KEY UPDATE SKIP LOCKED"
            )
        }
        for row in await rows_of(looker, table):
            if row not in free and (table, row) != held_before:
                found.append(table)
    await tx.rollback()
    return found


async def stopped(looker: RawConnection, work: "asyncio.Task[object]") -> int | None:
    """The backend of a verb that waits for a row; None when the verb went through."""
    while not work.done():
        waiting: int | None = await looker.fetchval(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
            " AND cardinality(pg_blocking_pids(pid)) > 0 LIMIT 1"
        )
        if waiting is not None:
            return waiting
        await asyncio.sleep(0.002)
    return None


class Stops(NamedTuple):
    """Where a verb stood while somebody else held a row."""

    wrong: list[str]  # rows locked after one that comes later in the order
    tables: set[str]
    places: set[str]  # of the locks that it stood at, as in `lock_places.STANDS`


async def stops(
    stage: Stage, verb: Verb, commit: int, holder: RawConnection, looker: RawConnection
) -> Stops:
    """The verb runs into each row by itself."""
    found = Stops([], set(), set())
    for table in ORDER:
        for row in await rows_of(looker, table):
            hold = holder.transaction()
            await hold.start()
            await holder.execute(
                f"SELECT FROM {table} WHERE ctid = $1::text::tid FOR NO KEY UPDATE", row
            )
            stage.context.db.reached = undone_at(commit)
            work = asyncio.ensure_future(verb())
            pid = await stopped(looker, work)
            if pid is not None:
                found.tables.add(table)
                before = await held(looker, (table, row))
                query = await looker.fetchval(
                    "SELECT query FROM pg_stat_activity WHERE pid = $1", pid
                )
                found.wrong.extend(
                    f"{earlier} before {table}"
                    for earlier in before
                    if ORDER.index(earlier) > ORDER.index(table)
                )
                await looker.execute("SELECT pg_cancel_backend($1)", pid)
            try:
                await work
            except asyncpg.QueryCanceledError as error:
                found.places.update(place_of(error, query))
            except (UndoneError, asyncpg.PostgresError, *AWAY):
                pass
            stage.context.db.reached = lambda _point: None
            await hold.rollback()
    return found


# What happens, and the verb that is looked at.


class Scene(NamedTuple):
    name: str
    locks: set[str]  # at the least: a scene that runs into nothing would prove nothing
    set_up: Callable[[Stage], Awaitable[Verb]]
    commit: int = 1


def _going(act: Callable[[Stage, UUID], Verb]) -> Callable[[Stage], Awaitable[Verb]]:
    async def set_up(stage: Stage) -> Verb:
        await stage.hello()
        unit = await stage.sell()
        await stage.sweep("fulfillments")
        await stage.accept()
        return act(stage, unit)

    return set_up


class _NotPlain:
    """The database takes nothing in one call."""

    async def take(self, told: object) -> dict[str, bool]:
        return {"done": False}


def _by_moves(stage: Stage, up: Up) -> Verb:
    heard: Any = _NotPlain()
    return lambda: machine_messages.receive(
        stage.context, machine_messages.Machine("M01", stage.merchant), up, stage.context.now(),
        heard,
    )  # fmt: skip


async def _at_once(stage: Stage, up: Up) -> Verb:
    """The statement that takes it, in a transaction that can be stopped before its commit."""
    machine = machine_messages.Machine("M01", stage.merchant)
    told = await plain_messages._plain(stage.context, machine, up, stage.context.now())
    assert told is not None

    async def verb() -> None:
        async with stage.context.db.as_merchant(stage.merchant) as conn:
            await conn.fetchval(HEARD_TOGETHER, [told.said], [told.at])

    return verb


def _dropped(stage: Stage, unit: UUID) -> Verb:
    return _by_moves(stage, result(stage, 1))


def _jammed(stage: Stage, unit: UUID) -> Verb:
    return _by_moves(stage, result(stage, 1, outcome="FAILED", evidence=SAW_NOTHING))


async def _dropped_at_once(stage: Stage) -> Verb:
    await _going(_dropped)(stage)
    return await _at_once(stage, result(stage, 1))


async def _started_at_once(stage: Stage) -> Verb:
    await _going(_dropped)(stage)
    return await _at_once(stage, started(stage, 1))


async def _accepted_at_once(stage: Stage) -> Verb:
    await _offered(stage)
    return await _at_once(stage, accept(stage))


def _greets(stage: Stage, unit: UUID) -> Verb:
    stage.later(12)
    return lambda: stage.hello(boot="b2")


async def _in_doubt(stage: Stage) -> Verb:
    await _going(_dropped)(stage)
    await stage.result("INTERRUPTED", drop="unknown", event_seq=1)
    (row,) = await stage.rows("SELECT * FROM fulfillments")
    return lambda: fulfillment.drive(stage.context, row)  # type: ignore[arg-type]


async def _offered(stage: Stage) -> Verb:
    await stage.sell()
    await stage.hello()
    await stage.sweep("fulfillments")
    return _by_moves(stage, accept(stage))


async def _queued(stage: Stage) -> Verb:
    await stage.sell()
    await machine_messages.record_heartbeats(stage.context, {})
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        await conn.execute("UPDATE devices SET last_seen_at = $1", stage.context.now())
    return lambda: dispatch.offer_next(stage.context, stage.merchant, "M01")


def _told(fact: Any) -> Callable[[Stage], Verb]:
    """The statement of `work_facts`, which is a transaction of its own: here it is in one that can
    be stopped before its commit."""

    def of(stage: Stage) -> Verb:
        async def verb() -> None:
            statement, values = worked(stage, fact)
            async with stage.context.db.as_merchant(stage.merchant) as conn:
                await conn.execute(statement, *values)

        return verb

    return of


async def _placed(stage: Stage) -> str:
    await stage.hello()
    token = await checkout.place(stage.context, OrderRequest(outlet="M01", slot="A1", key="tap"))
    await checkout.pay(stage.context, WayTap(order=token))
    return token


async def _paid_on_the_page(stage: Stage) -> PaymentFact:
    qr = await stage.value("SELECT qr_code_id FROM qr_codes WHERE payment_id IS NOT NULL")
    paid = await stage.gateway.pay("pay_page", Money(4000, "INR"), qr_code_id=qr)
    assert isinstance(paid, PaymentFact)
    return paid


async def _order_is_paid(stage: Stage) -> Verb:
    await _placed(stage)
    return _told(await _paid_on_the_page(stage))(stage)


async def _order_is_paid_too_late(stage: Stage) -> Verb:
    await _placed(stage)
    stage.later(1000)
    return _told(await _paid_on_the_page(stage))(stage)


async def _order_expires(stage: Stage) -> Verb:
    await _placed(stage)
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        await conn.execute("UPDATE qr_codes SET stage = 'closing' WHERE payment_id IS NOT NULL")
    stage.later(1000)
    (row,) = await stage.rows("SELECT * FROM orders")
    return lambda: expiry.expire(stage.context, row)  # type: ignore[arg-type]


async def _way_is_changed(stage: Stage) -> Verb:
    payers = await two_ways(stage)
    order = await payers.order()
    await payers.tap(order, 0, Form.CODE)
    return lambda: payers.tap(order, 1)


async def _code_is_made(stage: Stage) -> Verb:
    await _placed(stage)
    (row,) = await stage.rows("SELECT * FROM qr_codes WHERE payment_id IS NOT NULL")
    made_there = QrFact(
        qr_code_id="qr_new", image_url="https://qr.example.test/1", open=True, reusable=False,
        money=Money(4000, "INR"),
    )  # fmt: skip
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        await conn.execute(
            "UPDATE qr_codes SET stage = 'wanted', qr_code_id = NULL WHERE id = $1", row["id"]
        )
    return lambda: qr_codes._opened(stage.context, row, made_there)  # type: ignore[arg-type]


async def _code_is_not_made(stage: Stage) -> Verb:
    await _placed(stage)
    (row,) = await stage.rows("SELECT * FROM qr_codes WHERE payment_id IS NOT NULL")
    return lambda: qr_codes._unmade(stage.context, row, "UNCLEAR")  # type: ignore[arg-type]


async def _owing(stage: Stage) -> tuple[PaymentFact, dict[str, Any]]:
    in_weather(stage).pending_first = True
    paid = await stage.pay()
    await stage.webhook(paid)
    stage.later(121)
    await stage.sweep("fulfillments")
    (row,) = await stage.rows("SELECT * FROM refunds")
    return paid, row


def _about(
    paid: PaymentFact, row: dict[str, Any], refund: RefundStage, minor: int = 4000
) -> RefundFact:
    return RefundFact(
        gateway_refund_id="rfnd_1", gateway_payment_id=paid.gateway_payment_id, stage=refund,
        money=Money(minor, "INR"), at=paid.at,
        mark=Mark(installation="test", refund=str(row["id"])),
    )  # fmt: skip


def _refund(refund: RefundStage) -> Callable[[Stage], Awaitable[Verb]]:
    async def set_up(stage: Stage) -> Verb:
        paid, row = await _owing(stage)
        return _told(_about(paid, row, refund))(stage)

    return set_up


def _covered(minor: int) -> Callable[[Stage], Awaitable[Verb]]:
    async def set_up(stage: Stage) -> Verb:
        paid, row = await _owing(stage)
        there = replace(_about(paid, row, RefundStage.PROCESSED, minor), mark=None)
        await stage.webhook(there, event="refund.processed")
        (row,) = await stage.rows("SELECT * FROM refunds WHERE origin = 'ours'")
        return lambda: refunds._uncovered(
            stage.context,
            stage.account,
            row,  # type: ignore[arg-type]
        )

    return set_up


async def _given_back_outside(stage: Stage) -> Verb:
    weather = in_weather(stage)
    paid = await stage.pay()
    await stage.webhook(paid)
    return _told(weather.refund_in_dashboard(paid, 4000))(stage)


async def _dispute_is_lost(stage: Stage) -> Verb:
    paid = await stage.pay()
    await stage.webhook(paid)
    lost = DisputeFact(
        gateway_dispute_id="d", gateway_payment_id=paid.gateway_payment_id,
        stage=DisputeStage.LOST, money=paid.money, reason="fraud", at=paid.at,
    )  # fmt: skip
    await stage.webhook(replace(lost, stage=DisputeStage.OPEN), event="dispute.created")
    return _told(lost)(stage)


async def _asked_back(stage: Stage, key: str) -> Verb:
    order = await stage.value("SELECT id FROM orders")

    async def verb() -> object:
        wanted = OrderRefund(order=order, key=key, by="asha", reason="seen")
        return await order_refunds.refund(stage.context, stage.merchant, wanted)

    return verb


async def _person_withdraws(stage: Stage) -> Verb:
    await stage.sell()
    return await _asked_back(stage, "k")


async def _person_takes_back(stage: Stage) -> Verb:
    await _going(_dropped)(stage)
    await stage.result(event_seq=1)
    return await _asked_back(stage, "k")


async def _asked_back_can_drops(stage: Stage) -> Verb:
    await _going(_dropped)(stage)
    await (await _asked_back(stage, "k"))()
    return _by_moves(stage, result(stage, 1))


async def _contradicted(stage: Stage) -> int:
    await _going(_dropped)(stage)
    await stage.result(event_seq=1)
    await stage.result("FAILED", drop="no", event_seq=2)
    await cases.update(stage.context)
    (case,) = await cases.listed(stage.context)
    return case.id


async def _person_refunds(stage: Stage) -> Verb:
    case = await _contradicted(stage)
    return lambda: cases.refund(stage.context, case, ASHA)


async def _person_closes(stage: Stage) -> Verb:
    case = await _contradicted(stage)
    return lambda: cases.close(stage.context, case, ASHA)


async def _told_against(stage: Stage) -> Verb:
    await _going(_dropped)(stage)
    await stage.result(event_seq=1)
    return _by_moves(stage, result(stage, 2, outcome="FAILED", evidence=SAW_NOTHING))


async def _collects(stage: Stage) -> Verb:
    gateway = taking(stage)
    payment = await made(stage, 5010)
    await confirmed(stage, payment)
    (attempt,) = await stage.rows("SELECT * FROM attempts WHERE key IS NOT NULL")
    fact = replace(
        await _fact_of(gateway, attempt), mark=Mark(installation="test", payment=str(payment))
    )
    return _told(fact)(stage)


async def _fact_of(gateway: Any, attempt: dict[str, Any]) -> PaymentFact:
    return PaymentFact(
        gateway_payment_id=f"pay_{attempt['key']}", taken="captured",  # type: ignore[arg-type]
        money=Money(5010, "INR"), at=gateway.books.clock.now(),
        gateway_order_id=attempt["reference"], refunded=Money.zero("INR"),
    )  # fmt: skip


async def _asks_for_a_refund(stage: Stage) -> Verb:
    await collected(stage)
    payment = await stage.value("SELECT id FROM payments WHERE source = 'api'")
    return lambda: merchant_api.request_refund(
        stage.context,
        once(stage, f"POST /payments/{payment}/refunds", "r"),
        payment,
        merchant_api.RefundRequest(),
    )


async def _cooled(stage: Stage) -> None:
    """It asks for a food lock, and is too warm: the lock has fallen."""
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        rule = {"food_lock": {"warm_s": 1, "grace_s": 0}}
        await conn.execute("UPDATE outlets SET device_config = $1 WHERE id = 'M01'", rule)
    for _ in range(2):
        await _reads_warm(stage)()
        stage.later(2)


def _reads_warm(stage: Stage) -> Verb:
    warm = Heard.of(HealthReport(temperature_c=9.0), stage.context.now())
    return lambda: readings.keep(stage.context, {"M01": warm})


async def _warm_again(stage: Stage) -> Verb:
    await _cooled(stage)
    return _reads_warm(stage)


async def _looked_at(stage: Stage) -> Verb:
    await _cooled(stage)
    visit = Visit(merchant=stage.merchant, actor=COMMAND_LINE, note="threw it away")
    return lambda: food.unlock(stage.context, "M01", visit)


async def _says_too_warm(stage: Stage) -> Verb:
    """For the second time: its row of a stop is there."""
    for _ in range(2):
        await stage.hello()
        await stage.sell()
        await stage.sweep("fulfillments")
        offer = stage.offered()
        refused = Reject(
            unit_id=UUID(offer["unit_id"]),
            seq=offer["seq"],
            journal_id="j1",
            code=Refusal.TEMP_LOCK,
        )  # fmt: skip
        verb = _by_moves(stage, refused)
        if not await stage.rows("SELECT FROM outlet_stops"):
            await verb()
            stage.later(stage.context.windows.temp_lock_s + 1)
    return verb


SCENES = (
    Scene("a machine is too warm", {"machine_health", "outlet_stops"}, _warm_again),
    Scene("a person ends a food lock", {"machine_health", "outlet_stops"}, _looked_at),
    Scene("a machine says TEMP_LOCK", {"captures", "fulfillments", "outlet_stops"},
          _says_too_warm),
    Scene("a can drops", {"device_journals", "captures", "fulfillments", "vend_units", "slots",
                           "orders"},
          _going(_dropped)),
    Scene("a coil jams", {"captures", "fulfillments", "slots", "orders"}, _going(_jammed)),
    Scene("a machine greets", {"devices", "device_journals", "fulfillments"}, _going(_greets)),
    Scene("doubt ends", {"captures", "fulfillments", "slots", "orders"}, _in_doubt),
    Scene("a machine accepts", {"fulfillments", "vend_units"}, _offered),
    Scene("a can drops, in one call", {"device_journals", "captures", "fulfillments", "vend_units",
                                       "slots", "orders"}, _dropped_at_once),
    Scene("a motor starts, in one call", {"device_journals", "captures", "fulfillments",
                                          "vend_units"}, _started_at_once),
    Scene("a machine accepts, in one call", {"captures", "fulfillments", "vend_units"},
          _accepted_at_once),
    Scene("a unit is offered", {"devices", "fulfillments", "vend_units"}, _queued),
    Scene("an order is paid", {"orders", "payments", "attempts", "qr_codes"}, _order_is_paid),
    Scene("an order is paid late", {"orders", "payments", "qr_codes"}, _order_is_paid_too_late),
    Scene("an order expires", {"orders", "payments", "attempts", "qr_codes"}, _order_expires, 2),
    Scene("a way is changed", {"orders", "outlets", "payments", "attempts", "qr_codes"},
          _way_is_changed, 8),
    Scene("a code is made", {"payments", "attempts", "qr_codes"}, _code_is_made),
    Scene("a code is not made", {"payments", "attempts", "qr_codes"}, _code_is_not_made),
    Scene("a refund is proved", {"refunds"}, _refund(RefundStage.PROCESSED)),
    Scene("a refund fails there", {"captures", "refunds"}, _refund(RefundStage.FAILED)),
    Scene("a refund is covered", {"captures", "refunds"}, _covered(4000)),
    Scene("a refund is covered in part", {"captures", "refunds"}, _covered(1000)),
    Scene("money goes back outside", {"captures", "fulfillments", "orders"}, _given_back_outside),
    Scene("a dispute is lost", {"captures", "disputes", "fulfillments"}, _dispute_is_lost),
    Scene("a person refunds", {"captures", "cases", "discrepancies"}, _person_refunds),
    Scene("a person withdraws", {"captures", "fulfillments", "orders"},
          _person_withdraws),
    Scene("a person takes back", {"captures", "fulfillments"}, _person_takes_back),
    Scene("a can drops that a person wants back",
          {"device_journals", "captures", "fulfillments", "order_refund_parts", "orders"},
          _asked_back_can_drops),
    Scene("a person closes", {"cases", "discrepancies"}, _person_closes),
    Scene("a machine contradicts itself", {"captures", "fulfillments"}, _told_against),
    Scene("the API collects", {"payments", "attempts"}, _collects),
    Scene("the API refunds", {"captures"}, _asks_for_a_refund),
)  # fmt: skip


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
async def test_every_verb_locks_rows_in_the_written_order(
    stage: Stage, holder: RawConnection, looker: RawConnection, scene: Scene
) -> None:
    verb = await scene.set_up(stage)
    async with asyncio.timeout(60):
        found = await stops(stage, verb, scene.commit, holder, looker)
    assert found.wrong == []
    assert found.tables >= scene.locks, "it did not do what it is meant to do here"
    assert found.places >= STANDS.get(scene.name, set()), "it no longer locks before it reads"


def test_the_written_order_names_every_table_whose_rows_are_locked() -> None:
    assert len(ORDER) == len(set(ORDER)) > 10
    assert set().union(*(scene.locks for scene in SCENES)) <= set(ORDER)


def sources() -> Iterator[tuple[str, str]]:
    for path in sorted((ROOT / "src/coinslot").rglob("*")):
        if path.suffix in (".py", ".sql") and "migrations" not in path.parts:
            yield str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")


def test_no_lock_is_stronger_than_an_update_needs() -> None:
    """FOR UPDATE would wait for every row that names this one by a foreign key, in whatever order
    those were written. No row that is named is deleted and no key is changed."""
    found = [
        f"{name}: {line.strip()}"
        for name, text in sources()
        for line in text.splitlines()
        if re.search(r"FOR UPDATE\b", line)
    ]
    # What is deleted is not named by any other row.
    assert len(found) >= 4
    texts = dict(sources())
    for line in found:
        assert "SKIP LOCKED" in line, line
        assert "DELETE FROM" in texts[line.partition(":")[0]], line


async def test_no_update_changes_a_key_that_could_be_named(looker: RawConnection) -> None:
    """It would be as strong as FOR UPDATE, by itself: such keys are partial indexes."""
    keys = await looker.fetch(
        "SELECT c.relname AS table, a.attname AS column FROM pg_index i"
        " JOIN pg_class c ON c.oid = i.indrelid JOIN pg_attribute a ON a.attrelid = c.oid"
        " AND a.attnum = ANY (i.indkey) WHERE i.indisunique AND i.indpred IS NULL"
        " AND i.indexprs IS NULL AND c.relnamespace = 'public'::regnamespace"
        " AND EXISTS (SELECT FROM pg_constraint f WHERE f.confrelid = c.oid)"
    )
    changed = {(f"{name}s", column) for name, columns in SETTABLE.items() for column in columns}
    for _, text in sources():
        for table, what in re.findall(r"UPDATE (\w+)(?: AS)?(?: \w+)? SET (.*?)WHERE", text,
                                      re.DOTALL):  # fmt: skip
            changed |= {(table, column) for column in re.findall(r"(?:^|,)\s*(\w+) = ", what)}
    assert changed & {(row["table"], row["column"]) for row in keys} == set()


# What deadlocked before.

Said = tuple[str, tuple[object, ...]]


async def side_by_side(
    urls: DatabaseUrls, stage: Stage, first: Said, meanwhile: Said, last: Said
) -> None:
    """One transaction says `first` and `last`, and another one goes as far as it can between."""
    one, other, looker = [await connect(urls.app) for _ in range(3)]
    try:
        for conn in (one, other):
            await conn.execute(f"BEGIN; SET LOCAL coinslot.merchant = '{stage.merchant}'")
        await one.fetch(first[0], *first[1])
        work = asyncio.ensure_future(other.fetch(meanwhile[0], *meanwhile[1]))
        async with asyncio.timeout(30):
            assert await stopped(looker, work) == other.get_server_pid()
            await one.fetch(last[0], *last[1])
            await one.execute("COMMIT")
            await work
            await other.execute("COMMIT")
    finally:
        for conn in (one, other, looker):
            conn.terminate()


def worked(stage: Stage, fact: PaymentFact | RefundFact | DisputeFact) -> Said:
    windows = stage.context.windows.for_sql()
    return WORK_FACT, (
        stage.merchant, stage.account.id, msgspec.to_builtins(fact), "look", windows,
        stage.context.now(),
    )  # fmt: skip


async def test_a_refund_that_is_looked_at_and_proved_at_once_deadlocks_no_more(
    urls: DatabaseUrls, stage: Stage
) -> None:
    paid, row = await _owing(stage)
    proved = worked(stage, _about(paid, row, RefundStage.PROCESSED))
    capture, refund = (row["capture_id"],), (row["id"],)
    await side_by_side(urls, stage, (LOCK_CAPTURE, capture), proved, (LOCK_REFUND, refund))
    assert await stage.value("SELECT state FROM refunds") == "succeeded"


async def test_a_can_that_drops_while_its_money_goes_back_outside_deadlocks_no_more(
    urls: DatabaseUrls, stage: Stage
) -> None:
    await _going(_dropped)(stage)
    (unit,) = await stage.rows("SELECT * FROM fulfillments")
    paid = next(iter(stage.books.payments.values()))
    outside = replace(
        _about(paid, unit, RefundStage.PROCESSED), mark=None, gateway_refund_id="dash_1"
    )
    dropped: Said = (
        "SELECT transition_fulfillment($1, 'VENDED', '{\"basis\": \"vended\"}', $2)",
        (unit["id"], stage.context.now()),
    )
    lock: Said = (LOCK_UNIT, (unit["id"], "M01"))
    await side_by_side(urls, stage, lock, worked(stage, outside), dropped)
    assert await stage.value("SELECT kind FROM discrepancies") == "refunded_outside_and_handed_over"
    await stage.result(event_seq=1)  # the evidence that the auditor looks for


async def test_a_transaction_that_postgresql_breaks_off_runs_again() -> None:
    tries: list[int] = []

    async def work() -> str:
        tries.append(1)
        if len(tries) < 3:
            raise asyncpg.DeadlockDetectedError("deadlock detected")
        return "done"

    assert await again(work) == "done"
    with pytest.raises(asyncpg.SerializationError):
        await again(_never)


async def _never() -> None:
    raise asyncpg.SerializationError("could not serialize access")
