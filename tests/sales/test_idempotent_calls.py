"""One answer per key, beside calls that differ in one part of what a key is of."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from msgspec import Struct
from msgspec.structs import replace

from coinslot.db.pool import Database
from coinslot.payments.idempotency import (
    Answer,
    FirstCall,
    IdempotentCall,
    KeyBusyError,
    KeyReusedError,
    Resumed,
    begin,
    finish,
    hash_of,
    name,
    release,
)
from tests.conftest import DatabaseUrls
from tests.sales.by_hand import Rows
from tests.sales.stage import Stage, set_stage

ANSWER = Answer(status=201, body={"id": "pay"})


class Desk(Struct):
    """A call of Asha's, and four that are nearly the same one."""

    stage: Stage
    rows: Rows
    call: IdempotentCall
    beside: list[IdempotentCall]

    async def begin(self, call: IdempotentCall | None = None) -> Any:
        async with self.stage.context.db.as_merchant((call or self.call).merchant) as conn:
            return await begin(conn, self.stage.context, call or self.call)

    async def kept(self, call: IdempotentCall) -> dict[str, Any]:
        row = await self.rows.conn.fetchrow(
            "SELECT * FROM idempotency_keys WHERE merchant_id = $1 AND endpoint = $2 AND key = $3",
            *call.id,
        )
        assert row is not None
        return dict(row)

    async def others(self) -> list[dict[str, Any]]:
        return [await self.kept(call) for call in self.beside]


@pytest.fixture
async def desk(database: Database, urls: DatabaseUrls) -> AsyncIterator[Desk]:
    stage = await set_stage(database)
    rows = await Rows.open(urls.superuser)
    call = IdempotentCall(
        merchant=stage.merchant, endpoint="POST /payments", key="k1", request_hash=b"hash"
    )
    chandra = (await rows.put("merchants", slug="chandra"))["id"]
    beside = [
        replace(call, merchant=chandra), replace(call, endpoint="POST /payments/x/confirm"),
        replace(call, key="k2"), replace(call, live=True),
    ]  # fmt: skip
    desk = Desk(stage, rows, call, beside)
    for one in beside:
        assert await desk.begin(one) == FirstCall()
    yield desk
    await rows.conn.close()


async def test_a_call_is_kept_with_its_answer_and_answered_so_again(desk: Desk) -> None:
    before, context = await desk.others(), desk.stage.context
    assert await desk.begin() == FirstCall()
    begun = await desk.kept(desk.call)
    until = context.now() + timedelta(seconds=context.windows.answer_s)
    assert (begun["started_at"], begun["locked_until"]) == (context.now(), until)
    assert (begun["request_hash"], begun["done_at"], begun["subject_id"]) == (b"hash", None, None)
    subject = uuid4()
    async with context.db.as_merchant(desk.call.merchant) as conn:
        await name(conn, desk.call, subject)
        assert (await desk.kept(desk.call))["subject_id"] is None  # not before the commit
    assert (await desk.kept(desk.call))["subject_id"] == subject
    desk.stage.later(7)
    async with context.db.as_merchant(desk.call.merchant) as conn:
        assert await finish(conn, context, desk.call, ANSWER) == ANSWER
    done = await desk.kept(desk.call)
    assert (done["status"], done["body"], done["done_at"]) == (201, {"id": "pay"}, context.now())
    desk.stage.later(7)
    async with context.db.as_merchant(desk.call.merchant) as conn:
        await finish(conn, context, desk.call, Answer(status=500, body=None))
    assert await desk.kept(desk.call) == done
    assert await desk.begin() == replace(ANSWER, replayed=True)
    with pytest.raises(KeyReusedError):
        await desk.begin(replace(desk.call, request_hash=b"another"))
    assert await desk.others() == before


async def test_a_call_whose_process_died_is_taken_up_where_it_was(desk: Desk) -> None:
    before, context = await desk.others(), desk.stage.context
    await desk.begin()
    subject: UUID = uuid4()
    async with context.db.as_merchant(desk.call.merchant) as conn:
        await name(conn, desk.call, subject)
    for wait, left in ((0.0, 5), (context.windows.answer_s - 3.5, 3), (3.0, 1)):
        desk.stage.later(wait)
        with pytest.raises(KeyBusyError) as busy:
            await desk.begin()
        assert busy.value.retry_after_s == left
    desk.stage.later(0.5)
    assert await desk.begin() == Resumed(subject)
    until = context.now() + timedelta(seconds=context.windows.answer_s)
    assert (await desk.kept(desk.call))["locked_until"] == until
    with pytest.raises(KeyBusyError):
        await desk.begin()
    assert await desk.others() == before


async def test_a_call_without_an_answer_may_run_again_from_the_start(desk: Desk) -> None:
    before, context = await desk.others(), desk.stage.context
    await desk.begin()
    async with context.db.as_merchant(desk.call.merchant) as conn:
        await name(conn, desk.call, uuid4())
        await release(conn, context, desk.call)
    assert await desk.begin() == Resumed(None)
    assert await desk.others() == before


def test_the_order_of_its_fields_is_no_other_request() -> None:
    assert hash_of("a", {"x": 1, "y": 2}) == hash_of("a", {"y": 2, "x": 1})
    assert len({hash_of("a"), hash_of("b"), hash_of("a", "b"), hash_of({"x": 1})}) == 4
