"""What each statement about alerts, browsers and choices finds and writes. Each case differs in one
thing."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from coinslot.db.pool import RawConnection
from coinslot.events.notices import alerts, browsers, plan, preferences, send
from tests.sales.asked import Asked, mistaken
from tests.sales.by_hand import NOW, Rows

MOMENT, HOUR = timedelta(microseconds=1), timedelta(hours=1)
BORIS, VERA, ASHA, CHANDRA, THING, ANOTHER = (UUID(int=n) for n in range(1, 7))
PUSH = "https://push/1"

PERSON = {"id": BORIS, "login": "boris", "version": 3}
ANOTHERS = {"id": VERA, "login": "vera", "version": 3}
BROWSER = {"id": THING, "person_id": BORIS, "person_version": 3, "endpoint": PUSH,
           "p256dh": "old", "auth": "old", "agent": "old"}  # fmt: skip
BROWSERS = "SELECT * FROM push_subscriptions ORDER BY id"
SESSION = {"id": THING, "person_id": BORIS, "kind": "token", "push_endpoint": PUSH}
OF_BROWSER = {"push_subscriptions": BROWSER, "people": PERSON, "sessions": SESSION}
SIGNED_OUT = {"sessions.ended_at": NOW, "sessions.ended_because": "x"}
SIGNED_IN = tuple({**SIGNED_OUT, f"sessions.{name}": value} for name, value in (
    ("push_endpoint", "https://push/2"), ("person_id", VERA),
))  # fmt: skip
NOTICE = {"id": THING, "person_id": BORIS, "dedup": "d", "lease": 2, "due_at": NOW, "tries": 1,
          "sealed": b"s", "permission": "money:read", "leased_until": NOW}  # fmt: skip
NOTICES = "SELECT * FROM notices"
ALERT = {"id": THING, "merchant_id": ASHA, "kind": "machine_silent", "subject": "M01",
         "opened_at": NOW}  # fmt: skip
ALERTS = "SELECT * FROM alerts ORDER BY id"
SETTINGS = {"person_id": BORIS, "address": "b@c", "asked_address": "c@d", "confirm_hash": b"h",
            "confirm_until": NOW, "language": "en", "digest_at": 1}  # fmt: skip
OF_SETTINGS = "SELECT * FROM notice_settings ORDER BY person_id"
CHOICE = {"person_id": BORIS, "merchant_id": ASHA, "event": "case_waiting", "mail": "off",
          "push": False}  # fmt: skip
MEMBER = {
    "memberships": {"person_id": BORIS, "merchant_id": ASHA, "role": "admin"},
    "people": PERSON, "merchants": {"id": ASHA, "slug": "a", "zone": "Asia/Kolkata"},
    "merchants 2": {"id": CHANDRA, "slug": "c"}, "notice_choices": CHOICE,
    "notice_settings": {**SETTINGS, "zone": "Europe/Riga"}, "push_subscriptions": BROWSER,
}  # fmt: skip

MACHINE = {"id": "M01", "merchant_id": ASHA, "name": "Hall", "dialect": "leased"}
SILENT = {"outlets": MACHINE, "devices": {"outlet_id": "M01", "last_seen_at": NOW - MOMENT}}
PRODUCT = {"id": ANOTHER, "merchant_id": ASHA, "sku": "cola", "name": "Cola"}
OUT = {"outlets": MACHINE, "products": PRODUCT,
       "slots": {"outlet_id": "M01", "slot": "A1", "product_id": ANOTHER,
                 "out_of_sale_at": NOW}}  # fmt: skip
LIMITS = (NOW, 80, 5, 85)  # silent since, a full journal, restarts, a weak signal
LIKELY = {"outlet_id": "M01", "product_id": BORIS, "sales": 2.0, "days": 1.0, "held": 3,
          "through": 1, "likely": 5}  # fmt: skip
GONE = {"outlets.decommissioned_at": NOW}


def reads_browser(name: str, sql: str, value: UUID) -> Asked:
    """A browser, which is shown nothing when the person is signed out in it."""
    return Asked(name, sql, (value,), OF_BROWSER, ({"people.id": VERA}, SIGNED_OUT), SIGNED_IN)


WRONG = (
    Asked("a machine that is silent", f"SELECT FROM ({alerts._WRONG}) w WHERE $1::text <> ''",
          ("x", *LIMITS), SILENT,
          ({"devices.outlet_id": "M02"}, GONE, {"devices.last_seen_at": NOW},
           {"devices.last_seen_at": None})),
    Asked("a slot that sells nothing",
          f"SELECT kind, subject, data->>'product' AS product FROM ({alerts._WRONG}) w"
          " WHERE $1::text <> ''", ("x", *LIMITS), OUT,
          ({"slots.outlet_id": "M02"}, {"products.id": BORIS}, GONE, {"slots.out_of_sale_at": None},
           {"slots.withheld_at": NOW}),
          gives={"kind": "slot_out_of_sale", "subject": "M01 A1", "product": "Cola"}),
    Asked("a machine that is nearly sold out",
          f"SELECT kind, subject, data->>'slots' AS slots FROM ({alerts._WRONG}) w"
          " WHERE $1::text <> ''", ("x", *LIMITS),
          {"outlets": {**MACHINE, "channel": "mqtt"},
           "slots": {"outlet_id": "M01", "slot": "A2", "stock": 5, "par": 20},
           "slots 2": {"outlet_id": "M01", "slot": "A1", "stock": 5, "par": 20}},
          ({"outlets.channel": "practice"}, GONE,
           *({f"slots.{name}": value, f"slots 2.{name}": value} for name, value in (
               ("outlet_id", "M02"), ("stock", 6), ("out_of_sale_at", NOW)))),
          ({"slots.stock": 0},),
          gives={"kind": "stock_low", "subject": "M01", "slots": "A1, A2"},
          others=(({"slots.par": 0}, {"slots": "A1"}),)),
    Asked("a machine that will probably be sold out soon",
          f"SELECT kind, subject, data->>'slots' AS slots FROM ({alerts._WRONG}) w"
          " WHERE $1::text <> ''", ("x", *LIMITS),
          {"outlets": {**MACHINE, "channel": "mqtt"},
           "slots": {"outlet_id": "M01", "slot": "A2", "stock": 5, "product_id": BORIS},
           "slot_demand": {**LIKELY, "slot": "A2"},
           "slots 2": {"outlet_id": "M01", "slot": "A1", "stock": 5, "product_id": BORIS},
           "slot_demand 2": {**LIKELY, "slot": "A1"}},
          ({"outlets.channel": "practice"}, GONE,
           *({f"slots.{name}": value, f"slots 2.{name}": value} for name, value in (
               ("outlet_id", "M02"), ("stock", 6), ("out_of_sale_at", NOW), ("product_id", VERA))),
           *({f"slot_demand.{name}": value, f"slot_demand 2.{name}": value} for name, value in (
               ("outlet_id", "M02"), ("likely", 4), ("likely", None)))),
          ({"slots.stock": 0},),
          gives={"kind": "sold_out_soon", "subject": "M01", "slots": "A1, A2"},
          others=(({"slot_demand.slot": "A3"}, {"slots": "A1"}),
                  ({"slots.stock": 0, "slot_demand.likely": 0}, {"slots": "A1"}))),
    Asked("a machine that refuses our price",
          f"SELECT kind, subject FROM ({alerts._WRONG}) w WHERE $1::text <> ''", ("x", *LIMITS),
          {"outlets": MACHINE, "fulfillments": {
              "outlet_id": "M01", "failure_code": "PRICE_VERSION", "state": "failed",
              "settlement": "refund_due", "basis": "rejected",
              "settled_at": NOW - timedelta(days=1) + MOMENT}},
          ({"fulfillments.outlet_id": "M02"}, GONE, {"fulfillments.failure_code": "SLOT_EMPTY"},
           {"fulfillments.settled_at": NOW - timedelta(days=1)}),
          gives={"kind": "price_differs", "subject": "M01"}),
    Asked("a machine that is too warm",
          f"SELECT kind, subject, data->>'what' AS what FROM ({alerts._WRONG}) w"
          " WHERE $1::text <> ''", ("x", *LIMITS),
          {"outlets": MACHINE, "outlet_stops": {"outlet_id": "M01", "why": "food_lock"}},
          ({"outlet_stops.outlet_id": "M02"}, GONE, {"outlet_stops.why": "maintenance"},
           {"outlet_stops.until": NOW}),
          gives={"kind": "machine_too_warm", "subject": "M01", "what": "food_lock"}),
    Asked("a machine that tells no temperature",
          f"SELECT kind, subject FROM ({alerts._WRONG}) w WHERE $1::text <> ''",
          ("x", *LIMITS),
          {"outlets": {**MACHINE, "device_config": {"food_lock": {}}},
           "devices": {"outlet_id": "M01", "last_seen_at": NOW},
           "machine_health": {"outlet_id": "M01", "temperature_at": NOW - MOMENT}},
          ({"outlets.device_config": {}}, GONE, {"machine_health.temperature_at": NOW}),
          ({"machine_health.temperature_at": None}, {"machine_health.outlet_id": "M02"}),
          gives={"kind": "machine_too_warm", "subject": "M01 thermometer"},
          others=(({"devices.last_seen_at": NOW - MOMENT}, {"kind": "machine_silent"}),)),
    *(Asked(f"a machine with {what}",
            f"SELECT kind, subject FROM ({alerts._WRONG}) w WHERE $1::text <> ''",
            ("x", *LIMITS),
            {"outlets": MACHINE, "machine_health": {"outlet_id": "M01", "at": NOW, **wrong}},
            (GONE, {"machine_health.at": NOW - MOMENT}, {"machine_health.outlet_id": "M02"},
             *({f"machine_health.{name}": value} for name, value in well.items())),
            gives={"kind": "machine_ailing", "subject": f"M01 {what}"})
      for what, wrong, well in (
          ("journal", {"journal_used": 80}, {"journal_used": 79}),
          ("signal", {"rssi": -85}, {"rssi": -84}),
          ("restarts", {"restarts": [NOW] * 4 + [NOW - HOUR + MOMENT]},
           {"restarts": [NOW] * 4 + [NOW - HOUR]}))),
    Asked("a machine whose counter differs",
          f"SELECT kind, subject FROM ({alerts._WRONG}) w WHERE $1::text <> ''", ("x", *LIMITS),
          {"outlets": MACHINE, "machine_health": {"outlet_id": "M01", "at": NOW},
           "counter_checks": {"outlet_id": "M01", "differs_since": NOW}},
          (GONE, {"machine_health.at": NOW - MOMENT}, {"machine_health.outlet_id": "M02"},
           {"counter_checks.outlet_id": "M02"}, {"counter_checks.differs_since": None}),
          gives={"kind": "machine_ailing", "subject": "M01 counted"}),
    Asked("a case", f"SELECT kind FROM ({alerts._WRONG}) w WHERE $1::text <> ''", ("x", *LIMITS),
          {"cases": {"source": "state", "kind": "refund_owed"}},
          ({"cases.closed_at": NOW, "cases.how": "healed"},), gives={"kind": "case_waiting"},
          others=tuple(({"cases.kind": kind}, {"kind": "payout_differs"}) for kind in (
              "not_paid_out", "amount_differs", "refunds_differ", "not_on_record",
              "not_at_gateway"))),
)  # fmt: skip

LOOK = (
    Asked("what is wrong is alerted once", alerts._LOOK, (NOW, *LIMITS, NOW), SILENT, (),
          after=ALERTS, gives=({"kind": "machine_silent", "subject": "M01", "opened_at": NOW},)),
    Asked("what is wrong already", alerts._LOOK, (NOW, *LIMITS, NOW),
          {**SILENT, "alerts": ALERT}, (),
          after=ALERTS, gives=({"ended_at": None, "back_since": None},),
          others=(({"alerts.ended_at": NOW}, ({}, {})),
                  ({"alerts.back_since": NOW + MOMENT},
                   ({"back_since": None, "ended_at": None},)),
                  ({"alerts.back_since": NOW}, ({"back_since": None, "ended_at": None},)))),
    Asked("a machine is back for a while first", alerts._LOOK, (NOW, *LIMITS, NOW - HOUR),
          {"alerts": ALERT}, (), after=ALERTS, gives={"back_since": NOW, "ended_at": None},
          others=(({"alerts.kind": "case_waiting"}, {"ended_at": NOW}),
                  ({"alerts.back_since": NOW - HOUR}, {"ended_at": NOW}),
                  ({"alerts.back_since": NOW - HOUR + MOMENT}, {"ended_at": None}),
                  ({"alerts.ended_at": NOW - HOUR}, {"back_since": None,
                                                     "ended_at": NOW - HOUR}),
                  ({"alerts.ended_at": NOW - 2 * HOUR, "alerts.back_since": NOW - 3 * HOUR},
                   {"ended_at": NOW - 2 * HOUR}))),
)  # fmt: skip

ASKED = (
    *WRONG, *LOOK,
    reads_browser("a browser that is told", send._BROWSER, THING),
    reads_browser("browsers to tell", plan._BROWSERS, BORIS),
    reads_browser("someone's browsers", preferences.BROWSERS, BORIS),
    Asked("another person's browser", plan._BROWSERS, (BORIS,),
          {"push_subscriptions": BROWSER, "people": PERSON, "people 2": ANOTHERS},
          ({"push_subscriptions.person_id": VERA},)),
    Asked("another person's browser is not listed", preferences.BROWSERS, (BORIS,),
          {"push_subscriptions": BROWSER, "people": PERSON, "people 2": ANOTHERS},
          ({"push_subscriptions.person_id": VERA},)),
    *(Asked("browsers in their order", sql, (BORIS,),
            {"push_subscriptions": {**BROWSER, "id": ANOTHER},
             "push_subscriptions 2": {**BROWSER, "endpoint": "https://push/2"}, "people": PERSON},
            (), gives=({"id": THING}, {"id": ANOTHER}))
      for sql in (plan._BROWSERS, preferences.BROWSERS)),
    Asked("a session and its browser", browsers._OF_SESSION, (THING, "https://push/3"),
          {"sessions": SESSION, "sessions 2": {**SESSION, "id": ANOTHER}}, (),
          after="SELECT push_endpoint FROM sessions ORDER BY id",
          gives=({"push_endpoint": "https://push/3"}, {"push_endpoint": PUSH})),
    Asked("a browser is told", browsers._ADD, (ANOTHER, BORIS, PUSH, "k", "a", "Firefox", NOW),
          {"people": PERSON, "people 2": ANOTHERS}, ({"people.id": UUID(int=9)},),
          after=BROWSERS,
          gives={"id": ANOTHER, "person_id": BORIS, "person_version": 3, "p256dh": "k"}),
    Asked("the same browser again", browsers._ADD,
          (ANOTHER, BORIS, PUSH, "k", "a", "Firefox", NOW),
          {"people": PERSON, "push_subscriptions": {**BROWSER, "person_version": 2}}, (),
          after=BROWSERS,
          gives=({"id": THING, "person_version": 3, "p256dh": "k", "auth": "a",
                  "agent": "Firefox"},),
          others=(({"push_subscriptions.ended_at": NOW, "push_subscriptions.ended_because": "x"},
                   ({"id": THING, "p256dh": "old"}, {"id": ANOTHER, "p256dh": "k"})),)),
    Asked("the oldest of too many", browsers._TOO_MANY, (BORIS, NOW, 1),
          {f"push_subscriptions {n}": {**BROWSER, "id": UUID(int=n), "endpoint": str(n)}
           for n in (1, 2, 3)}, (), after=BROWSERS,
          gives=({"ended_at": NOW}, {"ended_at": NOW}, {"ended_at": None}),
          others=(({"push_subscriptions 3.ended_at": NOW - HOUR,
                    "push_subscriptions 3.ended_because": "x"},
                   ({"ended_at": NOW}, {"ended_at": None}, {"ended_at": NOW - HOUR})),
                  ({"push_subscriptions 1.ended_at": NOW - HOUR,
                    "push_subscriptions 1.ended_because": "x"},
                   ({"ended_at": NOW - HOUR}, {"ended_at": NOW}, {"ended_at": None})))),
    Asked("a browser is ended", browsers._END, (THING, NOW, "by the person"),
          {"push_subscriptions": BROWSER}, (), after=BROWSERS,
          gives={"ended_at": NOW, "ended_because": "by the person"},
          others=(({"push_subscriptions.id": ANOTHER}, {"ended_at": None}),
                  ({"push_subscriptions.ended_at": NOW - HOUR,
                    "push_subscriptions.ended_because": "x"}, {"ended_because": "x"}))),
    Asked("a notice is over", f"{send._END} AS done, *", (THING, 2, "sent", "why", NOW, 1),
          {"notices": NOTICE},
          ({"notices.id": ANOTHER}, {"notices.lease": 3},
           {"notices.outcome": "sent", "notices.ended_at": NOW, "notices.due_at": None,
            "notices.sealed": None}),
          gives={"done": True, "outcome": "sent", "failure": "why", "ended_at": NOW,
                 "due_at": None, "leased_until": None, "sealed": None, "tries": 2}),
    Asked("a notice is tried again", f"{send._AGAIN} AS done, *", (THING, 2, "busy", NOW + HOUR),
          {"notices": NOTICE}, (),
          gives={"done": True, "tries": 2, "failure": "busy", "due_at": NOW + HOUR,
                 "leased_until": None}),
    Asked("a notice gets its link", send._LINKED, (THING, 2, "to", "subject", b"sealed"),
          {"notices": NOTICE}, (),
          gives={"target": "to", "subject": "subject", "sealed": b"sealed"}),
    Asked("one kind of a merchant waits once", plan._WAITING, (NOW, NOW),
          {"alerts": ALERT, "alerts 2": {**ALERT, "id": ANOTHER, "subject": "M02"}}, ()),
    Asked("what was just told holds back what begins", plan._WAITING, (NOW, NOW),
          {"alerts": ALERT,
           "alerts 2": {**ALERT, "id": ANOTHER, "subject": "M02", "told_at": NOW,
                        "ended_at": NOW, "end_told_at": NOW + HOUR}},
          ({"alerts 2.told_at": NOW + HOUR},
           {"alerts 2.told_at": NOW + HOUR, "alerts 2.ended_at": None,
            "alerts 2.end_told_at": None})),
    Asked("what just ended holds back what ends", plan._WAITING, (NOW, NOW),
          {"alerts": {**ALERT, "told_at": NOW, "ended_at": NOW},
           "alerts 2": {**ALERT, "id": ANOTHER, "subject": "M02", "told_at": NOW + HOUR,
                        "ended_at": NOW, "end_told_at": NOW}},
          ({"alerts 2.end_told_at": NOW + HOUR},),
          ({"alerts 2.end_told_at": NOW + HOUR, "alerts 2.told_at": None},)),
    *(Asked("what begins in its order", sql, (ASHA, "machine_silent", 2),
            {f"alerts {n}": {**ALERT, **more, "id": UUID(int=n), "subject": str(n),
                             "opened_at": NOW + at * MOMENT}
             for n, at in ((2, 1), (4, 0), (3, 0), (1, 2))}, (),
            gives=({"id": UUID(int=3)}, {"id": UUID(int=4)}))
      for sql, more in ((plan._BEGUN, {}), (plan._OVER, {"told_at": NOW, "ended_at": NOW}))),
    *(Asked("what is told is locked", sql, values, {"alerts": {**ALERT, **more}}, (),
            locks=("alerts",))
      for sql, values, more in (
          (plan._BEGUN, (ASHA, "machine_silent", 9), {}),
          (plan._OVER, (ASHA, "machine_silent", 9), {"told_at": NOW, "ended_at": NOW}),
          (plan._OWN, (9,), {"merchant_id": None, "person_id": BORIS}))),
    Asked("the role of a person of several", send._ROLE, (BORIS, ASHA),
          {"memberships": MEMBER["memberships"], "people": PERSON, "people 2": ANOTHERS},
          ({"memberships.person_id": VERA}, {"people.disabled_at": NOW})),
    *(Asked("alerts are told", sql, ([THING], NOW),
            {"alerts": ALERT, "alerts 2": {**ALERT, "id": ANOTHER, "subject": "M02"}}, (),
            after=ALERTS, gives=({column: NOW}, {column: None}))
      for sql, column in ((plan._TOLD, "told_at"), (plan._END_TOLD, "end_told_at"))),
    Asked("what only one person is told, in its order", plan._OWN, (1,),
          {f"alerts {n}": {**ALERT, "merchant_id": None, "person_id": BORIS, "id": UUID(int=n),
                           "opened_at": NOW + n * MOMENT} for n in (2, 1)}, (),
          gives=({"id": UUID(int=1)},)),
    Asked("a line is added", plan._ADD_LINE, ("d", "more", 9, NOW, "cases:read"),
          {"notices": {**NOTICE, "body": "one", "tries": 0, "leased_until": None,
                       "due_at": NOW + MOMENT}}, (), after=NOTICES,
          gives={"body": "one\nmore", "permission": "money:read cases:read"},
          others=(({"$3": 5}, {"body": "one\nm"}),
                  ({"$5": "money:read"}, {"permission": "money:read"}),
                  ({"notices.permission": ""}, {"permission": "cases:read"}))),
    Asked("someone's own settings", preferences.ONE, (BORIS,),
          {"people": PERSON, "notice_settings": SETTINGS}, (), gives={"address": "b@c"},
          others=(({"notice_settings.person_id": VERA}, {"address": None}),)),
    Asked("who may be told, and how", preferences.MEMBERS, (ASHA,), MEMBER,
          ({"memberships.merchant_id": CHANDRA},),
          gives={"address": "b@c", "merchant_zone": "Asia/Kolkata", "browsers": [THING],
                 "choices": {"case_waiting": {"mail": "off", "push": False}}},
          others=(({"notice_choices.person_id": VERA}, {"choices": {}}),
                  ({"notice_choices.merchant_id": CHANDRA}, {"choices": {}}),
                  ({"notice_settings.person_id": VERA}, {"address": None, "zone": None}),
                  ({"push_subscriptions.person_id": VERA}, {"browsers": []}),
                  ({"push_subscriptions.person_version": 2}, {"browsers": []}))),
    Asked("members and their browsers in their order", preferences.MEMBERS, (ASHA,),
          {**MEMBER, "memberships": {**MEMBER["memberships"], "person_id": VERA},
           "memberships 2": MEMBER["memberships"], "people 2": ANOTHERS,
           "push_subscriptions": {**BROWSER, "id": ANOTHER},
           "push_subscriptions 2": {**BROWSER, "endpoint": "https://push/2"}}, (),
          gives=({"id": BORIS, "browsers": [THING, ANOTHER]}, {"id": VERA, "browsers": []})),
    Asked("hours are saved", preferences.SAVE, (BORIS, "hi", "Europe/Riga", 1, 2, 3),
          {"notice_settings": SETTINGS}, (), after=OF_SETTINGS,
          gives={"language": "hi", "zone": "Europe/Riga", "quiet_from": 1, "quiet_to": 2,
                 "digest_at": 3, "address": "b@c"}),
    Asked("a choice is saved", preferences.CHOOSE, (BORIS, ASHA, "case_waiting", "now", True),
          {"notice_choices": CHOICE}, (), after="SELECT * FROM notice_choices",
          gives={"mail": "now", "push": True}),
    Asked("an address is asked for", preferences.ASK_ADDRESS,
          (BORIS, "n@w", b"i", NOW + HOUR, "hi", 9), {"notice_settings": SETTINGS}, (),
          after=OF_SETTINGS,
          gives={"asked_address": "n@w", "confirm_hash": b"i", "confirm_until": NOW + HOUR,
                 "address": "b@c", "language": "en"}),
    Asked("an address to confirm is locked", preferences.TO_CONFIRM, (b"h", NOW - HOUR, 3),
          {"people": PERSON, "notice_settings": SETTINGS}, (), locks=("notice_settings",)),
    Asked("an address is confirmed", preferences.CONFIRM, (BORIS,), {"notice_settings": SETTINGS},
          (), after=OF_SETTINGS,
          gives={"address": "c@d", "asked_address": None, "confirm_hash": None,
                 "confirm_until": None}),
)  # fmt: skip


async def test_each_statement_finds_its_row_and_none_that_differs(rows: Rows) -> None:
    assert await mistaken(rows, ASKED) == []


async def test_a_look_says_how_much_changed(rows: Rows) -> None:
    await rows.put("outlets", **MACHINE)
    await rows.put("devices", outlet_id="M01", last_seen_at=NOW - MOMENT)
    for subject, since in (("M02", None), ("M03", None), ("M04", NOW), ("M05", NOW)):
        more = {"id": UUID(int=50 + int(subject[1:])), "subject": subject, "back_since": since}
        await rows.put("alerts", **{**ALERT, **more})
    assert await rows.conn.fetchval(alerts._LOOK, NOW, NOW, 80, 5, 85, NOW) == 1 + 2 + 2


async def test_the_last_twenty_notices_are_shown(rows: Rows) -> None:
    for number in range(21):
        its = {"id": UUID(int=100 + number), "dedup": str(number), "subject": str(number)}
        await rows.put("notices", **{**NOTICE, **its})
    shown = await rows.conn.fetch(preferences.SENT, BORIS)
    assert [row["title"] for row in shown] == [str(n) for n in range(20, 0, -1)]


@pytest.mark.parametrize("name", ["_BEGUN", "_OVER", "_OWN"])
async def test_what_another_process_tells_is_not_waited_for(
    rows: Rows, holder: RawConnection, name: str
) -> None:
    own: dict[str, Any] = {"merchant_id": None, "person_id": BORIS}
    over: dict[str, Any] = {"told_at": NOW, "ended_at": NOW}
    for number in (1, 2):
        its = {"id": UUID(int=number), "subject": str(number)}
        more = {"_BEGUN": {}, "_OVER": over, "_OWN": own}[name]
        await rows.put("alerts", **{**ALERT, **more, **its})
    values = (9,) if name == "_OWN" else (ASHA, "machine_silent", 9)
    await rows.conn.execute("SET lock_timeout = '100ms'")
    async with holder.transaction():
        await holder.execute("SELECT FROM alerts WHERE id = $1 FOR UPDATE", UUID(int=1))
        found = await rows.conn.fetch(getattr(plan, name), *values)
    assert [row["id"].int for row in found] == [2]
