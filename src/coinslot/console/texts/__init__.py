"""Every text of the console in English, Hindi and Russian, side by side, so that none is left out.
One file for a group of pages; a name is used once in all of them."""

from collections.abc import Mapping
from functools import cache
from typing import Final

from coinslot.console.texts import (
    account,
    acts,
    analytics,
    bases,
    board,
    brand,
    bulk,
    codes,
    coffee,
    devices,
    firmware,
    frame,
    gateway_move,
    gateways,
    keys,
    kitchen,
    machine_health,
    machine_templates,
    machines,
    menu,
    money,
    notices,
    offers,
    orders,
    overview,
    people,
    printers,
    privacy,
    products,
    profit,
    proof,
    receipts,
    rollouts,
    selling,
    settings,
    sign_in,
    start,
    stock,
    stores,
    tablets,
    webhooks,
    zones,
)
from coinslot.console.texts.languages import LANGUAGES, Texts
from coinslot.pages.texts import MIRROR, turned

PARTS: Final = (
    acts, bases, board,
    proof, profit, privacy, analytics, offers,
    printers, kitchen, tablets, stores, gateway_move, zones,
    frame, sign_in, overview, orders, machines, people, products, start, money, brand, notices,
    machine_health,
    gateways, keys, webhooks, account, settings, selling, codes, coffee, receipts, menu, stock,
    rollouts, devices, bulk, machine_templates, firmware,
)  # fmt: skip
TEXTS: Final[Texts] = {name: texts for part in PARTS for name, texts in part.TEXTS.items()}


@cache
def in_language(code: str) -> Mapping[str, str]:
    """The texts of one language; English for one that is not here, and turned around where pages
    are tried from right to left."""
    if code == MIRROR.code:
        return {name: turned(texts[0]) for name, texts in TEXTS.items()}
    place = LANGUAGES.index(code) if code in LANGUAGES else 0
    return {name: texts[place] for name, texts in TEXTS.items()}
