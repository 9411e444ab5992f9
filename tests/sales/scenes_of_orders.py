"""Verbs of orders: of what costs nothing, of extras, of parts that wait, of money that comes twice,
by a clock that is ahead. `test_twins.py` looks at them."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

from coinslot.orders.pricing import Discount
from tests.sales.stage import Stage
from tests.sales.test_clocks import our_clock_is
from tests.sales.test_extras import FEE, TAX, TIP, ask, ordered, place
from tests.sales.test_free_orders import EVERYTHING, NO_EXTRAS, free
from tests.sales.test_lock_order import Scene, Verb

_JAM = {"outcome": "FAILED", "drop": "no", "failure_code": "JAM"}


async def _free_order(stage: Stage) -> Verb:
    await stage.hello()
    return lambda: place(stage, 2, EVERYTHING, NO_EXTRAS, 0)


async def _order_with_extras(stage: Stage) -> Verb:
    await stage.hello()
    return lambda: place(stage, 3, (Discount(1000),), (TIP, FEE, TAX), 1800)


async def _at_the_machine(stage: Stage) -> None:
    await ordered(stage, TIP, FEE, TAX, discounts=(Discount(700),), tax_bp=1800)
    await stage.accept()


async def _last_drops(stage: Stage) -> Verb:
    await _at_the_machine(stage)
    return lambda: stage.result(event_seq=1)


async def _last_jams(stage: Stage) -> Verb:
    await _at_the_machine(stage)
    return lambda: stage.result(event_seq=1, **_JAM)


async def _free_one_drops(stage: Stage) -> Verb:
    await free(stage)
    await stage.accept()
    return lambda: stage.result(event_seq=1)


async def _free_one_jams(stage: Stage) -> Verb:
    await free(stage)
    await stage.accept()
    return lambda: stage.result(event_seq=1, **_JAM)


async def _part_waits(stage: Stage) -> Verb:
    order = await ordered(stage, TIP)
    await stage.accept()
    return lambda: ask(stage, order, amount=1000)


async def _part_is_taken(stage: Stage) -> Verb:
    await (await _part_waits(stage))()
    return lambda: stage.result(event_seq=1)


async def _part_goes_with_the_rest(stage: Stage) -> Verb:
    await (await _part_waits(stage))()
    return lambda: stage.result(event_seq=1, **_JAM)


async def _extra_is_withdrawn(stage: Stage) -> Verb:
    order = await ordered(stage, TIP, FEE)
    return lambda: ask(stage, order, "tip")


async def _paid_again(stage: Stage) -> Verb:
    await stage.sell()
    again = await stage.pay()
    return lambda: stage.webhook(again)


async def _paid_wrongly(stage: Stage) -> Verb:
    paid = await stage.pay(3900)
    return lambda: stage.webhook(paid)


def _by_a_clock_ahead(by: timedelta) -> Callable[[Stage], Awaitable[Verb]]:
    async def set_up(stage: Stage) -> Verb:
        our_clock_is(stage, by)
        paid = await stage.pay()
        stage.later(7)
        return lambda: stage.webhook(paid)

    return set_up


SCENES_OF_ORDERS = (
    Scene("an order that costs nothing is placed", set(), _free_order),
    Scene("an order with extras is placed", set(), _order_with_extras),
    Scene("the last piece of an order with extras drops", set(), _last_drops),
    Scene("the last piece of an order with extras jams", set(), _last_jams),
    Scene("a piece that costs nothing drops", set(), _free_one_drops),
    Scene("a piece that costs nothing jams", set(), _free_one_jams),
    Scene("a part waits for its piece", set(), _part_waits),
    Scene("a can drops of which a part waits", set(), _part_is_taken),
    Scene("a coil jams of whose piece a part waits", set(), _part_goes_with_the_rest),
    Scene("a tip is given back alone", set(), _extra_is_withdrawn),
    Scene("a printed code is paid again", set(), _paid_again),
    Scene("a printed code is paid with another sum", set(), _paid_wrongly),
    Scene("a code is paid by a clock that is ahead", set(),
          _by_a_clock_ahead(timedelta(minutes=2))),
    Scene("a code is paid by a clock that is behind", set(),
          _by_a_clock_ahead(timedelta(minutes=-2))),
)  # fmt: skip
