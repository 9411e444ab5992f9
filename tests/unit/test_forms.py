"""A gateway account's form: printed empty, filled in, read back, and what is wrong is named."""

import msgspec
import pytest

from coinslot.gateways import drivers, stripe
from coinslot.kit.secrets import Secret
from coinslot.merchants.forms import FormError, empty_form, filled_in


@pytest.mark.parametrize("gateway", sorted(drivers()))
def test_an_empty_form_has_every_setting_and_is_refused_where_one_is_required(gateway: str) -> None:
    form = empty_form(gateway)
    fields = msgspec.structs.fields(drivers()[gateway].Settings)
    assert set(msgspec.json.decode(form)) == {field.name for field in fields}
    required = [field.name for field in fields if field.required]
    if not required:
        assert isinstance(filled_in(gateway, form), drivers()[gateway].Settings)
        return
    with pytest.raises(FormError, match=f"{required[0]} is empty"):
        filled_in(gateway, form)


def test_a_form_that_was_filled_in_is_the_drivers_settings() -> None:
    form = empty_form("stripe").replace(b'"secret_key":""', b'"secret_key":"sk_test_1"')
    assert filled_in("stripe", form) == stripe.Settings(secret_key=Secret("sk_test_1"))


@pytest.mark.parametrize(
    ("gateway", "text", "why"),
    [
        ("stripe", b'{"secret_key":"sk_test_1","webhook_secret":"x"}', "no setting webhook_secret"),
        ("stripe", b'{"secret_key":1}', "secret_key"),
        ("stripe", b"{}", "secret_key"),
        ("stripe", b"sk_test_1", "cannot be read"),
        ("yookassa", b'{"shop_id":"1","secret_key":"test_1","networks":["x"]}', "'x'"),
        ("paypal", b"{}", "no gateway paypal"),
    ],
)
def test_what_is_wrong_is_named(gateway: str, text: bytes, why: str) -> None:
    with pytest.raises(FormError, match=why):
        filled_in(gateway, text)


def test_an_empty_form_says_what_is_usual_and_leaves_empty_what_is_asked() -> None:
    assert msgspec.json.decode(empty_form("stripe")) == {
        "secret_key": "", "webhook_secrets": [], "account_id": None,
        "base_url": "https://api.stripe.com",
    }  # fmt: skip
    assert msgspec.json.decode(empty_form("mock")) == {
        "webhook_secrets": [], "account_id": "mock", "method": None, "fee_percent": None,
        "books": None,
    }  # fmt: skip


def test_what_a_form_does_not_say_is_as_usual_and_a_secret_is_kept_as_one() -> None:
    text = b'{"secret_key":"sk_test_1","webhook_secrets":["a","b"]}'
    assert filled_in("stripe", text) == stripe.Settings(
        secret_key=Secret("sk_test_1"), webhook_secrets=(Secret("a"), Secret("b"))
    )
    with pytest.raises(FormError) as refused:
        filled_in("stripe", b'{"secret_key":"sk_test_1","z":1,"b":2}')
    names = ", ".join(field.name for field in msgspec.structs.fields(stripe.Settings))
    assert str(refused.value) == f"stripe has no setting b, only {names}"
    with pytest.raises(FormError, match=f"gateway paypal, only {', '.join(sorted(drivers()))}"):
        empty_form("paypal")
