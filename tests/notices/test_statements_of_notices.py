"""What each statement about notices finds or changes: its own row, as long as nothing differs from
what it asks for. Each case differs in one thing."""

from datetime import timedelta
from uuid import UUID

import pytest

from coinslot.events.notices import browsers, plan, preferences, send
from tests.sales.asked import Asked, mistaken
from tests.sales.by_hand import NOW, Rows

MOMENT = timedelta(microseconds=1)
BORIS, VERA, ASHA, CHANDRA, THING, ANOTHER = (UUID(int=n) for n in range(1, 7))

PERSON = {"id": BORIS, "login": "boris", "version": 3, "disabled_at": None}
WORKS = {"person_id": BORIS, "merchant_id": ASHA, "role": "operator"}
BROWSER = {"id": THING, "person_id": BORIS, "person_version": 3, "endpoint": "https://push/1",
           "ended_at": None}  # fmt: skip
NOTICE = {"id": THING, "person_id": BORIS, "channel": "smtp", "dedup": "d", "lease": 2,
          "due_at": NOW + MOMENT, "tries": 0, "permission": "money"}  # fmt: skip
OVER = {"notices.outcome": "sent", "notices.ended_at": NOW, "notices.due_at": None}
ENDED = {"push_subscriptions.ended_at": NOW, "push_subscriptions.ended_because": "gone"}
ALERT = {"id": THING, "merchant_id": ASHA, "person_id": None, "kind": "silent", "subject": "M01",
         "opened_at": NOW, "told_at": None, "ended_at": None, "back_since": None,
         "end_told_at": None}  # fmt: skip
TOLD = {**ALERT, "told_at": NOW - timedelta(days=1), "ended_at": NOW}
OWN = {**ALERT, "merchant_id": None, "person_id": BORIS}
SETTINGS = {"person_id": BORIS, "confirm_hash": b"h", "confirm_until": NOW + MOMENT}
LATELY = NOW - timedelta(minutes=5)

