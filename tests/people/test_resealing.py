"""When the installation's key changes, every stored secret is sealed anew, while all goes on; a
column that is forgotten is found."""

import asyncio
import base64
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pyotp
import pytest

import coinslot
from coinslot.channels import tmetr
from coinslot.coffee.vendors import VendorAccount, save_vendor_account
from coinslot.db.pool import RawConnection, connect
from coinslot.db.sealed import SealedColumn
from coinslot.events.notices import browsers
from coinslot.events.webhooks.deliver import secret_context
from coinslot.events.webhooks.endpoints import EndpointRequest, Endpoints
from coinslot.events.webhooks.signing import HookRules
from coinslot.gateways.mock import Settings as MockSettings
from coinslot.kit.ids import uuid7
from coinslot.kit.secrets import Secret, UnknownKeyError, Vault
from coinslot.merchants.accounts import AccountName, Former, save_account, seal_former, unseal
from coinslot.outlets.machines import issue_device
from coinslot.outlets.machines import secret_context as device_context
from coinslot.oversight import signed_proof
from coinslot.oversight.reseal import SEALED, Resealed, reseal
from coinslot.payments.idempotency import IdempotentCall
from coinslot.people import tokens
from coinslot.people.outbox import sealed_as
from tests import inside
from tests.conftest import DatabaseUrls
from tests.people.conftest import Staffed

OLD = Vault({"1": b"k" * 32}, "1")
NEW = Vault({"2": b"n" * 32, "1": b"k" * 32}, "2")
ONLY_NEW = Vault({"2": b"n" * 32}, "2")
# Columns of bytes that hold no sealed secret: digests, public keys, and what others sent.
NOT_SEALED = {
    "api_keys.hash", "device_api_keys.hash", "idempotency_keys.request_hash", "inbox.body",
    "invitations.token_hash", "password_resets.token_hash", "first_run_tokens.hash",
    "refresh_tokens.hash", "second_factors.credential_id", "second_factors.public_key",
    "sessions.secret_hash", "notice_settings.confirm_hash", "counter_printers.secret_hash",
    "tablets.secret_hash", "firmware_builds.signature", "firmware_keys.public_key",
    "machine_audits.digest",
}  # fmt: skip


@pytest.fixture
async def owner(staffed: Staffed) -> AsyncIterator[RawConnection]:
    conn = await connect(staffed.stage.owner_url)
    yield conn
    await conn.close()


async def test_every_column_of_bytes_is_sealed_anew_or_known_to_hold_no_secret(
    owner: RawConnection,
) -> None:
    rows = await owner.fetch(
        "SELECT table_name || '.' || column_name AS name FROM information_schema.columns"
        " WHERE table_schema = 'public' AND data_type = 'bytea'"
    )
    listed = {f"{one.table}.{one.column}" for one in SEALED}
    there = {row["name"] for row in rows}
    assert there - listed == NOT_SEALED, "list a new column with the room that seals it"
    assert listed <= there


async def everything(staffed: Staffed, owner: RawConnection) -> None:
    """A secret in each sealed column."""
    context, db, now = staffed.stage.context, staffed.stage.context.db, staffed.stage.context.now()
    token = await staffed.token("boris")
    made = (await staffed.call(token, "POST", "/auth/factors/totp", {})).json()
    code = pyotp.TOTP(made["secret"]).at(now)
    await staffed.call(token, "POST", f"/auth/factors/totp/{made['id']}/confirm", {"code": code})
    refresh = (await staffed.login("vera")).json()["refresh_token"]
    async with staffed.client() as client:
        await client.post("/auth/refresh", json={"refresh_token": refresh})
    await tokens.signing_key(db, OLD)
    await browsers.signing_key(db, OLD)
    await signed_proof.proof_key(db, OLD)
    endpoints = Endpoints(context, HookRules())
    call = IdempotentCall(
        merchant=staffed.merchant, endpoint="POST /webhook_endpoints", key="k", request_hash=b"1"
    )
    shown = await endpoints.create(call, EndpointRequest(url="https://shop.example/hooks"))
    again = IdempotentCall(merchant=staffed.merchant, endpoint="rotate", key="k", request_hash=b"1")
    await endpoints.rotate(again, shown.body["id"])
    former = (Former(setting="webhook_secrets", secret=Secret("old"), until=now),)
    async with db.as_merchant(staffed.merchant) as conn:
        await conn.execute(
            "UPDATE gateway_accounts SET former = $1 WHERE slug = 'asha-mock'",
            seal_former(OLD, "mock", "asha-mock", former),
        )
        await conn.execute(
            "UPDATE devices SET next_secret = $1, next_hash = '', next_key_id = 2,"
            " next_issued_at = now() WHERE outlet_id = 'M01'",
            OLD.seal(b"next", device_context("M01")),
        )
    async with db.as_merchant(staffed.merchant) as conn:
        settings = tmetr.Settings(host="http://127.0.0.1:9", token=Secret("jwt"))
        account = VendorAccount(merchant_id=staffed.merchant, slug="asha", settings=settings)
        await save_vendor_account(conn, OLD, context.clock, account)
    notice = uuid7(now)
    await owner.execute(
        "INSERT INTO notices (id, merchant_id, purpose, channel, target, dedup, subject, body,"
        " sealed, created_at, expires_at, due_at) VALUES ($1, $2, 'x', 'email', 'a@x.example', 'd',"
        " 's', '', $3, $4, $4, $4)",
        notice, staffed.merchant, OLD.seal(b"link", sealed_as(notice)), now,
    )  # fmt: skip


