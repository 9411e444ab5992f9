"""The older way to the same machines: a binary frame, published on the MQTT topic `technical`.

AA55, version 01, length of the body (two bytes, big-endian), CRC-8 of the body, body, 8866."""

from typing import Final

import msgspec

from coinslot.channels.tmetr.build import Make, Settings, price

TOPIC: Final = "technical"
HEAD, TAIL, VERSION, COMMAND = b"\xaa\x55", b"\x88\x66", 1, 0x22
POLYNOMIAL, INITIAL = 0x8C, 0x8C  # 0x31 reflected, as CRC-8/MAXIM; not so its initial value
BODY_BYTES = 0xFFFF


def crc8(data: bytes) -> int:
    crc = INITIAL
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (POLYNOMIAL if crc & 1 else 0)
    return crc


def frame(body: bytes) -> bytes:
    """Raises ValueError for a body that its length cannot say."""
    if len(body) > BODY_BYTES:
        raise ValueError(f"a body of {len(body)} bytes does not fit a frame")
    length = len(body).to_bytes(2)
    return HEAD + bytes([VERSION]) + length + bytes([crc8(body)]) + body + TAIL


def make(settings: Settings, wanted: Make) -> bytes:
    """The command of `make`. It names no machine: the topic's broker leads to one alone."""
    said = {
        "orderUuid": wanted.order,
        "drinkNo": wanted.drink,
        "textFlag": str(int(wanted.size)),
        "price": price(settings, wanted.price),
    }
    return frame(bytes([COMMAND]) + msgspec.json.encode(said))
