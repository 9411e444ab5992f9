"""Two merchants with all that each has: a change of one's leaves the other's as it was."""

import hashlib
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from msgspec import Struct

from coinslot.db.pool import Database
from coinslot.gateways import razorpay
from coinslot.gateways.mock import Settings as MockSettings
from coinslot.gateways.wire import Exchange
from coinslot.kit.clock import SettableClock
from coinslot.kit.ids import uuid7
from coinslot.kit.secrets import Secret, Vault
from coinslot.merchants import keys, merchants
from coinslot.merchants.accounts import (
    AccountName,
    Accounts,
    LockedAccountError,
    SlugTakenError,
    UnknownAccountError,
    as_kept,
    of_merchant,
    refuse_another_merchants,
    save_account,
)
from coinslot.merchants.brand import Brand, brand_of, set_brand
from coinslot.merchants.keys import KeyRequest, UnknownKeyError
from coinslot.merchants.merchants import Merchant
from tests.sales.stage import START

VAULT = Vault({"1": b"k" * 32}, "1")
WRONG = Vault({"2": b"w" * 32}, "2")


class Street(Struct):
    """Asha and Chandra."""

    db: Database
    clock: SettableClock
    asha: UUID
    chandra: UUID

    async def account(self, of: UUID, slug: str, settings: Struct | None = None) -> UUID:
        gateway = "mock" if settings is None else "razorpay"
        name = AccountName(of, gateway, slug)
        async with self.db.as_merchant(of) as conn:
            return await save_account(
                conn, VAULT, self.clock.now(), name, settings or MockSettings()
            )

    async def rows(self, sql: str) -> list[dict[str, Any]]:
        async with self.db.system_transaction() as conn:
            return [dict(row) for row in await conn.fetch(sql)]


@pytest.fixture
async def street(database: Database) -> Street:
    clock = SettableClock(START)
    ids = []
    for name in ("Chandra", "Asha"):
        merchant = Merchant(id=uuid7(clock.now()), name=name, slug=name.lower(), contact=f"{name}!")
        ids.append(await merchants.open_merchant(database, merchant, clock.now()))
    return Street(database, clock, ids[1], ids[0])


async def test_merchants_are_told_by_name_and_moved_one_at_a_time(street: Street) -> None:
    db = street.db
    assert await merchants.merchant_named(db, "asha") == street.asha
    assert await merchants.merchant_named(db, "nobody") is None
    again = Merchant(id=uuid4(), name="Asha's other", slug="asha")
    assert await merchants.open_merchant(db, again, START) == street.asha
    await merchants.move_merchant(db, street.asha, "Asia/Kolkata")
    assert await merchants.merchants(db) == [
        Merchant(id=street.asha, name="Asha", slug="asha", contact="Asha!", zone="Asia/Kolkata"),
        Merchant(id=street.chandra, name="Chandra", slug="chandra", contact="Chandra!"),
    ]


async def test_a_key_is_its_merchants_with_its_scopes_and_its_mode(street: Street) -> None:
    db, now = street.db, street.clock.now
    own = await keys.issue_key(db, street.asha, now())
    wanted = KeyRequest(name="till", scopes=("payments:read",), live=True)
    other = await keys.issue_key(db, street.chandra, now() + timedelta(seconds=1), wanted)
    assert (own[:8], other[:8]) == ("sk_test_", "sk_live_")
    assert len(own) > 8 + 30
    found = await keys.caller(db, own, now())
    assert found is not None
    assert (found.merchant, found.live) == (street.asha, False)
    assert found.scopes == {
        "payments:read", "payments:write", "refunds:write", "events:read", "webhooks:write",
    }  # fmt: skip
    hers = await keys.caller(db, other, now())
    assert hers is not None
    assert (hers.merchant, hers.live) == (street.chandra, True)
    assert hers.scopes == {"payments:read"}
    for wrong in ("", own[:-1], own + "x", own[:12]):
        assert await keys.caller(db, wrong, now()) is None
    listed = await keys.listed(db)
    assert [(k.merchant, k.name, k.begins, k.scopes) for k in listed] == [
        ("asha", "", own[:12], keys.USUAL_SCOPES),
        ("chandra", "till", other[:12], ("payments:read",)),
    ]
    with pytest.raises(ValueError, match="there is no scope 'a'"):
        await keys.issue_key(db, street.asha, now(), KeyRequest(scopes=("z", "a")))


