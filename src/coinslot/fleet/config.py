"""What an operator says of a machine: name, place, slots with product, price and par level, and
what the device is told. Every change is a version of its own, nobody overwrites one that they have
not seen, and no price changes behind the back of a printed code."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Final, Literal, TypeVar
from uuid import UUID

import asyncpg
import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from coinslot.context import Context
from coinslot.db.pool import Connection
from coinslot.fleet import pushing, store
from coinslot.fleet.device_settings import checked_settings
from coinslot.fleet.versions import Editor as Editor
from coinslot.fleet.versions import MachineConfig as MachineConfig
from coinslot.fleet.versions import MadeVersion
from coinslot.fleet.versions import SlotConfig as SlotConfig
from coinslot.fleet.versions import config_in as config_in
from coinslot.fleet.versions import record as record
from coinslot.kit.clock import UnknownZoneError, known_zone
from coinslot.kit.money import Money
from coinslot.orders.outlet_pages import above_cap
from coinslot.outlets.machines import UnknownOutletError
from coinslot.payments.provision import WantedCode, want_printed

SLOTS_AT_MOST: Final = 200
DEVICE_BYTES_AT_MOST: Final = 8192
Codes = Literal["ask", "replace", "keep"]
STORABLE = r"\A[^\x00]*\Z"  # PostgreSQL's text holds no NUL
Label = Annotated[str, Meta(min_length=1, max_length=100, pattern=r"\A[^\x00]*[^\s\x00][^\x00]*\Z")]
Text = Annotated[str, Meta(max_length=200, pattern=STORABLE)]
ZoneName = Annotated[str, Meta(max_length=64, pattern=STORABLE)]
SlotName = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_-]{1,16}\Z")]
Sku = Annotated[str, Meta(min_length=1, max_length=64, pattern=STORABLE)]
Par = Annotated[int, Meta(ge=0, le=10_000)]
Checked = TypeVar("Checked", bound=Struct)
_AT = re.compile(r"(.*) - at (?:`key` in )?`\$\.?([^`]*)`$")
_SENTENCES: Final = (
    (re.compile(r"`str` of length >= 1|\[\^\\+s"), "This may not be empty."),
    (re.compile(r"`str` of length <= (\d+)"), "At most {} characters fit."),
    (re.compile(r"regex .*A-Za-z0-9_-\]\{1,(\d+)\}"), "Letters, digits, - and _ only, {} at most."),
    (re.compile(r"regex .*A-Z\]\{3\}"), "A currency has three capital letters, such as INR."),
    (re.compile(r"regex .*x00"), "It has a character that cannot be kept."),
    (re.compile(r"`int` >= 0"), "A count is 0 or more."),
    (re.compile(r"`(?:int|float)` >= (-?[\d.]+)"), "At least {} is possible."),
    (re.compile(r"`(?:int|float)` <= (-?[\d.]+)"), "At most {} is possible."),
    (re.compile(r"Expected `float`"), "A number is wanted."),
)


class SlotChange(Struct, frozen=True, kw_only=True):
    """What changes in a slot. A new one needs its product; its price is then the product's."""

    slot: SlotName
    sku: Sku | UnsetType = UNSET
    price: Money | UnsetType = UNSET
    par: Par | UnsetType = UNSET


class ConfigChange(Struct, frozen=True, kw_only=True):
    """What changes; what is left out stays.

    `version` is the one that the editor saw, `codes` what becomes of printed codes that would no
    longer be true, `whole` that no slot may be left out."""

    name: Label | UnsetType = UNSET
    place: Text | UnsetType = UNSET
    contact: Text | UnsetType = UNSET
    zone: ZoneName | UnsetType | None = UNSET
    device: dict[str, Any] | UnsetType = UNSET
    slots: tuple[SlotChange, ...] = ()
    version: int | None = None
    codes: Codes = "ask"
    whole: bool = False


class PrintedCode(Struct, frozen=True, kw_only=True):
    """A printed code that a change makes untrue."""

    slot: str
    takes: Money
    price: Money  # of the slot, after the change
    sku: str  # in the slot, after the change

    def __str__(self) -> str:
        """What happens to it when the change is confirmed."""
        return (
            f"the printed code of slot {self.slot} takes {self.takes}: it is retired, money paid"
            f" through it goes back, and a new one for {self.price} has to be printed"
        )


class Changed(Struct, frozen=True, kw_only=True):
    """What a change did. `codes` are the printed codes that were replaced or knowingly kept."""

    version: int
    codes: tuple[PrintedCode, ...] = ()
    replaced: bool = False


class OutOfServiceError(Exception):
    """The machine was taken out of service: nothing of it changes any more."""


class StaleConfigError(Exception):
    """Somebody else changed the configuration after it was read."""

    def __init__(self, version: int) -> None:
        super().__init__(f"the configuration is at version {version} by now: read it again")
        self.version = version


