"""The messages of the vend protocol: those of machines, read strictly (reading never raises), and
ours, with the signature of GO. Unknown fields are ignored, so that newer firmware may send more.
Every text is bounded and plain ASCII, and every number fits a bigint: what can be read here can
also be stored."""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

MAX_MESSAGE_BYTES: Final = 8_192
BIGINT_MAX: Final = 2**63 - 1

# No space, and no "|", which joins the fields under GO's signature. \Z, because $ accepts a final
# newline.
Id = Annotated[str, Meta(pattern=r"\A[!-{}~]{1,64}\Z")]
Text = Annotated[str, Meta(pattern=r"\A[ -~]{0,64}\Z")]
Count = Annotated[int, Meta(ge=0, le=BIGINT_MAX)]
Seq = Annotated[int, Meta(ge=1, le=BIGINT_MAX)]
JournalFormat = Annotated[int, Meta(ge=1, le=255)]
Ms = Annotated[int, Meta(ge=0, le=2**62)]  # a lease is added to it and the sum must still fit


class Refusal(StrEnum):
    """Why a machine did not accept an offer."""

    BUSY = "BUSY"
    DOOR_OPEN = "DOOR_OPEN"
    SLOT_EMPTY = "SLOT_EMPTY"
    SLOT_FAULT = "SLOT_FAULT"
    TEMP_LOCK = "TEMP_LOCK"
    PRICE_VERSION = "PRICE_VERSION"
    PLANOGRAM = "PLANOGRAM"
    AGE_REQUIRED = "AGE_REQUIRED"
    FIRMWARE = "FIRMWARE"
    STALE_SEQ = "STALE_SEQ"
    JOURNAL_FULL = "JOURNAL_FULL"


TRANSIENT_REFUSALS: Final = frozenset({Refusal.BUSY, Refusal.DOOR_OPEN})


class Outcome(StrEnum):
    """How a unit ended, as the machine's journal records it."""

    VENDED = "VENDED"
    FAILED = "FAILED"  # the motor was never powered, or a tested sensor saw nothing fall
    INTERRUPTED = "INTERRUPTED"  # the machine cannot know
    TOMBSTONED = "TOMBSTONED"  # never started, and never will


class UnitState(StrEnum):
    """The state of a unit, in the answer to a query."""

    ACCEPTED = "ACCEPTED"
    STARTED = "STARTED"
    VENDED = "VENDED"
    FAILED = "FAILED"
    INTERRUPTED = "INTERRUPTED"
    TOMBSTONED = "TOMBSTONED"
    FORGOTTEN = "FORGOTTEN"  # its journal entry was evicted: proves nothing


class Drop(StrEnum):
    """What the drop sensor says; an absent one says unknown, never no."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class Vmc(StrEnum):
    """What the machine's own controller said of the vend, on its MDB bus."""

    SUCCESS = "success"
    FAILURE = "failure"


class Evidence(Struct, frozen=True, kw_only=True):
    """What was observed of one vend. What is left out counts as not observed."""

    drop: Drop = Drop.UNKNOWN
    home: bool | None = None  # the motor is back at its home switch
    counter_before: Count | None = None  # the machine's sales counter, which nobody can reset
    counter_after: Count | None = None
    sensor_tested: bool = False
    # Said by machines of class G1 alone; left out of what is stored of others.
    vmc: Vmc | UnsetType = UNSET


class Capabilities(Struct, frozen=True, kw_only=True):
    """What a machine's hardware can do."""

    journal: bool = False
    sensor: bool = False
    mdb: bool = False  # a cashless slave beside the machine's own controller: class G1
    # Of the journal: those that its code reads. None: it does not say.
    journal_formats: Annotated[list[JournalFormat], Meta(max_length=16)] | None = None


class Message(Struct, frozen=True, tag_field="type"):
    """What every message is: JSON with its name under `type`."""


# Up: machine to server.


class Accept(Message, frozen=True, kw_only=True, tag="ACCEPT"):
    unit_id: UUID
    seq: Seq
    journal_id: Id
    boot_id: Id
    mono_ms: Ms
    counter: Count | None = None
    slot_state: Text = ""


class Reject(Message, frozen=True, kw_only=True, tag="REJECT"):
    unit_id: UUID
    seq: Seq
    journal_id: Id
    code: Refusal


class Started(Message, frozen=True, kw_only=True, tag="STARTED"):
    unit_id: UUID
    journal_id: Id
    event_seq: Seq
    counter_before: Count | None = None


class Progress(Message, frozen=True, kw_only=True, tag="PROGRESS"):
    unit_id: UUID
    journal_id: Id
    event_seq: Seq
    counter_before: Count | None = None


class Result(Message, frozen=True, kw_only=True, tag="RESULT"):
    unit_id: UUID
    journal_id: Id
    event_seq: Seq
    outcome: Outcome
    slot: Text = ""
    failure_code: Text | None = None
    evidence: Evidence = Evidence()


class Status(Message, frozen=True, kw_only=True, tag="STATUS"):
    unit_id: UUID
    seq: Seq
    journal_id: Id
    state: UnitState
    nonce: Id | None = None  # absent when nobody asked: an offer repeated, a GO refused
    event_seq: Seq | None = None
    evidence: Evidence | None = None


