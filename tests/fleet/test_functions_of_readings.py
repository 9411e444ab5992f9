"""What machines say of themselves, to the last column: what is kept of it, which samples are made,
when warm food locks a machine, and what of logs is kept. Other machines stand beside."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from tests.sales.by_hand import NOW, Rows
from tests.sales.wrote import Row, in_order, wrote

Given = list[tuple[str, Row]]
MOMENT, SECOND, MINUTE = timedelta(microseconds=1), timedelta(seconds=1), timedelta(minutes=1)
BIN, HOUR, DAY = timedelta(minutes=5), timedelta(hours=1), timedelta(days=1)
TODAY = NOW.replace(hour=0)
ASHA, BORIS = UUID(int=1), UUID(int=2)
ONLINE = timedelta(seconds=90)
RULE = {"limit_c": 5, "warm_s": 900, "grace_s": 600, "silent_s": 1200}
WARM_FOR, GRACE, SILENT = (timedelta(seconds=n) for n in (900, 600, 1200))
TABLES = ("machine_health", "machine_samples", "machine_counters", "outlet_stops")
TAKE = "SELECT ARRAY(SELECT take_readings($1, $2, $3, $4))"


def machine(key: str = "M01", owner: UUID = ASHA, **given: Any) -> tuple[str, Row]:
    return "outlets", {"id": key, "merchant_id": owner, "kind": "vending", "dialect": "leased",
                       "device_config": {"food_lock": RULE}, **given}  # fmt: skip


BEFORE: dict[str, Any] = {
    "merchant_id": ASHA, "at": NOW - MINUTE, "temperature_c": 3.0, "temperature_at": NOW - MINUTE,
    "door_open": True, "reset_reason": "power", "free_heap": 900, "journal_used": 4, "rssi": -70,
    "firmware": "1.0", "config_version": 2, "uptime_s": 50, "counters": {"sales": 6},
    "sampled_at": NOW, "low": 2.0, "high": 4.0, "sum_c": 7.0, "readings_c": 3, "heard_s": 20.0,
}  # fmt: skip


def health(key: str = "M01", **given: Any) -> tuple[str, Row]:
    return "machine_health", {"outlet_id": key, **BEFORE, **given}


BESIDE: Given = [
    machine("M00"), health("M00", warm_since=NOW - DAY, sampled_at=NOW - DAY),
    machine("M09", BORIS), health("M09", merchant_id=BORIS, sampled_at=NOW - DAY),
]  # fmt: skip


async def heard(
    rows: Rows, given: Given, said: Row, at: datetime = NOW, online: timedelta = ONLINE
) -> tuple[Any, Any]:
    return await wrote(
        rows, [*BESIDE, machine(), *given], TABLES, TAKE, ["M01"], [at], [said], online
    )


async def changed(rows: Rows, before: Row, said: Row, **odd: Any) -> Row:
    """What is other in what is known of the machine, of which nothing else is."""
    _, found = await heard(rows, [health(**before)], said, **odd)
    ((key, columns),) = found["machine_health"]
    assert key == "M01"
    row: Row = columns
    return row


SAID: dict[str, Any] = {
    "door_open": True, "reset_reason": "watchdog", "free_heap": 1000, "journal_used": 5,
    "rssi": -60, "firmware": "1.1", "config_version": 3, "uptime_s": 60,
    "counters": {"sales": 7, "coins": 2},
}  # fmt: skip


async def test_the_first_word_of_a_machine_is_kept_whole(rows: Rows) -> None:
    gone = machine("M02", decommissioned_at=NOW)
    words = [{**SAID, "temperature_c": 4.5, "opened": True}, SAID, SAID]
    given = [*BESIDE, gone, machine("M03", BORIS), machine()]
    called = (["M03", "M02", "M01"], [NOW + SECOND, NOW, NOW], words[::-1], ONLINE)
    said, found = await wrote(rows, given, TABLES, TAKE, *called)
    whole = {**SAID, "outlet_id": "M01", "merchant_id": ASHA, "at": NOW, "sampled_at": NOW}
    warm = {
        "temperature_c": 4.5, "temperature_at": NOW, "grace_until": NOW + GRACE, "low": 4.5,
        "high": 4.5, "sum_c": 4.5, "readings_c": 1, "doors": True,
    }  # fmt: skip
    later = {"outlet_id": "M03", "merchant_id": BORIS, "at": NOW + SECOND}
    counted = {"outlet_id": "M01", "merchant_id": ASHA, "sales": 7, "told_at": NOW}
    assert (said, found) == ([], {
        "machine_health": in_order([
            {**whole, **warm}, {**whole, **later, "sampled_at": NOW + SECOND},
        ]),
        "machine_counters": in_order([
            counted, {**counted, "outlet_id": "M03", "merchant_id": BORIS,
                      "told_at": NOW + SECOND},
        ]),
    })  # fmt: skip
    bounds = {**SAID, "temperature_c": 4.5, "low": 1.5, "high": 8.5}
    _, found = await heard(rows, [], bounds)
    closed = {k: v for k, v in warm.items() if k not in ("grace_until", "doors")}
    assert found["machine_health"] == [{**whole, **closed, "low": 1.5, "high": 8.5}]


# What a machine says, and what is other then: of what it does not say the last word stays.
EACH: tuple[tuple[Row, Row], ...] = (
    ({}, {}),
    ({"temperature_c": 4.0}, {"temperature_c": 4.0, "temperature_at": NOW, "sum_c": 11.0,
                              "readings_c": 4}),
    ({"temperature_c": 1.5}, {"temperature_c": 1.5, "temperature_at": NOW, "sum_c": 8.5,
                              "readings_c": 4, "low": 1.5}),
    ({"temperature_c": 4.5}, {"temperature_c": 4.5, "temperature_at": NOW, "sum_c": 11.5,
                              "readings_c": 4, "high": 4.5}),
    ({"low": 1.0}, {"low": 1.0}), ({"low": 2.5}, {}), ({"high": 6.0}, {"high": 6.0}),
    ({"high": 3.0}, {}), ({"door_open": False}, {"door_open": False}),
    ({"reset_reason": "crash"}, {"reset_reason": "crash"}), ({"free_heap": 5}, {"free_heap": 5}),
    ({"journal_used": 9}, {"journal_used": 9}), ({"rssi": -50}, {"rssi": -50}),
    ({"firmware": "2.0"}, {"firmware": "2.0"}), ({"config_version": 8}, {"config_version": 8}),
    ({"uptime_s": 50}, {}), ({"uptime_s": 51}, {"uptime_s": 51}),
    ({"uptime_s": 49}, {"uptime_s": 49, "restarts": [NOW]}),
    ({"counters": {"coins": 1}}, {"counters": {"coins": 1}}),
    ({"opened": True}, {"doors": True, "grace_until": NOW + GRACE}), ({"opened": False}, {}),
)  # fmt: skip


async def test_each_thing_that_a_machine_says_is_kept_and_the_others_stay(rows: Rows) -> None:
    for said, other in EACH:
        assert await changed(rows, {}, said) == {"at": NOW, "heard_s": 80.0, **other}, said
    assert await changed(rows, {"doors": True}, {}) == {"at": NOW, "heard_s": 80.0}
    for at in (NOW - MINUTE, NOW - MINUTE - MOMENT):
        assert await heard(rows, [health()], {"rssi": -50, "temperature_c": 9}, at=at) == ([], {})
    heard_before = (
        (ONLINE, 80.0), (MINUTE, 80.0), (MINUTE - MOMENT, None), (timedelta(0), None),
    )  # fmt: skip
    for online, heard_s in heard_before:
        wanted = {"at": NOW, **({"heard_s": heard_s} if heard_s else {})}
        assert await changed(rows, {}, {}, online=online) == wanted, online
    ends = [NOW - n * DAY for n in range(1, 18)]
    found = await changed(rows, {"restarts": ends[:16]}, {"uptime_s": 1})
    assert found["restarts"] == [NOW, *ends[:15]]
    found = await changed(rows, {"restarts": ends[:14]}, {"uptime_s": 1})
    assert found["restarts"] == [NOW, *ends[:14]]


W, G = NOW - 5 * MINUTE, NOW + 3 * MINUTE
WARM: dict[str, Any] = {"temperature_c": 5.5}
COOL: dict[str, Any] = {"temperature_c": 5.0}
OPENED: dict[str, Any] = {"opened": True}
NEW_GRACE = NOW + GRACE
# Warm since, and until when an open door excuses it: before, and after these words.
WARMTH: tuple[tuple[Any, Any, Row, Any, Any], ...] = (
    (None, None, COOL, None, None), (None, None, WARM, NOW, None), (None, None, {}, None, None),
    (W, None, WARM, W, None), (W, None, COOL, None, None), (W, None, {}, W, None),
    (None, None, COOL | OPENED, None, NEW_GRACE), (None, None, WARM | OPENED, NOW, NEW_GRACE),
    (W, None, WARM | OPENED, W, NEW_GRACE), (W, None, OPENED, W, NEW_GRACE),
    (None, None, OPENED, None, NEW_GRACE),
    (None, G, COOL, None, G), (None, NOW + MOMENT, COOL, None, NOW + MOMENT),
    (None, NOW, COOL, None, None), (None, NOW - MOMENT, COOL, None, None),
    (None, G, COOL | OPENED, None, NEW_GRACE), (None, W, COOL | OPENED, None, NEW_GRACE),
    (W, G, WARM | OPENED, W, G), (W, G, OPENED, W, G), (W, W, WARM | OPENED, W, W),
    (W, W, OPENED, W, W), (W, W, {}, W, W), (None, W, {}, None, W), (None, W, WARM, NOW, W),
    (W, G, COOL, None, G), (W, W, COOL, None, None),
)  # fmt: skip


async def test_it_is_warm_until_it_is_cool_and_a_door_excuses_it_once(rows: Rows) -> None:
    for warm, grace, said, warm_then, grace_then in WARMTH:
        before = {"warm_since": warm, "grace_until": grace}
        found = {**before, **await changed(rows, before, said)}
        after = (found["warm_since"], found["grace_until"])
        assert after == (warm_then, grace_then), (warm, grace, said)
    without = [machine("M02", device_config={}), health("M02")]
    called = (["M02"], [NOW], [{**WARM, **OPENED}], ONLINE)
    _, found_there = await wrote(rows, without, TABLES, TAKE, *called)
    ((_, columns),) = found_there["machine_health"]
    assert columns.keys().isdisjoint({"warm_since", "grace_until"})


def sample(span: int, at: datetime, **given: Any) -> Row:
    return {
        "outlet_id": "M01", "span": span, "at": at, "merchant_id": ASHA, "low": 2.0, "high": 4.0,
        "sum_c": 7.0, "readings_c": 3, "heard_s": 20.0, "free_heap": 900, "rssi": -70,
        "journal_used": 4, **given,
    }  # fmt: skip


async def test_five_minutes_are_one_sample_and_the_next_word_after_them_ends_it(
    rows: Rows,
) -> None:
    said = {"temperature_c": 3.0, "low": 2.5, "high": 3.5}
    # The sample that was begun before, the moment of this word, and whether that is of the same.
    for sampled, at, same in (
        (NOW, NOW, True), (NOW, NOW + BIN - MOMENT, True), (NOW, NOW + BIN, False),
        (NOW + 2 * MINUTE, NOW + 3 * MINUTE, True), (NOW - MOMENT, NOW, False),
        (NOW - BIN, NOW, False), (NOW - BIN, NOW - SECOND, True), (NOW + BIN, NOW, True),
    ):  # fmt: skip
        told, found = await heard(rows, [health(sampled_at=sampled, doors=True)], said, at=at)
        ((_, now),) = found["machine_health"]
        kept = found.get("machine_samples", [])
        added = 60.0 if at - BEFORE["at"] == MINUTE else 59.0 if at < NOW else 0.0
        if same:
            assert (told, kept) == ([], [])
            sums: dict[str, Any] = {"sum_c": 10.0, "readings_c": 4, "heard_s": 20.0 + added}
        else:
            at_bin = sampled - timedelta(seconds=sampled.timestamp() % 300)
            at_hour = sampled.replace(minute=0, second=0, microsecond=0)
            assert kept == in_order([
                sample(300, at_bin, door_open=True), sample(3600, at_hour, door_open=True),
                sample(86400, TODAY, door_open=True),
            ])  # fmt: skip
            sums = {"sampled_at": at, "low": 2.5, "high": 3.5, "sum_c": 3.0, "readings_c": 1,
                    "doors": False, "heard_s": added}  # fmt: skip
        wanted = {"at": at, "temperature_at": at, **sums}
        was = {**BEFORE, "sampled_at": sampled, "doors": True}
        assert now == {k: v for k, v in wanted.items() if v != was[k]}, (sampled, at)


THERE: dict[str, Any] = {
    "merchant_id": ASHA, "low": 1.0, "high": 9.0, "sum_c": 5.0, "readings_c": 2, "heard_s": 10.0,
    "free_heap": 800, "rssi": -80, "journal_used": 6, "door_open": True,
}  # fmt: skip
SUMS: dict[str, Any] = {"sum_c": 12.0, "readings_c": 5, "heard_s": 30.0}
ADDED: tuple[tuple[Row, Row], ...] = (
    ({}, {}), ({"low": 3.0}, {"low": 2.0}), ({"high": 3.0}, {"high": 4.0}),
    ({"free_heap": 901}, {"free_heap": 900}), ({"rssi": -60}, {"rssi": -70}),
    ({"journal_used": 3}, {"journal_used": 4}), ({"door_open": False}, {}),
    ({"low": None, "high": None, "free_heap": None, "rssi": None, "journal_used": None},
     {"low": 2.0, "high": 4.0, "free_heap": 900, "rssi": -70, "journal_used": 4}),
)  # fmt: skip


async def test_a_sample_that_is_there_takes_another_one(rows: Rows) -> None:
    """As in an hour, of which each five minutes tell."""
    keep = "SELECT keep_samples($1, $2)"
    spans = ((300, NOW - BIN), (3600, NOW - HOUR), (86400, TODAY))
    for odd, other in ADDED:
        here: Given = [("machine_samples", {"outlet_id": key, "span": span, "at": at, **THERE,
                                            **odd})
                       for key in ("M00", "M01") for span, at in spans]  # fmt: skip
        before: Given = [("machine_samples", {"outlet_id": "M01", "span": span, "at": at - DAY,
                                              **THERE}) for span, at in spans]  # fmt: skip
        given = [*BESIDE, machine(), health(sampled_at=NOW - MOMENT), *here, *before]
        _, found = await wrote(rows, given, TABLES, keep, ["M01"], [NOW])
        assert found == {"machine_samples": in_order(
            [(("M01", span, at), {**SUMS, **other}) for span, at in spans]
        )}, odd  # fmt: skip
    opened = [machine(), health(sampled_at=NOW - MOMENT, doors=True),
              ("machine_samples", {"outlet_id": "M01", "span": 300, "at": NOW - BIN, **THERE,
                                   "door_open": False})]  # fmt: skip
    _, found = await wrote(rows, opened, TABLES, keep, ["M01"], [NOW])
    assert (("M01", 300, NOW - BIN), {**SUMS, "door_open": True}) in found["machine_samples"]


LOCKED: Given = [health(warm_since=NOW - WARM_FOR, temperature_c=9.0)]
STOP: dict[str, Any] = {"outlet_id": "M01", "why": "food_lock"}
HOT = {"temperature_c": 9.5}


def stopped(since: datetime = NOW, **data: Any) -> Row:
    facts = {"temperature_c": 9, "warm_since": (NOW - WARM_FOR).isoformat(), "by": "server"}
    return {**STOP, "merchant_id": ASHA, "since": since, "returns_money": True,
            "data": {**facts, **data}}  # fmt: skip


async def test_a_machine_that_is_warm_for_too_long_is_locked_with_what_it_said(rows: Rows) -> None:
    for said in (HOT, COOL, {}):  # it was too warm until just now
        told, found = await heard(rows, LOCKED, said)
        assert (told, found["outlet_stops"]) == (["M01"], [stopped()]), said
    late = [health(warm_since=NOW - WARM_FOR, temperature_at=NOW - SILENT)]
    told, found = await heard(rows, late, HOT)  # only by this word is it known
    assert (told, found["outlet_stops"]) == (["M01"], [stopped(temperature_c=9.5)])
    assert "outlet_stops" not in (await heard(rows, late, {}))[1]
    assert "outlet_stops" not in (await heard(rows, late, COOL))[1]
    just = [health(warm_since=NOW - WARM_FOR, temperature_at=NOW - SILENT + MOMENT)]
    assert (await heard(rows, just, {}))[0] == ["M01"]
    ended: Given = [
        ("outlet_stops", {**STOP, "merchant_id": ASHA, "since": NOW - DAY, "until": NOW - HOUR,
                          "count": 3, "data": {"by": "device"}}),
        ("outlet_stops", {**STOP, "outlet_id": "M00", "until": NOW}),
        ("outlet_stops", {**STOP, "why": "update", "until": NOW}),
    ]  # fmt: skip
    told, found = await heard(rows, [*LOCKED, *ended], HOT)
    assert (told, found["outlet_stops"]) == (["M01"], [
        (("M01", "food_lock"), {"since": NOW, "until": None, "data": stopped()["data"]})
    ])  # fmt: skip
    locked: Given = [("outlet_stops", {**STOP, "since": NOW - DAY, "until": None})]
    told, found = await heard(rows, [*LOCKED, *locked], HOT)
    assert (told, "outlet_stops" in found) == ([], False)


async def test_machines_are_locked_by_their_own_warmth_and_moment(rows: Rows) -> None:
    keys = ["M03", "M02", "M01"]
    warm = NOW - WARM_FOR
    given: Given = [
        *[machine(key) for key in keys], health("M01", warm_since=warm),
        health("M02", warm_since=warm + SECOND), health("M03", warm_since=warm + 2 * SECOND),
    ]  # fmt: skip
    lock = "SELECT ARRAY(SELECT lock_food($1, $2))"
    ats = [NOW + 2 * SECOND, NOW + SECOND - MOMENT, NOW]
    said, found = await wrote(rows, [*BESIDE, *given], TABLES, lock, keys, ats)
    assert said == ["M01", "M03"]
    assert [(row["outlet_id"], row["since"]) for row in found["outlet_stops"]] == [
        ("M01", NOW), ("M03", NOW + 2 * SECOND),
    ]  # fmt: skip
    assert [row["data"]["warm_since"] for row in found["outlet_stops"]] == [
        warm.isoformat(), (warm + 2 * SECOND).isoformat(),
    ]  # fmt: skip


KNOWN: dict[str, Any] = {"warm_since": None, "grace_until": None, "temperature_at": NOW - MINUTE}
STOPS: tuple[tuple[Row, str | None], ...] = (
    ({}, None),
    ({"warm_since": NOW - WARM_FOR}, "food_lock"), ({"warm_since": NOW - WARM_FOR + MOMENT}, None),
    ({"warm_since": NOW - DAY, "grace_until": NOW}, "food_lock"),
    ({"warm_since": NOW - DAY, "grace_until": NOW + MOMENT}, None),
    ({"warm_since": NOW - WARM_FOR + MOMENT, "grace_until": NOW - DAY}, None),
    ({"warm_since": NOW - DAY, "temperature_at": None}, "food_lock"),
    ({"grace_until": NOW - DAY}, None),
    ({"temperature_at": None}, "no_temperature"),
    ({"temperature_at": NOW - SILENT}, "no_temperature"),
    ({"temperature_at": NOW - SILENT + MOMENT}, None),
)  # fmt: skip


async def test_why_the_temperature_forbids_to_sell(rows: Rows) -> None:
    ask = "SELECT food_stop('M01', $1)"
    for odd, why in STOPS:
        given = [*BESIDE, machine(), health(**{**KNOWN, **odd})]
        assert (await wrote(rows, given, [], ask, NOW))[0] == why, odd
    assert (await wrote(rows, [*BESIDE, machine()], [], ask, NOW))[0] == "no_temperature"
    locked = health(warm_since=NOW - DAY)
    for config in ({}, {"food_lock": None}, {"food_lock": True}, {"food_lock": 5}):
        none = [*BESIDE, machine(device_config=config), locked]
        assert (await wrote(rows, none, [], ask, NOW))[0] is None, config
    assert (await wrote(rows, [*BESIDE, locked], [], ask, NOW))[0] is None


RULES: tuple[tuple[str, str, tuple[Any, ...], Any], ...] = (
    ("limit_c", "limit_c", (-40, -39.5, 0, 60), 5), ("warm_s", "warm_for", (1, 86400), 900),
    ("grace_s", "grace", (0, 86400), 1800), ("silent_s", "silent_for", (1, 86400), 900),
)  # fmt: skip


async def test_a_rule_of_food_is_as_configured_within_its_bounds(rows: Rows) -> None:
    ask = "SELECT to_jsonb(r) FROM food_rule($1) r"

    async def of(rule: Any) -> Any:
        return await rows.conn.fetchval(ask, {"food_lock": rule})

    def written(name: str, value: Any) -> Any:
        seconds = int(value) if name != "limit_c" else 0
        return value if name == "limit_c" else (
            f"{seconds // 3600:02}:{seconds % 3600 // 60:02}:{seconds % 60:02}"
        )  # fmt: skip

    usual = {column: written(name, default) for name, column, _, default in RULES}
    assert await of({}) == usual
    for name, column, bounds, _ in RULES:
        for value in bounds:
            assert await of({name: value}) == {**usual, column: written(name, value)}, name
        for odd in (bounds[0] - 1, bounds[-1] + 1, bounds[0] - 0.001, bounds[-1] + 0.001, "7", None,
                    True, [7]):  # fmt: skip
            assert await of({name: odd}) == usual, (name, odd)
    nothing = dict.fromkeys(usual)
    for rule in (None, True, 7, "x", [RULE]):
        assert await of(rule) in (None, nothing), rule


COUNTED: dict[str, Any] = {"sales": 7, "told_at": NOW - MINUTE, "merchant_id": ASHA}
COUNTS: tuple[tuple[int, datetime, bool], ...] = (
    (7, NOW, False), (7, NOW + MOMENT, True), (8, NOW, True), (6, NOW, True),
    (8, NOW - MINUTE + MOMENT, True), (8, NOW - MINUTE, False), (8, NOW - DAY, False),
    (7, NOW - MINUTE, False), (7, NOW - DAY, False), (0, NOW, True),
)  # fmt: skip


async def test_a_counter_is_kept_when_it_moves_and_once_a_minute(rows: Rows) -> None:
    keep = "SELECT keep_counters($1, $2, $3)"
    kept: Given = [("machine_counters", {"outlet_id": key, **COUNTED}) for key in ("M00", "M01")]
    for sales, at, written in COUNTS:
        said = [{"counters": {"sales": sales, "coins": 99}}]
        given = [*BESIDE, machine(), *kept]
        _, found = await wrote(rows, given, TABLES, keep, ["M01"], [at], said)
        new = {"told_at": at, **({"sales": sales} if sales != 7 else {})}
        assert found == ({"machine_counters": [("M01", new)]} if written else {}), (sales, at)
    for odd in ({}, {"counters": {"coins": 9}}, {"counters": None}):
        assert (await wrote(rows, [machine(), *kept], TABLES, keep, ["M01"], [NOW], [odd]))[1] == {}
    two = [machine(), machine("M02", BORIS), machine("M03", decommissioned_at=NOW), *BESIDE]
    words = [{"counters": {"sales": n}} for n in (3, 2, 1)]
    called = (["M03", "M02", "M01"], [NOW, NOW - SECOND, NOW], words)
    assert (await wrote(rows, two, TABLES, keep, *called))[1] == {"machine_counters": [
        {"outlet_id": "M01", "merchant_id": ASHA, "sales": 1, "told_at": NOW},
        {"outlet_id": "M02", "merchant_id": BORIS, "sales": 2, "told_at": NOW - SECOND},
    ]}  # fmt: skip


async def test_a_counter_is_compared_from_its_first_sale_and_by_its_journal(rows: Rows) -> None:
    ask = "SELECT ARRAY(SELECT check_counters($1, $2))"
    for sales, journal, compared in ((1, "j", True), (0, "j", False), (1, None, False)):
        given: Given = [
            *BESIDE, machine(), ("machine_counters", {"outlet_id": "M01", "sales": sales,
                                                      "merchant_id": ASHA, "told_at": NOW}),
            ("devices", {"outlet_id": "M01", "journal_id": journal, "mdb": False}),
        ]  # fmt: skip
        begun = {"outlet_id": "M01", "merchant_id": ASHA, "journal_id": "j", "sales": 1,
                 "since": NOW}  # fmt: skip
        said, found = await wrote(rows, given, ["counter_checks"], ask, NOW, BIN)
        assert (said, found) == ([], {"counter_checks": [begun]} if compared else {}), sales


LOGS = ("machine_logs", "machine_log_days")
LINES = "SELECT take_log_lines($1, $2, $3, $4, $5, $6)"


def day(key: str, of: datetime, lines: int, left_out: int) -> tuple[str, Row]:
    return "machine_log_days", {"outlet_id": key, "day": of.date(), "merchant_id": ASHA,
                                "lines": lines, "left_out": left_out}  # fmt: skip


def logged(key: str, owner: UUID, at: datetime, number: int) -> Row:
    return {"outlet_id": key, "merchant_id": owner, "at": at, "mono_ms": number,
            "level": f"level {number}", "text": f"line {number}"}  # fmt: skip


async def test_lines_of_logs_are_kept_up_to_a_number_for_each_machine_and_day(rows: Rows) -> None:
    tomorrow, last = TODAY + DAY, TODAY + DAY - MOMENT
    keys = ["M02", "M01", "M01", "M01", "M01", "M99"]
    ats = [NOW, NOW, last, tomorrow, NOW, NOW]
    numbers = [1, 2, 3, 4, 5, 6]
    values = (keys, ats, numbers, [f"level {n}" for n in numbers], [f"line {n}" for n in numbers])
    machines = [*BESIDE, machine(), machine("M02", BORIS)]
    lines = [logged("M02", BORIS, NOW, 1), *(
        logged("M01", ASHA, at, number) for at, number in zip(ats[1:5], numbers[1:5], strict=True)
    )]  # fmt: skip

    def days(here: int, left: int = 0) -> list[Row]:
        one = {"outlet_id": "M01", "merchant_id": ASHA, "lines": 1}
        today = {**one, "day": TODAY.date(), "lines": here, "left_out": left}
        return in_order([
            {k: v for k, v in today.items() if v}, {**one, "day": tomorrow.date()},
            {**one, "outlet_id": "M02", "merchant_id": BORIS, "day": TODAY.date()},
        ])  # fmt: skip

    for most, kept, left in ((3, lines, 0), (2, lines[:4], 1), (1, [*lines[:2], lines[3]], 2)):
        said, found = await wrote(rows, machines, LOGS, LINES, *values, most)
        assert (said, found) == (left, {
            "machine_logs": in_order(kept), "machine_log_days": days(min(3, most), left),
        }), most  # fmt: skip
    there = [day("M01", TODAY, 2, 5), day("M01", TODAY - DAY, 9, 9), day("M00", TODAY, 9, 9)]
    for most, here, left in ((9, 5, 0), (5, 5, 0), (4, 4, 1), (3, 3, 2), (2, 2, 3)):
        said, found = await wrote(rows, [*machines, *there], LOGS, LINES, *values, most)
        first = {k: v for k, v in (("lines", here), ("left_out", 5 + left))
                 if v != {"lines": 2, "left_out": 5}[k]}  # fmt: skip
        changed_days = [row for row in days(1) if (row["outlet_id"], row["day"])
                        != ("M01", TODAY.date())]  # fmt: skip
        assert said == left, most
        assert found["machine_log_days"] == in_order(
            [*changed_days, (("M01", TODAY.date()), first)]
        ), most  # fmt: skip
        texts = [row["text"] for row in found["machine_logs"] if row["at"] < tomorrow
                 and row["outlet_id"] == "M01"]  # fmt: skip
        assert sorted(texts) == ["line 2", "line 3", "line 5"][: here - 2], most


async def test_old_samples_and_logs_are_pruned_so_many_at_a_time(rows: Rows) -> None:
    samples: Given = [
        ("machine_samples", {"outlet_id": "M01", "span": span, "at": at, **THERE})
        for span in (300, 3600) for at in (NOW - MOMENT, NOW)
    ]  # fmt: skip
    prune = "SELECT prune_samples($1, $2, $3)"
    gone = [(("M01", 300, NOW - MOMENT), None)]
    said = await wrote(rows, samples, ["machine_samples"], prune, 300, NOW, 9)
    assert said == (1, {"machine_samples": gone})
    for most in (0, 1, 2):
        called = (300, NOW + DAY, most)
        said_most, found = await wrote(rows, samples, ["machine_samples"], prune, *called)
        assert (said_most, len(found.get("machine_samples", []))) == (most, most)
    lines: Given = [("machine_logs", {"id": n, "at": at, "outlet_id": "M01"})
                    for n, at in enumerate((NOW - SECOND, NOW - MOMENT, NOW))]  # fmt: skip
    days = [day("M01", NOW - n * DAY, 1, 0) for n in range(4)]
    prune = "SELECT prune_machine_logs($1, $2)"
    said = await wrote(rows, [*lines, *days], LOGS, prune, NOW, 9)
    old = [(("M01", (NOW - n * DAY).date()), None) for n in (1, 2, 3)]
    assert said == (3, {"machine_logs": [(0, None), (1, None)], "machine_log_days": in_order(old)})
    said = await wrote(rows, [*lines, *days[:2]], LOGS, prune, NOW, 9)
    assert said[0] == 2
    for most in (0, 1, 2):
        said_most, found = await wrote(rows, [*lines, *days], LOGS, prune, NOW, most)
        assert (said_most, *(len(found.get(t, [])) for t in LOGS)) == (most, most, most)
