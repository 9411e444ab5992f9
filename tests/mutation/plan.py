"""Which tests are run for a mutant, and in which order."""

import ast
import functools
import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping

from tests.mutation.mutant import Mutant
from tests.mutation.reach import Reach, marks_at
from tests.mutation.sql_marks import functions_in
from tests.mutation.targets import ROOT

# What these modules say becomes SQL when a database is migrated.
_MAKES_SQL = re.compile(r"(flow|transition)\.py$")
# Over each table stand its laws; a database with a spoiled one takes long to make.
_IS_FLOW = re.compile(r"flow\.py$")
_LAWS = "tests/unit/test_flow_laws.py::test_every_law_holds"
SCHEMA = "tests/db/test_schema.py::test_the_page_of_the_schema_is_what_the_migrations_make"
MOVED = "tests/db/test_moved_rows.py::test_rows_of_an_older_installation_are_moved"
# Fields and bounds of what programs send and read stand in the written description of the API.
_IS_SHAPE = re.compile(r"\bMeta\(|\bStruct\b")
DESCRIBED = "tests/web/test_described.py::test_the_written_document_is_what_is_served"
_CHEAP_S = 0.05
# Beside each row they put one that is alike, which is what most mistakes in SQL are about; and they
# compare all that a verb writes.
_TWINS, _TWINS_OF_SQL, _TWINS_OF_PYTHON = "tests/sales/test_twins.py", 8, 3
_CLOSE_FIRST = 12  # of the files that import the module themselves
_DEEPEST = 3  # constants made of constants
_ALIKE_FILES, _ALIKE_EACH = 6, 8
_WORD = re.compile(r"[a-zA-Z_]\w{3,}")


def covering(mutant: Mutant, reach: Reach) -> set[str]:
    """Every test that reaches the place of the mistake."""
    text = (ROOT / mutant.path).read_text("utf-8")
    if mutant.path.endswith(".sql"):
        return _of_sql(mutant, text, reach)
    first = mutant.line(text)
    last = text.count("\n", 0, max(edit.end for edit in mutant.edits)) + 1
    around = _function_around(text, first)
    if around is None:
        return _of_import(mutant, text, first, reach)
    lines = range(first, last + 1)
    found = reach.of_lines(mutant.path, lines)
    if reach.at_import(mutant.path, lines):  # what was made then is used by tests that run it not
        found |= _of_importers(mutant.path, reach)
    return found or reach.of_lines(mutant.path, statement_around(text, first))


def is_loaded_late(mutant: Mutant, text: str) -> bool:
    """What runs when its module is imported, and not in a function's body."""
    if mutant.path.endswith(".sql"):
        return False
    return _function_around(text, mutant.line(text)) is None


def constant_of(mutant: Mutant, text: str) -> str:
    """The constant that the mistake is in, where nothing was made of it at import; else nothing."""
    name = _constant_around(text, mutant.line(text))
    return "" if not name or _is_built_on(name, mutant.path) else name


