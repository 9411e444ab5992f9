"""How a piece at a counter is driven: people do that. What nobody accepts or fetches in time goes
back by itself."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import ClassVar

import asyncpg

from coinslot.context import Context
from coinslot.counter import (
    alarms,
    arrivals,
    credits,
    message_store,
    messages,
    no_show,
    printing,
    resending,
    store,
)
from coinslot.counter.codes import code_of
from coinslot.counter.flow import COUNTER
from coinslot.counter.order_texts import OF_ORDERS
from coinslot.db.due import Due
from coinslot.db.pool import Connection
from coinslot.events.notices import browsers
from coinslot.orders import fulfillment
from coinslot.orders.fulfillment import Fulfillment, Owing, Testimony
from coinslot.orders.page_views import Progress, Story
from coinslot.states.transition import transition
from coinslot.states.unit_flow import UnitFlow

_NOT_ACCEPTED = """
SELECT f.id, f.basis, c.accepted_at FROM fulfillments f JOIN counter_units c USING (id)
WHERE f.kind = 'counter' AND (f.state IN ('in_preparation', 'to_pick_up', 'picked_up'))
    AND c.accepted_at IS NULL
"""
_BY_CODE_OR_NAME = """
SELECT f.id, f.basis, c.said_by FROM fulfillments f JOIN counter_units c USING (id)
WHERE f.kind = 'counter' AND f.settlement = 'fulfilled' AND NOT CASE f.basis
    WHEN 'code' THEN EXISTS (SELECT FROM counter_orders o WHERE o.order_id = f.order_id
        AND o.tries > 0)
    WHEN 'staff_word' THEN c.said_by IS NOT NULL AND c.reason IS NOT NULL
        AND EXISTS (SELECT FROM exposures x WHERE x.fulfillment_id = f.id)
    WHEN 'no_show' THEN EXISTS (SELECT FROM exposures x WHERE x.fulfillment_id = f.id)
    ELSE false END
"""
_KEPT_UNTOLD = """
SELECT f.id, f.settled_at, c.ready_at, o.no_show FROM fulfillments f JOIN counter_units c USING (id)
JOIN counter_orders o ON o.order_id = f.order_id WHERE f.basis = 'no_show'
    AND (o.no_show <> 'kept' OR c.ready_at IS NULL OR NOT EXISTS (SELECT FROM counter_messages m
        WHERE m.order_id = f.order_id AND m.purpose = 'ready' AND m.proved
            AND m.stage = 'delivered' AND m.created_at BETWEEN c.ready_at AND f.settled_at))
"""
# What a customer with a phone or an address is to be told of what happened has its row.
_UNTOLD = """
SELECT o.order_id, w.purpose FROM counter_orders o JOIN counter_contacts k USING (order_id)
    JOIN LATERAL (VALUES
        ('code', k.phone IS NOT NULL),
        ('receipt', k.email IS NOT NULL),
        ('ready', coalesce(k.phone, k.email) IS NOT NULL AND EXISTS (SELECT FROM fulfillments f
            JOIN counter_units c USING (id) WHERE f.order_id = o.order_id
                AND c.ready_at IS NOT NULL)),
        ('cancelled', coalesce(k.phone, k.email) IS NOT NULL AND EXISTS (SELECT FROM fulfillments f
            WHERE f.order_id = o.order_id AND f.settlement = 'refund_due'))
    ) w (purpose, wanted) ON w.wanted
WHERE EXISTS (SELECT FROM fulfillments f WHERE f.order_id = o.order_id)
    AND NOT EXISTS (SELECT FROM counter_messages m
        WHERE m.order_id = o.order_id AND m.purpose = w.purpose)
"""
# Sent, or with a reason; what waits for its service is not late yet.
_UNEXPLAINED = """
SELECT id, purpose, form, stage, why, due_at FROM counter_messages
WHERE (stage IN ('due', 'sending') AND (due_at IS NULL OR due_at < $1))
    OR (stage IN ('failed', 'withheld', 'unconfirmed') AND why IS NULL)
    OR (stage IN ('queued', 'sent', 'delivered') AND (reference IS NULL OR begun_at IS NULL))
