"""Finding an order and giving its money back: by unit, once, with a reason, and no stranger's."""

import asyncio
from uuid import UUID

import pytest

from tests.console.conftest import Browser, form, signed_in
from tests.people.conftest import Staffed


async def sold(staffed: Staffed) -> str:
    """A can that was paid and dropped; the order's id."""
    stage = staffed.stage
    await stage.hello()
    await stage.sell()
    await stage.sweep()
    await stage.accept()
    await stage.started()
    await stage.result()
    return str(await stage.value("SELECT id FROM orders ORDER BY id DESC LIMIT 1"))


async def refund_fields(staffed: Staffed, boris: Browser, order: str) -> dict[str, str]:
    page = await boris.look(f"/console/orders/{order}")
    unit = await staffed.stage.value("SELECT id::text FROM fulfillments")
    hidden = form(page, f"/console/orders/{order}/refund")
    return hidden | {"unit": unit, "reason": "it was warm"}


async def test_an_order_is_found_by_all_that_people_have_in_hand(staffed: Staffed) -> None:
    order = await sold(staffed)
    (row,) = await staffed.stage.rows(
        "SELECT o.number, o.token, c.gateway_payment_id FROM orders o"
        " JOIN captures c ON c.order_id = o.id"
    )
    boris = await signed_in(staffed, "boris")
    link = f"/console/orders/{order}"
    for text in (order, row["number"].lower(), f"http://x.example/o/{row['token']}?lang=hi",
                 row["gateway_payment_id"]):  # fmt: skip
        found = await boris.client.get("/console/find", params={"text": text})
        assert link in found.text, text
    assert link in (await boris.look("/console/find")).text
    assert link in (await boris.look("/console/find?amount=40,00&time=12:00")).text
    assert link not in (await boris.look("/console/find?amount=41&time=12:00")).text
    nothing = await boris.client.get("/console/find", params={"text": "nothing"})
    assert "Nothing matches." in nothing.text
    odd = await boris.client.get("/console/find", params={"amount": "much", "time": "noon"})
    assert "Type the amount as 40 or 40.00" in odd.text


async def test_chandra_finds_nothing_of_ashas_and_may_not_look_at_it(staffed: Staffed) -> None:
    order = await sold(staffed)
    number = await staffed.stage.value("SELECT number FROM orders")
    chandra = await signed_in(staffed, "chandra")
    for path in ("/console/find", f"/console/find?text={order}", f"/console/find?text={number}",
                 "/console/find?amount=40&time=12:00"):  # fmt: skip
        assert f"/console/orders/{order}" not in (await chandra.look(path)).text, path
    fields = form(await chandra.look("/console/find"), "/console/sign-out")
    fields |= {"key": "k" * 20, "reason": "mine"}
    assert (await chandra.look(f"/console/orders/{order}")).status_code == 404
    for verb in ("refund", "ask-machine"):
        answer = await chandra.send(f"/console/orders/{order}/{verb}", fields)
        assert answer.status_code == 404, verb
    assert await staffed.stage.value("SELECT count(*) FROM order_refunds") == 0


async def test_the_record_has_the_money_the_moves_and_the_machines_own_words(
    staffed: Staffed,
) -> None:
    order = await sold(staffed)
    vera = await signed_in(staffed, "vera")
    page = await vera.look(f"/console/orders/{order}")
    for words in ("handed over", "RESULT", "STARTED", "PAID", "vended", "pay_1"):
        assert words in page.text, words
    assert "/refund" not in page.text  # a viewer reads


async def test_a_unit_is_given_back_with_a_reason_and_the_log_has_who(staffed: Staffed) -> None:
    order = await sold(staffed)
    boris = await signed_in(staffed, "boris")
    fields = await refund_fields(staffed, boris, order)
    answer = await boris.send(f"/console/orders/{order}/refund", fields)
    assert answer.headers["location"] == f"/console/orders/{order}?done=refunded"
    await staffed.stage.sweep()
    assert staffed.stage.refunded() == 4000
    page = await boris.look(f"/console/orders/{order}")
    assert "boris: it was warm" in page.text
    assert f"/console/orders/{order}/refund" not in page.text  # nothing is left
    (entry,) = await staffed.log("order.refunded")
    assert (entry["person_id"], entry["reason"]) == (staffed.people["boris"], "it was warm")
    assert (await staffed.stage.audit()).ok


async def test_two_clicks_refund_once_and_a_lost_answer_may_be_asked_for_again(
    staffed: Staffed,
) -> None:
    order = await sold(staffed)
    boris = await signed_in(staffed, "boris")
    fields = await refund_fields(staffed, boris, order) | {"amount": "15"}
    place = f"/console/orders/{order}/refund"
    answers = await asyncio.gather(*(boris.send(place, fields) for _ in range(4)))
    answers.append(await boris.send(place, fields))
    assert {answer.headers["location"] for answer in answers} == {
        f"/console/orders/{order}?done=refunded"
    }
    await staffed.stage.sweep()
    assert staffed.stage.refunded() == 1500
    assert len(await staffed.log("order.refunded")) == 1


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"amount": "41"}, "Only 40.00 INR is left"),
        ({"amount": "1.234"}, "This is not an amount in INR"),
        ({"amount": "0"}, "This refund is not possible"),
        ({"reason": " "}, "Say why"),
        ({"unit": ""}, "Tick what is to be given back"),
        ({"unit": str(UUID(int=1))}, "This refund is not possible"),
    ],
    ids=str,
)
async def test_a_refund_that_is_not_possible_says_so_and_moves_no_money(
    staffed: Staffed, changes: dict[str, str], said: str
) -> None:
    order = await sold(staffed)
    boris = await signed_in(staffed, "boris")
    fields = await refund_fields(staffed, boris, order) | changes
    answer = await boris.send(f"/console/orders/{order}/refund", fields)
    assert (answer.status_code, said in answer.text) == (422, True), answer.text
    assert await staffed.stage.value("SELECT count(*) FROM order_refunds") == 0
    fresh = await refund_fields(staffed, boris, order)  # the page has a new key
    assert (await boris.send(f"/console/orders/{order}/refund", fresh)).status_code == 303


async def test_the_machine_is_asked_about_a_unit_that_is_not_settled(staffed: Staffed) -> None:
    stage = staffed.stage
    await stage.hello()
    await stage.sell()
    await stage.sweep()
    await stage.accept()
    stage.later(12)
    order = await stage.value("SELECT id::text FROM orders")
    boris = await signed_in(staffed, "boris")
    page = await boris.look(f"/console/orders/{order}")
    place = f"/console/orders/{order}/ask-machine"
    stage.line.sent.clear()
    answer = await boris.press(page, place)
    assert answer.headers["location"] == f"/console/orders/{order}?done=asked_machine"
    assert [sent["type"] for sent in stage.line.sent] == ["QUERY"]