async def contents(owner: RawConnection, vault: Vault) -> dict[str, list[bytes]]:
    """What every sealed column holds, opened."""
    found: dict[str, list[bytes]] = {}
    for one in SEALED:
        names = ", ".join({one.key, *one.names, one.column})
        rows = await owner.fetch(
            f"SELECT {names} FROM {one.table} WHERE {one.column} IS NOT NULL ORDER BY {one.key}"
        )
        opened = [vault.open(row[one.column], one.place(dict(row))) for row in rows]
        found[f"{one.table}.{one.column}"] = opened
    return found


async def run(owner: RawConnection, vault: Vault = NEW) -> dict[str, Resealed]:
    return {one.column: one async for one in reseal(owner, vault)}


async def test_after_it_everything_opens_without_the_old_key(
    staffed: Staffed, owner: RawConnection
) -> None:
    await everything(staffed, owner)
    before = await contents(owner, OLD)
    assert all(before.values()), "a secret in each column, or this shows nothing"
    done = await run(owner)
    assert {name: one.anew for name, one in done.items()} == {
        name: len(values) for name, values in before.items()
    }
    assert await contents(owner, ONLY_NEW) == before
    again = await run(owner)
    assert not any(one.anew or one.left or one.lost for one in again.values())
    await owner.execute("UPDATE notices SET outcome = 'withdrawn', ended_at = now(), due_at = NULL,"
                        " sealed = NULL")  # fmt: skip


async def test_stopped_in_the_middle_it_is_begun_again(
    staffed: Staffed, owner: RawConnection
) -> None:
    await many(staffed, owner, 250)
    stream = reseal(owner, NEW)
    async for one in stream:
        if one.column == "webhook_endpoints.secret":
            break
    await stream.aclose()  # type: ignore[attr-defined]
    done = await run(owner)
    assert done["webhook_endpoints.secret"].anew == 0
    assert (await run(owner))["devices.secret"].anew == 0
    await contents(owner, ONLY_NEW)


async def many(staffed: Staffed, owner: RawConnection, count: int) -> None:
    now = staffed.stage.context.now()
    rows = []
    for _ in range(count):
        made = uuid7(now)
        rows.append((made, staffed.merchant, OLD.seal(b"whsec_x", secret_context(made)), now))
    await owner.executemany(
        "INSERT INTO webhook_endpoints (id, merchant_id, url, description, types, status, secret,"
        " secret_set_at, created_at) VALUES ($1, $2, 'https://shop.example', '', '{}', 'enabled',"
        " $3, $4, $4)",
        rows,
    )


async def test_many_rows_are_sealed_a_few_at_a_time(staffed: Staffed, owner: RawConnection) -> None:
    await many(staffed, owner, 250)
    assert (await run(owner))["webhook_endpoints.secret"].anew == 250


