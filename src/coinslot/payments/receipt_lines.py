"""The lines of a fiscal receipt: built before anything is sent, and equal to the amount in minor
units, or not a receipt at all."""

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from coinslot.gateways.receipts import (
    NAMELESS,
    VAT_IN_THE_END,
    ReceiptLimits,
    ReceiptLine,
    ReceiptTerms,
)

PAID, PREPAID = "full_payment", "full_prepayment"


class ReceiptSumError(Exception):
    """The lines of a receipt do not come to its amount, or are too many: it is not sent."""


class Piece(Struct, frozen=True, kw_only=True):
    """One thing that was paid for, with what is left of its price after discounts. Without a
    `vat` or a `subject` those of the account hold."""

    name: str
    minor: int
    vat: str | None = None
    subject: str | None = None


def lines_of(
    pieces: Sequence[Piece], total: int, terms: ReceiptTerms, limits: ReceiptLimits
) -> tuple[ReceiptLine, ...]:
    """Equal pieces make one line, and what costs nothing makes none. Raises ReceiptSumError."""
    counts: dict[Piece, int] = {}
    for piece in pieces:
        if piece.minor:
            counts[piece] = counts.get(piece, 0) + 1
    return checked([_line(piece, count, terms, limits) for piece, count in counts.items()],
                   total, limits)  # fmt: skip


def _line(piece: Piece, count: int, terms: ReceiptTerms, limits: ReceiptLimits) -> ReceiptLine:
    return ReceiptLine(
        name=printable(piece.name, limits), quantity=count, price=piece.minor,
        vat=piece.vat or terms.vat, subject=piece.subject or terms.subject, mode=terms.mode,
        agent=terms.agent,
    )  # fmt: skip


def lines_back(
    paid: Sequence[ReceiptLine], total: int, limits: ReceiptLimits, named: Piece | None = None
) -> tuple[ReceiptLine, ...]:
    """Of money that goes back, by the lines of its payment: all of them, the one thing that is
    given back, or of each its share. Raises ReceiptSumError."""
    if total == sum(line.total for line in paid):
        return checked(paid, total, limits)
    if named is not None and (found := _named(paid, printable(named.name, limits), named.minor)):
        return checked([replace(found, quantity=1, price=total)], total, limits)
    if not 0 < total < sum(line.total for line in paid):
        raise ReceiptSumError(f"{total} cannot go back of {sum(line.total for line in paid)}")
    shares = _allotted(total, [line.total for line in paid])
    parts = [
        replace(line, quantity=1, price=share)
        for line, share in zip(paid, shares, strict=True)
        if share
    ]
    return checked(parts, total, limits)


def lines_closing(
    paid: Sequence[ReceiptLine], pieces: Sequence[Piece], limits: ReceiptLimits
) -> tuple[ReceiptLine, ...]:
    """Of what was handed over, by the lines of what was paid for in advance: the full payment.
    Raises ReceiptSumError."""
    total = sum(piece.minor for piece in pieces)
    if total == sum(line.total for line in paid):
        return checked([handed_over(line) for line in paid], total, limits)
    counts: dict[ReceiptLine, int] = {}
    for piece in pieces:
        found = _named(paid, printable(piece.name, limits), piece.minor)
        if piece.minor and found is None:
            raise ReceiptSumError(f"nothing was paid for {printable(piece.name, limits)!r}")
        if piece.minor and found is not None:
            one = handed_over(replace(found, quantity=1, price=piece.minor))
            counts[one] = counts.get(one, 0) + 1
    lines = [replace(line, quantity=count) for line, count in counts.items()]
    if total > sum(line.total for line in paid):
        raise ReceiptSumError(f"{total} was handed over of {sum(line.total for line in paid)}")
    return checked(lines, total, limits)


def handed_over(line: ReceiptLine) -> ReceiptLine:
    """The same as of the hand-over, where it was paid in advance."""
    if line.mode != PREPAID:
        return line
    return replace(line, mode=PAID, vat=VAT_IN_THE_END.get(line.vat, line.vat))


def _named(paid: Sequence[ReceiptLine], name: str, minor: int) -> ReceiptLine | None:
    """The line of what is given back: discounts may have made several of one name."""
    found = [line for line in paid if line.name == name]
    return next((line for line in found if line.price == minor), found[0] if found else None)


def checked(
    lines: Sequence[ReceiptLine], total: int, limits: ReceiptLimits
) -> tuple[ReceiptLine, ...]:
    """Raises ReceiptSumError."""
    come_to = sum(line.total for line in lines)
    if come_to != total or any(line.price <= 0 or line.quantity <= 0 for line in lines):
        raise ReceiptSumError(f"the lines come to {come_to}, and the amount is {total}")
    if not 0 < len(lines) <= limits.lines:
        raise ReceiptSumError(f"{len(lines)} lines, and the gateway takes {limits.lines}")
    return tuple(lines)


def printable(name: str, limits: ReceiptLimits) -> str:
    """As the gateway takes it."""
    plain = " ".join("".join(one if one.isprintable() else " " for one in name).split())
    return plain[: limits.name_chars].rstrip() or NAMELESS


def _allotted(total: int, weights: Sequence[int]) -> list[int]:
    """In proportion, whole, to the last unit; nobody gets more than its weight."""
    worth = sum(weights)
    shares = [total * weight // worth for weight in weights]
    by_rest = sorted(range(len(weights)), key=lambda at: (-(total * weights[at] % worth), at))
    for at in by_rest[: total - sum(shares)]:
        shares[at] += 1
    return shares
