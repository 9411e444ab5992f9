"""Every text of the customer's pages, in every language; and the choice of language."""

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from coinslot.pages.texts.en import ENGLISH
from coinslot.pages.texts.hi import HINDI
from coinslot.pages.texts.mirror import mirrored, turned
from coinslot.pages.texts.ru import RUSSIAN
from coinslot.pages.texts.words import Words

__all__ = ["LANGUAGES", "MIRROR", "Words", "choose", "spoken_by", "turned", "words_of_kinds"]

LANGUAGES: Mapping[str, Words] = {words.code: words for words in (ENGLISH, HINDI, RUSSIAN)}
MIRROR = mirrored(ENGLISH)


def words_of_kinds(
    texts: Mapping[str, Mapping[str, Mapping[str, str]]],
) -> Mapping[tuple[str | None, str], Words]:
    """By kind and language: the shared words, with what the kind says instead. Raises ValueError
    where it does not say it in every language, and TypeError where the pages have no such text."""
    for kind, said in texts.items():
        names = {code: sorted(said.get(code, {})) for code in LANGUAGES}
        if any(names[code] != names["en"] for code in LANGUAGES):
            raise ValueError(f"{kind}: its texts differ between languages: {names}")
    return {
        (kind, code): replace(words, **said[code])
        for kind, said in texts.items()
        for code, words in LANGUAGES.items()
        if said.get(code)
    }


def choose(
    asked: str | None, accepted: str, mirror: bool = False, among: Sequence[str] = ()
) -> Words:
    """The language requested in the URL, else the browser's preferred one that we have, else
    English. `among` are those of the page's merchant: its first one takes the place of English."""
    if mirror and asked == MIRROR.code:
        return MIRROR
    known = spoken_by(among)
    if asked is not None and asked in known:
        return known[asked]
    for tag in _dearest_first(accepted):
        if tag in known:
            return known[tag]
    return next(iter(known.values()))


def spoken_by(among: Sequence[str]) -> Mapping[str, Words]:
    """The languages of a merchant's pages; all, where it names none that we have."""
    return {code: LANGUAGES[code] for code in among if code in LANGUAGES} or LANGUAGES


def _dearest_first(accepted: str) -> list[str]:
    """The primary tags of an Accept-Language header; what cannot be read is ignored."""
    wanted: list[tuple[int, str]] = []
    for part in accepted[:500].split(","):
        tag, _, weight = part.partition(";")
        thousandths = _thousandths(weight.strip().removeprefix("q=")) if weight else 1000
        if thousandths:
            wanted.append((-thousandths, tag.strip().split("-")[0].lower()))
    return [tag for _, tag in sorted(wanted, key=lambda pair: pair[0])]


def _thousandths(weight: str) -> int:
    whole, _, places = weight.partition(".")
    if not (whole + places).isdecimal() or len(places) > 3:
        return 0
    return min(int(whole or "0") * 1000 + int(places.ljust(3, "0")), 1000)
