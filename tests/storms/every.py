"""At every commit and every send: one short history again and again, in which a process dies at
its 1st, 2nd, ... n-th such point and is started again, until it lives through all of it.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from coinslot.kit.ids import token
from tests.storms import counter
from tests.storms.part import Part
from tests.storms.run import Report, audit, compare
from tests.storms.storm import Storm
from tests.storms.town import OURS, Town, until

# after_claim is left to the storms: a sweeper claims nothing for ever.
POINTS = ("before_commit", "after_commit", "before_send", "after_send")
DROPS, JAMS = ("M01", "A2"), "M03"  # over MQTT and ordered on a page; over Socket.IO, printed
WITHIN_S = 40.0


class Death(NamedTuple):
    """Where `role` is to die."""

    role: str
    point: str
    nth: int

    def __str__(self) -> str:
        return f"{self.role} {self.point} {self.nth}"


async def die_everywhere(town: Town, report: Report, roles: Sequence[str]) -> Counter[str]:
    """How many points there were, by process and kind; stops at the first breach."""
    covered: Counter[str] = Counter()
    await counter.fill(town)  # nobody orders there, and its count must stay as it is
    for role in roles:
        for point in POINTS:
            nth = 1
            while not report.breaches and await sell_and_die(town, report, Death(role, point, nth)):
                covered[f"{role} {point}"] += 1
                nth += 1
            await audit(town, report, f"after {role} {point}")
            town.kill(role)  # it is started afresh, and waits for no death
            print(f"  {role} {point}: {nth - 1}; {report.line()}", flush=True)
    return covered


async def sell_and_die(town: Town, report: Report, death: Death) -> bool:
    """One sale that drops and one that jams around a death; whether it came in time to matter."""
    part = town.parts[death.role]
    before = part.deaths
    report.storms += 1
    storm = Storm(town, report.chronicle)
    await town.refill()
    since = (await town.rows("SELECT clock_timestamp() AS now"))[0]["now"]
    part.fault = f"die:{death.point}:{death.nth}"
    part.kill()
    await until(lambda: _all_are_back(town, since), WITHIN_S)
    await town.ask("POST", f"/machines/{JAMS}/fault", {"jam": True})
    async with storm.watched():
        await asyncio.gather(
            storm.scan(qr_code_id=town.world.qr_codes[JAMS]),
            _order(storm, report, *DROPS),
        )
        await compare(storm, report, f"death of {death}")
    return part.deaths > before and await _something_was_left_to_do(town, part)


async def _something_was_left_to_do(town: Town, part: Part) -> bool:
    """A worker looks at codes for ever: its deaths after the last move are of no sale."""
    last = (await town.rows("SELECT max(at) AS at FROM events"))[0]["at"]
    return part.died_at is not None and part.died_at <= last


async def _all_are_back(town: Town, since: datetime) -> bool:
    if fallen := town.falls():
        raise AssertionError("\n".join(fallen))
    online = await town.machines_are_online(since)
    return online and all(town.parts[name].ready for name in OURS)


async def _order(storm: Storm, report: Report, code: str, slot: str) -> None:
    """An order from the page, asked for with one key until it stands; its code paid once."""
    form = {"slot": slot, "key": token()}
    places: set[str] = set()

    async def placed() -> bool:
        answer = await storm.town.http.post(f"{storm.town.web_url}/q/{code}", data=form)
        places.update({answer.headers["location"]} if answer.is_redirect else ())
        return bool(places)

    async def paid() -> bool:
        await storm.ask_for_code(next(iter(places)))
        qr_code_id = await storm.qr_of(next(iter(places)))
        if qr_code_id is not None:
            await storm.scan(qr_code_id=qr_code_id, late=True)
        return qr_code_id is not None

    await until(placed, WITHIN_S)
    await until(paid, WITHIN_S)
    if len(places) > 1:
        report.breaches.append(f"one key placed several orders: {places}")
