"""Credentials are tried by one cheap call before they are kept: every gateway, over sockets."""

from typing import Any

import pytest
from msgspec.structs import replace

from coinslot.gateways import drivers
from coinslot.gateways.base import Accepted, Declined, Practise, Unclear
from coinslot.gateways.form import LANGUAGES, FieldError, fields, filled
from coinslot.kit.secrets import Secret
from tests.gateways.sandbox_account import DEAD_END, SandboxAccount

WITH_A_NETWORK = ("razorpay", "stripe", "tbank", "yookassa")
# The setting of each gateway by which the account is proved.
PROOF = {
    "razorpay": "key_secret", "stripe": "secret_key", "tbank": "password", "yookassa": "secret_key",
}  # fmt: skip


@pytest.fixture(params=WITH_A_NETWORK)
def account(request: pytest.FixtureRequest) -> SandboxAccount[Any, Any]:
    made: SandboxAccount[Any, Any] = request.getfixturevalue(f"at_{request.param}")
    return made


async def test_right_credentials_are_accepted(account: SandboxAccount[Any, Any]) -> None:
    assert await account.till.check() == Accepted()


async def test_false_credentials_are_declined(account: SandboxAccount[Any, Any]) -> None:
    false = replace(account.settings, **{PROOF[account.gateway]: Secret("test_of_somebody_else")})
    answer = await account.opened(false).check()
    assert isinstance(answer, Declined), answer
    assert answer.code == "unauthorized"


async def test_a_gateway_that_does_not_answer_has_not_judged(
    account: SandboxAccount[Any, Any],
) -> None:
    away = replace(account.settings, base_url=DEAD_END)
    assert isinstance(await account.opened(away).check(), Unclear)
    async with account.weather(error_5xx=1):
        assert isinstance(await account.till.check(), Unclear)


async def test_the_emulated_gateway_is_reached_under_the_address_of_the_sandbox(
    account: SandboxAccount[Any, Any], sandbox_url: str
) -> None:
    driver, where = drivers()[account.gateway], Practise(sandbox_url=sandbox_url)
    there = driver.practising(replace(account.settings, base_url=DEAD_END), where)
    assert await account.opened(there).check() == Accepted()


def needed(name: str) -> dict[str, str]:
    """What the form of a gateway asks for, with something typed in each."""
    return {
        field.name: field.choices[0].value if field.choices else "x"
        for field in fields(drivers()[name].Settings) if field.required
    }  # fmt: skip


@pytest.mark.parametrize("name", sorted(drivers()))
def test_a_form_asks_for_everything_that_has_no_default(name: str) -> None:
    settings = drivers()[name].Settings
    asked = {field.name: field for field in fields(settings)}
    for field in asked.values():
        assert len(field.help) == len(LANGUAGES)
        assert all(field.help), field.name
    typed = needed(name)
    made = settings(**filled(settings, typed))
    assert made == settings(**filled(settings, typed))


@pytest.mark.parametrize("name", WITH_A_NETWORK)
def test_what_is_asked_for_as_a_secret_is_one_and_its_former_values_have_a_place(name: str) -> None:
    settings = drivers()[name].Settings
    secrets = [field for field in fields(settings) if field.secret]
    assert secrets
    names = set(settings.__struct_fields__)
    assert all(field.former in names | {""} for field in secrets)
    hidden = {field.name: "hidden" for field in fields(settings) if field.secret}
    made = filled(settings, hidden | needed(name))
    assert "hidden" not in repr(made)


def test_a_secret_that_is_left_empty_stays_and_one_that_was_never_given_is_asked_for() -> None:
    razorpay = drivers()["razorpay"].Settings
    before = razorpay(**filled(razorpay, {"key_id": "rzp_test_1", "key_secret": "old"}))
    kept = filled(razorpay, {"key_id": "rzp_test_2"}, before)
    assert (kept["key_id"], "key_secret" in kept) == ("rzp_test_2", False)
    with pytest.raises(FieldError) as missing:
        filled(razorpay, {"key_id": "rzp_test_2"})
    assert (missing.value.field.name, missing.value.code) == ("key_secret", "missing")


@pytest.mark.parametrize(
    ("typed", "code"),
    [("line\nbreak", "not_plain"), ("клю", "not_plain"), ("k" * 501, "too_long")],
)
def test_a_key_that_no_gateway_gives_out_is_not_sent_anywhere(typed: str, code: str) -> None:
    razorpay = drivers()["razorpay"].Settings
    with pytest.raises(FieldError) as refused:
        filled(razorpay, {"key_id": typed, "key_secret": "x"})
    assert refused.value.code == code
