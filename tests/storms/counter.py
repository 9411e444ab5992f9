"""Customers of a counter and its staff in a storm, and three books of each order: what staff handed
over, what the gateway took and gave back, and ours."""

import asyncio
import json
import random
import re
from collections import Counter
from html import unescape
from typing import Any
from urllib.parse import urlencode

import httpx
from msgspec import Struct

from coinslot.app.demo_world import COUNTER
from tests.storms import walk_ins
from tests.storms.chronicle import Chronicle
from tests.storms.compare import BY_PEOPLE, Breach
from tests.storms.history import Event
from tests.storms.town import AWAY, Town

STOCK = 1_000_000  # of the item that is counted, and of its choice
COUNTED, CHOICE = "cake", "cream"
STAFF = "boris"
# What staff do with an order; most of them hand it over.
PLANS = (
    "hand over", "hand over", "hand over", "two boards", "wrong codes", "locked", "reject",
    "reject a piece", "ignore", "customer cancels", "undo", "not fetched",
)  # fmt: skip
_BASKETS = (
    ("cake~2~~",), ("cake~1~cream~",), ("chai~1~with-sugar~very hot", "cake~1~cream~"),
    ("chai~3~without-sugar~",),
)  # fmt: skip
_LOOK_S, _PATIENCE_S = 0.4, 40.0
_ANSWERED = frozenset({200, 404, 409, 410, 422})
_OPEN_BOARD = """
INSERT INTO counter_presence (merchant_id, outlet_id, began_at, seen_at)
SELECT merchant_id, outlet_id, now(), now() + interval '1 day' FROM counter_stores
WHERE outlet_id = $1
"""
_SET_STOCK = """
UPDATE counter_items i SET stock = $2, option_stock = jsonb_build_object($3::text, $2::integer)
FROM products p WHERE p.id = i.product_id AND p.sku = $1 AND i.outlet_id = $4
    AND NOT EXISTS (SELECT FROM counter_lines l WHERE l.item_id = i.id)
    AND NOT EXISTS (SELECT FROM counter_walk_ins)
"""
_OURS = """
SELECT o.id::text, o.number, o.state, o.amount_minor, k.gateway_payment_id, k.captured, k.open,
    coalesce(sum(f.amount_minor) FILTER (WHERE f.settlement = 'fulfilled'), 0)::bigint AS given,
    count(f.id) FILTER (WHERE f.settlement = 'fulfilled') AS pieces,
    array_agg(DISTINCT f.basis) FILTER (WHERE f.settlement = 'refund_due') AS why,
    coalesce((SELECT sum(e.amount_minor) FROM order_extras e WHERE e.order_id = o.id
        AND e.settlement = 'fulfilled'), 0)::bigint AS extras
FROM orders o JOIN counter_orders c ON c.order_id = o.id
LEFT JOIN captures k ON k.order_id = o.id AND k.reason IS NULL
LEFT JOIN fulfillments f ON f.order_id = o.id GROUP BY o.id, k.id
"""
# Of what was counted when it was ordered: all that nobody began is there again.
_STOCK = """
SELECT i.stock, (i.option_stock->>$2)::integer AS choice,
    (SELECT count(*) FROM fulfillments f JOIN counter_lines l ON l.line_id = f.line_id
        JOIN counter_units u ON u.id = f.id WHERE l.item_id = i.id
        AND (f.settlement = 'fulfilled' OR u.accepted_at IS NOT NULL)) AS begun,
    (SELECT count(*) FROM fulfillments f JOIN counter_lines l ON l.line_id = f.line_id
        JOIN counter_units u ON u.id = f.id WHERE l.item_id = i.id AND $2 = ANY (l.counted_choices)
        AND (f.settlement = 'fulfilled' OR u.accepted_at IS NOT NULL)) AS begun_choice
FROM counter_items i JOIN products p ON p.id = i.product_id WHERE p.sku = $1
    AND i.outlet_id = $3
"""


