"""Nothing is left out in silence: in CI a skip that is not declared is a failure."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
LACKING = "there is no broker here"
SOME = f"""
import pytest

def test_that_needs_what_is_not_here():
    pytest.skip({LACKING!r})

@pytest.mark.skipif(True, reason={LACKING!r})
def test_marked():
    raise AssertionError

@pytest.fixture
def broker():
    pytest.skip({LACKING!r})

def test_that_asks_for_it(broker):
    raise AssertionError

def test_that_the_contract_leaves_out():
    pytest.skip("there is no list of refunds")

@pytest.mark.xfail(reason="known")
def test_known():
    raise AssertionError
"""
WHOLE_FILE = f"import pytest\npytest.skip({LACKING!r}, allow_module_level=True)\n"


def run(folder: Path, ci: str) -> str:
    """What pytest says of a file with some of each, and of one that is skipped whole."""
    (folder / "test_some.py").write_text(SOME, encoding="ascii")
    (folder / "test_whole.py").write_text(WHOLE_FILE, encoding="ascii")
    words = ("-q", "-p", "tests.conftest", "-p", "no:cacheprovider", "-n", "0", folder)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-c", ROOT / "pyproject.toml", *words,
         "--continue-on-collection-errors"],
        cwd=ROOT, env={**os.environ, "CI": ci}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == (1 if ci else 0), done.stdout
    return done.stdout


def test_in_ci_what_a_computer_lacks_is_a_failure(tmp_path: Path) -> None:
    said = run(tmp_path, "true")
    # A mark or a fixture that skips is an error of the set-up, a skipped file one of collecting.
    assert "1 failed, 1 skipped, 1 xfailed, 3 errors" in said
    assert said.count(f"was skipped in CI: {LACKING}") >= 4
    assert "there is no list of refunds" in said  # what the contract leaves out is said as well


def test_elsewhere_what_was_skipped_is_said(tmp_path: Path) -> None:
    said = run(tmp_path, "")
    assert "5 skipped, 1 xfailed" in said
    assert LACKING in said
