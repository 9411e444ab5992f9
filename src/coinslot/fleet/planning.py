"""Machines as they will be: what is asked for is looked through before anything is written. What is
wrong is said by the place where it stands."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, NamedTuple
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from coinslot import channels
from coinslot.catalog.products import Described
from coinslot.channels.base import PRACTICE, Guarantee, guarantee
from coinslot.context import Context
from coinslot.db.pool import Connection
from coinslot.fleet import store
from coinslot.fleet.config import (
    DEVICE_BYTES_AT_MOST,
    SLOTS_AT_MOST,
    STORABLE,
    ConfigError,
    Label,
    Par,
    Sku,
    SlotName,
    Text,
    ZoneName,
    checked,
    look_at_device,
)
from coinslot.fleet.templates import Template, UnknownTemplateError, template_in
from coinslot.kit.clock import UnknownZoneError, known_zone
from coinslot.kit.money import Money
from coinslot.orders.outlet_pages import powers

MACHINES_AT_MOST: Final = 500
Code = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_-]{1,32}\Z")]


Category = Annotated[str, Meta(max_length=40, pattern=STORABLE)]


class NewSlot(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A slot of a new machine. What is left out is the template's, then the product's.

    `product` is the name of a product that is made where there is none with this sku; it needs a
    price, and may have a category and a description. One that is there stays as it is. `stock` is
    what is in it now, else it is filled to its par level."""

    slot: SlotName
    sku: Sku | UnsetType = UNSET
    product: Label | UnsetType = UNSET
    category: Category | UnsetType = UNSET
    description: Text | UnsetType = UNSET
    price: Money | UnsetType = UNSET
    par: Par | UnsetType = UNSET
    stock: Par | UnsetType = UNSET


