"""`coinslot people`, and the token that `coinslot web` prints while nobody runs the
installation."""

import asyncio
import base64
import os
import re
import sys
from contextlib import suppress
from pathlib import Path

import httpx
import jwt
import msgspec
import pytest
import structlog
from typer.testing import CliRunner

from coinslot.commands import build
from tests.conftest import DatabaseUrls
from tests.people.conftest import PASSWORD, Staffed, code_of
from tests.ports import free_port

ROOT = Path(__file__).parent.parent.parent
KEYS = "1:" + base64.b64encode(b"k" * 32).decode()  # those of the stage
PATIENCE_S = 60
SECRET = "a secret of forty characters or some more"


def env_of(urls: DatabaseUrls) -> dict[str, str]:
    return {
        "DATABASE_URL": urls.app, "COINSLOT_DOOR_URL": urls.door, "COINSLOT_KEYS": KEYS,
        "COINSLOT_POOL_SIZE": "2",
    }  # fmt: skip


async def said(urls: DatabaseUrls, *words: str) -> tuple[int, str]:
    """Exit code, and what was said."""
    kept = structlog.get_config()
    env = {**env_of(urls), "COLUMNS": "200", "TERM": "dumb"}
    try:
        done = await asyncio.to_thread(CliRunner().invoke, build(), ["people", *words], env=env)
    finally:
        structlog.configure(**kept)
    return done.exit_code, done.output


async def test_who_there_is_is_listed_with_roles_and_factors(
    staffed: Staffed, urls: DatabaseUrls
) -> None:
    code, out = await said(urls)
    assert code == 0
    assert "boris  asha operator  never here" in out
    assert "meera  installation" in out
    code, out = await said(urls, "--json")
    found = {one["login"]: one["roles"] for one in msgspec.json.decode(out)}
    assert found["chandra"] == ["chandra admin"]
    assert "argon2" not in out


async def test_an_invitation_of_the_command_line_is_taken_up(
    staffed: Staffed, urls: DatabaseUrls
) -> None:
    who = ("gita@asha.example", "--merchant", "asha", "--role", "staff", "--outlets", "M01")
    code, out = await said(urls, "invite", *who)
    assert code == 0, out
    token = re.search(r"token +(\S+)", out)
    assert token is not None
    body = {"token": token[1], "login": "gita@asha.example", "password": PASSWORD}
    async with staffed.client() as client:
        assert (await client.post("/auth/invitations/accept", json=body)).status_code == 201
    shown = await staffed.call(await staffed.token("gita@asha.example"), "GET", "/auth/profile")
    assert shown.json()["outlets"] == ["M01"]


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("invite", "gita"), "name either --merchant or --installation"),
        (("invite", "gita", "--merchant", "nobody"), "there is no merchant nobody"),
        (("invite", "gita", "--merchant", "asha", "--role", "owner"), "There is no role owner"),
        (("invite", "gita", "--merchant", "asha", "--role", "staff"), "Staff has one outlet"),
        (("reset", "nobody"), "nobody signs in as nobody"),
        (("revoke", "asha", "--merchant", "asha"), "Someone has to stay an admin"),
        (("revoke", "vera", "--merchant", "chandra"), "Nobody of that id works here"),
        (("revoke", "vera", "--installation"), "does not run the installation"),
    ],
)
async def test_what_cannot_be_is_refused_in_one_line(
    staffed: Staffed, urls: DatabaseUrls, words: tuple[str, ...], complaint: str
) -> None:
    code, out = await said(urls, *words)
    assert (code, complaint in out, len(out.splitlines())) == (1, True, 1), out


async def test_a_lost_password_is_set_anew_with_the_token_that_is_printed(
    staffed: Staffed, urls: DatabaseUrls
) -> None:
    code, out = await said(urls, "reset", "boris")
    assert code == 0
    async with staffed.client() as client:
        body = {"token": out.strip(), "password": "ten bottles"}
        assert (await client.post("/auth/password-reset", json=body)).status_code == 204
    assert (await staffed.login("boris", password="ten bottles")).status_code == 200


async def test_who_is_revoked_is_out_at_once_and_the_log_says_why(
    staffed: Staffed, urls: DatabaseUrls
) -> None:
    boris, meera = await staffed.token("boris"), await staffed.token("meera")
    words = ("revoke", "boris", "--merchant", "asha", "--reason", "left")
    assert (await said(urls, *words))[0] == 0
    assert (await said(urls, "revoke", "meera", "--installation"))[0] == 0
    for token in (boris, meera):
        assert (await staffed.call(token, "GET", "/auth/profile")).status_code == 401
    assert code_of(await staffed.login("meera")) == "no_membership"
    [entry] = await staffed.log("member.removed")
    assert (entry["reason"], entry["address"], entry["person_id"]) == ("left", "command line", None)


async def test_a_server_that_nobody_runs_yet_prints_how_to_begin(urls: DatabaseUrls) -> None:
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "coinslot", "web", "--port", str(port),
        stdout=asyncio.subprocess.PIPE, cwd=ROOT,
        env={**env_of(urls), "PYTHONPATH": os.pathsep.join(sys.path), "LOG_LEVEL": "ERROR",
             "COLUMNS": "300", "JWT_SECRET": SECRET},
    )  # fmt: skip
    assert process.stdout is not None
    try:
        async with asyncio.timeout(PATIENCE_S):
            out = (await process.stdout.readuntil(b"Coinslot ready")).decode()
            token = re.search(r"first-run\?token=(\S{40,})", out)
            assert token is not None, out
            async with httpx.AsyncClient(trust_env=False) as client:
                url = f"http://127.0.0.1:{port}/auth"
                body = {"login": "meera", "password": PASSWORD}
                made = await client.post(f"{url}/first-run", json={"token": token[1], **body})
                assert made.status_code == 201, made.text
                tokens = await client.post(f"{url}/login", json=body)
                bearer = {"authorization": f"Bearer {tokens.json()['access_token']}"}
                # Another program reads the token with the secret that the setting names.
                jwt.decode(tokens.json()["access_token"], SECRET, algorithms=["HS256"])
                shown = await client.get(f"{url}/profile", headers=bearer)
                assert shown.json()["role"] == "installation"
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        await process.wait()
