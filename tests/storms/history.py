"""What happens in a storm, as a list made from a seed alone: the same seed, the same list.

Not hypothesis: its strength is to shrink, and a history over real processes and real time never
runs the same way twice. What a seed repeats is the attack, not the interleaving.
"""

import random
from typing import Any, NamedTuple

from coinslot.app.demo_world import DEMO_MACHINES, MERCHANTS, SHELF
from tests.storms.people import BY_ADMINS, BY_OPERATORS, CLICKERS, WAYS
from tests.storms.tills import TILLS
from tests.storms.town import OURS, PARTS

STEPS = ("accepted", "started", "dropped", "recorded")
POINTS = ("before_commit", "after_commit", "before_send", "after_send", "after_claim")
ODD = ("razorpay", "stripe", "yookassa")
CODES = tuple(machine.code for machine in DEMO_MACHINES)
# Machines whose secret somebody else has, too: a broker lets both in, and hears both.
STOLEN = tuple(machine.code for machine in DEMO_MACHINES if machine.channel == "mqtt")
PRICE_MINOR = SHELF[0].minor
CARDS = ("pm_card_visa", "pm_card_visa", "pm_card_chargeDeclined")
OUTCOMES = ("failed_then_captured", "authorized_only")
# What is mended after a while, and how often it comes.
LASTING = {
    "jam": 20, "slow": 8, "offline": 14, "duplicate_done": 8, "late_done": 6, "wrong_slot": 8,
    "wrong_clock": 4, "door_open": 6, "temp_lock": 3, "slot_fault": 6, "motor_dead": 5,
    "motor_stuck": 5, "sensor_dead": 5,
}  # fmt: skip
# How often a process that is started again dies at one of its own commits or sends.
ARMED = 0.6
_A_DEATH_EVERY_S = 8.0
_FURTHEST = {"after_claim": 200}


class Event(NamedTuple):
    """At `at_s` seconds from the start, `what` happens to `whom`."""

    at_s: float
    what: str
    whom: str = ""
    more: dict[str, Any] = {}  # noqa: RUF012 - never changed


class Shape(NamedTuple):
    """How much of everything, in a storm of `seconds`."""

    seconds: float = 25.0
    payments: int = 40
    weathers: int = 6
    faults: int = 16
    blows: int = 10  # kills and stops of processes
    refunds: int = 4  # made in the gateway's dashboard
    empties: int = 2  # a merchant's balance at the gateway holds nothing for a while
    odds: int = 10  # genuine events that are no business of ours
    contradictions: int = 5  # somebody has a machine's secret and takes its past drops back
    floods: int = 1  # and tells of units that nobody knows
    charges: int = 25  # payments through the API, at every gateway that collects
    clicks: int = 20  # of people at the console
    read_onlys: int = 1  # PostgreSQL takes no write for a while
    coffees: int = 24  # customers of a coffee machine
    tills: int = 3  # a till that registers fiscal receipts refuses them for a while
    visits: int = 12  # customers of a counter
    walk_ins: int = 6  # who stand there and pay at its till
    papers: int = 8  # of its printer: no paper, half a ticket, a result that is lost or said twice
    plans: int = 6  # two slots of a machine change their products
    refills: int = 6  # of machines, by people who say so or not


def history(seed: int, shape: Shape) -> list[Event]:
    """Ordered by time."""
    dice = random.Random(seed)

    def some_time(until: float = 1.0) -> float:
        return round(dice.uniform(0, shape.seconds * until), 2)

    events = [_payment(dice, some_time()) for _ in range(shape.payments)]
    events += [_weather(dice, some_time()) for _ in range(shape.weathers)]
    for _ in range(shape.faults):
        events += _fault(dice, some_time(0.9))
    for _ in range(shape.blows):
        events += _blow(dice, some_time(0.9))
    for _ in range(shape.refunds):
        part = dice.choice((None, None, 1_000))
        events.append(Event(some_time(), "refund", more={"nth": dice.random(), "amount": part}))
    for _ in range(shape.empties):
        whom, at_s = dice.choice(CODES), some_time(0.8)
        events.append(Event(at_s, "balance", whom, {"amount": 0}))
        filled = round(at_s + dice.uniform(1, 8), 2)
        events.append(Event(filled, "balance", whom, {"amount": None}))
    events += [_charge(dice, some_time()) for _ in range(shape.charges)]
    for _ in range(shape.odds):
        odd = {"gateway": dice.choice(ODD), "number": dice.randrange(100)}
        events.append(Event(some_time(), "odd", dice.choice(tuple(MERCHANTS)), odd))
    for _ in range(shape.read_onlys):
        at_s, lasts_s = some_time(0.8), dice.uniform(1, 6)
        events.append(Event(at_s, "read_only", more={"on": True}))
        events.append(Event(round(at_s + lasts_s, 2), "read_only", more={"on": False}))
    for _ in range(shape.contradictions):
        events.append(Event(some_time(), "contradict", dice.choice(STOLEN)))
    for _ in range(shape.floods):
        events.append(Event(some_time(), "flood", dice.choice(STOLEN)))
    clicks = [_click(dice, some_time(0.7)) for _ in range(shape.clicks)]
    # No more than a web process survives: it takes seconds to start.
    deaths = min(len(clicks), int(shape.seconds / _A_DEATH_EVERY_S))
    events += [*clicks, *(_meets_a_death(dice, click) for click in dice.sample(clicks, deaths))]
    # Last, so that what else is drawn from a seed stays as it was.
    events += [Event(some_time(0.9), "plan", dice.choice(CODES)) for _ in range(shape.plans)]
    return sorted(events, key=lambda event: event.at_s)


