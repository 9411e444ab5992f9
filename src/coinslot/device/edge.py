"""Reads messages of machines, passes them to the handler, and sends its answers back.

It decides nothing. What the handler could not commit is not acknowledged, so the machine sends it
again."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, Protocol

import structlog
from msgspec import Struct

from coinslot.channels.base import Channel, Login, Sending
from coinslot.channels.messages import (
    Dispense,
    Down,
    Health,
    MachineDone,
    Unreadable,
    Up,
    read_done,
    read_up,
    to_wire,
)
from coinslot.channels.reports import Report, read_report
from coinslot.device.guarded import guarded
from coinslot.device.heartbeats import HeartbeatBatch
from coinslot.device.report_rates import ReportRates
from coinslot.kit.clock import Clock
from coinslot.kit.failures import Failures
from coinslot.kit.faults import Reached, no_fault

EVERY_NTH_GARBAGE: Final = 100  # after a machine's first: one broken machine must not fill the log

log = structlog.get_logger()


class MachineHandler(Protocol):
    """Handles what machines send. It may raise: then nothing is acknowledged."""

    async def admit(self, outlet: str, secret: str) -> bool:
        """Whether this is that machine's secret."""
        ...

    async def receive(self, outlet: str, up: Up, at: datetime) -> list[Down]:
        """Commit a message of a leased machine; the answers are sent after that."""
        ...

    async def receive_simple(self, outlet: str, done: MachineDone, at: datetime) -> None:
        """Commit a message of a machine of the simple dialect."""
        ...

    async def connected(self, outlet: str) -> None:
        """A machine has its own connection. Behind a broker only its HELLO says so."""
        ...

    def takes(self, kind: str) -> bool:
        """Whether something is done with reports of this kind (`reports.KINDS`)."""
        ...

    async def receive_report(self, outlet: str, report: Report, at: datetime) -> Sequence[Down]:
        """Commit a report of a machine; the answers are sent after that."""
        ...

    async def record_heartbeats(self, heartbeats: list[tuple[str, datetime]]) -> None:
        """When machines were last heard, each at most once."""
        ...


class EdgeOptions(Struct, frozen=True, kw_only=True):
    """The edge's windows of time, in seconds."""

    heartbeats_every_s: float = 1.0
    patience_s: float = 10.0  # for the handler; after it the message counts as not received


