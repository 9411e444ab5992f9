"""What a machine says of its own health, gathered and written together: one statement for all
machines that were heard since the last one."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct

from coinslot.channels.reports import HealthReport
from coinslot.context import Context
from coinslot.telemetry import store

_KEPT = (
    "temperature_c", "reset_reason", "free_heap", "journal_used", "rssi", "firmware",
    "config_version", "uptime_s",
)  # fmt: skip


class Heard(Struct, frozen=True):
    """A report, or several of one machine gathered, and when the newest came. What is not in it is
    not known, and is never taken to be good."""

    at: datetime
    said: Mapping[str, Any]

    @classmethod
    def of(cls, report: HealthReport, at: datetime) -> "Heard":
        # No sensor measures finer, and PostgreSQL's `real` refuses what is nearly nothing.
        warm = None if report.temperature_c is None else round(report.temperature_c, 2)
        said = {name: getattr(report, name) for name in _KEPT} | {
            "temperature_c": warm, "low": warm, "high": warm,
            "door_open": None if report.door is None else report.door == "open",
            "opened": report.door == "open" or report.defrost or None,
            "counters": report.counters or None,
        }  # fmt: skip
        return cls(at, {name: value for name, value in said.items() if value is not None})

    def then(self, other: "Heard") -> "Heard":
        """Both: the newest of each thing, the lowest and highest temperature, whether it was ever
        open."""
        if other.at < self.at:
            return other.then(self)
        both = {**self.said, **other.said}
        for name, best in (("low", min), ("high", max)):
            if name in self.said and name in other.said:
                both[name] = best(self.said[name], other.said[name])
        return Heard(other.at, both)


async def keep(context: Context, heard: Mapping[str, Heard]) -> Sequence[str]:
    """Write what these machines said; returns those whose food lock fell by it."""
    if not heard:
        return ()
    async with context.db.system_transaction() as conn:
        rows = await conn.fetch(
            store.TAKE_READINGS, list(heard), [one.at for one in heard.values()],
            [dict(one.said) for one in heard.values()], context.windows.span("online_s"),
        )  # fmt: skip
    return [row["locked"] for row in rows]
