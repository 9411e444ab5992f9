"""A task that nobody owns is destroyed while it is pending, when its process stops."""

from pathlib import Path

from coinslot import app

SRC = Path(app.__file__).parent.parent
# Each of these waits for its tasks, or ends them and waits, before it ends itself.
OWNERS = {
    "app/resources.py", "channels/practice_machine.py", "channels/socketio.py",
    "conformance/brokers.py", "conformance/tap.py", "console/live.py",
    "context/background.py", "device/broker.py", "device/guarded.py", "events/mirror/mirror.py",
    "events/webhooks/deliver.py", "oversight/audit_runs.py", "payments/webhook_batch.py",
    "vending/plain_messages.py", "worker/sweep.py",
}  # fmt: skip


def test_a_task_is_begun_by_an_owner_that_ends_it_or_by_the_background_tasks() -> None:
    """Elsewhere: `context.background.start`, or a TaskGroup."""
    found = {
        path.relative_to(SRC).as_posix()
        for path in SRC.rglob("*.py")
        if "asyncio.create_task(" in path.read_text() or "ensure_future(" in path.read_text()
    }
    assert found == OWNERS
