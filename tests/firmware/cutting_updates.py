"""Takes the power away at every flash operation of an update: from the offer to the confirmation,
and while an image on trial goes back. On MicroPython: `micropython cutting_updates.py TWICE`."""

import json
import sys

if sys.implementation.name == "micropython":
    HERE = sys.argv[0].rsplit("/", 1)[0]
    sys.path.append(HERE)
    sys.path.append(HERE + "/../../firmware")

from coinslot_fw import download
from coinslot_fw.boot import BOOTS_OF_A_TRIAL, choose, digest_of, is_whole
from coinslot_fw.flash import Register
from coinslot_fw.update import Update
from cutting import TEARS, Flash, PowerCutError, count_in

SIZE = 9000
BOOTS_AT_MOST = 20
download._SAVED_EVERY = 4096


class Part(Flash):
    """A partition; the plug, one for all, counts the operations."""

    def __init__(self, size, plug):
        super().__init__(size)
        self.size = size
        self._plug = plug

    def _operate(self, offset, new):
        plug = self._plug
        plug.operations += 1
        self.operations, self.tear = 0, plug.tear
        self.cut_at = 1 if plug.operations == plug.cut_at else None
        super()._operate(offset, new)


class Board:
    """What stays without power, and what the server saw."""

    hardware = "unix"

    def __init__(self, image, good):
        self.plug = Flash(0)
        self.parts = {"boot": Part(8192, self.plug), "a": Part(12288, self.plug)}
        self.parts["b"] = Part(12288, self.plug)
        self.image = image
        self.good = good  # whether the image syncs when it is on trial
        self.attempt = 1
        self.trial_boots = 0
        self.states = []
        self.wrongs = []

    def flash(self, name):
        return self.parts[name]

    def say(self, branch, message):
        self.states.append(message["state"])
        if message["state"] in ("FAILED", "ROLLED_BACK") and self.good:
            self.attempt = max(self.attempt, message["attempt"] + 1)

    def boot(self):
        """One boot. Returns True when there is nothing left to do."""
        register = Register(self.parts["boot"])
        slot = choose(self.flash, register)
        if slot != "factory" and not is_whole(self.flash, register.value, slot):
            self.wrongs.append("it runs what was not signed")
        update = Update(self, register, slot, self.say, {})
        update.resume = _nothing
        update.report()
        if update.on_trial:
            return self.trial(update)
        return self.idle(update)

    def trial(self, update):
        self.trial_boots += 1
        if not self.good:
            return False  # it hangs, and the watchdog bites
        update.confirm()
        return True

    def idle(self, update):
        """What the server does with a machine that is not on trial."""
        offer = update.offer
        ended = offer is not None and offer["state"] in ("CONFIRMED", "ROLLED_BACK")
        if ended and (offer["state"] == "CONFIRMED" or not self.good):
            return True
        command = {"rollout": "r1", "attempt": self.attempt, "manifest_url": "u"}
        update.hear(command, True)
        if update.offer["state"] == "DOWNLOADING" and update.count_try():
            receiver = update.receiver(download, self.manifest())
            receiver.begin(False)
            while receiver.got + receiver._filled < SIZE:
                start = receiver.got + receiver._filled
                receiver.write(self.image[start : start + 700])
            update.check_image(self.manifest())
        if update.offer["state"] == "VERIFIED":
            command["go"] = True
            update.hear(command, True)
        return False

    def manifest(self):
        image = Flash(SIZE)
        image.data[:] = self.image
        return {"size": SIZE, "sha256": digest_of(image, SIZE), "sequence": 2, "version": "2"}


def _nothing():
    pass


def lived(image, good, cuts):
    """A board from the factory to the end of its update, with the power cut at these operations,
    each counted from the boot after the one before. None: an operation that does not come."""
    board = Board(image, good)
    cuts = list(cuts)
    operation, board.plug.tear = cuts.pop(0)
    board.plug.operations, board.plug.cut_at = 0, operation
    missing, boots, done = True, 0, False
    while not done:
        boots += 1
        if boots > BOOTS_AT_MOST:
            board.wrongs.append("it never comes to an end")
            break
        try:
            done = board.boot()
        except PowerCutError:
            missing = bool(cuts)
            board.plug.operations = 0
            board.plug.cut_at = cuts.pop(0)[0] if cuts else None
    return None if missing else judged(board)


def judged(board):
    register = Register(board.parts["boot"])
    value = register.value
    wanted = ("CONFIRMED", "a") if board.good else ("ROLLED_BACK", "factory")
    if (value["offer"]["state"], value["active"]) != wanted or value["trial"] is not None:
        board.wrongs.append("it ends as %s in %s" % (value["offer"]["state"], value["active"]))
    if board.good and not is_whole(board.flash, value, "a"):
        board.wrongs.append("the confirmed slot is not whole")
    if board.trial_boots > BOOTS_OF_A_TRIAL:
        board.wrongs.append("%d boots on trial" % board.trial_boots)
    return board.wrongs


def updates(twice):
    """Every first cut; every `twice`-th of them with every second one."""
    image = bytes([(i * 7 + (i >> 8)) & 0xFF for i in range(SIZE)])
    tally = {"cuts": 0, "double": 0, "wrong": 0, "what": []}
    for good in (True, False):
        operation = 1
        while True:
            for tear in TEARS:
                wrongs = lived(image, good, [(operation, tear)])
                if wrongs is None:
                    break
                count_in(tally, "cuts", wrongs, (good, operation, tear))
                if twice and operation % twice == 0:
                    again(tally, image, good, (operation, tear))
            if wrongs is None:
                break
            operation += 1
    return tally


def again(tally, image, good, cut):
    second = 1
    while True:
        wrongs = lived(image, good, [cut, (second, cut[1])])
        if wrongs is None:
            return
        count_in(tally, "double", wrongs, (good, cut, second))
        second += 1


if __name__ == "__main__":
    print(json.dumps(updates(int(sys.argv[1]))))
