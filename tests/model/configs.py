"""Configurations as a model: edits, a push that is held back, lost, late, damaged or repeated,
power cuts in the middle of applying, a restored database; and the units that are bought meanwhile.

Left out: what test_model.py asks already (queries, leases by time, doubt), and who fills slots."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from .search import FLAGGED, Model

OTHER = "OTHER: it dropped as another thing, or at another price, than it was bought as"
HALF = "HALF: prices of one version, and slots of another"
BACK = "BACK: an older version took the place of a newer one"
DAMAGED = "DAMAGED: a text was applied that is not the one that was sent"
WHILE_OPEN = "WHILE OPEN: it changed while a unit was open"
EARLY = "EARLY: pages sold by a version that the machine never had"
TURNED_AWAY = "TURNED AWAY: paid before the push, and refused because of it"
BOTH = "BOTH: goods and refund"


@dataclass(frozen=True, slots=True)
class ConfigRules:
    """One field per rule that can be weakened. The defaults are decision 0100."""

    # server
    holds_back: bool = True  # while a unit is unsettled that was bought under another version
    sells_what_is_applied: bool = True
    applied_when_said: bool = True  # by HELLO; not when it is sent
    offers_the_snapshot: bool = True  # OFFER says the order's versions
    compares_the_sku: bool = True  # what is not in its slot any more is not offered
    sends_again: bool = True
    overtakes: bool = True  # a version that was never made here: ours goes above it
    # device
    checks_the_hash: bool = True
    only_newer: bool = True
    whole: bool = True  # one record for the whole configuration
    only_idle: bool = True  # rule 7
    compares_versions: bool = True
    speaks: bool = True  # False: a machine that knows no configurations
    # world
    edits: int = 2
    orders: int = 1
    offers: int = 1
    cuts: int = 1
    restores: int = 0
    edits_unheard: bool = False  # somebody edits a restored machine before its HELLO came


class Version(NamedTuple):
    """A configuration. `number`, and those of prices and planogram; what it says is price and
    sku."""

    number: int = 1
    prices: int = 1
    planogram: int = 1
    price: int = 1
    sku: int = 1


class Unit(NamedTuple):
    """At the server: queued offered going, then settled. `bought` is the order's snapshot."""

    state: str
    bought: Version
    seq: int = 0
    boot: int = 0
    settled: str = ""
    basis: str = ""
    before: int = 1  # the highest version that was sent when it was paid


class Server(NamedTuple):
    wanted: Version = Version()
    applied: Version = Version()
    kept: tuple[Version, ...] = (Version(),)
    pending: bool = False
    sent: int = 1  # the highest version that was ever sent
    forced: int = 1  # the highest that did not wait for its units: the hold has a bound
    units: tuple[Unit, ...] = ()
    seq: int = 0
    unheard: bool = False  # restored, and no HELLO since


class Machine(NamedTuple):
    has: Version = Version()
    boot: int = 0
    lease: tuple[int, int] | None = None  # unit and seq
    running: int | None = None
    last: int = 0  # seq
    records: tuple[tuple[int, str], ...] = ()


class Message(NamedTuple):
    kind: str
    unit: int = 0
    seq: int = 0
    boot: int = 0
    version: Version = Version(0, 0, 0, 0, 0)
    word: str = ""


class World(NamedTuple):
    server: Server = Server()
    machine: Machine = Machine()
    net: frozenset[Message] = frozenset()
    fell: tuple[tuple[int, int, int], ...] = ()  # unit, price and sku: the ground truth
    had: frozenset[int] = frozenset({1})  # prices and skus are numbered through, so one is enough
    edits: int = 0
    orders: int = 0
    cuts: int = 0
    restores: int = 0
    broken: str = ""  # what a step itself broke


Moves = Iterator[tuple[str, World]]


def model(rules: ConfigRules) -> Model[World]:
    """What search.py searches."""

    def moves(world: World) -> Moves:
        yield from _edits(world, rules)
        yield from _buys(world, rules)
        yield from _pushes(world, rules)
        yield from _hears(world, rules)
        yield from _sells(world, rules)
        yield from _is_configured(world, rules)
        yield from _vends(world, rules)
        yield from _misfortunes(world, rules)

    def brief(world: World) -> World:
        return _without_unread(world, rules)

    return Model(World(), moves, wrongs, lambda world: _done(world, old=not rules.speaks), brief)


