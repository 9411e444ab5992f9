"""Each verb does its work, to the last column (`effects.json`), and no other's: beside it stands
everything once more, in the very same state, of the same merchant and the same gateway account. It
does what it does without them."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

import pytest

from coinslot.channels import messages as wire
from coinslot.db.embedded import OWNER
from coinslot.db.pool import Database, RawConnection
from coinslot.fleet import slots
from coinslot.fleet.config import Editor
from coinslot.kit.money import Money
from coinslot.orders import checkout
from coinslot.orders.checkout import OrderRequest
from coinslot.outlets import machines
from coinslot.payments import merchant_api, provision
from coinslot.payments.attempts import PaymentRequest
from coinslot.vending import machine_messages
from coinslot.worker import sweep
from tests.conftest import DatabaseUrls, on_server
from tests.sales.by_hand import Rows
from tests.sales.effects import between, everything, lines, written
from tests.sales.scenes_of_orders import SCENES_OF_ORDERS
from tests.sales.stage import Stage, set_stage
from tests.sales.taking import confirmed, made, once, taking
from tests.sales.test_lock_order import SCENES, Scene, Verb
from tests.sales.twins import Twins
from tests.sales.weather import LOST, in_weather

_ANEW = "if it is meant, `python -m tests.write_effects` writes it down; read the difference"
Work = Callable[[Stage], Awaitable[Verb]]


def _worked(table: str, begin: Callable[[Stage], Awaitable[object]]) -> Work:
    """The sweeper's work on the one row of a table that is due."""

    async def set_up(stage: Stage) -> Verb:
        await begin(stage)
        due = f"SELECT * FROM {table} WHERE due_at IS NOT NULL ORDER BY due_at DESC LIMIT 1"
        (row,) = await stage.rows(due)
        work = sweep.CHORES[table].work
        return lambda: work(stage.context, row)  # type: ignore[arg-type]

    return set_up


async def _money_is_owed(stage: Stage) -> None:
    await stage.sell()
    stage.later(121)
    await stage.sweep("fulfillments")


async def _nobody_answers(stage: Stage) -> None:
    weather = in_weather(stage)
    await _money_is_owed(stage)
    weather.fails("give_back", LOST)


async def _payer_waits(stage: Stage) -> None:
    taking(stage)
    await confirmed(stage, await made(stage, 5010))
    assert await stage.rows("SELECT FROM attempts WHERE due_at IS NOT NULL")


async def _payment_is_unclear(stage: Stage) -> None:
    taking(stage)
    await confirmed(stage, await made(stage, 5011))
    stage.later(3600)


async def _nobody_tells(stage: Stage) -> None:
    await stage.pay()
    stage.later(30)


def _by_the_api(minor: int, verb: Callable[[Stage, UUID], Verb], *, tried: bool = False) -> Work:
    async def set_up(stage: Stage) -> Verb:
        taking(stage)
        payment = await made(stage, minor)
        if tried:
            await confirmed(stage, payment)
        return verb(stage, payment)

    return set_up


def _confirms(stage: Stage, payment: UUID) -> Verb:
    return lambda: confirmed(stage, payment, "again")


def _cancels(stage: Stage, payment: UUID) -> Verb:
    return lambda: merchant_api.cancel(stage.context, once(stage, "cancel", "x"), payment)


def _creates(stage: Stage, payment: UUID) -> Verb:
    return lambda: made(stage, 7000, "another")


def _refunds(stage: Stage, payment: UUID) -> Verb:
    ask = merchant_api.RefundRequest(amount=1200, reason="broken")
    return lambda: merchant_api.request_refund(
        stage.context, once(stage, "refund", "x"), payment, ask
    )


async def _hold(stage: Stage) -> UUID:
    taking(stage)
    ask = PaymentRequest(money=Money(5000, "INR"), capture_method="manual")
    answer = await merchant_api.create(stage.context, once(stage, "create", "h"), ask)
    payment = UUID(answer.body["id"])
    await confirmed(stage, payment)
    return payment


async def _takes(stage: Stage) -> Verb:
    payment = await _hold(stage)
    return lambda: merchant_api.capture(stage.context, once(stage, "take", "x"), payment, 3000)


async def _lets_go(stage: Stage) -> Verb:
    payment = await _hold(stage)
    return lambda: merchant_api.cancel(stage.context, once(stage, "let go", "x"), payment)


async def _places(stage: Stage) -> Verb:
    await stage.hello()
    await stage.sell()
    return lambda: checkout.place(stage.context, OrderRequest(outlet="M01", slot="A1", key="tap"))


async def _declines(stage: Stage) -> Verb:
    await stage.sell()
    await stage.hello()
    await stage.sweep("fulfillments")
    offer = stage.offered()
    no = wire.Reject(
        unit_id=UUID(offer["unit_id"]),
        seq=offer["seq"],
        journal_id="j1",
        code=wire.Refusal.SLOT_FAULT,
    )
    return lambda: stage.hear(no)


async def _ends_service(stage: Stage) -> Verb:
    return lambda: provision.decommission(stage.context, "M01")


async def _refills(stage: Stage) -> Verb:
    return lambda: machines.refill(stage.context.db, "M01", "A1", 7)