def _payment(dice: random.Random, at_s: float) -> Event:
    code = dice.choice(CODES)
    kind = dice.choices(
        ("scan", "twice", "mismatch", "foreign", "failed_then_captured", "authorized", "place"),
        (50, 8, 8, 8, 8, 3, 15),
    )[0]
    match kind:
        case "mismatch":
            amount = dice.choice((PRICE_MINOR - 100, PRICE_MINOR + 900, 100))
            return Event(at_s, "scan", code, {"amount": amount})
        case "foreign":
            amount = dice.choice((PRICE_MINOR, 7_700))
            return Event(at_s, "foreign", code, {"amount": amount})
        case "failed_then_captured":
            return Event(at_s, "scan", code, {"outcome": OUTCOMES[0]})
        case "authorized":
            return Event(at_s, "scan", code, {"outcome": OUTCOMES[1]})
        case "place":
            slot = dice.choice(SHELF).slot
            paying = {
                "times": dice.choice((0, 1, 1, 1, 2)),
                "outcome": dice.choice(("captured",) * 4 + OUTCOMES),
                "after_s": dice.choice((0, 0, 0, 0, 16)),  # then the order has expired
            }
            return Event(at_s, "place", code, {"slot": slot, **paying})
        case _:
            return Event(at_s, kind, code)


def _charge(dice: random.Random, at_s: float) -> Event:
    """A merchant's server collects: with an instrument, or from a payer who goes to a page."""
    gateway = dice.choice(tuple(TILLS))
    amount = dice.choice((5_000, 12_345, 99_900))
    card = gateway == "stripe" and dice.random() < 0.6
    held = gateway != "razorpay" and dice.random() < 0.3
    wish: dict[str, Any] = {
        "gateway": gateway,
        "amount": amount,
        "method": dice.choice(CARDS) if card else None,
        "held": held,
        "confirms": dice.choice((1, 1, 2, 3)),
        "payer": dice.choice((0, 0, 0, 0.5, 6, None)),  # seconds until he pays; or he never does
        "declined": dice.random() < 0.15,
        "then": [_next_call(dice, amount, held=held) for _ in range(dice.choice((0, 1, 2)))],
    }
    return Event(at_s, "charge", dice.choice(tuple(MERCHANTS)), wish)


def _next_call(
    dice: random.Random, amount: int, *, held: bool
) -> tuple[str, float, dict[str, Any]]:
    """What the server asks then: the call, how long it waits before, and with what."""
    part = dice.choice(({}, {"amount": amount // 3}))
    calls = ("capture", "capture", "cancel") if held else ("refunds", "refunds", "cancel")
    what = dice.choice(calls)
    return what, dice.choice((0, 0.3, 2)), {} if what == "cancel" else part


def _click(dice: random.Random, at_s: float) -> Event:
    """Half of them give money back; only an admin replaces keys."""
    login = dice.choice(tuple(CLICKERS))
    kinds = BY_ADMINS if CLICKERS[login].role == "admin" else BY_OPERATORS
    kind = "refund" if dice.random() < 0.5 else dice.choice(kinds)
    more = {"kind": kind, "way": dice.choice(WAYS), "seed": dice.randrange(10**6)}
    return Event(at_s, "click", login, more)


def _meets_a_death(dice: random.Random, click: Event) -> Event:
    """A process dies meanwhile, or is started again and dies at one of its commits, which are those
    of clicks."""
    whom = dice.choice(("web", "web", "web", "worker"))
    fault = f"die:after_commit:{dice.randint(1, 25)}" if dice.random() < ARMED else ""
    died_s = round(click.at_s + dice.choice((0.0, 0.1, 0.3, 0.8)), 2)
    return Event(died_s, "kill", whom, {"fault": fault})


def _weather(dice: random.Random, at_s: float) -> Event:
    webhooks: dict[str, Any] = {
        name: dice.choice((0, 0, 0.2, 0.5)) for name in ("lose", "repeat", "reorder", "forge")
    }
    webhooks["hold"] = dice.random() < 0.15
    api: dict[str, Any] = {
        name: dice.choice((0, 0, 0.2, 0.4))
        for name in ("error_5xx", "drop_response", "refund_fails_later")
    }
    api["latency_ms"] = dice.choice((0, 0, 50, 400))
    return Event(at_s, "weather", more={"webhooks": webhooks, "api": api})


def _fault(dice: random.Random, at_s: float) -> list[Event]:
    """A machine breaks, and most things are mended after a while."""
    code = dice.choice(CODES)
    name = dice.choices((*LASTING, "power_cut_at", "wipe_journal"), (*LASTING.values(), 34, 6))[0]
    if name == "power_cut_at":
        return [Event(at_s, "fault", code, {name: dice.choice(STEPS)})]
    if name == "wipe_journal":
        return [Event(at_s, "fault", code, {name: True})]
    mended = round(at_s + dice.uniform(1, 6), 2)
    return [Event(at_s, "fault", code, {name: True}), Event(mended, "fault", code, {name: False})]


def _blow(dice: random.Random, at_s: float) -> list[Event]:
    whom = dice.choice(PARTS + OURS)  # ours more often than what they stand on
    if dice.random() < 0.35:
        again = round(at_s + dice.uniform(0.3, 5), 2)
        return [Event(at_s, "stop", whom), Event(again, "go_on", whom)]
    fault = ""
    if whom in OURS and dice.random() < ARMED:
        point = dice.choice(POINTS)
        fault = f"die:{point}:{dice.randint(1, _FURTHEST.get(point, 12))}"
    return [Event(at_s, "kill", whom, {"fault": fault})]
