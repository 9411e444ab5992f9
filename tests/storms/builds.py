"""Roll-outs of the firmware in a storm: every storm brings the boards one build more, while they
sell and everything dies. At the end each board runs what we say that it runs."""

import asyncio
import contextlib
import random
from typing import NamedTuple
from uuid import UUID

from coinslot.fleet.config import Editor
from coinslot.rollouts import firmware, rollouts
from coinslot.rollouts.firmware import KeyThereError, Upload
from coinslot.rollouts.manifest import sign
from coinslot.rollouts.plan import Rules
from coinslot.rollouts.rollouts import NewRollout
from tests.firmware.images import KEY, PUBLIC, built
from tests.rollouts.fleet import manifest_of
from tests.storms.chronicle import Chronicle
from tests.storms.history import Event
from tests.storms.town import AWAY, Town

# Nothing stops it: whether it should is not what a storm asks.
RULES = Rules(
    stages=("100%",), max_failures=1000, failure_share=1, share_from=1000, soak_s=3600,
    attempt_s=40, idle_s=60, install_s=40, trial_s=60, tries=5,
)  # fmt: skip
_TRIES = 30
_ENDED = ("confirmed", "failed", "rolled_back", "skipped", "silent")
_NOT_ENDED = """
SELECT u.outlet_id, u.state FROM machine_updates u JOIN rollouts r ON r.id = u.rollout_id
WHERE r.state IN ('running', 'soaking') AND u.state <> ALL ($1::text[]) AND u.state <> 'waiting'
"""
_RUNS = """
SELECT u.outlet_id, u.state, u.code, u.attempt, d.build_sequence, b.sequence FROM machine_updates u
JOIN rollouts r ON r.id = u.rollout_id JOIN firmware_builds b ON b.id = r.build_id
JOIN devices d ON d.outlet_id = u.outlet_id ORDER BY r.created_at
"""


class Breach(NamedTuple):
    """A board that does not run what we say."""

    board: str
    why: str

    def __str__(self) -> str:
        return f"the roll-out: {self.board}: {self.why}"


def waves(dice: random.Random, seconds: float, boards: int) -> list[Event]:
    """One, early in the storm, so that it meets what comes; and the power of all boards is cut in
    the middle of it."""
    at = round(dice.uniform(0, seconds / 3), 2)
    cut = round(at + dice.uniform(0.5, 6), 2)
    return [Event(at, "build", "boards", {}), Event(cut, "kill", "boards", {})] if boards else []


def editors(town: Town) -> dict[UUID, tuple[Editor, tuple[str, ...]]]:
    """The merchants of the boards, with their boards."""
    found: dict[UUID, tuple[Editor, tuple[str, ...]]] = {}
    for code, merchant in town.merchants_of_boards().items():
        known = found.get(merchant, (Editor(merchant, "boris"), ()))
        found[merchant] = (known[0], (*known[1], code))
    return found


async def roll_out_at_last(town: Town, chronicle: Chronicle) -> None:
    """A person tries again until it is under way, for PostgreSQL may be away."""
    for _ in range(_TRIES):
        with contextlib.suppress(*AWAY):
            await roll_out(town, chronicle)
            return
        await asyncio.sleep(1)


async def roll_out(town: Town, chronicle: Chronicle) -> None:
    """The next build, to every board: what ran before is ended first."""
    context = town.context
    for editor, boards in editors(town).values():
        for one in await rollouts.listed(context, editor.merchant):
            if one.state not in ("done", "aborted"):
                await rollouts.abort(context, editor, one.id)
        sequence = 2 + len(await firmware.builds(context, editor.merchant))
        with contextlib.suppress(KeyThereError):
            await firmware.add_key(context, editor, "laptop", bytes.fromhex(PUBLIC))
        version = f"1.{sequence}.0"
        image = built(version, sequence)
        manifest = manifest_of(image, version=version, sequence=sequence, hardware="unix")
        text, signature = sign(KEY, manifest)
        sent = Upload(manifest=text.encode(), signature=signature, image=image)
        build = await firmware.upload(context, editor, sent)
        wanted = NewRollout(firmware=build, rules=RULES, machines=boards)
        made = await rollouts.create(context, editor, wanted)
        await rollouts.start(context, editor, made)
        chronicle.counts["a build goes to boards"] += 1


async def under_way(town: Town) -> list[str]:
    """Boards that are in the middle of it: the storm is not settled before they are through."""
    return [f"update of {row['outlet_id']}, {row['state']}"
            for row in await town.rows(_NOT_ENDED, list(_ENDED))]  # fmt: skip


async def compared(town: Town, ends: dict[str, int]) -> list[Breach]:
    """Confirmed is what runs; what went back or was left out does not."""
    found, last = [], {row["outlet_id"]: row for row in await town.rows(_RUNS)}
    for board, row in last.items():
        ends[f"update {row['state']}"] = ends.get(f"update {row['state']}", 0) + 1
        if row["state"] == "confirmed" and row["build_sequence"] != row["sequence"]:
            found.append(Breach(board, f"confirmed {row['sequence']}, {row['build_sequence']}"))
        if row["state"] == "failed" and row["code"] in ("MANIFEST", "DOWNLOAD"):
            found.append(Breach(board, f"nothing gave it the build, {row['attempt']} times"))
        if row["state"] == "rolled_back" and row["build_sequence"] == row["sequence"]:
            found.append(Breach(board, f"went back, and runs {row['sequence']}"))
    return found
