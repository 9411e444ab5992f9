"""What is mutated and what may notice it: the one list of paths, as globs below the project."""

from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]
_ROOMS = "src/coinslot"

# A file belongs to the first group that names it.
GROUPS: Mapping[str, tuple[str, ...]] = {
    "webhook": (
        f"{_ROOMS}/payments/gateway_webhooks.py",
        f"{_ROOMS}/payments/webhook_batch.py",
        f"{_ROOMS}/payments/sql/gateway_webhooks.sql",
        f"{_ROOMS}/payments/sql/found.sql",
        "src/coinslot/api/gateway_webhooks.py",
        "src/coinslot/api/webhook_endpoints.py",
        "src/coinslot/events/*.py",
        "src/coinslot/events/*/*.py",
        f"{_ROOMS}/notices/[!m]*.py",  # they read signed reports; the mock is for tests
    ),
    "identity": (
        "src/coinslot/kit/secrets.py",
        "src/coinslot/kit/codes.py",
        "src/coinslot/kit/ids.py",
        "src/coinslot/merchants/*.py",
        "src/coinslot/outlets/*.py",
        "src/coinslot/api/api_calls.py",
        f"{_ROOMS}/people/*.py",
        f"{_ROOMS}/people/sql/*.sql",
        f"{_ROOMS}/fleet/enrolment.py",
        "src/coinslot/api/sign_in.py",
        "src/coinslot/api/members.py",
        "src/coinslot/api/device_keys.py",
        "src/coinslot/pages/access.py",
        "src/coinslot/pages/cookies.py",
        "src/coinslot/pages/peer.py",
        "src/coinslot/pages/security.py",
        "src/coinslot/db/migrations/0001_merchants.sql",
        "src/coinslot/db/migrations/0005_guard.sql",
    ),
    "state": (
        "src/coinslot/kit/flow.py",
        "src/coinslot/db/due.py",
        f"{_ROOMS}/states/*_flow.py",
        f"{_ROOMS}/states/transition.py",
        f"{_ROOMS}/vending/*.py",
        f"{_ROOMS}/orders/expiry.py",
        f"{_ROOMS}/worker/sweep.py",
        f"{_ROOMS}/gateways/breaker.py",
        f"{_ROOMS}/vending/sql/*.sql",
        "src/coinslot/db/migrations/*.sql",
    ),
    "money": (
        "src/coinslot/kit/money.py",
        f"{_ROOMS}/*/sql/*.sql",
        f"{_ROOMS}/payments/*.py",
        f"{_ROOMS}/orders/*.py",
        f"{_ROOMS}/fleet/*.py",  # whose account is paid, and at which price
        f"{_ROOMS}/catalog/*.py",
        f"{_ROOMS}/oversight/cases.py",
        f"{_ROOMS}/oversight/nightly.py",
        f"{_ROOMS}/oversight/reconcile.py",
        "src/coinslot/gateways/[!f]*.py",  # the mock and flaky are for tests
        "src/coinslot/gateways/[!m]*/*.py",
    ),
    "counter": (
        f"{_ROOMS}/counter/[!t]*.py",  # texts.py is words
        f"{_ROOMS}/counter/tickets.py",
        f"{_ROOMS}/api/stores.py",
        f"{_ROOMS}/api/staff_orders.py",
        f"{_ROOMS}/api/printers.py",
        f"{_ROOMS}/oversight/*profit.py",
        f"{_ROOMS}/oversight/analytics.py",
        f"{_ROOMS}/oversight/privacy.py",
    ),
    "coffee": (f"{_ROOMS}/coffee/*.py",),
    "fleet": (f"{_ROOMS}/stock/*.py", f"{_ROOMS}/telemetry/*.py", f"{_ROOMS}/rollouts/*.py"),
}
# By room, what no mistake is put into but where a group above names a file of it, and who looks at
# it instead. A file of another room that no group names, because it was moved, fails a test.
LEFT_OUT: Mapping[str, str] = {
    "app": "puts rooms together: what is not there fails the scenarios at once",
    "commands": "what people type and read: tests/commands and the scenarios",
    "console": "pages, which decide nothing: their tests and Chromium",
    "pages": "pages but for access, cookies and addresses, which are in identity",
    "api": "reads a body and calls one verb: judged against its own description",
    "channels": "wires: contract suites over real brokers, each in seconds",
    "device": "wires, as channels",
    "db": "pools and servers that are stopped and killed, each in seconds",
    "storage": "files and buckets: contract suites over real ones",
    "pictures": "pixels, which scanners and eyes read",
    "conformance": "a tool for makers: wrong machines turn its checks red one by one",
    "context": "not yet",
    "kit": "but for money, flows, ids, codes and secrets: not yet",
    "oversight": "the audit's checks are turned red one by one; the rest not yet",
    "worker": "but for the sweeper: not yet",
    "states": "laws over the tables, which spoil every row of them",
    "gateways": "the mock and the flaky one are for tests",
    "notices": "the mock is for tests",
    "counter": "texts are words",
    "settings.py": "tests go through each setting",
    "__main__.py": "starts the commands",
}

# Folders and files of tests that run inside one process, each test in moments. Those that start
# processes of their own (scenarios, storms, browsers) notice more than these: they are not counted.
TESTS = (
    "tests/unit", "tests/gateways", "tests/sales", "tests/api", "tests/web", "tests/feeds",
    "tests/db", "tests/channels", "tests/mirror", "tests/people", "tests/fleet", "tests/notices",
    "tests/console", "tests/counter", "tests/coffee", "tests/stock", "tests/rollouts",
)  # fmt: skip
# Tests that compare texts, or build wheels: red by any change, whatever it does.
NOT_COUNTED = (
    "tests/unit/test_bench.py", "tests/unit/test_docs.py", "tests/unit/test_leaving.py",
    "tests/unit/test_wheel.py", "tests/db/test_embedded.py", "tests/db/test_broker.py",
    "tests/api/test_schema.py", "tests/sales/test_at_stripe.py",
    "tests/people/test_passkeys_in_chromium.py",
)  # fmt: skip

# The small sample of every test run is drawn from these files. All their mutants are killed by the
# tests named here, or stand in survivors.toml: one that survives is news.
SMALL = (
    "src/coinslot/kit/money.py",
    "src/coinslot/kit/flow.py",
    "src/coinslot/gateways/marks.py",
    f"{_ROOMS}/vending/evidence.py",
)
SMALL_TESTS = (
    "tests/unit/test_money.py",
    "tests/unit/test_flow.py",
    "tests/unit/test_judge.py",
    "tests/gateways/test_marks.py",
)


def files(groups: Mapping[str, tuple[str, ...]] = GROUPS) -> dict[str, str]:
    """Every file to mutate, by its path below the project, and its group."""
    found: dict[str, str] = {}
    for group, globs in groups.items():
        for path in _matching(globs):
            found.setdefault(path, group)
    return found


def _matching(globs: tuple[str, ...]) -> Iterator[str]:
    for glob in globs:
        paths = sorted(p.relative_to(ROOT).as_posix() for p in ROOT.glob(glob))
        if not paths:
            raise FileNotFoundError(f"{glob} names no file: let the list in {__file__} follow")
        yield from (path for path in paths if not path.endswith("__init__.py"))