def visits(dice: random.Random, seconds: float, count: int) -> list[Event]:
    """Customers, and what becomes of each."""
    return [
        Event(round(dice.uniform(0, seconds), 2), "visit", more={
            "plan": PLANS[n % len(PLANS)], "basket": list(dice.choice(_BASKETS)),
            "tip": dice.choice(("", "10")), "wrong": dice.randrange(1, 4),
        })
        for n in range(count)
    ]  # fmt: skip


async def fill(town: Town) -> None:
    """So much of what is counted, before anything of it was ordered; and a board that stays open:
    the time to fetch an order runs only while one is."""
    await town.rows(_SET_STOCK, COUNTED, STOCK, CHOICE, COUNTER.code)
    await town.rows(_OPEN_BOARD, COUNTER.code)


class Staff:
    """A member of staff with a program of their own, who presses until somebody answers."""

    def __init__(self, town: Town) -> None:
        self._town = town
        self._token = ""

    async def press(self, order: str, verb: str, body: dict[str, Any]) -> tuple[int, Any]:
        """The last answer; 0 where nobody answered for long."""
        url = f"{self._town.web_url}/api/staff/orders/{order}/{verb}"
        status: int = 0
        said: Any = None
        for _ in range(round(_PATIENCE_S / _LOOK_S)):
            try:
                await self._sign_in()
                headers = {"authorization": f"Bearer {self._token}"}
                answer = await self._town.http.post(url, json=body, headers=headers)
            except AWAY:
                await asyncio.sleep(_LOOK_S)
                continue
            if answer.status_code == 401:
                self._token = ""
            if answer.status_code in _ANSWERED:
                return answer.status_code, answer.json()
            status, said = answer.status_code, answer.text
            await asyncio.sleep(_LOOK_S)
        return status if said is not None else 0, said

    async def twice(self, order: str, verb: str, body: dict[str, Any]) -> list[tuple[int, Any]]:
        """The same tap two times at one moment."""
        return list(await asyncio.gather(*(self.press(order, verb, body) for _ in range(2))))

    async def _sign_in(self) -> None:
        if self._token:
            return
        given = {"login": STAFF, "password": self._town.world.known.passwords[STAFF]}
        answer = await self._town.http.post(f"{self._town.web_url}/auth/login", json=given)
        if answer.status_code in (200, 201):
            self._token = answer.json()["access_token"]


async def visit(town: Town, chronicle: Chronicle, more: dict[str, Any]) -> None:
    """Somebody orders with a double tap, pays, and gets it or not."""
    async with httpx.AsyncClient(
        base_url=town.web_url, timeout=5, trust_env=False, verify=False
    ) as phone:
        query = [("line", line) for line in more["basket"]]
        query += [("tip", more["tip"])] if more["tip"] else []
        page = await _basket(phone, f"/s/{COUNTER.slug}/basket?{urlencode(query)}")
        if not page:
            chronicle.counts["counter: no sale"] += 1
            return
        chronicle.counts["counter order"] += 1
        link = await _ordered(phone, chronicle, page)
        if not link:
            chronicle.counts["counter: no answer"] += 1
            return
        if await _phase(phone, link, ("queued", "expired")) != "queued":
            chronicle.counts["counter: not paid"] += 1
            return
        (row,) = await _rows(
            town, "SELECT id::text FROM orders WHERE token = $1", link.rpartition("/")[2]
        )
        await _serve(town, chronicle, phone, (link, row["id"]), more)


async def _basket(phone: httpx.AsyncClient, path: str) -> str:
    """The page that can be paid; empty where there is none for long."""
    for _ in range(round(_PATIENCE_S / _LOOK_S)):
        try:
            page = await phone.get(path)
        except AWAY:
            await asyncio.sleep(_LOOK_S)
            continue
        if page.status_code == 200 and 'name="way"' in page.text:
            return page.text
        await asyncio.sleep(_LOOK_S)
    return ""


