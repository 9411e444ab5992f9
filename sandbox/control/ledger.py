"""Books as a person reads them: a gateway's sums of money, and the others' lists, newest first."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

SHOWN = 200
_WITHOUT_CENTS = {"JPY", "KRW", "VND"}
_WITH_MILLS = {"BHD", "KWD", "OMR", "TND"}


class Row(NamedTuple):
    """One payment."""

    reference: str
    about: str
    amount: str
    captured: str
    refunded: str
    fate: str


class Ledger(NamedTuple):
    """One gateway: its payments and the sums by currency."""

    name: str
    rows: list[Row]
    payments: int
    sums: list[tuple[str, str, str, str]]

    @classmethod
    def of(cls, name: str, said: Mapping[str, Any]) -> "Ledger":
        payments: list[dict[str, Any]] = said["payments"]
        sums = []
        for currency in sorted({payment["currency"] for payment in payments}):
            of_it = [payment for payment in payments if payment["currency"] == currency]
            taken = sum(payment["captured"] for payment in of_it)
            back = sum(payment["refunded"] for payment in of_it)
            sums.append((
                currency, money(taken, currency), money(back, currency),
                money(taken - back, currency),
            ))  # fmt: skip
        return cls(name, [_row(one) for one in payments[::-1][:SHOWN]], len(payments), sums)


def _row(payment: Mapping[str, Any]) -> Row:
    currency = payment["currency"]
    return Row(
        reference=payment["reference"],
        about=payment.get("qr_code_id") or payment.get("account_id") or "",
        amount=money(payment["amount"], currency),
        captured=money(payment["captured"], currency) if payment["captured"] else "",
        refunded=money(payment["refunded"], currency) if payment["refunded"] else "",
        fate=_fate(payment),
    )


def _fate(payment: Mapping[str, Any]) -> str:
    if not payment["captured"]:
        return "not captured"
    if payment["refunded"] >= payment["captured"]:
        return "given back"
    return "partly given back" if payment["refunded"] else "captured"


def money(minor: int, currency: str) -> str:
    """`4000 INR` as `40.00 INR`."""
    places = 0 if currency in _WITHOUT_CENTS else 3 if currency in _WITH_MILLS else 2
    sign, digits = ("-" if minor < 0 else ""), str(abs(minor)).rjust(places + 1, "0")
    whole = digits[:-places] if places else digits
    return f"{sign}{whole}{'.' + digits[-places:] if places else ''} {currency}"


class List(NamedTuple):
    """One list of somebody who moves no money: what was brewed, sent or printed."""

    name: str
    heads: list[str]
    rows: list[list[str]]
    length: int

    @classmethod
    def of(cls, name: str, said: Sequence[Mapping[str, Any]]) -> "List":
        shown = said[::-1][:SHOWN]
        heads = list(dict.fromkeys(head for row in shown for head in row))
        rows = [[_cell(row.get(head)) for head in heads] for row in shown]
        return cls(name, [head.replace("_", " ") for head in heads], rows, len(said))


def lists_of(name: str, said: Any) -> Iterator[tuple[str, Sequence[Mapping[str, Any]]]]:
    """A book is one list, or several by name."""
    if isinstance(said, dict):
        yield from ((f"{name}: {part}", rows) for part, rows in said.items())
    else:
        yield name, said


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)
