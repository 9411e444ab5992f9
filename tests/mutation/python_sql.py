"""The SQL in the strings of a module, and where in the module each of its characters stands."""

import ast
import re
from collections.abc import Iterator

from tests.mutation.mutant import Edit

_IS_SQL = re.compile(
    r"^\s*(?:--[^\n]*\n\s*)*"
    r"(?:SELECT|INSERT INTO|UPDATE|DELETE FROM|WITH|CREATE|IF|AND|WHERE|FROM)\b"
    r"|\b(?:WHERE|FROM|SET) "
)
_LITERAL = re.compile(
    r"[rRbBuU]?(?P<f>[fF]?)[rR]?(?P<quote>\"\"\"|'''|\"|')(?P<inside>.*?)(?<!\\)(?P=quote)",
    re.DOTALL,
)


class Statement:
    """The text of one string, or of several that stand one behind another."""

    def __init__(self, pieces: list[tuple[int, str]]) -> None:
        self.sql = "".join(text for _, text in pieces)
        self._places = [start + n for start, text in pieces for n in range(len(text))]

    def placed(self, edit: Edit) -> Iterator[Edit]:
        """In the module's text; where it spans several strings, each loses its part."""
        places = self._places[edit.start : edit.end]
        if not places:
            here = self._places[min(edit.start, len(self._places) - 1)]
            yield Edit(here, here, edit.new)
            return
        begin, new = places[0], edit.new
        for at, following in zip(places, [*places[1:], None], strict=True):
            if following != at + 1:
                yield Edit(begin, at + 1, new)
                begin, new = following or 0, ""


def statements(tree: ast.Module, text: str) -> Iterator[tuple[str, Statement]]:
    """Each with the name of the constant or function around it."""
    starts = [0]
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    for where, node in _strings(tree, ""):
        begin = starts[node.lineno - 1] + _chars(text, starts, node.lineno, node.col_offset)
        last, column = node.end_lineno or node.lineno, node.end_col_offset or 0
        end = starts[last - 1] + _chars(text, starts, last, column)
        pieces = [
            (begin + found.start("inside"), found["inside"])
            for found in _LITERAL.finditer(text[begin:end])
        ]
        made = Statement(pieces)
        verbs = ("SELECT", "UPDATE", "INSERT", "DELETE", "WHERE")
        if _IS_SQL.search(made.sql) and any(verb in made.sql for verb in verbs):
            yield where, made


def _strings(node: ast.AST, where: str) -> Iterator[tuple[str, ast.Constant | ast.JoinedStr]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant):
            continue
        if isinstance(child, ast.JoinedStr):
            yield where or "module", child
            continue
        if isinstance(child, ast.Constant):
            if isinstance(child.value, str):
                yield where or "module", child
            continue
        inside = where
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            inside = f"{where}.{child.name}".lstrip(".")
        elif isinstance(child, ast.Assign) and not where and isinstance(child.targets[0], ast.Name):
            inside = child.targets[0].id
        yield from _strings(child, inside)


def _chars(text: str, starts: list[int], line: int, column: int) -> int:
    """Columns count bytes."""
    row = text[starts[line - 1] : starts[line]]
    return len(row.encode()[:column].decode())
