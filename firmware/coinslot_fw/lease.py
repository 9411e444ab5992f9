"""The right to start one unit, for a while, in the device's own clock. It ends with the power."""

import hashlib
from binascii import hexlify

LEASE_MAX_MS = 24 * 3600 * 1000
_BLOCK = 64


def hmac_sha256(key, text):
    """Hex. MicroPython brings no hmac."""
    if len(key) > _BLOCK:
        key = hashlib.sha256(key).digest()
    inner = hashlib.sha256(_padded(key, 0x36))
    inner.update(text)
    outer = hashlib.sha256(_padded(key, 0x5C))
    outer.update(inner.digest())
    return hexlify(outer.digest()).decode()


def _padded(key, pad):
    block = bytearray(_BLOCK)
    for index in range(_BLOCK):
        block[index] = pad ^ (key[index] if index < len(key) else 0)
    return block


def same(one, other):
    """Compared in the same time whatever is in them."""
    if len(one) != len(other):
        return False
    differs = 0
    for left, right in zip(one.encode(), other.encode()):
        differs |= left ^ right
    return differs == 0


class Lease:
    """A unit accepted in this boot; `accept` is the answer, repeated as it is."""

    def __init__(self, slot, lease_ms, accept):
        self.slot = slot
        self.accept = accept
        self.unit_id = accept["unit_id"]
        self.seq = accept["seq"]
        self.ends_ms = accept["mono_ms"] + lease_ms

    def is_open(self, now_ms):
        return now_ms < self.ends_ms

    def refusal(self, go, keys, now_ms):
        """Rule 1, as far as it is about the lease: one line for each thing that must hold. None: it
        all does. `keys` are the device's secrets by key_id."""
        if (self.unit_id, self.seq) != (go["unit_id"], go["seq"]):
            return "not the unit that was accepted"
        if go["boot_id"] != self.accept["boot_id"]:
            return "meant for another boot"
        not_after = int(go["not_after"])
        secret = keys.get(str(go["key_id"]))
        if secret is None or not same(self._signature(secret, not_after), str(go["hmac"])):
            return "not signed with this device's key"
        if not_after > self.ends_ms:
            return "not_after lies beyond the lease"
        if now_ms >= not_after or not self.is_open(now_ms):
            return "the lease is over"
        return None

    def _signature(self, secret, not_after):
        boot_id = self.accept["boot_id"]
        signed = "%s|%d|%s|%s|%d" % (self.unit_id, self.seq, self.slot, boot_id, not_after)
        return hmac_sha256(secret.encode(), signed.encode())
