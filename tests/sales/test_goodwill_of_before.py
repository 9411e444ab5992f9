"""A database of before goodwill had a column of its own is brought up: what a person had given back
for goods stood among the debts, and moves over to the cent."""

from pathlib import Path
from uuid import UUID

import pytest

from coinslot.app.schema import sql_functions
from coinslot.db.migrate import MIGRATIONS, migrate
from tests.conftest import TEST_PASSWORD, DatabaseUrls
from tests.sales.by_hand import NOW, Rows

FIRST = "0141_goodwill.sql"
# Captured, handed over, owed, surplus, of another currency, open; and the parts of refunds by what
# became of each.
Sums = tuple[int, int, int, int, int, int]
GIVEN: dict[UUID, tuple[Sums, list[tuple[int, str | None]]]] = {
    UUID(int=1): ((4000, 2500, 1500, 0, 0, 0), [(1000, "taken"), (500, "taken")]),
    UUID(int=2): ((4000, 1000, 2200, 300, 0, 500), [(700, "taken"), (1500, "went_back")]),
    UUID(int=3): ((4000, 0, 4000, 0, 0, 0), [(4000, "went_back")]),
    UUID(int=4): ((4000, 3999, 1, 0, 0, 0), [(1, "taken"), (600, "withdrawn"), (40, None)]),
    UUID(int=5): ((4000, 4000, 0, 0, 0, 0), []),
    UUID(int=6): ((4000, 0, 4000, 0, 0, 0), [(4000, "taken")]),
}
GOODWILL = {1: 1500, 2: 700, 3: 0, 4: 1, 5: 0, 6: 4000}


async def bring_up(urls: DatabaseUrls, folder: Path, *, functions: bool) -> list[str]:
    of_code = sql_functions() if functions else []
    return await migrate(urls.owner, TEST_PASSWORD, TEST_PASSWORD, of_code, folder)


@pytest.fixture
async def old(blank_urls: DatabaseUrls, tmp_path: Path) -> DatabaseUrls:
    """As the version before left it."""
    for path in MIGRATIONS.glob("*.sql"):
        if path.name < FIRST:
            (tmp_path / path.name).symlink_to(path)
    await bring_up(blank_urls, tmp_path, functions=False)
    rows = await Rows.open(blank_urls.superuser)
    for capture, (sums, parts) in GIVEN.items():
        names = ("captured", "fulfilled", "refund_due", "surplus", "foreign_amount", "open")
        held = dict(zip(names, sums, strict=True))
        intended = sum(minor for minor, outcome in parts if outcome in ("taken", "went_back"))
        await rows.put("captures", id=capture, gateway_payment_id=f"pay_{capture}",
                       refund_intended=intended, **held)  # fmt: skip
        for minor, outcome in parts:
            await rows.put("order_refund_parts", capture_id=capture, amount_minor=minor,
                           fulfillment_id=capture, outcome=outcome,
                           ended_at=None if outcome is None else NOW)  # fmt: skip
    await rows.conn.close()
    return blank_urls


async def test_what_was_given_back_for_goods_becomes_goodwill_and_every_sum_stays(
    old: DatabaseUrls,
) -> None:
    assert FIRST.removesuffix(".sql") in await bring_up(old, MIGRATIONS, functions=True)
    rows = await Rows.open(old.superuser)
    found = {row["id"]: row for row in await rows.conn.fetch("SELECT * FROM captures")}
    await rows.conn.close()
    for capture, (sums, _) in GIVEN.items():
        row, goodwill = found[capture], GOODWILL[capture.int]
        captured, fulfilled, due, surplus, foreign, left = sums
        assert (row["goodwill"], row["refund_due"]) == (goodwill, due - goodwill), capture
        assert (row["captured"], row["fulfilled"]) == (captured, fulfilled)
        assert (row["surplus"], row["foreign_amount"], row["open"]) == (surplus, foreign, left)


async def test_brought_up_twice_it_moves_nothing_again(old: DatabaseUrls) -> None:
    await bring_up(old, MIGRATIONS, functions=True)
    assert await bring_up(old, MIGRATIONS, functions=True) == []
    rows = await Rows.open(old.superuser)
    moved = await rows.conn.fetchval("SELECT sum(goodwill)::bigint FROM captures")
    await rows.conn.close()
    assert moved == sum(GOODWILL.values())
