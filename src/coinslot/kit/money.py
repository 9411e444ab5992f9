"""An amount of money: whole minor units and an ISO 4217 currency; never a float.

`Money.parse` (for programs), `Money.typed` (for people) and `decimal` are the only conversions
between money and text."""

import re
import unicodedata
from collections.abc import Mapping
from typing import Self

import msgspec

_TWO_PLACES = """
AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF
CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD
GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL
MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR
PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP
TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG
"""
_NO_PLACES = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_THREE_PLACES = "BHD IQD JOD KWD LYD OMR TND"
_FOUR_PLACES = "CLF UYW"

EXPONENTS: Mapping[str, int] = {
    code: places
    for places, codes in (
        (0, _NO_PLACES),
        (2, _TWO_PLACES),
        (3, _THREE_PLACES),
        (4, _FOUR_PLACES),
    )
    for code in codes.split()
}

# The database keeps minor units as bigint.
MAX_MINOR = 2**63 - 1

_TEXT = re.compile(r"(-?)([0-9]{1,19})(?:\.([0-9]{1,4}))?")


# A sign that stands for these currencies only. "$" and whatever is not here may be any's.
_OWNERS: Mapping[str, str] = {
    "€": "EUR", "₹": "INR", "₽": "RUB", "£": "EGP FKP GBP GIP LBP SHP SSP SYP", "¥": "CNY JPY",
    "₺": "TRY", "₴": "UAH", "₸": "KZT", "₩": "KPW KRW", "₫": "VND", "₦": "NGN", "₱": "PHP",
    "฿": "THB", "₪": "ILS", "₾": "GEL", "৳": "BDT", "₼": "AZN",
}  # fmt: skip
# How people write a currency beside its sign and its code.
_WORDS: Mapping[str, str] = {
    "INR": "rs rs. re रु रु. रुपये रुपए", "RUB": "руб руб. р р. рублей", "EUR": "euro euros",
    "BYN": "руб руб. br", "UAH": "грн грн.", "KZT": "тг тг.", "CHF": "fr fr.",
    "PLN": "zł zl", "CZK": "kč kc", "HUF": "ft", "SEK": "kr kr.", "NOK": "kr kr.", "DKK": "kr kr.",
    "ISK": "kr kr.", "RON": "lei", "TRY": "tl", "BRL": "r$", "ZAR": "r", "IDR": "rp rp.",
    "MYR": "rm", "USD": "us$", "JPY": "円", "CNY": "元", "AED": "dh dhs",
}  # fmt: skip


class UnknownCurrencyError(ValueError):
    """This is not a currency code of ISO 4217."""


class CurrencyMismatchError(ValueError):
    """Amounts of different currencies cannot be combined."""


class MoneyRangeError(ValueError):
    """The amount does not fit what the database can hold."""


class MoneyTextError(ValueError):
    """This text is not an amount in that currency."""


def plain(text: str) -> str:
    """A number as a person writes it, as `Money.parse` reads it, whatever the currency. A comma
    before one or two digits is a decimal one; before three it could also part thousands.

    Raises MoneyTextError."""
    bare = "".join(_plain(sign) for sign in text).strip()
    if re.fullmatch(r"[0-9]+(\.[0-9]+)?", bare):
        return bare
    if re.fullmatch(r"[0-9]+,[0-9]{1,2}", bare):
        return bare.replace(",", ".")
    if re.fullmatch(r"[0-9]{1,3}([., ' \u00a0][0-9]{2,3})+([.,][0-9]+)?", bare):
        raise MoneyTextError(
            f"{text!r} can be read in two ways; write it without separators of thousands,"
            " and with a point: 1000 or 1000.00"
        )
    raise MoneyTextError(f"{text!r} is not an amount; write it like 40 or 40.00")


def _plain(sign: str) -> str:
    if unicodedata.category(sign) == "Sc":  # a currency's
        return " "
    return "." if sign == "\u066b" else str(unicodedata.decimal(sign, sign))  # the Arabic point


