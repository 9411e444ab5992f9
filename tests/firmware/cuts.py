"""`python -m tests.firmware.cuts`: takes the power away at every flash operation, on MicroPython,
and writes the table of what became of it into docs/firmware.md."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from firmware.board import interpreter

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "firmware.md"
HEAP = "4m"  # of the test, which holds two copies of the flash; the firmware alone has 120 kB
BEGIN, END = "<!-- cuts: python -m tests.firmware.cuts -->\n", "<!-- end of cuts -->\n"
TABLE = re.compile(f"{re.escape(BEGIN)}.*{re.escape(END)}", re.DOTALL)
LAST, TWICE = 130, 13  # units: enough to go through a bank and on in the other


def cut(script: str, *arguments: object) -> dict[str, Any]:
    """What a script of cuts found."""
    command = [interpreter(), "-X", f"heapsize={HEAP}", str(HERE / script)]
    done = subprocess.run(
        [*command, *map(str, arguments)], capture_output=True, text=True, check=False, timeout=900
    )
    assert done.returncode == 0, done.stderr + done.stdout
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def rows() -> list[str]:
    """A line for each part, as the page has it."""
    parts = [(f"{LAST} vends, jams, queries and refusals", cut("cutting.py", 1, LAST, TWICE))]
    parts.append(("updates, confirmed and gone back", cut("cutting_updates.py", 2)))
    parts.append(
        ("sales beside another controller (MDB), at every byte", cut("cutting_mdb.py", 1, 29))
    )
    return [
        f"| {name} | {found['cuts']:,} | {found['double']:,} | {found['wrong']} |"
        for name, found in parts
    ]


def table(lines: list[str]) -> str:
    head = "| what | cuts | with a second cut in the recovery | lost, doubled or untrue |\n"
    return f"{BEGIN}{head}| --- | --- | --- | --- |\n" + "".join(f"{x}\n" for x in lines) + END


def main() -> None:
    lines = rows()
    text = PAGE.read_text(encoding="utf-8")
    assert TABLE.search(text), "the page has no place for the table"
    PAGE.write_text(TABLE.sub(lambda _: table(lines), text), encoding="utf-8")
    sys.stdout.write(table(lines))


if __name__ == "__main__":
    main()