async def _ordered(phone: httpx.AsyncClient, chronicle: Chronicle, page: str) -> str:
    """Where the order is, of two taps at one moment; empty where nobody answered."""
    said = unescape(page).partition('<form class="card item"')[2]  # behind the way to pay
    hidden = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', said)
    form: dict[str, Any] = {name: value for name, value in hidden if name != "line"}
    form["line"] = [value for name, value in hidden if name == "line"]
    # The practice gateway stands last, and is paid by the tap.
    form["way"] = re.findall(r'name="way" value="([^"]+)"', said)[-1]
    links = set[str]()
    for _ in range(round(_PATIENCE_S / _LOOK_S)):
        taps = [phone.post(f"/s/{COUNTER.slug}", data=form) for _ in range(2)]
        answers = await asyncio.gather(*taps, return_exceptions=True)
        links |= {
            answer.headers["location"].partition("?")[0]
            for answer in answers
            if isinstance(answer, httpx.Response) and answer.is_redirect
        }
        if len(links) > 1:
            raise AssertionError(f"one basket placed two orders: {links}")
        if links:
            break
        for answer in answers:
            told = answer.status_code if isinstance(answer, httpx.Response) else type(answer)
            chronicle.counts[f"counter: an order was answered by {told}"] += 1
        await asyncio.sleep(_LOOK_S)  # pressed again, with the key that it had
    return next(iter(links), "")


async def _serve(
    town: Town, chronicle: Chronicle, phone: httpx.AsyncClient, order: tuple[str, str],
    more: dict[str, Any],
) -> None:  # fmt: skip
    link, number = order
    staff, plan = Staff(town), more["plan"]
    chronicle.counts[f"counter: {plan}"] += 1
    if plan == "ignore":
        return
    if plan == "customer cancels":
        # Staff accept at the same moment: one of them is first.
        await asyncio.gather(
            phone.post(f"{link}/cancel"), staff.press(number, "status", {"status": "PREPARING"}),
            return_exceptions=True,
        )  # fmt: skip
        return
    await staff.twice(number, "status", {"status": "PREPARING"})
    if plan == "undo":
        await staff.press(number, "status", {"status": "PLACED"})
        await staff.press(number, "status", {"status": "PREPARING"})
    if plan == "reject":
        await staff.twice(number, "status", {"status": "CANCELLED", "reason": "no milk"})
        return
    await staff.twice(number, "status", {"status": "READY"})
    if plan == "not fetched":
        return
    code = await _code(phone, link)
    if not code:
        return
    wrong = {"wrong codes": more["wrong"], "locked": 6}.get(plan, 0)
    for n in range(wrong):
        await staff.press(number, "complete", {"code": f"{(int(code) + 1 + n) % 10**6:06}"})
    answers = await staff.twice(number, "complete", {"code": code})
    if plan == "two boards":
        answers += await Staff(town).twice(number, "complete", {"code": code})
    if any(status == 200 and said["status"] == "COMPLETED" for status, said in answers):
        chronicle.handed.add(number)  # it is in the customer's hand, once
    elif any(status == 0 for status, _ in answers):
        chronicle.unanswered.add(number)


async def _code(phone: httpx.AsyncClient, link: str) -> str:
    """As the customer's page shows it when the order is ready."""
    if await _phase(phone, link, ("working", "refunding", "refunded")) != "working":
        return ""
    for _ in range(round(_PATIENCE_S / _LOOK_S)):
        try:
            page = (await phone.get(link, headers={"accept": "text/html"})).text
        except AWAY:
            page = ""
        found = re.search(r"<bdi>(\d{3}) (\d{3})</bdi>", page)
        if found is not None:
            return found[1] + found[2]
        if 'data-phase="ref' in page:
            return ""
        await asyncio.sleep(_LOOK_S)
    return ""