class PrintedCodesError(Exception):
    """The change makes printed codes untrue; a person has to say what becomes of them."""

    def __init__(self, codes: Sequence[PrintedCode]) -> None:
        super().__init__("; ".join(map(str, codes)))
        self.codes = tuple(codes)


class ConfigError(Exception):
    """Understood, but against a rule. `field` is its path in the change, `code` for programs."""

    def __init__(self, code: str, field: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.field = field


def checked(wanted: Checked) -> Checked:
    """The same, within its bounds. Raises ConfigError, which names the field."""
    try:
        return msgspec.convert(msgspec.to_builtins(wanted), type(wanted))
    except msgspec.ValidationError as error:
        said = _AT.match(str(error))
        message = _plain(said[1] if said else str(error))
        raise ConfigError("bad_request", said[2] if said else "", message) from error


def _plain(said: str) -> str:
    """What msgspec says of a value out of its bounds, as a person reads it."""
    for pattern, sentence in _SENTENCES:
        if found := pattern.search(said):
            return sentence.format(*found.groups())
    return f"{said}."


async def read(context: Context, merchant: UUID, machine: str) -> MachineConfig:
    """Raises UnknownOutletError."""
    async with context.db.as_merchant(merchant) as conn:
        return await config_in(conn, merchant, machine)


class ConfigVersion(Struct, frozen=True, kw_only=True):
    """A version of a machine's configuration, as it was kept. `codes`: what became of the printed
    codes that it made untrue, by slot."""

    version: int
    made_at: datetime
    made_by: str
    name: str
    place: str
    slots: list[SlotConfig]
    codes: dict[str, str]


async def versions(
    context: Context, merchant: UUID, machine: str, before: int | None = None, limit: int = 50
) -> list[ConfigVersion]:
    """The newest first; `before` ends the page before. A machine that was never changed since
    versions are kept has none. Raises UnknownOutletError."""
    async with context.db.as_merchant(merchant) as conn:
        await config_in(conn, merchant, machine)
        rows = await conn.fetch(store.VERSIONS, machine, before, limit)
    return [msgspec.convert({**row["config"], **dict(row)}, ConfigVersion) for row in rows]


async def change(context: Context, editor: Editor, machine: str, wanted: ConfigChange) -> Changed:
    """Make a new version, or none where nothing changes. Codes that are replaced are made and
    closed at the gateway by a worker.

    Raises UnknownOutletError, OutOfServiceError, StaleConfigError, PrintedCodesError,
    ConfigError."""
    async with context.db.as_merchant(editor.merchant) as conn:
        changed = await change_in(conn, context, editor, machine, wanted)
    wake(context, replaced=changed.replaced)
    return changed


async def change_in(
    conn: Connection, context: Context, editor: Editor, machine: str, wanted: ConfigChange
) -> Changed:
    """The same in the caller's transaction, after which workers are woken (`wake`). Who changes
    several machines does it in the order of their codes."""
    wanted = checked(wanted)
    await conn.fetchval(store.LOCK_DEVICE, machine)  # no unit is offered while it is applied
    row = await locked(conn, editor.merchant, machine)
    _check_row(row, wanted)
    changed = await _Change(conn, context, editor, row, wanted).write(context.now())
    if changed.version != row["config_version"]:
        await conn.execute(store.WANT_CONFIG, machine, context.now())
        await pushing.apply_if_idle(conn, context, machine)
    return changed


def wake(context: Context, *, replaced: bool) -> None:
    """Workers, after a change that was committed."""
    context.wakes.wake("config_pushes")
    if replaced:
        context.wakes.wake("qr_codes")


class Planned(Struct, frozen=True, kw_only=True):
    """What a change would make of slots and device settings; nothing was written."""

    before: MachineConfig
    after: MachineConfig
    codes: tuple[PrintedCode, ...]


async def planned_in(
    conn: Connection, context: Context, editor: Editor, machine: str, wanted: ConfigChange
) -> Planned:
    """By the rules of `change`, without its locks. Raises what it raises, and no
    PrintedCodesError."""
    wanted = checked(wanted)
    row = await conn.fetchrow(store.MACHINE_ROW, machine, editor.merchant)
    if row is None:
        raise UnknownOutletError(f"no machine has the code {machine}")
    _check_row(row, wanted)
    return await _Change(conn, context, editor, row, wanted).plan()


def _check_row(row: asyncpg.Record, wanted: ConfigChange) -> None:
    if wanted.version not in (None, row["config_version"]):
        raise StaleConfigError(row["config_version"])
    if row["decommissioned_at"] is not None:
        raise OutOfServiceError(f"{row['id']} is out of service")


async def hold_in(conn: Connection, merchant: UUID, machine: str) -> None:
    """Nobody else changes it until the transaction ends. Raises UnknownOutletError."""
    await conn.fetchval(store.LOCK_DEVICE, machine)  # no unit is offered while it is applied
    await locked(conn, merchant, machine)


async def locked(conn: Connection, merchant: UUID, machine: str) -> asyncpg.Record:
    """The outlet's row, locked for a change. Raises UnknownOutletError."""
    row = await conn.fetchrow(store.LOCK_MACHINE, machine, merchant)
    if row is None:
        raise UnknownOutletError(f"no machine has the code {machine}")
    return row


class _Change:
    """One change of one machine, whose row is locked."""

    def __init__(
        self,
        conn: Connection,
        context: Context,
        editor: Editor,
        row: asyncpg.Record,
        wanted: ConfigChange,
    ) -> None:
        self._conn = conn
        self._context = context
        self._editor = editor
        self._row = row
        self._wanted = wanted
        self._currency: str = row["currency"]

    async def plan(self) -> Planned:
        before = await config_in(self._conn, self._editor.merchant, self._row["id"])
        slots = await self._slots(before)
        return Planned(
            before=before, codes=await self._untrue_codes(before, slots),
            after=msgspec.structs.replace(
                before, slots=_merged(before.slots, slots), device=self._device()
            ),
        )  # fmt: skip

    async def write(self, now: datetime) -> Changed:
        before = await config_in(self._conn, self._editor.merchant, self._row["id"])
        slots = await self._slots(before)
        await self._conn.fetch(store.LOCK_SLOTS, before.code)
        untrue = await self._untrue_codes(before, slots)
        if untrue and self._wanted.codes == "ask":
            raise PrintedCodesError(untrue)
        await self._rename()
        renamed = await config_in(self._conn, self._editor.merchant, self._row["id"])
        after = msgspec.structs.replace(renamed, slots=_merged(before.slots, slots))
        if after == before:
            return Changed(version=before.version)
        if self._wanted.codes == "replace":
            await self._replace(untrue, now)
        numbers = await self._numbers(before, after)
        after = msgspec.structs.replace(after, version=before.version + 1)
        fate = "replaced" if self._wanted.codes == "replace" else "kept"
        codes = {code.slot: fate for code in untrue}
        made = MadeVersion(
            config=after, codes=codes, price_version=numbers[0], planogram_version=numbers[1]
        )
        await record(self._conn, self._editor, made, now)
        await self._conn.execute(store.NEXT_VERSION, before.code, after.version)
        said = {"version": after.version, "codes": codes}
        await self._editor.note(self._conn, "machine.configured", before.code, said, now)
        return Changed(
            version=after.version, codes=untrue, replaced=bool(untrue) and fate == "replaced"
        )

    async def _slots(self, before: MachineConfig) -> list[SlotConfig]:
        """The slots that are named, as they shall be."""
        there = {slot.slot: slot for slot in before.slots}
        self._check_names(there)
        skus = {s.sku for s in self._wanted.slots if isinstance(s.sku, str)}
        skus |= {there[s.slot].sku for s in self._wanted.slots if s.slot in there}
        products = {
            row["sku"]: row for row in await self._conn.fetch(store.PRODUCTS_BY_SKU, [*skus])
        }
        return [
            self._slot(number, wanted, there.get(wanted.slot), products)
            for number, wanted in enumerate(self._wanted.slots)
        ]

    def _check_names(self, there: Mapping[str, SlotConfig]) -> None:
        names = [slot.slot for slot in self._wanted.slots]
        for number, name in enumerate(names):
            if name in names[:number]:
                raise ConfigError("slot_twice", f"slots[{number}].slot", f"{name} is there twice.")
        if self._wanted.whole and (missing := sorted(set(there) - set(names))):
            raise ConfigError(
                "slot_left_out", "slots",
                f"Slot {missing[0]} is left out: a slot is never removed, only taken out of sale.",
            )  # fmt: skip
        if len(set(there) | set(names)) > SLOTS_AT_MOST:
            raise ConfigError("too_many_slots", "slots", f"At most {SLOTS_AT_MOST} are possible.")

    def _slot(
        self,
        number: int,
        wanted: SlotChange,
        before: SlotConfig | None,
        products: Mapping[str, asyncpg.Record],
    ) -> SlotConfig:
        field = f"slots[{number}]"
        sku = wanted.sku if isinstance(wanted.sku, str) else before.sku if before else None
        if sku is None:
            raise ConfigError("slot_unknown", f"{field}.slot", f"There is no slot {wanted.slot}.")
        product = products.get(sku)
        if product is None:
            raise ConfigError("unknown_product", f"{field}.sku", f"There is no product {sku}.")
        if product["retired_at"] is not None and (before is None or before.sku != sku):
            raise ConfigError("retired_product", f"{field}.sku", f"{sku} is retired.")
        if isinstance(wanted.price, Money):
            price = wanted.price
        elif before is not None:
            price = before.price
        else:
            price = Money(product["price_minor"], product["currency"])
        if price.currency != self._currency:
            raise ConfigError(
                "other_currency", f"{field}.price", f"This machine sells in {self._currency}."
            )
        if price.minor <= 0:
            raise ConfigError("bad_price", f"{field}.price", "A price is more than nothing.")
        if before is None or price != before.price:  # what is kept refuses no other change
            refusal = above_cap(self._context, self._row, price)
            if refusal is not None:
                raise ConfigError("price_above_cap", f"{field}.price", refusal)
        par = wanted.par if isinstance(wanted.par, int) else before.par if before else 0
        return SlotConfig(slot=wanted.slot, sku=sku, price=price, par=par)

    async def _untrue_codes(
        self, before: MachineConfig, slots: Sequence[SlotConfig]
    ) -> tuple[PrintedCode, ...]:
        """Printed codes that would take another amount than the slot's new price, or that name a
        product which is no longer in it."""
        takes = {
            row["slot"]: Money(row["amount_minor"], row["currency"])
            for row in await self._conn.fetch(store.PRINTED, before.code)
        }
        return tuple(_untrue(before, slots, takes))

    async def _rename(self) -> None:
        wanted, row, device = self._wanted, self._row, self._device()
        try:
            zone = row["zone"] if isinstance(wanted.zone, UnsetType) else known_zone(wanted.zone)
        except UnknownZoneError as error:
            raise ConfigError("unknown_zone", "zone", str(error)) from error
        await self._conn.execute(
            store.RENAME, row["id"],
            row["name"] if isinstance(wanted.name, UnsetType) else wanted.name.strip(),
            row["place"] if isinstance(wanted.place, UnsetType) else wanted.place,
            row["contact"] if isinstance(wanted.contact, UnsetType) else wanted.contact,
            zone, device,
        )  # fmt: skip

    def _device(self) -> dict[str, Any]:
        wanted = self._wanted.device
        device: dict[str, Any] = self._row["device_config"]
        device = device if isinstance(wanted, UnsetType) else wanted
        if len(msgspec.json.encode(device)) > DEVICE_BYTES_AT_MOST:
            raise ConfigError(
                "device_config_too_large", "device", f"At most {DEVICE_BYTES_AT_MOST} bytes fit."
            )
        if not isinstance(wanted, UnsetType):  # what is kept refuses no other change
            look_at_device(device)
        return device

    async def _numbers(self, before: MachineConfig, after: MachineConfig) -> tuple[int, int]:
        """Of the prices and of the planogram: each is a new one where they change."""
        standing = await self._conn.fetchrow(store.STANDING, before.code)
        assert standing is not None
        return (
            standing["price_version"] + (_prices(before) != _prices(after)),
            standing["planogram_version"] + (_planogram(before) != _planogram(after)),
        )

    async def _replace(self, codes: Sequence[PrintedCode], now: datetime) -> None:
        for code in codes:
            wanted = WantedCode(
                merchant=self._editor.merchant, account_id=self._row["account_id"],
                outlet=self._row["id"], slot=code.slot, money=code.price, due_at=now,
            )  # fmt: skip
            await want_printed(self._conn, wanted, now, anew=True)


def look_at_device(device: dict[str, Any]) -> None:
    """Raises ConfigError, which names the field."""
    try:
        checked_settings(device)
    except msgspec.ValidationError as error:
        said = _AT.match(str(error))
        field = f"device.{said[2]}" if said else "device"
        raise ConfigError(
            "bad_device", field, f"{field}: {_plain(said[1] if said else str(error))}"
        ) from error


def _untrue(
    before: MachineConfig, slots: Sequence[SlotConfig], takes: Mapping[str, Money]
) -> Iterator[PrintedCode]:
    there = {slot.slot: slot for slot in before.slots}
    for slot in slots:
        old, code = there.get(slot.slot), takes.get(slot.slot)
        if old is None or code is None:
            continue
        drifts = slot.price != old.price and slot.price != code
        if drifts or slot.sku != old.sku:
            yield PrintedCode(slot=slot.slot, takes=code, price=slot.price, sku=slot.sku)


def _merged(before: Sequence[SlotConfig], named: Sequence[SlotConfig]) -> list[SlotConfig]:
    """Each in its place, new ones behind them by their names."""
    by_name = {slot.slot: slot for slot in named}
    there = [by_name.pop(slot.slot, slot) for slot in before]
    return there + [by_name[name] for name in sorted(by_name)]


def _prices(config: MachineConfig) -> dict[str, int]:
    return {slot.slot: slot.price.minor for slot in config.slots}


def _planogram(config: MachineConfig) -> dict[str, str]:
    return {slot.slot: slot.sku for slot in config.slots}
