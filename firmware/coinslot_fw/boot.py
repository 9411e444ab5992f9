"""The loader: chooses which code runs, counts the boots of code on trial, and goes back by itself.

It lies outside the slots, with flash.py, and no update replaces it. What runs is one record of the
boot register: `active` (factory, a, b), `trial`, `slots` and the `offer` that is worked on."""

import gc
import hashlib
import io
import json
import struct
import sys
from binascii import hexlify

BOOTS_OF_A_TRIAL = 3
MAGIC = b"CSIM"
_CHUNK = 256


def fresh():
    """The register of a board that was never updated."""
    return {"active": "factory", "trial": None, "slots": {}, "offer": None}


def digest_of(flash, size):
    """The sha256 of the first bytes of a slot, in hex."""
    digest = hashlib.sha256()
    for start in range(0, size, _CHUNK):
        digest.update(flash.read(start, min(_CHUNK, size - start)))
    return hexlify(digest.digest()).decode()


def is_whole(flash_of, value, slot):
    """Whether the slot holds what was signed."""
    about = value["slots"].get(slot)
    return bool(about) and digest_of(flash_of(slot), about["size"]) == about["sha256"]


def gone_back(value, code):
    """The register after the trial failed: the kept code runs again."""
    offer = dict(value["offer"] or {})
    offer["state"], offer["code"] = "ROLLED_BACK", code
    return dict(value, trial=None, offer=offer)


def choose(flash_of, register):
    """The slot to run now. Whatever is decided is on the flash before it runs."""
    value = register.value or fresh()
    trial = value["trial"]
    if trial and trial["left"] <= 0:
        value = gone_back(value, "BOOTS")
        register.put(value)
    elif trial and not is_whole(flash_of, value, trial["slot"]):
        value = gone_back(value, "LOADER")
        register.put(value)
    elif trial:
        register.put(dict(value, trial=dict(trial, left=trial["left"] - 1)))
        return trial["slot"]
    for slot in (value["active"], "a", "b"):
        if slot == "factory" or is_whole(flash_of, value, slot):
            return slot
    return "factory"


class SlotFs:
    """The files of an image in a raw slot, as a read-only file system that `import` reads. Their
    names are searched as text: as objects they would take the memory that an update needs."""

    def __init__(self, flash):
        magic, self._size = struct.unpack(">4sI", flash.read(0, 8))
        if magic != MAGIC:
            raise OSError(5)
        self._flash = flash

    def _names(self):
        return self._flash.read(8, self._size)

    @staticmethod
    def _place(names, path):
        """(offset, size) of a file, or None."""
        start = names.find(('"' + path + '":').encode())
        if start < 0:
            return None
        return json.loads(names[names.find(b"[", start) : names.find(b"]", start) + 1])

    def mount(self, *_):
        pass

    def umount(self):
        pass

    def stat(self, path):
        path, names = path.strip("/"), self._names()
        place = self._place(names, path)
        if place is None and names.find(('"' + path + "/").encode()) < 0:
            raise OSError(2)
        size = place[1] if place else 0
        return (0x8000 if size else 0x4000, 0, 0, 0, 0, 0, size, 0, 0, 0)

    def open(self, path, *_):
        offset, size = self._place(self._names(), path.strip("/"))
        return SlotFile(self._flash, 8 + self._size + offset, size)


class SlotFile(io.IOBase):
    """Read piece by piece: a whole module at once may find no room."""

    def __init__(self, flash, offset, size):
        self._flash = flash
        self._offset = offset
        self._left = size

    def readinto(self, buffer):
        length = min(len(buffer), self._left)
        buffer[:length] = self._flash.read(self._offset, length)
        self._offset += length
        self._left -= length
        return length

    def ioctl(self, *_):
        return 0


def run(hal_name, folder):
    """Never returns: starts the chosen code with a hal of its own."""
    gc.threshold(1024)  # modules loaded between garbage would leave the heap in small pieces
    slot = _chosen(_hal(hal_name, folder))
    hal = _hal(hal_name, folder) if slot == "factory" else _moved(slot, hal_name, folder)
    collect = gc.collect
    collect()
    start = __import__("coinslot_fw.main").main.start
    if slot != "factory":
        globals().clear()  # it stays called: what it is made of would take an update's memory
        collect()
    start(hal, slot)


def _chosen(hal):
    from coinslot_fw.flash import Register

    return choose(hal.flash, Register(hal.flash("boot")))


def _hal(hal_name, folder):
    return getattr(__import__("coinslot_fw." + hal_name), hal_name).Hal(folder)


def _moved(slot, hal_name, folder):
    """The board by the code of the slot; of the factory's code next to nothing stays in memory."""
    import vfs

    vfs.mount(SlotFs(_hal(hal_name, folder).flash(slot)), "/app")
    for name in [name for name in sys.modules if name.startswith("coinslot_fw")]:
        del sys.modules[name]
    gc.collect()
    sys.path.insert(0, "/app")
    hal = _hal(hal_name, folder)
    mounted = __import__("coinslot_fw.boot").boot.SlotFs(hal.flash(slot))
    vfs.umount("/app")
    vfs.mount(mounted, "/app")
    return hal
