"""The mistakes that are generated: of the kinds that were asked for, each once, always the same."""

import ast

import pytest

from tests.mutation.generate import mutants, readable
from tests.mutation.known import equivalents
from tests.mutation.mutant import Edit, mutant, sample
from tests.mutation.old_rules import defines
from tests.mutation.plan import Order, makes_sql, says, statement_around
from tests.mutation.python_mutants import python_mutants
from tests.mutation.reach import Measured, Reach, marks_at
from tests.mutation.sql_marks import branches, functions_in, marked
from tests.mutation.sql_mutants import sql_mutants
from tests.mutation.targets import GROUPS, LEFT_OUT, ROOT, SMALL, SMALL_TESTS, files

PYTHON = '''"""A module."""

KINDS = frozenset({"a", "b"})
Unit = Row | dict[str, list[int]]
_FIND = "SELECT id FROM orders WHERE outlet_id = $1 AND amount >= $2 ORDER BY paid_at, id LIMIT 5"


def owed(total: int, paid: int, name: str) -> int:
    """What is left."""
    log.info("asked", name=name)
    if paid < total and not closed(name):
        note(total, paid)
        return max(total - paid, 0)
    return 1 if name else 0
'''

SQL = """
CREATE TABLE units (
    id uuid PRIMARY KEY,
    number bigint NOT NULL UNIQUE,
    amount bigint NOT NULL CHECK (amount > 0)
);
CREATE INDEX units_open ON units (number DESC) WHERE amount > 7;
CREATE UNIQUE INDEX units_once ON units (number) WHERE amount > 9;
CREATE OR REPLACE FUNCTION settle(p_id uuid, p_now timestamptz)
RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    SELECT * INTO u FROM units WHERE id = p_id AND settled_at IS NULL
        ORDER BY made_at DESC, id FOR NO KEY UPDATE OF u SKIP LOCKED;
    IF NOT FOUND OR u.amount <= 0 THEN RETURN 'known'; END IF;
    UPDATE units SET settled_at = p_now, due_at = least(u.due_at, p_now) WHERE id = u.id;
    PERFORM book(u, 'gateway', 'sales', 1);
    RETURN CASE WHEN u.kind IN ('a', 'b') THEN 'one' ELSE 'other' END;
END $$;
REVOKE EXECUTE ON FUNCTION settle(uuid, timestamptz) FROM PUBLIC;
"""


def made(found: list[str], *wanted: str) -> None:
    for change in wanted:
        assert any(change in one for one in found), (change, found)


def test_mistakes_in_python() -> None:
    found = [m.id.partition(": ")[2] for m in python_mutants("x.py", PYTHON)]
    made(
        found,
        "comparison: < -> <=",
        "boolean: and -> or",
        "drop not: not closed(name) -> closed(name)",
        "drop a condition: paid < total and not closed(name) -> ((paid < total))",
        "condition: paid < total and not closed(name) -> True",
        "constant: 0 -> 1",
        "constant: 0 -> -1",
        "arithmetic: - -> +",
        "drop a statement: note(total, paid) -> pass",
        "swap arguments: total, paid -> paid, total",
        "drop a call: max(total - paid, 0) -> total - paid",
        "swap a call: max -> min",
        'drop an element: {"a", "b"} -> {"b"}',
        "swap branches: 1 if name else 0 -> (0 if name else 1)",
        "sql drop a condition: outlet_id = $1 -> (outlet_id = $1 OR true)",
        "sql comparison: >= -> >",
        "sql drop from an order: paid_at, id -> id",
        "sql constant: 5 -> 6",
    )
    assert not [one for one in found if "asked" in one], "what is only logged is left alone"
    assert not [one for one in found if "Row" in one or "list" in one], "types are left alone"


