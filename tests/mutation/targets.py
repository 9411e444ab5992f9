"""What is mutated and what may notice it: the one list of paths, as globs below the project."""

from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]
_SALES = "src/coinslot/sales"
_SQL = f"{_SALES}/sql"

# A file belongs to the first group that names it.
GROUPS: Mapping[str, tuple[str, ...]] = {
    "webhook": (
        f"{_SALES}/take.py",
        f"{_SALES}/inbox.py",
        f"{_SQL}/4_inbox.sql",
        f"{_SQL}/6_found.sql",
        "src/coinslot/web/webhooks.py",
        "src/coinslot/web/hooks.py",
        "src/coinslot/feeds/[!fgm]*.py",  # the mirror shows rows, and carries no promise
    ),
    "identity": (
        "src/coinslot/kit/secrets.py",
        "src/coinslot/kit/codes.py",
        "src/coinslot/kit/ids.py",
        "src/coinslot/merchants/*.py",
        "src/coinslot/outlets/*.py",
        "src/coinslot/web/calling.py",
        "src/coinslot/web/security.py",
        "src/coinslot/db/migrations/0001_merchants.sql",
        "src/coinslot/db/migrations/0005_guard.sql",
    ),
    "state": (
        "src/coinslot/kit/flow.py",
        "src/coinslot/db/due.py",
        f"{_SALES}/*_flow.py",
        f"{_SALES}/move.py",
        f"{_SALES}/vend.py",
        f"{_SALES}/judge.py",
        f"{_SALES}/journal.py",
        f"{_SALES}/dispatch.py",
        f"{_SALES}/expire.py",
        f"{_SALES}/sweep.py",
        f"{_SALES}/breaker.py",
        f"{_SQL}/5_machines.sql",
        "src/coinslot/db/migrations/*.sql",
    ),
    "money": (
        "src/coinslot/kit/money.py",
        f"{_SQL}/*.sql",
        f"{_SALES}/api.py",
        f"{_SALES}/checkout.py",
        f"{_SALES}/collect.py",
        f"{_SALES}/give_back.py",
        f"{_SALES}/held.py",
        f"{_SALES}/look.py",
        f"{_SALES}/nights.py",
        f"{_SALES}/once.py",
        f"{_SALES}/provision.py",
        f"{_SALES}/reconcile.py",
        f"{_SALES}/show.py",
        f"{_SALES}/statements.py",
        f"{_SALES}/store*.py",
        "src/coinslot/gateways/[!fm]*.py",  # the mock and its weather are for tests
        "src/coinslot/gateways/marks.py",
    ),
}

# Folders and files of tests that run inside one process, each test in moments. Those that start
# processes of their own (scenarios, storms, browsers) notice more than these: they are not counted.
TESTS = (
    "tests/unit", "tests/gateways", "tests/sales", "tests/api", "tests/web", "tests/feeds",
    "tests/db", "tests/channels", "tests/mirror",
)  # fmt: skip
# Tests that compare texts, or build wheels: red by any change, whatever it does.
NOT_COUNTED = (
    "tests/unit/test_bench.py", "tests/unit/test_docs.py", "tests/unit/test_leaving.py",
    "tests/unit/test_wheel.py", "tests/db/test_embedded.py", "tests/db/test_broker.py",
    "tests/api/test_schema.py", "tests/sales/test_at_stripe.py",
)  # fmt: skip

# The small sample of every test run is drawn from these files. All their mutants are killed by the
# tests named here, or stand in survivors.toml: one that survives is news.
SMALL = (
    "src/coinslot/kit/money.py",
    "src/coinslot/kit/flow.py",
    "src/coinslot/gateways/marks.py",
    f"{_SALES}/judge.py",
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
