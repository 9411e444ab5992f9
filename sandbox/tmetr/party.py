"""Tmetr as one of those outside: its configuration, and the book of its commands and cups."""

from typing import Any

from sandbox.clock import iso
from sandbox.config import Config
from sandbox.party import Outsider
from sandbox.shelf import everything, find
from sandbox.store import Change
from sandbox.tmetr import machine
from sandbox.tmetr.accounts import ACCOUNTS, PARTY
from sandbox.tmetr.endpoints import ENDPOINTS
from sandbox.tmetr.settings import CATALOGUE
from sandbox.tmetr.things import Cup, Drink, Make


class Tmetr(Outsider):
    name = PARTY
    endpoints = ENDPOINTS

    def use(self, change: Change, config: Config) -> None:
        """A drink that somebody changed by hand stays so, unless the file names drinks."""
        section = config.tmetr
        for account in section.accounts:
            ACCOUNTS.save(change, account, switch_on=False)
        for device in section.devices:
            machine.install(change, device)
        for drink in section.drinks or CATALOGUE:
            if section.drinks is not None or find(change, Drink, drink.drink_id) is None:
                machine.stock(change, drink)

    def book(self, look: Change) -> dict[str, list[dict[str, Any]]]:
        return {
            "cups": [
                {
                    "device": cup.device,
                    "drink": cup.drink,
                    "size": cup.size,
                    "order_id": cup.order_id,
                    "at": iso(cup.created_at),
                }
                for cup in everything(look, Cup)
            ],
            "makes": [
                {
                    "device": make.device,
                    "drink": make.drink,
                    "size": make.size,
                    "order_id": make.order_id,
                    "price": make.price,
                    "repeat": make.repeat,
                    "fate": make.fate,
                    "at": iso(make.created_at),
                }
                for make in everything(look, Make)
            ],
        }
