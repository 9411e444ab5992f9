"""Small mistakes in Python: a shifted comparison, a condition, call or argument left out, a branch
taken the wrong way. SQL inside the strings of a module is left to `sql_mutants`."""

import ast
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

from tests.mutation.mutant import Edit, Mutant, mutant, numbered
from tests.mutation.python_sql import statements
from tests.mutation.sql_mutants import sql_edits

Found = Iterator[tuple[str, Edit]]
_COMPARED: dict[type[ast.cmpop], tuple[str, str]] = {
    ast.Lt: ("<", "<="), ast.LtE: ("<=", "<"), ast.Gt: (">", ">="), ast.GtE: (">=", ">"),
    ast.Eq: ("==", "!="), ast.NotEq: ("!=", "=="), ast.Is: ("is", "is not"),
    ast.IsNot: ("is not", "is"), ast.In: ("in", "not in"), ast.NotIn: ("not in", "in"),
}  # fmt: skip
_ARITHMETIC: dict[type[ast.operator], tuple[str, str]] = {
    ast.Add: ("+", "-"), ast.Sub: ("-", "+"), ast.Mult: ("*", "+"), ast.FloorDiv: ("//", "*"),
    ast.Mod: ("%", "//"),
}  # fmt: skip
# What only says something to a person who reads the log.
_TELLS = ("log.", "told(", "print(", "warnings.")
_ONE_OF = ("max", "min")
# Which argument stands first decides nothing.
_EITHER_WAY = ("max", "min", "compare_digest", "gcd")
_OF_ONE = ("sorted", "abs", "round", "reversed")
_METHODS = ("lower", "upper", "strip", "casefold", "astimezone", "removeprefix", "removesuffix",
            "encode", "hexdigest")  # fmt: skip


