"""What may be ours in a webhook or an item that cannot be read, whatever the gateway."""

import hashlib
from typing import Any

import pytest

from coinslot.gateways import unread
from coinslot.gateways.base import Absent, Mark, Unclear, Unread, Unreadable
from coinslot.gateways.razorpay.driver import Razorpay
from coinslot.gateways.razorpay.driver import Settings as RazorpaySettings
from coinslot.kit.secrets import Secret, hmac_hex
from tests.gateways.canned import Canned
from tests.gateways.scripted import scripted

BODY = b'{"id":"pay_1","n":1234567,"coinslot":"here","xyz":"ab"}'
NAMES = ("pay_1", "1234567", "coinslot", "here")
DIGEST = hashlib.sha256(b'{"coinslot":"here","id":"pay_1","n":1234567,"xyz":"ab"}').hexdigest()


@pytest.mark.parametrize(
    ("error", "event", "mark", "said"),
    [
        ("no", "x", None, {"reason": "no", "event": "x"}),
        (ValueError("odd"), "", None, {"reason": "ValueError: odd"}),
        ("a\0b", "c\0d", None, {"reason": "a\ufffdb", "event": "c\ufffdd"}),
        ("r" * 501, "e" * 101, None, {"reason": "r" * 500, "event": "e" * 100}),
        ("no", "", Mark(installation="else"), {"mark": Mark(installation="else")}),
    ],
)
def test_a_webhook_that_cannot_be_read_is_kept_with_all_that_may_be_ours(
    error: Any, event: str, mark: Mark | None, said: dict[str, Any]
) -> None:
    whole: dict[str, Any] = {
        "delivery_id": DIGEST, "event": event, "reason": "no", "names": NAMES,
        "mark": Mark(installation="here"),
    }  # fmt: skip
    found = unread.unreadable(BODY, error, event=event, mark=mark)
    assert found == Unreadable(**(whole | said))


def test_a_mark_in_an_event_of_another_account_proves_nothing() -> None:
    found = unread.elsewhere(BODY, "another account", event="paid")
    assert found == Unreadable(
        delivery_id=DIGEST, event="paid", reason="another account", names=NAMES, mark=None
    )
    assert unread.elsewhere(BODY, "x").event == ""


@pytest.mark.parametrize(
    ("body", "names"),
    [
        (b'"abcd" "abc" "abcd" "a b c d"', ("abcd",)),
        (b'"' + b"a" * 255 + b'"', ("a" * 255,)),
        (b'"' + b"a" * 256 + b'"', ()),
        (b'"A-Z_0.:9"', ("A-Z_0.:9",)),
        (b"[123456,12345, 1234567 ]", ("123456", "1234567")),
        (b'{"a":123456}', ("123456",)),
        (b"[" + b"1" * 20 + b"]", ("1" * 20,)),
        (b"[" + b"1" * 21 + b"]", ()),
        (b"no names", ()),
    ],
)
def test_names_are_found_in_any_text(body: bytes, names: tuple[str, ...]) -> None:
    assert unread.unreadable(body, "x").names == names


def test_so_many_names_are_kept() -> None:
    body = b",".join(b'"name%d"' % n for n in range(1001))
    found = unread.unreadable(body, "x").names
    assert (len(found), found[0], found[-1]) == (1000, "name0", "name999")


@pytest.mark.parametrize(
    ("body", "of"),
    [
        (b'{"coinslot" : "here"}', "here"),
        (b'{"coinslot":""}', None),
        (b'{"coinslot":7}', None),
        (b'{"coinslot":"' + b"a" * 255 + b'"}', "a" * 255),
        (b'{"coinslot":"' + b"a" * 256 + b'"}', None),
        (b'{"other":"here"}', None),
    ],
)
def test_our_mark_is_found_as_a_pair(body: bytes, of: str | None) -> None:
    assert unread.unreadable(body, "x").mark == (None if of is None else Mark(installation=of))


def test_the_same_content_is_the_same_delivery_in_whatever_order() -> None:
    one, other = b'{"a":1,"b":[2]}', b' {"b": [2], "a": 1}'
    assert unread.delivery_id(one) == unread.delivery_id(other)
    assert unread.delivery_id(one) != unread.delivery_id(b'{"a":1,"b":[3]}')
    assert unread.delivery_id(b"no json") == hashlib.sha256(b"no json").hexdigest()
    deep = b"[" * 90_000
    assert unread.delivery_id(deep) == hashlib.sha256(deep).hexdigest()


@pytest.mark.parametrize(
    ("body", "event"),
    [
        (b'{"event":"paid","type":"x"}', "paid"), (b'{"type":"x"}', ""), (b'{"event":7}', ""),
        (b'["event"]', ""), (b"no json", ""), (b"[" * 90_000, ""),
    ],
)  # fmt: skip
def test_an_event_calls_itself_so_where_that_can_be_read(body: bytes, event: str) -> None:
    assert unread.event_of(body, "event") == event


def test_an_odd_item_hides_no_other() -> None:
    def read_one(item: object) -> object | None:
        if item == "skip":
            return None
        if isinstance(item, dict):
            raise ValueError("odd\0" + "x" * 300)
        return item

    odd = {"id": "pay_77" + "x" * 100, "coinslot": "here"}
    facts, left = unread.read_each(["a", odd, "skip", {"no": 1}, "b"], read_one)
    assert facts == ["a", "b"]
    first, second = left
    assert first == Unread(
        name=odd["id"][:100], reason=("odd\ufffd" + "x" * 300)[:200],
        names=(odd["id"], "coinslot", "here"), mark=Mark(installation="here"),
    )  # fmt: skip
    assert (second.name, second.names, second.mark) == ("None", (), None)


# At Razorpay.


def till(*answers: Canned) -> Any:
    wire, asked = scripted(*answers)
    settings = RazorpaySettings(
        key_id="rzp_test_1", key_secret=Secret("s"), webhook_secrets=(Secret("w"),),
        account_id="acc_1",
    )  # fmt: skip
    return Razorpay(settings, wire), asked


@pytest.mark.parametrize(
    ("account", "mark"), [("acc_1", Mark(installation="here")), ("acc_2", None)]
)
def test_a_signed_event_that_cannot_be_worked_says_what_it_is(
    account: str, mark: Mark | None
) -> None:
    body = (
        b'{"event":"payment.captured","account_id":"%b","coinslot":"here","payload":7,'
        b'"created_at":1}' % account.encode()
    )
    gateway, _ = till()
    said = gateway.read_webhook({"x-razorpay-signature": hmac_hex(b"w", body)}, body)
    assert isinstance(said, Unreadable)
    assert (said.event, said.mark) == ("payment.captured", mark)


async def test_a_link_that_cannot_be_looked_at_is_told_as_it_was() -> None:
    gateway, _ = till(Canned(500))
    assert await gateway.look("plink_1") == Unclear("HTTP 500")
    gateway, _ = till(Canned(404, {"error": {"code": "BAD_REQUEST_ERROR",
                                             "description": "The id does not exist"}}))  # fmt: skip
    assert isinstance(await gateway.look("plink_1"), Absent)
