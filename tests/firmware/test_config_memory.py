"""A configuration for which there is no memory is refused with a code, and restarts no board: it
would be sent again, and restart it for ever."""

import asyncio
import json
import struct
from types import SimpleNamespace
from typing import Any

import pytest
from coinslot_fw import mqtt
from coinslot_fw.main import App

from tests.firmware.cutting import Flash
from tests.firmware.test_config import update

CONFIG, COMMAND = "devices/M01/config/update", "devices/M01/commands/dispense"


class Short(bytes):
    """A payload whose reading finds no memory."""

    def __len__(self) -> int:
        raise MemoryError


class Late(dict[str, Any]):
    """A configuration that was read, and whose applying finds no memory."""

    def get(self, *_: object) -> Any:
        raise MemoryError


@pytest.fixture
def app() -> App:
    hal = SimpleNamespace(ticks_ms=lambda: 0, flash=lambda _: Flash(57344))
    made = App(hal)
    made._root = "devices/M01/"
    made.device = SimpleNamespace(idle=True)
    made.synced = True
    return made


def refused(app: App) -> bool:
    return [line[2] for line in app.logs.lines] == ["configuration refused: MEMORY"]


@pytest.mark.parametrize("payload", [Short(b"{}"), None], ids=["decoding", "reading"])
def test_a_configuration_that_finds_no_memory_is_refused_with_a_code(
    app: App, payload: bytes | None
) -> None:
    app._heard(CONFIG, payload)
    assert refused(app)
    assert app.synced  # no HELLO, which would fetch it again at once


def test_one_that_waited_for_a_unit_and_then_finds_no_memory_is_refused(app: App) -> None:
    app._waiting = Late()
    app._configure()
    assert refused(app)
    app._configure()  # it waits no more
    assert refused(app)


def test_the_next_one_that_finds_memory_is_applied(app: App) -> None:
    app._heard(CONFIG, Short(b"{}"))
    app._heard(CONFIG, json.dumps(update(5, price_version=4)).encode())
    app._configure()
    assert app.config.version == 5


def test_a_command_that_finds_no_memory_still_starts_the_board_anew(app: App) -> None:
    with pytest.raises(MemoryError):
        app._heard(COMMAND, Short(b"{}"))


@pytest.mark.parametrize("place", [None, bytearray(3000)], ids=["no room", "room"])
async def test_what_follows_a_long_packet_is_read_as_it_was_sent(place: bytearray | None) -> None:
    line = mqtt.Mqtt({}, "fw")
    line._reader = asyncio.StreamReader()
    head = struct.pack(">H", len(CONFIG)) + CONFIG.encode() + b"\x00\x07"
    line._reader.feed_data(head + b"x" * 3000 + b"after")
    assert await line._head(0x32, len(head) + 3000) == head
    assert await line._rest(3000, place) == (None if place is None else b"x" * 3000)
    assert await line._reader.readexactly(5) == b"after"


async def test_a_long_packet_is_read_into_one_place() -> None:
    line = mqtt.Mqtt({}, "fw")
    line._reader = asyncio.StreamReader()
    head = struct.pack(">H", len(CONFIG)) + CONFIG.encode()
    for kind, number in ((0x30, b""), (0x32, b"\x00\x07")):
        length = len(head + number) + 3000
        fixed = bytes([kind, length & 0x7F | 0x80, length >> 7])
        line._reader.feed_data(fixed + head + number + b"x" * 3000)
        assert await line._packet() == (kind, head + number, b"x" * 3000)
