"""Odd and spoiled events of every gateway on a real database: each is answered with a 2xx and kept
once, and the inbox can always be emptied."""

import random

import pytest
from msgspec.structs import replace

from coinslot.oversight import cases
from coinslot.oversight.cases import Person
from coinslot.payments import gateway_webhooks
from tests.gateways.odd_events import VOICES, spoil
from tests.sales.stage import Stage


@pytest.mark.parametrize("gateway", sorted(VOICES))
async def test_each_is_answered_well_and_kept_once(stage: Stage, gateway: str) -> None:
    voice = VOICES[gateway]()
    account = replace(stage.account, driver=voice.till)
    stage.context.installation = "here"
    events = [*voice.others, *(spoil(voice, random.Random(seed), 2) for seed in range(120))]
    kept = set()
    for said in events:
        headers, body = voice.signed(said)
        for _ in range(2):
            answer = await gateway_webhooks.take_webhook(stage.context, account, headers, body)
            assert answer.status == 200, said
        verdict = voice.till.read_webhook(headers, body)
        kept.add((type(verdict).__name__, getattr(verdict, "delivery_id", None)))
    rows = await stage.rows("SELECT verdict, worked_at, failure, ours FROM inbox")
    assert len(rows) == len(kept)
    refused = {row["failure"] for row in rows if row["failure"]}
    assert refused <= {"refund_of_unknown"}  # nothing that a driver takes is refused by a table
    await cases.update(stage.context)
    for case in await cases.listed(stage.context):
        await cases.close(stage.context, case.id, Person("Asha", "looked at it"))
    waiting = await stage.value("SELECT count(*) FROM inbox WHERE ours AND worked_at IS NULL")
    assert waiting == 0
