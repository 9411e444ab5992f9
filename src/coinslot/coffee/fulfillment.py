"""How one cup is driven: commanded once, then waited for. A command is never sent again: a second
one may make a second cup."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import ClassVar, Final, assert_never

import asyncpg
import structlog

from coinslot.channels.tmetr import Heartbeat, Make, Refused, Size, Taken, Unclear
from coinslot.coffee import store
from coinslot.coffee.flow import COFFEE
from coinslot.coffee.rules import Rule, for_denial, rules_of
from coinslot.coffee.texts import OF_ORDERS
from coinslot.coffee.vendors import OpenVendors, Vendor, is_recent
from coinslot.context import Context
from coinslot.db.pool import Connection
from coinslot.kit.money import Money
from coinslot.orders import fulfillment
from coinslot.orders.fulfillment import CUSTOMER, Fulfillment, Testimony, windows_at
from coinslot.orders.page_views import Story
from coinslot.payments import escalation
from coinslot.states.transition import transition
from coinslot.states.unit_flow import UnitFlow

log = structlog.get_logger(__name__)

# After the longest answer: a process that was given up may still write what it heard.
_WRITES_WITHIN: Final = timedelta(seconds=7)

_COMMANDED_TWICE = """
SELECT subject_id, count(*) FROM events WHERE machine = 'fulfillment' AND event = 'MAKE'
    AND subject_id IN (SELECT id FROM coffee_units) GROUP BY subject_id HAVING count(*) > 1
"""
_MADE_TOO_LATE = """
SELECT f.id, f.sent_at, o.ends_by FROM fulfillments f JOIN orders o ON o.id = f.order_id
WHERE f.kind = 'coffee' AND f.sent_at >= least(f.dispatch_by, o.ends_by)
"""
_ENDS_WITHOUT_ITS_REASON = """
SELECT f.id, f.basis, c.answer, c.grace_until, c.rule, c.said_by, f.settled_at
FROM fulfillments f JOIN coffee_units c USING (id)
WHERE f.settlement IS NOT NULL AND NOT coalesce(CASE f.basis
    WHEN 'never_sent' THEN c.answer IS NULL
    WHEN 'refused' THEN f.settlement = 'refund_due' AND c.answer = 'refused'
    WHEN 'command_taken' THEN f.settlement = 'fulfilled' AND c.answer = 'taken'
        AND (f.settled_at >= c.grace_until OR c.rule = 'limit')
    WHEN 'policy_goods' THEN f.settlement = 'fulfilled' AND c.rule = 'goods'
    WHEN 'person_said' THEN c.said_by IS NOT NULL
    ELSE true END, false)
"""
_NO_CODE = """
SELECT f.id, f.order_id FROM fulfillments f WHERE f.kind = 'coffee'
    AND NOT EXISTS (SELECT FROM coffee_orders c WHERE c.order_id = f.order_id)
