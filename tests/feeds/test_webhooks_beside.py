"""Endpoints, deliveries and their outcomes: each verb changes what it names, beside an endpoint, a
line and a merchant that are alike."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from msgspec import Struct

from coinslot.db.pool import Database
from coinslot.events.webhooks import deliveries
from coinslot.events.webhooks.deliver import WebhookSender, secret_context
from coinslot.events.webhooks.deliveries import Range, UnknownDeliveryError, WantedDeliveries
from coinslot.events.webhooks.endpoints import (
    Change,
    EndpointRequest,
    EndpointRuleError,
    Endpoints,
    UnknownEndpointError,
)
from coinslot.events.webhooks.safe_http import TryOutcome
from coinslot.events.webhooks.signing import HookRules
from coinslot.kit.ids import token
from coinslot.payments.idempotency import IdempotentCall
from tests.conftest import DatabaseUrls
from tests.sales.by_hand import Rows
from tests.sales.stage import START, Stage, set_stage

RULES = HookRules(jitter=0, pauses_s=(5, 300), disable_s=3600, at_once_each=8)
MOMENT = timedelta(microseconds=1)
SECOND = timedelta(seconds=1)
A, B, CHANDRAS = UUID(int=0xA), UUID(int=0xB), UUID(int=0xC)
LINE, OTHER_LINE = UUID(int=1), UUID(int=2)
TABLES = ("webhook_endpoints", "deliveries", "delivery_tries", "events")
WELL = TryOutcome(status=204, failure=None, response="", took_ms=7)


class Answers:
    """In place of the network: one answer for each post, the last one for ever."""

    def __init__(self, *told: TryOutcome) -> None:
        self.told = list(told)
        self.posts: list[tuple[str, dict[str, str], bytes]] = []

    async def post(self, url: str, headers: dict[str, str], body: bytes) -> TryOutcome:
        self.posts.append((url, headers, body))
        return self.told[min(len(self.posts), len(self.told)) - 1]

    async def close(self) -> None:
        pass


class Office(Struct):
    """Asha's endpoints A and B, and one of Chandra's."""

    stage: Stage
    rows: Rows
    chandra: UUID

    async def event(self, seq: int, line: UUID = LINE, **given: Any) -> None:
        await self.rows.put("public_events", seq=seq, **(
            {"id": f"evt_{seq:032x}", "merchant_id": self.stage.merchant, "type": "order.paid",
             "line": line, "data": {"n": seq}, "at": START} | given
        ))  # fmt: skip

    async def owe(self, seq: int, endpoint: UUID = A, **given: Any) -> UUID:
        line = given.pop("line", LINE)
        made = await self.rows.put("deliveries", **(
            {"id": UUID(int=endpoint.int * 1000 + seq), "merchant_id": self.stage.merchant,
             "endpoint_id": endpoint, "seq": seq, "line": line, "created_at": START,
             "due_at": START} | given
        ))  # fmt: skip
        found: UUID = made["id"]
        return found

    def key(self) -> IdempotentCall:
        return IdempotentCall(
            merchant=self.stage.merchant, endpoint="test", key=token(), request_hash=b"h"
        )

    def endpoints(self) -> Endpoints:
        return Endpoints(self.stage.context, HookRules(private_addresses=True))

    def sender(self, *told: TryOutcome, rules: HookRules = RULES) -> tuple[WebhookSender, Answers]:
        answers = Answers(*told)
        return WebhookSender(self.stage.context, rules, answers), answers  # type: ignore[arg-type]

    async def changes(self, verb: Any) -> dict[str, dict[Any, Any]]:
        return await self.rows.changes(verb, *TABLES)


@pytest.fixture
async def office(database: Database, urls: DatabaseUrls) -> AsyncIterator[Office]:
    stage = await set_stage(database)
    rows = await Rows.open(urls.superuser)
    chandra = (await rows.put("merchants", slug="chandra"))["id"]
    for name, merchant in ((A, stage.merchant), (B, stage.merchant), (CHANDRAS, chandra)):
        sealed = stage.context.vault.seal(b"whsec_AAAA", secret_context(name))
        await rows.put(
            "webhook_endpoints", id=name, merchant_id=merchant, url=f"https://e.example/{name.int}",
            status="enabled", types=[], secret=sealed, secret_set_at=START, created_at=START,
            failing_since=None,
        )  # fmt: skip
    await rows.conn.execute("DELETE FROM events")
    yield Office(stage, rows, chandra)
    await rows.conn.close()


def tried(merchant: UUID, number: int, **said: Any) -> dict[str, Any]:
    plain = {"status": None, "failure": None, "response": None, "took_ms": 7}
    return {"number": number, "merchant_id": merchant, "at": START} | plain | said


async def test_a_delivery_that_arrives_ends_and_makes_the_next_of_its_line_due(
    office: Office,
) -> None:
    for seq in (1, 2, 3):
        await office.event(seq)
    later = START + timedelta(hours=1)
    first = await office.owe(1)
    second, third = await office.owe(2, due_at=later), await office.owe(3, due_at=later)
    await office.owe(1, B, due_at=later)
    await office.event(4, OTHER_LINE)
    await office.owe(4, line=OTHER_LINE, due_at=later)
    sender, answers = office.sender(WELL)
    rules = HookRules(jitter=0, at_once_each=1)
    sender, answers = office.sender(WELL, rules=rules)
    (row,) = await sender._claim(1)
    done = await office.changes(sender.deliver(row))
    ended = {"tried": 1, "tries": 1, "leased_until": None, "outcome": "delivered",
             "ended_at": START, "due_at": None}  # fmt: skip
    kept = done.pop("delivery_tries")
    assert done == {"deliveries": {first: ended, second: {"due_at": START}}}
    assert kept[first] == tried(
        office.stage.merchant, 1, status=204, response="", delivery_id=first
    ) | {name: value for name, value in kept[first].items() if name == "id"}
    assert third not in done["deliveries"]
    ((url, headers, body),) = answers.posts
    assert (url, headers["webhook-id"]) == ("https://e.example/10", f"evt_{1:032x}")
    assert b'"data":{"n":1}' in body


FAILED = TryOutcome(status=500, failure="HTTP 500", response="no", took_ms=7)


@pytest.mark.parametrize(
    ("tries", "answer", "due_in_s", "endpoint"),
    [
        (0, (500, None), 5, {"failing_since": START}),
        (1, (500, None), 300, {"failing_since": START}),
        (0, (500, "60"), 5, {"failing_since": START}),
        (0, (429, "60"), 60, {"failing_since": START, "not_before": START + 60 * SECOND}),
        (0, (502, "4"), 5, {"failing_since": START, "not_before": START + 4 * SECOND}),
        (0, (503, "Sat, 21 Nov 2026 12:02:00 GMT"), 120,
         {"failing_since": START, "not_before": START + 120 * SECOND}),
        (0, (504, "999999"), 3600, {"failing_since": START, "not_before": START + 3600 * SECOND}),
        (0, (429, "Sat, 21 Nov 2026 11:00:00 GMT"), 5, {"failing_since": START}),
        (0, (429, "soon"), 5, {"failing_since": START}),
        (0, (429, None), 5, {"failing_since": START}),
        (2, (500, None), None, {"failing_since": START}),
    ],
)  # fmt: skip
async def test_a_delivery_that_fails_is_tried_later_and_holds_its_line(
    office: Office, tries: int, answer: tuple[int, str | None], due_in_s: int | None,
    endpoint: dict[str, Any],
) -> None:  # fmt: skip
    status, retry_after = answer
    await office.event(1)
    await office.event(2)
    first = await office.owe(1, tries=tries, tried=tries)
    second = await office.owe(2)
    await office.owe(1, B, due_at=START + timedelta(hours=1))
    told = TryOutcome(
        status=status, failure="said no", response="no", took_ms=7, retry_after=retry_after
    )
    sender, _ = office.sender(told)
    (row,) = await sender._claim(1)
    done = await office.changes(sender.deliver(row))
    assert done["webhook_endpoints"] == {A: endpoint}
    ours = done["deliveries"][first]
    assert (ours["tries"], ours["tried"], ours["leased_until"]) == (tries + 1, tries + 1, None)
    if due_in_s is None:
        assert (ours["outcome"], ours["ended_at"], ours["due_at"]) == ("given_up", START, None)
        assert done["deliveries"].keys() == {first}  # what is behind it is due already
    else:
        due = START + due_in_s * SECOND
        assert "outcome" not in ours
        assert ours["due_at"] == due
        assert done["deliveries"][second] == {"due_at": due + 305 * SECOND}
    (kept,) = done["delivery_tries"].values()
    assert (kept["status"], kept["failure"], kept["response"]) == (status, "said no", "no")


@pytest.mark.parametrize(
    ("status", "since", "reason"),
    [
        (410, None, "gone"),
        (500, START - timedelta(hours=1), "failing"),
        (500, START - timedelta(hours=1) + MOMENT, None),
        (500, None, None),
    ],
)
async def test_an_endpoint_that_is_gone_or_fails_for_long_is_disabled_and_that_is_told(
    office: Office, status: int, since: Any, reason: str | None
) -> None:
    await office.event(1)
    await office.owe(1)
    await office.rows.conn.execute(
        "UPDATE webhook_endpoints SET failing_since = $1 WHERE id = $2", since, A
    )
    told = TryOutcome(status=status, failure="x", response=None, took_ms=7)
    sender, _ = office.sender(told)
    done = await office.changes(sender.deliver_due())
    disabled = {"status": "disabled", "disabled_reason": reason} if reason else {}
    began = {} if since else {"failing_since": START}
    changed = disabled | began
    assert done.get("webhook_endpoints", {}) == ({A: changed} if changed else {})
    events = [
        (row["machine"], row["subject_id"], row["event"], row["data"], row["merchant_id"])
        for row in done.get("events", {}).values()
    ]
    said = {"reason": reason, "url": "https://e.example/10"}
    wanted = [("webhook", A, "DISABLED", said, office.stage.merchant)]
    assert events == (wanted if reason else [])


async def test_a_success_ends_what_failed_at_this_endpoint_alone(office: Office) -> None:
    await office.event(1)
    await office.owe(1)
    await office.rows.conn.execute("UPDATE webhook_endpoints SET failing_since = $1", START)
    sender, _ = office.sender(WELL)
    done = await office.changes(sender.deliver_due())
    assert done["webhook_endpoints"] == {A: {"failing_since": None}}


@pytest.mark.parametrize(
    ("table", "given", "claimed"),
    [
        ("deliveries", {}, True),
        ("deliveries", {"due_at": START + MOMENT}, False),
        ("deliveries", {"outcome": "delivered", "due_at": None, "ended_at": START}, False),
        ("deliveries", {"leased_until": "ahead"}, False),
        ("deliveries", {"leased_until": "over"}, True),
        ("webhook_endpoints", {"status": "paused"}, False),
        ("webhook_endpoints", {"status": "disabled"}, False),
        ("webhook_endpoints", {"deleted_at": START}, False),
        ("webhook_endpoints", {"not_before": START}, True),
        ("webhook_endpoints", {"not_before": START + MOMENT}, False),
    ],
)
async def test_what_is_due_at_an_endpoint_that_takes_it_is_claimed(
    office: Office, table: str, given: dict[str, Any], claimed: bool
) -> None:
    await office.event(1)
    mine = await office.owe(1)
    now = await office.rows.conn.fetchval("SELECT now()")
    ends = {"ahead": now + timedelta(hours=1), "over": now - timedelta(hours=1)}
    values = [ends.get(v, v) if isinstance(v, str) else v for v in given.values()]
    if given:
        columns = ", ".join(f"{name} = ${n + 2}" for n, name in enumerate(given))
        row = mine if table == "deliveries" else A
        await office.rows.conn.execute(f"UPDATE {table} SET {columns} WHERE id = $1", row, *values)
    sender, _ = office.sender(WELL)
    found: list[Any] = []

    async def claim() -> None:
        found.extend(await sender._claim(8))

    done = await office.changes(claim())
    assert [row["id"] for row in found] == ([mine] if claimed else [])
    assert [set(row) for row in done.get("deliveries", {}).values()] == (
        [{"leased_until"}] if claimed else []
    )
    if claimed:
        lease = done["deliveries"][mine]["leased_until"] - now
        assert timedelta(seconds=29) < lease < timedelta(seconds=40)  # the time-out and the slack


async def test_of_each_line_the_first_goes_and_of_each_endpoint_so_many(office: Office) -> None:
    for seq in range(1, 7):
        line = UUID(int=100 + (seq + 1) // 2)
        await office.event(seq, line)
        for endpoint in (A, B):
            await office.owe(seq, endpoint, line=line, due_at=START - seq * SECOND)
    await office.event(9, merchant_id=office.chandra)
    await office.owe(9, CHANDRAS, merchant_id=office.chandra)
    rules = HookRules(at_once_each=2, at_once_merchant=3, jitter=0)
    sender, _ = office.sender(WELL, rules=rules)
    got = [(row["endpoint_id"], row["seq"]) for row in await sender._claim(64)]
    assert [one for one in got if one[0] == CHANDRAS] == [(CHANDRAS, 9)]
    ours = [one for one in got if one[0] != CHANDRAS]
    assert len(ours) == 3
    assert {seq for _, seq in ours} <= {3, 5}  # the first of the lines that are due the longest
    assert await sender._claim(64) == []  # its places are taken
    await office.rows.conn.execute("UPDATE deliveries SET leased_until = NULL")
    await office.rows.conn.execute(
        "UPDATE webhook_endpoints SET failing_since = $1 WHERE id = $2", START, A
    )
    other, _ = office.sender(WELL, rules=HookRules(at_once_each=2, jitter=0))
    got = [(row["endpoint_id"], row["seq"]) for row in await other._claim(64)]
    assert sorted(got) == [(A, 5), (B, 3), (B, 5), (CHANDRAS, 9)]
    await office.rows.conn.execute("UPDATE deliveries SET leased_until = NULL")
    few, _ = office.sender(WELL, rules=HookRules(jitter=0))
    assert len(await few._claim(2)) == 2


async def test_a_line_behind_one_that_is_away_waits_for_it(office: Office) -> None:
    for seq in (1, 2):
        await office.event(seq)
        await office.owe(seq)
        await office.owe(seq, B)
    sender, _ = office.sender(WELL)
    assert len(await sender._claim(64)) == 2
    assert await sender._claim(64) == []
    await office.rows.conn.execute(
        "UPDATE deliveries SET outcome = 'delivered', due_at = NULL, ended_at = $1"
        " WHERE seq = 1 AND endpoint_id = $2", START, A,
    )  # fmt: skip
    (row,) = await sender._claim(64)
    assert (row["endpoint_id"], row["seq"]) == (A, 2)


async def test_each_change_of_an_endpoint_is_of_that_one(office: Office) -> None:
    merchant, ends = office.stage.merchant, office.endpoints()
    await office.event(1)
    mine = await office.owe(1, tries=3, due_at=START + timedelta(days=1))
    await office.owe(1, B, tries=3, due_at=START + timedelta(days=1))
    gone = await office.owe(2, outcome="given_up", due_at=None, ended_at=START, tries=9)
    await office.rows.conn.execute(
        "UPDATE webhook_endpoints SET failing_since = $1, not_before = $1", START
    )
    changed = await office.changes(ends.change(merchant, A, Change(description="till")))
    assert changed == {"webhook_endpoints": {A: {"description": "till"}}}
    wanted = Change(types=("order.paid", "order.failed", "order.paid"))
    changed = await office.changes(ends.change(merchant, A, wanted))
    assert changed == {"webhook_endpoints": {A: {"types": ["order.failed", "order.paid"]}}}
    changed = await office.changes(ends.change(merchant, A, Change(url="https://new.example/")))
    assert changed == {"webhook_endpoints": {A: {"url": "https://new.example/"}}}
    changed = await office.changes(ends.change(merchant, A, Change(status="paused")))
    assert changed == {"webhook_endpoints": {A: {"status": "paused"}}}
    opened = {"status": "enabled", "failing_since": None, "not_before": None}
    changed = await office.changes(ends.change(merchant, A, Change(status="enabled")))
    assert changed == {"webhook_endpoints": {A: opened}}  # a pause made nothing late
    await office.rows.conn.execute(
        "UPDATE webhook_endpoints SET status = 'disabled', disabled_reason = 'gone'"
    )
    changed = await office.changes(ends.change(merchant, A, Change(description="x")))
    assert changed == {"webhook_endpoints": {A: {"description": "x"}}}
    changed = await office.changes(ends.change(merchant, A, Change(status="enabled")))
    assert changed == {
        "webhook_endpoints": {A: {"status": "enabled", "disabled_reason": None}},
        "deliveries": {mine: {"tries": 0, "due_at": START}},
    }
    office.stage.later(1)
    now = START + SECOND
    changed = await office.changes(ends.remove(merchant, A))
    deleted = changed["webhook_endpoints"].pop(A)
    assert deleted["deleted_at"] == now
    assert deleted["secret"] is None
    withdrawn = {"outcome": "withdrawn", "ended_at": now, "due_at": None}
    assert changed == {"webhook_endpoints": {}, "deliveries": {mine: withdrawn}}
    assert gone not in changed["deliveries"]
    for verb in (ends.remove(merchant, A), ends.remove(merchant, CHANDRAS), ends.one(merchant, A),
                 ends.change(merchant, A, Change())):  # fmt: skip
        with pytest.raises(UnknownEndpointError):
            await verb
    assert [one.id for one in await ends.listed(merchant)] == [B]


async def test_a_secret_that_is_rotated_leaves_the_old_one_its_overlap(office: Office) -> None:
    ends = office.endpoints()
    before = await office.rows.conn.fetchval(
        "SELECT secret FROM webhook_endpoints WHERE id = $1", A
    )
    office.stage.later(1)
    answer: list[Any] = []

    async def rotate() -> None:
        answer.append(await ends.rotate(office.key(), A))

    changed = await office.changes(rotate())
    row = changed["webhook_endpoints"].pop(A)
    assert changed == {"webhook_endpoints": {}}
    assert row["old_secret"] == before
    assert row["secret_set_at"] == START + SECOND
    assert row["old_secret_until"] == START + SECOND + timedelta(hours=24)
    opened = office.stage.context.vault.open(row["secret"], secret_context(A)).decode()
    body = answer[0].body
    assert (answer[0].status, body["secret"], body["id"]) == (200, opened, str(A))
    shown = await ends.one(office.stage.merchant, A)
    assert shown.old_secret_until == START + SECOND + timedelta(hours=24)
    office.stage.later(24 * 3600)
    assert (await ends.one(office.stage.merchant, A)).old_secret_until is None


async def test_a_new_endpoint_is_made_as_it_was_asked_for_and_answered_so_again(
    office: Office,
) -> None:
    ends, key = office.endpoints(), office.key()
    wish = EndpointRequest(
        url="https://n.example/", description="d", types=("order.paid", "order.failed")
    )
    office.stage.later(5)
    first = await ends.create(key, wish)
    again = await ends.create(key, wish)
    assert first.status == 201
    assert (again.body, again.replayed) == (first.body, True)
    (row,) = await office.rows.conn.fetch("SELECT * FROM webhook_endpoints WHERE description = 'd'")
    now = START + 5 * SECOND
    assert (row["url"], row["types"], row["status"]) == (
        "https://n.example/", ["order.failed", "order.paid"], "enabled",
    )  # fmt: skip
    assert (row["secret_set_at"], row["created_at"], row["merchant_id"]) == (
        now, now, office.stage.merchant,
    )  # fmt: skip
    opened = office.stage.context.vault.open(row["secret"], secret_context(row["id"])).decode()
    assert first.body["secret"] == opened
    office.stage.later(1)
    await ends.rotate(office.key(), row["id"])
    assert (await ends.create(key, wish)).body["secret"] is None  # it is another one now
    for bad, code in (({"url": "ftp://x"}, "bad_url"), ({"types": ("nothing",)}, "unknown_type")):
        with pytest.raises(EndpointRuleError) as refused:
            await ends.create(office.key(), EndpointRequest(**({"url": "https://a.example"} | bad)))
        assert refused.value.code == code


class Owed(Struct):
    """Deliveries of A: one given up, one behind it, one of another line; of B, and of Chandra's."""

    first: UUID
    second: UUID
    other: UUID
    of_b: UUID
    hers: UUID


