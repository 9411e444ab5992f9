"""`coinslot trigger`: makes an event happen for real, on a test account."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from msgspec import Struct

from coinslot.commands.api_client import Demo, Merchant, merchant
from coinslot.commands.events import say
from coinslot.commands.terms import console, fail, run

_HEARD_WITHIN_S = 60
_CURRENCY = "INR"


class Recipe(Struct, frozen=True, kw_only=True):
    """What is done to a payment: `method` is a key of METHODS, then the calls that follow."""

    minor: int = 5000
    capture: str = "automatic"
    method: str | None = "pays"  # None: it is not confirmed
    then: tuple[str, ...] = ()


# What each test gateway takes as the method of a payer who pays, is declined, or has to act.
METHODS: Mapping[str, Mapping[str, str | None]] = {
    "mock": {"pays": "card", "declined": "declined", "acts": None},
    "stripe": {"pays": "pm_card_visa", "declined": "pm_card_chargeDeclined", "acts": None},
}
PAYERS_TURN_MINOR = 5004  # the mock gateway asks the payer to act for it

RECIPES: Mapping[str, Recipe] = {
    "payment.processing": Recipe(),
    "payment.succeeded": Recipe(),
    "payment.failed": Recipe(method="declined"),
    "payment.requires_action": Recipe(minor=PAYERS_TURN_MINOR, method="acts"),
    "payment.authorized": Recipe(capture="manual"),
    "payment.canceled": Recipe(method=None, then=("cancel",)),
    "refund.pending": Recipe(then=("refunds",)),
    "refund.succeeded": Recipe(then=("refunds",)),
}

Wanted = Annotated[str, typer.Argument(help=f"One of: {', '.join(RECIPES)}.")]
Gateway = Annotated[str, typer.Option(help="A test account's gateway: mock or stripe.")]


def trigger(event: Wanted, gateway: Gateway = "mock", data: Demo = Path(".coinslot")) -> None:
    """Make a payment of a merchant so that this event happens, and wait until it is told.

    It is no pretence: payment and event stay in the books. A live key is refused."""
    recipe = RECIPES.get(event)
    if recipe is None:
        fail(f"{event} cannot be triggered; what can: {', '.join(RECIPES)}")
    if gateway not in METHODS:
        fail(f"{gateway} is no test gateway: {' or '.join(METHODS)}")

    async def main() -> int:
        async with merchant(data) as context:
            if context.is_live:
                fail("this is a live key: a payment on it would be real money")
            begin = await context.newest()
            payment = await make(context, recipe, gateway)
            try:
                async with asyncio.timeout(_HEARD_WITHIN_S):
                    async for told in context.events(begin, forever=True):
                        if payment in (told["data"].get("id"), told["data"].get("payment")):
                            say(told)
                            if told["type"] == event:
                                return 0
            except TimeoutError:
                console.print(f"{event} did not come of payment {payment}", soft_wrap=True)
            return 1

    run(main, "WARNING")


async def make(context: Merchant, recipe: Recipe, gateway: str) -> str:
    """A payment by this recipe; its id."""
    asked: dict[str, Any] = {
        "amount": recipe.minor, "currency": _CURRENCY, "gateway": gateway,
        "reference": "coinslot trigger", "capture_method": recipe.capture,
    }  # fmt: skip
    payment = str((await context.post("/payments", asked))["id"])
    if recipe.method is not None:
        method = METHODS[gateway][recipe.method]
        body = {} if method is None else {"method": method}
        await context.post(f"/payments/{payment}/confirm", body)
    for call in recipe.then:
        await context.post(f"/payments/{payment}/{call}", {})
    return payment
