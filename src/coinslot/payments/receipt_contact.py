"""Where a receipt goes: an e-mail address or a telephone number, in one field."""

import re
from typing import Final

_MAIL: Final = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@([A-Za-z0-9-]+\.)+[A-Za-z0-9-]{2,}"
)
_LONGEST: Final = 254
_BETWEEN_DIGITS: Final = re.compile(r"[\s().\u00a0-]")


class ContactError(ValueError):
    """It is neither an e-mail address nor a telephone number."""


def contact(text: str) -> str:
    """As it is kept: the address as typed, a number as +79161234567. A Russian number may begin
    with 8 or with the code of its operator. Raises ContactError."""
    typed = text.strip()
    if "@" in typed:
        if len(typed) <= _LONGEST and _MAIL.fullmatch(typed):
            return typed
        raise ContactError(text)
    digits = _BETWEEN_DIGITS.sub("", typed)
    plus = digits.startswith("+")
    digits = digits.removeprefix("+")
    if not re.fullmatch(r"[0-9]{7,15}", digits):
        raise ContactError(text)
    if not plus and len(digits) == 11 and digits[0] in "78":
        return f"+7{digits[1:]}"
    if not plus and len(digits) == 10 and digits[0] == "9":
        return f"+7{digits}"
    if plus:
        return f"+{digits}"
    raise ContactError(text)  # nobody knows of which country
