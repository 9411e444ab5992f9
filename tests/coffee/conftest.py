"""The coffee machine of each of these tests."""

from tests.coffee.stage import cafe

__all__ = ["cafe"]
