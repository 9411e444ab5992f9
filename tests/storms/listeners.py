"""Merchants' servers that listen: what each webhook said, in the order it came, judged by the
official library. Now and then they answer with an error, or too late."""

import random
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import asyncpg
from aiohttp import web
from standardwebhooks import Webhook, WebhookVerificationError

from coinslot.app.demo_world import MERCHANTS
from coinslot.kit.ids import token

if TYPE_CHECKING:
    from tests.storms.town import Town

_RUDE = 0.15  # share of webhooks that are answered with an error
_WANTED = """
SELECT p.seq, p.id, p.line, p.type, m.slug FROM public_events p
JOIN merchants m ON m.id = p.merchant_id ORDER BY p.seq
"""


class Listeners:
    """One address for each merchant of the town."""

    def __init__(self, town: "Town") -> None:
        self._town = town
        self._dice = random.Random(0)
        self._secrets: dict[str, list[str]] = {}  # the last one first
        self._heard: dict[str, list[str]] = defaultdict(list)  # ids of events, by merchant
        self._said: dict[str, dict[str, Any]] = {}  # events, by id
        self._false: list[str] = []
        self._runner: web.AppRunner | None = None

    async def open(self) -> None:
        """Listen, and have every merchant name its address."""
        app = web.Application()
        app.router.add_post("/{merchant}", self._hear)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        for merchant in MERCHANTS:
            headers = {
                "Authorization": f"Bearer {self._town.world.known.api_keys[merchant]}",
                "Idempotency-Key": token(),
            }
            body = {"url": f"http://{host}:{port}/{merchant}"}
            url = f"{self._town.web_url}/webhook_endpoints"
            answer = await self._town.http.post(url, json=body, headers=headers)
            self.hear_with(merchant, answer.raise_for_status().json()["secret"])

    def hear_with(self, merchant: str, secret: str) -> None:
        """Beside the one before: what is on its way was signed with that."""
        self._secrets[merchant] = [secret, *self._secrets.get(merchant, [])][:2]

    async def close(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _hear(self, request: web.Request) -> web.Response:
        merchant, body = request.match_info["merchant"], await request.read()
        try:
            said = self._verified(merchant, body, dict(request.headers))
        except WebhookVerificationError as error:
            self._false.append(f"{merchant}: {error}")
            return web.Response(status=401)
        if self._dice.random() < _RUDE:
            return web.Response(status=self._dice.choice((500, 503, 429)))
        self._heard[merchant].append(said["id"])
        self._said[said["id"]] = said
        return web.Response(status=204)

    def _verified(self, merchant: str, body: bytes, headers: dict[str, str]) -> Any:
        first, *before = self._secrets[merchant]
        try:
            return Webhook(first).verify(body, headers)
        except WebhookVerificationError:
            if not before:
                raise
            return Webhook(before[0]).verify(body, headers)

    async def breaches(self) -> list[str]:
        """Every event came, each payment's in their order, and the last says how it stands."""
        found = [f"a webhook with a false signature: {each}" for each in self._false]
        rows = await self._town.rows(_WANTED)
        for row in rows:
            if row["id"] not in self._heard[row["slug"]]:
                found.append(f"never told: {dict(row)}")
        for merchant in MERCHANTS:
            found += self._disordered(merchant, [row for row in rows if row["slug"] == merchant])
        return found + await self._stale()

    def _disordered(self, merchant: str, rows: list[asyncpg.Record]) -> list[str]:
        """An event may come again, but not for the first time before one that was earlier."""
        first = {event: at for at, event in reversed(list(enumerate(self._heard[merchant])))}
        latest: dict[object, tuple[int, str]] = {}
        found = []
        for row in rows:
            came = first.get(row["id"])
            if came is None:
                continue
            before = latest.get(row["line"], (-1, ""))
            if came < before[0]:
                found.append(f"{merchant}: {row['type']} was told before {before[1]}: {dict(row)}")
            latest[row["line"]] = max(before, (came, row["type"]))
        return found

    async def _stale(self) -> list[str]:
        """What was last told of each payment is what it is."""
        last: dict[str, str] = {}
        for row in await self._town.rows(_WANTED):
            said = self._said.get(row["id"])
            if said is not None and row["type"].startswith("payment."):
                last[said["data"]["id"]] = row["type"].removeprefix("payment.")
        states = {
            str(row["id"]): row["state"]
            for row in await self._town.rows("SELECT id, state FROM payments")
        }
        return [
            f"payment {payment} is {states[payment]}, and {told} was told last"
            for payment, told in last.items()
            if states[payment] != told
        ]
