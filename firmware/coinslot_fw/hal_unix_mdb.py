"""The hardware on the unix port where another controller vends: its bus, through a socket. Loaded
there alone, so that other boards have the memory."""

import errno
import socket
import time

from coinslot_fw.hal_unix import Body
from coinslot_fw.sight import Sight


class Beside(Body):
    """No motors: another controller has them, and a pulse of its sales counter is all we see."""

    def __init__(self, folder, board):
        Body.__init__(self, folder, board)
        self.sensor = False

    def counter(self):
        self._fallen, self._total = {}, 0
        self._read_drops()
        return self._total

    def stocks(self):
        return {}  # that controller counts

    def refusal(self, slot):
        if self.faults().get("door_open"):
            return "DOOR_OPEN"
        return "TEMP_LOCK" if self.locked else None

    def arm(self):
        return False

    def sees(self):
        return Sight(None, None, None, self.counter())


class Mdb:
    """The bus of another controller, through a socket: two bytes a word."""

    def __init__(self, about):
        self.about = about
        self._socket = None
        self._bytes = b""
        self._again_ms = 0

    def read(self):
        """The next word, or None."""
        if self._socket is None:
            self._connect()
            return None
        try:
            got = self._socket.recv(64)
        except OSError as error:
            if error.args[0] != errno.EAGAIN:
                self._lost()
            got = None
        if got == b"":
            self._lost()
        self._bytes += got or b""
        if len(self._bytes) < 2:
            return None
        word = self._bytes[0] << 8 | self._bytes[1]
        self._bytes = self._bytes[2:]
        return word

    def write(self, words):
        if not words or self._socket is None:
            return
        try:
            self._socket.send(b"".join(bytes((word >> 8, word & 0xFF)) for word in words))
        except OSError:
            self._lost()

    def _connect(self):
        now = time.ticks_ms()
        if time.ticks_diff(now, self._again_ms) < 0:
            return
        self._again_ms = time.ticks_add(now, 100)
        where = socket.getaddrinfo("127.0.0.1", self.about["port"])[0][-1]
        made = socket.socket()
        try:
            made.connect(where)
            made.setblocking(False)
            self._socket, self._bytes = made, b""
        except OSError:
            made.close()

    def _lost(self):
        self._socket.close()
        self._socket = None


def made(about, folder, board):
    return Mdb(about), Beside(folder, board)