"""


class Coffee(Fulfillment):
    """Coffee machines that take one command by a vendor's telemetry."""

    flow: ClassVar[UnitFlow] = COFFEE
    windows: ClassVar[frozenset[str]] = Fulfillment.windows | {"grace_s", "heard_s", "order_s"}
    counts_stock: ClassVar[bool] = False
    texts: ClassVar[Mapping[str, Mapping[str, str]]] = OF_ORDERS
    checks: ClassVar[Mapping[str, str]] = {
        "a_cup_is_commanded_once": _COMMANDED_TWICE,
        "an_expired_order_is_never_made": _MADE_TOO_LATE,
        "a_cup_is_settled_for_its_reason": _ENDS_WITHOUT_ITS_REASON,
        "a_cup_belongs_to_a_code_on_a_screen": _NO_CODE,
    }

    def __init__(self, vendors: OpenVendors | None = None) -> None:
        self.vendors = vendors or OpenVendors()

    async def start(self, context: Context, unit: asyncpg.Record) -> None:
        """Command it, if its machine can be heard; else look again until its time is over."""
        async with context.db.as_merchant(unit["merchant_id"]) as conn:
            wanted = await conn.fetchrow(store.WHAT_TO_MAKE, unit["id"])
        if wanted is None:
            log.error("cup_without_a_machine", unit=str(unit["id"]))
        if wanted is None or wanted["moved"]:  # its customer stands at another device
            await _put_off(context, unit)
            return
        vendor = await self.vendors.by_id(context.db, context.vault, wanted["account_id"])
        windows = context.windows.at(unit["kind"], wanted["windows"])
        if not await _is_heard(context, vendor, wanted["device"], windows.span("heard_s")):
            await _put_off(context, unit)
            return
        cup = Make(
            device=wanted["device"], order=wanted["machine_order"], drink=wanted["drink"],
            size=Size(wanted["size"]), price=Money(unit["amount_minor"], unit["currency"]),
        )  # fmt: skip
        if not await self._commit(context, vendor, unit):
            await self.deadline(context, unit)  # its time ended while the machine was asked for
            return
        context.db.check_lease()  # stopped for a while, another process may have given it up
        answer = await vendor.make(cup)
        await _answered(context, unit, answer)

    async def _commit(self, context: Context, vendor: Vendor, unit: asyncpg.Record) -> bool:
        """The point of no return. False: something else was first, or it is too late."""
        async with context.db.as_merchant(unit["merchant_id"]) as conn:
            held = await fulfillment.lock(conn, unit)
            now = context.now()
            if held is None or now >= fulfillment.last_moment(held):
                return False
            end = now + windows_at(context, held).span("in_doubt_s")
            given_up = now + timedelta(seconds=vendor.answers_s) + _WRITES_WITHIN
            await transition(
                conn, COFFEE, unit["id"], "MAKE", now, due_at=min(given_up, end), hard_deadline=end
            )
        return True

    async def remind(self, context: Context, unit: asyncpg.Record) -> None:
        """The grace is over, or nobody wrote down what the vendor answered: the process that asked
        has died, and the command may have arrived."""
        async with context.db.as_merchant(unit["merchant_id"]) as conn:
            held = await fulfillment.lock(conn, unit)
            if held is None:
                return
            now = context.now()
            match held["state"]:
                case "making":
                    said = await _doubt(conn, context, held)
                    await transition(
                        conn, COFFEE, unit["id"], "UNCLEAR", now, answer="unclear",
                        told="no answer was recorded", **said,
                    )  # fmt: skip
                case "in_grace":
                    await transition(
                        conn, COFFEE, unit["id"], "UNDISPUTED", now, basis="command_taken"
                    )
                case _:
                    await fulfillment.put_off(conn, held, held["hard_deadline"])
        if held["state"] == "making":
            await escalation.call_person(context, unit["merchant_id"])
        context.wakes.wake("fulfillments")

    async def deadline(self, context: Context, unit: asyncpg.Record) -> None:
        """As of every kind; but a command that was taken, and that no customer denied, is a cup
        however late that is looked at, and the merchant's rule may say goods."""
        async with context.db.as_merchant(unit["merchant_id"]) as conn:
            held = await fulfillment.lock(conn, unit)
            if held is None or context.now() < fulfillment.last_moment(held):
                return
            cup = await conn.fetchrow(store.CUP, unit["id"])
            assert cup is not None
            said = await _goods_at_the_end(conn, held, cup)
            if said:
                await transition(conn, COFFEE, unit["id"], "UNDISPUTED", context.now(), **said)
                return
            if held["state"] == "making":  # nobody looked at it until now: the doubt begins here
                said = await _doubt(conn, context, held)
                await transition(conn, COFFEE, unit["id"], "DEADLINE", context.now(), **said)
        if held["state"] == "making":
            await escalation.call_person(context, unit["merchant_id"])
            context.wakes.wake("fulfillments")
        else:
            await super().deadline(context, unit)

    async def prove(self, context: Context, unit: asyncpg.Record, said: Testimony) -> None:
        """Who works there decides. A customer who has the cup ends it, too; one who has not is
        believed as the merchant's rules say."""
        async with context.db.as_merchant(unit["merchant_id"]) as conn:
            held = await fulfillment.lock(conn, unit)
            if held is None or held["state"] in COFFEE.declared.unsent:
                return
            if said.by != CUSTOMER:
                await transition(
                    conn, COFFEE, unit["id"], "BREWED" if said.came else "NOT_BREWED",
                    context.now(), basis="person_said", said_by=said.by,
                )  # fmt: skip
            elif said.came:
                await transition(
                    conn, COFFEE, unit["id"], "BREWED", context.now(), basis="customer_confirmed"
                )
            elif held["state"] != "making":  # there its answer is on its way
                await _denied(conn, context, held)
        if said.by == CUSTOMER and (held["person_since"] is not None or not said.came):
            await escalation.call_person(context, unit["merchant_id"])
        context.wakes.wake("refunds", "fulfillments")

    async def story(
        self, context: Context, conn: Connection, units: Sequence[asyncpg.Record]
    ) -> Story:
        known = await super().story(context, conn, units)
        open_ = [unit for unit in units if unit["settlement"] is None]
        cups = await conn.fetch(store.CUPS, [unit["id"] for unit in units])
        begun = min((unit["sent_at"] for unit in units if unit["sent_at"]), default=None)
        denied = any(cup["denied_at"] for cup in cups)
        asks = bool(open_) and not denied and all(
            unit["state"] in ("in_grace", "in_doubt") for unit in open_
        )  # fmt: skip
        unconfirmed = any(cup["answer"] in ("unclear", "refused") for cup in cups)
        return Story(
            progress=known.progress, begun_at=begun, asks=asks, unconfirmed=unconfirmed,
            looks_into=not denied if open_ else _only_counted(units), shape="cup",
        )  # fmt: skip


def _only_counted(units: Sequence[asyncpg.Record]) -> bool:
    """Nobody said that the cup came: its customer is told whom to ask, where they did not get
    it."""
    return any(unit["basis"] == "command_taken" for unit in units)


async def _put_off(context: Context, unit: asyncpg.Record) -> None:
    async with context.db.as_merchant(unit["merchant_id"]) as conn:
        await fulfillment.put_off(conn, unit, context.after("offer_s"))