async def _phase(phone: httpx.AsyncClient, link: str, wanted: tuple[str, ...]) -> str:
    """The first of these that the order's page shows; empty where it shows none for long."""
    for _ in range(round(_PATIENCE_S / _LOOK_S)):
        try:
            page = (await phone.get(link, headers={"accept": "text/html"})).text
        except AWAY:
            page = ""
        found = re.search(r'data-phase="(\w+)"', page)
        if found is not None and found[1] in wanted:
            return found[1]
        await asyncio.sleep(_LOOK_S)
    return ""


async def _rows(town: Town, sql: str, *arguments: object) -> list[Any]:
    for _ in range(round(_PATIENCE_S / _LOOK_S)):
        try:
            return list(await town.rows(sql, *arguments))
        except AWAY:
            await asyncio.sleep(_LOOK_S)
    return []


class CounterBooks(Struct):
    """The three books, and what is left."""

    refunded: Counter[str]  # minor units, by the gateway's payment
    ours: list[dict[str, Any]]
    by_people: dict[str, int]  # given back of what was handed over, by payment
    left: dict[str, Any]
    walk_ins: list[dict[str, Any]]


async def books(town: Town) -> CounterBooks:
    path = town.folder / f"mock-{COUNTER.merchant}.json"
    kept = json.loads(path.read_bytes()) if path.exists() else {}
    refunded: Counter[str] = Counter()
    for refund in kept.get("refunds", {}).values():
        if refund["stage"] == "processed":
            refunded[refund["gateway_payment_id"]] += refund["money"]["amount"]
    return CounterBooks(
        refunded=refunded,
        ours=[dict(row) for row in await town.rows(_OURS)],
        by_people={row["payment"]: row["n"] for row in await town.rows(BY_PEOPLE)},
        left=dict((await town.rows(_STOCK, COUNTED, CHOICE, COUNTER.code))[0]),
        walk_ins=await walk_ins.books(town),
    )


def breaches(found: CounterBooks, chronicle: Chronicle, ends: Counter[str]) -> list[Breach]:
    """Each captured order is in its customer's hand or its money is back, piece by piece; what
    staff entered is what they handed over; and what nobody began is for sale again."""
    wrong = [breach for row in found.ours for breach in _one(found, row, chronicle, ends)]
    wrong += walk_ins.breaches(found.walk_ins, chronicle, ends)
    left, walked = found.left, walk_ins.left_of(found.walk_ins, chronicle)
    gone = {"stock": left["begun"] + walked.cake, "choice": left["begun_choice"] + walked.cream}
    for what, begun in gone.items():
        if left[what] + begun != STOCK:
            wrong.append(Breach(f"{what} of a counter is lost or made", COUNTED, str(left)))
    return wrong


def _one(
    found: CounterBooks, row: dict[str, Any], chronicle: Chronicle, ends: Counter[str]
) -> list[Breach]:
    order, told = row["id"], json.dumps(row, default=str)
    if row["captured"] is None:
        ends["counter: not paid"] += 1
        return []
    payment, handed = row["gateway_payment_id"], order in chronicle.handed
    back = found.refunded[payment] - found.by_people.get(payment, 0)
    if row["open"]:
        return [Breach("the capture of a counter is open", order, told)]
    if handed and not row["pieces"]:
        return [Breach("handed over, and its money went back", order, told)]
    if row["pieces"] and not handed and order not in chronicle.unanswered:
        return [Breach("fulfilled, and nobody handed it over", order, told)]
    if row["given"] + row["extras"] + back != row["captured"]:
        return [Breach("a counter's money does not add up", order, f"{back} back: {told}")]
    if row["pieces"]:
        ends["counter: handed over" if back == 0 else "counter: a part of it"] += 1
    else:
        ends[f"counter: money back: {', '.join(sorted(row['why'] or ['?']))}"] += 1
    return []
