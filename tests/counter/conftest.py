"""The counter of each of these tests."""

from tests.counter.stage import counter

__all__ = ["counter"]
