"""The bodies of calls, read strictly: names are case-sensitive, and sums must add up."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta

from sandbox.clock import now_ms
from sandbox.tbank.refusals import ApiError, bad_receipt, invalid, unreadable
from sandbox.tbank.settings import Account

SHORTEST, LONGEST = timedelta(minutes=1), timedelta(days=90)
SMALLEST_KOPECKS = 100
PAIRS, NAME_CHARS, VALUE_CHARS = 20, 20, 100

Kopecks = Annotated[int, Meta(ge=1, le=1_000_000_000_000)]
Url = Annotated[str, Meta(min_length=1, max_length=2_048)]


Phones = Annotated[list[Annotated[str, Meta(pattern=r"^\+[0-9]{1,18}$")]], Meta(min_length=1)]


class AgentData(msgspec.Struct, rename="pascal", frozen=True):
    """In which role goods of somebody else are sold."""

    agent_sign: Literal[
        "bank_paying_agent",
        "bank_paying_subagent",
        "paying_agent",
        "paying_subagent",
        "attorney",
        "commission_agent",
        "another",
    ]


class SupplierInfo(msgspec.Struct, rename="pascal", frozen=True):
    """Whose they are: needed with an agent."""

    name: Annotated[str, Meta(min_length=1, max_length=239)]
    inn: Annotated[str, Meta(pattern=r"^([0-9]{10}|[0-9]{12})$")]
    phones: Phones


class Line(msgspec.Struct, rename="pascal", frozen=True):
    name: Annotated[str, Meta(min_length=1, max_length=128)]
    price: Kopecks
    quantity: Annotated[float, Meta(gt=0)]
    amount: Kopecks
    tax: Literal["none", "vat0", "vat5", "vat7", "vat10", "vat20", "vat105", "vat107", "vat110", "vat120", "vat22", "vat122"]  # fmt: skip  # noqa: E501
    payment_method: Literal[
        "full_prepayment",
        "prepayment",
        "advance",
        "full_payment",
        "partial_payment",
        "credit",
        "credit_payment",
    ] = "full_payment"
    payment_object: Literal[
        "commodity",
        "excise",
        "job",
        "service",
        "gambling_bet",
        "gambling_prize",
        "lottery",
        "lottery_prize",
        "intellectual_activity",
        "payment",
        "agent_commission",
        "composite",
        "another",
    ] = "commodity"
    agent_data: AgentData | None = None
    supplier_info: SupplierInfo | None = None


class Receipt(msgspec.Struct, rename="pascal", frozen=True):
    items: Annotated[list[Line], Meta(min_length=1, max_length=100)]
    taxation: Literal["osn", "usn_income", "usn_income_outcome", "esn", "patent"]
    email: str | None = None
    phone: str | None = None


class Init(msgspec.Struct, rename="pascal", frozen=True):
    amount: Kopecks
    order_id: Annotated[str, Meta(min_length=1, max_length=36)]
    description: Annotated[str, Meta(max_length=140)] = ""
    pay_type: Literal["O", "T"] = "O"
    notification_url: Url | None = msgspec.field(name="NotificationURL", default=None)
    success_url: Url | None = msgspec.field(name="SuccessURL", default=None)
    fail_url: Url | None = msgspec.field(name="FailURL", default=None)
    redirect_due_date: str | None = None
    data: dict[str, str] = msgspec.field(name="DATA", default={})
    receipt: Receipt | None = None


class Named(msgspec.Struct, rename="pascal", frozen=True):
    """A call about one payment; its id may come as a text or as a number."""

    payment_id: str | int


class Cancel(Named, rename="pascal", frozen=True):
    amount: Kopecks | None = None
    receipt: Receipt | None = None
    external_request_id: Annotated[str, Meta(max_length=256)] = ""


class Confirm(Named, rename="pascal", frozen=True):
    amount: Kopecks | None = None
    receipt: Receipt | None = None


class Closing(Named, rename="pascal", frozen=True, kw_only=True):
    receipt: Receipt


class Qr(Named, rename="pascal", frozen=True):
    data_type: Literal["PAYLOAD", "IMAGE"] = "PAYLOAD"


class SbpTest(Named, rename="pascal", frozen=True):
    is_deadline_expired: bool = False
    is_rejected: bool = False


class Order(msgspec.Struct, rename="pascal", frozen=True):
    order_id: Annotated[str, Meta(min_length=1, max_length=36)]


W = TypeVar("W")


def read(body: Mapping[str, Any], wanted: type[W]) -> W:
    given = {name: value for name, value in body.items() if value is not None}
    try:
        return msgspec.convert(given, wanted)
    except msgspec.ValidationError as problem:
        raise unreadable(problem) from problem


def init(body: Mapping[str, Any], account: Account) -> Init:
    wish = read(body, Init)
    if wish.amount < SMALLEST_KOPECKS:
        raise ApiError(251, "Сумма слишком мала.")
    if len(wish.data) > PAIRS or any(
        len(name) > NAME_CHARS or len(value) > VALUE_CHARS for name, value in wish.data.items()
    ):
        raise invalid("DATA")
    checked(wish.receipt, wish.amount, needed=account.receipts)
    taken(wish.receipt, refused="payment" in account.receipts_refused)
    return wish


def checked(receipt: Receipt | None, amount: int, *, needed: bool) -> None:
    """The lines of a receipt add up, each and together."""
    if receipt is None:
        if needed:
            raise bad_receipt(309)
        return
    if receipt.email is None and receipt.phone is None:
        raise bad_receipt(329)
    if receipt.email is not None and "@" not in receipt.email:
        raise bad_receipt(329)
    if receipt.phone is not None and not re.fullmatch(r"\+[0-9]{7,15}", receipt.phone):
        raise bad_receipt(329)
    if any(line.agent_data is not None and line.supplier_info is None for line in receipt.items):
        raise bad_receipt(329)
    if any(round(line.price * line.quantity) != line.amount for line in receipt.items):
        raise bad_receipt(334)
    if sum(line.amount for line in receipt.items) != amount:
        raise bad_receipt(308)


def taken(receipt: Receipt | None, *, refused: bool) -> None:
    """The till of some terminals refuses what is right."""
    if receipt is not None and refused:
        raise bad_receipt(329)


def due_ms(said: str | None, life_ms: int) -> int:
    """When a link ends; `2026-03-01T15:00:00+03:00`."""
    if said is None:
        return now_ms() + life_ms
    try:
        at = datetime.strptime(said, "%Y-%m-%dT%H:%M:%S%z")
    except ValueError as problem:
        raise invalid("RedirectDueDate") from problem
    wanted = int(at.timestamp()) * 1_000
    spans = [span // timedelta(milliseconds=1) for span in (SHORTEST, LONGEST)]
    if not spans[0] <= wanted - now_ms() <= spans[1]:
        raise ApiError(3017, "Срок ссылки слишком мал или слишком велик.")
    return wanted
