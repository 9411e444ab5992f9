"""Writes `tests/sales/effects.json`: what each verb does now, to the last column."""

import os
import sys

import pytest

if __name__ == "__main__":
    os.environ["COINSLOT_WRITES_EFFECTS"] = "yes"
    sys.exit(pytest.main(["-q", "-n", "0", "tests/sales/test_twins.py", *sys.argv[1:]]))
