"""Files that the console gives out: no cache keeps one, and long ones are whole."""

import pytest

from coinslot.kit.ids import uuid7
from tests.console.conftest import signed_in
from tests.console.test_exports import column, rows_of, taken
from tests.console.test_money import sold
from tests.console.test_receipts_pages import refused
from tests.people.conftest import Staffed

MANY = 2100  # more than is read at one time, twice


@pytest.mark.parametrize(
    "place",
    [
        "money/days/export",
        "money/orders/export",
        "money/orders/export?as=xlsx",
        "receipts/export",
        "coffee/export",
        "coffee/machines/export",
        "coffee/drinks/export",
    ],
)
async def test_no_cache_keeps_a_file_of_orders_or_money(staffed: Staffed, place: str) -> None:
    """The computer of an office is used by others later, and a proxy by everyone."""
    await sold(staffed)
    answer = await (await signed_in(staffed, "asha")).look(f"/console/{place}")
    assert answer.status_code == 200
    assert "attachment" in answer.headers["content-disposition"]
    assert answer.headers["cache-control"] == "no-store"


async def test_a_file_of_many_rows_has_each_of_them_once(staffed: Staffed) -> None:
    assert staffed.stage.owner is not None
    await staffed.stage.owner.execute(
        "INSERT INTO outlets SELECT (jsonb_populate_record(o, jsonb_build_object('id', 'Z' || n)"
        ")).* FROM outlets o, generate_series(1, $1::integer) n WHERE o.id = 'M01'",
        MANY,
    )
    rows = rows_of(await taken(await signed_in(staffed, "asha"), "machines"))
    codes = [code for code in column(rows, "Machine") if code.startswith("Z")]
    assert len(codes) == MANY
    assert set(codes) == {f"Z{number}" for number in range(1, MANY + 1)}


async def test_a_file_of_many_receipts_has_each_of_them_once(staffed: Staffed) -> None:
    _, receipt = await refused(staffed)
    assert staffed.stage.owner is not None
    now = staffed.stage.clock.now()
    made = [uuid7(now) for _ in range(MANY)]
    await staffed.stage.owner.execute(
        "INSERT INTO receipts SELECT (jsonb_populate_record(r, jsonb_build_object('id', n.id,"
        " 'failure', n.id, 'replaces', n.before))).* FROM receipts r,"
        " unnest($2::uuid[], $3::uuid[]) AS n (id, before) WHERE r.id = $1",
        receipt, made, [receipt, *made[:-1]],
    )  # fmt: skip
    asha = await signed_in(staffed, "asha")
    rows = rows_of(await asha.look("/console/receipts/export"))
    whys = [row[-2] for row in rows if row[-2] in {str(one) for one in made}]
    assert len(whys) == len(set(whys)) == MANY
    await staffed.stage.owner.execute("DELETE FROM receipts WHERE id = ANY ($1)", made)
