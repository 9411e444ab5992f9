"""The rules of style that no linter holds. Each failure says where, and what to do instead."""

import ast
import re
import tokenize
from collections.abc import Iterator
from functools import cache
from io import StringIO
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
PYTHON_ROOTS = ("src", "sandbox", "machine-simulator", "firmware", "tests", "bench")
TEXT_KINDS = {".py", ".sql", ".html", ".css", ".js", ".svg", ".md", ".toml", ".sh"}
NARROW_KINDS = {".sql", ".css", ".js"}
NOT_OURS = {"__pycache__", "vendor", "node_modules", ".venv", ".coinslot"}

FUNCTION_LINES, COLUMNS = 50, 100

BANNED_STEMS = {"util", "helper", "common", "misc", "manager", "service"}
BANNED_PREFIXES = {
    "get": "a question is an adjective or a noun (`owing`)",
    "do": "say what it does",
    "handle": "say what it does with it",
    "process": "say what it does with it",
}

# What may stand at the top beside the package. A new folder is a decision: write it here.
FOLDERS = {
    "bench", "docs", "firmware", "machine-simulator", "sandbox", "scripts", "src", "tests",
}  # fmt: skip
MADE_FOLDERS = {"qr", "build", "dist", "__pycache__"}

# The kit is a closed list: what knows a business word belongs to a floor above.
KIT = {
    "money", "flow", "clock", "ids", "codes", "secrets", "qr", "faults", "failures", "csv_cells",
    "numbers", "tls",
}  # fmt: skip

PRODUCT = ("src/", "sandbox/", "machine-simulator/", "firmware/")
EVERYWHERE = (*PRODUCT, "tests/", "bench/")


class Ban(NamedTuple):
    """A pattern, what to use instead, where it is looked for, and the files where it may stand."""

    pattern: str
    instead: str
    under: tuple[str, ...]
    allowed: str = r"(?!)"


BANS = (
    Ban(
        r"asyncpg\.(connect|create_pool)\(",
        "db/pool.py: its connections hang up where asyncpg's own cancel a commit",
        ("src/",),
        r"^src/coinslot/db/pool\.py$",
    ),
    Ban(
        r"[*/] ?100\b(?![\d._])",
        "Money.parse and Money.decimal; `:.0%` for shares",
        PRODUCT,
    ),
    Ban(
        r"\bfloat\(\w*(amount|price|minor|paise)|(amount|price|minor|paise)\w*: float\b",
        "Money, or whole minor units",
        EVERYWHERE,
    ),
    Ban(
        r"\bdatetime\.(now|utcnow|today)\(|\bdate\.today\(",
        "the Clock that was passed in",
        EVERYWHERE,
        r"clock\.py$",
    ),
    Ban(r"\btime\.time(_ns)?\(", "the Clock that was passed in", PRODUCT, r"clock\.py$"),
    Ban(
        r"except Exception\b[^#]*$|except:",
        "the errors by name, or a comment on that line saying why all must be caught here",
        EVERYWHERE,
    ),
    Ban(
        r"\bos\.getenv\(|\bos\.environ(\.get\(|\[)",
        "a variable of settings, passed in by app",
        ("src/",),
        r"/settings(\.py|/)|/commands/|/app(\.py|/)|/db/child\.py$|/kit/tls\.py$",
    ),
    Ban(
        r"\.(isdecimal|isdigit|isnumeric)\(\)",
        "kit/numbers.py, whose numbers are bounded",
        (
            "src/coinslot/console/",
            "src/coinslot/api/",
            "src/coinslot/counter/",
            "src/coinslot/fleet/",
            "src/coinslot/gateways/",
            "src/coinslot/telemetry/",
        ),
    ),
    Ban(r"^\s*print\(", "structlog", ("src/",), r"/commands/|__main__\.py$"),
    Ban(
        r"unittest\.mock|\bmonkeypatch\.setattr|\bmocker\b",
        "a fake that is passed in",
        ("tests/",),
    ),
    Ban(r"\btime\.sleep\(", "waiting for the event itself", ("tests/",), r"/(?!test_)[^/]*$"),
)

# Pictures of an earlier time, and the term that the field has. Names in the code may have them.
PICTURES = {
    r"\bbells?\b|\bring(s|ing)?\b|\brung\b": "wake, notify",
    r"\bears\b": "handler, inbox",
    r"\bthe (house|premises|furniture)\b": "installation, server",
    r"\bthe (door|knock)\b": "the system login",
    r"\bthe (shop|heart)\b": "the context, `payments`, `vending`: the room's name",
    r"\bsips?\b": "pieces",
    r"\bwho(ever)? dies\b": "if the process dies",
}

