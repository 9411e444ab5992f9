"""What machines say, brought to the verbs of the heart; and the heart's way to the machines."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from coinslot.channels.base import Channel, Sending
from coinslot.channels.messages import Down, MachineDone, Up
from coinslot.device.edge import Edge
from coinslot.outlets.machines import is_device, owner_of
from coinslot.sales import dispatch, vend
from coinslot.sales.shop import Shop


class ShopEars:
    """The edge's `Ears` on a shop. Owners of outlets never change, so they are remembered."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self._owners: dict[str, UUID] = {}

    async def admit(self, outlet: str, secret: str) -> bool:
        return await is_device(self._shop.db, outlet, secret) is not None

    async def hear(self, outlet: str, up: Up, at: datetime) -> list[Down]:
        return await vend.hear(self._shop, await self._machine(outlet), up, at)

    async def hear_simple(self, outlet: str, done: MachineDone, at: datetime) -> None:
        await vend.hear_done(self._shop, await self._machine(outlet), done, at)

    async def connected(self, outlet: str) -> None:
        machine = await self._machine(outlet)
        await vend.beats(self._shop, {outlet: self._shop.now()})
        await dispatch.offer_next(self._shop, machine.merchant_id, outlet)

    async def beats(self, beats: list[tuple[str, datetime]]) -> None:
        await vend.beats(self._shop, dict(beats))

    async def _machine(self, outlet: str) -> vend.Machine:
        if outlet not in self._owners:
            self._owners[outlet] = await owner_of(self._shop.db, outlet)
        return vend.Machine(outlet, self._owners[outlet])


class EdgeLine:
    """The shop's `Line` over this process's channels."""

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
