"""What a counter tells its customers: written before it is sent, sent once, and never a reason why
an order fails."""

import asyncio
from decimal import Decimal
from uuid import UUID, uuid4

import asyncpg
import pytest
from msgspec.structs import replace

from coinslot.counter import contacts, messages, resending, staff
from coinslot.counter.basket import Wish
from coinslot.counter.contacts import Contact, ContactError
from coinslot.kit.money import EXPONENTS
from coinslot.kit.secrets import Secret
from coinslot.notices.base import (
    Absent,
    Cause,
    Cost,
    Form,
    Notice,
    Refused,
    Report,
    Sent,
    Stage,
    Unclear,
)
from coinslot.notices.mock import Mock, Settings
from tests.counter.stage import Counter
from tests.counter.telling import EMAIL, PHONE, reach, row_of, service, stages, swept, texts
from tests.sales.test_ways_races import dies_at


@pytest.fixture
def sent(counter: Counter) -> Mock:
    return service(counter)


async def test_a_customer_hears_of_the_code_and_of_ready_by_text_and_by_call(
    counter: Counter, sent: Mock
) -> None:
    order = await counter.paid(contact=reach(email=EMAIL))
    await swept(counter)
    code, token = await counter.code(order), (await counter.view(order)).token
    (text,) = texts(sent)
    assert code in text
    assert f"https://pay.example/o/{token}" in text
    await staff.accept(counter.stage.context, counter.who, order)
    await staff.ready(counter.stage.context, counter.who, order)
    await swept(counter)
    new = await counter.code(order)
    assert new != code, "its hour begins anew, under a new version"
    assert new in texts(sent)[1]
    assert new in texts(sent, Form.CALL)[0]
    assert [box.notice.subject for box in sent.sent if box.form is Form.EMAIL] == [
        f"Receipt for order {(await counter.view(order)).number}",
        f"Order {(await counter.view(order)).number} is ready",
    ]
    assert not any(new in text for text in texts(sent, Form.EMAIL)), "the page has it"
    await counter.complete(order, new)
    assert set(await stages(counter, order)) == {
        "code sms",
        "receipt email",
        "ready sms",
        "ready call",
        "ready email",
    }


async def test_without_a_contact_nothing_is_sent_and_the_page_shows_the_code(
    counter: Counter, sent: Mock
) -> None:
    order = await counter.ready()
    await swept(counter)
    assert (sent.sent, await stages(counter, order)) == ([], {})
    assert (await counter.view(order)).code == await counter.code(order)


async def test_nothing_is_sent_before_the_money_is_there(counter: Counter, sent: Mock) -> None:
    await counter.place(contact=reach(email=EMAIL))
    await swept(counter)
    assert sent.sent == []
    assert await counter.stage.value("SELECT count(*) FROM counter_messages") == 0


async def test_what_was_agreed_to_is_kept_and_nobody_changes_it(
    counter: Counter, sent: Mock
) -> None:
    await counter.place(contact=reach(phone="0049 (151) 000-000 99", email=EMAIL))
    rows = await counter.stage.rows("SELECT * FROM counter_consents ORDER BY form")
    assert [(row["form"], row["text_version"], row["network"]) for row in rows] == [
        ("email", contacts.CONSENT, "10.0.0.1"), ("phone", contacts.CONSENT, "10.0.0.1"),
    ]  # fmt: skip
    vault = counter.stage.context.vault
    assert rows[1]["address"] == contacts.phone_digest(vault, PHONE)
    for sql in ("UPDATE counter_consents SET text_version = 'x'", "DELETE FROM counter_consents"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await counter.stage.rows(f"{sql} RETURNING id")


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        (Contact(phone="0151 12", agreed=True), "phone"),
        (Contact(phone="+1 202 555 0100", agreed=True), "phone_country"),
        (Contact(email="maria", agreed=True), "email"),
        (Contact(phone=PHONE), "consent"),
        (Contact(email=EMAIL), "consent"),
    ],
)
async def test_a_contact_that_cannot_be_used_is_refused_before_anything_is_placed(
    counter: Counter, sent: Mock, typed: Contact, code: str
) -> None:
    with pytest.raises(ContactError) as refusal:
        await counter.place(contact=typed)
    assert refusal.value.code == code
    assert await counter.stage.value("SELECT count(*) FROM orders") == 0


async def test_what_is_cancelled_or_rejected_is_told_once_however_many_pieces(
    counter: Counter, sent: Mock
) -> None:
    first = await counter.paid(contact=reach(phone="+4915100000098"))
    await staff.cancel(counter.stage.context, (await counter.view(first)).token)
    second = await counter.preparing(contact=reach())
    await staff.reject(counter.stage.context, counter.who, second, "No milk")
    await counter.stage.sweep()
    told = [box.notice.text for box in sent.sent if "cancelled" in box.notice.text]
    assert len(told) == 2
    assert "money goes back" in told[0]