@pytest.fixture
async def owed(office: Office) -> Owed:
    for seq in (1, 2):
        await office.event(seq, type="order.failed" if seq == 2 else "order.paid")
        await office.event(10 + seq, OTHER_LINE)
    done: dict[str, Any] = {
        "outcome": "given_up",
        "ended_at": START,
        "due_at": None,
        "tries": 3,
        "tried": 4,
    }
    first = await office.owe(1, **done)
    second = await office.owe(2, due_at=START + SECOND)
    other = await office.owe(11, line=OTHER_LINE)
    of_b = await office.owe(1, B)
    await office.event(20, merchant_id=office.chandra)
    hers = await office.owe(20, CHANDRAS, merchant_id=office.chandra)
    for number, of in ((2, first), (1, first), (1, second)):
        await office.rows.put(
            "delivery_tries", delivery_id=of, number=number, merchant_id=office.stage.merchant,
            status=500 + number, failure="f", response="r", took_ms=number, at=START,
        )  # fmt: skip
    return Owed(first, second, other, of_b, hers)


async def test_a_delivery_is_shown_with_its_tries(office: Office, owed: Owed) -> None:
    merchant, context = office.stage.merchant, office.stage.context
    first, second, other, of_b = owed.first, owed.second, owed.other, owed.of_b
    shown = await deliveries.one(context, merchant, first)
    assert (shown.id, shown.endpoint, shown.event) == (first, A, f"evt_{1:032x}")
    assert (shown.type, shown.status, shown.tries) == ("order.paid", "given_up", 4)
    assert (shown.next_try_at, shown.created_at, shown.ended_at) == (None, START, START)
    assert [(t.number, t.status, t.took_ms) for t in shown.log] == [(1, 501, 1), (2, 502, 2)]
    behind = await deliveries.one(context, merchant, second)
    assert (behind.status, behind.next_try_at) == ("pending", START + SECOND)
    with pytest.raises(UnknownDeliveryError):
        await deliveries.one(context, merchant, owed.hers)

    async def listed(**wanted: Any) -> list[UUID]:
        found = await deliveries.listed(context, merchant, WantedDeliveries(**wanted))
        return [one.id for one in found]

    assert await listed() == sorted((first, second, other, of_b), reverse=True)
    assert await listed(endpoint=B) == [of_b]
    assert await listed(status="given_up") == [first]
    assert await listed(status="pending", endpoint=A) == [other, second]
    assert await listed(endpoint=A, after=other) == [second, first]
    assert await listed(limit=1) == [of_b]


