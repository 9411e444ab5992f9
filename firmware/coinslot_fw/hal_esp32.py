"""The hardware of an ESP32 board: raw partitions, pins, Wi-Fi or Ethernet, watchdog, display.

Nothing of this file runs in the tests: no emulator, no board. docs/firmware.md says what a person
checks by hand. `board.json` in the file system says which pin is what."""

import asyncio
import json
import os
import sys
from binascii import hexlify

import esp32
import machine
import network

from coinslot_fw.sight import Sight

SECTOR = 4096
WATCHDOG_MS = 8000
RESETS = {
    machine.PWRON_RESET: "power",
    machine.HARD_RESET: "hard",
    machine.WDT_RESET: "watchdog",
    machine.DEEPSLEEP_RESET: "sleep",
    machine.SOFT_RESET: "soft",
}


class PartitionFlash:
    """A raw partition by its label. Writing with an offset erases nothing."""

    def __init__(self, label):
        found = esp32.Partition.find(esp32.Partition.TYPE_DATA, label=label)
        if not found:
            raise OSError(19)
        self._partition = found[0]
        self.size = self._partition.info()[3]

    def read(self, offset, length):
        data = bytearray(length)
        self._partition.readblocks(offset // SECTOR, data, offset % SECTOR)
        return bytes(data)

    def write(self, offset, data):
        self._partition.writeblocks(offset // SECTOR, data, offset % SECTOR)

    def erase(self, offset):
        self._partition.ioctl(6, offset // SECTOR)


class Body:
    """Motors, home switches and a drop sensor on pins. The count of drops lies in NVS, written in
    the moment that something falls: it is counter and latch in one, and outlives a power cut."""

    def __init__(self, board):
        self._nvs = esp32.NVS("body")
        self._motors = {slot: machine.Pin(pin, machine.Pin.OUT, value=0)
                        for slot, pin in board["motors"].items()}  # fmt: skip
        self._home = machine.Pin(board["home"], machine.Pin.IN, machine.Pin.PULL_UP)
        self._door = machine.Pin(board["door"], machine.Pin.IN, machine.Pin.PULL_UP)
        self.sensor = "drop" in board
        self._turned = None
        self.locked = False
        self._light = None
        if self.sensor:
            self._drop = machine.Pin(board["drop"], machine.Pin.IN, machine.Pin.PULL_UP)
            self._light = machine.Pin(board["drop_light"], machine.Pin.OUT, value=1)
            self._drop.irq(self._fell, machine.Pin.IRQ_FALLING)
        self._thermometer = _thermometer(board.get("one_wire"))

    def _number(self, name):
        try:
            return self._nvs.get_i32(name)
        except OSError:
            return 0

    def _keep(self, name, value):
        self._nvs.set_i32(name, value)
        self._nvs.commit()

    def _fell(self, pin):
        self._keep("drops", self._number("drops") + 1)

    def counter(self):
        return self._number("drops")

    def stocks(self):
        return {}  # nothing counts on its own here: counts come from a person's visit

    def food_locked(self):
        return self.locked

    def door(self):
        return "open" if self._door.value() else "closed"

    def temperature_c(self):
        return None if self._thermometer is None else self._thermometer()

    def refusal(self, slot):
        if self.door() == "open":
            return "DOOR_OPEN"
        if self.locked:
            return "TEMP_LOCK"
        return None if slot in self._motors else "SLOT_FAULT"

    def arm(self):
        """The sensor's test: light off, the beam reads as broken; light on, as whole."""
        tested = False
        if self.sensor:
            self._drop.irq(None)
            self._light(0)
            dark = self._drop.value() == 0
            self._light(1)
            tested = dark and self._drop.value() == 1
            self._drop.irq(self._fell, machine.Pin.IRQ_FALLING)
        self._turned = None
        self._keep("armed", self.counter() if tested else -1)
        return tested

    def sees(self):
        armed = self._number("armed")
        latched = (armed >= 0 and self.counter() > armed) if self.sensor else None
        return Sight(self._turned, latched, self._home.value() == 0, self.counter())

    async def turn(self, slot, unit_id, reached):
        """One energise sequence: until the home switch closes again, or the bound of the run."""
        motor, self._turned = self._motors[slot], slot
        motor(1)
        try:
            while self._home.value() == 0:
                await asyncio.sleep(0.005)
            while self._home.value() == 1:
                await asyncio.sleep(0.005)
        finally:
            motor(0)
        await asyncio.sleep(1)  # the time that things need to fall
        return self.sees()

    def settle(self):
        for motor in self._motors.values():
            motor(0)

    def self_test(self):
        """Why this body cannot sell, or None."""
        if not self.sensor:
            return None
        return None if self.arm() else "SENSOR"


class Beside:
    """No motors: another controller has them. A pulse of its sales counter, where one is wired."""

    sensor = False

    def __init__(self, board):
        self._nvs = esp32.NVS("body")
        self._door = None
        if "door" in board:
            self._door = machine.Pin(board["door"], machine.Pin.IN, machine.Pin.PULL_UP)
        self.locked = False
        self._thermometer = _thermometer(board.get("one_wire"))
        if "sold" in board["mdb"]:
            self._sold = machine.Pin(board["mdb"]["sold"], machine.Pin.IN, machine.Pin.PULL_UP)
            self._sold.irq(self._counted, machine.Pin.IRQ_FALLING)

    def _counted(self, pin):
        self._nvs.set_i32("drops", self.counter() + 1)
        self._nvs.commit()

    def counter(self):
        try:
            return self._nvs.get_i32("drops")
        except OSError:
            return 0

    def stocks(self):
        return {}

    def food_locked(self):
        return self.locked

    def door(self):
        return "open" if self._door is not None and self._door.value() else "closed"

    def temperature_c(self):
        return None if self._thermometer is None else self._thermometer()

    def refusal(self, slot):
        if self.door() == "open":
            return "DOOR_OPEN"
        return "TEMP_LOCK" if self.locked else None

    def sees(self):
        return Sight(None, None, None, self.counter())

    def settle(self):
        pass

    def self_test(self):
        return None


class Mdb:
    """The bus of another controller, through a bridge that keeps the ninth bit and the timing: two
    bytes a word on a UART. The UART of this chip has no ninth bit of its own."""

    def __init__(self, about):
        self.about = about
        self._uart = machine.UART(about["uart"], 115200, tx=about["tx"], rx=about["rx"])
        self._half = None

    def read(self):
        """The next word, or None. The first byte of a pair is 0 or 1: another one begins anew."""
        while self._uart.any():
            byte = self._uart.read(1)[0]
            if self._half is not None:
                word, self._half = self._half << 8 | byte, None
                return word
            if byte <= 1:
                self._half = byte
        return None

    def write(self, words):
        if words:
            self._uart.write(b"".join(bytes((word >> 8, word & 0xFF)) for word in words))


def _thermometer(pin):
    """A DS18B20; it answers with the last conversion, and begins the next."""
    if pin is None:
        return None
    import ds18x20
    import onewire

    bus = ds18x20.DS18X20(onewire.OneWire(machine.Pin(pin)))
    found = bus.scan()
    if not found:
        return None
    bus.convert_temp()

    def read():
        celsius = bus.read_temp(found[0])
        bus.convert_temp()
        return celsius

    return read


class Hal:
    """One board."""

    hardware = "esp32"

    def __init__(self, folder):
        self.folder = folder
        with open(folder + "/board.json") as file:
            self.board = json.load(file)
        about = self.board.get("mdb")  # {items, uart, tx, rx, ...}: another controller vends
        self.mdb = None if about is None else Mdb(about)
        self.body = Body(self.board) if about is None else Beside(self.board)
        self._watchdog = machine.WDT(timeout=WATCHDOG_MS)  # cannot be stopped once it runs
        self._station = None
        self._shown = None
        self._display = _display(self.board.get("display"))
        self._held, self._visit = False, None
        if "visit" in self.board:
            self._visit = machine.Pin(self.board["visit"], machine.Pin.IN, machine.Pin.PULL_UP)
        # Else the boot loader goes back to the other system image at the next start.
        esp32.Partition.mark_app_valid_cancel_rollback()

    def flash(self, name):
        return PartitionFlash(name)

    def ticks_ms(self):
        import time

        return time.ticks_ms()

    def setting(self, name, default):
        return self.board.get(name, default)

    def new_id(self):
        return hexlify(os.urandom(8)).decode()

    def reset_reason(self):
        return RESETS.get(machine.reset_cause(), "other")

    def reset(self):
        self.body.settle()
        machine.reset()

    def feed(self):
        self._watchdog.feed()

    # Enrolment: a file that was copied over, a line on the serial port (a QR scanner types one), or
    # the access point

    def enrolment(self):
        try:
            with open(self.folder + "/enrolment.json") as file:
                return json.load(file)
        except (OSError, ValueError):
            return _typed()

    async def setup(self):
        """An access point with the page of setup.py. It runs until the enrolment is there."""
        from coinslot_fw.setup import Setup

        point = network.WLAN(network.AP_IF)
        point.active(True)
        point.config(essid="coinslot-" + hexlify(machine.unique_id()).decode()[-6:],
                     password=self.board["setup_password"], security=3)  # fmt: skip
        page = Setup(self._take)
        await asyncio.start_server(page.answer, "0.0.0.0", 80)
        while not page.done.is_set():
            self.feed()
            await asyncio.sleep(0.5)
        await asyncio.sleep(1)
        self.reset()

    def _take(self, enrolment, ssid, password):
        if ssid:
            self.board["ssid"], self.board["password"] = ssid, password
            _replace(self.folder + "/board.json", self.board)
        _replace(self.folder + "/enrolment.json", enrolment)

    async def network(self):
        if "ethernet" in self.board:
            await self._wired()
            return
        if self._station is None:
            self._station = network.WLAN(network.STA_IF)
            self._station.active(True)
        while not self._station.isconnected():
            self._station.connect(self.board["ssid"], self.board["password"])
            for _ in range(100):
                if self._station.isconnected():
                    return
                await asyncio.sleep(0.2)

    async def _wired(self):
        if self._station is None:
            pins = self.board["ethernet"]
            kind = getattr(network, pins["phy"])
            mdc, mdio = machine.Pin(pins["mdc"]), machine.Pin(pins["mdio"])
            self._station = network.LAN(
                mdc=mdc, mdio=mdio, power=None, phy_type=kind, phy_addr=pins["addr"]
            )
            self._station.active(True)
        while not self._station.isconnected():
            await asyncio.sleep(0.2)

    def offline(self):
        return self._station is not None and not self._station.isconnected()

    def rssi(self):
        try:
            return self._station.status("rssi")
        except (AttributeError, ValueError, OSError):
            return None  # a cable

    def power_cut(self, step):
        return False

    def cut(self):
        pass

    def poll(self):
        """A person holds the button inside: they looked at the food. It is told once."""
        held = self._visit is not None and not self._visit.value()
        happened = "visit" if held and not self._held else None
        self._held = held
        return happened

    def show(self, state):
        """While it waits for a customer the QR code of its page, else what it does."""
        said = (state["step"], state["connected"], state.get("url"))
        if self._display is not None and said != self._shown:
            self._shown = said
            if state["step"] == "idle" and state["connected"] and state.get("url"):
                self._show_code(state["url"])
                return
            self._display.fill(0)
            self._display.text(state.get("outlet", "set up"), 0, 0)
            self._display.text(state["step"], 0, 16)
            self._display.text("online" if state["connected"] else "offline", 0, 32)
            self._display.show()

    def _show_code(self, url):
        """Light modules on a dark display would be a negative: the ground is drawn light."""
        from coinslot_fw import qr

        try:
            rows = qr.matrix(url)
        except qr.TooLongError:
            return
        dots = max(1, 64 // (len(rows) + 2))
        self._display.fill(1)
        for y in range(len(rows)):
            for x in range(len(rows)):
                if rows[y][x]:
                    self._display.fill_rect((x + 1) * dots, (y + 1) * dots, dots, dots, 0)
        self._display.show()

    def tls(self, authority):
        """A context that trusts this authority alone."""
        import ssl

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cadata=authority)
        return context


def _replace(path, value):
    with open(path + ".new", "w") as file:
        json.dump(value, file)
    os.rename(path + ".new", path)


def _typed():
    """An enrolment typed on the serial port in one line, or None."""
    import select

    poll = select.poll()
    poll.register(sys.stdin, select.POLLIN)
    if not poll.poll(0):
        return None
    try:
        return json.loads(sys.stdin.readline())
    except ValueError:
        return None


def _display(pins):
    """An SSD1306 on I2C, by the driver of micropython-lib."""
    if pins is None:
        return None
    import ssd1306

    bus = machine.I2C(0, scl=machine.Pin(pins["scl"]), sda=machine.Pin(pins["sda"]))
    return ssd1306.SSD1306_I2C(128, 64, bus)
