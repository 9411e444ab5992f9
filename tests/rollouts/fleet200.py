"""`python -m tests.rollouts.fleet200 [--boards 200] [--bad-boards 40]`: builds go to many boards on
MicroPython while they sell and the server is killed. A good one reaches all, each of `BAD`, older
or foreign ones stop where they must; no vend is lost or doubled, no slot holds another number than
we show. What does not end in its time is told with what stands where. A board takes 10 MB."""

import argparse
import asyncio
import faulthandler
import logging
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import structlog

from coinslot.rollouts.plan import Rules
from coinslot.rollouts.rollouts import Rollout, RolloutError
from tests.rollouts.deaths import COMMITS, SENDS, push_configurations, refill
from tests.rollouts.real_fleet import HANGS, RealFleet, never_syncs, puts_off, sells_worse
from tests.storms.town import AWAY, until

BAD: Mapping[str, Mapping[str, Any]] = {
    "hangs": {"module": "main.py", "source": HANGS},
    "never syncs": never_syncs(),
    "sells worse": sells_worse(),
    "puts offers off": puts_off(),
    "was tampered with": {"cut": False},
    "is cut off": {"cut": True},
}
_STAYS = ("sells worse", "puts offers off")  # it runs, until a person brings better code
_ENDED = ("done", "paused", "aborted")
_SOAKS_AGAIN = 5  # when too few bought for a judgement
_REST_S = 300.0  # of a wave, beside the roll-out itself: upload, abort, and all units settled
_CLOSES_S = 180.0  # and one more for each board


class Waves:
    """All waves over one fleet; `wrong` is what did not hold."""

    def __init__(self, fleet: RealFleet) -> None:
        self._fleet = fleet
        self._boards = len(fleet.codes)
        self._began = self._last = time.monotonic()
        self._sequence = 1
        self._rollout: UUID | None = None  # that is under way
        self.wrong: list[str] = []
        self.sold = 0

    async def good(self) -> None:
        async with self._bounded("good"):
            await self._reaches_all()
        async with self._bounded("deaths"):
            await self._survives()

    async def bad(self) -> None:
        for name, how in BAD.items():
            async with self._bounded(name):
                await self._stops(name, dict(how))
        await self._is_refused("older", "lower_sequence", 1)
        await self._is_refused("for other hardware", "no_machines", 99, hardware="esp32")
        async with self._bounded("good, after all that"):
            await self._reaches_all()

    @property
    def _wave_s(self) -> float:
        return 600 + 6 * self._boards

    @asynccontextmanager
    async def _bounded(self, name: str) -> AsyncIterator[None]:
        """What does not end is told, and what comes next has its turn. Should this process itself
        be stuck in a call, it says in which, and ends."""
        within_s = self._wave_s + _REST_S
        faulthandler.dump_traceback_later(within_s + 120, exit=True)
        try:
            async with asyncio.timeout(within_s) as bound:
                yield
        except TimeoutError:
            if not bound.expired():
                raise
            await self._is_wrong(f"{name}: not over in {within_s:.0f} s")
        finally:
            faulthandler.cancel_dump_traceback_later()

    async def _is_wrong(self, what: str) -> None:
        """It is printed at once, with what stands where."""
        self.wrong.append(what)
        where = "no roll-out"
        if self._rollout is not None:
            try:
                async with asyncio.timeout(60):
                    where = await self._fleet.stands(self._rollout)
            except AWAY as error:
                where = f"nobody can say where it stands: {error!r}"
        print(f"WRONG: {what}\n  {where}", flush=True)

    @property
    def rules(self) -> Rules:
        return Rules(
            stages=("1", "25%", "100%"), soak_s=int(15 * self._fleet.slower), soak_vends=8,
            downloads=20, tries=2, max_failures=3, level=0.02, attempt_s=120 + self._boards,
            idle_s=120, stage_s=120,
            install_s=60 + self._boards, trial_s=60 + self._boards,
        )  # fmt: skip

    async def _reaches_all(self) -> None:
        self._sequence += 1
        version = f"1.{self._sequence}.0"
        build = await self._fleet.upload(version, self._sequence)
        async with self._selling(killing=True):
            rollout = self._rollout = await self._fleet.start(build, self.rules)
            found = await self._ended(rollout)
        versions = await self._told("good", found)
        if found.state != "done" or versions != {version: self._boards}:
            await self._is_wrong(f"good build {version}: {found.state}, {found.pause}")
        await self._fleet.abort(rollout)
        await self._check("good")

    async def _survives(self) -> None:
        """Whatever a server was about to do, the next one does."""
        lives = (*SENDS, *COMMITS)
        unsent = await push_configurations(self._fleet, lives)
        self._say(f"{len(lives)} configurations, the server died on the way of each",
                  f"sent again after {unsent} deaths, applied once")  # fmt: skip
        sold = await refill(self._fleet, lives)
        self.sold += sold
        self._say(f"{len(lives)} refills, the server died at each", f"{sold} vends")
        await self._check("deaths")

    async def _stops(self, name: str, how: dict[str, Any]) -> None:
        """Before it has all; and who had it alone runs the good one again, if it does not stay."""
        self._sequence += 1
        version, cut = f"1.{self._sequence}.0", how.pop("cut", None)
        build = await self._fleet.upload(version, self._sequence, **how)
        if cut is not None:
            await self._fleet.spoil(build, cut=cut)
        async with self._selling(killing=False):
            rollout = self._rollout = await self._fleet.start(build, self.rules)
            found = await self._ended(rollout)
        versions = await self._told(name, found)
        why, left = str((found.pause or {}).get("reason", "")), versions[version]
        for_that = why.startswith("worse_") if name in _STAYS else why == "none_confirmed"
        most = (self._boards // 4 + 1) * (name in _STAYS)
        if found.state != "paused" or not for_that or left > most:
            await self._is_wrong(f"{name}: {found.state}, {left} boards run it, {found.pause}")
        await self._fleet.abort(rollout)
        await self._check(name)

    async def _is_refused(self, name: str, code: str, sequence: int, **more: Any) -> None:
        build = await self._fleet.upload(f"0.{sequence}.0", sequence, **more)
        try:
            await self._fleet.start(build, self.rules)
        except RolloutError as error:
            if error.code == code:
                print(f"  {name}: refused, {code}", flush=True)
                return
        self.wrong.append(f"{name} was not refused")

    async def _ended(self, rollout: UUID) -> Rollout:
        """As a person would look, who lets one that stopped for too few vends soak again."""
        until_s, soaks = time.monotonic() + self._wave_s, 0
        while time.monotonic() < until_s:
            await asyncio.sleep(0.5)
            if fell := self._fleet.fell_by_itself():
                await self._is_wrong(fell)
            try:
                found = await self._fleet.read(rollout)
            except AWAY:
                continue
            few = (found.pause or {}).get("reason") == "few_vends"
            if found.state == "paused" and few and soaks < _SOAKS_AGAIN:
                soaks += 1
                print(f"  too few vends in stage {found.stage}, it soaks again", flush=True)
                await self._fleet.resume(rollout)
            elif found.state in _ENDED:
                return found
        found = await self._fleet.read(rollout)
        await self._is_wrong(f"{found.version}: {found.state} after {self._wave_s:.0f} s")
        return found

    @asynccontextmanager
    async def _selling(self, *, killing: bool) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(self._sell())]
        if killing:
            tasks.append(asyncio.create_task(self._kill()))
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            for ended in await asyncio.gather(*tasks, return_exceptions=True):
                if not isinstance(ended, asyncio.CancelledError):
                    self.wrong.append(f"the load ended: {ended!r}")

    async def _sell(self) -> None:
        """Half of it at boards that have new code, where the number that decides is made."""
        fleet = self._fleet
        while True:
            await asyncio.sleep(0.4)
            try:
                new = await fleet.updated(self._rollout) if self._rollout else []
                among = new if new and fleet.dice.random() < 0.5 else fleet.codes
                self.sold += await fleet.sell(fleet.dice.choice(among))
            except AWAY:
                continue

    async def _kill(self) -> None:
        while True:
            await asyncio.sleep(self._fleet.slower * (8 + 12 * self._fleet.dice.random()))
            await self._fleet.kill_server()

    async def _check(self, name: str) -> None:
        try:
            await until(self._fleet.is_settled, 120)
        except AssertionError:
            await self._is_wrong(f"{name}: not settled")
        try:
            await until(self._fleet.stock_is_true, 60 + self._boards)
        except AssertionError:
            await self._is_wrong(f"{name}: a slot does not hold what we show")
        self.wrong += [f"{name}: {each}" for each in await self._fleet.breaches()]

    def _say(self, name: str, what: str) -> None:
        now = time.monotonic()
        at_s, took_s, self._last = now - self._began, now - self._last, now
        print(f"{at_s:6.0f} s ({took_s:.0f} s)  {name}: {what}", flush=True)

    async def _told(self, name: str, found: Rollout) -> Counter[str]:
        """It is said how a roll-out ended; which board runs what."""
        versions, why = await self._fleet.versions(), (found.pause or {}).get("reason", "")
        states = await self._fleet.states(found.id)
        self._say(name, f"{found.state} {why}, {dict(states)}, {dict(versions)}")
        return versions


