"""Every slot of many machines as a table over HTTP: what the preview says is what is done, once and
whole, or nothing is."""

import asyncio
from typing import Any

from coinslot.fleet import bulk, config
from coinslot.fleet.config import ConfigChange, SlotChange
from coinslot.kit.money import Money
from coinslot.orders.outlet_windows import set_windows
from tests.api.test_machines import Client, key_of, refused
from tests.api.test_machines import api as api
from tests.fleet.test_config import changed
from tests.sales.neighbours import a_second_machine, chandras_machine
from tests.sales.stage import Stage

TABLE = "machine,slot,price,par,capacity\nM01,A1,55,12,16\nM02,A1,60,9,10\n"


async def two(stage: Stage) -> None:
    """M02 sells as M01 does."""
    await a_second_machine(stage)
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        await conn.execute(
            "INSERT INTO slots (merchant_id, outlet_id, slot, product_id, price_minor, stock)"
            " SELECT merchant_id, 'M02', slot, product_id, price_minor, 0 FROM slots"
            " WHERE outlet_id = 'M01' ON CONFLICT DO NOTHING"
        )


async def state(stage: Stage) -> list[tuple[str, int, int, int | None]]:
    found = await bulk.table(stage.context, stage.merchant)
    return [(one.machine, one.price.minor, one.par, one.capacity) for one in found]


async def apply(
    api: Client, table: str, versions: dict[str, int], key: str = "k", codes: str = "keep"
) -> Any:
    return await api.post(
        f"/slots/apply?codes={codes}", json={"table": table, "versions": versions},
        headers={"idempotency-key": key},
    )  # fmt: skip


async def versions_of(api: Client, table: str) -> dict[str, int]:
    answer = await api.post("/slots/preview", json={"table": table})
    assert answer.status_code == 200, answer.text
    return {one["machine"]: one["version"] for one in answer.json()["machines"]}


async def test_what_the_preview_says_is_done_once_however_often_it_is_sent(
    stage: Stage, api: Client
) -> None:
    await two(stage)
    before = await state(stage)
    plan = (await api.post("/slots/preview", json={"table": TABLE})).json()["machines"]
    assert [(one["machine"], one["problem"]) for one in plan] == [("M01", ""), ("M02", "")]
    assert plan[0]["changes"][0] == {
        "slot": "A1", "what": "price", "before": {"amount": 4000, "currency": "INR"},
        "after": {"amount": 5500, "currency": "INR"},
    }  # fmt: skip
    assert [one["what"] for one in plan[1]["changes"]] == ["price", "par", "capacity"]
    assert await state(stage) == before, "a look changes nothing"
    versions = {one["machine"]: one["version"] for one in plan}
    answers = await asyncio.gather(*(apply(api, TABLE, versions) for _ in range(3)))
    answers.append(await apply(api, TABLE, versions))
    done = [one for one in answers if one.status_code == 200]
    assert answers[-1] in done
    assert {one.text for one in done} == {answers[-1].text}
    assert answers[-1].json()["changed"] == 2
    assert {one.status_code for one in answers} <= {200, 409}, "409: the first one still runs"
    assert await state(stage) == [("M01", 5500, 12, 16), ("M02", 6000, 9, 10)]
    assert await versions_of(api, TABLE) == {"M01": 2, "M02": 2}
    other = await apply(api, TABLE.replace("60", "61"), {"M01": 2, "M02": 2})
    assert refused(other) == (422, "idempotency_key_reused")


async def test_a_call_that_was_answered_is_answered_alike_when_its_machine_is_gone(
    stage: Stage, api: Client
) -> None:
    table = "machine,slot,par\nM01,A1,12\n"
    first = await apply(api, table, {"M01": 1})
    assert first.json() == {"changed": 1, "replaced": False}
    assert (await api.delete("/machines/M01/decommission")).status_code == 204
    assert (await apply(api, table, {"M01": 1})).json() == first.json()
    assert refused(await apply(api, table, {"M01": 1}, "k2")) == (422, "invalid_slots")


