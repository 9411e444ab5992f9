"""A gateway's form asks for the fiscal settings of an account, in the language of its reader."""

from types import ModuleType
from typing import Any

import msgspec
import pytest

from coinslot.gateways import drivers, tbank, yookassa
from coinslot.gateways.form import FieldError, fields, filled
from coinslot.gateways.receipts import VATS, Agent
from coinslot.gateways.tbank.fiscal import TAXES
from coinslot.gateways.yookassa.fiscal import VAT_CODES
from coinslot.kit.secrets import Secret
from coinslot.merchants.accounts import concealed, revealed

SHOP = {"shop_id": "100500", "secret_key": "test_key"}
TERMINAL = {"terminal_key": "1DEMO", "password": "p"}


@pytest.mark.parametrize("gateway", sorted(drivers()))
def test_whatever_a_form_says_it_says_in_three_languages(gateway: str) -> None:
    for field in fields(drivers()[gateway].Settings):
        said = [field.label, field.help, *(one.words for one in field.choices)]
        said += [field.group.title, field.group.lead] if field.group else []
        said += [field.empty] if field.empty else []
        for words in said:
            assert len(words) == 3
            assert all(words)
        assert field.help[0].isascii()
        for _, hindi, russian in (field.help,):
            assert any("\u0900" <= letter <= "\u097f" for letter in hindi)
            assert any("а" <= letter <= "я" for letter in russian.lower())
        names = {"shopId", "TerminalKey", "ИНН поставщика"}
        if field.label[0] not in names:
            assert len(set(field.label)) > 1 or field.label[0] == "VAT", field.label


def test_fiscal_settings_that_are_all_left_empty_are_none() -> None:
    empty = {field.name: "" for field in fields(yookassa.Settings) if field.group}
    assert filled(yookassa.Settings, SHOP | empty)["receipts"] is None


def test_what_is_typed_into_the_form_becomes_the_terms_of_receipts() -> None:
    typed = {
        "receipts.email": "till@shop.example", "receipts.tax_system_code": "2",
        "receipts.vat_code": "11", "receipts.payment_mode": "full_prepayment",
        "receipts.agent_type": "commissioner", "receipts.supplier_name": "ООО «Зерно»",
        "receipts.supplier_inn": "7701234567", "receipts.supplier_phone": "+74951234567",
    }  # fmt: skip
    given = filled(yookassa.Settings, SHOP | typed)["receipts"]
    assert isinstance(given, yookassa.Receipts)
    terms = given.terms()
    assert (terms.contact, terms.tax_system, terms.vat) == (
        "till@shop.example", "usn_income", "22",
    )  # fmt: skip
    assert (terms.subject, terms.mode) == ("commodity", "full_prepayment")
    assert terms.agent == Agent(
        kind="commissioner", supplier="ООО «Зерно»", inn="7701234567", phone="+74951234567"
    )


@pytest.mark.parametrize(
    ("typed", "field", "code"),
    [
        ({"receipts.tax": "vat20"}, "receipts.email", "missing"),
        ({"receipts.email": "a@b.example"}, "receipts.taxation", "missing"),
        (
            {"receipts.email": "a@b.example", "receipts.taxation": "none"},
            "receipts.taxation", "not_a_choice",
        ),
        (
            {"receipts.email": "касса@b.example", "receipts.taxation": "osn"},
            "receipts.email", "not_plain",
        ),
    ],
)  # fmt: skip
def test_a_fiscal_setting_that_is_half_given_is_asked_for(
    typed: dict[str, str], field: str, code: str
) -> None:
    with pytest.raises(FieldError) as refused:
        filled(tbank.Settings, TERMINAL | typed)
    assert (refused.value.field.name, refused.value.code) == (field, code)


def test_a_form_of_an_account_that_was_there_shows_its_fiscal_settings_and_changes_them() -> None:
    receipts = tbank.Receipts(email="a@b.example", taxation="osn", tax="vat22")
    before = tbank.Settings(
        terminal_key="1DEMO", password=Secret("p"), receipts=receipts
    )  # fmt: skip
    shown = {one.name: one.shown_as(before) for one in fields(tbank.Settings) if not one.secret}
    assert shown["receipts.tax"] == "vat22"
    assert filled(tbank.Settings, shown, before)["receipts"] == receipts
    changed = filled(tbank.Settings, shown | {"receipts.tax": "vat10"}, before)["receipts"]
    assert changed == msgspec.structs.replace(receipts, tax="vat10")
    assert "receipts" not in filled(tbank.Settings, {"terminal_key": "2DEMO"}, before)


