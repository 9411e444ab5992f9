"""Every way in which a unit is settled, and everything that can be told of it afterwards: the cast
of tests/sales/test_contradictions.py and of docs/evidence.md."""

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from coinslot.channels import messages as wire
from coinslot.oversight import cases
from coinslot.oversight.cases import Person
from coinslot.payments import provision
from coinslot.vending import machine_messages
from tests.sales.stage import Stage

ASHA = Person("asha", "seen on the camera")
DROP, NO_DROP, NOTHING = "a drop", "no drop", "nothing"
TOLD_AGAINST = {
    ("fulfilled", NO_DROP): "no_drop_after_fulfilled",
    ("refund_due", DROP): "dropped_after_refund",
}


class Scene:
    """One unit after the other of one machine, each with its own numbers in the journal."""

    def __init__(self, stage: Stage, dialect: str) -> None:
        self.stage = stage
        self.dialect = dialect
        self.unit = UUID(int=0)
        self.order = ""
        self.seq = 0  # of the journal
        self.mdb = False  # of class G1: another controller vends

    async def sell(self) -> None:
        self.stage.later(1)
        await self._greet()
        self.unit = await self.stage.sell()
        self.order = str(
            await self.stage.value("SELECT order_id FROM fulfillments WHERE id = $1", self.unit)
        )

    async def _greet(self) -> None:
        if self.dialect == "leased":
            await self.stage.hello(mdb=self.mdb)
        else:
            await machine_messages.record_heartbeats(
                self.stage.context, {"M01": self.stage.context.now()}
            )

    async def go(self) -> None:
        """GO is out, or the one command."""
        await self.sell()
        await self.stage.sweep("fulfillments")
        if self.dialect == "leased":
            await self.stage.accept()

    async def asked(self) -> None:
        """GO is out and the machine was asked."""
        await self.go()
        self.stage.later(70 if self.mdb else 12)
        await self.stage.sweep("fulfillments")

    async def _value(self, sql: str) -> Any:
        return await self.stage.value(sql, self.unit)

    async def journaled(self, kind: str, **more: Any) -> None:
        self.seq += 1
        said = {
            "type": kind, "unit_id": str(self.unit), "journal_id": "j1", "event_seq": self.seq,
            **more,
        }  # fmt: skip
        if kind == "RESULT":
            said = {"slot": "A1", **said}
        shapes: dict[str, Any] = {
            "RESULT": wire.Result, "STARTED": wire.Started, "PROGRESS": wire.Progress,
        }  # fmt: skip
        await self.stage.hear(msgspec.convert(said, shapes[kind]))

    async def result(self, outcome: str, evidence: dict[str, Any], **more: Any) -> None:
        await self.journaled("RESULT", outcome=outcome, evidence=evidence, **more)

    async def status(self, state: str, **more: Any) -> None:
        nonce = await self._value("SELECT nonce FROM vend_units WHERE id = $1")
        said = {
            "type": "STATUS", "unit_id": str(self.unit), "seq": await self.given(),
            "journal_id": "j1", "nonce": nonce, "state": state, **more,
        }  # fmt: skip
        await self.stage.hear(msgspec.convert(said, wire.Status))

    async def given(self) -> int:
        """The seq under which the unit was offered last."""
        return int(await self._value("SELECT coalesce(seq, 1) FROM vend_units WHERE id = $1"))

    async def done(self, status: str) -> None:
        said = wire.MachineDone(order_id=self.order, status=wire.DoneStatus(status))
        machine = machine_messages.Machine("M01", self.stage.merchant)
        await machine_messages.receive_done(
            self.stage.context, machine, said, self.stage.context.now()
        )


Act = Callable[[Scene], Awaitable[None]]
YES, NO = {"drop": "yes"}, {"drop": "no", "sensor_tested": True}
STOOD = {"home": True, "counter_before": 5, "counter_after": 5}
SUCCESS, FAILURE = {"vmc": "success"}, {"vmc": "failure"}


class Settled(NamedTuple):
    """How a unit was settled: `as_`, on which basis, and how it comes to that."""

    as_: str
    basis: str
    act: Act
    note: str = ""

    @property
    def name(self) -> str:
        return " ".join(filter(None, (self.as_, self.basis, self.note)))


class Told(NamedTuple):
    """What is told afterwards, and what it proves where the journal that accepted tells it."""

    name: str
    proves: str
    act: Act


async def _vended(scene: Scene) -> None:
    await scene.asked()
    await scene.result("VENDED", YES)


async def _vended_unseen(scene: Scene) -> None:
    await scene.asked()
    await scene.result("VENDED", {"drop": "unknown"})