async def test_the_use_of_a_key_is_noted_once_a_minute(street: Street) -> None:
    db, clock = street.db, street.clock
    used = await keys.issue_key(db, street.asha, clock.now())
    await keys.issue_key(db, street.asha, clock.now())

    async def noted() -> list[Any]:
        return [key.last_used_at for key in await keys.listed(db)]

    await keys.caller(db, used, clock.now())
    first = sorted(await noted(), key=str)
    assert first == [START, None]
    for seconds, at in ((60, START), (0.001, START + timedelta(seconds=60.001))):
        clock.advance(timedelta(seconds=seconds))
        await keys.caller(db, used, clock.now())
        assert sorted(await noted(), key=str) == [at, None]


async def test_a_key_that_is_revoked_is_one_and_no_other(street: Street) -> None:
    db, now = street.db, street.clock.now
    first = await keys.issue_key(db, street.asha, now())
    second = await keys.issue_key(db, street.chandra, now())
    with pytest.raises(UnknownKeyError, match="too short: 12 characters"):
        await keys.revoke(db, first[:11], now())
    for wrong in (first[:13], first + "x", "sk_test_????"):
        with pytest.raises(UnknownKeyError, match="no key in use begins"):
            await keys.revoke(db, wrong, now())
    await keys.revoke(db, first[:12], now())
    assert await keys.caller(db, first, now()) is None
    assert await keys.caller(db, second, now()) is not None
    with pytest.raises(UnknownKeyError, match="no key in use begins"):
        await keys.revoke(db, first, now())
    await keys.revoke(db, second, now())
    assert await keys.caller(db, second, now()) is None
    third = await keys.issue_key(db, street.asha, now())
    twin = third[:12] + "twin"
    async with db.as_merchant(street.chandra) as conn:
        await conn.execute(
            "INSERT INTO api_keys (id, merchant_id, prefix, hash, name, scopes, created_at)"
            " VALUES ($1, $2, $3, $4, '', '{}', $5)",
            uuid4(), street.chandra, twin[:12], hashlib.sha256(twin.encode()).digest(), now(),
        )  # fmt: skip
    with pytest.raises(UnknownKeyError, match="more than one key begins"):
        await keys.revoke(db, third[:12], now())
    await keys.revoke(db, twin, now())
    assert await keys.caller(db, third, now()) is not None


def at_razorpay(key: str) -> razorpay.Settings:
    return razorpay.Settings(key_id=key, key_secret=Secret("s"))


async def test_an_account_is_told_by_its_slug_and_the_first_without_one(street: Street) -> None:
    later = await street.account(street.chandra, "zz")
    street.clock.advance(timedelta(seconds=1))
    asha = await street.account(street.asha, "aa")
    hers = await street.account(street.asha, "rz", at_razorpay("rzp_live_1"))
    accounts = Accounts(street.db, VAULT, street.clock, timeout_s=1)
    assert await accounts.check() == 3
    found = [await accounts.by_slug(*name) for name in
             (("mock", None), ("mock", "aa"), ("mock", "zz"), ("razorpay", "rz"))]  # fmt: skip
    assert [one and one.id for one in found] == [later, asha, later, hers]
    for name in (("mock", "rz"), ("razorpay", "aa"), ("stripe", None)):
        assert await accounts.by_slug(*name) is None
    account = await accounts.by_id(hers)
    assert (account.merchant_id, account.gateway, account.slug) == (street.asha, "razorpay", "rz")
    assert account.live is True
    assert await accounts.by_id(hers) is account
    with pytest.raises(UnknownAccountError):
        await accounts.by_id(uuid4())
    await accounts.close()