class Order:
    """In which order the tests of a mutant run, and how many of them."""

    def __init__(self, reach: Reach, bound_s: float) -> None:
        self._reach = reach
        self._bound_s = bound_s
        self._sizes = Counter(test.split("::")[0] for test in reach.tests)

    def __call__(
        self, mutant: Mutant, tests: Iterable[str], killers: Mapping[str, int]
    ) -> list[str]:
        """Those that have killed alike before, those that say the name of the place, then the cheap
        ones, those of files that use its rarest words, those with twins of every row, then
        of every file in turn the cheapest; tests that import the module go first, and one variant
        of a test before others. All of them together took so many seconds at most."""
        near = _importers(mutant.path, frozenset(t.split("::")[0] for t in tests))
        tests = list(tests)
        proven = sorted((t for t in tests if t in killers), key=lambda t: (-killers[t], t))
        if _IS_FLOW.search(mutant.path) and _LAWS in tests:
            proven = [_LAWS, *(test for test in proven if test != _LAWS)]
        if is_migration(mutant) and SCHEMA in tests:
            of_all = [SCHEMA, *([MOVED] if MOVED in tests else [])]
            proven = [*of_all, *(test for test in proven if test not in of_all)]
        if _is_shape(mutant) and DESCRIBED in tests:
            proven = [*(test for test in proven if test != DESCRIBED), DESCRIBED]
        rest = [t for t in tests if t not in proven]
        saying: list[str] = []
        for name in _names(mutant):
            more = (t for t in rest if t not in saying and says(t, name))
            saying += sorted(more, key=lambda t: (self._price(t), t))
        rest = [t for t in rest if t not in saying]
        cheap = [t for t in rest if self._price(t) < _CHEAP_S]
        cheap.sort(key=lambda t: (t.split("::")[0] not in near, self._price(t), t))
        dear = self._in_turns([t for t in rest if self._price(t) >= _CHEAP_S], near)
        alike = self._alike(mutant, dear)
        dear = [t for t in dear if t not in alike]
        twins = [t for t in dear if t.startswith(_TWINS)]
        twins = twins[: _TWINS_OF_SQL if _is_sql(mutant) else _TWINS_OF_PYTHON]
        close = [t for t in dear if t.split("::")[0] in near and t not in twins][:_CLOSE_FIRST]
        dear = [t for t in dear if t not in (*twins, *close)]
        chosen: list[str] = []
        spent = 0.0
        for test in [*proven, *saying, *cheap, *alike, *twins, *close, *dear]:
            spent += self._price(test)
            if spent > self._bound_s and chosen:
                break
            chosen.append(test)
        return chosen

    def _alike(self, mutant: Mutant, tests: Iterable[str]) -> list[str]:
        """Of the files that share the rarest words with the place, the cheapest in turns."""
        by_file = self._by_file(tests)
        files = frozenset(test.split("::")[0] for test in self._reach.tests)
        weights = _weights(_words_around(mutant), files)
        worth = {}
        for file in by_file:
            known = _words(_text(file))  # the more it has, the less each of them says
            worth[file] = sum(weights[w] for w in weights.keys() & known) / math.sqrt(len(known))
        best = sorted(by_file, key=lambda f: (-worth[f], f))[:_ALIKE_FILES]
        turns = [by_file[file][n : n + 1] for n in range(_ALIKE_EACH) for file in best]
        return [test for turn in turns for test in turn]

    def _in_turns(self, tests: list[str], near: frozenset[str]) -> list[str]:
        """Files most of whose tests come by the place have more turns than others."""
        by_file = self._by_file(tests)
        turns = []
        for file, named in by_file.items():
            share = (len(named) / self._sizes[file]) ** 2 * (2 if file in near else 1)
            seen: Counter[str] = Counter()
            rounds = []
            for place, test in enumerate(named):
                rounds.append((seen[test.split("[")[0]], place, test))
                seen[test.split("[")[0]] += 1
            turns += [((n + 1) / share, test) for n, (_, _, test) in enumerate(sorted(rounds))]
        return [test for _, test in sorted(turns)]

    def _by_file(self, tests: Iterable[str]) -> dict[str, list[str]]:
        """The cheapest of each file first."""
        found: dict[str, list[str]] = defaultdict(list)
        for test in sorted(tests, key=lambda t: (self._price(t), t)):
            found[test.split("::")[0]].append(test)
        return found

    def _price(self, test: str) -> float:
        return self._reach.tests[test].seconds


def _words_around(mutant: Mutant) -> frozenset[str]:
    """Of the function, statement or constant that the mistake is in."""
    text = _text(mutant.path)
    first = mutant.edits[0].start
    if mutant.path.endswith(".sql"):
        spans = ((begin, end) for _, begin, end in functions_in(text) if begin <= first < end)
        begin, end = next(spans, (text.rfind("\n", 0, first) + 1, text.find("\n", first)))
        return _words(text[begin:end])
    lines = _lines_around(text, mutant.line(text))
    return _words("\n".join(text.splitlines()[lines.start - 1 : lines.stop - 1]))


@functools.lru_cache(maxsize=4096)
def _weights(words: frozenset[str], files: frozenset[str]) -> Mapping[str, float]:
    """How much it says that a file of tests has a word: little of one that most have."""
    known = {file: _words(_text(file)) for file in files}
    having = Counter(word for found in known.values() for word in found & words)
    return {word: math.log(len(files) / number) for word, number in having.items()}


@functools.cache
def _words(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(text))


def _is_sql(mutant: Mutant) -> bool:
    return mutant.path.endswith(".sql") or mutant.operator.startswith("sql ")


def is_migration(mutant: Mutant) -> bool:
    """Whether it is in a file of db/migrations."""
    return "/migrations/" in mutant.path


def _is_shape(mutant: Mutant) -> bool:
    """Whether it may change what a body of the API has."""
    text = _text(mutant.path)
    return is_loaded_late(mutant, text) and bool(_IS_SHAPE.search(text))


