"""The right to start one unit, for a while, in the device's own clock; it dies with the power."""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from machine_simulator.clock import TICKS_PERIOD_MS, ticks_diff
from machine_simulator.files import Record

KEY_ID = "1"
LEASE_MAX_MS = TICKS_PERIOD_MS // 4  # beyond half the wrap, "before" has no meaning


@dataclass
class Lease:
    """A unit accepted in this boot. `over` stays true: ticks wrap, a lease must not come back."""

    slot: str
    lease_ms: int
    accept: Record
    over: bool = False

    @property
    def unit_id(self) -> str:
        return str(self.accept["unit_id"])

    @property
    def seq(self) -> int:
        return int(self.accept["seq"])

    def is_open(self, now_ms: int) -> bool:
        """To be asked more often than every 6 days, so that its end is not missed."""
        self.over = self.over or ticks_diff(self._end_ms, now_ms) <= 0
        return not self.over

    def refusal(self, go: Mapping[str, Any], secret: str, now_ms: int) -> str | None:
        """Rule 1, as far as it is about the lease: one line for each thing that must hold."""
        if (self.unit_id, self.seq) != (go["unit_id"], go["seq"]):
            return "not the unit that was accepted"
        if go["boot_id"] != self.accept["boot_id"]:
            return "meant for another boot"
        not_after = int(go["not_after"])
        if go["key_id"] != KEY_ID or not hmac.compare_digest(
            self._signature(secret, not_after), str(go["hmac"]).encode()
        ):
            return "not signed with this device's key"
        if ticks_diff(not_after, self._end_ms) > 0:
            return "not_after lies beyond the lease"
        if not self.is_open(now_ms) or ticks_diff(not_after, now_ms) <= 0:
            return "the lease is over"
        return None

    @property
    def _end_ms(self) -> int:
        return int(self.accept["mono_ms"]) + self.lease_ms

    def _signature(self, secret: str, not_after: int) -> bytes:
        """Over not_after as it was written, whether the server wrapped it or not."""
        boot_id = self.accept["boot_id"]
        signed = f"{self.unit_id}|{self.seq}|{self.slot}|{boot_id}|{not_after}"
        return hmac.new(secret.encode(), signed.encode(), hashlib.sha256).hexdigest().encode()
