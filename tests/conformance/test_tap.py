"""What the tap reads off the bytes of a connection, however they are cut into pieces."""

import pytest

from coinslot.conformance.tap import Packets

CONNECT = b"\x10\x12\x00\x04MQTT\x04\xc2\x00\x0f\x00\x06random"
LONG = b"\x33\xc8\x01\x00\x01t" + b"\x00" * 197  # retained, and longer than 127 bytes


@pytest.mark.parametrize("size", [1, 2, 3, 7, 500])
def test_packets_are_whole_wherever_the_stream_is_cut(size: int) -> None:
    seen: list[tuple[int, int]] = []
    packets = Packets(lambda kind, body: seen.append((kind, len(body))))
    stream = CONNECT + LONG + b"\xc0\x00" + LONG
    for start in range(0, len(stream), size):
        packets.feed(stream[start : start + size])
    assert seen == [(0x10, 18), (0x33, 200), (0xC0, 0), (0x33, 200)]


def test_what_is_no_mqtt_is_no_longer_looked_at() -> None:
    packets = Packets(lambda kind, body: pytest.fail("nothing is there to be seen"))
    packets.feed(b"\x10\xff\xff\xff\xff\xff\xff")
    packets.feed(b"\xc0\x00")