def wrongs(world: World) -> Iterator[str]:
    if world.broken:
        yield world.broken
    fell = {unit: (price, sku) for unit, price, sku in world.fell}
    for number, unit in enumerate(world.server.units):
        flag = FLAGGED if unit.basis == "policy" else ""
        if number in fell and fell[number] != (unit.bought.price, unit.bought.sku):
            yield OTHER
        if unit.settled == "refund" and number in fell:
            yield BOTH + flag


def _done(world: World, *, old: bool) -> bool:
    """Everything is settled, and machine and pages have what is wanted."""
    server = world.server
    settled = all(unit.settled for unit in server.units)
    current = server.applied == server.wanted and not server.pending
    return settled and current and (old or _same(world.machine.has, server.wanted))


def _without_unread(world: World, rules: ConfigRules) -> World:
    """Without what nobody reads any more, or what changes nothing: exact, as unread.py is."""
    machine = world.machine
    ended = {number for number, unit in enumerate(world.server.units) if unit.settled}
    known = {unit for unit, _ in machine.records}

    def is_read(message: Message) -> bool:
        match message.kind:
            case "ACCEPT" | "REJECT" | "RESULT":
                return message.unit not in ended
            case "OFFER":
                return message.unit not in known and message.seq > machine.last
            case "GO":
                return message.unit not in known
            case "CONFIG":
                return not rules.only_newer or message.version.number > machine.has.number
            case _:
                return True

    return world._replace(net=frozenset(message for message in world.net if is_read(message)))


def _same(one: Version, other: Version) -> bool:
    return (one.number, one.price, one.sku) == (other.number, other.price, other.sku)


def _server(world: World, **changes: object) -> World:
    return world._replace(server=world.server._replace(**changes))  # type: ignore[arg-type]


def _machine(world: World, **changes: object) -> World:
    return world._replace(machine=world.machine._replace(**changes))  # type: ignore[arg-type]


def _sent(world: World, message: Message) -> World:
    return world._replace(net=world.net | {message})


def _unit(world: World, number: int, **changes: object) -> World:
    units = list(world.server.units)
    units[number] = units[number]._replace(**changes)  # type: ignore[arg-type]
    return _server(world, units=tuple(units))


def _arriving(world: World, kind: str) -> list[Message]:
    return sorted(message for message in world.net if message.kind == kind)


# --- the operator and the customer ---------------------------------------------------------------


def _edits(world: World, rules: ConfigRules) -> Moves:
    if world.edits >= rules.edits or (world.server.unheard and not rules.edits_unheard):
        return
    edits = world.edits + 1
    old = world.server.wanted
    for what, new in (
        ("price", old._replace(price=edits + 1, prices=old.prices + 1)),
        ("product", old._replace(sku=edits + 1, planogram=old.planogram + 1)),
    ):
        new = new._replace(number=old.number + 1)
        kept = (*world.server.kept, new)
        after = _server(world, wanted=new, kept=kept, pending=True)
        if not rules.sells_what_is_applied:
            after = _server(after, applied=new)
        yield f"another {what}: version {new.number}", after._replace(edits=edits)


def _buys(world: World, rules: ConfigRules) -> Moves:
    server = world.server
    if world.orders >= rules.orders:
        return
    after = world._replace(orders=world.orders + 1)
    if rules.speaks and max(server.applied.price, server.applied.sku) not in world.had:
        after = after._replace(broken=EARLY)
    # A restored server does not know what is on its way: what is refused then is nobody's fault.
    sent = world.edits + 1 if server.unheard else server.sent
    unit = Unit("queued", server.applied, before=sent)
    number = len(server.units)
    yield f"unit {number} is paid", _server(after, units=(*server.units, unit))


# --- the push ------------------------------------------------------------------------------------


def _pushes(world: World, rules: ConfigRules) -> Moves:
    server = world.server
    wanted = server.wanted
    if not server.pending or (not rules.sends_again and server.sent >= wanted.number):
        return
    older = any(not unit.settled and not _numbered(unit.bought, wanted) for unit in server.units)
    is_open = any(unit.state in ("offered", "going") for unit in server.units)
    if is_open:
        return
    held = older and rules.holds_back and server.forced < wanted.number
    if held:
        yield "the hold is over", _server(world, forced=wanted.number)
        return
    if not rules.speaks:
        yield "it is taken to have it", _server(world, applied=wanted, pending=False)
        return
    pushed = _sent(world, Message("CONFIG", version=wanted))
    after = _server(pushed, sent=max(server.sent, wanted.number))
    if not rules.applied_when_said:
        after = _server(after, applied=wanted)
    yield f"sends version {wanted.number}", after


