"""Updates: an offer is downloaded into the slot that does not run, checked, installed at the
server's go, and confirmed by one durable record after a self-test and a SYNC. Else it goes back.

docs/firmware.md, "Update wire", has the messages."""

import asyncio
import gc
import sys
from binascii import unhexlify

from coinslot_fw.boot import BOOTS_OF_A_TRIAL, digest_of, fresh, gone_back
from coinslot_fw.config import authority
from coinslot_fw.flash import FlashError

_TRIES = 3  # of one offer, counted on the flash
_SHORTAGES = 3  # starts anew for want of memory, counted by themselves
_LINES = 5  # connections in one try, ever further apart: a server that starts anew is away so long


class RefusedError(Exception):
    """The update is not taken; the message is the code that the server is told."""


def forget(name):
    """Take a module of ours out of memory, where it is not needed all the time."""
    if sys.modules.pop("coinslot_fw." + name, None) is not None:  # else another try has done it
        delattr(sys.modules["coinslot_fw"], name)
    gc.collect()


class Update:
    """`register` is the boot register, `slot` the one that runs now, `say` sends a status."""

    def __init__(self, hal, register, slot, say, enrolment):
        self._hal = hal
        self.boot_id = None  # of this boot, where the server is to name it
        self.idle = _always  # whether no unit is open
        self._enrolment = enrolment
        self._register = register
        self.slot = slot
        self._say = say
        self._task = None
        self.installing = False
        if register.value is None:
            register.put(fresh())

    @property
    def offer(self):
        return self._register.value["offer"]

    @property
    def on_trial(self):
        trial = self._register.value["trial"]
        return trial is not None and trial["slot"] == self.slot

    @property
    def busy(self):
        """While it installs or is on trial nothing is sold."""
        return self.installing or self.on_trial

    def report(self, state=None):
        """Say where it stands."""
        offer = self.offer
        if offer is not None:
            said = {name: offer[name] for name in ("rollout", "attempt", "state")}
            said["code"] = offer.get("code")
            said["state"] = state or said["state"]
            self._say("status/firmware", said)

    def hear(self, message, idle):
        """A command of the server. Returns True when the board is to be started anew."""
        rollout, attempt = message.get("rollout"), message.get("attempt")
        if not isinstance(rollout, str) or not isinstance(attempt, int) or len(rollout) > 40:
            return False
        offer = self.offer
        same = offer is not None and (offer["rollout"], offer["attempt"]) == (rollout, attempt)
        # Good for the boot that it names: one that started anew may have been paid at since.
        here = message.get("boot_id", self.boot_id) == self.boot_id
        if message.get("go") and same and here and offer["state"] == "VERIFIED":
            return self.install(idle)
        if message.get("withdrawn") and same and offer["state"] in ("DOWNLOADING", "VERIFIED"):
            self._stop()
            self._set("FAILED", "WITHDRAWN")
        elif not (message.get("go") or message.get("withdrawn")) and self._is_new(offer, message):
            self._stop()
            url = str(message.get("manifest_url"))[:300]
            self._put_offer({"rollout": rollout, "attempt": attempt, "url": url, "tries": 0,
                             "state": "DOWNLOADING", "code": None})  # fmt: skip
            self.resume()
        else:
            self.report()
        return False

    def _is_new(self, offer, message):
        if self.busy:
            return False
        if offer is None or offer["rollout"] != message["rollout"]:
            return True
        return message["attempt"] > offer["attempt"]

    def resume(self):
        """Go on with an offer that a power cut, or nothing, has ended."""
        if self.offer and self.offer["state"] == "DOWNLOADING" and self._task is None:
            self._task = asyncio.create_task(self._try())

    def _stop(self):
        if self._task is not None:
            self._task.cancel()
            self._task = None

    # The download

    async def _try(self):
        try:
            if self.count_try():
                await self._download()
        except MemoryError as error:
            await self._start_anew(error, self.count_shortage)
        except Exception as error:  # a fault of ours: the try counts
            await self._start_anew(error, None)
        self._task = None

    async def _download(self):
        try:
            self.report()
            manifest = await self._manifest()
            await self._with_download(self._image, manifest)
            self.check_image(manifest)
        except RefusedError as error:
            self._set("FAILED", str(error))
        except FlashError:
            self._set("FAILED", "FLASH")

    async def _with_download(self, act, *about):
        """What downloads is in memory while it does, and not while a signature is checked."""
        gc.collect()
        from coinslot_fw import download

        try:
            return await act(download, *about)
        finally:
            download = None
            forget("download")

    async def _start_anew(self, error, note):
        """A new start has the memory in one piece again. Never while a unit is open: that one would
        be INTERRUPTED, and in doubt, for an update's sake."""
        sys.print_exception(error)
        gc.collect()
        try:
            if note is not None:
                note()
        except MemoryError:  # then the try has counted
            pass
        while not self.idle():
            await asyncio.sleep(0.5)
        self._hal.reset()

    def count_shortage(self):
        """Want of memory is no fault of the offer: the try does not count, and after three the
        server is told what it was."""
        short = self.offer.get("short", 0) + 1
        self._change(tries=max(0, self.offer["tries"] - 1), short=short)
        if short >= _SHORTAGES:
            self._set("FAILED", "MEMORY")

    def count_try(self):
        """Before anything is done, so that what hangs or resets is counted as well."""
        if self.offer["tries"] >= _TRIES:
            self._set("FAILED", "TRIES")
            return False
        self._change(tries=self.offer["tries"] + 1)
        return True

    async def _manifest(self):
        key = self._enrolment.get("firmware_key")
        key = None if key is None else unhexlify(key)
        for line in range(_LINES):
            try:
                return self.checked(await self._with_download(self._answer), key)
            except (OSError, EOFError, ValueError, asyncio.TimeoutError):
                await self._pause(line)
        raise RefusedError("MANIFEST")

    async def _answer(self, download):
        body = download.Body()
        await download.fetch(self._tls, self.offer["url"], 0, body)
        return download.opened(body)

    def checked(self, answer, key):
        """The signature first, with as little in memory as can be: it needs most of all."""
        text, signature, url = answer
        if key is None or not _is_signed(key, text, signature):
            raise RefusedError("SIGNATURE")
        from coinslot_fw import manifest

        try:
            found = manifest.read_manifest(text, url)
            manifest.check_manifest(found, self._hal.hardware, self._slot_size())
            return found
        finally:
            manifest = None
            forget("manifest")

    async def _image(self, download, manifest):
        url = manifest["image_url"]
        receiver = self.receiver(download, manifest)
        for line in range(_LINES):
            try:
                receiver.begin(False)
                here = url or self.offer["url"] + "/image"
                url = None  # a store that fails is asked once: the server has the image too
                await download.fetch(self._tls, here, receiver.got, receiver)
                if receiver.got == manifest["size"]:
                    return
            except (OSError, EOFError, ValueError, asyncio.TimeoutError):
                pass
            await self._pause(line)
        raise RefusedError("DOWNLOAD")

    async def _pause(self, line):
        await asyncio.sleep(self._hal.setting("line_s", 1) * (1 << line))

    def _tls(self):
        """What an https address is asked with: the authority of the enrolment, and no other."""
        return self._hal.tls(authority(self._enrolment))

    @property
    def target(self):
        """The slot that does not run, and is not the one to go back to."""
        return "b" if self._register.value["active"] == "a" else "a"

    def _slot_size(self):
        return self._hal.flash(self.target).size

    def receiver(self, download, manifest):
        """Goes on where a power cut ended it, if the image is the same."""
        same = self.offer.get("sha256") == manifest["sha256"]
        start = self.offer.get("got", 0) if same else 0
        if not same:
            self._change(sha256=manifest["sha256"], got=0)
        flash = self._hal.flash(self.target)
        return download.Receiver(flash, manifest["size"], start, lambda got: self._change(got=got))

    def check_image(self, manifest):
        """VERIFIED, when the slot holds what was signed."""
        flash = self._hal.flash(self.target)
        if digest_of(flash, manifest["size"]) != manifest["sha256"]:
            self._change(sha256=None, got=0)
            self._set("FAILED", "SHA256")
            return
        about = {name: manifest[name] for name in ("size", "sha256", "sequence", "version")}
        slots = dict(self._register.value["slots"])
        slots[self.target] = about
        offer = dict(self.offer, state="VERIFIED", code=None)
        self._register.put(dict(self._register.value, slots=slots, offer=offer))
        self.report()

    # The trial

    def install(self, idle):
        """At the server's go: one record, then a new start. False: not while a unit is open."""
        if not idle:
            self._change(code="BUSY")
            self.report()
            return False
        self.installing = True
        self.report("INSTALLING")
        trial = {"slot": self.target, "left": BOOTS_OF_A_TRIAL}
        offer = dict(self.offer, state="TRIAL", code=None)
        self._register.put(dict(self._register.value, trial=trial, offer=offer))
        return True

    def confirm(self):
        """One durable record, after the self-test and a SYNC."""
        offer = dict(self.offer, state="CONFIRMED", code=None)
        value = dict(self._register.value, active=self.slot, trial=None, offer=offer)
        self._register.put(value)
        self.report()

    def go_back(self, code):
        """The kept code runs again from the next start."""
        self._register.put(gone_back(self._register.value, code))
        self.report()

    def _set(self, state, code):
        self._change(state=state, code=code)
        self.report()

    def _change(self, **changes):
        self._put_offer(dict(self.offer, **changes))

    def _put_offer(self, offer):
        self._register.put(dict(self._register.value, offer=offer))


def _is_signed(key, text, signature):
    from coinslot_fw.ed25519 import verified

    found = verified(key, text, signature)
    verified = None
    forget("ed25519")
    return found


def _always():
    return True
