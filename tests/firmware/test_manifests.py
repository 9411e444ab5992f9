"""What a device takes for an update, and what not, under CPython: each condition alone."""

import json
from types import SimpleNamespace
from typing import Any

import pytest
from coinslot_fw.boot import SlotFs
from coinslot_fw.download import Body, Receiver, opened, parts_of
from coinslot_fw.ed25519 import sha512, verified
from coinslot_fw.flash import Register
from coinslot_fw.manifest import check_manifest
from coinslot_fw.update import RefusedError, Update
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.firmware.cutting import Flash
from tests.firmware.images import KEY, PUBLIC, built, manifest_of, signed

GOOD = manifest_of(b"image", "1.1.0", 5)


def refusal_of(**changes: Any) -> str | None:
    try:
        check_manifest(GOOD | changes, "unix", 4096, 4)
    except RefusedError as error:
        return str(error)
    return None


def test_a_manifest_for_this_board_with_a_higher_sequence_is_taken() -> None:
    assert refusal_of() is None


def test_only_a_higher_sequence_is_taken() -> None:
    assert refusal_of(sequence=4) == "SEQUENCE"
    assert refusal_of(sequence=3) == "SEQUENCE"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"hardware": "esp32"}, "HARDWARE"), ({"kind": "system"}, "KIND"),
        ({"min_from": 5}, "MIN_FROM"), ({"journal_formats": [2]}, "JOURNAL"),
        ({"journal_formats": [1, 2]}, "JOURNAL"),
        ({"size": 4097}, "SIZE"), ({"size": 0}, "SIZE"),
    ],
    ids=str,
)  # fmt: skip
def test_what_must_not_run_here_is_refused(changes: dict[str, Any], code: str) -> None:
    assert refusal_of(**changes) == code


def read(raw: bytes, key: bytes | None) -> dict[str, Any]:
    """As a board reads the answer to its question for the manifest."""
    body = Body()
    body.write(raw)
    hal = SimpleNamespace(hardware="unix", flash=lambda _: SimpleNamespace(size=4096))
    update = Update(hal, Register(Flash(8192)), "factory", lambda *_: True, {})
    found: dict[str, Any] = update.checked(opened(body), key)
    return found


def test_nothing_of_a_manifest_is_believed_before_its_signature() -> None:
    key = bytes.fromhex(PUBLIC)
    assert read(signed(GOOD), key)["sequence"] == 5
    stranger = Ed25519PrivateKey.from_private_bytes(bytes(32))
    unsigned = json.dumps({"manifest": "not even JSON", "signature": "00" * 64}).encode()
    for body, code in (
        (signed(GOOD, stranger), "SIGNATURE"), (unsigned, "SIGNATURE"), (b"{}", "MANIFEST"),
        (b"no", "MANIFEST"), (signed(GOOD | {"size": "x"}), "MANIFEST"),
        (signed({"version": "1"}), "MANIFEST"),
    ):  # fmt: skip
        with pytest.raises(RefusedError, match=code):
            read(body, key)
    with pytest.raises(RefusedError, match="SIGNATURE"):
        read(signed(GOOD), None)  # enrolled without a key: no update at all


def test_a_signature_is_checked_as_others_check_it() -> None:
    key = bytes.fromhex(PUBLIC)
    for length in (0, 1, 111, 112, 300):
        message = bytes(range(256))[:length] * (1 + length // 256)
        signature = KEY.sign(message)
        assert verified(key, message, signature)
        assert not verified(key, message + b"x", signature)
        assert not verified(key, message, signature[:32] + bytes(32))
        assert not verified(key, message, bytes([signature[0] ^ 1]) + signature[1:])
    assert not verified(key, b"", b"")
    assert sha512(b"abc").hex().startswith("ddaf35a193617abacc417349ae204131")


def test_an_image_lies_in_the_slot_as_it_came_in_whatever_pieces() -> None:
    data = built("1.1.0", 2)
    flash, saved = Flash(262144), list[int]()
    receiver = Receiver(flash, len(data), 0, saved.append)
    receiver.write(data[:5000])
    receiver.begin(False)  # the line broke: it goes on at the last whole sector
    assert receiver.got == 4096
    for start in range(4096, len(data), 333):
        receiver.write(data[start : start + 333])
    assert flash.read(0, len(data)) == data
    with pytest.raises(RefusedError, match="SIZE"):
        receiver.write(b"x")
    files = SlotFs(flash)
    assert files.stat("/coinslot_fw")[0] == 0x4000
    assert files.stat("/coinslot_fw/main.mpy")[6] > 1000
    with pytest.raises(OSError, match="2"):
        files.stat("/nothing")


def test_an_address_names_host_port_and_path() -> None:
    assert parts_of("http://10.0.0.1:8000/a/b?c=d") == ("10.0.0.1", 8000, "/a/b?c=d", False)
    assert parts_of("https://host.example") == ("host.example", 443, "/", True)
    with pytest.raises(ValueError):
        parts_of("ftp://host.example/x")
