"""Who hears of what, and how often."""

from zoneinfo import ZoneInfo

import pytest

from coinslot.catalog.products import Product, add_product
from coinslot.events.notices.words import Reader
from coinslot.kit.ids import uuid7
from coinslot.kit.money import Money
from coinslot.outlets.machines import Outlet, Slot, add_outlet, issue_device
from tests.console.conftest import signed_in
from tests.notices.telling import Told, telling
from tests.people.conftest import Staffed
from tests.people.conftest import staffed as staffed
from tests.sales.conftest import stage as stage


@pytest.fixture
async def told(staffed: Staffed) -> Told:
    found = await telling(staffed)
    await found.heard("M01")
    return found


async def fleet(told: Told, count: int) -> list[str]:
    """So many more machines of Asha's, all heard now."""
    stage = told.staffed.stage
    codes = [f"F{number:03}" for number in range(count)]
    async with told.context.db.as_merchant(stage.merchant) as conn:
        product = Product(
            id=uuid7(stage.clock.now()), sku="tea", name="Tea", price=Money(100, "INR")
        )
        await add_product(conn, stage.merchant, product)
        for code in codes:
            outlet = Outlet(
                code=code, merchant_id=stage.merchant, name=f"Platform {code}", place="Pune",
                kind="vending", channel="mqtt", dialect="leased", currency="INR",
                account_id=stage.account.id,
            )  # fmt: skip
            slots = [Slot(slot="A1", product_id=product.id, price_minor=100, stock=1)]
            await add_outlet(conn, outlet, slots, stage.clock.now())
        await issue_device(conn, told.context.vault, stage.merchant, codes[0], stage.clock.now())
        await conn.execute(
            "INSERT INTO devices (outlet_id, merchant_id, secret, broker_hash, created_at)"
            " SELECT o, merchant_id, secret, broker_hash, created_at FROM devices,"
            " unnest($2::text[]) AS o WHERE outlet_id = $1 ON CONFLICT DO NOTHING",
            codes[0], codes,
        )  # fmt: skip
    await told.heard(*codes)
    return codes


async def test_a_machine_that_falls_silent_is_told_once_to_who_works_on_it(told: Told) -> None:
    assert await told.pass_(240) == []
    heard = await told.pass_(3600)
    assert sorted(to for to, _ in heard) == [
        "asha",
        "boris",
    ]  # a viewer chose nothing, staff may not
    assert heard[0][1] == "M01 (Platform 1) is silent since 21 Nov 12:00"


async def test_a_machine_that_flaps_is_one_notice_and_one_that_it_is_back(told: Told) -> None:
    heard = await told.pass_(480)
    for _ in range(6):
        await told.heard("M01")
        heard += await told.pass_(480)
    assert [to for to, _ in heard].count("asha") == 1
    for _ in range(20):
        await told.heard("M01")
        heard += await told.pass_(60)
    assert [said for to, said in heard if to == "asha"] == [
        "M01 (Platform 1) is silent since 21 Nov 12:00",
        "M01 (Platform 1) is back",
    ]


async def test_a_machine_that_is_back_before_anyone_was_told_is_no_news(told: Told) -> None:
    told.staffed.later(301)
    assert await told.round() == []
    await told.heard("M01")
    assert await told.pass_(30) == []
    for _ in range(30):
        await told.heard("M01")
        assert await told.pass_(60) == []


async def test_a_hundred_machines_silent_at_once_are_one_notice(told: Told) -> None:
    await fleet(told, 100)
    heard = await told.pass_(7200)
    assert sorted(to for to, _ in heard) == ["asha", "boris"]
    assert heard[0][1].startswith("101 machines are silent: ")
    assert "the network or the broker is away" in told.mock.sent[0].notice.text


async def test_machines_that_fall_silent_one_by_one_are_few_notices(told: Told) -> None:
    codes = await fleet(told, 30)
    heard = []
    for number in range(30):
        await told.heard("M01", *codes[number:])
        heard += await told.pass_(60)
    heard += await told.pass_(3600)
    counted = sum(to == "asha" for to, _ in heard)
    assert 2 <= counted <= 5, heard


async def test_what_comes_in_quiet_hours_waits_for_their_end_as_one_notice(told: Told) -> None:
    # 12:00 UTC is 17:30 in Kolkata; it is quiet from 17:00 to 7:00.
    await told.settings(
        "asha", address="asha@shop.example", zone="Asia/Kolkata", quiet_from=17 * 60, quiet_to=420
    )
    heard = await told.pass_(1800)
    assert [to for to, _ in heard] == ["boris"]
    for _ in range(20):
        await told.heard("M01")
        await told.pass_(60)
    heard = await told.pass_(13 * 3600, step=600)
    (mine,) = [said for to, said in heard if to == "asha"]
    assert mine == "What needs a look"
    text = next(b.notice.text for b in reversed(told.mock.sent) if b.notice.subject == mine)
    assert "is silent since" in text
    assert "is back" in text
    # 7:00 in Kolkata is 1:30 UTC.
    sent = next(b for b in told.mock.sent if b.notice.subject == mine).at
    assert (sent.hour, sent.minute) in {(1, m) for m in range(30, 41)}


