"""The server of a fleet of boards dies at one of its commits or sends: while it pushes a
configuration, and while it takes the counts of a refill. It is a process, and so is each board."""

from collections.abc import Sequence
from itertools import cycle
from typing import Final, NamedTuple

from tests.rollouts.real_fleet import RealFleet
from tests.storms.town import until

_WITHIN_S = 60.0


class Life(NamedTuple):
    """Of a server: it ends at its n-th commit, or send to a machine, since its start."""

    point: str
    nth: int


# Machines that stay connected are sent nothing when a server starts: its first send is the
# configuration, and the second answers the HELLO that says that it was applied.
SENDS: Final = tuple(Life(point, nth) for nth in (1, 2) for point in ("before_send", "after_send"))
COMMITS: Final = tuple(
    Life(point, nth) for nth in (1, 3, 5, 7) for point in ("before_commit", "after_commit")
)


class Standing(NamedTuple):
    """A machine's configuration: wanted, sold by, and in the machine; how often it was sent."""

    wanted: int
    applied: int
    has: int
    price_minor: int
    sent: int


async def standing(fleet: RealFleet, code: str) -> Standing:
    (row,) = await fleet.rows(
        "SELECT o.config_version, o.applied_version, d.config_version AS has, s.price_minor,"
        " coalesce((SELECT p.tries FROM config_pushes p WHERE p.id = o.id), 0) AS sent"
        " FROM outlets o JOIN devices d ON d.outlet_id = o.id"
        " JOIN slots s ON s.outlet_id = o.id AND s.slot = 'A1' WHERE o.id = $1", code,
    )  # fmt: skip
    return Standing(*row)


async def push_configurations(fleet: RealFleet, lives: Sequence[Life]) -> int:
    """A new price is committed while no server runs; the next one dies on its way to the machine,
    and the one after it brings it there, where it is applied once. Returns how often it was sent by
    our books, and not with its machine, when the server died."""
    unsent = 0
    for number, (life, code) in enumerate(zip(lives, cycle(fleet.codes), strict=False)):
        fleet.server.kill()
        price = 4100 + number
        version = await fleet.reprice(code, price)
        await fleet.live_until(f"die:{life.point}:{life.nth}", _WITHIN_S * fleet.slower)
        before = await standing(fleet, code)
        fleet.server.keep()

        async def arrived(code: str = code, version: int = version, price: int = price) -> bool:
            now = await standing(fleet, code)
            return now[:4] == (version, version, version, price)

        await until(arrived, _WITHIN_S * fleet.slower)
        assert fleet.said(code).count(f"configuration {version} applied") == 1, (life, code)
        after = await standing(fleet, code)
        unsent += before.sent > 0 and after.sent > before.sent
    return unsent


async def refill(fleet: RealFleet, lives: Sequence[Life]) -> int:
    """Somebody fills a board that sells while the server dies. Then what we show is what lies
    there: no vend is subtracted twice, none is forgotten. Returns the number of vends."""
    sold = 0
    for life, code in zip(lives, cycle(fleet.codes), strict=False):
        sold += await fleet.sell(code)
        fleet.server.kill()
        sold += await fleet.sell(code)
        fleet.fill(code)
        await fleet.live_until(f"die:{life.point}:{life.nth}", _WITHIN_S * fleet.slower)
        sold += await fleet.sell(code)
        fleet.server.keep()
        await until(fleet.is_settled, _WITHIN_S * fleet.slower)
        await until(fleet.stock_is_true, _WITHIN_S * fleet.slower)
    return sold