async def test_a_delivery_is_sent_again_alone(office: Office, owed: Owed) -> None:
    merchant, context = office.stage.merchant, office.stage.context
    first, second = owed.first, owed.second
    changed = await office.changes(deliveries.redeliver(context, office.key(), first))
    anew = {"outcome": None, "ended_at": None, "tries": 0, "due_at": START}
    assert changed == {"deliveries": {first: anew}}
    # The one behind it is tried with it, at the earliest.
    assert (await deliveries.one(context, merchant, second)).next_try_at == START
    away = await office.rows.conn.fetchval("SELECT now() + interval '1 hour'")
    await office.rows.conn.execute(
        "UPDATE deliveries SET leased_until = $1, tries = 2 WHERE id = $2", away, first
    )
    told = await deliveries.one(context, merchant, first)
    assert (told.under_way, told.next_try_at) == (True, START)
    call = office.key()
    changed = await office.changes(deliveries.redeliver(context, call, first))
    assert changed == {}  # it is on its way
    for _ in range(2):  # and a repeated call is told so again
        answer = await deliveries.redeliver(context, call, first)
        assert (answer.status, answer.body["under_way"], answer.body["tries"]) == (202, True, 4)
    assert (await deliveries.one(context, merchant, second)).under_way is False
    for unknown in (owed.hers, uuid4()):
        with pytest.raises(UnknownDeliveryError):
            await deliveries.redeliver(context, office.key(), unknown)


