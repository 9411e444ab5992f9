"""Passes messages of machines to the verbs of `vending`, and messages of `vending` to the
machines."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from coinslot.channels.base import Channel, Sending
from coinslot.channels.messages import Down, MachineDone, Up
from coinslot.context import Context
from coinslot.device.edge import Edge
from coinslot.outlets.machines import is_device, owner_of
from coinslot.vending import dispatch, machine_messages


class MachineBridge:
    """The edge's `MachineHandler` on a context. Owners of outlets never change, so they are
    cached."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._owners: dict[str, UUID] = {}

    async def admit(self, outlet: str, secret: str) -> bool:
        return await is_device(self._context.db, outlet, secret) is not None

    async def receive(self, outlet: str, up: Up, at: datetime) -> list[Down]:
        return await machine_messages.receive(self._context, await self._machine(outlet), up, at)

    async def receive_simple(self, outlet: str, done: MachineDone, at: datetime) -> None:
        await machine_messages.receive_done(self._context, await self._machine(outlet), done, at)

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

    def reaches(self, outlet: str, channel: str) -> bool:
        driver = self._channels.get(channel)
        return driver is not None and driver.reaches(outlet)

    async def send(self, outlet: str, channel: str, message: Mapping[str, object]) -> Sending:
        if self.edge is None:
            return Sending.UNREACHABLE
        return await self.edge.send(outlet, channel, message)
