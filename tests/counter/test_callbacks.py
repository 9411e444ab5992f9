"""What Twilio tells of messages: at the emulated one, by the real driver, with its signatures."""

from collections.abc import AsyncIterator, Iterator
from itertools import count
from typing import Any
from urllib.parse import parse_qsl, urlencode
from uuid import UUID, uuid4

import httpx
import pytest

from coinslot.counter import staff
from coinslot.kit.secrets import Secret
from coinslot.notices.base import Form
from coinslot.notices.twilio import Settings, Twilio, signature
from tests.counter.stage import Counter
from tests.counter.telling import reach, row_of, swept
from tests.counter.test_pages import web as _web
from tests.sandbox.receiver import Received, Receiver
from tests.sandbox.running import SandboxProcess, until
from tests.sandbox.test_twilio import FAST

web = _web
numbers = count(1)
Phone = httpx.AsyncClient


@pytest.fixture(scope="module")
def emulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    folder = tmp_path_factory.mktemp("messages")
    with SandboxProcess(folder / "s", folder / "m", twilio={"tempo": FAST}) as sandbox:
        yield sandbox


class Line:
    """This counter's account at the emulated Twilio, a customer's phone, and the way back."""

    def __init__(
        self, counter: Counter, emulated: SandboxProcess, receiver: Receiver, http: Phone
    ) -> None:
        number = next(numbers)
        self.counter, self.emulated, self.receiver, self.http = counter, emulated, receiver, http
        self.to, self.token = f"+4915177{number:06d}", f"token-{number}"
        self.sid = f"AC{number:032x}"
        emulated.ask("POST", "/twilio/accounts", {"account_id": self.sid, "auth_token": self.token})
        self.driver = Twilio(
            Settings(
                account_sid=self.sid, auth_token=Secret(self.token), sender="+15005550006",
                base_url=f"{emulated.base_url}/twilio", read_s=5,
            )
        )  # fmt: skip
        context = counter.stage.context
        context.notifiers = {Form.SMS: self.driver, Form.CALL: self.driver}
        context.public_url = receiver.url.removesuffix("/webhooks/razorpay")

    def phone(self, **wanted: Any) -> None:
        self.emulated.ask("POST", "/twilio/phones", {"number": self.to, **wanted})

    async def passed_on(self, message: object, told: Received) -> httpx.Response:
        """A callback as Twilio posted it, at our own address."""
        headers = {name: told.headers[name] for name in ("content-type", "x-twilio-signature")}
        return await self.http.post(
            f"/callbacks/messages/{message}", content=told.body, headers=headers
        )

    async def say(self, path: str, said: dict[str, str]) -> httpx.Response:
        """What Twilio would post there."""
        said = {"AccountSid": self.sid, **said}
        url = f"{self.counter.stage.context.public_url}{path}"
        made = signature(Secret(self.token), url, said.items())
        headers = {"x-twilio-signature": made, "content-type": "application/x-www-form-urlencoded"}
        return await self.http.post(path, content=urlencode(said), headers=headers)


@pytest.fixture
async def line(counter: Counter, emulated: SandboxProcess, web: Any) -> AsyncIterator[Line]:
    wire = httpx.ASGITransport(web, raise_app_exceptions=False)
    with Receiver() as receiver:
        async with httpx.AsyncClient(transport=wire, base_url="http://inside.test") as http:
            made = Line(counter, emulated, receiver, http)
            yield made
            await made.driver.close()
    counter.stage.context.notifiers = {}