def test_mistakes_in_sql() -> None:
    found = [m.id for m in sql_mutants("x.sql", SQL)]
    made(
        found,
        "x.sql settle: drop a condition: settled_at IS NULL -> (settled_at IS NULL OR true)",
        "comparison:  -> NOT",
        "drop a lock: FOR NO KEY UPDATE OF u SKIP LOCKED -> ",
        "drop skip locked: SKIP LOCKED -> ",
        "flip an order: DESC -> ASC",
        "drop from an order: made_at DESC, id -> id",
        "drop a condition: u.amount <= 0 -> (u.amount <= 0 AND false)",
        "drop not: NOT -> ",
        "drop a bound: least(u.due_at, p_now) -> (CASE WHEN true THEN u.due_at ELSE p_now END)",
        "swap a bound: least -> greatest",
        "swap arguments: 'gateway', 'sales' -> 'sales', 'gateway'",
        "drop a statement: PERFORM book(u, 'gateway', 'sales', 1) -> NULL",
        "drop an assignment: settled_at = p_now",
        "drop an element: 'a', 'b' -> 'b'",
        "x.sql units: drop a constraint: UNIQUE -> ",
        "drop a condition: (amount > 0) -> ((amount > 0) OR true)",
        "drop a condition: amount > 9 -> (amount > 9 OR true)",
    )
    assert not [change for change in found if "amount > 7" in change or "DESC -> ASC" in change][1:]
    assert not [change for change in found if "PUBLIC" in change], "a right has no condition"


def test_a_mutant_changes_its_place_and_nothing_else() -> None:
    for each in python_mutants("x.py", PYTHON):
        changed = each.put_into(PYTHON)
        assert changed != PYTHON, each.id
        ast.parse(changed)
        assert len(each.diff(PYTHON).splitlines()) > 2


def test_every_mutant_has_a_name_of_its_own() -> None:
    for made_of in (python_mutants("x.py", PYTHON), sql_mutants("x.sql", SQL)):
        names = [m.id for m in made_of]
        assert len(names) == len(set(names))


def test_a_seed_draws_the_same_whatever_is_added_elsewhere() -> None:
    before = python_mutants("x.py", PYTHON)
    after = python_mutants("x.py", PYTHON + "\n\ndef more(one: int) -> int:\n    return one + 1\n")
    drawn = {m.id for m in sample(before, 7, 10)}
    assert drawn == {m.id for m in sample(reversed(before), 7, 10)}
    assert drawn != {m.id for m in sample(before, 8, 10)}
    assert {m.id for m in sample(after, 7, 13)} >= drawn - {"x.py more"}


def test_branches_of_sql_functions_are_counted_and_expressions_left_alone() -> None:
    ((name, start, end),) = functions_in(SQL)
    assert (name, SQL[start:end].count("$$")) == ("settle", 2)
    assert len(branches("x", SQL)) == 2  # the body, and what follows the IF
    counted = marked("x", SQL)
    assert counted.count("IF reached_x_") == 2
    assert "WHEN u.kind IN ('a', 'b') THEN 'one'" in counted


def test_code_behind_an_if_is_of_the_branch_around_it() -> None:
    body, returns = (f"reached_x_{number}" for number in range(2))
    for text, mark in (("SELECT * INTO", body), ("RETURN 'known'", returns),
                       ("UPDATE units", body), ("RETURN CASE", body)):  # fmt: skip
        assert marks_at("x.sql", SQL, SQL.index(text)) == ("settle", [mark]), text
    assert marks_at("x.sql", SQL, SQL.index("LANGUAGE plpgsql")) == ("settle", [])


NESTED = """
CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    FOR r IN SELECT 1 LOOP
        IF a THEN PERFORM one(); ELSIF b THEN PERFORM two(); ELSE PERFORM three(); END IF;
        PERFORM four();
    END LOOP;
    BEGIN PERFORM five(); EXCEPTION WHEN others THEN PERFORM six(); END;
    CASE WHEN a THEN PERFORM seven(); ELSE NULL; END CASE;
    PERFORM eight();
END $$;
"""


def test_branches_inside_branches_end_where_they_end() -> None:
    names = ("one", "two", "three", "four", "five", "six", "seven", "eight")
    found = [marks_at("x.sql", NESTED, NESTED.index(name))[1] for name in names]
    body, loop, one, two, three, five, six = [[f"reached_x_{number}"] for number in range(7)]
    assert found == [one, two, three, loop, five, six, body, body]


@pytest.mark.parametrize("path", sorted(SMALL))
def test_the_files_of_the_small_sample_are_among_all(path: str) -> None:
    assert path in files()
    assert all(readable(m) for m in mutants([path])[:20])


