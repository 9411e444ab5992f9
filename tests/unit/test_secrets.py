"""What is sealed opens for its owner alone; what is secret does not reach a log."""

import base64
import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coinslot.kit.codes import code_hash, code_matches, one_time_code
from coinslot.kit.secrets import (
    SealBrokenError,
    Secret,
    UnknownKeyError,
    Vault,
    VaultKeyError,
    hmac_hex,
    redact,
)

OLD, NEW = bytes(range(32)), bytes(range(32, 64))
WHERE = "gateway_accounts/1/key_secret"


@given(st.binary(), st.text())
def test_what_is_sealed_opens_in_its_context(plain: bytes, context: str) -> None:
    vault = Vault({"k1": OLD}, "k1")
    assert vault.open(vault.seal(plain, context), context) == plain


def test_sealing_twice_gives_different_bytes_and_shows_nothing() -> None:
    vault = Vault({"k1": OLD}, "k1")
    first, second = vault.seal(b"rzp_secret", WHERE), vault.seal(b"rzp_secret", WHERE)
    assert first != second
    assert b"rzp_secret" not in first


def test_in_another_context_it_does_not_open() -> None:
    vault = Vault({"k1": OLD}, "k1")
    with pytest.raises(SealBrokenError):
        vault.open(vault.seal(b"x", WHERE), WHERE + "2")


def test_no_changed_or_missing_byte_goes_unnoticed() -> None:
    vault = Vault({"k1": OLD}, "k1")
    sealed = vault.seal(b"x", WHERE)
    for position in range(len(sealed)):
        changed = bytearray(sealed)
        changed[position] ^= 1
        with pytest.raises((SealBrokenError, UnknownKeyError)):
            vault.open(bytes(changed), WHERE)
        with pytest.raises((SealBrokenError, UnknownKeyError)):
            vault.open(sealed[:position], WHERE)


def test_keys_are_rotated_without_losing_what_the_old_one_sealed() -> None:
    sealed = Vault({"k1": OLD}, "k1").seal(b"x", WHERE)
    both = Vault({"k1": OLD, "k2": NEW}, "k2")
    assert both.stale(sealed)
    resealed = both.seal(both.open(sealed, WHERE), WHERE)
    assert not both.stale(resealed)
    only_new = Vault({"k2": NEW}, "k2")
    assert only_new.open(resealed, WHERE) == b"x"
    with pytest.raises(UnknownKeyError, match="k1"):
        only_new.open(sealed, WHERE)


def test_another_key_under_the_same_name_does_not_open_it() -> None:
    sealed = Vault({"k1": OLD}, "k1").seal(b"x", WHERE)
    with pytest.raises(SealBrokenError):
        Vault({"k1": NEW}, "k1").open(sealed, WHERE)


def test_keys_are_read_from_one_line_of_text_the_first_being_current() -> None:
    text = f"k2:{base64.b64encode(NEW).decode()}, k1:{base64.b64encode(OLD).decode()}"
    vault = Vault.parse(text)
    assert not vault.stale(vault.seal(b"", ""))
    assert vault.stale(Vault({"k1": OLD}, "k1").seal(b"", ""))


@pytest.mark.parametrize(
    "text",
    ["", "k1", "k1:short", "k1:AAAA", ":" + base64.b64encode(OLD).decode(), "k1:!!!!", "k1:कक"],
)
def test_unusable_keys_are_refused(text: str) -> None:
    with pytest.raises(VaultKeyError):
        Vault.parse(text)


def test_a_key_without_its_name_is_refused_and_not_repeated() -> None:
    bare = base64.b64encode(OLD).decode()
    with pytest.raises(VaultKeyError) as refused:
        Vault.parse(bare)
    assert bare not in str(refused.value)


def test_a_current_key_must_be_among_the_keys() -> None:
    with pytest.raises(VaultKeyError):
        Vault({"k1": OLD}, "k2")


def test_new_keys_fit_and_differ() -> None:
    vault = Vault({"k": Vault.new_key()}, "k")
    assert vault.open(vault.seal(b"x", WHERE), WHERE) == b"x"
    assert Vault.new_key() != Vault.new_key()


def test_a_secret_shows_itself_only_when_revealed() -> None:
    secret = Secret("hunter2")
    assert secret.reveal() == "hunter2"
    assert "hunter2" not in f"{secret} {secret!r} {[secret]} {secret!s:>20}"
    assert secret == Secret("hunter2")
    assert secret != Secret("hunter3")
    assert len({secret, Secret("hunter2")}) == 1
    assert not Secret("")


def test_hmac_is_that_of_the_standard() -> None:
    # RFC 4231, case 2.
    assert hmac_hex(b"Jefe", b"what do ya want for nothing?") == (
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    )
    assert hmac_hex(b"k", b"m") == hmac.new(b"k", b"m", hashlib.sha256).hexdigest()


def test_redaction_reaches_every_depth_and_spelling() -> None:
    spoken = {
        "Authorization": "Basic abc",
        "api-key": "k",
        "body": [{"apiKey": "k", "vpa": "a@upi", "amount": 1}, ("x", {"API_KEY": None})],
        "kept": Secret("s"),
    }
    assert redact(spoken, ["authorization", "api_key", "vpa"]) == {
        "Authorization": "***",
        "api-key": "***",
        "body": [{"apiKey": "***", "vpa": "***", "amount": 1}, ["x", {"API_KEY": "***"}]],
        "kept": "***",
    }
    assert spoken["api-key"] == "k"


def test_a_one_time_code_opens_only_what_it_was_made_for() -> None:
    pepper = b"pepper"
    code = one_time_code()
    stored = code_hash(pepper, "order:1", code)
    assert code.isdigit()
    assert len(code) == 6
    assert code_matches(pepper, "order:1", code, stored)
    assert not code_matches(pepper, "order:2", code, stored)
    assert not code_matches(b"salt", "order:1", code, stored)
    assert not code_matches(pepper, "order:1", "", stored)


def test_subject_and_code_cannot_be_shifted_into_each_other() -> None:
    assert code_hash(b"p", "a|1", "2") != code_hash(b"p", "a", "1|2")


def test_keys_may_be_written_with_spaces_between_them() -> None:
    one, two = (base64.b64encode(key).decode() for key in (OLD, NEW))
    vault = Vault.parse(f" new:{two} , old:{one} ")
    assert vault.open(Vault({"old": OLD}, "old").seal(b"x", WHERE), WHERE) == b"x"
    assert not vault.stale(Vault({"new": NEW}, "new").seal(b"x", WHERE))


@pytest.mark.parametrize(("name", "fits"), [("k" * 32, True), ("k" * 33, False), ("", False)])
def test_the_name_of_a_key_has_one_to_32_bytes(name: str, fits: bool) -> None:
    if fits:
        assert Vault({name: OLD}, name).open(Vault({name: OLD}, name).seal(b"x", ""), "") == b"x"
    else:
        with pytest.raises(VaultKeyError):
            Vault({name: OLD}, name)


def test_bytes_that_end_within_the_name_of_their_key_were_sealed_by_nobody() -> None:
    vault = Vault({"1": b"k" * 32}, "1")
    sealed = vault.seal(b"text", "here")
    assert sealed[:3] == b"\x01\x011"
    for cut in (b"", b"\x01", b"\x01\x05ab", sealed[:2], b"\x02" + sealed[1:]):
        with pytest.raises(SealBrokenError):
            vault.stale(cut)
    assert not vault.stale(sealed[:3])  # its key is named, whatever comes behind