def _numbered(one: Version, other: Version) -> bool:
    return (one.prices, one.planogram) == (other.prices, other.planogram)


def _hears(world: World, rules: ConfigRules) -> Moves:
    """HELLO: what the machine has is what is sold. An old HELLO may come late."""
    for hello in _arriving(world, "HELLO"):
        number = hello.version.number
        server = world.server._replace(unheard=False)
        if number > server.wanted.number:
            if not rules.overtakes:
                continue
            server = _overtaken(server, number)
        else:
            known = [version for version in server.kept if version.number == number]
            server = server._replace(applied=known[0] if known else server.applied)
        server = server._replace(pending=number != server.wanted.number)
        yield f"hears of version {number}", world._replace(server=server)


def _overtaken(server: Server, number: int) -> Server:
    more = number - server.wanted.number + 1
    ours = server.wanted._replace(
        number=number + 1, prices=server.wanted.prices + more,
        planogram=server.wanted.planogram + more,
    )  # fmt: skip
    return server._replace(wanted=ours, kept=(*server.kept, ours))


# --- the sale, as far as versions are in it ------------------------------------------------------


def _sells(world: World, rules: ConfigRules) -> Moves:
    server = world.server
    is_open = any(unit.state in ("offered", "going") for unit in server.units)
    for number, unit in enumerate(server.units):
        if unit.state == "queued":
            gone = unit.bought.sku != server.applied.sku and rules.compares_the_sku
            yield f"unit {number} goes back: its time is over", _back(world, number, "never_sent")
            if gone or is_open:
                continue
            seq = server.seq + 1
            offered = _unit(world, number, state="offered", seq=seq)
            if seq <= rules.offers * rules.orders:
                yield f"offers unit {number}", _server(offered, seq=seq)
        elif unit.state == "offered":
            told = unit.bought if rules.offers_the_snapshot else server.applied
            offer = Message("OFFER", number, unit.seq, version=told)
            yield f"sends OFFER of unit {number}", _sent(world, offer)
            yield from _hears_of_offer(world, number, unit)
        elif unit.state == "going":
            go = Message("GO", number, unit.seq, unit.boot)
            yield f"sends GO of unit {number}", _sent(world, go)
            yield from _hears_of_run(world, number)


def _back(world: World, number: int, basis: str) -> World:
    return _unit(world, number, state="settled", settled="refund", basis=basis)


def _hears_of_offer(world: World, number: int, unit: Unit) -> Moves:
    yield f"unit {number} is queued again", _unit(world, number, state="queued")
    for accept in _arriving(world, "ACCEPT"):
        if (accept.unit, accept.seq) == (number, unit.seq):
            yield (
                f"commits GO of unit {number}",
                _unit(world, number, state="going", boot=accept.boot),
            )
    for reject in _arriving(world, "REJECT"):
        if (reject.unit, reject.seq) == (number, unit.seq):
            back = _back(world, number, "version")
            # Unless the push was on its way when it was paid, or waited as long as it may.
            if max(unit.before, world.server.forced) < reject.version.number:
                back = back._replace(broken=TURNED_AWAY)
            yield f"unit {number} goes back: refused", back


def _hears_of_run(world: World, number: int) -> Moves:
    for result in _arriving(world, "RESULT"):
        if result.unit != number:
            continue
        if result.word == "VENDED":
            yield (
                f"unit {number} is fulfilled",
                _unit(world, number, state="settled", settled="fulfilled", basis="VENDED"),
            )
        else:
            basis = "policy" if result.word == "INTERRUPTED" else result.word
            yield f"unit {number} goes back: {result.word}", _back(world, number, basis)


# --- the machine ---------------------------------------------------------------------------------


def _is_configured(world: World, rules: ConfigRules) -> Moves:
    """Rule 7, the hash, and only what is newer; then it says what it has, whatever came of it."""
    machine = world.machine
    if not rules.speaks:
        return
    yield "the machine says HELLO", _greeted(world)
    if rules.only_idle and (machine.lease or machine.running is not None):
        return
    for push in _arriving(world, "CONFIG"):
        yield from _takes(world, rules, push.version)
        # On the way something in it was changed; the hash is of what was sent.
        if not rules.checks_the_hash and push.version.number > machine.has.number:
            yield "the machine takes a damaged text", world._replace(broken=DAMAGED)


