"""The live feed of the control page: lines of what happened, and whole fragments to put in."""

import asyncio
import re
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager

import msgspec

from sandbox.clock import hour_minute_second
from sandbox.machines import Machines
from sandbox.store import Change, Store

QUEUE_LIMIT = 500
# Newest of each kind: what is said often does not push out what is said rarely.
KEPT = {"money": 60, "machines": 40, "webhooks": 40, "calls": 40, "mirror": 20}
PARTS = ("phone", "totals", "weather", "coffee", "handset", "tickets")  # any commit may change them
LOOK_S, HEARTBEAT_S = 0.15, 15.0


BAD = re.compile(r"lost|fail|closed|switched off|no answer|Error|: [45]\d\d$|has no webhook")
GOOD = re.compile(r"captured$|processed$|: 2\d\d$")


WEBHOOK, CALL = re.compile(r"webhook "), re.compile(r"[A-Z]+ /")
MIRRORED = re.compile(r"(PUT|PATCH|POST|DELETE) [^/]")


class Item(msgspec.Struct, frozen=True):
    """One event: `line` with JSON {at, text, tone}, or `changed` with the name of a part."""

    name: str
    data: str


END = Item("end", "")


class Feed:
    """Knows who is watching; the machines' files are looked at only while somebody is."""

    def __init__(self, store: Store, machines: Machines) -> None:
        self._machines = machines
        self._watchers: set[asyncio.Queue[Item]] = set()
        self._stamps: dict[str, tuple[int, ...]] = {}
        self._ended = False
        self._said = 0
        self._lines: dict[str, deque[tuple[int, dict[str, str]]]] = {
            name: deque(maxlen=kept) for name, kept in KEPT.items()
        }
        store.on_commit.append(self._hear)

    def _hear(self, change: Change) -> None:
        for text in change.news:
            self.say(text)
        if change.news:
            for part in PARTS:
                self._send(Item("changed", part))

    def say(self, text: str) -> None:
        line = {
            "at": hour_minute_second(), "text": text, "tone": tone(text), "kind": kind(text),
            "kept": str(KEPT[kind(text)]),
        }  # fmt: skip
        self._said += 1
        self._lines[line["kind"]].append((self._said, line))
        self._send(Item("line", msgspec.json.encode(line).decode()))

    @property
    def lines(self) -> list[dict[str, str]]:
        """Oldest first."""
        numbered = [pair for lines in self._lines.values() for pair in lines]
        return [line for _, line in sorted(numbered, key=lambda pair: pair[0])]

    def end(self) -> None:
        """Let every watcher go, so that the server can stop at once."""
        self._ended = True
        self._send(END)

    def _parts(self) -> list[str]:
        machines = [f"machine-{outlet}" for outlet in self._machines.known]
        return [*PARTS, *machines]

    def _send(self, item: Item) -> None:
        for watcher in self._watchers:
            if watcher.qsize() < QUEUE_LIMIT:  # one who stopped reading misses some
                watcher.put_nowait(item)

    async def run(self) -> None:
        """Notice what changes in the machines' files, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_S)
            if self._watchers:
                self._look()

    def _look(self) -> None:
        for outlet in self._machines.known:
            stamp = self._machines.stamp(outlet)
            before = self._stamps.setdefault(outlet, stamp)
            if stamp != before:
                self._stamps[outlet] = stamp
                if stamp[0] != before[0] and (journal := self._machines.journal(outlet)):
                    self.say(f"{outlet}: something dropped out of {journal[-1]['slot']}")
                self._send(Item("changed", f"machine-{outlet}"))
                self._send(Item("changed", "totals"))

    async def watch(self, paint: Callable[[str], str]) -> AsyncIterator[Item]:
        """Items for one watcher. `paint` makes the JSON of a changed part, when it is sent."""
        with self._watching() as queue:
            self._look()  # what changes from here on is noticed
            for part in self._parts():  # one who comes back after a break has missed some
                queue.put_nowait(Item("changed", part))
            while not self._ended:
                try:
                    item = await asyncio.wait_for(queue.get(), HEARTBEAT_S)
                except TimeoutError:
                    yield Item("", "")
                    continue
                waiting = {item: None}
                while not queue.empty():
                    waiting[queue.get_nowait()] = None  # a part that changed twice is sent once
                for one in waiting:
                    if one is END:
                        return
                    yield one if one.name == "line" else Item("part", paint(one.data))

    @contextmanager
    def _watching(self) -> Iterator[asyncio.Queue[Item]]:
        queue: asyncio.Queue[Item] = asyncio.Queue()
        self._watchers.add(queue)
        try:
            yield queue
        finally:
            self._watchers.discard(queue)


def tone(text: str) -> str:
    """How a line reads: drop, bad, good, or plain."""
    if "dropped out of" in text:
        return "drop"
    if BAD.search(text):
        return "bad"
    return "good" if GOOD.search(text) else "plain"


def kind(text: str) -> str:
    """What a line is about; people choose which kinds they see."""
    if "dropped out of" in text or text.startswith("coffee "):
        return "machines"
    if WEBHOOK.match(text):
        return "webhooks"
    if CALL.match(text):
        return "calls"
    return "mirror" if MIRRORED.match(text) else "money"
