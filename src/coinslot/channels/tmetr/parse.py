"""What Tmetr says, read strictly, and what its silence means; and the code on a machine's screen.

The text of an error is kept for people, and decides nothing."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated

import msgspec
from msgspec import Struct

from coinslot.channels.tmetr.build import CURRENCY, Settings, Size
from coinslot.kit.money import Money

# Of `make`: it was read and refused, so nothing was made. All other errors leave it in doubt.
REFUSALS = frozenset({400, 401, 403, 404, 405, 413, 415, 422, 429})
ALARMS = frozenset({401, 403})
TOLD_CHARS = 200
ORDER_CHARS = 255


class Drink(Struct, frozen=True):
    """A drink in one size as Tmetr has it now."""

    name: str
    price: Money


class NoPrice(Struct, frozen=True):
    """Tmetr knows no price, or one of zero: there is nothing to sell."""


class Heartbeat(Struct, frozen=True):
    """When the machine was last heard of, by the clock of the service."""

    at: datetime


class Silent(Struct, frozen=True):
    """No heartbeat of this machine is known."""


class Taken(Struct, frozen=True):
    """The command was taken. Whether a cup comes of it, nobody says."""


class Refused(Struct, frozen=True):
    """Nothing happened: the service refused, or was not reached (no status). `alarm`: the account
    is set up wrongly, and every call fails alike."""

    reason: str
    status: int | None = None
    alarm: bool = False


class Unclear(Struct, frozen=True):
    """Time-out, 5xx, cut connection, or an answer that cannot be read. A command may have been
    carried out; sent again it may make another cup."""

    reason: str


class Reply(Struct, frozen=True):
    """What came back over HTTP, whatever it is."""

    status: int
    body: bytes


class _Drink(Struct):
    price: object = None
    name: object = None


class _Beat(Struct, rename="camel"):
    device_id: str
    heartbeat_created_at: Annotated[int, msgspec.Meta(ge=1, le=32_503_680_000)]


class _Beats(Struct):
    content: list[_Beat]


def drink(settings: Settings, reply: Reply) -> Drink | NoPrice | Refused | Unclear:
    if (problem := _problem(reply)) is not None:
        return problem
    try:
        said = msgspec.json.decode(reply.body, type=_Drink)
    except (ValueError, RecursionError) as error:
        return _unreadable(error)
    match said.price:
        case bool() | float() | str() | list() | dict():
            return Unclear("the price is no whole number")
        case int(number) if number > 0:
            name = said.name if isinstance(said.name, str) else ""
            return _priced(settings, name, number)
    return NoPrice()


def _priced(settings: Settings, name: str, number: int) -> Drink | Unclear:
    try:
        if settings.price_unit == "roubles":
            return Drink(name, Money.parse(str(number), CURRENCY))
        return Drink(name, Money(number, CURRENCY))
    except ValueError as error:
        return Unclear(f"the price cannot be read: {error}")


def heartbeat(
    settings: Settings, device: str, reply: Reply
) -> Heartbeat | Silent | Refused | Unclear:
    """The newest of this machine; what is said of others does not count."""
    if (problem := _problem(reply)) is not None:
        return problem
    try:
        said = msgspec.json.decode(reply.body, type=_Beats)
    except (ValueError, RecursionError) as error:
        return _unreadable(error)
    beats = [beat.heartbeat_created_at for beat in said.content if beat.device_id == device]
    if not beats:
        return Silent()
    ahead = timedelta(seconds=settings.heartbeat_ahead_s)
    return Heartbeat(datetime.fromtimestamp(max(beats), UTC) - ahead)


def made(reply: Reply) -> Taken | Refused | Unclear:
    """A 2xx is believed only with JSON in it: a proxy's page says nothing of a machine."""
    if reply.status in REFUSALS:
        return _refused(reply)
    if not 200 <= reply.status < 300:
        return Unclear(f"HTTP {reply.status} {_told(reply)}".rstrip())
    try:
        msgspec.json.decode(reply.body)
    except (ValueError, RecursionError) as error:
        return _unreadable(error)
    return Taken()


def _problem(reply: Reply) -> Refused | Unclear | None:
    if 200 <= reply.status < 300:
        return None
    if 400 <= reply.status < 500:
        return _refused(reply)
    return Unclear(f"HTTP {reply.status} {_told(reply)}".rstrip())


def _refused(reply: Reply) -> Refused:
    reason = f"HTTP {reply.status} {_told(reply)}".rstrip()
    return Refused(reason, reply.status, alarm=reply.status in ALARMS)


def _told(reply: Reply) -> str:
    """The line in `{"message": ...}`, or the beginning of whatever else it is."""
    try:
        said = msgspec.json.decode(reply.body, type=dict[str, object]).get("message", "")
    except (ValueError, RecursionError):
        said = reply.body[: TOLD_CHARS * 4].decode(errors="replace")
    return " ".join(str(said)[:TOLD_CHARS].split())


def _unreadable(error: Exception) -> Unclear:
    return Unclear(f"an unreadable answer: {error}"[:TOLD_CHARS])


class CodeError(ValueError):
    """This is not the code of a coffee machine's screen."""


class MachineCode(Struct, frozen=True, kw_only=True):
    """What the code on a machine's screen names. Its price and its drink's name are not read:
    whoever makes a link can write any, so both are asked of Tmetr. Nor is its hash checked, whose
    algorithm is not public: `made_at` is as true as the rest."""

    device: str
    order: str
    drink: str
    size: Size
    made_at: datetime


def read_code(query: Mapping[str, str]) -> MachineCode:
    """Raises CodeError. The order's id is text of up to 255 characters, not a UUID."""
    size, seconds = query.get("size", ""), query.get("ts", "")
    if size not in ("0", "1", "2"):
        raise CodeError("`size` is 0, 1 or 2")
    if not re.fullmatch(r"[0-9]{1,10}", seconds):
        raise CodeError("`ts` is a time in seconds")
    return MachineCode(
        device=_name(query, "deviceUuid"),
        order=_name(query, "uuid"),
        drink=_name(query, "drinkNo"),
        size=Size(int(size)),
        made_at=datetime.fromtimestamp(int(seconds), UTC),
    )


def _name(query: Mapping[str, str], field: str) -> str:
    """Text that can be kept and shown: a control character is in no id, and the database takes no
    zero byte."""
    text = query.get(field, "")
    if not 1 <= len(text) <= ORDER_CHARS or not text.isprintable():
        raise CodeError(f"`{field}` is a text of 1 to {ORDER_CHARS} characters")
    return text
