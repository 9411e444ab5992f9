"""Every file compiles for the chip, and what an image brings fits into the memory it is given."""

import ast
import subprocess
from pathlib import Path

import pytest

from firmware.board import HEAP, interpreter
from firmware.build import (
    APP,
    INNER,
    TOGETHER,
    compiled,
    factory,
    sources,
    with_constants,
    with_short_names,
)

# A table of 620 names; the next one is twice as large, and takes 7 kB of the 120.
NAMES_AT_MOST = 580  # room for what is met later: names of files, of an image's modules
LOADED = """\
import sys
sys.path.insert(0, sys.argv[1])
for name in ("boot", "hal_unix", "main", "download", "manifest", "ed25519"):
    __import__("coinslot_fw." + name)
import micropython
micropython.qstr_info()
"""


@pytest.mark.parametrize("path", sorted(APP.glob("*.py")), ids=lambda path: path.name)
def test_a_file_compiles_for_the_chip(path: Path) -> None:
    code = compiled(path.read_text(encoding="utf-8"), path.name, "esp32")
    assert code[:1] == b"M"


def test_an_image_has_the_hardware_of_its_board_alone() -> None:
    assert not [name for name in sources("esp32") if name.startswith("hal_unix")]
    assert "hal_esp32.py" not in sources("unix")


def test_private_numbers_cost_no_name_and_keep_their_value() -> None:
    source = '_A = 4\n_B = (\n    b"x"\n    b"y"\n)\n_C = _A << 2\nD = 5\n_E = len(_B)\n'
    assert with_constants(source).splitlines()[0] == "_A = const(4)"
    assert "_B = const(b'xy')" in with_constants(source)
    assert "_C = const(16)" in with_constants(source)
    assert "D = 5" in with_constants(source)


def test_names_of_one_module_are_short_and_the_same_in_each_but_texts_stay() -> None:
    modules = {
        "a.py": 'def _first():\n    return "_first"\n',
        "b.py": "class B:\n    def _other(self):\n        return self._other\n",
        "main.py": "def act(app):\n    app._perform()\n",
        "mdb.py": "def _mine(app):\n    app._perform()\n",
    }
    short = with_short_names(modules)
    assert short["a.py"] == 'def _0():\n    return "_first"\n'
    assert short["b.py"] == "class B:\n    def _0(self):\n        return self._0\n"
    assert (short["main.py"], short["mdb.py"]) == (
        "def act(app):\n    app._0()\n",
        "def _1(app):\n    app._0()\n",
    )


def _group(name: str) -> tuple[str, ...]:
    return next((group for group in TOGETHER if name in group), (name,))


@pytest.mark.parametrize("path", sorted(APP.glob("*.py")), ids=lambda path: path.name)
def test_a_class_and_the_one_it_extends_are_given_the_same_short_names(path: Path) -> None:
    """A short name of one would be another thing of the other."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    origin = {
        alias.name: node.module.rpartition(".")[2] + ".py"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("coinslot_fw.")
        for alias in node.names
        if node.module
    }
    bases = {
        origin[base.id]
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
        for base in node.bases
        if isinstance(base, ast.Name) and base.id in origin
    }
    assert bases <= set(_group(path.name))


@pytest.mark.parametrize("path", sorted(APP.glob("*.py")), ids=lambda path: path.name)
def test_an_inner_name_is_used_where_it_is_made(path: Path) -> None:
    made: set[str] = set()
    used: set[str] = set()
    for name in _group(path.name):
        for node in ast.walk(ast.parse((APP / name).read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                made.add(node.name)
            elif isinstance(node, ast.Attribute):
                (used if isinstance(node.ctx, ast.Load) else made).add(node.attr)
    assert {name for name in used - made if INNER.fullmatch(name)} == set()


def test_all_names_fit_into_the_table_before_it_doubles(tmp_path: Path) -> None:
    made = factory(tmp_path / "factory", "unix")
    script = tmp_path / "names.py"
    script.write_text(LOADED)
    command = [interpreter(), "-X", f"heapsize={HEAP}", str(script), str(made)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    names = int(said.partition("n_qstr=")[2].partition(",")[0])
    assert 300 < names <= NAMES_AT_MOST
