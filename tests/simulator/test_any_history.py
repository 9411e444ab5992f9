"""Any messages, repeated, late and in any order, power cuts at any step: goods fall at most once,
and what the device says is what lies on the ground."""

import asyncio
import json
import tempfile
from collections import Counter
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from machine_simulator.effects import Effect, Greet, Reached, Say, Turn
from machine_simulator.journal import Limits
from machine_simulator.power import Power, PowerCutError
from tests.simulator.bench_device import Message, Workbench, a_unit, evack, go, offer, query

CUT_STEPS = st.sampled_from([None, "accepted", "started", "dropped", "recorded"])
STATE_PROOF = {"VENDED": True, "TOMBSTONED": False, "FAILED": False}


class AnyHistory(RuleBasedStateMachine):
    """The network is a set of messages, any of which may arrive at any time, again and again."""

    bench_of: type[Workbench] = Workbench  # the firmware goes through the same search

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        slots = {"A1": 100, "B1": 100}
        self.bench = self.bench_of(
            Path(self._folder.name), limits=Limits(capacity=4, keep=2), slots=slots
        )
        self.network: list[Message] = []
        self.said: list[Message] = []
        self.seq = 0
        self.running: Turn | None = None

    def teardown(self) -> None:
        self._folder.cleanup()

    # What the world may do

    @rule(slot=st.sampled_from(["A1", "B1"]))
    def server_offers(self, slot: str) -> None:
        self.seq += 1
        self.network.append(offer(a_unit(), self.seq, slot))

    @rule(which=st.integers(0, 10_000))
    def server_answers_an_accept(self, which: int) -> None:
        accepts = [m for m in self.said if m["type"] == "ACCEPT"]
        if accepts:
            accept = accepts[which % len(accepts)]
            slots = {m["unit_id"]: m["slot"] for m in self.network if m["type"] == "OFFER"}
            self.network.append(go(accept, slots[accept["unit_id"]]))

    @rule(which=st.integers(0, 10_000))
    def server_asks(self, which: int) -> None:
        offers = [m for m in self.network if m["type"] == "OFFER"]
        if offers:
            asked = offers[which % len(offers)]
            self.network.append(query(asked["unit_id"], asked["seq"]))

    @rule(back=st.integers(0, 3))
    def server_acknowledges(self, back: int) -> None:
        journal = self.bench.journal
        self.network.append(evack(journal.journal_id, max(0, journal.event_seq - back)))

    @rule(which=st.integers(0, 10_000), cut_at=CUT_STEPS)
    def a_message_arrives(self, which: int, cut_at: str | None) -> None:
        if self.network:
            message = self.network[which % len(self.network)]
            self.perform(cut_at, lambda: self.bench.hear(message))

    @rule(jam=st.booleans(), cut_at=CUT_STEPS)
    def the_motor_turns(self, jam: bool, cut_at: str | None) -> None:
        turn, self.running = self.running, None
        if turn is not None:
            self.bench.fault(jam=jam, power_cut_at=cut_at)
            self.perform(cut_at, lambda: self.turned(turn), jam=jam)

    @rule(seconds=st.sampled_from([1, 5, 11]))
    def time_passes(self, seconds: int) -> None:
        self.bench.seconds += seconds
        self.bench.device.tick()

    @rule()
    def the_power_fails(self) -> None:
        self.running = None
        self.hear(self.bench.reboot())
        self.bench.body.settle()

    # How effects become facts

    def turned(self, turn: Turn) -> list[Effect]:
        power = Power(self.bench.faults)
        run = self.bench.body.turn(turn.slot, turn.unit_id, lambda: power.reached("dropped"))
        return self.bench.device.finished(asyncio.run(run))

    def perform(self, cut_at: str | None, act: object, *, jam: bool = False) -> None:
        assert callable(act)
        self.bench.fault(power_cut_at=cut_at, jam=jam)
        try:
            self.hear(act())
        except PowerCutError:
            self.the_power_fails()
        self.bench.fault()

    def hear(self, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case Say(message):
                    self.said.append(message)
                case Turn():
                    assert self.running is None
                    self.running = effect
                case Reached(step):
                    Power(self.bench.faults).reached(step)
                case Greet():
                    pass

    # What must hold at every instant

    def fallen(self) -> Counter[str]:
        path = self.bench.folder / "drops.jsonl"
        lines = path.read_text().splitlines() if path.exists() else []
        return Counter(json.loads(line)["unit_id"] for line in lines)

    @invariant()
    def nothing_falls_twice(self) -> None:
        assert all(times == 1 for times in self.fallen().values())

    @invariant()
    def every_word_about_an_end_is_true(self) -> None:
        fallen = self.fallen()
        for message in self.said + self.bench.journal.unacked():
            end = message.get("outcome") or message.get("state")
            dropped = message["unit_id"] in fallen
            assert STATE_PROOF.get(str(end), dropped) == dropped, message
            if end == "INTERRUPTED":
                assert message["evidence"]["drop"] == ("yes" if dropped else "no")

    @invariant()
    def a_unit_has_one_result_for_ever(self) -> None:
        results: dict[str, Message] = {}
        for message in self.said + self.bench.journal.unacked():
            if message["type"] == "RESULT":
                assert results.setdefault(message["unit_id"], message) == message

    @invariant()
    def what_is_owed_to_the_server_has_no_gaps(self) -> None:
        journal = self.bench.journal
        owed = [message["event_seq"] for message in journal.unacked()]
        assert owed == list(range(journal.acked + 1, journal.event_seq + 1))


TestAnyHistory = AnyHistory.TestCase
TestAnyHistory.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