async def test_a_part_that_goes_back_is_told_as_a_part(counter: Counter, sent: Mock) -> None:
    order = await counter.preparing(Wish(sku="tea", quantity=2), contact=reach())
    units = await counter.stage.rows("SELECT id FROM fulfillments WHERE order_id = $1", order)
    await staff.reject(
        counter.stage.context, counter.who, order, "One cup is left", [units[0]["id"]]
    )
    await swept(counter)
    assert sum("a part of order" in text for text in texts(sent)) == 1


async def test_a_code_of_an_order_that_is_over_is_not_sent(counter: Counter, sent: Mock) -> None:
    order = await counter.paid(contact=reach())
    await staff.cancel(counter.stage.context, (await counter.view(order)).token)
    await swept(counter)
    assert (await stages(counter, order))["code sms"] == ("withheld", "over")
    assert len(texts(sent)) == 1, "that it was cancelled"


async def test_ready_that_was_taken_back_before_it_was_told_is_not_told(
    counter: Counter, sent: Mock
) -> None:
    order = await counter.ready(contact=reach())
    await staff.undo(counter.stage.context, counter.who, order, staff.Status.PREPARING)
    await swept(counter)
    assert (await stages(counter, order))["ready call"] == ("withheld", "over")
    await staff.ready(counter.stage.context, counter.who, order)
    await swept(counter)
    assert await counter.code(order) in texts(sent)[-1]
    assert len(texts(sent, Form.CALL)) == 1


async def test_after_a_time_out_the_list_says_that_it_was_sent_and_it_is_not_sent_again(
    counter: Counter, sent: Mock
) -> None:
    order = await counter.paid(contact=reach(phone="+4915100000002"))
    await swept(counter)
    assert (await stages(counter, order))["code sms"] == ("unconfirmed", "time-out")
    counter.stage.later(10)
    await swept(counter)
    assert (await stages(counter, order))["code sms"] == ("delivered", None)
    assert len(texts(sent)) == 1


async def test_after_a_time_out_what_is_not_in_the_list_a_minute_later_is_sent_once_more(
    counter: Counter, sent: Mock
) -> None:
    tries = 0
    send = sent.send

    async def counted(form: Form, notice: Notice) -> Sent | Refused | Unclear:
        nonlocal tries
        tries += 1
        return await send(form, notice)

    sent.send = counted  # type: ignore[method-assign]
    order = await counter.paid(contact=reach(phone="+4915100000003"))
    await swept(counter)
    for _ in range(3):
        counter.stage.later(10)
        await swept(counter)
    assert tries == 1, "too soon to know"
    for _ in range(12):
        counter.stage.later(400)
        await swept(counter)
    assert tries == 2
    row = await row_of(counter, order)
    assert (row["stage"], row["due_at"]) == ("unconfirmed", None), "explained, and left alone"
    assert row["ended_at"] is not None


async def test_where_there_is_no_list_it_stays_unconfirmed(counter: Counter, sent: Mock) -> None:
    class Blind:
        """Its answers are lost, and it cannot be asked."""

        name, powers = sent.name, sent.powers

        def __init__(self) -> None:
            self.sent = 0

        async def send(self, form: Form, notice: Notice) -> Sent | Refused | Unclear:
            self.sent += 1
            return Unclear("time-out")

        async def close(self) -> None: ...

    blind = Blind()
    counter.stage.context.notifiers = {Form.SMS: blind}  # type: ignore[dict-item]
    order = await counter.paid(contact=reach())
    for _ in range(4):
        await swept(counter)
        counter.stage.later(300)
    assert blind.sent == 1
    assert (await stages(counter, order))["code sms"] == ("unconfirmed", "time-out")


async def test_wherever_a_process_dies_a_message_is_sent_once(counter: Counter, sent: Mock) -> None:
    for step in range(1, 12):
        sent.sent.clear()
        order = await counter.paid(contact=reach())
        row = await row_of(counter, order)
        work = messages.drive(counter.stage.context, row)  # type: ignore[arg-type]
        died = await dies_at(counter.stage, step, work)
        for _ in range(4):
            counter.stage.later(61)
            await swept(counter)
        assert (len(texts(sent)), step) == (1, step)
        assert (await stages(counter, order))["code sms"][0] == "delivered"
        if not died:
            assert step > 4, "before and after the call, and around both commits"
            return
    pytest.fail("it never ended")