"""
_UNASKED = """
SELECT k.order_id FROM counter_contacts k WHERE (k.phone IS NOT NULL AND NOT EXISTS (SELECT FROM
        counter_consents c WHERE c.order_id = k.order_id AND c.form = 'phone'))
    OR (k.email IS NOT NULL AND NOT EXISTS (SELECT FROM
        counter_consents c WHERE c.order_id = k.order_id AND c.form = 'email'))
"""
_RESERVED = """
SELECT l.line_id, l.reserved, o.state FROM counter_lines l JOIN orders o ON o.id = l.order_id
WHERE l.reserved > CASE WHEN o.state = 'placed' THEN 10
    ELSE (SELECT count(*) FROM fulfillments f WHERE f.line_id = l.line_id
        AND f.settlement IS NULL) END
"""
_NO_REASON = """
SELECT f.id, c.ended, c.reason FROM fulfillments f JOIN counter_units c USING (id)
WHERE f.basis = 'rejected' AND (c.ended IS DISTINCT FROM 'rejected' OR c.said_by IS NULL
    OR coalesce(c.reason, '') = '')
"""
_LATE = """
SELECT f.id, f.sent_at, f.dispatch_by FROM fulfillments f
WHERE f.kind = 'counter' AND f.sent_at >= f.dispatch_by AND f.basis = 'code'
"""
_ALARM = """
SELECT f.order_id, f.id FROM fulfillments f WHERE f.kind = 'counter' AND f.state = 'to_accept'
    AND NOT EXISTS (SELECT FROM counter_alarms a WHERE a.id = f.order_id AND a.ended_at IS NULL)
"""
_PAPER = """
SELECT j.id FROM counter_prints j WHERE j.kind = 'ticket' AND EXISTS (SELECT FROM unnest(j.units) u
    LEFT JOIN fulfillments f ON f.id = u LEFT JOIN events e ON e.subject_id = u
        AND e.event = 'ACCEPTED' AND e.at <= j.created_at
    WHERE f.order_id IS DISTINCT FROM j.order_id OR e.subject_id IS NULL)
"""
_PRINTED_LATE = """
SELECT id FROM counter_prints WHERE sent_at < created_at
    OR sent_at > least(failed_at, doubted_at, printed_at)
"""
_FOLLOWED = """
SELECT p.card_id, f.order_id, p.earned, p.redeemed, e.earned AS booked, e.redeemed AS used
FROM order_offers f, order_points(f.order_id) p, LATERAL (
    SELECT coalesce(sum(x.points) FILTER (WHERE x.what = 'earned'), 0) AS earned,
        coalesce(sum(x.points) FILTER (WHERE x.what = 'redeemed'), 0) AS redeemed
    FROM loyalty_entries x WHERE x.order_id = f.order_id AND x.card_id = f.card_id) e
WHERE (p.earned, p.redeemed) IS DISTINCT FROM (e.earned, e.redeemed)
"""
_USED = """
SELECT c.id, c.code, c.uses, count(f.order_id) AS used FROM counter_coupons c
JOIN order_offers f ON f.coupon_id = c.id AND f.given_back_at IS NULL
GROUP BY c.id HAVING count(f.order_id) > c.uses
"""
_OFF = """
SELECT f.order_id, f.off_minor, t.off FROM order_offers f, LATERAL (
    SELECT coalesce(sum(l.price_minor * l.quantity
        - (SELECT sum(u) FROM unnest(coalesce(l.unit_minor,
            array_fill(l.price_minor, ARRAY[l.quantity]))) AS u)), 0)::bigint AS off
    FROM order_lines l WHERE l.order_id = f.order_id) t