async def test_a_text_message_is_proved_by_its_signed_callback_and_priced_later(
    counter: Counter, line: Line
) -> None:
    order = await counter.paid(contact=reach(phone=line.to))
    await swept(counter)
    row = await row_of(counter, order)
    assert (row["stage"], row["proved"]) == ("queued", False)
    told = line.receiver.wait(2)
    last = next(one for one in told if "MessageStatus=delivered" in one.body)
    forged = last._replace(body=last.body.replace("delivered", "failed"))
    assert (await line.passed_on(row["id"], forged)).status_code == 401
    assert (await line.passed_on(uuid4(), last)).status_code == 404
    elsewhere = await row_of(counter, await counter.paid(contact=reach(phone=line.to)))
    assert (await line.passed_on(elsewhere["id"], last)).status_code == 401, "it was signed for one"
    for _ in range(2):
        assert (await line.passed_on(row["id"], last)).status_code == 200
    row = await row_of(counter, order)
    assert (row["stage"], row["proved"], row["price"]) == ("delivered", True, None)
    until(lambda: line.emulated.ask("GET", "/books")["twilio"]["messages"])
    for _ in range(6):
        counter.stage.later(3600)
        await swept(counter)
    row = await row_of(counter, order)
    assert (str(row["price"]), row["price_currency"], row["due_at"]) == ("0.00750", "USD", None)


async def test_a_callback_that_comes_before_the_answer_says_which_message_it_was(
    counter: Counter, line: Line
) -> None:
    order = await counter.paid(contact=reach(phone=line.to))
    line.emulated.weather(api={"drop_response": 1})
    await swept(counter)
    line.emulated.weather(api={"drop_response": 0})
    row = await row_of(counter, order)
    assert (row["stage"], row["reference"]) == ("unconfirmed", None)
    (told, *_) = line.receiver.wait(1)
    assert (await line.passed_on(row["id"], told)).status_code == 200
    row = await row_of(counter, order)
    assert row["reference"] == dict(parse_qsl(told.body))["MessageSid"]
    counter.stage.later(120)
    await swept(counter)
    sent = line.emulated.ask("GET", "/books")["twilio"]["messages"]
    assert len([one for one in sent if one["to"] == line.to]) == 1


async def test_after_a_time_out_twilios_list_finds_the_message(
    counter: Counter, line: Line
) -> None:
    order = await counter.paid(contact=reach(phone=line.to))
    line.emulated.weather(api={"drop_response": 1})
    await swept(counter)
    line.emulated.weather(api={"drop_response": 0})
    for _ in range(2):
        counter.stage.later(6)
        await swept(counter)
    row = await row_of(counter, order)
    sent = line.emulated.ask("GET", "/books")["twilio"]["messages"]
    assert [one["sid"] for one in sent if one["to"] == line.to] == [row["reference"]]


async def test_stop_ends_messages_and_start_lets_them_in_again(
    counter: Counter, line: Line
) -> None:
    async def writes(word: str, wish: str) -> None:
        said = {
            "SmsStatus": "received", "From": line.to, "Body": word, "OptOutType": wish,
            "MessageSid": f"SM{uuid4().hex}",
        }  # fmt: skip
        assert (await line.say("/callbacks/messages", said)).status_code == 200

    async def ends() -> tuple[str, str | None]:
        order = await counter.paid(contact=reach(phone=line.to))
        await swept(counter)
        row = await row_of(counter, order)
        return row["stage"], row["why"]

    await writes("stop", "STOP")
    assert await ends() == ("withheld", "opted_out")
    stopped = (await counter.view(await counter.paid(contact=reach(phone=line.to)))).told
    assert [one.stage for one in stopped] == ["on_way"]
    await writes("start", "START")
    assert (await ends())[0] == "queued"
    forged = {"SmsStatus": "received", "From": line.to, "Body": "stop", "OptOutType": "STOP"}
    answer = await line.http.post("/callbacks/messages", data=forged)
    assert answer.status_code == 401
    assert (await ends())[0] == "queued"


async def test_twilio_refuses_an_opted_out_phone_and_its_page_says_so(
    counter: Counter, line: Line
) -> None:
    line.phone(opted_out=True)
    order = await counter.paid(contact=reach(phone=line.to))
    await swept(counter)
    row = await row_of(counter, order)
    assert (row["stage"], row["why"], row["error_code"]) == ("failed", "opted_out", "21610")
    view = await counter.view(order)
    assert [one.stage for one in view.told] == ["opted_out"]
    page = await line.http.get(f"/o/{view.token}", headers={"accept": "text/html"})
    assert "STOP" in page.text
    assert (await counter.code(order))[:3] in page.text


REFUSALS = {21211: "recipient", 21408: "recipient", 21614: "recipient", 21606: "account"}


