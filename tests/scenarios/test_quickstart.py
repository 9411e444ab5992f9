"""The quickstart is run as it is written, against a running demo, and prints what it says."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.scenarios.running import DemoProcess

PAGE = Path(__file__).parents[2] / "docs" / "quickstart.md"
BLOCK = re.compile(r"^```(sh|python|text)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
PATIENCE_S = 90


def blocks(kind: str) -> tuple[str, str]:
    """All that is written in the page's fences of this kind, and all that it says they print."""
    script, said, last = "", "", ""
    for found, text in BLOCK.findall(PAGE.read_text(encoding="utf-8")):
        last = last if found == "text" else found
        if last == kind:
            script, said = (script, said + text) if found == "text" else (script + text, said)
    assert script
    assert said
    return script, said


def run(demo: DemoProcess, command: list[str], script: str) -> str:
    script = script.replace("http://127.0.0.1:8000", demo.facts["base_url"])
    script = script.replace(".coinslot/demo.json", str(demo.data / "demo.json"))
    done = subprocess.run(
        [*command, script], capture_output=True, text=True, timeout=PATIENCE_S,
        env={**os.environ, "no_proxy": "127.0.0.1"}, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("time", ["first", "second"])
def test_the_shell_prints_what_the_page_says_however_often(demo: DemoProcess, time: str) -> None:
    script, said = blocks("sh")
    assert run(demo, ["bash", "-euo", "pipefail", "-c"], script) == said


def test_python_prints_what_the_page_says(demo: DemoProcess) -> None:
    script, said = blocks("python")
    assert run(demo, [sys.executable, "-c"], script) == said
    demo.assert_books_are_right()
