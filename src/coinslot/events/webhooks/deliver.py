"""Sends webhooks to merchants: what is due is claimed under a lease, sent, and its outcome
recorded. If the process dies in between, another one sends the same webhook-id again: at least
once."""

import asyncio
import random
from collections import Counter
from contextlib import suppress
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from uuid import UUID

import asyncpg
import msgspec
import prometheus_client
import structlog

from coinslot.context import Context
from coinslot.db.pool import AWAY, Connection
from coinslot.events.feed import EventStatement
from coinslot.events.webhooks.delivery_queries import CLAIM, LET_GO, SETTLE
from coinslot.events.webhooks.safe_http import SafeHttp, TryOutcome
from coinslot.events.webhooks.signing import HookRules, headers
from coinslot.kit.clock import wait_at_most
from coinslot.kit.faults import Reached, no_fault
from coinslot.states.store import TELL

Place = tuple[UUID, UUID]  # an endpoint, and its merchant

log = structlog.get_logger(__name__)

_SENT = prometheus_client.Counter("coinslot_webhook_tries_total", "Webhooks sent", ("result",))
_GATHER_S = 0.01
_GONE, _THROTTLED = 410, frozenset({429, 502, 503, 504})

_WELL = """
UPDATE webhook_endpoints SET failing_since = NULL, not_before = NULL
WHERE id = $1 AND failing_since IS NOT NULL
"""
_FAILS = """
UPDATE webhook_endpoints SET failing_since = coalesce(failing_since, $2),
    not_before = greatest(not_before, $3)
WHERE id = $1 RETURNING failing_since
"""
_DISABLE = """
UPDATE webhook_endpoints SET status = 'disabled', disabled_reason = $2
WHERE id = $1 AND status = 'enabled' AND deleted_at IS NULL RETURNING merchant_id, url
"""


