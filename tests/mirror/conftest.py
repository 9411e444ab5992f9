"""The stage of the heart's tests, and an emulated database of each test's own."""

from tests.mirror.rig import client, outside, rig
from tests.sales.conftest import stage

__all__ = ["client", "outside", "rig", "stage"]
