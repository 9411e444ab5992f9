"""`coinslot cases` and `coinslot reconcile` over an embedded database."""

import asyncio
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import pytest
from typer.testing import CliRunner

from coinslot.commands import build
from coinslot.commands.reconcile import verdict
from coinslot.db.embedded import EmbeddedPostgres, running_superuser_url
from coinslot.oversight.reconcile import Compared
from tests import inside
from tests.scenarios.installation import coinslot

A_STRAY = (
    "WITH m AS (INSERT INTO merchants (id, name, slug, created_at)"
    " VALUES (gen_random_uuid(), 'Asha', 'asha', now()) RETURNING id)"
    " INSERT INTO strays (merchant_id, machine, subject_id, state, event, data, at)"
    " SELECT id, 'order', id, 'placed', 'SNEEZED', '{}', now() - interval '3 hours' FROM m"
)


async def said(folder: Path, *words: str) -> tuple[int, str]:
    """Exit code, and what was said."""
    env = {"COLUMNS": "200", "LOG_LEVEL": "ERROR"}
    asked = (*words, "--data", str(folder))
    done = await asyncio.to_thread(inside.coinslot, *asked, env=env)
    return done.returncode, done.stdout + done.stderr


async def listed(folder: Path, *more: str) -> list[dict[str, Any]]:
    code, out = await said(folder, "cases", "--json", *more)
    assert code == 0, out
    found: list[dict[str, Any]] = msgspec.json.decode(out)
    return found


async def test_a_person_lists_and_closes_what_wants_one(tmp_path: Path) -> None:
    # A process of its own, since it starts the server and ends it.
    made = await asyncio.to_thread(coinslot, "migrate", "--data", str(tmp_path), env={})
    assert made.returncode == 0, made.stderr
    server = EmbeddedPostgres(tmp_path, durable=False)
    await server.start()
    try:
        assert await said(tmp_path, "cases") == (0, "nothing wants a person\n")
        hand = await asyncpg.connect(running_superuser_url(tmp_path))
        await hand.execute(A_STRAY)
        await hand.close()
        (case,) = await listed(tmp_path)
        assert (case["kind"], case["owner"], case["data"]["event"]) == (
            "stray", "operator", "SNEEZED",
        )  # fmt: skip
        number = str(case["id"])
        by = ("--by", "Asha", "--note", "told the developers")
        code, out = await said(tmp_path, "cases", "settle", number, "--as", "failed", *by)
        assert (code, "does not end this way" in out) == (1, True)
        assert await said(tmp_path, "cases", "close", number, *by) == (
            0, f"case {number} is closed; no money moved\n",
        )  # fmt: skip
        assert await listed(tmp_path) == []
        assert "closed by Asha: closed (told the dev" in (await said(tmp_path, "cases", "--all"))[1]
        (case,) = await listed(tmp_path, "--all")
        assert (case["closed_by"], case["note"]) == ("Asha", "told the developers")
        code, out = await said(tmp_path, "reconcile", "--json")
        assert (code, msgspec.json.decode(out)) == (0, {"accounts": {}, "breaks": []})
    finally:
        await server.stop()


@pytest.mark.parametrize(
    "span", [("--since", "2026-01-03", "--until", "2026-01-01"), ("--since", "2199-01-01")]
)
def test_a_span_in_which_nothing_can_lie_is_refused(span: tuple[str, ...]) -> None:
    done = CliRunner().invoke(build(), ["reconcile", *span], env={"COLUMNS": "120"})
    assert (done.exit_code, "--since" in done.output) == (2, True)


def test_the_last_line_does_not_call_unread_accounts_compared() -> None:
    away, well = Compared(failure="payments: HTTP 503"), Compared()
    said = verdict({"mock/asha": well, "stripe/asha": away}, [])
    assert "1 of 2 accounts could not be compared in full (stripe/asha)" in said
    assert "no break is open" not in said
    assert "no break is open" in verdict({"mock/asha": well}, [])
