"""What is written again after a write whose outcome nobody knows, for how long, and that one which
stays so keeps no other back; how much is written at once, and what of it is refused."""

from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from typing import Any

import pytest

from coinslot.events.mirror.document import Nodes
from coinslot.events.mirror.firebase import RefusedError, UnclearError
from coinslot.events.mirror.mirror import NODES_AT_ONCE, Mirror, write
from coinslot.events.mirror.rows import Touched
from coinslot.kit.clock import SettableClock
from tests.sales.by_hand import NOW

TWO_MINUTES = timedelta(minutes=2)
MOMENT = timedelta(microseconds=1)


class Far:
    """A database that keeps what it is told. It does not answer for a path in `away`, which it may
    still write; and it takes none in `bad`."""

    def __init__(self) -> None:
        self.kept: Nodes = {}
        self.calls: list[Nodes] = []
        self.away: set[str] = set()
        self.bad: set[str] = set()

    async def write(self, nodes: Mapping[str, Any]) -> None:
        self.calls.append(dict(nodes))
        if self.bad & nodes.keys():
            raise RefusedError("400: no such key")
        if self.away & nodes.keys():
            raise UnclearError("time-out")
        self.kept |= nodes


class Here:
    """Rows as they are now, by their paths; machines and codes come by pages of one."""

    def __init__(self) -> None:
        self.pages: Nodes = {}
        self.waiting = Touched()

    async def nodes(self, touched: Touched) -> Nodes:
        return {f"paymentEvents/{name}": "now" for name in sorted(touched.payments)} | {
            f"machines/{name}": "now" for name in sorted(touched.machines)
        }

    async def machines(self) -> AsyncIterator[Nodes]:
        for path, node in self.pages.items():
            yield {path: node}

    async def parked(self) -> Touched:
        return self.waiting


class Stand:
    """A mirror between the two."""

    def __init__(self) -> None:
        self.here, self.far, self.clock = Here(), Far(), SettableClock(NOW)
        here, far, nothing = _any(self.here), _any(self.far), _any(None)
        self.mirror = Mirror(nothing, here, far, self.clock)

    async def show(self, *payments: str) -> None:
        with pytest.raises(UnclearError):
            await self.mirror.show(of(*payments))

    async def round(self) -> list[str]:
        """Paths written in one more round, and last whether it ended without an answer."""
        self.far.calls = []
        unclear = []
        try:
            await self.mirror.round()
        except UnclearError:
            unclear = ["unclear"]
        return [path.split("/")[-1] for call in self.far.calls for path in call] + unclear


def _any(thing: object) -> Any:
    return thing


def of(*payments: str) -> Touched:
    return Touched(payments=frozenset(payments))


@pytest.fixture
def stand() -> Stand:
    return Stand()


async def test_what_got_no_answer_is_written_in_each_round_of_two_minutes_and_once_behind_them(
    stand: Stand,
) -> None:
    stand.far.away = {"paymentEvents/a"}
    await stand.show("a")
    stand.far.away = set()
    assert await stand.round() == ["a"]
    stand.clock.advance(TWO_MINUTES - MOMENT)
    assert await stand.round() == ["a"]
    stand.clock.advance(MOMENT)
    assert await stand.round() == ["a"]
    assert await stand.round() == []


async def test_what_is_older_is_not_forgotten_before_it_was_written_again(stand: Stand) -> None:
    """The database was away for longer than a write may be late."""
    stand.far.away = {"paymentEvents/a", "paymentEvents/b"}
    await stand.show("a")
    await stand.show("b")
    stand.clock.advance(10 * TWO_MINUTES)
    assert await stand.round() == ["a", "b", "unclear"]
    stand.clock.advance(10 * TWO_MINUTES)
    assert await stand.round() == ["a", "b", "unclear"]
    stand.far.away = set()
    assert await stand.round() == ["a", "b"]
    assert stand.far.kept == {"paymentEvents/a": "now", "paymentEvents/b": "now"}
    stand.clock.advance(TWO_MINUTES)
    assert await stand.round() == ["a", "b"]
    assert await stand.round() == []


async def test_one_that_stays_without_an_answer_keeps_no_other_back(stand: Stand) -> None:
    stand.far.away = {"paymentEvents/a", "paymentEvents/b", "paymentEvents/p"}
    await stand.show("a")
    await stand.show("b")
    stand.here.waiting = of("p")
    stand.far.away = {"paymentEvents/a", "paymentEvents/p"}
    assert await stand.round() == ["p", "a", "b", "unclear"]
    assert stand.far.kept == {"paymentEvents/b": "now"}
    stand.here.waiting = of()
    stand.clock.advance(TWO_MINUTES)
    assert sorted(await stand.round()) == ["a", "b", "p", "unclear"]
    stand.clock.advance(TWO_MINUTES - MOMENT)
    assert sorted(await stand.round()) == ["a", "p", "unclear"], "b was written behind its time"
    stand.far.away = set()
    assert sorted(await stand.round()) == ["a", "p"]


