"""Reads the bodies of requests as the API does: what it does not know it passes over."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, TypeVar

import msgspec

from sandbox.yookassa import wire
from sandbox.yookassa.refusals import ApiError

PAIRS_LIMIT, NAME_CHARS, VALUE_CHARS = 16, 32, 512
RECEIPT_LINES, LINE_CHARS = 80, 128
VAT_CODES = frozenset(str(code) for code in range(1, 13))
QUANTITY = re.compile(r"[0-9]{1,5}(\.[0-9]{1,3})?")
EMAIL, PHONE = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+"), re.compile(r"[0-9]{7,15}")
AMOUNT = re.compile(r"([0-9]{1,10})(?:\.([0-9]{1,2}))?")
INVALID = (
    "Invalid parameter's value (for example, the value is illegal or its format is incorrect). "
    "Send the value in accordance with the documentation."
)
S = TypeVar("S", bound=msgspec.Struct)


class Amount(msgspec.Struct, frozen=True):
    """A decimal string and a currency."""

    value: str
    currency: str

    @property
    def minor(self) -> int:
        found = AMOUNT.fullmatch(self.value)
        if found is None or self.currency != "RUB":
            raise ApiError(INVALID, "amount")
        return int(found[1] + (found[2] or "").ljust(wire.KOPECKS, "0"))

    def needed(self) -> int:
        """Something, not nothing."""
        if self.minor == 0:
            raise ApiError(INVALID, "amount.value")
        return self.minor


class Customer(msgspec.Struct, frozen=True):
    email: str | None = None
    phone: str | None = None


class Line(msgspec.Struct, frozen=True):
    """One line of a receipt; `amount` is the price of one."""

    description: str
    quantity: object  # a number, or one in a text
    amount: Amount
    vat_code: object
    payment_subject: str | None = None
    payment_mode: str | None = None


class Receipt(msgspec.Struct, frozen=True):
    customer: Customer
    items: list[Line]
    tax_system_code: int | None = None


def read(body: Mapping[str, Any], kind: type[S]) -> S:
    """The body as this struct, or a refusal that names the parameter."""
    try:
        return msgspec.convert(body, kind)
    except msgspec.ValidationError as problem:
        where = re.search(r"`\$\.?([^`]*)`", str(problem))
        field = re.search(r"field `(\w+)`", str(problem))
        named = [where[1] if where else "", field[1] if field else ""]
        raise ApiError(INVALID, ".".join(part for part in named if part) or None) from problem


def text(value: str | None, name: str, at_most: int) -> str | None:
    if value is not None and len(value) > at_most:
        raise ApiError(INVALID, name)
    return value


def metadata(pairs: Mapping[str, Any] | None) -> dict[str, str]:
    """Numbers and the like become texts."""
    said = {key: str(value) for key, value in (pairs or {}).items()}
    long = any(len(key) > NAME_CHARS or len(value) > VALUE_CHARS for key, value in said.items())
    if len(said) > PAIRS_LIMIT or long:
        raise ApiError(INVALID, "metadata")
    return said


def checked(receipt: Receipt | None, total: int, *, needed: bool) -> None:
    """A receipt that adds up to what is paid."""
    if receipt is None:
        if needed:
            raise ApiError("Receipt is missing or illegal", "receipt")
        return
    if not (receipt.customer.email or receipt.customer.phone):
        raise ApiError(INVALID, "receipt.customer")
    if receipt.customer.email and not EMAIL.fullmatch(receipt.customer.email):
        raise ApiError(INVALID, "receipt.customer.email")
    if receipt.customer.phone and not PHONE.fullmatch(receipt.customer.phone):
        raise ApiError(INVALID, "receipt.customer.phone")
    if not 0 < len(receipt.items) <= RECEIPT_LINES:
        raise ApiError(INVALID, "receipt.items")
    for line in receipt.items:
        if not 0 < len(line.description) <= LINE_CHARS:
            raise ApiError(INVALID, "receipt.items.description")
        if str(line.vat_code) not in VAT_CODES:
            raise ApiError(INVALID, "receipt.items.vat_code")
    if sum(_cost(line) for line in receipt.items) != total:
        raise ApiError("Receipt is missing or illegal", "receipt.items")


def total(items: list[dict[str, Any]]) -> int:
    """What lines that were read before come to."""
    return int(sum(_cost(line) for line in msgspec.convert(items, list[Line])))


def taken(receipt: Receipt | None, *, refused: bool) -> None:
    """The till of some shops refuses what is right."""
    if receipt is not None and refused:
        raise ApiError("Receipt is missing or illegal", "receipt")


def _cost(line: Line) -> Decimal:
    if not QUANTITY.fullmatch(str(line.quantity)):
        raise ApiError(INVALID, "receipt.items.quantity")
    return Decimal(str(line.quantity)) * line.amount.minor
