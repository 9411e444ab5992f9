"""T-Bank as one of the sandbox's gateways."""

from functools import partial
from typing import Any, ClassVar

from litestar import Router

from sandbox.config import Config
from sandbox.party import Party
from sandbox.store import Change, Store
from sandbox.tbank import books, customer, payments, refunds
from sandbox.tbank.accounts import ACCOUNTS, PARTY
from sandbox.tbank.desk import Gateway
from sandbox.tbank.endpoints import ROUTER
from sandbox.tbank.settings import Tempo


class TBank(Party):
    name: ClassVar[str] = PARTY
    router: ClassVar[Router] = ROUTER

    def __init__(self, store: Store, public_url: str) -> None:
        self.gateway = Gateway(store, Tempo(), f"{public_url}/{PARTY}")
        self.tempo = self.gateway.tempo
        names = (payments.EXPIRES, refunds.SETTLES, refunds.FAILS)
        self.work = {name: partial(self._work, name) for name in names}
        self.parts = {"tbank": self.gateway}

    def use(self, change: Change, config: Config) -> None:
        self.tempo = self.gateway.tempo = config.tbank.tempo
        for account in config.tbank.accounts:
            ACCOUNTS.save(change, account, switch_on=False)

    def books(self, look: Change) -> list[dict[str, Any]]:
        return books.payments(look)

    def accepts(self, status: int, body: bytes) -> bool:
        """200 and the two letters, nothing before and nothing behind them."""
        return status == 200 and body == b"OK"

    def _work(self, name: str, change: Change, thing_id: str) -> None:
        customer.work_of(name, self.gateway.desk(change), thing_id)