def _names(mutant: Mutant) -> list[str]:
    """By what a test may speak of the place: the field of a class first, then what is around it."""
    field = _field_at(_text(mutant.path), mutant)
    return [*([field] if field else []), mutant.where.split(".")[-1]]


def _field_at(text: str, mutant: Mutant) -> str:
    """The field that a line in the body of a class sets; else nothing."""
    found = re.match(r"\s+(\w+)\s*[:=]", text.splitlines()[mutant.line(text) - 1])
    in_class = mutant.path.endswith(".py") and mutant.where[:1].isupper()
    return found[1] if found and in_class and is_loaded_late(mutant, text) else ""


def says(test: str, name: str) -> bool:
    """Whether the test itself, or a list of its module that it goes through, names a constant or an
    SQL function."""
    file, _, case = test.partition("::")
    return bool(name) and case.split("::")[-1].split("[")[0] in _sayers(file, name)


@functools.cache
def _sayers(file: str, name: str) -> frozenset[str]:
    text = _text(file)
    if not re.search(rf"\b{re.escape(name)}\b", text):
        return frozenset()
    words = {name}
    functions: list[tuple[str, str]] = []
    for node in _tree(text).body:
        said = ast.get_source_segment(text, node) or ""
        if isinstance(node, ast.Assign | ast.AnnAssign):
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            if isinstance(target, ast.Name) and re.search(rf"\b{re.escape(name)}\b", said):
                words.add(target.id)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            above = "".join(ast.get_source_segment(text, one) or "" for one in node.decorator_list)
            functions.append((node.name, above + said))
    pattern = re.compile("|".join(rf"\b{re.escape(word)}\b" for word in words))
    return frozenset(function for function, said in functions if pattern.search(said))


def _of_sql(mutant: Mutant, text: str, reach: Reach) -> set[str]:
    name, marks = marks_at(mutant.path, text, mutant.edits[0].start)
    if is_migration(mutant):
        found = reach.of_sql(name) if name else reach.of_sql(f"{mutant.where}:written")
        of_all = {SCHEMA, MOVED} & reach.tests.keys()
        return (found or reach.of_sql("merchants:written")) | of_all
    if not name:  # a right: by an empty name every call would be one of it
        return {SCHEMA} & reach.tests.keys()
    if marks:
        return reach.of_branch(mutant.path, name, marks)
    return (reach.of_sql(name) or _of_callers(name, reach)) | _of_sayers(name, reach)


def _of_sayers(name: str, reach: Reach) -> set[str]:
    """PostgreSQL puts small functions into a test's own query, too, and does not count them."""
    pattern = re.compile(rf"\b{re.escape(name)}\(")
    files = {test.split("::")[0] for test in reach.tests}
    saying = {file for file in files if pattern.search(_text(file))}
    return {test for test in reach.tests if test.split("::")[0] in saying}


def _of_callers(name: str, reach: Reach, seen: frozenset[str] = frozenset()) -> set[str]:
    """PostgreSQL puts small functions into their callers, and does not count them; nor the callers,
    where those are small themselves."""
    pattern = re.compile(rf"\b{re.escape(name)}\(")
    seen |= {name}
    found: set[str] = set()
    for path in sorted((ROOT / "src").rglob("*.sql")):
        text = path.read_text("utf-8")
        for call in pattern.finditer(text):
            caller, marks = marks_at(path.name, text, call.start())
            if caller and caller not in seen:
                counted = reach.of_sql(*(marks or [caller]))
                found |= counted or _of_callers(caller, reach, seen)
    return found | _of_name(name, "", reach, 0)


def _of_import(mutant: Mutant, text: str, line: int, reach: Reach) -> set[str]:
    """What runs when the module is imported is noticed where its names are used."""
    found: set[str] = set()
    field = _field_at(text, mutant)  # who reads one need not import its class
    for name in _names(mutant):
        found |= _of_name(name, "" if name == field else mutant.path, reach, 0)
    if makes_sql(mutant.path):
        found |= reach.of_sql(
            "transition_order", "transition_payment", "transition_refund", "transition_fulfillment"
        )
        found |= {_LAWS} & reach.tests.keys()
    if _is_shape(mutant):
        found |= {DESCRIBED} & reach.tests.keys()
    # A type or a bound of a field is named by no function: whatever uses the module may notice.
    return (found or reach.of_file(mutant.path)) | _of_importers(mutant.path, reach)


def makes_sql(path: str) -> bool:
    """Whether a database is migrated with what the module says."""
    return bool(_MAKES_SQL.search(path))


