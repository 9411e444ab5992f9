"""The firmware as the cashless reader beside another controller: the controller vends only what was
paid, and whatever is cut off at whichever byte, the journal says what came of it or that it is in
doubt."""

from typing import Any

import pytest
from coinslot_fw.mdb import ACK, MODE, NAK, RET, framed

from tests.firmware import cutting_mdb
from tests.firmware.cuts import cut
from tests.firmware.cutting_mdb import BUY, ITEM, LEASE_MS, PRICE, STORIES

# Without types, for MicroPython.
SIMULATED: Any = cutting_mdb
cutting: Any = SIMULATED.cutting
checked, exchange, go_for, offer = (
    SIMULATED.checked, SIMULATED.exchange, SIMULATED.go_for, SIMULATED.offer,
)  # fmt: skip
OUT_OF_SEQUENCE, APPROVED, DENIED = b"\x0b", b"\x05\x0f\xa0", b"\x06"


@pytest.mark.parametrize("story", STORIES)
def test_a_reset_at_any_byte_gives_never_both_and_never_neither(story: str) -> None:
    found = exchange(story, 5)
    assert found["what"] == []
    assert found["wrong"] == 0
    assert found["cuts"] > 200


def test_micropython_keeps_it_as_well() -> None:
    found = cut("cutting_mdb.py", 29, 0, "takes_it_back")
    assert (found["what"], found["wrong"]) == ([], 0)
    assert found["cuts"] > 200


class Bus:
    """The reader, and a hand on its bus."""

    def __init__(self) -> None:
        self.world: Any = SIMULATED.World()
        self.world.boot()
        self.ask(0x10)
        assert self.poll() == b"\x00"
        assert self.ask(0x11, 0, 1, 0, 0, 0) == b"\x01\x01\x13\x56\x01\x02\x05\x00"
        assert self.ask(0x11, 1, 255, 255, 0, 0) == b""
        assert self.ask(0x17, 0, *[32] * 29)[:4] == b"\x09CSL"
        assert self.ask(0x14, 1) == b""

    def words(self, *words: int) -> list[int]:
        reply: list[int] = []
        for word in words:
            reply = list(self.world.device.heard(word))
        self.world.tell()
        return reply

    def said(self, *command: int) -> list[int]:
        """A command, and the words of its answer, which nobody confirms."""
        return self.words(command[0] | MODE, *command[1:], sum(command) & 0xFF)

    def ask(self, *command: int) -> bytes:
        reply = self.said(*command)
        if reply == [MODE | ACK]:
            return b""
        data = checked(reply)
        assert data is not None
        self.words(ACK)
        return bytes(data)

    def poll(self) -> bytes:
        self.world.tick()
        return self.ask(0x12)

    def request(self, price: int = PRICE, item: int = ITEM) -> bytes:
        assert self.ask(0x13, 0, price >> 8, price & 255, item >> 8, item & 255) == b""
        return self.poll()

    def paid(self) -> None:
        """A session has begun for what was paid."""
        assert self.world.pay(1) is not None
        assert self.poll() == b"\x03\x0f\xa0"

    @property
    def unit(self) -> Any:
        return self.world.device.journal.units.get(cutting.unit_of(1))

    @property
    def state(self) -> str | None:
        return self.unit.state if self.unit else None


@pytest.fixture
def bus() -> Bus:
    return Bus()


def test_hello_says_that_another_controller_vends(bus: Bus) -> None:
    said = bus.world.device.hello(1)["capabilities"]
    assert (said["mdb"], said["sensor"], said["journal"]) == (True, False, True)


def test_a_sale_is_the_controllers_word_with_a_drop_that_nobody_saw(bus: Bus) -> None:
    bus.paid()
    assert bus.request() == APPROVED
    assert bus.state == "STARTED"
    assert bus.ask(0x13, 2, 0, ITEM) == b""
    assert bus.state == "VENDED"
    assert bus.unit.evidence()["drop"] == "unknown"
    assert bus.unit.evidence()["vmc"] == "success"
    bus.ask(0x13, 4)
    assert bus.poll() == b"\x07"


def test_a_failure_is_kept_with_the_controllers_word_through_a_power_cut(bus: Bus) -> None:
    bus.paid()
    bus.request()
    bus.ask(0x13, 3)
    for _ in range(2):
        assert bus.unit.verdict[1:3] == ["FAILED", "VEND_FAILURE"]
        assert bus.unit.evidence()["vmc"] == "failure"
        bus.world.boot()