class Edge:
    """All channels of this process."""

    def __init__(
        self,
        handler: MachineHandler,
        channels: Sequence[Channel],
        clock: Clock,
        options: EdgeOptions,
        failures: Failures | None = None,
    ) -> None:
        self.counts: Counter[str] = Counter()  # messages by "<channel> <type>", for the metrics
        self.reached: Reached = no_fault  # called at every send; for the storms
        self._handler = handler
        self._channels = {channel.name: channel for channel in channels}
        self._clock = clock
        self._patience_s = options.patience_s
        self._heartbeats = HeartbeatBatch(
            handler.record_heartbeats,
            failures or Failures(clock),
            every_s=options.heartbeats_every_s,
            patience_s=options.patience_s,
        )
        self._garbage: Counter[str] = Counter()
        self._rates = ReportRates(clock)

    async def run(self) -> None:
        """Serve the machines until cancelled."""
        async with asyncio.TaskGroup() as parts:
            parts.create_task(self._heartbeats.run())
            for channel in self._channels.values():
                parts.create_task(channel.run(EdgeInbox(self, channel.name)))

    async def send(
        self, outlet: str, channel: str, message: Down | Dispense | Mapping[str, object]
    ) -> Sending:
        """Send one message down, once."""
        driver = self._channels.get(channel)
        if driver is None:
            return Sending.UNREACHABLE
        wire = message if isinstance(message, Mapping) else to_wire(message)
        self.counts[f"{channel} {wire.get('type')}"] += 1
        self.reached("before_send")
        sending = await driver.send(outlet, wire)
        self.reached("after_send")
        return sending

    async def admit(self, login: Login) -> bool:
        """Whether the machine may connect; False while the handler cannot tell."""
        admitted = await guarded(self._handler.admit(login.outlet, login.secret), self._patience_s)
        if isinstance(admitted, Exception):
            log.error("machine_secret_not_checked", error=repr(admitted))
            return False
        if not admitted:
            log.warning("machine_refused", outlet=login.outlet)
        return admitted

    async def connected(self, outlet: str) -> None:
        """A machine is connected."""
        self.heartbeat(outlet)
        failed = await guarded(self._handler.connected(outlet), self._patience_s)
        if isinstance(failed, Exception):
            self._not_received(outlet, "connected", failed)

    def heartbeat(self, outlet: str) -> None:
        """A machine gave a sign of life."""
        self._heartbeats.note(outlet, self._clock.now())

    async def receive(
        self, outlet: str, channel: str, message: Mapping[str, object] | bytes, at: datetime
    ) -> None:
        """Read one message, pass it to the handler, and send the answers back the same way."""
        kind = message.get("type") if isinstance(message, Mapping) else None
        up = read_done(message) if kind == "machine:done" else read_up(message)
        if isinstance(up, Unreadable):
            self._unreadable(outlet, channel, up)
            return
        self.counts[f"{channel} {type(up).__struct_config__.tag}"] += 1
        self._heartbeats.note(outlet, at)
        if isinstance(up, Health):
            return
        answers = await guarded(self._deliver(outlet, up, at), self._patience_s)
        if isinstance(answers, Exception):
            self._not_received(outlet, type(up).__name__, answers)
            return
        for answer in answers:
            await self.send(outlet, channel, answer)

    def wants(self, outlet: str, channel: str, kind: str) -> bool:
        """Whether a report is passed on: someone takes its kind, and the machine does not send too
        many. What is not is counted."""
        if not self._handler.takes(kind):
            self.counts[f"{channel} {kind} not taken"] += 1
            return False
        if not self._rates.allow(outlet, kind):
            self.counts[f"{channel} {kind} too often"] += 1
            return False
        return True

    async def report(
        self,
        outlet: str,
        channel: str,
        kind: str,
        body: Mapping[str, object] | bytes,
        at: datetime,
    ) -> None:
        """Read one report, pass it to the handler of its kind, and send the answers back."""
        report = read_report(kind, body)
        if isinstance(report, Unreadable):
            self._unreadable(outlet, channel, report)
            return
        self.counts[f"{channel} {kind}"] += 1
        self._heartbeats.note(outlet, at)
        taking = self._handler.receive_report(outlet, report, at)
        answers = await guarded(taking, self._patience_s)
        if isinstance(answers, Exception):
            self._not_received(outlet, kind, answers)
            return
        for answer in answers:
            await self.send(outlet, channel, answer)

    async def _deliver(self, outlet: str, up: Up | MachineDone, at: datetime) -> list[Down]:
        if isinstance(up, MachineDone):
            await self._handler.receive_simple(outlet, up, at)
            return []
        return await self._handler.receive(outlet, up, at)

    def _unreadable(self, outlet: str, channel: str, why: Unreadable) -> None:
        self.counts[f"{channel} unreadable"] += 1
        self._garbage[outlet] += 1
        if self._garbage[outlet] % EVERY_NTH_GARBAGE == 1:
            log.warning(
                "machine_message_unreadable",
                outlet=outlet,
                reason=why.reason,
                so_far=self._garbage[outlet],
            )

    def _not_received(self, outlet: str, kind: str, error: Exception) -> None:
        self.counts["unheard"] += 1
        log.error("machine_message_not_handled", outlet=outlet, kind=kind, exc_info=error)


class EdgeInbox:
    """The edge as one channel sees it."""

    def __init__(self, edge: Edge, channel: str) -> None:
        self._edge = edge
        self._channel = channel

    async def admitted(self, login: Login) -> bool:
        return await self._edge.admit(login)

    async def connected(self, outlet: str, channel: str) -> None:
        log.debug("machine_connected", outlet=outlet, channel=channel)
        await self._edge.connected(outlet)

    async def disconnected(self, outlet: str, channel: str) -> None:
        log.debug("machine_disconnected", outlet=outlet, channel=channel)

    async def heartbeat(self, outlet: str) -> None:
        self._edge.heartbeat(outlet)

    def wants(self, outlet: str, kind: str) -> bool:
        return self._edge.wants(outlet, self._channel, kind)

    async def reported(
        self, outlet: str, kind: str, body: Mapping[str, object] | bytes, at: datetime
    ) -> None:
        await self._edge.report(outlet, self._channel, kind, body, at)

    async def received(
        self, outlet: str, message: Mapping[str, object] | bytes, at: datetime
    ) -> None:
        await self._edge.receive(outlet, self._channel, message, at)