# The one writer of a state, and the rooms' SQL that it calls.
STATE_WRITERS = ("src/coinslot/states/transition.py",)
ROOM_SQL = re.compile(r"src/coinslot/\w+/sql/")
UPDATE_SET = re.compile(
    r"\bUPDATE\s+(?:ONLY\s+)?[\w.{}]+(?:\s+(?:AS\s+)?\w+)?\s+SET\b(.*?)"
    r"(?:\bWHERE\b|\bFROM\b|\bRETURNING\b|;|\"\"\"|\Z)",
    re.DOTALL | re.IGNORECASE,
)
STATE_IS_SET = re.compile(r"(?:^|,|\()\s*state\s*(?:=|,)", re.IGNORECASE)
SQL_FUNCTION = re.compile(r"\bFUNCTION\s+([\w.]+)[^;]*?(\$\w*\$)(.*?)\2", re.DOTALL | re.IGNORECASE)


def ours(*roots: str, kinds: set[str]) -> Iterator[tuple[str, str]]:
    """Every file of ours under the roots: its path from the top, and its text."""
    for root in roots:
        for path in sorted((ROOT / root).rglob("*")):
            inside = path.relative_to(ROOT)
            if (
                path.suffix in kinds
                and not NOT_OURS & set(inside.parts)
                and ".min." not in path.name
            ):
                yield inside.as_posix(), path.read_text(encoding="utf-8")


class Defined(NamedTuple):
    """A function, a class or the module itself, which has no name."""

    name: str
    line: int
    lines: int
    is_function: bool
    docstring: str | None


@cache
def defined(text: str) -> tuple[Defined, ...]:
    """What a file defines at any depth, the module first."""
    module = ast.parse(text)
    found = [Defined("", 1, 0, False, ast.get_docstring(module))]
    waiting: list[ast.AST] = [module]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or 0) - node.lineno + 1
            is_function = not isinstance(node, ast.ClassDef)
            found.append(
                Defined(node.name, node.lineno, lines, is_function, ast.get_docstring(node))
            )
        # Nothing is defined in an expression, of which there are most.
        for part in ("body", "handlers", "orelse", "finalbody", "cases"):
            waiting += getattr(node, part, ())
    return tuple(found)


def functions(text: str) -> Iterator[Defined]:
    return (one for one in defined(text) if one.is_function)


