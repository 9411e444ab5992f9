"""`Backend` of the pages and of the webhooks, answered by the verbs of the rooms below."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime

import asyncpg

from coinslot.app.process_reports import ProcessReport
from coinslot.context import Context
from coinslot.db.pool import AWAY
from coinslot.events.mirror.mirror import Lag
from coinslot.merchants.clocks import clocks_apart
from coinslot.orders import checkout, fulfillment, outlet_pages
from coinslot.orders.checkout import WayTap
from coinslot.orders.order_updates import OrderUpdates
from coinslot.orders.page_views import Check, Devices, Health, OrderView, OutletView
from coinslot.pages.backend import Basket
from coinslot.payments.gateway_webhooks import WebhookAnswer, take_webhook

_HEALTH_S = 2.0  # a slower database counts as unreachable
_PULSE_COUNTS_MS = 1_000
_TOLD_AT_MOST = 10


class ContextBackend:
    """The `Backend` of the pages, on a context."""

    def __init__(
        self,
        context: Context,
        version: str,
        broker_stands: Callable[[], bool] | None,
        mirror_lag: Callable[[], Awaitable[Lag]] | None = None,
        answer_s: float = 5.0,
    ) -> None:
        self._context = context
        self._answer_s = answer_s
        self._probe = _CommitProbe(context)
        self._following = OrderUpdates(context.db, self.order, background=context.background)
        self._version = version
        self._broker_stands = broker_stands
        self._mirror_lag = mirror_lag
        self.failing: Callable[[], Sequence[ProcessReport]] = tuple  # app sets who knows them

    async def outlet(self, code: str) -> OutletView | None:
        return await outlet_pages.outlet(self._context, code)

    async def order(self, token: str) -> OrderView | None:
        return await outlet_pages.order(self._context, token)

    async def version(self, token: str) -> int | None:
        return await self._following.version(token)

    async def changed(self, token: str, seen: int, patience_s: float) -> OrderView | None:
        return await self._following.changed(token, seen, patience_s)

    async def find(
        self, outlet: str, minor: int, minutes: Sequence[datetime]
    ) -> Sequence[OrderView]:
        return await outlet_pages.find(self._context, outlet, minor, minutes)

    async def find_by_reference(self, outlet: str, reference: str) -> str | None:
        return await outlet_pages.find_by_reference(self._context, outlet, reference)

    async def place(self, basket: Basket) -> str:
        return await checkout.place(
            self._context,
            checkout.OrderRequest(
                outlet=basket.outlet,
                slot=basket.slot,
                key=basket.key,
                browser=basket.browser,
                network=basket.network,
            ),
        )

    async def pay(self, token: str, way: str, key: str | None) -> bool:
        begun = await checkout.pay(self._context, WayTap(order=token, way=way, key=key))
        return begun is not None

    async def own_orders(self, outlet: str, browser: str) -> Sequence[OrderView]:
        return await outlet_pages.own_orders(self._context, outlet, browser)

    async def ask_gateway(self, token: str) -> None:
        await checkout.ask_gateway(self._context, token)

    async def ask_machine(self, token: str) -> None:
        await fulfillment.nothing_came(self._context, token)

    async def has_come(self, token: str) -> None:
        said = fulfillment.Testimony(came=True, by=fulfillment.CUSTOMER)
        await fulfillment.told(self._context, token, said)

    async def take_webhook(
        self, gateway: str, account: str | None, headers: Mapping[str, str], body: bytes
    ) -> WebhookAnswer:
        # A gateway that gets no answer closes the connection and may count it against us. So it is
        # told to send again (503). The webhook may be stored all the same, and is then recognised.
        async with asyncio.timeout(self._answer_s):
            found = await self._context.accounts.by_slug(gateway, account)
            if found is None:
                return WebhookAnswer(status=404, code="unknown_account", message="no such account")
            return await take_webhook(self._context, found, headers, body)

    async def health(self) -> Health:
        devices = Devices(online=0, offline=0, total=0)
        try:
            async with asyncio.timeout(_HEALTH_S):
                await self._probe.check()
                devices = await self._devices()
                checks = {
                    "database": Check(status="healthy"),
                    **await self._behind(),
                    **await self._clocks(),
                }
        except (asyncpg.PostgresError, TimeoutError, *AWAY) as error:
            checks = {"database": Check(status="unhealthy", detail=type(error).__name__)}
        if self._broker_stands is not None:
            stands = self._broker_stands()
            checks["broker"] = Check(status="healthy" if stands else "degraded")
        if self._context.breakers.known:
            away = self._context.breakers.away()
            checks["gateway"] = Check(
                status="degraded" if away else "healthy", detail=", ".join(away)
            )
        checks["background"] = _background(self.failing())
        worst = {check.status for check in checks.values()}
        status = next(s for s in ("unhealthy", "degraded", "healthy") if s in worst)
        return Health(status=status, version=self._version, checks=checks, devices=devices)

    async def _behind(self) -> dict[str, Check]:
        """A mirror that is late is a warning: no sale waits for it."""
        if self._mirror_lag is None:
            return {}
        lag = await self._mirror_lag()
        told = f"{lag.entries} entries, {lag.late_s:.0f} s behind" if lag.entries else ""
        return {"mirror": Check(status="degraded" if lag.is_late else "healthy", detail=told)}

    async def _clocks(self) -> dict[str, Check]:
        """A clock that is wrong is a warning: deadlines allow for the difference where it is
        known."""
        found = await clocks_apart(self._context.db)
        told = ", ".join(sorted({str(one) for one in found}))
        return {"clock": Check(status="degraded" if found else "healthy", detail=told)}

    async def _devices(self) -> Devices:
        since = self._context.now() - self._context.windows.span("online_s")
        async with self._context.db.system_transaction() as conn:
            row = await conn.fetchrow(
                "SELECT count(*) AS total, count(*) FILTER (WHERE last_seen_at > $1) AS online"
                " FROM devices",
                since,
            )
        if row is None:
            return Devices(online=0, offline=0, total=0)
        return Devices(
            online=row["online"], offline=row["total"] - row["online"], total=row["total"]
        )


def _background(failing: Sequence[ProcessReport]) -> Check:
    """Work that fails in some process is a warning: what it owes stays written down."""
    told = [f"{report.name}: {one}" for report in failing for one in report.failing]
    rest = len(told) - _TOLD_AT_MOST
    detail = "; ".join([*told[:_TOLD_AT_MOST], *([f"and {rest} more"] if rest > 0 else [])])
    return Check(status="degraded" if told else "healthy", detail=detail)


class _CommitProbe:
    """Whether a commit completes: one write at a time, however many callers ask, and a success
    counts for a moment.

    A caller that stops waiting leaves the write running, so that a stall costs one connection, not
    one for each check."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._write: asyncio.Task[None] | None = None
        self._well_until_ms = -1

    async def check(self) -> None:
        """Raises what the write raised."""
        if self._context.clock.monotonic_ms() < self._well_until_ms:
            return
        if self._write is None or self._write.done():
            self._write = self._context.background.start(self._written(), "health")
            # The caller may be gone when it fails.
            self._write.add_done_callback(lambda write: write.cancelled() or write.exception())
        await asyncio.shield(self._write)

    async def _written(self) -> None:
        async with self._context.db.system_connection() as conn:
            await conn.execute("UPDATE pulse SET beat_at = $1", self._context.now())
        self._well_until_ms = self._context.clock.monotonic_ms() + _PULSE_COUNTS_MS
