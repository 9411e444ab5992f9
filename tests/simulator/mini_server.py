"""The server's half of the vend protocol, just enough to talk to one machine and remember."""

import asyncio
import hashlib
import hmac
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from coinslot.channels.messages import Unreadable, read_up
from coinslot.channels.reports import read_report

Message = dict[str, Any]

LEASE_MS = 10_000
SILENCE_S = 0.6  # three times the machines' resend period in these tests


@dataclass
class MiniServer:
    """`send` carries a message to the machine; everything heard is kept, in order."""

    send: Callable[[Message], Awaitable[None]]
    secret: str
    acknowledges: bool = True
    heard: list[Message] = field(default_factory=list)
    counts: list[Message] = field(default_factory=list)  # of stock
    unreadable: list[Unreadable] = field(default_factory=list)
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)
    seq: int = 0  # the last one given out

    async def hear(self, message: Message) -> None:
        """Every word of a machine must be readable by the product, or `expect` fails."""
        read = read_up(message)
        if isinstance(read, Unreadable):
            self.unreadable.append(read)
        async with self._news:
            self.heard.append(message)
            self._news.notify_all()
        if message["type"] == "HELLO":
            sync = {"type": "SYNC", "through": 0, "server_time": "2026-01-01T00:00:00Z"}
            await self.send(sync | {"config_version": 1, "queries": []})
        if "event_seq" in message and message["type"] != "STATUS" and self.acknowledges:
            ack = {"type": "EVACK", "journal_id": message["journal_id"]}
            await self.send(ack | {"through": message["event_seq"]})

    async def counted(self, count: Message) -> None:
        """A count of stock, which is no message of a vend."""
        read = read_report("inventory", count)
        if isinstance(read, Unreadable):
            self.unreadable.append(read)
        async with self._news:
            self.counts.append(count)
            self._news.notify_all()

    async def expect_count(self, cause: str, **counts: int) -> Message:
        """The first count for this cause, heard or to come, that says so."""
        async with asyncio.timeout(15), self._news:
            while True:
                for count in self.counts:
                    found = {each["slot"]: each["count"] for each in count["slots"]}
                    if count["cause"] == cause and found.items() >= counts.items():
                        return count
                await self._news.wait()

    async def expect(self, kind: str, start: int = 0, **fields: object) -> Message:
        """The first message, heard or to come, of this type and with these fields."""
        return (await self._enough(kind, 1, start, fields))[0]

    async def expect_later(self, kind: str, **fields: object) -> Message:
        """The next one, whatever was heard before."""
        return await self.expect(kind, len(self.heard), **fields)

    async def rebooted(self, since: Message) -> Message:
        """The first HELLO after that message under another boot_id than its own."""
        start = self.heard.index(since)
        async with asyncio.timeout(15), self._news:
            while True:
                for hello in self.all("HELLO", start):
                    if hello["boot_id"] != since["boot_id"]:
                        return hello
                await self._news.wait()

    async def heard_often(self, kind: str, times: int, **fields: object) -> None:
        await self._enough(kind, times, 0, fields)

    async def silence_of(self, kind: str) -> None:
        """Wait until this type has not been heard for a while."""
        async with asyncio.timeout(10):
            while True:
                before = len(self.all(kind))
                await asyncio.sleep(SILENCE_S)
                if len(self.all(kind)) == before:
                    return

    def all(self, kind: str, start: int = 0, **fields: object) -> list[Message]:
        alike = (m for m in self.heard[start:] if m["type"] == kind)
        return [m for m in alike if fields.items() <= {k: m.get(k) for k in fields}.items()]

    async def _enough(
        self, kind: str, times: int, start: int, fields: dict[str, object]
    ) -> list[Message]:
        async with asyncio.timeout(15), self._news:
            while len(found := self.all(kind, start, **fields)) < times:
                await self._news.wait()
        assert self.unreadable == []
        return found

    async def offer(self, slot: str = "A1") -> tuple[str, int]:
        self.seq += 1
        unit_id = str(uuid.uuid4())
        offer = {"type": "OFFER", "unit_id": unit_id, "seq": self.seq, "slot": slot}
        offer |= {"sku": "cola", "amount_minor": 4000, "price_version": 1}
        await self.send(offer | {"planogram_version": 1, "lease_ms": LEASE_MS})
        return unit_id, self.seq

    async def go(self, accept: Message, slot: str = "A1") -> None:
        await self.send(self.signed_go(accept, slot))

    def signed_go(self, accept: Message, slot: str = "A1") -> Message:
        not_after = accept["mono_ms"] + LEASE_MS
        unit_id, seq, boot_id = accept["unit_id"], accept["seq"], accept["boot_id"]
        signed = f"{unit_id}|{seq}|{slot}|{boot_id}|{not_after}"
        digest = hmac.new(self.secret.encode(), signed.encode(), hashlib.sha256).hexdigest()
        go: Message = {"type": "GO", "unit_id": unit_id, "seq": seq, "boot_id": boot_id}
        return go | {"not_after": not_after, "key_id": "1", "hmac": digest}

    async def vend(self, slot: str = "A1") -> str:
        """OFFER, ACCEPT, GO; the unit's id."""
        unit_id, _ = await self.offer(slot)
        await self.go(await self.expect("ACCEPT", unit_id=unit_id), slot)
        return unit_id

    async def query(self, unit_id: str, seq: int, journal_id: str) -> Message:
        nonce = uuid.uuid4().hex
        query: Message = {"type": "QUERY", "unit_id": unit_id, "seq": seq}
        await self.send(query | {"journal_id": journal_id, "nonce": nonce})
        return await self.expect("STATUS", nonce=nonce)