async def test_a_phone_that_opted_out_is_marked_and_never_written_to_again(
    counter: Counter, sent: Mock
) -> None:
    class Stopped(Mock):
        async def send(self, form: Form, notice: Notice) -> Sent | Refused | Unclear:
            self.sent.append(None)  # type: ignore[arg-type]
            return Refused(cause=Cause.OPTED_OUT, reason="HTTP 400", code="21610")

    made = Stopped(Settings(), counter.stage.clock)
    counter.stage.context.notifiers = {Form.SMS: made, Form.CALL: made}
    order = await counter.paid(contact=reach())
    await swept(counter)
    assert (await stages(counter, order))["code sms"] == ("failed", "opted_out")
    assert (await row_of(counter, order))["error_code"] == "21610"
    again = await counter.paid(contact=reach())
    await swept(counter)
    assert (await stages(counter, again))["code sms"] == ("withheld", "opted_out")
    assert len(made.sent) == 1


async def test_a_busy_service_is_tried_again_and_then_given_up(
    counter: Counter, sent: Mock
) -> None:
    order = await counter.paid(contact=reach(phone="+4915100000004"))
    for _ in range(8):
        await swept(counter)
        counter.stage.later(400)
    row = await row_of(counter, order)
    assert (row["stage"], row["why"], row["tries"]) == ("failed", "given_up", messages.TRIES)
    assert (await counter.view(order)).code, "the page has it"


CAPS = {
    "phone_messages": "too_many_phone", "network_messages": "too_many_network",
    "outlet_messages": "too_many_outlet", "merchant_message_cents": "too_dear",
}  # fmt: skip


@pytest.mark.parametrize("cap", CAPS)
async def test_of_any_number_that_are_due_at_once_no_more_than_a_cap_allows_are_sent(
    counter: Counter, sent: Mock, cap: str
) -> None:
    most = 17 if cap == "merchant_message_cents" else 2  # cents: two of eight each
    context = counter.stage.context
    context.windows = replace(context.windows, **{cap: most})
    orders = [await counter.paid(contact=reach()) for _ in range(5)]
    await swept(counter)
    ends = [(await stages(counter, order))["code sms"] for order in orders]
    assert len(texts(sent)) == 2
    assert ends.count(("withheld", CAPS[cap])) == 3
    assert [(await counter.view(order)).code for order in orders].count(None) == 0
    context.windows = replace(context.windows, **{cap: 1000})
    counter.stage.later(86401)
    await counter.paid(contact=reach())
    await swept(counter)
    assert len(texts(sent)) == 3, "a day later it goes on"


async def test_a_phone_of_a_country_that_the_store_left_is_not_written_to(
    counter: Counter, sent: Mock
) -> None:
    order = await counter.paid(contact=reach())
    await counter.stage.rows(
        "UPDATE counter_stores SET phone_prefixes = '{+43}' RETURNING outlet_id"
    )
    await swept(counter)
    assert (await stages(counter, order))["code sms"] == ("withheld", "country")


async def test_the_price_comes_later_and_belongs_to_the_order(counter: Counter, sent: Mock) -> None:
    order = await counter.paid(contact=reach())
    await swept(counter)
    row = await row_of(counter, order)
    told = Report(reference=row["reference"], stage=Stage.DELIVERED)
    await messages.reported(counter.stage.context, row, told)  # type: ignore[arg-type]
    assert await counter.stage.rows("SELECT * FROM counter_message_costs") == []
    priced = replace(told, cost=Cost("0.0075", "USD"))
    for _ in range(2):
        await messages.reported(counter.stage.context, row, priced)  # type: ignore[arg-type]
    (cost,) = await counter.stage.rows("SELECT * FROM counter_message_costs")
    assert (cost["order_id"], cost["amount"], cost["currency"]) == (order, Decimal("0.0075"), "USD")


async def test_reports_come_in_any_order_twice_and_of_others_and_an_end_stays(
    counter: Counter, sent: Mock
) -> None:
    order = await counter.paid(contact=reach())
    await swept(counter)
    row, context = await row_of(counter, order), counter.stage.context

    async def hear(stage: Stage, reference: str = row["reference"]) -> str:
        said = Report(reference=reference, stage=stage)
        await messages.reported(context, row, said)  # type: ignore[arg-type]
        return str((await row_of(counter, order))["stage"])

    assert await hear(Stage.SENT) == "sent"
    assert await hear(Stage.QUEUED) == "sent"
    assert await hear(Stage.FAILED, "another") == "sent"
    assert await hear(Stage.DELIVERED) == "delivered"
    assert await hear(Stage.FAILED) == "delivered"
    assert (await row_of(counter, order))["proved"]


async def test_a_customer_has_the_code_sent_again_a_few_times_and_its_tries_stay(
    counter: Counter, sent: Mock
) -> None:
    order = await counter.preparing(contact=reach())
    token, context = (await counter.view(order)).token, counter.stage.context
    with pytest.raises(staff.CounterError):
        await counter.complete(order, await counter.wrong_code(order))
    await swept(counter)
    assert not await resending.again(context, token), "it went out just now"
    counter.stage.later(61)
    answers = await asyncio.gather(*(resending.again(context, token) for _ in range(4)))
    assert sorted(answers) == [False, False, False, True], "four taps are one"
    for _ in range(5):
        counter.stage.later(61)
        await resending.again(context, token)
    await swept(counter)
    assert len(texts(sent)) == 1 + context.windows.resends
    assert len(set(texts(sent))) == 1, "the same code each time"
    assert await counter.stage.value("SELECT tries FROM counter_orders") == 1
    with pytest.raises(staff.CounterError):
        await resending.again(context, "nobodys")