@pytest.mark.parametrize(
    ("price", "item"), [(PRICE, 18), (PRICE + 1, ITEM), (PRICE - 1, ITEM), (PRICE, 0xFFFF), (0, 0)]
)
def test_another_item_or_price_is_denied_and_nothing_starts(
    bus: Bus, price: int, item: int
) -> None:
    bus.paid()
    assert bus.request(price, item) == DENIED
    assert bus.state is None
    assert bus.request() == APPROVED, "the session goes on"


def test_nothing_is_sold_twice_in_one_session(bus: Bus) -> None:
    bus.paid()
    bus.request()
    bus.ask(0x13, 2, 0, ITEM)
    assert bus.request() == DENIED


def test_without_a_session_nothing_can_be_asked_for(bus: Bus) -> None:
    assert bus.request() == OUT_OF_SEQUENCE
    assert bus.ask(0x13, 2, 0, ITEM) == b""
    assert bus.poll() == OUT_OF_SEQUENCE
    assert bus.state is None


def test_a_request_that_is_said_again_starts_once(bus: Bus) -> None:
    bus.paid()
    for _ in range(3):
        assert bus.said(0x13, 0, PRICE >> 8, PRICE & 255, 0, ITEM) == [MODE | ACK]
    assert [bus.poll(), bus.poll()] == [APPROVED, b""]
    assert bus.unit.numbers() == [1]


def test_words_with_a_wrong_checksum_are_not_heard(bus: Bus) -> None:
    bus.paid()
    for wrong in (1, 0x80):
        request = (0x13 | MODE, 0, PRICE >> 8, PRICE & 255, 0, ITEM)
        assert bus.words(*request, (sum(request) & 0xFF) ^ wrong) == []
    assert bus.poll() == b""
    assert bus.state is None


def test_other_devices_on_the_bus_are_not_answered(bus: Bus) -> None:
    assert bus.words(0x08 | MODE, 0x08) == []
    assert bus.words(0x60 | MODE, 0x60, ACK) == []
    assert bus.words(0x13 | MODE, 9, 0x1C) == []


def test_an_approval_is_given_again_when_asked_for_and_never_by_itself(bus: Bus) -> None:
    bus.paid()
    bus.ask(0x13, 0, PRICE >> 8, PRICE & 255, 0, ITEM)
    assert bus.said(0x12) == framed(APPROVED)
    assert bus.words(RET) == framed(APPROVED)
    assert bus.words(NAK) == []
    assert bus.said(0x12) == framed(APPROVED)
    assert bus.said(0x12) == [MODE | ACK], "silence: it may have it already"


def test_a_lost_answer_is_given_again_until_it_is_confirmed(bus: Bus) -> None:
    bus.world.pay(1)
    bus.world.tick()
    for _ in range(2):
        assert bus.said(0x12) == framed(b"\x03\x0f\xa0")
    bus.words(ACK)
    assert bus.said(0x12) == [MODE | ACK]


def test_a_withdrawal_counts_only_before_the_approval(bus: Bus) -> None:
    bus.paid()
    bus.ask(0x13, 0, PRICE >> 8, PRICE & 255, 0, ITEM)
    bus.ask(0x13, 1)
    assert bus.poll() == DENIED
    assert bus.unit.verdict[1:3] == ["FAILED", "VEND_CANCEL"]


@pytest.mark.parametrize("word", [(0x13, 1), (0x13, 0, 0x0F, 0xA0, 0, ITEM)], ids=["back", "again"])
def test_after_the_approval_only_success_and_failure_count(bus: Bus, word: tuple[int, ...]) -> None:
    bus.paid()
    bus.request()
    assert bus.ask(*word) == b""
    assert bus.poll() == OUT_OF_SEQUENCE
    assert bus.state == "STARTED"
    bus.ask(0x13, 2, 0, ITEM)
    assert bus.state == "VENDED"


@pytest.mark.parametrize("word", [(0x10,), (0x13, 4)], ids=["reset", "end"])
def test_a_reset_or_an_end_after_the_approval_is_in_doubt(bus: Bus, word: tuple[int, ...]) -> None:
    bus.paid()
    bus.request()
    bus.ask(*word)
    assert bus.state == "INTERRUPTED"
    assert "vmc" not in bus.unit.evidence()


def test_silence_after_the_approval_is_in_doubt_and_a_late_word_changes_nothing(bus: Bus) -> None:
    bus.paid()
    bus.request()
    bus.world.now += 60_001
    bus.world.tick()
    assert bus.unit.verdict[1:3] == ["INTERRUPTED", "VMC_SILENT"]
    bus.ask(0x13, 3)
    assert bus.poll() == OUT_OF_SEQUENCE
    assert bus.state == "INTERRUPTED"


