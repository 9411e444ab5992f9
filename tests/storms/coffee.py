"""Customers of a coffee machine in a storm, and three books of what became of each code: what was
brewed, what the gateway took and gave back, and ours."""

import asyncio
import contextlib
import json
import random
import re
import time
import zlib
from collections import Counter
from collections.abc import Awaitable, Callable
from html import unescape
from typing import Any
from urllib.parse import urljoin

import httpx
from msgspec import Struct

from coinslot.app.demo_world import COFFEE
from tests.storms import receipts
from tests.storms.chronicle import Chronicle
from tests.storms.compare import BY_PEOPLE, Breach
from tests.storms.history import Event
from tests.storms.town import AWAY, Town

FAULTS = (
    {"make": "brewed_500"}, {"make": "brewed_cut"}, {"make": "refused_500"}, {"make": "not_json"},
    {"slow_ms": 3_000}, {"no_water": True}, {"offline": True}, {"offline": True, "silent_s": 900},
    {"price": "zero"},
)  # fmt: skip
MENDED = {"make": None, "slow_ms": 0, "no_water": False, "offline": False, "silent_s": 0,
          "price": None}  # fmt: skip
_DRINKS = ("Эспрессо", "Капучино", "Латте")
_PATIENCE_S, _LOOK_S, _RELOADS, _SLOW_S = 40.0, 0.7, 12, 1.5
_REFERENCE = """
SELECT a.reference FROM orders o JOIN payments p ON p.order_id = o.id
JOIN attempts a ON a.payment_id = p.id WHERE o.token = $1 AND a.reference IS NOT NULL
ORDER BY a.number DESC
"""
_RULES = """
INSERT INTO coffee_rules (merchant_id, contact_limit, browser_limit, device_limit, day_limit)
SELECT merchant_id, 9999, 9999, 9999, 9999 FROM outlets WHERE id = $1 ON CONFLICT DO NOTHING
"""
WAYS = {"YooKassa": "yookassa", "T-Bank": "tbank", "Practice": ""}
_OURS = """
SELECT c.machine_order, o.id::text, o.state, o.amount_minor, f.settlement, f.basis, f.sent_at,
    f.settled_at, u.answer, u.denied_at, k.gateway_payment_id, k.captured, k.open, k.reason
FROM coffee_orders c JOIN orders o ON o.id = c.order_id LEFT JOIN fulfillments f
    ON f.order_id = o.id LEFT JOIN coffee_units u ON u.id = f.id LEFT JOIN captures k
    ON k.order_id = o.id
"""


def coffees(dice: random.Random, seconds: float, count: int) -> list[Event]:
    """Customers, and what is wrong with the machine for a while."""
    events = []
    for _ in range(count):
        at_s = round(dice.uniform(0, seconds), 2)
        size = dice.choice(("SMALL", "MEDIUM", "BIG"))
        way = dice.choices(tuple(WAYS), (45, 45, 10))[0]
        card = "bank_card" if way == "YooKassa" else "card"
        payer = {
            "way": way, "method": dice.choice((card, "sbp")),
            "ends": dice.choices(("paid", "later", "declined", "never"), (70, 15, 8, 7))[0],
            "after_s": round(dice.uniform(0, 1.5), 2), "lies": dice.random() < 0.4,
        }  # fmt: skip
        wanted = {"drink": dice.choice(_DRINKS), "size": size}
        events.append(Event(at_s, "coffee", more={"wanted": wanted, "payer": payer}))
        if dice.random() < 0.3:
            fault = dice.choice(FAULTS)
            events.append(Event(round(max(0, at_s - 0.5), 2), "brewer", more={"fault": fault}))
            mended = round(at_s + dice.uniform(1, 6), 2)
            events.append(Event(mended, "brewer", more={"fault": MENDED}))
    return events


async def break_it(town: Town, chronicle: Chronicle, fault: dict[str, Any]) -> None:
    chronicle.counts.update(f"coffee {name}" for name, value in fault.items() if value)
    where = f"/tmetr/devices/{COFFEE.device}/fault"
    await _insist(lambda: town.ask("POST", where, fault))


async def allow_all_denials(town: Town) -> None:
    """Limits are tried elsewhere: here each customer who got nothing is believed."""
    await town.rows(_RULES, COFFEE.code)