async def test_a_machine_that_changed_after_the_look_stops_all_of_it(
    stage: Stage, api: Client
) -> None:
    await two(stage)
    versions = await versions_of(api, TABLE)
    slot = SlotChange(slot="A1", price=Money(4100, "INR"))
    await changed(stage, ConfigChange(slots=(slot,)), "M02")
    before = await state(stage)
    stale = await apply(api, TABLE, versions)
    assert refused(stale) == (412, "stale_config")
    assert list(stale.json()["error"]["details"]) == ["M02"]
    assert await state(stage) == before, "M01 came first, and is as it was"
    again = await apply(api, TABLE, await versions_of(api, TABLE))
    assert again.json()["changed"] == 2, "a refusal uses up no key"


async def test_a_printed_code_is_asked_about_before_its_price_changes(
    stage: Stage, api: Client
) -> None:
    table = "machine,slot,price\nM01,A1,55\n"
    (plan,) = (await api.post("/slots/preview", json={"table": table})).json()["machines"]
    assert "printed code of slot A1" in plan["printed_codes"][0]
    asked = await apply(api, table, {"M01": 1}, codes="ask")
    assert refused(asked) == (409, "printed_codes")
    done = await apply(api, table, {"M01": 1}, codes="replace")
    assert done.json() == {"changed": 1, "replaced": True}


async def test_what_cannot_be_is_said_by_line_or_by_machine(stage: Stage, api: Client) -> None:
    seen = {"M01": 1, "M09": 1}
    for table, where in (
        ("machine,slot,price\nM01,A1,dear\n", "line 2, price"),
        ("machine,slot,par\nM09,A1,3\n", "line 2, machine"),
        ("machine,slot,par\nM01,Z9,3\n", "M01"),
        ("machine,slot,par,capacity\nM01,A1,9,5\n", "M01"),
        ("machine,slot,sku\nM01,A1,nothing\n", "M01"),
    ):
        answer = await apply(api, table, seen, table[:20])
        assert refused(answer) == (422, "invalid_slots"), table
        assert list(answer.json()["error"]["details"]) == [where]
    unseen = await apply(api, "machine,slot,par\nM01,A1,3\n", {})
    assert refused(unseen) == (422, "invalid_slots")
    for body in (
        {"table": 1, "versions": {}},
        {"table": ""},
        {"table": "", "versions": {"M01": "1"}},
    ):
        answer = await api.post("/slots/apply", json=body, headers={"idempotency-key": "x"})
        assert refused(answer) == (400, "bad_request")
    assert await stage.value("SELECT count(*) FROM config_versions") == 0


async def test_the_table_is_read_back_as_it_was_written_and_is_a_merchants_own(
    stage: Stage, api: Client
) -> None:
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        await conn.execute("UPDATE products SET name = '=1+1', sku = '-cola'")
    found = (await api.get("/slots")).json()
    assert ",'-cola,'=1+1," in found["table"]
    plan = (await api.post("/slots/preview", json={"table": found["table"]})).json()
    assert [one["changes"] for one in plan["machines"]] == [[]]
    assert (await apply(api, **found)).json() == {"changed": 0, "replaced": False}
    hers = await key_of(stage, (await chandras_machine(stage)).merchant_id)
    answer = await api.get("/slots", headers={"authorization": f"Bearer {hers}"})
    assert "M01" not in answer.text
    theirs = await api.post(
        "/slots/preview", json={"table": found["table"]},
        headers={"authorization": f"Bearer {hers}"},
    )  # fmt: skip
    assert refused(theirs) == (422, "invalid_slots")


async def test_every_slot_of_a_large_fleet_fits_into_a_call(stage: Stage, api: Client) -> None:
    table = "machine,slot,par\nM01,A1,9\n" + "\n" * 900_000
    assert (await apply(api, table, {"M01": 1})).json()["changed"] == 1
    longer = await apply(api, table + "\n" * 900_000, {"M01": 1}, "k2")
    assert refused(longer) == (413, "too_large")
    now = await config.read(stage.context, stage.merchant, "M01")
    assert now.slots[0].par == 9


async def test_windows_of_time_are_read_and_stay_as_they_are(stage: Stage, api: Client) -> None:
    await set_windows(stage.context, "M01", {"dispatch_s": 300})
    told = (await api.get("/slots")).json()
    assert told["table"].splitlines()[1].endswith(",300,")
    done = await apply(api, told["table"], told["versions"])
    assert (done.status_code, done.json()["changed"]) == (200, 0)
    other = "machine,slot,dispatch_s\nM01,A1,301\n"
    assert refused(await apply(api, other, told["versions"], "l")) == (422, "invalid_slots")
