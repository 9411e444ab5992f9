"""Which branches of the SQL functions a test reaches: each gets a call of an empty function of its
own, and PostgreSQL counts the calls of functions."""

import re
from typing import NamedTuple

from tests.mutation.sql_tokens import Token, tokens

_FUNCTION = re.compile(r"CREATE (?:OR REPLACE )?FUNCTION (\w+)")
_QUOTE = re.compile(r"\$\w*\$")
_MARK = "reached_{stem}_{number}"


class Branch(NamedTuple):
    """A stretch of code of one function, and the name of the empty function that counts it. Behind
    its end the code is of the branch around it again."""

    mark: str
    start: int
    end: int


def functions_in(sql: str) -> list[tuple[str, int, int]]:
    """Each function's name, and the span from its CREATE to the end of its body."""
    found = []
    for match in _FUNCTION.finditer(sql):
        quote = _QUOTE.search(sql, match.end())
        end = sql.find(quote[0], quote.end()) + len(quote[0]) if quote else len(sql)
        found.append((match[1], match.start(), end))
    return found


def branches(stem: str, sql: str) -> list[Branch]:
    """In order of their places; `stem` tells files apart."""
    name = re.sub(r"\W", "_", stem)
    return [
        Branch(_MARK.format(stem=name, number=number), start, end)
        for number, (start, end) in enumerate(_branch_spans(sql))
    ]


def marked(stem: str, sql: str) -> str:
    """The same functions, with their branches counted."""
    found = branches(stem, sql)
    for branch in reversed(found):
        # A PERFORM would set FOUND, which the code may ask next.
        sql = f"{sql[: branch.start]} IF {branch.mark}() THEN NULL; END IF;{sql[branch.start :]}"
    empty = "".join(
        f"CREATE OR REPLACE FUNCTION {branch.mark}() RETURNS boolean LANGUAGE plpgsql AS"
        " $x$ BEGIN RETURN true; END $x$;\n"
        for branch in found
    )
    return empty + sql


def _branch_spans(sql: str) -> list[tuple[int, int]]:
    spans = []
    for _, start, end in functions_in(sql):
        if "plpgsql" in sql[start:end]:
            found = _spans(tokens(sql[start:end]))
            spans += [(start + begin, start + over) for begin, over in found]
    return spans


def _spans(code: list[Token]) -> list[tuple[int, int]]:
    """From each BEGIN, THEN, ELSE and LOOP wherever statements follow, not expressions, to where
    they end."""
    spans: list[tuple[int, int]] = []
    inside: list[tuple[str, int | None]] = []  # what an END ends, and which span is open in it

    def close(at: int) -> None:
        if inside and inside[-1][1] is not None:
            number = inside[-1][1]
            spans[number] = (spans[number][0], at)

    for before, token in zip([None, *code], code, strict=False):
        word = token.upper
        after_end = before is not None and before.upper == "END"
        if word in ("IF", "CASE", "LOOP") and after_end:
            continue
        if word in ("BEGIN", "IF", "CASE", "LOOP") and not _in_sql(word, before):
            inside.append((word, None))
        elif word == "END" and inside:
            close(token.start)
            inside.pop()
        if inside and inside[-1][0] in ("IF", "BEGIN") and word in ("ELSIF", "ELSE", "EXCEPTION"):
            close(token.start)
        if word in ("BEGIN", "LOOP") or (
            word in ("THEN", "ELSE") and inside and inside[-1][0] in ("IF", "BEGIN")
        ):
            if inside:
                inside[-1] = (inside[-1][0], len(spans))
            spans.append((token.end, code[-1].end))
    return spans


def _in_sql(word: str, before: Token | None) -> bool:
    """IF of `IF EXISTS` stands behind a verb, that of a statement behind `;` or a keyword."""
    return word == "IF" and before is not None and before.upper in ("TABLE", "INDEX", "FUNCTION")