async def drink(
    town: Town, chronicle: Chronicle, wanted: dict[str, Any], payer: dict[str, Any]
) -> None:
    """Somebody chooses, scans, taps twice, pays, and tells the truth about the cup."""
    chosen = {"device": COFFEE.device, **wanted}
    shown = await _insist(lambda: town.ask("POST", "/tmetr/screen", chosen))
    # Each customer comes from an address of their own, as on the street.
    own = f"127.0.1.{1 + zlib.crc32(shown['order_id'].encode()) % 250}"
    wire = httpx.AsyncHTTPTransport(local_address=own, verify=False)
    async with httpx.AsyncClient(timeout=5, trust_env=False, transport=wire) as phone:
        html = {"accept": "text/html"}
        for _ in range(5):  # what the page itself offers: look again
            page = await _insist(lambda: phone.get(shown["url"], headers=html))
            if page.status_code != 503:
                break
            await asyncio.sleep(2 * _LOOK_S)
        if page.status_code != 200:
            why = re.search(r'data-why="(\w+)"', page.text)
            said = why[1] if why else str(page.status_code)
            chronicle.counts[f"coffee: no sale, {said}"] += 1
            return
        said = unescape(page.text)
        form = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', said))
        (action,) = re.findall(r'<form class="card item" action="([^"]+)"', said)
        # What the practice gateway is paid by is the tap.
        shown_ways = re.findall(r'name="way" value="([^"]+)"[^>]*>([^<]*)<', said)
        form["way"] = next((name for name, text in shown_ways if payer["way"] in text), "")
        if not form["way"]:
            chronicle.counts["coffee: its gateway is not offered now"] += 1
            return
        form["contact"] = f"{shown['order_id'][:20]}@example.com"
        chronicle.counts[f"coffee by {payer['way']}"] += 1
        where = urljoin(shown["url"], action)
        taps = [_insist(lambda: phone.post(where, data=form)) for _ in range(2)]
        answers = await asyncio.gather(*taps, return_exceptions=True)
        links = {
            answer.headers["location"].partition("?")[0]
            for answer in answers
            if isinstance(answer, httpx.Response) and answer.is_redirect
        }
        if len(links) > 1:
            raise AssertionError(f"one code placed two orders: {links}")
        for link in links:
            if WAYS[payer["way"]]:
                await _pay(town, chronicle, phone, f"{town.web_url}{link}", payer)
            await _speak(town, chronicle, phone, link, shown["order_id"])


async def _insist(call: Callable[[], Awaitable[Any]]) -> Any:
    """As a person who reloads a page that does not come, for a while."""
    for _ in range(_RELOADS):
        with contextlib.suppress(*AWAY):
            return await call()
        await asyncio.sleep(_LOOK_S)
    return await call()


async def _pay(
    town: Town, chronicle: Chronicle, phone: httpx.AsyncClient, page: str, payer: dict[str, Any]
) -> None:
    """At the gateway's page, once the order's leads there. Liars say before it that it is paid."""
    url, gateway = None, WAYS[payer["way"]]
    for _ in range(round(_PATIENCE_S / 4 / _LOOK_S)):
        with contextlib.suppress(*AWAY):
            shown = unescape((await phone.get(page, headers={"accept": "text/html"})).text)
            found = re.search(rf"{re.escape(town.sandbox_url)}/{gateway}/[^\s\"'<>]+", shown)
            if found is not None:
                url = found[0]
                break
        await asyncio.sleep(_LOOK_S)
    if url is None or payer["ends"] == "never":
        chronicle.counts["coffee: nobody paid"] += 1
        return
    reference = await _insist(lambda: town.rows(_REFERENCE, page.rpartition("/")[2]))
    if payer["lies"] and reference:
        await receipts.lie(town, chronicle, gateway, reference[0]["reference"])
    await asyncio.sleep(payer["after_s"])
    wanted = {"url": url, "as": payer["ends"], "method": payer["method"]}
    await town.ask("POST", f"/{gateway}/pay", wanted)
    chronicle.counts[f"coffee paid at {gateway} by {payer['method']}"] += 1


