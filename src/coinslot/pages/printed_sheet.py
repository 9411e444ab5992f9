"""What is printed beside a machine's code: how to pay, what happens when nothing comes out, where
the machine's page is and who helps. In the languages of its customers."""

from collections.abc import Sequence

from msgspec import Struct

from coinslot.pages.texts import LANGUAGES

# By the currency of the outlet, where no language is given.
_SPOKEN = {"INR": ("en", "hi"), "RUB": ("ru", "en")}


class Beside(Struct, frozen=True, kw_only=True):
    """Lines for the sheet: a block in each language, and the foot."""

    blocks: tuple[tuple[str, ...], ...]
    foot: tuple[str, ...]


def spoken(currency: str, languages: Sequence[str] = ()) -> tuple[str, ...]:
    """The languages of a sheet where nobody names others: its merchant's."""
    known = tuple(code for code in languages if code in LANGUAGES)
    return known or _SPOKEN.get(currency, ("en",))


def beside(languages: Sequence[str], price: str, page: str, merchant: str, contact: str) -> Beside:
    """Raises KeyError for a language that is not there."""
    blocks = []
    for code in languages:
        t = LANGUAGES[code]
        blocks.append((t.sheet_pay.format(price=price), t.sheet_wait, t.sheet_back))
    t = LANGUAGES[languages[0]]
    asked = f"{t.questions} {merchant} {contact}".strip()
    return Beside(blocks=tuple(blocks), foot=(f"{t.sheet_help} {page}", asked))
