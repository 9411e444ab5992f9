"""Many machines changed by a table: what the preview shows is what is done, whole or not at all."""

import asyncio
import re
from html import unescape

import httpx
import pytest

from coinslot.fleet import bulk, config
from coinslot.fleet.bulk import BulkError, MachineChange
from coinslot.fleet.config import ConfigChange, Editor, SlotChange
from coinslot.kit.money import Money
from coinslot.orders.outlet_windows import set_windows
from tests.console.conftest import OURS, Browser, form, signed_in
from tests.people.conftest import Staffed

SLOTS = "/console/slots"


async def _second(staffed: Staffed) -> None:
    """M02 as M01."""
    stage = staffed.stage
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        await conn.execute(
            "INSERT INTO outlets (id, merchant_id, name, place, kind, channel, dialect, currency,"
            " account_id, contact, created_at) SELECT 'M02', merchant_id, 'Second', place, kind,"
            " channel, dialect, currency, account_id, contact, created_at FROM outlets"
            " WHERE id = 'M01'"
        )
        await conn.execute(
            "INSERT INTO slots (merchant_id, outlet_id, slot, product_id, price_minor, stock)"
            " SELECT merchant_id, 'M02', slot, product_id, price_minor, 0 FROM slots"
            " WHERE outlet_id = 'M01'"
        )


async def state(staffed: Staffed) -> list[tuple[str, int, int, int | None]]:
    return [
        (one.machine, one.price.minor, one.par, one.capacity)
        for one in await bulk.table(staffed.stage.context, staffed.stage.merchant)
    ]


async def looked(browser: Browser, table: str) -> httpx.Response:
    page = await browser.look(SLOTS)
    return await browser.client.post(
        SLOTS, data={**form(page, SLOTS), "do": "look"}, headers=OURS,
        files={"file": ("slots.csv", table.encode())},
    )  # fmt: skip


async def applied(browser: Browser, preview: httpx.Response, **more: str) -> httpx.Response:
    """The form of the preview, as a browser sends it."""
    fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">',
                             preview.text.split('class="stack"')[1]))  # fmt: skip
    return await browser.send(SLOTS, {n: unescape(v) for n, v in fields.items()} | more)


TABLE = "machine,slot,price,par,capacity\nM01,A1,55,12,16\nM02,A1,60,9,10\n"


async def test_what_the_preview_shows_is_what_is_done(staffed: Staffed) -> None:
    await _second(staffed)
    boris = await signed_in(staffed, "boris")
    before = await state(staffed)
    preview = await looked(boris, TABLE)
    assert preview.status_code == 200
    assert "Machines that change: 2" in preview.text
    assert "₹55.00" in preview.text
    assert await state(staffed) == before, "a look changes nothing"
    answer = await applied(boris, preview, codes="keep")
    assert answer.status_code == 303, answer.text
    assert await state(staffed) == [("M01", 5500, 12, 16), ("M02", 6000, 9, 10)]
    again = await looked(boris, TABLE)
    assert "Nothing would change" in again.text
    assert (await applied(boris, preview, codes="keep")).status_code == 303, (
        "sent twice, it is done once"
    )
    assert (await config.read(staffed.stage.context, staffed.stage.merchant, "M01")).version == 2


async def test_a_machine_that_changed_after_the_preview_stops_all_of_it(staffed: Staffed) -> None:
    await _second(staffed)
    boris = await signed_in(staffed, "boris")
    preview = await looked(boris, TABLE)
    stage = staffed.stage
    other = ConfigChange(slots=(SlotChange(slot="A1", price=Money(4100, "INR")),))
    await config.change(stage.context, Editor(stage.merchant, "asha"), "M02", other)
    before = await state(staffed)
    refused = await applied(boris, preview, codes="keep")
    assert refused.status_code == 422
    assert "Nothing was changed. M02" in refused.text
    assert await state(staffed) == before, "M01 came first, and is as it was"


async def test_what_cannot_be_is_said_by_line_and_by_machine(staffed: Staffed) -> None:
    boris = await signed_in(staffed, "boris")
    for table, said in (
        ("machine,slot,price\nM01,A1,dear\n", "line 2, price"),
        ("machine,slot,par\nM09,A1,3\n", "no machine M09"),
        ("machine,slot,par\nM01,A1,3\nM01,A1,4\n", "there twice"),
        ("machine,slot,par\nM01,A1,-3\n", "is no count"),
        ("machine,slot,colour\nM01,A1,red\n", "no column"),
        ("machine,slot,par\nM01,Z9,3\n", "no slot Z9"),
        ("machine,slot,par,capacity\nM01,A1,9,5\n", "only 5 fit"),
        ("machine,slot,capacity\nM01,A1,0\n", "fit into a slot"),
        ("machine,slot,price\nM01,A1,0\n", "more than nothing"),
        ("machine,slot,sku\nM01,A1,nothing\n", "no product nothing"),
    ):
        page = await looked(boris, table)
        assert page.status_code == 422, table
        assert said in unescape(page.text).lower() or said in unescape(page.text), table
        assert "do=apply" not in page.text
    async with staffed.stage.context.db.as_merchant(staffed.stage.merchant) as conn:
        assert await conn.fetchval("SELECT count(*) FROM config_versions") == 0


