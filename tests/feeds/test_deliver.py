"""Webhooks over real sockets: signed, in order, again until they are taken, at least once."""

import asyncio
from datetime import timedelta

import pytest

from coinslot.events.webhooks.deliveries import WantedDeliveries, listed
from coinslot.events.webhooks.endpoints import Change
from tests.feeds.conftest import RULES, Post, announce
from tests.feeds.receiver import Receiver
from tests.sales.stage import Stage

SECOND_PAUSE_S = RULES.pauses_s[1]


async def test_an_event_is_signed_as_the_official_library_signs_it(
    post: Post, receiver: Receiver, stage: Stage
) -> None:
    _endpoint, secret = await post.endpoint(receiver.url)
    payment = await post.paid()
    assert await post.go() == 2
    assert receiver.types == ["payment.processing", "payment.succeeded"]
    event = receiver.got[1].verify(secret, stage.clock.now())
    assert event["id"] == receiver.got[1].id
    assert event["data"]["id"] == str(payment)
    assert event["timestamp"].startswith("2026-11-21T12:00:00")
    assert await post.go() == 0


async def test_only_the_types_that_were_asked_for_go_out(post: Post, receiver: Receiver) -> None:
    await post.endpoint(receiver.url, "payment.succeeded")
    await post.paid()
    await post.go()
    assert receiver.types == ["payment.succeeded"]


async def test_a_failing_endpoint_is_tried_after_each_pause_with_the_same_id_and_then_given_up(
    post: Post, receiver: Receiver, stage: Stage
) -> None:
    endpoint, secret = await post.endpoint(receiver.url, "payment.succeeded")
    receiver.answers_with(*[500] * 10)
    await post.paid()
    assert await post.go() == 1
    for pause_s in RULES.pauses_s:
        stage.later(pause_s - 1)
        assert await post.go() == 0
        stage.later(1)
        assert await post.go() == 1
        receiver.got[-1].verify(secret, stage.clock.now())
    assert len({got.id for got in receiver.got}) == 1
    (delivery,) = await post.deliveries()
    assert (delivery["outcome"], delivery["tried"]) == ("given_up", 10)
    tries = await stage.rows("SELECT * FROM delivery_tries ORDER BY number")
    assert [row["status"] for row in tries] == [500] * 10
    assert tries[0]["response"] == "as told"
    assert await post.status(endpoint) == "enabled"


async def test_what_follows_a_failed_delivery_of_a_payment_waits_and_other_payments_do_not(
    post: Post, receiver: Receiver, stage: Stage
) -> None:
    await post.endpoint(receiver.url)
    first = await post.paid()
    receiver.answers_with(500)
    await post.go()
    second = await post.paid()
    await post.go()
    seen = [(got.event["data"]["id"], got.type) for got in receiver.got]
    assert seen == [
        (str(first), "payment.processing"),
        (str(second), "payment.processing"),
        (str(second), "payment.succeeded"),
    ]
    stage.later(5)
    assert await post.go() == 2
    assert [got.type for got in receiver.got[3:]] == ["payment.processing", "payment.succeeded"]
    assert [row["outcome"] for row in await post.deliveries()] == ["delivered"] * 4


async def test_a_paused_endpoint_loses_nothing(
    post: Post, receiver: Receiver, stage: Stage
) -> None:
    endpoint, _ = await post.endpoint(receiver.url, "payment.succeeded")
    await post.endpoints.change(stage.merchant, endpoint, Change(status="paused"))
    await post.paid()
    stage.later(30 * 24 * 3600)
    await post.paid()
    assert await post.go() == 0
    await post.endpoints.change(stage.merchant, endpoint, Change(status="enabled"))
    assert await post.go() == 2
    assert receiver.types == ["payment.succeeded"] * 2


async def test_gone_disables_an_endpoint_which_keeps_its_events_and_tells_the_others(
    post: Post, receiver: Receiver, stage: Stage
) -> None:
    endpoint, _ = await post.endpoint(receiver.url, "payment.succeeded")
    await post.endpoint(receiver.url, "webhook.disabled")
    receiver.answers_with(410)
    await post.paid()
    await post.go()
    await post.go()
    assert await post.status(endpoint) == "disabled"
    assert receiver.types == ["payment.succeeded", "webhook.disabled"]
    assert receiver.got[1].event["data"]["reason"] == "gone"
    await post.paid()
    stage.later(24 * 3600)
    assert await post.go() == 0
    await post.endpoints.change(stage.merchant, endpoint, Change(status="enabled"))
    assert await post.go() == 2


async def test_an_endpoint_that_fails_for_days_is_disabled(
    post: Post, receiver: Receiver, stage: Stage
) -> None:
    endpoint, _ = await post.endpoint(receiver.url, "payment.succeeded")
    receiver.answers_with(500, 500, 500)
    await post.paid()
    await post.go()
    stage.later(RULES.disable_s - 10)
    await post.go()
    assert await post.status(endpoint) == "enabled"
    stage.later(24 * 3600)
    await post.go()
    shown = await post.endpoints.one(stage.merchant, endpoint)
    assert (shown.status, shown.disabled_reason) == ("disabled", "failing")