class Source:
    """A module's text and tree, and where each node stands in the text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tree = ast.parse(text)
        self._starts = [0]
        for line in text.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))
        self._lines = text.splitlines(keepends=True)

    def start(self, node: ast.AST) -> int:
        return self._at(node.lineno, node.col_offset)  # type: ignore[attr-defined]

    def end(self, node: ast.AST) -> int:
        return self._at(node.end_lineno, node.end_col_offset)  # type: ignore[attr-defined]

    def of(self, node: ast.AST) -> str:
        return self.text[self.start(node) : self.end(node)]

    def put(self, node: ast.AST, new: str) -> Edit:
        return Edit(self.start(node), self.end(node), new)

    def _at(self, line: int, column: int) -> int:
        """Columns count bytes."""
        before = self._lines[line - 1].encode()[:column].decode()
        return self._starts[line - 1] + len(before)


def python_mutants(path: str, text: str) -> list[Mutant]:
    """Every mutant of a module; a few of them are no Python any more."""
    source = Source(text)
    made = []
    for where, node in _nodes(source.tree, ""):
        for operator in _OPERATORS:
            for name, edit in operator(node, source):
                made.append(mutant(path, where, name, text, [edit]))
    for where, statement in statements(source.tree, text):
        for name, edits in sql_edits(statement.sql):
            placed = [part for edit in edits for part in statement.placed(edit)]
            made.append(mutant(path, where, f"sql {name}", text, placed))
    return list(numbered(made))


def _nodes(node: ast.AST, where: str) -> Iterator[tuple[str, ast.AST]]:
    """All but annotations, docstrings, what is only logged, and what only types are told by."""
    for child in _worth_it(node):
        inside = where
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            inside = f"{where}.{child.name}".lstrip(".")
        elif isinstance(child, ast.Assign | ast.AnnAssign) and not where:
            target = child.targets[0] if isinstance(child, ast.Assign) else child.target
            inside = target.id if isinstance(target, ast.Name) else "module"
        yield inside or "module", child
        yield from _nodes(child, inside)


def _worth_it(node: ast.AST) -> Iterator[ast.AST]:
    for field, value in ast.iter_fields(node):
        if field in ("annotation", "returns", "bases", "decorator_list", "type_params"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not _is_talk(child):
                yield child


def _is_talk(node: ast.AST) -> bool:
    match node:
        case ast.Assert() | ast.Import() | ast.ImportFrom() | ast.JoinedStr():
            return True
        case ast.Expr(value=ast.Constant(value=str())):
            return True
        case ast.keyword(arg="frozen" | "kw_only" | "slots"):  # how it is made
            return True
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):  # false whenever anything runs
            return True
        case ast.Expr(value=ast.Call(func=ast.Name(id="assert_never"))):
            return True
        case ast.Expr(value=ast.Call(func=func)):
            return ast.unparse(func).startswith(tuple(word.rstrip("(") for word in _TELLS))
        case ast.Assign(targets=[ast.Name(id="told" | "log" | "__all__")]):
            return True
        case ast.Assign(value=value) if _is_type(value):
            return True
        case _:
            pass
    return False


def _is_type(node: ast.AST) -> bool:
    """The name of a type, which only types are told by: `Body = dict[str, object]`."""
    match node:
        case ast.Subscript(value=ast.Name(id=name)):
            return name in ("dict", "list", "tuple", "Callable", "Mapping", "Response", "Sequence")
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return _is_type(left) or _is_type(right)
        case _:
            return False


def _comparison(node: ast.AST, source: Source) -> Found:
    if not isinstance(node, ast.Compare):
        return
    parts = [node.left, *node.comparators]
    for left, op, right in zip(parts, node.ops, parts[1:], strict=False):
        old, new = _COMPARED[type(op)]
        start = source.text.find(old.split()[0], source.end(left), source.start(right))
        end = source.text.find(old.split()[-1], start, source.start(right)) + len(old.split()[-1])
        if start >= 0:
            yield "comparison", Edit(start, end, new)


def _boolean(node: ast.AST, source: Source) -> Found:
    match node:
        case ast.BoolOp(op=op, values=values):
            old, new = ("and", "or") if isinstance(op, ast.And) else ("or", "and")
            for left, right in pairwise(values):
                start = source.text.find(old, source.end(left), source.start(right))
                yield "boolean", Edit(start, start + len(old), new)
            for gone in values:
                rest = [f"({source.of(v)})" for v in values if v is not gone]
                yield "drop a condition", source.put(node, f"({f' {old} '.join(rest)})")
        case ast.UnaryOp(op=ast.Not() | ast.USub() | ast.Invert(), operand=operand):
            yield "drop not", source.put(node, source.of(operand))
        case _:
            pass


def _constant(node: ast.AST, source: Source) -> Found:
    match node:
        case ast.Constant(value=bool(value)):
            yield "constant", source.put(node, str(not value))
        case ast.Constant(value=int(value)):
            yield "constant", source.put(node, str(value + 1))
            yield "constant", source.put(node, str(value - 1))
        case ast.Constant(value=float(value)):
            yield "constant", source.put(node, str(value * 2 or 1.0))
        case _:
            pass


def _arithmetic(node: ast.AST, source: Source) -> Found:
    match node:
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
            if any(isinstance(n, ast.JoinedStr) or _is_text(n) for n in (left, right)):
                return
            old, new = _ARITHMETIC[type(op)]
            start = source.text.find(old, source.end(left), source.start(right))
            yield "arithmetic", Edit(start, start + len(old), new)
        case ast.BinOp(left=left, op=ast.BitOr() | ast.BitAnd() | ast.Sub(), right=right):
            yield "drop an operand", source.put(node, source.of(left))
            yield "drop an operand", source.put(node, source.of(right))
        case _:
            pass


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _statement(node: ast.AST, source: Source) -> Found:
    match node:
        case ast.Expr(value=ast.Await() | ast.Call()) | ast.AugAssign() | ast.Raise():
            yield "drop a statement", source.put(node, "pass")
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript()]) | ast.Delete():
            yield "drop a statement", source.put(node, "pass")
        case ast.Continue():
            yield "leave a loop", source.put(node, "break")
        case ast.Break():
            yield "leave a loop", source.put(node, "continue")
        case _:
            pass


def _function(node: ast.AST, source: Source) -> Found:
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return
    for statement in node.body[1:]:
        if _is_ellipsis(statement):  # of a protocol
            continue
        if isinstance(statement, ast.Expr | ast.With | ast.AsyncWith | ast.For | ast.AsyncFor):
            yield "return early", Edit(source.start(statement), source.start(statement), "return; ")
    if len(node.body) > 1 and isinstance(node.body[-1], ast.For | ast.AsyncWith | ast.While):
        yield "return early", source.put(node.body[-1], "return")


def _is_ellipsis(node: ast.stmt) -> bool:
    match node:
        case ast.Expr(value=ast.Constant(value=value)):
            return value is ...
        case _:
            return False


def _branch(node: ast.AST, source: Source) -> Found:
    match node:
        case ast.If(test=test, orelse=others):
            yield "condition", source.put(test, "True")
            yield "condition", source.put(test, "False")
            if others and not isinstance(others[0], ast.If):
                yield "swap branches", source.put(test, f"not ({source.of(test)})")
        case ast.While(test=test) if not isinstance(test, ast.Constant):
            yield "condition", source.put(test, "False")
        case ast.IfExp(test=test, body=body, orelse=orelse):
            swapped = f"{source.of(orelse)} if {source.of(test)} else {source.of(body)}"
            yield "swap branches", source.put(node, f"({swapped})")
            yield "condition", source.put(node, f"({source.of(body)})")
            yield "condition", source.put(node, f"({source.of(orelse)})")
        case ast.comprehension(ifs=[*ifs]):
            for test in ifs:
                yield "condition", source.put(test, "True")
        case ast.match_case(guard=ast.expr() as guard):
            yield "condition", source.put(guard, "True")
            yield "condition", source.put(guard, "False")
        case ast.MatchOr(patterns=patterns):
            yield from _without_one(node, patterns, " | ", source)
        case _:
            pass


def _call(node: ast.AST, source: Source) -> Found:
    if not isinstance(node, ast.Call):
        return
    arguments = node.args
    starred = any(isinstance(arg, ast.Starred) for arg in arguments)
    for left, right in pairwise(arguments):
        if starred or _called(node.func) in _EITHER_WAY:
            continue
        if _alike(left, right) and source.of(left) != source.of(right):
            swapped = source.of(right) + source.text[source.end(left) : source.start(right)]
            both = Edit(source.start(left), source.end(right), swapped + source.of(left))
            yield "swap arguments", both
    for keyword in node.keywords:
        if keyword.arg is not None and len(node.keywords) + len(arguments) > 1:
            after = source.text[source.end(keyword) :]
            comma = len(after) - len(after.lstrip(", \n")) if after.lstrip()[:1] == "," else 0
            gone = Edit(source.start(keyword), source.end(keyword) + comma, "")
            yield "drop an argument", gone
    match node.func:
        case ast.Name(id=name) if name in _ONE_OF and not starred and len(arguments) > 1:
            for argument in arguments:
                yield "drop a call", source.put(node, source.of(argument))
            yield "swap a call", source.put(node.func, "min" if name == "max" else "max")
        case ast.Name(id=name) if name in _OF_ONE and arguments:
            yield "drop a call", source.put(node, source.of(arguments[0]))
        case ast.Attribute(value=value, attr=name) if name in _METHODS:
            yield "drop a call", source.put(node, source.of(value))


def _called(function: ast.expr) -> str:
    match function:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""


def _alike(left: ast.expr, right: ast.expr) -> bool:
    """Arguments that a hand may confuse; what everything is handed first is not among them."""
    given = {"shop", "conn", "self", "db"}
    names = {node.id for node in (left, right) if isinstance(node, ast.Name)}
    return type(left) is type(right) and not names & given


def _collection(node: ast.AST, source: Source) -> Found:
    match node:
        case ast.Set(elts=elements) if len(elements) > 1:
            yield from _without_one(node, elements, ", ", source, "{", "}")
        case ast.List(elts=elements, ctx=ast.Load()) if len(elements) > 1:
            yield from _without_one(node, elements, ", ", source, "[", "]")
        case ast.Tuple(elts=elements, ctx=ast.Load()) if len(elements) > 1:
            yield from _without_one(node, elements, ", ", source, "(", ",)")
        case ast.Dict(keys=keys, values=values) if len(keys) > 1:
            for number, (key, value) in enumerate(zip(keys, values, strict=True)):
                start = (
                    source.start(key) if key else source.text.rfind("**", 0, source.start(value))
                )
                following = [k or v for k, v in zip(keys, values, strict=True)][number + 1 :]
                after = source.start(following[0]) if following else source.end(node) - 1
                if following and keys[number + 1] is None:
                    after = source.text.rfind("**", 0, after)
                yield "drop an element", Edit(start, after, "")
        case _:
            pass


def _without_one(
    node: ast.AST, parts: Sequence[ast.AST], between: str, source: Source, *around: str
) -> Found:
    """The parts keep their order. With many of them each is left out by cutting its text."""
    begin, end = around or ("", "")
    for gone in parts:
        rest = between.join(source.of(part) for part in parts if part is not gone)
        yield "drop an element", source.put(node, f"{begin}{rest}{end}")


_OPERATORS: tuple[Callable[[ast.AST, Source], Found], ...] = (
    _comparison, _boolean, _constant, _arithmetic, _statement, _function, _branch, _call,
    _collection,
)  # fmt: skip