async def test_a_printed_code_is_asked_about_before_its_price_changes(staffed: Staffed) -> None:
    boris = await signed_in(staffed, "boris")
    preview = await looked(boris, TABLE.replace("M02,A1,60,9,10\n", ""))
    assert (await applied(boris, preview)).status_code == 422, "nobody said what becomes of it"
    assert (await applied(boris, preview, codes="keep", key="k" * 20)).status_code == 303
    assert await state(staffed) == [("M01", 5500, 12, 16)]


async def test_the_table_is_read_back_as_it_was_written_and_runs_no_formula(
    staffed: Staffed,
) -> None:
    stage = staffed.stage
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        await conn.execute("UPDATE products SET name = '=1+1', sku = '-cola'")
    vera = await signed_in(staffed, "vera")
    table = (await vera.look(f"{SLOTS}/export")).text
    assert "'=1+1" in table
    assert ",'-cola," in table
    boris = await signed_in(staffed, "boris")
    assert "Nothing would change" in (await looked(boris, table)).text
    chandra = await signed_in(staffed, "chandra")
    assert "M01" not in (await chandra.look(f"{SLOTS}/export")).text


async def test_two_tables_at_once_wait_in_turn_and_one_is_told(staffed: Staffed) -> None:
    await _second(staffed)
    stage, editor = staffed.stage, Editor(staffed.stage.merchant, "asha")

    def wanted(minor: int, *codes: str) -> list[MachineChange]:
        slot = SlotChange(slot="A1", price=Money(minor, "INR"))
        return [MachineChange(machine=code, slots=(slot,), version=1) for code in codes]

    found = await asyncio.gather(
        bulk.apply(stage.context, editor, wanted(4500, "M01", "M02"), "keep"),
        bulk.apply(stage.context, editor, wanted(4600, "M02", "M01"), "keep"),
        return_exceptions=True,
    )
    assert sorted(type(one).__name__ for one in found) == ["BulkError", "int"]
    assert len({minor for _, minor, _, _ in await state(staffed)}) == 1


async def test_a_capacity_of_a_slot_that_is_not_there_undoes_the_rest(staffed: Staffed) -> None:
    stage, editor = staffed.stage, Editor(staffed.stage.merchant, "asha")
    before = await state(staffed)
    slot = SlotChange(slot="A1", price=Money(4500, "INR"))
    wanted = [MachineChange(machine="M01", slots=(slot,), capacity={"A2": 5})]
    with pytest.raises(BulkError):
        await bulk.apply(stage.context, editor, wanted)
    assert await state(staffed) == before


TIMED = "machine,slot,dispatch_s,in_doubt_s\nM01,A1,300,\nM02,A1,,900\n"


async def own_times(staffed: Staffed) -> dict[str, dict[str, float]]:
    slots = await bulk.table(staffed.stage.context, staffed.stage.merchant)
    return {one.machine: dict(one.windows) for one in slots}


async def test_windows_of_time_are_in_the_table_and_back_by_whoever_may_change_them(
    staffed: Staffed,
) -> None:
    await _second(staffed)
    asha = await signed_in(staffed, "asha")
    preview = await looked(asha, TIMED)
    assert "Machines that change: 2" in preview.text, preview.text
    assert (await applied(asha, preview)).status_code == 303
    assert await own_times(staffed) == {"M01": {"dispatch_s": 300}, "M02": {"in_doubt_s": 900}}
    table = (await asha.look(f"{SLOTS}/export")).text
    assert table.splitlines()[0].endswith("capacity,dispatch_s,in_doubt_s")
    assert "Nothing would change" in (await looked(asha, table)).text
    usual = await looked(asha, "machine,slot,dispatch_s\nM01,A1,usual\n")
    assert (await applied(asha, usual)).status_code == 303
    assert await own_times(staffed) == {"M01": {}, "M02": {"in_doubt_s": 900}}


async def test_who_may_change_no_times_brings_them_back_as_they_are_and_not_otherwise(
    staffed: Staffed,
) -> None:
    await _second(staffed)
    await set_windows(staffed.stage.context, "M01", {"dispatch_s": 300})
    boris = await signed_in(staffed, "boris")
    same = await looked(boris, "machine,slot,par,dispatch_s\nM01,A1,12,300\n")
    assert (await applied(boris, same)).status_code == 303
    other = await looked(boris, "machine,slot,dispatch_s\nM01,A1,301\n")
    assert other.status_code == 422
    assert "whoever may change machines" in unescape(other.text)
    assert (await own_times(staffed))["M01"] == {"dispatch_s": 300}


async def test_times_that_cannot_be_and_lines_that_disagree_are_said(staffed: Staffed) -> None:
    await _second(staffed)
    asha = await signed_in(staffed, "asha")
    for cells, said in (
        ("M01,A1,soon", "is no number of seconds"), ("M01,A1,5", "from 30 to 3600 seconds"),
        ("M01,A1,300\nM01,A2,301", "another line of M01 says otherwise"),
    ):  # fmt: skip
        answer = await looked(asha, f"machine,slot,dispatch_s\n{cells}\n")
        assert answer.status_code == 422
        assert said in unescape(answer.text)


async def test_times_in_a_table_need_a_fresh_proof_and_prices_none(staffed: Staffed) -> None:
    await _second(staffed)
    asha = await signed_in(staffed, "asha")
    preview = await looked(asha, TIMED)
    prices = await looked(asha, "machine,slot,par,dispatch_s\nM01,A1,12,\n")
    staffed.later(700)  # too old for what needs a fresh proof
    assert (await applied(asha, preview)).status_code == 403
    assert await own_times(staffed) == {"M01": {}, "M02": {}}
    assert (await applied(asha, prices)).status_code == 303