def test_success_that_is_said_twice_is_one_and_failure_after_it_is_none(bus: Bus) -> None:
    bus.paid()
    bus.request()
    for _ in range(2):
        assert bus.ask(0x13, 2, 0, ITEM) == b""
        assert bus.poll() == b""
    bus.ask(0x13, 3)
    assert bus.poll() == OUT_OF_SEQUENCE
    assert bus.state == "VENDED"


def test_success_of_another_item_is_told_as_of_another_slot(bus: Bus) -> None:
    bus.paid()
    bus.request()
    bus.ask(0x13, 2, 0, 9)
    assert bus.unit.verdict[:2] == ["item-9", "VENDED"]


@pytest.mark.parametrize("word", [(0x13, 4), (0x10,), (0x14, 0)], ids=["end", "reset", "disable"])
def test_a_session_that_ends_without_a_request_leaves_a_tombstone(
    bus: Bus, word: tuple[int, ...]
) -> None:
    bus.paid()
    bus.ask(*word)
    assert bus.state == "TOMBSTONED"


def test_the_lease_is_the_time_to_choose(bus: Bus) -> None:
    bus.paid()
    bus.world.now += LEASE_MS - 1
    assert bus.poll() == b""
    bus.world.now += 1
    assert bus.poll() == b"\x04"
    assert bus.state == "TOMBSTONED"
    assert bus.request() == DENIED
    bus.ask(0x13, 4)
    assert bus.poll() == b"\x07"


def test_a_session_waits_for_its_controller_and_begins_only_by_a_good_go(bus: Bus) -> None:
    bus.world.hear(offer(cutting.unit_of(1), 1))
    assert bus.poll() == b"", "an ACCEPT is no GO"
    bad = go_for(bus.world.accept) | {"hmac": "0" * 64}
    bus.world.hear(bad)
    assert bus.poll() == b""
    assert bus.state == "TOMBSTONED"


def test_its_go_that_comes_again_opens_one_session_and_its_accept_is_not_repeated(
    bus: Bus,
) -> None:
    bus.paid()
    assert bus.world.device.unanswered() == []
    bus.world.hear(go_for(bus.world.accept))
    assert bus.poll() == b""
    assert bus.state is None


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"slot": "B1"}, "SLOT_FAULT"), ({"amount_minor": 70_000}, "SLOT_FAULT"),
        ({"amount_minor": "4000"}, "SLOT_FAULT"), ({"amount_minor": -1}, "SLOT_FAULT"),
    ],
    ids=str,
)  # fmt: skip
def test_what_no_controller_could_sell_is_refused(
    bus: Bus, changes: dict[str, Any], code: str
) -> None:
    ((_, said),) = bus.world.device.receive(offer(cutting.unit_of(1), 1) | changes)
    assert (said["type"], said["code"]) == ("REJECT", code)


def test_without_a_controller_that_polls_nothing_is_accepted(bus: Bus) -> None:
    bus.world.now += 5_001
    ((_, said),) = bus.world.device.receive(offer(cutting.unit_of(1), 1))
    assert said["code"] == "BUSY"
    bus.poll()
    ((_, said),) = bus.world.device.receive(offer(cutting.unit_of(2), 2))
    assert said["type"] == "ACCEPT"


def test_a_customer_in_a_session_of_another_sale_is_not_sold_this_one(bus: Bus) -> None:
    bus.paid()
    bus.world.hear(cutting.query(cutting.unit_of(1), 1))
    assert bus.state == "TOMBSTONED"
    ((_, said),) = bus.world.device.receive(offer(cutting.unit_of(2), 2))
    assert said["code"] == "BUSY"
    assert bus.poll() == b"\x04", "the controller is asked to end it"
    assert bus.request() == DENIED


def test_a_food_lock_that_falls_in_the_session_denies(bus: Bus) -> None:
    bus.paid()
    bus.world.food_locked = lambda: True
    assert bus.request() == DENIED
    assert bus.state is None


def test_a_story_is_told_by_a_controller_that_buys() -> None:
    """The simulated controller really vends: without faults a sale falls."""
    world = SIMULATED.World()
    world.boot()
    world.controller([BUY])
    world.frames(24)
    world.pay(1)
    world.frames(16)
    assert world.drops == [cutting.unit_of(1)]
    assert world.wrongs == []