async def test_one_success_ends_a_row_of_failures(
    post: Post, receiver: Receiver, stage: Stage
) -> None:
    endpoint, _ = await post.endpoint(receiver.url, "payment.succeeded")
    receiver.answers_with(500)
    await post.paid()
    await post.go()
    failing = await post.endpoints.one(stage.merchant, endpoint)
    assert failing.failing_since == stage.clock.now()
    stage.later(5)
    await post.go()
    assert (await post.endpoints.one(stage.merchant, endpoint)).failing_since is None


@pytest.mark.parametrize(
    ("status", "asked", "waits_s"),
    [
        (429, "120", 120),
        (503, "120", 120),
        (429, "999999999999", RULES.retry_after_max_s),
        (429, "Sat, 21 Nov 2026 12:10:00 GMT", 600),
        (429, "Fri, 31 Dec 9999 23:59:59 -2300", RULES.retry_after_max_s),
    ],
)
async def test_a_retry_after_holds_the_whole_endpoint_within_bounds(
    post: Post, receiver: Receiver, status: int, asked: str, waits_s: float
) -> None:
    await post.endpoint(receiver.url, "payment.succeeded")
    receiver.answers_with(status, retry_after=asked)
    await post.paid()
    await post.go()
    await post.paid()
    post.stage.later(waits_s - 1)
    assert await post.go() == 0
    post.stage.later(1)
    assert await post.go() == 2


ABSURD_ZONE = "Mon, 01 Jan 2024 00:00:00 +99999999999999999999"


@pytest.mark.parametrize(
    "asked",
    ["Sat, 21 Nov 2020 12:10:00 GMT", "Sat, 21 Nov 2026 12:10:00", "soon", "-4", "", "\u0663",
     ABSURD_ZONE],
)  # fmt: skip
async def test_a_retry_after_that_says_nothing_changes_nothing(
    post: Post, receiver: Receiver, asked: str
) -> None:
    await post.endpoint(receiver.url, "payment.succeeded")
    receiver.answers_with(429, retry_after=asked)
    await post.paid()
    await post.go()
    post.stage.later(5)
    assert await post.go() == 1


async def test_a_rotated_secret_and_the_one_before_both_sign_until_the_overlap_ends(
    post: Post, receiver: Receiver, stage: Stage
) -> None:
    endpoint, old = await post.endpoint(receiver.url, "payment.succeeded")
    new = (await post.endpoints.rotate(post.key(), endpoint)).body["secret"]
    assert new != old
    await post.paid()
    await post.go()
    for secret in (old, new):
        receiver.got[0].verify(secret, stage.clock.now())
    stage.clock.advance(timedelta(seconds=RULES.overlap_s))
    await post.paid()
    await post.go()
    receiver.got[1].verify(new, stage.clock.now())
    with pytest.raises(AssertionError):
        receiver.got[1].verify(old, stage.clock.now())


async def test_an_endpoint_removed_while_its_events_are_announced_is_owed_nothing(
    post: Post, receiver: Receiver, stage: Stage
) -> None:
    endpoint, _ = await post.endpoint(receiver.url)
    await post.paid()
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        await conn.execute(
            "UPDATE webhook_endpoints SET deleted_at = now(), secret = NULL WHERE id = $1", endpoint
        )
        announcing = asyncio.create_task(announce(post.announcer))
        await asyncio.wait([announcing], timeout=0.3)
        assert not announcing.done()  # it would owe it something that nobody withdraws
    await announcing
    assert await post.deliveries() == []


async def test_an_endpoint_is_removed_after_what_was_announced_meanwhile(
    post: Post, receiver: Receiver, stage: Stage
) -> None:
    endpoint, _ = await post.endpoint(receiver.url)
    await post.paid()
    batch = await post.announcer.cursor.next_batch()
    assert batch is not None
    await asyncio.gather(
        post.announcer.announce(batch), post.endpoints.remove(stage.merchant, endpoint)
    )
    assert {row["outcome"] for row in await post.deliveries()} <= {"withdrawn"}


async def test_a_removed_endpoint_no_longer_holds_its_secret(
    post: Post, receiver: Receiver, stage: Stage
) -> None:
    endpoint, _ = await post.endpoint(receiver.url)
    await post.endpoints.rotate(post.key(), endpoint)
    await post.endpoints.remove(stage.merchant, endpoint)
    (row,) = await stage.rows("SELECT secret, old_secret FROM webhook_endpoints")
    assert (row["secret"], row["old_secret"]) == (None, None)


async def test_deliveries_are_paged_from_the_newest_to_the_oldest(
    post: Post, receiver: Receiver, stage: Stage
) -> None:
    await post.endpoint(receiver.url, "payment.succeeded")
    for _ in range(3):
        await post.paid()
    await post.go()
    whole = await listed(stage.context, stage.merchant, WantedDeliveries())
    paged, after = [], None
    while page := await listed(
        stage.context, stage.merchant, WantedDeliveries(after=after, limit=2)
    ):
        paged += page
        after = page[-1].id
    assert paged == whole
    assert len(whole) == 3
