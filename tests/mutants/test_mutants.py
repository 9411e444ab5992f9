"""The mutants still fit the code, and the page of proofs tells of them all."""

import ast
import re
from pathlib import Path

import pytest

from tests.model.mutants import MUTANTS
from tests.mutants import (
    board,
    coffee,
    config,
    counter,
    firmware,
    money,
    receipts,
    rollouts,
    speed,
    stock,
    telemetry,
)
from tests.mutants.all import BESIDE, IN_CODE
from tests.mutants.edits import Edit, MovedError, Mutation, spoilt

NAMES = firmware.NAMES | coffee.NAMES | receipts.NAMES | counter.NAMES | board.NAMES | money.NAMES
NAMES |= config.NAMES | stock.NAMES | speed.NAMES | rollouts.NAMES | telemetry.NAMES
ROOT = Path(__file__).parents[2]
PROOF = ROOT / "docs" / "proof.md"
ROW = re.compile(r"^\| (\d{1,3}) \| (.+?) \| (.+?) \| (.+?) \|$", re.MULTILINE)


@pytest.mark.parametrize("mutation", [*IN_CODE, *BESIDE], ids=lambda m: f"{m.number} {m.where}")
def test_a_mutant_can_be_put_into_the_code_as_it_is_now(mutation: Mutation) -> None:
    texts = {edit.path: (ROOT / edit.path).read_text(encoding="utf-8") for edit in mutation.edits}
    for edit in mutation.edits:
        texts[edit.path] = spoilt(edit, texts[edit.path])
    for path, text in texts.items():
        if path.endswith(".py"):
            ast.parse(text)


@pytest.mark.parametrize("mutation", [*IN_CODE, *BESIDE], ids=lambda m: f"{m.number} {m.where}")
def test_the_tests_that_must_notice_a_mutant_exist(mutation: Mutation) -> None:
    for test in (*mutation.red, mutation.green):
        path, _, name = test.partition("::")
        assert f"def {name}(" in (ROOT / path).read_text(encoding="utf-8") or not name, test


def test_code_that_moved_is_told_at_once() -> None:
    edit = Edit("somewhere.py", "pass\n", "fail\n")
    for text in ("nothing\n", "pass\npass\n"):
        with pytest.raises(MovedError, match=r"somewhere\.py"):
            spoilt(edit, text)


def test_each_of_the_twelve_is_put_into_real_code() -> None:
    assert {mutation.number for mutation in IN_CODE} == {mutant.number for mutant in MUTANTS}


def test_the_page_of_proofs_names_every_mutant_and_what_turns_red() -> None:
    rows = {int(row[1]): row for row in ROW.finditer(PROOF.read_text(encoding="utf-8"))}
    for mutant in MUTANTS:
        _, name, model, code = rows[mutant.number].groups()
        assert name == mutant.name
        assert model == (mutant.expected.split(":")[0] if mutant.rules else "—")
        told = {test.rpartition("/")[2] for m in IN_CODE if m.number == mutant.number
                for test in m.red}  # fmt: skip
        assert set(re.findall(r"`([^`]+)`", code)) == told
    beside = {mutation.number: mutation for mutation in BESIDE}
    for number, mutation in beside.items():
        assert rows[number][2] == NAMES[number]
        told = {test.rpartition("/")[2] for test in mutation.red}
        assert set(re.findall(r"`([^`]+)`", rows[number][4])) == told
    assert len(rows) == len(MUTANTS) + len(beside)
