"""SQL and PL/pgSQL as tokens with their places; enough of the language to change it sensibly."""

import re
from collections.abc import Iterator
from typing import NamedTuple

# A `{name}` is what a Python format fills in, a `$$` opens or ends a body that is code as well.
_TOKEN = re.compile(
    r"""
    (?P<space>\s+|--[^\n]*|/\*.*?\*/)
  | (?P<text>E?'(?:[^']|'')*')
  | (?P<quote>\$\w*\$)
  | (?P<param>\$\d+)
  | (?P<hole>\{\{|\}\}|\{[^{}\n]*\})
  | (?P<number>\d+(?:\.\d+)?)
  | (?P<word>[A-Za-z_]\w*(?:\.(?:[A-Za-z_]\w*|\*))*|"[^"]*")
  | (?P<op><>|<=|>=|!=|:=|=>|->>|->|\#>>|\#>|\|\||::|@>|<@|!~|~\*|[-+*/%<>=~^&|?\#])
  | (?P<mark>[(),;\[\].:])
  | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)


class Token(NamedTuple):
    """`upper` is the text of a word in capitals, as keywords are compared."""

    kind: str
    text: str
    start: int
    end: int
    depth: int

    @property
    def upper(self) -> str:
        return self.text.upper() if self.kind == "word" else self.text


def tokens(sql: str) -> list[Token]:
    """All but spaces and comments; `depth` counts the parentheses around a token."""
    return list(_tokens(sql))


def _tokens(sql: str) -> Iterator[Token]:
    depth = 0
    for found in _TOKEN.finditer(sql):
        kind = found.lastgroup or "other"
        if kind == "space":
            continue
        if found[0] in ")]":
            depth -= 1
        yield Token(kind, found[0], found.start(), found.end(), depth)
        if found[0] in "([":
            depth += 1
