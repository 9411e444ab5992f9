"""Small mistakes in SQL: a condition, a lock, a bound or a column of an order left out, arguments
swapped, a comparison shifted, a constraint gone. A parameter is never lost: PostgreSQL would refuse
the whole statement, which any test sees."""

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

from tests.mutation.mutant import Edit, Mutant, mutant, numbered
from tests.mutation.sql_marks import functions_in
from tests.mutation.sql_tokens import Token, tokens

Found = Iterator[tuple[str, Sequence[Edit]]]
_COMPARED = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "=": "<>", "<>": "="}
_PICKS = ("LEAST", "GREATEST", "COALESCE")
# Where conditions begin, and the words behind which one ends.
_BEGINS = ("WHERE", "ON", "IF", "ELSIF", "WHEN", "HAVING", "CHECK", "USING")
_ENDS = (
    "THEN", "GROUP", "ORDER", "LIMIT", "RETURNING", "FOR", "UNION", "JOIN", "LEFT", "WHEN", "INTO",
    "LOOP", "DO", "WHERE", "ELSE", "END", "HAVING", "LATERAL", "CROSS", "INNER", "DEFERRABLE",
)  # fmt: skip
_NO_CALLS = ("IN", "VALUES", "ANY", "ARRAY", "CHECK", "WHERE", "AND", "OR", "NOT", "USING", "ON")
_DECLARES = ("INTO", "TABLE", "FUNCTION", "INDEX", "ON", "AS")
# It makes a search quick, and changes nothing that is found.
_QUICKENS = re.compile(r"^CREATE INDEX [^;]*;", re.MULTILINE)
_TABLE = re.compile(r"(?:CREATE TABLE|ALTER TABLE|CREATE (?:UNIQUE )?INDEX|ON) (\w+)")


def sql_mutants(path: str, text: str) -> list[Mutant]:
    """Every mutant of a file of SQL."""
    functions = functions_in(text)
    quicken = [found.span() for found in _QUICKENS.finditer(text)]
    made = []
    for name, edits in sql_edits(text):
        place = edits[0].start
        if any(start <= place < end for start, end in quicken):
            continue
        where = next((f for f, start, end in functions if start <= place < end), "")
        if not where:
            tables = [m[1] for m in _TABLE.finditer(text) if m.start() <= place]
            where = tables[-1] if tables else "file"
        made.append(mutant(path, where, name, text, edits))
    return list(numbered(made))


def sql_edits(sql: str) -> Found:
    """Names of operators, and what they change."""
    code = tokens(sql)
    for operator in _OPERATORS:
        for name, edits in operator(code, sql):
            if any(sql[e.start : e.end] != e.new for e in edits):
                yield name, edits


def _ends(token: Token) -> bool:
    """A statement, or a body."""
    return token.text == ";" or token.kind == "quote"


def _span(code: Sequence[Token]) -> tuple[int, int]:
    return code[0].start, code[-1].end


def _conditions(code: list[Token], sql: str) -> Found:
    for word, chain in _chains(code):
        parts, joined_by = _parts(chain)
        for part in parts:
            start, end = _span(part)
            text = sql[start:end]
            if joined_by != "OR":
                yield "drop a condition", [Edit(start, end, f"({text} OR true)")]
            if joined_by == "OR" or word in ("IF", "ELSIF", "WHEN"):
                yield "drop a condition", [Edit(start, end, f"({text} AND false)")]