async def test_an_account_is_read_again_when_it_changed_or_half_a_minute_later(
    street: Street,
) -> None:
    one = await street.account(street.asha, "one", at_razorpay("rzp_test_1"))
    two = await street.account(street.asha, "two", at_razorpay("rzp_test_2"))
    accounts = Accounts(street.db, VAULT, street.clock, timeout_s=1)
    before = {key: await accounts.by_id(key) for key in (one, two)}

    async def is_new() -> dict[UUID, bool]:
        found = {key: await accounts.by_id(key) is not before[key] for key in (one, two)}
        before.update({key: await accounts.by_id(key) for key in (one, two)})
        return found

    async def both_set_anew() -> None:
        for key in ("one", "two"):
            await street.account(street.asha, key, at_razorpay(f"rzp_live_{uuid4().hex}"))

    await both_set_anew()
    assert await is_new() == {one: False, two: False}  # nobody said so
    accounts.changed(one)
    assert await is_new() == {one: True, two: False}
    accounts.changed(two)
    assert await is_new() == {one: False, two: True}
    await both_set_anew()
    accounts.changed()
    assert await is_new() == {one: True, two: True}
    accounts.changed()
    assert await is_new() == {one: False, two: False}
    await both_set_anew()
    street.clock.advance(timedelta(milliseconds=29_999))
    assert await is_new() == {one: False, two: False}
    street.clock.advance(timedelta(milliseconds=1))
    assert await is_new() == {one: True, two: True}
    await accounts.close()


async def test_another_merchants_slug_is_refused_and_ones_own_is_set_anew(street: Street) -> None:
    made = await street.account(street.asha, "shop")
    await street.account(street.chandra, "hers")
    for name, taken in (
        (AccountName(street.asha, "mock", "shop"), False),
        (AccountName(street.chandra, "mock", "shop"), True),
        (AccountName(street.chandra, "mock", "free"), False),
        (AccountName(street.chandra, "razorpay", "shop"), False),
    ):
        if taken:
            with pytest.raises(SlugTakenError, match="mock/shop is another merchant's"):
                await refuse_another_merchants(street.db, name)
        else:
            await refuse_another_merchants(street.db, name)
    rows = await street.rows("SELECT slug, settings FROM gateway_accounts ORDER BY slug")
    street.clock.advance(timedelta(seconds=1))
    assert await street.account(street.asha, "shop") == made
    again = await street.rows("SELECT slug, settings FROM gateway_accounts ORDER BY slug")
    assert [a["settings"] == b["settings"] for a, b in zip(rows, again, strict=True)] == [
        True, False,
    ]  # fmt: skip


async def test_accounts_are_told_in_the_order_in_which_payments_are_routed(street: Street) -> None:
    for slug, settings in (("z", None), ("b", at_razorpay("rzp_live_1")),
                           ("a", at_razorpay("rzp_test_1"))):  # fmt: skip
        await street.account(street.asha, slug, settings)
        street.clock.advance(timedelta(seconds=1))
    await street.account(street.chandra, "c")
    lines = await of_merchant(street.db, VAULT, street.asha)
    assert [line.split() for line in lines] == [
        lines[0].split(), ["razorpay/b", "live"], ["razorpay/a", "test"],
    ]  # fmt: skip
    assert lines[0].startswith("mock/z  ")
    assert len(await of_merchant(street.db, VAULT, street.chandra)) == 1
    with pytest.raises(LockedAccountError, match="does not open the account mock/c"):
        await Accounts(street.db, WRONG, street.clock, timeout_s=1).check()


def test_an_exchange_is_kept_without_its_secrets_and_with_all_else() -> None:
    raw = Exchange(
        method="POST", url="/v1/x\0", request={"amount": 1, "key_secret": "s", "token": "t"},
        status=200, response={"password": "p", "id": "y"}, failure="cut\0", took_ms=12,
    )  # fmt: skip
    kept = as_kept(raw)
    assert (kept.method, kept.url, kept.status, kept.took_ms) == ("POST", "/v1/x\ufffd", 200, 12)
    assert kept.failure == "cut\ufffd"
    request: Any = kept.request
    response: Any = kept.response
    assert (request["amount"], response["id"]) == (1, "y")
    assert not {"s", "t", "p"} & {*request.values(), *response.values()}
    for name in ("secret", "client_secret", "authorization"):
        hidden: Any = as_kept(Exchange(method="GET", url="", request={name: "s"}, status=None,
                                       response=None, failure=None, took_ms=0)).request  # fmt: skip
        assert hidden[name] != "s"


