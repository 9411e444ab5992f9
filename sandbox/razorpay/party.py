"""Razorpay as one of the sandbox's gateways."""

from functools import partial
from typing import Any, ClassVar

from litestar import Router

from sandbox.config import Config
from sandbox.party import Party
from sandbox.razorpay import books, customer, refunds
from sandbox.razorpay.accounts import ACCOUNTS, PARTY
from sandbox.razorpay.desk import Gateway
from sandbox.razorpay.endpoints import ROUTER
from sandbox.razorpay.front import FrontDoor
from sandbox.razorpay.settings import Tempo
from sandbox.store import Change, Store


class Razorpay(Party):
    name: ClassVar[str] = PARTY
    router: ClassVar[Router] = ROUTER

    def __init__(self, store: Store, public_url: str) -> None:
        self.gateway = Gateway(store, Tempo(), f"{public_url}/{PARTY}")
        self.tempo = self.gateway.tempo
        names = (refunds.SETTLES, refunds.FAILS, customer.CAPTURES)
        self.work = {name: partial(self._work, name) for name in names}
        self.parts = {"razorpay": self.gateway, "razorpay_front": FrontDoor(self.gateway)}

    def use(self, change: Change, config: Config) -> None:
        self.tempo = self.gateway.tempo = config.razorpay.tempo
        for account in config.razorpay.accounts:
            ACCOUNTS.save(change, account, switch_on=False)

    def books(self, look: Change) -> list[dict[str, Any]]:
        return books.payments(look)

    def _work(self, name: str, change: Change, thing_id: str) -> None:
        customer.work_of(name, self.gateway.desk(change), thing_id)
