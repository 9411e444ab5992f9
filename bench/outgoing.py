"""(e): webhooks going out of `coinslot worker`, against a plain loop of httpx without a database.
Run as a program it is the receiver: it answers 204 to everything."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from time import perf_counter
from typing import cast
from uuid import UUID

import httpx
import msgspec
import uvloop
from msgspec import Struct

from bench.ground import Base, Ground
from bench.measure import WARM_S, Round
from bench.serving import Serving
from coinslot.events.webhooks.deliver import secret_context
from coinslot.events.webhooks.signing import HookRules, headers, new_secret
from coinslot.kit.clock import SystemClock
from coinslot.kit.ids import uuid7
from coinslot.kit.secrets import Vault

ENDPOINTS = 8
AT_ONCE = HookRules().at_once
_FILL_PER_S = 2000  # more than go out: the queue must not run dry
_LOOK_S = 0.25
_PAYMENT = {
    "id": "01a1ff52-25ec-7800-a63d-94e2c5601e3a", "amount": 5000, "currency": "INR",
    "status": "succeeded", "reference": "order-7", "description": "Two cans of masala cola",
    "metadata": {"basket": "7", "shop": "pune-2"}, "gateway": "mock", "next_action": None,
    "amount_captured": 5000, "amount_refunded": 0, "processing_deadline_at": None,
    "created_at": "2026-11-21T18:15:36.172531Z",
    "attempts": [
        {"id": "01a1ff52-267f-7f3f-b53d-930a269f51f0", "gateway": "mock", "status": "succeeded",
         "gateway_reference": None, "gateway_payment_id": "charge_99c76868cffb5a36ca121a17",
         "failure": None, "started_at": "2026-11-21T18:15:36.319986Z"},
    ],
}  # fmt: skip

_EVENTS = """
INSERT INTO public_events (seq, id, merchant_id, type, line, data, at)
SELECT n, 'evt_' || md5(n::text), m.id, 'payment.succeeded', gen_random_uuid(),
    $2::text::jsonb, now()
FROM generate_series(1, $1::bigint) AS n, (SELECT id FROM merchants LIMIT 1) AS m
"""
_ENDPOINT = """
INSERT INTO webhook_endpoints
    (id, merchant_id, url, description, types, status, secret, secret_set_at, created_at)
SELECT $1, id, $2, '', '{}', 'enabled', $3, now(), now() FROM merchants LIMIT 1
"""
_OWED = """
INSERT INTO deliveries (id, merchant_id, endpoint_id, seq, line, created_at, due_at)
SELECT gen_random_uuid(), merchant_id, ($1::uuid[])[seq % array_length($1::uuid[], 1) + 1], seq,
    line, now(), now() FROM public_events