def _chains(code: list[Token]) -> Iterator[tuple[str, list[Token]]]:
    """The tokens of each chain of conditions, with the word that begins it."""
    for n, token in enumerate(code):
        word = token.upper
        opens = token.text == "(" and n + 1 < len(code) and _joined_inside(code, n)
        if not opens and word not in _BEGINS:
            continue
        before = code[n - 1].upper if n else ""
        if word == "ON" and (before in ("POLICY", "TRIGGER") or code[n + 1].upper in (
                "CONFLICT", "DELETE", "UPDATE", "TABLE", "ALL", "FUNCTION")):  # fmt: skip
            continue
        if word == "IF" and before in ("END", "TABLE", "INDEX", "FUNCTION", "DATABASE"):
            continue
        if word == "USING" and code[n + 1].text != "(":
            continue
        depth = token.depth + (1 if opens else 0)
        chain = []
        for following in code[n + 1 :]:
            if following.depth < depth or _ends(following) or (
                following.depth == depth and (following.upper in _ENDS or following.text == ",")
            ):  # fmt: skip
                break
            chain.append(following)
        if chain:
            yield ("(" if opens else word), chain


def _joined_inside(code: list[Token], n: int) -> bool:
    """A parenthesis around conditions, not around arguments or a query."""
    depth = code[n].depth + 1
    for token in code[n + 1 :]:
        if token.depth < depth or token.text == ",":
            return False
        if token.depth == depth and token.upper in ("SELECT", "INSERT", "UPDATE", "WITH"):
            return False
        if token.depth == depth and token.upper == "OR":
            return True
    return False


def _parts(chain: list[Token]) -> tuple[list[list[Token]], str]:
    """The conditions of a chain, and the word between them. OR binds less than AND."""
    depth = min(token.depth for token in chain)
    for joint in ("OR", "AND"):
        parts: list[list[Token]] = [[]]
        between = cases = 0
        for token in chain:
            if token.depth == depth:
                between += token.upper == "BETWEEN"
                cases += (token.upper == "CASE") - (token.upper == "END")
                if token.upper == joint and not cases and not (joint == "AND" and between):
                    parts.append([])
                    continue
                between -= token.upper == "AND" and between > 0
            parts[-1].append(token)
        if len(parts) > 1 or joint == "AND":
            return [part for part in parts if part], joint if len(parts) > 1 else ""
    return [], ""


def _comparisons(code: list[Token], sql: str) -> Found:
    chains = {token.start for _, chain in _chains(code) for token in chain}
    for n, token in enumerate(code):
        if token.text in _COMPARED and token.kind == "op" and (
            token.start in chains or token.text != "="
        ):  # fmt: skip
            yield "comparison", [Edit(token.start, token.end, _COMPARED[token.text])]
        if token.upper == "IS" and token.start in chains:
            if code[n + 1].upper == "NOT":
                yield "comparison", [Edit(token.end, code[n + 1].end, "")]
            else:
                yield "comparison", [Edit(token.end, token.end, " NOT")]
        elif token.upper == "NOT" and code[n + 1].upper in ("EXISTS", "IN", "FOUND"):
            yield "drop not", [Edit(token.start, token.end, "")]
        elif token.upper in ("EXISTS", "FOUND") and token.start in chains and (
            code[n - 1].upper != "NOT"
        ):  # fmt: skip
            yield "add not", [Edit(token.start, token.start, "NOT ")]


def _locks(code: list[Token], sql: str) -> Found:
    for n, token in enumerate(code):
        if token.upper == "FOR" and code[n + 1].upper in ("UPDATE", "SHARE", "NO", "KEY"):
            last = n + 1
            while code[last].upper in ("NO", "KEY"):
                last += 1
            while (
                code[last + 1].upper in ("OF", "SKIP", "LOCKED", "NOWAIT")
                or (code[last].upper == "OF")
                if last + 1 < len(code)
                else False
            ):
                last += 1
            yield "drop a lock", [Edit(token.start, code[last].end, "")]
        if token.upper == "SKIP":
            yield "drop skip locked", [Edit(token.start, code[n + 1].end, "")]


