"""English reversed, as the pseudo-locale ar-XB: it shows right-to-left pages before a right-to-left
language exists."""

import re

import msgspec

from coinslot.pages.texts.words import Words

_AROUND = {"code", "own_name", "short_name", "direction", "locale"}
_WORD = re.compile(r"(\{\w+\})|([^\s{}]+)")


def mirrored(words: Words) -> Words:
    """Each word is wrapped in the marks that force right-to-left; what is filled in is left."""
    words_turned = {
        name: turned(getattr(words, name))
        for name in words.__struct_fields__
        if name not in _AROUND
    }
    about = {"code": "ar-XB", "own_name": "Mirror", "short_name": "XB", "direction": "rtl"}
    return msgspec.structs.replace(words, **about, **words_turned)


def turned(text: str) -> str:
    """One text; what is filled in is left."""
    return _WORD.sub(_turn, text)


def _turn(found: re.Match[str]) -> str:
    return found[1] or f"\u202e{found[2]}\u202c"
