"""`coinslot-sign`: the key stays where it is, and what it signs is what the server takes."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from coinslot.commands.sign import app
from coinslot.rollouts.manifest import Manifest, is_signed, read_manifest

OPEN = {"COINSLOT_SIGN_PASSPHRASE": "nine cans of cola"}
BUILD = ("--version", "1.5.0", "--sequence", "7", "--hardware", "esp32-v1")


def ask(*words: object, env: dict[str, str] | None = None, typed: str | None = None) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words], env=env or OPEN, input=typed)


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "fw.bin"
    path.write_bytes(b"code " * 100)
    return path


def test_a_key_is_made_encrypted_for_its_owner_alone_and_signs_what_the_server_can_check(
    tmp_path: Path, image: Path
) -> None:
    key = tmp_path / "release.key"
    public = ask("key", key).stdout.strip()
    assert key.stat().st_mode & 0o777 == 0o600
    assert b"ENCRYPTED" in key.read_bytes()
    assert ask("public", "--key", key).stdout.strip() == public
    assert ask("build", image, "--key", key, *BUILD).exit_code == 0
    upload: dict[str, Any] = json.loads((tmp_path / "fw.bin.upload.json").read_text())
    text, signature = upload["manifest"].encode(), bytes.fromhex(upload["signature"])
    assert is_signed(bytes.fromhex(public), text, signature)
    assert not is_signed(bytes.fromhex(public), text + b" ", signature)
    assert base64.b64decode(upload["image"]) == image.read_bytes()
    manifest: Manifest = read_manifest(text)
    assert (manifest.version, manifest.sequence, manifest.size) == ("1.5.0", 7, 500)


def test_a_wrong_passphrase_opens_nothing(tmp_path: Path, image: Path) -> None:
    key = tmp_path / "release.key"
    ask("key", key)
    done = ask("build", image, "--key", key, *BUILD, env={"COINSLOT_SIGN_PASSPHRASE": "another"})
    assert done.exit_code == 1
    assert "does not open" in done.stderr
    assert not (tmp_path / "fw.bin.upload.json").exists()


def test_a_plain_key_warns_and_a_key_is_never_overwritten(tmp_path: Path) -> None:
    key = tmp_path / "test.key"
    done = ask("key", key, "--plain")
    assert "not encrypted" in done.stderr
    before = key.read_bytes()
    assert ask("key", key, "--plain").exit_code == 1
    assert key.read_bytes() == before


def test_an_empty_passphrase_is_refused(tmp_path: Path) -> None:
    done = ask("key", tmp_path / "k", env={"COINSLOT_SIGN_PASSPHRASE": ""})
    assert done.exit_code == 1
    assert not (tmp_path / "k").exists()


def test_a_manifest_out_of_its_bounds_is_not_signed(tmp_path: Path, image: Path) -> None:
    key = tmp_path / "test.key"
    ask("key", key, "--plain")
    done = ask("build", image, "--key", key, *BUILD, "--min-from", "9")
    assert done.exit_code == 1
    assert "min_from is above sequence" in done.stderr