async def _withholds(stage: Stage) -> Verb:
    editor = Editor(stage.merchant, "asha")
    return lambda: slots.withhold(stage.context, editor, "M01", "A1")


async def _sells_again(stage: Stage) -> Verb:
    editor = Editor(stage.merchant, "asha")
    await slots.withhold(stage.context, editor, "M01", "A1")
    return lambda: slots.put_on_sale(stage.context, editor, "M01", "A1")


async def _new_secret(stage: Stage) -> Verb:
    async def verb() -> None:
        async with stage.context.db.as_merchant(stage.merchant) as conn:
            now = stage.context.now()
            await machines.issue_device(conn, stage.context.vault, stage.merchant, "M01", now)

    return verb


async def _is_alive(stage: Stage) -> Verb:
    stage.later(60)
    return lambda: machine_messages.record_heartbeats(stage.context, {"M01": stage.context.now()})


MORE = (
    Scene("a refund is sent", set(), _worked("refunds", _money_is_owed)),
    Scene("a refund is lost on its way", set(), _worked("refunds", _nobody_answers)),
    Scene("a payer is asked about", set(), _worked("attempts", _payer_waits)),
    Scene("a payment is unclear for long", set(), _worked("payments", _payment_is_unclear)),
    Scene("codes are polled", set(), _worked("qr_polls", Stage.sell)),
    Scene("a code is paid and nobody tells", set(), _worked("qr_polls", _nobody_tells)),
    Scene("the API confirms", set(), _by_the_api(5000, _confirms)),
    Scene("the API is declined", set(), _by_the_api(5001, _confirms)),
    Scene("the API sends the payer away", set(), _by_the_api(5010, _confirms)),
    Scene("the API cancels", set(), _by_the_api(5010, _cancels, tried=True)),
    Scene("the API creates", set(), _by_the_api(5000, _creates, tried=True)),
    Scene("the API refunds a part", set(), _by_the_api(5000, _refunds, tried=True)),
    Scene("the API takes a part of what is held", set(), _takes),
    Scene("the API lets go what is held", set(), _lets_go),
    Scene("a customer orders", set(), _places),
    Scene("a machine declines", set(), _declines),
    Scene("a machine is taken out of service", set(), _ends_service),
    Scene("a slot is refilled", set(), _refills),
    Scene("a slot is withheld", set(), _withholds),
    Scene("a slot sells again", set(), _sells_again),
    Scene("a machine gets a new secret", set(), _new_secret),
    Scene("a machine is alive", set(), _is_alive),
)


# What has to be looked at at once after a verb: else it waits for the next poll.
WAKES: Mapping[tuple[str, ...], tuple[str, ...]] = {
    ("fulfillments", "refunds",): (
        "a coil jams", "a machine contradicts itself", "a machine declines", "a person takes back",
        "a person withdraws", "doubt ends",
    ),
    ("attempts", "qr_codes",): (
        "a way is changed", "an order expires",
    ),
    ("refunds",): (
        "a person refunds", "a refund is covered", "a refund is covered in part",
        "a refund is sent", "the API refunds", "the API refunds a part",
    ),
    ("qr_codes",): (
        "a machine is taken out of service",
    ),
}  # fmt: skip


@asynccontextmanager
async def shop(postgres: str, template: str) -> AsyncIterator[tuple[Stage, RawConnection]]:
    """A database of its own, and a hand in it; without the auditor, for copies have no books."""
    name = f"test_{uuid4().hex}"
    await on_server(postgres, f"CREATE DATABASE {name} TEMPLATE {template} OWNER {OWNER}")
    urls = DatabaseUrls.of(postgres, name)
    opened = await Database.open(urls.app, urls.door, size=4)
    rows = await Rows.open(urls.superuser)
    stage = await set_stage(opened)
    stage.owner_url = urls.owner
    yield stage, rows.conn
    await rows.conn.close()
    await opened.close()
    await on_server(postgres, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.mark.parametrize("scene", [*SCENES, *MORE, *SCENES_OF_ORDERS], ids=lambda scene: scene.name)
async def test_a_verb_leaves_the_twins_of_its_rows_alone(
    postgres: str, template: str, scene: Scene
) -> None:
    async with shop(postgres, template) as (stage, hand):
        verb, alone = await scene.set_up(stage), Twins(hand)
        before, was = await alone.originals(), await everything(hand)
        wakes = stage.context.wakes
        for event in wakes.events.values():
            event.clear()
        await verb()
        done = between(was, await everything(hand))
        assert lines(done) == written(scene.name, done), _ANEW
        woken = {table for table, event in wakes.events.items() if event.is_set()}
        assert woken >= {table for tables, names in WAKES.items() if scene.name in names
                         for table in tables}  # fmt: skip
        wanted = await alone.originals()
        assert wanted != before, "it did nothing"
    async with shop(postgres, template) as (stage, hand):
        verb = await scene.set_up(stage)
        twins = await Twins(hand).make()
        assert sum(map(len, twins.rows.values())) > 4
        await verb()
        assert await twins.now() == twins.rows
        assert await twins.originals() == wanted