async def _is_heard(context: Context, vendor: Vendor, device: str, within: timedelta) -> bool:
    """Whether its last heartbeat is recent. One that cannot be asked about counts as silent."""
    match await vendor.last_heartbeat(device):
        case Heartbeat(at=at):
            return is_recent(context, at, within)
        case other:
            log.info("machine_not_heard", device=device, said=repr(other))
            return False


async def _answered(
    context: Context, unit: asyncpg.Record, answer: Taken | Refused | Unclear
) -> None:
    """What a vendor said is true whichever process asked, and whatever became of the unit since:
    an answer that comes too late is kept, and only a refusal still settles."""
    event, said = _meaning(answer)
    async with context.db.unfenced.as_merchant(unit["merchant_id"]) as conn:
        held = await fulfillment.lock(conn, {**unit, "state": "making"})
        if held is not None and event == "TAKEN_ON":
            windows = windows_at(context, held)
            until = context.now() + windows.span("grace_s")
            said |= {
                "grace_until": until,
                "due_at": until,
                "hard_deadline": until + windows.span("in_doubt_s"),
            }
        elif held is not None and event == "UNCLEAR":
            said |= await _doubt(conn, context, held)
        await transition(conn, COFFEE, unit["id"], event, context.now(), **said)
    if event == "UNCLEAR":
        await escalation.call_person(context, unit["merchant_id"])
    context.wakes.wake("refunds", "fulfillments")


def _meaning(answer: Taken | Refused | Unclear) -> tuple[str, dict[str, object]]:
    """The event of an answer, and what is kept of it."""
    match answer:
        case Taken():
            return "TAKEN_ON", {"answer": "taken"}
        case Refused(reason=reason):
            return "NOT_BREWED", {"answer": "refused", "told": reason, "basis": "refused"}
        case Unclear(reason=reason):
            return "UNCLEAR", {"answer": "unclear", "told": reason}
        case other:
            assert_never(other)


async def _doubt(conn: Connection, context: Context, unit: asyncpg.Record) -> dict[str, object]:
    """Nobody knows whether the command arrived: until when, and whether a person decides."""
    rules = await rules_of(conn, unit["merchant_id"])
    if rules.unclear is not Rule.PERSON:
        return {"due_at": unit["hard_deadline"]}
    return {"rule": Rule.PERSON.value, **_for_a_person(context, unit)}


def _for_a_person(context: Context, unit: asyncpg.Record) -> dict[str, object]:
    """A person has a while to decide. Who was asked before is not given another one."""
    now = context.now()
    if unit["person_since"] is not None:
        end = unit["hard_deadline"]
    else:
        end = now + windows_at(context, unit).span("decide_s")
    since = unit["person_since"] or now
    return {"person_since": since, "due_at": end, "hard_deadline": end}


async def _denied(conn: Connection, context: Context, unit: asyncpg.Record) -> None:
    """The customer says that nothing came, for the first time; the merchant's rule decides."""
    cup = await conn.fetchrow(store.CUP, unit["id"])
    if cup is None or cup["denied_at"] is not None:
        return
    now = context.now()
    rule = await for_denial(conn, context, unit, cup["answer"])
    if rule is Rule.GOODS:
        await transition(
            conn, COFFEE, unit["id"], "UNDISPUTED", now, basis="policy_goods", denied_at=now,
            rule=rule.value,
        )  # fmt: skip
        return
    if rule is Rule.REFUND:  # the doubt ends now
        until: dict[str, object] = {"due_at": now, "hard_deadline": now}
    else:
        until = _for_a_person(context, unit)
    await transition(
        conn, COFFEE, unit["id"], "DENIED", now, denied_at=now, rule=rule.value, **until
    )


async def _goods_at_the_end(
    conn: Connection, unit: asyncpg.Record, cup: asyncpg.Record
) -> Mapping[str, object] | None:
    """On what basis a unit whose time is over counts as handed over; None where it does not. A
    customer who was given money back too often is no proof against a command that was taken."""
    if unit["state"] == "in_grace" or (
        unit["state"] == "in_doubt" and cup["answer"] == "taken" and cup["rule"] == Rule.LIMIT
    ):
        return {"basis": "command_taken"}
    if unit["state"] == "in_doubt" and cup["denied_at"] is None:
        rules = await rules_of(conn, unit["merchant_id"])
        if rules.unclear is Rule.GOODS:
            return {"basis": "policy_goods", "rule": Rule.GOODS.value}
    return None


async def reported(context: Context, device: str, machine_order: str, *, brewed: bool) -> bool:
    """A vendor that reports completion says what came of a machine's order. Whether it is ours."""
    async with context.db.system_transaction() as conn:
        unit = await conn.fetchrow(store.UNIT_OF_ORDER, device, machine_order)
    if unit is None or unit["sent_at"] is None:
        return False
    async with context.db.as_merchant(unit["merchant_id"]) as conn:
        await transition(
            conn, COFFEE, unit["id"], "BREWED" if brewed else "NOT_BREWED", context.now(),
            basis="reported",
        )  # fmt: skip
    context.wakes.wake("refunds", "fulfillments")
    return True
