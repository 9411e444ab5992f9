"""The bench's arithmetic: what stands in its results is what was measured."""

import pytest

from bench.__main__ import plan
from bench.charges import Buyers, Charged
from bench.ground import Base, Ground
from bench.laps import Lap, LostError, Spent, paid_since
from bench.machines import Size, table
from bench.measure import Round, Rounds, share
from bench.outgoing import Sent
from bench.report import Beside, page, ratio
from coinslot.kit.clock import SystemClock

SPENT = Spent(1.0, 0.0, 2.5, 0.5)


def a_round(per_s: float) -> Round:
    return Round(per_s=per_s, took_ms=[1.0, 2.0, 3.0])


def charged(per_s: float) -> Charged:
    return Charged(create=a_round(per_s), confirm=a_round(per_s), both=a_round(per_s))


def a_lap(asked: float, taken: float, others: float = 0.0) -> Lap:
    return Lap(
        pgbench=a_round(asked), taken=a_round(taken), offered=a_round(1.0), paced=a_round(100.0),
        bought=charged(asked / 4), bought_paced=charged(100.0),
        spent=SPENT, spent_vending=SPENT, kept_bytes=20_480.0,
        kept_in={"events": 6_144.0, "inbox": 4_096.0, "slots": 0.0}, others=others,
    )  # fmt: skip


def test_a_share_is_a_value_that_was_measured() -> None:
    hundred = [float(ms) for ms in range(100)]
    assert share(hundred, 0.99) == 99.0
    assert share(hundred, 0.5) == 50.0
    assert share([7.0], 0.99) == 7.0


def test_a_slow_round_does_not_move_the_median() -> None:
    assert Rounds(rounds=[a_round(90.0), a_round(100.0), a_round(1.0)]).per_s == 90.0


def test_what_disturbs_a_whole_lap_does_not_change_its_ratio() -> None:
    calm, disturbed = a_lap(1000.0, 600.0), a_lap(100.0, 60.0)
    assert ratio([calm, calm], "taken") == ratio([calm, disturbed], "taken") == 0.6


def test_the_results_have_a_line_with_the_ratio_of_the_fewest_orders() -> None:
    laps = {1000: [a_lap(1000.0, 610.0)], 1_000_000: [a_lap(1000.0, 480.0)]}
    told = page(laps, [], [("Processor", "a fast one")], SystemClock().now())
    assert "    (b)/(a) = 0.61\n" in told
    assert "| (b)/(a) | 0.50 | 0.61 | 0.48 |" in told
    assert "    (d)/(a) = 0.25\n" in told
    assert "- Processor: a fast one" in told
    assert "| 1,000,000 | 20.0 |" in told


def test_a_run_whose_laps_failed_tells_what_else_was_measured() -> None:
    told = page({1000: []}, [], [("Processor", "a fast one")], SystemClock().now())
    assert "In one look" not in told
    assert "- Processor: a fast one" in told


def test_what_goes_out_is_told_against_a_loop_without_a_memory() -> None:
    sent = Sent(plain=a_round(900.0), ours=a_round(450.0))
    laps = {1000: [a_lap(1000.0, 610.0)]}
    told = page(laps, [], [], SystemClock().now(), Beside(sent=sent))
    assert "    (e)/plain = 0.50\n" in told


def test_a_run_among_busy_neighbours_says_so() -> None:
    calm, disturbed = a_lap(1000.0, 610.0), a_lap(1000.0, 300.0, others=0.7)
    now = SystemClock().now()
    assert "disturbed run" not in page({1000: [calm]}, [], [], now)
    assert "A disturbed run:** 70%" in page({1000: [disturbed]}, [], [], now)


def test_no_two_laps_use_the_same_idempotency_key() -> None:
    """The second lap of one that did was answered with what the first had paid."""

    def key(buyers: Buyers) -> bytes:
        request = buyers._request("/payments", b"{}")
        return request.partition(b"idempotency-key: ")[2].partition(b"\r\n")[0]

    first, second = Buyers("sk_test_x"), Buyers("sk_test_x")
    assert len({key(first), key(first), key(second), key(second)}) == 4


def test_what_the_command_line_names_counts_more_than_what_is_usual() -> None:
    wanted = plan(["--quick", "--orders", "50,10", "--rounds", "3"])
    assert (wanted.orders, wanted.rounds, wanted.write) == ((10, 50), 3, False)


class Paid(Ground):
    """A database in which so many orders were paid."""

    def __init__(self, orders: int) -> None:
        self._orders = orders

    async def one(self, _base: Base, _sql: str, *_values: object) -> object:
        return self._orders


async def test_a_round_whose_webhooks_made_fewer_orders_does_not_count() -> None:
    """Once every webhook of (a) was a copy of the first, and the fastest of all rounds."""
    base = Base(
        name="one", app="", door="", keys="", installation="", devices={}, api_key=""
    )  # fmt: skip
    began, done = SystemClock().now(), a_round(3.0)
    assert await paid_since(Paid(3), base, began, done) == 3
    with pytest.raises(LostError, match="3 webhooks were taken, 1 orders are paid"):
        await paid_since(Paid(1), base, began, done)


def of_machines(machines: int, broker_kib: float) -> Size:
    return Size(
        channel="mqtt", machines=machines, arrived_s=1, heard=machines, reports_per_s=machines / 3,
        device_kib=20, broker_kib=broker_kib, core=0.0003, transactions_per_s=8.0,
        configured_s=machines / 2, others=1.0,
    )  # fmt: skip


def test_what_a_machine_takes_is_told_against_the_smallest_number_of_them() -> None:
    grown = of_machines(1000, 280.0).against(of_machines(100, 180.0))
    # Memory by half; time as before; commits are shared by ten times more.
    assert grown == ["x 1.50", "x 1.00", "x 1.00", "x 0.10"]
    line = table([of_machines(100, 180.0), of_machines(1000, 280.0)]).splitlines()[-1]
    assert "| 1,000 |" in line
    assert "x 1.50" in line
