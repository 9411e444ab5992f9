"""What is changed of an account in one process holds in another one at once: it hears of it, and
opens the account anew."""

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.conftest import DatabaseUrls
from tests.people.conftest import Staffed

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
async def elsewhere(staffed: Staffed, urls: DatabaseUrls) -> AsyncIterator[asyncio.StreamReader]:
    """What another process says of Asha's account."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.console.follower", urls.app, urls.door,
        str(staffed.stage.account.id), (b"k" * 32).hex(), cwd=ROOT,
        env={"PYTHONPATH": "src:."}, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    assert await said(process.stdout) == "as it was"  # it listens
    yield process.stdout
    process.kill()
    await process.wait()


async def said(output: asyncio.StreamReader) -> str:
    async with asyncio.timeout(30):
        return (await output.readline()).decode().strip()


@pytest.mark.parametrize("column", ["settings", "former", "disabled_at"])
async def test_what_is_written_of_an_account_is_heard_elsewhere_and_it_is_opened_anew(
    staffed: Staffed, elsewhere: asyncio.StreamReader, column: str
) -> None:
    """Keys, secrets that were replaced, and whether it takes new payments."""
    account = staffed.stage.account.id
    async with staffed.stage.context.db.as_merchant(staffed.merchant) as conn:
        await conn.execute(
            f"UPDATE gateway_accounts SET {column} = {column} WHERE id = $1", account
        )
    assert await said(elsewhere) == "opened anew"
