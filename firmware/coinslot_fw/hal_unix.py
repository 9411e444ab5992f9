"""The hardware, on the unix port: flash in files, and a body in files that a power cut survives.

The body's files are those of the simulator, so that the sandbox shows and breaks both alike."""

import asyncio
import json
import os
import sys
import time
from binascii import hexlify

from coinslot_fw.sight import Sight

SECTOR = 4096
PARTITIONS = {"boot": 8192, "config": 57344, "journal": 32768, "a": 262144, "b": 262144}
_RESET = 3  # the exit code that asks the board for a new start
_PAGE = 512
ERASED = bytes(_PAGE)


class FileFlash:
    """Raw flash in a file, each byte inverted: a hole of the file reads as erased."""

    def __init__(self, path, size):
        self.size = size
        try:
            self._file = open(path, "r+b")
        except OSError:
            open(path, "wb").close()
            self._file = open(path, "r+b")

    def read(self, offset, length):
        self._file.seek(offset)
        data = bytearray(length)
        self._file.readinto(data)
        for index in range(length):
            data[index] ^= 0xFF
        return bytes(data)

    def write(self, offset, data):
        """As a chip does: a bit goes from 1 to 0 only."""
        for start in range(0, len(data), _PAGE):
            new = bytearray(self.read(offset + start, min(_PAGE, len(data) - start)))
            for index in range(len(new)):
                new[index] = (new[index] & data[start + index]) ^ 0xFF
            self._put(offset + start, new)

    def erase(self, offset):
        for start in range(0, SECTOR, _PAGE):
            self._put(offset + start, ERASED)

    def _put(self, offset, stored):
        self._file.seek(offset)
        self._file.write(stored)
        self._file.flush()  # of this port: an fsync


def read_json(path, default):
    try:
        with open(path) as file:
            return json.load(file)
    except (OSError, ValueError):
        return default


def write_json(path, value):
    """Replaced as a whole."""
    with open(path + ".draft", "w") as file:
        json.dump(value, file)
        file.flush()
    os.rename(path + ".draft", path)


class Body:
    """Motors, gravity, stock, a drop sensor with a latch, a sales counter. What fell stands in
    drops.jsonl; latch, stock and counter are read off it, so that no cut comes between them."""

    def __init__(self, folder, board):
        self._folder = folder
        self._slots = board.get("slots", {"A1": 10})
        self.sensor = board.get("sensor", True)
        self._vend_ms = int(board.get("vend_s", 0.8) * 1000)
        self._slow_ms = int(board.get("slow_s", 8) * 1000)
        self._fall_ms = int(board.get("fall_s", 0.1) * 1000)
        self._moving = {"armed_at": None, "turned": None, "away": False, "refilled": {}}
        self._moving.update(read_json(folder + "/physics.json", {}))
        self._fallen = {}
        self._total = 0
        self.locked = False  # by the food lock
        self._read_drops()

    def _read_drops(self):
        try:
            with open(self._folder + "/drops.jsonl") as file:
                for line in file:
                    slot = json.loads(line)["slot"]
                    self._fallen[slot] = self._fallen.get(slot, 0) + 1
                    self._total += 1
        except OSError:
            pass

    def faults(self):
        return read_json(self._folder + "/faults.json", {})

    def spend(self, name):
        """A fault that comes once has come."""
        faults = self.faults()
        faults[name] = None if name == "power_cut_at" else False
        write_json(self._folder + "/faults.json", faults)

    # What the controller reads

    def counter(self):
        return self._total

    def stocks(self):
        refilled = self._moving["refilled"]
        return {
            slot: max(0, full + refilled.get(slot, 0) - self._fallen.get(slot, 0))
            for slot, full in self._slots.items()
        }

    def temperature_c(self):
        return 12.0 if self.faults().get("warm") else 4.0

    def food_locked(self):
        return self.locked

    def door(self):
        return "open" if self.faults().get("door_open") else "closed"

    def refusal(self, slot):
        """Why nothing could be sold from this slot now, as the protocol names it."""
        faults = self.faults()
        if faults.get("firmware_update"):
            return "FIRMWARE"
        if faults.get("door_open"):
            return "DOOR_OPEN"
        if faults.get("temp_lock") or self.locked:
            return "TEMP_LOCK"
        if slot not in self._slots or faults.get("slot_fault"):
            return "SLOT_FAULT"
        return "SLOT_EMPTY" if self.stocks()[slot] == 0 else None

    def arm(self):
        """Reset the latch and let the sensor test itself; True if it passed."""
        tested = self.sensor and not self.faults().get("sensor_dead")
        self._keep(armed_at=self._total if tested else None, turned=None)
        return tested

    def sees(self):
        armed_at = self._moving["armed_at"]
        latched = (armed_at is not None and self._total > armed_at) if self.sensor else None
        return Sight(self._moving["turned"], latched, not self._moving["away"], self._total)

    # What happens

    async def turn(self, slot, unit_id, reached):
        """One energise sequence; `reached` is told the step "dropped" when something fell."""
        faults = self.faults()
        if faults.get("motor_dead"):
            sight = self.sees()
            sight.powered = False
            return sight
        if faults.get("wrong_slot"):
            slot = self._other(slot)
        half_ms = (self._slow_ms if faults.get("slow") else self._vend_ms) // 2
        self._keep(away=True, turned=slot)
        await asyncio.sleep(half_ms / 1000)
        if not self.faults().get("jam") and self.stocks().get(slot):
            self._drop(slot, unit_id)
            reached("dropped")
        await asyncio.sleep(half_ms / 1000)
        while self.faults().get("motor_stuck"):
            await asyncio.sleep(0.05)
        self._keep(away=False)
        await asyncio.sleep(self._fall_ms / 1000)
        return self.sees()

    def settle(self):
        """The motor's spring brings it home, without current and without selling anything."""
        if self._moving["away"]:
            self._keep(away=False)

    def refill(self):
        self._keep(refilled=dict(self._fallen))

    def self_test(self):
        """Why this body cannot sell, or None."""
        return "SENSOR" if self.sensor and self.faults().get("sensor_dead") else None

    def _drop(self, slot, unit_id):
        line = {"unit_id": unit_id, "slot": slot, "at": wall_clock()}
        with open(self._folder + "/drops.jsonl", "a") as file:
            file.write(json.dumps(line) + "\n")
            file.flush()
        self._fallen[slot] = self._fallen.get(slot, 0) + 1
        self._total += 1

    def _other(self, slot):
        stocks = self.stocks()
        names = sorted(self._slots)
        start = names.index(slot) if slot in names else 0
        around = names[start + 1 :] + names[:start]
        return next((name for name in around if stocks[name] > 0), slot)

    def _keep(self, **changes):
        self._moving.update(changes)
        write_json(self._folder + "/physics.json", self._moving)