def is_named(text: str, currency: str) -> bool | None:
    """Whether a text is a sign, the code or a word of this currency; None where it is no
    currency's sign or code."""
    bare = text.strip()
    if bare.casefold() in _words(currency):
        return True
    if len(bare) == 1 and unicodedata.category(bare) == "Sc":
        return bare not in _OWNERS or currency in _OWNERS[bare].split()
    return False if bare in EXPONENTS else None


def _words(currency: str) -> list[str]:
    """Also its code; each before what it begins with."""
    return sorted([currency.casefold(), *_WORDS.get(currency, "").split()], reverse=True)


class Money(msgspec.Struct, frozen=True, rename={"minor": "amount"}):
    """`minor` counts the smallest units: 4000 INR is forty rupees, 4000 JPY four thousand yen."""

    minor: int
    currency: str

    def __post_init__(self) -> None:
        if self.currency not in EXPONENTS:
            raise UnknownCurrencyError(f"{self.currency!r} is not a currency code of ISO 4217")
        if type(self.minor) is not int:
            raise TypeError(f"minor units are whole numbers, not {type(self.minor).__name__}")
        if abs(self.minor) > MAX_MINOR:
            raise MoneyRangeError(f"{self.minor} minor units do not fit a bigint")

    @classmethod
    def zero(cls, currency: str) -> Self:
        return cls(0, currency)

    @classmethod
    def parse(cls, text: str, currency: str) -> Self:
        """Read "40", "40.5" or "40.00"; more places than the currency has are refused."""
        exponent = EXPONENTS.get(currency)
        if exponent is None:
            raise UnknownCurrencyError(f"{currency!r} is not a currency code of ISO 4217")
        found = _TEXT.fullmatch(text)
        if found is None or len(found[3] or "") > exponent:
            raise MoneyTextError(f"{text!r} is not an amount in {currency}")
        minor = int(found[2] + (found[3] or "").ljust(exponent, "0"))
        return cls(-minor if found[1] else minor, currency)

    @classmethod
    def typed(cls, text: str, currency: str) -> Self:
        """Read an amount as a person writes it, always in whole units of the currency: "40",
        "40.00", "40,00", "₹40", "40 INR". Raises MoneyTextError for what could mean two things."""
        bare = text.casefold().strip()
        for word in _words(currency):
            bare = bare.removesuffix(word).removeprefix(word)
        try:
            return cls.parse(plain(bare), currency)
        except MoneyTextError as error:
            places = EXPONENTS.get(currency, 0)
            raise MoneyTextError(f"{error}; {currency} has {places} decimal places") from None

    def decimal(self) -> str:
        """Write the amount with the places of its currency, a dot, and nothing else."""
        exponent = EXPONENTS[self.currency]
        digits = str(abs(self.minor)).rjust(exponent + 1, "0")
        whole, places = digits[: len(digits) - exponent], digits[len(digits) - exponent :]
        sign = "-" if self.minor < 0 else ""
        return f"{sign}{whole}.{places}" if places else f"{sign}{whole}"

    def to_json(self) -> dict[str, int | str]:
        return {"amount": self.minor, "currency": self.currency}

    def __str__(self) -> str:
        return f"{self.decimal()} {self.currency}"

    def __add__(self, other: "Money") -> "Money":
        return Money(self.minor + self._in_same(other), self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.minor - self._in_same(other), self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.minor, self.currency)

    def __mul__(self, count: int) -> "Money":
        if type(count) is not int:
            raise TypeError(f"money is multiplied by a count, not by {type(count).__name__}")
        return Money(self.minor * count, self.currency)

    def __lt__(self, other: "Money") -> bool:
        return self.minor < self._in_same(other)

    def __le__(self, other: "Money") -> bool:
        return self.minor <= self._in_same(other)

    def __gt__(self, other: "Money") -> bool:
        return self.minor > self._in_same(other)

    def __ge__(self, other: "Money") -> bool:
        return self.minor >= self._in_same(other)

    def _in_same(self, other: "Money") -> int:
        if other.currency != self.currency:
            raise CurrencyMismatchError(f"{self} and {other} are of different currencies")
        return other.minor