WHERE f.off_minor <> t.off
"""
_NUMBERS = """
SELECT y.merchant_id, y.year, y.last, count(i.number) AS orders, max(i.number) AS highest
FROM counter_invoice_years y LEFT JOIN counter_invoices i USING (merchant_id, year)
GROUP BY 1, 2, 3 HAVING count(i.number) <> y.last OR max(i.number) IS DISTINCT FROM y.last
UNION ALL
SELECT o.merchant_id, NULL, NULL, 0, NULL FROM orders o JOIN counter_orders c ON c.order_id = o.id
WHERE (o.paid_at IS NULL) = EXISTS (SELECT FROM counter_invoices i WHERE i.order_id = o.id)
"""


# Of a year the notes are as many as its last number says; each refund that gave money back of a
# receipt has one of the same sum, and one whose refund did not last is void.
_CREDITS = """
SELECT y.merchant_id, y.year, y.last, count(n.number) AS notes, max(n.number) AS highest
FROM counter_credit_years y LEFT JOIN counter_credit_notes n USING (merchant_id, year)
GROUP BY 1, 2, 3 HAVING count(n.number) <> y.last OR max(n.number) IS DISTINCT FROM y.last
UNION ALL
SELECT r.merchant_id, NULL, NULL, r.amount_minor, NULL
FROM refunds r JOIN captures c ON c.id = r.capture_id AND c.reason IS NULL
    JOIN counter_orders o ON o.order_id = c.order_id
    LEFT JOIN counter_credit_notes n ON n.refund_id = r.id
WHERE CASE WHEN counter_credited(r)
    THEN (n.order_id, n.amount_minor, n.void_at)
        IS DISTINCT FROM (c.order_id, r.amount_minor, NULL::timestamptz)
    ELSE n.number IS NOT NULL AND n.void_at IS NULL END
UNION ALL
SELECT n.merchant_id, n.year, n.number, s.taxes, NULL FROM counter_credit_notes n
CROSS JOIN LATERAL (SELECT coalesce(sum(value::bigint), 0)::bigint AS taxes
    FROM jsonb_each_text(n.taxes)) s
