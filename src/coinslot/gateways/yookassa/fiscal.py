"""The fiscal settings of a YooKassa shop (54-FZ), in YooKassa's own codes."""

from typing import Annotated, Final

from msgspec import Meta, Struct

from coinslot.gateways import fiscal
from coinslot.gateways.receipts import VATS, ReceiptTerms

# Rates and tax systems by their numbers there, which begin with 1.
VAT_CODES: Final[dict[str, int]] = {
    vat: code
    for code, vat in enumerate(
        ("none", "0", "10", "20", "10/110", "20/120", "5", "7", "5/105", "7/107", "22", "22/122"),
        1,
    )
}
TAX_SYSTEMS: Final[dict[str, int]] = {
    system: code
    for code, system in enumerate(
        ("osn", "usn_income", "usn_income_outcome", "envd", "esn", "patent"), 1
    )
}
_AGENTS: Final = (
    "agent", "commissioner", "attorney", "payment_agent", "payment_subagent",
    "banking_payment_agent", "banking_payment_subagent",
)  # fmt: skip


class Receipts(Struct, frozen=True, kw_only=True):
    """Fiscal receipts (54-FZ) through YooKassa."""

    email: Annotated[str, fiscal.EMAIL]
    tax_system_code: Annotated[
        Annotated[int, Meta(ge=1, le=6)] | None,
        fiscal.tax_systems({one: str(code) for one, code in TAX_SYSTEMS.items()}),
    ] = None
    vat_code: Annotated[
        Annotated[int, Meta(ge=1, le=12)],
        fiscal.rates({one: str(VAT_CODES[one]) for one in VATS}),
    ] = 1
    payment_subject: Annotated[str, fiscal.subjects()] = "commodity"
    payment_mode: Annotated[str, fiscal.modes()] = "full_payment"
    agent_type: Annotated[str | None, fiscal.agents({one: one for one in _AGENTS})] = None
    supplier_name: Annotated[str | None, fiscal.SUPPLIER] = None
    supplier_inn: Annotated[str | None, fiscal.SUPPLIER_INN] = None
    supplier_phone: Annotated[str | None, fiscal.SUPPLIER_PHONE] = None

    def terms(self) -> ReceiptTerms:
        systems = {code: system for system, code in TAX_SYSTEMS.items()}
        return ReceiptTerms(
            contact=self.email,
            tax_system=None if self.tax_system_code is None else systems[self.tax_system_code],
            vat={code: vat for vat, code in VAT_CODES.items()}[self.vat_code],
            subject=self.payment_subject, mode=self.payment_mode,
            agent=fiscal.agent(
                self.agent_type, self.supplier_name, self.supplier_inn, self.supplier_phone
            ),
        )  # fmt: skip
