"""Odd events are genuine, and a server that refuses what is genuine is told nothing any more."""

import json
from typing import Any

from tests.sandbox.receiver import Receiver
from tests.sandbox.running import SandboxProcess, until


def raise_odd(sandbox: SandboxProcess, shop: dict[str, Any], number: int) -> str:
    wanted = {"party": "razorpay", "account_id": shop["account_id"], "number": number}
    answer = sandbox.http.post("/odd", json=wanted)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["event"])


def test_an_odd_event_is_signed_as_every_other(
    sdk: Any, sandbox: SandboxProcess, receiver: Receiver, shop: dict[str, Any]
) -> None:
    names = [raise_odd(sandbox, shop, number) for number in range(8)]
    came = receiver.wait(8)
    assert sorted(json.loads(one.body)["event"] for one in came) == sorted(names)
    for one in came:
        sdk.utility.verify_webhook_signature(one.body, one.signature, shop["webhook_secret"])


def test_a_server_that_refuses_it_again_and_again_is_told_nothing_any_more(
    sandbox: SandboxProcess, receiver: Receiver, shop: dict[str, Any]
) -> None:
    receiver.answer = lambda _: 400
    raise_odd(sandbox, shop, 0)

    def states() -> list[str]:
        found = sandbox.http.get("/razorpay/deliveries?limit=100").json()
        return [one["state"] for one in found]

    until(lambda: "expired" in states())
    receiver.answer = lambda _: 200
    raise_odd(sandbox, shop, 1)
    until(lambda: "disabled" in states())
