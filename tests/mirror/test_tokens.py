"""A real database wants tokens: Google's own library makes them of a service account's file."""

import json
from pathlib import Path
from typing import Any

import pytest

from coinslot.events.mirror.firebase import FirebaseCredentialsError, Tokens, UnclearError
from tests.mirror.rig import Rig, vend


@pytest.fixture
def key_file(rig: Rig, tmp_path: Path) -> Path:
    """As the console lets one download it, of a service account that the emulator knows."""
    made = rig.sandbox.ask("POST", "/firebase/accounts", {"project": "shop"})
    path = tmp_path / "firebase.json"
    path.write_text(json.dumps(made))
    return path


def changed(path: Path, **fields: Any) -> Path:
    path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))
    return path


async def test_a_service_account_writes_with_a_token(rig: Rig, key_file: Path) -> None:
    mirror = rig.another(key_file)
    await vend(rig.stage)
    await mirror.round()

    assert rig.tree("machines/M01/status") == "IDLE"
    await mirror.remote.close()


async def test_a_token_whose_hour_is_over_is_made_anew_once(rig: Rig, key_file: Path) -> None:
    mirror = rig.another(key_file)
    await mirror.remote.write({"a": 1})
    rig.sandbox.ask("POST", "/firebase/expire")
    await mirror.remote.write({"a": 2})

    assert rig.tree("a") == 2
    await mirror.remote.close()


async def test_an_account_that_nobody_knows_writes_nothing(rig: Rig, key_file: Path) -> None:
    mirror = rig.another(changed(key_file, client_email="stranger@shop.iam.gserviceaccount.com"))
    with pytest.raises(UnclearError, match="no token"):
        await mirror.remote.write({"a": 1})

    assert rig.tree("a") is None
    await mirror.remote.close()


def test_a_file_that_is_no_key_is_refused_without_a_word_of_it(tmp_path: Path) -> None:
    path = tmp_path / "firebase.json"
    for text in ("", "{}", '{"private_key": "very secret", "client_email": "x", "token_uri": "y"}'):
        path.write_text(text)
        with pytest.raises(FirebaseCredentialsError) as refused:
            Tokens(path)
        assert "very secret" not in str(refused.value)
    with pytest.raises(FirebaseCredentialsError):
        Tokens(tmp_path / "nothing.json")
