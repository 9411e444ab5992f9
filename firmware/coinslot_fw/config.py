"""What the device was told: its enrolment, and the configuration that the server sends.

Each is durable as a whole: after a power cut it is the old one or the new one."""

import gc
import hashlib
import json
from binascii import a2b_base64, hexlify, unhexlify

from coinslot_fw.flash import SECTOR, Register
from coinslot_fw.wire import picked

_ENROLMENT_BANK = 8192
_CONFIG_BANK = 16384
# What is read of a configuration, and of its device; the rest is for people, pages and other
# devices, and memory is short.
KEPT = {
    "price_version": None,
    "planogram_version": None,
    "device": {"food_lock": None, "age_slots": None, "url": None},
}


class EnrolmentError(Exception):
    """What was put in is no enrolment of a device over MQTT."""


def broker_of(enrolment):
    """(host, port, whether TLS). Raises EnrolmentError."""
    scheme, _, rest = str(enrolment.get("broker")).partition("://")
    host, _, port = rest.rstrip("/").partition(":")
    if scheme not in ("mqtt", "mqtts") or not host or (port and not port.isdigit()):
        raise EnrolmentError("broker is mqtt://host:port or mqtts://host:port")
    secure = scheme == "mqtts"
    return host, int(port or (8883 if secure else 1883)), secure


def checked(enrolment):
    """The enrolment as it is kept. Raises EnrolmentError."""
    if not isinstance(enrolment, dict):
        raise EnrolmentError("an enrolment is a JSON object")
    for name in ("machine", "login", "secret", "key_id"):
        if not isinstance(enrolment.get(name), str) or not enrolment[name]:
            raise EnrolmentError(name + " is missing")
    if enrolment.get("dialect", "leased") != "leased":
        raise EnrolmentError("this firmware speaks the leased dialect only")
    if enrolment.get("firmware_key") is not None and not _is_key(enrolment["firmware_key"]):
        raise EnrolmentError("firmware_key is 32 bytes in hex")
    _, _, secure = broker_of(enrolment)
    if secure and not enrolment.get("ca"):
        raise EnrolmentError("a broker with TLS needs `ca`; where the code is too small, the file")
    return enrolment


def _is_key(text):
    try:
        return len(unhexlify(text)) == 32
    except (ValueError, TypeError):
        return False


def authority(enrolment):
    """The pinned authority in DER, or None."""
    ca = enrolment.get("ca")
    return a2b_base64(ca) if ca else None


class Config:
    """`enrolment` and `applied` (the configuration) with its `version`."""

    def __init__(self, flash):
        self._enrolment = Register(flash, _ENROLMENT_BANK)
        self._config = Register(flash, _CONFIG_BANK, 2 * _ENROLMENT_BANK)
        self._counts = Register(flash, SECTOR, 2 * (_ENROLMENT_BANK + _CONFIG_BANK))
        device = self._config.value and self._config.value.get("device")
        for name in list(device) if isinstance(device, dict) else ():
            if name not in KEPT["device"]:
                del device[name]  # an older firmware kept it whole
        self.applied = self._parsed()

    def _parsed(self):
        return self._config.value or {}

    @property
    def enrolment(self):
        return self._enrolment.value

    def enrol(self, enrolment):
        """Durable on return. Raises EnrolmentError."""
        wanted = checked(enrolment)
        if wanted != self._enrolment.value:
            self._enrolment.put(wanted)

    @property
    def version(self):
        return self._config.value["version"] if self._config.value else None

    def refusal(self, update):
        """Why a `config/update` is not applied, or None."""
        text = update.get("config")
        if not isinstance(text, str) or not isinstance(update.get("version"), int):
            return "no configuration"
        digest = hashlib.sha256()
        for start in range(0, len(text), 128):
            digest.update(text[start : start + 128].encode())
        if hexlify(digest.digest()).decode() != update.get("sha256"):
            return "the sha256 is another one"
        try:
            picked(text, KEPT)
        except ValueError:
            return "no JSON object"
        return None

    def apply(self, update):
        """Only a newer one: an old message may come late. Durable on return; to be called with no
        unit open. False: it is refused, or not newer."""
        if self.refusal(update) is not None or update["version"] <= (self.version or 0):
            return False
        kept = picked(update["config"], KEPT)
        kept["version"] = update["version"]
        self._config.put(kept)
        self.applied = self._parsed()
        return True

    def settle(self):
        """Move what was applied to where memory is free: it was made beside the text that it was
        read from, and stays for long; what comes later would find only pieces. A MemoryError here
        must end the boot: without its versions a device would compare none."""
        kept = json.dumps(self._config.value)
        self._config.value, self.applied = None, {}
        gc.collect()
        self._config.value = json.loads(kept)
        self.applied = self._parsed()

    def read(self, *path):
        """A value of the configuration, or None: the device's own part is under `device`."""
        found = self.applied
        for name in path:
            found = found.get(name) if isinstance(found, dict) else None
        return found

    def count(self, name):
        """The next number of this name, durable before it is used."""
        counts = dict(self._counts.value or {})
        counts[name] = counts.get(name, 0) + 1
        self._counts.put(counts)
        return counts[name]

    def flag(self, name):
        return bool((self._counts.value or {}).get(name))

    def set_flag(self, name, value):
        if self.flag(name) != value:
            counts = dict(self._counts.value or {})
            counts[name] = int(value)
            self._counts.put(counts)
