"""Which phase an order is in, and what its timeline says."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from coinslot.pages import order_progress
from coinslot.pages.order_progress import Phase
from tests.web import cast

ORDERS = cast.orders(cast.NOON)


@pytest.mark.parametrize(
    ("name", "phase"),
    [(phase.value, phase) for phase in Phase] + [("by-policy", Phase.REFUNDED)],
)
def test_each_state_of_an_order_is_told_as_its_phase(name: str, phase: Phase) -> None:
    assert order_progress.phase(ORDERS[name], cast.NOON) is phase


def test_a_code_past_its_time_is_not_shown_even_before_the_order_expires() -> None:
    late = cast.NOON + timedelta(hours=1)
    assert order_progress.phase(ORDERS["scan"], late) is Phase.EXPIRED


def test_late_money_going_back_is_told_as_a_refund() -> None:
    late = replace(ORDERS["expired"], refunds=ORDERS["refunding"].refunds, paid_at=cast.NOON)
    assert order_progress.phase(late, cast.NOON) is Phase.REFUNDING


def test_a_refund_that_replaced_a_failed_one_counts() -> None:
    failed = replace(ORDERS["retrying"].refunds[0], at=cast.NOON - timedelta(minutes=5))
    order = replace(ORDERS["refunded"], refunds=(*ORDERS["refunded"].refunds, failed))
    assert order_progress.phase(order, cast.NOON) is Phase.REFUNDED


@pytest.mark.parametrize("name", ["queued", "sending", "working", "checking"])
@pytest.mark.parametrize("refund", ["refunding", "refunded", "retrying", "owed"])
def test_money_of_one_unit_that_goes_back_ends_no_order_of_which_another_is_to_come(
    name: str, refund: str
) -> None:
    going = ORDERS[name]
    gone = cast.unit("failed", "refund_due", 2)
    order = replace(going, units=(*going.units, gone), refunds=ORDERS[refund].refunds)
    shown = order_progress.phase(order, cast.NOON)
    assert shown.value == name
    assert not order_progress.is_final(shown), "its page goes on listening"
    assert [step.text for step in order_progress.steps(order, shown)] == [
        step.text for step in order_progress.steps(going, shown)
    ]


def told(name: str) -> list[tuple[str, str]]:
    order = ORDERS[name]
    return [
        (step.text, step.mark)
        for step in order_progress.steps(order, order_progress.phase(order, cast.NOON))
    ]


def test_the_timeline_shows_what_comes_before_anything_was_paid() -> None:
    assert {mark for _, mark in told("scan")} == {"next"}
    assert told("expired") == []


def test_the_step_after_the_last_known_one_is_now() -> None:
    assert told("sending") == [
        ("step_paid", "done"),
        ("step_sent", "done"),
        ("step_confirmed", "now"),
        ("step_take", "next"),
    ]


def test_a_refund_follows_the_step_that_did_not_happen() -> None:
    assert told("refunded")[-2:] == [
        ("step_nothing_out", "stopped"),
        ("step_refund_succeeded", "done"),
    ]


def test_a_unit_settled_by_policy_is_called_a_silence() -> None:
    assert ("step_silent", "stopped") in told("by-policy")


def test_what_never_reached_the_machine_is_not_called_nothing_came_out() -> None:
    order = replace(ORDERS["refunding"], sent_at=None, confirmed_at=None)
    assert "step_not_reached" in {
        step.text for step in order_progress.steps(order, Phase.REFUNDING)
    }


def test_only_who_paid_and_has_no_money_back_may_ask_the_machine() -> None:
    asking = {
        name
        for name, order in ORDERS.items()
        if order_progress.may_ask_machine(order, order_progress.phase(order, cast.NOON))
    }
    assert asking == {"queued", "sending", "working", "checking", "done", "partly"}
