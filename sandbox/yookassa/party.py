"""YooKassa as one of the sandbox's gateways."""

from typing import Any

from sandbox.party import Party
from sandbox.store import Change
from sandbox.yookassa import books, customer, payments, receipts, refunds
from sandbox.yookassa.accounts import ACCOUNTS
from sandbox.yookassa.desk import Desk, Gateway
from sandbox.yookassa.endpoints import ENDPOINTS
from sandbox.yookassa.settings import Tempo
from sandbox.yookassa.things import Payment


class YooKassa(Party):
    accounts = ACCOUNTS
    gateway_of = Gateway
    tempo_of = Tempo
    payment = Payment
    endpoints = ENDPOINTS
    chores = (
        customer.PAYS, payments.LAPSES, payments.HOLD_ENDS, refunds.SETTLES, refunds.FAILS,
        receipts.REGISTERS,
    )  # fmt: skip
    account_word = "shop"

    def book(self, look: Change) -> Any:
        return {"payments": self.books(look), "receipts": books.receipts(look)}

    def books(self, look: Change) -> list[dict[str, Any]]:
        return books.payments(look)

    def accepts(self, status: int, body: bytes) -> bool:
        """200 alone: 201 and 204 count as failures."""
        return status == 200

    def work_on(self, name: str, desk: Desk, thing_id: str) -> None:
        customer.work_of(name, desk, thing_id)