async def test_a_digest_is_one_mail_a_day(told: Told) -> None:
    await told.choose("asha", "machine_silent", "digest")
    await told.choose("boris", "machine_silent", "off")
    heard = await told.pass_(3600)
    for _ in range(20):
        await told.heard("M01")
        heard += await told.pass_(60)
    assert heard == []
    heard = await told.pass_(86400, step=1800)
    assert next(one for one in heard if one[0] == "asha") == ("asha", "What needs a look")
    assert "boris" not in [to for to, _ in heard]


async def test_a_slot_that_fails_is_told_and_one_that_a_person_took_out_is_not(told: Told) -> None:
    async with told.context.db.as_merchant(told.staffed.merchant) as conn:
        await conn.execute("UPDATE slots SET out_of_sale_at = now(), withheld_at = now()")
    await told.heard("M01")
    assert await told.pass_(120) == []
    async with told.context.db.as_merchant(told.staffed.merchant) as conn:
        await conn.execute("UPDATE slots SET withheld_at = NULL")
    heard = await told.pass_(120)
    assert sorted(heard)[0] == ("asha", "Slot A1 (M01, Cola) is out of sale")


async def owed(told: Told) -> None:
    async with told.context.db.as_merchant(told.staffed.merchant) as conn:
        await conn.execute(
            "INSERT INTO cases (merchant_id, source, kind, subject, since, owner, amount_minor,"
            " currency, opened_at) VALUES ($1, 'books', 'refund_owed', 'x', $2, 'merchant', 4000,"
            " 'INR', $2)", told.staffed.merchant, told.context.now(),
        )  # fmt: skip


async def test_a_case_is_told_with_its_sum_to_who_may_see_money(told: Told) -> None:
    await told.choose("vera", "case_waiting", "now")
    await owed(told)
    await told.heard("M01")
    heard = await told.pass_(120)
    said = "A case is waiting for you: a refund that the gateway refuses, 40.00 INR"
    assert sorted(heard) == [("asha", said), ("boris", said), ("vera", said)]


def test_without_the_right_to_see_money_no_sum_is_written() -> None:
    case = {"kind": "refund_owed", "minor": 4000, "currency": "INR", "since": None}
    for language in ("en", "hi", "ru"):
        reader = Reader(language, ZoneInfo("UTC"), sees_money=False)
        assert "40" not in reader.began("case_waiting", [case])


async def test_chandra_hears_nothing_of_ashas(told: Told) -> None:
    await owed(told)
    await told.pass_(7200)
    assert {box.notice.to for box in told.mock.sent} == {"asha@shop.example", "boris@shop.example"}


async def test_who_lost_the_role_meanwhile_is_not_told(told: Told) -> None:
    await told.settings(
        "boris", address="boris@shop.example", zone="UTC", quiet_from=0, quiet_to=1439
    )
    await told.pass_(900)
    async with told.context.db.as_merchant(told.staffed.merchant) as conn:
        await conn.execute(
            "UPDATE memberships SET role = 'staff', outlets = '{M01}' WHERE person_id = $1",
            told.staffed.people["boris"],
        )
    heard = await told.pass_(86400, step=3600)
    assert "boris" not in [to for to, _ in heard]
    rows = await told.rows(
        "SELECT DISTINCT outcome FROM notices WHERE person_id = $1", told.staffed.people["boris"]
    )
    assert rows == [{"outcome": "withdrawn"}]


async def test_a_new_place_and_a_removed_factor_are_told_at_any_hour(told: Told) -> None:
    await told.settings(
        "asha", address="asha@shop.example", zone="UTC", quiet_from=0, quiet_to=1439
    )
    await told.heard("M01")
    await told.staffed.login("asha")
    assert await told.round() == []  # the first sign-in of all
    await told.staffed.login("asha")
    assert await told.round() == []  # from the same place
    await told.staffed.login("asha", address="198.51.100.9")
    heard = await told.round()
    assert heard == [("asha", "Someone signed in as you from a new place: 198.51.100.9")]


@pytest.mark.parametrize("name", ["Platform 1\r\nBcc: thief@elsewhere.example", "Bell\x07\u2028"])
async def test_a_name_of_several_lines_keeps_no_notice_from_going_out(
    told: Told, name: str
) -> None:
    """A subject with a line feed is no mail: whoever wrote it would have silenced the machine, and
    every other one that is told of together with it."""
    boris = await signed_in(told.staffed, "boris")
    page = await boris.look("/console/machines/M01")
    answer = await boris.press(page, "/console/machines/M01/config", {"name": name})
    assert answer.status_code == 303, answer.text
    heard = await told.pass_(1200)
    assert sorted(to for to, _ in heard) == ["asha", "boris"]
    assert heard[0][1].startswith(f"M01 ({name.split()[0].rstrip(chr(7))}")
    assert heard[0][1].isprintable()
