"""The simulator's two slots: what is refused, what is installed, and the way back."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from machine_simulator.update import TRIES_OF_A_TRIAL, Code, Hardware, Updater

KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
OTHER = Ed25519PrivateKey.from_private_bytes(b"o" * 32)
HARDWARE = Hardware("esp32-v1", (KEY.public_key().public_bytes_raw(),))
OLD = Code("1.0.0", 5)
IMAGE = json.dumps({"behaviour": "good"}).encode()
ROLLOUT = {"rollout": "r1", "attempt": 1}


def updater(folder: Path) -> Updater:
    made = Updater(folder, HARDWARE, OLD)
    made.boot()
    return made


def answer(key: Ed25519PrivateKey = KEY, **more: Any) -> dict[str, str]:
    manifest = {
        "version": "2.0.0", "sequence": 6, "hardware": "esp32-v1", "kind": "app",
        "size": len(IMAGE), "sha256": hashlib.sha256(IMAGE).hexdigest(), "min_from": 0,
        "journal_formats": [1], "expires": "2027-01-01T00:00:00Z", **more,
    }  # fmt: skip
    text = json.dumps(manifest)
    return {"manifest": text, "signature": key.sign(text.encode()).hex()}


def verified(made: Updater) -> None:
    made.command({**ROLLOUT, "manifest_url": "u"}, boot_id="b1", idle=True)
    assert made.take_manifest(answer())[0]["state"] == "DOWNLOADING"
    assert made.take_image(IMAGE)[0]["state"] == "VERIFIED"


def go(made: Updater, boot: str = "b1", *, idle: bool = True) -> bool:
    return made.command({**ROLLOUT, "go": True, "boot_id": boot}, boot_id="b1", idle=idle)


def test_a_good_image_is_installed_tried_and_kept(tmp_path: Path) -> None:
    made = updater(tmp_path)
    verified(made)
    assert go(made)
    again = Updater(tmp_path, HARDWARE, OLD)  # what lies on the flash is all that is left
    assert again.boot().version == "2.0.0"
    assert again.report()[0]["state"] == "TRIAL"
    assert again.synced()[0]["state"] == "CONFIRMED"
    assert Updater(tmp_path, HARDWARE, OLD).boot().version == "2.0.0"


def test_nothing_is_installed_while_a_unit_is_open(tmp_path: Path) -> None:
    made = updater(tmp_path)
    verified(made)
    assert not go(made, idle=False)
    assert made.flash.runs == OLD
    assert go(made)


def test_a_go_for_another_boot_or_before_the_image_installs_nothing(tmp_path: Path) -> None:
    made = updater(tmp_path)
    assert not go(made)
    verified(made)
    assert not go(made, boot="b0")
    assert made.flash.runs == OLD


@pytest.mark.parametrize("sequence", [4, 5])
def test_an_older_or_equal_build_is_refused(tmp_path: Path, sequence: int) -> None:
    made = updater(tmp_path)
    made.command({**ROLLOUT, "manifest_url": "u"}, boot_id="b1", idle=True)
    (said,) = made.take_manifest(answer(sequence=sequence))
    assert (said["state"], said["code"]) == ("FAILED", "SEQUENCE")


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"hardware": "esp32-v2"}, "HARDWARE"), ({"kind": "mdb"}, "KIND"),
        ({"min_from": 6}, "MIN_FROM"), ({"journal_formats": [2]}, "JOURNAL"),
        ({"journal_formats": [1, 2]}, "JOURNAL"),
    ],
)  # fmt: skip
def test_what_is_not_for_it_is_refused(tmp_path: Path, more: dict[str, Any], code: str) -> None:
    made = updater(tmp_path)
    made.command({**ROLLOUT, "manifest_url": "u"}, boot_id="b1", idle=True)
    assert made.take_manifest(answer(**more))[0]["code"] == code


def test_another_key_is_refused_and_a_changed_image_too(tmp_path: Path) -> None:
    made = updater(tmp_path)
    made.command({**ROLLOUT, "manifest_url": "u"}, boot_id="b1", idle=True)
    assert made.take_manifest(answer(OTHER))[0]["code"] == "SIGNATURE"
    again = {**ROLLOUT, "attempt": 2, "manifest_url": "u"}
    made.command(again, boot_id="b1", idle=True)
    made.take_manifest(answer())
    assert made.take_image(IMAGE[:-1])[0]["code"] == "SIZE"
    made.command({**again, "attempt": 3}, boot_id="b1", idle=True)
    made.take_manifest(answer())
    assert made.take_image(b"x" + IMAGE[1:])[0]["code"] == "SHA256"


def test_code_that_fails_its_self_test_goes_back_after_three_boots(tmp_path: Path) -> None:
    made = updater(tmp_path)
    verified(made)
    go(made)
    for _ in range(TRIES_OF_A_TRIAL):
        assert made.boot().version == "2.0.0"
        assert made.synced(self_test=False)[0]["state"] == "TRIAL"
    assert made.boot() == OLD
    assert made.report()[0]["state"] == "ROLLED_BACK"
