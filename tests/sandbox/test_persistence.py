"""What was answered is kept: over kill -9, over restarts, over a changed configuration."""

import json
import time
from typing import Any

from tests.sandbox.receiver import Receiver
from tests.sandbox.running import SandboxProcess, account, until
from tests.sandbox.test_sdk import PRINTED


def test_nothing_that_was_answered_is_lost_by_kill_9(sdk: Any, sandbox: SandboxProcess) -> None:
    qr = sdk.qrcode.create(dict(PRINTED))
    references = [sandbox.scan(qr["id"]) for _ in range(5)]
    sandbox.kill()
    sandbox.start()

    kept = [one["reference"] for one in sandbox.payments() if one["qr_code_id"] == qr["id"]]
    assert kept == references
    refund = sdk.payment.refund(references[0], {"amount": 4000})
    sandbox.kill()
    sandbox.start()

    assert sdk.refund.fetch(refund["id"])["status"] == "processed"
    assert sdk.qrcode.fetch(qr["id"])["payments_count_received"] == 5


def test_deliveries_go_on_after_kill_9_under_the_same_event_id(
    sandbox: SandboxProcess, receiver: Receiver, foreign: dict[str, Any]
) -> None:
    receiver.answer = lambda _: 503
    sandbox.scan(**foreign)
    before = receiver.wait(1)[0]
    sandbox.kill()
    receiver.received.clear()
    receiver.answer = lambda _: 200
    sandbox.start()

    after = receiver.wait(1)[0]
    assert (after.event_id, after.signature) == (before.event_id, before.signature)


def test_a_held_hand_of_webhooks_and_the_weather_outlive_a_kill(
    sandbox: SandboxProcess, receiver: Receiver, foreign: dict[str, Any]
) -> None:
    sandbox.weather(webhooks={"hold": True}, seed=11)
    sandbox.scan(**foreign)
    sandbox.kill()
    sandbox.start()

    assert sandbox.ask("GET", "/weather")["seed"] == 11
    assert receiver.received == []
    sandbox.weather(webhooks={"hold": False})
    receiver.wait(1)


def test_a_refund_that_was_pending_at_a_kill_still_fails_later(
    sdk: Any, sandbox: SandboxProcess, foreign: dict[str, Any]
) -> None:
    reference = sandbox.scan(**foreign)
    sandbox.weather(api={"refund_fails_later": 1})
    refund = sdk.payment.refund(reference, {})
    sandbox.kill()
    sandbox.start()

    until(lambda: sdk.refund.fetch(refund["id"])["status"] == "failed")


def test_sighup_takes_over_a_changed_configuration(sandbox: SandboxProcess) -> None:
    late = account(9_998)
    sandbox.config["razorpay"]["accounts"].append(late)
    sandbox.reload()

    url, keys = "/razorpay/v1/payments", (late["key_id"], late["key_secret"])
    until(lambda: sandbox.http.get(url, auth=keys).status_code == 200)


def test_a_configuration_that_cannot_be_read_changes_nothing(
    sandbox: SandboxProcess, keys: tuple[str, str]
) -> None:
    good = dict(sandbox.config)
    sandbox.config["razorpay"] = 3
    sandbox.reload()
    sandbox.config.update(good)

    assert sandbox.http.get("/razorpay/v1/payments", auth=keys).status_code == 200
    assert sandbox.ask("GET", "/machines/M01/journal") == []


def test_faults_are_merged_into_a_file_that_is_never_half_written(
    sandbox: SandboxProcess,
) -> None:
    assert sandbox.fault("M01", jam=True)["jam"] is True
    both = sandbox.fault("M01", power_cut_at="dropped")

    assert (both["jam"], both["power_cut_at"]) == (True, "dropped")
    file = sandbox.machines_dir / "M01" / "faults.json"
    assert json.loads(file.read_text()) == both
    assert sandbox.ask("GET", "/machines/M01/fault") == both
    for wrong in ({"rust": True}, {"jam": "yes"}, {"power_cut_at": "noon"}):
        assert sandbox.http.post("/machines/M01/fault", json=wrong).status_code == 400
    for stranger in ("M99", "..%2Fsandbox", "a.b"):
        assert sandbox.http.post(f"/machines/{stranger}/fault", json={}).status_code == 404


def test_the_journal_is_what_dropped_without_a_torn_last_line(sandbox: SandboxProcess) -> None:
    assert sandbox.journal("M02") == []
    assert sandbox.ask("GET", "/machines/M02/state") == {}
    place = sandbox.machines_dir / "M02"
    place.mkdir(parents=True)
    drop = {"unit_id": "u1", "slot": "A1", "at": "2026-01-01T00:00:00Z"}
    (place / "drops.jsonl").write_text(json.dumps(drop) + '\n{"unit_id": "u')
    (place / "state.json").write_text('{"outlet": "M02", "power": true}')

    assert sandbox.journal("M02") == [drop]
    assert sandbox.ask("GET", "/machines/M02/state") == {"outlet": "M02", "power": True}


def test_the_picture_of_a_code_is_a_png(sdk: Any, sandbox: SandboxProcess) -> None:
    qr = sdk.qrcode.create(dict(PRINTED))
    assert len(qr["image_url"]) < 80
    picture = sandbox.http.get(qr["image_url"])

    assert picture.headers["content-type"] == "image/png"
    assert picture.content.startswith(b"\x89PNG")
    listed = sandbox.ask("GET", "/razorpay/qr_codes")
    assert listed[-1]["id"] == qr["id"]


def test_an_open_feed_does_not_hold_up_a_polite_end(sandbox: SandboxProcess) -> None:
    with sandbox.http.stream("GET", "/events") as feed:
        lines = feed.iter_lines()
        assert next(lines).startswith(":")
        began = time.monotonic()
        sandbox.stop()
        assert time.monotonic() - began < 5
