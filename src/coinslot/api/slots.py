"""Every slot of a merchant's machines as a table (CSV), over HTTP: read, looked at, and done as it
was shown, whole or not at all. The verbs are the console's."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from litestar import Response
from litestar.params import JSONBody
from msgspec import Struct
from msgspec.structs import replace

from coinslot.api.api_calls import (
    IdempotencyKey,
    busy,
    idempotent_call,
    replied,
    reused,
    strictly,
)
from coinslot.api.machines import PrintedCodes, call_counted, editor_of
from coinslot.context import Context
from coinslot.db.pool import Connection
from coinslot.fleet import bulk, bulk_sheet
from coinslot.fleet.bulk import Applied, BulkError, MachineChange, MachinePlan
from coinslot.fleet.config import Codes, OutOfServiceError, PrintedCodesError, StaleConfigError
from coinslot.kit.money import Money
from coinslot.pages.errors import RefusedError
from coinslot.pages.rendering import AnyRequest
from coinslot.pages.shared_handler import SharedHandler
from coinslot.payments.idempotency import KeyBusyError, KeyReusedError

# Of the body, which bounds the table.
TABLE_BYTES: Final = 2_000_000
Value = Money | int | float | str | None


class SlotTable(Struct, frozen=True, kw_only=True):
    """Every slot, and the versions that the table is of."""

    table: str
    versions: dict[str, int]


class WantedTable(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What POST /slots/preview takes."""

    table: str


class ShownTable(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What POST /slots/apply takes."""

    table: str
    versions: dict[str, int]


class PlannedChange(Struct, frozen=True, kw_only=True):
    """One thing that changes in a slot."""

    slot: str
    what: str
    before: Value
    after: Value


class PlannedMachine(Struct, frozen=True, kw_only=True):
    """What would become of one machine, or why nothing would."""

    machine: str
    name: str
    version: int | None
    changes: list[PlannedChange]
    printed_codes: list[str]
    problem: str


class TablePlan(Struct, frozen=True, kw_only=True):
    """What POST /slots/preview answers."""

    machines: list[PlannedMachine]


class _Counted(Struct, frozen=True, kw_only=True):
    """What one key stands for."""

    wanted: ShownTable
    codes: Codes


class SlotTables(SharedHandler):
    """The guard of each route says who may call it."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def read(self, request: AnyRequest) -> SlotTable:
        """Of all vending machines in service, as they should be now."""
        slots = await bulk.table(self._context, editor_of(request).merchant)
        return SlotTable(
            table=bulk_sheet.written(slots), versions={one.machine: one.version for one in slots}
        )

    async def preview(self, request: AnyRequest, data: JSONBody[WantedTable]) -> TablePlan:
        """What the table would change, machine by machine. Nothing is written."""
        await strictly(request, data)
        editor = editor_of(request)
        async with self._context.db.as_merchant(editor.merchant) as conn:
            changes = await _changes(conn, editor.merchant, data.table)
        plans = await bulk.plan(self._context, editor, changes)
        return TablePlan(machines=[_shown(one) for one in plans])

    async def apply(
        self,
        request: AnyRequest,
        data: JSONBody[ShownTable],
        key: IdempotencyKey = None,
        codes: PrintedCodes = "ask",
    ) -> Response[Applied]:
        """All of the table in one transaction, or nothing of it."""
        await strictly(request, data)
        editor = editor_of(request)
        ticket = idempotent_call(
            call_counted(request), "POST /slots/apply", key, _Counted(wanted=data, codes=codes)
        )

        async def wanted(conn: Connection) -> Sequence[MachineChange]:
            return _of_versions(await _changes(conn, editor.merchant, data.table), data.versions)

        try:
            answer: Response[Any] = replied(
                await bulk.apply_once(self._context, editor, ticket, wanted, codes)
            )
        except BulkError as error:
            raise _refused(error) from None
        except KeyReusedError as error:
            raise reused(error) from None
        except KeyBusyError as error:
            raise busy(error) from None
        return answer


async def _changes(conn: Connection, merchant: UUID, table: str) -> Sequence[MachineChange]:
    """Raises RefusedError."""
    slots = await bulk.table_in(conn, merchant)
    read = bulk_sheet.read(table.encode(), {one.machine: one.price.currency for one in slots})
    if read.problems:
        raise _invalid(
            {
                f"line {one.line}{f', {one.column}' if one.column else ''}": one.message
                for one in read.problems
            }
        )
    return [replace(one, windows_by="nobody") for one in read.changes]


def _of_versions(changes: Sequence[MachineChange], versions: dict[str, int]) -> list[MachineChange]:
    """Raises RefusedError where a machine was not looked at."""
    unseen: dict[str, object] = {
        one.machine: "Say which version of it you saw."
        for one in changes
        if one.machine not in versions
    }
    if unseen:
        raise _invalid(unseen)
    return [replace(one, version=versions[one.machine]) for one in changes]


def _shown(plan: MachinePlan) -> PlannedMachine:
    return PlannedMachine(
        machine=plan.machine, name=plan.name, version=plan.version or None, problem=plan.problem,
        printed_codes=[str(code) for code in plan.codes],
        changes=[
            PlannedChange(slot=one.slot, what=one.what, before=one.before, after=one.after)
            for one in plan.differences
        ],
    )  # fmt: skip


def _invalid(details: dict[str, object]) -> RefusedError:
    return RefusedError(
        422, "invalid_slots",
        "Nothing was changed: details names what, by the line or the machine.", details,
    )  # fmt: skip


def _refused(error: BulkError) -> RefusedError:
    """By the code with which the machine's own call would be refused."""
    details: dict[str, object] = {error.machine: error.why}
    said = f"Nothing was changed. {error}."
    match error.__cause__:
        case StaleConfigError():
            return RefusedError(412, "stale_config", said, details)
        case PrintedCodesError():
            return RefusedError(409, "printed_codes", said, details)
        case OutOfServiceError():
            return RefusedError(409, "out_of_service", said, details)
        case _:
            return _invalid(details)