SHOWN = {
    PHONE: [("sms", "arrived", "…099"), ("email", "arrived", "m…@shop.example")],
    "+4915100000001": [("sms", "failed", "…001"), ("email", "arrived", "m…@shop.example")],
    "+4915100000003": [("sms", "unknown", "…003"), ("email", "arrived", "m…@shop.example")],
}


@pytest.mark.parametrize("phone", SHOWN)
async def test_the_orders_page_says_what_became_of_each_message_and_offers_another(
    counter: Counter, sent: Mock, phone: str
) -> None:
    order = await counter.paid(contact=reach(phone=phone, email=EMAIL))
    view = await counter.view(order)
    assert [one.stage for one in view.told] == ["on_way", "on_way"]
    for _ in range(4):
        await swept(counter)
        counter.stage.later(61)
    view = await counter.view(order)
    assert [(one.form, one.stage, one.to) for one in view.told] == SHOWN[phone]
    assert view.code
    assert view.may_resend
    nobody = await counter.view(await counter.paid())
    assert (nobody.told, nobody.may_resend) == ((), False)


async def test_a_service_that_is_away_holds_up_no_order(counter: Counter, sent: Mock) -> None:
    counter.stage.context.notifiers = {}
    order = await counter.ready(contact=reach(email=EMAIL))
    await swept(counter)
    await counter.complete(order)
    assert (await counter.view(order)).state == "completed"
    assert (await stages(counter, order))["ready sms"] == ("failed", "no_service")


async def test_another_merchant_sees_no_message_and_no_contact(
    counter: Counter, sent: Mock
) -> None:
    await counter.paid(contact=reach())
    async with counter.stage.context.db.as_merchant(UUID(int=uuid4().int)) as conn:
        for table in ("counter_messages", "counter_contacts", "counter_consents",
                      "counter_message_costs"):  # fmt: skip
            assert await conn.fetchval(f"SELECT count(*) FROM {table}") == 0


async def test_what_messages_cost_is_in_the_orders_currency_or_not_known(
    counter: Counter, sent: Mock
) -> None:
    order = await counter.paid(contact=reach())
    await swept(counter)
    row, ask = await row_of(counter, order), "SELECT * FROM message_costs($1, $2)"

    async def costs(currency: str) -> tuple[int, int]:
        (found,) = await counter.stage.rows(ask, order, currency)
        return found["minor"], found["unknown"]

    assert await costs("EUR") == (0, 1)
    said = Report(reference=row["reference"], stage=Stage.SENT, cost=Cost("0.0751", "EUR"))
    await messages.reported(counter.stage.context, row, said)  # type: ignore[arg-type]
    assert (await costs("EUR"), await costs("USD")) == ((8, 0), (0, 1))


async def test_the_database_counts_the_places_of_every_currency_as_we_do(counter: Counter) -> None:
    rows = await counter.stage.rows(
        "SELECT c, places_of(c) AS places FROM unnest($1::text[]) c", list(EXPONENTS)
    )
    assert {row["c"]: row["places"] for row in rows} == dict(EXPONENTS)


class Vague(Mock):
    """A service that cannot say what became of a message, until it can."""

    says: Absent | Unclear | None = None

    async def look(self, form: Form, reference: str) -> Report | Absent | Unclear:
        return self.says if self.says is not None else await super().look(form, reference)


@pytest.mark.parametrize("says", [Absent(), Unclear("time-out")])
async def test_what_a_service_cannot_say_yet_is_asked_again_and_changes_nothing_meanwhile(
    counter: Counter, sent: Mock, says: Absent | Unclear
) -> None:
    vague = Vague(Settings(secret=Secret("mock")), counter.stage.clock)
    vague.says = says
    counter.stage.context.notifiers = dict.fromkeys((Form.SMS, Form.CALL, Form.EMAIL), vague)
    order = await counter.paid(contact=reach())
    await swept(counter)
    for looks in (1, 2):
        counter.stage.later(60)
        await swept(counter)
        row = await row_of(counter, order)
        assert (row["stage"], row["looks"], row["ended_at"]) == ("queued", looks, None)
        assert row["due_at"] is not None
    vague.says = None
    counter.stage.later(120)
    await swept(counter)
    assert (await row_of(counter, order))["stage"] == "delivered"
    assert len(texts(vague)) == 1, "it was sent once"
