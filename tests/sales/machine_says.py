"""What the machine of the stage says of the unit that it was offered last."""

from typing import Any
from uuid import UUID

import msgspec

from coinslot.channels import messages as wire
from tests.sales.stage import Stage

SAW_NOTHING = {"drop": "no", "sensor_tested": True}


def accept(stage: Stage) -> wire.Accept:
    offer = stage.offered()
    return wire.Accept(
        unit_id=UUID(offer["unit_id"]), seq=offer["seq"], journal_id="j1", boot_id="b1",
        mono_ms=2000, counter=7,
    )  # fmt: skip


def started(stage: Stage, event_seq: int) -> wire.Started:
    unit = UUID(stage.offered()["unit_id"])
    return wire.Started(unit_id=unit, journal_id="j1", event_seq=event_seq)


def result(stage: Stage, event_seq: int, **more: Any) -> wire.Result:
    offer = stage.offered()
    body = {
        "type": "RESULT", "unit_id": offer["unit_id"], "journal_id": "j1", "event_seq": event_seq,
        "slot": offer["slot"], "outcome": "VENDED",
        "evidence": {"drop": "yes", "sensor_tested": True}, **more,
    }  # fmt: skip
    return msgspec.convert(body, wire.Result)