def _takes(world: World, rules: ConfigRules, new: Version) -> Moves:
    machine = world.machine
    if new.number == machine.has.number or (rules.only_newer and new.number < machine.has.number):
        yield f"the machine has version {machine.has.number} already", _greeted(world)
        return
    after = _machine(world, has=new)._replace(had=world.had | {max(new.price, new.sku)})
    if new.number < machine.has.number:
        after = after._replace(broken=BACK)
    if machine.lease or machine.running is not None:
        after = after._replace(broken=WHILE_OPEN)
    yield f"the machine applies version {new.number}", _greeted(after)
    if world.cuts < rules.cuts and not rules.whole:
        yield "POWER CUT between two records", _cut(after)._replace(broken=HALF)


def _greeted(world: World) -> World:
    return _sent(world, Message("HELLO", version=Version(world.machine.has.number, 0, 0, 0, 0)))


def _vends(world: World, rules: ConfigRules) -> Moves:
    machine = world.machine
    records = dict(machine.records)
    for offer in _arriving(world, "OFFER"):
        if machine.running is None and offer.seq > machine.last and offer.unit not in records:
            yield from _answers(world, rules, offer)
    if machine.lease:
        yield "the lease ends", _machine(world, lease=None)
    for go in _arriving(world, "GO"):
        if go.unit in records or machine.running is not None:
            continue
        if machine.lease == (go.unit, go.seq) and go.boot == machine.boot:
            yield f"unit {go.unit} starts", _machine(world, lease=None, running=go.unit)
        else:
            yield f"unit {go.unit} is buried", _recorded(world, go.unit, "TOMBSTONED")
    if machine.running is not None:
        yield f"unit {machine.running} drops", _dropped(world, rules)


def _answers(world: World, rules: ConfigRules, offer: Message) -> Moves:
    machine = world.machine
    at = world._replace(machine=machine._replace(last=offer.seq))
    compares = rules.compares_versions and rules.speaks
    if compares and not _numbered(offer.version, machine.has):
        yield (
            f"unit {offer.unit} is refused: its versions",
            _sent(at, Message("REJECT", offer.unit, offer.seq, version=machine.has)),
        )
        return
    accept = Message("ACCEPT", offer.unit, offer.seq, machine.boot)
    yield (
        f"unit {offer.unit} is accepted",
        _sent(_machine(at, lease=(offer.unit, offer.seq)), accept),
    )


def _recorded(world: World, unit: int, word: str) -> World:
    machine = world.machine
    lease = None if machine.lease and machine.lease[0] == unit else machine.lease
    records = tuple(sorted({**dict(machine.records), unit: word}.items()))
    after = _machine(world, records=records, lease=lease, running=None)
    return _sent(after, Message("RESULT", unit, word=word))


def _fallen(world: World, rules: ConfigRules) -> World:
    """What drops is what the machine's configuration says. One that knows none has in its slots
    what people filled in, who go by ours, and its price is nobody's matter."""
    unit, has = world.machine.running, world.machine.has
    assert unit is not None
    if not rules.speaks:
        has = world.server.applied._replace(price=world.server.units[unit].bought.price)
    return world._replace(fell=(*world.fell, (unit, has.price, has.sku)))


def _dropped(world: World, rules: ConfigRules) -> World:
    unit = world.machine.running
    assert unit is not None
    return _recorded(_fallen(world, rules), unit, "VENDED")


# --- misfortunes ---------------------------------------------------------------------------------


def _misfortunes(world: World, rules: ConfigRules) -> Moves:
    """A cut loses what the broker had for the session, or does not."""
    if world.cuts < rules.cuts:
        yield "POWER CUT", _cut(world)
        kept = frozenset(message for message in world.net if message.kind != "CONFIG")
        if kept != world.net:
            yield "POWER CUT, and the push is lost", _cut(world._replace(net=kept))
        if world.machine.running is not None:
            yield "POWER CUT as it drops", _cut(_fallen(world, rules))
    if world.restores < rules.restores and not world.server.units:
        restores = world.restores + 1
        again = world._replace(server=Server(unheard=True), net=frozenset(), restores=restores)
        yield "THE DATABASE IS RESTORED", again


def _cut(world: World) -> World:
    running = world.machine.running
    if running is not None:
        world = _recorded(world, running, "INTERRUPTED")
    boot = world.machine.boot + 1
    return _machine(world, lease=None, boot=boot)._replace(cuts=world.cuts + 1)
