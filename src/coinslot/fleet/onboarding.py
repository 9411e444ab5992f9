"""Setting machines up: slots, products, prices, stock, payment account and device in one
transaction, so that a machine is there whole or not at all; fifty at once, too. `planning.py` finds
what is wrong before anything is written."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

import msgspec
from msgspec import Struct

from coinslot.catalog.products import Product, add_product, describe_product
from coinslot.channels.base import PRACTICE
from coinslot.context import Context
from coinslot.db.pool import Connection, again
from coinslot.fleet import practice, store
from coinslot.fleet.config import Editor, MachineConfig, config_in, record
from coinslot.fleet.enrolment import DeviceAddresses, DeviceEnrolment, enrolment, with_firmware_key
from coinslot.fleet.planning import (
    Account,
    NewMachine,
    Plan,
    PlannedMachine,
    Planning,
    Problem,
    is_taken,
)
from coinslot.fleet.versions import MadeVersion
from coinslot.gateways.base import PrintsQr
from coinslot.kit.ids import uuid7
from coinslot.orders.outlet_windows import WindowForm, change_windows_in
from coinslot.outlets.machines import (
    DeviceSecret,
    Outlet,
    OutletTakenError,
    Slot,
    add_outlet,
    replace_secret,
)
from coinslot.payments import idempotency
from coinslot.payments.idempotency import Answer, IdempotentCall


class OnboardError(Exception):
    """Nothing was set up: something is wrong with one of the machines, or more."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(problem.message for problem in problems))
        self.problems = tuple(problems)


async def plan(context: Context, merchant: UUID, wanted: Sequence[NewMachine]) -> Plan:
    """What would be set up; nothing is written."""
    accounts = await _accounts(context, merchant)
    taken = await _taken(context, wanted)
    async with context.db.as_merchant(merchant) as conn:
        return await Planning(conn, context, merchant, accounts, taken).plan(wanted)


async def onboard(
    context: Context, editor: Editor, wanted: Sequence[NewMachine], addresses: DeviceAddresses
) -> list[DeviceEnrolment]:
    """Set all of them up, and give out what their devices need, once. Raises OnboardError."""
    prepared = await prepare(context, editor.merchant, wanted)

    async def write() -> list[DeviceEnrolment]:
        async with context.db.as_merchant(editor.merchant) as conn:
            return await onboard_in(conn, context, editor, prepared, addresses)

    return await again(write)


class Prepared(NamedTuple):
    """What is asked of other transactions before the one that writes."""

    wanted: Sequence[NewMachine]
    accounts: Sequence[Account]
    taken: frozenset[str]


async def prepare(context: Context, merchant: UUID, wanted: Sequence[NewMachine]) -> Prepared:
    """Before `onboard_in`, outside its transaction."""
    return Prepared(wanted, await _accounts(context, merchant), await _taken(context, wanted))


async def onboard_in(
    conn: Connection, context: Context, editor: Editor, prepared: Prepared,
    addresses: DeviceAddresses,
) -> list[DeviceEnrolment]:  # fmt: skip
    """In the caller's transaction. Raises OnboardError."""
    wanted, accounts, taken = prepared
    planned = await Planning(conn, context, editor.merchant, accounts, taken).plan(wanted)
    if planned.problems:
        raise OnboardError(planned.problems)
    ids = {account.name: account.id for account in accounts}
    made = {}
    # In the order of their codes: two who set up the same ones at once wait in turn.
    for number, machine in sorted(enumerate(planned.machines), key=lambda pair: pair[1].code):
        try:
            secret = await _write(conn, context, editor, machine, ids[machine.account])
            given = enrolment(machine.channel, machine.dialect, secret, addresses)
            made[number] = await with_firmware_key(conn, editor.merchant, given)
        except OutletTakenError:
            raise OnboardError([is_taken(number, machine.code)]) from None
    return [made[number] for number in sorted(made)]