def wall_clock():
    """For the ground truth and the drawing, never for the protocol."""
    now = time.gmtime()
    return "%04d-%02d-%02dT%02d:%02d:%02d+00:00" % tuple(now[:6])


class Hal:
    """One board, in a folder: board.json says what it is made of, enrolment.json enrols it."""

    hardware = "unix"

    def __init__(self, folder):
        self.folder = folder
        self.board = read_json(folder + "/board.json", {})
        self.mdb = None
        about = self.board.get("mdb")  # {items, port}: another controller has the motors
        if about is None:
            self.body = Body(folder, self.board)
        else:
            from coinslot_fw import hal_unix_mdb

            self.mdb, self.body = hal_unix_mdb.made(about, folder, self.board)
        self._drawn = None
        try:
            os.mkdir(folder + "/flash")
        except OSError:
            pass
        if self.body.faults().get("wipe_journal"):  # the controller is replaced
            os.unlink(folder + "/flash/journal.bin")
            self.body.spend("wipe_journal")

    def flash(self, name):
        return FileFlash(self.folder + "/flash/" + name + ".bin", PARTITIONS[name])

    def ticks_ms(self):
        return time.ticks_ms() + self.board.get("ticks_start_ms", 0)

    def setting(self, name, default):
        """A duration in seconds, or another number of this board."""
        return self.board.get(name, default)

    def new_id(self):
        return hexlify(os.urandom(8)).decode()

    def reset_reason(self):
        return self.board.get("reset_reason", "power")

    def reset(self):
        sys.exit(_RESET)

    def feed(self):
        """The board ends a process that does not do this any more: its watchdog."""
        with open(self.folder + "/watchdog", "w") as file:
            file.write(str(time.ticks_ms()))

    def enrolment(self):
        """What a person put in, or None: here a file that was copied into the folder."""
        return read_json(self.folder + "/enrolment.json", None)

    async def setup(self):
        """No access point here."""

    async def network(self):
        """Returns when there is one."""
        while self.body.faults().get("offline"):
            await asyncio.sleep(0.1)

    def offline(self):
        return bool(self.body.faults().get("offline"))

    def rssi(self):
        return None

    def power_cut(self, step):
        """Whether the power fails at this step of a vend: faults.json says so, once."""
        if self.body.faults().get("power_cut_at") != step:
            return False
        self.body.spend("power_cut_at")
        return True

    def cut(self):
        """The power is gone: no goodbye, no clean-up."""
        os.system("kill -9 $PPID")

    def poll(self):
        """What people do to this body."""
        faults = self.body.faults()
        if faults.get("refill"):
            self.body.refill()
            self.body.spend("refill")
            self._drawn = None  # other slots are drawn
            return "refill"
        if faults.get("visit"):
            self.body.spend("visit")
            return "visit"
        if faults.get("wipe_journal"):
            self.reset()
        return None

    def show(self, state):
        """The display, and what the sandbox draws: state.json."""
        if state != self._drawn:
            self._drawn = dict(state)
            drawn = dict(state)
            drawn["slots"] = self.body.stocks()
            drawn["at"] = wall_clock()
            write_json(self.folder + "/state.json", drawn)

    def tls(self, authority):
        """A context that trusts this authority alone."""
        import ssl

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cadata=authority)
        return context
