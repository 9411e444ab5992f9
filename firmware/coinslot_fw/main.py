"""One boot of the firmware: the rules of vend.py, wired to the body, the journal and the line."""

import asyncio
import gc
import sys

from coinslot_fw import wire
from coinslot_fw.clock import Clock
from coinslot_fw.config import Config, EnrolmentError, authority, broker_of
from coinslot_fw.flash import Register
from coinslot_fw.food import Food
from coinslot_fw.journal import Journal
from coinslot_fw.logs import Logs
from coinslot_fw.mqtt import LinkLostError, Mqtt
from coinslot_fw.update import Update
from coinslot_fw.vend import Device
from coinslot_fw.version import SEQUENCE, VERSION

_RESENT_AT_ONCE = 4


class App:
    """All of it. An error that nobody expected ends the boot: the board starts anew."""

    def __init__(self, hal, slot="factory"):
        self.hal = hal
        self.slot = slot
        self.clock = Clock(hal.ticks_ms)
        self.logs = Logs(self.clock, echo)
        self.config = Config(hal.flash("config"))
        self.device = None
        self.mqtt = None
        self.update = None
        self.synced = False
        self.session_no = 0
        self._food = Food(self.config.read("device", "food_lock"))
        self._waiting = None  # a configuration that came while a unit was open
        self._inventory = "boot"  # the cause of a count that is still to be sent
        self._count_ms = 0  # when the next one is due, whatever happens
        self._tasks = []

    async def run(self):
        try:
            await self._enrolled()
            self._boot()
            repeat = self.every("resend_s", 2, self._repeat)
            reports = self.every("health_s", 5, self._report)
            await asyncio.gather(self._link(), repeat, reports, self._pulse(), self._trial())
        except Exception as error:  # whatever it is, a new start is the cure
            sys.print_exception(error)
            self.hal.reset()

    # The start

    async def _enrolled(self):
        """Wait until somebody has put an enrolment in. A new one counts from the next boot."""
        if self.config.enrolment is None and self.hal.enrolment() is None:
            self._start(self.hal.setup())
        while True:
            offered = self.hal.enrolment()
            if offered is not None:
                try:
                    self.config.enrol(offered)
                except EnrolmentError as error:
                    self.logs.error("enrolment refused: %s" % error)
            if self.config.enrolment is not None:
                return
            self.hal.feed()
            self.hal.show({"step": "not enrolled", "power": True, "connected": False})
            await asyncio.sleep(0.5)

    def _boot(self):
        enrolment = self.config.enrolment
        self._root = "devices/" + enrolment["machine"] + "/"
        identity = {
            "keys": {enrolment["key_id"]: enrolment["secret"]},
            "key_id": enrolment["key_id"],
            "firmware": VERSION,
            "build": SEQUENCE,
            "hardware": self.hal.hardware,
            "sensor": self.hal.body.sensor,
        }
        journal = Journal(self.hal.flash("journal"), self.hal.new_id)
        rules = Device
        if self.hal.mdb is not None:
            from coinslot_fw import mdb  # its memory is spent where there is a bus

            rules, identity["mdb"] = mdb.MdbDevice, self.hal.mdb.about
            self._start(mdb.serve(self))
        device = rules(journal, self.hal.body, self.clock, self.hal.new_id(), identity)
        device.wake()
        self.hal.body.settle()
        self.hal.body.locked = self.config.flag("locked")  # before anything is offered
        device.refuses = self._refusal
        self.device = device
        register = Register(self.hal.flash("boot"))
        self.update = Update(self.hal, register, self.slot, self.say, enrolment)
        self.update.boot_id = device.boot_id
        self.update.idle = self._is_idle
        self.update.resume()
        self.logs.info("boot %s, firmware %s in %s" % (device.boot_id, VERSION, self.slot))
        gc.collect()

    def _is_idle(self):
        return self.device.idle

    def _refusal(self, offer):
        """What an update and the configuration forbid."""
        if self.update.busy:
            return "FIRMWARE"
        for name, code in (("price_version", "PRICE_VERSION"), ("planogram_version", "PLANOGRAM")):
            wanted = self.config.read(name)
            if wanted is not None and wanted != offer.get(name):
                return code
        if offer["slot"] in (self.config.read("device", "age_slots") or ()):
            return "AGE_REQUIRED"
        return None

    # The line

    async def _link(self):
        """Stay connected; never gives up."""
        host, port, secure = broker_of(self.config.enrolment)
        broker = dict(self.config.enrolment)
        broker.update(host=host, port=port, tls=None)
        if secure:
            broker["tls"] = self.hal.tls(authority(self.config.enrolment))
        topics = [self._root + name for name in ("commands/dispense", "config/update")]
        topics.append(self._root + "commands/firmware")
        wait_s = first_s = self.hal.setting("backoff_first_s", 0.2)
        while True:
            await self.hal.network()
            keepalive_s = self.hal.setting("keepalive_s", 15)
            self.mqtt = Mqtt(broker, "fw-" + self.hal.new_id(), keepalive_s)
            try:
                await self.mqtt.session(topics, self._up, self._heard)
            except LinkLostError as error:
                self.logs.info("line lost: %s" % error)
            wait_s = first_s if self.synced else min(wait_s * 2, 5)
            self.synced = False
            await asyncio.sleep(wait_s * (0.5 + self.hal.ticks_ms() % 512 / 1024))
            gc.collect()

    def _up(self):
        self.session_no += 1
        self.synced = False
        self._repeat()

    def _heard(self, topic, payload):
        """`payload`: None where memory was too short to read it."""
        if topic != self._root + "config/update":
            self._take(topic, wire.decode(payload) if payload is not None else None)
            return
        # A restart would ask for the same configuration again, and find no more memory.
        try:
            if payload is None:
                raise MemoryError
            self._take(topic, wire.decode(payload))
        except MemoryError:
            self._no_memory()

    def _take(self, topic, message):
        if message is None:
            self.logs.warning("a payload that is no message")
        elif topic == self._root + "commands/dispense":
            if message.get("type") == "SYNC" and not self.synced:
                self.synced = True
                self.update.report()  # the server knows this boot now
            self._perform(self.device.receive(message))
        elif topic == self._root + "config/update":
            self._waiting = message  # applied by _pulse, when packet and payload are forgotten
        elif self.update.hear(message, self.device.idle):
            self._start(self._restart())

    def say(self, branch, message):
        if self.mqtt is None:
            return False
        return self.mqtt.publish(self._root + branch, wire.encode(message).encode())

    def _repeat(self):
        """HELLO until SYNC, ACCEPT until GO, lines of the journal until EVACK."""
        if self.mqtt is None or not self.mqtt.connected:
            return
        if not self.synced:
            hello = self.device.hello(self.session_no, self.config.version or 0)
            self.say("status/dispense", hello)
        for message in self.device.unanswered(_RESENT_AT_ONCE):
            self.say("status/dispense", message)

    # The update

    async def _restart(self):
        """What was said leaves, then the board starts anew."""
        await asyncio.sleep(0.2)
        self.hal.reset()

    async def _trial(self):
        """New code is confirmed after its self-test and a SYNC, or goes back by itself."""
        update = self.update
        if not update.on_trial:
            return
        why = self.hal.body.self_test()
        if why is None:
            until_ms = self.clock.now_ms() + int(self.hal.setting("trial_s", 300) * 1000)
            while not self.synced:
                if self.clock.now_ms() > until_ms:
                    why = "NO_SYNC"
                    break
                await asyncio.sleep(0.1)
        else:
            self.logs.error("self-test: %s" % why)
            why = "SELF_TEST"
        if why is None:
            update.confirm()
            self.logs.info("confirmed: %s" % VERSION)
            return
        update.go_back(why)
        await self._restart()

    # The vend

    def _perform(self, effects):
        for kind, what in effects:
            if kind == "turn":
                self._start(self._run(what))
                continue
            self.say("status/dispense", what)
            if what["type"] == "ACCEPT":
                self._reached("accepted")
            elif what["type"] == "STARTED":
                self._reached("started")
        self._show()

    async def _run(self, unit):
        """One run of the motor, bounded in time, then its result."""
        body = self.hal.body
        progress = asyncio.create_task(self._tell_progress())
        try:
            bound_s = self.hal.setting("run_bound_s", 20)
            turning = body.turn(unit.slot, unit.unit_id, self._reached)
            sight = await asyncio.wait_for(turning, bound_s)
        except asyncio.TimeoutError:
            sight = body.sees()
            sight.completed = False
        finally:
            progress.cancel()
        effects = self.device.finished(sight)
        body.settle()
        self._reached("recorded")
        self._perform(effects)

    async def _tell_progress(self):
        while True:
            await asyncio.sleep(self.hal.setting("progress_s", 5))
            self._perform(self.device.progressed())

    def _reached(self, step):
        """A named step of a vend; on the emulated board the power may fail here."""
        if self.hal.power_cut(step):
            if step == "accepted":
                self._start(self._cut_after_sending())
            else:
                self.hal.cut()

    async def _cut_after_sending(self):
        await asyncio.sleep(0.05)
        self.hal.cut()

    def _start(self, coroutine):
        self._tasks = [task for task in self._tasks if not task.done()]
        self._tasks.append(asyncio.create_task(self._guarded(coroutine)))

    async def _guarded(self, coroutine):
        try:
            await coroutine
        except Exception as error:  # a run that cannot be recorded: a new start says INTERRUPTED
            sys.print_exception(error)
            self.hal.reset()

    # Beside it

    async def every(self, name, default_s, act):
        while True:
            await asyncio.sleep(self.hal.setting(name, default_s))
            act()

    async def _pulse(self):
        """Ten times a second: the watchdog, the body, the clock, a configuration that waits."""
        while True:
            self.hal.feed()
            self.clock.now_ms()
            happened = self.hal.poll()
            if happened == "refill":
                self._inventory = happened
            self._watch_food(happened == "visit")
            if self.hal.offline() and self.mqtt is not None:
                self.mqtt.cut()
            self._configure()
            self._show()
            await asyncio.sleep(self.hal.setting("pulse_s", 0.1))

    def _watch_food(self, visited):
        """A lock is on the flash before it is spoken of; only a visit ends it."""
        body = self.hal.body
        if visited:
            self._food = Food(self.config.read("device", "food_lock"))
            self.config.set_flag("locked", False)
            self.logs.info("visit: no food lock")
        elif not body.locked:
            now_s = self.clock.now_ms() // 1000
            if self._food.due(body.temperature_c(), body.door() == "open", now_s):
                self.config.set_flag("locked", True)
                self.logs.warning("food lock")
        body.locked = self.config.flag("locked")

    def _no_memory(self):
        """The server sends it again, ever more rarely. No HELLO: that would fetch it at once."""
        self._waiting = None
        gc.collect()
        self.logs.error("configuration refused: MEMORY")

    def _configure(self):
        """Rule 7: not while a unit is open."""
        if self._waiting is None or not self.device.idle:
            return
        update, self._waiting = self._waiting, None
        try:
            applied = self._apply(update)
        except MemoryError:
            self._no_memory()
            return
        if applied:
            update = None
            self.config.settle()
            self._food = Food(self.config.read("device", "food_lock"))

    def _apply(self, update):
        why = self.config.refusal(update)
        if why is not None:
            self.logs.warning("configuration refused: %s" % why)
            return False
        applied = self.config.apply(update)
        if applied:
            self.logs.info("configuration %d applied" % update["version"])
        self.synced = False  # a new HELLO says the version, also where nothing is newer
        return applied

    def _report(self):
        if self.mqtt is None or not self.mqtt.connected:
            return
        self.say("status/health", self._health())
        lines = self.logs.taken()
        if lines:
            self.say("logs", {"lines": lines})
        if self.clock.now_ms() >= self._count_ms and self._inventory is None:
            self._inventory = "count"
        if self._inventory and self.synced and self.device.idle:
            self._count()

    def _health(self):
        body, journal = self.hal.body, self.device.journal
        gc.collect()
        said = {
            "mono_ms": self.clock.now_ms(),
            "temperature_c": body.temperature_c(),
            "door": body.door(),
            "reset_reason": self.hal.reset_reason(),
            "free_heap": gc.mem_free(),
            "journal_used": journal.used,
            "rssi": self.hal.rssi(),
            "firmware": VERSION,
            "config_version": self.config.version,
            "uptime_s": (self.clock.now_ms() - self.clock.started) // 1000,
            "counters": {"sales": body.counter(), "sessions": self.session_no},
        }
        return {name: value for name, value in said.items() if value is not None}

    def _count(self):
        """Absolute counts, with the last line of the journal that they include. Nobody says that
        one was taken: what was lost behind the broker, the next one mends."""
        self._count_ms = self.clock.now_ms() + int(self.hal.setting("count_s", 3600) * 1000)
        cause, self._inventory = self._inventory, None
        stocks = self.hal.body.stocks()
        if not stocks:
            return  # this body does not count
        said = {
            "journal_id": self.device.journal.journal_id,
            "inventory_seq": self.config.count("inventory"),
            "event_seq": self.device.journal.event_seq,
            "cause": cause,
            "slots": [{"slot": slot, "count": stocks[slot]} for slot in sorted(stocks)],
        }
        if not self.say("status/inventory", said):
            self._inventory = cause

    def _show(self):
        unit_id = self.device.open_unit
        step = "idle" if unit_id is None else "running" if self.device.running else "accepted"
        self.hal.show(
            {
                "outlet": self.config.enrolment["machine"],
                "power": True,
                "connected": bool(self.mqtt and self.mqtt.connected),
                "step": step,
                "unit_id": unit_id,
                "url": self.config.read("device", "url"),
            }
        )


def echo(level, text):
    print(level, text)


def start(hal, slot="factory"):
    """Never returns."""
    gc.threshold(4096)
    asyncio.run(App(hal, slot).run())