async def run(boards: int, seed: int, *, good: bool, bad: bool) -> int:
    """One fleet from its start to its end; 1 when something did not hold."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="fleet-") as folder:
        async with RealFleet(Path(folder) / "fleet", boards, seed) as fleet:
            print(f"{boards} boards are online after {time.monotonic() - began:.0f} s", flush=True)
            waves = Waves(fleet)
            if good:
                await waves.good()
            if bad:
                await waves.bad()
            print(
                f"{boards} boards: {waves.sold} vends, {sum(fleet.fell().values())} fell, the"
                f" server was killed {fleet.killed} times; wrong: {len(waves.wrong)}; in"
                f" {time.monotonic() - began:.0f} s", flush=True,
            )  # fmt: skip
            faulthandler.dump_traceback_later(_CLOSES_S + boards, exit=True)
    faulthandler.cancel_dump_traceback_later()
    print("\n".join(waves.wrong), flush=True)
    return 1 if waves.wrong else 0


async def run_both(boards: int, bad_boards: int, seed: int) -> int:
    if boards == bad_boards:
        return await run(boards, seed, good=True, bad=True)
    found = [await run(boards, seed, good=True, bad=False)] if boards else []
    found += [await run(bad_boards, seed, good=False, bad=True)] if bad_boards else []
    return max(found)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.rollouts.fleet200", description=__doc__)
    parser.add_argument("--boards", type=int, default=200, help="for good builds; 0: none")
    parser.add_argument("--bad-boards", type=int, default=40, help="for the others; 0: none")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    logging.getLogger("asyncpg").setLevel(logging.CRITICAL)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    return asyncio.run(run_both(chosen.boards, chosen.bad_boards, chosen.seed))


if __name__ == "__main__":
    sys.exit(main())