def _calls(code: list[Token], sql: str) -> Found:
    for n, token in enumerate(code[:-1]):
        if token.kind != "word" or code[n + 1].text != "(":
            continue
        arguments, end = _arguments(code, n + 1)
        texts = [sql[slice(*_span(argument))] for argument in arguments]
        if token.upper in _PICKS and len(arguments) > 1:
            for picked in range(2):
                rest = texts[1] if picked == 0 else texts[0]
                kept = f"(CASE WHEN true THEN {texts[picked]} ELSE {rest} END)"
                yield "drop a bound", [Edit(token.start, end, kept)]
            if token.upper != "COALESCE":
                other = "greatest" if token.upper == "LEAST" else "least"
                yield "swap a bound", [Edit(token.start, token.end, other)]
        elif n and token.upper not in _NO_CALLS and code[n - 1].upper not in _DECLARES:
            for left, right in pairwise(arguments):
                if _alike(left, right) and left[0].text != right[0].text:
                    yield (
                        "swap arguments",
                        [
                            Edit(*_span(left), sql[slice(*_span(right))]),
                            Edit(*_span(right), sql[slice(*_span(left))]),
                        ],
                    )


def _arguments(code: list[Token], opening: int) -> tuple[list[list[Token]], int]:
    arguments: list[list[Token]] = [[]]
    depth = code[opening].depth + 1
    for token in code[opening + 1 :]:
        if token.depth < depth:
            return [argument for argument in arguments if argument], token.end
        if token.depth == depth and token.text == ",":
            arguments.append([])
        else:
            arguments[-1].append(token)
    return [], code[opening].end


def _alike(left: list[Token], right: list[Token]) -> bool:
    """Of two texts or two numbers; names differ in type, and PostgreSQL would refuse them."""
    return len(left) == len(right) == 1 and left[0].kind == right[0].kind in ("text", "number")


def _orders(code: list[Token], sql: str) -> Found:
    for n, token in enumerate(code):
        if token.upper != "ORDER" or n + 1 >= len(code) or code[n + 1].upper != "BY":
            continue
        columns: list[list[Token]] = [[]]
        for following in code[n + 2 :]:
            if following.depth < token.depth or _ends(following) or (
                following.depth == token.depth and following.upper in (*_ENDS, "OFFSET")
            ):  # fmt: skip
                break
            if following.depth == token.depth and following.text == ",":
                columns.append([])
            else:
                columns[-1].append(following)
        columns = [column for column in columns if column]
        for column in columns:
            end = column[-1].end
            flips = [t for t in column if t.upper in ("DESC", "ASC")]
            if flips:
                yield "flip an order", [Edit(flips[0].start, flips[0].end, "ASC")]
            else:
                yield "flip an order", [Edit(end, end, " DESC")]
            if len(columns) > 1:
                rest = ", ".join(sql[slice(*_span(c))] for c in columns if c is not column)
                yield "drop from an order", [Edit(columns[0][0].start, columns[-1][-1].end, rest)]


def _constants(code: list[Token], sql: str) -> Found:
    for n, token in enumerate(code):
        before = code[n - 1].upper if n else ""
        # Rows that `RETURNING 1` gives are counted: which number they say nobody reads.
        if token.kind == "number" and before not in ("CHAR", "$", "RETURNING"):
            # With which number a version begins changes nothing: it is only compared with itself.
            if before == "DEFAULT" and "version" in [t.text for t in code[max(n - 6, 0) : n]]:
                continue
            if "." not in token.text:
                yield "constant", [Edit(token.start, token.end, str(int(token.text) + 1))]
        elif token.upper in ("TRUE", "FALSE") and before not in ("USING",):
            other = "false" if token.upper == "TRUE" else "true"
            yield "constant", [Edit(token.start, token.end, other)]
        elif token.kind == "text" and before == "INTERVAL":
            found = re.search(r"\d+", token.text)
            if found:
                start = token.start + found.start()
                more = str(int(found[0]) * 2)
                yield "constant", [Edit(start, start + len(found[0]), more)]
        elif token.upper == "IN" and n + 1 < len(code) and code[n + 1].text == "(":
            values, _ = _arguments(code, n + 1)
            for value in values if len(values) > 1 and all(len(v) == 1 for v in values) else []:
                rest = ", ".join(v[0].text for v in values if v is not value)
                whole = Edit(values[0][0].start, values[-1][0].end, rest)
                yield "drop an element", [whole]


