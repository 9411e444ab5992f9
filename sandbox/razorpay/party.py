"""Razorpay as one of the sandbox's gateways."""

from collections.abc import Mapping
from typing import Any

from sandbox.party import Party
from sandbox.razorpay import books, customer, refunds
from sandbox.razorpay.accounts import ACCOUNTS
from sandbox.razorpay.desk import Desk, Gateway
from sandbox.razorpay.endpoints import ENDPOINTS
from sandbox.razorpay.front import FrontDoor
from sandbox.razorpay.settings import Tempo
from sandbox.razorpay.things import Payment
from sandbox.store import Change, Store


class Razorpay(Party):
    gateway: Gateway
    accounts = ACCOUNTS
    gateway_of = Gateway
    tempo_of = Tempo
    payment = Payment
    endpoints = ENDPOINTS
    chores = (refunds.SETTLES, refunds.FAILS, customer.CAPTURES)

    def __init__(self, store: Store, public_url: str) -> None:
        super().__init__(store, public_url)
        self._front = FrontDoor(self.gateway)

    @property
    def parts(self) -> Mapping[str, object]:
        return {**super().parts, "front": self._front}

    def books(self, look: Change) -> list[dict[str, Any]]:
        return books.payments(look)

    def work_on(self, name: str, desk: Desk, thing_id: str) -> None:
        customer.work_of(name, desk, thing_id)