def test_settings_that_an_older_version_kept_are_still_read() -> None:
    kept = b'{"shop_id":"1","secret_key":"k","receipts":{"email":"a@b.example","vat_code":11}}'
    read = msgspec.json.decode(kept, type=yookassa.Settings, dec_hook=concealed)
    assert read.receipts is not None
    assert read.receipts.terms().vat == "22"
    again = msgspec.json.encode(read, enc_hook=revealed)
    assert msgspec.json.decode(again, type=yookassa.Settings, dec_hook=concealed) == read


def test_each_rate_of_the_law_has_a_code_at_both_gateways() -> None:
    assert set(VAT_CODES) == set(VATS) == set(TAXES)
    assert {VAT_CODES[vat] for vat in VATS} == set(range(1, 13))
    assert (VAT_CODES["22"], VAT_CODES["22/122"], VAT_CODES["none"]) == (11, 12, 1)
    assert (TAXES["20"], TAXES["20/120"], TAXES["5/105"], TAXES["none"]) == (
        "vat20", "vat120", "vat105", "none",
    )  # fmt: skip


SUBJECTS, MODES = "commodity excise job service another", "full_payment full_prepayment"
OURS = [
    "agent", "commissioner", "attorney", "payment_agent", "payment_subagent",
    "banking_payment_agent", "banking_payment_subagent",
]  # fmt: skip
OFFERED = {
    tbank: {
        "receipts.taxation": "osn usn_income usn_income_outcome esn patent",
        "receipts.tax": (
            "none vat0 vat5 vat7 vat10 vat20 vat22 vat105 vat107 vat110 vat120 vat122"
        ),
        "receipts.payment_object": SUBJECTS, "receipts.payment_method": MODES,
        "receipts.agent_sign": (
            "another commission_agent attorney paying_agent paying_subagent bank_paying_agent"
            " bank_paying_subagent"
        ),
    },
    yookassa: {
        "receipts.tax_system_code": "1 2 3 4 5 6",
        "receipts.vat_code": "1 2 7 8 3 4 11 9 10 5 6 12",
        "receipts.payment_subject": SUBJECTS, "receipts.payment_mode": MODES,
        "receipts.agent_type": " ".join(OURS),
    },
}  # fmt: skip
SYSTEMS = ["osn", "usn_income", "usn_income_outcome", "envd", "esn", "patent"]


@pytest.mark.parametrize("gateway", OFFERED, ids=lambda gateway: gateway.__name__)
def test_whatever_a_gateway_takes_is_offered_by_its_code_there(gateway: ModuleType) -> None:
    offered = {
        field.name: " ".join(one.value for one in field.choices)
        for field in fields(gateway.Settings) if field.choices and field.group
    }  # fmt: skip
    assert offered == OFFERED[gateway]


def test_each_tax_system_and_kind_of_agent_is_the_one_of_its_code_in_the_terms_of_receipts() -> (
    None
):
    supplier: dict[str, Any] = {
        "supplier_name": "Grain",
        "supplier_inn": "7701234567",
        "supplier_phone": "+7495",
    }
    signs = OFFERED[tbank]["receipts.agent_sign"].split()
    for kind, sign in zip(OURS, signs, strict=True):
        said = tbank.Receipts(email="a@b.example", taxation="osn", agent_sign=sign, **supplier)
        also = yookassa.Receipts(email="a@b.example", agent_type=kind, **supplier)
        agents = [said.terms().agent, also.terms().agent]
        assert [agent and agent.kind for agent in agents] == [kind, kind]
    for code, system in enumerate(SYSTEMS, 1):
        terms = yookassa.Receipts(email="a@b.example", tax_system_code=code).terms()
        assert terms.tax_system == system
    assert yookassa.Receipts(email="a@b.example").terms().tax_system is None