def _arithmetic(code: list[Token], sql: str) -> Found:
    for n, token in enumerate(code[1:-1], start=1):
        operand = code[n - 1].kind in ("word", "number", "param") or code[n - 1].text == ")"
        keyword = code[n - 1].upper in ("SELECT", "THEN", "ELSE", "WHEN", "BY", "RETURN")
        if token.text in ("+", "-") and token.kind == "op" and operand and not keyword:
            yield "arithmetic", [Edit(token.start, token.end, "-" if token.text == "+" else "+")]


def _statements(code: list[Token], sql: str) -> Found:
    """Inside a PL/pgSQL body, and the assignments of an UPDATE anywhere."""
    before: Token | None = None
    for n, token in enumerate(code):
        starts = before is None or before.text == ";" or before.upper in (
            "BEGIN", "THEN", "ELSE", "LOOP",
        )  # fmt: skip
        if starts and before is not None and token.depth == 0 and token.upper in (
            "PERFORM", "UPDATE", "INSERT", "DELETE", "RAISE", "EXIT", "CONTINUE",
        ):  # fmt: skip
            end = next((t for t in code[n:] if t.text == ";"), None)
            if end is not None and "plpgsql" in sql:
                yield "drop a statement", [Edit(token.start, end.start, "NULL")]
        if token.upper == "SET" and n + 2 < len(code):
            yield from _assignments(code, n, sql)
        before = token


def _assignments(code: list[Token], n: int, sql: str) -> Found:
    parts: list[list[Token]] = [[]]
    for token in code[n + 1 :]:
        if token.depth < code[n].depth or _ends(token) or (
            token.depth == code[n].depth and token.upper in ("WHERE", "FROM", "RETURNING")
        ):  # fmt: skip
            break
        if token.depth == code[n].depth and token.text == ",":
            parts.append([])
        else:
            parts[-1].append(token)
    parts = [part for part in parts if part]
    if len(parts) < 2 or len(parts[0]) < 3 or parts[0][1].text != "=":
        return
    for part in parts:
        if len(part) < 3 or part[1].text != "=":
            continue
        column, (start, end) = part[0].text, _span(part)
        value = sql[part[2].start : end]
        # A parameter keeps its type, and the column what it held.
        kept = f"{column} = CASE WHEN false THEN {value} ELSE {column.split('.')[-1]} END"
        if not any(t.kind == "hole" for t in part):
            yield "drop an assignment", [Edit(start, end, kept)]


def _clauses(code: list[Token], sql: str) -> Found:
    for n, token in enumerate(code[:-1]):
        pair = (token.upper, code[n + 1].upper)
        if pair == ("ON", "CONFLICT"):
            end = next((m for m, t in enumerate(code[n:], n) if t.upper == "NOTHING"), None)
            if end is not None and end - n < 12:
                yield "drop on conflict", [Edit(token.start, code[end].end, "")]
        elif pair == ("LEFT", "JOIN"):
            yield "inner join", [Edit(token.start, token.end, "")]
        elif (token.upper == "UNIQUE" and code[n - 1].upper == "CREATE") or (
            token.upper == "UNIQUE" and code[n + 1].text != "(" and n and token.depth == 1
        ):
            yield "drop a constraint", [Edit(token.start, token.end, "")]
        elif token.upper == "UNIQUE" and code[n + 1].text == "(" and token.depth == 1:
            _, end_at = _arguments(code, n + 1)
            yield "drop a constraint", [Edit(token.start, end_at, "CHECK (true)")]
        elif token.upper == "DISTINCT" and code[n + 1].upper not in ("FROM", "ON"):
            yield "drop distinct", [Edit(token.start, token.end, "")]


_OPERATORS: tuple[Callable[[list[Token], str], Found], ...] = (
    _conditions, _comparisons, _locks, _calls, _orders, _constants, _arithmetic, _statements,
    _clauses,
)  # fmt: skip
