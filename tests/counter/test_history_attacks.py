"""Somebody guesses at the orders of a phone that they do not have, or has it flooded at once."""

import asyncio

from coinslot.counter import history
from coinslot.counter.codes import code_of
from coinslot.counter.history import TooOftenError
from tests.counter.stage import Counter
from tests.counter.telling import PHONE, reach, service, swept


async def test_a_code_that_was_sent_to_nobody_opens_nothing(counter: Counter) -> None:
    service(counter)
    context, at = counter.stage.context, await counter.store()
    await counter.paid(contact=reach())
    opened = 0
    for number in range(8):  # each search from another network
        lookup, _ = await history.ask(context, at, PHONE, f"10.1.0.{number}")
        guessed = code_of(context.vault, lookup, 0)  # as a lucky guess would have it
        opened += await history.found(context, at, lookup, guessed) is not None
    assert opened == 3, "as many as were sent"


async def test_asked_for_at_once_a_phone_gets_no_more_than_one_after_the_other(
    counter: Counter,
) -> None:
    sent = service(counter)
    context, at = counter.stage.context, await counter.store()
    await counter.paid(contact=reach())
    await swept(counter)
    before = len(sent.sent)
    await asyncio.gather(*(history.ask(context, at, PHONE, f"10.1.0.{n}") for n in range(12)))
    await swept(counter)
    assert len(sent.sent) == before + 3


async def test_a_network_that_asks_at_once_is_held_to_its_number(counter: Counter) -> None:
    service(counter)
    context, at = counter.stage.context, await counter.store()
    phones = [f"+49151000001{number:02}" for number in range(30)]
    answers = await asyncio.gather(
        *(history.ask(context, at, one, "10.1.0.1") for one in phones), return_exceptions=True
    )
    assert sum(isinstance(one, TooOftenError) for one in answers) == 10
