"""The fiscal settings of a T-Bank terminal (54-FZ, FFD 1.05), in T-Bank's own codes."""

from typing import Annotated, Final, Literal

from msgspec import Struct

from coinslot.gateways import fiscal
from coinslot.gateways.receipts import VATS, ReceiptTerms

TAXES: Final[dict[str, str]] = {
    vat: vat if vat == "none" else f"vat1{vat[-2:]}" if "/" in vat else f"vat{vat}" for vat in VATS
}
_SYSTEMS: Final = ("osn", "usn_income", "usn_income_outcome", "esn", "patent")
AGENTS: Final[dict[str, str]] = {
    "agent": "another", "commissioner": "commission_agent", "attorney": "attorney",
    "payment_agent": "paying_agent", "payment_subagent": "paying_subagent",
    "banking_payment_agent": "bank_paying_agent",
    "banking_payment_subagent": "bank_paying_subagent",
}  # fmt: skip


class Receipts(Struct, frozen=True, kw_only=True):
    """Fiscal receipts (54-FZ, FFD 1.05) through T-Bank."""

    email: Annotated[str, fiscal.EMAIL]
    taxation: Annotated[
        Literal["osn", "usn_income", "usn_income_outcome", "esn", "patent"],
        fiscal.tax_systems({one: one for one in _SYSTEMS}, required=True),
    ]
    tax: Annotated[str, fiscal.rates(TAXES)] = "none"  # the list changes with the law
    payment_object: Annotated[str, fiscal.subjects()] = "commodity"
    payment_method: Annotated[str, fiscal.modes()] = "full_payment"
    agent_sign: Annotated[str | None, fiscal.agents(AGENTS)] = None
    supplier_name: Annotated[str | None, fiscal.SUPPLIER] = None
    supplier_inn: Annotated[str | None, fiscal.SUPPLIER_INN] = None
    supplier_phone: Annotated[str | None, fiscal.SUPPLIER_PHONE] = None

    def terms(self) -> ReceiptTerms:
        rates = {code: vat for vat, code in TAXES.items()}
        kinds = {sign: kind for kind, sign in AGENTS.items()}
        sign = self.agent_sign
        return ReceiptTerms(
            contact=self.email, tax_system=self.taxation, vat=rates.get(self.tax, self.tax),
            subject=self.payment_object, mode=self.payment_method,
            agent=fiscal.agent(
                None if sign is None else kinds.get(sign, sign),
                self.supplier_name, self.supplier_inn, self.supplier_phone,
            ),
        )  # fmt: skip
