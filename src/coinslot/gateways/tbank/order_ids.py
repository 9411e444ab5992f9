"""Order ids of ours at T-Bank: whose it is, what it pays for, for how much, and under which key.

All that T-Bank tells again of a payment is this id; without the amount in it a part that went back
could not be told.
"""

import hashlib
import re
import string
from uuid import UUID

from coinslot.gateways import marks
from coinslot.gateways.base import Mark
from coinslot.gateways.collecting import Charge
from coinslot.kit.money import Money

CURRENCY = "RUB"
ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase + "._"
ORDER_ID = re.compile(r"([0-9A-Za-z._]{6})([0-9A-Za-z._]{22})([0-9A-Za-z._]{5})[0-9A-Za-z._]{3}")
THING_CHARS, AMOUNT_CHARS, KEY_SIGN_CHARS = 22, 5, 3
PAYMENT, QR, NEITHER = range(3)
LARGEST_MINOR = len(ALPHABET) ** AMOUNT_CHARS - 1


def order_id(charge: Charge) -> str:
    """The same for the same mark, amount and key."""
    digest = hashlib.sha256(charge.key.encode()).digest()
    kind, thing = _thing(charge.mark, digest)
    return (
        marks.brief(charge.mark.installation).ljust(marks.BRIEF_CHARS, ".")
        + _digits(thing << 4 | kind, THING_CHARS)
        + _digits(charge.money.minor, AMOUNT_CHARS)
        + _digits(int.from_bytes(digest), KEY_SIGN_CHARS)
    )


def mark_of(said: str) -> Mark | None:
    """Our sign in an order id, with the installation's name in brief (`marks.is_ours`)."""
    found = ORDER_ID.fullmatch(said)
    if found is None:
        return None
    thing, kind = divmod(_number(found[2]), 16)  # of 132 bits, so that no thing is above 128
    if kind > NEITHER:
        return None
    known = None if kind == NEITHER else str(UUID(int=thing))
    return Mark(
        installation=found[1].rstrip("."),
        payment=known if kind == PAYMENT else None,
        qr=known if kind == QR else None,
    )


def ordered(said: str) -> Money | None:
    """The amount in an order id of ours."""
    found = ORDER_ID.fullmatch(said)
    if found is None or mark_of(said) is None:
        return None
    return Money(_number(found[3]), CURRENCY)


def _thing(mark: Mark, digest: bytes) -> tuple[int, int]:
    for kind, said in ((PAYMENT, mark.payment), (QR, mark.qr)):
        if said is not None:
            try:
                return kind, UUID(said).int
            except ValueError:
                break
    return NEITHER, int.from_bytes(digest[:16])


def _digits(number: int, width: int) -> str:
    """The last digits of a number to the base of the alphabet."""
    written = ""
    for _ in range(width):
        number, digit = divmod(number, len(ALPHABET))
        written = ALPHABET[digit] + written
    return written


def _number(digits: str) -> int:
    number = 0
    for digit in digits:
        number = number * len(ALPHABET) + ALPHABET.index(digit)
    return number