class WebhookSender:
    """Delivers what is due. Any number of them, in any number of processes."""

    def __init__(self, context: Context, rules: HookRules, reach: SafeHttp | None = None) -> None:
        self._context = context
        self._rules = rules
        self._reach = reach or SafeHttp(timeout_s=rules.timeout_s, private=rules.private_addresses)
        self._random = random.SystemRandom()
        self._busy: Counter[Place] = Counter()  # under way here
        self._slow: set[asyncio.Task[None]] = set()  # those of them that freed their place
        self.reached: Reached = no_fault  # called at every call; for the storms

    async def run(self) -> None:
        """Deliver until cancelled: at once when woken or a place is free again."""
        wake = self._context.wakes.of("deliveries")
        under_way: dict[asyncio.Task[None], asyncpg.Record] = {}

        def ended(task: asyncio.Task[None]) -> None:
            del under_way[task]
            self._slow.discard(task)
            wake.set()

        def set_aside(task: asyncio.Task[None]) -> None:
            if task in under_way:
                self._slow.add(task)
                wake.set()

        try:
            while True:
                wake.clear()
                claimed = []
                try:
                    claimed = await self._claim(self._free())
                    self._context.failures.succeeded("webhooks_not_claimed")
                except (asyncpg.PostgresError, *AWAY) as error:
                    log.warning("webhooks_not_claimed", error=repr(error))
                    self._context.failures.failed("webhooks_not_claimed", error)
                for row in claimed:
                    task = asyncio.create_task(self._deliver_or_log(row))
                    under_way[task] = row
                    task.add_done_callback(ended)
                    asyncio.get_running_loop().call_later(self._rules.slow_s, set_aside, task)
                await wait_at_most(wake, self._rules.poll_s)
                if under_way:
                    await asyncio.sleep(_GATHER_S)  # more places are free soon: one claim for all
        finally:
            await self._stop(dict(under_way))

    def _free(self) -> int:
        quick = self._busy.total() - len(self._slow)
        return min(self._rules.at_once - quick, self._rules.slow_at_once - len(self._slow))

    async def _stop(self, under_way: dict[asyncio.Task[None], asyncpg.Record]) -> None:
        """What is under way gets a moment; what does not end in it is released to another process,
        which sends the same webhook-id again."""
        if under_way:
            await asyncio.wait(under_way, timeout=self._rules.grace_s)
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)
        with suppress(asyncpg.PostgresError, *AWAY):
            async with self._context.db.system_connection() as conn:
                await conn.executemany(
                    LET_GO, [(row["id"], row["leased_until"]) for row in under_way.values()]
                )
        await self._reach.close()

    async def deliver_due(self) -> int:
        """Everything that is due now and becomes due by it; returns the number of tries."""
        tries = 0
        while claimed := await self._claim(self._rules.at_once):
            await asyncio.gather(*(self.deliver(row) for row in claimed))
            tries += len(claimed)
        return tries

    async def deliver(self, row: asyncpg.Record) -> None:
        """One try of a claimed row."""
        try:
            await self._deliver(row)
        finally:
            self._busy[_place(row)] -= 1

    async def _deliver(self, row: asyncpg.Record) -> None:
        body = msgspec.json.encode(
            EventStatement(id=row["event"], type=row["type"], timestamp=row["at"], data=row["data"])
        )
        keys = self._keys(row)
        self.reached("before_send")
        told = await self._reach.post(
            row["url"], headers(keys, row["event"], self._context.now(), body), body
        )
        self.reached("after_send")
        _SENT.labels("delivered" if told.well else "failed").inc()
        await self._settle(row, told)

    async def _deliver_or_log(self, row: asyncpg.Record) -> None:
        try:
            await self.deliver(row)
        except (asyncpg.PostgresError, *AWAY, ValueError, LookupError) as error:
            # It stays leased, and is due again when the lease ends.
            log.exception("webhook_not_settled", delivery=str(row["id"]), error=repr(error))
            self._context.failures.failed("webhook_not_settled", error, row["id"])
        else:
            self._context.failures.succeeded("webhook_not_settled", row["id"])

    async def _claim(self, room: int) -> list[asyncpg.Record]:
        if room <= 0:
            return []
        lease = timedelta(seconds=self._rules.timeout_s + self._rules.lease_slack_s)
        self._busy = +self._busy  # those with something under way
        rules, busy = self._rules, self._busy
        async with self._context.db.system_connection() as conn:
            rows = await conn.fetch(
                CLAIM, self._context.now(), room, rules.at_once_each, lease,
                [endpoint for endpoint, _ in busy], [merchant for _, merchant in busy],
                [*busy.values()], rules.at_once_merchant,
            )  # fmt: skip
        self._busy.update(_place(row) for row in rows)
        return rows

    def _keys(self, row: asyncpg.Record) -> list[str]:
        """The secrets that sign: during a rotation's overlap the old one too."""
        endpoint = row["endpoint_id"]
        sealed = [row["secret"]]
        if row["old_secret"] is not None and self._context.now() < row["old_secret_until"]:
            sealed.append(row["old_secret"])
        return [self._context.vault.open(one, secret_context(endpoint)).decode() for one in sealed]

    async def _settle(self, row: asyncpg.Record, told: TryOutcome) -> None:
        now = self._context.now()
        outcome, due_at = self._outcome(row["tries"] + 1, told, now)
        async with self._context.db.as_merchant(row["merchant_id"]) as conn:
            kept = await conn.fetchval(
                SETTLE, row["id"], row["leased_until"], outcome, due_at, now,
                told.status, told.failure, told.response, told.took_ms,
                due_at and due_at + timedelta(seconds=sum(self._rules.pauses_s)),
            )  # fmt: skip
            if not kept:
                log.warning("webhook_claimed_elsewhere", delivery=str(row["id"]))
            elif not told.well:
                await self._count_against(conn, row, told, now)
            elif row["failing_since"] is not None:
                await conn.execute(_WELL, row["endpoint_id"])
        if outcome == "given_up":
            log.warning("webhook_given_up", delivery=str(row["id"]), type=row["type"])

    def _outcome(
        self, tries: int, told: TryOutcome, now: datetime
    ) -> tuple[str | None, datetime | None]:
        """How it ended, or when it is tried again."""
        if told.well:
            return "delivered", None
        if tries > len(self._rules.pauses_s):
            return "given_up", None
        pause_s = self._rules.pauses_s[tries - 1]
        pause_s *= 1 + self._random.random() * self._rules.jitter
        return None, now + max(timedelta(seconds=pause_s), self._asked_for(told, now))

    def _asked_for(self, told: TryOutcome, now: datetime) -> timedelta:
        """The pause of a Retry-After, within bounds."""
        if told.status not in _THROTTLED or told.retry_after is None:
            return timedelta(0)
        longest = timedelta(seconds=self._rules.retry_after_max_s)
        if told.retry_after.isascii() and told.retry_after.isdecimal():
            return min(timedelta(seconds=int(told.retry_after[:9])), longest)
        try:
            until = parsedate_to_datetime(told.retry_after)
            return min(max(until - now, timedelta(0)), longest)
        except (ArithmeticError, ValueError, TypeError):  # a date may be out of range
            return timedelta(0)

    async def _count_against(
        self, conn: Connection, row: asyncpg.Record, told: TryOutcome, now: datetime
    ) -> None:
        """A throttle holds the whole endpoint; 410 or days of failing disable it, and say so."""
        asked = self._asked_for(told, now)
        since = await conn.fetchval(_FAILS, row["endpoint_id"], now, now + asked if asked else None)
        reason = None
        if told.status == _GONE:
            reason = "gone"
        elif now - since >= timedelta(seconds=self._rules.disable_s):
            reason = "failing"
        disabled = reason and await conn.fetchrow(_DISABLE, row["endpoint_id"], reason)
        if disabled:
            log.warning("webhook_endpoint_disabled", endpoint=str(row["endpoint_id"]), why=reason)
            said = {"reason": reason, "url": disabled["url"]}
            merchant = disabled["merchant_id"]
            await conn.execute(TELL, merchant, "webhook", row["endpoint_id"], "DISABLED", said, now)


def _place(row: asyncpg.Record) -> Place:
    return row["endpoint_id"], row["merchant_id"]


def secret_context(endpoint: object) -> str:
    """What binds a sealed secret to its endpoint."""
    return f"webhook_endpoints/{endpoint}/secret"
