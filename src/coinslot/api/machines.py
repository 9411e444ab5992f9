"""The life of machines over HTTP: setting up, configuration, status, a device's enrolment, the end
of service. Each call runs one verb of `fleet`."""

import re
from collections.abc import Awaitable, Mapping
from typing import Annotated, Any, Literal, TypeVar

from litestar import Response
from litestar.params import FromPath, HeaderParameter, JSONBody, QueryParameter
from msgspec import Meta, Struct

from coinslot.api.api_calls import (
    IdempotencyKey,
    admitted,
    busy,
    idempotent_call,
    replied,
    reused,
    strictly,
)
from coinslot.context import Context
from coinslot.fleet import config, machines, onboarding
from coinslot.fleet.config import (
    ConfigChange,
    ConfigError,
    Editor,
    Label,
    MachineConfig,
    OutOfServiceError,
    Par,
    PrintedCodesError,
    Sku,
    SlotChange,
    SlotName,
    StaleConfigError,
    Text,
    ZoneName,
)
from coinslot.fleet.decommission import UnitsOpenError, decommission
from coinslot.fleet.enrolment import DeviceAddresses, DeviceEnrolment, provision_device
from coinslot.fleet.machines import MachineStatus
from coinslot.fleet.onboarding import Onboarded, OnboardError
from coinslot.fleet.planning import NewMachine, Problem
from coinslot.kit.money import Money
from coinslot.merchants.keys import Caller
from coinslot.outlets.machines import UnknownOutletError
from coinslot.pages.errors import INVALID, RefusedError
from coinslot.pages.rendering import AnyRequest
from coinslot.pages.shared_handler import SharedHandler
from coinslot.payments.idempotency import KeyBusyError, KeyReusedError
from coinslot.people.audit_log import Actor

Found = TypeVar("Found")
_CODE = re.compile(r"[A-Za-z0-9_-]{1,32}")
_TAG = re.compile(r'(?:W/)?"(\d{1,9})"')
IfMatch = Annotated[
    str | None,
    HeaderParameter(
        name="If-Match",
        required=False,
        description="Required. The `ETag` of the configuration that you read; `*` is any.",
    ),
]
PrintedCodes = Annotated[
    Literal["ask", "replace", "keep"],
    QueryParameter(
        description="What becomes of printed codes that would no longer be true: `replace` retires"
        " them and has new ones made, `keep` leaves them; `ask` changes nothing then (409)."
    ),
]


