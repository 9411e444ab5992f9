"""Stripe as one of the sandbox's gateways."""

from collections.abc import Mapping
from typing import Any

from sandbox.clock import now_s
from sandbox.party import Parcel, Party
from sandbox.store import Change, Store
from sandbox.stripe import books, customer, refunds, sessions
from sandbox.stripe.accounts import ACCOUNTS
from sandbox.stripe.desk import Desk, Gateway, signature
from sandbox.stripe.endpoints import ENDPOINTS
from sandbox.stripe.front import FrontDoor
from sandbox.stripe.settings import Tempo
from sandbox.stripe.things import Intent


class Stripe(Party):
    gateway: Gateway
    accounts = ACCOUNTS
    gateway_of = Gateway
    tempo_of = Tempo
    payment = Intent
    endpoints = ENDPOINTS
    chores = (
        sessions.EXPIRES,
        refunds.SETTLES,
        refunds.FAILS,
        customer.ARRIVES,
        customer.BOUNCES,
    )

    def __init__(self, store: Store, public_url: str) -> None:
        super().__init__(store, public_url)
        self._front = FrontDoor(self.gateway)

    @property
    def parts(self) -> Mapping[str, object]:
        return {**super().parts, "front": self._front}

    def books(self, look: Change) -> list[dict[str, Any]]:
        return books.payments(look)

    def headers(self, look: Change, parcel: Parcel) -> dict[str, str]:
        """Every attempt is signed anew, with its own time and the secret of now."""
        secret = ACCOUNTS.find(look, parcel.account_id).webhook_secret
        return {**parcel.headers, "Stripe-Signature": signature(secret, parcel.body, now_s())}

    def work_on(self, name: str, desk: Desk, thing_id: str) -> None:
        customer.work_of(name, desk, thing_id)