async def test_a_merchant_is_kept_whole_beside_others(street: Street) -> None:
    db, now = street.db, street.clock.now()
    before = await street.rows("SELECT * FROM merchants ORDER BY slug")
    made = Merchant(id=uuid4(), name="Boris", slug="boris", contact="b@c", zone="Riga",
                    currency="EUR")  # fmt: skip
    assert await merchants.open_merchant(db, made, now) == made.id
    first, boris, third = await street.rows("SELECT * FROM merchants ORDER BY slug")
    assert [first, third] == before
    own = {"id": made.id, "name": "Boris", "slug": "boris", "contact": "b@c",
           "zone": "Europe/Riga", "currency": "EUR", "created_at": now}  # fmt: skip
    assert boris == {**first, **own}


async def test_a_key_is_kept_whole_and_good_until_it_ends(street: Street) -> None:
    db, now = street.db, street.clock.now()
    street.clock.advance(timedelta(seconds=5))
    ends = street.clock.now() + timedelta(seconds=60)
    wish = KeyRequest(name="till", scopes=("events:read", "payments:read"), expires_at=ends)
    key = await keys.issue_key(db, street.asha, street.clock.now(), wish)
    (row,) = await street.rows("SELECT * FROM api_keys")
    assert row == {
        **row, "merchant_id": street.asha, "prefix": key[:12], "name": "till",
        "hash": hashlib.sha256(key.encode()).digest(), "scopes": ["events:read", "payments:read"],
        "created_at": street.clock.now(), "expires_at": ends, "revoked_at": None,
        "last_used_at": None, "replaced_by": None,
    }  # fmt: skip
    assert len(key) == 8 + 32
    (listed,) = await keys.listed(db)
    assert listed == keys.ApiKey(
        id=row["id"], merchant="asha", name="till", begins=key[:12],
        scopes=("events:read", "payments:read"), created_at=street.clock.now(),
        last_used_at=None, revoked_at=None, expires_at=ends,
    )  # fmt: skip
    moments = (ends - timedelta(milliseconds=1), ends)
    assert [listed.works(at) for at in moments] == [True, False]
    found = [await keys.caller(db, key, at) for at in moments]
    assert [one and one.key for one in found] == [row["id"], None]
    assert (listed.live, keys.KeyRequest()) == (
        False, keys.KeyRequest(name="", scopes=keys.USUAL_SCOPES, live=False, expires_at=None),
    )  # fmt: skip
    gone = msgspec.structs.replace(listed, revoked_at=now, begins="sk_live_abcd", expires_at=None)
    assert (gone.works(now), gone.live) == (False, True)


async def test_a_brand_is_kept_whole_and_set_anew_in_its_place(street: Street) -> None:
    db, own = street.db, street.chandra
    for n in (1, 2):
        street.clock.advance(timedelta(seconds=1))
        look = Brand(name=f"n{n}", colour=f"#00000{n}", ground=f"#11111{n}", support=f"s{n}",
                     nothing_out=f"o{n}")  # fmt: skip
        async with db.as_merchant(own) as conn:
            await set_brand(conn, own, look, street.clock.now())
            assert await brand_of(conn, own) == msgspec.structs.replace(look, own_name="Chandra")
        (kept,) = await street.rows("SELECT * FROM brands")
        assert kept == {
            **kept, "merchant_id": own, "shown_name": f"n{n}", "colour": f"#00000{n}",
            "ground": f"#11111{n}", "support": f"s{n}", "nothing_out": f"o{n}", "logo": None,
            "changed_at": street.clock.now(),
        }  # fmt: skip
    async with db.as_merchant(street.asha) as conn:
        assert await brand_of(conn, street.asha) == Brand(own_name="Asha")
        with pytest.raises(LookupError):
            await brand_of(conn, uuid4())