def _of_importers(path: str, reach: Reach) -> set[str]:
    files = _importers(path, frozenset(test.split("::")[0] for test in reach.tests))
    return {test for test in reach.tests if test.split("::")[0] in files}


@functools.cache
def _importers(path: str, files: frozenset[str]) -> frozenset[str]:
    """The files of tests that import the module themselves."""
    return frozenset(file for file in files if _import_of(path).search(_text(file)))


@functools.cache
def _import_of(path: str) -> re.Pattern[str]:
    """How another module says that it has something of this one."""
    module = path.removeprefix("src/").removesuffix(".py").replace("/", ".")
    parent, _, last = module.rpartition(".")
    return re.compile(
        rf"from {re.escape(module)} import"
        rf"|from {re.escape(parent)} import (?:\([^)]*|[^(\n]*)\b{last}\b"
        # A driver is imported by the name of its folder.
        + rf"|from coinslot\.gateways import .*\b{parent.rpartition('.')[2]}\b"
        * parent.startswith("coinslot.gateways.")
    )


def _of_name(name: str, home: str, reach: Reach, depth: int) -> set[str]:
    """Tests that run a line which says this name, of a module."""
    if not name or depth > _DEEPEST:
        return set()
    found: set[str] = set()
    for path, line, _ in _lines_that_say(name, home):
        text = _text(path)
        if _function_around(text, line) is not None:
            found |= reach.of_lines(path, statement_around(text, line))
        elif (constant := _constant_around(text, line)) and (constant, path) != (name, home):
            found |= _of_name(constant, path, reach, depth + 1)
    return found


@functools.cache
def _is_built_on(name: str, home: str) -> bool:
    """Another module-level statement than its own says the name."""
    for path, line, said in _lines_that_say(name, home):
        if re.match(r"\s*(from|import|#|\))", said):
            continue
        if re.fullmatch(r"\s+\w+,", said):  # among the names of an import
            continue
        around = _constant_around(_text(path), line)
        if _function_around(_text(path), line) is None and (around, path) != (name, home):
            return True
    return False


def _lines_that_say(name: str, home: str) -> Iterator[tuple[str, int, str]]:
    """Path, number and text. In a module that has nothing of its home a name means something else;
    most modules do not have it, which is known in a moment."""
    pattern = re.compile(rf"\b{re.escape(name)}\b")
    for path in _modules():
        text = _text(path)
        if name in text and (not home or path == home or _import_of(home).search(text)):
            lines = enumerate(text.splitlines(), 1)
            yield from ((path, line, said) for line, said in lines if pattern.search(said))


@functools.cache
def _modules() -> list[str]:
    return sorted(p.relative_to(ROOT).as_posix() for p in (ROOT / "src").rglob("*.py"))


@functools.cache
def _text(path: str) -> str:
    return (ROOT / path).read_text("utf-8")


@functools.cache
def _tree(text: str) -> ast.Module:
    return ast.parse(text)


@functools.cache
def _function_around(text: str, line: int) -> str | None:
    """The innermost function whose body holds the line."""
    found = None
    for node in ast.walk(_tree(text)):
        match node:
            case ast.FunctionDef(name=name, body=body) | ast.AsyncFunctionDef(name=name, body=body):
                if body[0].lineno <= line <= (node.end_lineno or 0):
                    found = name
            case _:
                pass
    return found


def _lines_around(text: str, line: int) -> range:
    """Those of the innermost function, else of the statement."""
    found = None
    for node in ast.walk(_tree(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = range(node.lineno, (node.end_lineno or 0) + 1)
            found = lines if line in lines else found
    return found or statement_around(text, line)


@functools.cache
def statement_around(text: str, line: int) -> range:
    """The lines of the smallest statement around a line, its own blocks left out."""
    best = range(line, line + 1)
    size = 10**9
    for node in ast.walk(_tree(text)):
        if isinstance(node, ast.stmt) and node.lineno <= line <= (node.end_lineno or 0):
            end = node.end_lineno or line
            body = getattr(node, "body", None)
            if isinstance(body, list) and body and isinstance(body[0], ast.stmt):
                end = max(node.lineno, body[0].lineno - 1)
            if end - node.lineno < size and line <= end:
                best, size = range(node.lineno, end + 1), end - node.lineno
    return best


@functools.cache
def _constant_around(text: str, line: int) -> str:
    for node in _tree(text).body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.lineno <= line:
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            if line <= (node.end_lineno or 0) and isinstance(target, ast.Name):
                return target.id
    return ""