class WantedSlot(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One slot of PUT /machines/{machine}/config."""

    slot: SlotName
    sku: Sku
    price: Money
    par: Par = 0


class WantedConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What PUT /machines/{machine}/config takes: all of it."""

    name: Label
    slots: Annotated[list[WantedSlot], Meta(max_length=config.SLOTS_AT_MOST)]
    place: Text = ""
    contact: Text = ""
    zone: ZoneName | None = None
    device: dict[str, Any] = {}


class NewSecret(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What POST /machines/{machine}/provision-device takes."""

    at_once: bool = False


class DeviceProvisioned(Struct, frozen=True, kw_only=True):
    """A device's enrolment: for programs, as a file, and as a QR code."""

    enrolment: DeviceEnrolment
    file: str
    qr_svg: str


class Machines(SharedHandler):
    """The guard of each route says who may call it."""

    def __init__(self, context: Context, addresses: DeviceAddresses) -> None:
        self._context = context
        self._addresses = addresses

    async def onboard(
        self, request: AnyRequest, data: JSONBody[NewMachine], key: IdempotencyKey = None
    ) -> Response[Onboarded]:
        """Set a machine up, whole or not at all: slots, products, prices, stock, account, device.
        The enrolment with its secret is in this answer, and in no other call's."""
        await strictly(request, data)
        editor = editor_of(request)
        ticket = idempotent_call(call_counted(request), "POST /machines/onboard", key, data)
        verb = onboarding.onboard_once(self._context, editor, ticket, data, self._addresses)
        try:
            answer: Response[Any] = replied(await verb)
        except OnboardError as error:
            raise _not_set_up(error.problems) from None
        except KeyReusedError as error:
            raise reused(error) from None
        except KeyBusyError as error:
            raise busy(error) from None
        return _never_stored(answer)

    async def read_config(
        self, request: AnyRequest, machine: FromPath[str]
    ) -> Response[MachineConfig]:
        """What the machine should have, with its version, and the version that it says it has."""
        merchant = editor_of(request).merchant
        return _tagged(await found(config.read(self._context, merchant, code_of(machine))))

    async def put_config(
        self,
        request: AnyRequest,
        machine: FromPath[str],
        data: JSONBody[WantedConfig],
        if_match: IfMatch = None,
        codes: PrintedCodes = "ask",
    ) -> Response[MachineConfig]:
        """Replace the configuration. Slots may be added, and none left out: one that is not sold is
        taken out of sale. Open orders keep the price that they showed."""
        await strictly(request, data)
        wanted = ConfigChange(
            name=data.name, place=data.place, contact=data.contact, zone=data.zone,
            device=data.device, codes=codes, whole=True, version=_version(if_match),
            slots=tuple(
                SlotChange(slot=slot.slot, sku=slot.sku, price=slot.price, par=slot.par)
                for slot in data.slots
            ),
        )  # fmt: skip
        editor, code = editor_of(request), code_of(machine)
        await found(config.change(self._context, editor, code, wanted))
        return _tagged(await found(config.read(self._context, editor.merchant, code)))

    async def status(self, request: AnyRequest, machine: FromPath[str]) -> MachineStatus:
        """Whether it can sell now: when it was last heard, slots, stock, prices, codes, faults."""
        merchant = editor_of(request).merchant
        return await found(machines.status(self._context, merchant, code_of(machine)))

    async def provision(
        self, request: AnyRequest, machine: FromPath[str], data: JSONBody[NewSecret]
    ) -> Response[DeviceProvisioned]:
        """A new secret for the device. The one in use ends when this one is first used, or at once.
        Called again, the secret that was given before and never used ends."""
        await strictly(request, data)
        made = await found(
            provision_device(
                self._context, editor_of(request), code_of(machine), self._addresses,
                at_once=data.at_once,
            )
        )  # fmt: skip
        answer = DeviceProvisioned(enrolment=made, file=made.file().decode(), qr_svg=made.svg())
        return _never_stored(Response(answer, status_code=201))

    async def decommission(self, request: AnyRequest, machine: FromPath[str]) -> None:
        """Take it out of service, when nobody waits for it: its codes close, and money that still
        comes goes back. There is no way back."""
        await found(decommission(self._context, editor_of(request), code_of(machine)))


def editor_of(request: AnyRequest) -> Editor:
    """For whom a call is made, and by whom: a key, or someone who is signed in."""
    who = admitted(request)
    if isinstance(who, Caller):
        name = f"API key {who.key}"
        return Editor(who.merchant, name, Actor(address=name))
    assert who.merchant is not None  # only members of a merchant have the permissions
    return Editor(who.merchant, who.login, who.actor)


def call_counted(request: AnyRequest) -> Caller:
    """Whose calls with an idempotency key are counted together: a merchant's."""
    who = admitted(request)
    if isinstance(who, Caller):
        return who
    merchant = editor_of(request).merchant
    return Caller(merchant=merchant, key=who.person, scopes=who.permissions, live=False)


def code_of(machine: str) -> str:
    if not _CODE.fullmatch(machine):
        raise RefusedError(404, "not_found", "There is no such machine.")
    return machine


def _version(if_match: str | None) -> int | None:
    """Raises RefusedError where no version is named, or none of ours."""
    if not if_match:
        raise RefusedError(
            428, "if_match_missing", "Send the ETag of the configuration that you read as If-Match."
        )
    if if_match.strip() == "*":
        return None
    named = _TAG.fullmatch(if_match.strip())
    if named is None:
        raise RefusedError(412, "stale_config", "If-Match names no version of a configuration.")
    return int(named[1])


def _tagged(config: MachineConfig) -> Response[MachineConfig]:
    return Response(config, headers={"ETag": f'"{config.version}"', "Cache-Control": "no-cache"})


def _never_stored(answer: Response[Any]) -> Response[Any]:
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _not_set_up(problems: tuple[Problem, ...]) -> RefusedError:
    details: dict[str, object] = {problem.field: problem.message for problem in problems}
    if all(problem.code == "machine_exists" for problem in problems):
        return RefusedError(409, "machine_exists", problems[0].message, details)
    if all(problem.code == "bad_request" for problem in problems):
        return RefusedError(400, "bad_request", INVALID, details)
    return RefusedError(
        422, "invalid_machine", "Nothing was set up: details names what, by the field.", details
    )


async def found(call: Awaitable[Found]) -> Found:
    """Awaits it. Raises RefusedError for what verbs about machines raise."""
    try:
        return await call
    except UnknownOutletError:
        raise RefusedError(404, "not_found", "There is no such machine.") from None
    except OutOfServiceError as error:
        raise RefusedError(409, "out_of_service", f"{error}.") from None
    except UnitsOpenError as error:
        details: dict[str, object] = {"units": error.units, "until": error.until}
        raise RefusedError(409, "units_open", f"{error}.", details) from None
    except PrintedCodesError as error:
        raise RefusedError(
            409, "printed_codes",
            "Printed codes would no longer be true: say what becomes of them.",
            {code.slot: str(code) for code in error.codes},
        ) from None  # fmt: skip
    except StaleConfigError as error:
        raise RefusedError(
            412, "stale_config", f"{error}.", {"version": error.version}
        ).with_header("ETag", f'"{error.version}"') from None
    except ConfigError as error:
        wrong: Mapping[str, object] = {error.field: str(error)}
        if error.code == "bad_request":
            raise RefusedError(400, "bad_request", INVALID, dict(wrong)) from None
        raise RefusedError(
            422, "invalid_config", "Nothing was changed: details names what, by the field.",
            dict(wrong),
        ) from None  # fmt: skip