WHERE s.taxes NOT BETWEEN 0 AND n.amount_minor
"""


def _brought(delivery: asyncpg.Record | None, ready: datetime | None) -> str:
    """How far what is brought to a door is. A driver may leave anew, with what was made anew."""
    if delivery is None:
        return ""
    left = delivery["left_at"]
    return "away" if left is not None and ready is not None and left >= ready else "deliver"


class Counter(Fulfillment):
    """A counter with people behind it."""

    flow: ClassVar[UnitFlow] = COUNTER
    windows: ClassVar[frozenset[str]] = Fulfillment.windows | {
        "prepare_s", "pickup_s", "code_s", "order_s",
    }  # fmt: skip
    counts_stock: ClassVar[bool] = False
    texts: ClassVar[Mapping[str, Mapping[str, str]]] = OF_ORDERS
    owes: ClassVar[Mapping[str, Owing]] = {
        "counter_messages": Owing(Due("counter_messages", lane="merchant_id"), messages.drive),
        "counter_alarms": Owing(Due("counter_alarms"), alarms.drive),
        "counter_prints": Owing(Due("counter_prints"), printing.drive),
    }
    checks: ClassVar[Mapping[str, str]] = {
        "nothing_at_a_counter_goes_on_that_was_not_accepted": _NOT_ACCEPTED,
        "a_counter_hands_over_by_code_or_by_name": _BY_CODE_OR_NAME,
        "a_counter_reserves_for_orders_that_may_be_handed_over": _RESERVED,
        "a_rejected_piece_has_a_name_and_a_reason": _NO_REASON,
        "points_follow_what_became_of_their_order": _FOLLOWED,
        "a_coupon_is_used_as_often_as_it_says": _USED,
        "a_discount_is_what_its_pieces_cost_less": _OFF,
        "a_code_hands_over_in_time": _LATE,
        "money_is_kept_only_from_who_was_told": _KEPT_UNTOLD,
        "what_a_customer_is_to_be_told_has_its_message": _UNTOLD,
        "every_message_was_sent_or_says_why_not": _UNEXPLAINED,
        "whoever_is_written_to_agreed": _UNASKED,
        "numbers_of_a_counter_have_no_gap": _NUMBERS,
        "each_refund_of_a_counter_has_one_credit_note": _CREDITS,
        "what_waits_to_be_accepted_has_its_alarm": _ALARM,
        "a_ticket_tells_of_what_was_accepted_before": _PAPER,
        "paper_is_sent_before_anybody_knows_its_end": _PRINTED_LATE,
    }

    async def start(self, context: Context, unit: asyncpg.Record) -> None:
        await self._wait(context, unit)

    async def remind(self, context: Context, unit: asyncpg.Record) -> None:
        await self._wait(context, unit)

    async def _wait(self, context: Context, unit: asyncpg.Record) -> None:
        """For people, until its time is over."""
        async with context.db.as_merchant(unit["merchant_id"]) as conn:
            await fulfillment.put_off(conn, unit, unit["dispatch_by"])

    async def prove(self, context: Context, unit: asyncpg.Record, said: Testimony) -> None:
        """A word alone is no proof here: the code is, or a member of staff who vouches for it."""

    async def deadline(self, context: Context, unit: asyncpg.Record) -> None:
        """Nobody accepted it, or nobody fetched it."""
        async with context.db.as_merchant(unit["merchant_id"]) as conn:
            held = await fulfillment.lock(conn, unit)
            if held is None or context.now() < fulfillment.last_moment(held):
                return
            kept = await no_show.order_row(conn, held)
            held = await conn.fetchrow(store.HELD_UNIT, held["id"])
            assert held is not None
            if await no_show.give_time(context, conn, [held], kept):
                return
            if await no_show.may_keep(conn, held, kept):
                await no_show.keep(context, conn, held)
                return
            ended = "not_accepted" if held["state"] == "to_accept" else "not_fetched"
            await transition(
                conn, COUNTER, held["id"], "DEADLINE", context.now(), basis="never_sent",
                ended=ended,
            )  # fmt: skip
        context.wakes.wake("refunds", "fulfillments", "counter_messages")

    async def address(self, conn: Connection, outlet: str) -> str | None:
        known = await conn.fetchrow(store.STORE, outlet)
        return None if known is None else f"/s/{known['slug']}"

    async def _keeps(
        self, conn: Connection, open_: set[str], kept: asyncpg.Record, ready: datetime | None
    ) -> bool:
        """Whether its customer was told that it is ready, and its money is kept then."""
        if kept["no_show"] != store.KEPT or open_ != {"to_pick_up"}:
            return False
        return bool(await conn.fetchval(message_store.PROVED_READY, kept["order_id"], ready))

    async def story(
        self, context: Context, conn: Connection, units: Sequence[asyncpg.Record]
    ) -> Story:
        beside = await conn.fetch(store.UNITS_BESIDE, [unit["id"] for unit in units])
        accepted = min((row["accepted_at"] for row in beside if row["accepted_at"]), default=None)
        ready = max((row["ready_at"] for row in beside if row["ready_at"]), default=None)
        open_ = {unit["state"] for unit in units if unit["settlement"] is None}
        if "to_accept" in open_ or not open_:
            progress = Progress.QUEUED
        else:
            progress = Progress.SENDING if "in_preparation" in open_ else Progress.WORKING
        kept = await conn.fetchrow(store.CODE_OF, units[0]["order_id"])
        assert kept is not None
        delivery = await conn.fetchrow(store.DELIVERY_OF, units[0]["order_id"])
        code = None
        if open_:
            code = code_of(context.vault, kept["order_id"], kept["code_version"])
        return Story(
            progress=progress, begun_at=accepted, code=code,
            code_text=None if code is None else f"{units[0]['order_id']}:{code}",
            looks_into=False, shape="cup", keeps=await self._keeps(conn, open_, kept, ready),
            wanted_at=kept["wanted_at"], brought=_brought(delivery, ready),
            may_arrive=bool(open_) and delivery is None and kept["arrivals"]
            and kept["here_changes"] < arrivals.AT_MOST,
            asks_where=bool(open_) and delivery is None and kept["asks_where"],
            here_at=kept["here_at"] if open_ else None,
            told=await resending.told(conn, kept["order_id"]),
            push_key=browsers.public_key(context) if open_ else "",
            may_resend=bool(open_) and await resending.may_resend(context, conn, kept["order_id"]),
            invoice=await conn.fetchval(store.INVOICE_OF, kept["order_id"]),
            credits=await credits.of_order(conn, kept["order_id"]),
            tax_included=sum(unit["tax_minor"] for unit in units),
            may_cancel=bool(open_) and open_ == {"to_accept"},
            confirmed_at=ready if progress is Progress.WORKING or not open_ else None,
        )  # fmt: skip