class Onboarded(Struct, frozen=True, kw_only=True):
    """A machine that was set up. The enrolment is in the first answer, and in no other."""

    machine: MachineConfig
    enrolment: DeviceEnrolment | None


async def onboard_once(
    context: Context,
    editor: Editor,
    key: IdempotentCall,
    wanted: NewMachine,
    addresses: DeviceAddresses,
) -> Answer:
    """Set one up, however often the call is sent with its key. What is kept of the answer has no
    secret: a lost one is replaced by provisioning the device.

    Raises OnboardError, and what `payments.idempotency` raises for a key."""
    prepared = await prepare(context, editor.merchant, [wanted])

    async def write() -> Answer:
        async with context.db.as_merchant(editor.merchant) as conn:
            claimed = await idempotency.begin(conn, context, key)
            if isinstance(claimed, Answer):
                return claimed
            (made,) = await onboard_in(conn, context, editor, prepared, addresses)
            machine = await config_in(conn, editor.merchant, wanted.code)
            kept = Onboarded(machine=machine, enrolment=None)
            stored = Answer(status=201, body=msgspec.to_builtins(kept))
            await idempotency.finish(conn, context, key, stored)
            told = msgspec.structs.replace(kept, enrolment=made)
            return Answer(status=201, body=msgspec.to_builtins(told))

    return await again(write)


async def _write(
    conn: Connection, context: Context, editor: Editor, machine: PlannedMachine, account: UUID
) -> DeviceSecret:
    now, merchant = context.now(), editor.merchant
    slots = []
    for slot in sorted(machine.slots, key=lambda slot: slot.sku):
        product = Product(id=uuid7(now), sku=slot.sku, name=slot.product, price=slot.usual_price)
        product_id = await add_product(conn, merchant, product)
        if slot.described is not None and product_id == product.id:
            await describe_product(conn, merchant, slot.sku, slot.described)
        slots.append(
            Slot(slot=slot.slot, product_id=product_id, price_minor=slot.price.minor,
                 stock=slot.stock, par=slot.par)
        )  # fmt: skip
    outlet = Outlet(
        code=machine.code, merchant_id=merchant, name=machine.name, place=machine.place,
        kind="vending", channel=machine.channel, dialect=machine.dialect,
        currency=machine.currency, account_id=account, contact=machine.contact, zone=machine.zone,
    )  # fmt: skip
    if not await add_outlet(conn, outlet, slots, now):
        raise OutletTakenError(machine.code)
    if machine.channel == PRACTICE:
        await practice.prepare(conn, merchant, machine.code)
    await conn.execute(store.SET_DEVICE, machine.code, machine.device)
    if machine.windows:
        form = WindowForm(machine.windows)
        await change_windows_in(conn, context, machine.code, form, editor.actor)
    made = MadeVersion(config=await config_in(conn, merchant, machine.code))
    await record(conn, editor, made, now)
    said = {"version": 1, "account": machine.account}
    await editor.note(conn, "machine.onboarded", machine.code, said, now)
    return await replace_secret(conn, context.vault, merchant, machine.code, now)


async def _accounts(context: Context, merchant: UUID) -> list[Account]:
    """In the order in which they were added."""
    async with context.db.as_merchant(merchant) as conn:
        rows = await conn.fetch(store.ACCOUNTS, merchant)
    found = []
    for row in rows:
        account = await context.accounts.by_id(row["id"])
        driver = account.driver
        found.append(Account(
            row["id"], f"{row['gateway']}/{row['slug']}", driver.currencies,
            isinstance(driver, PrintsQr), account.live is False, row["disabled"],
        ))  # fmt: skip
    return found


async def _taken(context: Context, wanted: Sequence[NewMachine]) -> frozenset[str]:
    async with context.db.system_transaction() as conn:
        rows = await conn.fetch(store.CODES_TAKEN, [machine.code for machine in wanted])
    return frozenset(row["id"] for row in rows)
