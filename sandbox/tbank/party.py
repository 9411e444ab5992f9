"""T-Bank as one of the sandbox's gateways."""

from typing import Any

from sandbox.party import Party
from sandbox.store import Change
from sandbox.tbank import books, customer, payments, receipts, refunds
from sandbox.tbank.accounts import ACCOUNTS
from sandbox.tbank.desk import Desk, Gateway
from sandbox.tbank.endpoints import ENDPOINTS
from sandbox.tbank.settings import Tempo
from sandbox.tbank.things import Payment


class TBank(Party):
    accounts = ACCOUNTS
    gateway_of = Gateway
    tempo_of = Tempo
    payment = Payment
    endpoints = ENDPOINTS
    chores = (
        customer.PAYS, payments.EXPIRES, refunds.SETTLES, refunds.FAILS, receipts.REGISTERS,
    )  # fmt: skip
    account_word = "terminal"

    def book(self, look: Change) -> Any:
        return {"payments": self.books(look), "receipts": books.receipts(look)}

    def books(self, look: Change) -> list[dict[str, Any]]:
        return books.payments(look)

    def accepts(self, status: int, body: bytes) -> bool:
        """200 and the two letters, nothing before and nothing behind them."""
        return status == 200 and body == b"OK"

    def work_on(self, name: str, desk: Desk, thing_id: str) -> None:
        customer.work_of(name, desk, thing_id)