class Hello(Message, frozen=True, kw_only=True, tag="HELLO"):
    journal_id: Id
    boot_id: Id
    mono_ms: Ms
    last_seq: Count
    session_no: Count = 0
    firmware: Text = ""
    capabilities: Capabilities = Capabilities()
    open_unit: UUID | None = None
    unacked_from: Seq | None = None
    config_version: Count | None = None  # that it has; none: it does not say
    key_id: Text | None = None  # of the secret that it has; none: the one in use
    hardware: Text | None = None  # its make, as in the manifest of a build
    build: Count | None = None  # the sequence of the build that it runs


class Health(Message, frozen=True, kw_only=True, tag="HEALTH"):
    mono_ms: Ms | None = None


Up = Accept | Reject | Started | Progress | Result | Status | Hello | Health


# Down: server to machine.


class Offer(Message, frozen=True, kw_only=True, tag="OFFER"):
    unit_id: UUID
    seq: int
    slot: str
    sku: str
    amount_minor: int
    price_version: int
    planogram_version: int
    lease_ms: int


class Go(Message, frozen=True, kw_only=True, tag="GO"):
    unit_id: UUID
    seq: int
    boot_id: str
    not_after: int  # in the machine's own mono_ms
    key_id: str
    hmac: str


class Evack(Message, frozen=True, kw_only=True, tag="EVACK"):
    journal_id: str
    through: int  # the contiguous prefix of event_seq that is committed, no further


class Query(Message, frozen=True, kw_only=True, tag="QUERY"):
    unit_id: UUID
    seq: int
    journal_id: str
    nonce: str


class Sync(Message, frozen=True, kw_only=True, tag="SYNC"):
    through: int
    server_time: datetime
    config_version: int
    queries: list[Query] = []


class ConfigUpdate(Message, frozen=True, kw_only=True, tag="CONFIG"):
    """A new configuration, on its own topic. `config` is JSON as a text: its bytes in UTF-8 are
    what `sha256` is of, and what is parsed."""

    version: int
    sha256: str
    config: str


class FirmwareCommand(Message, frozen=True, kw_only=True, tag="FIRMWARE"):
    """Where the manifest of an update is, on its own topic."""

    rollout: UUID
    attempt: int
    manifest_url: str


Down = Offer | Go | Evack | Query | Sync | ConfigUpdate | FirmwareCommand

# Messages down that are no part of a vend: the topic, and the event on Socket.IO.
OTHER_TOPICS: Final[Mapping[str, tuple[str, str]]] = {
    "CONFIG": ("config/update", "config"),
    "FIRMWARE": ("commands/firmware", "firmware"),
}


# The simple dialect: one command, one answer, no journal.


class DoneStatus(StrEnum):
    SUCCESS = "SUCCESS"
    FAILED = "FAILED"


class MachineDone(Message, frozen=True, kw_only=True, tag="machine:done", rename="camel"):
    order_id: Id
    status: DoneStatus
    failure_code: Text | None = None


class Dispense(Message, frozen=True, kw_only=True, tag="machine:dispense", rename="camel"):
    order_id: str
    unit_id: UUID
    machine_id: str
    slot: str
    amount: int  # minor units
    currency: str


class Unreadable(Struct, frozen=True):
    """A message that is not one of ours, and why."""

    reason: str


class Lease(Struct, frozen=True, kw_only=True):
    """What GO's signature covers: one unit, one slot, one boot, until one instant."""

    unit_id: UUID
    seq: int
    slot: str
    boot_id: str
    not_after: int


def read_up(raw: Mapping[str, object] | bytes) -> Up | Unreadable:
    """The vend message in a payload, or why there is none."""
    message: Up | Unreadable = read_as(raw, Up)
    return message


def read_done(raw: Mapping[str, object] | bytes) -> MachineDone | Unreadable:
    """The simple dialect's only answer; `type` is `machine:done`."""
    message: MachineDone | Unreadable = read_as(raw, MachineDone)
    return message


def read_as(raw: Mapping[str, object] | bytes, shape: Any) -> Any:
    """A payload as a shape of msgspec, or Unreadable: at most MAX_MESSAGE_BYTES."""
    try:
        if isinstance(raw, bytes):
            if len(raw) > MAX_MESSAGE_BYTES:
                return Unreadable(f"longer than {MAX_MESSAGE_BYTES} bytes")
            return msgspec.json.decode(raw, type=shape)
        return msgspec.convert(raw, shape)
    except (msgspec.MsgspecError, ValueError, TypeError, RecursionError) as error:
        return Unreadable((str(error) or type(error).__name__)[:200])


def sign_go(secret: str, lease: Lease) -> str:
    """Hex HMAC-SHA-256 under the machine's own secret."""
    fields = (lease.unit_id, lease.seq, lease.slot, lease.boot_id, lease.not_after)
    signed = "|".join(map(str, fields))
    return hmac.new(secret.encode(), signed.encode(), hashlib.sha256).hexdigest()


def signed_go(secret: str, lease: Lease, key_id: int = 1) -> Go:
    """The GO for a lease: byte-identical each time it is built."""
    return Go(
        unit_id=lease.unit_id,
        seq=lease.seq,
        boot_id=lease.boot_id,
        not_after=lease.not_after,
        key_id=str(key_id),
        hmac=sign_go(secret, lease),
    )


def to_wire(message: Down | Dispense) -> dict[str, Any]:
    """A message down as plain JSON values, `type` first."""
    wire: dict[str, Any] = msgspec.to_builtins(message)
    return wire