ASKED = (
    Asked("the role of who is told", send._ROLE, (BORIS, ASHA),
          {"memberships": WORKS, "people": PERSON},
          ({"memberships.person_id": VERA}, {"memberships.merchant_id": CHANDRA},
           {"memberships.ended_at": NOW}, {"people.disabled_at": NOW})),
    Asked("a browser that is told", send._BROWSER, (THING,),
          {"push_subscriptions": BROWSER, "people": PERSON},
          ({"push_subscriptions.id": ANOTHER}, ENDED, {"people.version": 4},
           {"people.disabled_at": NOW}, {"people.id": VERA})),
    Asked("a notice is tried again", send._AGAIN, (THING, 2, "busy", NOW), {"notices": NOTICE},
          ({"notices.id": ANOTHER}, {"notices.lease": 3}, OVER)),
    Asked("a notice gets its link", send._LINKED, (THING, 2, "to", "subject", b"sealed"),
          {"notices": NOTICE}, ({"notices.id": ANOTHER}, {"notices.lease": 3}, OVER)),
    Asked("a browser is gone", f"{send._GONE} RETURNING id", (THING, NOW),
          {"push_subscriptions": BROWSER}, ({"push_subscriptions.id": ANOTHER}, ENDED)),
    Asked("a browser that another person uses now", f"{browsers._ELSEWHERE} RETURNING id",
          ("https://push/1", VERA, NOW), {"push_subscriptions": BROWSER},
          ({"push_subscriptions.endpoint": "https://push/2"}, ENDED,
           {"push_subscriptions.person_id": VERA})),
    Asked("one browser too many", f"{browsers._TOO_MANY} RETURNING id", (BORIS, NOW, 0),
          {"push_subscriptions": BROWSER}, ({"push_subscriptions.person_id": VERA}, ENDED)),
    Asked("how one is reached", preferences.ONE, (BORIS,), {"people": PERSON},
          ({"people.id": VERA}, {"people.disabled_at": NOW})),
    Asked("who may be told", preferences.MEMBERS, (ASHA,),
          {"memberships": WORKS, "people": PERSON, "merchants": {"id": ASHA}},
          ({"memberships.merchant_id": CHANDRA}, {"memberships.ended_at": NOW},
           {"people.disabled_at": NOW}, {"people.id": VERA})),
    Asked("what someone chose", preferences.CHOICES, (BORIS, ASHA),
          {"notice_choices": {"person_id": BORIS, "merchant_id": ASHA, "mail": "now"}},
          ({"notice_choices.person_id": VERA}, {"notice_choices.merchant_id": CHANDRA})),
    Asked("someone's browsers", preferences.BROWSERS, (BORIS,),
          {"push_subscriptions": BROWSER, "people": PERSON},
          ({"push_subscriptions.person_id": VERA}, ENDED, {"people.version": 4})),
    Asked("browsers to tell", plan._BROWSERS, (BORIS,),
          {"push_subscriptions": BROWSER, "people": PERSON},
          ({"push_subscriptions.person_id": VERA}, ENDED, {"people.version": 4})),
    Asked("what someone was told", preferences.SENT, (BORIS,), {"notices": NOTICE},
          ({"notices.person_id": VERA},), (OVER,)),
    Asked("an address to confirm", preferences.TO_CONFIRM, (b"h", NOW, 3),
          {"people": PERSON, "notice_settings": SETTINGS},
          ({"notice_settings.confirm_hash": b"i"}, {"notice_settings.confirm_until": NOW},
           {"people.version": 4}, {"people.disabled_at": NOW})),
    Asked("an address is confirmed", f"{preferences.CONFIRM} RETURNING person_id", (BORIS,),
          {"notice_settings": SETTINGS}, ({"notice_settings.person_id": VERA},)),
    Asked("an alert that waits", plan._WAITING, (NOW, LATELY), {"alerts": ALERT},
          ({"alerts.end_told_at": NOW}, {"alerts.opened_at": NOW + MOMENT},
           {"alerts.merchant_id": None, "alerts.person_id": BORIS})),
    Asked("an alert's end that waits", plan._WAITING, (NOW, LATELY), {"alerts": TOLD},
          ({"alerts.end_told_at": NOW}, {"alerts.ended_at": NOW + MOMENT},
           {"alerts.ended_at": None})),
    Asked("an alert that begins", plan._BEGUN, (ASHA, "silent", 9), {"alerts": ALERT},
          ({"alerts.merchant_id": CHANDRA}, {"alerts.kind": "case"}, {"alerts.told_at": NOW},
           {"alerts.end_told_at": NOW}, {"alerts.back_since": NOW}),
          ({"alerts.back_since": NOW, "alerts.ended_at": NOW},)),
    Asked("an alert that is over", plan._OVER, (ASHA, "silent", 9), {"alerts": TOLD},
          ({"alerts.merchant_id": CHANDRA}, {"alerts.kind": "case"}, {"alerts.told_at": None},
           {"alerts.end_told_at": NOW}, {"alerts.ended_at": None})),
    Asked("what only one person is told", plan._OWN, (9,), {"alerts": OWN},
          ({"alerts.end_told_at": NOW},
           {"alerts.merchant_id": ASHA, "alerts.person_id": None})),
    Asked("a notice that takes one more line", f"{plan._ADD_LINE} RETURNING id",
          ("d", "one more", 9000, NOW, "cases"), {"notices": NOTICE},
          ({"notices.dedup": "e"}, OVER, {"notices.tries": 1}, {"notices.leased_until": NOW},
           {"notices.due_at": NOW})),
)  # fmt: skip


async def test_each_statement_finds_its_row_and_none_that_differs(rows: Rows) -> None:
    assert await mistaken(rows, ASKED) == []


@pytest.mark.parametrize("over", [False, True], ids=["begins", "ends"])
async def test_a_merchant_that_was_just_told_of_a_kind_waits_for_the_next(
    rows: Rows, over: bool
) -> None:
    """Until $2: at that very moment it is told again."""
    beside: dict[str, object] = {
        **ALERT,
        "id": ANOTHER,
        "subject": "M02",
        "told_at": LATELY,
        "ended_at": NOW,
    }
    just = LATELY + MOMENT
    differs: tuple[dict[str, object], ...] = ({"kind": "case"}, {"merchant_id": CHANDRA})
    told: dict[str, object] = {"told_at": just, "end_told_at": just}
    for given in ({}, *({**told, **one} for one in differs), told):
        await rows.conn.execute("BEGIN")
        await rows.put("alerts", **(TOLD if over else ALERT))
        await rows.put("alerts", **{**beside, "end_told_at": LATELY, **given})
        found = await rows.conn.fetch(plan._WAITING, NOW, LATELY)
        ours = [row for row in found if (row["merchant_id"], row["kind"]) == (ASHA, "silent")]
        assert len(ours) == (0 if given == told else 1), given
        await rows.conn.execute("ROLLBACK")


async def test_a_line_more_keeps_what_the_notice_says_and_may_be_told(rows: Rows) -> None:
    await rows.put("notices", **NOTICE, body="one")
    for permission in ("cases", "money", "cases"):
        await rows.conn.execute(plan._ADD_LINE, "d", "two", 12, NOW, permission)
    row = await rows.conn.fetchrow("SELECT body, permission FROM notices")
    assert row is not None
    assert tuple(row) == ("one\ntwo\ntwo\n"[:12], "money cases")
