"""What people type when they look for a payment: an amount and a time of day, or a reference."""

import re
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from coinslot.kit.money import Money, MoneyRangeError, MoneyTextError

_DIGITS = str.maketrans("०१२३४५६७८९٠١٢٣٤٥٦٧٨٩", "01234567890123456789")
_TIME = re.compile(r"([0-9]{1,2})[:.]([0-5][0-9])(?::[0-5][0-9])?")
# Shorter ones could be guessed.
_REFERENCE = re.compile(r"[A-Za-z0-9_]{10,64}")
# A payment app's clock may run a little ahead of ours.
_AHEAD = timedelta(minutes=5)
# Tomorrow, today, yesterday, and before it: a day may lack an hour, and Apia has lacked a day.
_DAYS_LOOKED_AT = 5


class UnreadableError(ValueError):
    """Neither an amount nor a time can be seen in this."""


def minor_of(text: str, currency: str) -> int:
    """Minor units of what was typed: "40", "40,00", with a currency sign or without."""
    try:
        minor = Money.typed(text, currency).minor
    except (MoneyTextError, MoneyRangeError):
        raise UnreadableError(text) from None
    if minor <= 0:
        raise UnreadableError(text)
    return minor


def minutes_of(text: str, now: datetime, zone: ZoneInfo) -> tuple[datetime, ...]:
    """The latest such time of day in the past, in a zone, as moments in UTC: one, or two where
    clocks were put back and the hour came twice. An hour that was skipped did not exist that
    day."""
    found = _TIME.fullmatch(text.translate(_DIGITS).strip())
    if found is None or int(found[1]) > 23:
        raise UnreadableError(text)
    tomorrow = now.astimezone(zone).date() + timedelta(days=1)  # just past midnight by their clock
    for back in range(_DAYS_LOOKED_AT):
        wall = datetime.combine(tomorrow - timedelta(days=back), time(int(found[1]), int(found[2])))
        been = tuple(moment for moment in _moments(wall, zone) if moment <= now + _AHEAD)
        if been:
            return been
    raise UnreadableError(text)


def _moments(wall: datetime, zone: ZoneInfo) -> tuple[datetime, ...]:
    """When the clocks of a zone showed this: never, once or twice."""
    both = (wall.replace(fold=fold, tzinfo=zone).astimezone(UTC) for fold in (0, 1))
    return tuple(
        sorted({at for at in both if at.astimezone(zone).replace(tzinfo=None, fold=0) == wall})
    )


def reference_of(text: str) -> str:
    """A payment's reference as a bank's app shows it, without what people put between."""
    bare = re.sub(r"[\s.:#-]", "", text.translate(_DIGITS))
    if not _REFERENCE.fullmatch(bare):
        raise UnreadableError(text)
    return bare