async def test_a_row_that_is_being_written_is_left_and_its_write_wins(
    staffed: Staffed, owner: RawConnection
) -> None:
    """Somebody replaces the credentials while they are sealed anew."""
    context = staffed.stage.context
    wanted = MockSettings(webhook_secrets=(Secret("rotated meanwhile"),))
    async with context.db.as_merchant(staffed.merchant) as conn:
        name = AccountName(staffed.merchant, "mock", "asha-mock")
        await save_account(conn, NEW, context.now(), name, wanted)
        done = await asyncio.wait_for(run(owner), 10)
        assert done["gateway_accounts.settings"].left == 1
    assert (await run(owner))["gateway_accounts.settings"].left == 0
    sealed = await owner.fetchval("SELECT settings FROM gateway_accounts WHERE slug = 'asha-mock'")
    assert unseal(ONLY_NEW, "mock", "asha-mock", sealed) == wanted


async def test_what_no_key_opens_is_named_and_the_rest_goes_on(
    staffed: Staffed, owner: RawConnection
) -> None:
    lost = Vault({"lost": b"l" * 32}, "lost")
    await owner.execute(
        "UPDATE devices SET secret = $1", lost.seal(b"secret", device_context("M01"))
    )
    done = await run(owner)
    assert done["devices.secret"].lost == ("lost",)
    assert done["gateway_accounts.settings"].anew > 0
    with pytest.raises(UnknownKeyError):
        await contents(owner, ONLY_NEW)


async def test_no_machine_is_asked_for_its_secret_again(
    staffed: Staffed, owner: RawConnection
) -> None:
    """The version of a device says that its secret is another: a connected machine is hung up on
    for it, perhaps in the middle of a sale."""
    versions = "SELECT version FROM {} ORDER BY 1"
    before = [await owner.fetch(versions.format(one)) for one in ("devices", "gateway_accounts")]
    heard: list[Any] = []
    await owner.add_listener("coinslot_changed", lambda *said: heard.append(said))
    await run(owner)
    after = [await owner.fetch(versions.format(one)) for one in ("devices", "gateway_accounts")]
    assert (after, heard) == (before, [])
    context = staffed.stage.context
    async with context.db.as_merchant(staffed.merchant) as conn:
        await issue_device(conn, NEW, staffed.merchant, "M01", context.now())
    assert (
        await owner.fetchval("SELECT max(version) FROM devices WHERE outlet_id = 'M01'")
        > (before[0][0]["version"])
    )


async def test_the_command_says_when_the_old_key_may_be_removed(
    staffed: Staffed, urls: DatabaseUrls
) -> None:
    new, old = (base64.b64encode(one * 32).decode() for one in (b"n", b"k"))
    env = {
        "DATABASE_URL": urls.app, "COINSLOT_DOOR_URL": urls.door, "COINSLOT_OWNER_URL": urls.owner,
        "COINSLOT_KEYS": f"2:{new},1:{old}",
    }  # fmt: skip
    first, second = await command(env), await command(env)
    assert "devices.secret: 2 sealed anew" in first
    assert "Run this again" in first
    assert "nothing is left under another key than '2'" in second
    assert "may be removed" in second
    without = await command(env | {"COINSLOT_KEYS": f"3:{old}"}, code=1)
    assert "under a lost key: 2" in without


async def command(env: dict[str, str], code: int = 0) -> str:
    asked = await asyncio.to_thread(inside.coinslot, "keys", "reseal", env=env)
    assert asked.returncode == code, asked.stderr
    return " ".join(asked.stdout.split())


def test_every_file_that_seals_is_known_here() -> None:
    """One that is new has its column in SEALED, or nobody can ever remove an old key."""
    root = Path(coinslot.__file__).parent
    sealing = {
        str(path.relative_to(root)) for path in root.rglob("*.py")
        if re.search(r"vault\.seal\(", path.read_text(encoding="utf-8"))
    }  # fmt: skip
    assert sealing == {
        "coffee/vendors.py", "events/notices/browsers.py", "events/webhooks/endpoints.py",
            "merchants/accounts.py",
        "outlets/machines.py", "oversight/reseal.py", "oversight/signed_proof.py",
        "people/factors.py", "people/outbox.py", "people/sessions.py", "people/tokens.py",
    }  # fmt: skip


def test_a_column_is_named_once() -> None:
    def name(one: SealedColumn) -> str:
        return f"{one.table}.{one.column}"

    assert len({name(one) for one in SEALED}) == len(SEALED)