async def _speak(
    town: Town, chronicle: Chronicle, phone: httpx.AsyncClient, link: str, order: str
) -> None:
    """Look at the order's page until it ends; say whether the cup came, as often as it asks."""
    page = f"{town.web_url}{link}"
    for _ in range(round(_PATIENCE_S / _LOOK_S)):
        await asyncio.sleep(_LOOK_S)
        began = time.monotonic()
        try:
            shown = (await phone.get(page, headers={"accept": "text/html"})).text
            found = re.search(r'data-phase="(\w+)"', shown)
            if found is not None and found[1] in ("done", "refunded", "refunding", "expired"):
                return
            if f'action="{link}/came"' in shown:
                came = order in await _cups(town)
                await phone.post(f"{page}/{'came' if came else 'help'}")
        except AWAY:
            continue
        finally:
            took_s = time.monotonic() - began
            if took_s > _SLOW_S:  # who waits for a page can say nothing meanwhile
                chronicle.lasted(COFFEE.code, "a page that came late", took_s)


async def _cups(town: Town) -> list[str]:
    return [cup["order_id"] for cup in (await town.ask("GET", "/books"))["tmetr"]["cups"]]


class CoffeeBooks(Struct):
    """The three books."""

    cups: Counter[str]
    makes: Counter[str]
    refunded: Counter[str]  # minor units, by the gateway's payment
    ours: list[dict[str, Any]]
    by_people: dict[str, int]  # given back of cups that were handed over, by payment


async def books(town: Town) -> CoffeeBooks:
    brewed = (await town.ask("GET", "/books"))["tmetr"]
    path = town.folder / f"mock-{COFFEE.merchant}.json"
    kept = json.loads(path.read_bytes()) if path.exists() else {}
    refunded: Counter[str] = Counter()
    everything = await town.ask("GET", "/books")
    for gateway in filter(None, WAYS.values()):
        for payment in everything[gateway]["payments"]:
            refunded[payment["reference"]] += payment["refunded"]
    for refund in kept.get("refunds", {}).values():
        if refund["stage"] == "processed":
            refunded[refund["gateway_payment_id"]] += refund["money"]["amount"]
    return CoffeeBooks(
        cups=Counter(cup["order_id"] for cup in brewed["cups"]),
        makes=Counter(make["order_id"] for make in brewed["makes"]),
        refunded=refunded,
        ours=[dict(row) for row in await town.rows(_OURS)],
        by_people={row["payment"]: row["n"] for row in await town.rows(BY_PEOPLE)},
    )


def breaches(found: CoffeeBooks, chronicle: Chronicle, ends: Counter[str]) -> list[Breach]:
    """At most one command for each code, no cup without money, and for money a cup or it back."""
    wrong = [
        Breach("commanded twice", order, f"{times} commands")
        for order, times in found.makes.items()
        if times > 1
    ]
    known = {row["machine_order"] for row in found.ours if row["sent_at"] is not None}
    wrong += [
        Breach("a cup that nobody commanded", order, f"{times}")
        for order, times in found.cups.items()
        if order not in known
    ]
    for row in found.ours:
        wrong += _one(found, row, chronicle, ends)
    return wrong


def _one(
    found: CoffeeBooks, row: dict[str, Any], chronicle: Chronicle, ends: Counter[str]
) -> list[Breach]:
    order, told = row["machine_order"], json.dumps(row, default=str)
    if row["captured"] is None:
        ends["coffee: not paid"] += 1
        return []
    got = found.cups[order] > 0 and row["reason"] is None
    back = found.refunded[row["gateway_payment_id"]]
    if row["open"]:
        return [Breach("the capture is open", order, told)]
    by_people = found.by_people.get(row["gateway_payment_id"], 0)
    if got and by_people and back == by_people:
        ends["coffee: a cup, and money back by a person"] += 1
        return []
    if got and back:
        ends["coffee: both, by policy"] += 1
        return [] if row["basis"] == "policy" else [Breach("both", order, told)]
    if got or back == row["captured"]:
        ends["coffee: a cup" if got else f"coffee: money back: {row['basis']}"] += 1
        return []
    if row["basis"] == "command_taken" and chronicle.excuses(
        COFFEE.code, row["sent_at"], row["settled_at"]
    ):
        ends["coffee: no cup, and its customer could not say so in time"] += 1
        return []
    return [Breach("neither", order, told)]