def line_of(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1


def agree(faults: list[str]) -> None:
    assert not faults, "\n" + "\n".join(faults)


def test_no_function_is_longer_than_fifty_lines() -> None:
    agree(
        [
            f"{name}:{one.line} {one.name}: {one.lines} lines, at most {FUNCTION_LINES}"
            for name, text in ours(*PYTHON_ROOTS, kinds={".py"})
            for one in functions(text)
            if one.lines > FUNCTION_LINES
        ]
    )


def test_no_sql_function_outside_the_move_is_longer_than_fifty_lines() -> None:
    agree(
        [
            f"{name}: {found[1]}: {found[3].count(chr(10))} lines, at most {FUNCTION_LINES}"
            for name, text in ours("src", kinds={".sql"})
            if not ROOM_SQL.match(name)
            for found in SQL_FUNCTION.finditer(text)
            if found[3].count("\n") > FUNCTION_LINES
        ]
    )


def test_no_line_is_wider_than_a_hundred_columns() -> None:
    agree(
        [
            f"{name}:{number}: {len(line)} columns, at most {COLUMNS}"
            for name, text in ours(*PYTHON_ROOTS, kinds=NARROW_KINDS)
            for number, line in enumerate(text.splitlines(), 1)
            if len(line) > COLUMNS
        ]
    )


def test_a_module_says_in_one_to_four_lines_what_it_is_for() -> None:
    faults = []
    for name, text in ours(*PYTHON_ROOTS, kinds={".py"}):
        docstring = defined(text)[0].docstring
        lines = len(docstring.splitlines()) if docstring else 0
        if not 1 <= lines <= 4:
            faults.append(f"{name}: a docstring of {lines} lines, wanted 1 to 4")
    agree(faults)


def test_names_of_files_and_folders_say_what_is_inside() -> None:
    faults = []
    for name, _ in ours(*PYTHON_ROOTS, kinds=TEXT_KINDS):
        for part in Path(name).parts:
            words = re.split(r"[_\-.]", part.lower())
            if vague := {word for word in words if word.removesuffix("s") in BANNED_STEMS}:
                faults.append(f"{name}: {vague} says nothing; name the subject")
    agree(faults)


def test_names_of_functions_say_what_they_do() -> None:
    agree(
        [
            f"{name}:{one.line} {one.name}: {BANNED_PREFIXES[prefix]}"
            for name, text in ours("src", "sandbox", "machine-simulator", "bench", kinds={".py"})
            for one in functions(text)
            if "_" in one.name.strip("_")
            and (prefix := one.name.lstrip("_").split("_")[0]) in BANNED_PREFIXES
        ]
    )


def test_nothing_banned_is_written() -> None:
    here = Path(__file__).relative_to(ROOT).as_posix()
    agree(
        [
            f"{name}:{number}: `{line.strip()}`: use {ban.instead}"
            for name, text in ours(*PYTHON_ROOTS, kinds={".py"})
            if name != here
            for ban in BANS
            if name.startswith(ban.under) and not re.search(ban.allowed, name)
            if re.search(ban.pattern, text, re.MULTILINE)  # in most files in no line
            for number, line in enumerate(text.splitlines(), 1)
            if re.search(ban.pattern, line)
        ]
    )


def prose(name: str, text: str) -> Iterator[tuple[int, str]]:
    """Docstrings and comments, by line."""
    if name.endswith(".sql"):
        for number, line in enumerate(text.splitlines(), 1):
            yield number, line.partition("--")[2]
        return
    for token in tokenize.generate_tokens(StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string
    for one in defined(text):
        yield one.line, one.docstring or ""


def test_docstrings_and_comments_use_the_terms_of_the_field() -> None:
    agree(
        [
            f"{name}:{number}: `{found[0]}`: say {instead}"
            for name, text in ours("src", kinds={".py", ".sql"})
            if not re.search(r"/migrations/|/gateways/", name)  # applied as they are; their shops
            if any(re.search(picture, text, re.IGNORECASE) for picture in PICTURES)
            for number, words in prose(name, text)
            for picture, instead in PICTURES.items()
            if (found := re.search(picture, words, re.IGNORECASE))
        ]
    )


def test_only_the_move_writes_a_state() -> None:
    agree(
        [
            f"{name}:{line_of(text, found.start())}: only states/transition.py writes a state"
            for name, text in ours("src", kinds={".py", ".sql"})
            if not name.startswith(STATE_WRITERS) and not ROOM_SQL.match(name)
            for found in UPDATE_SET.finditer(text)
            if STATE_IS_SET.search(found[1])
        ]
    )


def test_the_search_for_writers_of_a_state_finds_them() -> None:
    """A guard that finds nothing proves nothing unless it is seen to find something."""
    writes = (
        "UPDATE orders SET state = 'paid' WHERE id = $1",
        "UPDATE orders AS o\n   SET version = 2,\n       state = p.next FROM p",
        "update orders set (state, version) = (1, 2)",
    )
    reads = (
        "UPDATE orders SET due_at = $1 WHERE state = 'paid'",
        "UPDATE units SET stock_state = 1",
        "SELECT 1 FROM orders WHERE state = 'paid'",
    )
    for sql, written in [(sql, True) for sql in writes] + [(sql, False) for sql in reads]:
        hits = [bool(STATE_IS_SET.search(found[1])) for found in UPDATE_SET.finditer(sql)]
        assert any(hits) is written, sql


# PostgreSQL may run such a subquery once for each row outside it, and each run then skips the rows
# that are locked by now and takes as many more. An array is read once.
LIMITED_TWICE = re.compile(
    r"\bIN\s*\(\s*SELECT(?:[^()]|\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\))*?"
    r"\bLIMIT\b[^()]*\bFOR (?:NO KEY )?UPDATE"
)


def test_what_takes_no_more_than_so_many_rows_asks_for_them_once() -> None:
    agree(
        [
            f"{name}:{line_of(text, found.start())}: `IN (SELECT ... LIMIT ... FOR UPDATE)` may"
            " take more: write `= ANY (ARRAY(SELECT ...))`"
            for name, text in ours("src", kinds={".py", ".sql"})
            if "/migrations/" not in name  # applied as they are
            for found in LIMITED_TWICE.finditer(text)
        ]
    )


def test_the_kit_is_a_closed_list() -> None:
    found = {path.stem for path in (ROOT / "src/coinslot/kit").glob("*.py")} - {"__init__"}
    assert found == KIT


def test_every_folder_beside_the_package_is_known() -> None:
    found = {path.name for path in ROOT.iterdir() if path.is_dir() and path.name[0] != "."}
    assert found - MADE_FOLDERS <= FOLDERS


def documents() -> str:
    """README and docs/ as one text; empty until there is a README."""
    if not (ROOT / "README.md").exists():
        return ""
    return "\n".join(
        [(ROOT / "README.md").read_text(encoding="utf-8")]
        + [text for _, text in ours("docs", kinds={".md"})]
    )


def test_every_command_is_in_the_documents() -> None:
    text = documents()
    command_files = (ROOT / "src/coinslot/commands").glob("*.py")
    words = {path.stem.replace("_", "-") for path in command_files if path.stem[0] != "_"}
    commands = {
        word
        for path in (ROOT / "src/coinslot/commands").glob("*.py")
        for word in re.findall(r"\.command\(\s*\"([\w-]+)\"", path.read_text(encoding="utf-8"))
    }
    agree(
        [
            f"`coinslot {word}` is in neither README.md nor docs/"
            for word in sorted(commands or words)
            if text and not re.search(rf"\b{re.escape(word)}\b", text)
        ]
    )


def test_every_setting_is_in_the_documents() -> None:
    text = documents()
    settings = [
        *(ROOT / "src/coinslot").glob("settings.py"),
        *(ROOT / "src/coinslot").glob("settings/*.py"),
    ]
    names = {
        name
        for path in settings
        for name in re.findall(r"[\"']([A-Z][A-Z0-9]*_[A-Z0-9_]+)[\"']", path.read_text("utf-8"))
    }
    agree(
        [
            f"{name} is in neither README.md nor docs/"
            for name in sorted(names)
            if text and name not in text
        ]
    )
