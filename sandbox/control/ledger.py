"""A gateway's books as a person reads them: sums of money, newest first."""

from collections.abc import Mapping
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
