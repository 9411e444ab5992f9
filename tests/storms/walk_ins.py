"""What staff enter at the till in a storm: double taps, two boards, and a hand-over that meets a
cancellation. Two books of each: what staff were told and have in their hands, and our rows."""

import asyncio
import json
import random
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

from msgspec import Struct

from coinslot.app.demo_world import COUNTER
from coinslot.kit.ids import token
from tests.storms.chronicle import Chronicle, Entered
from tests.storms.compare import Breach
from tests.storms.history import Event
from tests.storms.people import People, Person
from tests.storms.town import AWAY, Town

STAFF: Final = "boris"
KIND: Final = "walk in"  # of the clicks, and of the event
PLANS: Final = (
    "hand over", "hand over twice", "cancel", "cancel when ready", "hand over and cancel", "leave",
)  # fmt: skip
_WAYS: Final = ("once", "one page twice", "late")
_AT: Final = f"/console/board/stores/{COUNTER.code}/walk-in"
_TRIES, _TRY_S = 60, 0.5
_OURS: Final = """
SELECT w.id::text, w.name, w.number, w.entered_by, w.ready_at IS NOT NULL AS ready,
    w.handed_at IS NOT NULL AS handed, w.cancelled_at IS NOT NULL AS cancelled,
    (SELECT sum((l->>'quantity')::integer) FROM jsonb_array_elements(w.lines) l)::integer AS pieces,
    (SELECT count(*) FROM counter_prints j WHERE j.walk_in_id = w.id AND j.kind = 'ticket'
        AND j.copy = 0)::integer AS tickets
FROM counter_walk_ins w
"""


class Left(Struct, frozen=True):
    """What is not for sale any more of the item that is counted, and of its choice."""

    cake: int = 0
    cream: int = 0


def entries(dice: random.Random, seconds: float, count: int) -> list[Event]:
    """People who stand at the counter and pay there, and what becomes of each."""
    return [
        Event(round(dice.uniform(0, seconds), 2), KIND, more={
            "plan": PLANS[n % len(PLANS)], "way": dice.choice(_WAYS),
            "cake": dice.choice((1, 1, 2)), "cream": dice.random() < 0.5,
            "chai": dice.choice((0, 0, 3)),
        })
        for n in range(count)
    ]  # fmt: skip


async def serve(people: People, more: dict[str, Any]) -> None:
    """Entered by a form of the board, and moved by its buttons."""
    people.chronicle.counts[f"walk-in: {more['plan']}"] += 1
    await people.at_work(STAFF, lambda who: _serve(who, more))


async def _serve(who: Person, more: dict[str, Any]) -> None:
    name = f"till {token()[:12]}"
    typed: dict[str, Any] = {"name": name, "n.cake": str(more["cake"]), "n.chai": str(more["chai"])}
    typed |= {"c.cake": ["cream"]} if more["cream"] else {}
    typed |= {"c.chai": ["with-sugar"]} if more["chai"] else {}
    fields = (await who.look(_AT)).form(_AT).fields | typed
    cream = more["cake"] if more["cream"] else 0
    entered = who.people.chronicle.entered[name] = Entered(
        cake=more["cake"], cream=cream, pieces=more["cake"] + more["chai"]
    )
    await who.press(KIND, _AT, fields, more["way"])
    entered.told = who.people.chronicle.clicks[fields["key"]].told
    if entered.told == "done":
        place = f"/console/board/walk-ins/{await _id_of(who.town, name)}"
        for steps in _STEPS[more["plan"]]:
            await _step(who, place, entered, steps)


# What is pressed one after the other, and at one moment.
_STEPS: Final[dict[str, Sequence[Sequence[str]]]] = {
    "hand over": (("ready",), ("handed",)),
    "hand over twice": (("ready",), ("back",), ("ready",), ("handed", "handed")),
    "cancel": (("cancelled", "cancelled"),),
    "cancel when ready": (("ready",), ("cancelled",)),
    "hand over and cancel": (("ready",), ("handed", "cancelled")),
    "leave": (("ready",),),
}


async def _step(who: Person, place: str, entered: Entered, steps: Sequence[str]) -> None:
    """Each from a board of its own."""
    forms = [(await who.look("/console/board")).forms.get(place) for _ in steps]
    pressed = [
        form.fields | {"step": step}
        for form, step in zip(forms, steps, strict=True)
        if form is not None
    ]
    await asyncio.gather(*(who.press(KIND, place, fields) for fields in pressed))
    clicks = who.people.chronicle.clicks
    entered.steps += [(fields["step"], clicks[fields["key"]].told) for fields in pressed]


async def _id_of(town: Town, name: str) -> str:
    for _ in range(_TRIES):
        try:
            rows = await town.rows("SELECT id::text FROM counter_walk_ins WHERE name = $1", name)
        except AWAY:
            rows = []
        if rows:
            return str(rows[0]["id"])
        await asyncio.sleep(_TRY_S)
    return "nowhere"


async def books(town: Town) -> list[dict[str, Any]]:
    return [dict(row) for row in await town.rows(_OURS)]


def breaches(
    ours: Sequence[dict[str, Any]], chronicle: Chronicle, ends: Counter[str]
) -> list[Breach]:
    """What staff entered is there once and as they entered it; what they handed over is handed over
    on record, and nothing else is."""
    rows = Counter(row["name"] for row in ours)
    found = [
        Breach("entered at the till, and not on record", name, repr(entered))
        for name, entered in chronicle.entered.items()
        if entered.told == "done" and not rows[name]
    ]
    found += [Breach("one walk-in is there twice", name, "") for name in rows if rows[name] > 1]
    for row in ours:
        found += _of_row(row, chronicle.entered.get(row["name"]))
        ended = "handed" if row["handed"] else "cancelled" if row["cancelled"] else "open"
        ends[f"walk-ins {ended}"] += 1
    return found


def _of_row(row: dict[str, Any], entered: Entered | None) -> list[Breach]:
    told = json.dumps(row)
    if entered is None or entered.told == "refused":
        return [Breach("a walk-in that nobody entered", row["name"], told)]
    wrong, why = [], f"{entered}: {told}"
    if row["pieces"] != entered.pieces or row["entered_by"] != STAFF:
        wrong.append("a walk-in is not what was entered")
    if row["tickets"] != 1:
        wrong.append("a walk-in has not one ticket")
    if row["handed"] and row["cancelled"]:
        wrong.append("a walk-in is handed over and cancelled")
    for step, stands in (("handed", row["handed"]), ("cancelled", row["cancelled"])):
        said = [answer for one, answer in entered.steps if one == step]
        if "done" in said and not stands:
            wrong.append(f"staff were told that it is {step}, and it is not")
        if stands and not {"done", ""} & set(said):
            wrong.append(f"it is {step}, and no staff did that")
        if said.count("done") > 1:
            wrong.append(f"it was {step} twice")
    return [Breach(rule, row["name"], why) for rule in wrong]


def left_of(ours: Sequence[dict[str, Any]], chronicle: Chronicle) -> Left:
    """What is cancelled before it was ready is for sale again."""
    gone = [
        entered
        for row in ours
        if not (row["cancelled"] and not row["ready"])
        and (entered := chronicle.entered.get(row["name"])) is not None
    ]
    return Left(cake=sum(one.cake for one in gone), cream=sum(one.cream for one in gone))