def test_every_glob_of_the_one_list_names_a_file() -> None:
    assert set(files().values()) == set(GROUPS)  # raises where one does not
    assert len(SMALL_TESTS) == len(set(SMALL_TESTS))


def test_every_file_is_mutated_or_left_out_for_a_reason() -> None:
    """A room that was moved was neither for weeks, and its score was taken for ours."""
    mutated = files()
    for path in sorted((ROOT / "src/coinslot").rglob("*")):
        name = path.relative_to(ROOT)
        if path.suffix in (".py", ".sql") and path.name != "__init__.py":
            assert name.as_posix() in mutated or name.parts[2] in LEFT_OUT, (
                f"{name} is in neither list of tests/mutation/targets.py"
            )
    rooms = {path.split("/")[2] for path in mutated}
    assert rooms >= {"payments", "orders", "vending", "states", "people", "events", "stock"}


def test_what_is_named_as_changing_nothing_has_a_reason_and_stands_in_the_small_files() -> None:
    known = equivalents()
    assert all(len(why) > 20 for why in known.values())
    assert {name.split(" ")[0] for name in known} <= files().keys()
    there = {m.id for m in mutants([], {"small": SMALL})}
    gone = sorted(name for name in known if name.split(" ")[0] in SMALL and name not in there)
    assert not gone, "the code has changed: take these out of tests/mutation/survivors.toml"


def test_a_line_inside_a_long_text_belongs_to_its_whole_statement() -> None:
    text = 'A = """\nSELECT 1\nFROM a\n"""\nB = 1\n'
    assert list(statement_around(text, 3)) == [1, 2, 3, 4]
    assert list(statement_around(text, 5)) == [5]


def test_a_test_says_what_stands_in_the_list_that_it_goes_through() -> None:
    file = "tests/fleet/test_statements_of_fleet.py"
    asks = f"{file}::test_each_statement_finds_its_row_and_none_that_differs"
    other = f"{file}::test_a_template_is_replaced_under_its_name"
    assert says(asks, "LOCK_PUSH")
    assert not says(other, "LOCK_PUSH")
    assert not says(asks, "NO_SUCH_STATEMENT")


def test_a_mistake_in_any_table_of_moves_is_shown_to_its_laws() -> None:
    for path in ("src/coinslot/states/order_flow.py", "src/coinslot/vending/flow.py"):
        assert makes_sql(path), path
    assert not makes_sql("src/coinslot/vending/store.py")


def test_a_mistake_in_a_migration_is_shown_to_the_page_of_the_schema_first() -> None:
    page = "tests/db/test_schema.py::test_the_page_of_the_schema_is_what_the_migrations_make"
    measured = Reach([], {})
    for test, seconds in {"tests/db/test_pool.py::test_it_is_open": 0.01, page: 2.0}.items():
        measured.tests[test] = Measured(seconds, 0.0, frozenset())
    mistake = next(m for m in mutants(["0171_applied_config"], GROUPS) if readable(m))
    assert Order(measured, 40)(mistake, measured.tests, {})[0] == page


OLD = """
CREATE TABLE units (amount bigint CHECK (amount > 0));
UPDATE units SET amount = 7 WHERE amount > 7;
ALTER TABLE units ADD COLUMN parts bigint DEFAULT 1 CHECK (parts > 1);
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN UPDATE units SET amount = 3 WHERE amount > 3; RETURN NULL; END $$;
ALTER TABLE units ADD CHECK (amount > 4);
"""


@pytest.mark.parametrize(
    ("condition", "is_rule"),
    [("amount > 0", True), ("amount > 7", False), ("parts > 1", False), ("amount > 3", True),
     ("amount > 4", True)],
)  # fmt: skip
def test_a_rule_that_a_later_migration_replaced_is_told_from_what_moves_rows(
    condition: str, is_rule: bool
) -> None:
    place = OLD.index(condition) + condition.index(">")
    mistake = mutant("0001_old.sql", "units", "comparison", OLD, [Edit(place, place + 1, ">=")])
    assert defines(mistake, OLD) is is_rule
