"""Merchants' own servers in a storm: each insists on every call, under one key, until it is
answered. What they asked and were told is kept, to be compared with what the gateways did."""

import asyncio
from typing import Any

import httpx
from msgspec import Struct

from coinslot.kit.ids import token
from tests.storms.tills import TILLS
from tests.storms.town import AWAY, Town

INSIST_S = 60.0
_AGAIN_S = 0.2
_LATER = frozenset({409, 429, 502, 503, 504})


class Charge(Struct, kw_only=True):
    """One payment as its merchant's server knows it."""

    gateway: str
    amount: int
    payment: str | None = None
    told: list[str] = []  # every status that it was answered, in order
    refunds: list[str] = []
    rude: list[str] = []  # answers that a server should never get


class Servers:
    """Of all merchants of a town."""

    def __init__(self, town: Town, charges: list[Charge]) -> None:
        self.charges = charges
        self._town = town

    async def charge(self, merchant: str, wish: dict[str, Any]) -> None:
        """Make it, confirm it (some servers do so twice at once), let the payer pay, and go on."""
        charge = Charge(gateway=wish["gateway"], amount=wish["amount"])
        self.charges.append(charge)
        body = {
            "amount": charge.amount, "currency": TILLS[charge.gateway].currency,
            "gateway": charge.gateway, "reference": token(), "return_url": "http://127.0.0.1/",
            "capture_method": "manual" if wish["held"] else "automatic",
        }  # fmt: skip
        made = await self._insist(charge, merchant, "/payments", body)
        if made is None:
            return
        charge.payment = made["id"]
        confirm = {} if wish["method"] is None else {"method": wish["method"]}
        answers = await asyncio.gather(
            *(self._ask(charge, merchant, "confirm", confirm) for _ in range(wish["confirms"]))
        )
        action = next((a for a in answers if a and a.get("next_action")), None)
        if action is not None and wish["payer"] is not None:
            await asyncio.sleep(wish["payer"])
            await self._payer_pays(charge, action, declined=wish["declined"])
        for what, after_s, more in wish["then"]:
            await asyncio.sleep(after_s)
            answer = await self._ask(charge, merchant, what, more)
            if what == "refunds" and answer is not None and "id" in answer:
                charge.refunds.append(answer["id"])

    async def _payer_pays(self, charge: Charge, action: dict[str, Any], *, declined: bool) -> None:
        till = TILLS[charge.gateway]
        wanted = {till.names: action["attempts"][-1]["gateway_reference"]}
        if declined:
            wanted |= till.declined
        try:
            await self._town.ask("POST", till.door, wanted)
        except AWAY:
            return  # the page did not load, or nothing can be paid there any more

    async def _ask(
        self, charge: Charge, merchant: str, what: str, body: dict[str, Any]
    ) -> dict[str, Any] | None:
        answer = await self._insist(charge, merchant, f"/payments/{charge.payment}/{what}", body)
        if answer is not None and what != "refunds" and "status" in answer:
            charge.told.append(answer["status"])
        return answer

    async def _insist(
        self, charge: Charge, merchant: str, path: str, body: dict[str, Any]
    ) -> dict[str, Any] | None:
        """The answer; None when it was refused, or never came."""
        headers = {
            "Authorization": f"Bearer {self._town.world.known.api_keys[merchant]}",
            "Idempotency-Key": token(),
        }
        url = f"{self._town.web_url}{path}"
        until = asyncio.get_running_loop().time() + INSIST_S
        while asyncio.get_running_loop().time() < until:
            try:
                answer = await self._town.http.post(url, json=body, headers=headers)
            except httpx.HTTPError:
                await asyncio.sleep(_AGAIN_S)
                continue
            if answer.status_code in _LATER:
                await asyncio.sleep(_AGAIN_S)
                continue
            if answer.status_code >= 500 or answer.status_code in (400, 401, 403, 404):
                charge.rude.append(f"{path}: {answer.status_code} {answer.text[:300]}")
            said: dict[str, Any] = answer.json()
            return said if answer.is_success else None
        charge.rude.append(f"{path}: no answer within {INSIST_S} s")
        return None
