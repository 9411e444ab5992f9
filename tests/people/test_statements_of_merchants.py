"""What each statement about merchants, their products, pictures, keys and rules finds or changes.
Each case differs in one thing."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from coinslot.catalog import products
from coinslot.merchants import accounts, brand, clocks, keys, merchants
from coinslot.people import (
    api_keys,
    audit_log,
    business,
    device_keys,
    factors,
    first_run,
    invitations,
    members,
    merchant_settings,
    passkeys,
    resets,
    security,
    sessions,
)
from coinslot.people.outbox import _POST
from coinslot.pictures import pictures
from tests.sales.asked import Asked, Here, mistaken
from tests.sales.by_hand import NOW, Rows

MOMENT, DAY = timedelta(microseconds=1), timedelta(days=1)
LONG_AGO, FAR = NOW - timedelta(days=9999), NOW + timedelta(days=9999)  # of the server's own clock
ASHA, CHANDRA, BORIS, VERA, THING, ANOTHER = (UUID(int=n) for n in range(1, 7))
DIGEST = "a" * 64

PRODUCT = {"id": THING, "merchant_id": ASHA, "sku": "cola", "name": "Cola", "price_minor": 4000,
           "cost_minor": 7, "currency": "INR", "vat": "20", "picture": DIGEST,
           "description": "old", "names": {}, "descriptions": {}}  # fmt: skip
PRODUCTS = "SELECT * FROM products"
OF_ANOTHER = ({"products.merchant_id": CHANDRA}, {"products.sku": "tea"})
# What a change leaves out stays.
CHANGED = (ASHA, "cola", "Kola", 50, 8, "INR", "10")
STAYS = (ASHA, "cola", None, None, None, None, None)
ACCOUNT = {"id": THING, "merchant_id": ASHA, "gateway": "mock", "slug": "shop",
           "created_at": NOW}  # fmt: skip
BRAND = {"merchant_id": ASHA, "shown_name": "Asha", "colour": "#000000", "ground": "#111111",
         "support": "a@b", "nothing_out": "call", "logo": DIGEST}  # fmt: skip
CLOCK = {"account_id": THING, "node": "old", "merchant_id": ASHA, "ahead_ms": 9,
         "heard_at": LONG_AGO, "off_since": NOW}  # fmt: skip
CLOCKS = "SELECT * FROM clocks ORDER BY node"
API_KEY = {"id": THING, "merchant_id": ASHA, "prefix": "sk_test_abcd", "hash": b"h",
           "expires_at": NOW, "created_at": NOW}  # fmt: skip
KEYS = "SELECT * FROM api_keys"
RULES = {"id": ASHA, "name": "Asha", "slug": "asha"}
PICTURE = {"merchant_id": ASHA, "digest": DIGEST, "width": 3, "height": 2, "widths": [3]}
WORKS = {"person_id": BORIS, "merchant_id": ASHA, "role": "admin"}
FACTOR = {"id": THING, "person_id": BORIS, "kind": "totp", "secret": b"s", "confirmed_at": NOW,
          "last_step": 7}  # fmt: skip
KEY = {"id": THING, "person_id": BORIS, "kind": "passkey", "credential_id": b"c",
       "public_key": b"p", "confirmed_at": NOW, "sign_count": 7}  # fmt: skip
SESSION = {"id": THING, "person_id": BORIS, "for_merchant": ASHA, "kind": "token",
           "network": "n", "push_endpoint": "https://push/1"}  # fmt: skip
SESSIONS = "SELECT push_endpoint FROM sessions ORDER BY id"

ASKED = (
    Asked("a page of products", products._LISTED, (ASHA, "a", 9), {"products": PRODUCT},
          ({"products.merchant_id": CHANDRA}, {"products.sku": "a"}), ({"$2": None},)),
    Asked("products by their sku", products._LISTED, (ASHA, None, 2),
          {f"products {n}": {**PRODUCT, "id": UUID(int=n), "sku": f"s{n}"} for n in (2, 3, 1)}, (),
          gives=({"sku": "s1"}, {"sku": "s2"})),
    Asked("one product", products._ONE, (ASHA, "cola"), {"products": PRODUCT}, OF_ANOTHER),
    Asked("what customers read of it", products._DESCRIBE,
          (ASHA, "cola", {"hi": "x"}, "new", {"hi": "y"}, "b", "cold"), {"products": PRODUCT}, (),
          after=PRODUCTS,
          gives={"names": {"hi": "x"}, "description": "new", "descriptions": {"hi": "y"},
                 "picture": "b", "category": "cold"},
          others=(({"$6": None}, {"picture": DIGEST}), ({"$6": ""}, {"picture": None}),
                  *((another, {"description": "old"}) for another in OF_ANOTHER))),
    Asked("a product is retired", f"{products._RETIRE} AS done, retired_at",
          (ASHA, "cola", True, NOW), {"products": PRODUCT}, OF_ANOTHER,
          gives={"done": True, "retired_at": NOW},
          others=(({"$3": False, "products.retired_at": NOW}, {"retired_at": None}),
                  ({"products.retired_at": FAR}, {"retired_at": FAR}))),
    Asked("a product changes", products._CHANGE, CHANGED, {"products": PRODUCT},
          (*OF_ANOTHER, {"products.currency": "EUR"}),
          gives={"name": "Kola", "price_minor": 50, "cost_minor": 8, "vat": "10"},
          others=(({"$7": ""}, {"vat": None}),)),
    Asked("a product stays", products._CHANGE, STAYS, {"products": PRODUCT}, (),
          ({"products.currency": "EUR"},),
          gives={"name": "Cola", "price_minor": 4000, "cost_minor": 7, "vat": "20"}),
    Asked("an account by its name", accounts._BY_SLUG, ("mock", "shop"),
          {"gateway_accounts": ACCOUNT},
          ({"gateway_accounts.gateway": "stripe"}, {"gateway_accounts.slug": "other"})),
    Asked("the first account of a gateway", accounts._BY_SLUG, ("mock", None),
          {"gateway_accounts": ACCOUNT,
           "gateway_accounts 2": {**ACCOUNT, "id": ANOTHER, "slug": "b"}}, (),
          gives={"id": THING},
          others=(({"gateway_accounts.created_at": NOW + MOMENT}, {"id": ANOTHER}),
                  ({"gateway_accounts.id": UUID(int=9)}, {"id": ANOTHER}))),
    Asked("a brand", brand._READ, (ASHA,), {"merchants": RULES, "brands": BRAND},
          ({"merchants.id": CHANDRA},),
          gives={"own_name": "Asha", "name": "Asha", "support": "a@b", "nothing_out": "call"},
          others=(({"brands.merchant_id": CHANDRA},
                   {"own_name": "Asha", "name": "", "support": "", "nothing_out": "",
                    "colour": None}),)),
    Asked("a brand is set again", brand._SET,
          (ASHA, "New", "#222222", "#333333", "c@d", "write", FAR, "l"), {"brands": BRAND}, (),
          after="SELECT * FROM brands",
          gives={"shown_name": "New", "colour": "#222222", "ground": "#333333", "support": "c@d",
                 "nothing_out": "write", "changed_at": FAR, "logo": "l"}),
    Asked("a new computer takes over a clock", clocks._TAKE_OVER, (THING, "new"),
          {"clocks": CLOCK}, (), after=CLOCKS, gives={"node": "new", "off_since": None},
          others=(({"clocks.account_id": ANOTHER}, {"node": "old", "off_since": NOW}),
                  ({"clocks.heard_at": FAR}, {"node": "old"}))),
    Asked("one that is known takes over nothing", clocks._TAKE_OVER, (THING, "new"),
          {"clocks": CLOCK, "clocks 2": {**CLOCK, "node": "new", "heard_at": FAR}}, (),
          after=CLOCKS, gives=({"node": "new", "off_since": NOW}, {"node": "old"}),
          others=(({"clocks 2.account_id": ANOTHER}, ({"node": "new"}, {"node": "new"})),)),
    Asked("the oldest clock is taken over", clocks._TAKE_OVER, (THING, "x"),
          {f"clocks {n}": {**CLOCK, "node": f"n{n}", "heard_at": LONG_AGO + n * MOMENT}
           for n in (2, 1)},
          (), after=CLOCKS, gives=({"node": "n2"}, {"node": "x"})),
    Asked("clocks of another account are of no use", clocks._TAKE_OVER, (THING, "x"),
          {"clocks": {**CLOCK, "node": "a"},
           "clocks 2": {**CLOCK, "account_id": ANOTHER, "node": "b",
                        "heard_at": LONG_AGO - MOMENT}}, (), after=CLOCKS,
          gives=({"node": "b"}, {"node": "x"})),
    Asked("a clock that was heard", f"SELECT FROM ({clocks._HEARD}) c (n) WHERE n = 1", (),
          {"clocks": {**CLOCK, "heard_at": FAR}}, ({"clocks.heard_at": LONG_AGO},)),
    Asked("a clock that is wrong", clocks._APART, (),
          {"clocks": {**CLOCK, "heard_at": FAR}, "gateway_accounts": ACCOUNT},
          ({"clocks.heard_at": LONG_AGO}, {"clocks.off_since": None},
           {"gateway_accounts.id": ANOTHER}), gives={"node": "old", "ahead_ms": 9}),
    Asked("a key with its merchant", keys._LISTED, (), {"api_keys": API_KEY, "merchants": RULES},
          ({"merchants.id": CHANDRA},), gives={"slug": "asha"}),
    Asked("a key by how it begins", keys._FOUND, ("sk_test_abcd", b"h", 12), {"api_keys": API_KEY},
          ({"api_keys.revoked_at": NOW}, {"api_keys.prefix": "sk_test_wxyz"}),
          ({"api_keys.hash": b"i"},)),
    Asked("a whole key", keys._FOUND, ("sk_test_abcd", b"h", 11), {"api_keys": API_KEY},
          ({"api_keys.revoked_at": NOW}, {"api_keys.hash": b"i"}),
          ({"api_keys.prefix": "sk_test_wxyz"},)),
    Asked("a merchant's own key", api_keys._LISTED, (ASHA,),
          {"api_keys": API_KEY, "merchants": RULES},
          ({"api_keys.merchant_id": CHANDRA}, {"merchants.id": CHANDRA})),
    Asked("another merchant's key is not listed", api_keys._LISTED, (ASHA,),
          {"api_keys": API_KEY, "merchants": RULES, "merchants 2": {"id": CHANDRA, "slug": "c"}},
          ({"api_keys.merchant_id": CHANDRA},), gives={"slug": "asha"}),
    Asked("a key that is changed is locked", api_keys._ONE, (THING, ASHA),
          {"api_keys": API_KEY, "merchants": RULES, "merchants 2": {"id": CHANDRA, "slug": "c"}},
          ({"api_keys.merchant_id": CHANDRA},), locks=("api_keys",)),
    Asked("a key that is replaced ends", api_keys._REPLACED, (THING, ANOTHER, NOW - MOMENT),
          {"api_keys": API_KEY}, (), after=KEYS,
          gives={"replaced_by": ANOTHER, "expires_at": NOW - MOMENT},
          others=(({"$3": NOW + MOMENT}, {"expires_at": NOW}),
                  ({"api_keys.expires_at": None}, {"expires_at": NOW - MOMENT}))),
    Asked("an entry of the log with its own person", audit_log.READ,
          (ASHA, None, None, None, 9),
          {"audit_log": {"merchant_id": ASHA, "person_id": BORIS},
           "people": {"id": BORIS, "login": "boris"}}, (), gives={"login": "boris"},
          others=(({"people.id": VERA}, {"login": None}),)),
    Asked("a business is there", business._IS_THERE, (BORIS, ASHA), {"memberships": WORKS},
          ({"memberships.person_id": VERA}, {"memberships.merchant_id": CHANDRA},
           {"memberships.ended_at": NOW})),
    Asked("a device key to rotate is locked", device_keys._OLD, (THING, NOW),
          {"device_api_keys": {"id": THING, "expires_at": FAR}}, (), locks=("device_api_keys",)),
    Asked("a code's step is kept", f"{factors._STEP} RETURNING last_step, used_at",
          (THING, 8, NOW), {"second_factors": FACTOR}, (), gives={"last_step": 8, "used_at": NOW}),
    Asked("a passkey's count is kept", f"{passkeys._USED} RETURNING sign_count, used_at",
          (THING, 8, NOW), {"second_factors": KEY}, (), gives={"sign_count": 8, "used_at": NOW}),
    Asked("nobody runs the installation yet", first_run._IS_OPEN, (), {},
          (), others=()),
    Asked("who invites is locked", invitations._INVITER, (BORIS, ASHA), {"memberships": WORKS}, (),
          locks=("memberships",)),
    Asked("and who runs the installation", invitations._INVITING_ADMIN, (BORIS,),
          {"installation_admins": {"person_id": BORIS}}, (), locks=("installation_admins",)),
    Asked("whose role changes is locked", members._ONE, (BORIS, ASHA), {"memberships": WORKS}, (),
          locks=("memberships",)),
    Asked("a merchant's settings", merchant_settings._READ, (ASHA,), {"merchants": RULES},
          ({"merchants.id": CHANDRA},)),
    Asked("a merchant's settings change", merchant_settings._CHANGE,
          (ASHA, "New", "c@d", "Europe/Riga", 9, "EUR", ["lv"]),
          {"merchants": {**RULES, "settings_version": 3}}, (), after="SELECT * FROM merchants",
          gives={"name": "New", "contact": "c@d", "zone": "Europe/Riga", "refund_proof_minor": 9,
                 "currency": "EUR", "languages": ["lv"], "settings_version": 4},
          others=(({"merchants.id": CHANDRA}, {"name": "Asha", "settings_version": 3}),)),
    Asked("a merchant's rules for people", security._READ, (ASHA,), {"merchants": RULES},
          ({"merchants.id": CHANDRA},)),
    Asked("where a reset is sent", resets._REACHED, ("boris",),
          {"people": {"id": BORIS, "login": "boris"},
           "notice_settings": {"person_id": BORIS, "address": "b@c"}}, (),
          gives={"address": "b@c"},
          others=(({"notice_settings.person_id": VERA}, {"address": None}),)),
    Asked("a session of the same browser", sessions._SAME_BROWSER, (ANOTHER, THING),
          {"sessions": SESSION, "sessions 2": {**SESSION, "id": ANOTHER, "push_endpoint": None},
           "sessions 3": {**SESSION, "id": UUID(int=9), "push_endpoint": "https://push/2"}}, (),
          after=SESSIONS,
          gives=tuple({"push_endpoint": f"https://push/{n}"} for n in (1, 1, 2)),
          others=(({"$2": UUID(int=8)}, ({"push_endpoint": "https://push/1"},
                                         {"push_endpoint": None},
                                         {"push_endpoint": "https://push/2"})),)),
    Asked("a network is new to a person", sessions._IS_NEW_PLACE, (BORIS, "m"),
          {"sessions": SESSION, "sessions 2": {**SESSION, "id": ANOTHER, "person_id": VERA,
                                               "network": "m"}},
          ({"sessions.person_id": VERA}, {"sessions.network": ""}, {"sessions.network": "m"})),
    Asked("another's session is not listed", sessions._LISTED, (BORIS, NOW, LONG_AGO),
          {"sessions": {**SESSION, "person_version": 1, "expires_at": FAR},
           "people": {"id": BORIS, "login": "boris"}, "people 2": {"id": VERA, "login": "vera"}},
          ({"sessions.person_id": VERA},)),
    Asked("a picture is kept again", pictures._BEGIN, (ASHA, DIGEST, 3, 2, [3], FAR),
          {"pictures": PICTURE}, ({"pictures.ending_at": NOW},)),
    Asked("a picture is stored", f"{pictures._STORED} AS done, stored_at", (ASHA, DIGEST, NOW),
          {"pictures": PICTURE},
          ({"pictures.merchant_id": CHANDRA}, {"pictures.digest": "b" * 64},
           {"pictures.ending_at": NOW}), gives={"done": True, "stored_at": NOW},
          others=(({"pictures.stored_at": FAR}, {"stored_at": FAR}),)),
)  # fmt: skip


async def sells_in(conn: Any) -> list[str]:
    return await merchants.currencies(conn)


async def usual_currency(conn: Any) -> str:
    db: Any = Here(conn)
    return await merchants.usual_currency(db, ASHA)


async def named(conn: Any, slug: str) -> UUID | None:
    db: Any = Here(conn)
    return await merchants.merchant_named(db, slug)


async def everyone(conn: Any) -> list[str]:
    db: Any = Here(conn)
    return [one.slug for one in await merchants.merchants(db)]


async def zone(conn: Any) -> str | None:
    db: Any = Here(conn)
    return await merchants.zone_of_merchant(db, ASHA)


async def moves(conn: Any) -> None:
    db: Any = Here(conn)
    await merchants.move_merchant(db, ASHA, "Europe/Riga")


async def pauses(conn: Any, at: datetime | None) -> None:
    db: Any = Here(conn)
    await merchants.pause_merchant(db, ASHA, at)


SOLD = {"merchant_id": ASHA, "kind": "vending", "channel": "mqtt", "dialect": "leased"}
SELLS = {
    "merchants": {**RULES, "currency": "RUB"},
    "products": {**PRODUCT, "currency": "USD"}, "products 2": {**PRODUCT, "id": BORIS, "sku": "b"},
    "outlets": {**SOLD, "id": "M1", "currency": "EUR"},
    "outlets 2": {**SOLD, "id": "M2", "currency": "CHF"},
    "outlets 3": {**SOLD, "id": "M3", "currency": "RUB"},
    "outlets 4": {**SOLD, "id": "M4", "currency": "AED"},
}  # fmt: skip
OF_MERCHANTS = (
    Asked("in what a merchant sells, its own currency first", sells_in, (), SELLS, (),
          gives=[{"said": one} for one in ("RUB", "AED", "CHF", "EUR", "INR", "USD")],
          others=(({"merchants.currency": None},
                   [{"said": one} for one in ("AED", "CHF", "EUR", "INR", "RUB", "USD")]),
                  ({"merchants.currency": "USD"},
                   [{"said": one} for one in ("USD", "AED", "CHF", "EUR", "INR", "RUB")]))),
    Asked("its usual currency", usual_currency, (), SELLS, (), gives={"said": "RUB"},
          others=(({"merchants.currency": None}, {"said": "AED"}),)),
    Asked("no currency is known", usual_currency, (), {"merchants": RULES}, (),
          gives={"said": ""}),
    Asked("a merchant by its slug", named, ("asha",), {"merchants": RULES},
          ({"merchants.slug": "chandra"},), gives={"said": ASHA}),
    Asked("all merchants by their names, then slugs", everyone, (),
          {f"merchants {n}": {"id": UUID(int=n), "slug": slug, "name": name}
           for n, (slug, name) in enumerate((("d", "B"), ("b", "C"), ("c", "B"), ("a", "D")))}, (),
          gives=[{"said": one} for one in "cdba"]),
    Asked("a merchant's zone", zone, (), {"merchants": {**RULES, "zone": "Asia/Kolkata"}},
          ({"merchants.zone": None}, {"merchants.id": CHANDRA}), gives={"said": "Asia/Kolkata"}),
    Asked("a merchant moves", moves, (), {"merchants": {**RULES, "zone": "Asia/Kolkata"}}, (),
          gives={"zone": "Europe/Riga"}, after="SELECT zone FROM merchants",
          others=(({"merchants.id": CHANDRA}, {"zone": "Asia/Kolkata"}),)),
    Asked("a merchant is paused once and goes on", pauses, (NOW,), {"merchants": RULES}, (),
          gives={"paused_at": NOW}, after="SELECT paused_at, now() FROM merchants",
          others=(({"merchants.paused_at": FAR}, {"paused_at": FAR}),
                  ({"$1": None, "merchants.paused_at": FAR}, {"paused_at": None}),
                  ({"merchants.id": CHANDRA}, {"paused_at": None}))),
)  # fmt: skip


async def test_each_statement_finds_its_row_and_none_that_differs(rows: Rows) -> None:
    assert await mistaken(rows, (*ASKED, *OF_MERCHANTS)) == []


async def test_keys_come_in_their_order(rows: Rows) -> None:
    await rows.put("merchants", **RULES)
    made = ((1, 1, None), (2, 3, None), (4, 2, None), (3, 2, None), (6, 2, None), (5, 0, NOW))
    for number, age, revoked in made:
        await rows.put(
            "api_keys",
            **{
                **API_KEY,
                "id": UUID(int=number),
                "hash": bytes([number]),
                "created_at": NOW - age * MOMENT,
                "revoked_at": revoked,
            },
        )
    oldest_first = await rows.conn.fetch(keys._LISTED)
    assert [row["id"].int for row in oldest_first] == [2, 3, 4, 6, 1, 5]
    in_use_first = await rows.conn.fetch(api_keys._LISTED, ASHA)
    assert [row["id"].int for row in in_use_first] == [1, 6, 4, 3, 2, 5]


async def test_people_are_listed_by_login_and_clocks_by_account_and_node(rows: Rows) -> None:
    for login in ("vera", "boris", "chandra"):
        await rows.put("people", login=login)
    (boris,) = await rows.conn.fetch("SELECT id FROM people WHERE login = 'boris'")
    for number, factor in enumerate((FACTOR, KEY)):
        its = {"id": UUID(int=number), "person_id": boris["id"]}
        await rows.put("second_factors", **{**factor, **its})
    everyone = await rows.conn.fetch(members._EVERYONE)
    assert [row["login"] for row in everyone] == ["boris", "chandra", "vera"]
    assert everyone[0]["factors"] == ["passkey", "totp"]
    for gateway, slug, node in (("b", "a", "x"), ("a", "b", "y"), ("a", "b", "x"), ("a", "a", "z")):
        account = await rows.conn.fetchval(
            "SELECT id FROM gateway_accounts WHERE gateway = $1 AND slug = $2", gateway, slug
        )
        if account is None:
            account = (await rows.put("gateway_accounts", gateway=gateway, slug=slug))["id"]
        await rows.put("clocks", account_id=account, node=node, heard_at=FAR, off_since=NOW)
    wrong = await rows.conn.fetch(clocks._APART)
    assert [row["gateway"] + row["slug"] + row["node"] for row in wrong] == [
        "aaz", "abx", "aby", "bax",
    ]  # fmt: skip


async def test_a_clock_is_noted_with_since_when_it_is_wrong(rows: Rows) -> None:
    async def noted(ahead: int, off: bool) -> tuple[int, object]:
        await rows.conn.execute(clocks._NOTE, THING, "n", ASHA, ahead, off)
        row = await rows.conn.fetchrow(
            "SELECT * FROM clocks WHERE heard_at > now() - $1::interval", DAY
        )
        assert row is not None
        return row["ahead_ms"], row["off_since"]

    assert await noted(1, False) == (1, None)
    ahead, since = await noted(2, True)
    assert (ahead, since is not None) == (2, True)
    await rows.conn.execute("UPDATE clocks SET heard_at = $1", LONG_AGO)
    assert await noted(3, True) == (3, since)
    assert await noted(4, False) == (4, None)
    await rows.conn.execute("DELETE FROM clocks")
    assert (await noted(5, True))[1] is not None


async def test_a_clock_is_taken_over_when_it_was_not_heard_for_a_day(rows: Rows) -> None:
    for age, taken in ((DAY, 0), (DAY + MOMENT, 1)):
        await rows.conn.execute("BEGIN")
        ago = await rows.conn.fetchval("SELECT now() - $1::interval", age)
        await rows.put("clocks", **{**CLOCK, "heard_at": ago})
        await rows.put("clocks", **{**CLOCK, "account_id": ANOTHER, "heard_at": ago})
        assert await rows.conn.execute(clocks._TAKE_OVER, THING, "new") == f"UPDATE {taken}"
        await rows.conn.execute("ROLLBACK")


async def test_the_same_letter_is_written_once(rows: Rows) -> None:
    values = (ASHA, BORIS, "p", "email", "b@c", "d", "", "s", "b", None, "", "en", NOW, FAR, NOW)
    made = [await rows.conn.execute(_POST, UUID(int=n), *values) for n in (1, 2)]
    assert made == ["INSERT 0 1", "INSERT 0 0"]
