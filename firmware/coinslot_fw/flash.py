"""Records on raw flash that are there whole or not at all, whatever the power does.

Two banks: one is written to, the other is erased and takes over when the first is full or damaged.
The loader uses this file too, so it stays outside the slots that updates replace."""

import json
import struct
from binascii import crc32

SECTOR = 4096
_MAGIC = b"CSB1"
_BANK_HEAD = 16
_HEAD = ">HHI"  # length, its complement, CRC-32 of the payload
_HEAD_BYTES = 8


class FlashError(Exception):
    """The flash does not hold what was written to it."""


class NoRoomError(Exception):
    """The records do not fit into a bank."""


def _blank(data):
    return data == b"\xff" * len(data)


def _padded(length):
    return (length + 3) & ~3


class Banks:
    """`flash` has `read(offset, length)`, `write(offset, data)`, which can only clear bits, and
    `erase(offset)` for the sector there. `bank` is the size of one of the two, in bytes."""

    def __init__(self, flash, bank, start=0):
        self._flash = flash
        self._bank = bank
        self._start = start
        self._end = 0
        self.torn = False
        self.generation = 0
        self.active = None
        self._choose()

    def _choose(self):
        for number in (0, 1):
            generation = self._generation_of(number)
            if generation is not None and generation > self.generation:
                self.active, self.generation = number, generation

    def _at(self, number):
        return self._start + number * self._bank

    def _generation_of(self, number):
        head = self._flash.read(self._at(number), _BANK_HEAD)
        magic, generation, crc = head[:4], head[4:8], head[12:16]
        if magic != _MAGIC or struct.pack(">I", crc32(head[:12])) != crc:
            return None
        return struct.unpack(">I", generation)[0]

    def records(self):
        """Yields each whole record of the bank in use, then says by `torn` whether its end is as it
        must be. What was torn by a power cut never was."""
        self.torn = False
        if self.active is None:
            return
        base, offset = self._at(self.active), _BANK_HEAD
        while offset + _HEAD_BYTES <= self._bank:
            head = self._flash.read(base + offset, _HEAD_BYTES)
            length, complement, crc = struct.unpack(_HEAD, head)
            whole = length ^ 0xFFFF == complement and offset + _HEAD_BYTES + length <= self._bank
            payload = self._flash.read(base + offset + _HEAD_BYTES, length) if whole else b""
            if not whole or crc32(payload) != crc:
                break
            offset += _padded(_HEAD_BYTES + length)
            yield payload
        self._end = offset
        self.torn = not self._blank_from(base, offset)

    def _blank_from(self, base, offset):
        while offset < self._bank:
            step = min(256, self._bank - offset)
            if not _blank(self._flash.read(base + offset, step)):
                return False
            offset += step
        return True

    @property
    def room(self):
        return self._bank - self._end if self.active is not None else 0

    @property
    def capacity(self):
        """What one bank holds, in bytes of `size_of`."""
        return self._bank - _BANK_HEAD

    @staticmethod
    def size_of(payload):
        return _padded(_HEAD_BYTES + len(payload))

    def append(self, payload):
        """On the flash, and read back, when this returns. Raises NoRoomError and FlashError; after
        either `rewrite` goes on in the other bank."""
        if self.size_of(payload) > self.room:
            raise NoRoomError
        self._end = self._put(self._at(self.active), self._end, payload)

    def _put(self, base, offset, payload):
        head = struct.pack(_HEAD, len(payload), len(payload) ^ 0xFFFF, crc32(payload))
        self._write(base + offset, head + payload)
        return offset + self.size_of(payload)

    def _write(self, at, data):
        self._flash.write(at, data)
        if self._flash.read(at, len(data)) != data:
            raise FlashError

    def rewrite(self, payloads):
        """Exactly these records from now on: all of them, or those from before. They may be read
        from the bank in use meanwhile."""
        number = 0 if self.active is None else 1 - self.active
        base = self._at(number)
        for offset in range(0, self._bank, SECTOR):
            self._flash.erase(base + offset)
        offset = _BANK_HEAD
        for payload in payloads:
            if offset + self.size_of(payload) > self._bank:
                raise NoRoomError
            offset = self._put(base, offset, payload)
        # Last: only now the bank counts.
        head = _MAGIC + struct.pack(">II", self.generation + 1, 0xFFFFFFFF - self.generation - 1)
        self._write(base, head + struct.pack(">I", crc32(head)))
        self.active, self.generation, self._end = number, self.generation + 1, offset
        self.torn = False


class Register:
    """One JSON value, replaced as a whole: after a power cut it is the old one or the new one."""

    def __init__(self, flash, bank=SECTOR, start=0):
        self._banks = Banks(flash, bank, start)
        self.value = None
        for payload in self._banks.records():
            self.value = json.loads(payload)
        if self._banks.torn:
            self._banks.rewrite([] if self.value is None else [json.dumps(self.value).encode()])

    def put(self, value):
        """On the flash when this returns."""
        payload = json.dumps(value).encode()
        try:
            if self._banks.active is None:
                raise NoRoomError
            self._banks.append(payload)
        except (NoRoomError, FlashError):
            self._banks.rewrite([payload])
        self.value = value