class NewMachine(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a machine is set up with; what is left out is the template's.

    `account` is written gateway/name; else it is the merchant's first one in use that prints codes
    in the machine's currency, or takes it: for a real machine one of real money, where there is
    one."""

    code: Code
    name: Label
    place: Text = ""
    contact: Text = ""
    zone: ZoneName | None = None
    template: Annotated[str, Meta(max_length=40, pattern=STORABLE)] | None = None
    channel: Annotated[str, Meta(max_length=32, pattern=STORABLE)] | UnsetType = UNSET
    dialect: Annotated[str, Meta(max_length=32, pattern=STORABLE)] | UnsetType = UNSET
    currency: Annotated[str, Meta(pattern=r"\A[A-Z]{3}\Z")] | UnsetType = UNSET
    account: Annotated[str, Meta(max_length=200, pattern=STORABLE)] | UnsetType = UNSET
    slots: list[NewSlot] = []
    device: dict[str, Any] | UnsetType = UNSET


def _described(slot: NewSlot) -> Described | None:
    said = Described(
        names={}, descriptions={}, category=(slot.category or "").strip(),
        description=(slot.description or "").strip(),
    )  # fmt: skip
    return said if said.category or said.description else None


class PlannedSlot(Struct, frozen=True, kw_only=True):
    """A slot as it will be."""

    slot: str
    sku: str
    product: str
    price: Money
    usual_price: Money  # of the product
    par: int
    stock: int
    new_product: bool
    described: Described | None = None  # of a new product, beside its name


class PlannedMachine(Struct, frozen=True, kw_only=True):
    """A machine as it will be."""

    code: str
    name: str
    place: str
    contact: str
    zone: str | None
    channel: str
    dialect: str
    currency: str
    account: str
    slots: list[PlannedSlot]
    device: dict[str, Any]
    windows: dict[str, float]


class Problem(Struct, frozen=True, kw_only=True):
    """What is wrong with one machine; `field` is its path there, `code` is for programs."""

    machine: int  # its place among those that were asked for
    field: str
    code: str
    message: str


class Plan(Struct, frozen=True, kw_only=True):
    """What would be set up, or why nothing would."""

    machines: list[PlannedMachine]
    problems: list[Problem]


class Account(NamedTuple):
    id: UUID
    name: str
    currencies: frozenset[str]
    prints: bool
    test_only: bool
    disabled: bool


def is_taken(number: int, code: str) -> Problem:
    return Problem(
        machine=number, field="code", code="machine_exists",
        message=f"There is a machine {code} already.",
    )  # fmt: skip


class Planning:
    """Looks at each machine that is wanted; what is wrong is collected."""

    def __init__(
        self, conn: Connection, context: Context, merchant: UUID, accounts: Sequence[Account],
        taken: frozenset[str],
    ) -> None:  # fmt: skip
        self._conn = conn
        self._context = context
        self._merchant = merchant
        self._accounts = accounts
        self._taken = taken
        self._problems: list[Problem] = []
        self._products: dict[str, tuple[str, Money]] = {}  # name and price by sku
        self._new: set[str] = set()  # of these products, those that are made
        self._described: dict[str, Described] = {}
        self._retired: set[str] = set()
        self._templates: dict[str | None, Template] = {None: Template()}

    async def plan(self, wanted: Sequence[NewMachine]) -> Plan:
        if not 0 < len(wanted) <= MACHINES_AT_MOST:
            self._wrong(0, "", "machine_count", f"From 1 to {MACHINES_AT_MOST} at once.")
            return Plan(machines=[], problems=self._problems)
        await self._know_templates(wanted)
        await self._know_products(wanted)
        planned = [self._machine(number, machine, wanted) for number, machine in enumerate(wanted)]
        whole = [] if self._problems else [machine for machine in planned if machine is not None]
        return Plan(machines=whole, problems=self._problems)

    def _wrong(self, machine: int, field: str, code: str, message: str) -> None:
        self._problems.append(Problem(machine=machine, field=field, code=code, message=message))

    async def _know_templates(self, wanted: Sequence[NewMachine]) -> None:
        for number, machine in enumerate(wanted):
            if machine.template in self._templates:
                continue
            try:
                name = str(machine.template)
                self._templates[name] = await template_in(self._conn, self._merchant, name)
            except UnknownTemplateError as error:
                self._wrong(number, "template", "unknown_template", f"{error}.")

    async def _know_products(self, wanted: Sequence[NewMachine]) -> None:
        slots = [slot for machine in wanted for slot in machine.slots]
        of_templates = [slot for template in self._templates.values() for slot in template.slots]
        named = {slot.sku for slot in slots if isinstance(slot.sku, str)}
        named |= {slot.sku for slot in of_templates if slot.sku is not None}
        for row in await self._conn.fetch(store.PRODUCTS_BY_SKU, sorted(named)):
            if row["retired_at"] is not None:
                self._retired.add(row["sku"])
                continue
            money = Money(row["price_minor"], row["currency"])
            self._products[row["sku"]] = (row["name"], money)
        for slot in slots:
            if not isinstance(slot.sku, str) or slot.sku in {*self._products, *self._retired}:
                continue
            if isinstance(slot.product, str) and isinstance(slot.price, Money):
                self._products[slot.sku] = (slot.product, slot.price)
                self._new.add(slot.sku)
                if described := _described(slot):
                    self._described[slot.sku] = described

    def _machine(
        self, number: int, machine: NewMachine, wanted: Sequence[NewMachine]
    ) -> PlannedMachine | None:
        try:
            checked(machine)
            zone = known_zone(machine.zone)
        except (ConfigError, UnknownZoneError) as error:
            found = error if isinstance(error, ConfigError) else None
            field = found.field if found else "zone"
            self._wrong(number, field, found.code if found else "unknown_zone", str(error))
            return None
        if machine.code in self._taken:
            self._problems.append(is_taken(number, machine.code))
        if machine.code in [other.code for other in wanted[:number]]:
            self._wrong(number, "code", "code_twice", f"{machine.code} is there twice.")
        template = self._templates.get(machine.template)
        if template is None:
            return None  # said already
        device = template.device if isinstance(machine.device, UnsetType) else machine.device
        try:
            look_at_device(device)
        except ConfigError as error:
            self._wrong(number, error.field, error.code, str(error))
        if len(msgspec.json.encode(device)) > DEVICE_BYTES_AT_MOST:
            self._wrong(
                number, "device", "device_config_too_large",
                f"At most {DEVICE_BYTES_AT_MOST} bytes fit.",
            )  # fmt: skip
        channel = template.channel if isinstance(machine.channel, UnsetType) else machine.channel
        dialect = template.dialect if isinstance(machine.dialect, UnsetType) else machine.dialect
        self._check_channel(number, channel, dialect)
        slots = self._slots(number, machine, template)
        self._check_caps(number, guarantee(powers(channel, dialect, None)), slots)
        currency = self._currency(number, machine, slots)
        account = self._account(number, machine, currency, practice=channel == PRACTICE)
        return PlannedMachine(
            code=machine.code, name=machine.name.strip(), place=machine.place,
            contact=machine.contact, zone=zone, channel=channel, dialect=dialect,
            currency=currency, account=account, slots=slots, device=device,
            windows=template.windows,
        )  # fmt: skip

    def _check_channel(self, number: int, channel: str, dialect: str) -> None:
        known: Mapping[str, Any] = channels.drivers()
        if channel not in known:
            self._wrong(
                number, "channel", "unknown_channel",
                f"There is no channel {channel}: {', '.join(sorted(known))}.",
            )  # fmt: skip
        elif dialect not in known[channel].powers:
            self._wrong(
                number, "dialect", "unknown_dialect",
                f"{channel} speaks {', '.join(sorted(known[channel].powers))}, not {dialect}.",
            )  # fmt: skip

    def _slots(self, number: int, machine: NewMachine, template: Template) -> list[PlannedSlot]:
        of_template = {slot.slot: NewSlot(**_named(slot)) for slot in template.slots}
        given: dict[str, int] = {}
        for place, slot in enumerate(machine.slots):
            if slot.slot in given:
                self._wrong(
                    number, f"slots[{place}].slot", "slot_twice", f"{slot.slot} is there twice."
                )
            given[slot.slot] = place
        planned = []
        for name in sorted({*of_template, *given}):
            at = given.get(name)
            own = NewSlot(slot=name) if at is None else machine.slots[at]
            whole = _over(of_template.get(name, NewSlot(slot=name)), own)
            if at is None and whole.sku is UNSET:
                continue  # the template says that it is there, and nobody what is in it
            found = self._slot(number, "slots" if at is None else f"slots[{at}]", whole)
            if found is not None:
                planned.append(found)
        if not planned and not any(p.machine == number for p in self._problems):
            self._wrong(number, "slots", "no_slots", "It has no slot with a product in it.")
        if len(planned) > SLOTS_AT_MOST:
            self._wrong(number, "slots", "too_many_slots", f"At most {SLOTS_AT_MOST} are possible.")
        return planned

    def _slot(self, number: int, field: str, slot: NewSlot) -> PlannedSlot | None:
        sku = slot.sku
        if not isinstance(sku, str):
            self._wrong(
                number, f"{field}.sku", "no_product", f"Say which product is in slot {slot.slot}."
            )
            return None
        price = slot.price if isinstance(slot.price, Money) else None
        if sku not in self._products:
            self._is_no_product(number, field, slot)
            return None
        name, usual = self._products[sku]
        price = price or usual
        if price.minor <= 0:
            self._wrong(number, f"{field}.price", "bad_price", "A price is more than nothing.")
        par = slot.par if isinstance(slot.par, int) else 0
        return PlannedSlot(
            slot=slot.slot, sku=sku, product=name, price=price, usual_price=usual, par=par,
            stock=slot.stock if isinstance(slot.stock, int) else par,
            new_product=sku in self._new, described=self._described.get(sku),
        )  # fmt: skip

    def _check_caps(self, number: int, level: Guarantee, slots: Sequence[PlannedSlot]) -> None:
        """By the class that it has before its first HELLO."""
        for slot in slots:
            refusal = self._context.price_caps.refusal(level.value, slot.price)
            if refusal is not None:
                said = f"Slot {slot.slot} costs {slot.price}. {refusal}"
                self._wrong(number, "slots", "price_above_cap", said)

    def _is_no_product(self, number: int, field: str, slot: NewSlot) -> None:
        if slot.sku in self._retired:
            self._wrong(
                number, f"{field}.sku", "unknown_product",
                f"The product {slot.sku} is retired: offer it again first.",
            )  # fmt: skip
        elif isinstance(slot.product, str):
            self._wrong(
                number, f"{field}.price", "no_price", f"The new product {slot.sku} needs a price."
            )
        else:
            self._wrong(
                number, f"{field}.sku", "unknown_product",
                f"There is no product {slot.sku}; name it to have it made.",
            )  # fmt: skip

    def _currency(self, number: int, machine: NewMachine, slots: Sequence[PlannedSlot]) -> str:
        currency = slots[0].price.currency if slots else ""
        if isinstance(machine.currency, str):
            currency = machine.currency
        for slot in slots:
            if slot.price.currency != currency:
                self._wrong(
                    number, "slots", "other_currency",
                    f"Slot {slot.slot} costs {slot.price}, and the machine sells in {currency}.",
                )  # fmt: skip
        return currency

    def _account(
        self, number: int, machine: NewMachine, currency: str, *, practice: bool
    ) -> str:  # fmt: skip
        """A practice machine has no account that may move real money. A real one has one that may,
        where there is any: test money, which anyone may pay with, buys no real goods unless
        somebody names its account."""
        of_its_kind = [one for one in self._accounts if one.test_only or not practice]
        if isinstance(machine.account, str):
            if machine.account not in [account.name for account in self._accounts]:
                self._wrong(
                    number, "account", "unknown_account", f"There is no account {machine.account}."
                )
            elif machine.account not in [account.name for account in of_its_kind]:
                self._wrong(
                    number, "account", "real_money",
                    f"{machine.account} may move real money: no practice machine takes it.",
                )  # fmt: skip
            return machine.account
        fit = [account for account in of_its_kind if currency in account.currencies]
        if not practice and (real := [account for account in fit if not account.test_only]):
            fit = real
        fit = sorted(
            (account for account in fit if not account.disabled),
            key=lambda account: not account.prints,
        )
        if not fit and currency:
            self._wrong(number, "account", "no_account", f"No account of yours takes {currency}.")
        return fit[0].name if fit else ""


def _named(slot: Struct) -> dict[str, Any]:
    """What a slot of a template says."""
    values = msgspec.structs.asdict(slot)
    return {name: value for name, value in values.items() if value is not None}


def _over(below: NewSlot, above: NewSlot) -> NewSlot:
    """What `above` says, and of the rest what `below` says."""
    said = {name: v for name, v in msgspec.structs.asdict(above).items() if v is not UNSET}
    return msgspec.structs.replace(below, **said)