@pytest.mark.parametrize("code", REFUSALS)
async def test_what_twilio_refuses_for_good_is_not_sent_again(
    counter: Counter, line: Line, code: int
) -> None:
    line.phone(rejects=code)
    order = await counter.paid(contact=reach(phone=line.to))
    for _ in range(3):
        await swept(counter)
        counter.stage.later(600)
    row = await row_of(counter, order)
    assert (row["stage"], row["why"], row["tries"]) == ("failed", REFUSALS[code], 1)
    assert row["error_code"] == str(code)


async def _called(counter: Counter, line: Line, language: str = "en") -> UUID:
    line.phone(call="rings")
    order = await counter.ready(contact=reach(phone=line.to, language=language))
    await swept(counter)
    return order


async def test_a_listener_presses_a_key_hears_the_code_again_and_is_proof(
    counter: Counter, line: Line
) -> None:
    order = await _called(counter, line)
    row = await row_of(counter, order, "call", "ready")
    path = f"/callbacks/messages/{row['id']}"
    said = {"CallSid": row["reference"], "CallStatus": "completed"}
    await line.say(path, said)
    row = await row_of(counter, order, "call", "ready")
    assert (row["stage"], row["proved"]) == ("delivered", False), "it may have been a mailbox"
    answer = await line.say(path, {**said, "CallStatus": "in-progress", "Digits": "1"})
    assert answer.headers["content-type"].startswith("text/xml")
    assert " ".join(await counter.code(order)) in answer.text
    assert (await row_of(counter, order, "call", "ready"))["proved"]


async def test_who_presses_nine_is_not_called_again_and_still_gets_text_messages(
    counter: Counter, line: Line
) -> None:
    order = await _called(counter, line)
    row = await row_of(counter, order, "call", "ready")
    said = {"CallSid": row["reference"], "CallStatus": "in-progress", "Digits": "9"}
    answer = await line.say(f"/callbacks/messages/{row['id']}", said)
    assert "not call this number again" in answer.text
    await staff.undo(counter.stage.context, counter.who, order, staff.Status.PREPARING)
    counter.stage.later(5)
    await staff.ready(counter.stage.context, counter.who, order)
    await swept(counter)
    assert (await row_of(counter, order, "call", "ready"))["why"] == "opted_out"
    assert (await row_of(counter, order, "sms", "ready"))["stage"] == "queued"


async def test_who_pressed_a_key_is_answered_in_the_language_that_they_ordered_in(
    counter: Counter, line: Line
) -> None:
    order = await _called(counter, line, "ru")
    row = await row_of(counter, order, "call", "ready")
    said = {"CallSid": row["reference"], "CallStatus": "in-progress"}
    for digits, word in (("1", "Код"), ("9", "На этот номер больше не позвонят")):
        answer = await line.say(f"/callbacks/messages/{row['id']}", {**said, "Digits": digits})
        assert word.casefold() in answer.text.casefold()
        assert 'language="ru' in answer.text, "else it is read by an English voice"


async def test_a_forged_report_that_it_arrived_keeps_nobodys_money(
    counter: Counter, line: Line
) -> None:
    await counter.stage.rows("UPDATE counter_stores SET no_show = 'kept' RETURNING outlet_id")
    await counter.board_open()
    order = await counter.ready(contact=reach(phone=line.to))
    await swept(counter)
    row = await row_of(counter, order, "sms", "ready")
    path = f"/callbacks/messages/{row['id']}"
    said = {
        "AccountSid": line.sid, "MessageSid": row["reference"], "MessageStatus": "delivered",
    }  # fmt: skip
    url = f"{counter.stage.context.public_url}{path}"
    for made in ("", "c2lnbmF0dXJl", signature(Secret("of somebody else"), url, said.items())):
        headers = {
            "x-twilio-signature": made, "content-type": "application/x-www-form-urlencoded",
        }  # fmt: skip
        answer = await line.http.post(path, content=urlencode(said), headers=headers)
        assert answer.status_code == 401
    counter.stage.later(2 * 3600 + 60)
    await counter.stage.sweep()
    assert await counter.ends(order) == [("not_picked_up", "never_sent", "not_fetched")]
    assert counter.stage.refunded() == 350
