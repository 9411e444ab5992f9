"""Puts a mistake into modules that are loaded: the code of their functions is exchanged, and plain
constants are evaluated anew. Whoever imported them sees it, and nothing is loaded again."""

import ast
import gc
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FunctionType

_PLAIN = (str, bytes, int, float, tuple, frozenset, dict)


class CannotSwapError(Exception):
    """This mistake needs the module to be loaded with it."""


class Functions:
    """Every function of the package, found once, before any process is forked."""

    def __init__(self, package: Path) -> None:
        self._by_file: dict[str, list[FunctionType]] = defaultdict(list)
        for found in gc.get_objects():
            if isinstance(found, FunctionType):
                file = found.__code__.co_filename
                if file.startswith(str(package)):
                    self._by_file[file].append(found)

    def exchange(self, file: Path, text: str) -> None:
        """The code of each function becomes that of the text. Raises CannotSwapError."""
        old = compile(file.read_text("utf-8"), str(file), "exec")
        fresh = compile(text, str(file), "exec")
        pairs = dict(zip(_codes(old), _codes(fresh), strict=False))
        by_place = {_place(code): new for code, new in pairs.items()}
        for function in self._by_file[str(file)]:
            new = by_place.get(_place(function.__code__))
            if new is None:
                raise CannotSwapError(function.__qualname__)
            if len(new.co_freevars) == len(function.__code__.co_freevars):
                function.__code__ = new
            elif _same(function.__code__, new):
                continue
            else:
                raise CannotSwapError(function.__qualname__)


def constant(module_name: str, text: str, name: str) -> None:
    """A module's constant, wherever it was imported. Raises CannotSwapError."""
    module = sys.modules[module_name]
    old = getattr(module, name, None)
    if not isinstance(old, _PLAIN):
        raise CannotSwapError(name)
    statement = next(
        (s for s in ast.parse(text).body if name in _targets(s)), None
    )  # fmt: skip
    if statement is None:
        raise CannotSwapError(name)
    exec(compile(ast.Module([statement], []), module_name, "exec"), module.__dict__)
    new = getattr(module, name)
    for other in list(sys.modules.values()):
        for key, value in list(vars(other).items()) if hasattr(other, "__dict__") else []:
            if value is old and key == name:
                setattr(other, key, new)


def _targets(statement: ast.stmt) -> list[str]:
    if isinstance(statement, ast.Assign):
        return [t.id for t in statement.targets if isinstance(t, ast.Name)]
    if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
        return [statement.target.id]
    return []


def _codes(code: CodeType) -> Iterator[CodeType]:
    """All inside a module's code, in the order in which they stand there."""
    for inside in code.co_consts:
        if isinstance(inside, CodeType):
            yield inside
            yield from _codes(inside)


def _place(code: CodeType) -> tuple[str, int]:
    return code.co_qualname, code.co_firstlineno


def _same(one: CodeType, other: CodeType) -> bool:
    return one.co_code == other.co_code and one.co_consts == other.co_consts
