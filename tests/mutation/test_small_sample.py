"""A small sample of mistakes in the files that have no survivors: each must be noticed."""

import subprocess
import sys

from tests.mutation.targets import ROOT

HOW_TO_MEND = """
A mistake was put into the code (its diff is above), and no test noticed: the code has changed, and
nothing holds the new part. Write the test that fails with the mistake. Where it changes nothing
that anyone can see, name it with its reason in tests/mutation/survivors.toml. All of them:
make mutation ARGS="--small --sample 1000"
"""


def test_no_mistake_of_the_small_sample_goes_unnoticed() -> None:
    words = ("--small", "--seed", "1", "--sample", "12", "--least", "100")
    done = subprocess.run(
        [sys.executable, "-m", "tests.mutation", *words],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}\n{HOW_TO_MEND}"
    assert "12 are tried" in done.stdout
