"""Asha's shop with her machine M01, as the tests of sales have it."""

from tests.sales.conftest import stage as stage  # the books are closed after each test