async def test_a_range_is_sent_again_to_one_endpoint(office: Office) -> None:
    merchant, context = office.stage.merchant, office.stage.context
    hour = timedelta(hours=1)
    for seq, at in ((1, START - MOMENT), (2, START), (3, START + hour - MOMENT), (4, START + hour)):
        await office.event(seq, at=at)
    await office.event(5, type="order.failed")
    await office.event(6, type="webhook.test")
    await office.event(7, merchant_id=office.chandra)
    ended: dict[str, Any] = {"outcome": "given_up", "ended_at": START, "due_at": None, "tries": 9}
    again = await office.owe(2, **ended)
    await office.owe(2, B, **ended)
    under_way = await office.owe(3, tries=4)
    span = Range(since=START, until=START + hour)

    async def replayed(endpoint: UUID, wanted: Range) -> tuple[Any, dict[str, Any]]:
        told: list[Any] = []

        async def go() -> None:
            told.append(await deliveries.replay(context, office.key(), endpoint, wanted))

        done = await office.changes(go())
        return told[0].body["deliveries"], done.get("deliveries", {})

    count, done = await replayed(A, Range(since=START, until=START + hour, types=("order.paid",)))
    anew = {"outcome": None, "ended_at": None, "tries": 0, "due_at": START}
    assert count == 1
    assert done == {again: anew}
    assert under_way not in done
    count, done = await replayed(A, span)
    (made,) = done.values()
    assert (count, made["seq"], made["endpoint_id"], made["line"]) == (1, 5, A, LINE)
    assert (made["merchant_id"], made["due_at"], made["created_at"]) == (merchant, START, START)
    await office.rows.conn.execute(
        "UPDATE webhook_endpoints SET types = '{order.failed}' WHERE id = $1", B
    )
    count, done = await replayed(B, span)
    assert (count, [row["seq"] for row in done.values()]) == (1, [5])
    for since, until in ((START, START), (START + hour, START)):
        with pytest.raises(EndpointRuleError):
            await deliveries.replay(context, office.key(), A, Range(since=since, until=until))
    with pytest.raises(UnknownEndpointError):
        await deliveries.replay(context, office.key(), CHANDRAS, span)


async def test_a_range_of_more_than_ten_thousand_is_refused_whole(office: Office) -> None:
    await office.rows.conn.execute(
        "INSERT INTO public_events (id, seq, merchant_id, type, line, data, at)"
        " SELECT 'evt_' || n, n, $1, 'order.paid', $2, '{}', $3::timestamptz + n * interval '1 s'"
        " FROM generate_series(1, 10001) n",
        office.stage.merchant, LINE, START,
    )  # fmt: skip
    context, end = office.stage.context, START + timedelta(days=1)
    with pytest.raises(EndpointRuleError) as refused:
        await deliveries.replay(context, office.key(), A, Range(since=START, until=end))
    assert refused.value.code == "range_too_long"
    owed = "SELECT count(*) FROM deliveries"
    assert await office.rows.conn.fetchval(owed) == 0
    most = Range(since=START + 2 * SECOND, until=end)
    answer = await deliveries.replay(context, office.key(), A, most)
    assert (answer.status, answer.body) == (202, {"deliveries": 10_000})
    assert await office.rows.conn.fetchval(owed) == 10_000
