"""Stripe as one of the sandbox's gateways."""

from functools import partial
from typing import Any, ClassVar

from litestar import Router

from sandbox.clock import now_s
from sandbox.config import Config
from sandbox.party import Parcel, Party
from sandbox.store import Change, Store
from sandbox.stripe import books, customer, refunds, sessions
from sandbox.stripe.accounts import ACCOUNTS, PARTY
from sandbox.stripe.desk import Gateway, signature
from sandbox.stripe.endpoints import ROUTER
from sandbox.stripe.front import FrontDoor
from sandbox.stripe.settings import Tempo


class Stripe(Party):
    name: ClassVar[str] = PARTY
    router: ClassVar[Router] = ROUTER

    def __init__(self, store: Store, public_url: str) -> None:
        self.gateway = Gateway(store, Tempo(), f"{public_url}/{PARTY}")
        self.tempo = self.gateway.tempo
        by_itself = (sessions.EXPIRES, refunds.SETTLES, refunds.FAILS)
        names = (*by_itself, customer.ARRIVES, customer.BOUNCES)
        self.work = {name: partial(self._work, name) for name in names}
        self.parts = {"stripe": self.gateway, "stripe_front": FrontDoor(self.gateway)}

    def use(self, change: Change, config: Config) -> None:
        self.tempo = self.gateway.tempo = config.stripe.tempo
        for account in config.stripe.accounts:
            ACCOUNTS.save(change, account, switch_on=False)

    def books(self, look: Change) -> list[dict[str, Any]]:
        return books.payments(look)

    def headers(self, look: Change, parcel: Parcel) -> dict[str, str]:
        """Every attempt is signed anew, with its own time and the secret of now."""
        secret = ACCOUNTS.find(look, parcel.account_id).webhook_secret
        return {**parcel.headers, "Stripe-Signature": signature(secret, parcel.body, now_s())}

    def _work(self, name: str, change: Change, thing_id: str) -> None:
        customer.work_of(name, self.gateway.desk(change), thing_id)