async def _drop_evidence(scene: Scene) -> None:
    await scene.asked()
    await scene.result("INTERRUPTED", YES)


async def _vended_by_status(scene: Scene) -> None:
    await scene.asked()
    await scene.status("VENDED", evidence=YES)


async def _given_back_by_a_person(scene: Scene) -> None:
    await _vended(scene)
    await scene.result("FAILED", NO)
    await scene.stage.sweep()
    (case,) = [c for c in await cases.listed(scene.stage.context) if c.kind == cases.CONTRADICTED
               and c.data["unit"] == str(scene.unit)]  # fmt: skip
    await cases.refund(scene.stage.context, case.id, ASHA)
    await scene.stage.sweep()


async def _no_drop(scene: Scene) -> None:
    await scene.asked()
    await scene.result("FAILED", NO)


async def _tombstone(scene: Scene) -> None:
    await scene.asked()
    await scene.result("TOMBSTONED", {})


async def _policy(scene: Scene) -> None:
    await scene.asked()
    await scene.result("INTERRUPTED", {"drop": "unknown"})
    await scene.stage.sweep()


async def _silence(scene: Scene) -> None:
    await scene.go()
    await scene.stage.silence()


def _beside_a_controller(act: Act) -> Act:
    async def done(scene: Scene) -> None:
        scene.mdb = True
        await act(scene)

    return done


async def _vended_by_controller(scene: Scene) -> None:
    await scene.asked()
    await scene.result("VENDED", SUCCESS)


async def _vmc_failure(scene: Scene) -> None:
    await scene.asked()
    await scene.result("FAILED", FAILURE)


async def _rejected(scene: Scene) -> None:
    await scene.sell()
    await scene.stage.sweep("fulfillments")
    offer = scene.stage.offered()
    await scene.stage.hear(
        wire.Reject(
            unit_id=scene.unit, seq=offer["seq"], journal_id="j1", code=wire.Refusal.SLOT_EMPTY
        )
    )


async def _never_sent(scene: Scene) -> None:
    await scene.sell()
    scene.stage.later(121)
    await scene.stage.sweep()


async def _done(scene: Scene) -> None:
    await scene.go()
    await scene.done("SUCCESS")


async def _done_failed(scene: Scene) -> None:
    await scene.go()
    await scene.done("FAILED")


LEASED = (
    Settled("fulfilled", "vended", _vended),
    Settled("fulfilled", "vended", _vended_unseen, "without a sensor"),
    Settled("fulfilled", "vended", _vended_by_status, "in answer to a QUERY"),
    Settled("fulfilled", "drop_evidence", _drop_evidence),
    Settled("fulfilled", "vended", _given_back_by_a_person, "and given back by a person"),
    Settled("refund_due", "no_drop", _no_drop),
    Settled("refund_due", "tombstone", _tombstone),
    Settled("refund_due", "policy", _policy),
    Settled("refund_due", "policy", _silence, "after silence"),
    Settled("refund_due", "rejected", _rejected),
    Settled("refund_due", "never_sent", _never_sent),
)
CONTROLLED = (
    Settled("fulfilled", "vended", _beside_a_controller(_vended_by_controller)),
    Settled("refund_due", "vmc_failure", _beside_a_controller(_vmc_failure)),
    Settled("refund_due", "policy", _beside_a_controller(_policy)),
)
SIMPLE = (
    Settled("fulfilled", "declared", _done),
    Settled("refund_due", "declared", _done_failed),
    Settled("refund_due", "policy", _silence, "after silence"),
)


def _result(name: str, proves: str, outcome: str, evidence: dict[str, Any], **more: Any) -> Told:
    return Told(f"RESULT {name}", proves, lambda scene: scene.result(outcome, evidence, **more))


def _status(state: str, proves: str, evidence: dict[str, Any]) -> Told:
    """In answer to our question: where none was asked, no nonce makes it count."""
    return Told(
        f"STATUS {state}, with our nonce", proves,
        lambda scene: scene.status(state, evidence=evidence),
    )  # fmt: skip


def _untrue(state: str) -> Told:
    return Told(
        f"STATUS {state}, unasked", NOTHING,
        lambda scene: scene.status(state, evidence=NO, nonce="another"),
    )  # fmt: skip


async def _from_another_journal(scene: Scene) -> None:
    told: tuple[tuple[str, dict[str, Any]], ...] = (("VENDED", YES), ("FAILED", NO))
    for number, (outcome, seen) in enumerate(told, 1):
        numbers = {"journal_id": "j2", "event_seq": 2 * scene.seq + number}
        await scene.result(outcome, seen, **numbers)


