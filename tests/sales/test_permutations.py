"""Any order and any repetition of what a gateway tells of one payment ends in the same state."""

from collections.abc import Awaitable, Callable
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from coinslot.gateways.base import Fact, Mark, PaymentFact, RefundFact, RefundStage, Taken
from coinslot.kit.money import Money
from tests.sales.stage import Stage

Told = tuple[str, Fact]


def sale(paid: PaymentFact) -> list[Told]:
    """What Razorpay tells of a payment through a printed code."""
    bare = replace(paid, qr_code_id=None)
    return [
        ("payment.authorized", replace(bare, taken=Taken.AUTHORIZED)),
        ("payment.captured", bare),
        ("qr_code.credited", paid),
    ]


def refund(paid: PaymentFact, minor: int, mark: Mark | None, *stages: RefundStage) -> list[Told]:
    facts = [
        RefundFact(
            gateway_refund_id=f"rfnd_{paid.gateway_payment_id}",
            gateway_payment_id=paid.gateway_payment_id, stage=stage,
            money=Money(minor, "INR"), at=paid.at, mark=mark,
        )
        for stage in stages
    ]  # fmt: skip
    return [(f"refund.{fact.stage}", fact) for fact in facts]


SNAPSHOT = """
SELECT c.reason, c.captured, c.fulfilled, c.refund_due, c.surplus, c.open, c.outside,
    c.outside_used, c.refund_intended, o.state AS order_state, p.state AS payment_state,
    (SELECT array_agg(u.state || ' ' || coalesce(u.basis, '') ORDER BY u.id)
     FROM fulfillments u WHERE u.capture_id = c.id) AS units,
    (SELECT array_agg(r.origin || ' ' || r.state || ' ' || r.amount_minor
     ORDER BY r.origin, r.state, r.amount_minor)
     FROM refunds r WHERE r.capture_id = c.id) AS refunds,
    (SELECT array_agg(l.account || ' ' || l.sum ORDER BY l.account) FROM (SELECT account,
     sum(amount) FROM ledger WHERE capture_id = c.id GROUP BY account) l) AS ledger,
    (SELECT count(*) FROM strays) AS strays,
    (SELECT count(*) FROM discrepancies d WHERE d.capture_id = c.id) AS discrepancies
FROM captures c LEFT JOIN orders o ON o.id = c.order_id
LEFT JOIN payments p ON p.id = c.payment_id WHERE c.gateway_payment_id = $1
"""

History = Callable[[Stage], Awaitable[tuple[str, list[Told]]]]


async def a_sale(stage: Stage) -> tuple[str, list[Told]]:
    paid = await stage.pay()
    return paid.gateway_payment_id, sale(paid)


async def a_sale_with_its_fee(stage: Stage) -> tuple[str, list[Told]]:
    """The fee is told with the capture, and not by every event of it."""
    paid = await stage.pay()
    told = replace(paid, fee=Money(94, "INR"))
    return paid.gateway_payment_id, [*sale(paid), ("order.paid", told), ("charge.updated", told)]


async def a_sale_refunded_in_the_dashboard(stage: Stage) -> tuple[str, list[Told]]:
    paid = await stage.pay()
    stages = (RefundStage.PENDING, RefundStage.PROCESSED)
    return paid.gateway_payment_id, sale(paid) + refund(paid, 4000, None, *stages)


async def a_sale_partly_refunded_in_the_dashboard(stage: Stage) -> tuple[str, list[Told]]:
    paid = await stage.pay()
    return paid.gateway_payment_id, sale(paid) + refund(paid, 1500, None, RefundStage.PROCESSED)


async def a_wrong_amount_refunded_by_us(stage: Stage) -> tuple[str, list[Told]]:
    """Our refund exists before it is told of; so does the capture."""
    paid = replace(await stage.pay(), money=Money(5000, "INR"))
    await stage.webhook(paid, event="before")
    mine = await stage.value(
        "SELECT r.id FROM refunds r JOIN captures c ON c.id = r.capture_id"
        " WHERE c.gateway_payment_id = $1", paid.gateway_payment_id,
    )  # fmt: skip
    stages = (RefundStage.PENDING, RefundStage.PROCESSED)
    mark = Mark(installation="test", refund=str(mine))
    return paid.gateway_payment_id, sale(paid) + refund(paid, 5000, mark, *stages)


HISTORIES: tuple[History, ...] = (
    a_sale,
    a_sale_with_its_fee,
    a_sale_refunded_in_the_dashboard,
    a_sale_partly_refunded_in_the_dashboard,
    a_wrong_amount_refunded_by_us,
)


async def told(stage: Stage, history: History, order: Callable[[int], list[int]]) -> dict[str, Any]:
    """The state after a fresh payment's history was told in this order."""
    payment, events = await history(stage)
    for position, index in enumerate(order(len(events))):
        name, fact = events[index]
        # A gateway repeats under the same delivery id; another id with the same news comes too.
        await stage.webhook(fact, event=name if position % 2 else f"{name} {position}")
    (state,) = await stage.rows(SNAPSHOT, payment)
    return state


@st.composite
def tellings(draw: st.DrawFn) -> tuple[History, list[int]]:
    """A history, and numbers from which every permutation with repetitions is made."""
    return (
        draw(st.sampled_from(HISTORIES)),
        draw(st.lists(st.integers(0, 4), min_size=0, max_size=4)),
    )


async def test_every_permutation_and_repetition_ends_in_the_same_state(stage: Stage) -> None:
    wanted = {h: await told(stage, h, lambda size: list(range(size))) for h in HISTORIES}
    assert wanted[a_sale]["order_state"] == "paid"
    assert wanted[a_sale_refunded_in_the_dashboard]["refunds"] == ["gateway succeeded 4000"]

    # `given` cannot drive an async test: it only collects the tellings here.
    collected: list[tuple[History, list[int], list[int]]] = []

    @settings(max_examples=60, derandomize=True, database=None, deadline=None,
              suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(tellings(), st.permutations(range(5)), st.randoms(use_true_random=False))
    def collect(telling: tuple[History, list[int]], shuffled: list[int], dice: Any) -> None:
        history, repeated = telling
        order = [*shuffled, *repeated]
        dice.shuffle(order)
        collected.append((history, shuffled, order))

    collect()
    for history, _, order in collected:
        state = await told(stage, history, lambda size, o=order: [i for i in o if i < size])  # type: ignore[misc]
        assert state == wanted[history], (history.__name__, order)
