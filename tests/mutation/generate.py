"""All mutants of the code as it is now."""

import ast
from collections.abc import Iterable, Mapping

from tests.mutation.mutant import Mutant
from tests.mutation.python_mutants import python_mutants
from tests.mutation.sql_mutants import sql_mutants
from tests.mutation.targets import GROUPS, ROOT, files


def mutants(
    only: Iterable[str] = (), groups: Mapping[str, tuple[str, ...]] = GROUPS
) -> list[Mutant]:
    """Of these groups, or of files whose path holds one of these words; of all when none is."""
    wanted = tuple(only)
    made: list[Mutant] = []
    for path, group in files(groups).items():
        if wanted and group not in wanted and not any(word in path for word in wanted):
            continue
        text = (ROOT / path).read_text("utf-8")
        made += sql_mutants(path, text) if path.endswith(".sql") else python_mutants(path, text)
    return made


def readable(mutant: Mutant) -> bool:
    """False where a mistake leaves no Python: the next one is drawn instead."""
    if not mutant.path.endswith(".py"):
        return True
    try:
        ast.parse(mutant.put_into((ROOT / mutant.path).read_text("utf-8")))
    except SyntaxError:
        return False
    return True