"""
_TOOK = """
WITH began AS (SELECT min(at) + $1::interval AS at FROM delivery_tries)
SELECT array_agg(t.took_ms) FROM delivery_tries t, began
WHERE t.status = 204 AND t.at >= began.at AND t.at < began.at + $2::interval
"""


class Sent(Struct, frozen=True, kw_only=True):
    """What went out in the same minute: ours, and what a loop without a memory does."""

    plain: Round
    ours: Round


async def measure(ground: Ground, base: Base, folder: Path, seconds: float) -> Sent:
    """On a copy of `base`, which nobody may be connected to."""
    copy = await ground.copy(base, f"{base.name}_outgoing")
    try:
        async with _receiver() as url:
            plain = await _plain(url, seconds)
            ours = await _ours(ground, copy, folder, url, seconds)
    finally:
        await ground.drop(copy)
    return Sent(plain=plain, ours=ours)


def section(sent: Sent) -> str:
    """For the page."""
    return (
        f"{ENDPOINTS} endpoints on this computer, {AT_ONCE} deliveries at once, bodies of "
        f"{len(_body('evt_0'))} bytes. The plain\nloop signs and sends with httpx, and forgets; "
        "the worker claims, signs, sends and keeps what came of each try.\n\n"
        "| | per second | p50 ms | p99 ms |\n| --- | --- | --- | --- |\n"
        + "".join(
            f"| {name} | {of.per_s:,.0f} | {of.p50_ms:.1f} | {of.p99_ms:.1f} |\n"
            for name, of in (("plain loop", sent.plain), ("(e) `coinslot worker`", sent.ours))
        )
        + f"\n    (e)/plain = {ratio(sent):.2f}\n"
    )


def ratio(sent: Sent) -> float:
    return sent.ours.per_s / sent.plain.per_s


def _body(event: str) -> bytes:
    return msgspec.json.encode(
        {"id": event, "type": "payment.succeeded", "timestamp": SystemClock().now(),
         "data": _PAYMENT}
    )  # fmt: skip


async def _plain(url: str, seconds: float) -> Round:
    key, clock, took = new_secret(), SystemClock(), list[float]()
    began = perf_counter()
    counts_from, until = began + WARM_S, began + WARM_S + seconds

    async def send(client: httpx.AsyncClient, event: str) -> None:
        while (start := perf_counter()) < until:
            body = _body(event)
            signed = headers([key], event, clock.now(), body)
            (await client.post(url, content=body, headers=signed)).raise_for_status()
            if start >= counts_from:
                took.append(1000 * (perf_counter() - start))

    # As many clients as servers: with all connections in one, httpx is ten times slower.
    clients = [httpx.AsyncClient(trust_env=False) for _ in range(ENDPOINTS)]
    await asyncio.gather(*(send(clients[n % ENDPOINTS], f"evt_{n:032}") for n in range(AT_ONCE)))
    for client in clients:
        await client.aclose()
    return Round(per_s=len(took) / seconds, took_ms=took)


async def _ours(ground: Ground, base: Base, folder: Path, url: str, seconds: float) -> Round:
    await _fill(ground, base, url, int(_FILL_PER_S * (WARM_S + seconds)))
    await ground.settle()
    worker = Serving("worker", base, folder)
    await worker.start(LOG_LEVEL="WARNING", COINSLOT_WEBHOOK_PRIVATE_ADDRESSES="true")
    try:
        await asyncio.sleep(WARM_S + seconds + 2 * _LOOK_S)
    finally:
        await worker.stop()
    took = await ground.one(base, _TOOK, timedelta(seconds=WARM_S), timedelta(seconds=seconds))
    assert isinstance(took, list)
    return Round(per_s=len(took) / seconds, took_ms=[float(ms) for ms in took])


async def _fill(ground: Ground, base: Base, url: str, deliveries: int) -> None:
    vault, endpoints = Vault.parse(base.keys), list[UUID]()
    for _ in range(ENDPOINTS):
        endpoints.append(uuid7(SystemClock().now()))
        sealed = vault.seal(new_secret().encode(), secret_context(endpoints[-1]))
        place = f"{url}/{len(endpoints)}"
        await ground.one(base, _ENDPOINT, endpoints[-1], place, sealed)
    await ground.one(base, _EVENTS, deliveries, msgspec.json.encode(_PAYMENT).decode())
    await ground.one(base, _OWED, endpoints)


@asynccontextmanager
async def _receiver() -> AsyncIterator[str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.outgoing", stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        yield f"http://127.0.0.1:{int(await process.stdout.readline())}/hooks"
    finally:
        process.terminate()
        await process.wait()


class Taker(asyncio.Protocol):
    """Answers each request with 204 and keeps the connection."""

    def __init__(self) -> None:
        self._read = b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._read += data
        while (end := self._read.find(b"\r\n\r\n")) >= 0:
            head = self._read[:end].lower()
            length = int(head.partition(b"content-length:")[2].split(b"\r\n")[0])
            if len(self._read) < end + 4 + length:
                return
            self._read = self._read[end + 4 + length :]
            self._transport.write(b"HTTP/1.1 204 No Content\r\n\r\n")


async def _take() -> None:
    server = await asyncio.get_running_loop().create_server(Taker, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_take())
