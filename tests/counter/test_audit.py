"""The audit's checks of counters: each is broken by hand, and it alone turns red."""

import pytest

from coinslot.counter import messages, printers, staff
from coinslot.counter.basket import Wish
from coinslot.counter.offers import Offer
from coinslot.counter.printers import NewPrinter
from coinslot.db.pool import Database, RawConnection
from coinslot.notices.base import Report, Stage
from tests.conftest import DatabaseUrls
from tests.counter.stage import Counter, set_counter
from tests.counter.telling import reach, row_of, service
from tests.counter.test_offers import CARD, collects, coupon
from tests.kept_database import KeptDatabase
from tests.sales.stage import set_stage


@pytest.fixture
async def spoiled(database: Database, urls: DatabaseUrls, kept_database: KeptDatabase) -> Counter:
    """Handed over by code and by name, rejected, in the making: nothing closes these books."""
    made = await set_counter(await set_stage(database))
    await made.stage.lent_by(kept_database, urls.owner)
    new = NewPrinter(outlet="S01", name="K1", kind="star")
    await printers.add(made.stage.context, made.who, new)
    await made.complete(await made.ready(Wish(sku="cake")))
    await made.stage.rows(
        "UPDATE counter_prints SET sent_at = created_at, failed_at = created_at, due_at = NULL"
        " RETURNING id"
    )
    await staff.vouch(made.stage.context, made.who, await made.ready(), "Knows her")
    await staff.reject(made.stage.context, made.who, await made.paid(), "No milk")
    await made.preparing(Wish(sku="cake"))
    await with_offers(made)
    service(made)
    await made.stage.rows("UPDATE counter_stores SET no_show = 'kept' RETURNING outlet_id")
    await made.board_open()
    kept = await made.ready(contact=reach())
    await made.stage.sweep("counter_messages")
    told = await row_of(made, kept, "sms", "ready")
    said = Report(reference=told["reference"], stage=Stage.DELIVERED)
    await messages.reported(made.stage.context, told, said)  # type: ignore[arg-type]
    made.stage.later(2 * 3600)
    await made.paid()
    await made.stage.sweep()
    return made


async def with_offers(made: Counter) -> None:
    """The only use of a coupon, and a stamp."""
    await coupon(made, uses=1)
    await collects(made)
    await made.complete(await made.ready(offer=Offer(coupon="SPRING", card=CARD)))


_OF = "FROM fulfillments f WHERE f.id = c.id AND"
BREAKS = {
    "money_is_kept_only_from_who_was_told": "UPDATE counter_messages SET proved = false",
    "what_a_customer_is_to_be_told_has_its_message": "DELETE FROM counter_messages"
    " WHERE purpose = 'code'",
    "every_message_was_sent_or_says_why_not": "UPDATE counter_messages SET reference = NULL"
    " WHERE purpose = 'ready'",
    "whoever_is_written_to_agreed": "DELETE FROM counter_consents",
    "nothing_at_a_counter_goes_on_that_was_not_accepted": "UPDATE counter_units c"
    f" SET accepted_at = NULL {_OF} f.state = 'in_preparation'",
    "a_counter_hands_over_by_code_or_by_name": "UPDATE counter_orders SET tries = 0",
    "a_counter_reserves_for_orders_that_may_be_handed_over": "UPDATE counter_lines"
    " SET reserved = reserved + 2",
    "a_rejected_piece_has_a_name_and_a_reason": "UPDATE counter_units c SET reason = ''"
    f" {_OF} f.basis = 'rejected'",
    "a_ticket_tells_of_what_was_accepted_before": "UPDATE counter_prints"
    " SET created_at = created_at - interval '1 day'",
    "paper_is_sent_before_anybody_knows_its_end": "UPDATE counter_prints"
    " SET sent_at = failed_at + interval '1 day' WHERE failed_at IS NOT NULL",
    "what_waits_to_be_accepted_has_its_alarm": "UPDATE counter_alarms SET ended_at = since,"
    " due_at = NULL WHERE ended_at IS NULL",
    "points_follow_what_became_of_their_order": "UPDATE loyalty_entries SET points = points + 1",
    "a_coupon_is_used_as_often_as_it_says": "INSERT INTO order_offers (order_id, merchant_id,"
    " coupon_id) SELECT o.id, o.merchant_id, c.id FROM orders o, counter_coupons c"
    " WHERE NOT EXISTS (SELECT FROM order_offers f WHERE f.order_id = o.id) LIMIT 1",
    "a_discount_is_what_its_pieces_cost_less": "UPDATE order_offers SET off_minor = off_minor + 1"
    " WHERE coupon_id IS NOT NULL",
    "numbers_of_a_counter_have_no_gap": "DELETE FROM counter_invoices WHERE number = 2",
    "each_refund_of_a_counter_has_one_credit_note": "DELETE FROM counter_credit_notes"
    " WHERE number = 1",
    "a_code_hands_over_in_time": "UPDATE fulfillments SET dispatch_by = sent_at"
    " WHERE basis = 'code'",
}


async def test_an_honest_counter_is_well(spoiled: Counter) -> None:
    assert not (await spoiled.stage.audit()).red


@pytest.mark.parametrize("check", BREAKS)
async def test_a_broken_promise_of_a_counter_turns_its_own_check_red(
    spoiled: Counter, hand: RawConnection, check: str
) -> None:
    await hand.execute(BREAKS[check])
    assert (await spoiled.stage.audit()).red == {check}
    assert [one.name for one in await spoiled.stage.wrong()] == [check]


def test_every_check_of_the_room_is_broken_here(spoiled: Counter) -> None:
    assert set(BREAKS) == set(spoiled.stage.context.kinds["counter"].checks)
