"""In which languages the console speaks, and how its texts are kept."""

from collections.abc import Mapping
from typing import Final

LANGUAGES: Final = ("en", "hi", "ru")
Texts = Mapping[str, tuple[str, str, str]]  # a name, and its text in each of LANGUAGES