async def _under_a_used_number(scene: Scene) -> None:
    """The journal has a line of this number, and it says something else."""
    for outcome, evidence in (("FAILED", NO), ("VENDED", YES)):
        await scene.journaled("PROGRESS")
        scene.seq -= 1
        await scene.result(outcome, evidence)


async def _accept(scene: Scene) -> None:
    seq = await scene.given()
    await scene.stage.hear(
        wire.Accept(unit_id=scene.unit, seq=seq, journal_id="j1", boot_id="b1", mono_ms=2000)
    )


def _reject(code: wire.Refusal) -> Act:
    async def act(scene: Scene) -> None:
        seq = await scene.given()
        await scene.stage.hear(wire.Reject(unit_id=scene.unit, seq=seq, journal_id="j1", code=code))

    return act


TOLD = (
    _result("VENDED, drop yes", DROP, "VENDED", YES),
    _result("VENDED, drop unknown", DROP, "VENDED", {"drop": "unknown"}),
    _result("VENDED, drop no by a tested sensor", NOTHING, "VENDED", NO),
    _result("VENDED, another slot", NOTHING, "VENDED", YES, slot="B7"),
    _result("FAILED, drop yes", DROP, "FAILED", YES),
    _result("FAILED, drop no by a tested sensor", NO_DROP, "FAILED", NO),
    _result("FAILED, drop no by an untested sensor", NOTHING, "FAILED", {"drop": "no"}),
    _result("FAILED, the motor never ran", NO_DROP, "FAILED", STOOD),
    _result("FAILED, drop unknown", NOTHING, "FAILED", {}),
    _result("FAILED, another slot", NOTHING, "FAILED", NO, slot="B7"),
    _result("FAILED, by the word of a controller", NOTHING, "FAILED", FAILURE),
    _result("INTERRUPTED, drop yes", DROP, "INTERRUPTED", YES),
    _result("INTERRUPTED, drop no by a tested sensor", NO_DROP, "INTERRUPTED", NO),
    _result("INTERRUPTED, drop unknown", NOTHING, "INTERRUPTED", {}),
    _result("TOMBSTONED", NO_DROP, "TOMBSTONED", {}),
    _status("VENDED", DROP, YES),
    _status("FAILED", NO_DROP, NO),
    _status("INTERRUPTED", NOTHING, {}),
    _status("TOMBSTONED", NO_DROP, {}),
    _status("STARTED", NOTHING, {}),
    _status("ACCEPTED", NOTHING, {}),
    _status("FORGOTTEN", NOTHING, {}),
    _untrue("VENDED"),
    _untrue("FAILED"),
    _untrue("TOMBSTONED"),
    Told("any RESULT of another journal", NOTHING, _from_another_journal),
    Told("a RESULT under a number that was used", NOTHING, _under_a_used_number),
    Told("STARTED", NOTHING, lambda scene: scene.journaled("STARTED")),
    Told("PROGRESS", NOTHING, lambda scene: scene.journaled("PROGRESS")),
    Told("ACCEPT", NOTHING, _accept),
    Told("REJECT for good", NOTHING, _reject(wire.Refusal.SLOT_FAULT)),
    Told("REJECT for now", NOTHING, _reject(wire.Refusal.BUSY)),
)
CONTROLLER_TOLD = (
    _result("VENDED, by the word of the controller", DROP, "VENDED", SUCCESS),
    _result("FAILED, by the word of the controller", NO_DROP, "FAILED", FAILURE),
    _result("FAILED, without it", NOTHING, "FAILED", {}),
    _result("INTERRUPTED, with that word", NOTHING, "INTERRUPTED", FAILURE),
    _result("TOMBSTONED", NO_DROP, "TOMBSTONED", {}),
    _status("VENDED", DROP, SUCCESS),
    _status("FAILED", NO_DROP, FAILURE),
    _untrue("FAILED"),
)
DONE = (
    Told("machine:done SUCCESS", DROP, lambda scene: scene.done("SUCCESS")),
    Told("machine:done FAILED", NO_DROP, lambda scene: scene.done("FAILED")),
)


async def decommissioned(scene: Scene) -> None:
    await provision.decommission(scene.stage.context, "M01")


def noted(settled: Settled, told: Told) -> str | None:
    """The discrepancy that this pair leaves, or None. No pair moves money."""
    if settled.basis in ("never_sent", "rejected"):
        return None  # no journal ever accepted it, so that no word about it counts
    return TOLD_AGAINST.get((settled.as_, told.proves))
