"""Passes messages of machines to the verbs of `vending`, and messages of `vending` to the
machines."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from coinslot.app.machine_reports import REPORTS, ReportHandler
from coinslot.channels.base import Channel, Sending
from coinslot.channels.messages import Down, Hello, MachineDone, Up
from coinslot.channels.reports import KINDS, Report
from coinslot.context import Context
from coinslot.device.edge import Edge
from coinslot.fleet import pushing
from coinslot.outlets.machines import is_device, owner_of
from coinslot.rollouts import updates
from coinslot.vending import dispatch, machine_messages
from coinslot.vending.plain_messages import HeardMessages


class MachineBridge:
    """The edge's `MachineHandler` on a context. Owners of outlets never change, so they are
    cached."""

    def __init__(
        self, context: Context, reports: Mapping[type[Report], ReportHandler] = REPORTS
    ) -> None:
        self._context = context
        self._owners: dict[str, UUID] = {}
        self.heard = HeardMessages(context.db)
        self._reports = reports
        self._taken = {kind for kind, (shape, _rate) in KINDS.items() if shape in reports}

    async def admit(self, outlet: str, secret: str) -> bool:
        return await is_device(self._context.db, outlet, secret) is not None

    async def receive(self, outlet: str, up: Up, at: datetime) -> list[Down]:
        machine = await self._machine(outlet)
        if isinstance(up, Hello):
            # Before anything is offered: the units would be those of another configuration.
            merchant = machine.merchant_id
            await pushing.heard(self._context, merchant, outlet, up.config_version)
        downs = await machine_messages.receive(self._context, machine, up, at, self.heard)
        if isinstance(up, Hello):
            await updates.greeted(self._context, machine)
        return downs

    async def receive_simple(self, outlet: str, done: MachineDone, at: datetime) -> None:
        await machine_messages.receive_done(self._context, await self._machine(outlet), done, at)

    def takes(self, kind: str) -> bool:
        return kind in self._taken

    async def receive_report(self, outlet: str, report: Report, at: datetime) -> Sequence[Down]:
        machine = await self._machine(outlet)
        return await self._reports[type(report)](self._context, machine, report, at)

    async def connected(self, outlet: str) -> None:
        machine = await self._machine(outlet)
        await machine_messages.record_heartbeats(self._context, {outlet: self._context.now()})
        await dispatch.offer_next(self._context, machine.merchant_id, outlet)

    async def record_heartbeats(self, heartbeats: list[tuple[str, datetime]]) -> None:
        await machine_messages.record_heartbeats(self._context, dict(heartbeats))

    async def _machine(self, outlet: str) -> machine_messages.Machine:
        if outlet not in self._owners:
            self._owners[outlet] = await owner_of(self._context.db, outlet)
        return machine_messages.Machine(outlet, self._owners[outlet])


class EdgeLink:
    """The context's `MachineLink` over this process's channels."""

    def __init__(self, channels: Sequence[Channel]) -> None:
        self._channels = {channel.name: channel for channel in channels}
        self.edge: Edge | None = None

    def channels(self) -> Sequence[str]:
        return list(self._channels)

    def reaches(self, outlet: str, channel: str) -> bool:
        driver = self._channels.get(channel)
        return driver is not None and driver.reaches(outlet)

    async def send(self, outlet: str, channel: str, message: Mapping[str, object]) -> Sending:
        if self.edge is None:
            return Sending.UNREACHABLE
        return await self.edge.send(outlet, channel, message)