async def test_its_two_minutes_begin_anew_with_each_write_without_an_answer(stand: Stand) -> None:
    stand.far.away = {"paymentEvents/a"}
    await stand.show("a")
    stand.clock.advance(TWO_MINUTES)
    assert await stand.round() == ["a", "unclear"]
    stand.far.away = set()
    stand.clock.advance(TWO_MINUTES - MOMENT)
    assert await stand.round() == ["a"]
    stand.clock.advance(MOMENT)
    assert await stand.round() == ["a"]
    assert await stand.round() == []


async def test_what_another_contains_is_written_with_it_and_not_beside_it(stand: Stand) -> None:
    """The batch of the log grows while the database is away."""
    stand.far.away = {"paymentEvents/a", "paymentEvents/z"}
    await stand.show("z")
    await stand.show("a")
    await stand.show("a", "b")
    await stand.show("a", "b", "c")
    assert await stand.round() == ["z", "a", "b", "c", "unclear"]


@pytest.mark.parametrize("path", ["machines/M01", "qrCodeToMachine/qr_1"])
async def test_a_machine_or_a_code_without_an_answer_is_written_again_as_long(
    stand: Stand, path: str
) -> None:
    """Else a code that arrives late leads to a machine for ever after it was retired."""
    name = path.split("/")[1]
    stand.here.pages = {path: "old", "machines/M02": "well"}
    stand.far.away = {path}
    assert await stand.round() == [name, "unclear"]
    stand.here.pages[path], stand.far.away = None, set()
    assert await stand.round() == [name, "M02"]
    stand.far.kept[path] = "old"  # it arrives now
    stand.clock.advance(TWO_MINUTES - MOMENT)
    assert await stand.round() == [name, "M02"]
    assert stand.far.kept == {path: None, "machines/M02": "well"}
    stand.clock.advance(MOMENT)
    assert await stand.round() == [name, "M02"]
    assert await stand.round() == []
    stand.here.pages[path] = "new"
    assert await stand.round() == [name]


async def test_a_machine_that_the_log_showed_is_not_written_again_by_a_round(stand: Stand) -> None:
    stand.here.pages = {"machines/M01": "now", "paymentEvents/x": "now"}
    touched = Touched(payments=frozenset("x"), machines=frozenset(["M01"]))
    await stand.mirror.show(touched)
    assert stand.far.calls == [{"paymentEvents/x": "now", "machines/M01": "now"}]
    assert await stand.round() == ["x"]
    stand.here.pages = {"machines/M01": "later"}
    assert await stand.round() == ["M01"]


@pytest.mark.parametrize(
    ("many", "calls"), [(0, []), (1, [1]), (500, [500]), (501, [500, 1]), (1001, [500, 500, 1])]
)
async def test_so_many_nodes_are_written_at_once(many: int, calls: list[int]) -> None:
    far = Far()
    nodes = {f"orders/{n}": n for n in range(many)}
    await write(_any(far), nodes)
    assert [len(call) for call in far.calls] == calls
    assert far.kept == nodes
    assert NODES_AT_ONCE == 500


@pytest.mark.parametrize(
    ("bad", "all_", "raised", "calls"),
    [
        ([], "a", False, ["a"]), (["a"], "a", False, ["a"]), (["a"], "ab", False, ["ab", "a", "b"]),
        (["b"], "abc", False, ["abc", "a", "bc", "b", "c"]),
        (["a", "b"], "ab", True, ["ab", "a", "b"]),
        (["a", "b", "c"], "abc", True, ["abc", "a", "bc", "b", "c"]),
        (["d"], "abcd", False, ["abcd", "ab", "cd", "c", "d"]),
    ],
)  # fmt: skip
async def test_a_node_that_is_refused_is_left_out_and_all_of_several_are_a_fault(
    bad: list[str], all_: str, raised: bool, calls: list[str]
) -> None:
    far = Far()
    far.bad = set(bad)
    unclear = False
    try:
        await write(_any(far), dict.fromkeys(all_, 1))
    except UnclearError as error:
        unclear = str(error) == "the database refuses every single node"
    assert unclear is raised
    assert ["".join(call) for call in far.calls] == calls
    assert far.kept == dict.fromkeys(set(all_) - set(bad), 1)


async def test_of_parts_one_that_is_refused_whole_is_a_fault_and_one_alone_is_not() -> None:
    far = Far()
    nodes = {f"{n:03}": n for n in range(501)}
    far.bad = {"500"}
    await write(_any(far), nodes)
    assert far.kept == {name: n for name, n in nodes.items() if n < 500}
