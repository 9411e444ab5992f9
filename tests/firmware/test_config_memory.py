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
    assert app.config.version == 5


def test_a_command_that_finds_no_memory_still_starts_the_board_anew(app: App) -> None:
    with pytest.raises(MemoryError):
        app._heard(COMMAND, Short(b"{}"))


async def test_what_follows_a_packet_without_room_is_read_as_it_was_sent() -> None:
    line = mqtt.Mqtt({}, "fw")
    line._reader = asyncio.StreamReader()
    payload = b"x" * 3000
    packet = struct.pack(">H", len(CONFIG)) + CONFIG.encode() + b"\x00\x07" + payload
    line._reader.feed_data(packet + b"after")
    assert await line._head(len(packet)) == packet[: -len(payload)]
    assert await line._reader.readexactly(5) == b"after"
