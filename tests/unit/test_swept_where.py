"""Which process sweeps what, where the parts of a server are processes of their own."""

from coinslot.app.kinds import KINDS
from coinslot.worker.sweep import tables_of


def test_what_is_sent_to_machines_is_swept_by_the_process_that_has_them() -> None:
    """A worker has no machine, and an offer that it sends reaches none."""
    assert tables_of({"device"}, KINDS) == {"fulfillments", "config_pushes", "machine_updates"}


def test_a_worker_sweeps_every_table_and_a_process_of_pages_none() -> None:
    everything = tables_of({"worker"}, KINDS)
    assert {"refunds", "inbox", "machine_updates"} < everything
    assert tables_of({"device"}, KINDS) < everything
    assert tables_of({"web"}, KINDS) == frozenset()
